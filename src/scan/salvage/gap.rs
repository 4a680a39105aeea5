//! What was not sound: where it lies, what is the matter there, and what can still be read of it.

use std::io;
use std::ops::Range;

use super::super::automaton::Halt;
use super::super::fault::Expected;
use super::super::place::Places;
use super::super::source::{Source, read_range};
use super::super::text;
use super::boundary::is_blank;
use crate::model::entries::Entries;

/// So many gaps are told one by one.
pub const MOST_GAPS: usize = 1000;
/// So much of a key is read.
const LONGEST_KEY: u64 = 1 << 10;
/// So much white space around a gap is left out of it.
const TRIMMED: u64 = 256;

/// What is the matter at a gap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// A byte order mark.
    ByteOrderMark,
    /// The text ends too early.
    CutShort,
    /// NUL bytes.
    Zeros,
    /// No comma between two entries.
    MissingComma,
    /// A comma with no entry behind it.
    SurplusComma,
    /// An entry begins before the one in front of it ended.
    EntryWithoutEnd,
    /// Another object behind the end of the first.
    SecondDocument,
    /// Something else behind the end.
    TrailingBytes,
    /// The outermost value is no object, or there is something before it.
    NoObject,
    /// Anything else that the grammar refuses.
    Fault {
        /// Where.
        offset: u64,
        /// What was expected there.
        expected: Expected,
        /// What was found; `None` at the end.
        found: Option<u8>,
    },
}

impl What {
    /// As the grammar says it.
    pub(super) fn of(halt: Halt) -> What {
        match halt.found {
            Some(0) => What::Zeros,
            found => What::Fault { offset: halt.offset, expected: halt.expected, found },
        }
    }
}

/// A part of the file that holds no sound entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// Without the white space and the comma around it; empty where something is missing.
    pub range: Range<u64>,
    /// Of its begin, counted from 1.
    pub line: u64,
    /// Of its begin, counted from 1 in UTF-16 units.
    pub column: u64,
    /// What is the matter.
    pub what: What,
    /// The key of the entry that was lost there, where it can be read.
    pub key: Option<String>,
}

/// A gap before it was looked at again.
#[derive(Clone, Debug)]
pub(super) struct RawGap {
    pub range: Range<u64>,
    pub what: What,
    /// Where the key of the entry stands that was lost in it.
    pub entry: Option<u64>,
}

/// Gaps in file order, the first ones in full.
#[derive(Debug, Default)]
pub(super) struct Gaps {
    pub told: Vec<RawGap>,
    pub count: u64,
}

impl Gaps {
    pub(super) fn push(&mut self, gap: RawGap) {
        self.count += 1;
        if self.told.len() < MOST_GAPS {
            self.told.push(gap);
        }
    }

    /// Forgets those that end behind `at`.
    pub(super) fn forget(&mut self, at: u64) {
        while self.count == self.told.len() as u64 && self.told.last().is_some_and(|last| last.range.end > at)
        {
            self.told.pop();
            self.count -= 1;
        }
    }

    /// Takes out of the last gap entries that lie in it. There are `between` bytes between sound ones.
    pub(super) fn part(&mut self, entries: &Entries, between: u64) {
        if self.count > self.told.len() as u64 {
            return;
        }
        let Some(whole) = self.told.pop() else { return };
        self.count -= 1;
        let mut start = whole.range.start;
        for entry in entries.iter() {
            if entry.start() - start > between || start == whole.range.start {
                self.push(RawGap {
                    range: start..entry.start(),
                    what: whole.what,
                    entry: whole.entry.filter(|at| (start..entry.start()).contains(at)),
                });
            }
            start = entry.end();
        }
        if whole.range.end - start > between {
            self.push(RawGap {
                range: start..whole.range.end,
                what: whole.what,
                entry: whole.entry.filter(|&at| at >= start),
            });
        }
    }

    pub(super) fn append(&mut self, next: Gaps) {
        self.count += next.count;
        let room = MOST_GAPS - self.told.len();
        self.told.extend(next.told.into_iter().take(room));
    }

    /// Looks at them once more. `start` is where the text begins.
    pub(super) fn look(self, source: &mut dyn Source, start: u64) -> io::Result<Vec<Gap>> {
        let mut places = Places::new(start);
        let mut gaps = Vec::with_capacity(self.told.len());
        for raw in self.told {
            let range = trim(source, raw.range)?;
            let place = places.find(source, range.start)?;
            let key = raw.entry.map(|at| lost_key(source, at)).transpose()?.flatten();
            gaps.push(Gap { range, line: place.line, column: place.column, what: raw.what, key });
        }
        Ok(gaps)
    }
}

/// Leaves out what belongs to the entries around: white space, and the comma in front.
fn trim(source: &mut dyn Source, range: Range<u64>) -> io::Result<Range<u64>> {
    let front = read_range(source, range.start..range.end.min(range.start + TRIMMED))?;
    let blanks = front.iter().take_while(|byte| is_blank(**byte)).count();
    let mut start = blanks;
    if front.get(start) == Some(&b',') {
        start += 1;
        start += front[start..].iter().take_while(|byte| is_blank(**byte)).count();
    }
    if start as u64 == range.end - range.start {
        return Ok(range.start..range.start);
    }
    let from = range.start + start as u64;
    let back = read_range(source, from.max(range.end.saturating_sub(TRIMMED))..range.end)?;
    let blanks = back.iter().rev().take_while(|byte| is_blank(**byte)).count();
    Ok(from..range.end - blanks as u64)
}

/// The key whose quote stands at `at`, if it has an end and is not too long.
fn lost_key(source: &mut dyn Source, at: u64) -> io::Result<Option<String>> {
    let end = source.len().min(at + LONGEST_KEY);
    let bytes = read_range(source, at..end)?;
    let mut escaped = false;
    let end = bytes.iter().skip(1).position(|&byte| {
        let ends = !escaped && (byte == b'"' || byte < 0x20);
        escaped = !escaped && byte == b'\\';
        ends
    });
    let Some(end) = end.filter(|&end| bytes[end + 1] == b'"') else { return Ok(None) };
    Ok(Some(text::to_display(&text::decode(&bytes[1..=end]))))
}

/// Up to `reach` bytes before and behind a gap, escaped so that they can be shown.
pub fn surroundings(source: &mut dyn Source, gap: &Gap, reach: u64) -> io::Result<(String, String)> {
    let before = gap.range.start.saturating_sub(reach)..gap.range.start;
    let behind = gap.range.end..source.len().min(gap.range.end.saturating_add(reach));
    let mut shown = |range| Ok::<_, io::Error>(read_range(source, range)?.escape_ascii().to_string());
    Ok((shown(before)?, shown(behind)?))
}
