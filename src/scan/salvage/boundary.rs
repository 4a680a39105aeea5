//! Places in a damaged store at which an entry seems to begin.
//!
//! They are found by their text alone: `"agent:`, the rest of a key, a colon, a brace. The key is one without
//! escapes, so that the text cannot stand inside a valid string: its first quote would end that. What it says
//! is a guess all the same, which the states of the automata around it confirm or refute.

use memchr::memmem::Finder;

/// How far back a place is looked at: white space before a key.
pub(super) const BACK: usize = 64;
/// How far ahead: a key, white space, a colon, a brace.
pub(super) const AHEAD: usize = LONGEST_KEY + 2 * BACK + 4;
/// Longer keys begin no entry by themselves; in a row of sound entries they are read all the same.
const LONGEST_KEY: usize = 1 << 10;
const KEY: &[u8] = b"\"agent:";

/// A place where an entry seems to begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Boundary {
    /// Where the quote of its key stands, in the bytes that were searched.
    pub at: usize,
    /// How much white space stands before it.
    pub blanks: usize,
}

/// Finds places.
pub(super) struct Search(Finder<'static>);

impl Search {
    pub(super) fn new() -> Self {
        Search(Finder::new(KEY))
    }

    /// The first place in `from..limit` of `bytes`; what lies behind `limit` is looked at to tell.
    pub(super) fn next(&self, bytes: &[u8], from: usize, limit: usize) -> Option<Boundary> {
        let end = bytes.len().min(limit + KEY.len() - 1);
        let mut from = from;
        while from < end {
            let at = from + self.0.find(&bytes[from..end])?;
            if begins_object(bytes, at) {
                return Some(Boundary { at, blanks: blanks_before(bytes, at) });
            }
            from = at + 1;
        }
        None
    }
}

/// Whether a plain key, a colon and a brace stand at `at`.
pub(super) fn begins_object(bytes: &[u8], at: usize) -> bool {
    let rest = &bytes[at + 1..];
    let key =
        rest.iter().take(LONGEST_KEY + 1).position(|&byte| byte < 0x20 || byte == b'"' || byte == b'\\');
    let Some(end) = key.filter(|&end| rest[end] == b'"') else { return false };
    let Some(rest) = skip(&rest[end + 1..]).strip_prefix(b":") else { return false };
    skip(rest).first() == Some(&b'{')
}

fn skip(bytes: &[u8]) -> &[u8] {
    let blanks = bytes.iter().take(BACK).take_while(|byte| is_blank(**byte)).count();
    &bytes[blanks..]
}

/// How much white space ends at `at`.
pub(super) fn blanks_before(bytes: &[u8], at: usize) -> usize {
    bytes[..at].iter().rev().take(BACK).take_while(|byte| is_blank(**byte)).count()
}

/// White space of JSON.
pub(super) fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}
