//! Runs of `guard` within an hour share a record.
//!
//! A gateway that dies every few seconds is guarded as often. The first run keeps its original whole. What the later
//! ones took out is gathered in one more record: its original is an *extract*, a store of nothing but the entries that
//! they touched, and it is undone by merging, like any other. So an hour leaves two records, however many starts it
//! had, and nothing that was taken out is lost.
//!
//! The new record is durable before those that it stands for are deleted; cut short in between, an entry is in two
//! records, and the second undo finds it there already.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::changes::{self, ChangeLog};
use super::disk::{Disk, DiskError, DiskFile, DiskResult};
use super::fingerprint::{Fingerprint, Fingerprinter};
use super::flock::RecordsLock;
use super::run_id::RunId;
use super::run_record::{Backup, BackupHow, RunRecord, RunState, RunSummary, Step};
use super::runs::{self, ORIGINAL, Run};
use crate::host::files;
use crate::model::Millis;
use crate::model::key::Family;
use crate::model::plan::ChangeRecord;

/// The verb whose runs share a record.
pub const COMMAND: &str = "guard";

/// For so long.
const SPAN: Millis = 3_600_000;

/// What is larger keeps its original whole, which costs a link.
const LARGEST: u64 = 16 << 20;

/// What stands between two entries of an extract.
const BETWEEN: &str = ",\n  ";

/// One entry of an extract: what was done to it, and where its bytes are.
struct Part<'a> {
    change: ChangeRecord,
    run: &'a Run,
}

/// Puts what `run` took out into the record that this hour's runs share. Gives back that record and its original;
/// `None` where `run` keeps a record of its own.
pub fn fold(
    disk: &dyn Disk,
    lock: &RecordsLock,
    run: &RunId,
    now: SystemTime,
) -> DiskResult<Option<(RunId, PathBuf)>> {
    let listed = runs::list_runs(lock.records_dir())?;
    let Some(new) = listed.iter().find(|listed| listed.id == *run) else { return Ok(None) };
    let since = new.record.started_at - SPAN;
    let is_before = |old: &&Run| old.id < new.id && old.record.started_at >= since && is_guard_of(old, new);
    let hour: Vec<&Run> = listed.iter().filter(is_before).collect();
    if !hour.iter().any(|old| !is_extract(old)) || is_extract(new) {
        return Ok(None);
    }
    let shared = hour.into_iter().rfind(|old| is_extract(old));
    let parts = gather(shared, new)?;
    let bytes: u64 = parts.iter().map(|part| part.change.end - part.change.start).sum();
    if bytes > LARGEST {
        return Ok(None);
    }
    let folded = write(disk, lock, parts, (shared, new), now)?;
    // From here on the new record tells everything: what cannot be deleted now is only told twice.
    for old in shared.into_iter().chain([new]) {
        if let Err(error) = runs::delete(disk, &old.dir) {
            log::warn!("run {} could not be deleted: {error}", old.id);
        }
    }
    Ok(Some(folded))
}

/// Whether the original of a run is an extract.
pub fn is_extract(run: &Run) -> bool {
    run.record.backup.as_ref().is_some_and(|backup| backup.how == BackupHow::Extract)
}

fn is_guard_of(old: &Run, new: &Run) -> bool {
    let guard = |run: &Run| run.record.command == COMMAND && run.record.state == RunState::Done;
    guard(old) && guard(new) && old.record.store == new.record.store && old.record.backup.is_some()
}

/// What both runs did, the older first. Of a key that both removed the newer counts: it would come back.
fn gather<'a>(shared: Option<&'a Run>, new: &'a Run) -> DiskResult<Vec<Part<'a>>> {
    let wanted = |change: &ChangeRecord| matches!(change.action.as_str(), "remove" | "heal" | "slim");
    let of = |run: &'a Run| -> DiskResult<Vec<Part<'a>>> {
        let changes = changes::read(&run.dir)?.filter(|change| change.as_ref().map_or(true, wanted));
        changes.map(|change| Ok(Part { change: change?, run })).collect()
    };
    let added = of(new)?;
    let removed: HashSet<&str> =
        added.iter().filter(|part| part.change.action == "remove").map(|part| &*part.change.key).collect();
    let mut parts = shared.map(of).transpose()?.unwrap_or_default();
    parts.retain(|part| part.change.action != "remove" || !removed.contains(&*part.change.key));
    parts.extend(added);
    Ok(parts)
}

fn write(
    disk: &dyn Disk,
    lock: &RecordsLock,
    parts: Vec<Part<'_>>,
    (shared, new): (Option<&Run>, &Run),
    now: SystemTime,
) -> DiskResult<(RunId, PathBuf)> {
    let (id, dir) = runs::create_run(disk, lock.records_dir(), now)?;
    let made = fill(disk, &dir, parts, shared, new);
    if let Err(error) = made {
        if let Err(left) = runs::discard(disk, &dir, None) {
            log::warn!("left for the next start: {left}");
        }
        return Err(error);
    }
    Ok((id, dir.join(ORIGINAL)))
}

fn fill(
    disk: &dyn Disk,
    dir: &Path,
    parts: Vec<Part<'_>>,
    shared: Option<&Run>,
    new: &Run,
) -> DiskResult<()> {
    let counted = count(&parts);
    let mut log = ChangeLog::create(disk, dir)?;
    let print = extract(disk, dir, parts, &mut log)?;
    log.finish()?;
    let before = shared.map_or(&new.record, |shared| &shared.record);
    let step = new.record.steps.first().cloned();
    let record = RunRecord {
        started_at: before.started_at,
        root: super::territory::of_run(dir),
        summary: RunSummary {
            bytes_before: before.summary.bytes_before,
            bytes_after: new.record.summary.bytes_after,
            ..counted
        },
        // The run is over: nobody takes this step again. It says what the store is since, and what the original is.
        steps: step.map(|step| Step { before: Some(print), ..step }).into_iter().collect(),
        backup: Some(Backup { path: ORIGINAL.into(), how: BackupHow::Extract }),
        ..new.record.clone()
    };
    disk.sync_dir(dir)?;
    record.write(disk, dir)
}

/// What the parts are, in numbers. Bytes that a later copy overrides are no loss, and not among them.
fn count(parts: &[Part<'_>]) -> RunSummary {
    let number = |wanted: &dyn Fn(&ChangeRecord) -> bool| {
        parts.iter().filter(|part| wanted(&part.change)).count() as u64
    };
    RunSummary {
        removed: number(&|change| change.action == "remove"),
        healed: number(&|change| change.action == "heal"),
        slimmed: number(&|change| change.action == "slim"),
        removed_other_than_run_records: number(&|change| {
            change.action == "remove" && change.family != Family::RunRecord.name()
        }),
        ..RunSummary::default()
    }
}

/// Writes the entries as a store of their own, and tells each change with its place there.
fn extract(
    disk: &dyn Disk,
    dir: &Path,
    parts: Vec<Part<'_>>,
    log: &mut ChangeLog,
) -> DiskResult<Fingerprint> {
    let mut out =
        Out { file: runs::create_private(disk, &dir.join(ORIGINAL))?, print: Fingerprinter::new(), at: 0 };
    let mut open: Option<(&Path, File)> = None;
    out.put(b"{\n  ")?;
    for (number, part) in parts.into_iter().enumerate() {
        if number > 0 {
            out.put(BETWEEN.as_bytes())?;
        }
        let path = part.run.dir.join(ORIGINAL);
        let told = |cause| DiskError::new("read", &path, cause);
        let from = match open.take().filter(|(dir, _)| *dir == part.run.dir) {
            Some((_, file)) => file,
            None => files::open_regular(&path).map_err(told)?,
        };
        let start = out.at;
        out.copy(&from, part.change.start..part.change.end).map_err(|error| match error {
            Copied::Read(cause) => told(cause),
            Copied::Write(error) => error,
        })?;
        open = Some((&part.run.dir, from));
        log.push(&ChangeRecord { start, end: out.at, ..part.change })?;
    }
    out.put(b"\n}")?;
    out.file.sync()?;
    Ok(out.print.finish())
}

/// A file that is being written, and what it will be known by.
struct Out {
    file: Box<dyn DiskFile>,
    print: Fingerprinter,
    at: u64,
}

/// Which side of a copy failed.
enum Copied {
    Read(io::Error),
    Write(DiskError),
}

impl Out {
    fn put(&mut self, bytes: &[u8]) -> DiskResult<()> {
        self.file.write_all(bytes)?;
        self.print.update(bytes);
        self.at += bytes.len() as u64;
        Ok(())
    }

    fn copy(&mut self, mut from: &File, range: std::ops::Range<u64>) -> Result<(), Copied> {
        from.seek(SeekFrom::Start(range.start)).map_err(Copied::Read)?;
        let mut left = range.end - range.start;
        let mut buffer = vec![0; 64 << 10];
        while left > 0 {
            let most = buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            let read = from.read(&mut buffer[..most]).map_err(Copied::Read)?;
            if read == 0 {
                return Err(Copied::Read(io::ErrorKind::UnexpectedEof.into()));
            }
            self.put(&buffer[..read]).map_err(Copied::Write)?;
            left -= read as u64;
        }
        Ok(())
    }
}
