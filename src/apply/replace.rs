//! Puts a new store in the place of the old one. Old or new, never neither.
//!
//! In this order, and why:
//!
//! 1. the directory of the run, durable, so that whatever is left over has a name that is known;
//! 2. `changes.ndjson`, then the temporary file beside the store, its bytes durable and checked by the
//!    caller's rescan, its *name* durable too: a temporary file that is gone after a crash was renamed;
//! 3. the original as hard link, reflink or copy, and `run.json` with the state `intended`;
//! 4. OpenClaw's lock; under it the last looks (gateway, lock, time, identity of the store);
//! 5. the rename, its directory synced, the lock given back, `run.json` with the state `done`.
//!
//! Up to the rename every failure takes everything back, the record first. From the rename on the store is
//! the new one, and what still fails is a `problem` of the [`Receipt`].

use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::backup::{self, Original};
use super::cancel::Cancel;
use super::changes::ChangeLog;
use super::disk::{Disk, DiskError, DiskResult};
use super::error::ApplyError;
use super::fingerprint::Fingerprint;
use super::flock::RecordsLock;
use super::identity::Identity;
use super::liveness::Liveness;
use super::run_id::RunId;
use super::run_record::{
    self, Backup, BackupHow, RunRecord, RunState, RunSummary, Step, StepOp, Subject, Tool,
};
use super::runs::{self, ORIGINAL};
use super::store_lock::StoreLock;
use super::target::Target;
use super::territory;
use super::write::{WriteError, fingerprint_of, write_pieces};
use super::{Limits, attributes};
use crate::model::Millis;
use crate::model::plan::PieceTable;

/// A new store, and what was known of the old one when it was planned.
pub struct ReplaceRequest<'a> {
    /// The store as OpenClaw names it; a link is resolved here.
    pub store: &'a Path,
    /// A store, or a document, for which no lock of OpenClaw's is taken or made.
    pub subject: Subject,
    /// What was scanned, from the open file; `None` where there was no store, and then none may appear.
    pub expected: Option<Identity>,
    /// Of the old bytes, where somebody passed over them already; computed here where not.
    pub before: Option<Fingerprint>,
    /// The verb, for the record.
    pub command: &'a str,
    /// The real clock at the start of the run.
    pub started: SystemTime,
    /// For the record; the two sizes are filled in here.
    pub summary: RunSummary,
    /// The files that `pieces` index; the first is the store as it was scanned, unless there was none.
    pub sources: &'a [File],
    /// The new store.
    pub pieces: &'a PieceTable,
    /// Streams what is changed into the record.
    pub changes: &'a mut dyn FnMut(&mut ChangeLog) -> Result<(), ApplyError>,
    /// Scans the temporary file and compares it with the plan.
    pub verify: &'a mut dyn FnMut(&Path) -> Result<(), String>,
    /// Whether the gateway still is stopped; asked under the lock, right before the rename.
    pub still_allowed: &'a mut dyn FnMut() -> Result<(), ApplyError>,
    /// Tells whether the owner of a lock lives.
    pub liveness: &'a dyn Liveness,
    /// How long things may take.
    pub limits: Limits,
    /// Looked at up to the rename.
    pub cancel: &'a Cancel,
}

/// The store is the new one.
#[must_use = "it may tell of problems"]
#[derive(Clone, Debug)]
pub struct Receipt {
    /// The run that did it.
    pub run: RunId,
    /// Its directory.
    pub run_dir: PathBuf,
    /// The file that was replaced, links resolved.
    pub store: PathBuf,
    /// What it held; `None` where there was none.
    pub before: Option<Fingerprint>,
    /// What it holds.
    pub after: Fingerprint,
    /// Where the original is, and how it was kept.
    pub backup: Option<(PathBuf, BackupHow)>,
    /// What a user should hear of, such as a lock taken over from a dead process.
    pub notes: Vec<String>,
    /// What failed after the store had been replaced; exit code 6 where there is any.
    pub problems: Vec<String>,
}

/// Replaces the store, or leaves it alone and says why.
pub fn apply(
    disk: &dyn Disk,
    lock: &RecordsLock,
    mut request: ReplaceRequest<'_>,
) -> Result<Receipt, ApplyError> {
    request.cancel.check()?;
    let target = Target::of(request.subject, request.store)?;
    target.check(request.expected)?;
    check_space(disk, lock, &target, &request)?;
    let before = fingerprint_before(&target, &mut request)?;
    let (id, dir) = runs::create_run(disk, lock.records_dir(), request.started)?;
    let temp = target.dir().join(runs::temp_name(&id));
    let attempt = Attempt { disk, target, id, dir, temp, before };
    let applied = attempt.prepare(&mut request).and_then(|prepared| attempt.commit(prepared, &mut request));
    if !matches!(applied, Ok(_) | Err(ApplyError::Uncertain { .. })) {
        attempt.take_back();
    }
    applied
}

/// Room for the new file, and for a copy of the old one where a link cannot be.
fn check_space(
    disk: &dyn Disk,
    lock: &RecordsLock,
    target: &Target,
    request: &ReplaceRequest<'_>,
) -> Result<(), ApplyError> {
    backup::check_space(disk, target.dir(), request.pieces.len())?;
    let records = lock.records_dir();
    let device = records.metadata().map_err(|cause| DiskError::new("look at", records, cause))?.dev();
    match request.expected {
        Some(store) if store.dev != device => backup::check_space(disk, records, store.size),
        _ => Ok(()),
    }
}

fn fingerprint_before(
    target: &Target,
    request: &mut ReplaceRequest<'_>,
) -> Result<Option<Fingerprint>, ApplyError> {
    let Some(expected) = request.expected else {
        return Ok(None);
    };
    let file = scanned(request.sources)?;
    let print = match request.before.take() {
        Some(known) => known,
        None => fingerprint_of(file, request.cancel)?,
    };
    if print.size != expected.size {
        return Err(target.changed("its size is another"));
    }
    Ok(Some(print))
}

fn scanned(sources: &[File]) -> Result<&File, ApplyError> {
    sources.first().ok_or_else(|| ApplyError::Refused("the plan was made without the store".to_owned()))
}

/// One try, from the directory of the run on.
struct Attempt<'a> {
    disk: &'a dyn Disk,
    target: Target,
    id: RunId,
    dir: PathBuf,
    temp: PathBuf,
    before: Option<Fingerprint>,
}

/// All is durable, nothing is changed.
struct Prepared {
    record: RunRecord,
    temp: Identity,
    after: Fingerprint,
    /// What the store must still be: after a hard link, with another ctime.
    expected: Option<Identity>,
}

impl Attempt<'_> {
    fn prepare(&self, request: &mut ReplaceRequest<'_>) -> Result<Prepared, ApplyError> {
        let mut log = ChangeLog::create(self.disk, &self.dir)?;
        (request.changes)(&mut log)?;
        log.finish()?;
        let (temp, after) = self.write_temp(request)?;
        if self.before.as_ref() == Some(&after) {
            let why = format!("nothing would change in {}", self.target.named.display());
            return Err(ApplyError::Refused(why));
        }
        (request.verify)(&self.temp)
            .map_err(|why| ApplyError::Unverified { path: self.temp.clone(), why })?;
        self.disk.sync_dir(self.target.dir())?;
        let kept = self.keep_original(request)?;
        let record = self.record(request, kept.map(|(how, _)| how), &after);
        record.write(self.disk, &self.dir)?;
        Ok(Prepared { record, temp, after, expected: kept.map(|(_, identity)| identity) })
    }

    fn write_temp(&self, request: &ReplaceRequest<'_>) -> Result<(Identity, Fingerprint), ApplyError> {
        let mut file = runs::create_private(self.disk, &self.temp)?;
        let written = write_pieces(file.as_mut(), request.sources, request.pieces, request.cancel);
        let after = written.map_err(|error| match error {
            WriteError::Short(0) if self.before.is_some() => self.target.changed("it was cut"),
            other => other.into_io(request.sources),
        })?;
        if after.size != request.pieces.len() {
            let why = format!("{} bytes were written, and {} were planned", after.size, request.pieces.len());
            return Err(ApplyError::Unverified { path: self.temp.clone(), why });
        }
        if self.before.is_some() {
            attributes::keep(scanned(request.sources)?, file.as_mut(), &self.temp)?;
        }
        file.sync()?;
        Ok((file.identity()?, after))
    }

    fn keep_original(
        &self,
        request: &ReplaceRequest<'_>,
    ) -> Result<Option<(BackupHow, Identity)>, ApplyError> {
        let (Some(identity), Some(fingerprint)) = (request.expected, &self.before) else {
            return Ok(None);
        };
        let file = scanned(request.sources)?;
        let original = Original { target: &self.target, file, identity, fingerprint };
        backup::keep(self.disk, &original, &self.dir, request.cancel).map(Some)
    }

    fn record(&self, request: &ReplaceRequest<'_>, how: Option<BackupHow>, after: &Fingerprint) -> RunRecord {
        let bytes_before = self.before.as_ref().map_or(0, |print| print.size);
        RunRecord {
            version: run_record::VERSION,
            tool: Tool::this(),
            command: request.command.to_owned(),
            state: RunState::Intended,
            started_at: millis(request.started),
            subject: request.subject,
            store: self.target.real.clone(),
            root: territory::of_run(&self.dir),
            summary: RunSummary { bytes_before, bytes_after: after.size, ..request.summary.clone() },
            steps: vec![Step {
                op: StepOp::Replace,
                from: self.temp.clone(),
                to: Some(self.target.real.clone()),
                before: self.before.clone(),
                after: Some(after.clone()),
            }],
            backup: how.map(|how| Backup { path: ORIGINAL.into(), how }),
            rest: serde_json::Map::new(),
        }
    }

    /// From the lock to the receipt.
    fn commit(&self, prepared: Prepared, request: &mut ReplaceRequest<'_>) -> Result<Receipt, ApplyError> {
        let Limits { lock_wait, lock_hold, .. } = request.limits;
        let (locks, cancel) = (&self.target.locks, request.cancel);
        let mut lock = StoreLock::acquire(self.disk, locks, request.liveness, lock_wait, cancel)?;
        (request.still_allowed)()?;
        cancel.check()?;
        if !lock.still_ours() {
            return Err(ApplyError::LockTrouble("the lock was taken from us".to_owned()));
        }
        if lock.held_for() >= lock_hold {
            return Err(ApplyError::LockTrouble(format!("the lock was held for {lock_hold:?}")));
        }
        self.target.check(prepared.expected)?;
        let mut problems = self.rename(&prepared)?;
        let notes = std::mem::take(&mut lock.reclaimed);
        problem(&mut problems, self.disk.sync_dir(self.target.dir()));
        let durable = problems.is_empty();
        problem(&mut problems, lock.release());
        // A record that stays `intended` is looked at again, so it is marked only once the rename is durable.
        if durable {
            problem(&mut problems, self.mark_done(&prepared));
        }
        Ok(self.receipt(prepared, notes, problems))
    }

    /// The one step that changes the store. A rename that failed and yet happened (network file systems do
    /// that) counts as done, with a problem.
    fn rename(&self, prepared: &Prepared) -> Result<Vec<String>, ApplyError> {
        let real = &self.target.real;
        let renamed = match prepared.expected {
            Some(_) => self.disk.rename(&self.temp, real),
            None => self.disk.rename_new(&self.temp, real),
        };
        let Err(error) = renamed else {
            return Ok(Vec::new());
        };
        match (Identity::at(real), Identity::at(&self.temp)) {
            (Ok(Some(now)), _) if now.same_file(&prepared.temp) => {
                let mut problems = Vec::new();
                problem(&mut problems, Err(error));
                Ok(problems)
            }
            (Ok(_), Ok(Some(_))) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                Err(self.target.changed("it appeared"))
            }
            (Ok(_), Ok(Some(_))) => Err(error.into()),
            _ => Err(ApplyError::Uncertain { error }),
        }
    }

    fn mark_done(&self, prepared: &Prepared) -> DiskResult<()> {
        RunRecord { state: RunState::Done, ..prepared.record.clone() }.write(self.disk, &self.dir)
    }

    fn receipt(&self, prepared: Prepared, notes: Vec<String>, problems: Vec<String>) -> Receipt {
        let backup = prepared.record.backup.map(|backup| (self.dir.join(backup.path), backup.how));
        Receipt {
            run: self.id.clone(),
            run_dir: self.dir.clone(),
            store: self.target.real.clone(),
            before: self.before.clone(),
            after: prepared.after,
            backup,
            notes,
            problems,
        }
    }

    /// Nothing was changed; what cannot be cleared away now is cleared away by the next start.
    fn take_back(&self) {
        if let Err(error) = runs::discard(self.disk, &self.dir, Some(&self.temp)) {
            log::warn!("left for the next start: {error}");
        }
    }
}

fn problem(problems: &mut Vec<String>, result: DiskResult<()>) {
    if let Err(error) = result {
        problems.push(format!("the store is the new one, but {error}; the next start looks after it"));
    }
}

/// Milliseconds since the epoch; 0 before it.
pub(super) fn millis(time: SystemTime) -> Millis {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Millis::try_from(since.as_millis()).unwrap_or(Millis::MAX)
}
