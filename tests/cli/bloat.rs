//! Prevents a report that does not say why a store is large, a forecast that rests on nothing, and advice on the configuration that
//! nothing in the state shows.

use crate::world::*;
use serde_json::{Value, json};

/// A record of the job every `minutes`, the newest an hour old, each with caches of which all but the newest hold the same.
fn runs(count: i64, minutes: i64) -> Vec<Entry> {
    let skills = quoted(&"Read the mail. ".repeat(80));
    let record = |number: i64| {
        let ago = HOUR + number * minutes * MINUTE;
        let report = quoted(&format!("report {number} ").repeat(60));
        let caches = [
            ("skillsSnapshot", format!("{{\"prompt\": {skills}, \"version\": {number}}}")),
            ("systemPromptReport", report),
        ];
        let caches: Vec<(&str, &str)> = caches.iter().map(|(name, value)| (*name, value.as_str())).collect();
        entry(run(JOB, &format!("s-{number}")), &format!("s-{number}"), ago, &caches)
    };
    (0..count).map(record).collect()
}

fn world_of(entries: &[Entry]) -> World {
    let world = World::new();
    world.put(STORE, store(entries));
    world.put("cron/jobs.json", jobs(&[JOB]));
    world
}

fn check(world: &World) -> Value {
    world.stopped(&["check", "--json"]).json()
}

#[test]
fn a_report_says_whose_the_bytes_are_and_what_stands_there_twice() {
    let mut entries = runs(30, 10);
    entries.push(entry("agent:main:main", "s-main", HOUR, &[]));
    entries.push(entry("agent:work:telegram:direct:4711", "s-peer", HOUR, &[]));
    entries.push(entry("global", "s-global", HOUR, &[]));
    let world = world_of(&entries);
    let report = check(&world);
    let told = &report["stores"][0];
    let entries_of = |name: &str| told["families"][name]["entries"].clone();
    assert_eq!((entries_of("run-record"), entries_of("conversation")), (30.into(), 3.into()));
    let agents = told["agents"].as_array().unwrap();
    let agents: Vec<_> = agents.iter().map(|agent| (&agent["agentId"], &agent["entries"])).collect();
    assert_eq!(
        agents,
        [(&json!("main"), &json!(31)), (&json!("work"), &json!(1)), (&Value::Null, &json!(1))]
    );
    let sum = |list: &Value| -> u64 {
        let rows: Vec<&Value> = match list {
            Value::Array(rows) => rows.iter().collect(),
            rows => rows.as_object().unwrap().values().collect(),
        };
        rows.iter().map(|row| row["bytes"].as_u64().unwrap()).sum()
    };
    assert_eq!(sum(&told["families"]), sum(&told["classes"]));
    assert_eq!(sum(&told["agents"]), sum(&told["classes"]));
    // The snapshots differ by their version, their prompts do not; the reports all differ.
    let copies = &told["copies"];
    assert_eq!((&copies["lookedAt"], &copies["entries"]), (&json!(30), &json!(30)));
    let [prompt] = copies["fields"].as_array().unwrap().as_slice() else { panic!("{copies}") };
    let bytes = quoted(&"Read the mail. ".repeat(80)).len() as u64;
    assert_eq!(
        prompt,
        &json!({"name": "skillsSnapshot.prompt", "values": 30, "distinct": 1, "bytes": 30 * bytes, "copiedBytes": 29 * bytes})
    );
}

#[test]
fn of_a_large_store_some_entries_tell_what_is_copied() {
    let report = check(&world_of(&runs(1000, 1)));
    let copies = &report["stores"][0]["copies"];
    assert_eq!((&copies["lookedAt"], &copies["entries"]), (&json!(250), &json!(1000)));
    assert_eq!(copies["fields"][0]["distinct"], 1);
}

#[test]
fn growth_is_a_range_with_its_limits_and_its_basis() {
    // A run every ten minutes for three days; OpenClaw would have taken out what is older than one.
    let world = world_of(&runs(3 * 144, 10));
    let report = check(&world);
    let told = &report["stores"][0];
    let growth = &told["growth"];
    assert_eq!((&growth["entriesPerDayLow"], &growth["entriesPerDayHigh"]), (&json!(144), &json!(144)));
    let per_day = growth["bytesPerDayLow"].as_u64().unwrap();
    let per_entry = told["families"]["run-record"]["bytes"].as_u64().unwrap() / (3 * 144);
    assert!(per_day.abs_diff(144 * per_entry) < per_day / 50, "{growth}");
    let reach = &growth["reaches"][0];
    assert_eq!((&reach["limit"], &reach["bytesHigh"]), (&json!("rotate-size"), &json!(10 << 20)));
    let days = (reach["earliestAt"].as_i64().unwrap() - NOW) / DAY;
    let left = (10 << 20) - told["bytes"].as_u64().unwrap();
    assert_eq!(days as u64, left / growth["bytesPerDayHigh"].as_u64().unwrap());
    assert!(growth["basis"].as_str().unwrap().starts_with("432 entries of runs"), "{growth}");
    world.stopped(&["check"]).says("a day, in 144 new entries").says("where older versions rotate it");
    // What is made and taken out again need not grow at all.
    let balanced = check(&world_of(&runs(144, 10)));
    let growth = &balanced["stores"][0]["growth"];
    assert_eq!((&growth["bytesPerDayLow"], &growth["reaches"][0]["latestAt"]), (&json!(0), &Value::Null));
    assert_eq!(check(&world_of(&runs(9, 60)))["stores"][0]["growth"], Value::Null, "too few to tell");
}

/// Findings about the configuration: id, severity, advice.
fn advice(world: &World) -> Vec<(String, String, String)> {
    let report = check(world);
    let about = report["findings"].as_array().unwrap().iter();
    let about = about.filter(|finding| finding["checkId"].as_str().unwrap().starts_with("config-"));
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    about.map(|one| (text(&one["checkId"]), text(&one["severity"]), text(&one["fixHint"]))).collect()
}

#[track_caller]
fn advises(world: &World, config: &str, id: &str, severity: &str, setting: &str) {
    world.put("openclaw.json", config);
    let before = world.tree();
    let told = advice(world);
    let found = told.iter().find(|(found, ..)| found == id).unwrap_or_else(|| panic!("{told:?}"));
    assert_eq!(found.1, severity, "{told:?}");
    assert!(found.2.contains(setting), "{told:?}");
    assert_eq!(world.tree(), before, "the configuration is never edited");
}

#[test]
fn settings_that_do_harm_are_named_with_the_exact_setting() {
    let world = world_of(&runs(1000, 10));
    advises(
        &world,
        "{session: {maintenance: {mode: 'warn'}}}",
        "config-maintenance-warn",
        "warning",
        "session.maintenance.mode: \"enforce\"; but prune the store below 10 MiB first",
    );
    advises(
        &world,
        "{session: {maintenance: {mode: 'enforce', maxEntries: 100}}}",
        "config-max-entries",
        "warning",
        "session.maintenance.maxEntries: 500",
    );
    advises(
        &world,
        "{cron: {sessionRetention: false}}",
        "config-retention-off",
        "warning",
        "cron.sessionRetention: \"24h\"",
    );
    advises(
        &world,
        "{}",
        "config-isolated-churn",
        "info",
        "\"sessionTarget\": \"session:NAME\" in the job job 1111",
    );
    let redacted = world.stopped(&["check", "--json", "--redact"]);
    assert!(!redacted.out.contains("job 1111"), "{redacted}");
}

#[test]
fn settings_that_do_no_harm_are_left_in_peace() {
    let world = world_of(&runs(5, 300));
    for config in [
        "{session: {maintenance: {mode: 'warn'}}}",
        "{session: {maintenance: {mode: 'enforce', maxEntries: 10}}}",
    ] {
        world.put("openclaw.json", config);
        assert_eq!(advice(&world), []);
    }
    // One that was not read says nothing.
    let world = world_of(&runs(1000, 10));
    world.put("openclaw.json", "{session: {maintenance: {mode: 'warn'}}, cron: {store: '${NOWHERE}'}}");
    let ids: Vec<String> = advice(&world).into_iter().map(|(id, ..)| id).collect();
    assert_eq!(ids, ["config-unreadable"]);
}
