//! What every writing verb does the same way: permission, consent, the lock of our own, what was left over.

use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::speak;
use crate::apply::changes::ChangeLog;
use crate::apply::resume::{Outcome as Left, ResumeRequest, Resumed};
use crate::apply::run_record::Subject;
use crate::apply::runs::Found;
use crate::apply::store_lock::StoreLock;
use crate::apply::target::Target;
use crate::apply::{ApplyError, DiskError, RecordsLock, RunState, resume, runs};
use crate::cli::args::{GatewayArg, WriteArgs};
use crate::diagnose::records;
use crate::diagnose::run::{Edge, Writer};
use crate::evidence::discover::Situation;
use crate::evidence::gateway::{self, GatewayEvidence};
use crate::evidence::migration;
use crate::model::entry::Flags;
use crate::model::plan::ChangeRecord;
use crate::scan::entries::{KeyContext, Scan, scan};
use crate::scan::source::FileSource;

/// Era C, in which OpenClaw takes no lock any more, begins here.
const FIRST_WITHOUT_LOCK: [u64; 3] = [2026, 5, 2];

/// Whether the store may be replaced now; asked before, and again under the lock.
pub fn may_write(edge: &Edge<'_>, situation: &Situation, write: &WriteArgs) -> Result<(), ApplyError> {
    let now = edge.request.now.unwrap_or(edge.host.now_ms);
    let evidence = gateway::weigh(situation, edge.host, edge.system, edge.request.gateway, now);
    allowed(&evidence, edge.request.gateway, write)
}

/// The same by a look that was taken before.
pub fn allowed(evidence: &GatewayEvidence, arg: GatewayArg, write: &WriteArgs) -> Result<(), ApplyError> {
    let no = |why: String| Err(ApplyError::NotAllowed(why));
    if evidence.seen_alive {
        let pid = evidence.seen.pid.map(|pid| format!(" (process {pid})")).unwrap_or_default();
        return match (&evidence.seen.version, evidence.seen.version_proven) {
            (Some(version), true) if write.live && takes_lock(version) => Ok(()),
            _ if write.live => no(format!(
                "the gateway runs{pid} and its version is not proven to be older than 2026.5.2: stop it first"
            )),
            _ => no(format!("the gateway runs{pid}: stop it first")),
        };
    }
    if evidence.stopped || write.assume_stopped && arg != GatewayArg::Running {
        return Ok(());
    }
    if arg == GatewayArg::Running {
        return no("--gateway running was given: nothing is written beside a gateway".to_owned());
    }
    let why = evidence.seen.evidence.join("; ");
    Err(ApplyError::NotEstablished(format!(
        "it could not be established that the gateway is stopped ({why}); stop it and say --gateway stopped"
    )))
}

/// Whether the migration to SQLite leaves the store to be written at all.
pub fn not_migrated(situation: &Situation, store: &Path) -> Result<(), ApplyError> {
    match migration::refusal(situation, store) {
        Some(why) => Err(ApplyError::Migrated(format!("{}: {why}; use `openclaw doctor`", store.display()))),
        None => Ok(()),
    }
}

/// Whether a version of OpenClaw still takes the lock of the store.
fn takes_lock(version: &str) -> bool {
    let numbers: Option<Vec<u64>> = version.split(['.', '-']).take(3).map(|part| part.parse().ok()).collect();
    numbers.is_some_and(|numbers| numbers.len() == 3 && numbers.as_slice() < FIRST_WITHOUT_LOCK.as_slice())
}

/// Asks on a terminal; elsewhere `--apply` itself is the consent.
pub fn consents(write: &WriteArgs, question: &str) -> bool {
    if write.yes || !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return true;
    }
    eprint!("{} [y/N] ", crate::report::escape::Shown::new(question));
    let _ = std::io::stderr().flush();
    let mut answer = String::new();
    let read = std::io::stdin().read_line(&mut answer);
    read.is_ok() && matches!(answer.trim().to_lowercase().as_str(), "y" | "yes")
}

/// Takes the lock of our own for a store that `named` leads to. Whatever an earlier run left is settled first, and then
/// the plan is of another world.
pub fn begin(
    edge: &Edge<'_>,
    situation: &Situation,
    (named, real): (&Path, &Path),
    write: &WriteArgs,
) -> Result<(RecordsLock, PathBuf), ApplyError> {
    let told = |error| ApplyError::Io(DiskError::new("look at", real, error));
    let records = records::of(real, situation).map_err(told)?;
    let (lock, resumed) = lock(edge, situation, &records, write)?;
    if resumed {
        let what = "an earlier run was finished or rolled back first".to_owned();
        return Err(ApplyError::Changed { path: named.to_owned(), what });
    }
    Ok((lock, records))
}

/// Puts what is told of a store into the record of a run.
pub fn keep(
    log: &mut ChangeLog,
    store: &Path,
    tell: impl FnOnce(&mut dyn FnMut(&ChangeRecord) -> io::Result<()>) -> io::Result<()>,
) -> Result<(), ApplyError> {
    let mut pushed = Ok(());
    let told = tell(&mut |record| {
        log.push(record).map_err(|error| {
            let seen = io::Error::other(error.to_string());
            pushed = Err(error);
            seen
        })
    });
    pushed?;
    told.map_err(|error| read_again(store, error))
}

/// Why a store could not be read again. The words of a source that was cut or written to are of one kind.
pub fn read_again(store: &Path, error: io::Error) -> ApplyError {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => {
            ApplyError::Changed { path: store.to_owned(), what: error.to_string() }
        }
        _ => ApplyError::Io(DiskError::new("read", store, error)),
    }
}

/// Scans a temporary file, to be held against the plan. What the outside says of keys is not in its bytes.
pub fn rescan(temp: &Path, map: bool, main_key: &str) -> Result<Scan, String> {
    let mut source = FileSource::open(temp, map).map_err(|error| error.to_string())?;
    let context = KeyContext { main_key, marks: &|_, _| Flags::NONE };
    scan(&mut source, &context, &mut |_| Ok(())).map_err(|error| error.to_string())
}

/// Finishes or rolls back what earlier runs left, wherever records of the situation lie. Nothing is made.
/// Returns whether there was anything, for then the situation may be another.
pub fn settle_leftovers(edge: &Edge<'_>, situation: &Situation, write: &WriteArgs) -> anyhow::Result<bool> {
    let mut any = false;
    for dir in records::all(situation).iter().filter(|dir| is_unsettled(dir, situation)) {
        any = true;
        match lock(edge, situation, dir, write) {
            Ok(_) => {}
            Err(error @ ApplyError::Interrupted(_)) => return Err(error.into()),
            // Whoever writes next says so again, and says what it means.
            Err(error) => log::warn!("{}: {error}", dir.display()),
        }
    }
    Ok(any)
}

/// Whether a run was cut short, or left a temporary file beside a store.
fn is_unsettled(records: &Path, situation: &Situation) -> bool {
    let settled = |found: &Found| matches!(found, Found::Run(run) if run.record.state != RunState::Intended);
    let cut_short = || runs::list(records).is_ok_and(|found| !found.iter().all(settled));
    let has_temp = |dir: &Path| {
        let names = std::fs::read_dir(dir).into_iter().flatten().filter_map(Result::ok);
        names.map(|entry| entry.file_name()).any(|name| {
            let name = name.to_string_lossy();
            name.starts_with(".sessions-doctor.") && name.ends_with(".tmp")
        })
    };
    let temps = || records::written(situation).any(|path| path.parent().is_some_and(has_temp));
    runs::runs_dir(records).is_dir() && (cut_short() || temps())
}

/// Takes the lock of our own, and takes up what an earlier run left. Says so on stderr.
pub fn lock(
    edge: &Edge<'_>,
    situation: &Situation,
    records: &Path,
    write: &WriteArgs,
) -> Result<(RecordsLock, bool), crate::apply::ApplyError> {
    let Writer { disk, liveness, limits } = edge.writer;
    let lock = RecordsLock::acquire(disk, records, limits.flock_wait, edge.cancel)?;
    let stores: Vec<PathBuf> = records::written(situation).collect();
    let left = resume(
        disk,
        &lock,
        ResumeRequest {
            stores: &stores,
            now: SystemTime::now(),
            may_write: &mut || may_write(edge, situation, write).map_err(|error| error.to_string()),
            liveness,
            limits,
            cancel: edge.cancel,
        },
    )?;
    for left in &left {
        give_back_store_lock(edge, left);
        let name = left.run.as_ref().map(ToString::to_string).unwrap_or_default();
        let path = left.path.as_ref().map(|path| path.display().to_string()).unwrap_or_default();
        let what = match &left.what {
            Left::Finished(_) => "was cut short after its change: it counts as done".to_owned(),
            Left::RolledBack => "was cut short before its change: nothing of it is left".to_owned(),
            Left::Cleared => "was cut short before it began: cleared".to_owned(),
            Left::TempRemoved => "a temporary file of ours: removed".to_owned(),
            Left::Left(why) => format!("is left as it is: {why}"),
        };
        speak::say(edge, &format!("run {name} {path}: {what}"));
    }
    let news = left.iter().any(|left| !matches!(left.what, Left::Left(_)));
    Ok((lock, news))
}

/// A run that was killed under OpenClaw's lock left it behind; its owner is dead, so it is taken and given back.
fn give_back_store_lock(edge: &Edge<'_>, left: &Resumed) {
    let Writer { disk, liveness, .. } = edge.writer;
    let (Some(Subject::Store), Some(path)) = (left.subject, &left.path) else { return };
    let Ok(target) = Target::resolve(path) else { return };
    if target.locks.iter().any(|lock| lock.exists()) {
        let taken = StoreLock::acquire(disk, &target.locks, liveness, Duration::ZERO, edge.cancel);
        if let Err(error) = taken.map_err(anyhow::Error::from).and_then(|lock| Ok(lock.release()?)) {
            log::info!("{}: {error}", path.display());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_versions_that_are_proven_older_still_take_the_lock() {
        for (version, takes) in [
            ("2026.4.29", true),
            ("2026.3.28-beta.1", true),
            ("2026.5.2", false),
            ("2026.5.2-beta.1", false),
            ("2026.12.1", false),
            ("5", false),
            ("", false),
        ] {
            assert_eq!(takes_lock(version), takes, "{version}");
        }
    }
}
