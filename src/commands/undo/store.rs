//! `undo` of a run that changed a store.

use std::io;
use std::path::Path;
use std::time::SystemTime;

use super::super::{prune, speak, write};
use super::{complain, conclude};
use crate::apply::runs::Run;
use crate::apply::{ApplyError, ReplaceRequest, RunSummary, Subject, apply as replace};
use crate::cli::args::WriteArgs;
use crate::diagnose::restore::{self, Restoration};
use crate::diagnose::run::Edge;
use crate::evidence::discover::Situation;
use crate::exit::Exit;
use crate::model::store::StoreFile;
use crate::report::model::{EntryCounts, OpenclawReads, Outcome, StoreVerdict};
use crate::tell::{Fate, store};

/// Writes the store with the run undone to a file of its own.
pub(super) fn write_to(
    edge: &Edge<'_>,
    situation: &Situation,
    run: &Run,
    file: &Path,
) -> anyhow::Result<Exit> {
    let main_key = &situation.config.session.main_key;
    let restoration = match restore::plan_elsewhere(run, main_key, edge.request.map) {
        Ok(restoration) => restoration,
        Err(error) => return complain(edge, &error),
    };
    super::write_to(edge, ("store", run, file), &restoration.table, &restoration.sources()?)
}

/// Puts entries back into the store as it is now.
pub(super) fn put_back(
    edge: &Edge<'_>,
    situation: &Situation,
    run: &Run,
    consent: &WriteArgs,
) -> anyhow::Result<Exit> {
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
    write::may_write(edge, situation, consent)?;
    let (lock, records) = write::begin(edge, situation, (store, store), consent)?;
    let main_key = &situation.config.session.main_key;
    let receipt = replace(
        edge.writer.disk,
        &lock,
        ReplaceRequest {
            store,
            subject: Subject::Store,
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
    let mut report = speak::of_situation(edge, situation);
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
            in_database: false,
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
    let words = match (applied, restoration.is_change()) {
        (true, _) => {
            format!(
                "Put back: {}; changed values taken back: {}.",
                restoration.restored, restoration.reverted
            )
        }
        (false, false) => "Nothing to put back: the store holds everything that the run took out.".to_owned(),
        (false, true) => String::new(),
    };
    conclude(edge, report, &words)
}
