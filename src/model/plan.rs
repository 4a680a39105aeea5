//! A new file as a list of pieces, and what is told about every entry that it changes.
//!
//! Kept bytes are copied, never serialised again, so a file is described by ranges of files that exist
//! and a few literal bytes. Remove leaves a range out; heal replaces the range of one value or inserts a
//! member; undo takes ranges from the store and from its backup. One writer serves all of them.

use serde::{Deserialize, Serialize};

/// Index into the list of open files that a [`PieceTable`] is written from.
pub type SourceId = u8;

/// One stretch of a new file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece<'a> {
    /// The bytes `start..end` of a source.
    Copy {
        /// Which file.
        source: SourceId,
        /// First byte.
        start: u64,
        /// One past the last byte.
        end: u64,
    },
    /// Bytes that no source holds.
    Literal(&'a [u8]),
}

/// A new file, described by where its bytes come from: 24 bytes a piece, and the literal bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PieceTable {
    stretches: Vec<Stretch>,
    literals: Vec<u8>,
}

/// A range of a source, or of the literals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stretch {
    start: u64,
    end: u64,
    from: From,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum From {
    Source(u8),
    Literals,
}

impl PieceTable {
    /// An empty file.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds `start..end` of `source`; joins the piece before where they touch. An empty range adds nothing.
    pub fn copy(&mut self, source: SourceId, start: u64, end: u64) {
        self.add(Stretch { start, end, from: From::Source(source) });
    }

    /// Adds literal bytes; joins the literal before. Nothing for an empty slice.
    pub fn literal(&mut self, bytes: &[u8]) {
        let start = self.literals.len() as u64;
        self.literals.extend_from_slice(bytes);
        self.add(Stretch { start, end: self.literals.len() as u64, from: From::Literals });
    }

    fn add(&mut self, stretch: Stretch) {
        match self.stretches.last_mut() {
            _ if stretch.start >= stretch.end => {}
            Some(last) if last.from == stretch.from && last.end == stretch.start => last.end = stretch.end,
            _ => self.stretches.push(stretch),
        }
    }

    /// The pieces, in the order of the new file.
    pub fn pieces(&self) -> impl Iterator<Item = Piece<'_>> {
        self.stretches.iter().map(|&Stretch { start, end, from }| match from {
            From::Source(source) => Piece::Copy { source, start, end },
            // Literals lie in memory, so their places are places there.
            From::Literals => Piece::Literal(&self.literals[start as usize..end as usize]),
        })
    }

    /// Size of the new file in bytes.
    pub fn len(&self) -> u64 {
        self.stretches.iter().map(|stretch| stretch.end - stretch.start).sum()
    }

    /// Whether the new file has no byte.
    pub fn is_empty(&self) -> bool {
        self.stretches.is_empty()
    }
}

/// What a run did to one entry; a line of `changes.ndjson`, and what `undo` works from.
///
/// Keys and values are the JSON text as it stands in the file (`"…"` with its quotes and escapes), so that
/// nothing is lost of lone surrogates or odd spellings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChangeRecord {
    /// The key, as raw JSON text in the backup.
    pub key: String,
    /// `remove`, `drop`, `heal`, `slim`, `restore`, `recover`, or `set-aside` for bytes that no entry is made of.
    pub action: String,
    /// The rule that asked for it.
    pub rule: String,
    /// The family of the key, e.g. `run-record`.
    pub family: String,
    /// The file that a recovered entry came from; `None`: the store.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Key (raw JSON text) of the nearest entry before it that the run kept; `None` at the front.
    pub before: Option<String>,
    /// Key (raw JSON text) of the nearest entry after it that the run kept; `None` at the end.
    pub after: Option<String>,
    /// The member's bytes in the backup, from the key's opening quote to the value's last byte.
    pub start: u64,
    /// One past the value's last byte in the backup.
    pub end: u64,
    /// What was changed inside the entry; empty for an entry that went whole.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub edits: Vec<EditRecord>,
}

/// One member of an entry that a run changed, as raw JSON text; `None` where the member was absent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EditRecord {
    /// The member's name.
    pub field: String,
    /// Its value before the run.
    pub old: Option<String>,
    /// Its value after the run.
    pub new: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn touching_ranges_of_one_source_become_one_piece() {
        let mut table = PieceTable::new();
        table.copy(0, 0, 4);
        table.copy(0, 4, 9);
        table.copy(0, 9, 9);
        table.literal(b"ab");
        table.literal(b"c");
        table.copy(0, 20, 21);
        table.copy(1, 21, 22);
        table.literal(b"d");
        let pieces: Vec<Piece<'_>> = table.pieces().collect();
        assert_eq!(
            pieces,
            [
                Piece::Copy { source: 0, start: 0, end: 9 },
                Piece::Literal(b"abc"),
                Piece::Copy { source: 0, start: 20, end: 21 },
                Piece::Copy { source: 1, start: 21, end: 22 },
                Piece::Literal(b"d"),
            ]
        );
        assert_eq!((table.len(), size_of::<Stretch>()), (15, 24));
    }
}
