//! `zombie-superseded`: claims to run, though its job started again since.

use super::Claim;
use crate::model::Millis;
use crate::model::entry::TextHash;
use crate::model::key::Shape;
use crate::model::verdict::{Class, Confidence, Reason, Rule};
use crate::rules::case::Case;

/// A later run that only the job's times tell of may heal a base; removing takes a run that has a name.
pub static RULE: Rule = Rule {
    id: "zombie-superseded",
    class: Some(Class::Zombie),
    title: "claims to run, though its job started again since",
};

/// Whether it holds.
pub fn holds(case: &Case<'_>) -> Option<Claim> {
    let claim = case.claims_to_run()?;
    if case.owner_may_live() && !case.is_past_timeout() {
        return None;
    }
    let sign = case.last_sign()?;
    let unnamed = || if case.entry.shape == Shape::CronBase { later_unnamed_run(case, sign) } else { None };
    let later = later_named_run(case, sign).or_else(unnamed)?;
    Claim::end_run(case, Confidence::Likely, vec![claim, later])
}

/// A run of the job with a session of its own that began after `sign`.
fn later_named_run(case: &Case<'_>, sign: Millis) -> Option<Reason> {
    let newest = case.newest_run();
    let record = newest
        .filter(|&(at, session)| is_other(session, case.entry.session) && at > sign && at <= case.now())
        .map(|(at, _)| at);
    let others = case.bases().filter(|base| is_other(base.session, case.entry.session));
    let base = others.filter_map(|base| base.started_at.past(case.now())).filter(|&at| at > sign).max();
    if let Some(at) = record.max(base) {
        return Some(Reason::StartedAgain(at - sign));
    }
    let line = case.evidence.runs.next_named(case.entry.job, case.entry.session, sign)?;
    Some(Reason::StartedAgainLine(line.at, line.run_at? - sign))
}

/// A run that only the job's times tell of.
fn later_unnamed_run(case: &Case<'_>, sign: Millis) -> Option<Reason> {
    if let Some(line) = case.finished_line_around() {
        return Some(Reason::FinishedAround(line.at, line.ts));
    }
    if let Some(line) = case.evidence.runs.next_unnamed(case.entry.job, sign) {
        return Some(Reason::StartedAgainLine(line.at, line.run_at? - sign));
    }
    let last = case.job()?.last_run_at.filter(|&at| at > sign && at <= case.now())?;
    Some(Reason::StartedAgain(last - sign))
}

fn is_other(one: TextHash, other: TextHash) -> bool {
    one != 0 && one != other
}
