//! Prevents a sweep that takes a transcript which something refers to, a copy that holds what the store lacks, or anything at all while
//! a store may have to be rebuilt; and one that cannot be undone.

use std::fs::{self, File};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::database::{self, *};
use crate::peak;
use crate::samples;
use crate::world::*;
use serde_json::{Value, json};

/// The session that nothing refers to, unless a test says so.
const LOST: &str = "0f908179-10f4-42bd-9ae3-d5d2feb993a0";
/// A session that an entry has.
const KEPT: &str = "5581bc53-2c8e-45ce-a7e0-7abb6550006f";
/// Another one.
const THIRD: &str = "23cf3162-390b-47e0-9ab4-a94ca035cca8";
/// The id of a checkpoint.
const CHECKPOINT: &str = "99999999-390b-47e0-9ab4-a94ca035cca8";
const SESSIONS: &str = "agents/main/sessions";

fn iso(at: i64) -> String {
    sessions_doctor::openclaw::time::format_iso_ms(at)
}

/// The text of a transcript whose last line is of `ago` before now.
fn transcript(session: &str, ago: i64) -> String {
    transcript_with(session, ago, "")
}

fn transcript_with(session: &str, ago: i64, more: &str) -> String {
    let (first, last) = (iso(NOW - ago - HOUR), iso(NOW - ago));
    format!(
        "{{\"type\":\"session\",\"version\":3,\"id\":\"{session}\",\"timestamp\":\"{first}\",\"cwd\":\"/x\"{more}}}\n\
         {{\"type\":\"message\",\"id\":\"a1\",\"parentId\":null,\"timestamp\":\"{last}\",\"message\":{{\"role\":\"user\"}}}}\n"
    )
}

fn put(world: &World, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
    world.put(&format!("{SESSIONS}/{name}"), text)
}

fn entries() -> Vec<Entry> {
    // Without its base, the log of a job would tell of a store that was wiped.
    vec![entry("agent:main:main", KEPT, 3 * DAY, &[]), entry(base(JOB), KEPT, 3 * DAY, &[])]
}

/// A sound store with one entry, its transcript, and a transcript that nothing refers to.
fn world() -> World {
    let world = World::new();
    world.put(STORE, store(&entries()));
    world.put("cron/jobs.json", jobs(&[JOB]));
    put(&world, &format!("{KEPT}.jsonl"), transcript(KEPT, 3 * DAY));
    put(&world, &format!("{LOST}.jsonl"), transcript(LOST, 3 * DAY));
    world
}

/// Names of the files that a sweep lists.
fn listed(ran: &Ran) -> Vec<String> {
    let report = ran.json();
    let name = |file: &Value| {
        Path::new(file["path"].as_str().unwrap()).file_name().unwrap().to_str().unwrap().to_owned()
    };
    let mut names: Vec<String> = report["files"].as_array().unwrap().iter().map(name).collect();
    names.sort();
    names
}

#[track_caller]
fn assert_listed(world: &World, names: &[&str]) {
    let ran = world.stopped(&["sweep", "--json"]);
    assert_eq!(listed(&ran), names, "{ran}");
    assert_eq!(ran.code, if names.is_empty() { 0 } else { 1 }, "{ran}");
}

/// As the world is now, by the clock of this machine: for what only a time of a file tells of.
fn really(world: &World, args: &[&str]) -> Ran {
    let mut command = world.bare();
    command.args(args).args(["--gateway", "stopped", "--state-dir"]).arg(&world.state);
    world.finish(&mut command)
}

fn age(path: &Path, days: u64) {
    let then = SystemTime::now() - Duration::from_secs(days * 24 * 3600);
    File::options().write(true).open(path).unwrap().set_modified(then).unwrap();
}

fn now_ms() -> i64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_millis() as i64
}

#[test]
fn a_transcript_that_nothing_refers_to_is_listed_and_a_look_changes_nothing() {
    let world = world();
    let before = world.tree();
    assert_listed(&world, &[&format!("{LOST}.jsonl")]);
    let report = world.stopped(&["sweep", "--json"]).json();
    let file = &report["files"][0];
    assert_eq!(
        (&file["rule"], &file["action"], &file["to"]),
        (&json!("transcript-orphan"), &json!("move"), &Value::Null)
    );
    assert_eq!(file["bytes"], transcript(LOST, 3 * DAY).len());
    let found = finding(&report, "transcript-orphan").unwrap();
    assert_eq!((&found["severity"], &found["count"]), (&json!("warning"), &json!(1)));
    world.stopped(&["sweep"]).exits(1).says("1 file").says("sweep --apply");
    world.stopped(&["check", "--json"]);
    assert_eq!(world.tree(), before);
}

/// Makes something refer to [`LOST`].
type Form = (&'static str, fn(&World));

fn with_entry(world: &World, key: &str, session: &str, members: &[(&'static str, &str)]) {
    let mut entries = entries();
    entries.push(entry(key, session, 3 * DAY, members));
    world.put(STORE, store(&entries));
}

fn with_member(world: &World, name: &'static str, value: &str) {
    with_entry(world, "agent:main:telegram:direct:1", THIRD, &[(name, value)]);
}

const FORMS: &[Form] = &[
    ("sessionId", |world| with_entry(world, "agent:main:telegram:direct:1", LOST, &[])),
    ("sessionId in capitals", |world| {
        with_entry(world, "agent:main:telegram:direct:1", &LOST.to_uppercase(), &[])
    }),
    ("sessionFile, absolute", |world| {
        let path = world.state.join(format!("{SESSIONS}/{LOST}.jsonl"));
        with_member(world, "sessionFile", &quoted(path.to_str().unwrap()));
    }),
    ("sessionFile, relative", |world| with_member(world, "sessionFile", &quoted(&format!("{LOST}.jsonl")))),
    ("sessionFile, of a state directory that was moved", |world| {
        with_member(world, "sessionFile", &quoted(&format!("/old/{SESSIONS}/{LOST}-topic-7.jsonl")));
    }),
    ("usageFamilyKey", |world| with_member(world, "usageFamilyKey", &quoted(&format!("family:{LOST}")))),
    ("usageFamilySessionIds", |world| with_member(world, "usageFamilySessionIds", &format!("[\"{LOST}\"]"))),
    ("compactionCheckpoints", |world| {
        with_member(
            world,
            "compactionCheckpoints",
            &format!("[{{\"preCompaction\":{{\"sessionId\":\"{LOST}\"}}}}]"),
        );
    }),
    ("cliSessionIds", |world| with_member(world, "cliSessionIds", &format!("{{\"claude-cli\":\"{LOST}\"}}"))),
    ("cliSessionBindings", |world| {
        with_member(world, "cliSessionBindings", &format!("{{\"claude-cli\":{{\"sessionId\":\"{LOST}\"}}}}"));
    }),
    ("claudeCliSessionId", |world| with_member(world, "claudeCliSessionId", &quoted(LOST))),
    ("acp", |world| with_member(world, "acp", &format!("{{\"runtimeSessionName\":\"x-{LOST}-y\"}}"))),
    ("spawnedBy", |world| with_member(world, "spawnedBy", &quoted(&run(JOB, LOST)))),
    ("parentSessionKey", |world| {
        with_member(world, "parentSessionKey", &quoted(&format!("agent:main:explicit:{LOST}")))
    }),
    ("abortCutoffMessageSid", |world| with_member(world, "abortCutoffMessageSid", &quoted(LOST))),
    ("systemPromptReport", |world| {
        with_member(world, "systemPromptReport", &format!("{{\"sessionId\":\"{LOST}\"}}"))
    }),
    ("a field of a later version", |world| with_member(world, "x", &format!("[[{{\"{LOST}\":1}}]]"))),
    ("an escape", |world| with_member(world, "x", &format!("\"{}\\u002d{}\"", &LOST[..8], &LOST[9..]))),
    ("a run in a key", |world| with_entry(world, &run(JOB, LOST), THIRD, &[])),
    ("a key that a later one overrides", |world| {
        let mut entries = entries();
        entries.insert(0, entry("agent:main:main", LOST, 3 * DAY, &[]));
        world.put(STORE, store(&entries));
    }),
    ("the store of another agent", |world| {
        world.put(
            "agents/other/sessions/sessions.json",
            store(&[entry("agent:other:main", LOST, 3 * DAY, &[])]),
        );
    }),
    ("the store of the very old place", |world| {
        world.put("sessions/sessions.json", store(&[entry("agent:main:old", LOST, 3 * DAY, &[])]));
    }),
    ("a row of the registry", |world| {
        let row =
            json!({"version": 2, "runs": {"r": {"childSessionKey": format!("agent:main:subagent:{LOST}")}}});
        world.put("subagents/runs.json", row.to_string());
    }),
    ("a row of the registry, by the key in the trajectory", |world| {
        let key = "agent:main:subagent:abc";
        let row = json!({"version": 2, "runs": {"r": {"childSessionKey": key, "endedAt": NOW - DAY}}});
        world.put("subagents/runs.json", row.to_string());
        let line = json!({"traceSchema": "openclaw-trajectory", "sessionId": LOST, "sessionKey": key, "ts": iso(NOW - 3 * DAY)});
        put(world, &format!("{LOST}.trajectory.jsonl"), format!("{line}\n"));
    }),
    ("a line of a run log", |world| {
        world.put(&format!("cron/runs/{JOB}.jsonl"), finished(JOB, Some(LOST), NOW - 3 * DAY, NOW - 3 * DAY));
    }),
    ("a line of a run log that was migrated", |world| {
        world.put(
            &format!("cron/runs/{JOB}.jsonl.migrated"),
            finished(JOB, Some(LOST), NOW - 3 * DAY, NOW - 3 * DAY),
        );
    }),
    ("a torn line of a run log", |world| {
        world.put(&format!("cron/runs/{JOB}.jsonl"), format!("{{\"ts\":1,\"sessionId\":\"{LOST}"));
    }),
    ("the job list", |world| {
        let list = jobs(&[JOB]).replace("\"isolated\"", &quoted(&format!("session:{LOST}")));
        world.put("cron/jobs.json", list);
    }),
    ("the states of jobs", |world| {
        world.put(
            "cron/jobs-state.json",
            json!({"version": 1, "jobs": {JOB: {"state": {"x": LOST}}}}).to_string(),
        );
    }),
    ("the configuration", |world| {
        world.put("openclaw.json", format!("{{ // pinned: {LOST}\n}}"));
    }),
    ("the table of finished runs", |world| {
        world.put(&format!("cron/runs/{JOB}.jsonl"), finished(JOB, Some(LOST), NOW - 3 * DAY, NOW - 3 * DAY));
        migrate(world, database::Form::Json);
    }),
    ("the table of sub-agents", |world| {
        let sql = format!(
            "{JOBS} INSERT INTO subagent_runs VALUES ('r', 'agent:main:subagent:{LOST}', NULL, NULL, 1, '{{}}');"
        );
        database(world, STATE_DATABASE, &sql);
    }),
    ("a table of a later version, in the log of the database", |world| {
        let sql =
            format!("{JOBS} CREATE TABLE later (x BLOB); INSERT INTO later VALUES (CAST('{LOST}' AS BLOB));");
        std::mem::forget(database(world, STATE_DATABASE, &sql));
    }),
    ("the ledger of tasks", |world| {
        let sql = format!(
            "CREATE TABLE task_runs (child_session_key TEXT); INSERT INTO task_runs VALUES ('{}');",
            run(JOB, LOST)
        );
        database(world, "tasks/runs.sqlite", &sql);
    }),
    ("the database of an agent", |world| {
        let sql = format!("{CACHES} INSERT INTO schema_meta VALUES ('x', 'y', '{LOST}');");
        database(world, AGENT_DATABASE, &sql);
    }),
    ("the transcript that it was forked into", |world| {
        let parent = format!(",\"parentSession\":\"/x/{LOST}.jsonl\"");
        put(world, &format!("{KEPT}.jsonl"), transcript_with(KEPT, 3 * DAY, &parent));
    }),
    ("the fork of a fork", |world| {
        put(
            world,
            &format!("{KEPT}.jsonl"),
            transcript_with(KEPT, 3 * DAY, &format!(",\"parentSession\":\"{THIRD}.jsonl\"")),
        );
        put(
            world,
            &format!("{THIRD}.jsonl"),
            transcript_with(THIRD, 3 * DAY, &format!(",\"parentSession\":\"{LOST}.jsonl\"")),
        );
    }),
    ("a young transcript that nothing refers to", |world| {
        put(
            world,
            &format!("{THIRD}.jsonl"),
            transcript_with(THIRD, HOUR, &format!(",\"parentSession\":\"{LOST}.jsonl\"")),
        );
    }),
    ("a pointer to its trajectory", |world| {
        let pointer = json!({"traceSchema": "x", "sessionId": KEPT, "runtimeFile": format!("/x/{LOST}.trajectory.jsonl")});
        put(world, &format!("{KEPT}.trajectory-path.json"), serde_json::to_string_pretty(&pointer).unwrap());
    }),
    ("a lock", |world| {
        put(world, &format!("{LOST}.jsonl.lock"), lock_text(dead_pid(), None));
    }),
    ("the newest rotation", |world| {
        let copy = store(&[entry("agent:main:main", LOST, 4 * DAY, &[])]);
        put(world, &format!("sessions.json.bak.{}", NOW - 4 * DAY), copy);
    }),
    ("a temporary file", |world| {
        let copy = store(&[entry("agent:main:main", LOST, 4 * DAY, &[])]);
        put(world, &format!("sessions.json.{THIRD}.tmp"), copy);
    }),
    ("a run of ours that can be undone", |world| {
        let mut entries = entries();
        entries.push(entry(run(JOB, LOST), LOST, 3 * DAY, &[("status", "\"done\"")]));
        world.put(STORE, store(&entries));
        world.stopped(&["prune", "--apply"]).exits(0);
        assert!(!String::from_utf8(world.bytes()).unwrap().contains(LOST));
    }),
];

#[test]
fn each_form_of_a_reference_protects_by_itself() {
    for (name, form) in FORMS {
        let world = world();
        form(&world);
        let ran = world.stopped(&["sweep", "--json"]);
        assert_eq!(listed(&ran), [""; 0], "{name}: {ran}");
        let report = ran.json();
        let barred = report["findings"].to_string().contains("no file is called a leftover");
        assert!(!barred, "{name} proves nothing, nothing is listed at all: {ran}");
        let file = world.state.join(format!("{SESSIONS}/{LOST}.jsonl"));
        world.stopped(&["sweep", "--apply"]);
        assert!(file.exists(), "{name}");
    }
}

#[test]
fn what_lies_beside_a_transcript_lives_and_dies_with_it() {
    let world = world();
    let stamp = "2026-11-18T01-09-14-743Z";
    for id in [KEPT, LOST] {
        let line = json!({"traceSchema": "openclaw-trajectory", "ts": iso(NOW - 3 * DAY)});
        put(&world, &format!("{id}.trajectory.jsonl"), format!("{line}\n"));
        put(&world, &format!("{id}.trajectory-path.json"), json!({"traceSchema": "x"}).to_string());
        put(&world, &format!("{id}-topic-a%2Fb.jsonl"), transcript(id, 3 * DAY));
        put(&world, &format!("{stamp}_{id}.jsonl"), transcript(id, 3 * DAY));
        put(&world, &format!("{id}.checkpoint.{CHECKPOINT}.jsonl"), transcript(id, 3 * DAY));
    }
    // Times of files are of another day than the clock of the verdict, so they may only protect; see below.
    for name in fs::read_dir(world.state.join(SESSIONS)).unwrap() {
        age(&name.unwrap().path(), 9);
    }
    let mut lost: Vec<String> = world.beside().into_iter().filter(|name| name.contains(LOST)).collect();
    lost.sort();
    assert_eq!(lost.len(), 6);
    assert_listed(&world, &lost.iter().map(String::as_str).collect::<Vec<_>>());
    // One of them young, and all of them stay.
    put(&world, &format!("{LOST}-topic-9.jsonl"), transcript(LOST, HOUR));
    assert_listed(&world, &[]);
}

#[test]
fn the_id_of_a_checkpoint_protects_its_copy() {
    let world = world();
    put(&world, &format!("{LOST}.checkpoint.{CHECKPOINT}.jsonl"), transcript(LOST, 3 * DAY));
    assert_eq!(listed(&world.stopped(&["sweep", "--json"])).len(), 2);
    with_member(&world, "compactionCheckpoints", &format!("[{{\"checkpointId\":\"{CHECKPOINT}\"}}]"));
    assert_listed(&world, &[]);
}

#[test]
fn a_sidecar_stays_while_its_transcript_lies_in_an_archive() {
    let world = world();
    let (from, to) = (format!("{LOST}.jsonl"), format!("{LOST}.jsonl.deleted.2026-11-18T01-09-14.743Z"));
    let dir = world.state.join(SESSIONS);
    fs::rename(dir.join(&from), dir.join(&to)).unwrap();
    put(
        &world,
        &format!("{LOST}.trajectory.jsonl"),
        format!("{}\n", json!({"traceSchema": "x", "ts": iso(NOW - 3 * DAY)})),
    );
    assert_listed(&world, &[]);
    fs::remove_file(dir.join(to)).unwrap();
    assert_listed(&world, &[&format!("{LOST}.trajectory.jsonl")]);
}

#[test]
fn only_what_showed_no_life_for_long_enough_is_listed() {
    let name = format!("{LOST}.jsonl");
    for (ago, more, goes) in [
        (25 * HOUR, &[][..], true),
        (23 * HOUR, &[], false),
        (23 * HOUR, &["--older-than", "22h"], true),
        (25 * HOUR, &["--older-than", "2d"], false),
        (-HOUR, &["--older-than", "0h"], false),
    ] {
        let world = world();
        put(&world, &name, transcript(LOST, ago));
        let ran = world.stopped(&[&["sweep", "--json"], more].concat());
        assert_eq!(listed(&ran), if goes { vec![name.clone()] } else { vec![] }, "{ago} {more:?}");
    }
    let world = world();
    world.stopped(&["sweep", "--older-than", "30"]).exits(2);
    world.stopped(&["sweep", "--archive", "--delete"]).exits(2);
}

#[test]
fn the_time_of_a_file_condemns_only_by_the_real_clock() {
    let world = world();
    let path = put(&world, &format!("{LOST}.jsonl"), "{\"type\":\"session\",\"id\":\"x\"}\n");
    age(&path, 9);
    assert_listed(&world, &[]);
    assert_eq!(listed(&really(&world, &["sweep", "--json"])).len(), 1);
    age(&path, 0);
    assert_eq!(listed(&really(&world, &["sweep", "--json"])), [""; 0]);
}

#[test]
fn files_that_are_none_and_files_of_others_are_left_alone() {
    let world = world();
    let dir = world.state.join(SESSIONS);
    let id = |at: u32| format!("0f908179-10f4-42bd-9ae3-{at:012}");
    let elsewhere = world.root.join("elsewhere.jsonl");
    fs::write(&elsewhere, transcript(&id(1), 3 * DAY)).unwrap();
    symlink(&elsewhere, dir.join(format!("{}.jsonl", id(1)))).unwrap();
    fs::create_dir(dir.join(format!("{}.jsonl", id(2)))).unwrap();
    let pipe = dir.join(format!("{}.jsonl", id(3)));
    rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, rustix::fs::Mode::RUSR).unwrap();
    put(&world, &format!("{}.jsonl", id(4)), transcript(&id(4), 3 * DAY));
    fs::hard_link(dir.join(format!("{}.jsonl", id(4))), world.root.join("second")).unwrap();
    // Somebody's own notes, an archive, a backup, and names that OpenClaw does not give.
    put(&world, "notes.jsonl", format!("{{\"note\":1,\"timestamp\":\"{}\"}}\n", iso(NOW - 9 * DAY)));
    put(&world, "my notes.jsonl", transcript("my notes", 9 * DAY));
    put(&world, &format!("{}.jsonl.reset.2026-11-18T01-09-14.743Z", id(5)), transcript(&id(5), 9 * DAY));
    put(&world, &format!("{}.jsonl.bak.2026-11-18T01-09-14.743Z", id(5)), transcript(&id(5), 9 * DAY));
    put(&world, "readme.txt", "x");
    assert_listed(&world, &[&format!("{LOST}.jsonl")]);
    // A name of one's own is a transcript all the same, by its first line.
    put(&world, "my-session.jsonl", transcript("my-session", 9 * DAY));
    assert_listed(&world, &[&format!("{LOST}.jsonl"), "my-session.jsonl"]);
}

#[test]
fn a_directory_behind_a_link_is_not_swept() {
    let world = World::new();
    let real = world.root.join("real");
    fs::create_dir_all(&real).unwrap();
    fs::create_dir_all(world.state.join("agents/main")).unwrap();
    symlink(&real, world.state.join(SESSIONS)).unwrap();
    world.put(STORE, store(&entries()));
    put(&world, &format!("{LOST}.jsonl"), transcript(LOST, 3 * DAY));
    assert_listed(&world, &[]);
    world.stopped(&["sweep"]).exits(0).says("a link leads there");
}

#[test]
fn another_agent_is_looked_at_and_left_alone() {
    let world = world();
    world.put(
        "agents/other/sessions/sessions.json",
        store(&[entry("agent:other:main", "s-other", 3 * DAY, &[])]),
    );
    world.put(&format!("agents/other/sessions/{THIRD}.jsonl"), transcript(THIRD, 3 * DAY));
    assert_listed(&world, &[&format!("{LOST}.jsonl"), &format!("{THIRD}.jsonl")]);
    let ran = world.stopped(&["sweep", "--json", "--agent", "other"]);
    assert_eq!(listed(&ran), [format!("{THIRD}.jsonl")]);
}

/// Nothing may be listed.
type Bar = (&'static str, i32, fn(&World));

const BARS: &[Bar] = &[
    ("a store that is gone", 3, |world| fs::remove_file(world.store()).unwrap()),
    ("an empty store", 3, |world| drop(world.put(STORE, ""))),
    ("a store that was cut", 3, |world| drop(world.put(STORE, &store(&entries())[..50]))),
    ("a store of another agent that is damaged", 3, |world| {
        drop(world.put("agents/other/sessions/sessions.json", "{\"a\":"));
    }),
    ("a store that cannot be read", 6, |world| {
        fs::create_dir_all(world.state.join("agents/other/sessions/sessions.json")).unwrap();
    }),
    ("a store that was rotated away", 3, |world| {
        let old = store(&[entry("agent:main:telegram:direct:9", LOST, 9 * DAY, &[])]);
        put(world, &format!("sessions.json.bak.{}", NOW - 5 * DAY), old);
    }),
    ("a store that was wiped", 3, |world| {
        let mut old = entries();
        old.push(entry("agent:main:telegram:direct:9", LOST, 4 * DAY, &[]));
        let path = put(world, &format!("sessions.json.{THIRD}.tmp"), store(&old));
        age(&path, 3);
    }),
    ("a configuration that does not parse", 1, |world| drop(world.put("openclaw.json", "{"))),
    ("a job list that does not parse", 1, |world| drop(world.put("cron/jobs.json", "{"))),
    ("a registry that does not parse", 1, |world| drop(world.put("subagents/runs.json", "{"))),
    ("a registry of a later version", 1, |world| {
        drop(world.put("subagents/runs.json", "{\"version\":3,\"runs\":{}}"))
    }),
    ("a run log that is a directory", 1, |world| {
        fs::create_dir_all(world.state.join(format!("cron/runs/{JOB}.jsonl"))).unwrap();
    }),
    ("a database that is none", 1, |world| drop(world.put(STATE_DATABASE, "x".repeat(5_000)))),
    ("a ledger that is none", 1, |world| drop(world.put("tasks/runs.sqlite", "x".repeat(5_000)))),
    ("a run log that leads nowhere", 1, |world| {
        fs::create_dir_all(world.state.join("cron/runs")).unwrap();
        symlink("/nonexistent/log", world.state.join("cron/runs/x.txt")).unwrap();
    }),
    ("an agent whose name is none", 1, |world| {
        fs::create_dir_all(world.state.join("agents/Über/sessions")).unwrap();
    }),
];

#[test]
fn nothing_at_all_is_listed_while_a_store_may_have_to_be_rebuilt() {
    for (name, code, bar) in BARS {
        let world = world();
        bar(&world);
        let before = tree(&world.state);
        let ran = world.stopped(&["sweep", "--json"]);
        assert_eq!(listed(&ran), [""; 0], "{name}: {ran}");
        assert_eq!(ran.code, *code, "{name}: {ran}");
        let ran = world.stopped(&["sweep", "--apply", "--json"]);
        assert_ne!(ran.code, 0, "{name}: {ran}");
        assert_eq!(tree(&world.state), before, "{name}");
    }
}

#[test]
fn a_store_from_elsewhere_is_not_known_well_enough() {
    let world = world();
    let dir = world.root.join("elsewhere");
    fs::create_dir(&dir).unwrap();
    fs::write(dir.join("sessions.json"), store(&entries())).unwrap();
    fs::write(dir.join(format!("{LOST}.jsonl")), transcript(LOST, 3 * DAY)).unwrap();
    let ran = world.stopped(&["sweep", "--json", "--store", dir.join("sessions.json").to_str().unwrap()]);
    assert_eq!(listed(&ran), [""; 0], "{ran}");
}

#[test]
fn where_sessions_live_in_sqlite_nothing_is_touched() {
    let world = world();
    drop(database(&world, AGENT_DATABASE, SESSION_NODES));
    let before = tree(&world.state);
    for args in [
        &["sweep", "--json"][..],
        &["sweep", "--json", "--apply"],
        &["sweep", "--json", "--apply", "--delete"],
    ] {
        let ran = world.stopped(args).exits(5);
        assert_eq!(listed(&ran), [""; 0], "{ran}");
    }
    assert_eq!(tree(&world.state), before);
}

#[test]
fn what_is_put_aside_comes_back_to_the_byte_and_a_second_run_changes_nothing() {
    let world = world();
    let before = tree(&world.state);
    let ran = world.stopped(&["sweep", "--apply", "--json"]).exits(0);
    let file = ran.json()["files"][0].clone();
    let to = PathBuf::from(file["to"].as_str().unwrap());
    assert!(to.starts_with(world.state.join("sessions-doctor/runs")), "{}", to.display());
    assert_eq!(fs::read_to_string(&to).unwrap(), transcript(LOST, 3 * DAY));
    assert!(!world.state.join(format!("{SESSIONS}/{LOST}.jsonl")).exists());
    assert_eq!(world.beside(), [format!("{KEPT}.jsonl")], "no lock of the store is left");
    let after = tree(&world.state);
    world.stopped(&["sweep", "--apply"]).exits(0);
    assert_eq!(tree(&world.state), after, "the second one");

    let runs = world.runs();
    world.stopped(&["undo"]).exits(0).says(&runs[0]).says("1 file");
    world.stopped(&["undo", &runs[0]]).exits(0).says("Put back: 1");
    let ours = |path: &PathBuf| path.starts_with("sessions-doctor");
    let back = tree(&world.state).into_iter().filter(|(path, _)| !ours(path));
    assert_eq!(
        back.collect::<Vec<_>>(),
        before.clone().into_iter().collect::<Vec<_>>(),
        "inode and times too"
    );
    let settled = tree(&world.state);
    world.stopped(&["undo", &runs[0]]).exits(0).says("Nothing to put back");
    assert_eq!(tree(&world.state), settled, "the second undo");
    world.stopped(&["sweep", "--apply"]).exits(0);
    assert_eq!(world.beside(), [format!("{KEPT}.jsonl")], "and away again");
}

#[test]
fn an_undo_puts_nothing_over_what_lies_there_now() {
    let world = world();
    world.stopped(&["sweep", "--apply"]).exits(0);
    let path = put(&world, &format!("{LOST}.jsonl"), "new");
    world.stopped(&["undo", "latest"]).says("something lies there now");
    assert_eq!(fs::read(&path).unwrap(), b"new");
    let aside = world.state.join("sessions-doctor/runs").join(&world.runs()[0]).join(format!("{LOST}.jsonl"));
    assert_eq!(fs::read_to_string(&aside).unwrap(), transcript(LOST, 3 * DAY));
    fs::remove_file(&path).unwrap();
    world.stopped(&["undo", &world.runs()[0]]).exits(0);
    assert_eq!(fs::read_to_string(&path).unwrap(), transcript(LOST, 3 * DAY));
}

#[test]
fn archives_are_named_as_openclaw_names_them_and_come_back() {
    let world = world();
    put(&world, &format!("{LOST}.trajectory-path.json"), json!({"traceSchema": "x"}).to_string());
    age(&world.state.join(format!("{SESSIONS}/{LOST}.trajectory-path.json")), 9);
    world.stopped(&["sweep", "--archive"]).exits(1).says("archive");
    let before: Vec<String> = world.beside();
    let ran = world.stopped(&["sweep", "--apply", "--archive", "--json"]).exits(0);
    let archive = world.beside().into_iter().find(|name| name.contains(".deleted.")).unwrap();
    let kind = sessions_doctor::openclaw::layout::classify(&archive, "sessions.json");
    let sessions_doctor::openclaw::layout::FileKind::Archive { transcript: of, at_ms, .. } = kind else {
        panic!("{archive}: {kind:?}")
    };
    assert_eq!(of, format!("{LOST}.jsonl"));
    assert!((now_ms() - at_ms).abs() < 60_000, "by the real clock, for OpenClaw deletes by it");
    let actions: Vec<Value> =
        ran.json()["files"].as_array().unwrap().iter().map(|file| file["action"].clone()).collect();
    assert!(
        actions.contains(&json!("archive")) && actions.contains(&json!("move")),
        "a pointer is no transcript: {ran}"
    );
    world.stopped(&["undo", "latest"]).exits(0);
    assert_eq!(world.beside(), before);
}

#[test]
fn what_is_deleted_is_gone_and_said_to_be() {
    let world = world();
    world.stopped(&["sweep", "--delete"]).exits(1).says("for good");
    world.stopped(&["sweep", "--apply", "--delete"]).exits(0).says("deleted");
    assert_eq!(world.beside(), [format!("{KEPT}.jsonl")]);
    world.stopped(&["undo", "latest"]).exits(1).says("cannot be had back");
}

#[test]
fn nothing_is_moved_beside_a_gateway_or_a_lock() {
    let world = world();
    let before = tree(&world.state.join(SESSIONS));
    Ran::new(&world.doctor(&["sweep", "--apply", "--gateway", "running"]).output().unwrap()).exits(4);
    Ran::new(&world.doctor(&["sweep", "--apply", "--gateway", "unknown"]).output().unwrap()).exits(4);
    let gateway = Alive::gateway(&world);
    world.stopped(&["sweep", "--apply"]).exits(4).says("gateway");
    drop(gateway);
    assert_eq!(tree(&world.state.join(SESSIONS)), before);
    let lock = world.state.join(SESSIONS).join("sessions.json.lock");
    let alive = world.lock(&lock);
    world.stopped(&["sweep", "--apply"]).exits(4);
    drop(alive);
    fs::remove_file(lock).unwrap();
    assert_eq!(tree(&world.state.join(SESSIONS)), before);
    world.stopped(&["sweep", "--apply"]).exits(0);
}

#[test]
fn a_directory_that_may_not_be_written_to_stays_as_it_is() {
    let world = world();
    let dir = world.state.join(SESSIONS);
    let ran = if rustix::process::geteuid().is_root() {
        // Root may write everywhere but on what is mounted for reading alone.
        let script = "mount --bind \"$1\" \"$1\" && mount -o remount,bind,ro \"$1\" || exit 99
            exec \"$0\" sweep --apply --gateway stopped --now \"$2\" --state-dir \"$3\"";
        let mut command = world.clean("unshare");
        command.args(["--mount", "sh", "-c", script, env!("CARGO_BIN_EXE_sessions-doctor")]);
        let ran = world.finish(command.arg(&dir).arg(NOW_TEXT).arg(&world.state));
        if ran.code == 99 || ran.code == 1 && ran.err.contains("unshare") {
            return skipped("a_directory_that_may_not_be_written_to_stays_as_it_is", ran.err.trim());
        }
        ran
    } else {
        fs::set_permissions(&dir, fs::Permissions::from_mode(0o500)).unwrap();
        let ran = world.stopped(&["sweep", "--apply"]);
        fs::set_permissions(&dir, fs::Permissions::from_mode(0o700)).unwrap();
        ran
    };
    ran.exits(6);
    assert_eq!(fs::read_to_string(dir.join(format!("{LOST}.jsonl"))).unwrap(), transcript(LOST, 3 * DAY));
}

/// A world by the real clock, with an entry of `ago` days.
fn real_world(ago: i64) -> World {
    let world = World::new();
    let own = entry("agent:main:main", KEPT, NOW - (now_ms() - ago * DAY), &[]);
    world.put(STORE, store(&[own]));
    put(&world, &format!("{KEPT}.jsonl"), "");
    world
}

fn copy_of(ago: i64, key: &str) -> String {
    store(&[entry(key, KEPT, NOW - (now_ms() - ago * DAY), &[])])
}

#[test]
fn temporary_files_go_once_they_are_old_and_hold_nothing_that_the_store_lacks() {
    let main = "agent:main:main";
    let whole = copy_of(5, main);
    let cut = &copy_of(5, main)[..20];
    let dead = format!("sessions.json.{}.{THIRD}.tmp", dead_pid());
    let alive = format!("sessions.json.{}.{THIRD}.tmp", std::process::id());
    let replaced = format!(".fs-safe-replace.{}.{THIRD}.tmp", dead_pid());
    let plain = format!("sessions.json.{THIRD}.tmp");
    for (name, text, days, goes) in [
        (&plain, whole.as_str(), 3, true),
        (&dead, whole.as_str(), 3, true),
        (&replaced, whole.as_str(), 3, true),
        (&plain, cut, 3, true),
        (&plain, "", 3, true),
        (&plain, "{}", 3, true),
        (&plain, whole.as_str(), 0, false),
        (&alive, whole.as_str(), 3, false),
        (&plain, &copy_of(1, main), 3, false),
        (&replaced, "{\"type\":\"session\"}\n", 3, false),
        (&plain, "not a store", 3, false),
    ] {
        let world = real_world(4);
        age(&put(&world, name, text), days);
        let ran = really(&world, &["sweep", "--json"]);
        assert_eq!(
            listed(&ran),
            if goes { vec![name.clone()] } else { vec![] },
            "{name} {text} {days}: {ran}"
        );
        if goes {
            assert_eq!(ran.json()["files"][0]["rule"], "leftover-temp");
            really(&world, &["sweep", "--apply"]).exits(0);
            assert!(!world.beside().contains(name));
            really(&world, &["undo", "latest"]).exits(0);
            assert!(world.beside().contains(name));
        }
    }
    // An entry that the store lacks says that the store lost it: then nothing goes.
    let world = real_world(4);
    age(&put(&world, &plain, copy_of(5, "agent:main:telegram:direct:7")), 3);
    age(&put(&world, &dead, &whole), 3);
    assert_eq!(listed(&really(&world, &["sweep", "--json"])), [""; 0]);
}

#[test]
fn a_gateway_that_runs_may_be_writing() {
    let world = real_world(4);
    age(&put(&world, &format!("sessions.json.{THIRD}.tmp"), copy_of(5, "agent:main:main")), 3);
    let mut command = world.bare();
    command.args(["sweep", "--json", "--gateway", "running", "--state-dir"]).arg(&world.state);
    assert_eq!(listed(&world.finish(&mut command)), [""; 0]);
    assert_eq!(listed(&really(&world, &["sweep", "--json"])).len(), 1);
}

#[test]
fn temporary_files_of_jobs_and_their_logs_go_unless_they_are_richer() {
    let pid = dead_pid();
    let list = format!("cron/jobs.json.{pid}.0123456789abcdef.tmp");
    let log = format!("cron/runs/{JOB}.jsonl.{pid}.0123456789abcdef.tmp");
    for (below, text, log_exists, goes) in [
        (&list, jobs(&[JOB]), true, true),
        (&list, jobs(&[JOB])[..80].to_owned(), true, true),
        (&list, jobs(&[JOB, GONE]), true, false),
        (&log, "x".to_owned(), true, true),
        (&log, "x".to_owned(), false, false),
    ] {
        let world = real_world(4);
        world.put("cron/jobs.json", jobs(&[JOB]));
        if log_exists {
            world.put(&format!("cron/runs/{JOB}.jsonl"), "");
        }
        age(&world.put(below, &text), 3);
        let ran = really(&world, &["sweep", "--json"]);
        assert_eq!(listed(&ran).len(), usize::from(goes), "{below} {text}: {ran}");
        really(&world, &["sweep", "--apply"]).exits(0);
        assert_eq!(world.state.join(below).exists(), !goes, "{below} {text}");
    }
}

#[test]
fn rotations_go_once_the_store_holds_all_of_them_and_never_the_newest() {
    let main = "agent:main:main";
    let name = |days: i64| format!("sessions.json.bak.{}", now_ms() / DAY * DAY - days * DAY);
    let world = real_world(4);
    for days in [9, 8, 7] {
        put(&world, &name(days), copy_of(days, main));
    }
    let ran = really(&world, &["sweep", "--json"]);
    assert_eq!(listed(&ran), [name(9), name(8)], "{ran}");
    assert_eq!(ran.json()["files"][0]["rule"], "leftover-backup");
    // One that holds a newer copy of an entry is what a recovery would take.
    put(&world, &name(8), copy_of(3, main));
    assert_eq!(listed(&really(&world, &["sweep", "--json"])), [name(9)]);
    // And one that holds what nothing explains means that nothing goes at all.
    put(&world, &name(8), copy_of(8, "agent:main:telegram:direct:7"));
    assert_eq!(listed(&really(&world, &["sweep", "--json"])), [""; 0]);
    // A record of a run that OpenClaw took out itself is explained.
    put(&world, &name(8), copy_of(8, &run(JOB, "s-old")));
    assert_eq!(listed(&really(&world, &["sweep", "--json"])), [name(9), name(8)]);
    put(&world, &name(8), "damaged");
    assert_eq!(listed(&really(&world, &["sweep", "--json"])), [name(9)]);
}

fn registry(world: &World, rows: &Value) -> PathBuf {
    let text = serde_json::to_string_pretty(&json!({"version": 2, "runs": rows})).unwrap();
    world.put("subagents/runs.json", text)
}

#[test]
fn rows_of_sub_agents_that_ended_long_ago_are_taken_out_and_come_back() {
    let world = world();
    fs::remove_file(world.state.join(format!("{SESSIONS}/{LOST}.jsonl"))).unwrap();
    let row = |child: &str, ended: Option<i64>, by: &str| json!({"childSessionKey": format!("agent:main:subagent:{child}"), "requesterSessionKey": by, "endedAt": ended, "task": "\u{e9}"});
    let main = "agent:main:main";
    with_entry(&world, "agent:main:subagent:there", THIRD, &[]);
    let rows = json!({
        "gone": row("gone", Some(NOW - 31 * DAY), main),
        "young": row("young", Some(NOW - 29 * DAY), main),
        "open": row("open", None, main),
        "there": row("there", Some(NOW - 31 * DAY), main),
        "parent": row("parent", Some(NOW - 31 * DAY), main),
        "child": row("child", Some(NOW - 29 * DAY), "agent:main:subagent:parent"),
    });
    let path = registry(&world, &rows);
    let before = fs::read_to_string(&path).unwrap();
    let report = world.stopped(&["sweep", "--json"]).exits(1).json();
    let stale = finding(&report, "subagent-stale").unwrap();
    assert_eq!((&stale["severity"], &stale["count"]), (&json!("warning"), &json!(1)), "{stale}");
    let hint = world.stopped(&["check", "--json"]).json();
    assert_eq!(finding(&hint, "subagent-stale").unwrap()["count"], 2, "by counts alone");
    assert_eq!(fs::read_to_string(&path).unwrap(), before);

    world.stopped(&["sweep", "--apply"]).exits(0).says("1 row");
    let after = fs::read_to_string(&path).unwrap();
    let mut expected = rows.clone();
    expected.as_object_mut().unwrap().remove("gone");
    assert_eq!(serde_json::from_str::<Value>(&after).unwrap()["runs"], expected);
    let settled = tree(&world.state);
    world.stopped(&["sweep", "--apply"]).exits(0);
    assert_eq!(tree(&world.state), settled, "the second one");
    world.stopped(&["undo", "latest"]).exits(0);
    assert_eq!(serde_json::from_str::<Value>(&fs::read_to_string(&path).unwrap()).unwrap()["runs"], rows);
}

#[test]
fn rows_stay_unless_the_gateway_is_known_to_be_stopped() {
    let world = world();
    registry(&world, &json!({"r": {"childSessionKey": "agent:main:subagent:x", "endedAt": NOW - 99 * DAY}}));
    let stale = |args: &[&str]| {
        let report = Ran::new(&world.doctor(args).output().unwrap()).json();
        finding(&report, "subagent-stale").is_some()
    };
    assert!(stale(&["sweep", "--json", "--gateway", "stopped"]));
    assert!(!stale(&["sweep", "--json", "--gateway", "unknown"]));
    assert!(!stale(&["sweep", "--json", "--gateway", "running"]));
    assert!(!stale(&["sweep", "--json", "--gateway", "unknown", "--assume-stopped"]));
    // From 2026.6.1 on the file only waits to be imported.
    drop(database(&world, STATE_DATABASE, JOBS));
    let report = world.stopped(&["sweep", "--json"]).json();
    assert_eq!(finding(&report, "subagent-stale").unwrap()["severity"], "info");
    let before = fs::read(world.state.join("subagents/runs.json")).unwrap();
    world.stopped(&["sweep", "--apply"]);
    assert_eq!(fs::read(world.state.join("subagents/runs.json")).unwrap(), before);
}

#[test]
fn check_names_what_there_is() {
    let world = world();
    put(&world, &format!("sessions.json.{THIRD}.tmp"), store(&entries()));
    for days in [4, 5] {
        put(&world, &format!("sessions.json.bak.{}", NOW - days * DAY), store(&entries()));
    }
    registry(&world, &json!({"r": {"childSessionKey": "agent:main:subagent:x", "endedAt": NOW - 99 * DAY}}));
    let report = world.stopped(&["check", "--json"]).exits(0).json();
    for (id, count) in
        [("transcript-orphan", 1), ("leftover-temp", 1), ("leftover-backup", 2), ("subagent-stale", 1)]
    {
        let found = finding(&report, id).unwrap_or_else(|| panic!("{id}: {report}"));
        assert_eq!((&found["severity"], &found["count"]), (&json!("info"), &json!(count)), "{id}");
    }
}

#[test]
fn of_many_files_the_largest_are_told_and_the_rest_is_counted() {
    let world = world();
    let mut all = transcript(LOST, 3 * DAY).len() as u64;
    for at in 0..120 {
        let id = format!("0f908179-10f4-42bd-9ae3-{at:012}");
        let text = transcript_with(&id, 3 * DAY, &format!(",\"x\":\"{}\"", "y".repeat(at)));
        all += text.len() as u64;
        put(&world, &format!("{id}.jsonl"), text);
    }
    let report = world.stopped(&["sweep", "--json"]).exits(1).json();
    let files = report["files"].as_array().unwrap();
    assert_eq!(files.len(), 101);
    assert_eq!(files[100]["path"], "other");
    assert_eq!(files.iter().map(|file| file["bytes"].as_u64().unwrap()).sum::<u64>(), all);
    assert_eq!(finding(&report, "transcript-orphan").unwrap()["count"], 121);
    let secret = world.stopped(&["sweep", "--redact", "--json"]);
    assert!(!secret.out.contains("9ae3-000000000119"), "{secret}");
}

#[test]
fn of_the_real_samples_nothing_is_listed() {
    for name in samples::SAMPLES {
        let state = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata").join(name);
        let world = World::new();
        let mut command = world.bare();
        command.args([
            "sweep",
            "--json",
            "--older-than",
            "0h",
            "--gateway",
            "stopped",
            "--now",
            "2026-12-21T00:00:00Z",
        ]);
        let ran = world.finish(command.arg("--state-dir").arg(&state));
        assert_eq!(listed(&ran), [""; 0], "{name}: every session is in a store or a run log: {ran}");
        assert!(!ran.out.contains("no file is called a leftover"), "{name}: {ran}");
    }
}

/// Many transcripts of which every hundredth is in the store.
fn crowd(count: u64) -> World {
    let world = World::new();
    let id = |at: u64| {
        let mixed = (at + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        format!("{:08x}-{:04x}-4000-8000-{at:012x}", mixed >> 32, mixed >> 16 & 0xffff)
    };
    let text = transcript("x", 3 * DAY);
    for at in 0..count {
        put(&world, &format!("{}.jsonl", id(at)), &text);
    }
    let kept = (0..count).step_by(100);
    let entries: Vec<Entry> =
        kept.map(|at| entry(format!("agent:main:telegram:direct:{at}"), &id(at), 3 * DAY, &[])).collect();
    world.put(STORE, store(&entries));
    world
}

#[test]
fn a_hundred_thousand_transcripts_take_64_mb_at_most() {
    let world = crowd(100_000);
    let taken = peak::peak(&world, &["sweep", "--json"], 1);
    eprintln!("{taken} bytes");
    assert!(taken <= 64_000_000, "{taken} bytes");
    let report = world.stopped(&["sweep", "--json"]).json();
    assert_eq!(finding(&report, "transcript-orphan").unwrap()["count"], 99_000);
}

#[test]
fn more_files_than_a_run_takes_go_in_several() {
    let world = crowd(9_000);
    world.stopped(&["sweep", "--apply"]).exits(0).says("8,910 files");
    assert_eq!(world.beside().len(), 90);
    assert_eq!(world.runs().len(), 3);
    for run in world.runs().iter().rev() {
        world.stopped(&["undo", run]).exits(0);
    }
    assert_eq!(world.beside().len(), 9_000);
}
