//! The command line: what was typed ([`args`]) and what it means ([`request`]).

pub mod args;
pub mod limits;
pub mod request;
pub mod settings;
mod typed;
mod values;
pub mod verbs;

/// A command line that makes no sense, and what would.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct UsageError(pub String);
