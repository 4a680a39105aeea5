//! Prevents a prune that does another thing than it said, or that cannot be taken back.

use std::fs;
use std::os::unix::fs::MetadataExt;

use crate::samples::{self, SAMPLES, Sample};
use crate::world::{self, *};
use serde_json::Value;

/// A copy of a sample, and the options that its answers are for.
fn sample(name: &str) -> (World, Sample) {
    let world = World::new();
    samples::copy(name, &world.state).unwrap();
    (world, samples::expected(name))
}

fn go(world: &World, sample: &Sample, args: &[&str]) -> Ran {
    let mut command = world.bare();
    command.args(args).arg("--state-dir").arg(&world.state);
    world.finish(command.args(["--now", &sample.now, "--gateway", &sample.gateway]))
}

#[test]
fn every_entry_of_the_real_samples_gets_its_answer() {
    for name in SAMPLES {
        let (world, sample) = sample(name);
        let report = go(&world, &sample, &["check", "--json", "--entries", "all"]).json();
        let store = &report["stores"][0];
        let listed = store["changes"].as_array().unwrap();
        let text = |value: &Value| value.as_str().map(str::to_owned);
        assert_eq!(listed.len(), sample.entry.len(), "{name}");
        for (told, wanted) in listed.iter().zip(&sample.entry) {
            let key = &wanted.key;
            assert_eq!(told["key"], key.as_str(), "{name}");
            assert_eq!(told["family"], wanted.family.as_str(), "{key}");
            assert_eq!(told["rule"], wanted.rule.as_str(), "{key}");
            assert_eq!(told["class"].as_str().unwrap_or("live"), wanted.class, "{key}");
            assert_eq!(told["action"], wanted.action.as_str(), "{key}");
            assert_eq!(text(&told["confidence"]), wanted.confidence, "{key}");
            assert_eq!(text(&told["protectedBy"]), wanted.protected_by, "{key}");
            let edits = told["edits"].as_array().unwrap();
            assert_eq!(edits.len(), wanted.edit.len(), "{key}");
            for (told, wanted) in edits.iter().zip(&wanted.edit) {
                let value = |text: &Option<String>| {
                    text.as_deref().map_or(Value::Null, |text| serde_json::from_str(text).unwrap())
                };
                assert_eq!(told["field"], wanted.field.as_str(), "{key}");
                assert_eq!(told["old"], value(&wanted.old), "{key}");
                assert_eq!(told["new"], value(&Some(wanted.new.clone())), "{key}");
            }
        }
        let counts = &store["entries"];
        assert_eq!(counts["total"], sample.counts.total, "{name}");
        assert_eq!(counts["kept"], sample.counts.kept, "{name}");
        assert_eq!(counts["removed"], sample.counts.removed, "{name}");
        assert_eq!(counts["healed"], sample.counts.healed, "{name}");
        assert_eq!(store["bytesAfter"], sample.after.bytes, "{name}");
    }
}

#[test]
fn a_dry_run_changes_nothing_and_its_exit_code_says_whether_it_would() {
    for name in SAMPLES {
        let (world, sample) = sample(name);
        let before = world.tree();
        let plans = sample.counts.removed + sample.counts.healed > 0;
        let marked = ["jobs.json", "jobs-state.json"].iter().any(|name| {
            let list = std::fs::read_to_string(world.state.join("cron").join(name));
            list.is_ok_and(|text| text.contains("runningAtMs"))
        });
        for args in
            [&["prune"][..], &["prune", "--json"], &["check"], &["prune", "-v"], &["prune", "-q"], &[]]
        {
            // `check` tells of markers that a crash left as well.
            let code = i32::from(plans || marked && args.first() != Some(&"prune"));
            let ran = go(&world, &sample, args).exits(code);
            assert!(!ran.out.is_empty() || args == ["prune", "-q"], "{name} {args:?}: nothing was said");
            assert_eq!(world.tree(), before, "{name} {args:?}");
        }
    }
}

#[test]
fn apply_does_exactly_the_plan_and_undo_gives_the_bytes_back() {
    for name in SAMPLES {
        let (world, sample) = sample(name);
        let store = world.state.join(&sample.store);
        let original = fs::read(&store).unwrap();
        let untouched = world.tree();
        let changes = sample.counts.removed + sample.counts.healed > 0;

        let planned = go(&world, &sample, &["prune", "--json"]).json();
        let applied = go(&world, &sample, &["prune", "--apply", "--json"]).exits(0).json();
        assert_eq!(applied["applied"], true, "{name}");
        assert_eq!(applied["stores"][0]["changes"], planned["stores"][0]["changes"], "{name}");
        assert_eq!(applied["stores"][0]["entries"], planned["stores"][0]["entries"], "{name}");
        let after = fs::read(&store).unwrap();
        assert_eq!(after.len() as u64, sample.after.bytes, "{name}");
        assert_eq!(sha256(&after), sample.after.sha256, "{name}");
        if !changes {
            assert_eq!(world.tree(), untouched, "{name}: an empty plan leaves no trace");
            continue;
        }
        assert_eq!(applied["stores"][0]["outcome"], "applied", "{name}");
        assert_eq!(fs::metadata(&store).unwrap().mode() & 0o777, 0o600, "{name}");
        // Of the rest nothing was touched.
        let rest = |world: &World| {
            let mut tree = world.tree();
            tree.retain(|path, _| {
                !path.starts_with("state/sessions-doctor") && !path.ends_with("sessions.json")
            });
            tree
        };
        let mut was = untouched.clone();
        was.retain(|path, _| !path.ends_with("sessions.json"));
        assert_eq!(rest(&world), was, "{name}");

        let settled = world.tree();
        go(&world, &sample, &["prune", "--apply"]).exits(0);
        assert_eq!(world.tree(), settled, "{name}: a second --apply");

        let run = applied["stores"][0]["backup"]["run"].as_str().unwrap().to_owned();
        assert_eq!(world.runs(), std::slice::from_ref(&run), "{name}");
        go(&world, &sample, &["undo", &run]).exits(0);
        assert_eq!(fs::read(&store).unwrap(), original, "{name}");
        assert_eq!(fs::metadata(&store).unwrap().mode() & 0o777, 0o600, "{name}");
        let undone = world.tree();
        go(&world, &sample, &["undo", &run]).exits(0);
        assert_eq!(world.tree(), undone, "{name}: a second undo");
    }
}

#[test]
fn what_the_made_up_world_loses_is_what_the_other_tests_think() {
    let world = World::looping();
    let lines: Vec<String> = world.keys();
    world.stopped(&["prune", "--apply"]).exits(0);
    let left: Vec<String> = lines.into_iter().filter(|key| !looping_loses().contains(key)).collect();
    assert_eq!(world.keys(), left);
    let text = String::from_utf8(world.bytes()).unwrap();
    assert!(text.contains("\"status\": \"failed\",\n    \"endedAt\": "), "{text}");
}

/// A pruned world, the run, and the bytes before.
fn pruned() -> (World, String, Vec<u8>) {
    let world = World::looping();
    let original = world.bytes();
    world.stopped(&["prune", "--apply"]).exits(0);
    let run = world.runs().pop().unwrap();
    (world, run, original)
}

fn parsed(world: &World) -> Value {
    serde_json::from_slice(&world.bytes()).unwrap()
}

#[test]
fn undo_keeps_what_was_added_and_changed_since() {
    let (world, run, original) = pruned();
    let original: Value = serde_json::from_slice(&original).unwrap();
    // The gateway ran since: a new entry, another record of a key that was removed, and the base runs again.
    let text = String::from_utf8(world.bytes()).unwrap();
    let added = store(&[
        entry("agent:main:telegram:direct:9", "s-new", 0, &[]),
        entry(world::run(JOB, "s-old"), "s-old", 0, &[("note", "\"written since\"")]),
    ]);
    let text = format!("{},{}", text.strip_suffix("\n}").unwrap(), added.strip_prefix("{").unwrap());
    let text =
        text.replace("\"status\": \"failed\",\n    \"endedAt\"", "\"status\": \"killed\",\n    \"endedAt\"");
    world.put(STORE, &text);
    let before = parsed(&world);

    let report = world.stopped(&["undo", &run, "--json"]).exits(0).json();
    let after = parsed(&world);
    for key in ["agent:main:telegram:direct:9", &world::run(JOB, "s-old"), &base(JOB)] {
        assert_eq!(after[key], before[key], "{key} was written since");
    }
    for key in [world::run(JOB, "s-hung"), world::run(GONE, "s-lost")] {
        assert_eq!(after[&key], original[&key], "{key} comes back");
    }
    assert_eq!(after.as_object().unwrap().len(), before.as_object().unwrap().len() + 2);
    assert_eq!(report["stores"][0]["entries"]["recovered"], 2);
    // In their places: behind the base, and behind the direct conversation.
    let keys = world.keys();
    let at = |key: &str| keys.iter().position(|known| known == key).unwrap();
    assert_eq!(at(&world::run(JOB, "s-hung")), at(&base(JOB)) + 1, "{keys:?}");
    assert_eq!(at(&world::run(GONE, "s-lost")), at("agent:main:telegram:direct:4711") + 1, "{keys:?}");
    let settled = (world.bytes(), fs::metadata(world.store()).unwrap().ino());
    world.stopped(&["undo", &run]).exits(0);
    assert_eq!((world.bytes(), fs::metadata(world.store()).unwrap().ino()), settled, "a second undo");
}

#[test]
fn undo_into_a_store_that_was_replaced_brings_the_lost_entries() {
    for since in ["{}".to_owned(), "{ }".to_owned(), store(&[entry("agent:main:main", "s-other", 0, &[])])] {
        let (world, run, original) = pruned();
        let original: Value = serde_json::from_slice(&original).unwrap();
        world.put(STORE, &since);
        world.stopped(&["undo", &run]).exits(0);
        let after = parsed(&world);
        let old: Value = serde_json::from_str(&since).unwrap();
        for (key, value) in old.as_object().unwrap() {
            assert_eq!(&after[key], value, "{key} was written since");
        }
        for key in looping_loses() {
            assert_eq!(after[&key], original[&key], "{key} comes back");
        }
        assert_eq!(after.as_object().unwrap().len(), old.as_object().unwrap().len() + 3);
        let settled = world.bytes();
        world.stopped(&["undo", &run]).exits(0);
        assert_eq!(world.bytes(), settled);
    }
}

#[test]
fn undo_into_a_store_that_is_gone_or_damaged_touches_nothing() {
    let (world, run, _) = pruned();
    world.put(STORE, "{\"a\": ");
    let before = world.tree();
    world.stopped(&["undo", &run]).exits(3).says("sessions.json");
    assert_eq!(world.tree(), before);
    fs::remove_file(world.store()).unwrap();
    let before = world.tree();
    world.stopped(&["undo", &run]).exits(3).says("original");
    assert_eq!(world.tree(), before);
}

#[test]
fn undo_writes_beside_and_refuses_what_is_there() {
    let (world, run, original) = pruned();
    let before = world.tree();
    let to = world.root.join("restored.json");
    world.stopped(&["undo", &run, "--to", to.to_str().unwrap()]).exits(0).says("restored.json");
    assert_eq!(fs::read(&to).unwrap(), original);
    assert_eq!(fs::metadata(&to).unwrap().mode() & 0o777, 0o600);
    let mut after = world.tree();
    after.remove(std::path::Path::new("restored.json"));
    assert_eq!(after, before, "the store and the records stay as they are");
    fs::write(&to, "mine").unwrap();
    let refused = world.stopped(&["undo", &run, "--to", to.to_str().unwrap()]);
    refused.exits(6).says("exists already");
    assert_eq!(fs::read_to_string(&to).unwrap(), "mine");
}

#[test]
fn undo_of_a_run_that_is_unknown_is_a_usage_error() {
    let (world, run, _) = pruned();
    let before = world.tree();
    for name in ["20200101T000000.000Z-0001", "nonsense", "../../etc", ""] {
        world.stopped(&["undo", name]).exits(2);
        assert_eq!(world.tree(), before, "{name:?}");
    }
    let listed = world.stopped(&["undo", "--json"]).exits(0).json();
    assert_eq!(listed["runs"][0]["run"], run.as_str());
    assert_eq!(listed["runs"][0]["command"], "prune");
    assert_eq!(listed["runs"][0]["state"], "done");
    world.stopped(&["undo"]).exits(0).says(&run);
    assert_eq!(world.tree(), before);
}

#[test]
fn undo_asks_for_a_stopped_gateway_too() {
    let (world, run, _) = pruned();
    let before = world.tree();
    for gateway in ["running", "unknown", "auto"] {
        world.run(&["undo", &run, "--gateway", gateway]).exits(4);
        assert_eq!(world.tree(), before, "--gateway {gateway}");
    }
}

#[test]
fn output_leaves_the_original_alone_and_refuses_what_is_there() {
    let world = World::looping();
    let before = world.tree();
    let to = world.root.join("pruned.json");
    world.stopped(&["prune", "--output", to.to_str().unwrap()]).exits(0).says("pruned.json");
    let written = fs::read(&to).unwrap();
    assert_eq!(fs::metadata(&to).unwrap().mode() & 0o777, 0o600);
    let mut after = world.tree();
    after.remove(std::path::Path::new("pruned.json"));
    assert_eq!(after, before);
    let again = world.stopped(&["prune", "--output", to.to_str().unwrap()]);
    again.exits(6).says("exists already");
    assert_eq!(fs::read(&to).unwrap(), written);
    world.stopped(&["prune", "--output", world.store().to_str().unwrap()]).exits(6);
    world.stopped(&["prune", "--output", world.root.join("no/such/dir.json").to_str().unwrap()]).exits(6);
    let mut after = world.tree();
    after.remove(std::path::Path::new("pruned.json"));
    assert_eq!(after, before);
    // What it wrote is what --apply makes of it.
    world.stopped(&["prune", "--apply"]).exits(0);
    assert_eq!(world.bytes(), written);
}

#[test]
fn limits_that_were_typed_are_obeyed() {
    let world = World::looping();
    let removed = |args: &[&str]| {
        let report = world.stopped(&[&["prune", "--json"], args].concat()).json();
        let changes = changes(&report);
        changes
            .into_iter()
            .filter(|(_, change)| change["action"] == "remove")
            .map(|(key, _)| key)
            .collect::<Vec<_>>()
    };
    let kept = format!("cron:{JOB}:run:s-old");
    assert_eq!(removed(&["--keep", &kept]), [run(JOB, "s-hung"), run(GONE, "s-lost")]);
    assert_eq!(removed(&["--only", "orphaned"]), [run(GONE, "s-lost")]);
    assert_eq!(removed(&["--agent", "nobody"]), [""; 0]);
    assert_eq!(removed(&["--run-retention", "4d", "--only", "stale"]), [""; 0]);
    world.stopped(&["prune", "--keep", "nothing-like-it"]).exits(1).says("nothing-like-it");
    let before = world.tree();
    world.stopped(&["prune", "--apply", "--keep", "nothing-like-it"]).exits(2);
    assert_eq!(world.tree(), before);
}

#[test]
fn a_run_whose_fingerprints_are_of_another_kind_is_told_of_and_never_undone() {
    let (world, run, _) = pruned();
    let pruned = world.bytes();
    let record = world.state.join("sessions-doctor/runs").join(&run).join("run.json");
    let text = fs::read_to_string(&record).unwrap();
    assert!(text.contains("xxh3-128-1m:"), "{text}");
    for other in
        [text.replace("xxh3-128-1m:", "sha256:"), text.replacen("\"version\": 1", "\"version\": 2", 1)]
    {
        assert_ne!(other, text);
        fs::write(&record, &other).unwrap();
        for wanted in [run.as_str(), &run[..10], "latest"] {
            world.stopped(&["undo", wanted]).exits(6).says("cannot be undone by this program");
        }
        let to = world.root.join("to.json");
        world.stopped(&["undo", &run, "--to", to.to_str().unwrap()]).exits(6);
        assert!(!to.exists());
        let listed = world.stopped(&["undo"]).exits(6).says("cannot be undone by this program");
        assert!(!listed.said().contains("No run has changed anything"), "{listed}");
        let listed = world.stopped(&["undo", "--json"]).exits(6).json();
        assert_eq!((&listed["complete"], &listed["runs"]), (&false.into(), &serde_json::json!([])));
        assert_eq!(listed["findings"][0]["checkId"], "look-failed");
        world.stopped(&["prune", "--apply"]).exits(0);
        assert!(world.bytes() == pruned && fs::read_to_string(&record).unwrap() == other);
    }
    fs::write(&record, &text).unwrap();
    world.stopped(&["undo", &run]).exits(0);
}
