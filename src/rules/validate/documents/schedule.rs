//! `job-schedule`: whether OpenClaw can tell from a schedule when the job runs.

use super::{Against, JOB_LEGACY_FIELD, JOB_SCHEDULE, found};
use crate::model::problem::{Found, Gravity};
use crate::openclaw::schedule;
use crate::openclaw::versions::Version;
use crate::scan::automaton::Kind;
use crate::scan::value::{Named, Value, last};

/// From here on jobs may wait for a command to end.
const ON_EXIT: &str = "2026.7.1";
/// Members of a schedule that older versions kept in the job itself.
const ONCE_IN_THE_JOB: [&str; 5] = ["at", "atMs", "everyMs", "expr", "cron"];

/// Looks at the schedule of a job; says whether a version that sets jobs aside keeps it.
pub fn check(job: &Value<'_>, members: &[Named<'_>], against: &Against, into: &mut Vec<Found>) -> bool {
    let Some(schedule) = last(members, "schedule").map(|member| &member.value) else {
        if let Some(name) = ONCE_IN_THE_JOB.iter().find(|name| last(members, name).is_some()) {
            let message = format!("{name} stands in the job, where later versions keep it in its schedule");
            into.push(found(&JOB_LEGACY_FIELD, Gravity::Warning, job, message));
            return true;
        }
        into.push(found(&JOB_SCHEDULE, Gravity::Error, job, "the job has no schedule: it never runs"));
        return false;
    };
    if schedule.kind() == Kind::String {
        let message = "a schedule that is a string is an older way of saying schedule.expr";
        into.push(found(&JOB_LEGACY_FIELD, Gravity::Warning, schedule, message));
        return true;
    }
    if schedule.kind() != Kind::Object {
        let message = "schedule is {}, where OpenClaw needs an object: the job never runs";
        into.push(found(&JOB_SCHEDULE, Gravity::Error, schedule, message));
        return false;
    }
    let inside = schedule.members();
    let wrong = |value: &Value<'_>, message: String| found(&JOB_SCHEDULE, Gravity::Error, value, message);
    let trouble = match kind(&inside) {
        Ok("at") => at(&inside).map_err(|(value, message)| wrong(value.unwrap_or(schedule), message)),
        Ok("every") => every(&inside).map_err(|(value, message)| wrong(value.unwrap_or(schedule), message)),
        Ok("cron") => cron(&inside).map_err(|(value, message)| wrong(value.unwrap_or(schedule), message)),
        Ok("on-exit") if Version::named(ON_EXIT).is_some_and(|first| against.version >= first) => Ok(()),
        Ok(_) => Err(wrong(schedule, "the schedule has no kind: at, every or cron".to_owned())),
        Err(value) => Err(wrong(
            value,
            "schedule.kind is {}, which this version does not know: the job never runs".to_owned(),
        )),
    };
    let is_kept = trouble.is_ok();
    into.extend(trouble.err());
    if let Some(expr) = odd_expression(&inside).filter(|_| is_kept) {
        let message =
            "schedule.expr is {}, which is no cron expression: OpenClaw cannot tell when the job runs";
        into.push(wrong(expr, message.to_owned()));
    }
    is_kept
}

/// The kind that is named, or else the one that the other members tell of; empty where nothing does.
fn kind<'v, 'a>(members: &'v [Named<'a>]) -> Result<&'static str, &'v Value<'a>> {
    if let Some(member) = last(members, "kind").filter(|member| member.value.kind() != Kind::Null) {
        let word = member.value.string().unwrap_or_default().trim().to_lowercase();
        let known = ["at", "every", "cron", "on-exit"];
        return known.into_iter().find(|known| *known == word).ok_or(&member.value);
    }
    let has = |name: &str| last(members, name).is_some();
    Ok(match () {
        () if has("at") || has("atMs") => "at",
        () if has("everyMs") => "every",
        () if has("expr") || has("cron") => "cron",
        () => "",
    })
}

type Trouble<'v, 'a> = (Option<&'v Value<'a>>, String);

fn at<'v, 'a>(members: &'v [Named<'a>]) -> Result<(), Trouble<'v, 'a>> {
    let (at, ms) = (last(members, "at"), last(members, "atMs"));
    let Some(at) = at else {
        let missing = || (None, "the schedule has no at: the job never runs".to_owned());
        return ms.map(|_| ()).ok_or_else(missing);
    };
    match at.value.string() {
        Some(text) if may_be_time(&text) => Ok(()),
        _ => Err((Some(&at.value), "schedule.at is {}, which is no time: the job never runs".to_owned())),
    }
}

/// `Date.parse` takes more than ISO times; what has no digit, or begins like an ISO time and is none, is no time to it either.
fn may_be_time(text: &str) -> bool {
    let text = text.trim();
    let is_iso = text.len() >= 10 && text.as_bytes()[4..].starts_with(b"-") && text.is_ascii();
    if !is_iso {
        return text.bytes().any(|byte| byte.is_ascii_digit());
    }
    let number = |range: std::ops::Range<usize>| text.get(range).and_then(|part| part.parse::<u8>().ok());
    number(5..7).is_some_and(|month| (1..=12).contains(&month))
        && number(8..10).is_some_and(|day| (1..=31).contains(&day))
}

fn every<'v, 'a>(members: &'v [Named<'a>]) -> Result<(), Trouble<'v, 'a>> {
    let Some(every) = last(members, "everyMs") else {
        return Err((None, "the schedule has no everyMs: the job never runs".to_owned()));
    };
    match every.value.number() {
        Some(number) if number >= 1.0 && number.is_finite() => Ok(()),
        _ => Err((
            Some(&every.value),
            "schedule.everyMs is {}, where OpenClaw needs a number of milliseconds above 0".to_owned(),
        )),
    }
}

fn cron<'v, 'a>(members: &'v [Named<'a>]) -> Result<(), Trouble<'v, 'a>> {
    let Some(expr) = expression(members) else {
        return Err((None, "the schedule has no expr: the job never runs".to_owned()));
    };
    match expr.string() {
        Some(text) if !text.trim().is_empty() => Ok(()),
        _ => Err((Some(expr), "schedule.expr is {}, which is no cron expression".to_owned())),
    }
}

fn expression<'v, 'a>(members: &'v [Named<'a>]) -> Option<&'v Value<'a>> {
    last(members, "expr").or_else(|| last(members, "cron")).map(|member| &member.value)
}

/// An expression that is kept, and then makes no sense.
fn odd_expression<'v, 'a>(members: &'v [Named<'a>]) -> Option<&'v Value<'a>> {
    let is_odd = |expr: &&Value<'_>| expr.string().is_some_and(|text| !schedule::is_expression(text.trim()));
    expression(members).filter(|_| kind(members).is_ok_and(|kind| kind == "cron")).filter(is_odd)
}
