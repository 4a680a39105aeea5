//! What can be had back of a store that `JSON.parse` refuses.
//!
//! An entry comes back whole, byte for byte, or not at all: nothing inside of one is guessed. The text is read
//! once, from front to end, by the automaton that reads sound stores; what is doubtful is looked at a few times
//! more, so the time grows with the size of the file and with nothing else, and so much is kept as a scan keeps.
//!
//! `machine` tells where entries begin and follows them; `chain` is a row of entries; `trust` says how
//! far each may be trusted; `closing` and `sweep` look once more; `gap` says what was lost.

mod boundary;
mod bridge;
mod chain;
mod closing;
mod gap;
mod gather;
mod machine;
mod style;
mod sweep;
mod trust;
mod view;

use std::io;
use std::ops::Range;

pub use self::gap::{Gap, MOST_GAPS, What, surroundings};

use self::gap::{Gaps, RawGap};
use self::machine::Machine;
use self::sweep::Sweep;
use self::view::Viewer;
use super::collector::Collector;
use super::drive::drive;
use super::entries::{KeyContext, bounds};
use super::source::Source;
use crate::model::entries::Entries;
use crate::model::style::Style;

/// What was had back of a store.
#[derive(Debug, Default)]
pub struct Salvage {
    /// Whole entries in file order, all copies of a key.
    pub entries: Entries,
    /// Numbers, in order, of those that could be something else: text inside of a string, an object that lies
    /// deeper, a part of an entry.
    pub likely: Vec<u32>,
    /// What lies between the entries and is not sound, in file order; [`MOST_GAPS`] at most.
    pub damage: Vec<Gap>,
    /// How many gaps there are.
    pub gaps: u64,
    /// White space between the entries.
    pub style: Style,
    /// One past the brace that closes the first document, where it is closed. What stands behind it is of another
    /// text, older or newer.
    pub root_end: Option<u64>,
}

/// Bytes before, between and behind gaps that are not worth a second look: no entry is that short.
const SHORTEST: u64 = 16;

/// Has back what can be had of the store in `source`. `watch` sees every byte once and in order, with the
/// offset of the first of them: to count, to stop.
pub fn salvage(
    source: &mut dyn Source,
    context: &KeyContext<'_>,
    watch: &mut dyn FnMut(u64, &[u8]) -> io::Result<()>,
) -> io::Result<Salvage> {
    let (start, len) = bounds(source)?;
    let range = start..len;
    let (style, sure) = Style::of(source, range.clone())?;
    let mut sweep = Sweep::new(*context, &style);
    let mut machine = Machine::new(*context, style.clone(), start);
    let mut viewer = Viewer::default();
    let mut at = start;
    while at < len {
        let view = viewer.view(source, &range, at)?;
        let on = machine.take(&view, at);
        watch(at, &view.bytes[(at - view.base) as usize..(on - view.base) as usize])?;
        at = on;
        if machine.was_refused() {
            source.unchanged()?;
        }
        source.intact()?;
        if let Some(gap) = machine.closed_gap() {
            machine.put(&look_into(&mut sweep, source, gap)?);
        }
    }
    let Some((mut chain, gap)) = machine.finish(len) else { return whole(source, context, range, style) };
    source.unchanged()?;
    if let Some(gap) = gap {
        chain.put(&look_into(&mut sweep, source, gap)?, style.between.len() + 1);
    }
    let mut gaps = Gaps::default();
    if start > 0 {
        gaps.push(RawGap { range: 0..start, what: What::ByteOrderMark, entry: None });
    }
    gaps.append(chain.gaps);
    let likely = match gaps.count {
        0 => chain.likely,
        _ => closing::look(source, (&style, sure), &chain.entries, chain.likely, &chain.unsure)?,
    };
    Ok(Salvage {
        entries: chain.entries,
        likely,
        gaps: gaps.count,
        damage: gaps.look(source, 0)?,
        style,
        root_end: chain.root_end,
    })
}

fn look_into(sweep: &mut Sweep<'_>, source: &mut dyn Source, (from, to): (u64, u64)) -> io::Result<Entries> {
    if to - from < SHORTEST { Ok(Entries::default()) } else { sweep.look(source, from..to) }
}

/// A text that is JSON after all, whatever it looked like.
fn whole(
    source: &mut dyn Source,
    context: &KeyContext<'_>,
    range: Range<u64>,
    style: Style,
) -> io::Result<Salvage> {
    let mut collector = Collector::new(*context);
    let start = range.start;
    let outcome = drive(source, range, 2, &mut collector)?;
    let mut gaps = Gaps::default();
    if start > 0 {
        gaps.push(RawGap { range: 0..start, what: What::ByteOrderMark, entry: None });
    }
    Ok(Salvage {
        entries: collector.finish().0,
        likely: Vec::new(),
        gaps: gaps.count,
        damage: gaps.look(source, 0)?,
        style,
        root_end: outcome.root_ended.then_some(outcome.root_end),
    })
}
