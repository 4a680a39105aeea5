//! Bytes to entries, in bounded memory whatever the size.
//!
//! What you may touch here: read-only files through [`source::Source`]; this is the only room with `unsafe`.

mod capture;
pub mod collector;
pub mod drive;
pub mod entries;
pub mod fault;
pub mod fields;
pub mod members;
mod nesting;
mod number;
pub mod outline;
mod overridden;
pub mod portable;
pub mod source;
pub mod tally;
pub mod text;
pub mod utf8;
