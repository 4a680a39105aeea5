//! Makes entries as a scan does, and remembers what a scan need not: which entry is being read, and which
//! ended last.

use super::super::automaton::{Captured, Kind, Visitor};
use super::super::collector::Collector;
use super::super::entries::KeyContext;
use crate::model::entries::Entries;
use crate::model::entry::{Entry, Flags};

/// A collector of entries that may be stopped in the middle of one, and begin anew elsewhere.
pub(super) struct Gather<'a> {
    collector: Collector<'a>,
    /// Where the key of the last entry stands.
    begun: u64,
    /// Whether that entry ended.
    ended: bool,
}

impl<'a> Gather<'a> {
    pub(super) fn new(context: KeyContext<'a>) -> Self {
        Gather { collector: Collector::new(context), begun: 0, ended: true }
    }

    /// What was collected.
    pub(super) fn entries(&mut self) -> &mut Entries {
        self.collector.entries_mut()
    }

    /// Forgets the entry that is being read.
    pub(super) fn restart(&mut self) {
        self.ended = true;
    }

    /// Where the entry that is being read began.
    pub(super) fn open(&self) -> Option<u64> {
        (!self.ended).then_some(self.begun)
    }

    /// Where the last entry began, whether it ended or not.
    pub(super) fn begun(&self) -> u64 {
        self.begun
    }
}

impl Visitor for Gather<'_> {
    #[inline(always)]
    fn key(&mut self, depth: u64, start: u64, key: Captured<'_>) {
        if depth == 1 {
            (self.begun, self.ended) = (start, false);
        }
        self.collector.key(depth, start, key);
    }

    #[inline(always)]
    fn value(&mut self, depth: u64, start: u64, kind: Kind) -> bool {
        self.collector.value(depth, start, kind)
    }

    #[inline(always)]
    fn value_end(&mut self, depth: u64, end: u64, text: Option<Captured<'_>>) {
        if depth == 1 {
            self.ended = true;
        }
        self.collector.value_end(depth, end, text);
    }
}

/// Sees nothing: for a look at the grammar alone.
pub(super) struct Nobody;

impl Visitor for Nobody {
    fn key(&mut self, _depth: u64, _start: u64, _key: Captured<'_>) {}

    fn value(&mut self, _depth: u64, _start: u64, _kind: Kind) -> bool {
        false
    }

    fn value_end(&mut self, _depth: u64, _end: u64, _text: Option<Captured<'_>>) {}
}

/// Whether the key is one of OpenClaw's grammar, and the value an object.
pub(super) fn is_named(entry: &Entry) -> bool {
    entry.is(Flags::HAS_AGENT) && !entry.is(Flags::NOT_OBJECT)
}

/// Whether it looks like an entry whatever its key: an object that holds a time or a session.
pub(super) fn is_shaped(entry: &Entry) -> bool {
    !entry.is(Flags::NOT_OBJECT) && (has_session(entry) || has_time(entry))
}

/// Whether it has all that nearly every entry has: a key of the grammar, a time and a session.
pub(super) fn is_full(entry: &Entry) -> bool {
    is_named(entry) && has_session(entry) && has_time(entry)
}

fn has_session(entry: &Entry) -> bool {
    entry.session != 0 && !entry.is(Flags::BAD_SESSION_ID)
}

fn has_time(entry: &Entry) -> bool {
    entry.updated_at.millis().is_some()
}
