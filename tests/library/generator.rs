//! Prevents wrong test stores: a generated store must be what OpenClaw would have written, and its answers must follow from its files.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::generate::{
    self,
    expected::{self, Expected, Summary},
};
use crate::generate::{DAY, Options, Shape, Transcripts, generate};
use crate::node;
use serde_json::Value;

/// A generated store in a directory that goes away.
struct Made {
    directory: tempfile::TempDir,
    summary: Summary,
    answers: Vec<Expected>,
}

impl Made {
    fn new(options: &Options) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let summary = generate(directory.path(), options).expect("a generated store");
        let answers = expected::read(&directory.path().join("expected.jsonl")).collect();
        Self { directory, summary, answers }
    }

    fn path(&self, below: &str) -> PathBuf {
        self.directory.path().join(below)
    }

    fn store(&self) -> PathBuf {
        self.path("state/agents/main/sessions/sessions.json")
    }

    /// The store as a value, without its one lone surrogate, which serde_json refuses.
    fn entries(&self) -> HashMap<String, Value> {
        let text = fs::read_to_string(self.store()).expect("a store");
        serde_json::from_str(&text.replace("\\ud83d", "")).expect("a store")
    }

    fn json(&self, below: &str) -> Value {
        let text = fs::read_to_string(self.path(below)).expect("a readable file");
        serde_json::from_str(&text).expect("JSON")
    }
}

fn small(shape: Shape) -> Options {
    Options { entries: Some(300), entry_bytes: 3_000, ..Options::new(shape) }
}

/// Every file below `directory` with its bytes.
fn tree(directory: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut open = vec![directory.to_path_buf()];
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(&next).expect("a readable directory") {
            let path = entry.expect("a readable directory").path();
            if path.is_dir() {
                open.push(path);
            } else {
                let below = path.strip_prefix(directory).expect("below").to_path_buf();
                files.insert(below, fs::read(&path).expect("a readable file"));
            }
        }
    }
    files
}

#[test]
fn the_same_options_give_the_same_bytes() {
    for (_, shape) in Shape::ALL {
        let options = Options { config: true, non_ascii: 0.3, ..small(shape) };
        let first = tree(Made::new(&options).directory.path());
        assert_eq!(first, tree(Made::new(&options).directory.path()), "{shape:?}");
        let other = Options { seed: 2, ..options };
        assert_ne!(first, tree(Made::new(&other).directory.path()), "{shape:?}");
    }
}

#[test]
fn the_size_is_the_one_that_was_asked_for() {
    for (entries, entry_bytes, indent) in [
        (300, 28_292, 2),
        (300, 28_292, 0),
        (400, 9_000, 2),
        (400, 3_000, 2),
        (2_000, 800, 0),
        (20_000, 300, 2),
        (150, 200_000, 2),
    ] {
        for non_ascii in [0.0, 0.5] {
            let options = Options {
                entries: Some(entries),
                entry_bytes,
                indent,
                non_ascii,
                ..Options::new(Shape::Issue61633)
            };
            let made = Made::new(&options);
            let asked = (entries * entry_bytes) as f64;
            let share = made.summary.store_bytes as f64 / asked;
            assert!((0.98..=1.02).contains(&share), "{share} of {asked} bytes: {options:?}");
            assert_eq!(made.summary.total, entries);
        }
    }
}

#[test]
fn the_reported_store_has_its_counts() {
    let options =
        Options { entry_bytes: 600, transcripts: Transcripts::None, ..Options::new(Shape::Issue61633) };
    let made = Made::new(&options);
    assert_eq!(made.summary.total, 6_539);
    let families = |family: &str| made.summary.families[family].entries;
    assert_eq!((families("run-record"), families("cron-base")), (6_311, 4));
    let groups = |group: &str| made.summary.groups[group].entries;
    assert_eq!((groups("rapid"), groups("slow-running"), groups("slow-none")), (2_075, 2_176, 1_849));
    assert_eq!(groups("deleted-job"), 211);
    assert_eq!(
        made.summary.removed_by_family.values().map(|tally| tally.entries).sum::<u64>(),
        made.summary.removed
    );

    let store = made.entries();
    let mut statuses = BTreeMap::new();
    for answer in made.answers.iter().filter(|answer| answer.family == "run-record") {
        let status = store[&answer.key]["status"].as_str().unwrap_or("none").to_owned();
        let pattern = if answer.group == "rapid" { "rapid" } else { "slow" };
        *statuses.entry((pattern, status)).or_insert(0) += 1;
    }
    let expected = [
        (("rapid", "none".to_owned()), 59),
        (("rapid", "running".to_owned()), 2_016),
        (("slow", "failed".to_owned()), 151),
        (("slow", "none".to_owned()), 2_000),
        (("slow", "running".to_owned()), 2_085),
    ];
    assert_eq!(statuses, BTreeMap::from(expected));
    // All that claims to run goes, and nothing else in the rapid loop, which is younger than the retention.
    let zombies = made.summary.classes["zombie"].entries;
    assert_eq!(zombies, 2_016 + 2_085 + 2, "running records, and two bases to heal");
    assert_eq!(
        made.summary.rules["orphan-job"].entries,
        151 + 1,
        "the deleted job's silent records and its base"
    );
}

#[test]
fn the_small_stores_have_their_counts() {
    let counts = |shape| {
        let summary = Made::new(&small(shape)).summary;
        (summary.total, summary.removed, summary.healed)
    };
    assert_eq!(counts(Shape::Rapid), (300, 290, 1));
    assert_eq!(counts(Shape::SlowRunning), (300, 288, 1));
    assert_eq!(counts(Shape::SlowNone), (300, 248, 0));
    assert_eq!(counts(Shape::Quiet), (300, 0, 0));
    let mixed = Made::new(&small(Shape::Issue61633)).summary;
    assert_eq!((mixed.total, mixed.healed), (300, 2));
    assert_eq!(
        (mixed.removed_by_family["hook"].entries, mixed.removed_by_family["sub-agent"].entries),
        (2, 6)
    );
}

#[test]
fn no_brake_trips_on_what_is_expected_to_go() {
    for entries in [300, 6_539, 100_000] {
        let options = Options {
            entries: Some(entries),
            entry_bytes: 300,
            transcripts: Transcripts::None,
            ..Options::new(Shape::Issue61633)
        };
        let summary = Made::new(&options).summary;
        for (family, gone) in summary.removed_by_family.iter().filter(|(family, _)| *family != "run-record") {
            let all = summary.families[family].entries;
            assert!(gone.entries <= 20 || gone.entries * 4 <= all, "{family}: {} of {all}", gone.entries);
        }
    }
}

/// Spans, keys and sessions of the answers against the store's own bytes.
#[test]
fn the_answers_are_in_the_order_of_the_store() {
    for indent in [2, 0] {
        let options = Options { indent, non_ascii: 0.4, ..small(Shape::Issue61633) };
        let made = Made::new(&options);
        let text = fs::read(made.store()).expect("a store");
        let between = if indent == 0 { 1 } else { 4 };
        let mut at = if indent == 0 { 1 } else { 4 };
        for answer in &made.answers {
            let end = at + answer.bytes as usize;
            let member = std::str::from_utf8(&text[at..end]).expect("UTF-8");
            assert!(member.starts_with(&format!("\"{}\":", answer.key)), "{member:.60}");
            assert!(member.ends_with('}'), "{}", answer.key);
            let entry: Value = serde_json::from_str(member[answer.key.len() + 3..].trim_start())
                .unwrap_or_else(|error| {
                    // serde_json refuses the one lone surrogate of the store.
                    assert!(member.contains("\\ud83d"), "{}: {error}", answer.key);
                    Value::Null
                });
            if !entry.is_null() {
                assert_eq!(entry["sessionId"].as_str(), answer.session_id.as_deref(), "{}", answer.key);
            }
            at = end + between;
        }
        assert_eq!(at - between + if indent == 0 { 1 } else { 2 }, text.len());
        assert_eq!(
            Summary { store_bytes: made.summary.store_bytes, ..Summary::of(&made.answers) },
            made.summary
        );
    }
}

/// The claims behind the answers, looked up in the files: finished lines, ages, owners, job lists.
#[test]
fn the_answers_follow_from_the_files() {
    let options = Options { entries: Some(2_000), entry_bytes: 300, ..Options::new(Shape::Issue61633) };
    let made = Made::new(&options);
    let store = made.entries();
    let jobs = made.json("state/cron/jobs.json");
    let known: HashSet<&str> =
        jobs["jobs"].as_array().expect("jobs").iter().filter_map(|job| job["id"].as_str()).collect();
    assert_eq!(known.len(), 3);

    let mut finished: HashMap<String, i64> = HashMap::new();
    let (mut lines, mut unnamed) = (0, 0);
    for file in fs::read_dir(made.path("state/cron/runs")).expect("run logs") {
        let path = file.expect("a run log").path();
        let mut before = 0;
        for line in fs::read_to_string(path).expect("a run log").lines() {
            let line: Value = serde_json::from_str(line).expect("a line");
            let ts = line["ts"].as_i64().expect("ts");
            assert!(ts < options.now && line["runAtMs"].as_i64().expect("runAtMs") < ts);
            assert!(ts + 10 * generate::MINUTE >= before, "a log is in the order of time");
            before = ts;
            lines += 1;
            match line["sessionId"].as_str() {
                Some(id) => {
                    finished.insert(id.to_owned(), ts);
                }
                None => unnamed += 1,
            }
        }
    }
    assert!((0.18..0.22).contains(&(f64::from(unnamed) / f64::from(lines))), "{unnamed} of {lines}");
    let records = made.summary.families["run-record"].entries as f64;
    assert!((0.32..0.34).contains(&(f64::from(lines) / records)), "{lines} of {records}");

    for answer in &made.answers {
        let entry = &store[&answer.key];
        let time = |name: &str| entry[name].as_i64();
        let updated = time("updatedAt").expect("updatedAt");
        let age = options.now - updated;
        assert!(age > 0, "{}: in the future", answer.key);
        for earlier in [time("startedAt"), time("endedAt")].into_iter().flatten() {
            assert!(earlier <= updated && earlier > 1_700_000_000_000, "{}", answer.key);
        }
        let id = entry["sessionId"].as_str().expect("sessionId");
        let running = entry["status"] == "running";
        let ended = time("endedAt").is_some() && !running;
        let line = finished.get(id).filter(|ts| time("startedAt").is_none_or(|started| **ts >= started));
        let job = answer.key.split(':').nth(3).unwrap_or_default();
        match answer.rule.as_str() {
            "zombie-finished" => assert!(running && line.is_some(), "{}", answer.key),
            "zombie-dead-owner" => assert!(running && line.is_none(), "{}", answer.key),
            "orphan-job" => assert!(!running && !known.contains(job) && age > DAY, "{}", answer.key),
            "stale-run" => assert!(!running && known.contains(job) && age > DAY, "{}", answer.key),
            "stale-session" => assert!(ended && age > 30 * DAY, "{}", answer.key),
            "orphan-parent" => {
                let parent = entry["spawnedBy"].as_str().expect("spawnedBy");
                assert!(ended && age > 30 * DAY && !store.contains_key(parent), "{}", answer.key);
            }
            "live" if answer.family == "run-record" => assert!(!running && age < DAY, "{}", answer.key),
            "live" if answer.family == "cron-base" => {
                assert!(!running && known.contains(job), "{}", answer.key)
            }
            "live" => {
                let synthetic = matches!(answer.family.as_str(), "hook" | "sub-agent" | "other-synthetic");
                assert!(!(synthetic && ended && age > 30 * DAY), "{}", answer.key);
            }
            other => panic!("{}: {other}", answer.key),
        }
        if let [status, end] = answer.edits.as_slice() {
            assert_eq!((status.field.as_str(), end.field.as_str()), ("status", "endedAt"));
            let transcript = made.path(&format!("state/agents/main/sessions/{id}.jsonl"));
            let last = fs::read_to_string(transcript).expect("a base has a transcript");
            let last: Value = serde_json::from_str(last.lines().last().expect("a line")).expect("a line");
            let sign = last["message"]["timestamp"].as_i64().expect("a time").max(updated);
            let at = line.copied().unwrap_or(sign);
            assert_eq!(end.new, at.to_string(), "{}", answer.key);
        } else {
            assert_ne!(answer.action, "heal");
        }
    }
}

#[test]
fn modes_and_side_files_are_those_of_openclaw() {
    let made =
        Made::new(&Options { config: true, transcripts: Transcripts::All, ..small(Shape::Issue61633) });
    let mode = |below: &str| fs::metadata(made.path(below)).expect(below).permissions().mode() & 0o777;
    assert_eq!(mode("state/agents/main/sessions/sessions.json"), 0o600);
    assert_eq!((mode("state"), mode("state/cron/jobs.json"), mode("state/cron")), (0o700, 0o600, 0o700));
    let registry = made.json("state/subagents/runs.json");
    for (id, row) in registry["runs"].as_object().expect("rows") {
        assert_eq!(row["runId"].as_str(), Some(id.as_str()));
    }
    let sessions = tree(&made.path("state/agents/main/sessions"));
    let transcripts = sessions.keys().filter(|path| path.extension() == Some(OsStr::new("jsonl"))).count();
    let ids: HashSet<_> = made.answers.iter().map(|answer| answer.session_id.clone()).collect();
    assert_eq!(transcripts, ids.len());
    assert!(made.path("state/openclaw.json").exists());
    assert!(generate(made.directory.path(), &small(Shape::Quiet)).is_err(), "never over what is there");
}

#[test]
fn the_text_is_that_of_json_stringify() {
    if !node::Node::available() {
        eprintln!("skipped: the_text_is_that_of_json_stringify (no `node` on this machine)");
        return;
    }
    const PROGRAM: &str = "
        const fs = require('fs');
        const [file, indent] = process.argv.slice(1);
        const text = fs.readFileSync(file, 'utf8');
        const store = JSON.parse(text);
        const same = JSON.stringify(store, null, Number(indent)) === text;
        console.log(JSON.stringify([same, Object.keys(store)]));
    ";
    for (_, shape) in Shape::ALL {
        for (indent, entry_bytes) in [(2, 28_292), (2, 3_000), (2, 300), (0, 28_292), (0, 300)] {
            let options = Options { indent, entry_bytes, non_ascii: 0.3, config: true, ..small(shape) };
            let made = Made::new(&options);
            let run = |below: &str, indent: usize| -> (bool, Vec<String>) {
                let indent = indent.to_string();
                let answer = node::evaluate(PROGRAM, &[made.path(below).as_os_str(), OsStr::new(&indent)]);
                serde_json::from_str(&answer).expect("an answer")
            };
            let (same, keys) = run("state/agents/main/sessions/sessions.json", indent);
            assert!(same, "{options:?}");
            assert_eq!(keys, made.answers.iter().map(|answer| answer.key.clone()).collect::<Vec<_>>());
            assert!(run("state/cron/jobs.json", 2).0);
        }
    }
}
