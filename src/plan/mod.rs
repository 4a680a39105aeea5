//! From verdicts to a plan: what goes, what is changed, and what the new file is made of.
//!
//! What you may touch here: values only. Where the text of an entry is needed, the caller hands in a way to
//! read it. A dry run and an apply use the very same plan.

pub mod brakes;
pub mod decision;
pub mod document;
pub mod edits;
pub mod forecast;
pub mod growth;
pub mod merge;
pub mod pieces;
pub mod prune;
pub mod refill;
pub mod surplus;
pub mod sweep;
pub mod undo;
