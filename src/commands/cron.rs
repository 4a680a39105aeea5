//! `cron`: every job with its schedule, its last runs and its marker; with `--apply`, markers that are certainly stuck
//! are cleared.
//!
//! A stuck marker is cleared where it stands: in `jobs.json`, in `jobs-state.json`, or in both. One that is only likely
//! to be stuck is told of: with the gateway stopped, which a write takes anyway, it is certain.

use std::path::PathBuf;

use super::{document, prune, speak, write};
use crate::apply::{ApplyError, Receipt, RunSummary};
use crate::cli::args::WriteArgs;
use crate::diagnose::Diagnosis;
use crate::diagnose::cron::{JudgedJob, judge};
use crate::diagnose::document::{Cut, Document};
use crate::diagnose::run::{Edge, LookError, diagnose};
use crate::evidence::discover;
use crate::exit::Exit;
use crate::model::cron::Place;
use crate::report::model::{Era, FileReport, Finding, NoChanges, Outcome, Report, Severity};
use crate::tell::{cron as tell, findings, next};

/// The member that is the marker.
const MARKER: &str = "runningAtMs";

/// What a look found.
struct Look {
    diagnosis: Diagnosis,
    jobs: Vec<JudgedJob>,
}

/// What became of one file.
struct Fate {
    place: Place,
    outcome: Outcome,
    exit: Exit,
    row: Option<FileReport>,
    run: Option<String>,
    findings: Vec<Finding>,
}

/// Looks, and with `--apply` clears.
pub fn run(edge: &Edge<'_>, consent: &WriteArgs) -> anyhow::Result<Exit> {
    if consent.apply
        && let Ok(situation) = discover::discover(edge.host, &edge.request.whereabouts)
    {
        write::settle_leftovers(edge, &situation, consent)?;
    }
    let mut look = match look(edge) {
        Ok(look) => look,
        Err(error) => return speak::failure(edge, &error),
    };
    let places = [Place::List, Place::State];
    let marked: usize = places.iter().map(|&place| look.cuts(place).len()).sum();
    if !consent.apply || marked == 0 {
        return say(edge, &look, &refused_before(edge, &look, consent), consent.apply);
    }
    let question = format!(
        "Clear {marked} markers? The jobs are due again: one whose time has passed runs at the next start. A backup is kept."
    );
    if !write::consents(consent, &question) {
        let exit = say(edge, &look, &[], false)?;
        speak::say(edge, "nothing was changed");
        return Ok(exit.worst(Exit::Findings));
    }
    let mut fates = refused_before(edge, &look, consent);
    for place in places {
        fates.extend(settle(edge, &mut look, place, consent));
    }
    say(edge, &look, &fates, true)
}

fn look(edge: &Edge<'_>) -> Result<Look, LookError> {
    let mut diagnosis = diagnose(edge, false)?;
    let jobs = judge(&mut diagnosis, &edge.request.agents);
    Ok(Look { diagnosis, jobs })
}

impl Look {
    /// The markers to clear in one file.
    fn cuts(&self, place: Place) -> Vec<Cut> {
        let stuck = |job: &&JudgedJob| {
            job.markers.iter().any(|marker| marker.0.place == place && tell::is_cleared(job, marker))
        };
        let path = |job: &JudgedJob| ["jobs", &job.job.id, "state", MARKER].map(str::to_owned).to_vec();
        let cut = |job| Cut { path: path(job), rule: "cron-stuck-marker", family: "cron-job" };
        self.jobs.iter().filter(stuck).map(cut).collect()
    }

    fn file(&self, place: Place) -> PathBuf {
        let [list, states, _] = self.diagnosis.situation.documents();
        if place == Place::State { states } else { list }
    }
}

/// Clears the markers of one file; looks again where it changed meanwhile. `None` where there are none.
fn settle(edge: &Edge<'_>, seen: &mut Look, place: Place, consent: &WriteArgs) -> Option<Fate> {
    for round in 1..=prune::TRIES {
        let cuts = seen.cuts(place);
        if cuts.is_empty() {
            return None;
        }
        match clear(edge, seen, place, &cuts, consent) {
            Ok(receipt) => return Some(cleared(place, &receipt)),
            Err(error) if error.is_changed() && round < prune::TRIES => match look(edge) {
                Ok(fresh) => *seen = fresh,
                Err(_) => return Some(refused(seen, place, &error)),
            },
            Err(error) => return Some(refused(seen, place, &error)),
        }
    }
    None
}

fn clear(
    edge: &Edge<'_>,
    look: &Look,
    place: Place,
    cuts: &[Cut],
    consent: &WriteArgs,
) -> Result<Receipt, ApplyError> {
    let situation = &look.diagnosis.situation;
    document::not_migrated(situation, &look.file(place))?;
    let document = Document::read(&look.file(place))?;
    let edit = document.cut(cuts)?;
    let summary = RunSummary { healed: edit.records.len() as u64, ..RunSummary::default() };
    let sources = document.file().map(|file| vec![file]);
    document::put(edge, situation, consent, &document, &edit, (sources, summary))
}

fn cleared(place: Place, receipt: &Receipt) -> Fate {
    let (row, findings) = document::told(receipt, "cron-stuck-marker", "clear");
    let exit = if receipt.problems.is_empty() { Exit::Healthy } else { Exit::Io };
    Fate {
        place,
        outcome: Outcome::Applied,
        exit,
        row: Some(row),
        run: Some(receipt.run.to_string()),
        findings,
    }
}

fn refused(look: &Look, place: Place, error: &ApplyError) -> Fate {
    Fate {
        place,
        outcome: prune::outcome_of(error),
        exit: error.exit(),
        row: None,
        run: None,
        findings: vec![prune::failure(&look.file(place), "file", error)],
    }
}

/// What is refused before anything is tried where a write was asked for: markers in a table; and such as would be
/// certain with the gateway stopped, while it may run.
fn refused_before(edge: &Edge<'_>, look: &Look, consent: &WriteArgs) -> Vec<Fate> {
    let situation = &look.diagnosis.situation;
    let mut fates = Vec::new();
    let mut refuse = |place, result: Result<(), ApplyError>| {
        let is_there =
            consent.apply && look.jobs.iter().any(|job| job.in_scope && tell::is_stuck(job, place));
        if let (true, Err(error)) = (is_there, result) {
            fates.push(refused(look, place, &error));
        }
    };
    refuse(Place::Table, document::not_migrated(situation, &look.file(Place::List)));
    for place in [Place::List, Place::State] {
        if look.cuts(place).is_empty() {
            refuse(place, document::may_write(edge, situation, consent));
        }
    }
    fates
}

/// What became of a job: the worst of its markers.
fn outcome(fates: &[Fate], job: &JudgedJob) -> Outcome {
    let of = |place: Place| fates.iter().find(|fate| fate.place == place).map(|fate| fate.outcome);
    let touched = job.markers.iter().filter(|marker| job.in_scope && tell::is_stuck(job, marker.0.place));
    let outcomes: Vec<Outcome> = touched.filter_map(|(marker, _)| of(marker.place)).collect();
    let bad = outcomes.iter().find(|outcome| **outcome != Outcome::Applied);
    bad.or(outcomes.first()).copied().unwrap_or(Outcome::Unchanged)
}

fn say(edge: &Edge<'_>, look: &Look, fates: &[Fate], applied: bool) -> anyhow::Result<Exit> {
    let Look { diagnosis, jobs } = look;
    let of = |job: &JudgedJob| outcome(fates, job);
    let mut found = findings::of_directory(diagnosis);
    found.extend(tell::findings(diagnosis, jobs, &|job| of(job) == Outcome::Applied));
    found.extend(fates.iter().flat_map(|fate| fate.findings.iter().cloned()));
    found.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    let mut exit = fates.iter().fold(Exit::Healthy, |exit, fate| exit.worst(fate.exit));
    let counts = |severity| severity == Severity::Error || severity == Severity::Warning && !applied;
    if found.iter().any(|finding| counts(finding.severity)) {
        exit = exit.worst(Exit::Findings);
    }
    let situation = &diagnosis.situation;
    let report = Report {
        applied,
        state_dir: situation.exists.then(|| situation.state_dir.display().to_string()),
        era: situation.era,
        gateway: diagnosis.gateway.report(),
        evidence: diagnosis.items.clone(),
        cron_jobs: tell::rows(diagnosis, jobs, &of),
        files: fates.iter().filter_map(|fate| fate.row.clone()).collect(),
        findings: found,
        exit_code: exit.code(),
        ..speak::blank(edge.request.verb.name(), diagnosis.now())
    };
    let redactor = speak::redactor(edge, Some(diagnosis));
    speak::report_with(edge, report, &mut NoChanges, steps(edge, look, fates), &redactor)
}

/// What to type next.
fn steps(edge: &Edge<'_>, look: &Look, fates: &[Fate]) -> Vec<String> {
    let runs = fates.iter().filter_map(|fate| fate.run.as_deref());
    let mut steps: Vec<String> = runs
        .map(|run| {
            format!("{}   (puts the markers back)", next::command(edge.request, &["undo", run], false))
        })
        .collect();
    let is_open = fates.iter().all(|fate| fate.outcome != Outcome::Applied);
    let stuck = look.jobs.iter().any(|job| job.in_scope && tell::stuck(job).is_some());
    if is_open && stuck && look.diagnosis.situation.era == Era::Json {
        steps.extend(next::stop_first(&look.diagnosis));
        let line = next::command(edge.request, &["cron", "--apply"], false);
        steps.push(format!("{line}   (clears stuck markers, with a backup)"));
    }
    steps
}
