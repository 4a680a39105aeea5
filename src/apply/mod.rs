//! Old or new, never neither: everything that changes a file on disk.
//!
//! At every instant, whatever is killed, the store is the complete old one or the complete new one, and
//! the old one can be had back. The order that gives this, and why, is told in [`mod@replace`]; what the next
//! start does with a run that was cut short, in [`mod@resume`].
//!
//! ```text
//! RecordsLock (our flock) -> resume (what an earlier run left) -> replace (temp, verify, backup, record)
//!                                                                    -> StoreLock -> rename -> done
//! ```
//!
//! What may be touched here: the file system, but only through [`disk::Disk`]; nothing else in the crate
//! changes a file. Reading goes through plain `std::fs`.

pub mod attributes;
pub mod backup;
pub mod batch;
pub mod cancel;
pub mod changes;
pub mod disk;
pub mod error;
pub mod fingerprint;
pub mod flock;
pub mod identity;
pub mod liveness;
pub mod lock_file;
pub mod memory;
pub mod output;
pub mod replace;
pub mod resume;
pub mod retention;
pub mod run_id;
pub mod run_record;
pub mod runs;
pub mod secret;
pub mod share;
pub mod small;
pub mod steps;
pub mod store_lock;
pub mod target;
pub mod territory;
pub mod write;

pub use cancel::Cancel;
pub use disk::{Disk, DiskError, DiskFile, RealDisk};
pub use error::ApplyError;
pub use fingerprint::{Fingerprint, Fingerprinter};
pub use flock::RecordsLock;
pub use identity::Identity;
pub use replace::{Receipt, ReplaceRequest, apply};
pub use resume::resume;
pub use run_id::RunId;
pub use run_record::{RunRecord, RunState, RunSummary, Subject};

use std::time::Duration;

/// How long things may take; the defaults are the contract, tests shorten them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Waiting for another process of ours.
    pub flock_wait: Duration,
    /// Waiting for OpenClaw's lock on the store.
    pub lock_wait: Duration,
    /// Longest time that OpenClaw's lock may have been held when the rename begins.
    pub lock_hold: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            flock_wait: Duration::from_secs(10),
            lock_wait: Duration::from_secs(10),
            lock_hold: Duration::from_secs(5),
        }
    }
}
