//! What the user allows: the knobs of `check`, `prune` and `guard`.

use super::Millis;
use super::caches::Caches;
use super::verdict::{Class, Confidence};

/// Limits and permissions that verdicts and plans are made under. Times in milliseconds.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    /// Nothing touched more recently is removed, save run records whose end is certain.
    pub grace: Millis,
    /// Silence after which a claimed run is overdue.
    pub max_running: Millis,
    /// Age from which a run record that is over is stale; `None` turns that off.
    pub run_retention: Option<Millis>,
    /// Age from which ended synthetic sessions are stale.
    pub prune_after: Millis,
    /// Whether conversations may be stale or surplus too; never `main`.
    pub conversations: bool,
    /// Size that a store is brought down to.
    pub budget: Budget,
    /// Cap over the number of entries.
    pub max_entries: Option<u64>,
    /// Classes that are acted on; empty for all.
    pub only: Vec<Class>,
    /// The weakest verdict that is acted on.
    pub confidence: Confidence,
    /// Share of a family, in percent, that may go.
    pub allow_removal: f64,
    /// Whose caches go.
    pub slimming: Slimming,
    /// Which caches those are.
    pub caches: Caches,
    /// Whether white space goes from the whole store.
    pub compact: bool,
    /// Whether only records of runs and cron bases are acted on.
    pub cron_only: bool,
}

/// Whose caches go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slimming {
    /// Those of run records, as far as the budget asks for it.
    ForBudget,
    /// Those of every entry that may be slimmed and that the plan keeps.
    OfKept,
    /// The same, and nothing else is done.
    Alone,
}

/// The size that a store is brought down to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Budget {
    /// Whatever it is.
    Off,
    /// The size at which the heap forecast leaves a factor of two.
    Auto,
    /// So many bytes.
    Bytes(u64),
}

impl Policy {
    /// Two hours: OpenClaw's own threshold for a stuck run.
    pub const TWO_HOURS: Millis = 2 * 3_600_000;
    /// OpenClaw's default retention of cron runs.
    pub const DAY: Millis = 24 * 3_600_000;

    /// Age from which records of a deleted job are orphans.
    pub fn orphan_after(&self) -> Millis {
        self.run_retention.unwrap_or(self.prune_after)
    }

    /// Whether a class is acted on.
    pub fn acts_on(&self, class: Class) -> bool {
        self.only.is_empty() || self.only.contains(&class)
    }
}

impl Default for Policy {
    fn default() -> Self {
        Policy {
            grace: Self::TWO_HOURS,
            max_running: Self::TWO_HOURS,
            run_retention: Some(Self::DAY),
            prune_after: 30 * Self::DAY,
            conversations: false,
            budget: Budget::Off,
            max_entries: None,
            only: Vec::new(),
            confidence: Confidence::Likely,
            allow_removal: 25.0,
            slimming: Slimming::ForBudget,
            caches: Caches::BOTH,
            compact: false,
            cron_only: false,
        }
    }
}
