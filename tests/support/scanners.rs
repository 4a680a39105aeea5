//! The scanners that have to say the same, for tests, benchmarks and fuzz targets.

#![allow(dead_code, reason = "every binary that includes this uses a part of it")]

use std::io;
use std::path::Path;
use std::sync::LazyLock;

use sessions_doctor::model::entry::Flags;
use sessions_doctor::scan::drive::Scanner;
use sessions_doctor::scan::entries::{KeyContext, Scan, scan_by};
use sessions_doctor::scan::parallel::{Crew, Shared, Unwatched};
use sessions_doctor::scan::source::{FileSource, MemorySource};

/// One way to scan a store.
pub struct Row {
    /// What it is called in tables and messages.
    pub name: String,
    /// What it is.
    pub crew: Crew,
}

/// All that this processor can; the first is the one that the others are held against.
pub static SCANNERS: LazyLock<Vec<Row>> = LazyLock::new(|| {
    let alone = Scanner::all().into_iter().rev().map(|scanner| Crew { scanner, ..Crew::of(1) });
    let cores = std::thread::available_parallelism().map_or(2, usize::from).max(2);
    let row = |crew: Crew| {
        let threads = if crew.threads > 1 { format!(", {} threads", crew.threads) } else { String::new() };
        Row { name: format!("{}{threads}", crew.scanner.name()), crew }
    };
    alone.chain([Crew::of(cores)]).map(row).collect()
});

const CONTEXT: KeyContext<'static> = KeyContext { main_key: "main", marks: &|_, _| Flags::NONE };

impl Row {
    /// Scans bytes in windows of `window` bytes, by all threads however few bytes there are.
    ///
    /// # Panics
    ///
    /// Where reading from memory fails.
    pub fn bytes(&self, input: &[u8], window: usize) -> Scan {
        let crew = Crew { smallest_part: 1, ..self.crew };
        scan(crew, &mut MemorySource::new(input, window)).expect("memory is readable")
    }

    /// Scans a file, mapped as a command would map it.
    pub fn file(&self, path: &Path) -> io::Result<Scan> {
        scan(self.crew, &mut FileSource::open(path, true)?)
    }
}

fn scan<S: Shared>(crew: Crew, source: &mut S) -> io::Result<Scan> {
    Ok(scan_by(crew, source, &CONTEXT, &|_| Unwatched)?.0)
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
