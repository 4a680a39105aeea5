//! Which file is really meant by the path of a store, and where its locks lie.
//!
//! A store may be a link. The file that it leads to is the one that is replaced, in its own directory; the
//! link stays. OpenClaw's lock lies at `<real directory of the path>/<name in the path>.lock`, so beside the
//! link; whoever names the real file locks there. For a link both are taken.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::disk::{DiskError, DiskResult};
use super::error::ApplyError;
use super::identity::Identity;
use super::run_record::Subject;
use super::runs;

/// A store, links resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The path that leads to it, as it was named.
    pub named: PathBuf,
    /// The file itself.
    pub real: PathBuf,
    /// OpenClaw's locks, in the order in which they are taken.
    pub locks: Vec<PathBuf>,
}

impl Target {
    /// Resolves the path of a store that may be missing; its directory must exist.
    pub fn resolve(named: &Path) -> Result<Self, ApplyError> {
        let real = real_path(named)?;
        let mut locks = vec![lock_beside(&real_dir_path(named)?), lock_beside(&real)];
        locks.dedup();
        Ok(Target { named: named.to_owned(), real, locks })
    }

    /// The same for what a run changes: OpenClaw has locks for stores alone.
    pub fn of(subject: Subject, named: &Path) -> Result<Self, ApplyError> {
        let target = Target::resolve(named)?;
        let locks = if subject == Subject::Store { target.locks } else { Vec::new() };
        Ok(Target { locks, ..target })
    }

    /// The directory that holds the file.
    pub fn dir(&self) -> &Path {
        runs::parent(&self.real)
    }

    /// Fails unless the store still is what was scanned: the same file, untouched; or missing still.
    pub fn check(&self, expected: Option<Identity>) -> Result<(), ApplyError> {
        let changed = |what: &str| Err(self.changed(what));
        match real_path(&self.named) {
            Err(ApplyError::Refused(_)) => return changed("the link leads nowhere"),
            Ok(real) if real != self.real => return changed("the link leads elsewhere"),
            other => other?,
        };
        match (Identity::at(&self.real)?, expected) {
            (None, None) => Ok(()),
            (Some(now), Some(then)) if now == then => Ok(()),
            (Some(_), None) => changed("it appeared"),
            (None, Some(_)) => changed("it is gone"),
            (Some(now), Some(then)) if !now.same_file(&then) => changed("another file took its place"),
            (Some(now), Some(then)) if now.size != then.size => changed("its size is another"),
            (Some(_), Some(_)) => changed("it was touched"),
        }
    }

    /// The error for a store that is no longer what was scanned.
    pub fn changed(&self, what: &str) -> ApplyError {
        ApplyError::Changed { path: self.named.clone(), what: what.to_owned() }
    }
}

fn real_path(named: &Path) -> Result<PathBuf, ApplyError> {
    match fs::canonicalize(named) {
        Ok(real) => Ok(real),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            if fs::symlink_metadata(named).is_ok() {
                let why = format!("{} is a link that leads nowhere", named.display());
                return Err(ApplyError::Refused(why));
            }
            Ok(real_dir_path(named)?)
        }
        Err(cause) => Err(DiskError::new("resolve", named, cause).into()),
    }
}

/// The path with its directory resolved, its last name as it is.
fn real_dir_path(named: &Path) -> DiskResult<PathBuf> {
    let told = |cause| DiskError::new("resolve", named, cause);
    let dir = fs::canonicalize(runs::parent(named)).map_err(told)?;
    let name = named.file_name().ok_or_else(|| told(io::ErrorKind::InvalidInput.into()))?;
    Ok(dir.join(name))
}

fn lock_beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_locked_at_both_ends_and_a_plain_file_once() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        let (real, link) = (root.join("store.json"), root.join("link.json"));
        fs::write(&real, "{}").unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        let target = Target::resolve(&link).unwrap();
        assert_eq!(target.real, real);
        assert_eq!(target.locks, [root.join("link.json.lock"), root.join("store.json.lock")]);
        assert_eq!(Target::resolve(&real).unwrap().locks, [root.join("store.json.lock")]);
        assert_eq!(Target::of(Subject::Document, &link).unwrap().locks, [""; 0].map(PathBuf::from));
        fs::remove_file(&real).unwrap();
        assert!(matches!(Target::resolve(&link), Err(ApplyError::Refused(_))));
        assert_eq!(Target::resolve(&real).unwrap().real, real, "missing, but it has a place");
    }
}
