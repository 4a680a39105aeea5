//! Members of one entry, read again on demand: where a value stands, and what it says.

use std::io;
use std::ops::Range;

use super::automaton::{Captured, Kind, Visitor};
use super::drive::drive;
use super::source::{Source, read_range};
use super::text;
use crate::model::entry::Entry;

/// A member of an entry, by its place in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// From the key's opening quote to one past the value's last byte.
    pub span: Range<u64>,
    /// The value.
    pub value: Range<u64>,
    /// One past the last byte of what stands before it: the member before, or the opening brace.
    pub after: u64,
    /// Whether it is the entry's first member.
    pub first: bool,
    /// What kind of value it has.
    pub kind: Kind,
}

/// Finds the members called `names` in the object at `value`; of several, the last, as Node does.
pub fn find(source: &mut dyn Source, value: Range<u64>, names: &[&str]) -> io::Result<Vec<Option<Member>>> {
    let mut finder = Finder {
        names,
        found: vec![None; names.len()],
        current: None,
        key_start: 0,
        before: value.start + 1,
        first: true,
        value: (0, Kind::Null),
    };
    drive(source, value, 1, &mut finder)?;
    Ok(finder.found)
}

/// The raw text of the key whose opening quote stands at `start`, quotes included.
pub fn raw_key(source: &mut dyn Source, start: u64) -> io::Result<Vec<u8>> {
    let end = key_end(source, start)?;
    read_range(source, start..end)
}

/// Where the value of an entry stands: behind its key and the colon.
pub fn value_span(source: &mut dyn Source, entry: &Entry) -> io::Result<Range<u64>> {
    let key_end = key_end(source, entry.start())?;
    let colon = skip_blank(source, key_end)?;
    let value = skip_blank(source, colon + 1)?;
    Ok(value..entry.end())
}

/// One past the closing quote of the key whose opening quote stands at `start`.
fn key_end(source: &mut dyn Source, start: u64) -> io::Result<u64> {
    let mut at = start + 1;
    loop {
        let window = source.window(at)?;
        at += match memchr::memchr2(b'"', b'\\', window) {
            _ if window.is_empty() => return Err(io::Error::from(io::ErrorKind::UnexpectedEof)),
            None => window.len() as u64,
            Some(quote) if window[quote] == b'"' => {
                let end = at + quote as u64 + 1;
                source.intact()?;
                return Ok(end);
            }
            // Whatever is escaped is part of the key.
            Some(backslash) => backslash as u64 + 2,
        };
    }
}

/// The place of the first byte from `at` on that is no white space.
fn skip_blank(source: &mut dyn Source, at: u64) -> io::Result<u64> {
    let mut at = at;
    loop {
        let window = source.window(at)?;
        if window.is_empty() {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof));
        }
        if let Some(found) = window.iter().position(|byte| !b" \t\r\n".contains(byte)) {
            source.intact()?;
            return Ok(at + found as u64);
        }
        at += window.len() as u64;
    }
}

/// The decoded key (WTF-8) whose opening quote stands at `start`.
pub fn key(source: &mut dyn Source, start: u64) -> io::Result<Vec<u8>> {
    let raw = raw_key(source, start)?;
    Ok(text::decode(&raw[1..raw.len() - 1]).into_owned())
}

struct Finder<'a> {
    names: &'a [&'a str],
    found: Vec<Option<Member>>,
    current: Option<usize>,
    key_start: u64,
    before: u64,
    first: bool,
    value: (u64, Kind),
}

impl Visitor for Finder<'_> {
    fn key(&mut self, _depth: u64, start: u64, key: Captured<'_>) {
        let decoded = text::decode(key.raw);
        self.key_start = start;
        self.current =
            if key.cut { None } else { self.names.iter().position(|name| name.as_bytes() == &*decoded) };
    }

    fn value(&mut self, _depth: u64, start: u64, kind: Kind) -> bool {
        self.value = (start, kind);
        false
    }

    fn value_end(&mut self, _depth: u64, end: u64, _text: Option<Captured<'_>>) {
        if let Some(at) = self.current.take() {
            self.found[at] = Some(Member {
                span: self.key_start..end,
                value: self.value.0..end,
                after: self.before,
                first: self.first,
                kind: self.value.1,
            });
        }
        (self.before, self.first) = (end, false);
    }
}

#[cfg(test)]
mod tests {
    use super::super::source::MemorySource;
    use super::*;

    #[test]
    fn the_last_of_several_members_counts_and_escapes_do_not_hide_a_name() {
        let text = br#"{ "status": "a", "x": {"status": 1}, "st\u0061tus" : "b" ,"y":[]}"#;
        for window in [1, 7, 64] {
            let mut source = MemorySource::new(text, window);
            let found = find(&mut source, 0..text.len() as u64, &["status", "y", "z"]).unwrap();
            let status = found[0].clone().unwrap();
            assert_eq!(&text[status.value.start as usize..status.value.end as usize], b"\"b\"");
            assert!(!status.first);
            let y = found[1].clone().unwrap();
            assert_eq!((y.kind, y.value.end - y.value.start), (Kind::Array, 2));
            assert_eq!(y.after, status.span.end);
            assert_eq!(found[2], None);
        }
    }

    #[test]
    fn a_key_is_read_up_to_its_closing_quote() {
        let text = br#"{"a\\\"b\\": 1}"#;
        for window in [1, 3, 64] {
            let mut source = MemorySource::new(text, window);
            assert_eq!(raw_key(&mut source, 1).unwrap(), br#""a\\\"b\\""#);
            assert_eq!(key(&mut source, 1).unwrap(), br#"a\"b\"#);
            assert_eq!(value_span(&mut source, &Entry::new(1, 14)).unwrap(), 13..14);
        }
    }
}
