//! The problems as SARIF 2.1.0, with the sections of `docs/rules.md` as help.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde_sarif::sarif::{
    ArtifactLocation, Invocation, Location, LogicalLocation, Message, MultiformatMessageString, Notification,
    PhysicalLocation, Region, ReportingDescriptor, ResultLevel, Run, Sarif, Tool, ToolComponent,
};

use super::model::{Closing, FileRow, Frame, Problem, Problems, Speaker};
use crate::report::explain;
use crate::report::model::Severity;

/// What viewers take in one run; the rest is counted, for the report is in memory until the end.
const MOST: usize = 25_000;

/// The published schema.
const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

/// Gathers them.
#[derive(Default)]
pub struct Sarifs {
    version: &'static str,
    results: Vec<serde_sarif::sarif::Result>,
    left_out: u64,
    /// Rules that were found, with their place among the rules of the run.
    rules: BTreeMap<&'static str, usize>,
}

impl Speaker for Sarifs {
    fn begin(&mut self, _out: &mut dyn Write, frame: &Frame) -> io::Result<()> {
        self.version = frame.tool.version;
        Ok(())
    }

    fn file(&mut self, _out: &mut dyn Write, row: &FileRow, problems: &mut dyn Problems) -> io::Result<()> {
        problems.for_each(&mut |problem| {
            self.add(&row.path, problem);
            Ok(())
        })
    }

    fn end(&mut self, out: &mut dyn Write, closing: &Closing) -> io::Result<()> {
        let invocation = Invocation::builder()
            .execution_successful(closing.complete)
            .exit_code(i64::from(closing.exit_code))
            .tool_execution_notifications(self.notifications(closing))
            .build();
        let driver = ToolComponent::builder()
            .name("sessions-doctor")
            .version(self.version)
            .rules(self.descriptors())
            .build();
        let run = Run::builder()
            .tool(Tool::builder().driver(driver).build())
            .results(std::mem::take(&mut self.results))
            .invocations(vec![invocation])
            .column_kind("utf16CodeUnits")
            .build();
        let sarif = Sarif::builder().version("2.1.0").schema(SCHEMA).runs(vec![run]).build();
        serde_json::to_writer_pretty(&mut *out, &sarif)?;
        out.write_all(b"\n")
    }
}

impl Sarifs {
    fn add(&mut self, path: &str, problem: &Problem) {
        if self.results.len() == MOST {
            self.left_out += 1;
            return;
        }
        let next = self.rules.len();
        let rule = *self.rules.entry(problem.check_id).or_insert(next);
        let level = match problem.severity {
            Severity::Error => ResultLevel::Error,
            Severity::Warning => ResultLevel::Warning,
            Severity::Info => ResultLevel::Note,
        };
        let result = serde_sarif::sarif::Result::builder()
            .rule_id(problem.check_id)
            .rule_index(rule as i64)
            .level(level)
            .message(message(&problem.message))
            .locations(vec![location(path, problem)])
            .build();
        self.results.push(result);
    }

    /// The rules that were found, in the order in which they were.
    fn descriptors(&self) -> Vec<ReportingDescriptor> {
        let mut found: Vec<(usize, &str)> = self.rules.iter().map(|(id, at)| (*at, *id)).collect();
        found.sort_unstable();
        found.into_iter().map(|(_, id)| descriptor(id)).collect()
    }

    fn notifications(&self, closing: &Closing) -> Vec<Notification> {
        let note = |text: &str| {
            let level = serde_json::Value::from("error");
            Notification::builder().message(message(text)).level(level).build()
        };
        let mut notes: Vec<Notification> =
            closing.findings.iter().map(|finding| note(&finding.message)).collect();
        if self.left_out > 0 {
            notes.push(note(&format!("{} more problems", self.left_out)));
        }
        notes
    }
}

fn message(text: &str) -> Message {
    Message::builder().text(text).build()
}

fn location(path: &str, problem: &Problem) -> Location {
    let region = Region::builder()
        .start_line(problem.line as i64)
        .start_column(problem.column as i64)
        .byte_offset(problem.offset as i64)
        .build();
    let artifact = ArtifactLocation::builder().uri(uri(path)).build();
    let physical = PhysicalLocation::builder().artifact_location(artifact).region(region).build();
    match &problem.key {
        Some(key) => {
            let logical = LogicalLocation::builder().name(key).kind("member").build();
            Location::builder().physical_location(physical).logical_locations(vec![logical]).build()
        }
        None => Location::builder().physical_location(physical).build(),
    }
}

fn descriptor(id: &str) -> ReportingDescriptor {
    let section = explain::section(id).unwrap_or(id);
    let text = section.split_once('\n').map_or(section, |(_, rest)| rest.trim());
    let short = text.lines().next().unwrap_or(id);
    let help = MultiformatMessageString::builder().text(text).markdown(text).build();
    let short = MultiformatMessageString::builder().text(short).build();
    ReportingDescriptor::builder().id(id).short_description(short).help(help).build()
}

/// A path as the reference of a URI: what may not stand in one is escaped.
fn uri(path: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte);
    let escaped = |byte: u8| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    let escaped: String = path.bytes().map(escaped).collect();
    if path.starts_with('/') { format!("file://{escaped}") } else { escaped }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_references() {
        assert_eq!(uri("a b/ü:x.json"), "a%20b/%C3%BC%3Ax.json");
        assert_eq!(uri("/tmp/a"), "file:///tmp/a");
    }
}
