//! Prevents: a copied or forged run record that changes files elsewhere, a special file that holds the tool up,
//! a store that is hidden and therefore taken for gone, and evidence in odd places that is overlooked.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use crate::world::{self, Alive, DAY, NOW, NOW_TEXT, STORE, World};
use serde_json::json;

fn copy(from: &Path, to: &Path) {
    let done = Command::new("cp").arg("-a").arg(from).arg(to).status().unwrap();
    assert!(done.success());
}

/// The one run of a world that was pruned.
fn pruned() -> (World, Vec<u8>, String) {
    let world = World::looping();
    let old = world.bytes();
    world.stopped(&["prune", "--apply"]).exits(0);
    let run = world.runs().pop().unwrap();
    (world, old, run)
}

#[test]
fn undoing_in_a_copy_changes_the_copy_and_not_the_original() {
    let (world, old, run) = pruned();
    let new = world.bytes();
    let copied = world.root.join("copy");
    copy(&world.state, &copied);
    let undo = world
        .bare()
        .args(["undo", &run, "--gateway", "stopped", "--state-dir"])
        .arg(&copied)
        .output()
        .unwrap();
    assert_eq!(undo.status.code(), Some(0), "{undo:?}");
    assert!(world.bytes() == new, "the original was changed");
    assert!(fs::read(copied.join(STORE)).unwrap() == old, "the copy was not");
}

#[test]
fn a_state_directory_that_was_moved_can_still_be_undone() {
    let (world, old, _) = pruned();
    let moved = world.root.join("moved");
    fs::rename(&world.state, &moved).unwrap();
    let undo = world
        .bare()
        .args(["undo", "latest", "--gateway", "stopped", "--state-dir"])
        .arg(&moved)
        .output()
        .unwrap();
    assert_eq!(undo.status.code(), Some(0), "{undo:?}");
    assert!(fs::read(moved.join(STORE)).unwrap() == old);
}

#[test]
fn a_forged_record_reaches_nothing_outside_and_blocks_nobody() {
    let (world, _, run) = pruned();
    let victim = world.root.join("victim");
    fs::write(&victim, "precious").unwrap();
    let runs = world.state.join("sessions-doctor/runs");
    let forged = runs.join("20200101T000000.000Z-0001");
    fs::create_dir(&forged).unwrap();
    let mut record: serde_json::Value =
        serde_json::from_slice(&fs::read(runs.join(&run).join("run.json")).unwrap()).unwrap();
    record["state"] = "intended".into();
    record["root"] = serde_json::Value::Null;
    record["steps"] = json!([
        {"op": "remove", "from": world.state.join("not-there"), "to": null, "before": null, "after": null},
        {"op": "remove", "from": &victim, "to": null, "before": null, "after": null},
        {"op": "remove", "from": world.state.join("agents/../../victim"), "to": null, "before": null, "after": null}]);
    fs::write(forged.join("run.json"), record.to_string()).unwrap();
    fs::create_dir(runs.join("20200101T000000.000Z-0002")).unwrap();
    fs::write(runs.join("20200101T000000.000Z-0002/run.json"), "garbage").unwrap();
    // Something to do again, so that the lock is taken and what lies there is taken up.
    world.put(STORE, world::store(&world::looping()));
    world.stopped(&["prune", "--apply"]).exits(0);
    assert_eq!(fs::read_to_string(&victim).unwrap(), "precious");
    world.stopped(&["undo", "latest"]).exits(0);
}

#[test]
fn undo_works_where_an_agent_has_never_run() {
    let world = World::looping();
    world.put("openclaw.json", r#"{"agents": {"list": [{"id": "main"}, {"id": "fresh"}]}}"#);
    let old = world.bytes();
    world.stopped(&["prune", "--apply"]).exits(0);
    world.stopped(&["undo"]).exits(0);
    world.stopped(&["undo", "latest"]).exits(0);
    assert!(world.bytes() == old);
}

#[test]
fn the_gateway_of_the_directory_that_owns_a_named_store_is_looked_for() {
    let world = World::looping();
    let _gateway = Alive::gateway(&world);
    let before = world.bytes();
    let mut command = world.bare();
    command
        .args(["prune", "--apply", "--now", NOW_TEXT, "--gateway", "stopped", "--store"])
        .arg(world.store());
    world.finish(&mut command).exits(4);
    assert!(world.bytes() == before);
}

#[test]
fn special_files_hold_nobody_up() {
    for name in [
        "cron/jobs.json",
        "cron/jobs-state.json",
        "cron/runs/11111111-2222-4333-8444-555555555555.jsonl",
        "subagents/runs.json",
        "openclaw.json",
        ".env",
        "agents/main/sessions/s-hung.jsonl",
        "agents/main/sessions/s-hung.jsonl.lock",
        "agents/main/agent/openclaw-agent.sqlite",
        STORE,
    ] {
        let world = World::looping();
        let path = world.state.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let _ = fs::remove_file(&path);
        assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
        let mut command = world.clean("timeout");
        command.args([
            "20",
            env!("CARGO_BIN_EXE_sessions-doctor"),
            "check",
            "--gateway",
            "stopped",
            "--state-dir",
        ]);
        let ran = world.finish(command.arg(&world.state).args(["--now", NOW_TEXT]));
        assert_ne!(ran.code, 124, "{name} hangs: {ran}");
        if name == STORE {
            ran.exits(6);
        }
    }
}

/// An ended sub-agent of agent `main` whose parent is in the store of agent `work`.
fn far_parent(world: &World) -> String {
    let at = NOW - 40 * DAY;
    let child = json!({"sessionId": "c", "updatedAt": at, "startedAt": at, "endedAt": at, "status": "done",
        "spawnedBy": "agent:work:main"});
    let keys = json!({"agent:main:subagent:c": child, "agent:main:main": {"sessionId": "m", "updatedAt": NOW - DAY}});
    world.put(STORE, keys.to_string());
    world.put("cron/jobs.json", r#"{"version": 1, "jobs": []}"#);
    "agent:main:subagent:c".to_owned()
}

fn rule_of(world: &World, key: &str, code: i32) -> (String, String) {
    let report = world.stopped(&["check", "--json", "--entries", "all"]).exits(code).json();
    let stores = report["stores"].as_array().unwrap();
    let all = stores.iter().flat_map(|store| store["changes"].as_array().unwrap());
    let change = all.into_iter().find(|change| change["key"] == key).unwrap().clone();
    (change["rule"].as_str().unwrap().to_owned(), change["action"].as_str().unwrap().to_owned())
}

#[test]
fn a_store_that_is_hidden_is_not_a_store_that_is_gone() {
    let world = World::new();
    let key = far_parent(&world);
    // Nothing there: the parent is in no store.
    assert_eq!(rule_of(&world, &key, 1).0, "orphan-parent");
    // A link to a disk that is not mounted: it may be there.
    let dir = world.state.join("agents/work/sessions");
    fs::create_dir_all(&dir).unwrap();
    symlink("/nonexistent/sessions.json", dir.join("sessions.json")).unwrap();
    assert_ne!(rule_of(&world, &key, 6).0, "orphan-parent");
}

#[test]
fn a_transcript_in_the_future_or_elsewhere_protects() {
    let at = NOW - 40 * DAY;
    let line = |time: &str| format!("{{\"type\":\"session\",\"timestamp\":\"{time}\"}}\n");
    let hook = |world: &World, more: serde_json::Value| {
        let mut entry =
            json!({"sessionId": "h", "updatedAt": at, "startedAt": at, "endedAt": at, "status": "done"});
        entry.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let keys = json!({"agent:main:hook:h": entry, "agent:main:main": {"sessionId": "m", "updatedAt": NOW - DAY}});
        world.put(STORE, keys.to_string());
    };
    let action = |world: &World, code: i32| rule_of(world, "agent:main:hook:h", code).1;
    let world = World::new();
    hook(&world, json!({}));
    assert_eq!(action(&world, 1), "remove");
    world.put("agents/main/sessions/h.jsonl", line("2026-11-21T01:20:00Z"));
    assert_eq!(action(&world, 0), "keep", "a clock that was set back");
    world.put("agents/main/sessions/h.jsonl", line("2026-10-01T00:00:00Z"));
    assert_eq!(action(&world, 1), "remove");
    let elsewhere = world.root.join("elsewhere/h.jsonl");
    fs::create_dir_all(elsewhere.parent().unwrap()).unwrap();
    fs::write(&elsewhere, line("2026-11-21T01:14:00Z")).unwrap();
    hook(&world, json!({"sessionFile": elsewhere}));
    assert_eq!(action(&world, 0), "keep", "written to in another directory");
    fs::write(&elsewhere, line("2026-10-01T00:00:00Z")).unwrap();
    fs::write(elsewhere.with_extension("jsonl.lock"), "").unwrap();
    assert_eq!(action(&world, 0), "keep", "locked in another directory");
}

#[test]
fn a_list_of_changes_that_is_not_whole_is_not_merged() {
    let (world, old, run) = pruned();
    let changes = world.state.join("sessions-doctor/runs").join(&run).join("changes.ndjson");
    fs::write(&changes, "").unwrap();
    // As the run left it, the store is the original again without the list.
    let pruned = world.bytes();
    world.stopped(&["undo", &run]).exits(0);
    assert!(world.bytes() == old);
    // Written to since, it is needed.
    let mut store: serde_json::Value = serde_json::from_slice(&pruned).unwrap();
    store["agent:main:new"] = json!({"sessionId": "n", "updatedAt": NOW});
    world.put(STORE, store.to_string());
    let before = world.bytes();
    world.stopped(&["undo", &run, "--json"]).exits(6).json();
    assert!(world.bytes() == before);
}
