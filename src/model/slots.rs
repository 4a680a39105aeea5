//! Numbers of entries, found by a hash that each of them has: four bytes a place, four places of five taken.
//!
//! A map would hold the hash again beside the number. Here what a place has left over beside the number are bits
//! of the hash, so that hardly an entry is looked at that is not the one.

use std::hash::BuildHasher;

use super::entry::TextHash;
use super::texts::Refold;

/// A table of numbers.
#[derive(Clone, Debug, Default)]
pub struct Slots {
    /// One more than a number, under bits of its hash; 0 is free, so that a table is nothing but untouched memory
    /// where few are put into it.
    places: Vec<u32>,
    /// How many bits of a place are the number.
    width: u32,
    refold: Refold,
}

impl Slots {
    /// A table with room for `count` of the numbers below `numbers`.
    pub fn new(count: usize, numbers: usize) -> Self {
        let width = u64::BITS - (numbers as u64).leading_zeros();
        Slots { places: vec![0; count + count / 4 + 1], width: width.min(31), refold: Refold::default() }
    }

    /// The number that was put here under `hash`, where `is` says that it has it.
    pub fn find(&self, hash: TextHash, is: impl Fn(usize) -> bool) -> Option<usize> {
        let (place, _) = self.place(hash, is)?;
        self.number(self.places[place])
    }

    /// Puts a number in the place of the one that `is` accepts, or where there is none yet.
    pub fn put(&mut self, hash: TextHash, number: usize, is: impl Fn(usize) -> bool) {
        let one_more = u32::try_from(number + 1).ok().filter(|one| one >> self.width == 0);
        if let (Some((place, tag)), Some(one_more)) = (self.place(hash, is), one_more) {
            self.places[place] = tag | one_more;
        }
    }

    fn number(&self, place: u32) -> Option<usize> {
        (place & ((1 << self.width) - 1)).checked_sub(1).map(|number| number as usize)
    }

    /// Where the number is, or would be put, and what stands there beside it. `None` only without any room.
    fn place(&self, hash: TextHash, is: impl Fn(usize) -> bool) -> Option<(usize, u32)> {
        let room = self.places.len();
        let folded = self.refold.hash_one(hash);
        let tag = (folded as u32) >> self.width << self.width;
        let home = ((u128::from(folded) * room as u128) >> 64) as usize;
        let on_the_way = (home..room).chain(0..home);
        let ends = |place: &usize| {
            let held = self.places[*place];
            held == 0 || held >> self.width << self.width == tag && self.number(held).is_some_and(&is)
        };
        on_the_way.into_iter().find(ends).map(|place| (place, tag))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::entry::hash;

    #[test]
    fn numbers_are_found_by_their_hash_and_replaced_in_their_place() {
        for count in [0usize, 1, 2, 100, 70_000] {
            let hashes: Vec<TextHash> = (0..count).map(|at| hash(&at.to_le_bytes())).collect();
            let mut slots = Slots::new(count / 2, count);
            for (at, &hash) in hashes.iter().enumerate().take(count / 2) {
                slots.put(hash, at, |other| hashes[other] == hash);
            }
            for (at, &hash) in hashes.iter().enumerate() {
                let found = slots.find(hash, |other| hashes[other] == hash);
                assert_eq!(found, Some(at).filter(|&at| at < count / 2), "{at} of {count}");
            }
            if count > 1 {
                slots.put(hashes[0], count - 1, |other| other == 0);
                assert_eq!(slots.find(hashes[0], |other| other == count - 1), Some(count - 1));
            }
        }
        assert_eq!(Slots::default().find(7, |_| true), None);
    }

    #[test]
    fn a_table_that_is_too_small_holds_what_it_can() {
        let mut slots = Slots::new(1, 10);
        (0..10).for_each(|at| slots.put(at as TextHash + 1, at, |other| other == at));
        assert_eq!(
            (0..10).filter(|&at| slots.find(at as TextHash + 1, |one| one == at).is_some()).count(),
            2
        );
    }
}
