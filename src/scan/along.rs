//! Somebody else who is told of the members of a store while the collector makes entries of them.

use std::io;
use std::ops::Range;

use super::automaton::{Captured, Kind, Visitor};
use super::collector::Collector;
use super::entries::{KeyContext, LEVELS, Scan, bounds, conclude};
use super::parallel::{self, Crew, Joined, Shared, Watch};
use super::pattern::Pattern;

/// Scans a store as [`super::entries::scan_by`] does; what `companion` makes is told of each key and value as well.
pub fn scan_along<S: Shared, C: Joined, W: Watch>(
    crew: Crew,
    source: &mut S,
    context: &KeyContext<'_>,
    companion: &(dyn Fn() -> C + Sync),
    watch: &(dyn Fn(Range<u64>) -> W + Sync),
) -> io::Result<(Scan, C)> {
    let (start, len) = bounds(source)?;
    let both = || Along { collector: Collector::new(*context), other: companion(), wanted: (false, false) };
    let joint = parallel::drive(crew, source, start..len, LEVELS, &both, watch)?;
    let Along { collector, other, .. } = joint.visitor;
    Ok((conclude(source, collector, joint.outcome, start)?, other))
}

struct Along<'a, C> {
    collector: Collector<'a>,
    other: C,
    /// Which of the two want the text of the value at hand.
    wanted: (bool, bool),
}

impl<C: Visitor> Visitor for Along<'_, C> {
    #[inline(always)]
    fn key(&mut self, depth: u64, start: u64, key: Captured<'_>) {
        self.collector.key(depth, start, key);
        self.other.key(depth, start, key);
    }

    #[inline(always)]
    fn likely_key(&mut self, depth: u64, start: u64, stands: impl FnOnce(&Pattern) -> bool) -> Option<usize> {
        let mut name = Pattern::NONE;
        let stands = |likely: &Pattern| {
            let stands = stands(likely);
            if stands {
                name = *likely;
            }
            stands
        };
        let len = self.collector.likely_key(depth, start, stands)?;
        self.other.key(depth, start, Captured { raw: &name.bytes[..len], cut: false });
        Some(len)
    }

    #[inline(always)]
    fn value(&mut self, depth: u64, start: u64, kind: Kind) -> bool {
        self.wanted = (self.collector.value(depth, start, kind), self.other.value(depth, start, kind));
        self.wanted.0 || self.wanted.1
    }

    #[inline(always)]
    fn value_end(&mut self, depth: u64, end: u64, text: Option<Captured<'_>>) {
        let (first, second) = self.wanted;
        self.collector.value_end(depth, end, text.filter(|_| first));
        self.other.value_end(depth, end, text.filter(|_| second));
    }

    #[inline(always)]
    fn scalar(&mut self, depth: u64, at: Range<u64>, kind: Kind, raw: &[u8]) {
        self.collector.scalar(depth, at.clone(), kind, raw);
        self.other.scalar(depth, at, kind, raw);
    }
}

impl<C: Joined> Joined for Along<'_, C> {
    fn join(&mut self, next: Self) {
        self.collector.append(next.collector);
        self.other.join(next.other);
        self.wanted = next.wanted;
    }
}
