//! A file as a [`Source`]: mapped where that works, read otherwise.
//!
//! Mapping is the default because it saves a copy. One window is mapped at a time: mapped pages count as
//! resident memory, and the kernel may map far more than is touched where the page cache holds large folios,
//! but never beyond a mapping. So resident memory stays at about one window for each reader whatever the
//! file's size, and a tight `ulimit -v` is no obstacle. Where mapping is refused all the same, as on odd file
//! systems, [`FileSource`] reads instead, and nothing else changes.
//!
//! A file that is cut or written to while it is looked at is an error of the kind `UnexpectedEof` both ways.
//! What a disk cannot give is the error that reading it gives.

use std::fs::{File, Metadata};
use std::io::{self, ErrorKind};
use std::mem;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;
use std::sync::Arc;

use super::window::Window;
use super::{Source, cut, written};
use crate::host::files::open_regular;

/// How many bytes a mapped window holds, and where windows begin: at multiples of it. As much as a single
/// entry of a page table can map, so a file that lies in large folios costs one fault a window.
pub const WINDOW: usize = 2 << 20;

/// How many bytes are read at a time: few enough to still be in the nearest caches when they are looked at.
const BUFFER: usize = 256 << 10;

/// How many bytes are read after a jump: most who jump want a key, or one entry.
const JUMP: usize = 16 << 10;

/// A file, mapped or read.
pub struct FileSource {
    file: Arc<File>,
    opened: Metadata,
    map: bool,
    held: Held,
}

/// The part of the file that is at hand.
enum Held {
    Nothing,
    Mapped(Window),
    Read { start: u64, buffer: Vec<u8> },
}

impl Held {
    /// Where it begins, and what it is.
    fn bytes(&self) -> (u64, &[u8]) {
        match self {
            Held::Nothing => (0, &[]),
            Held::Mapped(window) => (window.start(), window.bytes()),
            Held::Read { start, buffer } => (*start, buffer),
        }
    }

    /// Whether `at` is where one who goes through the file goes on.
    fn leads_to(&self, at: u64) -> bool {
        let (start, bytes) = self.bytes();
        bytes.is_empty() || start + bytes.len() as u64 == at
    }

    /// What it holds from `at` on; nothing where `at` lies elsewhere.
    fn from(&self, at: u64) -> &[u8] {
        let (start, bytes) = self.bytes();
        let skip = at.checked_sub(start).and_then(|skip| usize::try_from(skip).ok());
        skip.and_then(|skip| bytes.get(skip..)).unwrap_or_default()
    }
}

impl FileSource {
    /// Opens `path`. With `map` unset it is never mapped.
    pub fn open(path: &Path, map: bool) -> io::Result<Self> {
        Self::from_file(open_regular(path)?, map)
    }

    /// Takes an open file, whatever has its name by now.
    pub fn from_file(file: File, map: bool) -> io::Result<Self> {
        let opened = file.metadata()?;
        if opened.is_dir() {
            return Err(ErrorKind::IsADirectory.into());
        }
        let map = map && opened.len() > 0;
        Ok(FileSource { file: Arc::new(file), opened, map, held: Held::Nothing })
    }

    /// One more reader of the same open file, with a window of its own.
    pub fn reader(&self) -> Self {
        let (file, opened) = (Arc::clone(&self.file), self.opened.clone());
        FileSource { file, opened, map: self.map, held: Held::Nothing }
    }

    /// The open file.
    pub fn file(&self) -> &File {
        &self.file
    }

    /// What the file was when it was opened.
    pub fn opened(&self) -> &Metadata {
        &self.opened
    }

    /// Whether the file is mapped.
    pub fn is_mapped(&self) -> bool {
        self.map
    }

    /// Gives the memory of its window back until the next is asked for: for a source that waits while others
    /// work. Fails as [`Source::unchanged`] does, for what was read cannot be asked about later.
    pub fn release(&mut self) -> io::Result<()> {
        self.unchanged()?;
        self.held = Held::Nothing;
        Ok(())
    }

    /// Brings the part of the file around `at` to hand: a whole window for one who goes through the file, a little
    /// for one who jumps.
    fn hold(&mut self, at: u64) -> io::Result<()> {
        self.unchanged()?;
        let goes_on = self.held.leads_to(at);
        // What was held goes before the next comes: two windows are never resident.
        let mut buffer = match mem::replace(&mut self.held, Held::Nothing) {
            Held::Read { buffer, .. } => buffer,
            _ => Vec::new(),
        };
        if self.map && goes_on {
            let start = at - at % WINDOW as u64;
            if let Some(window) = Window::open(&self.file, start, part(WINDOW, self.opened.len() - start)) {
                self.held = Held::Mapped(window);
                return Ok(());
            }
            self.map = false;
        }
        buffer.resize(part(if goes_on { BUFFER } else { JUMP }, self.opened.len() - at), 0);
        let read = read_at(&self.file, &mut buffer, at)?;
        if read == 0 {
            return Err(cut());
        }
        buffer.truncate(read);
        self.held = Held::Read { start: at, buffer };
        Ok(())
    }
}

/// `most`, or what is left if that is less.
fn part(most: usize, left: u64) -> usize {
    usize::try_from(left).map_or(most, |left| left.min(most))
}

/// Reads once, whatever signal comes in between.
fn read_at(file: &File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    loop {
        match file.read_at(buffer, at) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            other => return other,
        }
    }
}

impl Source for FileSource {
    fn len(&self) -> u64 {
        self.opened.len()
    }

    fn window(&mut self, at: u64) -> io::Result<&[u8]> {
        self.intact()?;
        if at < self.len() && self.held.from(at).is_empty() {
            self.hold(at)?;
        }
        Ok(self.held.from(at))
    }

    fn intact(&self) -> io::Result<()> {
        let Held::Mapped(window) = &self.held else { return Ok(()) };
        if !window.is_torn() {
            return Ok(());
        }
        // The kernel does not say why the bytes were missing; reading them does.
        let mut bytes = vec![0; window.bytes().len()];
        Err(match self.file.read_exact_at(&mut bytes, window.start()) {
            Err(error) if error.kind() != ErrorKind::UnexpectedEof => error,
            Err(_) => cut(),
            Ok(()) => {
                io::Error::new(ErrorKind::UnexpectedEof, "a part of the file was missing while it was read")
            }
        })
    }

    fn unchanged(&self) -> io::Result<()> {
        self.intact()?;
        let now = self.file.metadata()?;
        let last_write = |of: &Metadata| (of.len(), of.mtime(), of.mtime_nsec());
        if now.len() < self.opened.len() {
            Err(cut())
        } else if last_write(&now) != last_write(&self.opened) {
            Err(written())
        } else {
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::super::read_range;
    use super::*;

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
            assert!(read_range(&mut source, 0..bytes.len() as u64).unwrap() == bytes);
            for at in [2 * WINDOW + 5, WINDOW - 1, 3 * WINDOW + 16, 0] {
                let window = source.window(at as u64).unwrap();
                assert!(!window.is_empty() && bytes[at..].starts_with(window), "{at}");
            }
            assert!(source.window(bytes.len() as u64).unwrap().is_empty());
            assert_eq!((source.is_mapped(), source.reader().is_mapped()), (map, map));
        }
    }

    #[test]
    fn readers_of_one_file_go_their_own_ways_whatever_has_its_name() {
        let file = file_of(&vec![b'x'; WINDOW + 1]);
        for map in [true, false] {
            let mut first = FileSource::open(file.path(), map).unwrap();
            let replaced = file_of(b"y");
            let mut second = first.reader();
            std::fs::rename(replaced.path(), file.path()).unwrap();
            assert_eq!(first.window(0).unwrap()[..1], *b"x");
            assert_eq!(second.window(WINDOW as u64).unwrap(), b"x");
            drop(first);
            assert_eq!(second.window(WINDOW as u64).unwrap(), b"x");
            second.unchanged().unwrap();
            std::fs::write(file.path(), vec![b'x'; WINDOW + 1]).unwrap();
        }
    }

    #[test]
    fn a_window_that_lost_its_bytes_reads_zeros_and_is_never_believed_again() {
        let file = file_of(&vec![b'x'; WINDOW + 2]);
        let mut source = FileSource::open(file.path(), true).unwrap();
        let mut other = source.reader();
        assert_eq!(source.window(0).unwrap()[..1], *b"x");
        assert_eq!(other.window(WINDOW as u64).unwrap(), b"xx");
        file.as_file().set_len(5_000).unwrap();
        let window = source.window(0).unwrap();
        // Where the file ends within a page the kernel gives zeros, and no signal.
        assert_eq!((window[4_999], window[5_000]), (b'x', 0));
        source.intact().unwrap();
        assert_eq!(source.unchanged().unwrap_err().kind(), ErrorKind::UnexpectedEof);
        let window = source.window(0).unwrap();
        assert_eq!(window[100_000], 0, "the first of the missing pages is touched here");
        file.as_file().write_all_at(&vec![b'x'; WINDOW + 2], 0).unwrap();
        let asked = [source.intact(), source.unchanged(), source.window(0).map(drop)];
        for error in asked.map(Result::unwrap_err) {
            assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
        }
        assert!(other.intact().is_ok(), "nobody touched what was missing from its window");
    }

    #[test]
    fn a_file_that_was_cut_or_written_to_is_an_error_before_the_next_window() {
        let cut: fn(&File) -> io::Result<()> = |file| file.set_len(10);
        let written: fn(&File) -> io::Result<()> = |file| file.write_all_at(b"y", 0);
        for map in [true, false] {
            for (change, says) in [(cut, "shorter"), (written, "written")] {
                let file = file_of(&vec![b'x'; 2 * WINDOW]);
                let mut source = FileSource::open(file.path(), map).unwrap();
                source.window(0).unwrap();
                std::thread::sleep(std::time::Duration::from_millis(20));
                change(file.as_file()).unwrap();
                let error = source.window(WINDOW as u64).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
                assert!(error.to_string().contains(says), "{error}");
            }
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
