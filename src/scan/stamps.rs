//! The times that members of an entry state: numbers, nearly all of them plain integers of thirteen digits.

use super::automaton::{Captured, Kind};
use crate::model::entry::Stamp;

/// What a member says whose value is of that kind and has that text.
pub(super) fn stamp(kind: Kind, captured: Option<Captured<'_>>) -> Stamp {
    match (kind, captured) {
        (Kind::Number, Some(number)) if !number.cut => match integer(number.raw) {
            Some(integer) => Stamp::from_integer(integer),
            None => {
                let number = std::str::from_utf8(number.raw).ok().and_then(|text| text.parse().ok());
                number.map_or(Stamp::unusable(), Stamp::from_number)
            }
        },
        (Kind::Null, _) => Stamp::absent(),
        _ => Stamp::unusable(),
    }
}

/// Digits and nothing else, few enough that the double which Node makes of them is that integer.
pub fn integer(raw: &[u8]) -> Option<u64> {
    let (Some(first), Some(last)) = (raw.first_chunk(), raw.last_chunk()) else {
        return few_digits(raw);
    };
    let more = raw.len() - 8;
    let ten = TENS.get(more)?;
    // Of the last eight digits some are among the first eight: zeros stand for those.
    let own = u64::MAX.checked_shl(64 - 8 * more as u32).unwrap_or(0);
    let last = u64::from_le_bytes(*last) & own | ZEROS & !own;
    Some(eight_digits(u64::from_le_bytes(*first))? * ten + eight_digits(last)?)
}

/// What eight digits must be multiplied by for so many to follow.
const TENS: [u64; 8] = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000];

/// Eight times the digit 0.
const ZEROS: u64 = 0x3030_3030_3030_3030;

fn few_digits(raw: &[u8]) -> Option<u64> {
    raw.iter()
        .try_fold(0, |value, digit| digit.is_ascii_digit().then(|| 10 * value + u64::from(digit - b'0')))
}

/// Eight digits in one word, the first of them in the lowest byte: neighbours are put together, three times.
fn eight_digits(word: u64) -> Option<u64> {
    const HIGH: u64 = 0xf0f0_f0f0_f0f0_f0f0;
    // Six more is what takes a byte beyond `9` to the next sixteen.
    let is_digits = word & HIGH == ZEROS && word.wrapping_add(0x0606_0606_0606_0606) & HIGH == ZEROS;
    let pairs = ((word & !HIGH).wrapping_mul(10) + ((word & !HIGH) >> 8)) & 0x00ff_00ff_00ff_00ff;
    let fours = (pairs.wrapping_mul(100) + (pairs >> 16)) & 0x0000_ffff_0000_ffff;
    let eight = (fours.wrapping_mul(10_000) + (fours >> 32)) & 0xffff_ffff;
    is_digits.then_some(eight)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_integer_is_what_its_digits_say_and_nothing_else_is_one() {
        let digits = "902817263544159";
        for len in 1..=15 {
            assert_eq!(integer(&digits.as_bytes()[..len]), digits[..len].parse().ok());
            for at in 0..len {
                for odd in [b'/', b':', b'.', b'-', b'e', b' ', 0xb5, 0] {
                    let mut text = digits.as_bytes()[..len].to_vec();
                    text[at] = odd;
                    assert_eq!(integer(&text), None, "{text:x?}");
                }
            }
        }
        for len in [16, 17, 24, 100] {
            assert_eq!(integer(&vec![b'1'; len]), None);
        }
    }
}
