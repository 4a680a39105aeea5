//! 64 bytes with strings told from what lies between them.

use super::lanes::{BLOCK, Lanes};
use super::utf8::Ahead;

/// What stands where in the first `len` bytes of a block, a bit a byte. A block has nothing odd in it: no
/// fault inside a string, no ill-formed UTF-8. It ends neither inside an escape nor inside a character.
pub(super) struct Block {
    /// How many bytes count.
    pub(super) len: usize,
    /// A bit for each of them.
    pub(super) live: u64,
    /// Quotes that open or close a string.
    pub(super) quotes: u64,
    /// From the opening quote to the byte before the closing one. The highest bit tells for the byte behind.
    pub(super) string: u64,
    /// White space outside strings.
    pub(super) white: u64,
    /// `{` and `[` outside strings.
    pub(super) open: u64,
    /// `}` and `]` outside strings.
    pub(super) close: u64,
    /// `:` outside strings.
    pub(super) colon: u64,
    /// `,` outside strings.
    pub(super) comma: u64,
    /// Of brackets: whether they are curly.
    pub(super) curly: u64,
    /// Anything else outside strings: numbers, words, rubbish.
    pub(super) scalar: u64,
    /// Bytes that continue a UTF-8 sequence.
    continuing: u64,
    /// Bytes that lead a UTF-8 sequence of four.
    leading_four: u64,
}

impl Block {
    /// The block at `at` of a window that goes on for at least 64 bytes from there; `string` is all ones
    /// where a string is open. `None` where something is odd, or may be.
    #[inline(always)]
    pub(super) fn look<L: Lanes>(window: &[u8], at: usize, string: u64, ahead: &mut Ahead) -> Option<Block> {
        let bytes: &[u8; BLOCK] = window[at..].first_chunk()?;
        let masks = L::masks(bytes);
        let (mut live, mut escaped) = (u64::MAX, 0);
        if masks.backslash != 0 {
            let escape = escapes(masks.backslash);
            live >>= escape >> (BLOCK - 1);
            escaped = escape << 1 & live;
        }
        let (mut continuing, mut leading_four) = (0, 0);
        if masks.high & live != 0 {
            (continuing, leading_four) = L::utf8(bytes);
            let next = window.get(at + live.count_ones() as usize);
            if next.is_none_or(|&byte| byte & 0xc0 == 0x80) {
                live = before_last_character(masks.high & !continuing & live)?;
            }
            if !ahead.is_sound(window, at, at + live.count_ones() as usize) {
                return None;
            }
        }
        let quotes = masks.quote & !escaped & live;
        let string = L::parity(quotes) ^ string;
        if masks.control & string & live != 0 {
            return None;
        }
        if escaped & string != 0 && !escapes_are_sound(window, at, escaped & string) {
            return None;
        }
        let outside = !(string | quotes) & live;
        let (open, close) = (masks.open & outside, masks.close & outside);
        let (colon, comma) = (masks.colon & outside, masks.comma & outside);
        let white = masks.white & outside;
        Some(Block {
            len: live.count_ones() as usize,
            live,
            quotes,
            string,
            white,
            open,
            close,
            colon,
            comma,
            curly: masks.curly,
            scalar: outside & !(open | close | colon | comma | white),
            continuing: continuing & live,
            leading_four: leading_four & live,
        })
    }

    /// First bytes of numbers and words.
    #[inline(always)]
    pub(super) fn scalar_starts(&self) -> u64 {
        self.scalar & !(self.scalar << 1)
    }

    /// First bytes of all tokens, and closing quotes.
    #[inline(always)]
    pub(super) fn tokens(&self) -> u64 {
        self.quotes | self.open | self.close | self.colon | self.comma | self.scalar_starts()
    }

    /// Bytes of white space among the first `len`.
    #[inline(always)]
    pub(super) fn whitespace(&self, len: usize) -> u64 {
        u64::from((self.white & first(len)).count_ones())
    }

    /// Bytes that are no UTF-16 unit of their own among the first `len`.
    #[inline(always)]
    pub(super) fn surplus(&self, len: usize) -> u64 {
        if self.continuing == 0 {
            return 0;
        }
        let count = |bits: u64| u64::from((bits & first(len)).count_ones());
        count(self.continuing) - count(self.leading_four)
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
