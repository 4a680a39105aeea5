//! The formats that OpenClaw leaves on disk: bytes and strings in, plain values out.
//!
//! What this room may touch: nothing. It opens no file, reads no environment and no clock; contents come in as
//! byte slices, and the few questions it has (does this path exist, what is in that included file) come in as closures.
//! Every reader here is total: hostile bytes give an error value, never a panic, and nesting is limited.

pub mod config;
pub mod grammar;
pub mod jobs;
pub mod json;
pub mod layout;
pub mod lock;
pub mod run_log;
pub mod sqlite;
pub mod subagents;
pub mod time;
pub mod transcript;
