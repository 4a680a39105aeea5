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

/// Copies the stretch `from..to` of `source`, spliced. `splices` lie in order and inside the stretch or
/// outside of it altogether.
pub fn copy_spliced(table: &mut PieceTable, source: SourceId, stretch: Range<u64>, splices: &[Splice]) {
    let first = splices.partition_point(|splice| splice.at.start < stretch.start);
    let mut at = stretch.start;
    for splice in splices[first..].iter().take_while(|splice| splice.at.end <= stretch.end) {
        table.copy(source, at, splice.at.start);
        table.literal(&splice.bytes);
        at = splice.at.end;
    }
    table.copy(source, at, stretch.end);
}

/// What of an object is left out when some of its members go: the stretches between what stays.
///
/// `object` runs from `{` to one past `}`; `members` are spans in order. Returns deletions in order.
pub fn deletions(
    object: Range<u64>,
    members: &[Range<u64>],
    stays: impl Fn(usize) -> bool,
) -> Vec<Range<u64>> {
    let mut gone: Vec<Range<u64>> = Vec::new();
    let mut push = |range: Range<u64>| match gone.last_mut() {
        Some(last) if last.end == range.start => last.end = range.end,
        _ if range.is_empty() => {}
        _ => gone.push(range),
    };
    let Some(first) = (0..members.len()).find(|&at| stays(at)) else {
        if !members.is_empty() {
            push(object.start + 1..object.end - 1);
        }
        return gone;
    };
    push(members[0].start..members[first].start);
    for at in first + 1..members.len() {
        if !stays(at) {
            push(members[at - 1].end..members[at].end);
        }
    }
    gone
}

/// A file of which some stretches are left out and others spliced. Both lists lie in order.
pub fn without(source: SourceId, file: Range<u64>, gone: &[Range<u64>], splices: &[Splice]) -> PieceTable {
    let mut table = PieceTable::new();
    let mut at = file.start;
    for range in gone {
        copy_spliced(&mut table, source, at..range.start, splices);
        at = range.end;
    }
    copy_spliced(&mut table, source, at..file.end, splices);
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::plan::Piece;

    fn render(table: &PieceTable, text: &str) -> String {
        let parts = table.pieces().iter().map(|piece| match piece {
            Piece::Copy { start, end, .. } => text[*start as usize..*end as usize].to_owned(),
            Piece::Literal(bytes) => String::from_utf8(bytes.clone()).unwrap(),
        });
        parts.collect()
    }

    fn members(text: &str) -> Vec<Range<u64>> {
        let find = |name: &str| {
            let at = text.find(&format!("\"{name}\"")).unwrap() as u64;
            at..at + 6
        };
        ["a", "b", "c"].map(find).to_vec()
    }

    #[test]
    fn every_subset_of_members_keeps_the_style_of_the_file() {
        let text = "{\n  \"a\": 1,\n  \"b\": 2,\n  \"c\": 3\n}";
        let object = 0..text.len() as u64;
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
            let gone = deletions(object.clone(), &members(text), |at| stays[at]);
            assert_eq!(render(&without(0, object.clone(), &gone, &[]), text), expected, "{stays:?}");
        }
    }

    #[test]
    fn splices_replace_and_insert_in_what_stays_only() {
        let text = "{\n  \"a\": 1,\n  \"b\": 2,\n  \"c\": 3\n}";
        let object = 0..text.len() as u64;
        let spans = members(text);
        let gone = deletions(object.clone(), &spans, |at| at != 0);
        let splices = [
            Splice { at: spans[1].end - 1..spans[1].end, bytes: b"9".to_vec() },
            Splice { at: spans[1].end..spans[1].end, bytes: b", \"x\": 0".to_vec() },
        ];
        let table = without(0, object, &gone, &splices);
        assert_eq!(render(&table, text), "{\n  \"b\": 9, \"x\": 0,\n  \"c\": 3\n}");
        assert_eq!(table.len(), render(&table, text).len() as u64);
    }
}
