//! Which of many short texts, such as session ids, does a stream of bytes mention anywhere?
//!
//! No field is asked for, because later versions add fields: a text counts wherever it stands, in whatever case, in a
//! key, a value or a name around it. JSON escapes of ASCII characters are read. The stream may be of any size and come
//! in pieces of any size; what is kept are the texts and one buffer.

use memchr::memchr;

/// Bytes that are searched at a time.
const BUFFER: usize = 64 << 10;

/// Bits of the filter for each text.
const BITS_EACH: usize = 64;

/// How many first bytes of a text are looked up, the most first.
const WIDTHS: [usize; 4] = [8, 4, 2, 1];

/// Texts to look for, each with the number of its owner.
#[derive(Debug, Default)]
pub struct Wanted {
    /// In lower case, one after the other.
    bytes: Vec<u8>,
    texts: Vec<Text>,
    longest: usize,
}

#[derive(Clone, Copy, Debug)]
struct Text {
    start: u32,
    len: u16,
    owner: u32,
}

impl Wanted {
    /// Adds a text; an empty one, or one of more than 64 KiB, is mentioned nowhere.
    pub fn add(&mut self, text: &str, owner: u32) {
        let (Ok(start), Ok(len)) = (u32::try_from(self.bytes.len()), u16::try_from(text.len())) else {
            return;
        };
        if len > 0 {
            self.bytes.extend(text.bytes().map(|byte| byte.to_ascii_lowercase()));
            self.texts.push(Text { start, len, owner });
            self.longest = self.longest.max(text.len());
        }
    }

    /// How many there are; the next one gets this number.
    pub fn len(&self) -> usize {
        self.texts.len()
    }

    /// Whether there is nothing to look for.
    pub fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }

    /// Whether number `at` is `text`, which is in lower case.
    pub fn is(&self, at: u32, text: &str) -> bool {
        self.texts.get(at as usize).is_some_and(|known| {
            let start = known.start as usize;
            self.bytes[start..start + usize::from(known.len)] == *text.as_bytes()
        })
    }

    /// Makes it fit to be looked for.
    pub fn seal(self) -> Search {
        let tier = |at: usize| Tier::new(&self, WIDTHS[at], at.checked_sub(1).map(|before| WIDTHS[before]));
        let tiers = (0..WIDTHS.len()).map(tier).filter(|tier| !tier.heads.is_empty()).collect();
        Search { tiers, bytes: self.bytes, texts: self.texts, longest: self.longest }
    }
}

/// Texts that can be looked for.
#[derive(Debug)]
pub struct Search {
    bytes: Vec<u8>,
    texts: Vec<Text>,
    longest: usize,
    tiers: Vec<Tier>,
}

/// Texts by their first bytes, so many of them.
#[derive(Debug)]
struct Tier {
    width: usize,
    /// First bytes and number of a text, sorted.
    heads: Vec<(u64, u32)>,
    /// A bit for each hash of first bytes.
    filter: Vec<u64>,
    shift: u32,
}

impl Tier {
    /// Of texts of at least `width` bytes that are too short for the tier of the width `before`.
    fn new(wanted: &Wanted, width: usize, before: Option<usize>) -> Self {
        let belongs = |text: &Text| {
            usize::from(text.len) >= width && before.is_none_or(|before| usize::from(text.len) < before)
        };
        let of = |(at, text): (u32, &Text)| (head(&wanted.bytes[text.start as usize..], width), at);
        let mut heads: Vec<(u64, u32)> =
            (0..).zip(&wanted.texts).filter(|(_, text)| belongs(text)).map(of).collect();
        heads.sort_unstable();
        let bits = (heads.len() * BITS_EACH).next_power_of_two().max(64);
        let shift = 64 - bits.trailing_zeros();
        let mut tier = Tier { width, filter: vec![0; bits / 64], heads, shift };
        for at in 0..tier.heads.len() {
            let bit = tier.bit(tier.heads[at].0);
            tier.filter[bit / 64] |= 1 << (bit % 64);
        }
        tier
    }

    fn bit(&self, head: u64) -> usize {
        (head.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> self.shift) as usize
    }

    fn may_have(&self, head: u64) -> bool {
        let bit = self.bit(head);
        self.filter[bit / 64] >> (bit % 64) & 1 == 1
    }
}

/// The first `width` bytes as a number.
fn head(bytes: &[u8], width: usize) -> u64 {
    let mut head = [0; 8];
    head[..width].copy_from_slice(&bytes[..width]);
    u64::from_le_bytes(head)
}

impl Search {
    /// Whether there is nothing to look for.
    pub fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }

    /// Begins with a stream; `found` has a place for each owner.
    pub fn begin<'a>(&'a self, found: &'a mut [bool]) -> Stream<'a> {
        let buffer = Vec::with_capacity(BUFFER + self.longest);
        Stream { search: self, found, buffer, escape: Vec::new() }
    }

    fn look(&self, bytes: &[u8], found: &mut [bool]) {
        for tier in &self.tiers {
            let Some(last) = bytes.len().checked_sub(tier.width) else { continue };
            for at in 0..=last {
                let head = head(&bytes[at..], tier.width);
                if tier.may_have(head) {
                    self.compare(tier, head, &bytes[at..], found);
                }
            }
        }
    }

    #[cold]
    fn compare(&self, tier: &Tier, head: u64, bytes: &[u8], found: &mut [bool]) {
        let first = tier.heads.partition_point(|&(other, _)| other < head);
        for &(_, text) in tier.heads[first..].iter().take_while(|&&(other, _)| other == head) {
            let text = self.texts[text as usize];
            let start = text.start as usize;
            if bytes.starts_with(&self.bytes[start..start + usize::from(text.len)]) {
                found[text.owner as usize] = true;
            }
        }
    }
}

/// A stream that is looked at. What was fed last is looked at by [`Stream::end`].
#[must_use = "the end of a stream is looked at last"]
pub struct Stream<'a> {
    search: &'a Search,
    found: &'a mut [bool],
    /// In lower case, with escapes read.
    buffer: Vec<u8>,
    /// An escape that may go on.
    escape: Vec<u8>,
}

impl Stream<'_> {
    /// Takes in the next bytes.
    pub fn feed(&mut self, mut bytes: &[u8]) {
        if self.search.is_empty() {
            return;
        }
        while !bytes.is_empty() {
            let (now, later) = bytes.split_at(bytes.len().min(BUFFER / 2));
            self.unescape(now);
            bytes = later;
            if self.buffer.len() >= BUFFER / 2 {
                self.search.look(&self.buffer, self.found);
                let keep = self.buffer.len().min(self.search.longest - 1);
                self.buffer.drain(..self.buffer.len() - keep);
            }
        }
    }

    /// Looks at what is left; what comes next is another text.
    pub fn end(mut self) {
        self.give_up();
        self.search.look(&self.buffer, self.found);
    }

    fn unescape(&mut self, mut bytes: &[u8]) {
        while let Some((&first, rest)) = bytes.split_first() {
            if self.escape.is_empty() && first != b'\\' {
                let (plain, rest) = bytes.split_at(memchr(b'\\', bytes).unwrap_or(bytes.len()));
                self.fold(plain);
                bytes = rest;
                continue;
            }
            self.escape.push(first);
            self.go_on();
            bytes = rest;
        }
    }

    fn fold(&mut self, bytes: &[u8]) {
        let start = self.buffer.len();
        self.buffer.extend_from_slice(bytes);
        self.buffer[start..].make_ascii_lowercase();
    }

    /// Reads an escape as far as it came. What is none stands for itself.
    fn go_on(&mut self) {
        match self.escape.as_slice() {
            [_] | [_, b'u'] => {}
            [_, b'u', digits @ ..] if digits.iter().all(u8::is_ascii_hexdigit) => {
                if digits.len() == 4 {
                    let code =
                        std::str::from_utf8(digits).ok().and_then(|code| u8::from_str_radix(code, 16).ok());
                    match code.filter(u8::is_ascii) {
                        Some(byte) => {
                            self.buffer.push(byte.to_ascii_lowercase());
                            self.escape.clear();
                        }
                        None => self.give_up(),
                    }
                }
            }
            [.., b'\\'] if self.escape.len() > 2 => {
                self.escape.pop();
                self.give_up();
                self.escape.push(b'\\');
            }
            _ => self.give_up(),
        }
    }

    fn give_up(&mut self) {
        let escape = std::mem::take(&mut self.escape);
        self.fold(&escape);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn found(texts: &[&str], stream: &[u8], piece: usize) -> Vec<bool> {
        let mut wanted = Wanted::default();
        (0..).zip(texts).for_each(|(at, text)| wanted.add(text, at));
        let (search, mut found) = (wanted.seal(), vec![false; texts.len()]);
        let mut open = search.begin(&mut found);
        stream.chunks(piece.max(1)).for_each(|piece| open.feed(piece));
        open.end();
        found
    }

    const ID: &str = "0f908179-10f4-42bd-9ae3-d5d2feb993a0";

    #[test]
    fn a_text_counts_wherever_it_stands_and_in_any_case() {
        for stream in [
            ID.to_owned(),
            ID.to_uppercase(),
            format!("{{\"x\":\"/a/b/{ID}-topic-7.jsonl\"}}"),
            format!("{{\"agent:main:cron:j:run:{ID}\":{{}}}}"),
            format!("x{ID}x"),
            format!("{{\"sessionId\":\"\\u0030{}\"}}", &ID[1..]),
            format!("{{\"sessionId\":\"{}\\u002D{}\"}}", &ID[..8], &ID[9..]),
            format!("\\n{ID}"),
            format!("\\u12\\{ID}"),
            format!("\\u{ID}"),
        ] {
            for piece in [1, 7, 64, 1 << 20] {
                assert_eq!(found(&[ID, "other-id"], stream.as_bytes(), piece), [true, false], "{stream}");
            }
        }
    }

    #[test]
    fn what_is_not_there_is_not_found() {
        let other = ID.replace("a0", "a1");
        assert_eq!(found(&[ID], other.as_bytes(), 64), [false]);
        assert_eq!(found(&[ID], &ID.as_bytes()[..35], 64), [false]);
        assert_eq!(found(&[ID], format!("{}\n{}", &ID[..20], &ID[20..]).as_bytes(), 64), [false]);
        assert_eq!(found(&[ID], format!("{}\\\\u002d{}", &ID[..8], &ID[9..]).as_bytes(), 64), [false]);
        assert_eq!(found(&[], ID.as_bytes(), 64), [false; 0]);
    }

    #[test]
    fn short_texts_are_found_too() {
        let texts = ["a", "s1", "abc", "s-old", "s-other", "sessions"];
        assert_eq!(found(&texts, b"xx s-OLD yy s1", 3), [false, true, false, true, false, false]);
    }

    proptest! {
        #[test]
        fn it_finds_what_a_plain_search_finds(
            texts in proptest::collection::vec("[a-d]{1,12}", 1..40),
            stream in "[a-dA-D]{0,400}",
            piece in 1usize..50,
        ) {
            let plain: Vec<bool> = texts.iter().map(|text| stream.to_lowercase().contains(text.as_str())).collect();
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            prop_assert_eq!(found(&texts, stream.as_bytes(), piece), plain);
        }

        #[test]
        fn an_id_is_found_across_the_edge_of_the_buffer(before in 0usize..200) {
            let stream = format!("{}{ID}", "x".repeat(BUFFER / 2 - 100 + before));
            prop_assert_eq!(found(&[ID], stream.as_bytes(), BUFFER), [true]);
        }
    }
}
