//! Lines and columns, as editors and Node count them, by a second look at what stands before a place.
//!
//! Scans don't count lines on their way: hardly any text has a fault, and the look back is cheap.

use std::io;

use super::source::Source;
use super::utf8::Utf8;

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
    let (mut line, mut line_start) = (1, start);
    each_part(source, start, offset, &mut |at, part| {
        line += memchr::memchr_iter(b'\n', part).count() as u64;
        if let Some(last) = memchr::memrchr(b'\n', part) {
            line_start = at + last as u64 + 1;
        }
    })?;
    let mut utf8 = Utf8::default();
    each_part(source, line_start, offset, &mut |at, part| {
        for (at, &byte) in (at..).zip(part) {
            if byte >= 0x80 {
                utf8.push(byte, at);
            } else {
                utf8.break_off(at);
            }
        }
    })?;
    utf8.break_off(offset);
    Ok(Place { line, column: offset - line_start - utf8.surplus() + 1 })
}

/// Shows `start..end` window by window, each with its offset.
fn each_part(
    source: &mut dyn Source,
    start: u64,
    end: u64,
    show: &mut dyn FnMut(u64, &[u8]),
) -> io::Result<()> {
    let mut at = start;
    while at < end {
        let window = source.window(at)?;
        let take = window.len().min(usize::try_from(end - at).unwrap_or(usize::MAX));
        if take == 0 {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof));
        }
        show(at, &window[..take]);
        at += take as u64;
    }
    source.intact()
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
}
