//! 64 bytes with strings told from what lies between them.

use super::lanes::{BLOCK, Lanes};
use super::utf8::Ahead;

/// Where strings are in the first `len` bytes of a block, a bit a byte. There is nothing odd in them: no fault
/// inside a string, no ill-formed UTF-8. They end neither inside an escape nor inside a character.
pub(super) struct Strings<'a> {
    bytes: &'a [u8; BLOCK],
    /// How many bytes count.
    pub(super) len: usize,
    /// A bit for each of them.
    pub(super) live: u64,
    /// Quotes that open or close a string.
    pub(super) quotes: u64,
    /// From the opening quote to the byte before the closing one. The highest bit tells for the byte behind.
    pub(super) string: u64,
    /// Bytes that continue a UTF-8 sequence.
    continuing: u64,
    /// Bytes that lead a UTF-8 sequence of four.
    leading_four: u64,
}

impl<'a> Strings<'a> {
    /// The block at `at` of a window that goes on for at least 64 bytes from there; `string` is all ones
    /// where a string is open. `None` where something is odd, or may be.
    #[inline(always)]
    pub(super) fn look<L: Lanes>(
        window: &'a [u8],
        at: usize,
        string: u64,
        ahead: &mut Ahead,
    ) -> Option<Strings<'a>> {
        let bytes: &[u8; BLOCK] = window[at..].first_chunk()?;
        let text = L::text(bytes);
        let (mut live, mut escaped) = (u64::MAX, 0);
        if text.backslash != 0 {
            let escape = escapes(text.backslash);
            live >>= escape >> (BLOCK - 1);
            escaped = escape << 1 & live;
        }
        let (mut continuing, mut leading_four) = (0, 0);
        if text.high & live != 0 {
            (continuing, leading_four) = L::utf8(bytes);
            let next = window.get(at + live.count_ones() as usize);
            if next.is_none_or(|&byte| byte & 0xc0 == 0x80) {
                live = before_last_character(text.high & !continuing & live)?;
            }
            if escaped & !live != 0 {
                return None;
            }
            if !ahead.is_sound(window, at, at + live.count_ones() as usize) {
                return None;
            }
        }
        let quotes = text.quote & !escaped & live;
        let string = L::parity(quotes) ^ string;
        if text.control & string & live != 0 {
            return None;
        }
        if escaped & string != 0 && !escapes_are_sound(window, at, escaped & string & live) {
            return None;
        }
        let (continuing, leading_four) = (continuing & live, leading_four & live);
        Some(Strings {
            bytes,
            len: live.count_ones() as usize,
            live,
            quotes,
            string,
            continuing,
            leading_four,
        })
    }

    /// Whether all of it lies inside one string.
    #[inline(always)]
    pub(super) fn is_all(&self) -> bool {
        self.quotes == 0 && self.string != 0
    }

    /// Bytes that are no UTF-16 unit of their own.
    #[inline(always)]
    pub(super) fn surplus(&self) -> u64 {
        if self.continuing == 0 {
            return 0;
        }
        u64::from(self.continuing.count_ones().saturating_sub(self.leading_four.count_ones()))
    }
}

/// What lies between the strings.
pub(super) struct Between {
    /// White space.
    pub(super) white: u64,
    /// `{` and `[`.
    pub(super) open: u64,
    /// `}` and `]`.
    pub(super) close: u64,
    /// `:`
    pub(super) colon: u64,
    /// `,`
    pub(super) comma: u64,
    /// Of brackets: whether they are curly.
    pub(super) curly: u64,
    /// Anything else: numbers, words, rubbish.
    pub(super) scalar: u64,
    /// The first bytes of these.
    pub(super) scalar_starts: u64,
}

impl Between {
    #[inline(always)]
    pub(super) fn look<L: Lanes>(strings: &Strings<'_>) -> Between {
        let marks = L::marks(strings.bytes);
        let outside = !(strings.string | strings.quotes) & strings.live;
        let (open, close) = (marks.open & outside, marks.close & outside);
        let (colon, comma) = (marks.colon & outside, marks.comma & outside);
        let white = marks.white & outside;
        let scalar = outside & !(open | close | colon | comma | white);
        let scalar_starts = scalar & !(scalar << 1);
        Between { white, open, close, colon, comma, curly: marks.curly, scalar, scalar_starts }
    }

    /// Bytes of white space.
    #[inline(always)]
    pub(super) fn whitespace(&self) -> u64 {
        u64::from(self.white.count_ones())
    }

    /// Which numbers and words need a look: their bytes, but for those of plain whole numbers that end here.
    #[inline(always)]
    pub(super) fn odd_scalars<L: Lanes>(&self, strings: &Strings<'_>) -> u64 {
        let (digits, zeros) = L::digits(strings.bytes);
        let long_from_zero = self.scalar_starts & self.scalar >> 1 & zeros;
        self.scalar & !digits | self.scalar & 1 << (strings.len - 1) | long_from_zero
    }
}

/// The lowest `len` bits.
#[inline(always)]
fn first(len: usize) -> u64 {
    if len >= BLOCK { u64::MAX } else { !(u64::MAX << len) }
}

/// Backslashes that begin an escape: every other one of each run, from its first on.
#[inline(always)]
fn escapes(backslash: u64) -> u64 {
    const ODD: u64 = 0xaaaa_aaaa_aaaa_aaaa;
    // The carry of the subtraction runs through a run of backslashes to the byte behind it; whether that byte
    // lies at an odd distance from the run's first is then in its bit (as simdjson finds escaped characters).
    let ends = (backslash << 1 | ODD).wrapping_sub(backslash) ^ ODD;
    ends & backslash
}

/// The bytes before the last of the characters that begin at `leads`; `None` where that is nothing.
#[inline(always)]
fn before_last_character(leads: u64) -> Option<u64> {
    let last = u64::BITS - 1 - (leads | 1).leading_zeros();
    (last > 0).then(|| first(last as usize))
}

/// Whether what follows each of these backslashes is one of JSON's escapes, whole within the window.
#[inline(always)]
fn escapes_are_sound(window: &[u8], at: usize, mut escaped: u64) -> bool {
    while escaped != 0 {
        let place = at + escaped.trailing_zeros() as usize;
        escaped &= escaped - 1;
        match window[place] {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => {}
            b'u' => {
                let digits = window.get(place + 1..place + 5);
                if !digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)) {
                    return false;
                }
            }
            _ => return false,
        }
    }
    true
}
