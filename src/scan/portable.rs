//! JSON, byte by byte: accepts exactly what Node's `JSON.parse` accepts after decoding UTF-8 with replacement.
//!
//! The automaton is pushed one window after another and keeps its whole state between them, so a token may
//! lie across any number of windows. It does not recurse; a level of nesting costs one bit. It reports the
//! members of the outermost objects to a [`Visitor`] (down to [`Automaton::new`]'s `levels`) and says where
//! and why the text stops being JSON. Memory is bounded whatever the input: a key or a wanted value is
//! collected up to [`CAPTURE`] bytes and flagged as long beyond that.
//!
//! It has no `unsafe` and no tricks: it is the fallback of faster scanners, and their oracle.

use super::capture::Capture;
pub use super::capture::{CAPTURE, Captured};
use super::fault::{Expected, Fault};
use super::nesting::Nesting;
use super::number::Number;
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

/// Is told of the members of the outermost objects. `depth` is 1 for members of the root.
pub trait Visitor {
    /// A key; `start` is the offset of its opening quote.
    fn key(&mut self, depth: u64, start: u64, key: Captured<'_>);
    /// The key's value begins at `start`. Returns whether its text is wanted.
    fn value(&mut self, depth: u64, start: u64, kind: Kind) -> bool;
    /// The value ended before `end`.
    fn value_end(&mut self, depth: u64, end: u64, text: Option<Captured<'_>>);
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

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Value,
    ValueOrClose,
    Key,
    KeyOrClose,
    Colon,
    After,
    String { key: bool },
    Escape { key: bool },
    Hex { key: bool, left: u8 },
    Literal { word: &'static [u8], at: u8 },
    Number(Number),
    Done,
}

/// The state between two windows.
pub struct Automaton {
    levels: u64,
    state: State,
    nesting: Nesting,
    offset: u64,
    utf8: Utf8,
    line: u64,
    line_start: u64,
    line_surplus: u64,
    whitespace: u64,
    root: Option<Kind>,
    root_start: u64,
    root_end: Option<u64>,
    capture: Capture,
    key_start: u64,
    /// A scalar whose end is to be reported.
    reported: bool,
}

/// A fault before its position is known.
struct Stop(Expected);

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
            line: 1,
            line_start: start,
            line_surplus: 0,
            whitespace: 0,
            root: None,
            root_start: 0,
            root_end: None,
            capture: Capture::default(),
            key_start: 0,
            reported: false,
        }
    }

    /// Offset of the next byte.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Looks at the next window. An error is the first fault; nothing may be pushed after it.
    pub fn push<V: Visitor>(&mut self, window: &[u8], visitor: &mut V) -> Result<(), Fault> {
        self.capture.go_on();
        let mut at = 0;
        while at < window.len() {
            match self.step(window, at, visitor) {
                Ok(next) => at = next,
                Err((Stop(expected), place)) => {
                    return Err(self.fault(place, expected, Some(window[place])));
                }
            }
        }
        self.capture.keep(window, window.len());
        self.offset += window.len() as u64;
        Ok(())
    }

    /// The text has ended.
    pub fn finish<V: Visitor>(&mut self, visitor: &mut V) -> Result<(), Fault> {
        if let State::Number(number) = self.state
            && number.may_end()
        {
            self.scalar_end(&[], 0, visitor);
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
        Err(self.fault(0, expected, None))
    }

    /// What is known by now; `fault` is what [`Self::push`] or [`Self::finish`] returned.
    pub fn outcome(&self, fault: Option<Fault>) -> Outcome {
        let end = fault.as_ref().map_or(self.offset, |fault| fault.offset);
        Outcome {
            units: end - self.utf8.surplus().min(end),
            fault,
            root: self.root,
            root_start: self.root_start,
            root_ended: self.root_end.is_some(),
            root_end: self.root_end.unwrap_or(0),
            whitespace: self.whitespace,
            first_invalid_utf8: self.utf8.first_invalid(),
            bytes: end,
        }
    }

    fn fault(&self, at: usize, expected: Expected, found: Option<u8>) -> Fault {
        let mut utf8 = self.utf8.clone();
        let offset = self.offset + at as u64;
        utf8.break_off(offset);
        let units = offset - self.line_start - (utf8.surplus() - self.line_surplus);
        Fault {
            offset,
            line: self.line,
            column: units + 1,
            position: offset - utf8.surplus(),
            expected,
            found,
        }
    }

    /// Handles the token, or part of one, that begins at `at`; returns where to go on.
    fn step<V: Visitor>(
        &mut self,
        window: &[u8],
        at: usize,
        visitor: &mut V,
    ) -> Result<usize, (Stop, usize)> {
        match self.state {
            State::String { key } => self.string(window, at, key, visitor),
            State::Escape { key } => self.escape(window[at], key).map(|()| at + 1).map_err(|stop| (stop, at)),
            State::Hex { key, left } => {
                if !window[at].is_ascii_hexdigit() {
                    return Err((Stop(Expected::Hex), at));
                }
                self.state =
                    if left > 1 { State::Hex { key, left: left - 1 } } else { State::String { key } };
                Ok(at + 1)
            }
            State::Literal { word, at: done } => self.literal(window, at, word, done, visitor),
            State::Number(number) => self.number(window, at, number, visitor),
            _ => {
                let at = self.skip_whitespace(window, at);
                match window.get(at) {
                    None => Ok(at),
                    Some(&byte) => {
                        self.structural(window, at, byte, visitor).map(|()| at + 1).map_err(|stop| (stop, at))
                    }
                }
            }
        }
    }

    fn skip_whitespace(&mut self, window: &[u8], from: usize) -> usize {
        let mut at = from;
        while let Some(&byte) = window.get(at) {
            match byte {
                b' ' | b'\t' | b'\r' => {}
                b'\n' => {
                    self.line += 1;
                    self.line_start = self.offset + at as u64 + 1;
                    self.line_surplus = self.utf8.surplus();
                }
                _ => break,
            }
            at += 1;
        }
        self.whitespace += (at - from) as u64;
        at
    }

    /// A byte outside strings, numbers and words.
    fn structural<V: Visitor>(
        &mut self,
        window: &[u8],
        at: usize,
        byte: u8,
        visitor: &mut V,
    ) -> Result<(), Stop> {
        match (self.state, byte) {
            (State::KeyOrClose, b'}') | (State::ValueOrClose, b']') => self.close(window, at, visitor),
            (State::Key | State::KeyOrClose, b'"') => {
                self.key_start = self.offset + at as u64;
                if self.nesting.depth <= self.levels {
                    self.capture.begin(at + 1);
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
            (State::Key, _) => return Err(Stop(Expected::Key)),
            (State::KeyOrClose, _) => return Err(Stop(Expected::KeyOrClose)),
            (State::Colon, _) => return Err(Stop(Expected::Colon)),
            (State::After, _) => return Err(Stop(self.comma_or_close())),
            _ => return Err(Stop(Expected::End)),
        }
        Ok(())
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
            b't' => (Kind::Bool, State::Literal { word: b"true", at: 1 }),
            b'f' => (Kind::Bool, State::Literal { word: b"false", at: 1 }),
            b'n' => (Kind::Null, State::Literal { word: b"null", at: 1 }),
            _ if self.state == State::ValueOrClose => return Err(Stop(Expected::ValueOrClose)),
            _ => return Err(Stop(Expected::Value)),
        };
        let container = matches!(kind, Kind::Object | Kind::Array);
        let depth = self.nesting.depth;
        if depth == 0 {
            (self.root, self.root_start) = (Some(kind), self.offset + at as u64);
        }
        let reported = self.reports();
        if reported && visitor.value(depth, self.offset + at as u64, kind) && !self.capture.is_on() {
            self.capture.begin(if kind == Kind::String { at + 1 } else { at });
            self.capture.container = container.then_some(depth);
        }
        if container {
            self.nesting.push(kind == Kind::Object);
        } else {
            self.reported = reported;
        }
        self.state = state;
        Ok(())
    }

    /// Whether a value that stands here is a member that the visitor is told of.
    fn reports(&self) -> bool {
        self.nesting.depth <= self.levels && self.nesting.in_object()
    }

    fn close<V: Visitor>(&mut self, window: &[u8], at: usize, visitor: &mut V) {
        self.nesting.pop();
        let depth = self.nesting.depth;
        let end = self.offset + at as u64 + 1;
        if self.reports() {
            let wanted = self.capture.container == Some(depth);
            let text = wanted.then(|| self.capture.end(window, at + 1));
            visitor.value_end(depth, end, text);
            if wanted {
                self.capture.clear();
            }
        }
        self.value_done(end);
    }

    fn value_done(&mut self, end: u64) {
        if self.nesting.depth == 0 {
            self.root_end = Some(end);
            self.state = State::Done;
        } else {
            self.state = State::After;
        }
    }

    fn string<V: Visitor>(
        &mut self,
        window: &[u8],
        from: usize,
        key: bool,
        visitor: &mut V,
    ) -> Result<usize, (Stop, usize)> {
        let mut at = from;
        loop {
            let Some(skip) = window[at..].iter().position(|&byte| SPECIAL[byte as usize]) else {
                if self.utf8.is_open() && at < window.len() {
                    self.utf8.break_off(self.offset + at as u64);
                }
                return Ok(window.len());
            };
            if self.utf8.is_open() && (skip > 0 || window[at] < 0x80) {
                self.utf8.break_off(self.offset + at as u64);
            }
            at += skip;
            match window[at] {
                b'"' => {
                    if key {
                        self.key_end(window, at, visitor);
                    } else {
                        self.scalar_end(window, at, visitor);
                    }
                    return Ok(at + 1);
                }
                b'\\' => {
                    self.state = State::Escape { key };
                    return Ok(at + 1);
                }
                byte if byte < 0x20 => return Err((Stop(Expected::Escaped), at)),
                byte => self.utf8.push(byte, self.offset + at as u64),
            }
            at += 1;
        }
    }

    fn escape(&mut self, byte: u8, key: bool) -> Result<(), Stop> {
        self.state = match byte {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => State::String { key },
            b'u' => State::Hex { key, left: 4 },
            _ => return Err(Stop(Expected::Escape)),
        };
        Ok(())
    }

    fn key_end<V: Visitor>(&mut self, window: &[u8], at: usize, visitor: &mut V) {
        if self.nesting.depth <= self.levels {
            let key = self.capture.end(window, at);
            visitor.key(self.nesting.depth, self.key_start, key);
            self.capture.clear();
        }
        self.state = State::Colon;
    }

    /// The scalar at hand ended before `at`; for strings `at` is the closing quote.
    fn scalar_end<V: Visitor>(&mut self, window: &[u8], at: usize, visitor: &mut V) {
        let quote = u64::from(matches!(self.state, State::String { .. }));
        let end = self.offset + at as u64 + quote;
        if self.reported {
            let wanted = self.capture.is_on() && self.capture.container.is_none();
            let text = wanted.then(|| self.capture.end(window, at));
            visitor.value_end(self.nesting.depth, end, text);
            if wanted {
                self.capture.clear();
            }
            self.reported = false;
        }
        self.value_done(end);
    }

    fn literal<V: Visitor>(
        &mut self,
        window: &[u8],
        at: usize,
        word: &'static [u8],
        done: u8,
        visitor: &mut V,
    ) -> Result<usize, (Stop, usize)> {
        if window[at] != word[done as usize] {
            return Err((Stop(Expected::Literal), at));
        }
        if done as usize + 1 == word.len() {
            self.scalar_end(window, at + 1, visitor);
        } else {
            self.state = State::Literal { word, at: done + 1 };
        }
        Ok(at + 1)
    }

    fn number<V: Visitor>(
        &mut self,
        window: &[u8],
        from: usize,
        number: Number,
        visitor: &mut V,
    ) -> Result<usize, (Stop, usize)> {
        let mut number = number;
        for (at, &byte) in window.iter().enumerate().skip(from) {
            match number.next(byte) {
                Some(next) => number = next,
                None if number.may_end() => {
                    self.state = State::Number(number);
                    self.scalar_end(window, at, visitor);
                    return Ok(at);
                }
                None => return Err((Stop(Expected::Digit), at)),
            }
        }
        self.state = State::Number(number);
        Ok(window.len())
    }
}

/// Bytes at which a string needs a closer look: quote, backslash, control characters, non-ASCII.
const SPECIAL: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = byte < 0x20 || byte >= 0x80 || byte == b'"' as usize || byte == b'\\' as usize;
        byte += 1;
    }
    table
};
