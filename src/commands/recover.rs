//! `recover`: puts a damaged, emptied or vanished store together again.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::SystemTime;

use super::{prune, speak, write};
use crate::apply::output::write_output;
use crate::apply::{ApplyError, DiskError, Receipt, ReplaceRequest, RunSummary, Subject, apply as replace};
use crate::cli::verbs::Recover;
use crate::diagnose::recovery::{self, Recovery};
use crate::diagnose::run::{Edge, LookError, diagnose};
use crate::diagnose::{Condition, Diagnosis};
use crate::evidence::discover;
use crate::exit::Exit;
use crate::tell::Fate;
use crate::tell::recovery::{self as tell, Recoveries};

/// Plans, and with `--apply` or `--output` writes.
pub fn run(edge: &Edge<'_>, wanted: &Recover) -> anyhow::Result<Exit> {
    let writes = wanted.write.apply && wanted.output.is_none();
    if writes && let Ok(situation) = discover::discover(edge.host, &edge.request.whereabouts) {
        write::settle_leftovers(edge, &situation, &wanted.write)?;
    }
    let (mut diagnosis, mut recoveries) = match look(edge, wanted) {
        Ok(found) => found,
        Err(error) => return speak::failure(edge, &error),
    };
    if let Some(lost) = tell::unassigned(wanted, &recoveries) {
        return speak::end(edge, Exit::Usage, "look-failed", &lost);
    }
    let untouched = |at| recoveries.get(&at).map_or_else(|| Fate::untouched(None), fate_of);
    let mut fates: Vec<Fate> = (0..diagnosis.stores.len()).map(untouched).collect();
    match &wanted.output {
        Some(file) => return output(edge, diagnosis, recoveries, fates, file),
        None if !writes => return say(edge, &mut diagnosis, &mut recoveries, &fates, false),
        None => {}
    }
    let changing: Vec<usize> = changing(&recoveries);
    if !changing.is_empty() && !write::consents(&wanted.write, &question(&recoveries)) {
        let exit = say(edge, &mut diagnosis, &mut recoveries, &fates, false)?;
        speak::say(edge, "nothing was changed");
        return Ok(exit.worst(Exit::Findings));
    }
    for at in changing {
        fates[at] = settle(edge, wanted, &mut diagnosis, &mut recoveries, at)?;
    }
    say(edge, &mut diagnosis, &mut recoveries, &fates, true)
}

/// Looks at everything, and puts together what can be.
pub(super) fn look(edge: &Edge<'_>, wanted: &Recover) -> Result<(Diagnosis, Recoveries), LookError> {
    // Of a damaged store there is no fingerprint, and one that is only added to hardly holds anything.
    let mut diagnosis = diagnose(edge, false)?;
    let mut recoveries = BTreeMap::new();
    for at in 0..diagnosis.stores.len() {
        let file = &diagnosis.stores[at].file;
        if !file.acted_on || file.in_database {
            continue;
        }
        match recovery::run(edge, &mut diagnosis, at, wanted) {
            Ok(Some(recovery)) => {
                recoveries.insert(at, recovery);
            }
            Ok(None) => {}
            Err(error) => match edge.cancel.requested() {
                Some(exit) => return Err(LookError::Cancelled(exit)),
                None => diagnosis.stores[at].condition = Condition::of_error(error),
            },
        }
    }
    Ok((diagnosis, recoveries))
}

/// Nothing was tried yet.
fn fate_of(recovery: &Recovery) -> Fate {
    let table = recovery.is_change().then(|| recovery.table.clone());
    Fate { recovers: true, ..Fate::untouched(table) }
}

fn changing(recoveries: &Recoveries) -> Vec<usize> {
    recoveries.iter().filter(|(_, recovery)| recovery.is_change()).map(|(&at, _)| at).collect()
}

fn question(recoveries: &Recoveries) -> String {
    let entries: u64 = recoveries.values().map(Recovery::recovered).sum();
    format!("Bring back {entries} entries? What lies there now is kept.")
}

fn say(
    edge: &Edge<'_>,
    diagnosis: &mut Diagnosis,
    recoveries: &mut Recoveries,
    fates: &[Fate],
    applied: bool,
) -> anyhow::Result<Exit> {
    let report = tell::report(diagnosis, recoveries, fates, applied)?;
    let steps = tell::steps(diagnosis, recoveries, fates, edge.request);
    let redactor = speak::redactor(edge, Some(diagnosis));
    let which = if edge.request.output.json {
        edge.request.output.entries
    } else {
        crate::cli::args::EntriesArg::Changed
    };
    let mut changes = tell::RecoveryChanges { diagnosis, recoveries, which };
    speak::report_with(edge, report, &mut changes, steps, &redactor)
}

/// Writes the recovered store to another file and leaves everything else alone.
fn output(
    edge: &Edge<'_>,
    mut diagnosis: Diagnosis,
    mut recoveries: Recoveries,
    mut fates: Vec<Fate>,
    file: &Path,
) -> anyhow::Result<Exit> {
    let changing = changing(&recoveries);
    let [at] = changing.as_slice() else {
        if changing.is_empty() {
            return say(edge, &mut diagnosis, &mut recoveries, &fates, false);
        }
        let many = changing.len();
        let message =
            format!("--output takes one store, and {many} can be recovered here; name it with --store");
        return speak::end(edge, Exit::Usage, "look-failed", &message);
    };
    let recovery = &recoveries[at];
    let written =
        recovery.sources().map_err(|error| ApplyError::Io(DiskError::new("open", file, error))).and_then(
            |sources| write_output(edge.writer.disk, file, &recovery.table, &sources, 0o600, edge.cancel),
        );
    if let Err(error) = written {
        fates[*at] = prune::refused(fates[*at].clone(), file, &error);
        return say(edge, &mut diagnosis, &mut recoveries, &fates, false);
    }
    let exit = say(edge, &mut diagnosis, &mut recoveries, &fates, false)?;
    speak::say(edge, &format!("the recovered store is in {}", file.display()));
    Ok(if matches!(exit, Exit::Findings | Exit::Damaged) { Exit::Healthy } else { exit })
}

/// Writes one store; looks again where it changed meanwhile.
pub(super) fn settle(
    edge: &Edge<'_>,
    wanted: &Recover,
    diagnosis: &mut Diagnosis,
    recoveries: &mut Recoveries,
    at: usize,
) -> anyhow::Result<Fate> {
    let path = diagnosis.stores[at].file.path.clone();
    for round in 0..prune::TRIES {
        let Some(recovery) = recoveries.get(&at) else { return Ok(Fate::untouched(None)) };
        let fate = fate_of(recovery);
        if !recovery.is_change() {
            return Ok(fate);
        }
        let error = match write_store(edge, wanted, diagnosis, recovery, at) {
            Ok(receipt) => return Ok(prune::applied(fate, receipt)),
            Err(error) => error,
        };
        if !error.is_changed() || round + 1 == prune::TRIES {
            return Ok(prune::refused(fate, &path, &error));
        }
        let Ok((fresh, mut again)) = look(edge, wanted) else {
            return Ok(prune::refused(fate, &path, &error));
        };
        // Every store has its place in the fates of this run.
        if fresh.stores.get(at).is_none_or(|store| store.file.path != path) {
            return Ok(prune::refused(fate, &path, &error));
        }
        // The others are as they were told of, or written already.
        if let Some(store) = fresh.stores.into_iter().nth(at) {
            diagnosis.stores[at] = store;
        }
        recoveries.remove(&at);
        recoveries.extend(again.remove(&at).map(|recovery| (at, recovery)));
    }
    Ok(Fate::untouched(None))
}

fn write_store(
    edge: &Edge<'_>,
    wanted: &Recover,
    diagnosis: &Diagnosis,
    recovery: &Recovery,
    at: usize,
) -> Result<Receipt, ApplyError> {
    let (situation, file) = (&diagnosis.situation, &diagnosis.stores[at].file);
    let consent = &wanted.write;
    write::not_migrated(situation, &file.path)?;
    write::may_write(edge, situation, consent)?;
    let (lock, records) = write::begin(edge, situation, (&file.path, &file.real), consent)?;
    let sources = recovery.sources().map_err(|error| write::read_again(&file.path, error))?;
    let main_key = &situation.config.session.main_key;
    let receipt = replace(
        edge.writer.disk,
        &lock,
        ReplaceRequest {
            store: &file.real,
            subject: Subject::Store,
            expected: recovery.expected(),
            before: None,
            // Whoever asked for it, it is undone as what it is.
            command: "recover",
            started: SystemTime::now(),
            summary: RunSummary { restored: recovery.recovered(), ..RunSummary::default() },
            sources: &sources,
            pieces: &recovery.table,
            changes: &mut |log| write::keep(log, &file.path, |sink| recovery.records(sink)),
            verify: &mut |temp| recovery.verify(&write::rescan(temp, edge.request.map, main_key)?),
            still_allowed: &mut || write::may_write(edge, situation, consent),
            liveness: edge.writer.liveness,
            limits: edge.writer.limits,
            cancel: edge.cancel,
        },
    )?;
    prune::tidy(edge, &lock, &records);
    Ok(receipt)
}
