//! JSON, byte by byte: accepts exactly what Node's `JSON.parse` accepts after decoding UTF-8 with replacement.
//!
//! The automaton is pushed one window after another and keeps its whole state between them, so a token may
//! lie across any number of windows. It does not recurse. It has no `unsafe` and no tricks: it is the way
//! where no vectors are, the hand that takes over from [`super::simd`] where a text is odd, and its oracle.

use super::automaton::{Automaton, Halt, State, Stop, Visitor, Word};
use super::fault::Expected;
use super::number::Number;

impl Automaton {
    /// Looks at the next window, byte by byte. Nothing may be pushed after a halt.
    pub fn push<V: Visitor>(&mut self, window: &[u8], visitor: &mut V) -> Result<(), Halt> {
        self.capture.go_on();
        let end = self.creep(window, 0, visitor);
        self.leave(window, end)
    }

    /// Ends the look at a window: what is being collected is saved, and a stop becomes a halt.
    pub(super) fn leave(&mut self, window: &[u8], end: Result<(), Stop>) -> Result<(), Halt> {
        match end {
            Ok(()) => {
                self.capture.keep(window, window.len());
                self.offset += window.len() as u64;
                Ok(())
            }
            Err(Stop { at, expected }) => {
                Err(Halt { offset: self.offset + at as u64, expected, found: Some(window[at]) })
            }
        }
    }

    /// From `at` to the end of `window`.
    pub(super) fn creep<V: Visitor>(
        &mut self,
        window: &[u8],
        mut at: usize,
        visitor: &mut V,
    ) -> Result<(), Stop> {
        while at < window.len() {
            at = self.step(window, at, visitor)?;
        }
        Ok(())
    }

    /// Handles the token, or part of one, that begins at `at`; returns where to go on.
    pub(super) fn step<V: Visitor>(
        &mut self,
        window: &[u8],
        at: usize,
        visitor: &mut V,
    ) -> Result<usize, Stop> {
        match self.state {
            State::String { key } => self.string(window, at, key, visitor),
            State::Escape { key } => self.escape(window, at, key),
            State::Hex { key, left } => self.hex(window, at, key, left),
            State::Literal { word, at: done } => self.literal(window, at, word, done, visitor),
            State::Number(number) => self.number(window, at, number, visitor),
            _ => {
                let at = self.skip_whitespace(window, at);
                match window.get(at) {
                    None => Ok(at),
                    Some(&byte) => self.structural(window, at, byte, visitor).map(|()| at + 1),
                }
            }
        }
    }

    fn skip_whitespace(&mut self, window: &[u8], from: usize) -> usize {
        let blanks =
            window[from..].iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n')).count();
        self.whitespace += blanks as u64;
        from + blanks
    }

    fn string<V: Visitor>(
        &mut self,
        window: &[u8],
        from: usize,
        key: bool,
        visitor: &mut V,
    ) -> Result<usize, Stop> {
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
                        self.key_done(window, at, visitor);
                    } else {
                        self.scalar_done(window, at + 1, visitor);
                    }
                    return Ok(at + 1);
                }
                b'\\' => {
                    self.state = State::Escape { key };
                    return Ok(at + 1);
                }
                byte if byte < 0x20 => {
                    return Err(Stop { at, expected: Expected::Escaped });
                }
                byte => self.utf8.push(byte, self.offset + at as u64),
            }
            at += 1;
        }
    }

    fn escape(&mut self, window: &[u8], at: usize, key: bool) -> Result<usize, Stop> {
        self.state = match window[at] {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => State::String { key },
            b'u' => State::Hex { key, left: 4 },
            _ => return Err(Stop { at, expected: Expected::Escape }),
        };
        Ok(at + 1)
    }

    fn hex(&mut self, window: &[u8], at: usize, key: bool, left: u8) -> Result<usize, Stop> {
        if !window[at].is_ascii_hexdigit() {
            return Err(Stop { at, expected: Expected::Hex });
        }
        self.state = if left > 1 { State::Hex { key, left: left - 1 } } else { State::String { key } };
        Ok(at + 1)
    }

    fn literal<V: Visitor>(
        &mut self,
        window: &[u8],
        at: usize,
        word: Word,
        done: u8,
        visitor: &mut V,
    ) -> Result<usize, Stop> {
        if window[at] != word.text()[done as usize] {
            return Err(Stop { at, expected: Expected::Literal });
        }
        if done as usize + 1 == word.text().len() {
            self.scalar_done(window, at + 1, visitor);
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
    ) -> Result<usize, Stop> {
        let mut number = number;
        for (at, &byte) in window.iter().enumerate().skip(from) {
            match number.next(byte) {
                Some(next) => number = next,
                None if number.may_end() => {
                    self.state = State::Number(number);
                    self.scalar_done(window, at, visitor);
                    return Ok(at);
                }
                None => return Err(Stop { at, expected: Expected::Digit }),
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
