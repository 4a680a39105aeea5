//! The command line as people and scripts use it: every file here says in its first lines what it prevents.
//!
//! One program holds them all, since every program of tests is linked and started alone. `cargo test --test cli sweep::` runs one file.

#![allow(clippy::unwrap_used)]

#[path = "../support/database.rs"]
mod database;
#[path = "../generate/lib.rs"]
mod generate;
#[path = "../support/naive.rs"]
mod naive;
#[path = "../support/node.rs"]
mod node;
#[path = "../support/peak.rs"]
mod peak;
#[path = "../support/recorded.rs"]
mod recorded;
#[path = "../support/samples.rs"]
mod samples;
#[path = "../support/schema.rs"]
mod schema;
#[path = "../support/systemd.rs"]
mod systemd;
#[path = "../support/tools.rs"]
mod tools;
#[path = "../support/world.rs"]
mod world;

mod bloat;
mod conformance;
mod cron;
mod evidence;
mod formats;
mod generated;
mod guard;
mod hook;
mod hostile;
mod inputs;
mod manual;
mod memory;
mod metrics;
mod oversized;
mod prune;
mod races;
mod recover;
mod report;
mod report_schema;
mod slim;
mod sqlite;
mod sqlite_jobs;
mod store_schema;
mod sweep;
mod validate;
