//! Answers what a merge asks: whether two copies are of one key, and whether a copy is gone on purpose.

use std::io;

use super::opened::Opened;
use super::removed::Removed;
use crate::evidence::copies::CopyKind;
use crate::model::Millis;
use crate::model::entries::Entries;
use crate::model::entry::{Entry, Flags};
use crate::model::plan::SourceId;
use crate::model::texts::TextMap;
use crate::plan::merge::{Court, Left, Pick, Touched};
use crate::scan::members;
use crate::scan::source::FileSource;

/// What is known of keys and sessions that are gone on purpose.
pub struct Gone<'a> {
    /// By runs of ours.
    pub removed: &'a Removed,
    /// By OpenClaw.
    pub archived: &'a TextMap<Millis>,
    /// Whether they come back all the same.
    pub include: bool,
}

impl Gone<'_> {
    /// Why an entry of a file written at `written` stays away.
    pub fn explains(&self, entry: &Entry, written: Millis) -> Option<Left> {
        if self.include {
            None
        } else if self.removed.since(entry.key, written) {
            Some(Left::Removed)
        } else if self.archived.get(&entry.session).is_some_and(|&at| at >= written) {
            Some(Left::Archived)
        } else {
            None
        }
    }
}

/// By how much a clock may have been wrong when an entry was written.
const CLOCK_ERROR: Millis = 24 * 3_600_000;

/// The files of a merge.
pub struct Bench<'a> {
    sources: Vec<&'a mut FileSource>,
    entries: Vec<&'a Entries>,
    likely: Vec<&'a [u32]>,
    written: Vec<Millis>,
    originals: Vec<bool>,
    /// Later times are not believed.
    latest: Millis,
    gone: &'a Gone<'a>,
    /// Of which file nothing is gone on purpose: the store itself.
    store: Option<SourceId>,
    accept_likely: bool,
}

impl<'a> Bench<'a> {
    /// Over `files`, of which `store` is the store itself. Returns their entries as well.
    pub fn new(
        files: &'a mut [Opened],
        store: Option<SourceId>,
        gone: &'a Gone<'a>,
        now: Millis,
        accept_likely: bool,
    ) -> (Self, Vec<&'a Entries>) {
        let mut bench = Bench {
            sources: Vec::new(),
            entries: Vec::new(),
            likely: Vec::new(),
            written: Vec::new(),
            originals: Vec::new(),
            latest: now.saturating_add(CLOCK_ERROR),
            gone,
            store,
            accept_likely,
        };
        for file in files {
            bench.sources.push(&mut file.source);
            bench.entries.push(&file.entries);
            bench.likely.push(&file.likely);
            bench.written.push(file.copy.written);
            bench.originals.push(file.copy.kind == CopyKind::Backup);
        }
        let entries = bench.entries.clone();
        (bench, entries)
    }

    fn entry(&self, pick: Pick) -> &'a Entry {
        &self.entries[usize::from(pick.source)][pick.entry as usize]
    }
}

impl Court for Bench<'_> {
    fn touched(&self, source: SourceId, entry: &Entry) -> Touched {
        let unknown = if self.store == Some(source) { Touched::InTheStore } else { Touched::Unknown };
        let at = entry.updated_at.millis().filter(|&at| at <= self.latest);
        at.map_or(unknown, Touched::At)
    }

    fn is_original(&self, source: SourceId) -> bool {
        self.originals[usize::from(source)]
    }

    fn objection(&mut self, pick: Pick) -> Option<Left> {
        let (entry, at) = (self.entry(pick), usize::from(pick.source));
        let own = self.store == Some(pick.source);
        if !self.accept_likely && self.likely[at].binary_search(&pick.entry).is_ok() {
            return Some(Left::Likely);
        }
        // Another agent's entry of a sound store is none of our business, and a damaged one keeps all it has.
        match own {
            true => None,
            false if entry.is(Flags::OUT_OF_SCOPE) => Some(Left::OutOfScope),
            false => self.gone.explains(entry, self.written[at]),
        }
    }

    fn key(&mut self, pick: Pick) -> io::Result<Vec<u8>> {
        let start = self.entry(pick).start();
        members::key(self.sources[usize::from(pick.source)], start)
    }
}
