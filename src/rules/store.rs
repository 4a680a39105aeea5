//! Store rules: what OpenClaw would make of the file as it is.

use crate::model::verdict::Rule;
use crate::scan::automaton::{Kind, Outcome};
use crate::scan::entries::Scan;
use crate::scan::fault::{Expected, Fault};
use crate::scan::salvage::{Gap, Salvage, What};

/// The largest store that OpenClaw can read, in bytes. It reads one as a single string (`readFileSync(path, "utf-8")`), and Node refuses a larger
/// file, however few characters its bytes are; OpenClaw then takes the store for empty.
pub const LARGEST: u64 = 536_870_887;

macro_rules! rules {
    ($($(#[$doc:meta])* $name:ident = $id:literal, $title:literal;)*) => {
        $($(#[$doc])* pub static $name: Rule = Rule { id: $id, class: None, title: $title };)*
    };
}

rules! {
    /// No file, though its traces remain.
    MISSING = "store-missing", "the store is gone while its traces remain";
    /// Nothing in it.
    EMPTY = "store-empty", "the file is empty";
    /// It ends too early.
    TRUNCATED = "store-truncated", "the file ends too early";
    /// Broken somewhere.
    CORRUPT = "store-corrupt", "the file stops being JSON";
    /// A byte order mark.
    BOM = "store-bom", "a byte order mark stands before the store";
    /// Something behind the store.
    TRAILING_BYTES = "store-trailing-bytes", "something stands behind the store";
    /// JSON, but no object.
    NOT_AN_OBJECT = "store-not-an-object", "the file holds no object";
    /// OpenClaw loads it, with replacement characters.
    INVALID_UTF8 = "store-invalid-utf8", "bytes that are not UTF-8";
    /// A rotation holds what the store lacks.
    ROTATED_AWAY = "store-rotated-away", "a rotation took the store's entries away";
    /// Something names keys that are in no store.
    WIPED = "store-wiped", "the store lacks sessions that other files name";
    /// An entry that was brought back.
    RECOVERED = "recovered", "an entry that was brought back";
    /// Longer than one Node string.
    OVERSIZED = "store-oversized", "the store is longer than one string of Node";
    /// What it costs the gateway's heap.
    HEAP_FORECAST = "heap-forecast", "what the store costs the gateway's heap";
    /// Sessions or jobs live in SQLite.
    ERA_SQLITE = "era-sqlite", "this OpenClaw keeps state in SQLite";
    /// A gateway of the state directory lives.
    GATEWAY_RUNNING = "gateway-running", "the gateway runs";
    /// It is not known whether one does.
    GATEWAY_UNKNOWN = "gateway-unknown", "it is not known whether the gateway runs";
    /// A store lock whose owner is dead.
    LOCK_STALE = "lock-stale", "a store lock whose owner is dead";
    /// The configuration is not resolved.
    CONFIG_UNREADABLE = "config-unreadable", "the configuration is not resolved";
    /// The job list was not read whole.
    CRON_JOBS_UNREADABLE = "cron-jobs-unreadable", "the job list was not read whole";
    /// A run log could not be read.
    RUN_LOG_UNREADABLE = "run-log-unreadable", "a run log could not be read";
    /// A line of a run log does not parse.
    RUN_LOG_TORN = "run-log-torn", "lines of a run log do not parse";
    /// The sub-agent registry could not be read.
    REGISTRY_UNREADABLE = "registry-unreadable", "the sub-agent registry could not be read";
    /// A sessions directory could not be listed.
    TRANSCRIPTS_UNREADABLE = "transcripts-unreadable", "a sessions directory could not be listed";
    /// A brake tripped.
    BRAKE_TRIPPED = "brake-tripped", "a family would have lost too much";
    /// Running or interrupted.
    INTERRUPTED = "interrupted", "sessions that say running, which OpenClaw may resume";
    /// No transcript.
    MISSING_TRANSCRIPT = "missing-transcript", "sessions without a transcript";
}

/// Where and how a store is damaged, so that OpenClaw would take it for empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damaged {
    /// What it is called.
    pub rule: &'static Rule,
    /// First byte.
    pub start: u64,
    /// One past the last byte.
    pub end: u64,
    /// Counted from 1.
    pub line: u64,
    /// Counted from 1, in UTF-16 units.
    pub column: u64,
    /// What was expected, and what stands there.
    pub detail: String,
}

/// Everything that keeps OpenClaw from reading the store; empty for a store that it loads.
pub fn damage(scan: &Scan, bytes: u64) -> Vec<Damaged> {
    let mut found = Vec::new();
    if scan.bom {
        let detail = "a byte order mark; JSON.parse refuses it".to_owned();
        found.push(Damaged { rule: &BOM, start: 0, end: 3, line: 1, column: 1, detail });
    }
    let outcome = &scan.outcome;
    if let Some(fault) = &outcome.fault {
        let rule = fault_rule(outcome);
        let end = if rule == &EMPTY || fault.is_end() { bytes } else { bytes.max(fault.offset + 1) };
        let detail = if rule == &EMPTY { empty_detail(bytes) } else { fault.to_string() };
        let start = if rule == &EMPTY { 0 } else { fault.offset };
        found.push(Damaged { rule, start, end, line: fault.line, column: fault.column, detail });
    } else if outcome.root != Some(Kind::Object) {
        let detail = format!("the root is {}, where OpenClaw needs an object", kind_name(outcome.root));
        found.push(Damaged {
            rule: &NOT_AN_OBJECT,
            start: outcome.root_start,
            end: outcome.root_end,
            line: 1,
            column: 1,
            detail,
        });
    }
    found
}

/// The places of a salvaged file that hold no sound entry, and how many more there are.
pub fn gaps(found: &Salvage) -> (Vec<Damaged>, u64) {
    let gap = |gap: &Gap| Damaged {
        rule: gap_rule(gap.what),
        start: gap.range.start,
        end: gap.range.end,
        line: gap.line,
        column: gap.column,
        detail: gap_detail(gap),
    };
    let told: Vec<Damaged> = found.damage.iter().map(gap).collect();
    let rest = found.gaps - told.len() as u64;
    (told, rest)
}

fn gap_detail(gap: &Gap) -> String {
    let what = match gap.what {
        What::ByteOrderMark => "a byte order mark; JSON.parse refuses it".to_owned(),
        What::CutShort => "the file ends too early".to_owned(),
        What::Zeros => "NUL bytes".to_owned(),
        What::MissingComma => "no comma between two entries".to_owned(),
        What::SurplusComma => "a comma with no entry behind it".to_owned(),
        What::EntryWithoutEnd => "an entry begins before the one in front of it ended".to_owned(),
        What::SecondDocument => "another object behind the end of the first".to_owned(),
        What::TrailingBytes => "something behind the end".to_owned(),
        What::NoObject => "no object, or something in front of it".to_owned(),
        What::Fault { offset, expected, found } => {
            Fault { offset, line: gap.line, column: gap.column, position: 0, expected, found }.to_string()
        }
    };
    match &gap.key {
        Some(key) => format!("{what}; the entry {key} is not whole"),
        None => what,
    }
}

fn gap_rule(what: What) -> &'static Rule {
    match what {
        What::ByteOrderMark => &BOM,
        What::CutShort => &TRUNCATED,
        What::SecondDocument | What::TrailingBytes => &TRAILING_BYTES,
        What::NoObject => &NOT_AN_OBJECT,
        What::Zeros
        | What::MissingComma
        | What::SurplusComma
        | What::EntryWithoutEnd
        | What::Fault { .. } => &CORRUPT,
    }
}

fn fault_rule(outcome: &Outcome) -> &'static Rule {
    let Some(fault) = &outcome.fault else { return &CORRUPT };
    if fault.is_end() && outcome.root.is_none() {
        &EMPTY
    } else if outcome.root_ended && fault.expected == Expected::End {
        if outcome.root == Some(Kind::Object) { &TRAILING_BYTES } else { &NOT_AN_OBJECT }
    } else if fault.is_end() {
        &TRUNCATED
    } else {
        &CORRUPT
    }
}

fn empty_detail(bytes: u64) -> String {
    if bytes == 0 { "no byte in it".to_owned() } else { "nothing but white space in it".to_owned() }
}

fn kind_name(kind: Option<Kind>) -> &'static str {
    match kind {
        Some(Kind::Object) => "an object",
        Some(Kind::Array) => "an array",
        Some(Kind::String) => "a string",
        Some(Kind::Number) => "a number",
        Some(Kind::Bool) => "true or false",
        Some(Kind::Null) | None => "null",
    }
}
