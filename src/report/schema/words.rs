//! The words that a member of the report may say, for its schema: from the tables of the program where there is one in reach.
//!
//! What is not made from a table is held against the program by `tests/cli/report_schema.rs`.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};

use crate::model::key::Family;
use crate::model::verdict::{Action, Class, Confidence, Protection};
use crate::report::explain;

/// The id of a rule, a protection or a finding. A type, so that the schema lists them once.
pub enum RuleId {}

impl JsonSchema for RuleId {
    fn schema_name() -> Cow<'static, str> {
        "RuleId".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let ids: Vec<&str> = explain::ids().collect();
        json_schema!({ "description": "What `explain` has a section on.", "type": "string", "enum": ids })
    }
}

/// Classes of entries.
pub fn classes() -> Vec<&'static str> {
    Class::ALL.map(Class::name).to_vec()
}

/// Families of keys.
pub fn families() -> Vec<&'static str> {
    Family::ALL.map(Family::name).to_vec()
}

/// What is done about an entry.
pub fn actions() -> Vec<&'static str> {
    Action::ALL.map(Action::name).into_iter().chain(["recover"]).collect()
}

/// How sure a verdict is.
pub fn confidences() -> Vec<&'static str> {
    [Confidence::Certain, Confidence::Likely].map(Confidence::name).to_vec()
}

/// Protections of entries.
pub fn protections() -> Vec<&'static str> {
    Protection::ALL.map(Protection::name).to_vec()
}

/// What keeps an entry: a protection, or one of the reasons of `plan`.
pub fn keepers() -> Vec<&'static str> {
    let reasons = [
        "grace",
        "unusable-time",
        "confidence",
        "only",
        "agent",
        "brake",
        "report-only",
        "era-sqlite",
        "guard",
        "running",
    ];
    protections().into_iter().chain(reasons).collect()
}

/// Verbs that print a report, if only to say what went wrong.
pub fn verbs() -> Vec<&'static str> {
    vec!["check", "prune", "slim", "recover", "sweep", "cron", "guard", "validate", "undo", "explain", "hook"]
}

/// Kinds of evidence.
pub fn evidence() -> Vec<&'static str> {
    vec!["config", "cron-jobs", "cron-state", "run-logs", "registry", "transcripts", "sqlite"]
}

/// What entries are recovered from.
pub fn sources() -> Vec<&'static str> {
    vec!["store", "rotation", "temporary", "backup", "transcripts"]
}

/// What is done about a file: by `sweep`, `cron`, `undo` and `hook`.
pub fn deeds() -> Vec<&'static str> {
    vec![
        "move", "archive", "delete", "remove", "clear", "restore", "create", "replace", "keep", "refuse",
        "none",
    ]
}

/// What the process exits with.
pub fn exit_codes() -> Vec<u8> {
    explain::exit_codes().filter_map(|code| code.parse().ok()).collect()
}

/// The same words, or nothing.
pub fn or_null(words: Vec<&'static str>) -> Vec<Option<&'static str>> {
    words.into_iter().map(Some).chain([None]).collect()
}

/// The words as names of members.
pub fn names(words: Vec<&'static str>) -> Value {
    json!({ "enum": words })
}
