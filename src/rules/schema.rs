//! The JSON Schema of a `sessions.json`: what the rules of [`validate`](super::validate) say of one value, from the tables that they use.
//!
//! It accepts a file in which `validate` finds nothing, or only what no schema can say. Errors and warnings are the same here,
//! and the version of OpenClaw is the newest that reads the file.

use serde_json::{Map, Value, json};

use super::validate::{
    Check, borrowed, future_time, hybrid_key, legacy_field, no_session_id, path_escape, run_id_mismatch,
    seconds, time_order, wrong_type,
};
use crate::model::key::CRON_BASE;
use crate::openclaw::entry_fields::{Known, Wanted};
use crate::openclaw::layout::{SAFE_SESSION_ID, TRANSCRIPT_ID};
use crate::openclaw::versions::Version;

/// Rules whose problems the schema finds, every one of them.
pub static SAID: [&Check; 6] = [
    &borrowed::MALFORMED_ENTRY,
    &borrowed::MALFORMED_SESSION_ID,
    &no_session_id::CHECK,
    &wrong_type::CHECK,
    &seconds::CHECK,
    &legacy_field::CHECK,
];

/// Rules of which it finds some problems: of a key its form, and of its capitals those of the agent alone.
pub static SAID_IN_PART: [&Check; 1] = [&hybrid_key::CHECK];

/// Rules that look at more than one value: at the text, at another entry, at another member, at the clock, or at where
/// the file lies.
pub static NOT_SAID: [&Check; 7] = [
    &borrowed::INVALID_UTF8,
    &borrowed::DUPLICATE_KEY,
    &borrowed::ALIAS_KEY,
    &run_id_mismatch::CHECK,
    &time_order::CHECK,
    &future_time::CHECK,
    &path_escape::CHECK,
];

/// The schema of a store, as a document of draft 2020-12.
pub fn document() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "OpenClaw sessions.json",
        "description": description(),
        "type": "object",
        "propertyNames": {
            "description": "agent:<id>:<rest>, or one of the two keys that belong to no agent.",
            "pattern": hybrid_key::FORM,
        },
        "patternProperties": { (CRON_BASE): { "$ref": "#/$defs/entry" } },
        "additionalProperties": { "$ref": "#/$defs/namedEntry" },
        "$defs": {
            "entry": entry(),
            "namedEntry": {
                "description": "Only the standing entry of a cron job may have no sessionId: it gets one with its first transcript.",
                "$ref": "#/$defs/entry",
                "required": [Known::SESSION_ID.name()],
            },
            "time": time(true),
            "requiredTime": time(false),
        },
    })
}

fn description() -> String {
    format!(
        "A store of sessions as OpenClaw {} reads it. It is valid where `sessions-doctor validate` finds none of {}, be they errors or \
         warnings. Of {} it knows the form of a key, and of its capitals those of the agent alone. What takes more than a look at one value it cannot say: {}; \
         and what is no JSON is for the reader of the file. Members that nothing is known of may hold anything.",
        Version::newest().name(),
        ids(&SAID),
        ids(&SAID_IN_PART),
        ids(&NOT_SAID),
    )
}

fn ids(checks: &[&Check]) -> String {
    checks.iter().map(|check| check.rule.id).collect::<Vec<_>>().join(", ")
}

fn entry() -> Value {
    let (id, file) = (Known::SESSION_ID.name(), Known::SESSION_FILE.name());
    let members: Map<String, Value> =
        Known::all().map(|member| (member.name().to_owned(), value_of(member))).collect();
    json!({
        "type": "object",
        "required": [Known::UPDATED_AT.name()],
        "properties": members,
        "additionalProperties": true,
        "if": { "required": [id], "properties": { (id): { "not": { "pattern": TRANSCRIPT_ID } } } },
        "then": {
            "$comment": "An id that no transcript can be named after stays only beside the name of one.",
            "required": [file],
            "properties": { (file): { "type": "string" } },
        },
    })
}

fn value_of(member: Known) -> Value {
    match (member, member.wanted()) {
        (Known::SESSION_ID, _) => json!({ "type": "string", "pattern": SAFE_SESSION_ID }),
        (Known::UPDATED_AT, _) => json!({ "$ref": "#/$defs/requiredTime" }),
        (_, Wanted::Time) => json!({ "$ref": "#/$defs/time" }),
        (_, Wanted::Legacy) => json!({
            "description": format!("An older name: OpenClaw reads it as {}.", legacy_field::successor(member.name())),
            "deprecated": true,
            "not": {},
        }),
        // `null` is as good as no member.
        (_, Wanted::Text) => json!({ "type": ["string", "null"] }),
        (_, Wanted::Number) => json!({ "type": ["number", "null"] }),
        (_, Wanted::Bool) => json!({ "type": ["boolean", "null"] }),
        (_, Wanted::Object) => json!({ "type": ["object", "null"] }),
        (_, Wanted::List) => json!({ "type": ["array", "null"] }),
        (_, Wanted::TextOrNumber) => json!({ "type": ["string", "number", "null"] }),
    }
}

/// What is neither seconds nor before 1970, and is a number to JavaScript.
fn time(or_null: bool) -> Value {
    let mut any_of = vec![
        json!({ "type": "number", "minimum": seconds::END, "maximum": f64::MAX }),
        json!({ "type": "number", "minimum": 0, "exclusiveMaximum": seconds::FIRST }),
    ];
    any_of.extend(or_null.then(|| json!({ "type": "null" })));
    json!({ "description": "Milliseconds since 1970; what looks like seconds is none.", "anyOf": any_of })
}
