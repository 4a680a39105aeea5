//! Whole OpenClaw state directories of any size, with the answer that the tool must give beside them.
//!
//! The answer comes from how a store is made ("this record is the 40th of a job that is in no list"), never from the tool's own
//! rules, so the two can be compared. It holds for [`Options::now`], with the gateway established as stopped (`--gateway stopped`),
//! the default policy, and nothing but the generated directory to look at.
//!
//! ```text
//! <out>/expected.jsonl      an answer for each entry, in the order of the store ([`expected::Expected`])
//! <out>/summary.json        the sums ([`expected::Summary`])
//! <out>/state/              the state directory (0700)
//!     openclaw.json         only where asked for
//!     agents/<id>/sessions/ sessions.json (0600), transcripts
//!     cron/                 jobs.json, runs/<jobId>.jsonl
//!     subagents/runs.json   where the shape has sub-agents
//! ```
//!
//! The text of the store is exactly that of `JSON.stringify(store, null, 2)` (or without white space). Everything follows from the
//! options alone. Entries are written as they are made, so a store of several GB takes a few MB of memory. Included by test files
//! (`#[path = "generate/lib.rs"] mod generate;`) and by the example `generate-store`.

#![allow(dead_code, reason = "every binary that includes this uses a part of it")]

pub mod caches;
pub mod cron;
pub mod entry;
pub mod expected;
pub mod json;
pub mod others;
pub mod rng;
pub mod shapes;
mod write;

use std::io;
use std::path::Path;

use cron::{DELETED, JOBS, RAPID, RUNNING, SILENT};
use expected::Summary;

/// A second, in the unit of all times.
pub const SECOND: i64 = 1_000;
/// A minute.
pub const MINUTE: i64 = 60 * SECOND;
/// An hour.
pub const HOUR: i64 = 60 * MINUTE;
/// A day.
pub const DAY: i64 = 24 * HOUR;
/// 2026-11-21T01:14:30Z.
pub const DEFAULT_NOW: i64 = 1_795_223_670_000;
/// Mean bytes of an entry in the reported store: 185 MB over 6,539 entries.
pub const DEFAULT_ENTRY_BYTES: u64 = 28_292;

/// What a store is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// The reported store: 6,539 entries, three patterns of run records, a deleted job, and one entry of every kind that must stay.
    Issue61633,
    /// One job in a rapid loop: 2,016 records that say `running` and 59 without a status, within 25 minutes.
    Rapid,
    /// One slow job: 2,085 records that say `running` and 151 `failed`, within two days.
    SlowRunning,
    /// One slow job: 2,000 records without a status, within six days.
    SlowNone,
    /// Nothing is to be removed or healed.
    Quiet,
}

impl Shape {
    /// All of them, by name.
    pub const ALL: [(&'static str, Self); 5] = [
        ("issue-61633", Self::Issue61633),
        ("rapid", Self::Rapid),
        ("slow-running", Self::SlowRunning),
        ("slow-none", Self::SlowNone),
        ("quiet", Self::Quiet),
    ];

    /// Number of entries where none is asked for.
    pub fn default_entries(self) -> u64 {
        match self {
            Self::Issue61633 => 6_539,
            Self::Rapid => 2_075 + 2,
            Self::SlowRunning => 2_236 + 2,
            Self::SlowNone => 2_000 + 2,
            Self::Quiet => 500,
        }
    }

    /// Records of each job and how many of them are of its rarer kind, as in the reported store.
    ///
    /// The deleted job's 211 records are part of the slow patterns: 60 of the 2,085 that say `running`, 151 of the 2,000 that say
    /// nothing. All run records together are 6,311, the four bases and 224 others make 6,539.
    fn pattern(self) -> [(u64, u64); JOBS] {
        match self {
            Self::Issue61633 => [(2_075, 59), (2_025 + 151, 151), (1_849, 0), (211, 60)],
            Self::Rapid => [(2_075, 59), (0, 0), (0, 0), (0, 0)],
            Self::SlowRunning => [(0, 0), (2_236, 151), (0, 0), (0, 0)],
            Self::SlowNone => [(0, 0), (0, 0), (2_000, 0), (0, 0)],
            Self::Quiet => [(100, 0), (100, 0), (100, 0), (0, 0)],
        }
    }
}

/// Which entries get a transcript.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transcripts {
    /// None.
    None,
    /// Bases, one record in fifty, and most others.
    Some,
    /// All.
    All,
}

/// What to make. All of it follows from these.
#[derive(Clone, Debug)]
pub struct Options {
    /// What the store is like.
    pub shape: Shape,
    /// Number of entries; `None` for the shape's own.
    pub entries: Option<u64>,
    /// Mean bytes of an entry with its separators.
    pub entry_bytes: u64,
    /// Blanks per level; 0 for a compact store. The side files keep OpenClaw's own style.
    pub indent: usize,
    /// Share of entries, 0 to 1, whose texts hold non-ASCII letters.
    pub non_ascii: f64,
    /// Seed of all chance.
    pub seed: u64,
    /// The present, epoch milliseconds.
    pub now: i64,
    /// The agent.
    pub agent: String,
    /// Which entries get a transcript.
    pub transcripts: Transcripts,
    /// Whether to write an `openclaw.json` that says what are the defaults anyway.
    pub config: bool,
}

impl Options {
    /// The shape as it was reported.
    pub fn new(shape: Shape) -> Self {
        Self {
            shape,
            entries: None,
            entry_bytes: DEFAULT_ENTRY_BYTES,
            indent: 2,
            non_ascii: 0.0,
            seed: 61_633,
            now: DEFAULT_NOW,
            agent: "main".to_owned(),
            transcripts: Transcripts::Some,
            config: false,
        }
    }

    /// The number of entries that will be made.
    pub fn entries(&self) -> u64 {
        self.entries.unwrap_or_else(|| self.shape.default_entries())
    }
}

/// What every entry of one store shares.
pub struct World {
    seed: u64,
    now: i64,
    agent: String,
    quiet: bool,
    jobs: [String; JOBS],
}

/// How many entries of which part a store has.
struct Counts {
    records: [(u64, u64); JOBS],
    bases: Vec<usize>,
    kinds: Vec<entry::Entry>,
    more: u64,
}

impl Counts {
    fn new(options: &Options, world: &World) -> Self {
        let shape = options.shape;
        let pattern = shape.pattern();
        let bases: Vec<usize> = (0..JOBS).filter(|&job| pattern[job].0 > 0).collect();
        let mixed = matches!(shape, Shape::Issue61633 | Shape::Quiet);
        let mut kinds = others::kinds(world, mixed);
        if !mixed {
            kinds.truncate(1);
        }
        let entries = options.entries();
        let fixed = (bases.len() + kinds.len()) as u64;
        assert!(entries >= fixed + 20, "this shape needs at least {} entries", fixed + 20);
        let more = match shape {
            // 224 of the 6,539 are no cron entries.
            Shape::Issue61633 => (entries * 224 / 6_539).saturating_sub(kinds.len() as u64),
            Shape::Quiet => (entries - fixed) / 2,
            _ => 0,
        };
        let records = share(entries - fixed - more, pattern);
        Self { records, bases, kinds, more }
    }
}

/// `total` records in the proportions of `pattern`, rarer kinds included; every part that the pattern has gets one at least.
fn share(total: u64, pattern: [(u64, u64); JOBS]) -> [(u64, u64); JOBS] {
    let whole: u64 = pattern.iter().map(|(count, _)| count).sum();
    let mut records = pattern.map(|(count, marked)| {
        let part = u128::from(count) * u128::from(total) / u128::from(whole);
        let part = (part as u64).max(u64::from(count > 0));
        let marked = (marked * part).checked_div(count).unwrap_or(0);
        (part, marked)
    });
    // What rounding left over goes to the largest part.
    let given: u64 = records.iter().map(|(count, _)| count).sum();
    let largest = (0..JOBS).max_by_key(|&job| pattern[job].0).expect("a pattern has jobs");
    records[largest].0 = records[largest].0 + total - given;
    records
}

/// Makes a state directory and its answers below `out`, which is empty or does not exist; returns the sums.
///
/// # Errors
///
/// Where something cannot be written, or `out` holds anything.
pub fn generate(out: &Path, options: &Options) -> io::Result<Summary> {
    let mut world = World {
        seed: options.seed,
        now: options.now,
        agent: options.agent.clone(),
        quiet: options.shape == Shape::Quiet,
        jobs: Default::default(),
    };
    for job in [RAPID, RUNNING, SILENT, DELETED] {
        world.jobs[job] = cron::job_id(&world, job);
    }
    let counts = Counts::new(options, &world);
    write::write(out, options, &world, counts)
}
