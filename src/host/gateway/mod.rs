//! Whether a gateway of a state directory runs.
//!
//! Three steps: [`collect`] asks the operating system and gathers facts, [`decide`] is a pure function over them, and
//! [`look`] joins the two. *Seen alive* needs one proof; *stopped* needs a complete look without any doubt; whatever lies
//! between is unknown, and says why.

mod command;
mod decide;
mod locks;
mod processes;
mod version;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};

pub use command::is_gateway;
pub use decide::decide;

use super::{FileSystem, Host, PortState, System};

/// Which gateway is looked for.
#[derive(Debug, Clone)]
pub struct GatewayQuery {
    /// Its state directory.
    pub state_dir: PathBuf,
    /// Where its configuration may lie, the likeliest first.
    pub config_paths: Vec<PathBuf>,
    /// Its port; `None` where the configuration could not be resolved.
    pub port: Option<u16>,
}

/// What the look came to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Gateway {
    /// `Some(true)`: seen alive. `Some(false)`: stopped. `None`: unknown.
    pub running: Option<bool>,
    /// Whether it is established as stopped by a complete look; true exactly when `running` is `Some(false)`.
    pub established: bool,
    /// The process that was seen, that of the lock before any other.
    pub pid: Option<u32>,
    /// When the earliest process that was seen started, epoch milliseconds.
    pub started_at: Option<i64>,
    /// Whether the kernel told that time, of a process that is proven to be the gateway.
    pub start_time_verified: bool,
    /// The version of OpenClaw it runs, where it can be told.
    pub version: Option<String>,
    /// Whether that version was read from files that have not changed since the process started.
    pub version_proven: bool,
    /// What was found, a sentence each; where the answer is unknown, every reason.
    pub evidence: Vec<String>,
}

/// What the operating system told, before anything is made of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Facts {
    /// The gateway locks that were found.
    pub locks: Vec<LockFact>,
    /// Lock directories that could not be listed.
    pub unreadable_lock_dirs: Vec<String>,
    /// The processes that look like a gateway.
    pub processes: Vec<ProcessFact>,
    /// Why there may be processes that were not seen; empty when all were.
    pub process_doubts: Vec<String>,
    /// The port, and what it answered at each address of this host; `None` when it is not known.
    pub port: Option<(u16, Vec<(IpAddr, PortState)>)>,
    /// Why the state directory may be another user's or host's; empty when it is ours.
    pub place_doubts: Vec<String>,
}

/// A gateway lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockFact {
    /// The file.
    pub path: PathBuf,
    /// Whether it is the lock of the gateway that is looked for.
    pub ours: bool,
    /// What is known of its owner.
    pub life: Life,
}

/// What is known of the owner of a gateway lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Life {
    /// It lives, with the start time of the lock or as a process that looks like a gateway.
    Alive(Seen),
    /// It is gone.
    Dead,
    /// It cannot be told, and why.
    Unknown(String),
}

/// A living gateway process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// Its number.
    pub pid: u32,
    /// When it started, epoch milliseconds, by the kernel.
    pub started_at: Option<i64>,
}

/// A process that looks like a gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProcessFact {
    /// The process.
    pub seen: Seen,
    /// Whose gateway it is.
    pub belongs: Belongs,
}

/// To which state directory a gateway process belongs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Belongs {
    /// To the one that is looked for.
    Ours,
    /// Provably to another one.
    Other(PathBuf),
    /// It cannot be told, and why.
    Unknown(String),
}

/// Looks for the gateway of a state directory.
pub fn look(query: &GatewayQuery, host: &Host, system: &dyn System) -> Gateway {
    let gateway = decide(&collect(query, host, system));
    match gateway.pid.and_then(|pid| version::of_process(pid, system)) {
        Some((version, version_proven)) => Gateway { version: Some(version), version_proven, ..gateway },
        None => gateway,
    }
}

/// Gathers the facts.
///
/// The processes come last: a gateway that starts during the look is more likely to be seen that way.
pub fn collect(query: &GatewayQuery, host: &Host, system: &dyn System) -> Facts {
    let place_doubts = place_doubts(&query.state_dir, host, system);
    let (locks, unreadable_lock_dirs) = locks::collect(query, host, system);
    let port = query.port.map(|port| (port, knocks(port, system)));
    let list = system.processes();
    let process_doubts = match list.complete {
        true => Vec::new(),
        false if list.doubts.is_empty() => vec!["the list of processes is not complete".to_owned()],
        false => list.doubts.clone(),
    };
    let processes = processes::collect(&list.processes, query, host, system);
    Facts { locks, unreadable_lock_dirs, processes, process_doubts, port, place_doubts }
}

fn knocks(port: u16, system: &dyn System) -> Vec<(IpAddr, PortState)> {
    let addresses = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
    addresses.map(|address| (address, system.knock(SocketAddr::new(address, port)))).to_vec()
}

fn place_doubts(state_dir: &Path, host: &Host, system: &dyn System) -> Vec<String> {
    let mut doubts = Vec::new();
    let dir = state_dir.display();
    match system.facts(state_dir, true) {
        Ok(facts) if facts.uid == host.uid => {}
        Ok(facts) => doubts.push(format!("{dir} belongs to user {}, not to user {}", facts.uid, host.uid)),
        Err(error) => doubts.push(format!("{dir} cannot be looked at: {error}")),
    }
    match system.file_system(state_dir) {
        Ok(FileSystem::Local) => {}
        Ok(FileSystem::Foreign(name)) => {
            doubts.push(format!("{dir} lies on {name}, where another host may write"))
        }
        Err(error) => doubts.push(format!("it cannot be told on which file system {dir} lies: {error}")),
    }
    doubts
}

#[cfg(test)]
mod fake;
#[cfg(test)]
mod tests;
