//! The new file as a piece table: kept members with the separators that stand before them.
//!
//! In `{ a, b, c }` every member but the first has a separator of its own, the bytes between the member
//! before it and itself. A member that goes takes its separator along; the first that stays takes the
//! place of the first. So the file's own style survives, and a store that `JSON.stringify(x, null, 2)` wrote
//! stays exactly what that would write of the members that stay.

use std::ops::Range;

use crate::model::plan::{PieceTable, SourceId};

/// Bytes of a kept stretch that are replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Splice {
    /// What is replaced; empty for an insertion.
    pub at: Range<u64>,
    /// What stands there instead.
    pub bytes: Vec<u8>,
}

/// What stands in the place of a range: a few bytes, or a range of another file, however long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Patch {
    /// Bytes.
    Bytes(Splice),
    /// A range of a file.
    Copy {
        /// What is replaced; empty for an insertion.
        at: Range<u64>,
        /// The file.
        source: SourceId,
        /// What of it.
        from: Range<u64>,
    },
}

/// Something that stands in the place of a range.
pub trait Replaces {
    /// The range.
    fn at(&self) -> &Range<u64>;
    /// Puts it into the new file.
    fn put(&self, table: &mut PieceTable);
}

impl Replaces for Splice {
    fn at(&self) -> &Range<u64> {
        &self.at
    }

    fn put(&self, table: &mut PieceTable) {
        table.literal(&self.bytes);
    }
}

impl Replaces for Patch {
    fn at(&self) -> &Range<u64> {
        match self {
            Patch::Bytes(splice) => &splice.at,
            Patch::Copy { at, .. } => at,
        }
    }

    fn put(&self, table: &mut PieceTable) {
        match self {
            Patch::Bytes(splice) => splice.put(table),
            Patch::Copy { source, from, .. } => table.copy(*source, from.start, from.end),
        }
    }
}

/// Copies the stretch `from..to` of `source`, spliced. `splices` lie in order and inside the stretch or
/// outside of it altogether.
pub fn copy_spliced(
    table: &mut PieceTable,
    source: SourceId,
    stretch: Range<u64>,
    splices: &[impl Replaces],
) {
    let first = splices.partition_point(|splice| splice.at().start < stretch.start);
    let mut at = stretch.start;
    for splice in splices[first..].iter().take_while(|splice| splice.at().end <= stretch.end) {
        table.copy(source, at, splice.at().start);
        splice.put(table);
        at = splice.at().end;
    }
    table.copy(source, at, stretch.end);
}

/// Tells what of an object is left out when some of its members go, member by member in the order of the file.
pub struct Members {
    /// From `{` to one past `}`.
    object: Range<u64>,
    /// Where the first member begins, once there was one.
    first: Option<u64>,
    before: u64,
    any_stays: bool,
}

impl Members {
    /// Nothing looked at yet of the object, which runs from `{` to one past `}`.
    pub fn of(object: Range<u64>) -> Self {
        Members { first: None, before: object.start, any_stays: false, object }
    }

    /// The next member, and whether it stays. Returns what is left out in front of it, or with it; it may be
    /// empty, and touches what was left out before or lies behind it.
    pub fn next(&mut self, member: Range<u64>, stays: bool) -> Range<u64> {
        let first = *self.first.get_or_insert(member.start);
        let gone = match (stays, self.any_stays) {
            (true, false) => first..member.start,
            (false, true) => self.before..member.end,
            _ => member.end..member.end,
        };
        (self.before, self.any_stays) = (member.end, self.any_stays | stays);
        gone
    }

    /// What is left out behind the last member: all of the inside where there were members and none stays.
    pub fn end(self) -> Range<u64> {
        let emptied = self.first.is_some() && !self.any_stays;
        if emptied { self.object.start + 1..self.object.end - 1 } else { self.object.end..self.object.end }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::plan::Piece;

    fn render(table: &PieceTable, text: &str) -> String {
        let parts = table.pieces().map(|piece| match piece {
            Piece::Copy { start, end, .. } => text[start as usize..end as usize].to_owned(),
            Piece::Literal(bytes) => String::from_utf8(bytes.into_owned()).unwrap(),
        });
        parts.collect()
    }

    /// The object without the members that do not stay.
    fn without(text: &str, stays: [bool; 3], splices: &[Splice]) -> PieceTable {
        let (mut table, mut at) = (PieceTable::new(), 0);
        let mut members = Members::of(0..text.len() as u64);
        let mut gone: Vec<Range<u64>> =
            spans(text).into_iter().zip(stays).map(|(span, stays)| members.next(span, stays)).collect();
        gone.push(members.end());
        for gone in gone.into_iter().filter(|gone| !gone.is_empty()) {
            copy_spliced(&mut table, 0, at..gone.start, splices);
            at = gone.end;
        }
        copy_spliced(&mut table, 0, at..text.len() as u64, splices);
        table
    }

    fn spans(text: &str) -> Vec<Range<u64>> {
        let find = |name: &str| {
            let at = text.find(&format!("\"{name}\"")).unwrap() as u64;
            at..at + 6
        };
        ["a", "b", "c"].map(find).to_vec()
    }

    #[test]
    fn every_subset_of_members_keeps_the_style_of_the_file() {
        let text = "{\n  \"a\": 1,\n  \"b\": 2,\n  \"c\": 3\n}";
        let cases = [
            ([true, true, true], "{\n  \"a\": 1,\n  \"b\": 2,\n  \"c\": 3\n}"),
            ([false, true, true], "{\n  \"b\": 2,\n  \"c\": 3\n}"),
            ([true, false, true], "{\n  \"a\": 1,\n  \"c\": 3\n}"),
            ([true, true, false], "{\n  \"a\": 1,\n  \"b\": 2\n}"),
            ([false, true, false], "{\n  \"b\": 2\n}"),
            ([false, false, true], "{\n  \"c\": 3\n}"),
            ([true, false, false], "{\n  \"a\": 1\n}"),
            ([false, false, false], "{}"),
        ];
        for (stays, expected) in cases {
            assert_eq!(render(&without(text, stays, &[]), text), expected, "{stays:?}");
        }
    }

    #[test]
    fn splices_replace_and_insert_in_what_stays_only() {
        let text = "{\n  \"a\": 1,\n  \"b\": 2,\n  \"c\": 3\n}";
        let spans = spans(text);
        let splices = [
            Splice { at: spans[1].end - 1..spans[1].end, bytes: b"9".to_vec() },
            Splice { at: spans[1].end..spans[1].end, bytes: b", \"x\": 0".to_vec() },
        ];
        let table = without(text, [false, true, true], &splices);
        assert_eq!(render(&table, text), "{\n  \"b\": 9, \"x\": 0,\n  \"c\": 3\n}");
        assert_eq!(table.len(), render(&table, text).len() as u64);
    }
}
