//! A JSON Schema, and what it has against a document.

#![allow(dead_code, reason = "every test binary that includes this uses a part of it")]

use serde_json::Value;

/// A schema that holds by the one of its draft.
pub struct Schema {
    schemas: boon::Schemas,
    index: boon::SchemaIndex,
}

impl Schema {
    /// # Panics
    ///
    /// Where the document is no schema.
    pub fn new(document: &Value) -> Self {
        let (mut schemas, mut compiler) = (boon::Schemas::new(), boon::Compiler::new());
        compiler.enable_format_assertions();
        let id = document["$id"].as_str().unwrap_or("urn:sessions-doctor:schema");
        compiler.add_resource(id, document.clone()).expect("a document");
        let index = compiler.compile(id, &mut schemas).unwrap_or_else(|error| panic!("no schema: {error:#}"));
        Schema { schemas, index }
    }

    /// A line for each place where the document is none.
    pub fn complaints(&self, document: &Value) -> Vec<String> {
        let mut lines = Vec::new();
        if let Err(error) = self.schemas.validate(document, self.index) {
            leaves(&error, &mut lines);
        }
        lines
    }

    pub fn is_valid(&self, document: &Value) -> bool {
        self.schemas.validate(document, self.index).is_ok()
    }
}

fn leaves(error: &boon::ValidationError<'_, '_>, lines: &mut Vec<String>) {
    if error.causes.is_empty() {
        lines.push(format!("{}: {}", error.instance_location, error.kind));
    }
    error.causes.iter().for_each(|cause| leaves(cause, lines));
}
