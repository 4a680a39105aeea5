//! Store texts by chance: valid ones of every style, and ways to damage them. The same seed gives the same text.

use std::ops::Range;

/// splitmix64.
pub struct Random(u64);

impl Random {
    /// Chance that follows from `seed`.
    pub fn new(seed: u64) -> Self {
        Random(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Below `limit`; 0 where that is 0.
    pub fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }

    fn within(&mut self, range: Range<usize>) -> usize {
        range.start + self.below(range.len())
    }

    fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }

    fn pick<'a, T: ?Sized>(&mut self, list: &[&'a T]) -> &'a T {
        list[self.below(list.len())]
    }
}

const MEMBERS: &[&str] = &[
    "sessionId",
    "sessionFile",
    "updatedAt",
    "startedAt",
    "endedAt",
    "status",
    "chatType",
    "origin",
    "spawnedBy",
    "pinnedAt",
    "acp",
    "goal",
    "skillsSnapshot",
    "label",
    "model",
    "x",
    "",
];
const KEYS: &[&str] = &[
    "agent:main:main",
    "agent:main:cron:j1:run:r1",
    "agent:main:cron:j1",
    "agent:main:subagent:s1",
    "agent:main:telegram:group:1",
    "Agent:Main:X",
    "global",
    "__proto__",
    "10",
    "",
];
const TEXTS: &[&str] =
    &["running", "done", "failed", "group", "direct", "/a/r1.jsonl", "agent:main:main", "../x"];
const ESCAPES: &[&str] = &[
    "\\\"",
    "\\\\",
    "\\/",
    "\\b",
    "\\f",
    "\\n",
    "\\r",
    "\\t",
    "\\u0061",
    "\\u00E9",
    "\\uFFFF",
    "\\ud83d\\ude00",
];
const SURROGATES: &[&str] = &["\\ud83d", "\\ude00", "\\ude00\\ud83d", "\\ud83dx", "\\uD83D\\n"];
const LETTERS: &[&str] =
    &["é", "ß", "会", "話", "\u{2028}", "\u{fffd}", "\u{ffff}", "😀", "\u{10ffff}", "\u{7f}"];
const ILL_FORMED: &[&[u8]] = &[
    b"\x80",
    b"\xff",
    b"\xc3",
    b"\xc0\x80",
    b"\xe2\x82",
    b"\xe0\x80\x80",
    b"\xed\xa0\x80",
    b"\xf0\x9f\x98",
    b"\xf4\x90\x80\x80",
    b"\xf8\x88\x80\x80\x80",
];
const NUMBERS: &[&str] = &[
    "0",
    "-0",
    "7",
    "-12",
    "0.5",
    "1.25",
    "1e3",
    "1E+3",
    "2e-3",
    "1795223619221",
    "1795223619221.5",
    "9007199254740993",
    "1e999",
    "-1e-999",
    "123456789012345678901234567890123456789012345678901234567890123456789",
];

/// How a text is laid out.
#[derive(Clone, Copy)]
enum Style {
    Compact,
    Indented,
    Wild,
}

struct Writer<'a> {
    random: &'a mut Random,
    style: Style,
    text: Vec<u8>,
}

/// A valid store of up to some KB.
pub fn store(random: &mut Random) -> Vec<u8> {
    let style = [Style::Compact, Style::Indented, Style::Indented, Style::Wild][random.below(4)];
    let mut writer = Writer { random, style, text: Vec::new() };
    writer.space(0);
    writer.entries();
    writer.space(0);
    writer.text
}

impl Writer<'_> {
    fn push(&mut self, part: impl AsRef<[u8]>) {
        self.text.extend_from_slice(part.as_ref());
    }

    fn entries(&mut self) {
        let count = self.random.below(7);
        self.push("{");
        for at in 0..count {
            self.separate(at, 1);
            let key = self.random.pick(KEYS);
            if self.random.one_in(3) {
                self.string()
            } else {
                self.name(key)
            }
            self.colon();
            if self.random.one_in(8) { self.value(2) } else { self.entry() }
        }
        self.close(count, 0, "}");
    }

    fn entry(&mut self) {
        let count = self.random.below(9);
        self.push("{");
        for at in 0..count {
            self.separate(at, 2);
            let name = self.random.pick(MEMBERS);
            self.name(name);
            self.colon();
            let depth = 3;
            match self.random.below(6) {
                0 => self.value(depth),
                1 | 2 => {
                    let number = self.random.pick(NUMBERS);
                    self.push(number);
                }
                3 => self.string(),
                _ => {
                    let text = self.random.pick(TEXTS);
                    self.name(text);
                }
            }
        }
        self.close(count, 1, "}");
    }

    fn value(&mut self, depth: usize) {
        match self.random.below(if depth > 6 { 5 } else { 9 }) {
            0 => self.push("null"),
            1 => self.push(if depth.is_multiple_of(2) { "true" } else { "false" }),
            2 => {
                let number = self.random.pick(NUMBERS);
                self.push(number);
            }
            3 | 4 => self.string(),
            5 | 6 => self.list(depth),
            7 => self.object(depth),
            _ => self.tower(),
        }
    }

    fn list(&mut self, depth: usize) {
        let count = self.random.below(5);
        self.push("[");
        for at in 0..count {
            self.separate(at, depth);
            self.value(depth + 1);
        }
        self.close(count, depth - 1, "]");
    }

    fn object(&mut self, depth: usize) {
        let count = self.random.below(4);
        self.push("{");
        for at in 0..count {
            self.separate(at, depth);
            self.string();
            self.colon();
            self.value(depth + 1);
        }
        self.close(count, depth - 1, "}");
    }

    /// Containers in containers, around one and two words of nesting bits.
    fn tower(&mut self) {
        let levels = [1, 2, 58, 61, 63, 64, 65, 66, 125, 128, 130][self.random.below(11)];
        let kinds: Vec<bool> = (0..levels).map(|_| self.random.one_in(2)).collect();
        kinds.iter().for_each(|&object| self.push(if object { "{\"a\":" } else { "[" }));
        self.push("1");
        kinds.iter().rev().for_each(|&object| self.push(if object { "}" } else { "]" }));
    }

    fn name(&mut self, name: &str) {
        self.push("\"");
        match name.char_indices().nth(2) {
            // The same name, spelled otherwise.
            Some((at, letter)) if letter.is_ascii_alphabetic() && self.random.one_in(12) => {
                let escaped = format!("{}\\u{:04x}{}", &name[..at], letter as u32, &name[at + 1..]);
                self.push(escaped);
            }
            _ => self.push(name),
        }
        self.push("\"");
    }

    fn string(&mut self) {
        self.push("\"");
        for _ in 0..self.random.below(4) {
            match self.random.below(9) {
                0..3 => {
                    let count = self.random.below(130);
                    self.push("abcdefgh {}[]:,'0-1/".repeat(7).get(..count).unwrap_or_default());
                }
                3 => {
                    let count = 2 * self.random.below(70);
                    self.push("\\".repeat(count));
                }
                4 | 5 => {
                    let escape = self.random.pick(ESCAPES);
                    self.push(escape);
                }
                6 => {
                    let letter = self.random.pick(LETTERS);
                    let count = self.random.within(1..40);
                    self.push(letter.repeat(count));
                }
                7 => {
                    let bytes = self.random.pick(ILL_FORMED);
                    self.push(bytes);
                }
                _ => {
                    let surrogate = self.random.pick(SURROGATES);
                    self.push(surrogate);
                }
            }
        }
        self.push("\"");
    }

    fn separate(&mut self, at: usize, depth: usize) {
        if at > 0 {
            if matches!(self.style, Style::Wild) {
                self.space(depth);
            }
            self.push(",");
        }
        self.space(depth);
    }

    fn colon(&mut self) {
        match self.style {
            Style::Compact => self.push(":"),
            Style::Indented => self.push(": "),
            Style::Wild => {
                self.space(0);
                self.push(":");
                self.space(0);
            }
        }
    }

    fn close(&mut self, count: usize, depth: usize, with: &str) {
        if count > 0 || matches!(self.style, Style::Wild) {
            self.space(depth);
        }
        self.push(with);
    }

    fn space(&mut self, depth: usize) {
        match self.style {
            Style::Compact => {}
            Style::Indented if depth == 0 && self.text.is_empty() => {}
            Style::Indented => {
                self.push("\n");
                self.push("  ".repeat(depth));
            }
            Style::Wild => {
                let runs = self.random.below(3);
                for _ in 0..runs {
                    let count = if self.random.one_in(6) {
                        self.random.within(60..200)
                    } else {
                        self.random.below(4)
                    };
                    let blank = self.random.pick(&[" ", " ", "\n", "\t", "\r", "\r\n"]);
                    self.push(blank.repeat(count));
                }
            }
        }
    }
}

const TOKENS: &[&[u8]] = &[
    b"\"",
    b"\\",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b"\n",
    b" ",
    b"\t",
    b"\r",
    b"\0",
    b"\x1f",
    b"\x7f",
    b"\xff",
    b"\x80",
    b"\xc3",
    b"\xed\xa0\x80",
    b"\xf0\x9f",
    b"\\u",
    b"\\ud83d",
    b"\\\"",
    b"\\\\",
    b"1e999",
    b"-",
    b"+",
    b".",
    b"0",
    b"e",
    b"null",
    b"true",
    b"nul",
    b"\xef\xbb\xbf",
    b"\xc2\xa0",
    b"\"updatedAt\":1,",
    b"{}",
    b"[]",
    b"//",
    b"'",
];

/// Damages a text at one place, or moves what stands behind it.
pub fn mutate(text: &mut Vec<u8>, random: &mut Random) {
    let at = random.below(text.len() + 1);
    match random.below(10) {
        0 => text.truncate(at),
        1 if at < text.len() => drop(text.remove(at)),
        2 if at < text.len() => text[at] = random.below(256) as u8,
        3 if at < text.len() => text[at] ^= 1 << random.below(8),
        4 if at < text.len() => {
            let end = (at + random.below(70)).min(text.len());
            let part = text[at..end].to_vec();
            let to = random.below(text.len() + 1);
            text.splice(to..to, part);
        }
        5 if at < text.len() => {
            let end = (at + random.below(70)).min(text.len());
            text.drain(at..end);
        }
        6 => {
            let blanks = vec![b' '; random.within(1..130)];
            text.splice(at..at, blanks);
        }
        7 => {
            let backslashes = vec![b'\\'; random.within(1..70)];
            text.splice(at..at, backslashes);
        }
        _ => {
            let token = random.pick(TOKENS);
            text.splice(at..at, token.iter().copied());
        }
    }
}
