//! `slim-cache`: caches that OpenClaw builds again, stripped from an entry that stays.
//!
//! Nothing is lost with them but the time to build them, and that only while nobody works with the session: an
//! active one still reads its report. So everything that may be at work keeps them.

use crate::model::caches::{Caches, REPORT, SKILLS};
use crate::model::entry::{Entry, Flags, Status};
use crate::model::evidence::{Life, Lock};
use crate::model::key::{Family, Shape};
use crate::model::verdict::{Action, Confidence, Protection, Reason, Rule, Verdict};
use crate::rules::case::Case;
use crate::rules::protect;

/// Not a class of its own: the entry stays what it is.
pub static RULE: Rule = Rule {
    id: "slim-cache",
    class: None,
    title: "caches that OpenClaw rebuilds, stripped from an entry that stays",
};

/// Whether an entry holds a member of which something is to go.
pub fn holds_any(entry: &Entry, caches: Caches) -> bool {
    entry.is(Flags::SKILLS) && caches.touches(SKILLS) || entry.is(Flags::REPORT) && caches.touches(REPORT)
}

/// Whether the caches of an entry may go, and why.
pub fn verdict(case: &Case<'_>) -> Verdict {
    judged(case, at_work(case))
}

/// The same of an entry that is healed: then it no longer says that it runs.
pub fn verdict_once_healed(case: &Case<'_>) -> Verdict {
    judged(case, None)
}

fn judged(case: &Case<'_>, at_work: Option<Reason>) -> Verdict {
    let protected_by = protection(case);
    let waits = odd(case).or(at_work).or_else(|| is_fresh(case));
    let over = Some(Reason::Over).filter(|_| case.entry.shape == Shape::RunRecord);
    let idle = || over.into_iter().chain(case.age().map(Reason::Silent)).collect();
    Verdict {
        rule: &RULE,
        action: if protected_by.is_none() && waits.is_none() { Action::Slim } else { Action::Keep },
        confidence: Some(Confidence::Certain),
        protected_by,
        reasons: waits.map_or_else(idle, |reason| vec![reason]),
        healing: None,
    }
}

/// Protections that reach inside an entry; the others only keep it in the store.
fn protection(case: &Case<'_>) -> Option<Protection> {
    let entry = case.entry;
    let table = [
        (Protection::InUse, case.is_in_use()),
        (Protection::Resumable, waits_for_its_end(case)),
        (Protection::Pending, entry.is(Flags::PENDING)),
        (Protection::Unknown, entry.family() == Family::Unknown || entry.is(Flags::UNREAD)),
        (Protection::Keep, entry.is(Flags::KEEP)),
    ];
    table.into_iter().find(|(_, holds)| *holds).map(|(protection, _)| protection)
}

/// Whether a lock or the registry of sub-agents says that somebody was at work and did not end.
fn waits_for_its_end(case: &Case<'_>) -> bool {
    let locked = case.traces.lock != Lock::None && !case.entry.family().is_cron();
    locked || case.entry.shape == Shape::SubAgent && protect::registry_says_open(case)
}

/// What OpenClaw would read as something else than it is.
fn odd(case: &Case<'_>) -> Option<Reason> {
    let entry = case.entry;
    match () {
        () if entry.is(Flags::BAD_SESSION_ID) => Some(Reason::RejectedSessionId),
        () if entry.is(Flags::ALIAS) => Some(Reason::FoldedKey),
        () => None,
    }
}

/// What says that the session may be at work: of a run record that it is not over, of others their own status,
/// of a base also the mark of its job.
fn at_work(case: &Case<'_>) -> Option<Reason> {
    let entry = case.entry;
    let running = matches!(entry.status, Status::Running | Status::Other);
    match entry.shape {
        Shape::RunRecord if !case.is_over() => Some(Reason::InFlight),
        Shape::RunRecord => None,
        Shape::CronBase if running => Some(Reason::SaysRunning),
        Shape::CronBase if case.job_may_be_at_work() => Some(Reason::InFlight),
        _ if running => Some(Reason::Interrupted),
        _ => None,
    }
}

/// A time that cannot be relied on, or one that is too young. Of a run that is over for certain the age does not
/// matter.
fn is_fresh(case: &Case<'_>) -> Option<Reason> {
    let Some(age) = case.age() else { return Some(Reason::UnusableTime) };
    let certain = case.is_certainly_finished()
        || case.entry.shape == Shape::RunRecord && case.evidence.gateway == Life::Stopped;
    (age < case.policy.grace && !certain).then_some(Reason::WithinGrace(age))
}
