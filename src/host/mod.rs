//! The operating system, read once at the edge into values: clock, user, processes, ports, services.
//!
//! What this room may touch: it reads `/proc`, file facts, lock files and unit files, and it knocks at local ports. It
//! changes nothing, prints nothing, and judges nothing but whether a gateway runs. Everything a verdict may rest on
//! goes through the [`System`] trait or a plain value, so tests can put another world in its place.

pub mod files;
pub mod gateway;
pub mod journal;
pub mod memory;
pub mod process;
pub mod program;
pub mod service;
pub mod system;

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

pub use gateway::{Gateway, GatewayQuery};
pub use process::{ProcFs, Process, ProcessList};
pub use service::Service;
pub use system::{FileFacts, FileSystem, PortState, RealSystem, System};

/// This host and this user, as they were when the tool started.
#[derive(Debug, Clone)]
pub struct Host {
    /// The real clock, epoch milliseconds.
    pub now_ms: i64,
    /// When the host booted, epoch milliseconds; `/proc/stat` tells whole seconds.
    pub boot_time_ms: Option<i64>,
    /// Clock ticks per second of process start times.
    pub clock_ticks: u64,
    /// The name of the host.
    pub hostname: Option<String>,
    /// The effective user.
    pub uid: u32,
    /// The user's home directory.
    pub home: Option<PathBuf>,
    /// The working directory.
    pub cwd: PathBuf,
    /// The environment, as far as it is UTF-8.
    pub env: HashMap<String, String>,
    /// The directory for temporary files, as Node names it.
    pub temp_dir: PathBuf,
    /// How many threads it runs at once for this process.
    pub cores: usize,
    /// The path by which this program can be called again; `None` where the system does not tell.
    pub program: Option<PathBuf>,
}

impl Host {
    /// Reads the host.
    pub fn current() -> Self {
        let env = env_snapshot();
        let temp_dir = temp_dir(&env);
        let cwd = std::env::current_dir().unwrap_or_else(|_| PathBuf::from("/"));
        let called = std::env::args_os().next();
        let search = env.get("PATH").map(String::as_str);
        let running = std::env::current_exe().ok();
        Self {
            program: running.map(|exe| program::stable(&exe, called.as_deref(), &cwd, search)),
            now_ms: now_ms(),
            boot_time_ms: process::boot_time_ms(&std::fs::read("/proc/stat").unwrap_or_default()),
            clock_ticks: rustix::param::clock_ticks_per_second().max(1),
            hostname: hostname(),
            uid: rustix::process::geteuid().as_raw(),
            home: std::env::home_dir().filter(|home| home.is_absolute()),
            cwd,
            env,
            temp_dir,
            cores: std::thread::available_parallelism().map_or(1, usize::from),
        }
    }

    /// A variable of the environment.
    pub fn var(&self, name: &str) -> Option<String> {
        self.env.get(name).cloned()
    }

    /// The processes of this host.
    pub fn processes(&self) -> ProcFs {
        ProcFs::new(self.boot_time_ms, self.clock_ticks)
    }

    /// The real side of [`System`].
    pub fn system(&self) -> RealSystem {
        RealSystem::new(self.processes())
    }
}

/// The real clock, epoch milliseconds; a clock before 1970 counts as 1970.
pub fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

fn env_snapshot() -> HashMap<String, String> {
    std::env::vars_os()
        .filter_map(|(key, value)| Some((key.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

/// Node's `os.tmpdir()`: `TMPDIR`, `TMP`, `TEMP`, else `/tmp`, without a slash at the end.
pub fn temp_dir(env: &HashMap<String, String>) -> PathBuf {
    let named =
        ["TMPDIR", "TMP", "TEMP"].iter().find_map(|name| env.get(*name).filter(|dir| !dir.is_empty()));
    let dir = named.map_or("/tmp", String::as_str);
    let trimmed = dir.trim_end_matches('/');
    PathBuf::from(if trimmed.is_empty() { "/" } else { trimmed })
}

fn hostname() -> Option<String> {
    let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
    (!name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn temporary_files_lie_where_node_puts_them() {
        let env = |pairs: &[(&str, &str)]| {
            temp_dir(&pairs.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect())
        };
        assert_eq!(env(&[]), PathBuf::from("/tmp"));
        assert_eq!(env(&[("TEMP", "/c"), ("TMP", "/b/"), ("TMPDIR", "")]), PathBuf::from("/b"));
        assert_eq!(env(&[("TMPDIR", "/")]), PathBuf::from("/"));
    }

    #[test]
    fn the_host_is_read() {
        let host = Host::current();
        assert!(host.now_ms > 1_600_000_000_000);
        assert!(host.cwd.is_absolute());
        assert!(host.boot_time_ms.is_none_or(|boot| boot < host.now_ms));
    }
}
