//! The JSON Schema of the report, made from the types that are written.
//!
//! What the types of [`super::model`] cannot say of themselves stands beside their fields: the words that a string may be
//! ([`words`]), and the lists that are streamed and therefore no fields. No object has a member that its type does not have.

pub mod words;

use schemars::generate::{SchemaGenerator, SchemaSettings};
use schemars::transform::RecursiveTransform;
use schemars::{JsonSchema, Schema, json_schema};
use serde_json::{Value, json};

use self::words::RuleId;
use super::model::{Change, Report, StoreReport, Tally};
use super::validate::model::{Closing, FileRow, Frame, Problem};

/// What the schema says of itself.
const DESCRIPTION: &str = "Any report that `sessions-doctor --json` prints, version 1, as this version of the program writes it: a later one may \
    add members and words, and takes none away. Times are milliseconds since 1970, sizes bytes, spans half-open ranges of bytes; what is not \
    known is null. `explain KEY --json` prints no report but one `#/$defs/Change` a line.";

/// The schema of the report of every verb, as a document of draft 2020-12.
pub fn document() -> Value {
    // As they are written: a member that may be null is there all the same.
    let mut settings = SchemaSettings::draft2020_12().for_serialize();
    settings.transforms.push(Box::new(RecursiveTransform(close)));
    settings.transforms.push(Box::new(RecursiveTransform(without_rust)));
    let mut generator = settings.into_generator();
    let report = generator.subschema_for::<Report>();
    let validated = generator.subschema_for::<ValidateReport>();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Report of sessions-doctor",
        "description": DESCRIPTION,
        // Told apart so, a validator names the member that is wrong instead of saying that none of two forms fits. A
        // `validate` that never came to a file ends with a report of the first form.
        "if": { "required": ["stores"] },
        "then": report,
        "else": validated,
        "$defs": generator.take_definitions(true),
    })
}

/// A store file, as it is written: what is counted, and then every change.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "it is written in two parts, and the second is streamed")]
pub(super) struct Store {
    #[schemars(flatten)]
    store: StoreReport,
    /// What is, or would be, done about its entries; which are listed `--entries` says.
    changes: Vec<Change>,
}

/// The report of `validate`, which looks at files and not at stores of a state directory.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "it is written in three parts, and the second is streamed")]
struct ValidateReport {
    #[schemars(flatten)]
    frame: Frame,
    /// One for each file that could be looked at.
    files: Vec<ValidatedFile>,
    #[schemars(flatten)]
    closing: Closing,
}

/// One file, and what is wrong with it.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "it is written in two parts, and the second is streamed")]
struct ValidatedFile {
    #[schemars(flatten)]
    row: FileRow,
    /// In the order of the file.
    problems: Vec<Problem>,
}

/// `{"<rule id>": {"entries", "bytes"}}`.
pub(super) fn tallies_by_rule(generator: &mut SchemaGenerator) -> Schema {
    let (rule, tally) = (generator.subschema_for::<RuleId>(), generator.subschema_for::<Tally>());
    json_schema!({ "type": "object", "propertyNames": rule, "additionalProperties": tally })
}

/// What a file is listed for: a rule, or `hook`, which lists units.
pub(super) fn rule_of_file(generator: &mut SchemaGenerator) -> Schema {
    let rule = generator.subschema_for::<RuleId>();
    json_schema!({ "anyOf": [rule, { "const": "hook" }] })
}

/// `{"<class>": {"<action>": {"entries", "bytes"}}}`.
pub(super) fn tallies_by_class_and_action(generator: &mut SchemaGenerator) -> Schema {
    let tally = generator.subschema_for::<Tally>();
    json_schema!({
        "type": "object",
        "propertyNames": words::names(words::classes()),
        "additionalProperties": {
            "type": "object",
            "propertyNames": words::names(words::actions()),
            "additionalProperties": tally,
        },
    })
}

/// Whoever has members that are listed has no others.
fn close(schema: &mut Schema) {
    if schema.get("properties").is_some() && schema.get("additionalProperties").is_none() {
        schema.insert("additionalProperties".to_owned(), Value::Bool(false));
    }
}

/// Takes out what says more of Rust than of JSON: names of its integers, which validators object to, and its word for `null`.
fn without_rust(schema: &mut Schema) {
    schema.remove("format");
    if let Some(Value::String(text)) = schema.get_mut("description") {
        *text = text.replace("`None`", "`null`").replace('\n', " ");
    }
}
