//! Files and their problems, as values: public, as `docs/interface.md` has them.

use std::io;

use schemars::JsonSchema;
use serde::Serialize;

use crate::report::model::{
    CronJobReport, Era, EvidenceItem, Finding, GatewayReport, OpenclawReads, RunReport, Severity, Tool,
};
use crate::report::schema::words;

/// One file.
#[derive(Clone, Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FileRow {
    /// As it was named; `-` for what came by stdin.
    pub path: String,
    /// `store`, `jobs`, `jobs-state` or `run-log`.
    #[schemars(extend("enum" = ["store", "jobs", "jobs-state", "run-log"]))]
    pub kind: &'static str,
    /// In a word.
    pub verdict: FileVerdict,
    /// What the version makes of it.
    pub openclaw_reads: OpenclawReads,
    /// Keys as Node would hold them; of a list or a log, its elements or lines.
    pub entries: u64,
    /// Problems that are errors.
    pub errors: u64,
    /// Problems that are warnings.
    pub warnings: u64,
}

/// A file in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum FileVerdict {
    /// Nothing is wrong.
    Valid,
    /// It loads, and something is wrong.
    Problems,
    /// It does not load.
    Damaged,
}

/// One thing that is wrong, and where.
#[derive(Clone, Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Problem {
    /// A rule id.
    #[schemars(with = "words::RuleId")]
    pub check_id: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// A sentence.
    pub message: String,
    /// The key of the entry, or the id of the job.
    pub key: Option<String>,
    /// Counted from 1.
    #[schemars(range(min = 1))]
    pub line: u64,
    /// Counted from 1, in UTF-16 units.
    #[schemars(range(min = 1))]
    pub column: u64,
    /// Bytes from the start of the file.
    pub offset: u64,
    /// What stands there, for people.
    #[serde(skip)]
    pub excerpt: Excerpt,
}

/// A piece of a line around a place.
#[derive(Clone, Debug, Default)]
pub struct Excerpt {
    /// What stands before the place.
    pub before: Vec<u8>,
    /// What begins there.
    pub after: Vec<u8>,
    /// Whether the line begins further to the left.
    pub cut_before: bool,
    /// Whether it goes on to the right.
    pub cut_after: bool,
}

/// Gives the problems of a file one at a time.
pub trait Problems {
    /// Calls `sink` for each, in the order of the file.
    fn for_each(&mut self, sink: &mut dyn FnMut(&Problem) -> io::Result<()>) -> io::Result<()>;
}

/// What stands around the files.
#[derive(Clone, Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Frame {
    /// Always `sessions-doctor/report`.
    #[schemars(extend("const" = "sessions-doctor/report"))]
    pub schema: &'static str,
    /// Always 1.
    #[schemars(extend("const" = 1))]
    pub version: u32,
    /// Who wrote it.
    pub tool: Tool,
    /// Always `validate`.
    #[schemars(extend("const" = "validate"))]
    pub command: String,
    /// Always false.
    #[schemars(extend("const" = false))]
    pub applied: bool,
    /// The clock.
    pub now: i64,
    /// Nothing is known of one.
    pub state_dir: Option<String>,
    /// Nothing is known of it.
    pub era: Era,
    /// Nothing is known of one.
    pub gateway: GatewayReport,
    /// None is needed.
    pub evidence: Vec<EvidenceItem>,
    /// None is judged.
    pub cron_jobs: Vec<CronJobReport>,
    /// None is made.
    pub runs: Vec<RunReport>,
    /// The version of OpenClaw that files are held against.
    pub openclaw: &'static str,
}

/// What is known at the end.
#[derive(Clone, Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Closing {
    /// Files that could not be looked at.
    pub findings: Vec<Finding>,
    /// Whether all were looked at.
    pub complete: bool,
    /// What the process exits with.
    #[schemars(extend("enum" = words::exit_codes()))]
    pub exit_code: u8,
}

/// A way of saying it: once [`Speaker::begin`], then a [`Speaker::file`] for each, once [`Speaker::end`].
pub trait Speaker {
    /// Before the first file.
    fn begin(&mut self, out: &mut dyn io::Write, frame: &Frame) -> io::Result<()>;
    /// A file and its problems.
    fn file(&mut self, out: &mut dyn io::Write, row: &FileRow, problems: &mut dyn Problems)
    -> io::Result<()>;
    /// After the last file.
    fn end(&mut self, out: &mut dyn io::Write, closing: &Closing) -> io::Result<()>;
}
