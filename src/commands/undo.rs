//! `undo`: lists the runs, or puts back what one of them took out.

use std::io;
use std::path::Path;
use std::time::SystemTime;

use super::{prune, speak, write};
use crate::apply::output::write_output;
use crate::apply::run_id::RunId;
use crate::apply::runs::{self, Found, Run};
use crate::apply::{ApplyError, ReplaceRequest, RunState, RunSummary, apply as replace};
use crate::cli::args::WriteArgs;
use crate::diagnose::restore::{self, Restoration, RestoreError};
use crate::diagnose::run::{Edge, LookError};
use crate::evidence::discover::{self, Situation};
use crate::evidence::gateway;
use crate::exit::Exit;
use crate::model::store::StoreFile;
use crate::report::model::{
    EntryCounts, Finding, NoChanges, OpenclawReads, Outcome, Report, RunReport, Severity, StoreVerdict,
};
use crate::tell::{Fate, store};

/// Lists the runs, newest first.
pub fn list(edge: &Edge<'_>) -> anyhow::Result<Exit> {
    let situation = match discover::discover(edge.host, &edge.request.whereabouts) {
        Ok(situation) => situation,
        Err(error) => return speak::failure(edge, &LookError::from(error)),
    };
    let mut report = blank(edge, &situation);
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

/// Undoes one run, in the store or into a file of its own.
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
    match to {
        Some(file) => write_to(edge, &situation, run, file),
        None => put_back(edge, &situation, run, consent),
    }
}

fn write_to(edge: &Edge<'_>, situation: &Situation, run: &Run, file: &Path) -> anyhow::Result<Exit> {
    let main_key = &situation.config.session.main_key;
    let restoration = match restore::plan_elsewhere(run, main_key, edge.request.map) {
        Ok(restoration) => restoration,
        Err(error) => return complain(edge, &error),
    };
    let written =
        write_output(edge.writer.disk, file, &restoration.table, &restoration.sources()?, 0o600, edge.cancel);
    match written {
        Ok(_) => {
            speak::say(edge, &format!("the store with run {} undone is in {}", run.id, file.display()));
            Ok(Exit::Healthy)
        }
        Err(error) => speak::end(edge, error.exit(), "store-unreadable", &error.to_string()),
    }
}

fn put_back(edge: &Edge<'_>, situation: &Situation, run: &Run, consent: &WriteArgs) -> anyhow::Result<Exit> {
    let mut asked = false;
    for round in 0..prune::TRIES {
        let restoration = match restore::plan(run, &situation.config.session.main_key, edge.request.map) {
            Ok(restoration) => restoration,
            Err(error) => return complain(edge, &error),
        };
        let question =
            format!("Put {} entries back into {}?", restoration.restored, run.record.store.display());
        if restoration.is_change() && !asked && !write::consents(consent, &question) {
            speak::say(edge, "nothing was changed");
            return Ok(Exit::Findings);
        }
        asked = true;
        let tried = replace_with(edge, situation, run, &restoration, consent);
        match tried {
            Err(error) if error.is_changed() && round + 1 < prune::TRIES => continue,
            Ok(fate) => return tell(edge, situation, &restoration, &fate),
            Err(error) => {
                let fate = prune::refused(Fate::untouched(None), &run.record.store, &error);
                return tell(edge, situation, &restoration, &fate);
            }
        }
    }
    Ok(Exit::Busy)
}

fn replace_with(
    edge: &Edge<'_>,
    situation: &Situation,
    run: &Run,
    restoration: &Restoration,
    consent: &WriteArgs,
) -> Result<Fate, ApplyError> {
    if !restoration.is_change() {
        return Ok(Fate::untouched(None));
    }
    let store = &run.record.store;
    let told = |error: io::Error| ApplyError::Io(crate::apply::DiskError::new("open", store, error));
    write::not_migrated(situation, store)?;
    write::may_write(edge, situation, consent).map_err(ApplyError::NotAllowed)?;
    let (lock, records) = write::begin(edge, situation, (store, store), consent)?;
    let main_key = &situation.config.session.main_key;
    let receipt = replace(
        edge.writer.disk,
        &lock,
        ReplaceRequest {
            store,
            expected: Some(restoration.identity),
            before: None,
            command: edge.request.verb.name(),
            started: SystemTime::now(),
            summary: RunSummary { restored: restoration.restored, ..RunSummary::default() },
            sources: &restoration.sources().map_err(told)?,
            pieces: &restoration.table,
            changes: &mut |log| restoration.records.iter().try_for_each(|record| Ok(log.push(record)?)),
            verify: &mut |temp| restoration.verify(temp, main_key),
            still_allowed: &mut || write::may_write(edge, situation, consent),
            liveness: edge.writer.liveness,
            limits: edge.writer.limits,
            cancel: edge.cancel,
        },
    )?;
    prune::tidy(edge, &lock, &records);
    Ok(prune::applied(Fate::untouched(None), receipt))
}

/// Says what came of it.
fn tell(
    edge: &Edge<'_>,
    situation: &Situation,
    restoration: &Restoration,
    fate: &Fate,
) -> anyhow::Result<Exit> {
    let mut report = blank(edge, situation);
    let file = situation.stores.iter().find(|store| store.real == restoration.store);
    let mut told = store::blank(
        &file.cloned().unwrap_or_else(|| StoreFile {
            path: restoration.store.clone(),
            real: restoration.store.clone(),
            agents: Vec::new(),
            exists: true,
            named: false,
            acted_on: true,
            outside: false,
        }),
        fate,
    );
    let applied = fate.outcome == Outcome::Applied;
    told.verdict = StoreVerdict::Healthy;
    told.bytes = Some(restoration.bytes);
    told.bytes_after = Some(if applied { restoration.table.len() } else { restoration.bytes });
    told.openclaw_reads = OpenclawReads { entries: Some(restoration.current), outcome: "all" };
    told.entries = EntryCounts {
        total: restoration.current,
        kept: restoration.current,
        recovered: if applied { restoration.restored } else { 0 },
        ..EntryCounts::default()
    };
    report.applied = true;
    report.findings = fate.findings.clone();
    report.exit_code = fate.exit.code();
    report.stores = vec![told];
    let exit = speak::report_with(edge, report, &mut NoChanges, Vec::new(), &speak::redactor(edge, None))?;
    if !edge.request.output.quiet && !edge.request.output.json {
        let mut out = edge.out.borrow_mut();
        match (applied, restoration.is_change()) {
            (true, _) => writeln!(
                out,
                "Put back: {}; changed values taken back: {}.",
                restoration.restored, restoration.reverted
            )?,
            (false, false) => {
                writeln!(out, "Nothing to put back: the store holds everything that the run took out.")?;
            }
            (false, true) => {}
        }
        out.flush()?;
    }
    Ok(exit)
}

fn blank(edge: &Edge<'_>, situation: &Situation) -> Report {
    let now = edge.request.now.unwrap_or(edge.host.now_ms);
    let mut report = speak::blank(edge.request.verb.name(), now);
    report.state_dir = situation.exists.then(|| situation.state_dir.display().to_string());
    report.era = situation.era;
    report.gateway = gateway::weigh(situation, edge.host, edge.system, edge.request.gateway, now).report();
    report
}

/// A run, or why its record cannot be read.
type Record = (RunId, Result<Run, String>);

/// What every records directory of the situation holds, oldest first.
fn records(situation: &Situation) -> anyhow::Result<Vec<Record>> {
    let mut records = Vec::new();
    for dir in write::records_dirs(situation).iter().filter(|dir| dir.is_dir()) {
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
        restored: record.summary.restored,
        bytes: run.backup_bytes(),
    }
}

fn complain(edge: &Edge<'_>, error: &RestoreError) -> anyhow::Result<Exit> {
    speak::end(edge, error.exit(), "store-unreadable", &error.to_string())
}
