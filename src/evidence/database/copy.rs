//! A private copy of a database and of what waits beside it to be written back.
//!
//! The copy is taken without a lock. It is one moment of the database all the same where the database itself did not
//! change meanwhile: then nothing was written back, and a log only grows at its end, unless it begins anew, which
//! its head tells.

use std::fs::{File, Permissions};
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::{DatabaseError, Print};
use crate::host::files;
use crate::openclaw::sqlite;

/// What the copy of a database is called.
pub(super) const NAME: &str = "copy.sqlite";

/// The most that is copied.
const MAX_COPY: u64 = 1 << 30;

/// A write-ahead log tells its age in so many bytes.
const HEAD: u64 = 32;

/// Copies a database, `real`, and what lies `beside` it. `path` is what messages call it.
pub(super) fn private(
    path: &Path,
    real: &Path,
    print: Print,
    beside: &[(PathBuf, Print)],
    state_dir: &Path,
) -> Result<TempDir, DatabaseError> {
    let size = print.size + beside.iter().map(|(_, print)| print.size).sum::<u64>();
    if size > MAX_COPY {
        return Err(DatabaseError::TooLarge(path.to_owned(), size, MAX_COPY));
    }
    let dir = directory(size, state_dir).map_err(|why| DatabaseError::NoPlace(path.to_owned(), why))?;
    let told = |error| DatabaseError::Io(path.to_owned(), error);
    let changing = || DatabaseError::Changing(path.to_owned());
    let copy = dir.path().join(NAME);
    let mut sources = vec![(real, copy.clone(), print)];
    for (file, print) in beside {
        let is_log = *file == sqlite::write_ahead_log(real);
        let to = if is_log { sqlite::write_ahead_log(&copy) } else { sqlite::rollback_journal(&copy) };
        sources.push((file, to, *print));
    }
    for (from, to, _) in &sources {
        match copy_file(from, to) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(changing()),
            copied => copied.map_err(told)?,
        }
    }
    for (from, to, before) in &sources {
        let now = Print::at(from)?.ok_or_else(changing)?;
        let is_log = *to == sqlite::write_ahead_log(&copy);
        let same = if is_log {
            now.inode == before.inode && now.size >= before.size && head(from).ok() == head(to).ok()
        } else {
            now == *before
        };
        if !same {
            return Err(changing());
        }
    }
    Ok(dir)
}

/// A directory of our own for temporary files, with room for so much.
pub(super) fn directory(size: u64, state_dir: &Path) -> Result<TempDir, String> {
    let parent = tempfile::env::temp_dir();
    let parent = parent.canonicalize().map_err(|error| format!("{}: {error}", parent.display()))?;
    let state_dir = state_dir.canonicalize().unwrap_or_else(|_| state_dir.to_owned());
    if parent.starts_with(&state_dir) {
        return Err(format!("{} lies in the state directory; set TMPDIR", parent.display()));
    }
    let room = rustix::fs::statvfs(&parent).map_err(|error| format!("{}: {error}", parent.display()))?;
    let free = room.f_bavail.saturating_mul(room.f_frsize);
    if free / 2 < size {
        return Err(format!("{}: {free} bytes are free, and {size} would be needed", parent.display()));
    }
    tempfile::Builder::new()
        .prefix("sessions-doctor-")
        .permissions(Permissions::from_mode(0o700))
        .tempdir_in(&parent)
        .map_err(|error| format!("{}: {error}", parent.display()))
}

fn copy_file(from: &Path, to: &Path) -> io::Result<()> {
    // A file that grows while it is copied does not grow beyond all bounds.
    let mut source = files::open_regular(from)?.take(MAX_COPY);
    io::copy(&mut source, &mut File::create_new(to)?)?;
    Ok(())
}

fn head(file: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    files::open_regular(file)?.take(HEAD).read_to_end(&mut bytes)?;
    Ok(bytes)
}
