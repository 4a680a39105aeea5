//! Texts made to hurt a scanner that judges 64 bytes at a time: every token across a block's edge, and nesting around the width of a word.

/// Bytes of a block.
const BLOCK: usize = 64;

/// Tokens whole, broken, and of every kind; each is put where it fits and where it does not.
const TOKENS: &[&[u8]] = &[
    b"\"",
    b"\"\"",
    b"\"a\"",
    b"\"a\":",
    b"\"a\":1,",
    b"\\\"",
    b"\\\\",
    b"\\n",
    b"\\/",
    b"\\x",
    b"\\",
    b"\\u0041",
    b"\\u00e9",
    b"\\uD8",
    b"\\u12G4",
    b"\\ud83d\\ude00",
    b"\\ud83d",
    b"\\ude00",
    b"\\ud83d\\u0041",
    b"0",
    b"-",
    b"-0",
    b"12",
    b"1.5",
    b"1e9",
    b"1E+9",
    b"1.",
    b"1e",
    b"01",
    b"-1.25e-10",
    b"1795223619221",
    b"true",
    b"false",
    b"null",
    b"tru",
    b"nul",
    b"f",
    b"truex",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b"{}",
    b"[]",
    b"[[",
    b"]]",
    b"{\"a\":",
    b"}}",
    b"],",
    b"},\"b\":{",
    b" ",
    b"\n",
    b"\t",
    b"\r\n",
    b"\xc3\xa9",
    b"\xe4\xbc\x9a",
    b"\xf0\x9f\x98\x80",
    b"\xef\xbf\xbf",
    b"\xf4\x8f\xbf\xbf",
    b"\xef\xbb\xbf",
    b"\xe2\x80\xa8",
    b"\xc2\xa0",
    b"\x80",
    b"\xff",
    b"\xc3",
    b"\xc0\x80",
    b"\xe2\x82",
    b"\xe0\x80\x80",
    b"\xed\xa0\x80",
    b"\xf0\x9f\x98",
    b"\xf0\x80\x80\x80",
    b"\xf4\x90\x80\x80",
    b"\xf8\x88\x80\x80\x80",
    b"\0",
    b"\x1f",
    b"\x0b",
    b"\x7f",
    b"'a'",
    b"//",
];

/// Bytes of which long runs are made: white space between tokens, backslashes and letters in strings, brackets.
const RUNS: &[&[u8]] = &[
    b" ",
    b"\n",
    b"\t ",
    b"\r\n",
    b"\\",
    b"\\\\",
    b"x",
    b"\xc3\xa9",
    b"\xe4\xbc\x9a",
    b"[",
    b"]",
    b"0",
    b"\"",
    b"\x80",
];
const RUN_LENGTHS: &[usize] = &[60, 63, 64, 65, 126, 127, 128, 129, 200];

/// What stands behind a token: one of every class of bytes; and the end of the text.
const FOLLOWERS: &[&[u8]] = &[
    b"", b"\"", b"\\", b"{", b"}", b"[", b"]", b",", b":", b" ", b"\n", b"\t", b"0", b"1", b"-", b"+", b".",
    b"e", b"E", b"t", b"n", b"u", b"d", b"/", b"x", b"\0", b"\x1f", b"\x7f", b"\x80", b"\xbf", b"\xc3",
    b"\xe2", b"\xf0", b"\xff",
];

/// Where a token is put: what stands before the padding, the padding's byte, what stands after the follower.
const PLACES: &[(&str, u8, &str)] = &[
    // Inside a value, a key of an entry, a key of a member.
    ("{\"agent:main:x\":{\"m\":\"", b'y', "\",\"status\":\"done\"}}"),
    ("{\"", b'k', "\":{\"sessionId\":\"s\"}}"),
    ("{\"agent:main:x\":{\"a\":{\"", b'm', "\":1}},\"z\":null}"),
    // A value: the first of a list, a further one, of a member, of an entry.
    ("{\"agent:main:x\":{\"m\":[", b' ', " ,2]}}"),
    ("{\"agent:main:x\":{\"m\":[1,", b'\n', "\n]}}"),
    ("{\"agent:main:x\":{\"updatedAt\":", b' ', ",\"status\":\"done\"}}"),
    ("{\"agent:main:x\":", b' ', ",\"y\":{}}"),
    // Behind a value, before a key, behind a key, behind the root.
    ("{\"agent:main:x\":{\"m\":[1", b' ', ",2]}}"),
    ("{\"agent:main:x\":{", b'\n', "\"status\":\"done\"}}"),
    ("{\"agent:main:x\":{\"status\"", b' ', "\"done\"}}"),
    ("{\"agent:main:x\":{\"status\":\"done\"}}", b' ', ""),
];

/// Every token, in every place, at every offset of a block's edge, before every follower.
pub fn straddling() -> Vec<Vec<u8>> {
    let mut texts = Vec::new();
    for (index, token) in TOKENS.iter().enumerate() {
        for &place in PLACES {
            for before in 0..=token.len() + 1 {
                for follower in FOLLOWERS {
                    // The second or the third block's end: what a block hands on to the next is then not that of the first.
                    let edge = BLOCK * (2 + index % 2);
                    texts.push(at_edge(place, token, follower, edge - before));
                    if follower.is_empty() {
                        let mut cut = at_edge(place, token, follower, edge - before);
                        cut.truncate(edge - before + token.len());
                        texts.push(cut);
                    }
                }
            }
        }
    }
    texts
}

/// Long runs of one byte, in every place, ending around a block's edge.
pub fn runs() -> Vec<Vec<u8>> {
    let mut texts = Vec::new();
    for run in RUNS {
        for &length in RUN_LENGTHS {
            let token: Vec<u8> = run.iter().copied().cycle().take(length).collect();
            for &place in PLACES {
                for shift in [0, 1, 2, 31, 62, 63] {
                    for follower in
                        [&b""[..], b"\"", b"\\\"", b"\\", b"n", b",", b"]", b"}", b"1", b"\xa9", b"\0"]
                    {
                        texts.push(at_edge(place, &token, follower, BLOCK + shift));
                    }
                }
            }
        }
    }
    texts
}

/// `token` and `follower` in `place`, padded so that the token begins at `at`.
fn at_edge(place: (&str, u8, &str), token: &[u8], follower: &[u8], at: usize) -> Vec<u8> {
    let (front, padding, back) = place;
    let mut text = front.as_bytes().to_vec();
    text.resize(at.max(text.len()), padding);
    text.extend_from_slice(token);
    text.extend_from_slice(follower);
    text.extend_from_slice(back.as_bytes());
    text
}

/// How the kinds of containers follow each other in deep texts: whether the container at a level is an object.
const PATTERNS: [fn(usize) -> bool; 5] = [
    |_| false,
    |_| true,
    |level| level % 2 == 0,
    |level| level / 64 % 2 == 1,
    |level| level.wrapping_mul(0x9e37_79b9) >> 7 & 1 == 1,
];

/// Nesting of every depth around one, two and four words of bits, closed rightly and wrongly at every level.
pub fn nested() -> Vec<Vec<u8>> {
    let mut texts = Vec::new();
    for pattern in PATTERNS {
        for depth in (1..6).chain(58..71).chain(120..133).chain(254..258) {
            texts.push(tower(pattern, depth, None));
            for level in (0..depth).filter(|level| depth < 71 || level % 8 < 2 || level % 64 > 60) {
                texts.push(tower(pattern, depth, Some(level)));
            }
        }
    }
    texts
}

/// 100,000 levels, closed rightly, and wrongly at some.
pub fn abysses() -> Vec<Vec<u8>> {
    const DEPTH: usize = 100_000;
    let mut texts = Vec::new();
    for pattern in PATTERNS {
        texts.push(tower(pattern, DEPTH, None));
        for level in [0, 1, 62, 63, 64, 65, 127, 128, 50_000, 65_535, 65_536, DEPTH - 2, DEPTH - 1] {
            texts.push(tower(pattern, DEPTH, Some(level)));
        }
        let mut cut = tower(pattern, DEPTH, None);
        cut.truncate(cut.len() - 3);
        texts.push(cut);
    }
    texts
}

/// Containers in containers as the value of a member; `wrong` is the level that is closed by the other bracket.
fn tower(pattern: fn(usize) -> bool, depth: usize, wrong: Option<usize>) -> Vec<u8> {
    let mut text = b"{\"agent:main:x\":{\"m\":".to_vec();
    for level in 0..depth {
        text.extend_from_slice(if pattern(level) { b"{\"a\":" } else { b"[" });
    }
    text.extend_from_slice(b"null");
    for level in (0..depth).rev() {
        text.push(if pattern(level) != (wrong == Some(level)) { b'}' } else { b']' });
    }
    text.extend_from_slice(b",\"status\":\"done\"}}");
    text
}
