//! Many hashes of texts in eight bytes each, and facts about them in a bit each.

use super::entry::TextHash;

/// A set of hashes that does not grow any more. Each has a place.
#[derive(Clone, Debug, Default)]
pub struct Hashes {
    sorted: Vec<TextHash>,
    /// Where the hashes begin that share their first bits.
    firsts: Vec<u32>,
    /// How many bits those are.
    bits: u32,
}

/// A list of beginnings is never longer than this many bits make it.
const MOST_BITS: u32 = 16;

impl Hashes {
    /// These hashes; some may be there more than once.
    pub fn of(mut hashes: Vec<TextHash>) -> Self {
        hashes.sort_unstable();
        hashes.dedup();
        let bits = hashes.len().checked_ilog2().unwrap_or(0).saturating_sub(2).min(MOST_BITS);
        let mut all = Hashes { sorted: hashes, firsts: Vec::new(), bits };
        let beginnings = 0..=1u64 << bits;
        let first = |bucket: u64| all.sorted.partition_point(|&hash| all.bucket(hash) < bucket);
        all.firsts = beginnings.map(|bucket| u32::try_from(first(bucket)).unwrap_or(u32::MAX)).collect();
        all
    }

    fn bucket(&self, hash: TextHash) -> u64 {
        hash.checked_shr(TextHash::BITS - self.bits).unwrap_or(0)
    }

    /// The place of a hash, where it is there.
    pub fn place(&self, hash: TextHash) -> Option<usize> {
        if self.sorted.is_empty() {
            return None;
        }
        let bucket = usize::try_from(self.bucket(hash)).ok()?;
        let range = *self.firsts.get(bucket)? as usize..*self.firsts.get(bucket + 1)? as usize;
        let within = self.sorted.get(range.clone())?.binary_search(&hash).ok()?;
        Some(range.start + within)
    }

    /// Whether a hash is there.
    pub fn contains(&self, hash: TextHash) -> bool {
        self.place(hash).is_some()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.sorted.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.sorted.is_empty()
    }

    /// Those of them whose places are marked.
    #[must_use]
    pub fn only(self, marked: &Bits) -> Self {
        let (mut hashes, mut place) = (self.sorted, 0);
        hashes.retain(|_| {
            place += 1;
            marked.has(place - 1)
        });
        Hashes::of(hashes)
    }
}

/// A bit for each place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bits(Vec<u64>);

impl Bits {
    /// None of `count` places is marked.
    pub fn none_of(count: usize) -> Self {
        Bits(vec![0; count.div_ceil(64)])
    }

    /// Marks a place. Returns whether it was not marked before.
    pub fn insert(&mut self, place: usize) -> bool {
        let Some(word) = self.0.get_mut(place / 64) else { return false };
        let (mask, before) = (1 << (place % 64), *word);
        *word |= mask;
        before & mask == 0
    }

    /// Whether a place is marked.
    pub fn has(&self, place: usize) -> bool {
        self.0.get(place / 64).is_some_and(|word| word >> (place % 64) & 1 == 1)
    }

    /// How many places are marked.
    pub fn count(&self) -> usize {
        self.0.iter().map(|word| word.count_ones() as usize).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::entry::hash;

    #[test]
    fn every_hash_has_a_place_of_its_own_and_no_other_has_one() {
        for count in [0u64, 1, 3, 4, 9, 1000, 300_000] {
            let all: Vec<TextHash> = (0..count).map(|at| hash(&at.to_le_bytes())).collect();
            let twice = all.iter().chain(&all).copied().collect();
            let hashes = Hashes::of(twice);
            assert_eq!(hashes.len() as u64, count);
            let mut seen = Bits::none_of(hashes.len());
            assert!(all.iter().all(|&hash| hashes.place(hash).is_some_and(|place| seen.insert(place))));
            assert!((count..count + 999).all(|at| !hashes.contains(hash(&at.to_le_bytes()))));
            let mut odd = Bits::none_of(hashes.len());
            for place in all.iter().step_by(2).filter_map(|&hash| hashes.place(hash)) {
                odd.insert(place);
            }
            let half = hashes.only(&odd);
            assert!(all.iter().enumerate().all(|(at, &hash)| half.contains(hash) == (at % 2 == 0)));
        }
        let ends = Hashes::of(vec![0, 1, 2, 3, 4, 5, 6, TextHash::MAX]);
        assert_eq!([0, 6, TextHash::MAX, 7].map(|hash| ends.contains(hash)), [true, true, true, false]);
    }

    #[test]
    fn a_place_that_is_not_there_is_never_marked() {
        let mut bits = Bits::none_of(3);
        assert_eq!([bits.insert(2), bits.insert(2), bits.insert(64)], [true, false, false]);
        assert_eq!((bits.count(), bits.has(1000)), (1, false));
    }
}
