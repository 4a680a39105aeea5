//! 64 bytes as two vectors of 32, where the processor has AVX2.

#![allow(unsafe_code)]

use std::arch::x86_64::*;

use super::super::automaton::{Automaton, Stop, Visitor};
use super::flat::{self, Gaps};
use super::lanes::{BLOCK, HALF, Lanes, Marks, Text};
use super::run;

/// Whether this processor has everything that this module asks of it.
pub(super) fn is_here() -> bool {
    is_x86_feature_detected!("avx2")
        && is_x86_feature_detected!("bmi1")
        && is_x86_feature_detected!("bmi2")
        && is_x86_feature_detected!("lzcnt")
        && is_x86_feature_detected!("popcnt")
        && is_x86_feature_detected!("pclmulqdq")
}

/// Takes a window through the automaton.
///
/// # Safety
///
/// [`is_here`] must have said yes.
#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt,pclmulqdq")]
pub(super) unsafe fn run_here<V: Visitor>(
    automaton: &mut Automaton,
    window: &[u8],
    visitor: &mut V,
) -> Result<(), Stop> {
    run::<Avx2, V>(automaton, window, visitor)
}

/// Used by [`run_here`] alone, so that the processor has what the calls below need.
pub(super) struct Avx2;

impl Lanes for Avx2 {
    #[inline(always)]
    fn text(bytes: &[u8; BLOCK]) -> Text {
        // SAFETY: The processor has AVX2, see above.
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
        unsafe { _mm256_movemask_epi8(_mm256_cmpeq_epi8(load_half(bytes), load_half(others))) as u32 }
    }

    #[inline(always)]
    fn few_digits(bytes: &[u8; HALF]) -> u32 {
        // SAFETY: As in `text`.
        unsafe { few_digits(load_half(bytes)) }
    }

    fn flat<V: Visitor>(
        automaton: &mut Automaton,
        window: &[u8],
        at: usize,
        gaps: &mut Gaps,
        visitor: &mut V,
    ) -> usize {
        // SAFETY: As in `text`; `is_here` looks for all that `flat_here` asks for.
        unsafe { flat_here(automaton, window, at, gaps, visitor) }
    }

    #[inline(always)]
    fn parity(bits: u64) -> u64 {
        // SAFETY: As in `text`; `is_here` looks for PCLMULQDQ as well.
        unsafe { parity(bits) }
    }
}

#[inline(never)]
#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
fn flat_here<V: Visitor>(
    automaton: &mut Automaton,
    window: &[u8],
    at: usize,
    gaps: &mut Gaps,
    visitor: &mut V,
) -> usize {
    flat::run::<Avx2, V>(automaton, window, at, gaps, visitor)
}

type Vectors = [__m256i; 2];

#[inline]
#[target_feature(enable = "avx2")]
fn load(bytes: &[u8; BLOCK]) -> Vectors {
    let (low, high) = bytes.split_at(32);
    // SAFETY: Both halves hold the 32 bytes that are loaded, wherever they lie.
    unsafe { [_mm256_loadu_si256(low.as_ptr().cast()), _mm256_loadu_si256(high.as_ptr().cast())] }
}

#[inline]
#[target_feature(enable = "avx2")]
fn load_half(bytes: &[u8; HALF]) -> __m256i {
    // SAFETY: They are the 32 bytes that are loaded, wherever they lie.
    unsafe { _mm256_loadu_si256(bytes.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx2")]
fn stops(vector: __m256i) -> u32 {
    let same = |byte: u8| _mm256_cmpeq_epi8(vector, _mm256_set1_epi8(byte as i8));
    // Of signed bytes, those of 0x80 and above are less than all others.
    let odd = _mm256_cmpgt_epi8(_mm256_set1_epi8(0x20), vector);
    let stops = _mm256_or_si256(_mm256_or_si256(same(b'"'), same(b'\\')), odd);
    _mm256_movemask_epi8(stops) as u32
}

#[inline]
#[target_feature(enable = "avx2")]
fn few_digits(vector: __m256i) -> u32 {
    let from_zero = _mm256_sub_epi8(vector, _mm256_set1_epi8(b'0' as i8));
    let digits = _mm256_cmpeq_epi8(_mm256_min_epu8(from_zero, _mm256_set1_epi8(9)), from_zero);
    _mm256_movemask_epi8(digits) as u32
}

/// The highest bit of each byte.
#[inline]
#[target_feature(enable = "avx2")]
fn bits([low, high]: Vectors) -> u64 {
    u64::from(_mm256_movemask_epi8(low) as u32) | u64::from(_mm256_movemask_epi8(high) as u32) << 32
}

#[inline]
#[target_feature(enable = "avx2")]
fn equal(vectors: Vectors, byte: u8) -> u64 {
    let byte = _mm256_set1_epi8(byte as i8);
    bits(vectors.map(|vector| _mm256_cmpeq_epi8(vector, byte)))
}

/// Bytes in `first..=last`.
#[inline]
#[target_feature(enable = "avx2")]
fn between(vectors: Vectors, first: u8, last: u8) -> u64 {
    let (first, span) = (_mm256_set1_epi8(first as i8), _mm256_set1_epi8((last - first) as i8));
    bits(vectors.map(|vector| {
        let from_first = _mm256_sub_epi8(vector, first);
        _mm256_cmpeq_epi8(_mm256_min_epu8(from_first, span), from_first)
    }))
}

#[inline]
#[target_feature(enable = "avx2")]
fn text(vectors: Vectors) -> Text {
    Text {
        quote: equal(vectors, b'"'),
        backslash: equal(vectors, b'\\'),
        control: between(vectors, 0, 0x1f),
        high: bits(vectors),
    }
}

#[inline]
#[target_feature(enable = "avx2")]
fn marks(vectors: Vectors) -> Marks {
    // A byte is white if it is what this table holds for its lower four bits: 0x20, 9, 10, 13.
    let table = _mm256_broadcastsi128_si256(_mm_setr_epi8(
        0x20, -1, -1, -1, -1, -1, -1, -1, -1, 9, 10, -1, -1, 13, -1, -1,
    ));
    let white = vectors.map(|vector| _mm256_cmpeq_epi8(_mm256_shuffle_epi8(table, vector), vector));
    // `[` and `{`, and `]` and `}`, differ in this bit.
    let case = _mm256_set1_epi8(0x20);
    let folded = vectors.map(|vector| _mm256_or_si256(vector, case));
    let curly = vectors.map(|vector| _mm256_slli_epi16::<2>(vector));
    Marks {
        white: bits(white),
        open: equal(folded, b'{'),
        close: equal(folded, b'}'),
        colon: equal(vectors, b':'),
        comma: equal(vectors, b','),
        curly: bits(curly),
    }
}

#[inline]
#[target_feature(enable = "pclmulqdq")]
fn parity(bits: u64) -> u64 {
    let product = _mm_clmulepi64_si128::<0>(_mm_set_epi64x(0, bits as i64), _mm_set1_epi8(-1));
    _mm_cvtsi128_si64(product) as u64
}
