//! Prevents a tool that runs out of memory on the store of a loop that ran for months: a hundred bytes an entry, whatever
//! the entries are.

use std::fmt::Write as _;

use crate::peak::peak;
use crate::world::*;

/// Bytes that an entry may take.
const EACH: u64 = 100;

/// What both stores take alike, such as windows, is not counted.
const FEW: u64 = 15_000;
const MANY: u64 = 115_000;

/// Days ago: over, past every retention and grace.
const OLD: i64 = NOW - 60 * DAY;

/// A UUID of its own for each kind and number.
fn uuid(kind: u64, at: u64) -> String {
    let mixed = (at + (kind << 32) + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    format!("{:08x}-{:04x}-4{:03x}-8{:03x}-{at:012x}", mixed >> 32, mixed >> 16 & 0xffff, mixed & 0xfff, kind)
}

/// Entry number `at`: what stands behind `agent:main:`, the session, and what is special about it.
type Entry = fn(u64) -> (String, String);

fn base_of(at: u64) -> String {
    format!("cron:{}", uuid(1, at))
}

fn sub_agent(at: u64) -> String {
    format!("subagent:{}", uuid(2, at))
}

const SHAPES: [(&str, Entry); 5] = [
    ("records of one job", |at| (format!("{}:run:{}", base_of(0), uuid(3, at)), r#""status":"done""#.into())),
    ("bases that say running", |at| (base_of(at), r#""status":"running""#.into())),
    ("a record of a job of its own", |at| {
        (format!("{}:run:{}", base_of(at), uuid(3, at)), r#""status":"done""#.into())
    }),
    ("a base and its record", |at| match at % 2 {
        0 => (base_of(at), r#""status":"done""#.into()),
        _ => (format!("{}:run:{}", base_of(at - 1), uuid(3, at)), r#""status":"done""#.into()),
    }),
    ("sub-agents, each the parent of the one before", |at| {
        let parent = sub_agent(at + 1);
        (sub_agent(at), format!(r#""spawnedBy":"agent:main:{parent}","status":"done""#))
    }),
];

fn world_of(entry: Entry, count: u64) -> World {
    let world = World::new();
    let mut text = "{".to_owned();
    for at in 0..count {
        let ((key, more), time) = (entry(at), OLD + at as i64 * 1000);
        let (comma, session) = (if at > 0 { "," } else { "" }, uuid(3, at));
        write!(
            text,
            "{comma}\n  \"agent:main:{key}\": {{\"sessionId\":\"{session}\",\"updatedAt\":{time},\"endedAt\":{time},{more}}}"
        )
        .unwrap();
    }
    world.put("cron/jobs.json", jobs(&[JOB]));
    world.put(STORE, text + "\n}\n");
    world
}

/// What is measured.
fn measure(name: &str, entry: Entry, commands: &[&[&str]]) {
    let (few, many) = (world_of(entry, FEW), world_of(entry, MANY));
    for args in commands {
        // Of a mapped window as much is resident as the folios of the page cache bring in.
        let args = [args, &["--threads", "1", "--no-mmap"][..]].concat();
        // The end of a short run is easily missed.
        let least = (0..3).map(|_| peak(&few, &args, 1)).max().unwrap();
        let each = peak(&many, &args, 1).saturating_sub(least) / (MANY - FEW);
        assert!(each <= EACH, "{name}: {each} bytes an entry, {args:?}");
        eprintln!("{name}: {each} bytes an entry, {args:?}");
    }
}

/// Caches at both ends of an entry: two ranges that go.
#[test]
fn an_entry_that_is_slimmed_takes_no_more() {
    let entry: Entry = |at| {
        let more = r#""status":"done","skillsSnapshot":{"prompt":"p"},"label":"x","systemPromptReport":{"a":[1, 2]}"#;
        (format!("{}:run:{}", base_of(0), uuid(3, at)), more.into())
    };
    let commands = [&["slim"][..], &["slim", "--compact"], &["prune", "--slim", "--run-retention", "false"]];
    measure("records with caches", entry, &commands);
}

#[test]
fn an_entry_takes_a_hundred_bytes_whatever_it_is() {
    let commands = [&["check"][..], &["check", "--json", "--entries", "all"], &["prune"]];
    for (name, entry) in SHAPES {
        measure(name, entry, &commands);
    }
}
