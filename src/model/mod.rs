//! Plain values, passed from stage to stage. Nothing here opens a file, reads a clock or prints.

pub mod entry;
pub mod key;
pub mod plan;

/// Milliseconds since the Unix epoch, as OpenClaw writes them.
pub type Millis = i64;
