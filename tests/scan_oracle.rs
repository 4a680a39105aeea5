//! Fails when the scanner and Node disagree about a store: whether it loads, how many keys it has, what the
//! entries say, where it breaks. OpenClaw reads with `JSON.parse`, so every disagreement is a bug here.

#![allow(clippy::unwrap_used)]

use base64::Engine;
use serde_json::Value;
use sessions_doctor::model::entry::{Entry, Flags, Stamp, Status, hash};
use sessions_doctor::model::key::{Shape, fold_run_key};
use sessions_doctor::scan::automaton::Kind;
use sessions_doctor::scan::entries::{KeyContext, Scan, scan};
use sessions_doctor::scan::members;
use sessions_doctor::scan::source::MemorySource;

#[path = "support/node.rs"]
mod node;

const CASES: &str = include_str!("../testdata/oracle/cases.jsonl");

fn scan_with(input: &[u8], window: usize) -> Scan {
    let context = KeyContext { main_key: "main", marks: &|_, _| Flags::NONE };
    scan(&mut MemorySource::new(input, window), &context, &mut |_| Ok(())).unwrap()
}

/// UTF-16 units to WTF-8, by the JSON decoder of the standard library where it can, by hand for surrogates.
fn wtf8(units: &Value) -> Vec<u8> {
    let units: Vec<u16> =
        units.as_array().unwrap().iter().map(|unit| unit.as_u64().unwrap() as u16).collect();
    let mut text = Vec::new();
    for unit in char::decode_utf16(units) {
        match unit {
            Ok(char) => text.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes()),
            Err(lone) => {
                let unit = lone.unpaired_surrogate();
                text.extend([
                    0xe0 | (unit >> 12) as u8,
                    0x80 | (unit >> 6 & 63) as u8,
                    0x80 | (unit & 63) as u8,
                ]);
            }
        }
    }
    text
}

/// Everything in which the scanner and the judgment differ.
fn disagreement(input: &[u8], told: &Value, scan: &Scan) -> Option<String> {
    let valid = scan.outcome.fault.is_none() && !scan.bom;
    if told["valid"] != valid {
        return Some(format!(
            "valid: node {}, scanner {:?}, bom {}",
            told["valid"], scan.outcome.fault, scan.bom
        ));
    }
    if !valid {
        return position_differs(told, scan);
    }
    let kind = match scan.outcome.root.unwrap() {
        Kind::Object => "object",
        Kind::Array => "array",
        Kind::String => "string",
        Kind::Number => "number",
        Kind::Bool => "boolean",
        Kind::Null => "null",
    };
    if told["kind"] != kind {
        return Some(format!("kind: node {}, scanner {kind}", told["kind"]));
    }
    if told["utf16Length"] != scan.outcome.units {
        return Some(format!("length: node {}, scanner {}", told["utf16Length"], scan.outcome.units));
    }
    if let Some(keys) = told["keys"].as_u64()
        && keys != scan.live().count() as u64
    {
        return Some(format!("keys: node {keys}, scanner {}", scan.live().count()));
    }
    let facts = told["facts"].as_array()?;
    let mut source = MemorySource::new(input, 64);
    let mut live = Vec::new();
    for entry in scan.live() {
        live.push((members::key(&mut source, entry.start()).unwrap(), *entry));
    }
    facts.iter().find_map(|fact| {
        let key = wtf8(&fact["key"]);
        match live.iter().find(|(known, _)| *known == key) {
            None => Some(format!("no entry {:?}", String::from_utf8_lossy(&key))),
            Some((_, entry)) => fact_differs(fact, entry).map(|what| format!("{what} of {fact}: {entry:?}")),
        }
    })
}

/// Node tells a position for most faults; where it does, it has to be ours.
fn position_differs(told: &Value, scan: &Scan) -> Option<String> {
    let fault = scan.outcome.fault.as_ref()?;
    let position = told["position"].as_u64()?;
    (!scan.bom && position != fault.position).then(|| format!("position: node {position}, scanner {fault:?}"))
}

fn fact_differs(fact: &Value, entry: &Entry) -> Option<&'static str> {
    if fact["object"] == entry.is(Flags::NOT_OBJECT) {
        return Some("object");
    }
    if fact["object"] == false {
        return None;
    }
    let text = |name: &str| fact[name].as_array().map(|_| wtf8(&fact[name]));
    if entry.session != text("sessionId").as_deref().map_or(0, hash) {
        return Some("sessionId");
    }
    let status = text("status").map_or(Status::Absent, |text| Status::from_text(&text));
    if entry.status != status && !(status == Status::Absent && entry.status == Status::Other) {
        return Some("status");
    }
    let parent =
        text("spawnedBy").and_then(|parent| String::from_utf8(parent).ok()).filter(|key| !key.is_empty());
    if entry.shape == Shape::SubAgent
        && entry.kin != parent.map_or(0, |key| hash(fold_run_key(&key.to_lowercase()).as_bytes()))
    {
        return Some("spawnedBy");
    }
    for (name, stamp) in
        [("updatedAt", entry.updated_at), ("startedAt", entry.started_at), ("endedAt", entry.ended_at)]
    {
        let expected = match fact[name].as_str() {
            None if stamp.is_absent() => Stamp::absent(),
            None => Stamp::unusable(),
            Some(number) => number.parse().map_or(Stamp::unusable(), Stamp::from_number),
        };
        if stamp != expected {
            return Some(name);
        }
    }
    None
}

#[test]
fn the_recorded_judgments_of_node_hold_for_every_window() {
    let mut differing = Vec::new();
    let mut cases = 0;
    for line in CASES.lines() {
        let case: Value = serde_json::from_str(line).unwrap();
        let input =
            base64::engine::general_purpose::STANDARD.decode(case["input"].as_str().unwrap()).unwrap();
        cases += 1;
        let whole = scan_with(&input, usize::MAX);
        for window in [usize::MAX, 1, 7, 64] {
            let scan = scan_with(&input, window);
            let same = (&scan.entries, &scan.outcome, &scan.fields)
                == (&whole.entries, &whole.outcome, &whole.fields);
            let problem = disagreement(&input, &case, &scan).or((!same).then(|| "windows differ".to_owned()));
            if let Some(problem) = problem {
                differing.push(format!("{} (window {window}): {problem}", case["name"]));
                break;
            }
        }
    }
    assert!(cases >= 600, "only {cases} cases");
    assert!(differing.is_empty(), "{} of {cases} differ:\n{}", differing.len(), differing.join("\n"));
}

#[test]
fn a_live_node_agrees_about_mutated_stores() {
    let Some(mut node) = node::Node::or_skip("mutated stores against a live Node") else { return };
    let seeds: [&[u8]; 3] = [
        include_bytes!("../testdata/openclaw-2026.5.12/normal-then-crash/agents/main/sessions/sessions.json"),
        b"{\"a\":{\"sessionId\":\"\\ud83d\\ude00\\u0061\",\"status\":\"running\",\"updatedAt\":1e3},\"b\":[1,2.5e-3,{}],\"\\u0061\":null}",
        "{ \"k\u{fffd}\": {\"startedAt\": -0.0, \"x\": [true, false, null, \"\u{1f600}\"]}, \"__proto__\": {} }\r\n".as_bytes(),
    ];
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut differing = Vec::new();
    for round in 0..3000 {
        let mut input = seeds[round % seeds.len()].to_vec();
        input.truncate(4000.min(input.len()));
        if round % 5 != 0 {
            for _ in 0..1 + random.below(3) {
                mutate(&mut input, &mut random);
            }
        }
        let told = node.judge(&input);
        let scan = scan_with(&input, 1 + random.below(200));
        if let Some(problem) = disagreement(&input, &told, &scan) {
            differing.push(format!("{problem}: {:?}", String::from_utf8_lossy(&input)));
        }
    }
    assert!(differing.is_empty(), "{} differ, first: {}", differing.len(), differing[0]);
}

fn mutate(input: &mut Vec<u8>, random: &mut Random) {
    const TOKENS: [&[u8]; 24] = [
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
        b"\0",
        b"\xff",
        b"\xed\xa0\x80",
        b"\xf0\x9f",
        b"\\u",
        b"\\ud83d",
        b"1e999",
        b"-",
        b"0",
        b"null",
        b"\xef\xbb\xbf",
        b"\x7f",
        b"\"updatedAt\":1,",
        b"{}",
    ];
    let at = random.below(input.len() + 1);
    let token = TOKENS[random.below(TOKENS.len())];
    match random.below(5) {
        0 => input.truncate(at),
        1 if at < input.len() => drop(input.remove(at)),
        2 if at < input.len() => input[at] = random.below(256) as u8,
        3 if at < input.len() => {
            let end = (at + random.below(20)).min(input.len());
            let part = input[at..end].to_vec();
            let to = random.below(input.len() + 1);
            input.splice(to..to, part);
        }
        _ => drop(input.splice(at..at, token.iter().copied())),
    }
}

/// xorshift64*: the same mutants every time.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % limit.max(1)
    }
}
