//! `prune --apply` and `prune --output`: does exactly the plan that was made.

use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::SystemTime;

use super::{check, speak, write};
use crate::apply::output::write_output;
use crate::apply::retention::{self, Retention};
use crate::apply::run_record::BackupHow;
use crate::apply::share;
use crate::apply::{ApplyError, Receipt, RecordsLock, ReplaceRequest, RunSummary, Subject, apply as replace};
use crate::cli::args::WriteArgs;
use crate::diagnose::changeset;
use crate::diagnose::run::{Edge, diagnose, diagnose_in};
use crate::diagnose::{Condition, Diagnosed, Diagnosis, Judged};
use crate::evidence::discover;
use crate::exit::Exit;
use crate::model::plan::PieceTable;
use crate::report::model::{Backup, Finding, Outcome, Severity};
use crate::tell::Fate;

/// A store that changes between scan and rename is scanned again so often.
pub const TRIES: usize = 3;

/// From so many changes on a second thread is worth its start.
const MANY: u64 = 500;

/// Plans and writes.
pub fn apply(edge: &Edge<'_>, consent: &WriteArgs) -> anyhow::Result<Exit> {
    let look = || Ok(discover::discover(edge.host, &edge.request.whereabouts)?);
    let mut situation = look();
    if let Ok(found) = &situation
        && write::settle_leftovers(edge, found, consent)?
    {
        situation = look();
    }
    let mut diagnosis = match situation.and_then(|situation| diagnose_in(edge, situation, true)) {
        Ok(diagnosis) => diagnosis,
        Err(error) => return speak::failure(edge, &error),
    };
    if let Some(glob) = diagnosis.unused_globs.first() {
        let message = format!("--keep '{glob}' matches no key; nothing was changed");
        return speak::end(edge, Exit::Usage, "protected-keep", &message);
    }
    let mut fates = check::plans(&mut diagnosis);
    let changing: Vec<usize> = (0..fates.len()).filter(|&at| changes(&diagnosis, at)).collect();
    if changing.is_empty() {
        refuse_braked(&diagnosis, &mut fates);
        return speak::diagnosis(edge, &mut diagnosis, &fates, true);
    }
    if !write::consents(consent, &question(&diagnosis)) {
        let exit = speak::diagnosis(edge, &mut diagnosis, &fates, false)?;
        speak::say(edge, "nothing was changed");
        return Ok(exit.worst(Exit::Findings));
    }
    for at in changing {
        let (fate, fresh) = settle(edge, diagnosis, at, consent, &fates[at])?;
        diagnosis = fresh;
        fates[at] = fate;
    }
    refuse_braked(&diagnosis, &mut fates);
    speak::diagnosis(edge, &mut diagnosis, &fates, true)
}

/// Writes the pruned store to another file and leaves the original alone.
pub fn output(edge: &Edge<'_>, file: &Path) -> anyhow::Result<Exit> {
    let mut diagnosis = match diagnose(edge, false) {
        Ok(diagnosis) => diagnosis,
        Err(error) => return speak::failure(edge, &error),
    };
    let mut fates = check::plans(&mut diagnosis);
    let whole: Vec<usize> = (0..fates.len()).filter(|&at| fates[at].table.is_some()).collect();
    if whole.is_empty() {
        // Nothing to write, and the report says why: damaged, missing, unreadable, or not there at all.
        return speak::diagnosis(edge, &mut diagnosis, &fates, false);
    }
    let [at] = whole.as_slice() else {
        let many = whole.len();
        speak::say(
            edge,
            &format!("--output takes one store, and {many} can be pruned here; name it with --store"),
        );
        return Ok(Exit::Usage);
    };
    let result = match (&diagnosis.stores[*at].condition, &fates[*at].table) {
        (Condition::Whole(judged), Some(table)) => {
            let source = judged.reading.source.file().try_clone()?;
            write_output(edge.writer.disk, file, table, &[source], 0o600, edge.cancel)
        }
        _ => return speak::diagnosis(edge, &mut diagnosis, &fates, false),
    };
    if let Err(error) = result {
        fates[*at].findings.push(failure(file, "store", &error));
        fates[*at].exit = error.exit();
        fates[*at].outcome = outcome_of(&error);
        return speak::diagnosis(edge, &mut diagnosis, &fates, false);
    }
    let exit = speak::diagnosis(edge, &mut diagnosis, &fates, false)?;
    speak::say(edge, &format!("the pruned store is in {}", file.display()));
    Ok(if exit == Exit::Findings { Exit::Healthy } else { exit })
}

/// Whether the plan changes store `at`.
pub(super) fn changes(diagnosis: &Diagnosis, at: usize) -> bool {
    let store = &diagnosis.stores[at];
    store.file.is_writable()
        && matches!(&store.condition, Condition::Whole(judged) if judged.plan.summary.is_change())
}

fn question(diagnosis: &Diagnosis) -> String {
    let sum = |of: fn(&Judged) -> u64| diagnosis.judged().map(|(_, judged)| of(judged)).sum::<u64>();
    let deeds = [
        ("remove", sum(|judged| judged.plan.summary.removed), "entries"),
        ("heal", sum(|judged| judged.plan.summary.healed), "entries"),
        ("drop", sum(|judged| judged.plan.summary.dropped), "overridden copies"),
        ("strip the caches of", sum(|judged| judged.plan.summary.slimmed), "entries"),
        ("drop", sum(|judged| judged.plan.summary.compacted), "bytes of white space"),
    ];
    let deeds = deeds.iter().filter(|(_, count, _)| *count > 0);
    let deeds: Vec<String> = deeds.map(|(deed, count, what)| format!("{deed} {count} {what}")).collect();
    format!("Going to {}. A backup is kept. Go on?", deeds.join(", "))
}

/// Replaces one store; looks and plans again where it changed meanwhile.
pub(super) fn settle(
    edge: &Edge<'_>,
    mut diagnosis: Diagnosis,
    at: usize,
    consent: &WriteArgs,
    planned: &Fate,
) -> anyhow::Result<(Fate, Diagnosis)> {
    let mut fate = planned.clone();
    for round in 0..TRIES {
        let last = round + 1 == TRIES;
        let tried = replace_store(edge, &mut diagnosis, at, consent, fate.table.as_ref());
        let error = match tried {
            Ok(None) => return Ok((fate, diagnosis)),
            Ok(Some(receipt)) => return Ok((applied(fate, receipt), diagnosis)),
            Err(error) => error,
        };
        if !error.is_changed() || last {
            return Ok((refused(fate, &diagnosis.stores[at].file.path, &error), diagnosis));
        }
        let path = diagnosis.stores[at].file.path.clone();
        let Ok(fresh) = diagnose(edge, true) else { return Ok((refused(fate, &path, &error), diagnosis)) };
        // Every store has its place in the fates of this run.
        if !paths(&fresh).eq(paths(&diagnosis)) {
            return Ok((refused(fate, &path, &error), diagnosis));
        }
        diagnosis = fresh;
        fate = check::plans(&mut diagnosis).swap_remove(at);
    }
    Ok((fate, diagnosis))
}

fn paths(diagnosis: &Diagnosis) -> impl Iterator<Item = &Path> {
    diagnosis.stores.iter().map(|store| store.file.path.as_path())
}

/// `None` where nothing is left to change.
fn replace_store(
    edge: &Edge<'_>,
    diagnosis: &mut Diagnosis,
    at: usize,
    consent: &WriteArgs,
    table: Option<&PieceTable>,
) -> Result<Option<Receipt>, ApplyError> {
    let Diagnosis { situation, stores, gateway, .. } = &*diagnosis;
    let store = &stores[at];
    let (Condition::Whole(judged), Some(table)) = (&store.condition, table) else {
        return Ok(None);
    };
    if !judged.plan.summary.is_change() || !store.file.is_writable() {
        return Ok(None);
    }
    write::not_migrated(situation, &store.file.path)?;
    // The look of the diagnosis is young enough to say yes: the one that counts is taken under the lock.
    write::allowed(gateway, edge.request.gateway, consent)
        .or_else(|_| write::may_write(edge, situation, consent))?;
    let paths = (&*store.file.path, &*store.file.real);
    let (lock, records) = write::begin(edge, situation, paths, consent)?;
    warn_of_other_names(judged, &store.file.path);
    let receipt = shared(edge, &lock, replace_with(edge, diagnosis, at, table, &lock, consent)?);
    tidy(edge, &lock, &records);
    Ok(Some(receipt))
}

fn replace_with(
    edge: &Edge<'_>,
    diagnosis: &mut Diagnosis,
    at: usize,
    table: &PieceTable,
    lock: &RecordsLock,
    consent: &WriteArgs,
) -> Result<Receipt, ApplyError> {
    let Diagnosis { situation, stores, evidence, policy, .. } = diagnosis;
    let Diagnosed { file, condition, .. } = &mut stores[at];
    let (Condition::Whole(judged), store) = (condition, &*file.real) else {
        return Err(ApplyError::Refused("there is no plan for the store".to_owned()));
    };
    let clone = |file: &File| {
        file.try_clone().map_err(|error| ApplyError::Io(crate::apply::DiskError::new("open", store, error)))
    };
    let sources = [clone(judged.reading.source.file())?];
    let summary = judged.plan.summary.clone();
    let (expected, before) = (judged.reading.identity, judged.reading.fingerprint.take());
    let main_key = situation.config.session.main_key.clone();
    // What is written next needs the memory, and reads the file itself.
    judged.reading.source.release().map_err(|error| write::read_again(store, error))?;
    let aside = edge.threads() > 1 && summary.removed + summary.slimmed > MANY;
    let judged = &*judged;
    replace(
        edge.writer.disk,
        lock,
        ReplaceRequest {
            store,
            subject: Subject::Store,
            expected: Some(expected),
            before,
            command: edge.request.verb.name(),
            started: SystemTime::now(),
            summary: RunSummary {
                removed: summary.removed,
                healed: summary.healed,
                dropped: summary.dropped,
                slimmed: summary.slimmed,
                removed_other_than_run_records: summary.removed_others,
                ..RunSummary::default()
            },
            sources: &sources,
            pieces: table,
            changes: &mut |log| {
                write::keep(log, store, |sink| changeset::records(judged, evidence, policy, aside, sink))
            },
            verify: &mut |temp| changeset::verify(judged, &write::rescan(temp, edge.request.map, &main_key)?),
            still_allowed: &mut || write::may_write(edge, situation, consent),
            liveness: edge.writer.liveness,
            limits: edge.writer.limits,
            cancel: edge.cancel,
        },
    )
}

/// Runs of `guard` within an hour share a record; where that cannot be, each keeps its own.
fn shared(edge: &Edge<'_>, lock: &RecordsLock, receipt: Receipt) -> Receipt {
    if edge.request.verb.name() != share::COMMAND || !receipt.problems.is_empty() {
        return receipt;
    }
    match share::fold(edge.writer.disk, lock, &receipt.run, SystemTime::now()) {
        Ok(Some((run, original))) => Receipt { run, backup: Some((original, BackupHow::Extract)), ..receipt },
        Ok(None) => receipt,
        Err(error) => {
            log::info!("this start keeps a record of its own: {error}");
            receipt
        }
    }
}

/// A rename gives the new content to one name only.
fn warn_of_other_names(judged: &Judged, store: &Path) {
    let names = judged.reading.source.file().metadata().map_or(1, |metadata| metadata.nlink());
    if names > 1 {
        log::warn!(
            "{}: the file has {names} names (hard links); the others keep the old content",
            store.display()
        );
    }
}

/// Old runs go; what cannot be deleted is said and stays.
pub fn tidy(edge: &Edge<'_>, lock: &RecordsLock, records: &Path) {
    match retention::enforce(edge.writer.disk, lock, &Retention::default(), SystemTime::now()) {
        Ok(deleted) => {
            for (run, error) in deleted.into_iter().filter_map(|(run, result)| Some((run, result.err()?))) {
                log::warn!("old run {run} could not be deleted: {error}");
            }
        }
        Err(error) => log::warn!("{}: {error}", records.display()),
    }
}

/// What a receipt means for a store.
pub fn applied(mut fate: Fate, receipt: Receipt) -> Fate {
    fate.outcome = Outcome::Applied;
    fate.backup = receipt
        .backup
        .as_ref()
        .map(|(path, _)| Backup { run: receipt.run.to_string(), path: path.display().to_string() });
    for note in &receipt.notes {
        fate.findings.push(note_finding("lock-stale", Severity::Info, note, &receipt.store));
    }
    for problem in &receipt.problems {
        fate.findings.push(note_finding("store-unreadable", Severity::Error, problem, &receipt.store));
        fate.exit = Exit::Io;
    }
    fate
}

/// Something that came of a write.
pub fn note_finding(id: &'static str, severity: Severity, message: &str, path: &Path) -> Finding {
    Finding {
        check_id: id,
        severity,
        message: message.to_owned(),
        path: Some(path.display().to_string()),
        count: None,
        fix_hint: None,
    }
}

/// What an error means for a store.
pub fn refused(mut fate: Fate, path: &Path, error: &ApplyError) -> Fate {
    fate.outcome = outcome_of(error);
    fate.exit = error.exit();
    fate.findings.push(failure(path, "store", error));
    fate
}

/// What an error means, in a word.
pub fn outcome_of(error: &ApplyError) -> Outcome {
    match error.exit() {
        Exit::Busy => Outcome::Busy,
        Exit::Refused => Outcome::Refused,
        _ => Outcome::Failed,
    }
}

/// What an error means, in words; `what` it leaves unchanged.
pub fn failure(path: &Path, what: &str, error: &ApplyError) -> Finding {
    let id = match error {
        ApplyError::NotEstablished(_) => "gateway-unknown",
        ApplyError::NotAllowed(_) => "gateway-running",
        ApplyError::Migrated(_) => "era-sqlite",
        ApplyError::Locked { .. } => "lock-held",
        _ => "store-unreadable",
    };
    let (mut message, shown) = (error.to_string(), path.display().to_string());
    if !message.contains(&shown) {
        message = format!("{shown}: {message}");
    }
    if !matches!(error, ApplyError::Uncertain { .. }) {
        message.push_str(&format!("; the {what} was not changed"));
    }
    note_finding(id, Severity::Error, &message, path)
}

/// A plan of which the brakes left nothing is refused.
pub(super) fn refuse_braked(diagnosis: &Diagnosis, fates: &mut [Fate]) {
    for (store, fate) in diagnosis.stores.iter().zip(fates) {
        if let Condition::Whole(judged) = &store.condition
            && store.file.acted_on
            && !judged.plan.brakes.is_empty()
            && !judged.plan.summary.is_change()
        {
            fate.outcome = Outcome::Refused;
            fate.exit = Exit::Refused;
        }
    }
}
