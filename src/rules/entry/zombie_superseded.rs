//! `zombie-superseded`: claims to run, though its job started again since.

use super::Claim;
use crate::model::Millis;
use crate::model::entry::TextHash;
use crate::model::key::Shape;
use crate::model::verdict::{Class, Confidence, Reason, Rule};
use crate::rules::case::Case;

/// A later run that only the job's times tell of may heal a base; removing takes a run that has a name.
pub const RULE: Rule = Rule {
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
    let named = later_named_run(case, sign);
    let later =
        named.or_else(|| later_unnamed_run(case, sign).filter(|_| case.entry.shape == Shape::CronBase))?;
    Claim::end_run(case, Confidence::Likely, vec![claim, later])
}

/// A run of the job with a session of its own that began after `sign`.
fn later_named_run(case: &Case<'_>, sign: Millis) -> Option<Reason> {
    let newest = case.store.newest_run.get(&case.entry.job).copied();
    let record = newest
        .filter(|&(at, session)| is_other(session, case.entry.session) && at > sign && at <= case.now())
        .map(|(at, _)| at);
    let others = case.bases().filter(|base| is_other(base.session, case.entry.session));
    let base = others.filter_map(|base| base.started_at.past(case.now())).filter(|&at| at > sign).max();
    if let Some(at) = record.max(base) {
        return Some(Reason::StartedAgain(at - sign));
    }
    let own: Vec<_> =
        case.evidence.runs.of_session(case.entry.session, case.entry.job).map(|line| line.at).collect();
    let line = case
        .evidence
        .runs
        .of_job(case.entry.job)
        .filter(|line| line.named && !own.contains(&line.at))
        .find(|line| line.run_at.is_some_and(|at| at > sign && at <= case.now()))?;
    Some(Reason::StartedAgainLine(line.at, line.run_at? - sign))
}

/// A run that only the job's times tell of.
fn later_unnamed_run(case: &Case<'_>, sign: Millis) -> Option<Reason> {
    if let Some(line) = case.finished_line_around() {
        return Some(Reason::FinishedAround(line.at, line.ts));
    }
    let unnamed = case
        .evidence
        .runs
        .of_job(case.entry.job)
        .filter(|line| !line.named)
        .find(|line| line.run_at.is_some_and(|at| at > sign && at <= case.now()));
    if let Some(line) = unnamed {
        return Some(Reason::StartedAgainLine(line.at, line.run_at? - sign));
    }
    let last = case.job()?.last_run_at.filter(|&at| at > sign && at <= case.now())?;
    Some(Reason::StartedAgain(last - sign))
}

fn is_other(one: TextHash, other: TextHash) -> bool {
    one != 0 && one != other
}
