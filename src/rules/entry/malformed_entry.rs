//! `malformed-entry`: not an object.

use super::Claim;
use crate::model::entry::Flags;
use crate::model::key::Shape;
use crate::model::verdict::{Class, Confidence, Reason, Rule};
use crate::rules::case::Case;

/// A run record holds nothing that way and may go; anything else is only told.
pub static RULE: Rule =
    Rule { id: "malformed-entry", class: Some(Class::Malformed), title: "an entry that is not an object" };

/// Whether it holds.
pub fn holds(case: &Case<'_>) -> Option<Claim> {
    if !case.entry.is(Flags::NOT_OBJECT) {
        return None;
    }
    if case.entry.shape == Shape::RunRecord {
        return Claim::remove(Confidence::Certain, vec![Reason::NotAnObject]);
    }
    Claim::report(Reason::NotAnObject)
}
