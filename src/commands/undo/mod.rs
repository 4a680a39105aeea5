//! `undo`: lists the runs, or puts back what one of them took out.

mod document;
mod files;
mod store;

use std::fs::File;
use std::path::Path;

use super::{speak, write};
use crate::apply::output::write_output;
use crate::apply::run_id::RunId;
use crate::apply::runs::{self, Found, Run};
use crate::apply::{RunState, Subject};
use crate::cli::args::WriteArgs;
use crate::diagnose::records;
use crate::diagnose::restore::RestoreError;
use crate::diagnose::run::{Edge, LookError};
use crate::evidence::discover::{self, Situation};
use crate::exit::Exit;
use crate::model::plan::PieceTable;
use crate::report::model::{Finding, NoChanges, Report, RunReport, Severity};

/// Lists the runs, newest first.
pub fn list(edge: &Edge<'_>) -> anyhow::Result<Exit> {
    let situation = match discover::discover(edge.host, &edge.request.whereabouts) {
        Ok(situation) => situation,
        Err(error) => return speak::failure(edge, &LookError::from(error)),
    };
    let mut report = speak::of_situation(edge, &situation);
    for (_, record) in records(&situation)?.iter().rev() {
        match record {
            Ok(run) => report.runs.push(run_report(run)),
            Err(why) => report.findings.push(unreadable(why)),
        }
    }
    report.complete = report.findings.is_empty();
    report.exit_code = if report.complete { Exit::Healthy } else { Exit::Io }.code();
    let redactor = speak::redactor(edge, None);
    speak::report_with(edge, report, &mut NoChanges, Vec::new(), &redactor)
}

/// Undoes one run, where it changed something or into a file of its own.
pub fn undo(edge: &Edge<'_>, wanted: &str, to: Option<&Path>, consent: &WriteArgs) -> anyhow::Result<Exit> {
    let situation = match discover::discover(edge.host, &edge.request.whereabouts) {
        Ok(situation) => situation,
        Err(error) => return speak::failure(edge, &LookError::from(error)),
    };
    if to.is_none() {
        write::settle_leftovers(edge, &situation, consent)?;
    }
    let records = records(&situation)?;
    let run = match pick(&records, wanted) {
        Ok(Ok(run)) => run,
        Ok(Err(why)) => return speak::end(edge, Exit::Io, "look-failed", why),
        Err(message) => return speak::end(edge, Exit::Usage, "look-failed", &message),
    };
    match run.record.state {
        RunState::Done => {}
        RunState::RolledBack => {
            let message = format!("run {} changed nothing, so there is nothing to put back", run.id);
            return speak::end(edge, Exit::Healthy, "recovered", &message);
        }
        RunState::Intended => {
            let message = format!(
                "run {} was cut short and could not be settled yet; stop the gateway and try again",
                run.id
            );
            return speak::end(edge, Exit::Busy, "look-failed", &message);
        }
    }
    let situation = &situation;
    match (run.record.subject, to) {
        (Subject::Store, Some(file)) => store::write_to(edge, situation, run, file),
        (Subject::Store, None) => store::put_back(edge, situation, run, consent),
        (Subject::Document, Some(file)) => document::write_to(edge, run, file),
        (Subject::Document, None) => document::put_back(edge, situation, run, consent),
        (Subject::Files, None) => files::put_back(edge, situation, run, consent),
        (Subject::Files, Some(_)) => {
            let message =
                format!("run {} moved files: there is nothing to write to a file of its own", run.id);
            speak::end(edge, Exit::Usage, "look-failed", &message)
        }
    }
}

/// Ends with a report and, for people, a sentence of what came back.
fn conclude(edge: &Edge<'_>, report: Report, words: &str) -> anyhow::Result<Exit> {
    let exit = speak::report_with(edge, report, &mut NoChanges, Vec::new(), &speak::redactor(edge, None))?;
    if !edge.request.output.quiet && !edge.request.output.json && !words.is_empty() {
        let mut out = edge.out.borrow_mut();
        writeln!(out, "{words}")?;
        out.flush()?;
    }
    Ok(exit)
}

/// Writes what a run left, with the run undone, to a file of its own; `what` it is.
fn write_to(
    edge: &Edge<'_>,
    (what, run, file): (&str, &Run, &Path),
    table: &PieceTable,
    sources: &[File],
) -> anyhow::Result<Exit> {
    match write_output(edge.writer.disk, file, table, sources, 0o600, edge.cancel) {
        Ok(_) => {
            speak::say(edge, &format!("the {what} with run {} undone is in {}", run.id, file.display()));
            Ok(Exit::Healthy)
        }
        Err(error) => speak::end(edge, error.exit(), "store-unreadable", &error.to_string()),
    }
}

/// Why there is no plan.
fn complain(edge: &Edge<'_>, error: &RestoreError) -> anyhow::Result<Exit> {
    speak::end(edge, error.exit(), "store-unreadable", &error.to_string())
}

/// A run, or why its record cannot be read.
type Record = (RunId, Result<Run, String>);

/// What every records directory of the situation holds, oldest first.
fn records(situation: &Situation) -> anyhow::Result<Vec<Record>> {
    let mut records = Vec::new();
    for dir in records::all(situation).iter().filter(|dir| dir.is_dir()) {
        records.extend(runs::list(dir)?.into_iter().filter_map(|found| match found {
            Found::Run(run) => Some((run.id.clone(), Ok(*run))),
            Found::Unreadable(id, _, why) => {
                let why = format!("run {id} cannot be undone by this program: {why}");
                Some((id, Err(why)))
            }
            Found::Unfinished(..) => None,
        }));
    }
    records.sort_by(|(a, _), (b, _)| a.cmp(b));
    Ok(records)
}

/// By its whole id, a unique beginning of it, or `latest`. One that cannot be read may well be the one that
/// is meant, so it is not passed over.
fn pick<'a>(records: &'a [Record], wanted: &str) -> Result<&'a Result<Run, String>, String> {
    if wanted == "latest" {
        let done = |run: &Run| run.record.state == RunState::Done && run.record.command != "undo";
        let last = records.iter().rev().find(|(_, record)| record.as_ref().map_or(true, done));
        return last.map(|(_, record)| record).ok_or_else(|| "there is no run to undo".to_owned());
    }
    if let Some((_, record)) = records.iter().find(|(id, _)| id.as_str() == wanted) {
        return Ok(record);
    }
    // Every name begins with nothing; an empty word is a variable that was not set.
    let begins = |(id, _): &&Record| !wanted.is_empty() && id.as_str().starts_with(wanted);
    let matching: Vec<&Record> = records.iter().filter(begins).collect();
    match matching.as_slice() {
        [(_, record)] => Ok(record),
        [] => Err(format!("there is no run '{}'; `sessions-doctor undo` lists them", wanted)),
        many => Err(format!("{} runs begin with {}; `sessions-doctor undo` lists them", many.len(), wanted)),
    }
}

fn unreadable(why: &str) -> Finding {
    Finding {
        check_id: "look-failed",
        severity: Severity::Error,
        message: why.to_owned(),
        path: None,
        count: None,
        fix_hint: Some("its original still lies beside its record".to_owned()),
    }
}

fn run_report(run: &Run) -> RunReport {
    let record = &run.record;
    let state = match record.state {
        RunState::Intended => "intended",
        RunState::Done => "done",
        RunState::RolledBack => "rolled-back",
    };
    RunReport {
        run: run.id.to_string(),
        command: record.command.clone(),
        at: record.started_at,
        state: state.to_owned(),
        path: record.store.display().to_string(),
        removed: record.summary.removed,
        healed: record.summary.healed,
        slimmed: record.summary.slimmed,
        restored: record.summary.restored,
        files: record.summary.files,
        bytes: run.backup_bytes(),
    }
}
