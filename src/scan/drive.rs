//! Pushes the windows of a source through the automaton.

use std::io;
use std::ops::Range;

use super::portable::{Automaton, Outcome, Visitor};
use super::source::Source;

/// Scans `range` as one JSON text. `each` sees every window before it is judged: to count, to hash, to stop.
///
/// A fault is part of the outcome, and only one of bytes that were in the file all the time; an error is what
/// reading failed with.
pub fn drive<V: Visitor>(
    source: &mut dyn Source,
    range: Range<u64>,
    levels: u64,
    visitor: &mut V,
    each: &mut dyn FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<Outcome> {
    let mut automaton = Automaton::new(levels, range.start);
    let mut at = range.start;
    while at < range.end {
        let window = source.window(at)?;
        let take = window.len().min(usize::try_from(range.end - at).unwrap_or(usize::MAX));
        if take == 0 {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof));
        }
        each(&window[..take])?;
        if let Err(fault) = automaton.push(&window[..take], visitor) {
            source.unchanged()?;
            return Ok(automaton.outcome(Some(fault)));
        }
        at += take as u64;
    }
    let fault = automaton.finish(visitor).err();
    // A text without a fault holds no zeros, which is what a file that was cut leaves in its place.
    if fault.is_some() {
        source.unchanged()?
    } else {
        source.intact()?
    }
    Ok(automaton.outcome(fault))
}
