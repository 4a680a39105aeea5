//! Takes the windows of a source through the automaton.

use std::io;
use std::ops::Range;

use super::automaton::{Automaton, Halt, Outcome, Visitor};
use super::fault::Fault;
use super::place;
#[cfg(target_arch = "x86_64")]
use super::simd::Vectors;
use super::source::Source;

/// How bytes are looked at. All come to the same result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scanner {
    /// One by one.
    Portable,
    /// By vectors.
    #[cfg(target_arch = "x86_64")]
    Simd(Vectors),
}

impl Scanner {
    /// All that this processor can, the fastest first.
    pub fn all() -> Vec<Scanner> {
        #[cfg(target_arch = "x86_64")]
        let mut all: Vec<Scanner> = Vectors::all().map(Scanner::Simd).collect();
        #[cfg(not(target_arch = "x86_64"))]
        let mut all = Vec::new();
        all.push(Scanner::Portable);
        all
    }

    /// The fastest.
    pub fn best() -> Scanner {
        Scanner::all()[0]
    }

    /// As people call it.
    pub fn name(self) -> &'static str {
        match self {
            Scanner::Portable => "portable",
            #[cfg(target_arch = "x86_64")]
            Scanner::Simd(vectors) => vectors.name(),
        }
    }

    fn push<V: Visitor>(self, automaton: &mut Automaton, window: &[u8], visitor: &mut V) -> Result<(), Halt> {
        match self {
            Scanner::Portable => automaton.push(window, visitor),
            #[cfg(target_arch = "x86_64")]
            Scanner::Simd(vectors) => automaton.push_by(vectors, window, visitor),
        }
    }
}

/// Scans `range` as one JSON text by the fastest scanner. `each` sees every window before it is judged: to count, to hash, to stop.
///
/// A fault is part of the outcome; an error is only what reading failed with.
pub fn drive<V: Visitor>(
    source: &mut dyn Source,
    range: Range<u64>,
    levels: u64,
    visitor: &mut V,
    each: &mut dyn FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<Outcome> {
    drive_by(Scanner::best(), source, range, levels, visitor, each)
}

/// As [`drive`], by a scanner of choice.
pub fn drive_by<V: Visitor>(
    scanner: Scanner,
    source: &mut dyn Source,
    range: Range<u64>,
    levels: u64,
    visitor: &mut V,
    each: &mut dyn FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<Outcome> {
    let mut automaton = Automaton::new(levels, range.start);
    let mut at = range.start;
    let mut halt = None;
    while at < range.end && halt.is_none() {
        let window = source.window(at)?;
        let take = window.len().min(usize::try_from(range.end - at).unwrap_or(usize::MAX));
        if take == 0 {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof));
        }
        each(&window[..take])?;
        halt = scanner.push(&mut automaton, &window[..take], visitor).err();
        at += take as u64;
    }
    match halt.or_else(|| automaton.finish(visitor).err()) {
        None => Ok(automaton.outcome(range.end)),
        Some(halt) => {
            let mut outcome = automaton.outcome(halt.offset);
            outcome.fault = Some(fault(source, range.start, &halt, outcome.units)?);
            Ok(outcome)
        }
    }
}

/// The fault that a halt stands for, in the text that begins at `start`.
fn fault(source: &mut dyn Source, start: u64, halt: &Halt, position: u64) -> io::Result<Fault> {
    let place = place::find(source, start, halt.offset)?;
    Ok(Fault {
        offset: halt.offset,
        line: place.line,
        column: place.column,
        position,
        expected: halt.expected,
        found: halt.found,
    })
}
