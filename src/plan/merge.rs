//! Several files that hold entries of one store: which copy of each key is taken, and in which order.
//!
//! Of a key's copies the newest counts (`updatedAt`), then the more complete, then the file that is named
//! first. An original that a run of ours kept is never the more complete one: what is equally new was made of
//! it, and healed or slimmed on purpose. Hashes of keys only propose that two copies are of one key; their texts decide.

use std::cmp::Reverse;
use std::io;

use crate::model::Millis;
use crate::model::entries::Entries;
use crate::model::entry::{Entry, Flags};
use crate::model::plan::SourceId;

/// An entry of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pick {
    /// Which file.
    pub source: SourceId,
    /// Which of its entries.
    pub entry: u32,
}

/// Why no copy of a key is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Left {
    /// It may be text inside a string.
    Likely,
    /// A run of ours took it out, later than the file was written.
    Removed,
    /// OpenClaw archived its transcript, later than the file was written.
    Archived,
    /// It is another agent's than those that are acted on.
    OutOfScope,
}

/// What the recovered store is made of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Merged {
    /// One copy for each key, in the order of the new store.
    pub taken: Vec<Pick>,
    /// The best copy of each key that is left out.
    pub left: Vec<(Pick, Left)>,
}

/// When a copy was touched last, as far as copies can be told apart by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Touched {
    /// It does not say.
    Unknown,
    /// Then.
    At(Millis),
    /// It does not say either, but it stands in the store itself, of which all others are copies.
    InTheStore,
}

/// What a merge asks its caller.
pub trait Court {
    /// When an entry of a file was touched.
    fn touched(&self, source: SourceId, entry: &Entry) -> Touched;
    /// Whether a file is what a run of ours found, and may have changed: larger then means older.
    fn is_original(&self, source: SourceId) -> bool;
    /// Why a copy is not taken, whatever its times.
    fn objection(&mut self, pick: Pick) -> Option<Left>;
    /// The key of a copy, decoded: asked for where several have one hash.
    fn key(&mut self, pick: Pick) -> io::Result<Vec<u8>>;
}

/// All files compete for each key; a key stands where the first file has it that has it at all.
pub fn merge(files: &[&Entries], court: &mut dyn Court) -> io::Result<Merged> {
    let mut merged = Merged::default();
    let mut placed = Vec::new();
    for_each_key(files, court, &mut |copies, court| {
        // Where it stands, which copy it is.
        let place = copies[0];
        settle(files, copies, court, &mut merged.left, |pick| placed.push((place, pick)));
    })?;
    placed.sort_unstable();
    merged.taken = placed.into_iter().map(|(_, pick)| pick).collect();
    merged.left.sort_unstable_by_key(|(pick, _)| *pick);
    Ok(merged)
}

/// The first file stays as it is; the others only add keys that it lacks.
pub fn add(files: &[&Entries], court: &mut dyn Court) -> io::Result<Merged> {
    let mut merged = Merged::default();
    for_each_key(files, court, &mut |copies, court| {
        if copies[0].source > 0 {
            settle(files, copies, court, &mut merged.left, |pick| merged.taken.push(pick));
        }
    })?;
    merged.taken.sort_unstable();
    merged.left.sort_unstable_by_key(|(pick, _)| *pick);
    Ok(merged)
}

/// Takes the best copy that nobody objects to; where there is none, says why of the best of all.
fn settle(
    files: &[&Entries],
    copies: &[Pick],
    court: &mut dyn Court,
    left: &mut Vec<(Pick, Left)>,
    mut take: impl FnMut(Pick),
) {
    let judged: Vec<(Pick, Option<Left>)> =
        copies.iter().map(|&pick| (pick, court.objection(pick))).collect();
    let court = &*court;
    let best = |wanted: fn(&Option<Left>) -> bool| {
        let fit = judged.iter().filter(|(_, objection)| wanted(objection));
        fit.max_by_key(|(pick, _)| worth(files, court, *pick)).copied()
    };
    if let Some((pick, _)) = best(Option::is_none) {
        take(pick);
    } else if let Some((pick, Some(why))) = best(Option::is_some) {
        left.push((pick, why));
    }
}

/// What makes one copy better than another.
fn worth(files: &[&Entries], court: &dyn Court, pick: Pick) -> impl Ord + use<> {
    let entry = entry(files, pick);
    let usable = !entry.is(Flags::NOT_OBJECT);
    let size = if court.is_original(pick.source) { 0 } else { entry.bytes() };
    (usable, court.touched(pick.source, entry), entry.session != 0, size, Reverse(pick))
}

fn entry<'a>(files: &[&'a Entries], pick: Pick) -> &'a Entry {
    &files[usize::from(pick.source)][pick.entry as usize]
}

/// Hands over the copies of each key, in order; copies that a later one of the same file overrides are none.
fn for_each_key(
    files: &[&Entries],
    court: &mut dyn Court,
    each: &mut dyn FnMut(&[Pick], &mut dyn Court),
) -> io::Result<()> {
    let live = |(_, entry): &(u32, &Entry)| !entry.is(Flags::OVERRIDDEN);
    let of_file = |(source, file): (SourceId, &&Entries)| {
        let entries = (0..).zip(file.iter()).filter(live);
        entries.map(|(entry, found)| (found.key, Pick { source, entry })).collect::<Vec<_>>()
    };
    let mut rows: Vec<(u64, Pick)> = (0..).zip(files).flat_map(of_file).collect();
    rows.sort_unstable();
    for group in rows.chunk_by(|a, b| a.0 == b.0) {
        let mut rest: Vec<Pick> = group.iter().map(|(_, pick)| *pick).collect();
        while let Some(&first) = rest.first() {
            let mut same = vec![first];
            let mut others = Vec::new();
            let key = if rest.len() > 1 { court.key(first)? } else { Vec::new() };
            for &pick in &rest[1..] {
                if court.key(pick)? == key { same.push(pick) } else { others.push(pick) }
            }
            each(&same, court);
            rest = others;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::entry::Stamp;

    /// Entries by key hash, time and size.
    fn file(rows: &[(u64, u64, u64)]) -> Entries {
        let mut at = 0;
        let entry = |&(key, updated_at, bytes): &(u64, u64, u64)| {
            let mut entry = Entry::new(at, at + bytes);
            at += bytes + 2;
            (entry.key, entry.updated_at) = (key, Stamp::from_integer(1_795_223_670_000 + updated_at));
            entry
        };
        rows.iter().map(entry).collect()
    }

    /// Objects to some, says that some hashes stand for several keys, and which files are the store and originals of runs.
    #[derive(Default)]
    struct Bench {
        store: Option<SourceId>,
        originals: Vec<SourceId>,
        against: Vec<(Pick, Left)>,
        strangers: Vec<Pick>,
    }

    impl Court for Bench {
        fn touched(&self, source: SourceId, entry: &Entry) -> Touched {
            let unknown = if self.store == Some(source) { Touched::InTheStore } else { Touched::Unknown };
            entry.updated_at.millis().map_or(unknown, Touched::At)
        }

        fn is_original(&self, source: SourceId) -> bool {
            self.originals.contains(&source)
        }

        fn objection(&mut self, pick: Pick) -> Option<Left> {
            self.against.iter().find(|(other, _)| *other == pick).map(|(_, why)| *why)
        }

        fn key(&mut self, pick: Pick) -> io::Result<Vec<u8>> {
            Ok(if self.strangers.contains(&pick) { b"another" } else { &b"the key"[..] }.to_owned())
        }
    }

    fn pick(source: SourceId, entry: u32) -> Pick {
        Pick { source, entry }
    }

    fn copies(files: &[Entries]) -> Vec<&Entries> {
        files.iter().collect()
    }

    #[test]
    fn the_newest_copy_counts_then_the_larger_then_the_first_file() {
        let files = [
            file(&[(1, 5, 10), (2, 7, 10), (3, 7, 10), (4, 7, 10)]),
            file(&[(4, 7, 10), (3, 7, 12), (2, 6, 90), (1, 6, 3), (9, 1, 1)]),
        ];
        let merged = merge(&copies(&files), &mut Bench::default()).unwrap();
        // In the order of the first file, then what only the second has.
        assert_eq!(merged.taken, [pick(1, 3), pick(0, 1), pick(1, 1), pick(0, 3), pick(1, 4)]);
        assert_eq!(merged.left, []);
    }

    #[test]
    fn a_sound_store_only_gains_what_it_lacks() {
        let files = [file(&[(1, 5, 10)]), file(&[(1, 9, 99), (2, 1, 1)]), file(&[(2, 2, 1), (3, 1, 1)])];
        let merged = add(&copies(&files), &mut Bench::default()).unwrap();
        assert_eq!(merged.taken, [pick(2, 0), pick(2, 1)]);
    }

    #[test]
    fn what_is_objected_to_gives_way_to_another_copy_or_is_told_of() {
        let files = [file(&[(1, 5, 10)]), file(&[(1, 9, 10), (2, 9, 10)]), file(&[(2, 3, 10)])];
        let against =
            vec![(pick(1, 0), Left::Removed), (pick(1, 1), Left::Archived), (pick(2, 0), Left::Archived)];
        let merged = merge(&copies(&files), &mut Bench { against, ..Bench::default() }).unwrap();
        assert_eq!(merged.taken, [pick(0, 0)]);
        assert_eq!(merged.left, [(pick(1, 1), Left::Archived)]);
    }

    #[test]
    fn one_hash_for_two_keys_costs_neither() {
        let files = [file(&[(1, 5, 10)]), file(&[(1, 9, 10)]), file(&[(1, 7, 10)])];
        let strangers = vec![pick(1, 0)];
        let merged = merge(&copies(&files), &mut Bench { strangers, ..Bench::default() }).unwrap();
        assert_eq!(merged.taken, [pick(2, 0), pick(1, 0)]);
    }

    #[test]
    fn the_store_keeps_an_entry_without_a_time_and_what_our_runs_made_of_one() {
        let mut files = [file(&[(1, 0, 10), (2, 5, 10)]), file(&[(1, 9, 90), (2, 5, 90)])];
        files[0][0].updated_at = Entry::new(0, 0).updated_at;
        let mut bench = Bench { store: Some(0), originals: vec![1], ..Bench::default() };
        let merged = merge(&copies(&files), &mut bench).unwrap();
        assert_eq!(merged.taken, [pick(0, 0), pick(0, 1)]);
        // Of two originals the one that is named first is the later.
        let files = [file(&[(2, 5, 10)]), file(&[(2, 5, 90)])];
        let mut bench = Bench { originals: vec![0, 1], ..Bench::default() };
        assert_eq!(merge(&copies(&files), &mut bench).unwrap().taken, [pick(0, 0)]);
    }

    #[test]
    fn copies_that_are_overridden_in_their_own_file_do_not_compete() {
        let mut twice = file(&[(1, 9, 10), (1, 5, 10)]);
        twice[0].flags.set(Flags::OVERRIDDEN, true);
        let merged = merge(&copies(&[twice]), &mut Bench::default()).unwrap();
        assert_eq!(merged.taken, [pick(0, 1)]);
    }
}
