//! Text from files made safe for a terminal: nothing in it can move the cursor, hide or reorder text.
//!
//! Escaped visibly: control characters (so every ANSI sequence, too), direction marks and overrides, zero
//! width characters, invisible fillers, line and paragraph separators, tags and unused variation selectors,
//! and bytes that are no UTF-8. A backslash stays as it is: the aim is a safe screen, not a way back.

use std::borrow::Cow;
use std::fmt::{self, Display, Formatter, Write as _};

use unicode_width::UnicodeWidthChar;

/// A string from a file, escaped and cut in the middle where it is long.
#[derive(Clone, Debug)]
pub struct Shown<'a> {
    text: Cow<'a, [u8]>,
    max: usize,
}

impl<'a> Shown<'a> {
    /// All of `text`, escaped.
    pub fn new(text: &'a str) -> Self {
        Self::bytes(text.as_bytes())
    }

    /// All of `text`, escaped; bytes that are no UTF-8 appear as `\xff`.
    pub fn bytes(text: &'a [u8]) -> Self {
        Self { text: Cow::Borrowed(text), max: usize::MAX }
    }

    /// At most `columns` (at least 3): what is longer loses its middle to `…`.
    #[must_use]
    pub fn max(mut self, columns: usize) -> Self {
        self.max = columns.max(3);
        self
    }

    fn units(&self) -> impl Iterator<Item = Unit> {
        self.text.utf8_chunks().flat_map(|chunk| {
            let chars = chunk.valid().chars().map(Unit::from_char);
            chars.chain(chunk.invalid().iter().map(|byte| Unit::Byte(*byte)))
        })
    }

    /// Writes the first and the last units that fit beside the `…`.
    fn cut(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let tail_room = (self.max - 1) / 2;
        let head_room = self.max - 1 - tail_room;
        let units: Vec<Unit> = self.units().collect();
        for unit in &units[..fitting(units.iter(), head_room)] {
            unit.fmt(f)?;
        }
        f.write_char('…')?;
        let tail = fitting(units.iter().rev(), tail_room);
        units[units.len() - tail..].iter().try_for_each(|unit| unit.fmt(f))
    }
}

impl Display for Shown<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.max == usize::MAX || self.units().map(Unit::width).sum::<usize>() <= self.max {
            return self.units().try_for_each(|unit| unit.fmt(f));
        }
        self.cut(f)
    }
}

/// How many units from the front of `units` fit into `room` columns.
fn fitting<'u>(units: impl Iterator<Item = &'u Unit>, room: usize) -> usize {
    let mut left = room;
    units
        .take_while(|unit| {
            let fits = unit.width() <= left;
            left = left.saturating_sub(unit.width());
            fits
        })
        .count()
}

/// A character as it is, an escaped one, or a byte that belongs to no character. Never cut in two.
#[derive(Clone, Copy, Debug)]
enum Unit {
    Plain(char),
    Escaped(char),
    Byte(u8),
}

impl Unit {
    fn from_char(c: char) -> Self {
        if is_unsafe(c) { Unit::Escaped(c) } else { Unit::Plain(c) }
    }

    /// Columns on the screen. A combining mark counts as one, so that a tower of them is cut as well.
    fn width(self) -> usize {
        match self {
            Unit::Plain(c) => c.width().unwrap_or(1).max(1),
            Unit::Escaped('\n' | '\r' | '\t') => 2,
            Unit::Escaped(c) if (c as u32) < 0x80 => 4,
            Unit::Escaped(c) => 4 + hex_digits(c as u32),
            Unit::Byte(_) => 4,
        }
    }
}

impl Display for Unit {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match *self {
            Unit::Plain(c) => f.write_char(c),
            Unit::Escaped('\n') => f.write_str("\\n"),
            Unit::Escaped('\r') => f.write_str("\\r"),
            Unit::Escaped('\t') => f.write_str("\\t"),
            Unit::Escaped(c) if (c as u32) < 0x80 => write!(f, "\\x{:02x}", c as u32),
            Unit::Escaped(c) => write!(f, "\\u{{{:x}}}", c as u32),
            Unit::Byte(byte) => write!(f, "\\x{byte:02x}"),
        }
    }
}

fn hex_digits(value: u32) -> usize {
    (value.max(1).ilog2() / 4 + 1) as usize
}

/// Whether a character could act on the terminal, hide, or change the order of others.
fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fe00}'..='\u{fe0d}' | '\u{fff0}'..='\u{fffb}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_acts_on_a_terminal_becomes_visible() {
        let cases = [
            ("plain Größe 日本 👍", "plain Größe 日本 👍"),
            ("a\nb\tc\r", "a\\nb\\tc\\r"),
            ("\x1b[31mred\x1b]0;title\x07", "\\x1b[31mred\\x1b]0;title\\x07"),
            ("\x7f\u{9b}31m", "\\x7f\\u{9b}31m"),
            ("evil\u{202e}gpj", "evil\\u{202e}gpj"),
            ("\u{2066}a\u{2069}\u{200e}\u{61c}", "\\u{2066}a\\u{2069}\\u{200e}\\u{61c}"),
            ("a\u{200b}b\u{feff}", "a\\u{200b}b\\u{feff}"),
            ("\u{2028}\u{2029}", "\\u{2028}\\u{2029}"),
            ("\u{e0041}", "\\u{e0041}"),
        ];
        for (text, shown) in cases {
            assert_eq!(Shown::new(text).to_string(), shown);
        }
    }

    #[test]
    fn bytes_that_are_no_text_are_shown_as_numbers() {
        assert_eq!(Shown::bytes(b"a\xffb").to_string(), "a\\xffb");
        // A lone surrogate as WTF-8 would spell it.
        assert_eq!(Shown::bytes(b"\xed\xa0\x80").to_string(), "\\xed\\xa0\\x80");
    }

    #[test]
    fn a_long_string_loses_its_middle() {
        assert_eq!(Shown::new("abcdefghij").max(10).to_string(), "abcdefghij");
        assert_eq!(Shown::new("abcdefghijk").max(10).to_string(), "abcde…hijk");
        assert_eq!(Shown::new("日本日本日本").max(6).to_string(), "日…本");
        // An escape is never cut in two.
        assert_eq!(Shown::new("\x1b\x1b\x1b\x1b").max(10).to_string(), "\\x1b…\\x1b");
    }

    proptest! {
        #[test]
        fn nothing_unsafe_gets_through_and_the_width_holds(bytes: Vec<u8>, max in 3usize..40) {
            let shown = Shown::bytes(&bytes).max(max).to_string();
            prop_assert!(!shown.chars().any(is_unsafe));
            prop_assert!(shown.chars().map(|c| c.width().unwrap_or(0)).sum::<usize>() <= max);
        }

        #[test]
        fn strings_of_any_kind_are_safe(text: String) {
            prop_assert!(!Shown::new(&text).to_string().chars().any(is_unsafe));
        }
    }
}
