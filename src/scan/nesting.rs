//! How deep a text is nested, at one bit a level: JSON.parse has no limit, and neither has this.

/// One bit a level, set for objects; the innermost 64 at hand, the others put away.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Nesting {
    /// The innermost level is bit 0.
    pub(super) top: u64,
    /// How many levels `top` holds: none only where there are none at all.
    pub(super) held: u32,
    /// Full words of outer levels, the outermost first.
    away: Vec<u64>,
}

impl Nesting {
    pub(super) fn depth(&self) -> u64 {
        self.away.len() as u64 * u64::from(u64::BITS) + u64::from(self.held)
    }

    pub(super) fn push(&mut self, object: bool) {
        if self.held == u64::BITS {
            self.away.push(self.top);
            (self.top, self.held) = (0, 0);
        }
        self.top = self.top << 1 | u64::from(object);
        self.held += 1;
    }

    pub(super) fn pop(&mut self) {
        self.top >>= 1;
        self.held -= 1;
        if self.held == 0
            && let Some(top) = self.away.pop()
        {
            (self.top, self.held) = (top, u64::BITS);
        }
    }

    pub(super) fn in_object(&self) -> bool {
        self.top & 1 == 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_level_comes_back_as_it_went_in() {
        let is_object = |level: u64| level.is_multiple_of(3) || level % 7 == 2;
        let mut nesting = Nesting::default();
        for level in 0..1000 {
            assert_eq!(nesting.depth(), level);
            nesting.push(is_object(level));
            assert_eq!(nesting.in_object(), is_object(level));
        }
        for level in (0..1000).rev() {
            assert_eq!((nesting.depth(), nesting.in_object()), (level + 1, is_object(level)));
            nesting.pop();
        }
        assert_eq!(nesting, Nesting::default());
        assert!(!nesting.in_object());
    }
}
