//! `stale-session`: a synthetic session that ended long ago.

use super::Claim;
use crate::model::verdict::{Class, Confidence, Reason, Rule};
use crate::rules::case::Case;

/// With `--conversations`, conversations too; never `main`.
pub static RULE: Rule =
    Rule { id: "stale-session", class: Some(Class::Stale), title: "a synthetic session that ended long ago" };

/// Whether it holds.
pub fn holds(case: &Case<'_>) -> Option<Claim> {
    let ended = case.ended().filter(|_| case.may_go_stale())?;
    let limit = case.policy.prune_after;
    case.age().filter(|&age| age > limit)?;
    Claim::remove(Confidence::Likely, vec![Reason::Ended(case.now() - ended), Reason::Older(limit)])
}
