//! Copies of a key that a later copy overrides.
//!
//! Nearly all keys are there once. So every hash sets one bit of a table, and only entries whose bit was set
//! twice are looked at further: that takes two passes and a few bits an entry, where sorting millions of
//! hashes would take longer than the rest of the scan.

use std::io;

use super::members;
use super::source::Source;
use crate::model::entries::Entries;
use crate::model::entry::{Flags, TextHash};

/// Flags all but the last of entries with the same key. Hashes propose, texts decide.
pub fn mark(source: &mut dyn Source, entries: &mut Entries) -> io::Result<()> {
    let alike = alike(entries);
    let mut rest = &*alike;
    while let Some(&first) = rest.first() {
        let same = rest.iter().take_while(|&&at| entries[at].key == entries[first].key).count();
        let (group, others) = rest.split_at(same);
        if same > 1 {
            mark_group(source, entries, group)?;
        }
        rest = others;
    }
    Ok(())
}

/// Numbers of entries that may share their key with another, sorted by the key's hash, then in file order.
fn alike(entries: &Entries) -> Vec<usize> {
    let mut seen = Bits::for_hashes(entries.len());
    let mut again = Bits::for_hashes(entries.len());
    for entry in entries.iter().filter(|entry| !seen.insert(entry.key)) {
        again.insert(entry.key);
    }
    let found = || entries.iter().enumerate().filter(|(_, entry)| again.has(entry.key));
    // Counted first: a list that grows leaves all its smaller selves behind.
    let mut alike = Vec::with_capacity(found().count());
    alike.extend(found().map(|(at, _)| at));
    alike.sort_unstable_by_key(|&at| (entries[at].key, at));
    alike
}

/// `group` holds entries of one hash in file order.
fn mark_group(source: &mut dyn Source, entries: &mut Entries, group: &[usize]) -> io::Result<()> {
    let mut seen: Vec<Vec<u8>> = Vec::new();
    for &at in group.iter().rev() {
        let key = members::key(source, entries[at].start())?;
        if seen.contains(&key) {
            entries[at].flags.set(Flags::OVERRIDDEN, true);
        } else {
            seen.push(key);
        }
    }
    Ok(())
}

/// A set of hashes that may take one for another.
struct Bits {
    words: Vec<u64>,
    shift: u32,
}

impl Bits {
    /// At least eight bits for each of `count` hashes.
    fn for_hashes(count: usize) -> Self {
        let bits = (count * 8).next_power_of_two().max(64);
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
