//! `sessions-doctor` diagnoses, prunes and gives back the session stores of an OpenClaw gateway.
//!
//! The data goes one way, and every stage takes the value of the stage before it:
//!
//! ```text
//! arguments -> Request -> discover -> [Store] -> scan -> [Entry] \
//!                         gather  -> Evidence                     -> rules -> [Verdict] -> plan -> Plan -> apply -> Receipt
//!                                                                                              \-> report -> exit code
//! ```
//!
//! `docs/architecture.md` is the map of these rooms.

pub mod apply;
pub mod cli;
pub mod commands;
pub mod diagnose;
pub mod evidence;
pub mod exit;
pub mod host;
pub mod logging;
pub mod model;
pub mod openclaw;
pub mod plan;
pub mod progress;
pub mod report;
pub mod rules;
pub mod scan;
pub mod tell;
pub mod units;
