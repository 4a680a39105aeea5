//! A process that dies, a disk that is full, a file that changes: at every single step of whatever writes.

#![allow(clippy::unwrap_used)]

mod disk;
#[path = "../support/samples.rs"]
mod samples;
mod state;
mod world;

mod apply;
mod commands;
mod documents;
#[allow(clippy::unit_arg, reason = "a closure that is one call reads better on one line")]
mod races;
mod small;
mod steps;
mod sweep;
