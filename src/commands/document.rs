//! Writes an edited document of OpenClaw's through the one writer, under the permissions of every write.
//!
//! OpenClaw takes no lock for these files, so none is taken or made: the gateway must be stopped.

use std::fs::File;
use std::io;
use std::path::Path;
use std::time::SystemTime;

use super::{prune, write};
use crate::apply::target::Target;
use crate::apply::{ApplyError, DiskError, Receipt, ReplaceRequest, RunSummary, Subject, apply as replace};
use crate::cli::args::WriteArgs;
use crate::diagnose::document::{Document, Edit};
use crate::diagnose::run::Edge;
use crate::evidence::discover::Situation;
use crate::report::model::{Era, FileReport, Finding, Severity};

/// Puts the edited document in the place of the old one. `sources` are the files that the edit's table indexes, the
/// document first.
pub fn put(
    edge: &Edge<'_>,
    situation: &Situation,
    consent: &WriteArgs,
    document: &Document,
    edit: &Edit,
    (sources, summary): (io::Result<Vec<File>>, RunSummary),
) -> Result<Receipt, ApplyError> {
    let path = &document.path;
    not_migrated(situation, path)?;
    may_write(edge, situation, consent)?;
    let sources = sources.map_err(|error| ApplyError::Io(DiskError::new("open", path, error)))?;
    let (lock, records) = write::begin(edge, situation, (path, path), consent)?;
    let replaced = replace(
        edge.writer.disk,
        &lock,
        ReplaceRequest {
            store: path,
            subject: Subject::Document,
            expected: Some(document.identity),
            before: None,
            command: edge.request.verb.name(),
            started: SystemTime::now(),
            summary,
            sources: &sources,
            pieces: &edit.table,
            changes: &mut |log| edit.records.iter().try_for_each(|record| Ok(log.push(record)?)),
            verify: &mut |temp| edit.verify(temp),
            still_allowed: &mut || may_write(edge, situation, consent),
            liveness: edge.writer.liveness,
            limits: edge.writer.limits,
            cancel: edge.cancel,
        },
    );
    let receipt = replaced.map_err(|error| unverified(error, document))?;
    prune::tidy(edge, &lock, &records);
    Ok(receipt)
}

/// Bytes that are not those that were planned came of a file that somebody wrote to in its place meanwhile.
fn unverified(error: ApplyError, document: &Document) -> ApplyError {
    match &error {
        ApplyError::Unverified { .. } => {
            let target = Target::of(Subject::Document, &document.path);
            target.and_then(|target| target.check(Some(document.identity))).err().unwrap_or(error)
        }
        _ => error,
    }
}

/// What a receipt means: a row of the report, and what there is to say.
pub fn told(receipt: &Receipt, rule: &str, action: &str) -> (FileReport, Vec<Finding>) {
    let row = FileReport {
        path: receipt.store.display().to_string(),
        rule: rule.to_owned(),
        action: action.to_owned(),
        bytes: receipt.after.size,
        to: None,
    };
    let problem =
        |text: &String| prune::note_finding("store-unreadable", Severity::Error, text, &receipt.store);
    (row, receipt.problems.iter().map(problem).collect())
}

/// Whether a document may be written now. `--live` rests on OpenClaw's lock, and there is none here.
pub fn may_write(edge: &Edge<'_>, situation: &Situation, consent: &WriteArgs) -> Result<(), ApplyError> {
    let consent = WriteArgs { live: false, ..consent.clone() };
    write::may_write(edge, situation, &consent)
}

/// Where jobs and sub-agents live in SQLite, their files only wait to be imported, or are receipts.
pub fn not_migrated(situation: &Situation, path: &Path) -> Result<(), ApplyError> {
    let why = match situation.era {
        Era::Json => return Ok(()),
        Era::CronSqlite | Era::Sqlite => "jobs and sub-agents live in SQLite, which is never written",
        Era::Unknown => "it is not known where jobs and sub-agents live",
    };
    Err(ApplyError::Migrated(format!("{}: {why}; use `openclaw doctor`", path.display())))
}
