//! Members that the visitor is told of, out of a block that is known to be JSON.

use super::super::automaton::{Automaton, Kind, Visitor};
use super::block::{Between, Strings};
use super::grammar::Judged;
use super::lanes::BLOCK;

/// Tells of the members that begin or end in the block at `at`, behind which the text goes on at `next`.
/// `false`, and nothing told, where an array lies so far outside that its elements might have to be.
#[inline(always)]
#[allow(clippy::too_many_arguments, reason = "inlined into the one loop that has all this at hand")]
pub(super) fn report<V: Visitor>(
    automaton: &mut Automaton,
    window: &[u8],
    at: usize,
    next: usize,
    strings: &Strings<'_>,
    block: &Between,
    judged: &Judged,
    visitor: &mut V,
) -> bool {
    let before = automaton.nesting.depth();
    let outer = outer(block, before, automaton.levels);
    if outer & !judged.objects != 0 {
        return false;
    }
    let behind = before + u64::from(block.open.count_ones()) - u64::from(block.close.count_ones());
    let (keys, key_ends, values) = (judged.keys & outer, judged.key_ends & outer, judged.values & outer);
    // What ends is told at the byte behind it, which lies in the same object.
    let quotes = strings.quotes & !strings.string & !judged.key_ends;
    let ends = (quotes | block.close) << 1 | (block.scalar << 1 & !block.scalar & strings.live);
    let mut events = key_ends | values | ends & outer;
    // Farther inside there are no events, and nobody counts.
    let mut depth = before.min(automaton.levels + 1);
    while events != 0 {
        let bit = events & events.wrapping_neg();
        let place = at + events.trailing_zeros() as usize;
        events &= events - 1;
        if bit & key_ends != 0 {
            match last(keys & (bit - 1)) {
                Some(key) => automaton.whole_key(window, at + key, place, depth, visitor),
                None => automaton.key_ends(window, place, depth, visitor),
            }
        } else if bit & values != 0 {
            let kind = kind(window[place], bit & block.open != 0, bit & block.curly != 0);
            automaton.value_begins(place, kind, depth, visitor);
            depth += u64::from(kind.is_container());
        } else if bit & block.close << 1 != 0 {
            depth -= 1;
            automaton.container_ends(window, place, depth, visitor);
        } else {
            let quote = usize::from(bit & quotes << 1 != 0);
            automaton.scalar_ends(window, place, quote, depth, visitor);
        }
    }
    // A key that goes on behind the block.
    if let Some(key) = last(keys).filter(|&key| key_ends >> key == 0) {
        automaton.key_begins(at + key);
    }
    if behind <= automaton.levels && judged.top & 1 == 1 {
        // What ends with the last byte of the block, or beyond.
        if block.close >> (BLOCK - 1) == 1 {
            automaton.container_ends(window, next, behind, visitor);
        } else if quotes >> (BLOCK - 1) == 1 {
            automaton.scalar_ends(window, next, 1, behind, visitor);
        } else if block.scalar >> (strings.len - 1) == 1 {
            automaton.scalar_ends(window, next, 0, behind, visitor);
        }
    }
    true
}

/// What the masks say holds for brackets, so that levels are counted as they do even if the byte is another one
/// by now: others may write to the file meanwhile.
#[inline(always)]
fn kind(byte: u8, opens: bool, curly: bool) -> Kind {
    match (opens, curly) {
        (true, true) => Kind::Object,
        (true, false) => Kind::Array,
        _ => Kind::of(byte).filter(|kind| !kind.is_container()).unwrap_or(Kind::Null),
    }
}

/// The highest of the bits.
#[inline(always)]
fn last(bits: u64) -> Option<usize> {
    bits.checked_ilog2().map(|last| last as usize)
}

/// Which bytes lie directly in an object or array no deeper than `levels`.
#[inline(always)]
fn outer(block: &Between, mut depth: u64, levels: u64) -> u64 {
    let is_outer = |depth: u64| u64::from(depth <= levels).wrapping_neg();
    let mut outer = is_outer(depth);
    let mut brackets = block.open | block.close;
    while brackets != 0 {
        let at = brackets.trailing_zeros();
        let behind = u64::MAX << at << 1;
        depth = if block.open >> at & 1 == 1 { depth + 1 } else { depth - 1 };
        outer = outer & !behind | is_outer(depth) & behind;
        brackets &= brackets - 1;
    }
    outer
}
