//! What a run says: the values of the report, and one file per way of saying them.
//!
//! [`model`] holds the values. [`json`], [`human`] and [`metrics`] write them; [`digest`] tells two of them apart; [`escape`] makes text from files safe for
//! a terminal, [`redact`] makes it safe for an issue tracker, [`mod@format`] and [`style`] spell numbers and
//! colours. [`explain`] looks sections up in `docs/`, [`stream`] tells failures of the output from those of
//! the source, [`mod@schema`] describes the report for machines. Nothing here opens a file or looks at a clock.

pub mod digest;
pub mod escape;
pub mod explain;
pub mod format;
pub mod human;
pub mod json;
pub mod metrics;
pub mod model;
pub mod redact;
pub mod schema;
pub mod stream;
pub mod style;

pub use stream::Written;

#[cfg(test)]
mod fixture;
pub mod validate;
