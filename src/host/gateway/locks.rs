//! The gateway locks and their owners.

use std::io;
use std::path::Path;

use super::command::is_gateway;
use super::{GatewayQuery, Life, LockFact, Seen};
use crate::host::{Host, System};
use crate::openclaw::layout::{gateway_lock_dirs, gateway_lock_name};
use crate::openclaw::lock::{self, LockFile, Owner};

/// Every gateway lock of this user, and the lock directories that could not be listed.
pub(super) fn collect(
    query: &GatewayQuery,
    host: &Host,
    system: &dyn System,
) -> (Vec<LockFact>, Vec<String>) {
    let (mut locks, mut unreadable) = (Vec::new(), Vec::new());
    for dir in gateway_lock_dirs(&host.temp_dir, &query.state_dir, host.uid) {
        match system.names(&dir) {
            Ok(names) => {
                let names =
                    names.iter().filter(|name| name.starts_with("gateway.") && name.ends_with(".lock"));
                locks.extend(names.filter_map(|name| fact(&dir.join(name), query, host, system)));
            }
            Err(error) if is_missing(&error) => {}
            Err(error) => unreadable.push(format!("{} cannot be listed: {error}", dir.display())),
        }
    }
    (locks, unreadable)
}

fn is_missing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// The fact of one lock; `None` when it has gone meanwhile.
fn fact(path: &Path, query: &GatewayQuery, host: &Host, system: &dyn System) -> Option<LockFact> {
    let (lock, life) = match system.read(path) {
        Ok(bytes) => {
            let lock = lock::parse(&bytes);
            let life = match &lock {
                Some(lock) => life(lock, system),
                None => unreadable(path, &bytes, host, system),
            };
            (lock, life)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
        Err(error) => (None, Life::Unknown(format!("it cannot be read: {error}"))),
    };
    Some(LockFact { ours: is_ours(path, lock.as_ref(), query), path: path.to_owned(), life })
}

/// Ours by the hash in its name, by the configuration it names, or because it lies in our state directory.
fn is_ours(path: &Path, lock: Option<&LockFile>, query: &GatewayQuery) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let configured = lock.and_then(|lock| lock.config_path.as_deref());
    path.starts_with(&query.state_dir)
        || query.config_paths.iter().any(|config| {
            config.to_str().is_some_and(|text| gateway_lock_name(text) == name)
                || configured.is_some_and(|configured| Path::new(configured) == config)
        })
}

/// An empty lock is one that was never finished; it is trusted to be dead once it is old.
fn unreadable(path: &Path, bytes: &[u8], host: &Host, system: &dyn System) -> Life {
    let age = system.facts(path, true).map(|facts| host.now_ms.saturating_sub(facts.mtime_ms));
    match age {
        Ok(age) if bytes.trim_ascii().is_empty() && age > lock::UNREADABLE_AFTER_MS => Life::Dead,
        _ => Life::Unknown("it does not tell its owner".to_owned()),
    }
}

fn life(lock: &LockFile, system: &dyn System) -> Life {
    let Some(pid) = lock.pid else { return Life::Unknown("it does not tell its owner".to_owned()) };
    let process = || system.process(pid);
    let alive = || Life::Alive(Seen { pid, started_at: process().and_then(|process| process.start_ms) });
    match (system.owner(pid), lock.start_time) {
        (Owner::Dead, _) => Life::Dead,
        (Owner::Unknown, _) => Life::Unknown(format!("whether process {pid} lives cannot be told")),
        (Owner::Alive { start_time: Some(now) }, Some(then)) if now == then => alive(),
        (Owner::Alive { start_time: Some(_) }, Some(_)) => Life::Dead,
        (Owner::Alive { start_time: None }, Some(_)) => {
            Life::Unknown(format!("process {pid} lives, but when it started cannot be told"))
        }
        (Owner::Alive { .. }, None) => match process() {
            Some(process) if is_gateway(&process) => alive(),
            Some(_) => Life::Dead,
            None => Life::Unknown(format!("process {pid} lives, but what it is cannot be told")),
        },
    }
}
