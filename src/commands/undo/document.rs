//! `undo` of a run that edited a document of OpenClaw's: members come back where they are missing.

use std::path::Path;

use super::super::{document, prune, speak, write};
use super::{complain, conclude};
use crate::apply::runs::Run;
use crate::apply::{ApplyError, Receipt, RunSummary};
use crate::cli::args::WriteArgs;
use crate::diagnose::document::restore::{self, Restoration};
use crate::diagnose::run::Edge;
use crate::evidence::discover::Situation;
use crate::exit::Exit;
use crate::report::model::FileReport;

/// Writes the document with the run undone to a file of its own.
pub(super) fn write_to(edge: &Edge<'_>, run: &Run, file: &Path) -> anyhow::Result<Exit> {
    let restoration = match restore::plan(run) {
        Ok(restoration) => restoration,
        Err(error) => return complain(edge, &error),
    };
    super::write_to(edge, ("file", run, file), &restoration.edit.table, &restoration.sources()?)
}

/// Puts members back into the document as it is now.
pub(super) fn put_back(
    edge: &Edge<'_>,
    situation: &Situation,
    run: &Run,
    consent: &WriteArgs,
) -> anyhow::Result<Exit> {
    let mut asked = false;
    for round in 1..=prune::TRIES {
        let restoration = match restore::plan(run) {
            Ok(restoration) => restoration,
            Err(error) => return complain(edge, &error),
        };
        if !restoration.is_change() {
            return tell(edge, situation, &restoration, None);
        }
        let path = run.record.store.display();
        let question = format!("Put {} members back into {path}?", restoration.restored);
        if !asked && !write::consents(consent, &question) {
            speak::say(edge, "nothing was changed");
            return Ok(Exit::Findings);
        }
        asked = true;
        match put(edge, situation, &restoration, consent) {
            Err(error) if error.is_changed() && round < prune::TRIES => {}
            tried => return tell(edge, situation, &restoration, Some(tried)),
        }
    }
    Ok(Exit::Busy)
}

fn put(
    edge: &Edge<'_>,
    situation: &Situation,
    restoration: &Restoration,
    consent: &WriteArgs,
) -> Result<Receipt, ApplyError> {
    let summary = RunSummary { restored: restoration.restored, ..RunSummary::default() };
    let sources = restoration.sources().map(Vec::from);
    document::put(edge, situation, consent, &restoration.document, &restoration.edit, (sources, summary))
}

/// Says what came of it; nothing was tried where nothing is to come back.
fn tell(
    edge: &Edge<'_>,
    situation: &Situation,
    restoration: &Restoration,
    tried: Option<Result<Receipt, ApplyError>>,
) -> anyhow::Result<Exit> {
    let path = &restoration.document.path;
    let mut report = speak::of_situation(edge, situation);
    report.applied = true;
    report.files = vec![FileReport {
        path: path.display().to_string(),
        rule: "recovered".to_owned(),
        action: "keep".to_owned(),
        bytes: restoration.document.size(),
        to: None,
    }];
    let (exit, words) = match tried {
        None => (
            Exit::Healthy,
            "Nothing to put back: whatever the run took out is there again, or what it belonged to is gone."
                .to_owned(),
        ),
        Some(Ok(receipt)) => {
            let (row, findings) = document::told(&receipt, "recovered", "restore");
            report.files = vec![row];
            let exit = if receipt.problems.is_empty() { Exit::Healthy } else { Exit::Io };
            report.findings = findings;
            (exit, format!("Put back: {}.", restoration.restored))
        }
        Some(Err(error)) => {
            report.findings = vec![prune::failure(path, "file", &error)];
            (error.exit(), String::new())
        }
    };
    report.exit_code = exit.code();
    conclude(edge, report, &words)
}
