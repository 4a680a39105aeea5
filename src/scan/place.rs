//! Lines and columns, as editors and Node count them, by a second look at what stands before a place.
//!
//! Scans don't count lines on their way: hardly any text has a fault, and the look back is cheap.

use std::io;

use super::source::Source;
use super::utf8::Utf8;

/// So many bytes at a time are asked whether they are all ASCII.
const ASCII_RUN: usize = 256;

/// A place in a text, for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Counted from 1.
    pub line: u64,
    /// Counted from 1, in UTF-16 units.
    pub column: u64,
}

/// Where `offset` lies in the text that begins at `start`.
pub fn find(source: &mut dyn Source, start: u64, offset: u64) -> io::Result<Place> {
    Places::new(start).find(source, offset)
}

/// Counts on from place to place, so that many cost one look.
pub struct Places {
    at: u64,
    line: u64,
    line_start: u64,
    utf8: Utf8,
}

impl Places {
    /// At the begin of the text.
    pub fn new(start: u64) -> Self {
        Places { at: start, line: 1, line_start: start, utf8: Utf8::default() }
    }

    /// Where `offset` lies, which is not before the last place asked for.
    pub fn find(&mut self, source: &mut dyn Source, offset: u64) -> io::Result<Place> {
        while self.at < offset {
            let window = source.window(self.at)?;
            let take = window.len().min(usize::try_from(offset - self.at).unwrap_or(usize::MAX));
            if take == 0 {
                return Err(io::Error::from(io::ErrorKind::UnexpectedEof));
            }
            self.count(&window[..take]);
        }
        source.intact()?;
        self.utf8.break_off(offset);
        let column = self.at.max(offset) - self.line_start.min(offset) - self.utf8.surplus() + 1;
        Ok(Place { line: self.line, column })
    }

    fn count(&mut self, part: &[u8]) {
        self.line += memchr::memchr_iter(b'\n', part).count() as u64;
        let mut tail = 0;
        if let Some(last) = memchr::memrchr(b'\n', part) {
            tail = last + 1;
            self.line_start = self.at + tail as u64;
            self.utf8 = Utf8::default();
        }
        let mut at = self.at + tail as u64;
        for run in part[tail..].chunks(ASCII_RUN) {
            self.count_columns(run, at);
            at += run.len() as u64;
        }
        self.at += part.len() as u64;
    }

    /// Bytes of one line; nearly all are ASCII, a column each.
    fn count_columns(&mut self, run: &[u8], start: u64) {
        if run.is_ascii() {
            return self.utf8.break_off(start);
        }
        for (at, &byte) in (start..).zip(run) {
            if byte >= 0x80 {
                self.utf8.push(byte, at);
            } else {
                self.utf8.break_off(at);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::source::MemorySource;
    use super::*;

    #[test]
    fn lines_and_utf16_columns_are_counted_across_windows() {
        let text = "{\n \"a\": \"\u{e4}\u{20ac}\u{1f600}\" x\n}".as_bytes();
        let x = text.iter().position(|&byte| byte == b'x').unwrap() as u64;
        for window in [1, 7, 64] {
            let mut source = MemorySource::new(text, window);
            assert_eq!(find(&mut source, 0, x).unwrap(), Place { line: 2, column: 14 });
            assert_eq!(find(&mut source, 0, 0).unwrap(), Place { line: 1, column: 1 });
            assert_eq!(find(&mut source, 0, text.len() as u64).unwrap(), Place { line: 3, column: 2 });
            assert_eq!(find(&mut source, 2, x).unwrap(), Place { line: 1, column: 14 });
        }
    }

    #[test]
    fn places_are_those_that_one_look_for_each_finds() {
        let text = "{\n \"a\": \"\u{e4}\u{20ac}\u{1f600}\" x\n\n  \u{e4}}\n".as_bytes();
        for window in [1, 7, 64] {
            let mut source = MemorySource::new(text, window);
            let mut places = Places::new(0);
            // Between two characters: what lies within one is no place that anybody asks for.
            for at in (0..=text.len()).filter(|&at| text.get(at).is_none_or(|byte| byte & 0xc0 != 0x80)) {
                let expected = find(&mut source, 0, at as u64).unwrap();
                assert_eq!(places.find(&mut source, at as u64).unwrap(), expected, "{at}");
                assert_eq!(places.find(&mut source, at as u64).unwrap(), expected, "{at}");
            }
        }
    }
}
