//! Puts members that a run stripped from an object back in their places, into the object as it is now.
//!
//! A member comes back behind the nearest one before it that is still there, with the separator that it had then;
//! in front of all others where there is none. Its bytes are copied from the original.

use std::io;
use std::ops::Range;

use super::pieces::{Patch, Splice};
use super::undo::BACKUP;
use crate::scan::members;
use crate::scan::outline::outline;
use crate::scan::source::{Source, read_range};

/// An object in an open file.
pub struct Object<'a> {
    /// The file.
    pub source: &'a mut dyn Source,
    /// From `{` to one past `}`.
    pub at: Range<u64>,
}

/// A member of an object.
struct Named {
    name: Vec<u8>,
    span: Range<u64>,
}

/// What has to be put into `now` so that it holds again the members of `then` called `names` that it lacks.
pub fn refill(now: &mut Object<'_>, then: &mut Object<'_>, names: &[&str]) -> io::Result<Vec<Patch>> {
    let (Some(there), Some(was)) = (now.members()?, then.members()?) else { return Ok(Vec::new()) };
    let place = |name: &[u8]| there.iter().rposition(|member| member.name == name);
    let wanted = |member: &Named| names.iter().any(|name| name.as_bytes() == member.name);
    let lost: Vec<usize> =
        (0..was.len()).filter(|&at| wanted(&was[at]) && place(&was[at].name).is_none()).collect();
    if lost.is_empty() {
        return Ok(Vec::new());
    }
    let Some(first) = there.first() else { return Ok(all_inside(now, then, &was, &lost)) };
    let lead = read_range(now.source, now.at.start + 1..first.span.start)?;
    let mut splices = Vec::new();
    for at in lost {
        let anchor = was[..at].iter().rev().find_map(|before| place(&before.name));
        match anchor {
            Some(anchor) => {
                let behind = there[anchor].span.end;
                splices.push(copy(behind..behind, was[at - 1].span.end..was[at].span.end));
            }
            None => {
                let front = first.span.start;
                splices.push(copy(front..front, was[at].span.clone()));
                splices.push(Patch::Bytes(Splice { at: front..front, bytes: [b",", &*lead].concat() }));
            }
        }
    }
    Ok(splices)
}

/// Into an object that holds nothing, with the white space that stood around them.
fn all_inside(now: &Object<'_>, then: &Object<'_>, was: &[Named], lost: &[usize]) -> Vec<Patch> {
    let inside = now.at.start + 1..now.at.end - 1;
    let first = then.at.start + 1..was.first().map_or(0, |member| member.span.start);
    let mut splices = Vec::new();
    for &at in lost {
        let (place, front) = match splices.is_empty() {
            true => (inside.clone(), first.clone()),
            false => (inside.end..inside.end, was[at - 1].span.end..was[at].span.start),
        };
        splices.push(copy(place, front));
        splices.push(copy(inside.end..inside.end, was[at].span.clone()));
    }
    let behind = was.last().map_or(0, |member| member.span.end)..then.at.end - 1;
    splices.push(copy(inside.end..inside.end, behind));
    splices
}

/// A range of the original in the place of one of the store.
fn copy(at: Range<u64>, from: Range<u64>) -> Patch {
    Patch::Copy { at, source: BACKUP, from }
}

impl Object<'_> {
    /// The members, in order; `None` where there are too many to bother.
    fn members(&mut self) -> io::Result<Option<Vec<Named>>> {
        let Some(outline) = outline(self.source, self.at.clone(), &[])? else { return Ok(None) };
        let named = outline
            .spans
            .into_iter()
            .map(|span| Ok(Named { name: members::key(self.source, span.start)?, span }));
        named.collect::<io::Result<_>>().map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::super::pieces::copy_spliced;
    use super::*;
    use crate::model::plan::{Piece, PieceTable};
    use crate::scan::source::MemorySource;

    const NAMES: [&str; 2] = ["s", "t"];

    fn refilled(now: &str, then: &str) -> String {
        let mut sources = [MemorySource::new(now.as_bytes(), 3), MemorySource::new(then.as_bytes(), 5)];
        let [current, backup] = &mut sources;
        let mut current = Object { source: current, at: 0..now.len() as u64 };
        let mut backup = Object { source: backup, at: 0..then.len() as u64 };
        let splices = refill(&mut current, &mut backup, &NAMES).unwrap();
        let mut table = PieceTable::new();
        copy_spliced(&mut table, 0, 0..now.len() as u64, &splices);
        let parts = table.pieces().map(|piece| match piece {
            Piece::Copy { source, start, end } => {
                let text = if source == BACKUP { then } else { now };
                text[start as usize..end as usize].to_owned()
            }
            Piece::Literal(bytes) => String::from_utf8(bytes.into_owned()).unwrap(),
        });
        parts.collect()
    }

    /// An object with these members, in the style of `JSON.stringify(x, null, 2)`.
    fn object(names: &str) -> String {
        let members: Vec<String> =
            names.chars().map(|name| format!("\n    \"{name}\": {{\"s\": 1}}")).collect();
        if members.is_empty() { "{}".to_owned() } else { format!("{{{}\n  }}", members.join(",")) }
    }

    #[test]
    fn members_come_back_to_the_byte_wherever_they_stood() {
        let stood = [
            "sab", "asb", "abs", "stab", "satb", "astb", "abst", "sat", "as", "sa", "s", "st", "tsa", "asbtc",
        ];
        for then in stood {
            let now: String = then.chars().filter(|name| !"st".contains(*name)).collect();
            assert_eq!(refilled(&object(&now), &object(then)), object(then), "{then}");
            let compact = |names: &str| object(names).replace(['\n', ' '], "");
            assert_eq!(refilled(&compact(&now), &compact(then)), compact(then), "{then}");
        }
    }

    #[test]
    fn what_was_written_since_stays_and_what_is_there_again_does_not_come_back() {
        for (then, now, expected) in [
            ("asb", "xaby", "xasby"),
            ("asb", "bxa", "bxas"),
            ("asbt", "b", "sbt"),
            ("abst", "x", "stx"),
            ("asb", "abs", "abs"),
            ("satb", "tab", "stab"),
            ("ab", "a", "a"),
        ] {
            assert_eq!(refilled(&object(now), &object(then)), object(expected), "{then} {now}");
        }
        assert_eq!(refilled("{ \n }", &object("as")), "{\n    \"s\": {\"s\": 1}\n  }");
    }
}
