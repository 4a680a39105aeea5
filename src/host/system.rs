//! The questions put to the operating system, and its answers.
//!
//! The look for a gateway asks through [`System`] only; tests answer from values they made up.

use std::collections::HashMap;
use std::io;
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::process::{ProcFs, Process, ProcessList};
use crate::openclaw::lock::Owner;

/// How long a port may take to answer.
const KNOCK: Duration = Duration::from_millis(300);

/// What a port answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PortState {
    /// Somebody listens.
    Accepting,
    /// Nobody does.
    Refused,
    /// The address does not exist here, as `::1` on a host without IPv6.
    Unavailable,
    /// No answer, or one that says nothing.
    Silent,
}

/// Facts of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FileFacts {
    /// The device it lies on.
    pub device: u64,
    /// Its number there.
    pub inode: u64,
    /// Its owner.
    pub uid: u32,
    /// When its content changed, epoch milliseconds.
    pub mtime_ms: i64,
    /// When anything of it changed, epoch milliseconds.
    pub ctime_ms: i64,
    /// Whether it is a symbolic link (only when links are not followed).
    pub is_link: bool,
}

/// Where a directory lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileSystem {
    /// On a file system that only this host writes.
    Local,
    /// On one that another host may write, or that is not known to be local; with its name or number.
    Foreign(String),
}

/// The operating system as the look for a gateway sees it.
pub trait System {
    /// What is known of the owner of a lock.
    fn owner(&self, pid: u32) -> Owner;
    /// A living process.
    fn process(&self, pid: u32) -> Option<Process>;
    /// All processes.
    fn processes(&self) -> ProcessList;
    /// The environment a process was started with.
    fn environ(&self, pid: u32) -> io::Result<HashMap<String, String>>;
    /// The working directory of a process.
    fn process_cwd(&self, pid: u32) -> io::Result<PathBuf>;
    /// Whether a process sees the same files as this one.
    fn same_mounts(&self, pid: u32) -> bool;
    /// A path of the process, in a form that names the same file here.
    fn through(&self, pid: u32, path: &Path) -> PathBuf;
    /// Knocks at a port of this host.
    fn knock(&self, address: SocketAddr) -> PortState;
    /// The content of a file.
    fn read(&self, path: &Path) -> io::Result<Vec<u8>>;
    /// The names in a directory.
    fn names(&self, dir: &Path) -> io::Result<Vec<String>>;
    /// Facts of a file; `follow` goes through a symbolic link.
    fn facts(&self, path: &Path, follow: bool) -> io::Result<FileFacts>;
    /// What a symbolic link names.
    fn read_link(&self, path: &Path) -> io::Result<PathBuf>;
    /// The path without symbolic links.
    fn canonical(&self, path: &Path) -> io::Result<PathBuf>;
    /// Where a directory lies.
    fn file_system(&self, path: &Path) -> io::Result<FileSystem>;
}

/// The real side.
#[derive(Debug, Clone)]
pub struct RealSystem {
    processes: ProcFs,
}

impl RealSystem {
    /// Asks this host, and these processes.
    pub fn new(processes: ProcFs) -> Self {
        Self { processes }
    }
}

impl System for RealSystem {
    fn owner(&self, pid: u32) -> Owner {
        self.processes.owner(pid)
    }

    fn process(&self, pid: u32) -> Option<Process> {
        self.processes.process(pid)
    }

    fn processes(&self) -> ProcessList {
        self.processes.list()
    }

    fn environ(&self, pid: u32) -> io::Result<HashMap<String, String>> {
        self.processes.environ(pid)
    }

    fn process_cwd(&self, pid: u32) -> io::Result<PathBuf> {
        self.processes.cwd(pid)
    }

    fn same_mounts(&self, pid: u32) -> bool {
        self.processes.same_mounts(pid)
    }

    fn through(&self, pid: u32, path: &Path) -> PathBuf {
        self.processes.entry(pid, "root").join(path.strip_prefix("/").unwrap_or(path))
    }

    fn knock(&self, address: SocketAddr) -> PortState {
        match TcpStream::connect_timeout(&address, KNOCK) {
            Ok(_) => PortState::Accepting,
            Err(error) => refusal(&error),
        }
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        super::files::read_regular(path)
    }

    fn names(&self, dir: &Path) -> io::Result<Vec<String>> {
        let entries = std::fs::read_dir(dir)?;
        entries.map(|entry| entry.map(|entry| entry.file_name().to_string_lossy().into_owned())).collect()
    }

    fn facts(&self, path: &Path, follow: bool) -> io::Result<FileFacts> {
        let facts = if follow { std::fs::metadata(path) } else { std::fs::symlink_metadata(path) }?;
        let ms = |seconds: i64, nanos: i64| seconds.saturating_mul(1000).saturating_add(nanos / 1_000_000);
        Ok(FileFacts {
            device: facts.dev(),
            inode: facts.ino(),
            uid: facts.uid(),
            mtime_ms: ms(facts.mtime(), facts.mtime_nsec()),
            ctime_ms: ms(facts.ctime(), facts.ctime_nsec()),
            is_link: facts.file_type().is_symlink(),
        })
    }

    fn read_link(&self, path: &Path) -> io::Result<PathBuf> {
        std::fs::read_link(path)
    }

    fn canonical(&self, path: &Path) -> io::Result<PathBuf> {
        std::fs::canonicalize(path)
    }

    fn file_system(&self, path: &Path) -> io::Result<FileSystem> {
        file_system(path)
    }
}

fn refusal(error: &io::Error) -> PortState {
    use io::ErrorKind::{AddrNotAvailable, ConnectionRefused, HostUnreachable, NetworkUnreachable};
    let no_family = error.raw_os_error() == Some(rustix::io::Errno::AFNOSUPPORT.raw_os_error());
    match error.kind() {
        ConnectionRefused => PortState::Refused,
        AddrNotAvailable | HostUnreachable | NetworkUnreachable => PortState::Unavailable,
        _ if no_family => PortState::Unavailable,
        _ => PortState::Silent,
    }
}

/// File systems that only this host writes, by the number that `statfs` gives. What is not among them (NFS, SMB, FUSE,
/// 9p, Ceph, virtiofs, anything new) is foreign.
#[cfg(target_os = "linux")]
const LOCAL: [u32; 17] = [
    0xEF53,      // ext2, ext3, ext4
    0x5846_5342, // xfs
    0x9123_683E, // btrfs
    0x2FC1_2FC1, // zfs
    0xF2F5_2010, // f2fs
    0xCA45_1A4E, // bcachefs
    0x0102_1994, // tmpfs
    0x8584_58F6, // ramfs
    0x794C_7630, // overlayfs
    0xF15F,      // ecryptfs
    0x5265_4973, // reiserfs
    0x3153_464A, // jfs
    0x3434,      // nilfs
    0x2405_1905, // ubifs
    0x2011_BAB0, // exfat
    0x4D44,      // fat
    0x7366_746E, // ntfs3
];

#[cfg(target_os = "linux")]
fn file_system(path: &Path) -> io::Result<FileSystem> {
    let kind = rustix::fs::statfs(path)?.f_type as u32;
    Ok(if LOCAL.contains(&kind) { FileSystem::Local } else { FileSystem::Foreign(foreign_name(kind)) })
}

#[cfg(not(target_os = "linux"))]
fn file_system(_path: &Path) -> io::Result<FileSystem> {
    Ok(FileSystem::Foreign("a file system of unknown kind".to_owned()))
}

#[cfg(target_os = "linux")]
fn foreign_name(kind: u32) -> String {
    let name = match kind {
        0x6969 => "NFS",
        0x517B | 0xFF53_4D42 | 0xFE53_4D42 => "SMB",
        0x6573_5546 => "FUSE",
        0x0102_1997 => "9p",
        0x00C3_6400 => "Ceph",
        0x5346_414F | 0x6B41_4653 => "AFS",
        0x0BD0_0BD0 => "Lustre",
        0x786F_4256 => "a VirtualBox share",
        _ => return format!("a file system of unknown kind ({kind:#x})"),
    };
    name.to_owned()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    #[test]
    fn ports_accept_or_refuse() {
        let system = crate::host::Host::current().system();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        assert_eq!(system.knock(address), PortState::Accepting);
        drop(listener);
        assert_eq!(system.knock(address), PortState::Refused);
    }

    #[test]
    fn answers_that_are_no_refusal() {
        let of = |kind: io::ErrorKind| refusal(&kind.into());
        assert_eq!(of(io::ErrorKind::AddrNotAvailable), PortState::Unavailable);
        assert_eq!(of(io::ErrorKind::TimedOut), PortState::Silent);
        assert_eq!(of(io::ErrorKind::PermissionDenied), PortState::Silent);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn proc_is_not_a_local_file_system() {
        assert!(matches!(file_system(Path::new("/proc")).unwrap(), FileSystem::Foreign(_)));
        assert_eq!(foreign_name(0x6969), "NFS");
    }

    #[test]
    fn a_file_of_another_process_is_the_same_file() {
        let system = crate::host::Host::current().system();
        let dir = tempfile::tempdir().unwrap();
        let through = system.through(std::process::id(), dir.path());
        assert_eq!(system.facts(&through, true).unwrap(), system.facts(dir.path(), true).unwrap());
    }
}
