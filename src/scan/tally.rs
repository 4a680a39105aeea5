//! What the members of entries are called, and how much they take: a row for each name.
//!
//! Entries resemble each other, so what follows a name is nearly always what followed it the last time: a name
//! is found with one comparison, and what it means to the rules was worked out when it was first seen.
//!
//! A hostile file has no end of names. Rows are kept for so many names, those of the smallest hashes, and the
//! others are counted together. Which names those are hangs on the file alone and not on the order in which
//! they come: so two tables of two parts of a file join to what one pass over the whole would have made.

use std::collections::HashMap;

use super::fields::{Field, field};
use super::pattern::{Pattern, Spelled};
use super::text;
use crate::model::entry::hash;

/// At most so many names have a row of their own.
pub const MAX_NAMES: usize = 4096;
/// Names longer than this, in bytes, have none.
const LONGEST_NAME: usize = 256;
/// A byte of a name is spelled with at most six: `\u0041`.
const LONGEST_SPELLING: usize = 6 * LONGEST_NAME;
/// So many bytes of spellings are remembered before they are summed up by name and forgotten.
const SPELLING_BYTES: usize = 256 << 10;
/// What a spelling takes besides its bytes.
const SPELLING_COST: usize = 128;
/// Where the names without a row are counted.
const OTHER: &str = "other";

/// What one member name takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FieldTally {
    /// Bytes of key and value.
    pub bytes: u64,
    /// How many entries carry it.
    pub entries: u64,
}

impl FieldTally {
    fn add(&mut self, more: FieldTally) {
        self.bytes += more.bytes;
        self.entries += more.entries;
    }
}

/// A name as it stands in the file. Aligned, so that finding one takes no multiplication.
#[repr(align(128))]
struct Spelling {
    name: Spelled,
    /// It and its closing quote, where it is short and plain.
    pattern: Pattern,
    field: Field,
    tally: FieldTally,
    /// Which spelling followed it the last time.
    next: usize,
}

impl Spelling {
    fn new(raw: &[u8], field: Field) -> Self {
        Spelling {
            name: Spelled::new(raw),
            pattern: Pattern::of_name(raw),
            field,
            tally: FieldTally::default(),
            next: FRONT,
        }
    }
}

/// The front of an entry, and the empty name.
const FRONT: usize = 0;
/// All spellings that are too long for a name that has a row or a meaning.
const LONG: usize = 1;

/// Counts members by name.
pub struct Tallies {
    /// The first two are [`FRONT`] and [`LONG`].
    spellings: Vec<Spelling>,
    /// The latest spelling of a hash.
    by_hash: HashMap<u64, usize>,
    spelling_bytes: usize,
    current: usize,
    rows: Rows,
}

impl Default for Tallies {
    fn default() -> Self {
        Tallies {
            spellings: vec![Spelling::new(b"", Field::Other), Spelling::new(b"", Field::Other)],
            by_hash: HashMap::new(),
            spelling_bytes: 0,
            current: FRONT,
            rows: Rows::default(),
        }
    }
}

impl Tallies {
    /// An entry begins.
    pub fn begin(&mut self) {
        self.current = FRONT;
    }

    /// The next member is spelled `raw` between its quotes. Returns what it means.
    #[inline(always)]
    pub fn name(&mut self, raw: &[u8]) -> Field {
        let guess = self.spellings[self.current].next;
        if self.spellings[guess].name.is(raw) {
            self.current = guess;
        } else {
            self.look_up(raw);
        }
        self.spellings[self.current].field
    }

    /// The next member is the one that is likely, if `stands` says that its name and a closing quote stand there.
    /// Returns the bytes of the name, and what it means.
    #[inline(always)]
    pub fn likely_name(&mut self, stands: impl FnOnce(&Pattern) -> bool) -> Option<(usize, Field)> {
        let guess = self.spellings[self.current].next;
        let spelling = &self.spellings[guess];
        if !stands(&spelling.pattern) {
            return None;
        }
        self.current = guess;
        Some((spelling.pattern.len - 1, spelling.field))
    }

    /// The member takes so many bytes.
    #[inline(always)]
    pub fn add(&mut self, bytes: u64) {
        self.spellings[self.current].tally.add(FieldTally { bytes, entries: 1 });
    }

    #[cold]
    fn look_up(&mut self, raw: &[u8]) {
        if raw.len() > LONGEST_SPELLING {
            self.current = LONG;
            return;
        }
        let key = hash(raw);
        let known = self.by_hash.get(&key).copied().filter(|&at| *self.spellings[at].name.raw == *raw);
        let found = known.unwrap_or_else(|| self.learn(raw, key));
        self.spellings[self.current].next = found;
        self.current = found;
    }

    fn learn(&mut self, raw: &[u8], key: u64) -> usize {
        if self.spelling_bytes > SPELLING_BYTES {
            self.sum_up();
        }
        self.spelling_bytes += raw.len() + SPELLING_COST;
        let at = self.spellings.len();
        let field = field(&text::decode(raw));
        self.spellings.push(Spelling::new(raw, field));
        self.by_hash.insert(key, at);
        at
    }

    /// Sums up by name what was counted by spelling, and forgets the spellings.
    fn sum_up(&mut self) {
        self.rows.others.add(std::mem::take(&mut self.spellings[LONG].tally));
        for spelling in self.spellings.iter_mut().filter(|spelling| spelling.tally.entries > 0) {
            let name = text::decode(&spelling.name.raw);
            let name = std::str::from_utf8(&name).unwrap_or("\u{fffd}");
            self.rows.add(name, std::mem::take(&mut spelling.tally));
        }
        self.rows.make_room();
        self.spellings.truncate(2);
        self.spellings[FRONT].next = FRONT;
        self.by_hash.clear();
        (self.current, self.spelling_bytes) = (FRONT, 0);
    }

    /// Adds what was counted in the part of the file before.
    pub fn follow(&mut self, mut first: Tallies) {
        first.sum_up();
        self.rows.append(first.rows);
    }

    /// The rows, by name.
    pub fn finish(mut self) -> HashMap<Box<str>, FieldTally> {
        self.sum_up();
        let Rows { mut rows, others, .. } = self.rows;
        if others.entries > 0 {
            rows.entry(OTHER.into()).or_default().add(others);
        }
        rows
    }
}

/// Sums by name, of the names that keep a row.
#[derive(Default)]
struct Rows {
    rows: HashMap<Box<str>, FieldTally>,
    others: FieldTally,
    /// The rank beyond which names have no row, once there were too many.
    last: Option<u64>,
}

impl Rows {
    fn add(&mut self, name: &str, tally: FieldTally) {
        if let Some(row) = self.rows.get_mut(name) {
            row.add(tally);
        } else if name.len() > LONGEST_NAME || self.last.is_some_and(|last| rank(name) > last) {
            self.others.add(tally);
        } else {
            self.rows.insert(name.into(), tally);
        }
    }

    /// Leaves only as many rows as there may be.
    fn make_room(&mut self) {
        if self.rows.len() <= MAX_NAMES {
            return;
        }
        let mut ranks: Vec<u64> = self.rows.keys().map(|name| rank(name)).collect();
        let (_, last, _) = ranks.select_nth_unstable(MAX_NAMES - 1);
        let last = *last;
        let others = &mut self.others;
        self.rows.retain(|name, tally| {
            let stays = rank(name) <= last;
            if !stays {
                others.add(*tally);
            }
            stays
        });
        self.last = Some(last);
    }

    fn append(&mut self, next: Rows) {
        let last = self.last.into_iter().chain(next.last).min();
        self.last = last;
        self.others.add(next.others);
        for (name, tally) in next.rows {
            self.add(&name, tally);
        }
        self.make_room();
    }
}

/// The order in which names get rows: members that rules know first, then by hash.
fn rank(name: &str) -> u64 {
    match field(name.as_bytes()) {
        // No end of names begins like those of something pending.
        Field::Other | Field::Pending => hash(name.as_bytes()),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(names: impl Iterator<Item = String>) -> Tallies {
        let mut tallies = Tallies::default();
        for (at, name) in names.enumerate() {
            if at % 7 == 0 {
                tallies.begin();
            }
            tallies.name(name.as_bytes());
            tallies.add(at as u64 + 1);
        }
        tallies
    }

    #[test]
    fn spellings_of_a_name_share_a_row_and_know_what_it_means() {
        let mut tallies = Tallies::default();
        for raw in ["status", r"st\u0061tus", "", "x", "status", r"\ud800", "x"] {
            let means = tallies.name(raw.as_bytes());
            assert_eq!(means == Field::Status, raw.starts_with("st"), "{raw}");
            tallies.add(2);
        }
        let rows = tallies.finish();
        let row = |name: &str| rows.get(name).map(|row| (row.bytes, row.entries));
        assert_eq!((row("status"), row("x"), row("")), (Some((6, 3)), Some((4, 2)), Some((2, 1))));
        assert_eq!((row("\u{fffd}"), rows.len()), (Some((2, 1)), 4));
    }

    #[test]
    fn a_name_that_is_too_long_is_counted_with_the_others() {
        let long = |bytes: usize| "n".repeat(bytes);
        let names = [LONGEST_NAME, LONGEST_NAME + 1, 5 * LONGEST_NAME, 9 * LONGEST_NAME];
        let rows = counted(names.into_iter().map(long).chain([OTHER.to_owned()])).finish();
        assert_eq!(rows.len(), 2);
        assert_eq!(rows[&*long(LONGEST_NAME)].entries, 1);
        assert_eq!((rows[OTHER].entries, rows[OTHER].bytes), (4, 2 + 3 + 4 + 5));
    }

    /// Far more names than there are rows, and long enough that spellings are forgotten on the way.
    fn endless(from: usize, to: usize) -> impl Iterator<Item = String> {
        let many = |at: usize| format!("{:0>90}", at * at % (3 * MAX_NAMES + 1));
        (from..to).map(move |at| if at % 50 == 0 { "updatedAt".to_owned() } else { many(at) })
    }

    #[test]
    fn two_parts_join_to_what_one_pass_makes_wherever_the_cut() {
        let count = 40_000;
        let whole = counted(endless(0, count)).finish();
        assert_eq!(whole.len(), MAX_NAMES + 1);
        assert_eq!(whole["updatedAt"].entries, count as u64 / 50);
        assert_eq!(whole.values().map(|row| row.entries).sum::<u64>(), count as u64);
        for cut in [0, 1, 5_000, 20_001, count] {
            let mut first = Tallies::default();
            let mut bytes = 0;
            for name in endless(0, cut) {
                first.name(name.as_bytes());
                bytes += 1;
                first.add(bytes);
            }
            let mut second = Tallies::default();
            for name in endless(cut, count) {
                second.name(name.as_bytes());
                bytes += 1;
                second.add(bytes);
            }
            second.follow(first);
            assert!(second.finish() == whole, "cut at {cut}");
        }
    }
}
