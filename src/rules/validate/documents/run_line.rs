//! A line of a run log.

use super::fields::{self, Ids};
use super::{
    Against, RUN_LOG_FUTURE_TIME, RUN_LOG_ID_MISMATCH, RUN_LOG_IGNORED_LINE, RUN_LOG_OTHER_JOB,
    RUN_LOG_SECONDS, RUN_LOG_TORN, RUN_LOG_WRONG_TYPE, found,
};
use crate::model::problem::{Found, Gravity};
use crate::openclaw::job_fields::RUN_LINE;
use crate::rules::validate::run_id_mismatch;
use crate::scan::automaton::Kind;
use crate::scan::value::{Named, Value, last};

static IDS: Ids = Ids {
    wrong_type: &RUN_LOG_WRONG_TYPE,
    seconds: &RUN_LOG_SECONDS,
    future_time: &RUN_LOG_FUTURE_TIME,
    // No name has changed so far.
    legacy_field: &RUN_LOG_WRONG_TYPE,
};

/// What is wrong with a line that is JSON, in its order, and whether OpenClaw reads it. `job` is that of the log, where it is known.
pub fn of_log(line: &Value<'_>, job: Option<&str>, against: &Against) -> (Vec<Found>, bool) {
    let members = line.members();
    let mut into = Vec::new();
    if let Some(why) = ignored(line, &members) {
        let message = format!("OpenClaw passes over this line: {why}");
        into.push(found(&RUN_LOG_IGNORED_LINE, Gravity::Warning, line, message));
        return (into, false);
    }
    let mut is_read = true;
    if let Some(named) = last(&members, "jobId")
        && job.is_some_and(|job| named.value.string().is_some_and(|id| id != job))
    {
        let message =
            "the line is one of the job {}, and stands in the log of another: OpenClaw passes over it";
        into.push(found(&RUN_LOG_OTHER_JOB, Gravity::Warning, &named.value, message));
        is_read = false;
    }
    if let (Some(id), Some(key)) = (last(&members, "sessionId"), last(&members, "sessionKey"))
        && let (Some(session), Some(key)) = (id.value.string(), key.value.string())
        && run_id_mismatch::run_of(&key).is_some_and(|run| run_id_mismatch::holds(&run, &session))
    {
        let message = "sessionId is {}, and sessionKey names another session";
        into.push(found(&RUN_LOG_ID_MISMATCH, Gravity::Warning, &id.value, message));
    }
    fields::check(&members, RUN_LINE, &IDS, against, &mut into);
    into.sort_by_key(|found| found.offset);
    (into, is_read)
}

/// A line that is no JSON.
pub fn torn(offset: u64) -> Found {
    let message = "the line is no JSON: OpenClaw passes over it".to_owned();
    Found { rule: &RUN_LOG_TORN, gravity: Gravity::Warning, offset, message, value: None }
}

/// A line that is too long to be looked at.
pub fn oversized(offset: u64, limit: usize) -> Found {
    let message = format!("the line is longer than {} MiB, and was not looked at", limit >> 20);
    Found { rule: &RUN_LOG_TORN, gravity: Gravity::Warning, offset, message, value: None }
}

/// Why OpenClaw passes over a line.
fn ignored(line: &Value<'_>, members: &[Named<'_>]) -> Option<&'static str> {
    let says = |name: &str| last(members, name).and_then(|member| member.value.string());
    if line.kind() != Kind::Object {
        return Some("it is no object");
    }
    if says("action").as_deref() != Some("finished") {
        return Some("its action is not finished");
    }
    if says("jobId").is_none_or(|id| id.trim().is_empty()) {
        return Some("it has no jobId");
    }
    let ts = last(members, "ts").and_then(|member| member.value.number());
    if !ts.is_some_and(f64::is_finite) { Some("its ts is no time") } else { None }
}
