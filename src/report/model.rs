//! The report as a value: version 1 of the public JSON, and what the human text is written from.
//!
//! Field names, types and order are frozen (`docs/interface.md`): a field may be added, none lost or
//! retyped. Times are epoch milliseconds, sizes bytes, spans half-open byte ranges. Unknown is `None`
//! (`null`), never a guess. Lists of a store are cut to the 100 largest by whoever fills them, with one
//! more row named `other`; only `changes` is unbounded, and is therefore streamed through [`Changes`].

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::schema::{self, words};
use crate::model::Millis;

/// Everything but the stores' changes, which are streamed.
#[derive(Clone, Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(description = "What every verb reports, but for a `validate` that came to its files.")]
pub struct Report {
    /// Always `sessions-doctor/report`.
    #[schemars(extend("const" = "sessions-doctor/report"))]
    pub schema: &'static str,
    /// Always 1.
    #[schemars(extend("const" = 1))]
    pub version: u32,
    /// Who wrote it.
    pub tool: Tool,
    /// The verb, e.g. `prune`.
    #[schemars(extend("enum" = words::verbs()))]
    pub command: String,
    /// Whether the run was allowed to write.
    pub applied: bool,
    /// The clock of every verdict.
    pub now: Millis,
    /// The state directory, where one was found or named.
    pub state_dir: Option<String>,
    /// Where sessions and cron jobs live.
    pub era: Era,
    /// What is known of the gateway's life.
    pub gateway: GatewayReport,
    /// What was read to judge the entries.
    pub evidence: Vec<EvidenceItem>,
    /// Cron jobs with a verdict of their own (command `cron`).
    pub cron_jobs: Vec<CronJobReport>,
    /// Files with a verdict of their own (command `sweep`).
    pub files: Vec<FileReport>,
    /// Runs of this tool (command `undo`).
    pub runs: Vec<RunReport>,
    /// One per store file.
    #[schemars(with = "Vec<schema::Store>")]
    pub stores: Vec<StoreReport>,
    /// Observations with a severity.
    pub findings: Vec<Finding>,
    /// False where a late failure cut the report short.
    pub complete: bool,
    /// What the process exits with.
    #[schemars(extend("enum" = words::exit_codes()))]
    pub exit_code: u8,
}

/// Name and version of this program.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct Tool {
    /// `sessions-doctor`.
    #[schemars(extend("const" = "sessions-doctor"))]
    pub name: &'static str,
    /// The crate's version.
    pub version: &'static str,
}

/// Where OpenClaw keeps its state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Era {
    /// `sessions.json` and `cron/jobs.json`.
    Json,
    /// `sessions.json`, but cron jobs in `state/openclaw.sqlite`.
    CronSqlite,
    /// Everything in SQLite.
    Sqlite,
    /// Could not be told.
    Unknown,
}

/// The gateway's life, as far as it is known.
#[derive(Clone, Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GatewayReport {
    /// `None`: unknown.
    pub running: Option<bool>,
    /// Its process id.
    pub pid: Option<u32>,
    /// When it started.
    pub started_at: Option<Millis>,
    /// Its version.
    pub version: Option<String>,
    /// What the look found, a sentence each.
    pub evidence: Vec<String>,
}

/// One thing that was read, or could not be.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct EvidenceItem {
    /// `config`, `cron-jobs`, `cron-state`, `run-logs`, `registry`, `transcripts`, `sqlite`.
    #[schemars(extend("enum" = words::evidence()))]
    pub kind: &'static str,
    /// Where it lies.
    pub path: String,
    /// How the reading went.
    pub state: EvidenceState,
}

/// How the reading of a piece of evidence went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum EvidenceState {
    /// Whole.
    Read,
    /// Not there.
    Missing,
    /// There, and not readable.
    Unreadable,
    /// Read in part.
    Partial,
}

/// A cron job with a verdict of its own.
#[derive(Clone, Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CronJobReport {
    /// The job's id.
    pub job_id: String,
    /// Its name.
    pub name: Option<String>,
    /// A rule id.
    #[schemars(with = "words::RuleId")]
    pub verdict: String,
    /// Its marker.
    pub running_at_ms: Option<Millis>,
    /// Why.
    pub reasons: Vec<String>,
    /// Whether it is enabled; `None` for the row of all others. This field and those behind it are additive.
    pub enabled: Option<bool>,
    /// When it runs, in words.
    pub schedule: String,
    /// Finished runs that its log tells of.
    pub runs: u64,
    /// When it last ran.
    pub last_run_at: Option<Millis>,
    /// How that went.
    pub last_status: Option<String>,
    /// When it runs next.
    pub next_run_at_ms: Option<Millis>,
    /// Median time between its latest runs.
    pub median_interval_ms: Option<Millis>,
    /// The shortest time that its schedule leaves between two runs, where it was needed.
    pub expected_interval_ms: Option<Millis>,
    /// How sure the verdict on the marker is.
    #[schemars(extend("enum" = words::or_null(words::confidences())))]
    pub confidence: Option<&'static str>,
    /// What the next start of OpenClaw does with the marker, and what clearing it changes.
    pub next_start: Option<String>,
    /// `clear`, or `keep`.
    #[schemars(extend("enum" = ["clear", "keep"]))]
    pub action: String,
    /// What became of it: `applied`, `unchanged`, `busy`, `refused` or `failed`.
    pub outcome: Outcome,
}

/// What the row is called that stands for the rest of a long list.
pub const OTHER: &str = "other";

/// A file with a verdict of its own. Of a long list the 100 largest are told, and `other` for the rest of each rule.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct FileReport {
    /// Where it lies.
    pub path: String,
    /// A rule id.
    #[schemars(schema_with = "schema::rule_of_file")]
    pub rule: String,
    /// What would be, or was, done.
    #[schemars(extend("enum" = words::deeds()))]
    pub action: String,
    /// Its size.
    pub bytes: u64,
    /// Where it went.
    pub to: Option<String>,
}

/// A run of this tool that can be undone.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct RunReport {
    /// The run id.
    pub run: String,
    /// Its verb.
    pub command: String,
    /// When it started.
    pub at: Millis,
    /// `intended`, `done` or `rolled-back`.
    #[schemars(extend("enum" = ["intended", "done", "rolled-back"]))]
    pub state: String,
    /// The store that it changed.
    pub path: String,
    /// Entries that it removed.
    pub removed: u64,
    /// Entries that it healed.
    pub healed: u64,
    /// Entries of which it stripped caches.
    pub slimmed: u64,
    /// Entries that it put back, or recovered.
    pub restored: u64,
    /// Files that it moved or deleted; additive field.
    pub files: u64,
    /// Bytes that it keeps.
    pub bytes: u64,
}

/// One store file.
#[derive(Clone, Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StoreReport {
    /// The agents that use the file.
    pub agent_ids: Vec<String>,
    /// Where it lies.
    pub path: String,
    /// Its size; `None` where it is missing.
    pub bytes: Option<u64>,
    /// In a word.
    pub verdict: StoreVerdict,
    /// What became of it.
    pub outcome: Outcome,
    /// What the running OpenClaw makes of the file as it is.
    pub openclaw_reads: OpenclawReads,
    /// Counts of entries.
    pub entries: EntryCounts,
    /// Its size after the plan.
    pub bytes_after: Option<u64>,
    /// By class: `zombie`, `orphaned`, `stale`, `surplus`, `malformed`, `live`.
    #[schemars(extend("propertyNames" = words::names(words::classes())))]
    pub classes: BTreeMap<String, Tally>,
    /// By class, then by action (`remove`, `drop`, `heal`, `slim`, `keep`): what the plan does with whom; additive field.
    #[schemars(schema_with = "schema::tallies_by_class_and_action")]
    pub class_actions: BTreeMap<String, BTreeMap<String, Tally>>,
    /// By rule id.
    #[schemars(schema_with = "schema::tallies_by_rule")]
    pub rules: BTreeMap<String, Tally>,
    /// By reason for keeping (`protected-main`, …, and `grace`, `confidence`, `brake`, `scope`); additive field.
    #[schemars(extend("propertyNames" = words::names(words::keepers())))]
    pub kept_because: BTreeMap<String, Tally>,
    /// Families that a safety brake left out.
    pub brakes: Vec<BrakeReport>,
    /// Cron jobs by bytes.
    pub jobs: Vec<JobReport>,
    /// Entry fields by bytes.
    pub fields: Vec<FieldReport>,
    /// White space outside strings.
    pub whitespace_bytes: Option<u64>,
    /// By family of the key; additive field.
    #[schemars(extend("propertyNames" = words::names(words::families())))]
    pub families: BTreeMap<String, Tally>,
    /// By the agent that the key names, the largest first; additive field.
    pub agents: Vec<AgentReport>,
    /// What stands in it more than once; `None` where nobody looked; additive field.
    pub copies: Option<Copies>,
    /// How fast it grows; `None` where too little was made to tell; additive field.
    pub growth: Option<Growth>,
    /// What the file costs the gateway's heap.
    pub forecast: Option<Forecast>,
    /// Where the file is damaged.
    pub damage: Vec<Damage>,
    /// Damage rows beyond the first 1,000.
    pub damage_omitted: u64,
    /// Where recovered entries came from.
    pub sources: Vec<SourceReport>,
    /// The backup that a write made.
    pub backup: Option<Backup>,
}

/// A store in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum StoreVerdict {
    /// Nothing to do.
    Healthy,
    /// Something to do.
    Findings,
    /// OpenClaw cannot read it.
    Damaged,
    /// Not there while its traces are.
    Missing,
}

/// What became of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// The plan was applied.
    Applied,
    /// Nothing was written.
    Unchanged,
    /// The tool declined.
    Refused,
    /// Locked, in use, or changed meanwhile.
    Busy,
    /// Input or output failed.
    Failed,
}

/// What the running OpenClaw makes of the file as it is.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct OpenclawReads {
    /// How many entries it sees; `None` where that was not established.
    pub entries: Option<u64>,
    /// `all`, `empty` or `partial`.
    #[schemars(extend("enum" = ["all", "empty", "partial"]))]
    pub outcome: &'static str,
}

/// Counts of entries; dropped duplicates are not entries.
#[derive(Clone, Copy, Debug, Default, JsonSchema, Serialize)]
pub struct EntryCounts {
    /// Keys as Node would hold them.
    pub total: u64,
    /// Kept, healed and slimmed ones included.
    pub kept: u64,
    /// Removed.
    pub removed: u64,
    /// Healed.
    pub healed: u64,
    /// Slimmed.
    pub slimmed: u64,
    /// Recovered.
    pub recovered: u64,
}

/// How many entries, and how many bytes they take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, JsonSchema, Serialize)]
pub struct Tally {
    /// Entries.
    pub entries: u64,
    /// Bytes from key to value.
    pub bytes: u64,
}

impl Tally {
    /// Counts one more.
    pub fn add(&mut self, bytes: u64) {
        self.entries += 1;
        self.bytes += bytes;
    }
}

/// A family that would have lost more than the brake allows.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct BrakeReport {
    /// The family, e.g. `sub-agent`.
    #[schemars(extend("enum" = words::families()))]
    pub family: String,
    /// The share that would go, in percent.
    pub share: f64,
    /// How many entries would go.
    pub entries: u64,
}

/// A cron job's part of a store.
#[derive(Clone, Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct JobReport {
    /// The job's id; `other` for the rest of a long list.
    pub job_id: String,
    /// Its name, where the job list or an entry's label tells.
    pub name: Option<String>,
    /// Its entries, the base included.
    pub entries: u64,
    /// Their bytes.
    pub bytes: u64,
    /// By status; `unknown` where an entry carries none.
    pub statuses: BTreeMap<String, u64>,
    /// First run.
    pub first_at: Option<Millis>,
    /// Last run.
    pub last_at: Option<Millis>,
    /// Median time between runs.
    pub median_interval_ms: Option<Millis>,
    /// Whether the job list knows it; `None` where the list could not be read.
    pub known: Option<bool>,
}

/// An entry field's part of a store.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct FieldReport {
    /// The member's name; `other` for the rest of a long list.
    pub name: String,
    /// Bytes of key and value.
    pub bytes: u64,
    /// Entries that carry it.
    pub entries: u64,
}

/// An agent's part of a store.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AgentReport {
    /// As the keys spell it; `None` for keys that name no agent, `other` for the rest of a long list.
    pub agent_id: Option<String>,
    /// Entries.
    pub entries: u64,
    /// Bytes from key to value.
    pub bytes: u64,
}

/// What of a store stands in it more than once, as far as some of its entries tell.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Copies {
    /// So many entries were looked at, evenly over the store.
    pub looked_at: u64,
    /// Of so many; where both are the same, nothing was left out.
    pub entries: u64,
    /// By field, the most copied first.
    pub fields: Vec<CopiedField>,
}

/// A field whose values were compared, in the entries that were looked at.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CopiedField {
    /// Its name, such as `skillsSnapshot` or `skillsSnapshot.prompt`.
    pub name: String,
    /// Values of it.
    pub values: u64,
    /// Different ones among them.
    pub distinct: u64,
    /// Bytes of all of them.
    pub bytes: u64,
    /// Bytes of those that stand there a second time.
    pub copied_bytes: u64,
}

/// How fast a store grows: a range, and what it rests on.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Growth {
    /// At least.
    pub bytes_per_day_low: u64,
    /// At most.
    pub bytes_per_day_high: u64,
    /// Entries that are made, at least; OpenClaw may take them out again.
    pub entries_per_day_low: u64,
    /// At most.
    pub entries_per_day_high: u64,
    /// Limits that lie before it.
    pub reaches: Vec<Reach>,
    /// What the numbers rest on.
    pub basis: String,
}

/// When a store comes to a limit.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Reach {
    /// `rotate-size`, `heap-limit` or `string-limit`.
    #[schemars(extend("enum" = ["rotate-size", "heap-limit", "string-limit"]))]
    pub limit: String,
    /// The size that may be too much.
    pub bytes_low: u64,
    /// The size that is.
    pub bytes_high: u64,
    /// At the fastest pace.
    pub earliest_at: Millis,
    /// At the slowest; `None`: never.
    pub latest_at: Option<Millis>,
}

/// What a store costs the gateway's heap: a range, and what it rests on.
#[derive(Clone, Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Forecast {
    /// At least.
    pub heap_bytes_low: u64,
    /// At most.
    pub heap_bytes_high: u64,
    /// The limit of the gateway's Node, where it can be told.
    pub heap_limit_bytes: Option<u64>,
    /// `None` where the range straddles the limit or the limit is unknown.
    pub fits: Option<bool>,
    /// What the numbers rest on.
    pub basis: String,
}

/// One place where a store is damaged.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct Damage {
    /// A store rule's id.
    #[schemars(with = "words::RuleId")]
    pub rule: String,
    /// First byte.
    pub start: u64,
    /// One past the last byte.
    pub end: u64,
    /// Counted from 1.
    #[schemars(range(min = 1))]
    pub line: u64,
    /// Counted from 1, in UTF-16 units as editors count.
    #[schemars(range(min = 1))]
    pub column: u64,
    /// What was expected.
    pub detail: String,
}

/// A file that entries were recovered from.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct SourceReport {
    /// Where it lies.
    pub path: String,
    /// `store`, `rotation`, `temporary`, `backup`, …
    #[schemars(extend("enum" = words::sources()))]
    pub kind: String,
    /// Entries in it.
    pub entries: u64,
    /// Entries taken from it.
    pub used: u64,
}

/// Where the original of a changed store lies.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct Backup {
    /// The run id, as `undo` takes it.
    pub run: String,
    /// The file.
    pub path: String,
}

/// What is, or would be, done about one entry.
#[derive(Clone, Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Change {
    /// The decoded key, cut at 1 KiB.
    pub key: String,
    /// The key's size in bytes, where it was cut.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "u64")]
    pub key_bytes: Option<u64>,
    /// The family, e.g. `run-record`.
    #[schemars(extend("enum" = words::families()))]
    pub family: &'static str,
    /// The rule's class.
    #[schemars(extend("enum" = words::or_null(words::classes())))]
    pub class: Option<&'static str>,
    /// The rule that holds.
    #[schemars(with = "words::RuleId")]
    pub rule: &'static str,
    /// `remove`, `drop`, `heal`, `slim`, `keep` or `recover`.
    #[schemars(extend("enum" = words::actions()))]
    pub action: &'static str,
    /// `certain` or `likely`; `None` for what needs no verdict.
    #[schemars(extend("enum" = words::or_null(words::confidences())))]
    pub confidence: Option<&'static str>,
    /// The first protection that holds.
    #[schemars(extend("enum" = words::or_null(words::protections())))]
    pub protected_by: Option<&'static str>,
    /// Why, with file and line.
    pub reasons: Vec<String>,
    /// The file of the span; `None`: the store.
    pub source: Option<String>,
    /// First byte of the member.
    pub start: u64,
    /// One past its last byte.
    pub end: u64,
    /// What changes inside the entry.
    pub edits: Vec<Edit>,
    /// The entry's `sessionId`.
    pub session_id: Option<String>,
    /// The entry's `updatedAt`.
    pub updated_at: Option<Millis>,
    /// The entry's `status`.
    pub status: Option<String>,
}

/// One member that changes inside an entry.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct Edit {
    /// Its name.
    pub field: String,
    /// Its value before; `null` where absent.
    pub old: serde_json::Value,
    /// Its value after; `null` where absent.
    pub new: serde_json::Value,
}

/// An observation with a severity, in the shape of OpenClaw's own lint.
#[derive(Clone, Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// A rule id.
    #[schemars(with = "words::RuleId")]
    pub check_id: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// A sentence.
    pub message: String,
    /// The file that it is about.
    pub path: Option<String>,
    /// How often it was found.
    pub count: Option<u64>,
    /// What to do about it.
    pub fix_hint: Option<String>,
}

/// How bad a finding is. `Info` never counts for the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, JsonSchema, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Worth acting on.
    Warning,
    /// Wrong.
    Error,
}

/// Gives a store's changes one at a time, so that a report of millions needs no memory.
pub trait Changes {
    /// Calls `sink` for each change of store number `store` (index into [`Report::stores`]), in file order.
    fn for_each(
        &mut self,
        store: usize,
        sink: &mut dyn FnMut(&Change) -> std::io::Result<()>,
    ) -> std::io::Result<()>;
}

/// A report without entries to list.
pub struct NoChanges;

impl Changes for NoChanges {
    fn for_each(
        &mut self,
        _store: usize,
        _sink: &mut dyn FnMut(&Change) -> std::io::Result<()>,
    ) -> std::io::Result<()> {
        Ok(())
    }
}
