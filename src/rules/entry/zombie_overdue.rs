//! `zombie-overdue`: claims to run, and has been silent for too long.

use super::Claim;
use crate::model::verdict::{Class, Confidence, Reason, Rule};
use crate::rules::case::Case;

/// Waits for the job's own timeout while a gateway that could own the run may live.
pub static RULE: Rule = Rule {
    id: "zombie-overdue",
    class: Some(Class::Zombie),
    title: "claims to run, and has been silent for too long",
};

/// Whether it holds.
pub fn holds(case: &Case<'_>) -> Option<Claim> {
    let claim = case.claims_to_run()?;
    if case.owner_may_live() && !case.is_past_timeout() {
        return None;
    }
    let age = case.age().filter(|&age| age > case.policy.max_running)?;
    Claim::end_run(case, Confidence::Likely, vec![claim, Reason::Silent(age)])
}
