//! What is known of the world outside a store, in the form that rules ask for it.
//!
//! Missing evidence is said, not guessed: a list that was not read whole has `complete: false`, a time that
//! is not known is `None`, and a look that was not complete leaves the gateway `Unknown`. Everything here is
//! keyed by hashes of texts; where two hashes would condemn, a second one has to agree as well.

use super::Millis;
use super::entry::TextHash;
use super::hashes::{Bits, Hashes};
use super::runs::Runs;
use super::texts::{TextMap, TextSet};

/// Everything outside the stores.
#[derive(Clone, Debug, Default)]
pub struct Evidence {
    /// The clock of every verdict.
    pub now: Millis,
    /// The gateway's life.
    pub gateway: Life,
    /// The cron jobs.
    pub jobs: Jobs,
    /// The finished runs.
    pub runs: Runs,
    /// The sub-agents.
    pub registry: Registry,
    /// What the entries of all stores say of each other.
    pub kin: Kin,
}

/// The gateway's life, as far as a verdict may rest on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Life {
    /// Established as stopped.
    Stopped,
    /// Alive.
    Running {
        /// Since when; `None` where that is not known.
        since: Option<Millis>,
        /// Whether the process itself told.
        verified: bool,
    },
    /// Nothing rests on it.
    #[default]
    Unknown,
}

/// The job list.
#[derive(Clone, Debug, Default)]
pub struct Jobs {
    /// Whether every list that can own the stores was read whole.
    pub complete: bool,
    /// Whether the markers of all known jobs were read.
    pub markers_complete: bool,
    /// By hash of the id in lower case.
    pub known: TextMap<Job>,
}

/// One cron job.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Job {
    /// As the list spells it.
    pub id: String,
    /// Its name.
    pub name: Option<String>,
    /// `runningAtMs`.
    pub marker: Option<Millis>,
    /// `lastRunAtMs`.
    pub last_run_at: Option<Millis>,
    /// After how long OpenClaw gives up on a run; `None`: never.
    pub timeout: Option<Millis>,
}

/// The sub-agent registry.
#[derive(Clone, Debug, Default)]
pub struct Registry {
    /// Whether it exists and could not be read.
    pub unreadable: bool,
    /// Whether a child's row has an end; by hash of the child's key.
    pub rows: TextMap<bool>,
    /// When a child whose rows all have an end ended last; by the same hash.
    pub ended_at: TextMap<Millis>,
    /// Parents (run keys folded to their base) that a row without an end names.
    pub open_parents: TextSet,
}

/// What the entries of all stores say of each other.
#[derive(Clone, Debug, Default)]
pub struct Kin {
    /// Whether every store was found and read whole.
    pub complete: bool,
    /// Whether a store of the directory is there and was not read: a child of anybody may live in it.
    pub unread: bool,
    /// Parents that exist in some store; only those that a sub-agent names.
    pub parents: Hashes,
    /// Which of them a sub-agent needs that is running, protected or young.
    pub needed: Bits,
    /// Which of them have a sub-agent that is running.
    pub with_running: Bits,
}

impl Kin {
    /// Whether an entry is a parent whom somebody needs.
    pub fn is_needed(&self, key: TextHash) -> bool {
        self.parents.place(key).is_some_and(|place| self.needed.has(place))
    }

    /// Whether an entry is the parent of a sub-agent that is running.
    pub fn has_running_child(&self, key: TextHash) -> bool {
        self.parents.place(key).is_some_and(|place| self.with_running.has(place))
    }
}

/// What the sessions directory says of one entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Traces {
    /// Time of the last complete transcript line, else the file's.
    pub last_line: Option<Millis>,
    /// Its transcript lock.
    pub lock: Lock,
}

/// A transcript lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Lock {
    /// None.
    #[default]
    None,
    /// Its owner is dead for certain.
    Dead,
    /// Its owner lives, or may.
    MayLive,
}
