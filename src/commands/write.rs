//! What every writing verb does the same way: permission, consent, the lock of our own, what was left over.

use std::collections::BTreeSet;
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::speak;
use crate::apply::liveness::ProcLiveness;
use crate::apply::resume::{Outcome as Left, ResumeRequest};
use crate::apply::runs::Found;
use crate::apply::{Limits, RealDisk, RecordsLock, RunState, resume, runs};
use crate::cli::args::{GatewayArg, WriteArgs};
use crate::diagnose::run::Edge;
use crate::evidence::discover::Situation;
use crate::evidence::gateway::{self, GatewayEvidence};
use crate::model::store::StoreFile;

/// Era C, in which OpenClaw takes no lock any more, begins here.
const FIRST_WITHOUT_LOCK: [u64; 3] = [2026, 5, 2];

/// Whether the store may be replaced now; asked before, and again under the lock.
pub fn may_write(edge: &Edge<'_>, situation: &Situation, write: &WriteArgs) -> Result<(), String> {
    let now = edge.request.now.unwrap_or(edge.host.now_ms);
    let evidence = gateway::weigh(situation, edge.host, edge.system, edge.request.gateway, now);
    allowed(&evidence, edge.request.gateway, write)
}

/// The rule behind [`may_write`].
fn allowed(evidence: &GatewayEvidence, arg: GatewayArg, write: &WriteArgs) -> Result<(), String> {
    if evidence.seen_alive {
        let pid = evidence.seen.pid.map(|pid| format!(" (process {pid})")).unwrap_or_default();
        return match (&evidence.seen.version, evidence.seen.version_proven) {
            (Some(version), true) if write.live && takes_lock(version) => Ok(()),
            _ if write.live => Err(format!(
                "the gateway runs{pid} and its version is not proven to be older than 2026.5.2: stop it first"
            )),
            _ => Err(format!("the gateway runs{pid}: stop it first")),
        };
    }
    if evidence.stopped || write.assume_stopped && arg != GatewayArg::Running {
        return Ok(());
    }
    if arg == GatewayArg::Running {
        return Err("--gateway running was given: nothing is written beside a gateway".to_owned());
    }
    let why = evidence.seen.evidence.join("; ");
    Err(format!(
        "it could not be established that the gateway is stopped ({why}); stop it and say --gateway stopped"
    ))
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

/// Where the records of a store lie.
pub fn records_dir(store: &Path, situation: &Situation) -> std::io::Result<PathBuf> {
    let state = situation.exists.then_some(situation.state_dir.as_path());
    runs::records_dir(store, state).map_err(std::io::Error::other)
}

/// Every records directory of a situation that exists, once.
pub fn records_dirs(situation: &Situation) -> std::io::Result<Vec<PathBuf>> {
    let mut dirs = BTreeSet::new();
    // A directory that does not exist holds no records either.
    let there = |store: &&StoreFile| store.real.parent().is_some_and(Path::is_dir);
    for store in situation.stores.iter().filter(there) {
        dirs.insert(records_dir(&store.real, situation)?);
    }
    dirs.insert(situation.state_dir.join("sessions-doctor"));
    let real: BTreeSet<PathBuf> =
        dirs.iter().filter(|dir| dir.is_dir()).map(|dir| dir.canonicalize()).collect::<Result<_, _>>()?;
    Ok(real.into_iter().collect())
}

/// Takes up what earlier runs left, where there is any such thing: for whoever finds nothing to write, or is
/// to choose among the runs. What cannot be taken up is said and stays.
pub fn take_up(edge: &Edge<'_>, situation: &Situation, write: &WriteArgs) -> std::io::Result<()> {
    let left = |found: &Found| match found {
        Found::Run(run) => run.record.state == RunState::Intended,
        Found::Unfinished(..) => true,
        Found::Unreadable(..) => false,
    };
    for dir in records_dirs(situation)? {
        if runs::list(&dir).is_ok_and(|found| found.iter().any(left))
            && let Err(error) = lock(edge, situation, &dir, write)
        {
            speak::say(edge, &error.to_string());
        }
    }
    Ok(())
}

/// Takes the lock of our own, and takes up what an earlier run left. Says so on stderr.
pub fn lock(
    edge: &Edge<'_>,
    situation: &Situation,
    records: &Path,
    write: &WriteArgs,
) -> Result<(RecordsLock, bool), crate::apply::ApplyError> {
    let limits = Limits::default();
    let lock = RecordsLock::acquire(&RealDisk, records, limits.flock_wait, edge.cancel)?;
    let stores: Vec<PathBuf> = situation.stores.iter().map(|store| store.real.clone()).collect();
    let left = resume(
        &RealDisk,
        &lock,
        ResumeRequest {
            stores: &stores,
            now: SystemTime::now(),
            may_write: &mut || may_write(edge, situation, write),
            liveness: &ProcLiveness,
            limits,
            cancel: edge.cancel,
        },
    )?;
    for left in &left {
        let name = left.run.as_ref().map(ToString::to_string).unwrap_or_default();
        let path = left.path.as_ref().map(|path| path.display().to_string()).unwrap_or_default();
        let what = match &left.what {
            Left::Finished(_) => "was cut short after its change: it counts as done".to_owned(),
            Left::RolledBack => "was cut short before its change: nothing of it is left".to_owned(),
            Left::Cleared => "was cut short before it began: cleared".to_owned(),
            Left::TempRemoved => "a temporary file of ours: removed".to_owned(),
            Left::Left(why) => format!("was cut short and stays as it is: {why}"),
        };
        speak::say(edge, &format!("run {name} {path}: {what}"));
    }
    Ok((lock, !left.is_empty()))
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
