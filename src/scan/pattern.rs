//! Bytes that are likely to come next, so that a comparison or two tell whether they do.

/// Bytes that a pattern may have.
pub const LONGEST: usize = 32;

/// Up to 32 bytes to compare a text with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pattern {
    /// They, and zeros behind them.
    pub bytes: [u8; LONGEST],
    /// A bit for each of them.
    pub mask: u32,
    /// As `mask`; of a pattern that matches nothing something else.
    pub wanted: u32,
    /// How many there are.
    pub len: usize,
}

impl Pattern {
    /// Matches nothing.
    pub const NONE: Pattern = Pattern { bytes: [0; LONGEST], mask: 0, wanted: 1, len: 0 };

    /// Matches `text`; nothing where that is too long, or empty.
    pub fn new(text: &[u8]) -> Self {
        if text.is_empty() || text.len() > LONGEST {
            return Self::NONE;
        }
        let mut bytes = [0; LONGEST];
        bytes[..text.len()].copy_from_slice(text);
        let mask = u32::MAX >> (LONGEST - text.len());
        Pattern { bytes, mask, wanted: mask, len: text.len() }
    }

    /// Matches the name of a member and its closing quote; nothing where the name is not plain ASCII.
    pub fn of_name(raw: &[u8]) -> Self {
        let is_plain = raw.iter().all(|byte| (b' '..=b'~').contains(byte) && !b"\"\\".contains(byte));
        if is_plain { Self::new(&[raw, b"\""].concat()) } else { Self::NONE }
    }

    /// Matches a comma, white space and a quote; nothing where that is not what `raw` is.
    pub fn of_gap(raw: &[u8]) -> Self {
        match raw {
            [b',', white @ .., b'"'] if white.iter().all(|byte| b" \t\r\n".contains(byte)) => Self::new(raw),
            _ => Self::NONE,
        }
    }
}

/// A name as it stands in the file, between its quotes.
pub struct Spelled {
    /// The bytes.
    pub raw: Box<[u8]>,
    /// The first and the last eight, where there are so many.
    ends: Option<([u8; 8], [u8; 8])>,
}

impl Spelled {
    /// That name.
    pub fn new(raw: &[u8]) -> Self {
        Spelled { raw: raw.into(), ends: ends(raw) }
    }

    /// Whether it is spelled so. Most names have between 8 and 16 bytes: two comparisons that need no call.
    #[inline(always)]
    pub fn is(&self, raw: &[u8]) -> bool {
        match self.ends {
            Some(known) if raw.len() <= 16 => raw.len() == self.raw.len() && ends(raw) == Some(known),
            _ => *self.raw == *raw,
        }
    }
}

#[inline(always)]
fn ends(raw: &[u8]) -> Option<([u8; 8], [u8; 8])> {
    Some((*raw.first_chunk()?, *raw.last_chunk()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_holds_a_name_and_its_closing_quote_or_nothing() {
        let name = Pattern::of_name(b"status");
        assert_eq!((&name.bytes[..8], name.mask, name.len), (&b"status\"\0"[..], 0x7f, 7));
        assert_eq!((Pattern::of_name(b"").len, Pattern::of_name(&[b'x'; 31]).mask), (1, u32::MAX));
        for none in [&b"x\\u0041"[..], b"x\"y", b"x\ny", "\u{e4}".as_bytes(), &[b'x'; 32]] {
            assert_eq!(Pattern::of_name(none), Pattern::NONE);
        }
        assert_eq!((Pattern::of_gap(b",\r\n \"").len, Pattern::of_gap(b",\"").len), (5, 2));
        assert_eq!([Pattern::of_gap(b",x\""), Pattern::of_gap(b", 1")], [Pattern::NONE; 2]);
    }

    #[test]
    fn a_name_is_itself_and_no_other_of_whatever_length() {
        let names: Vec<Vec<u8>> = (0..40).map(|len| (0..len).map(|at| b'a' + at % 20).collect()).collect();
        for (at, name) in names.iter().enumerate() {
            let spelled = Spelled::new(name);
            assert!(names.iter().enumerate().all(|(other, name)| spelled.is(name) == (other == at)));
            for byte in 0..name.len() {
                let mut changed = name.clone();
                changed[byte] ^= 1;
                assert!(!spelled.is(&changed), "{at} {byte}");
            }
        }
    }
}
