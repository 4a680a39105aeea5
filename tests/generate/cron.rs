//! The cron half of a store: jobs, their bases, their run records and their run logs.
//!
//! The three patterns are those of a store of 6,539 entries that a user reported: a job in a rapid loop, a slow one whose runs say
//! `running`, and a slow one whose runs say nothing. The deleted job has some of both slow kinds.

use super::entry::{Answer, Entry};
use super::json::{Json, object};
use super::rng::Rng;
use super::{DAY, HOUR, MINUTE, World};

/// The jobs, by number: rapid, slow-running, slow-none, deleted.
pub const JOBS: usize = 4;
/// The rapid loop.
pub const RAPID: usize = 0;
/// Slow, its records say `running` or `failed`.
pub const RUNNING: usize = 1;
/// Slow, its records carry no status.
pub const SILENT: usize = 2;
/// In no list any more.
pub const DELETED: usize = 3;

const NAMES: [&str; JOBS] = ["inbox watch", "price check", "news digest", "old import"];
const GROUPS: [&str; JOBS] = ["rapid", "slow-running", "slow-none", "deleted-job"];
const BASE_GROUPS: [&str; JOBS] = ["rapid-base", "slow-running-base", "slow-none-base", "deleted-job-base"];

/// The key that the slow-none job names as its `sessionKey`, below `agent:<id>:`.
pub const JOB_TARGET: &str = "daily-digest";

/// A job's id.
pub fn job_id(world: &World, job: usize) -> String {
    Rng::new(world.seed, "job", job as u64).uuid()
}

/// A job's base key.
pub fn base_key(world: &World, job: usize) -> String {
    format!("agent:{}:cron:{}", world.agent, world.jobs[job])
}

/// When the runs of a job took place: the first and the last.
fn window(world: &World, job: usize) -> (i64, i64) {
    let now = world.now;
    if world.quiet {
        return (now - 20 * HOUR, now - 3 * HOUR - job as i64 * MINUTE);
    }
    match job {
        RAPID => (now - 3 * HOUR, now - 3 * HOUR + 25 * MINUTE),
        RUNNING => (now - 49 * HOUR, now - HOUR - 10 * MINUTE),
        SILENT => (now - 6 * DAY, now - 40 * MINUTE),
        _ => (now - 9 * DAY, now - 2 * DAY),
    }
}

/// `updatedAt` of a job's `index`-th record of `total`; never within two minutes of 24 hours ago, so that its age has one answer.
fn updated_at(world: &World, job: usize, index: u64, total: u64) -> i64 {
    let (first, last) = window(world, job);
    let at = first + ((last - first) as i128 * i128::from(index) / i128::from(total.max(2) - 1)) as i64;
    let edge = world.now - 24 * HOUR;
    if (at - edge).abs() < 2 * MINUTE { edge - 3 * MINUTE } else { at }
}

/// Whether the `index`-th of `total` is one of `marked`, which are spread evenly.
fn is_marked(index: u64, total: u64, marked: u64) -> bool {
    let before =
        |index: u64| (u128::from(index) * u128::from(marked) + u128::from(total / 2)) / u128::from(total);
    before(index + 1) > before(index)
}

fn session_id(world: &World, job: usize, index: u64) -> String {
    Rng::new(world.seed, GROUPS[job], index).uuid()
}

/// The `index`-th run record of a job with `total` records, of which `marked` are of the rarer kind: without a status (rapid),
/// `failed` (slow-running) or `running` (deleted).
pub fn record(world: &World, job: usize, index: u64, total: u64, marked: u64) -> Entry {
    let mut rng = Rng::new(world.seed, "record", index * JOBS as u64 + job as u64);
    let id = session_id(world, job, index);
    let key = format!("{}:run:{id}", base_key(world, job));
    let at = updated_at(world, job, index, total);
    let mut entry = Entry::new(GROUPS[job], "run-record", key.clone(), id.clone(), at);
    entry.label = Some(format!("Cron: {}", NAMES[job]));
    entry.traces.transcript = index.is_multiple_of(50);

    let marked = is_marked(index, total, marked);
    entry.status = match job {
        _ if world.quiet => None,
        RAPID => (!marked).then_some("running"),
        RUNNING => Some(if marked { "failed" } else { "running" }),
        DELETED => marked.then_some("running"),
        _ => None,
    };
    if entry.status.is_some() {
        entry.started_at = Some(at - rng.between(200, 2_000));
    }
    if entry.status == Some("failed") {
        entry.ended_at = Some(at - rng.between(1, 100));
    }

    // A line for a third of the runs; one line in five names no session, and so proves nothing of a single record. The newest run
    // has none: it is the one that the base may still hold as running.
    let logged = index % 3 == 1 && index + 1 < total;
    let named = logged && index / 3 % 5 != 4;
    if logged {
        let line = run_line(world, job, at, &mut rng, named.then_some((&id, &key)), None);
        entry.traces.line = Some((job, line));
    }

    let past_retention = world.now - at > DAY;
    entry.answer = if entry.status == Some("running") {
        Answer::remove(if named { "zombie-finished" } else { "zombie-dead-owner" })
    } else if job == DELETED {
        Answer::remove("orphan-job")
    } else if past_retention {
        Answer::remove("stale-run")
    } else {
        Answer::live(None)
    };
    // A record that holds an undelivered reply stays, however old.
    if job == SILENT && index == 7 && past_retention {
        entry
            .back
            .push(("pendingFinalDeliveryText".into(), "The digest of last week, not yet delivered.".into()));
        entry.answer = Answer::saved("stale-run", "protected-pending");
    }
    entry
}

/// A job's base. `total` is the number of its records; `transcripts` whether its transcript is written.
///
/// Rapid: `running` with the newest record's session, of which no line tells: failed, ended at the last sign of life. Slow-running:
/// `running` with a session of its own, finished well: done, ended with the line. Slow-none: the newest record's session, no status.
/// Deleted: no status, its job in no list.
pub fn base(world: &World, job: usize, total: u64, transcripts: bool) -> Entry {
    let mut rng = Rng::new(world.seed, "base", job as u64);
    let newest = total.saturating_sub(1);
    let newest_at = updated_at(world, job, newest, total);
    let shared = total > 0 && (matches!(job, RAPID | SILENT) || world.quiet);
    let id = if shared { session_id(world, job, newest) } else { rng.uuid() };
    let key = base_key(world, job);
    let mut entry = Entry::new(BASE_GROUPS[job], "cron-base", key.clone(), id.clone(), newest_at + 40);
    entry.label = Some(format!("Cron: {}", NAMES[job]));
    entry.traces.transcript = true;
    entry.answer = Answer::live(Some("protected-base-cron"));
    match job {
        _ if world.quiet => {}
        RAPID => {
            entry.status = Some("running");
            entry.started_at = Some(newest_at + 25);
            entry.traces.lock = true;
            let mut end = entry.updated_at;
            if transcripts {
                end += 1_500;
                entry.traces.transcript_end = Some(end);
            }
            entry.answer = Answer::heal("zombie-dead-owner", "failed", end);
        }
        RUNNING => {
            entry.status = Some("running");
            entry.started_at = Some(newest_at + 60_000);
            entry.updated_at = newest_at + 60_005;
            let end = newest_at + 90_000;
            let run_key = format!("{key}:run:{id}");
            let line = run_line(world, job, end, &mut rng, Some((&id, &run_key)), Some(end));
            entry.traces.line = Some((job, line));
            entry.answer = Answer::heal("zombie-finished", "done", end);
        }
        DELETED => entry.answer = Answer::remove("orphan-job"),
        _ => {}
    }
    entry
}

/// A line of a run log. Without a session it is a run that timed out, as OpenClaw logs those; with `exactly` a run that went well and
/// ended then.
fn run_line(
    world: &World,
    job: usize,
    at: i64,
    rng: &mut Rng,
    session: Option<(&str, &str)>,
    exactly: Option<i64>,
) -> String {
    let end = exactly.unwrap_or_else(|| at + rng.between(20, 400));
    let mut line = vec![
        ("ts".to_owned(), Json::Int(end)),
        ("jobId".to_owned(), world.jobs[job].as_str().into()),
        ("action".to_owned(), "finished".into()),
    ];
    let mut add = |name: &str, value: Json| line.push((name.to_owned(), value));
    match (session, exactly.map_or_else(|| rng.below(20), |_| 0)) {
        (None, _) => {
            add("status", "error".into());
            add("error", "cron: job execution timed out".into());
        }
        (Some(_), 0..=15) => {
            add("status", "ok".into());
            add("summary", "Nothing new.".into());
            add("delivered", false.into());
        }
        (Some(_), 16..=18) => {
            add("status", "error".into());
            add("error", "FailoverError: 529 overloaded".into());
        }
        (Some(_), _) => add("status", "skipped".into()),
    }
    add("deliveryStatus", "not-requested".into());
    if let Some((id, key)) = session {
        add("sessionId", id.into());
        add("sessionKey", key.into());
    }
    add("runAtMs", (at - 2_500).into());
    add("durationMs", (end - at + 2_500).into());
    add("nextRunAtMs", (end + MINUTE).into());
    super::json::Style { indent: 0 }.document(&Json::Object(line))
}

/// `cron/jobs.json` with the jobs `known`.
pub fn jobs_file(world: &World, known: &[usize], totals: [u64; JOBS], job_target: bool) -> Json {
    let jobs = known.iter().map(|&job| {
        let (first, last) = window(world, job);
        let created = first - DAY;
        let mut members = vec![("id".to_owned(), Json::from(world.jobs[job].as_str()))];
        let mut add = |name: &str, value: Json| members.push((name.to_owned(), value));
        if job == SILENT && job_target {
            add("sessionKey", format!("agent:{}:{JOB_TARGET}", world.agent).into());
        }
        add("name", NAMES[job].into());
        add("enabled", true.into());
        add("createdAtMs", created.into());
        add("updatedAtMs", last.into());
        let every = ((last - first) / totals[job].max(1) as i64).max(700);
        add(
            "schedule",
            object([("kind", "every".into()), ("everyMs", every.into()), ("anchorMs", created.into())]),
        );
        add("sessionTarget", "isolated".into());
        add("wakeMode", "now".into());
        let message = format!("Do the {}", NAMES[job]);
        add("payload", object([("kind", "agentTurn".into()), ("message", message.into())]));
        add("delivery", object([("mode", "none".into()), ("channel", "last".into())]));
        let mut state = vec![
            ("nextRunAtMs".to_owned(), Json::Int(last + every)),
            ("lastRunAtMs".to_owned(), Json::Int(last - 2_500)),
            ("lastRunStatus".to_owned(), "ok".into()),
            ("lastStatus".to_owned(), "ok".into()),
            ("lastDurationMs".to_owned(), Json::Int(2_500)),
            ("consecutiveErrors".to_owned(), Json::Int(0)),
        ];
        // The run that died left its marker.
        if job == RAPID && !world.quiet {
            state.push(("runningAtMs".to_owned(), Json::Int(last)));
        }
        add("state", Json::Object(state));
        Json::Object(members)
    });
    object([("version", 1.into()), ("jobs", Json::List(jobs.collect()))])
}
