//! All entries of a store, in file order: a list that never moves what it holds.
//!
//! Millions of records in one piece of memory would be copied whenever the piece becomes too small, and two
//! lists could only be joined in a third. Here they lie in chunks of equal size: a list grows by a chunk, and
//! another one is joined to it chunk by chunk, each given back as soon as it is copied.

use std::ops::{Index, IndexMut};

use super::entry::Entry;

/// Entries of a chunk; all chunks but the last are full.
const CHUNK: usize = 1 << 14;

/// Entries in file order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entries {
    chunks: Vec<Vec<Entry>>,
}

impl Entries {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.chunks.last().map_or(0, |last| (self.chunks.len() - 1) * CHUNK + last.len())
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Adds one at the end.
    pub fn push(&mut self, entry: Entry) {
        match self.chunks.last_mut() {
            Some(last) if last.len() < CHUNK => last.push(entry),
            _ => {
                let mut chunk = Vec::with_capacity(CHUNK);
                chunk.push(entry);
                self.chunks.push(chunk);
            }
        }
    }

    /// Adds all of `next` at the end.
    pub fn append(&mut self, next: Entries) {
        if self.chunks.last().is_none_or(|last| last.len() == CHUNK) {
            return self.chunks.extend(next.chunks);
        }
        for mut chunk in next.chunks {
            // The rest of it moves up within its own memory: none is asked for that would have to be cleared first.
            if let Some(last) = self.chunks.last_mut() {
                last.extend(chunk.drain(..chunk.len().min(CHUNK - last.len())));
            }
            if !chunk.is_empty() {
                self.chunks.push(chunk);
            }
        }
    }

    /// Drops all but the first `len`. The first chunk stays, for what comes next.
    pub fn truncate(&mut self, len: usize) {
        self.chunks.truncate(len.div_ceil(CHUNK).max(1));
        let full = self.chunks.len().saturating_sub(1) * CHUNK;
        if let Some(last) = self.chunks.last_mut() {
            last.truncate(len.saturating_sub(full));
        }
    }

    /// Entry number `at`, where there are so many.
    pub fn get(&self, at: usize) -> Option<&Entry> {
        self.chunks.get(at / CHUNK)?.get(at % CHUNK)
    }

    /// The first.
    pub fn first(&self) -> Option<&Entry> {
        self.get(0)
    }

    /// The last.
    pub fn last(&self) -> Option<&Entry> {
        self.chunks.last()?.last()
    }

    /// One after the other.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Entry> + Clone {
        self.chunks.iter().flatten()
    }

    /// One after the other, to be changed.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Entry> {
        self.chunks.iter_mut().flatten()
    }

    /// Number of the last entry whose key begins at `offset` or before.
    pub fn before(&self, offset: u64) -> Option<usize> {
        let begins_by = |chunk: &Vec<Entry>| chunk.first().is_some_and(|first| first.start() <= offset);
        let chunk = self.chunks.partition_point(begins_by).checked_sub(1)?;
        let in_chunk = self.chunks[chunk].partition_point(|entry| entry.start() <= offset);
        Some(chunk * CHUNK + in_chunk - 1)
    }

    /// Number of the entry whose key begins at `start`.
    pub fn starting_at(&self, start: u64) -> Option<usize> {
        let begins_by = |chunk: &Vec<Entry>| chunk.first().is_some_and(|first| first.start() <= start);
        let chunk = self.chunks.partition_point(begins_by).checked_sub(1)?;
        let found = self.chunks[chunk].binary_search_by_key(&start, Entry::start).ok()?;
        Some(chunk * CHUNK + found)
    }
}

impl Index<usize> for Entries {
    type Output = Entry;

    fn index(&self, at: usize) -> &Entry {
        &self.chunks[at / CHUNK][at % CHUNK]
    }
}

impl IndexMut<usize> for Entries {
    fn index_mut(&mut self, at: usize) -> &mut Entry {
        &mut self.chunks[at / CHUNK][at % CHUNK]
    }
}

impl FromIterator<Entry> for Entries {
    fn from_iter<I: IntoIterator<Item = Entry>>(iter: I) -> Self {
        let mut entries = Entries::default();
        iter.into_iter().for_each(|entry| entries.push(entry));
        entries
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbered(numbers: std::ops::Range<u64>) -> Entries {
        numbers.map(|at| Entry::new(10 * at, 10 * at + 9)).collect()
    }

    #[test]
    fn lists_of_any_length_join_to_what_one_list_would_be() {
        let chunk = CHUNK as u64;
        for first in [0, 1, chunk - 1, chunk, chunk + 1] {
            for second in [0, 1, chunk - 1, chunk, 2 * chunk + 1] {
                let mut joined = numbered(0..first);
                joined.append(numbered(first..first + second));
                assert!(joined == numbered(0..first + second), "{first} and {second}");
                assert_eq!(joined.len() as u64, first + second);
                assert_eq!(joined.iter().rev().count() as u64, first + second);
                assert_eq!(
                    joined.last().map(Entry::start),
                    (first + second).checked_sub(1).map(|at| 10 * at)
                );
            }
        }
    }

    #[test]
    fn a_list_that_was_cut_is_the_shorter_list_and_goes_on() {
        let chunk = CHUNK as u64;
        for len in [0, 1, chunk - 1, chunk, chunk + 1, 2 * chunk] {
            let mut entries = numbered(0..2 * chunk + 5);
            entries.truncate(len as usize);
            assert_eq!((entries.len() as u64, entries.is_empty()), (len, len == 0));
            assert_eq!(entries.last().map(Entry::start), len.checked_sub(1).map(|at| 10 * at));
            entries.push(Entry::new(10 * len, 10 * len + 9));
            assert!(entries.iter().eq(numbered(0..len + 1).iter()));
        }
        let mut none = Entries::default();
        none.truncate(3);
        assert!(none.is_empty());
    }

    #[test]
    fn an_entry_is_found_by_its_number_and_by_its_start() {
        let entries = numbered(1..2 * CHUNK as u64);
        for at in [0, 1, CHUNK - 1, CHUNK, 2 * CHUNK - 2] {
            let start = 10 * (at as u64 + 1);
            assert_eq!((entries[at].start(), entries.starting_at(start)), (start, Some(at)));
            assert_eq!(entries.starting_at(start + 1), None);
        }
        assert_eq!((entries.get(2 * CHUNK - 1), entries.starting_at(3)), (None, None));
        assert_eq!(Entries::default().starting_at(0), None);
    }
}
