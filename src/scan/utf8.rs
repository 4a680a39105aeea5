//! UTF-8 as Node decodes it: what is not valid becomes U+FFFD, one for each maximal ill-formed part.
//!
//! The automaton asks for two things: where the first invalid byte stands, and how many UTF-16 units the
//! text has, since Node's limit on strings counts those.

/// Follows non-ASCII bytes across windows.
#[derive(Clone, Debug, Default)]
pub struct Utf8 {
    /// Bytes of the sequence at hand, its length, and the range that the next byte must lie in.
    seen: u8,
    need: u8,
    low: u8,
    high: u8,
    /// Bytes that do not count as a UTF-16 unit of their own.
    surplus: u64,
    /// Ill-formed parts.
    replaced: u64,
    /// Offset of the first ill-formed part.
    first_invalid: Option<u64>,
}

impl Utf8 {
    /// A byte of 0x80 or more at `offset`.
    pub fn push(&mut self, byte: u8, offset: u64) {
        if self.need == 0 {
            return self.lead(byte, offset);
        }
        if !(self.low..=self.high).contains(&byte) {
            self.break_off(offset);
            return self.lead(byte, offset);
        }
        (self.low, self.high) = (0x80, 0xbf);
        self.seen += 1;
        if self.seen == self.need {
            // Two units for four bytes, one for two or three.
            self.surplus += if self.need == 4 { 2 } else { u64::from(self.need) - 1 };
            (self.seen, self.need) = (0, 0);
        }
    }

    /// An ASCII byte, or the end, at `offset`: a sequence that is still open is cut off.
    pub fn break_off(&mut self, offset: u64) {
        if self.need > 0 {
            self.invalid(offset - u64::from(self.seen));
            self.surplus += u64::from(self.seen) - 1;
            (self.seen, self.need) = (0, 0);
        }
    }

    /// Well-formed characters were passed over, with this many bytes that are no UTF-16 unit of their own.
    pub fn skip(&mut self, surplus: u64) {
        self.surplus += surplus;
    }

    /// Adds what `first` saw in the bytes before.
    pub fn follow(&mut self, first: &Utf8) {
        self.surplus += first.surplus;
        self.replaced += first.replaced;
        self.first_invalid = first.first_invalid.or(self.first_invalid);
    }

    fn lead(&mut self, byte: u8, offset: u64) {
        let (need, low, high) = match byte {
            0xc2..=0xdf => (2, 0x80, 0xbf),
            0xe0 => (3, 0xa0, 0xbf),
            0xed => (3, 0x80, 0x9f),
            0xe1..=0xef => (3, 0x80, 0xbf),
            0xf0 => (4, 0x90, 0xbf),
            0xf1..=0xf3 => (4, 0x80, 0xbf),
            0xf4 => (4, 0x80, 0x8f),
            _ => return self.invalid(offset),
        };
        (self.seen, self.need, self.low, self.high) = (1, need, low, high);
    }

    fn invalid(&mut self, offset: u64) {
        self.replaced += 1;
        self.first_invalid.get_or_insert(offset);
    }

    /// Whether a sequence is open.
    pub fn is_open(&self) -> bool {
        self.need > 0
    }

    /// Bytes so far that do not count as UTF-16 units.
    pub fn surplus(&self) -> u64 {
        self.surplus
    }

    /// Where the first ill-formed part stands.
    pub fn first_invalid(&self) -> Option<u64> {
        self.first_invalid
    }

    /// How many ill-formed parts were seen.
    pub fn replaced(&self) -> u64 {
        self.replaced
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn units(bytes: &[u8]) -> (u64, bool) {
        let mut utf8 = Utf8::default();
        for (at, &byte) in bytes.iter().enumerate() {
            if byte < 0x80 {
                utf8.break_off(at as u64);
            } else {
                utf8.push(byte, at as u64);
            }
        }
        utf8.break_off(bytes.len() as u64);
        (bytes.len() as u64 - utf8.surplus(), utf8.first_invalid().is_some())
    }

    #[test]
    fn units_agree_with_the_standard_library_on_every_short_sequence() {
        let alphabet = [
            b'a', 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc2, 0xdf, 0xe0, 0xe1, 0xed, 0xef, 0xf0, 0xf1,
            0xf4, 0xf5,
        ];
        let mut text = Vec::new();
        for code in 0..alphabet.len().pow(4) {
            text.clear();
            let mut rest = code;
            for _ in 0..4 {
                text.push(alphabet[rest % alphabet.len()]);
                rest /= alphabet.len();
            }
            let expected = String::from_utf8_lossy(&text).encode_utf16().count() as u64;
            assert_eq!(units(&text), (expected, std::str::from_utf8(&text).is_err()), "{text:x?}");
        }
    }
}
