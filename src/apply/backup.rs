//! The original, kept in the directory of the run: a hard link, else a reflink, else a copy.
//!
//! A hard link costs nothing, and it is the very inode that was scanned. Until the rename it is only a second
//! name of the store, so a write in place would reach both; that is why the store's identity is compared
//! again under the lock, and why [`Run::backup_path`](super::runs::Run::backup_path) knows no backup of a run
//! that is not done.

use std::fs::File;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::cancel::Cancel;
use super::disk::{Disk, DiskError, DiskResult};
use super::error::ApplyError;
use super::fingerprint::Fingerprint;
use super::identity::Identity;
use super::run_record::BackupHow;
use super::runs::{self, ORIGINAL};
use super::target::Target;
use super::write::{copy_whole, path_of};

/// Left free beside what is about to be written.
pub(super) const MARGIN: u64 = 4 << 20;

/// A store as it was scanned, and the open file it was scanned from.
pub(super) struct Original<'a> {
    pub target: &'a Target,
    pub file: &'a File,
    pub identity: Identity,
    pub fingerprint: &'a Fingerprint,
}

/// Keeps the original in `run_dir`, its bytes durable; its name becomes so with that of the record, which is
/// written to the same directory next. Gives back how, and the identity that the store has from now on: a
/// hard link changes its ctime, and nothing else.
pub(super) fn keep(
    disk: &dyn Disk,
    original: &Original<'_>,
    run_dir: &Path,
    cancel: &Cancel,
) -> Result<(BackupHow, Identity), ApplyError> {
    // Who wrote it last may not have waited for the disk; the backup must not be worth less than the store.
    let synced = original.file.sync_all();
    synced.map_err(|cause| DiskError::new("sync", &path_of(original.file), cause))?;
    original.target.check(Some(original.identity))?;
    let path = run_dir.join(ORIGINAL);
    let kept = if let Some(linked) = link(disk, original, &path)? {
        (BackupHow::Link, linked)
    } else if disk.reflink(original.file, &path, 0o600)? {
        own(disk, run_dir, &path)?;
        (BackupHow::Reflink, original.identity)
    } else {
        copy(disk, original, &path, cancel)?;
        (BackupHow::Copy, original.identity)
    };
    original.target.check(Some(kept.1))?;
    Ok(kept)
}

/// `None` where no link can be made; the identity afterwards where it was.
fn link(disk: &dyn Disk, original: &Original<'_>, path: &Path) -> Result<Option<Identity>, ApplyError> {
    let target = original.target;
    match disk.hard_link(&target.real, path) {
        Err(error) if cannot_link(&error) => return Ok(None),
        // A file that a writer renames another over, between our finding it and our linking it, has no name left to share:
        // unless it is our record that is gone.
        Err(error) if error.kind() == ErrorKind::NotFound && runs::parent(path).is_dir() => {
            return Err(target.changed("another file took its place"));
        }
        other => other?,
    }
    let gone = || target.changed("it is gone");
    let linked = Identity::at(path)?.ok_or_else(gone)?;
    let now = Identity::at(&target.real)?.ok_or_else(gone)?;
    if now != linked || !now.same_but_for_ctime(&original.identity) {
        return Err(target.changed("it was written or replaced"));
    }
    Ok(Some(now))
}

/// Another device, a file of somebody else's (`protected_hardlinks`), too many links, no links here at all.
pub(super) fn cannot_link(error: &DiskError) -> bool {
    use rustix::io::Errno;
    let errno = error.cause.raw_os_error().map(Errno::from_raw_os_error);
    matches!(
        errno,
        Some(Errno::XDEV | Errno::PERM | Errno::ACCESS | Errno::MLINK | Errno::OPNOTSUPP | Errno::NOSYS)
    )
}

fn copy(disk: &dyn Disk, original: &Original<'_>, path: &Path, cancel: &Cancel) -> Result<(), ApplyError> {
    check_space(disk, runs::parent(path), original.identity.size)?;
    let mut file = runs::create_private(disk, path)?;
    let copied = copy_whole(original.file, file.as_mut(), cancel)?;
    if copied != *original.fingerprint {
        return Err(original.target.changed("its bytes are others"));
    }
    Ok(file.sync()?)
}

/// A reflink made by root belongs to whom its directory belongs.
fn own(disk: &dyn Disk, run_dir: &Path, path: &Path) -> DiskResult<()> {
    let meta = run_dir.metadata().map_err(|cause| DiskError::new("look at", run_dir, cause))?;
    let is = path.metadata().map_err(|cause| DiskError::new("look at", path, cause))?;
    if (meta.uid(), meta.gid()) == (is.uid(), is.gid()) || !rustix::process::geteuid().is_root() {
        return Ok(());
    }
    disk.set_owner(path, meta.uid(), meta.gid())
}

/// Fails unless `bytes` and a margin can still be written in `dir`.
pub(super) fn check_space(disk: &dyn Disk, dir: &Path, bytes: u64) -> Result<(), ApplyError> {
    let needed = bytes.saturating_add(MARGIN);
    let free = disk.free_space(dir)?;
    if free < needed {
        return Err(ApplyError::NoSpace { path: dir.to_owned(), needed, free });
    }
    Ok(())
}
