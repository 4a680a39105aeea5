//! Fails when the scanners that use vectors and the portable one tell different things of the same bytes:
//! a member, a place, a fault, a count.

use crate::recorded;
use sessions_doctor::scan::automaton::{Captured, Kind, Outcome, Visitor};
use sessions_doctor::scan::drive::{Scanner, drive_by};
use sessions_doctor::scan::source::MemorySource;

/// Writes down all it is told; wants every scalar and every object of the innermost level it is told of.
#[derive(Debug, Default, PartialEq, Eq)]
struct Witness {
    levels: u64,
    told: Vec<Told>,
}

#[derive(Debug, PartialEq, Eq)]
enum Told {
    Key(u64, u64, Vec<u8>, bool),
    Value(u64, u64, Kind),
    End(u64, u64, Option<(Vec<u8>, bool)>),
}

impl Visitor for Witness {
    fn key(&mut self, depth: u64, start: u64, key: Captured<'_>) {
        self.told.push(Told::Key(depth, start, key.raw.to_vec(), key.cut));
    }

    fn value(&mut self, depth: u64, start: u64, kind: Kind) -> bool {
        self.told.push(Told::Value(depth, start, kind));
        !matches!(kind, Kind::Array | Kind::Object) || depth == self.levels
    }

    fn value_end(&mut self, depth: u64, end: u64, text: Option<Captured<'_>>) {
        self.told.push(Told::End(depth, end, text.map(|text| (text.raw.to_vec(), text.cut))));
    }
}

fn scan(scanner: Scanner, text: &[u8], window: usize, levels: u64) -> (Outcome, Witness) {
    let mut witness = Witness { levels, ..Witness::default() };
    let mut source = MemorySource::new(text, window);
    let range = 0..text.len() as u64;
    let outcome = drive_by(scanner, &mut source, range, levels, &mut witness, &mut |_, _| Ok(())).unwrap();
    (outcome, witness)
}

/// Holds all scanners against the portable one, for windows of several sizes.
fn hold(text: &[u8]) {
    for levels in [0, 1, 2] {
        let expected = scan(Scanner::Portable, text, usize::MAX, levels);
        for scanner in Scanner::all() {
            for window in [usize::MAX, 1, 7, 64, 100, 129] {
                let told = scan(scanner, text, window, levels);
                let difference = difference(&told, &expected);
                assert!(
                    difference.is_none(),
                    "{} with windows of {window}, {levels} levels, of {:?}: {}",
                    scanner.name(),
                    String::from_utf8_lossy(text),
                    difference.unwrap()
                );
            }
        }
    }
}

/// The first thing that is told differently.
fn difference(told: &(Outcome, Witness), expected: &(Outcome, Witness)) -> Option<String> {
    let (ours, theirs) = (&told.1.told, &expected.1.told);
    let at = (0..ours.len().max(theirs.len())).find(|&at| ours.get(at) != theirs.get(at));
    match at {
        Some(at) => Some(format!("{:?} instead of {:?}", ours.get(at), theirs.get(at))),
        None => (told.0 != expected.0).then(|| format!("{:?} instead of {:?}", told.0, expected.0)),
    }
}

/// `text` at every distance from a block's front, and nested so deep that blocks are judged as a whole.
fn hold_everywhere(text: &[u8]) {
    for shift in 0..66 {
        let blanks = vec![b' '; shift];
        hold(&[&blanks, text, &[b'\n'; 70]].concat());
        hold(&[b"{\"a\":{\"b\":{\"c\":[", &blanks[..], text, b"]", &[b'\t'; 70], b"}}}"].concat());
        hold(&[b"{\"a\":{\"b\":{\"c\":[[", &blanks[..], text, b"],1, \"", &[b'x'; 70], b"\"]}}}"].concat());
    }
}

#[test]
fn the_recorded_cases_are_told_alike() {
    for case in recorded::cases() {
        hold(&case.input);
    }
}

#[test]
fn tokens_are_told_alike_wherever_blocks_part_them() {
    let texts: [&[u8]; 24] = [
        br#"{"key":"value","k\u0061y":[1,-2.5e+3,0,0.5,true,false,null],"":{"":[]}}"#,
        br#"["\\\"\\\\\"\\\\\\",{"a\\":"\u00e9\ud83d\ude00\/\b"}]"#,
        "[\"\u{e4}\u{20ac}\u{1f600}\u{1f600}\u{1f600}xx\u{e4}\", {\"\u{20ac}\": \"\u{20ac}\"}]".as_bytes(),
        b"[\"a\xff\", \"\xf0\x9f\x98\", \"\xe2\x82\", \"\x80\"]",
        b"[\"a\x01b\"]",
        br#"["\x"]"#,
        br#"["\u12g4"]"#,
        br#"["\u123"]"#,
        b"[01]",
        b"[0, 00]",
        b"[-]",
        b"[1.]",
        b"[1e+]",
        b"[tru]",
        b"[truex]",
        b"[nulll,1]",
        b"[123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890]",
        b"[-1.5e1234567890123456789012345678901234567890123456789012345678901234567890123456789012345]",
        b"{\"a\" \"b\"}",
        b"{\"a\":1,}",
        b"[1,]",
        b"[1 2]",
        b"{\"a\":[}",
        b"[\xc3\xa4]",
    ];
    for text in texts {
        hold_everywhere(text);
    }
}

#[test]
fn what_follows_what_is_judged_alike() {
    const TOKENS: [&str; 12] =
        ["{", "}", "[", "]", ",", ":", "\"a\"", "1", "-0.5", "null", " ", "\n  \"agent:x\": "];
    // All triples of tokens in an object and in an array, in one block and over two.
    for first in TOKENS {
        for second in TOKENS {
            for third in TOKENS {
                for (open, close) in
                    [("{\"x\":", "}"), ("[", "]"), ("{\"x\":1", "}"), ("{", "}"), ("[1", "]")]
                {
                    for padding in [0, 40] {
                        let text = format!(
                            "{{\"a\":{{\"b\":[{}{open}{first}{second}{third}{close}{}]}}}}",
                            " ".repeat(padding),
                            " ".repeat(64)
                        );
                        hold(text.as_bytes());
                    }
                }
            }
        }
    }
}

#[test]
fn nesting_is_told_alike_around_every_word_of_levels() {
    for depth in [1, 2, 3, 30, 61, 62, 63, 64, 65, 66, 127, 128, 129, 130, 1000] {
        for (open, close) in [("[", "]"), ("{\"a\":", "}"), ("[{\"a\":", "}]"), ("[{\"a\": ", " }\n]")] {
            for wrong in ["", "]", "}", "[", "{"] {
                let text = [&open.repeat(depth), "1", wrong, &close.repeat(depth)].concat();
                hold(text.as_bytes());
                hold(&[text.as_bytes(), &[b' '; 64]].concat());
            }
        }
    }
}

#[test]
fn seeded_mutants_are_told_alike() {
    let store: &[u8] = include_bytes!(
        "../../testdata/openclaw-2026.5.12/normal-then-crash/agents/main/sessions/sessions.json"
    );
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    for _ in 0..3000 {
        let from = random.below(store.len() - 1);
        let mut text = if random.below(3) == 0 { store[..from].to_vec() } else { store.to_vec() };
        for _ in 0..random.below(4) {
            let at = random.below(text.len().max(1)).min(text.len());
            match random.below(3) {
                0 => text.truncate(at.max(1)),
                1 => text.insert(at, BYTES[random.below(BYTES.len())]),
                _ if at < text.len() => text[at] = BYTES[random.below(BYTES.len())],
                _ => {}
            }
        }
        hold_once(&text, 64 + random.below(5000));
    }
}

const BYTES: &[u8] = b"\"\\{}[],:\n 0-etn\x00\x80\xc3\xe2\xf0\xff";

fn hold_once(text: &[u8], window: usize) {
    let expected = scan(Scanner::Portable, text, usize::MAX, 2);
    for scanner in Scanner::all() {
        let difference = difference(&scan(scanner, text, window, 2), &expected);
        assert!(
            difference.is_none(),
            "{} with windows of {window}, of {:?}: {}",
            scanner.name(),
            String::from_utf8_lossy(text),
            difference.unwrap()
        );
    }
}

struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
        ((self.0 >> 33) % end as u64) as usize
    }
}
