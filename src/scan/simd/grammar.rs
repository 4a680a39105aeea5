//! The grammar of JSON, 64 bytes at a time, for what lies too deep to be reported.
//!
//! Which token may follow which is a question about neighbours. The neighbour of a token is found by an
//! addition: its bit, put behind it and added to the white space, is carried through to the next token. So
//! one addition answers for all commas of a block at once, one for all colons, and so on, and its carry out
//! is what the next block begins with. Only brackets are looked at one by one, since they nest.

use super::super::automaton::State;
use super::super::nesting::Nesting;
use super::super::number::Number;
use super::block::{Between, Strings};
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

/// A block that was found right.
pub(super) struct Judged {
    /// What the next block begins with.
    pub(super) carry: Carry,
    /// The levels behind the block, as in [`Nesting`].
    pub(super) top: u64,
    /// Which bytes lie directly in an object. A closing bracket lies inside what it closes.
    pub(super) objects: u64,
    /// Opening quotes of keys.
    pub(super) keys: u64,
    /// Closing quotes of keys.
    pub(super) key_ends: u64,
    /// First bytes of the values of keys.
    pub(super) values: u64,
}

/// Whether the text goes on inside the outermost object or array after all brackets of the block, and within
/// the levels at hand.
#[inline(always)]
pub(super) fn stays_inside(block: &Between, nesting: &Nesting) -> bool {
    let (opens, closes) = (block.open.count_ones(), block.close.count_ones());
    nesting.held > closes && nesting.held + opens <= u64::BITS
}

/// Judges a block but for its numbers and words; `None` where it is not JSON.
#[inline(always)]
pub(super) fn judge(strings: &Strings<'_>, block: &Between, carry: &Carry, top: u64) -> Option<Judged> {
    // What lies behind the block carries on like white space.
    let white = block.white | !strings.live;
    let opening = strings.quotes & strings.string;
    let (after_comma, comma) = next(block.comma, carry.comma, white);
    let (after_open, open) = next(block.open, carry.open, white);
    let (after_colon, colon) = next(block.colon, carry.colon, white);
    let (objects, top) = objects(block, top)?;
    let keys = (after_comma | after_open) & objects & opening;
    let (past_keys, key) = (keys | carry.key).overflowing_add(strings.string);
    let key_ends = past_keys & !strings.string & strings.quotes;
    let (after_key, key_end) = next(key_ends, carry.key_end, white);
    let starts = opening | block.scalar_starts | block.open;
    let wrong = starts & !(after_comma | after_open | after_colon)
        | (after_comma | after_open) & objects & starts & !opening
        | (block.comma | block.close) & (after_comma | after_colon | after_key)
        | block.comma & after_open
        | block.colon ^ after_key;
    let string = ((strings.string as i64) >> 63) as u64;
    (wrong == 0).then_some(Judged {
        carry: Carry { string, key: u64::from(key), comma, open, colon, key_end },
        top,
        objects,
        keys,
        key_ends,
        values: after_colon,
    })
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
fn objects(block: &Between, mut top: u64) -> Option<(u64, u64)> {
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
pub(super) fn scalars<L: Lanes>(
    window: &[u8],
    at: usize,
    strings: &Strings<'_>,
    block: &Between,
) -> Option<usize> {
    if block.scalar == 0 {
        return Some(at + strings.len);
    }
    let mut odd = block.odd_scalars::<L>(strings);
    while odd != 0 {
        let place = odd.trailing_zeros();
        let starts = block.scalar_starts & u64::MAX >> (BLOCK as u32 - 1 - place);
        let start = BLOCK as u32 - 1 - starts.leading_zeros();
        let end = scalar_end(window, at + start as usize)? - at;
        if end >= strings.len {
            return Some(at + end);
        }
        if block.scalar >> end & 1 == 1 {
            return None;
        }
        odd &= u64::MAX << end;
    }
    Some(at + strings.len)
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

pub(super) fn number_end(window: &[u8], at: usize, first: u8) -> Option<usize> {
    let mut number = Number::begin(first)?;
    for (end, &byte) in window.iter().enumerate().skip(at + 1) {
        match number.next(byte) {
            Some(next) => number = next,
            None => return number.may_end().then_some(end),
        }
    }
    None
}
