//! OpenClaw's lock on a store, `<store>.lock`, taken and given back by its own protocol.
//!
//! A lock whose owner is gone is taken away like this: what was judged is remembered (inode, times, bytes);
//! the file is moved aside under a name of ours; if what was moved is what was judged, it is deleted, else
//! it is moved back, never onto a newer one. So a lock that someone made between our look and our hand is
//! neither deleted nor mistaken. What stays open: while such a lock is aside, for some microseconds, a third
//! process could take the lock as well. Two more fences stand behind it: the gateway is stopped, and the
//! store's identity is compared right before the rename. Our own processes never come here at the same time,
//! a flock keeps them apart.
//!
//! Dropping a [`StoreLock`] gives it back as far as that works; [`StoreLock::release`] says whether it did.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant, SystemTime};

use super::cancel::Cancel;
use super::disk::{Disk, DiskError, DiskFile, DiskResult};
use super::error::ApplyError;
use super::liveness::Liveness;
use super::lock_file::{Judgement, LockContent, SeenLock};

/// First delay of a wait, and what each further one is longer by.
const STEP: Duration = Duration::from_millis(50);
/// Longest delay of a wait.
const LONGEST: Duration = Duration::from_secs(1);

/// A lock, or the two locks of a store that is a link, while they are ours.
#[must_use = "dropped at once, it protects nothing"]
pub struct StoreLock<'d> {
    disk: &'d dyn Disk,
    held: Vec<Held>,
    since: Instant,
    /// Which locks were taken away from owners that are gone, and why.
    pub reclaimed: Vec<String>,
}

/// One lock file of ours. The open handle keeps its inode number from being given out again.
struct Held {
    path: PathBuf,
    seen: SeenLock,
    _open: Box<dyn DiskFile>,
}

impl<'d> StoreLock<'d> {
    /// Takes all of `paths`, in their order, waiting for each other owner at most `wait` in all.
    pub fn acquire(
        disk: &'d dyn Disk,
        paths: &[PathBuf],
        liveness: &dyn Liveness,
        wait: Duration,
        cancel: &Cancel,
    ) -> Result<Self, ApplyError> {
        let begun = Instant::now();
        let mut lock = StoreLock { disk, held: Vec::new(), since: begun, reclaimed: Vec::new() };
        for path in paths {
            let mut delay = STEP;
            while let Err(owner) = lock.try_one(path, liveness)? {
                let left = wait.saturating_sub(begun.elapsed());
                if left.is_zero() {
                    return Err(ApplyError::Locked { path: path.clone(), pid: owner, waited: wait });
                }
                cancel.sleep(delay.min(left))?;
                delay = (delay + STEP).min(LONGEST);
            }
            if lock.held.len() == 1 {
                lock.since = Instant::now();
            }
        }
        Ok(lock)
    }

    /// One try; the inner error is a live owner's pid, where it is known.
    fn try_one(
        &mut self,
        path: &Path,
        liveness: &dyn Liveness,
    ) -> Result<Result<(), Option<u32>>, ApplyError> {
        // A reclaimed lock is tried again at once, but someone may always be quicker.
        for _ in 0..3 {
            match self.disk.create(path, 0o644) {
                Ok(file) => {
                    let held = fill(self.disk, path, file, liveness)?;
                    self.held.push(held);
                    return Ok(Ok(()));
                }
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error.into()),
            }
            let seen = match SeenLock::read(path) {
                Ok(Some(seen)) => seen,
                Ok(None) => continue,
                // A lock that we may not read has an owner that we do not know.
                Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => return Ok(Err(None)),
                Err(error) => return Err(error.into()),
            };
            match seen.judge(liveness, SystemTime::now()) {
                Judgement::Held(pid) => return Ok(Err(pid)),
                Judgement::Stale(why) => {
                    if take_away(self.disk, path, &seen)? {
                        self.reclaimed.push(format!("took over the lock {}: {why}", path.display()));
                    }
                }
            }
        }
        Ok(Err(None))
    }

    /// How long the first of them has been ours.
    pub fn held_for(&self) -> Duration {
        self.since.elapsed()
    }

    /// Whether all of them still are ours: OpenClaw takes a lock away after 30 s, whoever lives.
    pub fn still_ours(&self) -> bool {
        self.held.iter().all(Held::still_ours)
    }

    /// Gives them back; one that is no longer ours is left alone.
    pub fn release(mut self) -> DiskResult<()> {
        self.give_back()
    }

    fn give_back(&mut self) -> DiskResult<()> {
        let mut first_error = Ok(());
        while let Some(held) = self.held.pop() {
            if held.still_ours() {
                first_error = first_error.and(self.disk.remove_file(&held.path));
            }
        }
        first_error
    }
}

impl Drop for StoreLock<'_> {
    fn drop(&mut self) {
        if let Err(error) = self.give_back() {
            log::warn!("a lock was left behind: {error}");
        }
    }
}

impl Held {
    fn still_ours(&self) -> bool {
        matches!(SeenLock::read(&self.path), Ok(Some(now)) if now.is(&self.seen))
    }
}

/// Writes our name into a lock file just made, in one write; takes the file away again if that fails.
fn fill(
    disk: &dyn Disk,
    path: &Path,
    mut file: Box<dyn DiskFile>,
    liveness: &dyn Liveness,
) -> DiskResult<Held> {
    let pid = std::process::id();
    let content = LockContent::new(pid, liveness.look(pid), SystemTime::now());
    let filled = content
        .to_bytes()
        .map_err(|cause| DiskError::new("write", path, cause))
        .and_then(|bytes| file.write_all(&bytes).map(|()| bytes))
        .and_then(|bytes| Ok(SeenLock { identity: file.identity()?, bytes }));
    match filled {
        Ok(seen) => Ok(Held { path: path.to_owned(), seen, _open: file }),
        Err(error) => {
            // Only the first error tells something.
            let _ = disk.remove_file(path);
            Err(error)
        }
    }
}

/// Takes a stale lock away; `false` when it was no longer the one that was judged.
fn take_away(disk: &dyn Disk, path: &Path, judged: &SeenLock) -> Result<bool, ApplyError> {
    // A last look keeps the window of the move small.
    if !SeenLock::read(path)?.is_some_and(|now| now.is(judged)) {
        return Ok(false);
    }
    let aside = aside_name(path);
    match disk.rename_new(path, &aside) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
        other => other?,
    }
    if SeenLock::read(&aside)?.is_some_and(|moved| moved.is(judged)) {
        disk.remove_file(&aside)?;
        return Ok(true);
    }
    match disk.rename_new(&aside, path) {
        // Somebody took the lock meanwhile; two owners are worse than one that lost its file.
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => disk.remove_file(&aside)?,
        other => other?,
    }
    Ok(false)
}

/// A name of ours that the next start clears away should we die right here.
fn aside_name(path: &Path) -> PathBuf {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    path.with_file_name(format!(".sessions-doctor.lock-{}-{count}.tmp", std::process::id()))
}
