//! One flock of ours per records directory: our own processes one after the other.
//!
//! Holding a [`RecordsLock`] is the proof that [`apply`](super::apply), [`resume`](super::resume()) and
//! retention ask for. The kernel lets go of it when the process dies, however it dies, so nothing is ever
//! left over; the empty file `lock` stays.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::fs::FlockOperation;
use rustix::io::Errno;

use super::cancel::Cancel;
use super::disk::{Disk, DiskError, DiskResult};
use super::error::ApplyError;
use super::identity::Identity;
use super::runs;

const DELAY: Duration = Duration::from_millis(100);

/// The right to change what a records directory stands for, until dropped.
#[must_use = "dropped at once, it protects nothing"]
#[derive(Debug)]
pub struct RecordsLock {
    dir: PathBuf,
    _file: File,
}

impl RecordsLock {
    /// Makes the records directory (0700) where it is missing, and waits at most `wait` for the flock.
    pub fn acquire(
        disk: &dyn Disk,
        records_dir: &Path,
        wait: Duration,
        cancel: &Cancel,
    ) -> Result<Self, ApplyError> {
        runs::ensure_dir(disk, records_dir)?;
        runs::ensure_dir(disk, &runs::runs_dir(records_dir))?;
        let path = records_dir.join("lock");
        let begun = Instant::now();
        loop {
            if let Some(file) = try_lock(disk, &path)? {
                return Ok(RecordsLock { dir: records_dir.to_owned(), _file: file });
            }
            let left = wait.saturating_sub(begun.elapsed());
            if left.is_zero() {
                return Err(ApplyError::Locked { path, pid: None, waited: wait });
            }
            log::info!("waiting for another sessions-doctor that holds {}", path.display());
            cancel.sleep(DELAY.min(left))?;
        }
    }

    /// The records directory it stands for.
    pub fn records_dir(&self) -> &Path {
        &self.dir
    }
}

fn try_lock(disk: &dyn Disk, path: &Path) -> DiskResult<Option<File>> {
    let told = |cause: io::Error| DiskError::new("lock", path, cause);
    let file = open_or_create(disk, path)?;
    match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Err(Errno::WOULDBLOCK | Errno::INTR) => return Ok(None),
        other => other.map_err(|errno| told(errno.into()))?,
    }
    // Whoever deleted the file meanwhile left us the lock of a file that nobody else will find.
    let ours = Identity::of(&file.metadata().map_err(told)?);
    let found = Identity::at(path)?.is_some_and(|found| found.same_file(&ours));
    Ok(found.then_some(file))
}

fn open_or_create(disk: &dyn Disk, path: &Path) -> DiskResult<File> {
    match runs::create_private(disk, path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    let opened = OpenOptions::new().read(true).write(true).open(path);
    opened.map_err(|cause| DiskError::new("open", path, cause))
}

#[cfg(test)]
mod tests {
    use super::super::disk::RealDisk;
    use super::*;
    use crate::exit::Exit;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn one_at_a_time_and_free_again_when_dropped() {
        let dir = tempfile::tempdir().unwrap();
        let records = dir.path().join("records");
        let take = |wait| RecordsLock::acquire(&RealDisk, &records, wait, &Cancel::new());
        let first = take(Duration::ZERO).unwrap();
        let refused = take(Duration::from_millis(120)).unwrap_err();
        assert_eq!(refused.exit(), Exit::Busy);
        drop(first);
        let second = take(Duration::ZERO).unwrap();
        assert_eq!(second.records_dir(), records);
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&records), mode(&records.join("lock"))), (0o700, 0o600));
    }
}
