//! Bytes to entries, in bounded memory whatever the size.
//!
//! What you may touch here: read-only files through [`source::Source`]; this is the only room with `unsafe`.

pub mod agents;
pub mod along;
pub mod automaton;
mod capture;
pub mod collector;
mod cuts;
pub mod drive;

pub mod entries;
pub mod fault;
pub mod fields;
pub mod large;
pub mod members;
pub mod mentions;
mod nesting;
mod number;
pub mod outline;
mod overridden;
pub mod parallel;
pub mod pattern;
pub mod place;
pub mod portable;
pub mod salvage;
#[cfg(target_arch = "x86_64")]
pub mod simd;
pub mod source;
pub mod stamps;
pub mod tally;
pub mod text;
pub mod utf8;
pub mod value;
