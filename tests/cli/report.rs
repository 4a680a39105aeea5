//! Prevents reports that scripts cannot read, that act on a terminal, or that tell names they were asked to hide.

use std::io::Read;
use std::process::Stdio;

use crate::world::*;
use serde_json::Value;

#[track_caller]
fn has(value: &Value, fields: &[&str], what: &str) {
    let object = value.as_object().unwrap_or_else(|| panic!("{what} is no object: {value}"));
    for field in fields {
        assert!(object.contains_key(*field), "{what} lacks {field}: {value}");
    }
}

#[test]
fn the_report_has_every_documented_field() {
    let world = World::looping();
    for (args, code) in [
        (&["check", "--json", "--entries", "all"][..], 1),
        (&["prune", "--json"], 1),
        (&["prune", "--apply", "--json"], 0),
        (&["undo", "--json"], 0),
        (&["undo", "latest", "--json"], 0),
    ] {
        let ran = world.stopped(args).exits(code);
        assert!(ran.err.is_empty(), "{args:?}: {ran}");
        let report = ran.json();
        has(
            &report,
            &[
                "schema", "version", "tool", "command", "applied", "now", "complete", "stateDir", "era",
                "gateway", "evidence", "cronJobs", "files", "runs", "stores", "findings", "exitCode",
            ],
            "the report",
        );
        assert_eq!((&report["schema"], &report["version"]), (&"sessions-doctor/report".into(), &1.into()));
        assert_eq!((&report["complete"], &report["now"]), (&true.into(), &NOW.into()));
        assert_eq!(report["command"], args[0]);
        assert_eq!(report["stateDir"], world.state.to_str().unwrap());
        has(&report["tool"], &["name", "version"], "tool");
        has(&report["gateway"], &["running", "pid", "startedAt", "version", "evidence"], "gateway");
        for item in report["evidence"].as_array().unwrap() {
            has(item, &["kind", "path", "state"], "evidence");
        }
        for run in report["runs"].as_array().unwrap() {
            has(run, &["run", "command", "at", "state"], "a run");
        }
        for finding in report["findings"].as_array().unwrap() {
            has(finding, &["checkId", "severity", "message", "path", "count", "fixHint"], "a finding");
        }
        for store in report["stores"].as_array().unwrap() {
            has(
                store,
                &[
                    "agentIds",
                    "path",
                    "bytes",
                    "verdict",
                    "outcome",
                    "openclawReads",
                    "entries",
                    "bytesAfter",
                    "classes",
                    "rules",
                    "brakes",
                    "jobs",
                    "fields",
                    "whitespaceBytes",
                    "forecast",
                    "damage",
                    "sources",
                    "backup",
                    "changes",
                ],
                "a store",
            );
            has(&store["openclawReads"], &["entries", "outcome"], "openclawReads");
            has(
                &store["entries"],
                &["total", "kept", "removed", "healed", "slimmed", "recovered"],
                "entries",
            );
            let job = [
                "jobId",
                "name",
                "entries",
                "bytes",
                "statuses",
                "firstAt",
                "lastAt",
                "medianIntervalMs",
                "known",
            ];
            store["jobs"].as_array().unwrap().iter().for_each(|row| has(row, &job, "a job"));
            store["fields"]
                .as_array()
                .unwrap()
                .iter()
                .for_each(|row| has(row, &["name", "bytes", "entries"], "a field"));
            if !store["forecast"].is_null() {
                let forecast = ["heapBytesLow", "heapBytesHigh", "heapLimitBytes", "fits", "basis"];
                has(&store["forecast"], &forecast, "forecast");
            }
            for change in store["changes"].as_array().unwrap() {
                has(
                    change,
                    &[
                        "key",
                        "family",
                        "class",
                        "rule",
                        "action",
                        "confidence",
                        "protectedBy",
                        "reasons",
                        "source",
                        "start",
                        "end",
                        "edits",
                        "sessionId",
                        "updatedAt",
                        "status",
                    ],
                    "a change",
                );
                change["edits"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .for_each(|edit| has(edit, &["field", "old", "new"], "an edit"));
            }
        }
    }
}

#[test]
fn entries_are_listed_as_asked_and_spans_name_the_bytes() {
    let world = World::looping();
    let listed = |which: &str| {
        let report = world.stopped(&["check", "--json", "--entries", which]).json();
        report["stores"][0]["changes"].as_array().unwrap().clone()
    };
    assert_eq!((listed("none").len(), listed("changed").len(), listed("all").len()), (0, 4, 9));
    let bytes = world.bytes();
    for change in listed("all") {
        let at = |name: &str| usize::try_from(change[name].as_u64().unwrap()).unwrap();
        let text = std::str::from_utf8(&bytes[at("start")..at("end")]).unwrap();
        let read: Value = serde_json::from_str(&format!("{{{text}}}")).unwrap();
        assert!(read.get(change["key"].as_str().unwrap()).is_some(), "{text}");
    }
    // The counts are those of the list.
    let report = world.stopped(&["check", "--json", "--entries", "all"]).json();
    let store = &report["stores"][0];
    let changes = store["changes"].as_array().unwrap();
    for (class, tally) in store["classes"].as_object().unwrap() {
        let of_class = changes.iter().filter(|change| change["class"].as_str().unwrap_or("live") == class);
        assert_eq!(tally["entries"], of_class.count(), "{class}");
    }
}

#[test]
fn a_key_that_a_later_one_overrides_is_dropped_and_not_counted() {
    let world = World::looping();
    let text = store(&looping());
    let twice =
        text.replacen("{\n", "{\n  \"agent:main:main\": {\n    \"sessionId\": \"s-first\"\n  },\n", 1);
    world.put(STORE, &twice);
    let report = world.stopped(&["prune", "--json"]).exits(1).json();
    let entries = &report["stores"][0]["entries"];
    assert_eq!((&entries["total"], &entries["removed"]), (&9.into(), &3.into()), "{entries}");
    let dropped: Vec<&Value> = report["stores"][0]["changes"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|change| change["action"] == "drop")
        .collect();
    assert_eq!(dropped.len(), 1);
    assert_eq!(
        (&dropped[0]["rule"], &dropped[0]["confidence"]),
        (&"duplicate-key".into(), &"certain".into())
    );
    world.stopped(&["prune", "--apply"]).exits(0);
    assert_eq!(world.keys().iter().filter(|key| *key == "agent:main:main").count(), 1);
    assert!(String::from_utf8(world.bytes()).unwrap().contains("s-main"));
    world.stopped(&["undo", "latest"]).exits(0);
    assert_eq!(world.bytes(), twice.as_bytes());
}

#[test]
fn long_keys_are_cut_and_say_how_long_they_were() {
    let world = World::looping();
    let key = format!("agent:main:telegram:direct:{}", "ü".repeat(900));
    world.put(STORE, store(&[entry(&key, "s", DAY, &[])]));
    let report = world.stopped(&["check", "--json", "--entries", "all"]).exits(0).json();
    let change = &report["stores"][0]["changes"][0];
    assert!(change["key"].as_str().unwrap().len() <= 1024);
    assert_eq!(change["keyBytes"], key.len());
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let world = World::looping();
    let mut entries = looping();
    for number in 0..5_000 {
        entries.push(entry(run(JOB, &format!("s-{number}")), "s", 3 * DAY, &[]));
    }
    world.put(STORE, store(&entries));
    for args in [&["check", "--json", "--entries", "all"][..], &["prune", "-v"], &["explain", "stale-run"]] {
        let mut command = world.doctor(args);
        let mut child = command
            .args(["--gateway", "stopped"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut head = [0; 10];
        child.stdout.take().unwrap().read_exact(&mut head).unwrap();
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.is_empty(), "{args:?}: {said}");
        assert!(matches!(output.status.code(), Some(0 | 1)), "{args:?}: {:?}", output.status);
    }
}

/// Marks that act on a terminal, hide, or turn the order of text round.
const HOSTILE: &str =
    "\u{1b}[2J\u{1b}]0;owned\u{7}\u{9b}31m\u{202e}txt\u{2066}\u{200b}\r\n# fake line\u{0}\u{8}\u{85}\u{2028}";

fn assert_tame(ran: &Ran, what: &str) {
    for (stream, text) in [("stdout", &ran.out), ("stderr", &ran.err)] {
        let bad = text.chars().find(|char| {
            char.is_control() && *char != '\n'
                || matches!(char, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200b}' | '\u{2028}')
        });
        assert!(bad.is_none(), "{what}: {bad:?} reached {stream} raw\n{ran}");
        assert!(
            !text.lines().any(|line| line.trim_start().starts_with("# fake line")),
            "{what}: a line was made up\n{ran}"
        );
    }
}

#[test]
fn hostile_texts_reach_no_terminal() {
    let world = World::looping();
    let mut entries = looping();
    let mark = quoted(HOSTILE);
    let key = format!("agent:main:telegram:direct:{HOSTILE}");
    let key_without_nul = key.replace('\0', "0");
    entries.push(entry(&key_without_nul, HOSTILE, DAY, &[("label", &mark)]));
    entries.push(entry(
        &key,
        HOSTILE,
        90 * DAY,
        &[("label", &mark), ("status", &mark), ("lastChannel", &mark)],
    ));
    entries.push(entry(run(JOB, HOSTILE), HOSTILE, 9 * DAY, &[("label", &mark), ("status", &mark)]));
    entries.push(entry(format!("agent:main:cron:{HOSTILE}:run:x"), "x", 9 * DAY, &[("label", &mark)]));
    entries.push(entry(
        format!("agent:main:hook:{HOSTILE}"),
        HOSTILE,
        90 * DAY,
        &[("status", "\"done\""), ("endedAt", "1")],
    ));
    entries.push(entry(
        format!("agent:{HOSTILE}:main"),
        HOSTILE,
        DAY,
        &[(Box::leak("x".to_owned().into_boxed_str()), "1")],
    ));
    world.put(STORE, store(&entries));
    world.put("cron/jobs.json", jobs(&[JOB]).replace("\"job 1111\"", &mark));
    world.put(&format!("cron/runs/{JOB}.jsonl"), format!("{{\"ts\": 1, \"error\": {mark}}}\ntorn {HOSTILE}"));
    for args in
        [&["check"][..], &["check", "-v"], &["prune", "-v"], &["check", "-q"], &["check", "-v", "--redact"]]
    {
        assert_tame(&world.stopped(args).exits(1), &format!("{args:?}"));
    }
    // No argument can hold a NUL.
    let without = key.replace('\0', "");
    let code = world.stopped(&["explain", &without]);
    assert_tame(&code.exits(2), "explain KEY");
    assert_tame(&world.stopped(&["explain", &key_without_nul]).exits(0), "explain KEY");
    assert_tame(&world.stopped(&["explain", "\u{1b}[31mno such\u{202e}"]).exits(2), "explain of nothing");
    assert_tame(&world.stopped(&["undo", "\u{1b}[31mno such\u{202e}"]).exits(2), "undo of nothing");
    assert_tame(&world.stopped(&["check", "--keep", "\u{1b}(31m*\u{202e}"]).exits(1), "--keep");
    assert_tame(
        &world.stopped(&["prune", "--apply", "--keep", "\u{1b}(31m*\u{202e}"]).exits(2),
        "--keep --apply",
    );
    for option in ["--store", "--cron-dir"] {
        assert_tame(&world.stopped(&["check", option, "no/\u{1b}[31m\u{202e}such"]).exits(6), option);
    }
    let mut command = world.bare();
    command.args(["check", "--grace", "\u{1b}[31msoon"]);
    assert_tame(&world.finish(&mut command).exits(2), "--grace");
    let mut command = world.bare();
    command.args(["check", "--now", "\u{1b}[31mnow"]);
    assert_tame(&world.finish(&mut command).exits(2), "--now");
    assert_tame(&world.stopped(&["prune", "--output", "no\u{1b}[31m/such"]).exits(6), "--output");
    assert_tame(&world.stopped(&["prune", "--output", "fine\u{1b}[31m"]), "--output");
    assert_tame(&world.stopped(&["prune", "--apply", "-v"]).exits(0), "prune --apply");
    assert_tame(&world.stopped(&["undo", "latest", "--to", "to\u{1b}[31m"]), "undo --to");
    assert_tame(&world.stopped(&["undo", "latest", "-v"]).exits(0), "undo");
    // A damaged store whose fault stands in such a text.
    world.put(STORE, format!("{{\"a{HOSTILE}\": 1}}"));
    assert_tame(&world.stopped(&["check", "-v"]).exits(3), "a damaged store");
    // A configuration that fails in such a text.
    world.put(STORE, store(&entries));
    world.put("openclaw.json", format!("{{ cron: {{ store: '${{{HOSTILE}}}' }}, $include: '{HOSTILE}' }}"));
    assert_tame(&world.stopped(&["check", "-v"]), "a configuration");
    world.put("cron/jobs.json", format!("{{\"{HOSTILE}"));
    assert_tame(&world.stopped(&["check", "-v"]), "a job list");
}

#[test]
fn hostile_texts_in_paths_reach_no_terminal() {
    let mut world = World::looping();
    let odd = world.root.join("st\u{1b}[31m\u{202e}ate\n# fake line");
    std::fs::rename(&world.state, &odd).unwrap();
    world.state = odd;
    for args in [&["check", "-v"][..], &["prune"], &["prune", "--apply"], &["undo"], &["undo", "latest"]] {
        assert_tame(&world.stopped(args), &format!("{args:?}"));
    }
    world.put(STORE, "{");
    for args in [&["check", "-v"][..], &["prune", "--apply"], &["undo", "latest"]] {
        assert_tame(&world.stopped(args).exits(3), &format!("{args:?}"));
    }
}

/// Things that must not be told, put wherever the tool looks.
const SECRETS: [&str; 9] = [
    "Payroll of Zanzibar",
    "label-Quetzal",
    "49170555123",
    "7d3f5a3e-aaaa-4bbb-8ccc-000000000001",
    "Quokka",
    "secret-error-text",
    "Wombat",
    "Xanadu",
    "9f8e7d6c-aaaa-4bbb-8ccc-000000000002",
];

#[test]
fn a_redacted_report_tells_no_name() {
    let mut world = World::looping();
    // The state directory lies below home, in a directory with a telling name.
    let state = world.home.join("Wombat/.openclaw");
    std::fs::create_dir_all(state.parent().unwrap()).unwrap();
    std::fs::rename(&world.state, &state).unwrap();
    world.state = state;
    let session = SECRETS[3];
    let mut entries = looping();
    let label = [("label", "\"label-Quetzal\""), ("status", "\"done\"")];
    entries.push(entry(format!("agent:main:telegram:direct:{}", SECRETS[2]), session, 90 * DAY, &label));
    entries.push(entry(run(JOB, session), session, 9 * DAY, &label));
    entries.push(entry("agent:main:whatsapp:group:Quokka@g.us", SECRETS[8], 9 * DAY, &label));
    entries.push(entry(
        "agent:main:hook:Xanadu",
        SECRETS[8],
        90 * DAY,
        &[("status", "\"done\""), ("endedAt", "1789000000000")],
    ));
    world.put(STORE, store(&entries));
    world.put("cron/jobs.json", jobs(&[JOB]).replace("job 1111", SECRETS[0]));
    world.put(
        &format!("cron/runs/{JOB}.jsonl"),
        finished(JOB, Some("s-hung"), NOW - 8 * HOUR, NOW - 9 * HOUR)
            + "{\"error\": \"secret-error-text\"}\ntorn secret-error-text",
    );
    let secrets: Vec<&str> =
        SECRETS.into_iter().chain([JOB, GONE, "s-hung", "s-old", "s-peer", "4711"]).collect();
    let home = world.home.display().to_string();
    let check = |ran: Ran, what: &str| {
        for secret in secrets.iter().copied().chain([home.as_str()]) {
            for (stream, text) in [("stdout", &ran.out), ("stderr", &ran.err)] {
                let line = text.lines().find(|line| line.contains(secret));
                assert!(line.is_none(), "{what}: {secret:?} on {stream}: {line:?}");
            }
        }
    };
    let args = ["--redact", "--json", "--entries", "all"];
    check(world.stopped(&[&["check"][..], &args].concat()).exits(1), "check --json");
    check(world.stopped(&["check", "--redact", "-v"]).exits(1), "check -v");
    check(world.stopped(&["prune", "--redact"]).exits(1), "prune");
    check(world.stopped(&["explain", "agent:main:hook:Xanadu", "--redact"]).exits(0), "explain");
    check(world.stopped(&[&["prune", "--apply"][..], &args].concat()).exits(0), "prune --apply");
    check(world.stopped(&["undo", "--redact"]).exits(0), "undo");
    check(world.stopped(&["undo", "latest", "--redact", "--json"]).exits(0), "undo latest");
    check(world.run(&["prune", "--apply", "--redact", "--gateway", "unknown"]).exits(4), "busy");
    check(
        world
            .stopped(&["check", "--redact", "--store", world.home.join("Wombat/no.json").to_str().unwrap()])
            .exits(6),
        "missing",
    );
    world.put(STORE, "{\"agent:main:telegram:direct:49170555123\": ");
    check(world.stopped(&["check", "--redact"]).exits(3), "damaged");
    check(world.stopped(&["undo", "latest", "--redact"]).exits(3), "undo of a damaged one");
    world.put("openclaw.json", "{ $include: './Quokka.json5' }");
    check(world.stopped(&["check", "--redact", "-v"]).exits(3), "configuration");
}

#[test]
fn explain_knows_rules_exit_codes_and_keys() {
    let world = World::looping();
    for code in ["0", "1", "2", "3", "4", "5", "6", "130", "143"] {
        world.stopped(&["explain", code]).exits(0);
    }
    for rule in [
        "zombie-finished",
        "zombie-dead-owner",
        "orphan-job",
        "stale-run",
        "store-truncated",
        "brake-tripped",
        "protected-main",
    ] {
        let ran = world.stopped(&["explain", rule]).exits(0);
        assert!(ran.out.contains(rule), "{rule}: {ran}");
    }
    let key = run(JOB, "s-hung");
    world.stopped(&["explain", &key]).exits(0).says("zombie-dead-owner").says("remove");
    world.stopped(&["explain", key.strip_prefix("agent:main:").unwrap()]).exits(0).says("zombie-dead-owner");
    world.stopped(&["explain", &base(JOB)]).exits(0).says("heal").says("protected-base-cron").says("endedAt");
    let change: Value =
        serde_json::from_str(&world.stopped(&["explain", &key, "--json"]).exits(0).out).unwrap();
    assert_eq!(change["action"], "remove");
    world.stopped(&["explain", "zombie-finishd"]).exits(2).says("zombie-finished");
    let before = world.tree();
    world.stopped(&["explain", "agent:main:nobody"]).exits(2);
    assert_eq!(world.tree(), before);
}

#[test]
fn nothing_moves_and_nothing_is_coloured_without_a_terminal() {
    let world = World::looping();
    for args in [&["check"][..], &["prune", "--progress", "auto"], &["prune", "--color", "auto", "-v"]] {
        let ran = world.stopped(args).exits(1);
        assert!(ran.err.is_empty() && !ran.out.contains('\u{1b}'), "{args:?}: {ran}");
    }
    assert!(world.stopped(&["check", "--color", "always"]).exits(1).out.contains('\u{1b}'));
    let mut command = world.doctor(&["check", "--gateway", "stopped"]);
    let ran = world.finish(command.env("NO_COLOR", "1")).exits(1);
    assert!(!ran.out.contains('\u{1b}'));
}

#[test]
fn a_full_pipe_end_is_an_error_that_is_told() {
    // /dev/full takes nothing: the report is lost, and that must not pass for success.
    let world = World::looping();
    for args in [&["check", "--json"][..], &["check"], &["explain", "stale-run"]] {
        let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
        let mut command = world.doctor(args);
        let ran = world.finish(command.args(["--gateway", "stopped"]).stdout(full)).exits(6);
        assert!(!ran.err.is_empty());
    }
}
