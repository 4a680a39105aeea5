//! A new file as a list of pieces: a few bytes for each.
//!
//! Kept bytes are copied, never serialised again, so a file is described by ranges of files that exist
//! and a few literal bytes. Remove leaves a range out; heal replaces the range of one value or inserts a
//! member; undo takes ranges from the store and from its backup. One writer serves all of them.
//!
//! A million healed entries make two million pieces, all much alike: what follows in a source is told by how much
//! was left out, and a literal by that which is like it but for one number. That takes a dozen bytes an entry.

use std::borrow::Cow;

/// Index into the list of open files that a [`PieceTable`] is written from.
pub type SourceId = u8;

/// One stretch of a new file.
#[derive(Clone, Debug, PartialEq, Eq)]
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
    Literal(Cow<'a, [u8]>),
}

/// A new file, described by where its bytes come from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PieceTable {
    /// All pieces but the last: a number whose last two bits tell what it is, and what that kind needs.
    code: Vec<u8>,
    /// What the code was told in relation to, for whoever writes it.
    state: State,
    /// Literals that are alike but for a number, without it.
    moulds: Vec<Mould>,
    last: Last,
    len: u64,
    /// Whether white space between tokens is left out of all pieces.
    compact: bool,
}

/// The last piece may still grow.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum Last {
    #[default]
    Nothing,
    Copy(SourceId, u64, u64),
    Literal(Vec<u8>),
}

/// More than a piece takes, but for a literal that is told as it is.
const LEAST_ROOM: usize = 64;

/// A copy of the same source as before: length; the gap before it.
const ON: u64 = 0;
/// A copy of another source: which; length; the gap before it.
const OVER: u64 = 1;
/// A literal: length; the bytes.
const PLAIN: u64 = 2;
/// A literal from a mould: which; how much more its number is than the one before, where there is one.
const CAST: u64 = 3;

/// What pieces are told in relation to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct State {
    source: SourceId,
    /// Where the copy before ended, by source.
    ends: Vec<u64>,
    number: u64,
}

impl State {
    fn end_of(&mut self, source: SourceId) -> &mut u64 {
        let at = usize::from(source);
        if self.ends.len() <= at {
            self.ends.resize(at + 1, 0);
        }
        &mut self.ends[at]
    }
}

/// A literal around a number, or one without any.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Mould {
    before: Vec<u8>,
    after: Option<Vec<u8>>,
}

/// So many moulds are kept; what fits in none of them is told as it is.
const MOULDS: usize = 16;

/// Digits of a number that a literal is cast around: all that surely fit, and come out as they went in.
const DIGITS: std::ops::Range<usize> = 4..18;

impl Mould {
    /// The mould of a literal, and its number.
    fn of(literal: &[u8]) -> (Mould, u64) {
        let digits = |from: usize| literal[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        let begins = |at: &usize| *at == 0 || !literal[at - 1].is_ascii_digit();
        let number = (0..literal.len()).filter(begins).find_map(|at| {
            let text = &literal[at..at + digits(at)];
            let fits = DIGITS.contains(&text.len()) && text[0] != b'0';
            let number = std::str::from_utf8(text).ok().filter(|_| fits)?.parse().ok()?;
            Some((at, text.len(), number))
        });
        match number {
            None => (Mould { before: literal.to_vec(), after: None }, 0),
            Some((at, len, number)) => {
                let after = Some(literal[at + len..].to_vec());
                (Mould { before: literal[..at].to_vec(), after }, number)
            }
        }
    }

    fn cast(&self, number: u64) -> Vec<u8> {
        match &self.after {
            None => self.before.clone(),
            Some(after) => [&self.before, number.to_string().as_bytes(), after].concat(),
        }
    }
}

impl PieceTable {
    /// An empty file.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds `start..end` of `source`; joins the piece before where they touch. An empty range adds nothing.
    pub fn copy(&mut self, source: SourceId, start: u64, end: u64) {
        if start >= end {
            return;
        }
        self.len += end - start;
        match &mut self.last {
            Last::Copy(from, _, last) if *from == source && *last == start => *last = end,
            _ => {
                self.settle();
                self.last = Last::Copy(source, start, end);
            }
        }
    }

    /// Adds literal bytes; joins the literal before. Nothing for an empty slice.
    pub fn literal(&mut self, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        self.len += bytes.len() as u64;
        match &mut self.last {
            Last::Literal(literal) => literal.extend_from_slice(bytes),
            _ => {
                self.settle();
                self.last = Last::Literal(bytes.to_vec());
            }
        }
    }

    /// Puts the last piece into the code, which grows by an eighth: doubled, it would leave its smaller selves behind.
    fn settle(&mut self) {
        if self.code.capacity() - self.code.len() < LEAST_ROOM {
            self.code.reserve_exact(self.code.len() / 8 + LEAST_ROOM);
        }
        match std::mem::take(&mut self.last) {
            Last::Nothing => {}
            Last::Copy(source, start, end) => {
                if source == self.state.source {
                    self.put((end - start) << 2 | ON);
                } else {
                    self.put(u64::from(source) << 2 | OVER);
                    self.put(end - start);
                    self.state.source = source;
                }
                let before = std::mem::replace(self.state.end_of(source), end);
                self.put(folded(start.wrapping_sub(before)));
            }
            Last::Literal(bytes) => self.put_literal(&bytes),
        }
    }

    fn put_literal(&mut self, bytes: &[u8]) {
        let (mould, number) = Mould::of(bytes);
        let numbered = mould.after.is_some();
        let known = self.moulds.iter().position(|known| *known == mould);
        let place = known.or_else(|| {
            let room = self.moulds.len() < MOULDS;
            room.then(|| self.moulds.push(mould)).map(|()| self.moulds.len() - 1)
        });
        match place {
            None => {
                self.put((bytes.len() as u64) << 2 | PLAIN);
                self.code.extend_from_slice(bytes);
            }
            Some(place) => {
                self.put((place as u64) << 2 | CAST);
                if numbered {
                    let before = std::mem::replace(&mut self.state.number, number);
                    self.put(folded(number.wrapping_sub(before)));
                }
            }
        }
    }

    /// Seven bits a byte, the lowest first; all but the last byte have the eighth.
    fn put(&mut self, mut number: u64) {
        while number >= 1 << 7 {
            self.code.push(number as u8 | 1 << 7);
            number >>= 7;
        }
        self.code.push(number as u8);
    }

    /// The pieces, in the order of the new file.
    pub fn pieces(&self) -> impl Iterator<Item = Piece<'_>> {
        let last = match &self.last {
            Last::Nothing => None,
            Last::Copy(source, start, end) => Some(Piece::Copy { source: *source, start: *start, end: *end }),
            Last::Literal(bytes) => Some(Piece::Literal(bytes.into())),
        };
        Pieces { table: self, at: 0, state: State::default() }.chain(last)
    }

    /// The same without the white space between its tokens, of which there are `white` bytes. That would be too many
    /// ranges to tell: whoever writes leaves it out on the way.
    #[must_use]
    pub fn without_white_space(self, white: u64) -> Self {
        PieceTable { len: self.len.saturating_sub(white), compact: true, ..self }
    }

    /// Whether white space between tokens is left out of all pieces.
    pub fn is_compact(&self) -> bool {
        self.compact
    }

    /// Size of the new file in bytes.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether the new file has no byte.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
}

/// A difference, small where it is small either way.
fn folded(difference: u64) -> u64 {
    difference << 1 ^ ((difference as i64) >> 63) as u64
}

fn unfolded(number: u64) -> u64 {
    number >> 1 ^ (number & 1).wrapping_neg()
}

/// Reads the code.
struct Pieces<'a> {
    table: &'a PieceTable,
    at: usize,
    state: State,
}

impl Pieces<'_> {
    fn number(&mut self) -> Option<u64> {
        let (mut number, mut shift) = (0, 0);
        loop {
            let byte = *self.table.code.get(self.at)?;
            self.at += 1;
            number |= u64::from(byte & 0x7f) << shift;
            shift += 7;
            if byte >> 7 == 0 {
                return Some(number);
            }
        }
    }

    fn copy(&mut self, source: SourceId, len: u64) -> Option<Piece<'static>> {
        let gap = unfolded(self.number()?);
        let before = self.state.end_of(source);
        let start = before.wrapping_add(gap);
        *before = start + len;
        self.state.source = source;
        Some(Piece::Copy { source, start, end: start + len })
    }
}

impl<'a> Iterator for Pieces<'a> {
    type Item = Piece<'a>;

    fn next(&mut self) -> Option<Piece<'a>> {
        let head = self.number()?;
        match head & 3 {
            ON => self.copy(self.state.source, head >> 2),
            OVER => {
                let len = self.number()?;
                self.copy(SourceId::try_from(head >> 2).ok()?, len)
            }
            PLAIN => {
                let end = self.at + (head >> 2) as usize;
                let bytes = self.table.code.get(self.at..end)?;
                self.at = end;
                Some(Piece::Literal(bytes.into()))
            }
            _ => {
                let mould = self.table.moulds.get((head >> 2) as usize)?;
                if mould.after.is_some() {
                    let more = unfolded(self.number()?);
                    self.state.number = self.state.number.wrapping_add(more);
                }
                Some(Piece::Literal(mould.cast(self.state.number).into()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

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
                Piece::Literal(b"abc".into()),
                Piece::Copy { source: 0, start: 20, end: 21 },
                Piece::Copy { source: 1, start: 21, end: 22 },
                Piece::Literal(b"d".into()),
            ]
        );
        assert_eq!(table.len(), 15);
    }

    #[test]
    fn a_healed_entry_takes_a_dozen_bytes() {
        let mut table = PieceTable::new();
        for at in 0..1000 {
            let (start, ended) = (200 * at, 1_795_223_670_000 + (at * 7_919_311) % (1 << 31));
            table.copy(0, start, start + 100);
            table.literal(b"\"failed\"");
            table.copy(0, start + 109, start + 130);
            table.literal(ended.to_string().as_bytes());
            table.copy(0, start + 143, start + 200);
        }
        assert!(table.code.len() < 13_000, "{}", table.code.len());
    }

    fn piece() -> impl Strategy<Value = Piece<'static>> {
        let offset = || prop_oneof![0..300u64, 0..1u64 << 48];
        let literal = prop_oneof!["[a-c]{1,3}", "[a-b]{0,2}[0-9]{1,20}[x-y]{0,2}", "[0-9]{4,6}"];
        prop_oneof![
            (0..3u8, offset(), 1..5000u64).prop_map(|(source, start, len)| Piece::Copy {
                source,
                start,
                end: start + len
            }),
            literal.prop_map(|text| Piece::Literal(text.into_bytes().into())),
        ]
    }

    proptest! {
        #[test]
        fn any_pieces_come_out_as_they_went_in(pieces in prop::collection::vec(piece(), 0..200)) {
            let mut table = PieceTable::new();
            let mut joined: Vec<Piece<'_>> = Vec::new();
            for piece in pieces {
                match &piece {
                    Piece::Copy { source, start, end } => table.copy(*source, *start, *end),
                    Piece::Literal(bytes) => table.literal(bytes),
                }
                match (joined.last_mut(), &piece) {
                    (Some(Piece::Literal(last)), Piece::Literal(bytes)) => last.to_mut().extend_from_slice(bytes),
                    (Some(Piece::Copy { source: last, end, .. }), Piece::Copy { source, start, end: new })
                        if last == source && end == start => *end = *new,
                    _ => joined.push(piece),
                }
            }
            prop_assert!(table.pieces().eq(joined));
        }
    }
}
