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
use crate::scan::parallel::Watch;
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
        let watch = |_: Range<u64>| options.cancel;
        let (scan, _) = scan_by(options.crew, &mut source, &options.keys, &watch)?;
        let damage = rules::damage(&scan, source.len());
        if damage.is_empty() {
            source.unchanged()?;
            source.release()?;
            return Ok(Opened::whole(copy, source, scan.entries));
        }
        drop(scan);
        Opened::salvage(copy, source, options)
    }

    /// A sound file.
    pub fn whole(copy: StoreCopy, source: FileSource, entries: Entries) -> Self {
        Opened {
            copy,
            identity: Identity::of(source.opened()),
            source,
            entries,
            likely: Vec::new(),
            damage: Vec::new(),
            damage_omitted: 0,
            style: None,
        }
    }

    /// What can be had back of a damaged file.
    pub fn salvage(copy: StoreCopy, mut source: FileSource, options: &ReadOptions<'_>) -> io::Result<Self> {
        let mut cancel = options.cancel;
        let found = salvage(&mut source, &options.keys, &mut |at, bytes| cancel.see(at, bytes))?;
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
