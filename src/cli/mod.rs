//! The command line: what was typed ([`args`]) and what it means ([`request`]).

pub mod args;
pub mod limits;
pub mod request;
pub mod settings;
mod typed;
mod values;
pub mod verbs;
