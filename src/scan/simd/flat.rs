//! Entries whose members are short and plain, one token after the other.
//!
//! Where tokens are short, masks of whole blocks cost more than they save: most of the time goes into finding
//! out which bit of a mask is which token. But entries resemble each other. So here the text is compared with
//! what it most likely is: the name of the member that followed the last time, and between members the very
//! white space that stood between the two before. What remains to be looked for is where a value ends, and
//! that is one question to a vector. As everything in [`super`], this only ever says yes: it stops in front
//! of the first token that is odd, be it an escape, a byte outside ASCII, an object inside a member, or
//! a fault, in a state from which any other way goes on.

use super::super::automaton::{Automaton, Kind, State, Visitor};
use super::super::pattern::Pattern;
use super::grammar;
use super::lanes::{HALF, Lanes};

/// A string or number that is longer is left to blocks.
const LONGEST: usize = 1024;

/// How deep the members of entries lie.
const MEMBERS: u64 = 2;

/// What stood between a value and the next key the last time, by level: from the comma to the key's quote.
pub(super) struct Gaps([Pattern; 2]);

impl Default for Gaps {
    fn default() -> Self {
        Gaps([Pattern::NONE; 2])
    }
}

impl Automaton {
    /// Whether the next token belongs to a member that the visitor is told of, and nothing is being collected.
    #[inline(always)]
    pub(super) fn is_flat(&self) -> bool {
        let depth = self.nesting.depth();
        let token =
            matches!(self.state, State::Key | State::KeyOrClose | State::Colon | State::Value | State::After);
        token && depth > 0 && depth <= self.levels && self.nesting.in_object() && !self.capture.is_on()
    }
}

/// Goes past tokens of members from `at` on; returns where it stopped, with the automaton in the state there.
/// The automaton has to be [`Automaton::is_flat`].
#[inline(always)]
pub(super) fn run<L: Lanes, V: Visitor>(
    automaton: &mut Automaton,
    window: &[u8],
    at: usize,
    gaps: &mut Gaps,
    visitor: &mut V,
) -> usize {
    let depth = automaton.nesting.depth();
    let mut flat = Flat { window, at, depth, white: 0 };
    let mut due = automaton.state;
    let state = loop {
        let is_key = matches!(due, State::Key | State::KeyOrClose);
        if is_key && flat.depth == MEMBERS && flat.skip_white() == b'"' {
            due = flat.likely::<L, V>(automaton.offset, &gaps.0[1], visitor);
        }
        if is_key && matches!(due, State::Key | State::KeyOrClose) {
            match flat.key::<L, V>(automaton, due, visitor) {
                Key::Told => {}
                Key::Close => due = State::After,
                Key::Odd => break due,
            }
        }
        if matches!(due, State::Key | State::KeyOrClose | State::Colon) && !flat.colon() {
            break State::Colon;
        }
        if due != State::After {
            match flat.value::<L, V>(automaton, visitor) {
                Value::Scalar => {}
                Value::Open => {
                    due = State::KeyOrClose;
                    if automaton.capture.is_on() {
                        break due;
                    }
                    continue;
                }
                Value::Odd => break State::Value,
            }
        }
        due = State::Key;
        let gap = &mut gaps.0[usize::from(flat.depth > 1)];
        if stands::<L>(window, flat.at, gap) {
            // A comma and a quote; the rest is white space.
            flat.at += gap.len - 1;
            flat.white += gap.len - 2;
            continue;
        }
        match flat.behind_value(automaton, gap, visitor) {
            Behind::Comma => {}
            Behind::Close => due = State::After,
            Behind::Odd => break State::After,
        }
    };
    automaton.state = state;
    automaton.whitespace += flat.white as u64;
    flat.at
}

/// What stood where a key was due.
enum Key {
    Told,
    Close,
    Odd,
}

/// What stood where a value was due.
enum Value {
    Scalar,
    Open,
    Odd,
}

/// What stood behind a value.
enum Behind {
    Comma,
    Close,
    Odd,
}

/// The way through one window.
struct Flat<'w> {
    window: &'w [u8],
    at: usize,
    depth: u64,
    white: usize,
}

#[inline(always)]
fn chunk(window: &[u8], at: usize) -> Option<&[u8; HALF]> {
    window.get(at..)?.first_chunk()
}

/// Whether `pattern` stands at `at`.
#[inline(always)]
fn stands<L: Lanes>(window: &[u8], at: usize, pattern: &Pattern) -> bool {
    chunk(window, at).is_some_and(|chunk| L::same(chunk, &pattern.bytes) & pattern.mask == pattern.wanted)
}

/// The closing quote of the plain string whose opening quote stands at `at`.
#[inline(always)]
fn string_end<L: Lanes>(window: &[u8], at: usize) -> Option<usize> {
    let mut from = at + 1;
    loop {
        let chunk = chunk(window, from)?;
        let stops = L::stops(chunk);
        if stops != 0 {
            let stop = stops.trailing_zeros() as usize;
            return (chunk[stop % HALF] == b'"').then_some(from + stop);
        }
        from += HALF;
        if from > at + LONGEST {
            return None;
        }
    }
}

/// One past the number at `at`. Digits, and perhaps a fraction, are seen at once.
#[inline(always)]
fn number_end<L: Lanes>(window: &[u8], at: usize, first: u8) -> Option<usize> {
    let chunk = chunk(window, at)?;
    let digits = L::few_digits(chunk);
    let mut len = digits.trailing_ones() as usize;
    if chunk[len % HALF] == b'.' {
        let fraction = (digits >> (len % HALF) >> 1).trailing_ones() as usize;
        len = if fraction > 0 { len + 1 + fraction } else { HALF };
    }
    let ends = matches!(chunk[len % HALF], b',' | b'\n' | b'\r' | b' ' | b'}');
    let leads = first != b'0' || !chunk[1].is_ascii_digit();
    if ends && leads && len < HALF { Some(at + len) } else { odd_number_end(window, at, first) }
}

#[cold]
fn odd_number_end(window: &[u8], at: usize, first: u8) -> Option<usize> {
    grammar::number_end(window, at, first).filter(|end| end - at <= LONGEST)
}

/// What the value that begins with `first` is, and one past its end, where it is a plain one.
#[inline(always)]
fn scalar<L: Lanes>(window: &[u8], at: usize, first: u8) -> Option<(Kind, usize)> {
    if first == b'"' {
        return Some((Kind::String, string_end::<L>(window, at)? + 1));
    }
    if first.is_ascii_digit() || first == b'-' {
        return Some((Kind::Number, number_end::<L>(window, at, first)?));
    }
    let word = |word: &[u8]| window[at..].starts_with(word).then_some(at + word.len());
    match first {
        b't' => Some((Kind::Bool, word(b"true")?)),
        b'f' => Some((Kind::Bool, word(b"false")?)),
        b'n' => Some((Kind::Null, word(b"null")?)),
        _ => None,
    }
}

/// Tells of the scalar in `at..end`.
#[inline(always)]
fn tell<V: Visitor>(
    window: &[u8],
    offset: u64,
    at: usize,
    (kind, end): (Kind, usize),
    depth: u64,
    visitor: &mut V,
) {
    let raw = if kind == Kind::String { &window[at + 1..end - 1] } else { &window[at..end] };
    visitor.scalar(depth, offset + at as u64..offset + end as u64, kind, raw);
}

impl Flat<'_> {
    /// Goes on while members are what is likely, from the quote of a key on; returns what is due then.
    #[inline(always)]
    fn likely<L: Lanes, V: Visitor>(&mut self, offset: u64, gap: &Pattern, visitor: &mut V) -> State {
        let (window, mut at, mut white) = (self.window, self.at, self.white);
        let due = loop {
            let start = offset + at as u64;
            let likely = visitor.likely_key(MEMBERS, start, |name| stands::<L>(window, at + 1, name));
            let Some(len) = likely else { break State::Key };
            at += len + 2;
            if window.get(at) != Some(&b':') {
                break State::Colon;
            }
            at += 1;
            let Some(&[byte, behind]) = window.get(at..).and_then(|rest| rest.first_chunk()) else {
                break State::Value;
            };
            let is_blank = byte == b' ';
            at += usize::from(is_blank);
            white += usize::from(is_blank);
            let Some(value) = scalar::<L>(window, at, if is_blank { behind } else { byte }) else {
                break State::Value;
            };
            tell(window, offset, at, value, MEMBERS, visitor);
            at = value.1;
            if !stands::<L>(window, at, gap) {
                break State::After;
            }
            // A comma and a quote; the rest is white space.
            at += gap.len - 1;
            white += gap.len - 2;
        };
        (self.at, self.white) = (at, white);
        due
    }

    /// The byte behind white space; 0 where the window ends.
    #[inline(always)]
    fn skip_white(&mut self) -> u8 {
        loop {
            let byte = self.window.get(self.at).copied().unwrap_or(0);
            if !matches!(byte, b' ' | b'\t' | b'\r' | b'\n') {
                return byte;
            }
            self.at += 1;
            self.white += 1;
        }
    }

    #[inline(always)]
    fn key<L: Lanes, V: Visitor>(&mut self, automaton: &mut Automaton, due: State, visitor: &mut V) -> Key {
        match self.skip_white() {
            b'"' => {}
            b'}' if due == State::KeyOrClose => return Key::Close,
            _ => return Key::Odd,
        }
        let Some(end) = string_end::<L>(self.window, self.at) else { return Key::Odd };
        automaton.whole_key(self.window, self.at, end, self.depth, visitor);
        self.at = end + 1;
        Key::Told
    }

    /// Goes past the colon.
    #[inline(always)]
    fn colon(&mut self) -> bool {
        let is_colon = self.skip_white() == b':';
        self.at += usize::from(is_colon);
        is_colon
    }

    #[inline(always)]
    fn value<L: Lanes, V: Visitor>(&mut self, automaton: &mut Automaton, visitor: &mut V) -> Value {
        let first = self.skip_white();
        if first == b'{' && self.depth < automaton.levels {
            automaton.value_begins(self.at, Kind::Object, self.depth, visitor);
            automaton.nesting.push(true);
            self.depth += 1;
            self.at += 1;
            return Value::Open;
        }
        let Some(value) = scalar::<L>(self.window, self.at, first) else { return Value::Odd };
        tell(self.window, automaton.offset, self.at, value, self.depth, visitor);
        self.at = value.1;
        Value::Scalar
    }

    /// Goes past a comma, up to the next key, or past the brace that closes the object, if that is a member itself.
    #[inline(always)]
    fn behind_value<V: Visitor>(
        &mut self,
        automaton: &mut Automaton,
        gap: &mut Pattern,
        visitor: &mut V,
    ) -> Behind {
        match self.skip_white() {
            b',' => {
                let comma = self.at;
                self.at += 1;
                self.skip_white();
                *gap = Pattern::of_gap(self.window.get(comma..=self.at).unwrap_or_default());
                Behind::Comma
            }
            b'}' if automaton.nesting.top & 0b11 == 0b11 => {
                automaton.nesting.pop();
                self.depth -= 1;
                self.at += 1;
                automaton.container_ends(self.window, self.at, self.depth, visitor);
                Behind::Close
            }
            _ => Behind::Odd,
        }
    }
}
