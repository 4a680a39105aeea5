//! `orphan-parent`: an ended sub-agent whose parent is in no store.

use super::Claim;
use crate::model::key::Shape;
use crate::model::verdict::{Class, Confidence, Reason, Rule};
use crate::rules::case::Case;

/// Needs every store, read whole.
pub static RULE: Rule = Rule {
    id: "orphan-parent",
    class: Some(Class::Orphaned),
    title: "an ended sub-agent whose parent is in no store",
};

/// Whether it holds.
pub fn holds(case: &Case<'_>) -> Option<Claim> {
    let kin = &case.evidence.kin;
    let parent = case.entry.kin;
    if case.entry.shape != Shape::SubAgent || parent == 0 || !kin.complete || kin.parents.contains(parent) {
        return None;
    }
    case.ended()?;
    let age = case.age().filter(|&age| age > case.policy.prune_after)?;
    Claim::remove(Confidence::Likely, vec![Reason::ParentGone, Reason::Silent(age)])
}
