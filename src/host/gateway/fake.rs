//! A made-up operating system for tests.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use crate::host::{FileFacts, FileSystem, Host, PortState, Process, ProcessList, System};
use crate::openclaw::layout::absolute;
use crate::openclaw::lock::Owner;

/// A world that holds a quiet host; tests disturb it.
pub(super) struct Fake {
    pub list: ProcessList,
    pub environs: HashMap<u32, HashMap<String, String>>,
    pub files: HashMap<PathBuf, Vec<u8>>,
    pub facts: HashMap<PathBuf, FileFacts>,
    pub links: HashMap<PathBuf, PathBuf>,
    pub denied: Vec<PathBuf>,
    pub v4: PortState,
    pub v6: PortState,
    pub file_system: FileSystem,
    pub other_mounts: Vec<u32>,
}

impl Default for Fake {
    fn default() -> Self {
        let dir = |inode| FileFacts { device: 1, inode, uid: 7, ..FileFacts::default() };
        let facts = [("/h/.openclaw", dir(10)), ("/h/.openclaw-other", dir(11))];
        Self {
            list: ProcessList { complete: true, ..ProcessList::default() },
            environs: HashMap::new(),
            files: HashMap::new(),
            facts: facts.into_iter().map(|(path, facts)| (PathBuf::from(path), facts)).collect(),
            links: HashMap::new(),
            denied: Vec::new(),
            v4: PortState::Refused,
            v6: PortState::Refused,
            file_system: FileSystem::Local,
            other_mounts: Vec::new(),
        }
    }
}

impl Fake {
    /// Adds a process; without an environment it is one of another user.
    pub fn add(&mut self, pid: u32, args: &[&str], env: Option<&[(&str, &str)]>) -> &mut Process {
        if let Some(env) = env {
            let env = env.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect();
            self.environs.insert(pid, env);
        }
        let args = args.iter().map(|arg| arg.to_string()).collect();
        let at = self.list.processes.len();
        self.list.processes.push(Process {
            pid,
            parent: 1,
            uid: Some(7),
            start_ticks: u64::from(pid) * 10,
            start_ms: Some(i64::from(pid) * 1000),
            name: "node".into(),
            args,
        });
        &mut self.list.processes[at]
    }

    pub fn file(&mut self, path: &str, content: &str, time_ms: i64) {
        let facts = FileFacts { uid: 7, mtime_ms: time_ms, ctime_ms: time_ms, ..FileFacts::default() };
        self.files.insert(path.into(), content.as_bytes().to_vec());
        self.facts.insert(path.into(), facts);
    }

    fn deny(&self, path: &Path) -> io::Result<()> {
        match self.denied.iter().any(|denied| denied == path) {
            true => Err(io::ErrorKind::PermissionDenied.into()),
            false => Ok(()),
        }
    }
}

pub(super) fn host() -> Host {
    Host {
        now_ms: 10_000_000,
        boot_time_ms: Some(0),
        clock_ticks: 100,
        hostname: None,
        uid: 7,
        home: Some("/h".into()),
        cwd: "/".into(),
        env: HashMap::new(),
        cores: 1,
        temp_dir: "/tmp".into(),
        program: None,
    }
}

fn missing<T>() -> io::Result<T> {
    Err(io::ErrorKind::NotFound.into())
}

impl System for Fake {
    fn owner(&self, pid: u32) -> Owner {
        match self.process(pid) {
            Some(process) => Owner::Alive { start_time: Some(process.start_ticks) },
            None => Owner::Dead,
        }
    }

    fn process(&self, pid: u32) -> Option<Process> {
        self.list.processes.iter().find(|process| process.pid == pid).cloned()
    }

    fn processes(&self) -> ProcessList {
        self.list.clone()
    }

    fn environ(&self, pid: u32) -> io::Result<HashMap<String, String>> {
        self.environs.get(&pid).cloned().ok_or_else(|| io::ErrorKind::PermissionDenied.into())
    }

    fn process_cwd(&self, _pid: u32) -> io::Result<PathBuf> {
        Ok("/h".into())
    }

    fn same_mounts(&self, pid: u32) -> bool {
        !self.other_mounts.contains(&pid)
    }

    fn through(&self, pid: u32, path: &Path) -> PathBuf {
        match self.other_mounts.contains(&pid) {
            true => Path::new("/inside").join(path.strip_prefix("/").unwrap_or(path)),
            false => path.to_owned(),
        }
    }

    fn knock(&self, address: SocketAddr) -> PortState {
        if address.is_ipv4() { self.v4 } else { self.v6 }
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        self.deny(path)?;
        self.files.get(path).cloned().map_or_else(missing, Ok)
    }

    fn names(&self, dir: &Path) -> io::Result<Vec<String>> {
        self.deny(dir)?;
        let inside = self.files.keys().filter(|path| path.parent() == Some(dir));
        let names: Vec<String> =
            inside.filter_map(|path| Some(path.file_name()?.to_str()?.to_owned())).collect();
        if names.is_empty() { missing() } else { Ok(names) }
    }

    fn facts(&self, path: &Path, _follow: bool) -> io::Result<FileFacts> {
        self.deny(path)?;
        self.facts.get(path).copied().map_or_else(missing, Ok)
    }

    fn read_link(&self, path: &Path) -> io::Result<PathBuf> {
        self.links.get(path).cloned().map_or_else(missing, Ok)
    }

    fn canonical(&self, path: &Path) -> io::Result<PathBuf> {
        let link = self.links.iter().find_map(|(link, target)| {
            Some(absolute(link.parent()?, target).join(path.strip_prefix(link).ok()?))
        });
        Ok(link.unwrap_or_else(|| path.to_owned()))
    }

    fn file_system(&self, _path: &Path) -> io::Result<FileSystem> {
        Ok(self.file_system.clone())
    }
}
