//! How deep a text is nested, at one bit a level: JSON.parse has no limit, and neither has this.

/// One bit a level: set for objects.
#[derive(Default)]
pub(super) struct Nesting {
    bits: Vec<u64>,
    pub(super) depth: u64,
}

impl Nesting {
    pub(super) fn push(&mut self, object: bool) {
        let word = (self.depth / 64) as usize;
        if word == self.bits.len() {
            self.bits.push(0);
        }
        let mask = 1u64 << (self.depth % 64);
        if object {
            self.bits[word] |= mask;
        } else {
            self.bits[word] &= !mask;
        }
        self.depth += 1;
    }

    pub(super) fn pop(&mut self) {
        self.depth -= 1;
    }

    pub(super) fn in_object(&self) -> bool {
        self.depth > 0 && {
            let top = self.depth - 1;
            self.bits[(top / 64) as usize] >> (top % 64) & 1 == 1
        }
    }
}
