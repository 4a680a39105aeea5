//! `sweep`: clears away what nothing in a state directory needs any more.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::{document, prune, speak, write};
use crate::apply::batch::{self, BatchReceipt, BatchRequest};
use crate::apply::run_record::{Step, StepOp};
use crate::apply::store_lock::StoreLock;
use crate::apply::target::Target;
use crate::apply::{ApplyError, DiskError, Fingerprint, Identity, RecordsLock, RunSummary};
use crate::cli::verbs::Sweep as Wanted;
use crate::diagnose::run::{Edge, LookError, Writer, diagnose_in};
use crate::diagnose::sweep::moves::{Fate, MOST_FILES, Printed};
use crate::diagnose::sweep::{self, Leftover, StaleRows, Sweep};
use crate::diagnose::{Diagnosed, Diagnosis, Judged, records};
use crate::evidence::discover;
use crate::exit::Exit;
use crate::model::leftover::Way;
use crate::report::format::Counted;
use crate::report::model::{Era, Finding, NoChanges};
use crate::tell::sweep::{self as tell, Cleared};

/// Plans, and with `--apply` clears away.
pub fn run(edge: &Edge<'_>, wanted: &Wanted) -> anyhow::Result<Exit> {
    if wanted.write.apply
        && let Ok(situation) = discover::discover(edge.host, &edge.request.whereabouts)
    {
        write::settle_leftovers(edge, &situation, &wanted.write)?;
    }
    let (mut diagnosis, mut sweep) = match look(edge, wanted) {
        Ok(found) => found,
        Err(error) => return speak::failure(edge, &error),
    };
    let mut cleared = Cleared::default();
    if !wanted.write.apply || !sweep.as_ref().is_some_and(Sweep::is_change) {
        return say(edge, wanted, &diagnosis, sweep.as_ref(), cleared);
    }
    let asked = sweep.as_ref().map_or_else(String::new, |sweep| question(wanted.way, sweep));
    if !write::consents(&wanted.write, &asked) {
        let exit = say(edge, wanted, &diagnosis, sweep.as_ref(), cleared)?;
        speak::say(edge, "nothing was changed");
        return Ok(exit.worst(Exit::Findings));
    }
    cleared.applied = true;
    for round in 0..prune::TRIES {
        let Some(found) = &sweep else { break };
        let last = round + 1 == prune::TRIES;
        let changed = clear(edge, wanted, &diagnosis, found, &mut cleared, last)
            || edit_registry(edge, wanted, &diagnosis, found, &mut cleared, last);
        if !changed {
            break;
        }
        (diagnosis, sweep) = match look(edge, wanted) {
            Ok(found) => found,
            Err(error) => return speak::failure(edge, &error),
        };
    }
    say(edge, wanted, &diagnosis, sweep.as_ref(), cleared)
}

/// Looks; there is no sweep where sessions live in SQLite, or may: what lies there waits to be imported.
fn look(edge: &Edge<'_>, wanted: &Wanted) -> Result<(Diagnosis, Option<Sweep>), LookError> {
    let situation = discover::discover(edge.host, &edge.request.whereabouts)?;
    let migrated = matches!(situation.era, Era::Sqlite) || situation.era_unknown.is_some();
    let diagnosis = diagnose_in(edge, situation, false)?;
    if migrated {
        return Ok((diagnosis, None));
    }
    let asked = sweep::Wanted { older_than: wanted.older_than, agents: &edge.request.agents };
    let found = sweep::look(edge, &diagnosis, &asked);
    let found = found.map_err(|error| match edge.cancel.requested() {
        Some(exit) => LookError::Cancelled(exit),
        None => error.into(),
    })?;
    Ok((diagnosis, Some(found)))
}

fn question(way: Way, sweep: &Sweep) -> String {
    let count = Counted(sweep.leftovers.len() as u64, "file", "files");
    let rows = sweep.rows.as_ref().map_or(0, |rows| rows.rows);
    let rows = if rows > 0 {
        format!(" And take {} out of the registry?", Counted(rows, "row", "rows"))
    } else {
        String::new()
    };
    match way {
        Way::Aside => format!("Put {count} aside? `undo` puts them back.{rows}"),
        Way::Archive => {
            format!("Archive {count}, for OpenClaw to delete? Until then `undo` puts them back.{rows}")
        }
        Way::Delete => format!("Delete {count} for good? They cannot be had back.{rows}"),
    }
}

fn say(
    edge: &Edge<'_>,
    wanted: &Wanted,
    diagnosis: &Diagnosis,
    sweep: Option<&Sweep>,
    cleared: Cleared,
) -> anyhow::Result<Exit> {
    let steps = tell::steps(diagnosis, sweep, &cleared, edge.request);
    let report = tell::report(diagnosis, sweep, cleared, wanted);
    let redactor = speak::redactor(edge, Some(diagnosis));
    speak::report_with(edge, report, &mut NoChanges, steps, &redactor)
}

/// Leftovers of one directory, for one run.
struct Batch<'a> {
    dir: PathBuf,
    /// The store in it, whose lock is taken.
    store: Option<&'a Path>,
    leftovers: Vec<&'a Leftover>,
}

fn batches<'a>(diagnosis: &'a Diagnosis, sweep: &'a Sweep) -> Vec<Batch<'a>> {
    let mut by_dir: BTreeMap<PathBuf, Vec<&Leftover>> = BTreeMap::new();
    for leftover in &sweep.leftovers {
        let path = sweep.path(leftover);
        by_dir.entry(path.parent().unwrap_or(Path::new("/")).to_owned()).or_default().push(leftover);
    }
    let mut batches = Vec::new();
    for (dir, leftovers) in by_dir {
        let store = leftovers.first().and_then(|first| sweep.store(first));
        let store = store.map(|at| diagnosis.stores[at].file.real.as_path());
        let parts = leftovers.chunks(MOST_FILES);
        batches.extend(parts.map(|part| Batch { dir: dir.clone(), store, leftovers: part.to_vec() }));
    }
    batches
}

/// Clears away what was found; `true` where a store was written to meanwhile, and all of it has to be looked at again.
fn clear(
    edge: &Edge<'_>,
    wanted: &Wanted,
    diagnosis: &Diagnosis,
    sweep: &Sweep,
    cleared: &mut Cleared,
    last: bool,
) -> bool {
    let mut records = None;
    for batch in batches(diagnosis, sweep) {
        let done = lock(edge, wanted, diagnosis, sweep, &batch, &mut records)
            .and_then(|lock| clear_one(edge, wanted, diagnosis, sweep, &batch, lock, cleared));
        match done {
            Ok(()) => {}
            Err(error) if error.is_changed() && !last => return true,
            Err(error) => {
                let stop = matches!(error, ApplyError::Interrupted(_));
                cleared.failures.push(failed(&batch.dir, &error));
                if stop {
                    return false;
                }
            }
        }
    }
    records.iter().for_each(|(lock, records)| prune::tidy(edge, lock, records));
    false
}

fn failed(path: &Path, error: &ApplyError) -> (Exit, Finding) {
    (error.exit(), prune::failure(path, "directory", error))
}

/// Takes rows out of the registry of sub-agents; `true` where it was written to meanwhile.
fn edit_registry(
    edge: &Edge<'_>,
    wanted: &Wanted,
    diagnosis: &Diagnosis,
    sweep: &Sweep,
    cleared: &mut Cleared,
    last: bool,
) -> bool {
    let Some(stale @ StaleRows { edit: Ok((registry, edit)), rows, .. }) = &sweep.rows else { return false };
    // A store that was written to may hold the session of a row by now.
    let put = untouched(diagnosis).and_then(|()| {
        let summary = RunSummary { removed: *rows, ..RunSummary::default() };
        let sources = registry.file().map(|file| vec![file]);
        document::put(edge, &diagnosis.situation, &wanted.write, registry, edit, (sources, summary))
    });
    match put {
        Ok(receipt) => {
            cleared.rows_removed = *rows;
            cleared.rows.add(tell::registry_row(stale));
            cleared.problems.extend(receipt.problems);
            cleared.runs.push(receipt.run.to_string());
            false
        }
        Err(error) if error.is_changed() && !last => true,
        Err(error) => {
            cleared.failures.push(failed(&registry.path, &error));
            false
        }
    }
}

/// Our own lock, taken once for all runs that are recorded in one place.
fn lock<'l>(
    edge: &Edge<'_>,
    wanted: &Wanted,
    diagnosis: &Diagnosis,
    sweep: &Sweep,
    batch: &Batch<'_>,
    held: &'l mut Option<(RecordsLock, PathBuf)>,
) -> Result<&'l RecordsLock, ApplyError> {
    let (situation, consent) = (&diagnosis.situation, &wanted.write);
    write::may_write(edge, situation, consent)?;
    let first = sweep.path(batch.leftovers[0]);
    let told = |error| ApplyError::Io(DiskError::new("look at", &first, error));
    let records = records::of(&first, situation).map_err(told)?;
    let taken = match held.take() {
        Some((lock, known)) if known == records => (lock, known),
        other => {
            // Given back first: another process of ours may wait for it.
            drop(other);
            write::begin(edge, situation, (&first, &first), consent)?
        }
    };
    Ok(&held.insert(taken).0)
}

fn clear_one(
    edge: &Edge<'_>,
    wanted: &Wanted,
    diagnosis: &Diagnosis,
    sweep: &Sweep,
    batch: &Batch<'_>,
    lock: &RecordsLock,
    cleared: &mut Cleared,
) -> Result<(), ApplyError> {
    let (situation, consent) = (&diagnosis.situation, &wanted.write);
    let printed = sweep.prints(&batch.leftovers)?;
    let started = SystemTime::now();
    let mut fates: Vec<Fate> = Vec::new();
    let mut held = None;
    let receipt = batch::carry_out(
        edge.writer.disk,
        lock,
        BatchRequest {
            store: &batch.dir,
            command: edge.request.verb.name(),
            started,
            summary: RunSummary { files: printed.len() as u64, ..RunSummary::default() },
            steps: &mut |dir| {
                fates = sweep.fates(wanted.way, &printed, dir, started);
                printed
                    .iter()
                    .zip(&fates)
                    .map(|((leftover, print), fate)| step(&sweep.path(leftover), print, fate))
                    .collect()
            },
            changes: &mut |_| Ok(()),
            still_allowed: &mut || {
                write::may_write(edge, situation, consent)?;
                held = batch.store.map(|store| lock_of(edge, store)).transpose()?;
                untouched(diagnosis)
            },
            cancel: edge.cancel,
        },
    );
    if let Some(held) = held {
        held.release()?;
    }
    record(wanted.way, sweep, &printed, &fates, receipt?, cleared);
    Ok(())
}

/// OpenClaw's lock of the store: old versions write to it, and read what lies beside it, under that alone.
fn lock_of<'e>(edge: &'e Edge<'_>, store: &Path) -> Result<StoreLock<'e>, ApplyError> {
    let target = Target::resolve(store)?;
    let Writer { disk, liveness, limits } = edge.writer;
    StoreLock::acquire(disk, &target.locks, liveness, limits.lock_wait, edge.cancel)
}

fn step(from: &Path, print: &Fingerprint, fate: &Fate) -> Step {
    let to = fate.to().map(Path::to_owned);
    Step {
        op: if to.is_some() { StepOp::Rename } else { StepOp::Remove },
        from: from.to_owned(),
        after: to.is_some().then(|| print.clone()),
        to,
        before: Some(print.clone()),
    }
}

/// A store that is no longer what was scanned may refer to anything.
fn untouched(diagnosis: &Diagnosis) -> Result<(), ApplyError> {
    let is_same = |store: &Diagnosed, judged: &Judged| {
        Identity::at(&store.file.real).is_ok_and(|now| now == Some(judged.reading.identity))
    };
    let mut stores = diagnosis.stores.iter();
    match stores.find(|store| store.judged().is_some_and(|judged| !is_same(store, judged))) {
        None => Ok(()),
        Some(store) => {
            let (path, what) = (store.file.path.clone(), "it was written to".to_owned());
            Err(ApplyError::Changed { path, what })
        }
    }
}

/// What became of each file, by what lies there now.
fn record(
    way: Way,
    sweep: &Sweep,
    printed: &[Printed<'_>],
    fates: &[Fate],
    receipt: BatchReceipt,
    cleared: &mut Cleared,
) {
    for ((leftover, _), fate) in printed.iter().zip(fates) {
        let path = sweep.path(leftover);
        if path.symlink_metadata().is_err() {
            let to = fate.to().map(|to| to.display().to_string());
            cleared.rows.add(tell::row(sweep, leftover, way, to));
        }
    }
    cleared.problems.extend(receipt.problems);
    cleared.runs.push(receipt.run.to_string());
}
