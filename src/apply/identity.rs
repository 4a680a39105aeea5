//! Which file it is, and whether anybody touched it since.

use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::disk::{DiskError, DiskResult};

/// Device, inode, size and the two times that a writer cannot help changing. Times are nanoseconds since
/// the epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Device.
    pub dev: u64,
    /// Inode on that device.
    pub ino: u64,
    /// Size in bytes.
    pub size: u64,
    /// Last change of the data.
    pub mtime: i128,
    /// Last change of the inode: data, mode, owner, number of names.
    pub ctime: i128,
}

impl Identity {
    /// Of what `File::metadata` or `fs::metadata` said.
    pub fn of(meta: &Metadata) -> Self {
        let nanos = |seconds: i64, rest: i64| i128::from(seconds) * 1_000_000_000 + i128::from(rest);
        Identity {
            dev: meta.dev(),
            ino: meta.ino(),
            size: meta.size(),
            mtime: nanos(meta.mtime(), meta.mtime_nsec()),
            ctime: nanos(meta.ctime(), meta.ctime_nsec()),
        }
    }

    /// Of what is at `path` now, a link not followed; `None` when nothing is.
    pub fn at(path: &Path) -> DiskResult<Option<Self>> {
        match fs::symlink_metadata(path) {
            Ok(meta) => Ok(Some(Identity::of(&meta))),
            Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(cause) => Err(DiskError::new("look at", path, cause)),
        }
    }

    /// Whether both are the same inode, whatever was done to it.
    pub fn same_file(&self, other: &Identity) -> bool {
        (self.dev, self.ino) == (other.dev, other.ino)
    }

    /// Whether they are equal but for the ctime, which a hard link changes too.
    pub fn same_but_for_ctime(&self, other: &Identity) -> bool {
        Identity { ctime: 0, ..*self } == Identity { ctime: 0, ..*other }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hard_link_changes_the_ctime_alone_and_a_write_more_than_that() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("store");
        fs::write(&path, "old").unwrap();
        let before = Identity::at(&path).unwrap().unwrap();
        std::thread::sleep(std::time::Duration::from_millis(20));
        fs::hard_link(&path, dir.path().join("second")).unwrap();
        let linked = Identity::at(&path).unwrap().unwrap();
        assert!(linked.same_but_for_ctime(&before));
        assert_ne!(linked, before);
        fs::write(&path, "new").unwrap();
        let written = Identity::at(&path).unwrap().unwrap();
        assert!(written.same_file(&before) && !written.same_but_for_ctime(&before));
        assert_eq!(Identity::at(&dir.path().join("none")).unwrap(), None);
    }
}
