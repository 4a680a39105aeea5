//! The scanners that have to say the same, for tests, benchmarks and fuzz targets.

#![allow(dead_code, reason = "every binary that includes this uses a part of it")]

use std::io;

use sessions_doctor::model::entry::Flags;
use sessions_doctor::scan::drive;
use sessions_doctor::scan::entries::{KeyContext, Scan, scan_by};
use sessions_doctor::scan::parallel::{Crew, Shared, Unwatched};
use sessions_doctor::scan::source::MemorySource;

/// One way to scan a store.
pub struct Scanner {
    /// What it is called in tables and messages.
    pub name: &'static str,
    /// How many threads it uses at most.
    pub threads: usize,
    kind: fn() -> drive::Scanner,
}

/// All of them; the first is the one that the others are held against.
pub const SCANNERS: &[Scanner] = &[
    Scanner { name: "portable", threads: 1, kind: || drive::Scanner::Portable },
    Scanner { name: "vectors every processor has", threads: 1, kind: plainest_vectors },
    Scanner { name: "vectors", threads: 1, kind: drive::Scanner::best },
    Scanner { name: "vectors, 2 threads", threads: 2, kind: drive::Scanner::best },
    Scanner { name: "portable, 3 threads", threads: 3, kind: || drive::Scanner::Portable },
];

fn plainest_vectors() -> drive::Scanner {
    // The portable one is the last of all.
    drive::Scanner::all().into_iter().rev().nth(1).unwrap_or(drive::Scanner::Portable)
}

const CONTEXT: KeyContext<'static> = KeyContext { main_key: "main", marks: &|_, _| Flags::NONE };

impl Scanner {
    /// Scans as a command would.
    ///
    /// # Errors
    ///
    /// What reading fails with.
    pub fn scan<S: Shared>(&self, source: &mut S) -> io::Result<Scan> {
        self.scan_by(Crew { scanner: (self.kind)(), ..Crew::of(self.threads) }, source)
    }

    /// Scans bytes in windows of `window` bytes, by all threads however few bytes there are.
    ///
    /// # Panics
    ///
    /// Where reading from memory fails.
    pub fn bytes(&self, input: &[u8], window: usize) -> Scan {
        let crew = Crew { scanner: (self.kind)(), threads: self.threads, smallest_part: 1 };
        self.scan_by(crew, &mut MemorySource::new(input, window)).expect("memory is readable")
    }

    fn scan_by<S: Shared>(&self, crew: Crew, source: &mut S) -> io::Result<Scan> {
        scan_by(crew, source, &CONTEXT, &|_| Unwatched).map(|(scan, _)| scan)
    }
}

/// In what two scans of the same bytes differ, if in anything.
pub fn difference(one: &Scan, other: &Scan) -> Option<String> {
    let first = || one.entries.iter().zip(other.entries.iter()).find(|(one, other)| one != other);
    if one.bom != other.bom {
        Some(format!("byte order mark: {} and {}", one.bom, other.bom))
    } else if one.outcome != other.outcome {
        Some(format!("outcome: {:?} and {:?}", one.outcome, other.outcome))
    } else if one.entries != other.entries {
        let counts = (one.entries.len(), other.entries.len());
        Some(format!("entries: {counts:?}, first that differs {:?}", first()))
    } else if one.fields != other.fields {
        Some(format!("fields: {:?} and {:?}", one.fields, other.fields))
    } else {
        None
    }
}
