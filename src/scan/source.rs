//! Windows of a file by 64-bit offset: mapped where that works, read otherwise.
//!
//! Mapping is the default because it saves a copy. One window is mapped at a time: mapped pages count as
//! resident memory, and the kernel may map far more than is touched where the page cache holds large folios,
//! but never beyond a mapping. So resident memory stays at about one window whatever the file's size, and a
//! tight `ulimit -v` is no obstacle. Where mapping is refused all the same, as on odd file systems,
//! [`FileSource`] reads instead, and nothing else changes.
//!
//! Limit: touching a mapped page behind the end of a file that another process has just truncated raises
//! SIGBUS. Before each window the size is looked at, so a file cut earlier is an error of the kind
//! `UnexpectedEof`; a cut within one window's time is not caught. `--no-mmap` reads, and has no such limit.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use crate::host::files::open_regular;
use memmap2::{Mmap, MmapOptions};

/// Bytes that somebody may look at, a window at a time.
pub trait Source {
    /// Size in bytes when it was opened.
    fn len(&self) -> u64;

    /// The bytes from `at` on, at least one of them if `at < len()`; empty at the end.
    fn window(&mut self, at: u64) -> io::Result<&[u8]>;

    /// Whether there is nothing in it.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// How many bytes a window of a file holds.
pub const WINDOW: usize = 1 << 20;

/// A file, mapped or read.
pub struct FileSource {
    file: File,
    len: u64,
    backing: Backing,
}

enum Backing {
    Map { map: Option<Mmap>, at: u64 },
    Read { buffer: Vec<u8>, at: u64 },
}

impl FileSource {
    /// Opens `path`. With `map` unset it is never mapped.
    pub fn open(path: &Path, map: bool) -> io::Result<Self> {
        Self::from_file(open_regular(path)?, map)
    }

    /// Takes an open file, whatever has its name by now.
    pub fn from_file(file: File, map: bool) -> io::Result<Self> {
        let metadata = file.metadata()?;
        if metadata.is_dir() {
            return Err(io::Error::from(io::ErrorKind::IsADirectory));
        }
        let len = metadata.len();
        let backing = if map && len > 0 {
            Backing::Map { map: None, at: 0 }
        } else {
            Backing::Read { buffer: Vec::new(), at: 0 }
        };
        Ok(FileSource { file, len, backing })
    }

    /// The open file.
    pub fn file(&self) -> &File {
        &self.file
    }

    /// Whether the file is mapped.
    pub fn is_mapped(&self) -> bool {
        matches!(self.backing, Backing::Map { .. })
    }
}

/// `None` where mapping is refused; reading is then the way.
fn map_window(file: &File, at: u64, len: usize) -> Option<Mmap> {
    // SAFETY: The map is read-only and private to this value. Others may change the file underneath; the
    // bytes are then other bytes, which every reader here takes for what they are: untrusted input without
    // any invariant. Truncation is the documented limit of this module.
    #[allow(unsafe_code)]
    let map = unsafe { MmapOptions::new().offset(at).len(len).map(file) };
    map.ok()
}

/// Where `at` lies in a window of `len` bytes that begins at `start`, if it does.
fn place(at: u64, start: u64, len: usize) -> Option<usize> {
    usize::try_from(at.checked_sub(start)?).ok().filter(|&place| place < len)
}

impl Source for FileSource {
    fn len(&self) -> u64 {
        self.len
    }

    fn window(&mut self, at: u64) -> io::Result<&[u8]> {
        if at >= self.len {
            return Ok(&[]);
        }
        let want = WINDOW.min(usize::try_from(self.len - at).unwrap_or(WINDOW));
        if let Backing::Map { map, at: start } = &mut self.backing
            && map.as_ref().and_then(|map| place(at, *start, map.len())).is_none()
        {
            if self.file.metadata()?.len() < self.len {
                return Err(truncated());
            }
            *map = None;
            match map_window(&self.file, at, want) {
                Some(new) => (*map, *start) = (Some(new), at),
                None => self.backing = Backing::Read { buffer: Vec::new(), at: 0 },
            }
        }
        match &mut self.backing {
            Backing::Map { map, at: start } => {
                let bytes: &[u8] = map.as_ref().map_or(&[], |map| map);
                Ok(&bytes[place(at, *start, bytes.len()).unwrap_or(0)..])
            }
            Backing::Read { buffer, at: start } => {
                if place(at, *start, buffer.len()).is_none() {
                    buffer.resize(want, 0);
                    let read = self.file.read_at(buffer, at)?;
                    buffer.truncate(read);
                    *start = at;
                    if read == 0 {
                        return Err(truncated());
                    }
                }
                Ok(&buffer[place(at, *start, buffer.len()).unwrap_or(0)..])
            }
        }
    }
}

fn truncated() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "the file became shorter while it was read")
}

/// Bytes in memory, in windows of a chosen size: for tests, and for entries read on demand.
#[derive(Clone)]
pub struct MemorySource<'a> {
    bytes: &'a [u8],
    window: usize,
}

impl<'a> MemorySource<'a> {
    /// Windows of `window` bytes, at least one.
    pub fn new(bytes: &'a [u8], window: usize) -> Self {
        MemorySource { bytes, window: window.max(1) }
    }
}

impl Source for MemorySource<'_> {
    fn len(&self) -> u64 {
        self.bytes.len() as u64
    }

    fn window(&mut self, at: u64) -> io::Result<&[u8]> {
        let start = usize::try_from(at).map_err(io::Error::other)?.min(self.bytes.len());
        let end = start.saturating_add(self.window).min(self.bytes.len());
        Ok(&self.bytes[start..end])
    }
}

/// Reads `range` whole; an error where the source is shorter.
pub fn read_range(source: &mut dyn Source, range: std::ops::Range<u64>) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(usize::try_from(range.end - range.start).map_err(io::Error::other)?);
    let mut at = range.start;
    while at < range.end {
        let window = source.window(at)?;
        if window.is_empty() {
            return Err(truncated());
        }
        let take = window.len().min(usize::try_from(range.end - at).unwrap_or(usize::MAX));
        bytes.extend_from_slice(&window[..take]);
        at += take as u64;
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn file_of(bytes: &[u8]) -> tempfile::NamedTempFile {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(bytes).unwrap();
        file
    }

    #[test]
    fn mapped_and_read_windows_hold_the_same_bytes() {
        let bytes: Vec<u8> = (0..3 * WINDOW + 17).map(|at| (at * 31 % 251) as u8).collect();
        let file = file_of(&bytes);
        for map in [true, false] {
            let mut source = FileSource::open(file.path(), map).unwrap();
            assert_eq!(source.is_mapped(), map);
            assert!(read_range(&mut source, 0..bytes.len() as u64).unwrap() == bytes);
            assert_eq!(source.window(5).unwrap()[..4], bytes[5..9]);
            assert!(source.window(bytes.len() as u64).unwrap().is_empty());
        }
    }

    #[test]
    fn a_file_that_was_cut_is_an_error_and_not_a_signal() {
        for map in [true, false] {
            let file = file_of(&vec![b'x'; 2 * WINDOW]);
            let mut source = FileSource::open(file.path(), map).unwrap();
            file.as_file().set_len(10).unwrap();
            let error = source.window(WINDOW as u64).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
        }
    }

    #[test]
    fn an_empty_file_is_read_and_a_directory_is_refused() {
        let file = file_of(b"");
        let mut source = FileSource::open(file.path(), true).unwrap();
        assert!(!source.is_mapped() && source.is_empty());
        assert!(source.window(0).unwrap().is_empty());
        let dir = tempfile::tempdir().unwrap();
        assert!(FileSource::open(dir.path(), true).is_err());
    }
}
