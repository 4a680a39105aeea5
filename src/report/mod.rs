//! What a run says: the values of the report, and one file per way of saying them.
//!
//! [`model`] holds the values. [`json`] and [`human`] write them; [`escape`] makes text from files safe for
//! a terminal, [`redact`] makes it safe for an issue tracker, [`format`] and [`style`] spell numbers and
//! colours. [`explain`] looks sections up in `docs/`. Nothing here opens a file or looks at a clock.

pub mod escape;
pub mod explain;
pub mod format;
pub mod json;
pub mod model;
pub mod redact;
pub mod style;

#[cfg(test)]
mod fixture;
