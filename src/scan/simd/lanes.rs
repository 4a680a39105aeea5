//! What vectors are asked for: questions about 64 bytes, answered with a bit a byte.

use super::super::automaton::{Automaton, Visitor};
#[cfg(doc)]
use super::flat;
use super::flat::Gaps;

/// Bytes that are looked at together.
pub(super) const BLOCK: usize = 64;
/// Where little is enough.
pub(super) const HALF: usize = BLOCK / 2;

/// What tells strings from what lies between them. Bit 0 is the first byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Text {
    /// `"`
    pub(super) quote: u64,
    /// `\`
    pub(super) backslash: u64,
    /// Below 0x20.
    pub(super) control: u64,
    /// 0x80 and above.
    pub(super) high: u64,
}

/// What means something between strings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Marks {
    /// Blank, tab, line feed, carriage return.
    pub(super) white: u64,
    /// `{` and `[`.
    pub(super) open: u64,
    /// `}` and `]`.
    pub(super) close: u64,
    /// `:`
    pub(super) colon: u64,
    /// `,`
    pub(super) comma: u64,
    /// Of brackets: whether they are curly. Of other bytes: anything.
    pub(super) curly: u64,
}

/// One kind of vectors. A type that implements this is used only where the processor has them.
pub(super) trait Lanes {
    /// Finds strings in 64 bytes.
    fn text(bytes: &[u8; BLOCK]) -> Text;
    /// Finds what lies between them.
    fn marks(bytes: &[u8; BLOCK]) -> Marks;
    /// Which bytes are decimal digits, and which are `0`.
    fn digits(bytes: &[u8; BLOCK]) -> (u64, u64);
    /// Which bytes continue a UTF-8 sequence, and which lead one of four bytes.
    fn utf8(bytes: &[u8; BLOCK]) -> (u64, u64);
    /// Which of 32 bytes end a string or are odd in it: quote, backslash, below 0x20, 0x80 and above.
    fn stops(bytes: &[u8; HALF]) -> u32;
    /// Which of 32 bytes are the same.
    fn same(bytes: &[u8; HALF], others: &[u8; HALF]) -> u32;
    /// Which of 32 bytes are decimal digits.
    fn few_digits(bytes: &[u8; HALF]) -> u32;
    /// Each bit becomes the parity of all bits up to it.
    fn parity(bits: u64) -> u64;
    /// [`flat::run`], as a function of its own: it and blocks both need all registers.
    fn flat<V: Visitor>(
        automaton: &mut Automaton,
        window: &[u8],
        at: usize,
        gaps: &mut Gaps,
        visitor: &mut V,
    ) -> usize;
}

#[cfg(test)]
mod tests {
    use super::super::{avx2, sse2};
    use super::*;

    /// The same answers, byte by byte.
    struct Plain;

    fn each(bytes: &[u8], is: impl Fn(u8) -> bool) -> u64 {
        bytes.iter().rev().fold(0, |bits, &byte| bits << 1 | u64::from(is(byte)))
    }

    impl Lanes for Plain {
        fn text(bytes: &[u8; BLOCK]) -> Text {
            Text {
                quote: each(bytes, |byte| byte == b'"'),
                backslash: each(bytes, |byte| byte == b'\\'),
                control: each(bytes, |byte| byte < 0x20),
                high: each(bytes, |byte| byte >= 0x80),
            }
        }

        fn marks(bytes: &[u8; BLOCK]) -> Marks {
            Marks {
                white: each(bytes, |byte| b" \t\r\n".contains(&byte)),
                open: each(bytes, |byte| byte == b'{' || byte == b'['),
                close: each(bytes, |byte| byte == b'}' || byte == b']'),
                colon: each(bytes, |byte| byte == b':'),
                comma: each(bytes, |byte| byte == b','),
                curly: each(bytes, |byte| byte & 0x20 != 0),
            }
        }

        fn digits(bytes: &[u8; BLOCK]) -> (u64, u64) {
            (each(bytes, |byte| byte.is_ascii_digit()), each(bytes, |byte| byte == b'0'))
        }

        fn utf8(bytes: &[u8; BLOCK]) -> (u64, u64) {
            (each(bytes, |byte| byte & 0xc0 == 0x80), each(bytes, |byte| byte >= 0xf0))
        }

        fn stops(bytes: &[u8; HALF]) -> u32 {
            each(bytes, |byte| byte == b'"' || byte == b'\\' || !(0x20..0x80).contains(&byte)) as u32
        }

        fn same(bytes: &[u8; HALF], others: &[u8; HALF]) -> u32 {
            (0..HALF).fold(0, |bits, at| bits | u32::from(bytes[at] == others[at]) << at)
        }

        fn few_digits(bytes: &[u8; HALF]) -> u32 {
            each(bytes, |byte| byte.is_ascii_digit()) as u32
        }

        fn flat<V: Visitor>(_: &mut Automaton, _: &[u8], at: usize, _: &mut Gaps, _: &mut V) -> usize {
            at
        }

        fn parity(bits: u64) -> u64 {
            (0..64)
                .fold(0, |all, at| all | u64::from((bits & (u64::MAX >> (63 - at))).count_ones() % 2) << at)
        }
    }

    fn agrees<L: Lanes>(name: &str) {
        // Every byte value at every place.
        for shift in 0..=255_u8 {
            let bytes = std::array::from_fn(|at| (at as u8).wrapping_mul(37).wrapping_add(shift));
            assert_eq!(L::text(&bytes), Plain::text(&bytes), "{name} {bytes:x?}");
            assert_eq!(L::marks(&bytes), Plain::marks(&bytes), "{name} {bytes:x?}");
            assert_eq!(L::digits(&bytes), Plain::digits(&bytes), "{name} {bytes:x?}");
            assert_eq!(L::utf8(&bytes), Plain::utf8(&bytes), "{name} {bytes:x?}");
            let half = bytes.first_chunk().unwrap();
            let other = std::array::from_fn(|at| half[at] ^ u8::from(at as u8 & shift == 0));
            assert_eq!(L::stops(half), Plain::stops(half), "{name} {half:x?}");
            assert_eq!(L::same(half, &other), Plain::same(half, &other), "{name} {half:x?}");
            assert_eq!(L::few_digits(half), Plain::few_digits(half), "{name} {half:x?}");
        }
        let mut bits = 1_u64;
        for _ in 0..1000 {
            bits = bits.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
            for bits in [bits, 0, u64::MAX, 1 << 63] {
                assert_eq!(L::parity(bits), Plain::parity(bits), "{name} {bits:x}");
            }
        }
    }

    #[test]
    fn vectors_answer_as_one_would_byte_by_byte() {
        agrees::<sse2::Sse2>("SSE2");
        if avx2::is_here() {
            agrees::<avx2::Avx2>("AVX2");
        }
    }
}
