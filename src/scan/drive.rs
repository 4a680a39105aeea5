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

    pub(super) fn push<V: Visitor>(
        self,
        automaton: &mut Automaton,
        window: &[u8],
        visitor: &mut V,
    ) -> Result<(), Halt> {
        match self {
            Scanner::Portable => automaton.push(window, visitor),
            #[cfg(target_arch = "x86_64")]
            Scanner::Simd(vectors) => automaton.push_by(vectors, window, visitor),
        }
    }
}

/// Scans `range` as one JSON text by the fastest scanner.
///
/// A fault is part of the outcome, and only one of bytes that were in the file all the time; an error is what
/// reading failed with.
pub fn drive<V: Visitor>(
    source: &mut dyn Source,
    range: Range<u64>,
    levels: u64,
    visitor: &mut V,
) -> io::Result<Outcome> {
    drive_by(Scanner::best(), source, range, levels, visitor, &mut |_, _| Ok(()))
}

/// As [`drive`], by a scanner of choice. `watch` sees every window and its offset before it is judged: to
/// count, to hash, to stop.
pub fn drive_by<V: Visitor>(
    scanner: Scanner,
    source: &mut dyn Source,
    range: Range<u64>,
    levels: u64,
    visitor: &mut V,
    watch: &mut dyn FnMut(u64, &[u8]) -> io::Result<()>,
) -> io::Result<Outcome> {
    let mut automaton = Automaton::new(levels, range.start);
    let halt = advance(scanner, source, range.clone(), &mut automaton, visitor, watch)?;
    conclude(source, range.start, automaton, halt, visitor)
}

/// Takes the windows of `range` through `automaton`, up to a halt. Zeros in the place of the file's bytes are
/// not JSON anywhere, so only a halt can come of them alone.
pub(super) fn advance<V: Visitor>(
    scanner: Scanner,
    source: &mut dyn Source,
    range: Range<u64>,
    automaton: &mut Automaton,
    visitor: &mut V,
    watch: &mut dyn FnMut(u64, &[u8]) -> io::Result<()>,
) -> io::Result<Option<Halt>> {
    let mut at = range.start;
    while at < range.end {
        let window = source.window(at)?;
        let take = window.len().min(usize::try_from(range.end - at).unwrap_or(usize::MAX));
        if take == 0 {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof));
        }
        watch(at, &window[..take])?;
        if let Err(halt) = scanner.push(automaton, &window[..take], visitor) {
            source.unchanged()?;
            return Ok(Some(halt));
        }
        at += take as u64;
    }
    source.intact()?;
    Ok(None)
}

/// What the text that begins at `start` came to, after all of it went through `automaton` or it halted.
pub(super) fn conclude<V: Visitor>(
    source: &mut dyn Source,
    start: u64,
    mut automaton: Automaton,
    halt: Option<Halt>,
    visitor: &mut V,
) -> io::Result<Outcome> {
    let Some(halt) = halt.or_else(|| automaton.finish(visitor).err()) else {
        return Ok(automaton.outcome(automaton.offset()));
    };
    source.unchanged()?;
    let mut outcome = automaton.outcome(halt.offset);
    let place = place::find(source, start, halt.offset)?;
    outcome.fault = Some(Fault {
        offset: halt.offset,
        line: place.line,
        column: place.column,
        position: outcome.units,
        expected: halt.expected,
        found: halt.found,
    });
    Ok(outcome)
}
