//! The one door to changing files.
//!
//! A small trait, so that a test can put a disk behind it that loses power between any two operations
//! (`tests/crash/disk.rs`) or is full. Nothing here decides anything: order and meaning belong to
//! the callers. Reading does not go through it.
//!
//! Every error names the operation and the path, because "No such file or directory" alone helps nobody.

use std::fmt;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::identity::Identity;

/// An operation on a path that failed. The message is whole: it already holds the cause.
#[derive(Debug)]
pub struct DiskError {
    /// What was tried, as a verb: `rename`, `write`.
    pub op: &'static str,
    /// On which path.
    pub path: PathBuf,
    /// Where to, for operations with two paths.
    pub to: Option<PathBuf>,
    /// What the system said.
    pub cause: io::Error,
}

impl DiskError {
    /// An error of `op` on `path`.
    pub fn new(op: &'static str, path: &Path, cause: io::Error) -> Self {
        DiskError { op, path: path.to_owned(), to: None, cause }
    }

    /// An error of an operation with two paths.
    pub fn between(op: &'static str, from: &Path, to: &Path, cause: io::Error) -> Self {
        DiskError { op, path: from.to_owned(), to: Some(to.to_owned()), cause }
    }

    /// The kind of the cause.
    pub fn kind(&self) -> io::ErrorKind {
        self.cause.kind()
    }
}

impl fmt::Display for DiskError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "cannot {} {}", self.op, self.path.display())?;
        if let Some(to) = &self.to {
            write!(out, " to {}", to.display())?;
        }
        write!(out, ": {}", self.cause)
    }
}

impl std::error::Error for DiskError {}

/// What every operation on a disk gives back.
pub type DiskResult<T> = Result<T, DiskError>;

/// What changes a directory, and what creates files in it.
///
/// A name is durable only after [`Disk::sync_dir`] of its directory, data only after [`DiskFile::sync`].
pub trait Disk {
    /// Makes a directory; an existing one is an error.
    fn create_dir(&self, path: &Path, mode: u32) -> DiskResult<()>;
    /// Makes a file that did not exist (`O_EXCL`, which does not follow a link either). `mode` is subject to
    /// the umask.
    fn create(&self, path: &Path, mode: u32) -> DiskResult<Box<dyn DiskFile>>;
    /// Renames, replacing what is at `to`.
    fn rename(&self, from: &Path, to: &Path) -> DiskResult<()>;
    /// Renames, and fails with `AlreadyExists` rather than replace anything.
    fn rename_new(&self, from: &Path, to: &Path) -> DiskResult<()>;
    /// Gives the file at `from` a second name.
    fn hard_link(&self, from: &Path, to: &Path) -> DiskResult<()>;
    /// Makes `to` share the blocks of `from`, durable when it returns `true`; `false`, and no file, where the
    /// file system cannot do that.
    fn reflink(&self, from: &File, to: &Path, mode: u32) -> DiskResult<bool>;
    /// Gives a file or directory to a user and a group; a link is not followed.
    fn set_owner(&self, path: &Path, uid: u32, gid: u32) -> DiskResult<()>;
    /// Removes a name of a file.
    fn remove_file(&self, path: &Path) -> DiskResult<()>;
    /// Removes an empty directory.
    fn remove_dir(&self, path: &Path) -> DiskResult<()>;
    /// Makes the names in a directory durable.
    fn sync_dir(&self, path: &Path) -> DiskResult<()>;
    /// Bytes that may still be written below `path` without root's reserve.
    fn free_space(&self, path: &Path) -> DiskResult<u64>;
}

/// A file that [`Disk::create`] made and that is still being written.
pub trait DiskFile {
    /// Appends bytes.
    fn write_all(&mut self, bytes: &[u8]) -> DiskResult<()>;
    /// Makes the data durable.
    fn sync(&mut self) -> DiskResult<()>;
    /// Gives it to a user and a group.
    fn set_owner(&mut self, uid: u32, gid: u32) -> DiskResult<()>;
    /// Sets its mode, whatever the umask.
    fn set_mode(&mut self, mode: u32) -> DiskResult<()>;
    /// Sets an extended attribute (access control lists are kept in one).
    fn set_attribute(&mut self, name: &std::ffi::OsStr, value: &[u8]) -> DiskResult<()>;
    /// Which file it is.
    fn identity(&self) -> DiskResult<Identity>;
}

/// The disk of this machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct RealDisk;

impl Disk for RealDisk {
    fn create_dir(&self, path: &Path, mode: u32) -> DiskResult<()> {
        let made = fs::DirBuilder::new().mode(mode).create(path);
        made.map_err(|cause| DiskError::new("create directory", path, cause))
    }

    fn create(&self, path: &Path, mode: u32) -> DiskResult<Box<dyn DiskFile>> {
        let file = create_new(path, mode)?;
        Ok(Box::new(RealFile { file, path: path.to_owned() }))
    }

    fn rename(&self, from: &Path, to: &Path) -> DiskResult<()> {
        fs::rename(from, to).map_err(|cause| DiskError::between("rename", from, to, cause))
    }

    fn rename_new(&self, from: &Path, to: &Path) -> DiskResult<()> {
        use rustix::fs::{CWD, RenameFlags, renameat_with};
        use rustix::io::Errno;
        match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
            // File systems without that flag (NFS, some FUSE): a link refuses an existing name just as well.
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {
                self.hard_link(from, to)?;
                self.remove_file(from)
            }
            other => other.map_err(|errno| DiskError::between("rename", from, to, errno.into())),
        }
    }

    fn hard_link(&self, from: &Path, to: &Path) -> DiskResult<()> {
        fs::hard_link(from, to).map_err(|cause| DiskError::between("link", from, to, cause))
    }

    fn reflink(&self, from: &File, to: &Path, mode: u32) -> DiskResult<bool> {
        let file = create_new(to, mode)?;
        let cloned = rustix::fs::ioctl_ficlone(&file, from);
        if cloned.is_ok() {
            file.sync_all().map_err(|cause| DiskError::new("sync", to, cause))?;
            return Ok(true);
        }
        // Whatever the reason (another device, no such feature, no space left), a copy says it better.
        self.remove_file(to).map(|()| false)
    }

    fn set_owner(&self, path: &Path, uid: u32, gid: u32) -> DiskResult<()> {
        let given = std::os::unix::fs::lchown(path, Some(uid), Some(gid));
        given.map_err(|cause| DiskError::new("set the owner of", path, cause))
    }

    fn remove_file(&self, path: &Path) -> DiskResult<()> {
        fs::remove_file(path).map_err(|cause| DiskError::new("remove", path, cause))
    }

    fn remove_dir(&self, path: &Path) -> DiskResult<()> {
        fs::remove_dir(path).map_err(|cause| DiskError::new("remove directory", path, cause))
    }

    fn sync_dir(&self, path: &Path) -> DiskResult<()> {
        let synced = File::open(path).and_then(|dir| dir.sync_all());
        synced.map_err(|cause| DiskError::new("sync directory", path, cause))
    }

    fn free_space(&self, path: &Path) -> DiskResult<u64> {
        let stat = rustix::fs::statvfs(path);
        let stat = stat.map_err(|errno| DiskError::new("see the free space of", path, errno.into()))?;
        Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
    }
}

fn create_new(path: &Path, mode: u32) -> DiskResult<File> {
    let opened = OpenOptions::new().write(true).create_new(true).mode(mode).open(path);
    opened.map_err(|cause| DiskError::new("create", path, cause))
}

struct RealFile {
    file: File,
    path: PathBuf,
}

impl RealFile {
    fn told<T>(&self, op: &'static str, result: io::Result<T>) -> DiskResult<T> {
        result.map_err(|cause| DiskError::new(op, &self.path, cause))
    }
}

impl DiskFile for RealFile {
    fn write_all(&mut self, bytes: &[u8]) -> DiskResult<()> {
        let written = self.file.write_all(bytes);
        self.told("write", written)
    }

    fn sync(&mut self) -> DiskResult<()> {
        self.told("sync", self.file.sync_all())
    }

    fn set_owner(&mut self, uid: u32, gid: u32) -> DiskResult<()> {
        self.told("set the owner of", std::os::unix::fs::fchown(&self.file, Some(uid), Some(gid)))
    }

    fn set_mode(&mut self, mode: u32) -> DiskResult<()> {
        self.told("set the mode of", self.file.set_permissions(Permissions::from_mode(mode)))
    }

    fn set_attribute(&mut self, name: &std::ffi::OsStr, value: &[u8]) -> DiskResult<()> {
        let set = rustix::fs::fsetxattr(&self.file, name, value, rustix::fs::XattrFlags::empty());
        self.told("set an attribute of", set.map_err(io::Error::from))
    }

    fn identity(&self) -> DiskResult<Identity> {
        self.told("look at", self.file.metadata().map(|meta| Identity::of(&meta)))
    }
}
