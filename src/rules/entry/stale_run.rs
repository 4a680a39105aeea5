//! `stale-run`: a run record that is over, past its retention.

use super::Claim;
use crate::model::verdict::{Class, Confidence, Reason, Rule};
use crate::rules::case::Case;

/// What OpenClaw's own reaper would remove, if it got that far.
pub static RULE: Rule = Rule {
    id: "stale-run",
    class: Some(Class::Stale),
    title: "a run record that is over, past its retention",
};

/// Whether it holds.
pub fn holds(case: &Case<'_>) -> Option<Claim> {
    let retention = case.policy.run_retention?;
    let age = case.age().filter(|&age| age > retention)?;
    if !case.is_over() {
        return None;
    }
    Claim::remove(Confidence::Certain, vec![Reason::Over, Reason::Silent(age), Reason::Older(retention)])
}
