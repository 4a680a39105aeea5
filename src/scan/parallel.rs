//! One store, several threads: each scans a part, and the parts are joined.
//!
//! Every part but the first begins with a guess: that its first byte is the quote of an entry's key
//! (`super::cuts`). Whether that is so is known when the part before has been scanned, for the automaton
//! tells in which state it ended. Where the guess was right, the two are one. Where it was wrong, what was
//! made of that part is dropped, and the automaton of the part before goes on through it. So the result is
//! that of one thread, whatever the text.

use std::ops::Range;
use std::{io, mem, panic, thread};

use super::automaton::{Automaton, Halt, Outcome, Visitor};
use super::cuts::cuts;
use super::drive::{Scanner, advance, conclude};
use super::source::{FileSource, MemorySource, Source};

/// A source that several threads may read at once.
pub trait Shared: Source + Send + Sized {
    /// Another reader of the same bytes.
    fn reader(&self) -> Self;
}

impl Shared for MemorySource<'_> {
    fn reader(&self) -> Self {
        *self
    }
}

impl Shared for FileSource {
    fn reader(&self) -> Self {
        FileSource::reader(self)
    }
}

/// A visitor whose work on parts of a text can be joined.
pub trait Joined: Visitor + Send {
    /// Goes on with what `next` was told of the part that follows.
    fn join(&mut self, next: Self);
}

/// Sees a part of the text: to count, to hash, to stop.
pub trait Watch: Send {
    /// The next bytes, before they are judged. They may be seen twice, where a guess was wrong.
    fn see(&mut self, at: u64, bytes: &[u8]) -> io::Result<()>;
}

/// Nobody looks.
pub struct Unwatched;

impl Watch for Unwatched {
    fn see(&mut self, _at: u64, _bytes: &[u8]) -> io::Result<()> {
        Ok(())
    }
}

/// How to scan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Crew {
    /// How bytes are looked at.
    pub scanner: Scanner,
    /// How many threads may do so.
    pub threads: usize,
    /// How many bytes a part has at least: less is not worth a thread.
    pub smallest_part: u64,
}

impl Crew {
    /// The fastest scanner on `threads` threads.
    pub fn of(threads: usize) -> Self {
        Crew { scanner: Scanner::best(), threads, smallest_part: 2 << 20 }
    }
}

/// What a thread needs: nothing here recurses.
const STACK: usize = 256 << 10;

/// A part that was scanned.
struct Part<V, W> {
    automaton: Automaton,
    halt: Option<Halt>,
    visitor: V,
    watch: W,
}

/// What a text came to.
pub struct Joint<V, W> {
    /// As of one scan.
    pub outcome: Outcome,
    /// Was told of everything, in order.
    pub visitor: V,
    /// One for each part, in order.
    pub watches: Vec<W>,
}

/// Scans `range` as one JSON text.
pub fn drive<S: Shared, V: Joined, W: Watch>(
    crew: Crew,
    source: &mut S,
    range: Range<u64>,
    levels: u64,
    visitor: &(dyn Fn() -> V + Sync),
    watch: &(dyn Fn(Range<u64>) -> W + Sync),
) -> io::Result<Joint<V, W>> {
    let mut bounds = cuts(source, range.clone(), crew.threads, crew.smallest_part)?;
    bounds.insert(0, range.start);
    bounds.push(range.end);
    let ranges: Vec<Range<u64>> = bounds.windows(2).map(|bounds| bounds[0]..bounds[1]).collect();
    let scan = |source: &mut S, range: &Range<u64>, automaton: Automaton| {
        let part = Part { automaton, halt: None, visitor: visitor(), watch: watch(range.clone()) };
        part.advance(crew.scanner, source, range.clone())
    };
    let guess =
        |source: &mut S, range: &Range<u64>| scan(source, range, Automaton::before_key(levels, range.start));
    let (first, later) = thread::scope(|scope| {
        let spawn = |range| {
            let (mut source, guess) = (source.reader(), &guess);
            thread::Builder::new().stack_size(STACK).spawn_scoped(scope, move || guess(&mut source, range))
        };
        let threads: Vec<_> = ranges[1..].iter().map(spawn).collect();
        let first = scan(source, &ranges[0], Automaton::new(levels, range.start));
        let later = threads.into_iter().zip(&ranges[1..]).map(|(thread, range)| match thread {
            Ok(thread) => thread.join().unwrap_or_else(|panic| panic::resume_unwind(panic)),
            // No thread to be had: no reason to fail.
            Err(_) => guess(source, range),
        });
        (first, later.collect::<Vec<io::Result<_>>>())
    });
    let mut whole = first?;
    let mut watches = Vec::new();
    for (part, range) in later.into_iter().zip(&ranges[1..]) {
        let mut part = part?;
        if whole.halt.is_none() && whole.automaton.is_before_key() {
            part.automaton.follow(whole.automaton);
            whole.visitor.join(part.visitor);
            (whole.automaton, whole.halt) = (part.automaton, part.halt);
        } else if whole.halt.is_none() {
            mem::swap(&mut whole.watch, &mut part.watch);
            whole = whole.advance(crew.scanner, source, range.clone())?;
            mem::swap(&mut whole.watch, &mut part.watch);
        }
        watches.push(part.watch);
    }
    watches.insert(0, whole.watch);
    let outcome = conclude(source, range.start, whole.automaton, whole.halt, &mut whole.visitor)?;
    Ok(Joint { outcome, visitor: whole.visitor, watches })
}

impl<V: Joined, W: Watch> Part<V, W> {
    fn advance(mut self, scanner: Scanner, source: &mut dyn Source, range: Range<u64>) -> io::Result<Self> {
        let watch = &mut |at: u64, bytes: &[u8]| self.watch.see(at, bytes);
        self.halt = advance(scanner, source, range, &mut self.automaton, &mut self.visitor, watch)?;
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::super::automaton::{Captured, Kind};
    use super::*;

    /// Writes down all it is told.
    #[derive(Debug, Default, PartialEq, Eq)]
    struct Witness(Vec<(u64, u64, Option<Vec<u8>>)>);

    impl Visitor for Witness {
        fn key(&mut self, depth: u64, start: u64, key: Captured<'_>) {
            self.0.push((depth, start, Some(key.raw.to_vec())));
        }

        fn value(&mut self, depth: u64, start: u64, kind: Kind) -> bool {
            self.0.push((depth, start, None));
            !kind.is_container()
        }

        fn value_end(&mut self, depth: u64, end: u64, text: Option<Captured<'_>>) {
            self.0.push((depth, end, text.map(|text| text.raw.to_vec())));
        }
    }

    impl Joined for Witness {
        fn join(&mut self, next: Self) {
            self.0.extend(next.0);
        }
    }

    /// What it saw, and where it began.
    struct Seen(Range<u64>, u64);

    impl Watch for Seen {
        fn see(&mut self, at: u64, bytes: &[u8]) -> io::Result<()> {
            assert!(self.0.start <= at && at + bytes.len() as u64 <= self.0.end);
            self.1 += bytes.len() as u64;
            Ok(())
        }
    }

    fn scan(text: &[u8], scanner: Scanner, threads: usize, window: usize) -> (Outcome, Witness, Vec<Seen>) {
        let mut source = MemorySource::new(text, window);
        let crew = Crew { scanner, ..Crew::of(threads) };
        let range = 0..text.len() as u64;
        let joint = drive(crew, &mut source, range, 2, &Witness::default, &|range| Seen(range, 0)).unwrap();
        (joint.outcome, joint.visitor, joint.watches)
    }

    /// Holds several threads against one; returns how many parts there were.
    fn hold(text: &[u8]) -> usize {
        let (outcome, told, _) = scan(text, Scanner::Portable, 1, usize::MAX);
        let mut parts = 0;
        for scanner in Scanner::all() {
            for threads in [2, 3, 5] {
                let (other, others, seen) = scan(text, scanner, threads, 1 << 20);
                assert_eq!(other, outcome, "{} {threads}", scanner.name());
                assert!(others == told, "{} {threads}", scanner.name());
                if outcome.fault.is_none() {
                    let all: u64 = seen.iter().map(|seen| seen.1).sum();
                    assert!(all >= text.len() as u64);
                }
                parts = parts.max(seen.len());
            }
        }
        parts
    }

    fn store(line: &str, inner: &str) -> Vec<u8> {
        let entry = |at: usize| {
            format!(
                "{line}\"agent:main:{at}\":{{\"x\":\"{}\",\"n\":{at}, \"y\":{inner}}}",
                "z\u{e4}".repeat(3000)
            )
        };
        let entries: Vec<String> = (0..1200).map(entry).collect();
        format!("{{{}{line}}}\n", entries.join(",")).into_bytes()
    }

    #[test]
    fn threads_come_to_what_one_comes_to() {
        for line in ["", "\n  ", "\r\n\t", " "] {
            let text = store(line, "{}");
            assert_eq!(hold(&text), 5, "{line:?}");
            // Faults in the first part, in the last, at a cut, at the end; rubbish and bad UTF-8.
            for (at, with) in [
                (5_000, &b"\x01"[..]),
                (text.len() - 5_000, b"\""),
                (text.len() / 2, b"]"),
                (text.len() / 2, b"\xff"),
                (text.len() / 2, b"\""),
                (text.len() - 1, b","),
            ] {
                let mut broken = text.clone();
                broken.splice(at..at + 1, with.iter().copied());
                hold(&broken);
            }
            for len in [text.len() - 3, text.len() / 2, text.len() / 2 + 4000] {
                hold(&text[..len]);
            }
        }
    }

    #[test]
    fn guesses_that_are_wrong_cost_time_and_nothing_else() {
        // Everything that looks like the key of an entry lies a level deeper, or in an array.
        let fakes: Vec<String> = (0..4000)
            .map(|at| format!("\n  \"agent:main:{at}\": {{\"x\":\"{}\"}}", "z".repeat(2000)))
            .collect();
        let nested = format!("{{\n  \"agent:a\": {{{}}}\n}}", fakes.join(","));
        assert!(hold(nested.as_bytes()) > 1);
        let list = format!("{{\n  \"agent:a\": [{{{}}}]\n}}", fakes.join(","));
        assert!(hold(list.as_bytes()) > 1);
        let compact = nested.replace('\n', "");
        assert!(hold(compact.as_bytes()) > 1);
        // A root that closes before the cut.
        let twice = format!("{{\n  \"agent:a\": {{}}\n}},{}", fakes.join(","));
        hold(twice.as_bytes());
    }
}
