//! Which processes are gateways, and of which state directory.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};

use super::command::{is_gateway, is_titled, launches_gateway, profile};
use super::{Belongs, GatewayQuery, ProcessFact, Seen};
use crate::host::{Host, Process, System};
use crate::openclaw::layout::{Places, Profile, state_dir};

/// The processes that look like a gateway, each with whose it is.
pub(super) fn collect(
    all: &[Process],
    query: &GatewayQuery,
    host: &Host,
    system: &dyn System,
) -> Vec<ProcessFact> {
    let by_pid: HashMap<u32, &Process> = all.iter().map(|process| (process.pid, process)).collect();
    let gateways = all.iter().filter(|process| is_gateway(process));
    let fact = |process: &Process| {
        let seen = Seen { pid: process.pid, started_at: process.start_ms };
        let parent = by_pid.get(&process.parent).copied();
        belongs(process, parent, query, host, system).map(|belongs| ProcessFact { seen, belongs })
    };
    gateways.filter_map(fact).collect()
}

/// Whose gateway a process is; `None` when it has gone meanwhile.
fn belongs(
    process: &Process,
    parent: Option<&Process>,
    query: &GatewayQuery,
    host: &Host,
    system: &dyn System,
) -> Option<Belongs> {
    let unknown =
        |what: &str, error: io::Error| Some(Belongs::Unknown(format!("its {what} cannot be read: {error}")));
    let gone = || system.process(process.pid).is_none_or(|now| now.start_ticks != process.start_ticks);
    let env = match system.environ(process.pid) {
        Ok(env) => env,
        Err(_) if gone() => return None,
        Err(error) => return unknown("environment", error),
    };
    let cwd = match system.process_cwd(process.pid) {
        Ok(cwd) => cwd,
        Err(_) if gone() => return None,
        Err(error) => return unknown("working directory", error),
    };
    let args = visible_args(process, parent);
    let dir = its_state_dir(process, &env, &cwd, args, host, system);
    let named = env.get("OPENCLAW_STATE_DIR").is_some_and(|dir| !dir.trim().is_empty());
    let belongs = compare(process, dir, query, system);
    match belongs {
        Belongs::Other(_) if !named && args.is_none() => Some(Belongs::Unknown(
            "a profile may have been chosen by arguments that it has overwritten".to_owned(),
        )),
        belongs => Some(belongs),
    }
}

/// The arguments it was started with; a title hides them, but its launcher has the same.
fn visible_args<'a>(process: &'a Process, parent: Option<&'a Process>) -> Option<&'a [String]> {
    if !is_titled(process) || launches_gateway(&process.args) {
        return Some(&process.args);
    }
    parent.map(|parent| parent.args.as_slice()).filter(|args| launches_gateway(args))
}

/// The state directory that OpenClaw's own rules give it.
fn its_state_dir(
    process: &Process,
    env: &HashMap<String, String>,
    cwd: &Path,
    args: Option<&[String]>,
    host: &Host,
    system: &dyn System,
) -> PathBuf {
    let profile = args.and_then(profile).and_then(|name| Profile::new(name).ok());
    let look_up = |name: &str| env.get(name).cloned();
    let exists = |path: &Path| system.facts(&system.through(process.pid, path), true).is_ok();
    // A list does not tell the user: that is asked of the few that look like a gateway.
    let user = system.process(process.pid).filter(|now| now.start_ticks == process.start_ticks);
    let os_home = host.home.as_deref().filter(|_| user.and_then(|now| now.uid) == Some(host.uid));
    state_dir(&Places { env: &look_up, os_home, cwd, exists: &exists }, profile.as_ref()).path
}

/// Compares by what the path names, seen through the process, since it may have mounts of its own.
fn compare(process: &Process, dir: PathBuf, query: &GatewayQuery, system: &dyn System) -> Belongs {
    let same_mounts = system.same_mounts(process.pid);
    if same_mounts && dir == query.state_dir {
        return Belongs::Ours;
    }
    let ours = match system.facts(&query.state_dir, true) {
        Ok(ours) => ours,
        Err(error) if same_mounts && error.kind() == io::ErrorKind::NotFound => return Belongs::Other(dir),
        Err(_) => return Belongs::Unknown("the state directory cannot be looked at".to_owned()),
    };
    match system.facts(&system.through(process.pid, &dir), true) {
        Ok(its) if (its.device, its.inode) == (ours.device, ours.inode) => Belongs::Ours,
        Ok(_) => Belongs::Other(dir),
        Err(error) if same_mounts && error.kind() == io::ErrorKind::NotFound => Belongs::Other(dir),
        Err(error) => {
            Belongs::Unknown(format!("its state directory {} cannot be looked at: {error}", dir.display()))
        }
    }
}
