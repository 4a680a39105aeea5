//! Tells known members by their names: nearly always the one that followed the last time.

use crate::openclaw::entry_fields::Known;
use crate::scan::text;

/// So many names are remembered; what comes beyond is looked up each time.
const MOST: usize = 256;

/// The names of members in the order in which they were seen.
#[derive(Default)]
pub struct Names {
    seen: Vec<(Box<[u8]>, Option<Known>)>,
    next: usize,
}

impl Names {
    /// Another entry begins.
    pub fn begin(&mut self) {
        self.next = 0;
    }

    /// The known member whose name is spelled so.
    pub fn known(&mut self, raw: &[u8]) -> Option<Known> {
        let is = |(name, _): &(Box<[u8]>, Option<Known>)| **name == *raw;
        if let Some(at) = self.seen.iter().skip(self.next).position(is) {
            self.next += at + 1;
            return self.seen[self.next - 1].1;
        }
        if let Some(at) = self.seen.iter().position(is) {
            self.next = at + 1;
            return self.seen[at].1;
        }
        let known = Known::named(&text::decode(raw));
        if self.seen.len() < MOST {
            self.seen.push((raw.into(), known));
            self.next = self.seen.len();
        }
        known
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_known_in_any_order_and_spelling() {
        let mut names = Names::default();
        for _ in 0..2 {
            names.begin();
            for name in ["sessionId", "x", "updatedAt", "label", "st\\u0061tus", "sessionId"] {
                let known = names.known(name.as_bytes()).map(Known::name);
                assert_eq!(known, Some(name.replace("\\u0061", "a")).filter(|name| name != "x").as_deref());
            }
        }
    }
}
