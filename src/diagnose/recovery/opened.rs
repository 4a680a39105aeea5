//! A file that holds entries of a store, read: whole where it is sound, else what can be had back of it.

use std::fs::File;
use std::io;
use std::ops::Range;

use super::super::read::ReadOptions;
use crate::apply::Identity;
use crate::evidence::copies::StoreCopy;
use crate::host::files::open_regular;
use crate::model::entries::Entries;
use crate::model::entry::Flags;
use crate::model::style::Style;
use crate::rules::store::{self as rules, Damaged};
use crate::scan::entries::scan_by;
use crate::scan::parallel::{Unwatched, Watch};
use crate::scan::salvage::{Salvage, salvage};
use crate::scan::source::{FileSource, Source};

/// A file that was read.
pub struct Opened {
    /// Which.
    pub copy: StoreCopy,
    /// Still open.
    pub source: FileSource,
    /// As it was when it was opened.
    pub identity: Identity,
    /// Whole entries, in file order.
    pub entries: Entries,
    /// Numbers, in order, of those that may be text inside a string.
    pub likely: Vec<u32>,
    /// Where it is damaged.
    pub damage: Vec<Damaged>,
    /// How many more places there are.
    pub damage_omitted: u64,
    /// How its entries are set.
    pub style: Option<Style>,
}

impl Opened {
    /// Reads a copy. What is written to meanwhile is no copy.
    pub fn read(copy: StoreCopy, options: &ReadOptions<'_>) -> io::Result<Self> {
        let mut source = FileSource::from_file(open_regular(&copy.path)?, options.map)?;
        let watch = |_: Range<u64>| Cancelled { options };
        let (scan, _) = scan_by(options.crew, &mut source, &options.keys, &watch)?;
        let damage = rules::damage(&scan, source.len());
        if damage.is_empty() {
            source.unchanged()?;
            source.release()?;
            let identity = Identity::of(source.opened());
            let style = None;
            return Ok(Opened {
                copy,
                source,
                identity,
                entries: scan.entries,
                likely: Vec::new(),
                damage,
                damage_omitted: 0,
                style,
            });
        }
        drop(scan);
        Opened::salvage(copy, source, options)
    }

    /// What can be had back of a damaged file.
    pub fn salvage(copy: StoreCopy, mut source: FileSource, options: &ReadOptions<'_>) -> io::Result<Self> {
        let mut watch = |_: u64, _: &[u8]| Cancelled { options }.ask();
        let found = salvage(&mut source, &options.keys, &mut watch)?;
        source.unchanged()?;
        source.release()?;
        let (damage, damage_omitted) = rules::gaps(&found);
        let Salvage { entries, likely, style, .. } = found;
        let identity = Identity::of(source.opened());
        Ok(Opened { copy, source, identity, entries, likely, damage, damage_omitted, style: Some(style) })
    }

    /// How many keys it holds.
    pub fn live(&self) -> usize {
        self.entries.iter().filter(|entry| !entry.is(Flags::OVERRIDDEN)).count()
    }

    /// Whether entry `at` may be text inside a string.
    pub fn is_likely(&self, at: u32) -> bool {
        self.likely.binary_search(&at).is_ok()
    }

    /// The file, once more.
    pub fn file(&self) -> io::Result<File> {
        self.source.file().try_clone()
    }
}

/// Ends a long read when the user wants to stop.
struct Cancelled<'a> {
    options: &'a ReadOptions<'a>,
}

impl Cancelled<'_> {
    fn ask(&self) -> io::Result<()> {
        match self.options.cancel.requested() {
            Some(_) => Err(io::Error::from(io::ErrorKind::Interrupted)),
            None => Ok(()),
        }
    }
}

impl Watch for Cancelled<'_> {
    fn see(&mut self, at: u64, bytes: &[u8]) -> io::Result<()> {
        self.ask()?;
        Unwatched.see(at, bytes)
    }
}
