//! The grammar of JSON, 64 bytes at a time, for what lies too deep to be reported.
//!
//! Which token may follow which is a question about neighbours. The neighbour of a token is found by an
//! addition: its bit, put behind it and added to the white space, is carried through to the next token. So
//! one addition answers for all commas of a block at once, one for all colons, and so on, and its carry out
//! is what the next block begins with. Only brackets are looked at one by one, since they nest.

use super::super::automaton::State;
use super::super::nesting::Nesting;
use super::super::number::Number;
use super::block::Block;
use super::lanes::{BLOCK, Lanes};

/// What the next token follows: at most one is 1; none where it follows a value.
#[derive(Clone, Copy)]
pub(super) struct Carry {
    /// All ones inside a string.
    pub(super) string: u64,
    /// 1 inside a key.
    key: u64,
    comma: u64,
    open: u64,
    colon: u64,
    key_end: u64,
}

impl Carry {
    pub(super) fn of(state: State) -> Carry {
        let is = |wanted: bool| u64::from(wanted);
        Carry {
            string: is(matches!(state, State::String { .. })).wrapping_neg(),
            key: is(state == State::String { key: true }),
            comma: is(state == State::Key),
            open: is(matches!(state, State::KeyOrClose | State::ValueOrClose)),
            // In an array a comma asks for the same as a colon does in an object.
            colon: is(state == State::Value),
            key_end: is(state == State::Colon),
        }
    }

    pub(super) fn state(self, in_object: bool) -> State {
        match self {
            Carry { string: 1.., key, .. } => State::String { key: key == 1 },
            Carry { key_end: 1, .. } => State::Colon,
            Carry { colon: 1, .. } => State::Value,
            Carry { comma: 1, .. } if in_object => State::Key,
            Carry { comma: 1, .. } => State::Value,
            Carry { open: 1, .. } if in_object => State::KeyOrClose,
            Carry { open: 1, .. } => State::ValueOrClose,
            _ => State::After,
        }
    }
}

/// What follows a block that was found right.
pub(super) struct Judged {
    pub(super) carry: Carry,
    /// As in [`Nesting`].
    pub(super) top: u64,
}

/// Whether all brackets of the block stay within the levels at hand, and below `levels`.
#[inline(always)]
pub(super) fn is_deep(block: &Block, nesting: &Nesting, levels: u64) -> bool {
    let (opens, closes) = (block.open.count_ones(), block.close.count_ones());
    nesting.held > closes && nesting.held + opens <= u64::BITS && nesting.depth() > levels + u64::from(closes)
}

/// Judges a block but for its numbers and words; `None` where it is not JSON.
#[inline(always)]
pub(super) fn judge(block: &Block, carry: &Carry, top: u64) -> Option<Judged> {
    // What lies behind the block carries on like white space.
    let white = block.white | !block.live;
    let opening = block.quotes & block.string;
    let (after_comma, comma) = next(block.comma, carry.comma, white);
    let (after_open, open) = next(block.open, carry.open, white);
    let (after_colon, colon) = next(block.colon, carry.colon, white);
    let (objects, top) = objects(block, top)?;
    let keys = (after_comma | after_open) & objects & opening;
    let (past_keys, key) = (keys | carry.key).overflowing_add(block.string);
    let (after_key, key_end) = next(past_keys & !block.string & block.quotes, carry.key_end, white);
    let values = opening | block.scalar_starts() | block.open;
    let wrong = values & !(after_comma | after_open | after_colon)
        | (after_comma | after_open) & objects & values & !opening
        | (block.comma | block.close) & (after_comma | after_colon | after_key)
        | block.comma & after_open
        | block.colon ^ after_key;
    let string = ((block.string as i64) >> 63) as u64;
    (wrong == 0)
        .then_some(Judged { carry: Carry { string, key: u64::from(key), comma, open, colon, key_end }, top })
}

/// The tokens that follow `tokens` or the block before, and whether one is yet to come.
#[inline(always)]
fn next(tokens: u64, carry: u64, white: u64) -> (u64, u64) {
    let (past, over) = (tokens << 1 | carry).overflowing_add(white);
    (past & !white, u64::from(over) | tokens >> (BLOCK - 1))
}

/// Which bytes lie directly in an object, and the levels behind the block; `None` where a bracket does not
/// match.
#[inline(always)]
fn objects(block: &Block, mut top: u64) -> Option<(u64, u64)> {
    let innermost = |top: u64| (top & 1).wrapping_neg();
    let mut objects = innermost(top);
    let mut brackets = block.open | block.close;
    let mut wrong = 0;
    while brackets != 0 {
        let at = brackets.trailing_zeros();
        let behind = u64::MAX << at << 1;
        let (curly, opens) = (block.curly >> at & 1, block.open >> at & 1 == 1);
        wrong |= if opens { 0 } else { (top ^ curly) & 1 };
        top = if opens { top << 1 | curly } else { top >> 1 };
        objects = objects & !behind | innermost(top) & behind;
        brackets &= brackets - 1;
    }
    (wrong == 0).then_some((objects, top))
}

/// Judges numbers and words. Returns where to go on: behind the block, or behind a number or word that goes
/// on beyond it. `None` where one is not JSON, or may go on beyond the window.
#[inline(always)]
pub(super) fn scalars<L: Lanes>(window: &[u8], at: usize, block: &Block) -> Option<usize> {
    if block.scalar == 0 {
        return Some(at + block.len);
    }
    let bytes: &[u8; BLOCK] = window[at..].first_chunk()?;
    let starts = block.scalar_starts();
    // Runs of digits are numbers, unless they go on or begin with a zero.
    let mut odd = block.scalar & !L::digits(bytes) | block.scalar & 1 << (block.len - 1);
    let mut long = starts & block.scalar >> 1;
    while long != 0 {
        let first = long.trailing_zeros();
        odd |= u64::from(bytes[first as usize] == b'0') << first;
        long &= long - 1;
    }
    while odd != 0 {
        let place = odd.trailing_zeros();
        let start = BLOCK as u32 - 1 - (starts & u64::MAX >> (BLOCK as u32 - 1 - place)).leading_zeros();
        let end = scalar_end(window, at + start as usize)? - at;
        if end >= block.len {
            return Some(at + end);
        }
        if block.scalar >> end & 1 == 1 {
            return None;
        }
        odd &= u64::MAX << end;
    }
    Some(at + block.len)
}

/// One past the number or word that begins at `at` and ends within the window.
#[inline(always)]
fn scalar_end(window: &[u8], at: usize) -> Option<usize> {
    let word = |word: &[u8]| window[at..].starts_with(word).then(|| at + word.len());
    let end = match window[at] {
        b't' => word(b"true"),
        b'f' => word(b"false"),
        b'n' => word(b"null"),
        first => number_end(window, at, first),
    }?;
    (end < window.len()).then_some(end)
}

fn number_end(window: &[u8], at: usize, first: u8) -> Option<usize> {
    let mut number = Number::begin(first)?;
    for (end, &byte) in window.iter().enumerate().skip(at + 1) {
        match number.next(byte) {
            Some(next) => number = next,
            None => return number.may_end().then_some(end),
        }
    }
    None
}
