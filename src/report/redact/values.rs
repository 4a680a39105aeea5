//! JSON values of entries: the old and the new side of an edit.

use serde_json::{Map, Value};

use super::{Redactor, vocabulary};

/// The value with every string but known statuses replaced by its tag, and unknown member names, too.
/// Numbers, `true`, `false` and `null` stay.
pub(super) fn redact(redactor: &Redactor, value: &Value) -> Value {
    match value {
        Value::String(text) => Value::String(redact_string(redactor, text)),
        Value::Array(items) => items.iter().map(|item| redact(redactor, item)).collect(),
        Value::Object(members) => Value::Object(redact_members(redactor, members)),
        _ => value.clone(),
    }
}

fn redact_members(redactor: &Redactor, members: &Map<String, Value>) -> Map<String, Value> {
    members.iter().map(|(name, value)| (field(redactor, name), redact(redactor, value))).collect()
}

fn redact_string(redactor: &Redactor, text: &str) -> String {
    if vocabulary::is_status(text) { text.to_owned() } else { redactor.text(text) }
}

/// A status as it stands in an entry.
pub(super) fn status(redactor: &Redactor, text: &str) -> String {
    redact_string(redactor, text)
}

/// The name of an entry's member, possibly a dotted path of names.
pub(super) fn field(redactor: &Redactor, name: &str) -> String {
    let known = vocabulary::is_field(name) || name.split('.').all(vocabulary::is_field);
    if known { name.to_owned() } else { redactor.text(name) }
}
