//! Maps and sets by the hashes of texts.
//!
//! Such a key is a good hash already, but not a secret one: whoever writes a store could choose names whose
//! hashes meet. One multiplication by a number that only this process knows is enough to keep them apart.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, Hasher, RandomState};

use super::entry::TextHash;

/// A map by the hash of a text.
pub type TextMap<V> = HashMap<TextHash, V, Refold>;
/// A set of hashes of texts.
pub type TextSet = HashSet<TextHash, Refold>;

/// Hashes what is a hash already.
#[derive(Clone, Copy, Debug)]
pub struct Refold {
    secret: u64,
}

impl Default for Refold {
    fn default() -> Self {
        Refold { secret: RandomState::new().hash_one(0) | 1 }
    }
}

impl BuildHasher for Refold {
    type Hasher = Refolding;

    fn build_hasher(&self) -> Refolding {
        Refolding { secret: self.secret, hash: 0 }
    }
}

/// A hash in the making.
#[derive(Clone, Copy, Debug)]
pub struct Refolding {
    secret: u64,
    hash: u64,
}

impl Hasher for Refolding {
    fn finish(&self) -> u64 {
        self.hash
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|&byte| self.write_u64(byte.into()));
    }

    fn write_u64(&mut self, value: u64) {
        let product = u128::from(self.hash ^ value) * u128::from(self.secret);
        self.hash = (product >> 64) as u64 ^ product as u64;
    }

    fn write_u32(&mut self, value: u32) {
        self.write_u64(value.into());
    }

    fn write_usize(&mut self, value: usize) {
        self.write_u64(value as u64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_that_share_half_of_their_bits_are_told_apart() {
        let refold = Refold::default();
        for shift in [0, 20, 44] {
            let hashes: HashSet<u64> = (0..4096u64)
                .map(|low| refold.hash_one(0x5555_0000_0000_0000 ^ (low << shift)) % (1 << 20))
                .collect();
            assert!(hashes.len() > 3500, "{} of 4096 for bits from {shift} on", hashes.len());
        }
    }
}
