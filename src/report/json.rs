//! The report as one JSON object, version 1 of `docs/interface.md`.
//!
//! The layout is pretty-printed with two blanks, except that every element of `changes` takes exactly one
//! line, so that a report of millions can be read with line tools. `changes` is streamed: one change is in
//! memory at a time. What is only known at the end (`complete`, `exitCode`) therefore comes last.
//!
//! Two things can go wrong late, and they differ. When the *source* of the changes fails, the object is
//! still closed, with `"complete": false` and exit code 6. When the *output* fails (a broken pipe, a full
//! disk), nothing more can be said, and the error goes to the caller.

mod line;

use std::io::{self, Write};

use serde::Serialize;

use super::model::{Changes, Finding, Report, StoreReport};
use super::stream::{Written, floor, pour};

/// Writes `report` with the changes of every store, and a line feed after it.
///
/// # Errors
///
/// Only those of `out`, `BrokenPipe` among them: whether that is a failure is for the caller to decide.
pub fn write(out: &mut dyn Write, report: &Report, changes: &mut dyn Changes) -> io::Result<Written> {
    write_open(out, &Head::of(report), 0)?;
    write!(out, ",\n  \"stores\": [")?;
    let mut source_failure = None;
    for (index, store) in report.stores.iter().enumerate() {
        out.write_all(if index == 0 { b"\n    " } else { b",\n    " })?;
        let failure = write_store(out, index, store, changes)?;
        source_failure = source_failure.or(failure);
    }
    out.write_all(if report.stores.is_empty() { b"]" } else { b"\n  ]" })?;
    let tail = Tail::of(report, source_failure.as_ref());
    write!(out, ",")?;
    out.write_all(tail_members(&tail)?.as_bytes())?;
    out.write_all(b"\n}\n")?;
    out.flush()?;
    Ok(Written { exit_code: tail.exit_code, source_failure })
}

/// One store, its changes last. Gives back what the source of changes failed with.
fn write_store(
    out: &mut dyn Write,
    index: usize,
    store: &StoreReport,
    changes: &mut dyn Changes,
) -> io::Result<Option<io::Error>> {
    write_open(out, store, 4)?;
    write!(out, ",\n      \"changes\": [")?;
    let mut any = false;
    let mut line = Vec::new();
    let failure = pour(changes, index, &mut |change| {
        line.clear();
        line.extend_from_slice(if any { b",\n        " } else { b"\n        " });
        line::write(&mut line, change)?;
        any = true;
        out.write_all(&line)
    })?;
    out.write_all(if any { b"\n      ]\n    }" } else { b"]\n    }" })?;
    Ok(failure)
}

/// Writes a struct as a pretty object without its closing brace, indented by `indent` blanks.
fn write_open(out: &mut dyn Write, value: &impl Serialize, indent: usize) -> io::Result<()> {
    let text = serde_json::to_string_pretty(value)?;
    let open = text.strip_suffix("\n}").unwrap_or(&text);
    // A raw line feed is always layout: inside a JSON string it is escaped.
    out.write_all(open.replace('\n', &format!("\n{:indent$}", "")).as_bytes())
}

/// The members of a pretty object, each on its line, without the braces.
fn tail_members(tail: &Tail<'_>) -> io::Result<String> {
    let text = serde_json::to_string_pretty(tail)?;
    Ok(text.trim_start_matches('{').strip_suffix("\n}").unwrap_or_default().to_owned())
}

/// The report up to its stores. Field order is that of `docs/interface.md`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Head<'a> {
    schema: &'a str,
    version: u32,
    tool: &'a super::model::Tool,
    command: &'a str,
    applied: bool,
    now: crate::model::Millis,
    state_dir: &'a Option<String>,
    era: super::model::Era,
    gateway: &'a super::model::GatewayReport,
    evidence: &'a [super::model::EvidenceItem],
    cron_jobs: &'a [super::model::CronJobReport],
    files: &'a [super::model::FileReport],
    runs: &'a [super::model::RunReport],
}

impl<'a> Head<'a> {
    fn of(report: &'a Report) -> Self {
        Self {
            schema: report.schema,
            version: report.version,
            tool: &report.tool,
            command: &report.command,
            applied: report.applied,
            now: report.now,
            state_dir: &report.state_dir,
            era: report.era,
            gateway: &report.gateway,
            evidence: &report.evidence,
            cron_jobs: &report.cron_jobs,
            files: &report.files,
            runs: &report.runs,
        }
    }
}

/// The report after its stores.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Tail<'a> {
    findings: &'a [Finding],
    complete: bool,
    exit_code: u8,
}

impl<'a> Tail<'a> {
    /// A late failure makes the report incomplete; its exit code outranks the lower ones.
    fn of(report: &'a Report, failure: Option<&io::Error>) -> Self {
        let exit_code = report.exit_code.max(floor(failure));
        Self { findings: &report.findings, complete: report.complete && failure.is_none(), exit_code }
    }
}

#[cfg(test)]
mod tests;
