//! The grammar of JSON as a machine whose whole state lies between two bytes, and what it reports.
//!
//! Here are the state, the brackets and commas, and the members of the outermost objects that a [`Visitor`]
//! is told of. How one gets from one token to the next is the business of [`super::portable`], which looks at
//! every byte, and of [`super::simd`], which jumps. Both leave the same state behind, so a text may be handed
//! from one to the other at any byte. Memory is bounded whatever the input: a level of nesting costs one
//! bit; a key or a wanted value is collected up to [`CAPTURE`] bytes and flagged as long beyond that.

use std::ops::Range;

use super::capture::Capture;
pub use super::capture::{CAPTURE, Captured};
use super::fault::{Expected, Fault};
use super::nesting::Nesting;
use super::number::Number;
use super::pattern::Pattern;
use super::utf8::Utf8;

/// What kind of value begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `{`
    Object,
    /// `[`
    Array,
    /// `"`
    String,
    /// A number.
    Number,
    /// `true` or `false`.
    Bool,
    /// `null`
    Null,
}

impl Kind {
    /// Whether it is an object or an array.
    pub fn is_container(self) -> bool {
        matches!(self, Kind::Object | Kind::Array)
    }

    /// The kind of the value that begins with `byte`, if one may.
    pub(super) fn of(byte: u8) -> Option<Kind> {
        match byte {
            b'{' => Some(Kind::Object),
            b'[' => Some(Kind::Array),
            b'"' => Some(Kind::String),
            b'-' | b'0'..=b'9' => Some(Kind::Number),
            b't' | b'f' => Some(Kind::Bool),
            b'n' => Some(Kind::Null),
            _ => None,
        }
    }
}

/// Is told of the members of the outermost objects. `depth` is 1 for members of the root.
pub trait Visitor {
    /// A key; `start` is the offset of its opening quote.
    fn key(&mut self, depth: u64, start: u64, key: Captured<'_>);
    /// Is told of a key as well, but only if it is the one that is likely: `stands` says whether a name and its
    /// closing quote stand there. Returns how many bytes the name has; `None` where nothing was told.
    #[inline(always)]
    fn likely_key(
        &mut self,
        _depth: u64,
        _start: u64,
        _stands: impl FnOnce(&Pattern) -> bool,
    ) -> Option<usize> {
        None
    }
    /// The key's value begins at `start`. Returns whether its text is wanted.
    fn value(&mut self, depth: u64, start: u64, kind: Kind) -> bool;
    /// The value ended before `end`.
    fn value_end(&mut self, depth: u64, end: u64, text: Option<Captured<'_>>);
    /// As [`Self::value`] and [`Self::value_end`] in one: no object and no array, and its text is short.
    #[inline(always)]
    fn scalar(&mut self, depth: u64, at: Range<u64>, kind: Kind, raw: &[u8]) {
        let wanted = self.value(depth, at.start, kind);
        self.value_end(depth, at.end, wanted.then_some(Captured { raw, cut: false }));
    }
}

/// What a whole text came to.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Outcome {
    /// The first fault; `None` for valid JSON.
    pub fault: Option<Fault>,
    /// Kind of the root value, where one began.
    pub root: Option<Kind>,
    /// Whether the root value ended.
    pub root_ended: bool,
    /// First byte of the root, where one began.
    pub root_start: u64,
    /// One past the root's last byte, where it ended.
    pub root_end: u64,
    /// UTF-16 units up to the fault or the end.
    pub units: u64,
    /// White space outside strings, in bytes.
    pub whitespace: u64,
    /// Where the first ill-formed UTF-8 stands inside a string.
    pub first_invalid_utf8: Option<u64>,
    /// Bytes up to the fault or the end.
    pub bytes: u64,
}

/// Where the machine stopped, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Halt {
    /// Byte offset; the end of the text where it ended too early.
    pub offset: u64,
    /// What was expected.
    pub expected: Expected,
    /// The byte that stands there; `None` at the end.
    pub found: Option<u8>,
}

/// A halt before its offset is known: the place in the window, and what was expected there.
pub(super) struct Stop {
    pub(super) at: usize,
    pub(super) expected: Expected,
}

/// What the next byte belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Value,
    ValueOrClose,
    Key,
    KeyOrClose,
    Colon,
    After,
    Done,
    String { key: bool },
    Escape { key: bool },
    Hex { key: bool, left: u8 },
    Literal { word: Word, at: u8 },
    Number(Number),
}

/// A value that is spelled out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Word {
    True,
    False,
    Null,
}

impl Word {
    pub(super) fn text(self) -> &'static [u8] {
        match self {
            Word::True => b"true",
            Word::False => b"false",
            Word::Null => b"null",
        }
    }
}

/// The state between two windows, and between two tokens.
#[derive(Clone)]
pub struct Automaton {
    pub(super) levels: u64,
    pub(super) state: State,
    pub(super) nesting: Nesting,
    /// Offset of the window's first byte.
    pub(super) offset: u64,
    pub(super) utf8: Utf8,
    pub(super) whitespace: u64,
    pub(super) capture: Capture,
    root: Option<Kind>,
    root_start: u64,
    root_end: Option<u64>,
    key_start: u64,
    /// A scalar whose end is to be reported.
    reported: bool,
}

impl Automaton {
    /// Reports members down to `levels`: 2 for a store (entries and their members), 1 for an entry.
    /// `start` is the offset of the first byte that will be pushed.
    pub fn new(levels: u64, start: u64) -> Self {
        Automaton {
            levels,
            state: State::Value,
            nesting: Nesting::default(),
            offset: start,
            utf8: Utf8::default(),
            whitespace: 0,
            capture: Capture::default(),
            root: None,
            root_start: 0,
            root_end: None,
            key_start: 0,
            reported: false,
        }
    }

    /// Begins in the middle of a text, where the key of a member of the root is due at `start`.
    pub(super) fn before_key(levels: u64, start: u64) -> Self {
        let mut automaton = Self::new(levels, start);
        automaton.state = State::Key;
        automaton.nesting.push(true);
        automaton
    }

    /// Whether the text may go on as one that [`Self::before_key`] began.
    pub(super) fn is_before_key(&self) -> bool {
        let guess = Self::before_key(self.levels, self.offset);
        self.state == guess.state && self.nesting == guess.nesting && !self.utf8.is_open()
    }

    /// Makes this, which began before a key, go on where `first` ended.
    pub(super) fn follow(&mut self, first: Automaton) {
        (self.root, self.root_start) = (first.root, first.root_start);
        self.whitespace += first.whitespace;
        self.utf8.follow(&first.utf8);
    }

    /// Offset of the next byte.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// The text has ended.
    pub fn finish<V: Visitor>(&mut self, visitor: &mut V) -> Result<(), Halt> {
        if let State::Number(number) = self.state
            && number.may_end()
        {
            self.scalar_done(&[], 0, visitor);
        }
        self.utf8.break_off(self.offset);
        let expected = match self.state {
            State::Done => return Ok(()),
            State::Value => Expected::Value,
            State::ValueOrClose => Expected::ValueOrClose,
            State::Key => Expected::Key,
            State::KeyOrClose => Expected::KeyOrClose,
            State::Colon => Expected::Colon,
            State::After => self.comma_or_close(),
            State::String { .. } => Expected::StringEnd,
            State::Escape { .. } => Expected::Escape,
            State::Hex { .. } => Expected::Hex,
            State::Literal { .. } => Expected::Literal,
            State::Number(_) => Expected::Digit,
        };
        Err(Halt { offset: self.offset, expected, found: None })
    }

    /// A byte outside strings, numbers and words.
    #[inline]
    pub(super) fn structural<V: Visitor>(
        &mut self,
        window: &[u8],
        at: usize,
        byte: u8,
        visitor: &mut V,
    ) -> Result<(), Stop> {
        match (self.state, byte) {
            (State::KeyOrClose, b'}') | (State::ValueOrClose, b']') => self.close(window, at, visitor),
            (State::Key | State::KeyOrClose, b'"') => {
                if self.nesting.depth() <= self.levels {
                    self.key_begins(at);
                }
                self.state = State::String { key: true };
            }
            (State::Colon, b':') => self.state = State::Value,
            (State::After, b',') => {
                self.state = if self.nesting.in_object() { State::Key } else { State::Value };
            }
            (State::After, b'}') if self.nesting.in_object() => self.close(window, at, visitor),
            (State::After, b']') if !self.nesting.in_object() => self.close(window, at, visitor),
            (State::Value | State::ValueOrClose, _) => return self.value(at, byte, visitor),
            (State::Key, _) => return Err(Stop { at, expected: Expected::Key }),
            (State::KeyOrClose, _) => return Err(Stop { at, expected: Expected::KeyOrClose }),
            (State::Colon, _) => return Err(Stop { at, expected: Expected::Colon }),
            (State::After, _) => return Err(Stop { at, expected: self.comma_or_close() }),
            _ => return Err(Stop { at, expected: Expected::End }),
        }
        Ok(())
    }

    /// What is known when the text ended, or halted, at `end`.
    pub fn outcome(&mut self, end: u64) -> Outcome {
        self.utf8.break_off(end);
        Outcome {
            fault: None,
            root: self.root,
            root_start: self.root_start,
            root_ended: self.root_end.is_some(),
            root_end: self.root_end.unwrap_or(0),
            units: end - self.utf8.surplus(),
            whitespace: self.whitespace,
            first_invalid_utf8: self.utf8.first_invalid(),
            bytes: end,
        }
    }

    fn comma_or_close(&self) -> Expected {
        if self.nesting.in_object() { Expected::CommaOrBrace } else { Expected::CommaOrBracket }
    }

    fn value<V: Visitor>(&mut self, at: usize, byte: u8, visitor: &mut V) -> Result<(), Stop> {
        let (kind, state) = match byte {
            b'{' => (Kind::Object, State::KeyOrClose),
            b'[' => (Kind::Array, State::ValueOrClose),
            b'"' => (Kind::String, State::String { key: false }),
            b'-' => (Kind::Number, State::Number(Number::Minus)),
            b'0' => (Kind::Number, State::Number(Number::Zero)),
            b'1'..=b'9' => (Kind::Number, State::Number(Number::Integer)),
            b't' => (Kind::Bool, State::Literal { word: Word::True, at: 1 }),
            b'f' => (Kind::Bool, State::Literal { word: Word::False, at: 1 }),
            b'n' => (Kind::Null, State::Literal { word: Word::Null, at: 1 }),
            _ if self.state == State::ValueOrClose => {
                return Err(Stop { at, expected: Expected::ValueOrClose });
            }
            _ => return Err(Stop { at, expected: Expected::Value }),
        };
        if self.nesting.depth() == 0 {
            (self.root, self.root_start) = (Some(kind), self.offset + at as u64);
        }
        if self.reports() {
            self.value_begins(at, kind, self.nesting.depth(), visitor);
        }
        if kind.is_container() {
            self.nesting.push(kind == Kind::Object);
        }
        self.state = state;
        Ok(())
    }

    /// Whether a value that stands here is a member that the visitor is told of.
    fn reports(&self) -> bool {
        self.nesting.depth() <= self.levels && self.nesting.in_object()
    }

    fn close<V: Visitor>(&mut self, window: &[u8], at: usize, visitor: &mut V) {
        self.nesting.pop();
        if self.reports() {
            self.container_ends(window, at + 1, self.nesting.depth(), visitor);
        }
        self.value_done(at + 1);
    }

    fn value_done(&mut self, end: usize) {
        if self.nesting.depth() == 0 {
            self.root_end = Some(self.offset + end as u64);
            self.state = State::Done;
        } else {
            self.state = State::After;
        }
    }

    /// The key at hand ends with the quote at `at`.
    pub(super) fn key_done<V: Visitor>(&mut self, window: &[u8], at: usize, visitor: &mut V) {
        if self.nesting.depth() <= self.levels {
            self.key_ends(window, at, self.nesting.depth(), visitor);
        }
        self.state = State::Colon;
    }

    /// The scalar at hand ends before `end`.
    pub(super) fn scalar_done<V: Visitor>(&mut self, window: &[u8], end: usize, visitor: &mut V) {
        if self.reported {
            let quote = usize::from(matches!(self.state, State::String { .. }));
            self.scalar_ends(window, end, quote, self.nesting.depth(), visitor);
        }
        self.value_done(end);
    }
}

/// What the visitor is told. Those who call these know that it is to be told: a member begins or ends here,
/// of an object at `depth`, which is at most `levels`.
impl Automaton {
    /// A key begins with the quote at `at`.
    #[inline(always)]
    pub(super) fn key_begins(&mut self, at: usize) {
        self.key_start = self.offset + at as u64;
        self.capture.begin(at + 1);
    }

    /// The key ends with the quote at `at`.
    #[inline(always)]
    pub(super) fn key_ends<V: Visitor>(&mut self, window: &[u8], at: usize, depth: u64, visitor: &mut V) {
        visitor.key(depth, self.key_start, self.capture.end(window, at));
        self.capture.clear();
    }

    /// As [`Self::key_begins`] and [`Self::key_ends`] in one.
    #[inline(always)]
    pub(super) fn whole_key<V: Visitor>(
        &mut self,
        window: &[u8],
        start: usize,
        end: usize,
        depth: u64,
        visitor: &mut V,
    ) {
        let raw = window.get(start + 1..end).unwrap_or_default();
        visitor.key(depth, self.offset + start as u64, Captured { raw, cut: false });
    }

    /// A value begins at `at`.
    #[inline(always)]
    pub(super) fn value_begins<V: Visitor>(&mut self, at: usize, kind: Kind, depth: u64, visitor: &mut V) {
        self.reported = !kind.is_container();
        if visitor.value(depth, self.offset + at as u64, kind) && !self.capture.is_on() {
            self.capture.begin(at + usize::from(kind == Kind::String));
            self.capture.container = kind.is_container().then_some(depth);
        }
    }

    /// An object or array ends before `end`.
    #[inline(always)]
    pub(super) fn container_ends<V: Visitor>(
        &mut self,
        window: &[u8],
        end: usize,
        depth: u64,
        visitor: &mut V,
    ) {
        let wanted = self.capture.container == Some(depth);
        let text = wanted.then(|| self.capture.end(window, end));
        visitor.value_end(depth, self.offset + end as u64, text);
        if wanted {
            self.capture.clear();
        }
    }

    /// A scalar ends before `end`; `quote` is how many bytes of it close a string.
    #[inline(always)]
    pub(super) fn scalar_ends<V: Visitor>(
        &mut self,
        window: &[u8],
        end: usize,
        quote: usize,
        depth: u64,
        visitor: &mut V,
    ) {
        let wanted = self.capture.is_on() && self.capture.container.is_none();
        let text = wanted.then(|| self.capture.end(window, end - quote));
        visitor.value_end(depth, self.offset + end as u64, text);
        if wanted {
            self.capture.clear();
        }
        self.reported = false;
    }
}
