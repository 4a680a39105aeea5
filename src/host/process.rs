//! Processes, as `/proc` tells of them.
//!
//! A number says little: the system gives it out again. A process is known by its number *and* its start time, and a
//! zombie counts as dead. Elsewhere than on Linux there is no `/proc`: a process can then only be seen to live, its
//! start time stays unknown, and no list is complete.

use std::collections::HashMap;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::process::{Pid, test_kill_process};

use crate::openclaw::lock::Owner;

/// The process id namespace that holds every process of the host.
const INITIAL_PID_NAMESPACE: &str = "pid:[4026531836]";

/// One living process.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Process {
    /// Its number.
    pub pid: u32,
    /// The number of its parent.
    pub parent: u32,
    /// Its effective user, where it can be told; a list of all processes leaves it out.
    pub uid: Option<u32>,
    /// When it started, in clock ticks since boot.
    pub start_ticks: u64,
    /// When it started, epoch milliseconds, exact to about a second.
    pub start_ms: Option<i64>,
    /// Its short name, at most 15 bytes.
    pub name: String,
    /// Its arguments, the program first; a process may have overwritten them with a title.
    pub args: Vec<String>,
}

/// The processes of this host.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ProcessList {
    /// Those that were seen, by number.
    pub processes: Vec<Process>,
    /// Whether these are all: every doubt makes it false.
    pub complete: bool,
    /// Why there may be more, a sentence each.
    pub doubts: Vec<String>,
}

/// A directory like `/proc`.
#[derive(Debug, Clone)]
pub struct ProcFs {
    root: PathBuf,
    boot_time_ms: Option<i64>,
    clock_ticks: u64,
}

/// What `/proc/<pid>/stat` tells.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Stat {
    name: String,
    state: char,
    parent: u32,
    start_ticks: u64,
}

impl ProcFs {
    /// The processes of this host.
    pub fn new(boot_time_ms: Option<i64>, clock_ticks: u64) -> Self {
        Self::at("/proc", boot_time_ms, clock_ticks)
    }

    /// Another directory of the same layout.
    pub fn at(root: impl Into<PathBuf>, boot_time_ms: Option<i64>, clock_ticks: u64) -> Self {
        Self { root: root.into(), boot_time_ms, clock_ticks: clock_ticks.max(1) }
    }

    /// The path of something that `/proc` tells of a process.
    pub fn entry(&self, pid: u32, name: &str) -> PathBuf {
        self.root.join(pid.to_string()).join(name)
    }

    /// What is known of the owner of a lock.
    pub fn owner(&self, pid: u32) -> Owner {
        match self.stat(pid) {
            Ok(stat) if is_dead(stat.state) => Owner::Dead,
            Ok(stat) => Owner::Alive { start_time: Some(stat.start_ticks) },
            Err(_) => self.owner_by_signal(pid),
        }
    }

    /// Asks the kernel directly: `/proc` may be missing or may hide the processes of others.
    fn owner_by_signal(&self, pid: u32) -> Owner {
        if self.root != Path::new("/proc") {
            return Owner::Dead;
        }
        let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) else { return Owner::Dead };
        match test_kill_process(pid) {
            Err(rustix::io::Errno::SRCH) => Owner::Dead,
            Ok(()) | Err(rustix::io::Errno::PERM) => Owner::Alive { start_time: None },
            Err(_) => Owner::Unknown,
        }
    }

    /// Whether a process lives; a zombie does not.
    pub fn alive(&self, pid: u32) -> bool {
        matches!(self.owner(pid), Owner::Alive { .. })
    }

    /// When a living process started, in clock ticks since boot.
    pub fn start_ticks(&self, pid: u32) -> Option<u64> {
        self.living(pid).map(|stat| stat.start_ticks)
    }

    /// When a living process started, epoch milliseconds.
    pub fn start_time_ms(&self, pid: u32) -> Option<i64> {
        self.ticks_to_ms(self.start_ticks(pid)?)
    }

    /// The arguments of a process.
    pub fn cmdline(&self, pid: u32) -> io::Result<Vec<String>> {
        std::fs::read(self.entry(pid, "cmdline")).map(|bytes| arguments(&bytes))
    }

    /// The environment a process was started with; only its own user may read it.
    pub fn environ(&self, pid: u32) -> io::Result<HashMap<String, String>> {
        let bytes = std::fs::read(self.entry(pid, "environ"))?;
        let pairs = bytes.split(|&byte| byte == 0).map(String::from_utf8_lossy);
        Ok(pairs.filter_map(|pair| pair.split_once('=').map(|(k, v)| (k.to_owned(), v.to_owned()))).collect())
    }

    /// The working directory of a process.
    pub fn cwd(&self, pid: u32) -> io::Result<PathBuf> {
        std::fs::read_link(self.entry(pid, "cwd"))
    }

    /// The effective user of a process.
    pub fn uid(&self, pid: u32) -> Option<u32> {
        let status = std::fs::read_to_string(self.entry(pid, "status")).ok()?;
        status.lines().find_map(|line| line.strip_prefix("Uid:")?.split_whitespace().nth(1)?.parse().ok())
    }

    /// The parent of a living process.
    pub fn parent(&self, pid: u32) -> Option<u32> {
        self.living(pid).map(|stat| stat.parent)
    }

    /// The living children of a process, as far as they can be seen.
    pub fn children(&self, pid: u32) -> Vec<u32> {
        self.numbers()
            .unwrap_or_default()
            .into_iter()
            .filter(|child| self.parent(*child) == Some(pid))
            .collect()
    }

    /// A living process.
    pub fn process(&self, pid: u32) -> Option<Process> {
        let stat = self.living(pid)?;
        let args = self.cmdline(pid).ok()?;
        Some(Process { uid: self.uid(pid), ..self.described(pid, stat, args) })
    }

    fn described(&self, pid: u32, stat: Stat, args: Vec<String>) -> Process {
        Process {
            pid,
            parent: stat.parent,
            uid: None,
            start_ticks: stat.start_ticks,
            start_ms: self.ticks_to_ms(stat.start_ticks),
            name: stat.name,
            args,
        }
    }

    /// Every living process, and whether that is every one of this host.
    pub fn list(&self) -> ProcessList {
        let mut doubts = self.doubts();
        let numbers = self.numbers().unwrap_or_else(|error| {
            doubts.push(format!("the processes cannot be listed: {error}"));
            Vec::new()
        });
        let mut processes = Vec::with_capacity(numbers.len());
        for pid in numbers {
            match self.seen(pid) {
                Ok(process) => processes.extend(process),
                Err(error) => doubts.push(format!("process {pid} cannot be looked at: {error}")),
            }
        }
        ProcessList { processes, complete: doubts.is_empty(), doubts }
    }

    /// A process of the list; `None` when it is a zombie or has gone meanwhile.
    fn seen(&self, pid: u32) -> io::Result<Option<Process>> {
        let look = || {
            let stat = self.stat(pid)?;
            let args = if is_dead(stat.state) { Vec::new() } else { self.cmdline(pid)? };
            Ok((stat, args))
        };
        match look() {
            Ok((stat, _)) if is_dead(stat.state) => Ok(None),
            Ok((stat, args)) => Ok(Some(self.described(pid, stat, args))),
            Err(error) if has_gone(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn doubts(&self) -> Vec<String> {
        let mut doubts = Vec::new();
        match std::fs::read_link(self.root.join("self/ns/pid")) {
            Ok(space) if space == Path::new(INITIAL_PID_NAMESPACE) => {}
            Ok(_) => doubts.push("only the processes of this container can be seen".to_owned()),
            Err(_) => {
                doubts.push("it cannot be told whether all processes of this host can be seen".to_owned())
            }
        }
        match std::fs::read_to_string(self.root.join("self/mountinfo")) {
            Ok(mounts) if !hides_processes(&mounts) => {}
            Ok(_) => doubts.push("/proc hides the processes of other users (hidepid)".to_owned()),
            Err(_) => doubts.push("it cannot be told whether /proc hides processes".to_owned()),
        }
        doubts
    }

    fn numbers(&self) -> io::Result<Vec<u32>> {
        let mut numbers = Vec::new();
        for entry in std::fs::read_dir(&self.root)? {
            numbers.extend(entry?.file_name().to_str().and_then(|name| name.parse::<u32>().ok()));
        }
        numbers.sort_unstable();
        Ok(numbers)
    }

    fn living(&self, pid: u32) -> Option<Stat> {
        self.stat(pid).ok().filter(|stat| !is_dead(stat.state))
    }

    fn stat(&self, pid: u32) -> io::Result<Stat> {
        let bytes = std::fs::read(self.entry(pid, "stat"))?;
        parse_stat(&bytes)
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "its state is unreadable"))
    }

    fn ticks_to_ms(&self, ticks: u64) -> Option<i64> {
        let since_boot = i64::try_from(u128::from(ticks) * 1000 / u128::from(self.clock_ticks)).ok()?;
        self.boot_time_ms?.checked_add(since_boot)
    }

    /// Whether a process sees the same files as this one; unreadable means no.
    pub fn same_mounts(&self, pid: u32) -> bool {
        let space = |path: PathBuf| std::fs::metadata(path).map(|facts| (facts.dev(), facts.ino())).ok();
        let own = space(self.root.join("self/ns/mnt"));
        own.is_some() && own == space(self.entry(pid, "ns/mnt"))
    }
}

/// The time of boot out of `/proc/stat`, epoch milliseconds.
pub(super) fn boot_time_ms(stat: &[u8]) -> Option<i64> {
    let text = String::from_utf8_lossy(stat);
    let seconds: i64 = text.lines().find_map(|line| line.strip_prefix("btime ")?.trim().parse().ok())?;
    seconds.checked_mul(1000)
}

/// Parses after the last `)`: the name before it may hold blanks and parentheses.
fn parse_stat(bytes: &[u8]) -> Option<Stat> {
    let text = String::from_utf8_lossy(bytes);
    let (head, tail) = text.rsplit_once(')')?;
    let (_, name) = head.split_once('(')?;
    let mut fields = tail.split_whitespace();
    let state = fields.next()?.chars().next()?;
    let parent = fields.next()?.parse().ok()?;
    let start_ticks = fields.nth(17)?.parse().ok()?;
    Some(Stat { name: name.to_owned(), state, parent, start_ticks })
}

fn is_dead(state: char) -> bool {
    matches!(state, 'Z' | 'X' | 'x')
}

fn has_gone(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound
        || error.raw_os_error() == Some(rustix::io::Errno::SRCH.raw_os_error())
}

/// Splits arguments at their NULs; the padding that a title leaves behind is dropped.
fn arguments(bytes: &[u8]) -> Vec<String> {
    let end = bytes.iter().rposition(|&byte| byte != 0).map_or(0, |at| at + 1);
    let used = bytes.get(..end).filter(|used| !used.is_empty());
    used.map_or_else(Vec::new, |used| {
        used.split(|&b| b == 0).map(|a| String::from_utf8_lossy(a).into_owned()).collect()
    })
}

/// Whether the mount that is on top at `/proc` hides the processes of others.
fn hides_processes(mountinfo: &str) -> bool {
    let on_top = mountinfo.lines().rfind(|line| line.split(' ').nth(4) == Some("/proc"));
    let options = on_top.into_iter().flat_map(|line| line.split([' ', ',']));
    let mut hiding = options.filter_map(|option| option.strip_prefix("hidepid="));
    hiding.any(|value| value != "0" && value != "off")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn fake(pid: u32, stat: &str, cmdline: &[u8]) -> (tempfile::TempDir, ProcFs) {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join(pid.to_string());
        std::fs::create_dir_all(&dir).unwrap();
        std::fs::write(dir.join("stat"), stat).unwrap();
        std::fs::write(dir.join("cmdline"), cmdline).unwrap();
        std::fs::write(dir.join("environ"), b"A=1\0B=x=y\0").unwrap();
        std::fs::write(dir.join("status"), "Name:\tx\nUid:\t5\t7\t5\t5\n").unwrap();
        let table = ProcFs::at(root.path(), Some(1_000_000), 100);
        (root, table)
    }

    fn stat(name: &str, state: char) -> String {
        format!("9 ({name}) {state} 3 9 9 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 99446 0 0")
    }

    #[test]
    fn a_name_may_hold_blanks_and_parentheses() {
        let (_root, table) = fake(9, &stat("a) (b c", 'S'), b"openclaw-gateway\0\0\0");
        let process = table.process(9).unwrap();
        assert_eq!((process.name.as_str(), process.parent, process.start_ticks), ("a) (b c", 3, 99446));
        assert_eq!(process.start_ms, Some(1_000_000 + 994_460));
        assert_eq!((process.uid, process.args), (Some(7), vec!["openclaw-gateway".to_owned()]));
        assert_eq!(table.environ(9).unwrap()["B"], "x=y");
        assert_eq!(table.children(3), [9]);
    }

    #[test]
    fn a_zombie_is_dead() {
        for state in ['Z', 'X'] {
            let (_root, table) = fake(9, &stat("x", state), b"");
            assert_eq!((table.alive(9), table.start_ticks(9), table.process(9)), (false, None, None));
            assert!(table.list().processes.is_empty());
        }
    }

    #[test]
    fn a_directory_that_is_not_proc_is_never_complete() {
        let (_root, table) = fake(9, &stat("x", 'S'), b"x\0");
        let list = table.list();
        assert_eq!((list.processes.len(), list.complete), (1, false));
        assert!(!ProcFs::at("/nowhere", None, 100).list().complete);
    }

    #[test]
    fn an_unreadable_process_is_a_doubt() {
        let (_root, table) = fake(9, "nonsense", b"x\0");
        assert!(table.list().doubts.iter().any(|doubt| doubt.contains("process 9")));
    }

    #[test]
    fn hidepid_is_seen_on_the_mount_on_top() {
        let plain = "22 27 0:21 / /proc rw,relatime - proc proc rw\n";
        let hidden = "22 27 0:21 / /proc rw,relatime - proc proc rw,hidepid=invisible\n";
        assert!(!hides_processes(plain));
        assert!(hides_processes(hidden));
        assert!(hides_processes(&hidden.replace("invisible", "2")));
        assert!(!hides_processes(&hidden.replace("invisible", "off")));
        assert!(!hides_processes(&format!("{hidden}{plain}")));
        assert!(hides_processes(&format!("{plain}{hidden}")));
    }

    #[test]
    fn this_process_lives_and_a_waited_child_does_not() {
        let table = crate::host::Host::current().processes();
        let own = std::process::id();
        assert!(table.alive(own));
        let process = table.process(own).unwrap();
        assert!(process.start_ms.unwrap() <= crate::host::now_ms() + 1000);
        assert!(table.same_mounts(own));
        let mut child = std::process::Command::new("true").spawn().unwrap();
        child.wait().unwrap();
        assert_eq!(table.owner(child.id()), Owner::Dead);
    }

    #[test]
    fn boot_time_is_in_seconds() {
        assert_eq!(boot_time_ms(b"cpu 1\nbtime 1795248053\n"), Some(1_795_248_053_000));
        assert_eq!(boot_time_ms(b""), None);
    }
}
