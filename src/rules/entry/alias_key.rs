//! `alias-key`: a spelling that OpenClaw folds into another key that exists.

use super::Claim;
use crate::model::entry::Flags;
use crate::model::verdict::{Class, Reason, Rule};
use crate::rules::case::Case;

/// Only told: which of the two somebody wants is theirs to say.
pub static RULE: Rule = Rule {
    id: "alias-key",
    class: Some(Class::Malformed),
    title: "a spelling that OpenClaw folds into another key that exists",
};

/// Whether it holds.
pub fn holds(case: &Case<'_>) -> Option<Claim> {
    if case.entry.is(Flags::ALIAS) { Claim::report(Reason::FoldedKey) } else { None }
}
