//! `orphan-job`: the job is in no list.

use super::Claim;
use crate::model::verdict::{Class, Confidence, Reason, Rule};
use crate::rules::case::Case;

/// Needs every list that can own the store, read whole; a list that was not read makes no orphan.
pub static RULE: Rule =
    Rule { id: "orphan-job", class: Some(Class::Orphaned), title: "its cron job is in no job list" };

/// Whether it holds.
pub fn holds(case: &Case<'_>) -> Option<Claim> {
    let jobs = &case.evidence.jobs;
    if !case.entry.family().is_cron() || !jobs.complete || case.job().is_some() {
        return None;
    }
    let (base, open) = (case.entry.kin, &case.evidence.registry.open_parents);
    let has_child = case.evidence.kin.has_running_child(base)
        || open.contains(&base)
        || open.contains(&case.entry.key)
        || case.evidence.kin.unread;
    let age = case.age()?;
    if has_child || case.evidence.registry.unreadable || age <= case.policy.orphan_after() {
        return None;
    }
    let mut reasons = vec![Reason::JobGone, Reason::Silent(age)];
    if !case.store.knows_a_job {
        reasons.push(Reason::ListKnowsNone);
    }
    if case.store.outside {
        reasons.push(Reason::StoreOutside);
    }
    let sure = if reasons.len() == 2 { Confidence::Certain } else { Confidence::Likely };
    Claim::remove(sure, reasons)
}
