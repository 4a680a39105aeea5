//! The command line: what was typed ([`args`]) and what it means ([`request`]).

pub mod args;
pub mod request;
pub mod settings;
