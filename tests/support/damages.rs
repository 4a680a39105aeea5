//! Damage by chance, that remembers what it left alone.

use std::ops::Range;

use crate::damage::Store;
use crate::random_store::Random;

/// Bytes of one of some stores, or bytes of nobody.
#[derive(Clone, Debug)]
pub enum Piece {
    /// Store number, and its bytes.
    Of(usize, Range<usize>),
    /// Something else.
    Other(Vec<u8>),
}

/// A text made of pieces.
#[derive(Clone, Debug)]
pub struct Damaged {
    /// In order.
    pub pieces: Vec<Piece>,
}

impl Damaged {
    /// A whole store.
    pub fn whole(number: usize, store: &Store) -> Damaged {
        Damaged { pieces: vec![Piece::Of(number, 0..store.text.len())] }
    }

    /// The text.
    pub fn text(&self, stores: &[Store]) -> Vec<u8> {
        let bytes = |piece: &Piece| match piece {
            Piece::Of(store, range) => stores[*store].text[range.clone()].to_vec(),
            Piece::Other(bytes) => bytes.clone(),
        };
        self.pieces.iter().flat_map(bytes).collect()
    }

    /// The pieces, and where each stands in the text.
    pub fn placed(&self) -> Vec<(Range<usize>, Piece)> {
        let mut at = 0;
        let mut placed = Vec::new();
        for piece in &self.pieces {
            let len = match piece {
                Piece::Of(_, range) => range.len(),
                Piece::Other(bytes) => bytes.len(),
            };
            placed.push((at..at + len, piece.clone()));
            at += len;
        }
        placed
    }

    /// The first `at` bytes, and the others.
    fn split(&self, at: usize) -> (Vec<Piece>, Vec<Piece>) {
        let (mut front, mut back) = (Vec::new(), Vec::new());
        for (place, piece) in self.placed() {
            let cut = at.clamp(place.start, place.end) - place.start;
            let (first, second) = match piece {
                Piece::Of(store, range) => {
                    let middle = range.start + cut;
                    (Piece::Of(store, range.start..middle), Piece::Of(store, middle..range.end))
                }
                Piece::Other(bytes) => {
                    (Piece::Other(bytes[..cut].to_vec()), Piece::Other(bytes[cut..].to_vec()))
                }
            };
            front.extend((cut > 0).then_some(first));
            back.extend((cut < place.len()).then_some(second));
        }
        (front, back)
    }

    fn len(&self) -> usize {
        self.placed().last().map_or(0, |(place, _)| place.end)
    }

    /// With `with` in the place of `range`.
    pub fn splice(&self, range: Range<usize>, with: Vec<Piece>) -> Damaged {
        let (front, _) = self.split(range.start);
        let (_, back) = self.split(range.end);
        Damaged { pieces: [front, with, back].concat() }
    }

    /// With some damage; `stores` are of the same entries at different times. Returns what it was, too.
    pub fn damage(&self, random: &mut Random, stores: &[Store]) -> (Damaged, &'static str) {
        let len = self.len();
        let at = random.below(len + 1);
        let run = match random.below(3) {
            0 => 1 + random.below(4),
            1 => 1 + random.below(60),
            _ => 1 + random.below(3000),
        };
        let hole = at..(at + run).min(len);
        let other = random.below(stores.len());
        let noise = |random: &mut Random| (0..run).map(|_| random.below(256) as u8).collect::<Vec<u8>>();
        match random.below(12) {
            0 => (self.splice(hole, vec![]), "missing"),
            1 => (self.splice(hole.clone(), vec![Piece::Other(vec![0; hole.len()])]), "zeros over"),
            2 => (self.splice(at..at, vec![Piece::Other(vec![0; run])]), "zeros between"),
            3 => (self.splice(at..at, vec![Piece::Other(noise(random))]), "noise between"),
            4 => (self.splice(hole, vec![Piece::Other(noise(random))]), "noise over"),
            5 => {
                let (_, back) = self.split(hole.start);
                let copy = Damaged { pieces: back }.split(hole.len()).0;
                (self.splice(hole.end..hole.end, copy), "twice")
            }
            6 => (self.splice(at..len, vec![]), "cut"),
            7 => {
                let from = random.below(stores[other].text.len());
                (self.splice(at..len, vec![Piece::Of(other, from..stores[other].text.len())]), "two halves")
            }
            8 => (self.splice(len..len, vec![Piece::Of(other, 0..stores[other].text.len())]), "two in a row"),
            9 => {
                let byte = b"{}[]:,\"\\\n\t\x01/'"[random.below(13)];
                (self.splice(at..(at + random.below(2)).min(len), vec![Piece::Other(vec![byte])]), "a byte")
            }
            _ => {
                // One byte of the grammar is missing.
                let text = self.text(stores);
                let found = text[at..].iter().position(|byte| b"{}[]:,\"\\".contains(byte));
                let Some(found) = found else { return (self.clone(), "nothing") };
                (self.splice(at + found..at + found + 1, vec![]), "one less")
            }
        }
    }
}
