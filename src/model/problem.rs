//! Something that `validate` found: where it stands and what it is, in eight bytes, so that a store may have millions.

use super::verdict::Rule;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Gravity {
    /// OpenClaw reads something else than the file says.
    Warning,
    /// OpenClaw loses something, or dies of it.
    Error,
}

/// Something that is wrong in a small document, held whole.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// What it is called.
    pub rule: &'static Rule,
    /// How bad it is.
    pub gravity: Gravity,
    /// Where it stands.
    pub offset: u64,
    /// A sentence; `{}` in it is where the value belongs.
    pub message: String,
    /// What stands there, where that is told: it is the user's.
    pub value: Option<String>,
}

/// A problem in few bytes: what is said of it is read again from the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Note(u64);

impl Note {
    /// Check number `check` holds at `offset` (below 2^48). `member` is the place of the member in its table.
    pub fn new(offset: u64, check: u8, member: u8) -> Self {
        Note(offset << 16 | u64::from(check) << 8 | u64::from(member))
    }

    /// Where it stands.
    pub fn offset(self) -> u64 {
        self.0 >> 16
    }

    /// The number of the check.
    pub fn check(self) -> u8 {
        (self.0 >> 8) as u8
    }

    /// The place of the member in its table; of no meaning where the check is none of members.
    pub fn member(self) -> u8 {
        self.0 as u8
    }
}

/// Sorts notes by their place, the first in the file first.
pub fn in_order(notes: &mut [Note]) {
    if !notes.is_sorted() {
        notes.sort_unstable();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_gives_back_what_it_was_made_of() {
        let note = Note::new((1 << 48) - 1, 200, 255);
        assert_eq!((note.offset(), note.check(), note.member()), ((1 << 48) - 1, 200, 255));
        let mut notes = [Note::new(7, 0, 0), Note::new(3, 9, 9)];
        in_order(&mut notes);
        assert_eq!(notes[0].offset(), 3);
    }
}
