//! Cron jobs, judged: whose marker is stuck, and who runs away.

use std::io;

use super::{Condition, Diagnosed, Diagnosis, settle};
use crate::model::Millis;
use crate::model::cron::{CronJob, Marker, Pace, Schedule, remember};
use crate::model::entry::{Flags, TextHash, hash_folded};
use crate::model::evidence::{Evidence, Life, Lock};
use crate::model::key::Shape;
use crate::model::runs::FinishedLine;
use crate::model::texts::TextMap;
use crate::openclaw::grammar::normalize_agent_id;
use crate::openclaw::schedule::shortest_interval_ms;
use crate::rules::cron::runaway_job::{self, Runaway};
use crate::rules::cron::stuck_marker::{self, Judgement, MarkerCase};

/// What was read of jobs, for whoever looks at them.
#[derive(Clone, Debug, Default)]
pub struct Jobs {
    /// All jobs of all lists.
    pub list: Vec<CronJob>,
    /// How fast they ran, by the hash of the id in lower case.
    pub paces: TextMap<Pace>,
    /// Whether a run log could not be read.
    pub logs_unread: bool,
    /// When this host booted, where verdicts may rest on it.
    pub booted: Option<Millis>,
    /// The version of OpenClaw, where it is known, and by whom that is told, as people read it.
    pub version: Option<(String, &'static str)>,
}

/// One job, judged.
#[derive(Clone, Debug)]
pub struct JudgedJob {
    /// The job.
    pub job: CronJob,
    /// How fast it ran, by its log.
    pub pace: Pace,
    /// Its markers, and what is held of each.
    pub markers: Vec<(Marker, Judgement)>,
    /// Median time between its latest runs, where there are enough.
    pub measured: Option<Millis>,
    /// How it runs away.
    pub runaway: Option<Runaway>,
    /// Whether it is acted on.
    pub in_scope: bool,
}

/// What the entries of all stores tell of a job.
#[derive(Default)]
struct Traces {
    /// When its latest run records were written.
    times: Vec<Millis>,
    /// Its newest run record, and every base: store, and number in it.
    living: Vec<(usize, usize)>,
    newest: Option<(Millis, usize, usize)>,
}

/// Judges all jobs. What is asked of a store costs one pass over its entries, and a transcript for each marker.
pub fn judge(diagnosis: &mut Diagnosis, agents: &[String]) -> Vec<JudgedJob> {
    let agents: Vec<String> = agents.iter().map(|id| normalize_agent_id(id)).collect();
    let list = std::mem::take(&mut diagnosis.cron.list);
    let mut traces: TextMap<Traces> =
        list.iter().map(|job| (hash_folded(&job.id), Traces::default())).collect();
    for (number, store) in diagnosis.stores.iter().enumerate() {
        gather(&mut traces, number, store, diagnosis.evidence.now);
    }
    let mut judged = Vec::with_capacity(list.len());
    for job in &list {
        let id = hash_folded(&job.id);
        let traces = traces.get(&id).unwrap_or(&EMPTY);
        let pace = diagnosis.cron.paces.get(&id).cloned().unwrap_or_default();
        let agent = job.agent.as_deref().unwrap_or(diagnosis.situation.config.default_agent());
        let in_scope = agents.is_empty() || agents.contains(&normalize_agent_id(agent));
        let markers = markers(diagnosis, job, id, traces);
        let by_entries = runaway_job::measured(&pace.starts).is_none();
        let starts = if by_entries { &traces.times } else { &pace.starts };
        let (measured, runaway) = (runaway_job::measured(starts), runaway(job, starts, &pace));
        judged.push(JudgedJob { job: job.clone(), markers, measured, runaway, in_scope, pace });
    }
    diagnosis.cron.list = list;
    judged
}

static EMPTY: Traces = Traces { times: Vec::new(), living: Vec::new(), newest: None };

fn gather(traces: &mut TextMap<Traces>, number: usize, store: &Diagnosed, now: Millis) {
    let Some(judged) = store.judged() else { return };
    for (at, entry) in judged.reading.scan.entries.iter().enumerate() {
        if entry.is(Flags::OVERRIDDEN) || !entry.family().is_cron() {
            continue;
        }
        let Some(job) = traces.get_mut(&entry.job) else { continue };
        match (entry.shape, entry.updated_at.millis()) {
            (Shape::RunRecord, Some(time)) => {
                if time <= now {
                    remember(&mut job.times, time);
                }
                job.newest = job.newest.max(Some((time, number, at)));
            }
            (Shape::RunRecord, None) => {}
            _ => job.living.push((number, at)),
        }
    }
}

fn markers(
    diagnosis: &mut Diagnosis,
    job: &CronJob,
    id: TextHash,
    traces: &Traces,
) -> Vec<(Marker, Judgement)> {
    if job.markers.is_empty() {
        return Vec::new();
    }
    let newest = traces.newest.iter().map(|&(_, store, at)| (store, at));
    let (mut last_sign, mut held) = (None, false);
    for (store, at) in traces.living.iter().copied().chain(newest) {
        // What cannot be read may be what a run is writing to just now.
        let unread = (Some(diagnosis.evidence.now), Lock::MayLive);
        let (sign, lock) = signs(diagnosis, store, at).unwrap_or(unread);
        (last_sign, held) = (last_sign.max(sign), held || lock == Lock::MayLive);
    }
    let Diagnosis { evidence, cron, .. } = &*diagnosis;
    let case = |marker: &Marker| MarkerCase {
        marker: marker.at,
        now: evidence.now,
        gateway: evidence.gateway,
        booted: cron.booted,
        finished: marker.at.and_then(|at| finished(evidence, id, at)),
        last_sign,
        held,
        trusted: evidence.jobs.markers_complete,
        unread: evidence.kin.unread || cron.logs_unread,
        timeout: job.timeout,
    };
    job.markers.iter().map(|marker| (*marker, stuck_marker::judge(&case(marker)))).collect()
}

/// A finished line of a run that began at `marker` or later.
fn finished(evidence: &Evidence, job: TextHash, marker: Millis) -> Option<FinishedLine> {
    let before = marker.checked_sub(1)?;
    let named = evidence.runs.next_named(job, 0, before);
    named.or_else(|| evidence.runs.next_unnamed(job, before))
}

/// The last sign of life of an entry and its transcript, and the transcript's lock. A gateway that is stopped runs
/// nothing, so its transcripts need not be opened.
fn signs(diagnosis: &mut Diagnosis, store: usize, at: usize) -> io::Result<(Option<Millis>, Lock)> {
    let (now, gateway) = (diagnosis.evidence.now, diagnosis.evidence.gateway);
    let Condition::Whole(judged) = &mut diagnosis.stores[store].condition else {
        return Ok((None, Lock::None));
    };
    let entry = judged.reading.scan.entries[at];
    let own = entry.updated_at.millis().max(entry.started_at.millis());
    let line = if gateway == Life::Stopped { None } else { settle::last_line(judged, at, now)? };
    Ok((own.max(line), judged.sessions.lock(entry.session, entry.file)))
}

fn runaway(job: &CronJob, starts: &[Millis], pace: &Pace) -> Option<Runaway> {
    if !job.enabled {
        return None;
    }
    let measured = runaway_job::measured(starts);
    let expected = measured.and_then(|measured| match &job.schedule {
        Schedule::Every(ms) => Some(*ms),
        Schedule::Cron(expr) => shortest_interval_ms(expr, runaway_job::least_expected(measured)),
        Schedule::At(_) | Schedule::Unknown => None,
    });
    let fast = expected.and_then(|expected| runaway_job::is_fast(starts, expected));
    fast.or_else(|| runaway_job::is_overlapping(pace.overlaps, pace.lines))
}
