//! Copies of a key that a later copy overrides.
//!
//! Nearly all keys are there once. So every hash sets one bit of a table, and only entries whose bit was set
//! twice are looked at further: that takes two passes and a few bytes an entry, where sorting millions of
//! hashes would take longer than the rest of the scan.

use std::collections::HashSet;
use std::io;

use super::members;
use super::source::Source;
use crate::model::entries::Entries;
use crate::model::entry::{Flags, TextHash};

/// So many copies are compared at a time, fewer where their keys are long.
const AT_ONCE: usize = 1 << 14;

/// Bytes of keys that are held at a time.
const BYTES_AT_ONCE: usize = 1 << 20;

/// Flags all but the last of entries with the same key. Hashes propose, texts decide.
///
/// Texts are read in the order of the file: first those of many copies, then those of the last of each.
pub fn mark(source: &mut dyn Source, entries: &mut Entries) -> io::Result<()> {
    let mut alike = alike(entries);
    let mut copies = copies(entries, &alike);
    if copies.is_empty() {
        return Ok(());
    }
    copies.sort_unstable();
    let mut odd = HashSet::new();
    let mut rest = copies.as_mut_slice();
    while !rest.is_empty() {
        let done = mark_some(source, entries, rest, &mut odd)?;
        rest = &mut rest[done..];
    }
    alike.retain(|&at| odd.contains(&entries[at as usize].key));
    let mut rest = alike.as_slice();
    while let Some(&first) = rest.first() {
        let key = entries[first as usize].key;
        let (group, others) = rest.split_at(rest.partition_point(|&at| entries[at as usize].key <= key));
        mark_group(source, entries, group)?;
        rest = others;
    }
    Ok(())
}

/// Numbers of entries that may share their key with another, sorted by the key's hash, then in file order.
fn alike(entries: &Entries) -> Vec<u32> {
    let mut seen = Bits::for_hashes(entries.len());
    let mut again = Bits::for_hashes(entries.len());
    for entry in entries.iter().filter(|entry| !seen.insert(entry.key)) {
        again.insert(entry.key);
    }
    let found = || (0..).zip(entries.iter()).filter(|(_, entry)| again.has(entry.key));
    // Counted first: a list that grows leaves all its smaller selves behind.
    let mut alike = Vec::with_capacity(found().count());
    alike.extend(found().map(|(at, _)| at));
    alike.sort_unstable_by_key(|&at: &u32| (entries[at as usize].key, at));
    alike
}

/// Every entry whose hash comes again, and the last of those that have it.
fn copies(entries: &Entries, alike: &[u32]) -> Vec<(u32, u32)> {
    let groups = || alike.chunk_by(|&one, &other| entries[one as usize].key == entries[other as usize].key);
    let mut copies = Vec::with_capacity(groups().map(|group| group.len() - 1).sum());
    for group in groups() {
        let [others @ .., last] = group else { continue };
        copies.extend(others.iter().map(|&copy| (copy, *last)));
    }
    copies
}

/// Compares the first of `copies`, which lie in file order, each with the last of its hash; returns how many. What
/// only has the hash of another goes to `odd`.
fn mark_some(
    source: &mut dyn Source,
    entries: &mut Entries,
    copies: &[(u32, u32)],
    odd: &mut HashSet<TextHash>,
) -> io::Result<usize> {
    let (mut texts, mut ends) = (Vec::new(), vec![0]);
    for &(copy, _) in copies.iter().take(AT_ONCE) {
        texts.extend(members::key(source, entries[copy as usize].start())?);
        ends.push(texts.len());
        if texts.len() > BYTES_AT_ONCE {
            break;
        }
    }
    let done = ends.len() - 1;
    let mut order: Vec<usize> = (0..done).collect();
    order.sort_unstable_by_key(|&at| copies[at].1);
    let mut last = (None, Vec::new());
    for at in order {
        let (copy, kept) = copies[at];
        if last.0 != Some(kept) {
            last = (Some(kept), members::key(source, entries[kept as usize].start())?);
        }
        if texts[ends[at]..ends[at + 1]] == last.1 {
            entries[copy as usize].flags.set(Flags::OVERRIDDEN, true);
        } else {
            odd.insert(entries[copy as usize].key);
        }
    }
    Ok(done)
}

/// `group` holds entries of one hash in file order, not all with the same key.
fn mark_group(source: &mut dyn Source, entries: &mut Entries, group: &[u32]) -> io::Result<()> {
    let mut seen: HashSet<Vec<u8>> = HashSet::new();
    for &at in group.iter().rev() {
        let entry = &mut entries[at as usize];
        let new = seen.insert(members::key(source, entry.start())?);
        entry.flags.set(Flags::OVERRIDDEN, !new);
    }
    Ok(())
}

/// A set of hashes that may take one for another.
struct Bits {
    words: Vec<u64>,
    shift: u32,
}

impl Bits {
    /// At least sixteen bits for each of `count` hashes.
    fn for_hashes(count: usize) -> Self {
        let bits = (count * 16).next_power_of_two().max(64);
        Bits { words: vec![0; bits / 64], shift: 64 - bits.trailing_zeros() }
    }

    fn place(&self, hash: TextHash) -> (usize, u64) {
        let bit = hash >> self.shift;
        ((bit / 64) as usize, 1 << (bit % 64))
    }

    /// Whether it was not there before.
    fn insert(&mut self, hash: TextHash) -> bool {
        let (word, mask) = self.place(hash);
        let new = self.words[word] & mask == 0;
        self.words[word] |= mask;
        new
    }

    fn has(&self, hash: TextHash) -> bool {
        let (word, mask) = self.place(hash);
        self.words[word] & mask != 0
    }
}
