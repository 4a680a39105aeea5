//! Opens files that others left lying about, without being held up by them.
//!
//! A FIFO, a device or a socket under the name of a file would block for ever or never end; a file that
//! nobody wrote for us may be of any size.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::fs::OFlags;

/// Nothing that is read whole is larger than this, but for stores, which are never read whole.
pub const MAX_WHOLE: u64 = 512 << 20;

/// Opens a regular file for reading; anything else is an error of the kind `InvalidInput`.
pub fn open_regular(path: &Path) -> io::Result<File> {
    open_with(path, OFlags::NONBLOCK | OFlags::NOCTTY)
}

/// The same, and a link is an error.
pub fn open_itself(path: &Path) -> io::Result<File> {
    open_with(path, OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::NOFOLLOW)
}

fn open_with(path: &Path, flags: OFlags) -> io::Result<File> {
    let file = OpenOptions::new().read(true).custom_flags(flags.bits() as i32).open(path)?;
    let metadata = file.metadata()?;
    if metadata.is_dir() {
        return Err(io::Error::from(io::ErrorKind::IsADirectory));
    }
    if !metadata.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
    }
    Ok(file)
}

/// Reads a regular file whole; one over [`MAX_WHOLE`] is an error.
pub fn read_regular(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let file = open_regular(path)?;
    let size = file.metadata()?.len();
    if size > MAX_WHOLE {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("{size} bytes is too large")));
    }
    file.take(MAX_WHOLE).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pipe_a_device_and_a_directory_are_refused_at_once() {
        let dir = tempfile::tempdir().unwrap();
        let pipe = dir.path().join("jobs.json");
        rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, rustix::fs::Mode::RUSR).unwrap();
        for path in [pipe.as_path(), Path::new("/dev/zero"), dir.path()] {
            assert!(read_regular(path).is_err(), "{}", path.display());
        }
        let file = dir.path().join("file");
        std::fs::write(&file, "x").unwrap();
        assert_eq!(read_regular(&file).unwrap(), b"x");
    }
}
