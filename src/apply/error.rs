//! Why a store was not changed.
//!
//! Every variant means that the store is the old one, bytes and inode; [`ApplyError::Uncertain`] alone says
//! that this could not be seen. What goes wrong after the rename is no error but a `problem` of the
//! [`Receipt`](super::replace::Receipt): the store has changed then, and nothing may sound otherwise.

use std::path::PathBuf;
use std::time::Duration;

use thiserror::Error;

use super::disk::DiskError;
use crate::exit::Exit;

/// Why a store was not changed.
#[derive(Debug, Error)]
pub enum ApplyError {
    /// Another process of ours, or a live owner of OpenClaw's lock, did not let go in time.
    #[error("{} is held{} (waited {} s)", path.display(), owner(pid), waited.as_secs())]
    Locked {
        /// The lock file.
        path: PathBuf,
        /// Its owner, where the file says so.
        pid: Option<u32>,
        /// How long we waited.
        waited: Duration,
    },
    /// The caller's last look forbade it: a gateway runs.
    #[error("{0}")]
    NotAllowed(String),
    /// The caller's last look forbade it: nobody could tell that no gateway runs.
    #[error("{0}")]
    NotEstablished(String),
    /// OpenClaw's lock was held too long, or lost, before the rename could begin.
    #[error("gave up before the change: {0}")]
    LockTrouble(String),
    /// The store is no longer the one that was scanned: scan again.
    #[error("{} was changed meanwhile: {what}", path.display())]
    Changed {
        /// The store.
        path: PathBuf,
        /// What was seen.
        what: String,
    },
    /// Changing it would lose something that was not ours to lose.
    #[error("{0}")]
    Refused(String),
    /// The state directory was migrated, or may have been.
    #[error("{0}")]
    Migrated(String),
    /// A file that is to be made is there already.
    #[error("{} exists already, it was not replaced; name another file", .0.display())]
    Exists(PathBuf),
    /// The temporary file, read again, is not what was planned.
    #[error("the new file {} does not hold what was planned: {why}", path.display())]
    Unverified {
        /// The temporary file (removed by now).
        path: PathBuf,
        /// What the check said.
        why: String,
    },
    /// Too little room for the new file or the copy of the old one.
    #[error("not enough space below {}: {needed} bytes needed, {free} free", path.display())]
    NoSpace {
        /// Where.
        path: PathBuf,
        /// Bytes needed, margin included.
        needed: u64,
        /// Bytes free.
        free: u64,
    },
    /// An operation failed.
    #[error(transparent)]
    Io(#[from] DiskError),
    /// The rename failed and the store could not be looked at afterwards.
    #[error("{error}; whether the store was replaced could not be seen, the next start settles it")]
    Uncertain {
        /// What the rename said.
        error: DiskError,
    },
    /// A signal came before the change.
    #[error("interrupted, nothing was changed")]
    Interrupted(Exit),
}

fn owner(pid: &Option<u32>) -> String {
    pid.map(|pid| format!(" by process {pid}")).unwrap_or_default()
}

impl ApplyError {
    /// The exit code for it.
    pub fn exit(&self) -> Exit {
        match self {
            ApplyError::Locked { .. }
            | ApplyError::NotAllowed(_)
            | ApplyError::NotEstablished(_)
            | ApplyError::LockTrouble(_)
            | ApplyError::Changed { .. } => Exit::Busy,
            ApplyError::Refused(_) | ApplyError::Migrated(_) => Exit::Refused,
            ApplyError::Unverified { .. }
            | ApplyError::Exists(_)
            | ApplyError::NoSpace { .. }
            | ApplyError::Io(_)
            | ApplyError::Uncertain { .. } => Exit::Io,
            ApplyError::Interrupted(exit) => *exit,
        }
    }

    /// Whether scanning again may help.
    pub fn is_changed(&self) -> bool {
        matches!(self, ApplyError::Changed { .. })
    }
}
