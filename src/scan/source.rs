//! Windows of bytes by 64-bit offset: of a file, or of memory.

mod file;
mod sigbus;
mod window;

use std::io::{self, BufRead, Read};
use std::ops::Range;

pub use file::{FileSource, WINDOW};

/// Bytes that somebody may look at, a window at a time.
///
/// A file can change while it is looked at, and bytes of a window can turn out not to have been the file's.
/// So nothing that was seen may be used before [`Source::intact`] was asked, and nothing may be concluded
/// from bytes that do not make sense before [`Source::unchanged`] was.
pub trait Source {
    /// Size in bytes when it was opened.
    fn len(&self) -> u64;

    /// The bytes from `at` on, at least one of them if `at < len()`; empty at the end.
    fn window(&mut self, at: u64) -> io::Result<&[u8]>;

    /// Fails where a window that was given out did not hold the file's bytes, from then on for good. Cheap.
    fn intact(&self) -> io::Result<()> {
        Ok(())
    }

    /// Fails as well where the file is no longer what it was when it was opened. This asks the system.
    fn unchanged(&self) -> io::Result<()> {
        Ok(())
    }

    /// Whether there is nothing in it.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

fn cut() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "the file became shorter while it was read")
}

fn written() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "the file was written to while it was read")
}

/// Bytes in memory, in windows of a chosen size: for tests, and for entries read on demand.
#[derive(Clone, Copy)]
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

/// The bytes of a source as a stream.
pub struct SourceReader<S> {
    source: S,
    at: u64,
}

impl<S: Source> SourceReader<S> {
    /// From its first byte on.
    pub fn new(source: S) -> Self {
        SourceReader { source, at: 0 }
    }
}

impl<S: Source> BufRead for SourceReader<S> {
    /// Fails where what was given before was not the file's.
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.source.intact()?;
        self.source.window(self.at)
    }

    fn consume(&mut self, amount: usize) {
        self.at += amount as u64;
    }
}

impl<S: Source> Read for SourceReader<S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let window = self.fill_buf()?;
        let take = window.len().min(buffer.len());
        buffer[..take].copy_from_slice(&window[..take]);
        self.consume(take);
        Ok(take)
    }
}

/// Reads `range` whole; an error where the source is shorter. One that ends before it begins comes of two
/// looks at bytes that changed in between.
pub fn read_range(source: &mut dyn Source, range: Range<u64>) -> io::Result<Vec<u8>> {
    let len = range.end.checked_sub(range.start).ok_or_else(written)?;
    let mut bytes = Vec::with_capacity(usize::try_from(len).map_err(io::Error::other)?);
    for_each_part(source, range, &mut |part| bytes.extend_from_slice(part))?;
    Ok(bytes)
}

/// Shows `range` part by part; an error where the source is shorter.
pub fn for_each_part(
    source: &mut dyn Source,
    range: Range<u64>,
    each: &mut dyn FnMut(&[u8]),
) -> io::Result<()> {
    let mut at = range.start;
    while at < range.end {
        let window = source.window(at)?;
        if window.is_empty() {
            return Err(cut());
        }
        let take = window.len().min(usize::try_from(range.end - at).unwrap_or(usize::MAX));
        each(&window[..take]);
        at += take as u64;
    }
    source.intact()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_that_the_bytes_do_not_have_is_an_error() {
        let mut source = MemorySource::new(b"0123456789", 3);
        assert_eq!(read_range(&mut source, 2..9).unwrap(), b"2345678");
        assert_eq!(read_range(&mut source, 10..10).unwrap(), b"");
        for (start, end) in [(8, 11), (7, 3), (12, 13)] {
            let error = read_range(&mut source, start..end).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
        }
    }
}
