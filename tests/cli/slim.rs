//! Prevents a cure by slimming that strips a session which is at work, that changes another byte, or that cannot be taken back.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;

use crate::naive;
use crate::node;
use crate::samples::{self, SAMPLES};
use crate::world::*;
use serde_json::Value;

const BOTH: [&str; 2] = ["skillsSnapshot", "systemPromptReport"];

/// Caches as `JSON.stringify(entry, null, 2)` would print them four blanks deep.
const SKILLS: &str = "{\n      \"prompt\": \"a \\\"skill\\\", {[\",\n      \"resolvedSkills\": [\n        {\n          \"name\": \"x\"\n        }\n      ],\n      \"version\": 1\n    }";
const REPORT: &str =
    "{\n      \"source\": \"run\",\n      \"tools\": {\n        \"listChars\": 10\n      }\n    }";

/// An entry with both caches in its middle.
fn cached(key: impl Into<String>, session: &str, ago: i64, more: &[(&'static str, &str)]) -> Entry {
    let (key, mut members) = entry(key, session, ago, &[("skillsSnapshot", SKILLS)]);
    members.extend(more.iter().map(|(name, value)| (*name, (*value).to_owned())));
    members.push(("systemPromptReport", REPORT.to_owned()));
    members.push(("label", quoted("}, \"skillsSnapshot\": {")));
    (key, members)
}

/// Every kind of entry with caches, and what comes of it with the gateway stopped and with its life unknown: `slim`, or what
/// keeps the caches.
fn every_kind() -> Vec<(Entry, &'static str, &'static str)> {
    let key = |name: &str| format!("agent:main:{name}");
    let (done, running) = (("status", "\"done\""), ("status", "\"running\""));
    let future: &str = Box::leak((NOW + DAY).to_string().into_boxed_str());
    let seconds: &str = Box::leak((NOW / 1000).to_string().into_boxed_str());
    let past: &str = Box::leak((NOW - 9 * HOUR).to_string().into_boxed_str());
    let without_time = |mut entry: Entry| {
        entry.1.retain(|(name, _)| *name != "updatedAt");
        entry
    };
    vec![
        (cached(key("main"), "s-main", 3 * HOUR, &[done]), "slim", "slim"),
        (cached(key("dashboard:1"), "s-young", 110 * MINUTE, &[done]), "grace", "grace"),
        (
            cached(key("telegram:direct:1"), "s-direct", 90 * DAY, &[("thinkingLevel", "\"high\"")]),
            "slim",
            "slim",
        ),
        (cached(key("telegram:direct:2"), "s-pinned", 9 * HOUR, &[("pinnedAt", past)]), "slim", "slim"),
        (cached(key("telegram:group:1"), "s-group", 40 * DAY, &[running]), "running", "running"),
        (
            cached(key("telegram:group:2"), "s-odd", 40 * DAY, &[("status", "\"thinking\"")]),
            "running",
            "running",
        ),
        (
            cached(key("telegram:group:3"), "s-pend", DAY, &[("pendingFinalDeliveryText", "\"x\"")]),
            "protected-pending",
            "protected-pending",
        ),
        (
            cached(key("telegram:group:4"), "s-goal", DAY, &[("goal", "{\"a\":1}")]),
            "protected-pending",
            "protected-pending",
        ),
        (cached(key("telegram:group:5"), "s-lines", DAY, &[]), "grace", "grace"),
        (cached(key("telegram:group:6"), "s-locked", DAY, &[]), "protected-resumable", "protected-in-use"),
        (cached(key("telegram:group:7"), "s-future", -DAY, &[]), "unusable-time", "unusable-time"),
        (
            cached(key("telegram:group:8"), "s-start", DAY, &[("startedAt", future)]),
            "unusable-time",
            "unusable-time",
        ),
        (
            cached(key("telegram:group:9"), "s-secs", DAY, &[("endedAt", seconds)]),
            "unusable-time",
            "unusable-time",
        ),
        (
            without_time(cached(key("telegram:group:10"), "s-never", DAY, &[])),
            "unusable-time",
            "unusable-time",
        ),
        (cached(key("telegram:group:11"), "../../etc", DAY, &[]), "report-only", "report-only"),
        (cached(key("acp:1"), "s-acp", DAY, &[("acp", "{\"backend\":\"x\"}")]), "slim", "slim"),
        (cached("a:shape:nobody:knows", "s-weird", 90 * DAY, &[]), "protected-unknown", "protected-unknown"),
        (cached(base(JOB), "s-rest", 9 * HOUR, &[done]), "slim", "slim"),
        (cached(run(JOB, "s-over"), "s-over", 10 * MINUTE, &[]), "slim", "grace"),
        (cached(run(JOB, "s-finished"), "s-finished", 10 * MINUTE, &[]), "slim", "slim"),
        (cached(run(JOB, "s-old"), "s-old", 5 * HOUR, &[]), "slim", "slim"),
        (cached(run(JOB, "s-copied"), "s-copied", 5 * HOUR, &[running]), "slim", "running"),
        (
            cached(run(JOB, "s-owed"), "s-owed", 5 * HOUR, &[("restartRecoveryAt", "1")]),
            "protected-pending",
            "protected-pending",
        ),
        (cached(run(JOB, "s-late"), "s-late", -5 * HOUR, &[]), "unusable-time", "unusable-time"),
        (cached(base(GONE), "s-hung", 9 * HOUR, &[running]), "running", "running"),
        (cached(run(GONE, "s-hung"), "s-hung", 9 * HOUR, &[]), "running", "protected-in-use"),
        (
            cached(key("subagent:over"), "s-sub", DAY, &[("status", "\"done\""), ("endedAt", past)]),
            "slim",
            "slim",
        ),
        (cached(key("subagent:idle"), "s-idle", DAY, &[]), "slim", "slim"),
        (cached(key("subagent:open"), "s-open", DAY, &[]), "protected-resumable", "protected-resumable"),
        (entry(key("telegram:direct:3"), "s-bare", 90 * DAY, &[done]), "", ""),
        (
            entry(key("telegram:direct:4"), "s-one", 90 * DAY, &[("systemPromptReport", "null")]),
            "slim",
            "slim",
        ),
        (
            (
                key("telegram:direct:5"),
                vec![("updatedAt", past.to_owned()), ("skillsSnapshot", "{}".to_owned())],
            ),
            "slim",
            "slim",
        ),
    ]
}

/// A world with all of them.
fn world_of_every_kind() -> World {
    let world = World::new();
    let entries: Vec<Entry> = every_kind().into_iter().map(|(entry, ..)| entry).collect();
    world.put(STORE, store(&entries));
    world.put("cron/jobs.json", jobs(&[JOB]));
    let at = NOW - 5 * MINUTE;
    world.put(format!("cron/runs/{JOB}.jsonl").as_str(), finished(JOB, Some("s-finished"), at, at - MINUTE));
    let line = "{\"type\":\"message\",\"timestamp\":\"2026-11-21T01:10:00.000Z\",\"message\":{}}\n";
    world.put("agents/main/sessions/s-lines.jsonl", line);
    let lock = lock_text(dead_pid(), None);
    world.put("agents/main/sessions/s-locked.jsonl.lock", lock);
    let rows = serde_json::json!({"version": 2, "runs": {
        "r": {"runId": "r", "childSessionKey": "agent:main:subagent:open", "createdAt": NOW - DAY}
    }});
    world.put("subagents/runs.json", rows.to_string());
    world
}

fn verdicts(report: &Value) -> BTreeMap<String, (String, Option<String>)> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let told = changes(report).into_iter();
    told.map(|(key, change)| (key, (text(&change["action"]).unwrap(), text(&change["protectedBy"]))))
        .collect()
}

#[test]
fn every_kind_of_entry_gets_its_answer() {
    for (gateway, stopped) in [("stopped", true), ("unknown", false)] {
        let world = world_of_every_kind();
        let args = ["slim", "--json", "--entries", "all", "--gateway", gateway];
        let report = world.run(&args).exits(1).json();
        let told = verdicts(&report);
        let mut because: BTreeMap<&str, u64> = BTreeMap::new();
        let mut slimmed = 0;
        for ((key, _), with, without) in &every_kind() {
            let wanted = if stopped { *with } else { *without };
            let (action, protected_by) = &told[key];
            assert_eq!(
                action == "slim",
                wanted == "slim",
                "{key} under {gateway}: {action} {protected_by:?}"
            );
            slimmed += u64::from(wanted == "slim");
            if wanted.starts_with("protected-") {
                assert_eq!(protected_by.as_deref(), Some(wanted), "{key} under {gateway}");
            }
            if !wanted.is_empty() && wanted != "slim" {
                *because.entry(wanted).or_default() += 1;
            }
        }
        let store = &report["stores"][0];
        let kept: BTreeMap<&str, u64> = store["keptBecause"]
            .as_object()
            .unwrap()
            .iter()
            .map(|(reason, tally)| (reason.as_str(), tally["entries"].as_u64().unwrap()))
            .collect();
        assert_eq!(kept, because, "{gateway}");
        let counts = &store["entries"];
        assert_eq!(
            (&counts["slimmed"], &counts["removed"], &counts["healed"]),
            (&slimmed.into(), &0.into(), &0.into())
        );
        assert_eq!(store["classActions"]["live"]["slim"]["entries"], slimmed);
    }
}

#[test]
fn what_is_written_is_the_store_without_the_caches_and_undo_gives_it_back() {
    let world = world_of_every_kind();
    let original = world.bytes();
    let slims = |key: &str| every_kind().iter().any(|((known, _), with, _)| known == key && *with == "slim");
    let wanted = naive::without(std::str::from_utf8(&original).unwrap(), &BOTH, slims);
    let planned = world.stopped(&["slim", "--json"]).exits(1).json();
    let applied = world.stopped(&["slim", "--apply", "--json"]).exits(0).json();
    assert_eq!(applied["stores"][0]["changes"], planned["stores"][0]["changes"]);
    assert_eq!(String::from_utf8(world.bytes()).unwrap(), wanted);
    assert_eq!(planned["stores"][0]["bytesAfter"], wanted.len());
    assert_eq!(applied["stores"][0]["bytesAfter"], wanted.len());
    assert_eq!(fs::metadata(world.store()).unwrap().mode() & 0o777, 0o600);
    let settled = world.tree();
    world.stopped(&["slim", "--apply"]).exits(0);
    assert_eq!(world.tree(), settled, "a second run");
    world.stopped(&["undo", "latest"]).exits(0);
    assert!(world.bytes() == original);
    let undone = world.tree();
    let run = world.runs().swap_remove(0);
    world.stopped(&["undo", &run]).exits(0);
    assert_eq!(world.tree(), undone, "a second undo");
}

#[test]
fn a_dry_run_and_a_gateway_that_may_run_change_nothing() {
    let world = world_of_every_kind();
    let before = world.tree();
    for args in [
        &["slim"][..],
        &["slim", "-v"],
        &["slim", "-q"],
        &["slim", "--json"],
        &["slim", "--fields", "systemPromptReport"],
    ] {
        world.stopped(args).exits(1);
        assert_eq!(world.tree(), before, "{args:?}");
    }
    for gateway in ["running", "unknown"] {
        world.run(&["slim", "--apply", "--gateway", gateway]).exits(4);
        assert_eq!(world.tree(), before, "{gateway}");
    }
}

#[test]
fn only_what_openclaw_builds_again_can_be_named() {
    let world = world_of_every_kind();
    let before = world.tree();
    for fields in [
        "cliSessionBindings",
        "skillsSnapshot,acp",
        "",
        "skillsSnapshot.prompt",
        "skillsSnapshot,,systemPromptReport",
    ] {
        let ran = world.stopped(&["slim", "--apply", "--fields", fields]).exits(2);
        ran.says("skillsSnapshot, systemPromptReport, skillsSnapshot.resolvedSkills");
        assert_eq!(world.tree(), before, "{fields:?}");
    }
}

#[test]
fn one_cache_alone_goes_where_that_is_asked_for() {
    for name in BOTH {
        let world = world_of_every_kind();
        let original = String::from_utf8(world.bytes()).unwrap();
        let slims =
            |key: &str| every_kind().iter().any(|((known, _), with, _)| known == key && *with == "slim");
        let wanted = naive::without(&original, &[name], slims);
        world.stopped(&["slim", "--apply", "--fields", name]).exits(0);
        assert_eq!(String::from_utf8(world.bytes()).unwrap(), wanted, "{name}");
        world.stopped(&["undo", "latest"]).exits(0);
        assert_eq!(String::from_utf8(world.bytes()).unwrap(), original);
    }
}

#[test]
fn the_resolved_skills_alone_go_from_inside_the_snapshot() {
    let world = world_of_every_kind();
    let original = String::from_utf8(world.bytes()).unwrap();
    let resolved = "\n      \"resolvedSkills\": [\n        {\n          \"name\": \"x\"\n        }\n      ],";
    let report = world
        .stopped(&["slim", "--apply", "--json", "--fields", "skillsSnapshot.resolvedSkills"])
        .exits(0)
        .json();
    let kinds = every_kind();
    let slims = |key: &str| {
        kinds.iter().any(|((known, members), with, _)| {
            known == key && *with == "slim" && members.iter().any(|(_, value)| value == SKILLS)
        })
    };
    let entries: Vec<&str> = original.split("\n  },\n").collect();
    let wanted: Vec<String> = entries
        .iter()
        .zip(&kinds)
        .map(
            |(text, ((key, _), ..))| {
                if slims(key) { text.replacen(resolved, "", 1) } else { (*text).to_owned() }
            },
        )
        .collect();
    assert_eq!(String::from_utf8(world.bytes()).unwrap(), wanted.join("\n  },\n"));
    let count = kinds.iter().filter(|((key, _), ..)| slims(key)).count();
    assert_eq!(report["stores"][0]["entries"]["slimmed"], count);
    assert_eq!(report["stores"][0]["changes"][0]["edits"][0]["field"], "skillsSnapshot.resolvedSkills");
    let settled = world.tree();
    world.stopped(&["slim", "--apply", "--fields", "skillsSnapshot.resolvedSkills"]).exits(0);
    assert_eq!(world.tree(), settled);
}

#[test]
fn copies_that_a_later_one_overrides_and_values_that_are_no_objects_stay_as_they_are() {
    let world = World::new();
    let text = store(&[
        cached("agent:main:main", "s-1", 9 * HOUR, &[]),
        cached("agent:main:telegram:direct:1", "s-2", 9 * HOUR, &[]),
        cached("agent:main:main", "s-3", 9 * HOUR, &[]),
    ]);
    let text =
        text.replace("\n}", ",\n  \"agent:main:telegram:direct:2\": [\n    \"skillsSnapshot\"\n  ]\n}");
    world.put(STORE, &text);
    let report = world.stopped(&["slim", "--apply", "--json"]).exits(0).json();
    assert_eq!(report["stores"][0]["entries"]["slimmed"], 2);
    let after = String::from_utf8(world.bytes()).unwrap();
    let (first, rest) = text.split_at(text.find("  \"agent:main:telegram:direct:1\"").unwrap());
    assert_eq!(
        after,
        first.to_owned() + &naive::without(rest, &BOTH, |key| key != "agent:main:telegram:direct:2")
    );
    world.stopped(&["undo", "latest"]).exits(0);
    assert_eq!(String::from_utf8(world.bytes()).unwrap(), text);
}

#[test]
fn agents_that_are_not_named_keep_their_caches() {
    let world = World::new();
    world.put(
        STORE,
        store(&[cached("agent:main:main", "s-1", DAY, &[]), cached("agent:work:main", "s-2", DAY, &[])]),
    );
    let report = world.stopped(&["slim", "--json", "--entries", "all", "--agent", "work"]).exits(1).json();
    let told = verdicts(&report);
    assert_eq!((told["agent:main:main"].0.as_str(), told["agent:work:main"].0.as_str()), ("keep", "slim"));
    assert_eq!(report["stores"][0]["keptBecause"]["agent"]["entries"], 1);
}

/// What slims of a sample eight hours later, by hand: all that holds caches but the run that hangs and its base.
const LATER: [(&str, &str, &[&str]); 3] = [
    ("openclaw-2026.3.28/cron-model-failure", "", &[]),
    ("openclaw-2026.3.28/normal-then-crash", "5c251221-0c42-4bfb-95f4-b3a8132763df", &[]),
    ("openclaw-2026.5.12/normal-then-crash", "", &[]),
];

#[test]
fn the_real_samples_keep_every_other_byte() {
    for (name, hangs, others) in LATER {
        assert!(SAMPLES.contains(&name));
        let world = World::new();
        samples::copy(name, &world.state).unwrap();
        let sample = samples::expected(name);
        let store = world.state.join(&sample.store);
        let original = fs::read_to_string(&store).unwrap();
        let stays = |key: &str| !hangs.is_empty() && key.contains(hangs) || others.contains(&key);
        let wanted = naive::without(&original, &BOTH, |key| !stays(key));
        assert!(wanted.len() * 3 < original.len(), "{name}");
        let later = (time(&sample.now) + 8 * HOUR).to_string();
        let go = |args: &[&str]| {
            let mut command = world.bare();
            command.args(args).arg("--state-dir").arg(&world.state).args([
                "--now",
                &later,
                "--gateway",
                "stopped",
            ]);
            world.finish(&mut command)
        };
        go(&["slim", "--apply"]).exits(0);
        assert_eq!(fs::read_to_string(&store).unwrap(), wanted, "{name}");
        let settled = world.tree();
        go(&["slim", "--apply"]).exits(0);
        assert_eq!(world.tree(), settled, "{name}: a second run");
        go(&["undo", "latest"]).exits(0);
        assert_eq!(fs::read_to_string(&store).unwrap(), original, "{name}");
    }
}

/// A time as the samples write it.
fn time(text: &str) -> i64 {
    sessions_doctor::openclaw::time::parse_iso_ms(text).unwrap()
}

#[test]
fn prune_slims_what_it_keeps_in_the_same_write() {
    for name in SAMPLES {
        let world = |verb: &[&str]| {
            let world = World::new();
            samples::copy(name, &world.state).unwrap();
            let sample = samples::expected(name);
            let later = (time(&sample.now) + 8 * HOUR).to_string();
            let go = |args: &[&str]| {
                let mut command = world.bare();
                command.args(args).arg("--state-dir").arg(&world.state).args([
                    "--now",
                    &later,
                    "--gateway",
                    "stopped",
                ]);
                world.finish(&mut command).exits(0)
            };
            let store = world.state.join(&sample.store);
            let original = fs::read(&store).unwrap();
            go(&[&["prune", "--apply"], verb].concat());
            let after = fs::read_to_string(&store).unwrap();
            let settled = world.tree();
            go(&[&["prune", "--apply"], verb].concat());
            assert_eq!(world.tree(), settled, "{name} {verb:?}: a second run");
            if !world.runs().is_empty() {
                go(&["undo", "latest"]);
                assert!(fs::read(&store).unwrap() == original, "{name} {verb:?}");
            }
            after
        };
        // Eight hours later nothing that stays is at work, and what hung is healed.
        let pruned = world(&[]);
        assert!(pruned.contains("skillsSnapshot"), "{name}");
        assert_eq!(world(&["--slim"]), naive::without(&pruned, &BOTH, |_| true), "{name}");
    }
}

#[test]
fn prune_slims_by_the_same_answers_and_removes_and_heals_as_without() {
    let world = world_of_every_kind();
    let actions = |args: &[&str]| {
        verdicts(&world.stopped(&[&["prune", "--json", "--entries", "all"], args].concat()).json())
    };
    let (plain, slim) = (actions(&[]), actions(&["--slim"]));
    let mut seen: BTreeMap<&str, u64> = BTreeMap::new();
    for ((key, _), with, _) in &every_kind() {
        let wanted = match plain[key].0.as_str() {
            "keep" if *with == "slim" => "slim",
            other => other,
        };
        assert_eq!(slim[key].0, wanted, "{key}");
        assert_eq!(slim[key].1, plain[key].1, "{key}: what protects it still does");
        *seen.entry(wanted).or_default() += 1;
    }
    assert!(seen["slim"] > 5 && seen["keep"] > 5, "{seen:?}");
    assert!(actions(&["--slim", "--only", "stale"]).values().all(|(action, _)| action != "slim"));
    let held = actions(&["--slim", "--agent", "nobody"]);
    assert!(held.values().all(|(action, _)| action == "keep"));
    let kept = actions(&["--slim", "--keep", "telegram:direct:*"]);
    for ((key, _), ..) in every_kind().iter().filter(|((key, _), ..)| key.contains("direct")) {
        assert_eq!(kept[key].0, "keep", "{key}");
    }
}

#[test]
fn a_base_is_healed_and_slimmed_at_once_and_both_can_be_taken_back() {
    let world = World::looping();
    let mut entries = looping();
    let hung = entries.iter_mut().find(|(key, _)| *key == base(JOB)).unwrap();
    *hung = cached(base(JOB), "s-hung", 9 * HOUR, &[("status", "\"running\"")]);
    world.put(STORE, store(&entries));
    let original = world.bytes();
    let report = world.stopped(&["prune", "--slim", "--apply", "--json"]).exits(0).json();
    let change = &changes(&report)[&base(JOB)];
    assert_eq!(change["action"], "heal");
    let fields: Vec<&str> =
        change["edits"].as_array().unwrap().iter().map(|edit| edit["field"].as_str().unwrap()).collect();
    assert_eq!(fields, ["status", "endedAt", "skillsSnapshot", "systemPromptReport"]);
    let text = String::from_utf8(world.bytes()).unwrap();
    assert!(
        text.contains("\"status\": \"failed\",\n    \"endedAt\": 1795191270000,\n    \"label\""),
        "{text}"
    );
    let settled = world.tree();
    world.stopped(&["prune", "--slim", "--apply"]).exits(0);
    assert_eq!(world.tree(), settled, "a second run");
    world.stopped(&["undo", "latest"]).exits(0);
    assert!(world.bytes() == original);
}

/// A hundred records that are over and within their retention, 2 MB of them caches, oldest last.
fn heavy() -> World {
    let world = World::new();
    let blob: &'static str = Box::leak(quoted(&"x".repeat(20_000)).into_boxed_str());
    let record = |at: i64| {
        let session = format!("s-{at:03}");
        entry(run(JOB, &session), &session, 3 * HOUR + at * 10 * MINUTE, &[("skillsSnapshot", blob)])
    };
    world.put(STORE, store(&(0..100).map(record).collect::<Vec<_>>()));
    world.put("cron/jobs.json", jobs(&[JOB]));
    world
}

#[test]
fn the_budget_slims_the_oldest_before_it_removes_anything() {
    let world = heavy();
    let mut command =
        world.doctor(&["prune", "--apply", "--json", "--budget", "auto", "--gateway", "stopped"]);
    // A heap of 100 MiB: a budget of 1 MB.
    let report = world.finish(command.env("NODE_OPTIONS", "--max-old-space-size=100")).exits(0).json();
    let entries = &report["stores"][0]["entries"];
    assert_eq!((&entries["removed"], &entries["total"]), (&0.into(), &100.into()));
    let slimmed = entries["slimmed"].as_u64().unwrap();
    assert!(world.bytes().len() <= 1_000_000 && (50..60).contains(&slimmed), "{slimmed}");
    assert_eq!(report["stores"][0]["bytesAfter"], world.bytes().len());
    // One less would not have done, and the oldest went first.
    assert!(world.bytes().len() > 1_000_000 - 21_000);
    let text = String::from_utf8(world.bytes()).unwrap();
    let left: Vec<bool> = text.split("\n  },\n").map(|entry| entry.contains("skillsSnapshot")).collect();
    assert_eq!(left.iter().position(|left| !left), Some(100 - slimmed as usize));
    assert!(left[100 - slimmed as usize..].iter().all(|left| !left));
}

#[test]
fn what_is_slimmed_anyway_counts_for_the_budget() {
    let world = heavy();
    for (args, removed) in [(&["--budget", "500kB"][..], 0), (&["--budget", "1kB"], 90)] {
        let args = [&["prune", "--slim", "--json"], args].concat();
        let report = world.stopped(&args).exits(1).json();
        let entries = &report["stores"][0]["entries"];
        assert_eq!(
            (&entries["removed"], &entries["slimmed"]),
            (&removed.into(), &(100 - removed).into()),
            "{args:?}"
        );
    }
}

/// A store that `JSON.stringify(store, null, 2)` wrote as `JSON.stringify(store)` would have, by its lines.
fn compact(text: &str) -> String {
    let line = |line: &str| {
        let line = line.trim_start_matches(' ');
        let Some(rest) = line.strip_prefix('"') else { return line.to_owned() };
        let mut escaped = false;
        let end = rest.find(|char| {
            let ends = char == '"' && !escaped;
            escaped = char == '\\' && !escaped;
            ends
        });
        let (key, value) = rest.split_at(end.unwrap() + 1);
        match value.strip_prefix(": ") {
            Some(value) => format!("\"{key}:{value}"),
            None => line.to_owned(),
        }
    };
    text.split('\n').map(line).collect()
}

#[test]
fn compact_leaves_what_a_writer_without_white_space_writes() {
    for name in SAMPLES {
        let world = World::new();
        samples::copy(name, &world.state).unwrap();
        let sample = samples::expected(name);
        let store = world.state.join(&sample.store);
        let original = fs::read_to_string(&store).unwrap();
        let go = |now: i64, args: &[&str]| {
            let mut command = world.bare();
            let now = now.to_string();
            command.args(args).arg("--state-dir").arg(&world.state).args([
                "--now",
                &now,
                "--gateway",
                "stopped",
            ]);
            world.finish(&mut command)
        };
        let (early, late) = (time(&sample.now) - 365 * DAY, time(&sample.now) + 8 * HOUR);
        // A year before its entries nothing is idle: white space alone goes.
        go(early, &["slim", "--apply", "--compact"]).exits(0);
        assert_eq!(fs::read_to_string(&store).unwrap(), compact(&original), "{name}");
        let settled = world.tree();
        go(early, &["slim", "--apply", "--compact"]).exits(0);
        assert_eq!(world.tree(), settled, "{name}: a second run");
        go(early, &["undo", "latest"]).exits(0);
        assert_eq!(fs::read_to_string(&store).unwrap(), original, "{name}");
        // With the caches, by one thread and by several, mapped and not.
        go(late, &["slim", "--apply"]).exits(0);
        let slim = fs::read_to_string(&store).unwrap();
        go(late, &["undo", "latest"]).exits(0);
        for how in [&[][..], &["--threads", "1", "--no-mmap"]] {
            let planned = go(late, &[&["slim", "--compact", "--json"], how].concat()).exits(1).json();
            go(late, &[&["slim", "--apply", "--compact"], how].concat()).exits(0);
            let after = fs::read_to_string(&store).unwrap();
            assert_eq!(after, compact(&slim), "{name}");
            assert_eq!(planned["stores"][0]["bytesAfter"], after.len(), "{name}");
            go(late, &["undo", "latest"]).exits(0);
            assert_eq!(fs::read_to_string(&store).unwrap(), original, "{name}");
        }
    }
}

#[test]
fn compact_says_what_it_costs_and_leaves_a_compact_store_alone() {
    let world = world_of_every_kind();
    let white = world.bytes().len() - compact(std::str::from_utf8(&world.bytes()).unwrap()).len();
    let report = world.stopped(&["slim", "--compact", "--json", "--agent", "nobody"]).exits(1).json();
    let told = finding(&report, "slim-cache").unwrap();
    assert_eq!((&told["severity"], &told["count"]), (&"warning".into(), &white.into()));
    world
        .stopped(&["slim", "--compact"])
        .exits(1)
        .says("two blanks of indent")
        .says("slim --apply")
        .says("--compact");
    assert!(finding(&world.stopped(&["slim", "--json"]).json(), "slim-cache").is_none());
    world
        .stopped(&["slim", "--compact", "--apply", "--agent", "nobody"])
        .exits(0)
        .says("two blanks of indent");
    let before = world.tree();
    let report =
        world.stopped(&["slim", "--compact", "--apply", "--json", "--agent", "nobody"]).exits(0).json();
    assert_eq!(world.tree(), before);
    assert!(finding(&report, "slim-cache").is_none());
    // There are caches left, and nothing else.
    let report = world.stopped(&["slim", "--compact", "--apply", "--json"]).exits(0).json();
    assert!(finding(&report, "slim-cache").is_none());
    assert_eq!(report["stores"][0]["bytesAfter"], world.bytes().len());
    assert!(!String::from_utf8(world.bytes()).unwrap().contains('\n'));
}

#[test]
fn compact_agrees_with_node_in_every_style() {
    if !node::Node::available() {
        skipped("compact_agrees_with_node_in_every_style", "no `node` on this machine");
        return;
    }
    let plain = String::from_utf8(world_of_every_kind().bytes()).unwrap();
    let styles = [
        plain.clone(),
        plain.replace('\n', "\r\n"),
        plain.replace("  ", "\t"),
        plain.replace("\\\": ", "\\\" ").replace("\": ", "\"\n:\t\r\n "),
        format!("\n\n {plain}\n"),
        compact(&plain),
        "{ }".to_owned(),
        "{\n  \"agent:main:main\": {\n    \"label\": \"  \\\\\\\" \\u0020  \", \"a\": [ { } , [ ] ]\n  }\n}\n".to_owned(),
    ];
    let program = "const fs = require('fs'); const text = fs.readFileSync(process.argv[1], 'utf8'); \
                   process.stdout.write(JSON.stringify(JSON.parse(text)))";
    for style in styles {
        let world = World::new();
        let path = world.put(STORE, &style);
        let wanted = node::evaluate(program, &[path.as_os_str()]);
        world.stopped(&["slim", "--compact", "--apply", "--agent", "nobody", "--json"]).exits(0);
        let after = String::from_utf8(world.bytes()).unwrap();
        // Node spells the escapes of ASCII out.
        assert_eq!(after.replace("\\u0020", " "), wanted, "{style}");
    }
}

/// The members of entry number `at` of a store, moved so that the caches stand where `order` puts them.
fn entry_in_order(order: &[&'static str]) -> Entry {
    let values = [
        ("sessionId", quoted("s-1")),
        ("updatedAt", (NOW - 9 * HOUR).to_string()),
        ("label", quoted("x")),
        ("skillsSnapshot", SKILLS.to_owned()),
        ("systemPromptReport", REPORT.to_owned()),
    ];
    let value =
        |name: &&'static str| (*name, values.iter().find(|(known, _)| known == name).unwrap().1.clone());
    ("agent:main:main".to_owned(), order.iter().map(value).collect())
}

#[test]
fn undo_after_a_write_puts_caches_back_where_they_stood() {
    let orders: [&[&str]; 6] = [
        &["skillsSnapshot", "systemPromptReport", "sessionId", "updatedAt", "label"],
        &["sessionId", "skillsSnapshot", "updatedAt", "label", "systemPromptReport"],
        &["sessionId", "updatedAt", "label", "skillsSnapshot", "systemPromptReport"],
        &["systemPromptReport", "updatedAt", "skillsSnapshot"],
        &["updatedAt", "skillsSnapshot"],
        &["skillsSnapshot", "updatedAt"],
    ];
    for order in orders {
        for fields in
            ["skillsSnapshot,systemPromptReport", "skillsSnapshot.resolvedSkills,systemPromptReport"]
        {
            let world = World::new();
            let others = [
                cached("agent:main:dashboard:1", "s-2", DAY, &[]),
                cached("agent:main:dashboard:2", "s-3", DAY, &[]),
            ];
            let original = store(&[others[0].clone(), entry_in_order(order), others[1].clone()]);
            world.put(STORE, &original);
            world.stopped(&["slim", "--apply", "--fields", fields]).exits(0);
            let run = world.runs().swap_remove(0);
            // The gateway ran since, and wrote another entry.
            let more = |text: &str| {
                let added = store(&[entry("agent:main:telegram:direct:9", "s-new", 0, &[])]);
                format!("{},{}", text.strip_suffix("\n}").unwrap(), added.strip_prefix('{').unwrap())
            };
            world.put(STORE, more(std::str::from_utf8(&world.bytes()).unwrap()));
            world.stopped(&["undo", &run]).exits(0);
            assert_eq!(String::from_utf8(world.bytes()).unwrap(), more(&original), "{order:?} {fields}");
            let settled = world.tree();
            world.stopped(&["undo", &run]).exits(0);
            assert_eq!(world.tree(), settled, "a second undo");
        }
    }
}

#[test]
fn undo_after_a_write_leaves_entries_alone_that_were_worked_with_since() {
    let world = World::new();
    let keys =
        ["agent:main:main", "agent:main:dashboard:1", "agent:main:dashboard:2", "agent:main:dashboard:3"];
    let before: Vec<Entry> = keys.iter().map(|key| cached(*key, key, DAY, &[])).collect();
    world.put(STORE, store(&before));
    world.stopped(&["slim", "--apply"]).exits(0);
    let run = world.runs().swap_remove(0);
    let slim = |entry: &Entry| {
        let kept = entry.1.iter().filter(|(name, _)| !BOTH.contains(name));
        (entry.0.clone(), kept.cloned().collect::<Vec<_>>())
    };
    // One was worked with, one reset, one got a cache of its own, and one is as the run left it but for a label.
    let mut since: Vec<Entry> = before.iter().map(slim).collect();
    since[0].1[1].1 = NOW.to_string();
    since[1].1[0].1 = quoted("s-another");
    since[2].1.push(("skillsSnapshot", "{\n      \"version\": 2\n    }".to_owned()));
    since[3].1[2].1 = quoted("renamed");
    world.put(STORE, store(&since));
    let report = world.stopped(&["undo", &run, "--json"]).exits(0).json();
    assert_eq!(report["stores"][0]["outcome"], "applied");
    let mut wanted = since.clone();
    // Each behind the nearest member before it that is still there.
    wanted[2].1.push(before[2].1[3].clone());
    wanted[3].1 = before[3].1.clone();
    wanted[3].1[4].1 = quoted("renamed");
    assert_eq!(String::from_utf8(world.bytes()).unwrap(), store(&wanted));
    let settled = world.tree();
    world.stopped(&["undo", &run]).exits(0);
    assert_eq!(world.tree(), settled, "a second undo");
}

#[test]
fn undo_after_a_write_takes_back_what_prune_healed_and_slimmed() {
    let world = World::looping();
    let mut entries = looping();
    for at in [0, 1, 5] {
        let (key, members) = &entries[at];
        let mut slow = cached(key.clone(), "", 0, &[]);
        slow.1.splice(0..2, members[..2].to_vec());
        slow.1.extend(members[2..].to_vec());
        entries[at] = slow;
    }
    world.put(STORE, store(&entries));
    let original = world.bytes();
    let added = store(&[entry("agent:main:telegram:direct:9", "s-new", 0, &[])]);
    let more = |text: &[u8]| {
        let text = std::str::from_utf8(text).unwrap();
        format!("{},{}", text.strip_suffix("\n}").unwrap(), added.strip_prefix('{').unwrap())
    };
    let report = world.stopped(&["prune", "--slim", "--apply", "--json"]).exits(0).json();
    let counts = &report["stores"][0]["entries"];
    assert_eq!(
        (&counts["healed"], &counts["slimmed"], &counts["removed"]),
        (&1.into(), &1.into(), &3.into())
    );
    let run = world.runs().swap_remove(0);
    world.put(STORE, more(&world.bytes()));
    world.stopped(&["undo", &run]).exits(0);
    assert_eq!(String::from_utf8(world.bytes()).unwrap(), more(&original));
}

#[test]
fn undo_of_a_compact_store_that_was_written_since_leaves_its_style() {
    let world = world_of_every_kind();
    world.stopped(&["slim", "--apply", "--compact", "--agent", "nobody"]).exits(0);
    let run = world.runs().swap_remove(0);
    let since = String::from_utf8(world.bytes()).unwrap().replace("\"label\":", "\"label\": ");
    world.put(STORE, &since);
    let before = world.tree();
    world.stopped(&["undo", &run]).exits(0).says("Nothing to put back");
    assert_eq!(world.tree(), before);
    let to = world.root.join("original.json");
    world.stopped(&["undo", &run, "--to", to.to_str().unwrap()]).exits(0);
    assert_eq!(fs::read_to_string(&to).unwrap(), since, "nothing was taken out, so nothing comes back");
}
