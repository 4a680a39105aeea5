//! What there is to say of cron jobs: a row for each, and findings on those that are stuck or run away.

use std::cmp::Reverse;

use super::changes::text;
use super::findings::{finding, stop_and_clear};
use super::store::ROWS;
use crate::diagnose::Diagnosis;
use crate::diagnose::cron::JudgedJob;
use crate::model::cron::{Marker, Place, Schedule};
use crate::model::verdict::Confidence;
use crate::report::format::{Counted, Span};
use crate::report::model::{CronJobReport, Era, Finding, Outcome, Severity};
use crate::rules::cron::runaway_job::{self, Runaway};
use crate::rules::cron::stuck_marker::{self, Judgement};
use crate::rules::entry::live;

/// Jobs that get a finding of their own.
const TOLD: usize = 10;

/// Whether a marker is cleared by a write: one that is certainly stuck, in a file.
pub fn is_cleared(job: &JudgedJob, (marker, judgement): &(Marker, Judgement)) -> bool {
    let certain = matches!(judgement, Judgement::Stuck(Confidence::Certain, _));
    certain && job.in_scope && marker.place != Place::Table
}

/// Whether a marker of the job that stands there is stuck, certainly or likely.
pub fn is_stuck(job: &JudgedJob, place: Place) -> bool {
    let stuck = |judgement: &Judgement| matches!(judgement, Judgement::Stuck(..));
    job.markers.iter().any(|(marker, judgement)| marker.place == place && stuck(judgement))
}

/// The rows of the report: those with something to say first, then by their last run; the rest as one.
pub fn rows(
    diagnosis: &Diagnosis,
    jobs: &[JudgedJob],
    outcome: &dyn Fn(&JudgedJob) -> Outcome,
) -> Vec<CronJobReport> {
    let mut sorted: Vec<&JudgedJob> = jobs.iter().collect();
    sorted.sort_by_key(|job| (Reverse(weight(job)), Reverse(job.job.last_run_at)));
    let told = &sorted[..sorted.len().min(ROWS)];
    let mut rows: Vec<CronJobReport> = told.iter().map(|job| row(diagnosis, job, outcome(job))).collect();
    if sorted.len() > ROWS {
        rows.push(others(&sorted[ROWS..]));
    }
    rows
}

/// Whether a finding tells of the job.
pub fn is_told(job: &JudgedJob) -> bool {
    weight(job) > 1
}

fn weight(job: &JudgedJob) -> u8 {
    let of = |judgement: &Judgement| match judgement {
        Judgement::Stuck(Confidence::Certain, _) => 5,
        Judgement::Stuck(..) => 4,
        Judgement::Unusable => 3,
        Judgement::MayRun(_) => 1,
    };
    let marker = job.markers.iter().map(|(_, judgement)| of(judgement)).max().unwrap_or(0);
    marker.max(if job.runaway.is_some() { 2 } else { 0 })
}

fn row(diagnosis: &Diagnosis, judged: &JudgedJob, outcome: Outcome) -> CronJobReport {
    let JudgedJob { job, pace, .. } = judged;
    let is_stuck = stuck(judged).is_some();
    let verdict = match (is_stuck || weight(judged) == 3, judged.runaway) {
        (true, _) => &stuck_marker::RULE,
        (false, Some(_)) => &runaway_job::RULE,
        (false, None) => &live::RULE,
    };
    let clears = judged.markers.iter().any(|marker| is_cleared(judged, marker))
        && diagnosis.situation.era == Era::Json;
    let last = pace.last.map(|line| line.run_at.unwrap_or(line.ts));
    CronJobReport {
        job_id: job.id.clone(),
        name: job.name.clone(),
        verdict: verdict.id.to_owned(),
        running_at_ms: job.markers.iter().find_map(|marker| marker.at),
        reasons: reasons(diagnosis, judged),
        enabled: Some(job.enabled),
        schedule: schedule(&job.schedule),
        runs: pace.lines,
        last_run_at: job.last_run_at.max(last),
        last_status: job.last_status.clone().or_else(|| pace.last.map(|line| line.status.name().to_owned())),
        next_run_at_ms: job.next_run_at,
        median_interval_ms: judged.measured,
        expected_interval_ms: expected(judged),
        confidence: stuck(judged).map(Confidence::name),
        next_start: is_stuck.then(|| next_start(diagnosis, judged)),
        action: if clears { "clear" } else { "keep" }.to_owned(),
        outcome,
    }
}

fn others(jobs: &[&JudgedJob]) -> CronJobReport {
    let name = Counted(jobs.len() as u64, "job", "jobs").to_string();
    CronJobReport {
        job_id: "other".to_owned(),
        name: None,
        verdict: live::RULE.id.to_owned(),
        running_at_ms: None,
        reasons: vec![format!("{name} that are not listed")],
        enabled: None,
        schedule: String::new(),
        runs: jobs.iter().map(|job| job.pace.lines).sum(),
        last_run_at: jobs.iter().filter_map(|job| job.job.last_run_at).max(),
        last_status: None,
        next_run_at_ms: None,
        median_interval_ms: None,
        expected_interval_ms: None,
        confidence: None,
        next_start: None,
        action: "keep".to_owned(),
        outcome: Outcome::Unchanged,
    }
}

fn schedule(schedule: &Schedule) -> String {
    match schedule {
        Schedule::At(Some(at)) => format!("at {at}"),
        Schedule::At(None) => "at".to_owned(),
        Schedule::Every(ms) => format!("every {}", Span(*ms)),
        Schedule::Cron(expr) => expr.clone(),
        Schedule::Unknown => "unknown".to_owned(),
    }
}

fn expected(judged: &JudgedJob) -> Option<i64> {
    match (judged.runaway, &judged.job.schedule) {
        (Some(Runaway::Fast { expected, .. }), _) => Some(expected),
        (_, Schedule::Every(ms)) => Some(*ms),
        _ => None,
    }
}

/// The most certain verdict on a marker of the job.
pub fn stuck(judged: &JudgedJob) -> Option<Confidence> {
    let sure = judged.markers.iter().filter_map(|(_, judgement)| match judgement {
        Judgement::Stuck(sure, _) => Some(*sure),
        _ => None,
    });
    sure.max()
}

fn reasons(diagnosis: &Diagnosis, judged: &JudgedJob) -> Vec<String> {
    let mut reasons: Vec<String> = Vec::new();
    for (marker, judgement) in &judged.markers {
        let told = |reason| text(reason, &diagnosis.evidence);
        let place = match marker.place {
            Place::List => "inline",
            Place::State => "state file",
            Place::Table => "table",
        };
        match judgement {
            Judgement::Stuck(_, found) | Judgement::MayRun(found) => {
                reasons.extend(found.iter().map(|reason| format!("marker ({place}): {}", told(reason))));
            }
            Judgement::Unusable => {
                reasons
                    .push(format!("marker ({place}): it is no past time in milliseconds, and is left alone"));
            }
        }
    }
    reasons.extend(judged.runaway.map(away));
    if !judged.in_scope {
        reasons.push("left out by --agent".to_owned());
    }
    reasons
}

fn away(runaway: Runaway) -> String {
    match runaway {
        Runaway::Fast { measured, expected } => {
            format!(
                "runs every {} as a rule, though its schedule says every {}",
                Span(measured),
                Span(expected)
            )
        }
        Runaway::Overlapping(times) => {
            let times = Counted(times, "time", "times");
            format!("began {times} though the run before had not ended")
        }
    }
}

/// The last version that clears markers when it starts; the next one that was looked at records a failure instead.
const LAST_TO_CLEAR: [u64; 3] = [2026, 4, 24];

/// What the next start of OpenClaw does with the marker, in the version that is known, and what clearing changes.
fn next_start(diagnosis: &Diagnosis, judged: &JudgedJob) -> String {
    let at = matches!(judged.job.schedule, Schedule::At(_));
    let clears = "clears the marker by itself and leaves the job out when it catches up with missed runs";
    let disables = if at { ", and disables this job" } else { "" };
    let fails = format!(
        "records the run as failed (\"cron: job interrupted by gateway restart\"), counts an error{disables}"
    );
    let numbers = |version: &str| -> Option<Vec<u64>> {
        version.split(['.', '-']).take(3).map(|part| part.parse().ok()).collect()
    };
    let version = diagnosis.cron.version.as_ref();
    let version = version.and_then(|(text, by)| Some((format!("{text}{by}"), numbers(text)?)));
    let start = match version {
        Some((text, version)) if version.as_slice() <= LAST_TO_CLEAR.as_slice() => {
            format!("the next start of OpenClaw {text} {clears}")
        }
        Some((text, _)) => format!("the next start of OpenClaw {text} {fails}"),
        None => format!(
            "the next start of OpenClaw {clears} (to 2026.4.24), or {fails} (from 2026.4.26); which version starts \
             here is not known"
        ),
    };
    match diagnosis.situation.era {
        Era::Json if !judged.job.enabled => {
            format!("{start}; the job is disabled, and runs neither way")
        }
        Era::Json => format!(
            "{start}; cleared before, the job is due again, and runs at the start if its time has passed"
        ),
        _ => format!("{start}; the table is never written by this tool"),
    }
}

/// Findings on markers and runaways; `done` tells of a job whose marker was cleared.
pub fn findings(
    diagnosis: &Diagnosis,
    jobs: &[JudgedJob],
    done: &dyn Fn(&JudgedJob) -> bool,
) -> Vec<Finding> {
    let marked = jobs.iter().filter(|job| stuck(job).is_some() && !done(job));
    let of_marker = |job: &JudgedJob| {
        let sure = stuck(job).map_or("", Confidence::name);
        let why = reasons(diagnosis, job).join("; ");
        let message = format!("job {} is marked as running, and nobody runs it ({sure}): {why}", named(job));
        let told =
            finding(&stuck_marker::RULE, severity(diagnosis, job), message).at(path_of(diagnosis, job));
        told.fix(&stop_and_clear(diagnosis, stuck(job)))
    };
    let odd = jobs.iter().filter(|job| stuck(job).is_none() && weight(job) == 3);
    let of_odd = |job: &JudgedJob| {
        let message = format!(
            "job {} has a runningAtMs that is no past time in milliseconds: OpenClaw takes the job for running",
            named(job)
        );
        finding(&stuck_marker::RULE, Severity::Warning, message)
            .at(path_of(diagnosis, job))
            .fix("take it out by hand while the gateway is stopped")
    };
    let fast = jobs.iter().filter_map(|job| Some((job, job.runaway?)));
    let of_fast = |(job, runaway): (&JudgedJob, Runaway)| {
        let message = format!("job {} {}", named(job), away(runaway));
        finding(&runaway_job::RULE, Severity::Warning, message)
            .fix("look at its schedule and its runs; `openclaw cron disable` stops it")
    };
    let mut findings = some(marked.map(of_marker).collect());
    findings.extend(some(odd.map(of_odd).collect()));
    findings.extend(some(fast.map(of_fast).collect()));
    findings
}

/// A list that lies beside tables only waits to be imported.
fn severity(diagnosis: &Diagnosis, job: &JudgedJob) -> Severity {
    let in_table = job.markers.iter().any(|(marker, _)| marker.place == Place::Table);
    if in_table || diagnosis.situation.era == Era::Json { Severity::Warning } else { Severity::Info }
}

/// The file that holds a marker of the job.
fn path_of(diagnosis: &Diagnosis, job: &JudgedJob) -> Option<String> {
    let situation = &diagnosis.situation;
    let [list, states, _] = situation.documents();
    let path = match job.markers.last()?.0.place {
        Place::List => list,
        Place::State => states,
        Place::Table => situation.state_database.clone()?,
    };
    Some(path.display().to_string())
}

fn named(job: &JudgedJob) -> String {
    match &job.job.name {
        Some(name) => format!("'{name}' ({})", job.job.id),
        None => job.job.id.clone(),
    }
}

/// The first of them, and one that counts the rest.
fn some(mut findings: Vec<Finding>) -> Vec<Finding> {
    if findings.len() > TOLD {
        let rest = findings.split_off(TOLD - 1);
        let first = rest[0].clone();
        let message = format!("{} more jobs; `sessions-doctor cron` lists them", rest.len());
        findings.push(Finding { message, ..first.times(rest.len() as u64) });
    }
    findings
}
