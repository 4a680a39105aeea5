//! Prevents wrong verdicts on stores of the shapes that users reported, and a tool that needs as much memory as what it repairs.

use std::fs;
use std::path::PathBuf;

use crate::generate::{
    self,
    expected::{self, Expected, OPEN, Summary},
};
use crate::generate::{Options, Shape, Transcripts};
use crate::node;
use crate::peak::peak;
use crate::world::*;
use serde_json::Value;

/// A world that holds a generated state directory, and its answers.
struct Made {
    world: World,
    out: PathBuf,
    summary: Summary,
}

impl Made {
    fn new(options: &Options) -> Self {
        let mut world = World::new();
        let out = world.root.join("made");
        let summary = generate::generate(&out, options).unwrap();
        world.state = out.join("state");
        Self { world, out, summary }
    }

    fn answers(&self) -> Vec<Expected> {
        expected::read(&self.out.join("expected.jsonl")).collect()
    }
}

/// About 20 MB.
fn middle(shape: Shape) -> Options {
    let entries = if shape == Shape::Issue61633 { Some(6_539) } else { None };
    Options { entries, entry_bytes: 3_000, transcripts: Transcripts::Some, ..Options::new(shape) }
}

fn agrees(told: &Value, wanted: &Expected) {
    let key = &wanted.key;
    let closed = |text: &str| text != OPEN;
    if told.get("keyBytes").is_none_or(Value::is_null) {
        assert_eq!(told["key"], key.as_str());
    }
    assert_eq!(told["action"], wanted.action.as_str(), "{told} {wanted:?}");
    if closed(&wanted.family) {
        assert_eq!(told["family"], wanted.family.as_str(), "{told}");
    }
    if closed(&wanted.rule) {
        assert_eq!(told["rule"], wanted.rule.as_str(), "{told} {wanted:?}");
        assert_eq!(told["confidence"].as_str(), wanted.confidence.as_deref(), "{told} {wanted:?}");
    }
    if closed(&wanted.class) {
        assert_eq!(told["class"].as_str().unwrap_or("live"), wanted.class, "{told}");
    }
    if wanted.protected_by.as_deref() != Some(OPEN) {
        assert_eq!(told["protectedBy"].as_str(), wanted.protected_by.as_deref(), "{told} {wanted:?}");
    }
    assert_eq!(told["sessionId"].as_str(), wanted.session_id.as_deref(), "{told}");
    let bytes = told["end"].as_u64().unwrap() - told["start"].as_u64().unwrap();
    assert_eq!(bytes, wanted.bytes, "{told}");
    let edits = told["edits"].as_array().unwrap();
    assert_eq!(edits.len(), wanted.edits.len(), "{told} {wanted:?}");
    for (told, wanted) in edits.iter().zip(&wanted.edits) {
        let value = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        assert_eq!(told["field"], wanted.field.as_str());
        assert_eq!(told["old"], wanted.old.as_deref().map_or(Value::Null, value));
        assert_eq!(told["new"], value(&wanted.new));
    }
}

/// Every entry, the counts, the sums.
fn every_entry(options: &Options) {
    let made = Made::new(options);
    let report = made.world.stopped(&["prune", "--json", "--entries", "all"]).json();
    let store = &report["stores"][0];
    let listed = store["changes"].as_array().unwrap();
    let mut answers = made.answers().into_iter();
    for told in listed {
        agrees(told, &answers.next().expect("an answer for each entry"));
    }
    assert!(answers.next().is_none());
    let entries = &store["entries"];
    let summary = &made.summary;
    let counts = [
        ("total", summary.total),
        ("kept", summary.kept),
        ("removed", summary.removed),
        ("healed", summary.healed),
    ];
    for (name, wanted) in counts {
        assert_eq!(entries[name], wanted, "{:?}: {name}", options.shape);
    }
    assert_eq!(store["bytes"], summary.store_bytes);
    for (class, tally) in summary.classes.iter().filter(|(class, _)| *class != OPEN) {
        assert_eq!(store["classes"][class]["entries"], tally.entries, "{class}");
        assert_eq!(store["classes"][class]["bytes"], tally.bytes, "{class}");
    }
    if !summary.rules.contains_key(OPEN) {
        for (rule, tally) in &summary.rules {
            assert_eq!(store["rules"][rule]["entries"], tally.entries, "{rule}");
        }
    }
    let changed = summary.removed + summary.healed > 0;
    assert_eq!(report["exitCode"], i32::from(changed), "{:?}", options.shape);
}

#[test]
fn every_entry_of_the_reported_store() {
    every_entry(&middle(Shape::Issue61633));
}

#[test]
fn every_entry_of_the_other_shapes() {
    for shape in [Shape::Rapid, Shape::SlowRunning, Shape::SlowNone, Shape::Quiet] {
        every_entry(&Options { entry_bytes: 2_000, ..middle(shape) });
    }
}

#[test]
fn every_entry_in_other_styles_and_with_all_transcripts() {
    let small = Options { entries: Some(400), entry_bytes: 4_000, ..Options::new(Shape::Issue61633) };
    every_entry(&Options { indent: 0, non_ascii: 0.4, ..small.clone() });
    every_entry(&Options { indent: 4, transcripts: Transcripts::All, config: true, ..small.clone() });
    every_entry(&Options { transcripts: Transcripts::None, seed: 7, ..small.clone() });
    every_entry(&Options { agent: "work".to_owned(), seed: 11, ..small });
}

/// What Node makes of the kept entries.
const KEPT: &str = "
const fs = require('fs');
const [store, expected, out] = process.argv.slice(1);
const all = JSON.parse(fs.readFileSync(store, 'utf8'));
for (const line of fs.readFileSync(expected, 'utf8').split('\\n').filter(Boolean)) {
  const { key, action, edits } = JSON.parse(line);
  if (action === 'remove') delete all[key];
  for (const edit of edits || []) {
    if (edit.old !== null && edit.old !== undefined) { all[key][edit.field] = JSON.parse(edit.new); continue; }
    const grown = {};
    for (const [name, value] of Object.entries(all[key])) {
      grown[name] = value;
      if (name === 'status') grown[edit.field] = JSON.parse(edit.new);
    }
    all[key] = grown;
  }
}
fs.writeFileSync(out, JSON.stringify(all, null, 2));
";

#[test]
fn the_pruned_store_is_what_node_would_have_written() {
    if !node::Node::available() {
        skipped("the_pruned_store_is_what_node_would_have_written", "no `node` on this machine");
        return;
    }
    for shape in [Shape::Issue61633, Shape::Rapid, Shape::SlowRunning, Shape::SlowNone] {
        let options = Options { non_ascii: 0.2, entry_bytes: 2_500, ..middle(shape) };
        let made = Made::new(&options);
        let wanted = made.world.root.join("wanted.json");
        let original = fs::read(made.world.store()).unwrap();
        let arguments = [made.world.store(), made.out.join("expected.jsonl"), wanted.clone()];
        let arguments: Vec<&std::ffi::OsStr> = arguments.iter().map(|path| path.as_os_str()).collect();
        node::evaluate(KEPT, &arguments);
        made.world.stopped(&["prune", "--apply", "-q"]).exits(0);
        assert!(
            fs::read(made.world.store()).unwrap() == fs::read(&wanted).unwrap(),
            "{shape:?}: other bytes than Node's"
        );
        let run = made.world.runs().pop().unwrap();
        made.world.stopped(&["undo", &run, "-q"]).exits(0);
        assert!(fs::read(made.world.store()).unwrap() == original, "{shape:?}: undo gives other bytes");
    }
}

#[test]
fn memory_does_not_grow_with_the_store() {
    const MOST: u64 = 32 << 20;
    let made = Made::new(&Options { transcripts: Transcripts::None, ..Options::new(Shape::Issue61633) });
    assert!(made.summary.store_bytes > 180_000_000);
    let original = fs::read(made.world.store()).unwrap();
    let mut run = String::new();
    for (args, code) in [
        (&["check", "--json", "--entries", "all"][..], 1),
        (&["check", "--json", "--no-mmap"], 1),
        (&["prune", "-v"], 1),
        (&["prune", "--apply", "--json"], 0),
        (&["undo", "latest"], 0),
        (&["prune", "--apply", "--no-mmap"], 0),
        (&["undo", "latest", "--no-mmap"], 0),
    ] {
        let bytes = peak(&made.world, args, code);
        assert!(bytes < MOST, "{args:?}: {} MB", bytes >> 20);
        run.push_str(&format!("{args:?}: {} MB; ", bytes >> 20));
    }
    eprintln!("{run}");
    assert!(fs::read(made.world.store()).unwrap() == original, "undo gives other bytes");
}
