//! Joins scan, evidence, rules and plan into one value: what is wrong with every store of a state directory,
//! and what would be done about it.
//!
//! What you may touch here: files, for reading only. Everything that is decided is decided by `rules` and
//! `plan`; this room only fetches what they ask for, and asks again where an answer brings up a new question.

pub mod changeset;
pub mod cron;
pub mod document;
pub mod keys;
pub mod nodes;
pub mod read;
pub mod records;
pub mod recovery;
pub mod restore;
pub mod run;
pub mod settle;
pub mod sweep;
pub mod validate;

use crate::evidence::discover::Situation;
use crate::evidence::gateway::GatewayEvidence;
use crate::evidence::sessions::SessionsDir;
use crate::model::Millis;
use crate::model::evidence::{Evidence, Traces};
use crate::model::policy::Policy;
use crate::model::store::StoreFile;
use crate::plan::prune::{Docket, PrunePlan};
use crate::report::model::EvidenceItem;
use crate::rules::case::StoreFacts;
use crate::rules::store::Damaged;
use read::{ReadFailure, Reading};
use recovery::loss::Loss;
use settle::LastLines;

/// The whole state directory, judged.
pub struct Diagnosis {
    /// What was looked at.
    pub situation: Situation,
    /// What the user allows, with the configuration filled in.
    pub policy: Policy,
    /// The world.
    pub evidence: Evidence,
    /// The gateway.
    pub gateway: GatewayEvidence,
    /// The stores, in the order they were found.
    pub stores: Vec<Diagnosed>,
    /// How every reading went.
    pub items: Vec<EvidenceItem>,
    /// What could not be read, by rule.
    pub troubles: Vec<Trouble>,
    /// `--keep` globs that matched nothing.
    pub unused_globs: Vec<String>,
    /// The heap limit of the gateway's Node in bytes, where it can be told.
    pub heap_limit: Option<u64>,
    /// How to stop and start the gateway here.
    pub service: Option<crate::host::Service>,
    /// The cron jobs of all lists, and how fast they ran.
    pub cron: cron::Jobs,
}

/// Evidence that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// The rule that tells of it.
    pub rule: &'static crate::model::verdict::Rule,
    /// What is the matter.
    pub message: String,
    /// The file.
    pub path: Option<String>,
    /// How often.
    pub count: u64,
}

/// One store.
pub struct Diagnosed {
    /// Where it lies.
    pub file: StoreFile,
    /// What was found.
    pub condition: Condition,
    /// What it lost.
    pub loss: Loss,
    /// Why the migration to SQLite forbids to write it.
    pub held: Option<String>,
}

impl Diagnosed {
    /// What was read of it, where it is whole.
    pub fn judged(&self) -> Option<&Judged> {
        match &self.condition {
            Condition::Whole(judged) => Some(judged),
            _ => None,
        }
    }

    /// Whether the report tells of it.
    pub fn is_told(&self) -> bool {
        self.file.acted_on && !matches!(self.condition, Condition::Absent)
    }
}

/// What was found where a store lies, or should.
pub enum Condition {
    /// Nothing, and nothing says that there ever was.
    Absent,
    /// Nothing, though its traces remain.
    Missing,
    /// It changed while it was read, again and again.
    Busy(String),
    /// It could not be read.
    Failed(std::io::Error),
    /// OpenClaw would take it for empty.
    Damaged(Box<Reading>, Vec<Damaged>),
    /// A store.
    Whole(Box<Judged>),
}

impl Condition {
    /// What a failure to read a store again means: one that became shorter was written to.
    pub fn of_error(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::UnexpectedEof => Condition::Busy(error.to_string()),
            _ => Condition::Failed(error),
        }
    }
}

impl From<ReadFailure> for Condition {
    fn from(failure: ReadFailure) -> Self {
        match failure {
            ReadFailure::Changing(why) => Condition::Busy(why),
            ReadFailure::Cancelled => Condition::Busy("interrupted".to_owned()),
            ReadFailure::Io(error) => Condition::Failed(error),
        }
    }
}

/// A store that was read whole, and judged.
pub struct Judged {
    /// What was read.
    pub reading: Reading,
    /// What its entries say of each other.
    pub facts: StoreFacts,
    /// What lies beside it.
    pub sessions: SessionsDir,
    /// Transcript times of the entries that are to go.
    pub lines: LastLines,
    /// What is decided.
    pub plan: PrunePlan,
    /// The size to come down to.
    pub budget: Option<u64>,
}

impl Judged {
    /// A store of which nothing is decided yet. `outside`: whether it lies outside the state directory.
    pub fn new(reading: Reading, evidence: &Evidence, sessions: SessionsDir, outside: bool) -> Self {
        let facts = StoreFacts::gather(&reading.scan.entries, &evidence.jobs.known, outside);
        let (lines, plan) = (LastLines::default(), PrunePlan::default());
        Judged { reading, facts, sessions, lines, plan, budget: None }
    }

    /// What the sessions directory says of entry `at`.
    pub fn traces(&self, at: usize) -> Traces {
        let entry = &self.reading.scan.entries[at];
        Traces { last_line: self.lines.get(at), lock: self.sessions.lock(entry.session, entry.file) }
    }

    /// The docket of this store, for whoever wants a verdict again.
    pub fn docket<'a>(
        &'a self,
        evidence: &'a Evidence,
        policy: &'a Policy,
        traces: &'a dyn Fn(usize) -> Traces,
    ) -> Docket<'a> {
        Docket {
            entries: &self.reading.scan.entries,
            facts: &self.facts,
            evidence,
            policy,
            traces,
            bytes: self.reading.bytes,
            budget: self.budget,
        }
    }
}

impl Diagnosis {
    /// The clock of every verdict.
    pub fn now(&self) -> Millis {
        self.evidence.now
    }

    /// Stores that are acted on and were read whole.
    pub fn judged(&self) -> impl Iterator<Item = (&StoreFile, &Judged)> {
        self.stores.iter().filter(|store| store.is_told()).filter_map(|store| match &store.condition {
            Condition::Whole(judged) => Some((&store.file, judged.as_ref())),
            _ => None,
        })
    }
}
