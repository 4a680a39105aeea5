//! 64 bytes as four vectors of 16: what every x86-64 has.

#![allow(unsafe_code)]

use std::arch::x86_64::*;

use super::super::automaton::{Automaton, Visitor};
use super::flat::{self, Gaps};
use super::lanes::{BLOCK, HALF, Lanes, Marks, Text};

/// SSE2 belongs to x86-64: the calls below are never without it.
pub(super) struct Sse2;

impl Lanes for Sse2 {
    #[inline(always)]
    fn text(bytes: &[u8; BLOCK]) -> Text {
        // SAFETY: The processor has SSE2, see above.
        unsafe { text(load(bytes)) }
    }

    #[inline(always)]
    fn marks(bytes: &[u8; BLOCK]) -> Marks {
        // SAFETY: As in `text`.
        unsafe { marks(load(bytes)) }
    }

    #[inline(always)]
    fn digits(bytes: &[u8; BLOCK]) -> (u64, u64) {
        // SAFETY: As in `text`.
        unsafe { (between(load(bytes), b'0', b'9'), equal(load(bytes), b'0')) }
    }

    #[inline(always)]
    fn utf8(bytes: &[u8; BLOCK]) -> (u64, u64) {
        // SAFETY: As in `text`.
        unsafe { (between(load(bytes), 0x80, 0xbf), between(load(bytes), 0xf0, 0xff)) }
    }

    #[inline(always)]
    fn stops(bytes: &[u8; HALF]) -> u32 {
        // SAFETY: As in `text`.
        unsafe { stops(load_half(bytes)) }
    }

    #[inline(always)]
    fn same(bytes: &[u8; HALF], others: &[u8; HALF]) -> u32 {
        // SAFETY: As in `text`.
        unsafe {
            let ([a, b], [c, d]) = (load_half(bytes), load_half(others));
            few_bits([_mm_cmpeq_epi8(a, c), _mm_cmpeq_epi8(b, d)])
        }
    }

    #[inline(always)]
    fn few_digits(bytes: &[u8; HALF]) -> u32 {
        // SAFETY: As in `text`.
        unsafe { few_digits(load_half(bytes)) }
    }

    #[inline(never)]
    fn flat<V: Visitor>(
        automaton: &mut Automaton,
        window: &[u8],
        at: usize,
        gaps: &mut Gaps,
        visitor: &mut V,
    ) -> usize {
        flat::run::<Sse2, V>(automaton, window, at, gaps, visitor)
    }

    #[inline(always)]
    fn parity(mut bits: u64) -> u64 {
        for shift in [1, 2, 4, 8, 16, 32] {
            bits ^= bits << shift;
        }
        bits
    }
}

type Vectors = [__m128i; 4];

#[inline]
#[target_feature(enable = "sse2")]
fn load(bytes: &[u8; BLOCK]) -> Vectors {
    // SAFETY: Each quarter holds the 16 bytes that are loaded, wherever they lie.
    [0, 16, 32, 48].map(|at| unsafe { _mm_loadu_si128(bytes[at..at + 16].as_ptr().cast()) })
}

#[inline]
#[target_feature(enable = "sse2")]
fn load_half(bytes: &[u8; HALF]) -> [__m128i; 2] {
    // SAFETY: As in `load`.
    [0, 16].map(|at| unsafe { _mm_loadu_si128(bytes[at..at + 16].as_ptr().cast()) })
}

#[inline]
#[target_feature(enable = "sse2")]
fn few_bits(vectors: [__m128i; 2]) -> u32 {
    let [low, high] = vectors.map(|vector| _mm_movemask_epi8(vector) as u32);
    low | high << 16
}

#[inline]
#[target_feature(enable = "sse2")]
fn stops(vectors: [__m128i; 2]) -> u32 {
    few_bits(vectors.map(|vector| {
        let same = |byte: u8| _mm_cmpeq_epi8(vector, _mm_set1_epi8(byte as i8));
        // Of signed bytes, those of 0x80 and above are less than all others.
        let odd = _mm_cmplt_epi8(vector, _mm_set1_epi8(0x20));
        _mm_or_si128(_mm_or_si128(same(b'"'), same(b'\\')), odd)
    }))
}

#[inline]
#[target_feature(enable = "sse2")]
fn few_digits(vectors: [__m128i; 2]) -> u32 {
    few_bits(vectors.map(|vector| {
        let from_zero = _mm_sub_epi8(vector, _mm_set1_epi8(b'0' as i8));
        _mm_cmpeq_epi8(_mm_min_epu8(from_zero, _mm_set1_epi8(9)), from_zero)
    }))
}

/// The highest bit of each byte.
#[inline]
#[target_feature(enable = "sse2")]
fn bits(vectors: Vectors) -> u64 {
    let [a, b, c, d] = vectors.map(|vector| u64::from(_mm_movemask_epi8(vector) as u16));
    a | b << 16 | c << 32 | d << 48
}

#[inline]
#[target_feature(enable = "sse2")]
fn equal(vectors: Vectors, byte: u8) -> u64 {
    let byte = _mm_set1_epi8(byte as i8);
    bits(vectors.map(|vector| _mm_cmpeq_epi8(vector, byte)))
}

/// Bytes in `first..=last`.
#[inline]
#[target_feature(enable = "sse2")]
fn between(vectors: Vectors, first: u8, last: u8) -> u64 {
    let (first, span) = (_mm_set1_epi8(first as i8), _mm_set1_epi8((last - first) as i8));
    bits(vectors.map(|vector| {
        let from_first = _mm_sub_epi8(vector, first);
        _mm_cmpeq_epi8(_mm_min_epu8(from_first, span), from_first)
    }))
}

#[inline]
#[target_feature(enable = "sse2")]
fn text(vectors: Vectors) -> Text {
    Text {
        quote: equal(vectors, b'"'),
        backslash: equal(vectors, b'\\'),
        control: between(vectors, 0, 0x1f),
        high: bits(vectors),
    }
}

#[inline]
#[target_feature(enable = "sse2")]
fn marks(vectors: Vectors) -> Marks {
    // `[` and `{`, and `]` and `}`, differ in this bit.
    let case = _mm_set1_epi8(0x20);
    let folded = vectors.map(|vector| _mm_or_si128(vector, case));
    Marks {
        white: equal(vectors, b' ') | equal(vectors, b'\n') | equal(vectors, b'\r') | equal(vectors, b'\t'),
        open: equal(folded, b'{'),
        close: equal(folded, b'}'),
        colon: equal(vectors, b':'),
        comma: equal(vectors, b','),
        curly: bits(vectors.map(|vector| _mm_slli_epi16::<2>(vector))),
    }
}
