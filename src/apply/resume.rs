//! What the next start does with runs that were cut short: finishes them, or rolls them back.
//!
//! A run whose record says `intended` is finished if its first step was done, or if a later one left
//! something behind that only it can have made; else it is rolled back: its record is marked, durably, then
//! what it prepared is removed. A directory without a record, and temporary files of ours, are cleared away.
//! One run that cannot be settled does not keep the others from it.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::Limits;
use super::cancel::Cancel;
use super::changes;
use super::disk::{Disk, DiskError, DiskResult};
use super::error::ApplyError;
use super::flock::RecordsLock;
use super::liveness::Liveness;
use super::run_id::RunId;
use super::run_record::{RunState, Step, StepOp, Subject};
use super::runs::{self, Found, ORIGINAL, Run};
use super::steps::{self, Progress};
use super::store_lock::StoreLock;
use super::target::Target;

/// A temporary file whose run is not in our records may be of a process with other records (another state
/// directory) that is at work; one that nobody wrote to for this long is not.
const FOREIGN_AFTER: Duration = Duration::from_secs(60 * 60);

/// What is needed to take up what was left.
pub struct ResumeRequest<'a> {
    /// Stores whose directories are cleared of temporary files of ours, besides those in the records.
    pub stores: &'a [PathBuf],
    /// The real clock.
    pub now: SystemTime,
    /// Whether steps may still be done (the gateway is stopped); asked only where some are left to do.
    pub may_write: &'a mut dyn FnMut() -> Result<(), String>,
    /// Tells whether the owner of a lock lives.
    pub liveness: &'a dyn Liveness,
    /// How long things may take.
    pub limits: Limits,
    /// Looked at between runs.
    pub cancel: &'a Cancel,
}

/// One thing that was taken up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resumed {
    /// The run; `None` for a temporary file that belongs to none.
    pub run: Option<RunId>,
    /// What the run changes, where its record says it.
    pub subject: Option<Subject>,
    /// Its store, where that is known, or the temporary file.
    pub path: Option<PathBuf>,
    /// What became of it.
    pub what: Outcome,
}

/// What became of a run that was cut short.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is done now; with what could no longer be done of it.
    Finished(Vec<String>),
    /// Nothing of it was done, and nothing is left of it.
    RolledBack,
    /// It was cut short before it had a record; it is gone.
    Cleared,
    /// A temporary file was removed.
    TempRemoved,
    /// It stays as it is, and why.
    Left(String),
}

/// Takes up what earlier runs left in the records directory that `lock` stands for.
pub fn resume(
    disk: &dyn Disk,
    lock: &RecordsLock,
    mut request: ResumeRequest<'_>,
) -> Result<Vec<Resumed>, ApplyError> {
    let found = runs::list(lock.records_dir())?;
    let mut report = Vec::new();
    let mut dirs: Vec<PathBuf> = request.stores.iter().filter_map(|store| real_dir(store)).collect();
    let mut busy = Vec::new();
    for found in &found {
        request.cancel.check()?;
        let Found::Run(run) = found else { continue };
        dirs.extend(run.record.steps.iter().map(|step| runs::parent(&step.from).to_owned()));
        let what = match settle(disk, run, &mut request) {
            Ok(None) => continue,
            Ok(Some(what)) => what,
            Err(error) => Outcome::Left(error.to_string()),
        };
        if matches!(what, Outcome::Left(_)) {
            busy.push(run.id.clone());
        }
        let path = Some(run.record.store.clone());
        let subject = Some(run.record.subject);
        report.push(Resumed { run: Some(run.id.clone()), subject, path, what });
    }
    dirs.sort();
    dirs.dedup();
    let known: Vec<&RunId> = found.iter().map(Found::id).filter(|id| !busy.contains(*id)).collect();
    for dir in dirs.iter().filter(|dir| dir.is_dir()) {
        sweep(disk, dir, &known, &busy, request.now, &mut report);
    }
    clear_unfinished(disk, &found, &mut report);
    if let Err(error) = runs::delete_doomed(disk, lock.records_dir()) {
        report.push(Resumed {
            run: None,
            subject: None,
            path: Some(error.path.clone()),
            what: Outcome::Left(error.to_string()),
        });
    }
    Ok(report)
}

fn real_dir(store: &Path) -> Option<PathBuf> {
    Target::resolve(store).ok().map(|target| target.dir().to_owned())
}

/// `None` where nothing is to be done.
fn settle(
    disk: &dyn Disk,
    run: &Run,
    request: &mut ResumeRequest<'_>,
) -> Result<Option<Outcome>, ApplyError> {
    match run.record.state {
        RunState::Done => Ok(None),
        // Rolled back already, but perhaps not to the end.
        RunState::RolledBack => clear_away(disk, run).map(|()| None).map_err(ApplyError::from),
        RunState::Intended => {
            let seen: Vec<Progress> =
                run.record.steps.iter().map(steps::progress).collect::<DiskResult<_>>()?;
            if let Some(Progress::Unseen(why)) = seen.iter().find(|seen| matches!(seen, Progress::Unseen(_)))
            {
                return Ok(Some(Outcome::Left(why.clone())));
            }
            if begun(&run.record.steps, &seen) {
                finish(disk, run, &seen, request).map(Some)
            } else {
                roll_back(disk, run).map(|()| Some(Outcome::RolledBack)).map_err(ApplyError::from)
            }
        }
    }
}

/// Whether the run changed anything. A file that is missing is only proof of a removal where that was the
/// first step; a file that is there is proof wherever it comes.
fn begun(steps: &[Step], seen: &[Progress]) -> bool {
    let done = |at: usize, step: &Step| seen[at] == Progress::Done && (at == 0 || step.op != StepOp::Remove);
    let begun = |(at, step): (usize, &Step)| done(at, step) || steps::is_half_done(step, &seen[at]);
    steps.iter().enumerate().any(begun)
}

fn finish(
    disk: &dyn Disk,
    run: &Run,
    seen: &[Progress],
    request: &mut ResumeRequest<'_>,
) -> Result<Outcome, ApplyError> {
    let mut missed = Vec::new();
    if seen.contains(&Progress::Pending)
        && let Err(why) = (request.may_write)()
    {
        return Ok(Outcome::Left(why));
    }
    for (step, seen) in run.record.steps.iter().zip(seen) {
        match seen {
            Progress::Pending => catch_up(disk, run.record.subject, step, request)?,
            Progress::Impossible(why) => missed.push(why.clone()),
            // A rename that is seen is durable only once its directory is.
            Progress::Done | Progress::Unseen(_) => steps::settle(disk, step)?,
        }
    }
    let mut record = run.record.clone();
    record.state = RunState::Done;
    record.write(disk, &run.dir)?;
    Ok(Outcome::Finished(missed))
}

/// Does a step that was left; a file that OpenClaw writes under its lock, and only if it still is the same.
fn catch_up(
    disk: &dyn Disk,
    subject: Subject,
    step: &Step,
    request: &ResumeRequest<'_>,
) -> Result<(), ApplyError> {
    let (StepOp::Replace, Some(to)) = (step.op, &step.to) else {
        return steps::perform(disk, step, request.cancel);
    };
    let target = Target::of(subject, to)?;
    let wait = request.limits.lock_wait;
    let lock = StoreLock::acquire(disk, &target.locks, request.liveness, wait, request.cancel)?;
    if steps::progress(step)? != Progress::Pending {
        return Err(target.changed("it was written"));
    }
    steps::perform(disk, step, request.cancel)?;
    Ok(lock.release()?)
}

/// The mark first: once the temporary file is gone, an `intended` record would say that it was renamed.
fn roll_back(disk: &dyn Disk, run: &Run) -> DiskResult<()> {
    let mut record = run.record.clone();
    record.state = RunState::RolledBack;
    record.write(disk, &run.dir)?;
    clear_away(disk, run)
}

/// Removes what a run that was rolled back had prepared; its record stays, for the list of runs.
fn clear_away(disk: &dyn Disk, run: &Run) -> DiskResult<()> {
    let temps = run.record.steps.iter().filter(|step| step.op == StepOp::Replace).map(|step| &step.from);
    for temp in temps.filter(|temp| temp.file_name().is_some_and(|name| runs::temp_tag(name).is_some())) {
        runs::remove_if_there(disk, temp)?;
    }
    for name in ["run.json.tmp", changes::FILE, ORIGINAL] {
        runs::remove_if_there(disk, &run.dir.join(name))?;
    }
    Ok(())
}

/// Removes temporary files of ours from a directory, but not those of runs that stay as they are.
fn sweep(
    disk: &dyn Disk,
    dir: &Path,
    known: &[&RunId],
    busy: &[RunId],
    now: SystemTime,
    report: &mut Vec<Resumed>,
) {
    let names = runs::names(dir).unwrap_or_default();
    for name in names.iter().filter(|name| runs::temp_tag(name).is_some()) {
        let path = dir.join(name);
        let run = runs::temp_tag(name).and_then(RunId::parse);
        let known = run.as_ref().is_some_and(|run| known.contains(&run));
        let kept = run.as_ref().is_some_and(|run| busy.contains(run));
        if kept || !(known || is_old(&path, now)) {
            continue;
        }
        // Durably: its run may be forgotten right after.
        let what = match disk.remove_file(&path).and_then(|()| disk.sync_dir(dir)) {
            Ok(()) => Outcome::TempRemoved,
            Err(error) => Outcome::Left(error.to_string()),
        };
        report.push(Resumed { run, subject: None, path: Some(path), what });
    }
}

fn is_old(path: &Path, now: SystemTime) -> bool {
    let changed = fs::symlink_metadata(path).and_then(|meta| meta.modified());
    changed.is_ok_and(|changed| now.duration_since(changed).unwrap_or_default() > FOREIGN_AFTER)
}

/// Directories without a record, after the temporary files that belong to them: while such a directory is
/// there, its temporary file is known as ours.
fn clear_unfinished(disk: &dyn Disk, found: &[Found], report: &mut Vec<Resumed>) {
    for found in found {
        let (id, path, what) = match found {
            Found::Run(_) => continue,
            Found::Unreadable(id, path, why) => (id, path, Outcome::Left(why.clone())),
            Found::Unfinished(id, path) => match clear_one(disk, path) {
                Ok(()) => (id, path, Outcome::Cleared),
                Err(error) => (id, path, Outcome::Left(error.to_string())),
            },
        };
        report.push(Resumed { run: Some(id.clone()), subject: None, path: Some(path.clone()), what });
    }
}

/// Only files that a preparation makes: whatever else lies there was put there by somebody.
fn clear_one(disk: &dyn Disk, dir: &Path) -> DiskResult<()> {
    let ours = ["run.json.tmp", changes::FILE, ORIGINAL].map(OsString::from);
    match runs::names(dir)?.into_iter().find(|name| !ours.contains(name)) {
        Some(name) => {
            let cause = std::io::Error::other("not a file of ours, the directory is left alone");
            Err(DiskError::new("clear away", &dir.join(name), cause))
        }
        None => runs::discard(disk, dir, None),
    }
}
