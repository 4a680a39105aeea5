//! Runs that move, link or remove files, such as the leftovers that `sweep` puts aside.
//!
//! The same record and the same order as for a store: `intended` and durable, then the steps, then `done`. A
//! step that fails does not keep the others from being done; a run that is cut short is finished by
//! [`resume`](super::resume()).

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::cancel::Cancel;
use super::changes::ChangeLog;
use super::disk::Disk;
use super::error::ApplyError;
use super::flock::RecordsLock;
use super::replace::millis;
use super::run_id::RunId;
use super::run_record::{self, RunRecord, RunState, RunSummary, Step, Subject, Tool};
use super::runs;
use super::steps::{self, Progress};

/// Some files to move, link or remove.
pub struct BatchRequest<'a> {
    /// The store, or the directory, that the run is about.
    pub store: &'a Path,
    /// The verb, for the record.
    pub command: &'a str,
    /// The real clock at the start of the run.
    pub started: SystemTime,
    /// For the record.
    pub summary: RunSummary,
    /// The steps, given the directory of the run; paths are absolute, and nothing may lie at a `to`.
    pub steps: &'a mut dyn FnMut(&Path) -> Vec<Step>,
    /// Streams what is changed into the record.
    pub changes: &'a mut dyn FnMut(&mut ChangeLog) -> Result<(), ApplyError>,
    /// Asked right before the first step.
    pub still_allowed: &'a mut dyn FnMut() -> Result<(), String>,
    /// Looked at up to the first step, and while a file is copied.
    pub cancel: &'a Cancel,
}

/// What became of a batch.
#[must_use = "it may tell of problems"]
#[derive(Clone, Debug)]
pub struct BatchReceipt {
    /// The run that did it.
    pub run: RunId,
    /// Its directory.
    pub run_dir: PathBuf,
    /// How many steps are done.
    pub done: usize,
    /// What could not be done, and why.
    pub problems: Vec<String>,
}

/// Does the steps, all of them as far as possible; an error means that none was begun.
pub fn carry_out(
    disk: &dyn Disk,
    lock: &RecordsLock,
    mut request: BatchRequest<'_>,
) -> Result<BatchReceipt, ApplyError> {
    request.cancel.check()?;
    let (run, run_dir) = runs::create_run(disk, lock.records_dir(), request.started)?;
    let record = match prepare(disk, &run_dir, &mut request) {
        Ok(record) => record,
        Err(error) => {
            if let Err(error) = runs::discard(disk, &run_dir, None) {
                log::warn!("left for the next start: {error}");
            }
            return Err(error);
        }
    };
    let mut receipt = BatchReceipt { run, run_dir, done: 0, problems: Vec::new() };
    for step in &record.steps {
        match one(disk, step, request.cancel) {
            Ok(()) => receipt.done += 1,
            Err(why) => receipt.problems.push(why),
        }
    }
    let record = RunRecord { state: RunState::Done, ..record };
    if let Err(error) = record.write(disk, &receipt.run_dir) {
        receipt.problems.push(format!("{error}; the next start looks after it"));
    }
    Ok(receipt)
}

fn prepare(disk: &dyn Disk, dir: &Path, request: &mut BatchRequest<'_>) -> Result<RunRecord, ApplyError> {
    let mut log = ChangeLog::create(disk, dir)?;
    (request.changes)(&mut log)?;
    log.finish()?;
    let record = RunRecord {
        version: run_record::VERSION,
        tool: Tool::this(),
        command: request.command.to_owned(),
        state: RunState::Intended,
        started_at: millis(request.started),
        subject: Subject::Files,
        store: request.store.to_owned(),
        root: super::territory::of_run(dir),
        summary: request.summary.clone(),
        steps: (request.steps)(dir),
        backup: None,
        rest: serde_json::Map::new(),
    };
    record.write(disk, dir)?;
    (request.still_allowed)().map_err(ApplyError::NotAllowed)?;
    request.cancel.check()?;
    Ok(record)
}

/// The error as text: it belongs to one step and does not end the run.
fn one(disk: &dyn Disk, step: &Step, cancel: &Cancel) -> Result<(), String> {
    match steps::progress(step).map_err(|error| error.to_string())? {
        Progress::Pending => steps::perform(disk, step, cancel).map_err(|error| error.to_string()),
        Progress::Done => Ok(()),
        Progress::Impossible(why) | Progress::Unseen(why) => Err(why),
    }
}
