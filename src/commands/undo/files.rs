//! `undo` of a run that moved files: each goes back to where it lay, unless something else lies there now.

use std::path::Path;
use std::time::SystemTime;

use super::super::{prune, speak, write};
use super::conclude;
use crate::apply::batch::{self, BatchReceipt, BatchRequest};
use crate::apply::run_record::{Step, StepOp};
use crate::apply::runs::Run;
use crate::apply::{ApplyError, Identity, RunSummary};
use crate::cli::args::WriteArgs;
use crate::diagnose::run::Edge;
use crate::evidence::discover::Situation;
use crate::exit::Exit;
use crate::report::model::{FileReport, Finding, Severity};

/// What can be put back of a run.
#[derive(Default)]
struct Restoration {
    steps: Vec<Step>,
    /// What cannot, and why.
    kept: Vec<String>,
    /// Files that were deleted.
    deleted: u64,
}

impl Restoration {
    fn of(run: &Run) -> Result<Self, ApplyError> {
        let mut restoration = Restoration::default();
        for step in &run.record.steps {
            match (&step.op, &step.to) {
                (StepOp::Rename, Some(to)) => restoration.add(step, to)?,
                (StepOp::Remove, _) if Identity::at(&step.from)?.is_none() => restoration.deleted += 1,
                _ => {}
            }
        }
        Ok(restoration)
    }

    /// A file that is not where the run put it went back already, or OpenClaw deleted it.
    fn add(&mut self, step: &Step, at: &Path) -> Result<(), ApplyError> {
        let (aside, there) = (Identity::at(at)?.is_some(), Identity::at(&step.from)?.is_some());
        match (aside, there) {
            (true, true) => {
                let why = format!(
                    "{}: something lies there now; what was moved stays in {}",
                    step.from.display(),
                    at.display()
                );
                self.kept.push(why);
            }
            (true, false) => self.steps.push(Step {
                op: StepOp::Rename,
                from: at.to_owned(),
                to: Some(step.from.clone()),
                before: step.after.clone(),
                after: step.after.clone(),
            }),
            (false, false) => {
                self.kept.push(format!("{}: it is gone from {} as well", step.from.display(), at.display()))
            }
            (false, true) => {}
        }
        Ok(())
    }
}

/// Puts the files of a run back.
pub(super) fn put_back(
    edge: &Edge<'_>,
    situation: &Situation,
    run: &Run,
    consent: &WriteArgs,
) -> anyhow::Result<Exit> {
    let restoration = match Restoration::of(run) {
        Ok(restoration) => restoration,
        Err(error) => return speak::end(edge, error.exit(), "look-failed", &error.to_string()),
    };
    if restoration.steps.is_empty() {
        return tell(edge, situation, &restoration, None);
    }
    let question = format!("Put {} files back?", restoration.steps.len());
    if !write::consents(consent, &question) {
        speak::say(edge, "nothing was changed");
        return Ok(Exit::Findings);
    }
    let tried = move_back(edge, situation, run, &restoration, consent);
    tell(edge, situation, &restoration, Some(tried))
}

fn move_back(
    edge: &Edge<'_>,
    situation: &Situation,
    run: &Run,
    restoration: &Restoration,
    consent: &WriteArgs,
) -> Result<BatchReceipt, ApplyError> {
    write::may_write(edge, situation, consent)?;
    // The run is about a directory: any name in it leads to the records.
    let place = run.record.steps.first().map_or(run.record.store.as_path(), |step| &step.from);
    write::not_migrated(situation, place)?;
    let records = run.dir.ancestors().nth(2).unwrap_or(&run.dir);
    let (lock, _) = write::lock(edge, situation, records, consent)?;
    let receipt = batch::carry_out(
        edge.writer.disk,
        &lock,
        BatchRequest {
            store: &run.record.store,
            command: edge.request.verb.name(),
            started: SystemTime::now(),
            summary: RunSummary { files: restoration.steps.len() as u64, ..RunSummary::default() },
            steps: &mut |_| restoration.steps.clone(),
            changes: &mut |_| Ok(()),
            still_allowed: &mut || write::may_write(edge, situation, consent),
            cancel: edge.cancel,
        },
    )?;
    prune::tidy(edge, &lock, records);
    Ok(receipt)
}

/// Says what came of it; nothing was tried where nothing can come back.
fn tell(
    edge: &Edge<'_>,
    situation: &Situation,
    restoration: &Restoration,
    tried: Option<Result<BatchReceipt, ApplyError>>,
) -> anyhow::Result<Exit> {
    let mut report = speak::of_situation(edge, situation);
    report.applied = true;
    let say = |severity, message: String| Finding {
        check_id: "recovered",
        severity,
        message,
        path: None,
        count: None,
        fix_hint: None,
    };
    let mut exit = Exit::Healthy;
    report.findings.extend(restoration.kept.iter().map(|why| say(Severity::Warning, why.clone())));
    if restoration.deleted > 0 {
        let message =
            format!("{} files were deleted by that run: they cannot be had back", restoration.deleted);
        report.findings.push(say(Severity::Error, message));
        exit = Exit::Findings;
    }
    let words = match tried {
        None => "Nothing to put back.".to_owned(),
        Some(Ok(receipt)) => {
            let back =
                restoration.steps.iter().filter(|step| Identity::at(&step.from).is_ok_and(|at| at.is_none()));
            report.files = back.take(100).filter_map(row).collect();
            report.findings.extend(receipt.problems.iter().map(|why| say(Severity::Error, why.clone())));
            exit = if receipt.problems.is_empty() { exit } else { exit.worst(Exit::Io) };
            format!("Put back: {}.", receipt.done)
        }
        Some(Err(error)) => {
            report.findings.push(prune::failure(&restoration.steps[0].from, "file", &error));
            exit = exit.worst(error.exit());
            String::new()
        }
    };
    report.exit_code = exit.code();
    conclude(edge, report, &words)
}

fn row(step: &Step) -> Option<FileReport> {
    let to = step.to.as_ref()?;
    Some(FileReport {
        path: to.display().to_string(),
        rule: "recovered".to_owned(),
        action: "restore".to_owned(),
        bytes: step.after.as_ref().map_or(0, |print| print.size),
        to: None,
    })
}
