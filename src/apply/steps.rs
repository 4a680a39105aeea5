//! The steps of a run: how far one is, seen from the outside, and doing it.
//!
//! Each can be told done from not done by what lies on the disk, so a run that was cut short can be taken up
//! by a process that knows nothing but the record.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::backup;
use super::cancel::Cancel;
use super::disk::{Disk, DiskError, DiskResult};
use super::error::ApplyError;
use super::fingerprint::Fingerprint;
use super::identity::Identity;
use super::run_record::{Step, StepOp};
use super::runs;
use super::write::copy_whole;

/// How far a step is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// It is done.
    Done,
    /// It is not, and it can be.
    Pending,
    /// It is not, and it no longer can be: somebody was here since.
    Impossible(String),
    /// It cannot be told: a directory is missing, perhaps not mounted.
    Unseen(String),
}

/// Looks how far `step` is.
pub fn progress(step: &Step) -> DiskResult<Progress> {
    let to = step.to.as_deref();
    for dir in [Some(step.from.as_path()), to].into_iter().flatten().map(runs::parent) {
        if !dir.is_dir() {
            return Ok(Progress::Unseen(format!("{} is no directory now", dir.display())));
        }
    }
    match (step.op, to) {
        (StepOp::Remove, _) => remove_progress(step),
        (StepOp::Replace, Some(to)) => replace_progress(step, to),
        (StepOp::Rename | StepOp::Link, Some(to)) => second_name_progress(step, to),
        (_, None) => Ok(Progress::Unseen("the record does not say where to".to_owned())),
    }
}

/// The temporary file loses its name in two ways only: by the rename, or by a roll-back, which first marks
/// or deletes the record. Its name is made durable before the record is. So where it is gone under a record
/// that is still `intended`, the rename happened, and a file at `to` that is neither the old nor the new one
/// was written after it. A file that equals the old one says that nothing happened, whoever took the
/// temporary one away.
fn replace_progress(step: &Step, to: &Path) -> DiskResult<Progress> {
    let now = Fingerprint::of_file(to)?;
    let temp = Identity::at(&step.from)?.is_some();
    Ok(if now.is_some() && now == step.after {
        Progress::Done
    } else if now == step.before {
        if temp { Progress::Pending } else { Progress::Impossible("the new file is gone".to_owned()) }
    } else if temp {
        Progress::Impossible(format!("{} was written since", to.display()))
    } else {
        Progress::Done
    })
}

/// Something at `to` is ours: nothing was there when the run was planned, and nothing of ours is replaced.
fn second_name_progress(step: &Step, to: &Path) -> DiskResult<Progress> {
    let (from, there) = (Identity::at(&step.from)?, Identity::at(to)?);
    let same = matches!((from, there), (Some(a), Some(b)) if a.same_file(&b));
    Ok(match (from, there) {
        (None, None) => Progress::Impossible(format!("{} is gone", step.from.display())),
        (Some(_), None) if !unchanged(step)? => written_since(&step.from),
        (Some(_), None) => Progress::Pending,
        // Half of a rename: the new name is there, the old one is not away yet.
        (Some(_), Some(_)) if step.op == StepOp::Rename && (same || is_copied(step, to)?) => {
            Progress::Pending
        }
        (_, Some(_)) if same || step.after.is_none() || Fingerprint::of_file(to)? == step.after => {
            Progress::Done
        }
        (_, Some(_)) => Progress::Impossible(format!("something else lies at {}", to.display())),
    })
}

/// Whether both ends of a move hold the bytes that were to be moved.
fn is_copied(step: &Step, to: &Path) -> DiskResult<bool> {
    Ok(step.before.is_some() && unchanged(step)? && Fingerprint::of_file(to)? == step.before)
}

fn remove_progress(step: &Step) -> DiskResult<Progress> {
    Ok(match Identity::at(&step.from)? {
        None => Progress::Done,
        Some(_) if unchanged(step)? => Progress::Pending,
        Some(_) => written_since(&step.from),
    })
}

fn written_since(path: &Path) -> Progress {
    Progress::Impossible(format!("{} was written since", path.display()))
}

/// Whether the file of a step is what it was when the run was planned; a record without a fingerprint does
/// not care.
fn unchanged(step: &Step) -> DiskResult<bool> {
    Ok(step.before.is_none() || Fingerprint::of_file(&step.from)? == step.before)
}

/// Does a step that is [`Progress::Pending`]; durable when it returns.
pub fn perform(disk: &dyn Disk, step: &Step, cancel: &Cancel) -> Result<(), ApplyError> {
    let from = &step.from;
    match (step.op, &step.to) {
        (StepOp::Replace, Some(to)) if step.before.is_some() => disk.rename(from, to)?,
        (StepOp::Replace, Some(to)) => disk.rename_new(from, to)?,
        (StepOp::Rename, Some(to)) => move_file(disk, from, to, cancel)?,
        (StepOp::Link, Some(to)) => disk.hard_link(from, to)?,
        (StepOp::Remove, _) => disk.remove_file(from)?,
        (_, None) => {
            let cause = io::Error::new(ErrorKind::InvalidInput, "the step does not say where to");
            return Err(DiskError::new("move", from, cause).into());
        }
    }
    Ok(settle(disk, step)?)
}

/// Makes the names of a step that is done durable, the new one first: better two names than none.
pub(super) fn settle(disk: &dyn Disk, step: &Step) -> DiskResult<()> {
    let mut dirs: Vec<&Path> = step.to.iter().map(|to| runs::parent(to)).collect();
    dirs.push(runs::parent(&step.from));
    dirs.dedup();
    dirs.into_iter().try_for_each(|dir| disk.sync_dir(dir))
}

/// The new name first, durably, then the old one away: a plain rename between two directories may, on a file
/// system that writes one of them before the other, leave a file with no name.
fn move_file(disk: &dyn Disk, from: &Path, to: &Path, cancel: &Cancel) -> Result<(), ApplyError> {
    if name_anew(disk, from, to, cancel)? {
        disk.sync_dir(runs::parent(to))?;
        disk.remove_file(from)?;
    }
    Ok(())
}

/// Gives a file that is to be moved its new name, by a copy where no link can be; `false` where the old name went with
/// that. Not durable yet.
pub(super) fn name_anew(
    disk: &dyn Disk,
    from: &Path,
    to: &Path,
    cancel: &Cancel,
) -> Result<bool, ApplyError> {
    // What lies there already is the half that an earlier start did.
    if Identity::at(to)?.is_some() {
        return Ok(true);
    }
    match disk.hard_link(from, to) {
        Err(error) if error.kind() == ErrorKind::CrossesDevices => copy_over(disk, from, to, cancel)?,
        Err(error) if backup::cannot_link(&error) => {
            disk.rename_new(from, to)?;
            return Ok(false);
        }
        other => other?,
    }
    Ok(true)
}

/// Whether the file of a move has its new name, and the old one as well: half of it is done.
pub(super) fn is_half_done(step: &Step, seen: &Progress) -> bool {
    let there = |to: &PathBuf| Identity::at(to).is_ok_and(|there| there.is_some());
    step.op == StepOp::Rename && *seen == Progress::Pending && step.to.as_ref().is_some_and(there)
}

/// To another device; under its name only once it is whole.
fn copy_over(disk: &dyn Disk, from: &Path, to: &Path, cancel: &Cancel) -> Result<(), ApplyError> {
    let mut partial = to.as_os_str().to_owned();
    partial.push(".partial");
    let partial = PathBuf::from(partial);
    runs::remove_if_there(disk, &partial)?;
    let source = File::open(from).map_err(|cause| DiskError::new("open", from, cause))?;
    let meta = fs::symlink_metadata(from).map_err(|cause| DiskError::new("look at", from, cause))?;
    let mut copy = runs::create_private(disk, &partial)?;
    copy_whole(&source, copy.as_mut(), cancel)?;
    copy.set_mode(meta.mode() & 0o7777)?;
    copy.sync()?;
    Ok(disk.rename_new(&partial, to)?)
}
