//! Runs that move, link or remove files, such as the leftovers that `sweep` puts aside.
//!
//! The same record and the same order as for a store: `intended` and durable, then the steps, then `done`. A
//! step that fails does not keep the others from being done; a run that is cut short is finished by
//! [`resume`](super::resume()).

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::cancel::Cancel;
use super::changes::ChangeLog;
use super::disk::Disk;
use super::error::ApplyError;
use super::flock::RecordsLock;
use super::replace::millis;
use super::run_id::RunId;
use super::run_record::{self, RunRecord, RunState, RunSummary, Step, StepOp, Subject, Tool};
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
    pub still_allowed: &'a mut dyn FnMut() -> Result<(), ApplyError>,
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
    let mut work = Work { disk, cancel: request.cancel, receipt: &mut receipt };
    work.all(&record.steps);
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
    (request.still_allowed)()?;
    request.cancel.check()?;
    Ok(record)
}

/// The steps at work. What fails belongs to one step and does not end the run.
struct Work<'a> {
    disk: &'a dyn Disk,
    cancel: &'a Cancel,
    receipt: &'a mut BatchReceipt,
}

impl Work<'_> {
    /// Every new name is durable before the first old one goes. Directories are synced once each, not once a file.
    fn all(&mut self, steps: &[Step]) {
        let mut moved = Vec::new();
        for step in steps {
            match self.begin(step) {
                Ok(true) => moved.push(step),
                Ok(false) => self.receipt.done += 1,
                Err(why) => self.receipt.problems.push(why),
            }
        }
        if let Err(why) = self.sync(moved.iter().filter_map(|step| step.to.as_deref())) {
            return self.receipt.problems.push(why);
        }
        for step in moved {
            match self.disk.remove_file(&step.from) {
                Ok(()) => self.receipt.done += 1,
                Err(error) => self.receipt.problems.push(error.to_string()),
            }
        }
        let dirs = steps.iter().flat_map(|step| [Some(&*step.from), step.to.as_deref()]).flatten();
        let synced = self.sync(dirs);
        self.receipt.problems.extend(synced.err());
    }

    /// Does a step, or the first half of a move: `true` where the old name is still to go.
    fn begin(&self, step: &Step) -> Result<bool, String> {
        let told = |error: ApplyError| error.to_string();
        match (steps::progress(step).map_err(|error| error.to_string())?, step.op, &step.to) {
            (Progress::Pending, StepOp::Rename, Some(to)) => {
                steps::name_anew(self.disk, &step.from, to, self.cancel).map_err(told)
            }
            (Progress::Pending, StepOp::Remove, _) => {
                self.disk.remove_file(&step.from).map(|()| false).map_err(|error| error.to_string())
            }
            (Progress::Pending, ..) => {
                steps::perform(self.disk, step, self.cancel).map(|()| false).map_err(told)
            }
            (Progress::Done, ..) => Ok(false),
            (Progress::Impossible(why) | Progress::Unseen(why), ..) => Err(why),
        }
    }

    fn sync<'p>(&self, paths: impl Iterator<Item = &'p Path>) -> Result<(), String> {
        let dirs: BTreeSet<&Path> = paths.map(runs::parent).collect();
        dirs.into_iter().try_for_each(|dir| self.disk.sync_dir(dir)).map_err(|error| error.to_string())
    }
}
