//! Strings as Node sees them: raw JSON text to WTF-8.
//!
//! WTF-8 is UTF-8 in which a lone surrogate may stand as its three bytes; it is the only form in which two
//! keys are equal exactly when Node takes them for equal.

use std::borrow::Cow;

/// Decodes what stands between the quotes of a JSON string that the automaton has accepted, or the front of it.
///
/// Invalid UTF-8 becomes U+FFFD and escapes become what they mean; a high and a low surrogate escape in a
/// row become one character, a lone one stays a surrogate.
pub fn decode(raw: &[u8]) -> Cow<'_, [u8]> {
    match plain(raw) {
        Some(text) => Cow::Borrowed(text.as_bytes()),
        None => Cow::Owned(decode_slowly(raw)),
    }
}

/// What stands between the quotes, where that is the text itself: no escape, nothing but UTF-8.
pub fn plain(raw: &[u8]) -> Option<&str> {
    if all(raw, |byte| byte != b'\\') { simdutf8::basic::from_utf8(raw).ok() } else { None }
}

/// Whether all bytes are good. Sixteen at a time, which a compiler makes one step of; the last may be looked at twice.
#[inline(always)]
pub fn all(text: &[u8], good: impl Fn(u8) -> bool + Copy) -> bool {
    let are = |all: bool, bytes: &[u8]| bytes.iter().fold(all, |all, &byte| all & good(byte));
    match text.last_chunk::<16>() {
        Some(last) => text.as_chunks::<16>().0.iter().fold(are(true, last), |all, chunk| are(all, chunk)),
        None => are(true, text),
    }
}

/// Whether an id is as long as a UUID and has no other letters: then it may stand wherever an id may. Told quickly.
pub fn is_uuid_like(id: &[u8]) -> bool {
    id.len() == 36 && id[0] != b'-' && all(id, |byte| matches!(byte, b'0'..=b'9' | b'a'..=b'z' | b'-'))
}

fn decode_slowly(raw: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(raw.len());
    let mut rest = raw;
    let mut high: Option<u16> = None;
    while let Some(at) = rest.iter().position(|&byte| byte == b'\\') {
        if at > 0 {
            flush(&mut text, &mut high);
            push_raw(&mut text, &rest[..at]);
        }
        let (unit, used) = escape(&rest[at + 1..]);
        push_unit(&mut text, &mut high, unit);
        rest = rest.get(at + 1 + used..).unwrap_or_default();
    }
    if !rest.is_empty() {
        flush(&mut text, &mut high);
        push_raw(&mut text, rest);
    }
    flush(&mut text, &mut high);
    text
}

/// WTF-8 for people: lone surrogates become U+FFFD.
pub fn to_display(text: &[u8]) -> String {
    match std::str::from_utf8(text) {
        Ok(text) => text.to_owned(),
        Err(_) => String::from_utf8_lossy(text).into_owned(),
    }
}

fn push_raw(text: &mut Vec<u8>, raw: &[u8]) {
    match std::str::from_utf8(raw) {
        Ok(_) => text.extend_from_slice(raw),
        Err(_) => text.extend_from_slice(String::from_utf8_lossy(raw).as_bytes()),
    }
}

/// The UTF-16 unit of an escape, and how many bytes follow the backslash.
fn escape(after: &[u8]) -> (u16, usize) {
    let plain = |byte: u8| (u16::from(byte), 1);
    match after.first().copied().unwrap_or(b'\\') {
        b'b' => plain(0x08),
        b'f' => plain(0x0c),
        b'n' => plain(b'\n'),
        b'r' => plain(b'\r'),
        b't' => plain(b'\t'),
        b'u' => {
            let digits = after.get(1..5).unwrap_or_default();
            let value = digits.iter().fold(0, |value, &digit| value << 4 | hex(digit));
            (value, 1 + digits.len())
        }
        other => plain(other),
    }
}

fn hex(digit: u8) -> u16 {
    (digit as char).to_digit(16).unwrap_or(0) as u16
}

fn push_unit(text: &mut Vec<u8>, high: &mut Option<u16>, unit: u16) {
    match (high.take(), unit) {
        (Some(first), 0xdc00..=0xdfff) => {
            let scalar = 0x10000 + (u32::from(first - 0xd800) << 10) + u32::from(unit - 0xdc00);
            push_scalar(text, scalar);
        }
        (first, _) => {
            if let Some(first) = first {
                push_scalar(text, u32::from(first));
            }
            if (0xd800..0xdc00).contains(&unit) {
                *high = Some(unit);
            } else {
                push_scalar(text, u32::from(unit));
            }
        }
    }
}

fn flush(text: &mut Vec<u8>, high: &mut Option<u16>) {
    if let Some(first) = high.take() {
        push_scalar(text, u32::from(first));
    }
}

/// A code point, surrogates included, in generalised UTF-8.
fn push_scalar(text: &mut Vec<u8>, scalar: u32) {
    match char::from_u32(scalar) {
        Some(char) => text.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes()),
        None => text.extend_from_slice(&[
            0xe0 | (scalar >> 12) as u8,
            0x80 | (scalar >> 6 & 0x3f) as u8,
            0x80 | (scalar & 0x3f) as u8,
        ]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_and_surrogates_become_what_node_makes_of_them() {
        let cases: [(&[u8], &[u8]); 11] = [
            (br#"a\u0062\n\/\"\\"#, b"ab\n/\"\\"),
            (br"\ud83d\ude00", "\u{1f600}".as_bytes()),
            (br"\ud83dx", b"\xed\xa0\xbdx"),
            (br"\ude00\ud83d", b"\xed\xb8\x80\xed\xa0\xbd"),
            (br"\ud83d\ud83d\ude00", b"\xed\xa0\xbd\xf0\x9f\x98\x80"),
            (b"a\xff\xfeb", "a\u{fffd}\u{fffd}b".as_bytes()),
            (b"\xed\xa0\xbd", "\u{fffd}\u{fffd}\u{fffd}".as_bytes()),
            (b"", b""),
            // Cut in the middle of an escape.
            (br"ab\u", b"ab\0"),
            (br"ab\u00", b"ab\x0000"),
            (b"ab\\", b"ab\\"),
        ];
        for (raw, expected) in cases {
            assert_eq!(*decode(raw), *expected, "{raw:x?}");
        }
    }
}
