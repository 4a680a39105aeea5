//! The scanners that have to say the same, for tests, benchmarks and fuzz targets.

#![allow(dead_code, reason = "every binary that includes this uses a part of it")]

use std::io;

use sessions_doctor::model::entry::Flags;
use sessions_doctor::scan::entries::{KeyContext, Scan, scan};
use sessions_doctor::scan::source::{MemorySource, Source};

/// One way to scan a store.
pub struct Scanner {
    /// What it is called in tables and messages.
    pub name: &'static str,
    /// How many threads it uses at most.
    pub threads: usize,
    /// Scans.
    pub scan: fn(&mut dyn Source) -> io::Result<Scan>,
}

/// All of them; the first is the one that the others are held against.
pub const SCANNERS: &[Scanner] = &[Scanner { name: "portable", threads: 1, scan: portable }];

const CONTEXT: KeyContext<'static> = KeyContext { main_key: "main", marks: &|_, _| Flags::NONE };

fn portable(source: &mut dyn Source) -> io::Result<Scan> {
    scan(source, &CONTEXT, &mut |_| Ok(()))
}

impl Scanner {
    /// Scans bytes in windows of `window` bytes.
    ///
    /// # Panics
    ///
    /// Where reading from memory fails.
    pub fn bytes(&self, input: &[u8], window: usize) -> Scan {
        (self.scan)(&mut MemorySource::new(input, window)).expect("memory is readable")
    }
}

/// In what two scans of the same bytes differ, if in anything.
pub fn difference(one: &Scan, other: &Scan) -> Option<String> {
    let first = || one.entries.iter().zip(&other.entries).find(|(one, other)| one != other);
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
