//! Prevents: naming one store with `--store`, or one agent with `--agent`, and thereby losing a session that
//! somebody in another store still needs. What is acted on is narrowed; the evidence never is.

use std::fs;
use std::path::Path;

use assert_cmd::Command;
use serde_json::{Value, json};

const NOW: i64 = 1_795_223_670_000;
const DAY: i64 = 86_400_000;

fn write(path: &Path, value: &Value) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, serde_json::to_string_pretty(value).unwrap()).unwrap();
}

/// A parent that ended forty days ago in one store, and its child in another.
fn state(child_status: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let at = NOW - 40 * DAY;
    let parent = json!({"agent:main:subagent:parent": {"sessionId": "p", "updatedAt": at, "status": "done",
        "startedAt": at, "endedAt": at}, "agent:main:main": {"sessionId": "m", "updatedAt": NOW}});
    let child = json!({"agent:work:subagent:child": {"sessionId": "c", "updatedAt": at, "status": child_status,
        "startedAt": at, "endedAt": if child_status == "running" { Value::Null } else { at.into() },
        "spawnedBy": "agent:main:subagent:parent"}, "agent:work:main": {"sessionId": "w", "updatedAt": NOW}});
    write(&dir.path().join("agents/main/sessions/sessions.json"), &parent);
    write(&dir.path().join("agents/work/sessions/sessions.json"), &child);
    write(&dir.path().join("cron/jobs.json"), &json!({"version": 1, "jobs": []}));
    dir
}

fn removed(dir: &Path, options: &[&str]) -> Vec<String> {
    let output = Command::cargo_bin("sessions-doctor")
        .unwrap()
        .env_clear()
        .env("HOME", dir)
        .args(["check", "--json", "--gateway", "stopped", "--now", &NOW.to_string(), "--state-dir"])
        .arg(dir)
        .args(options)
        .output()
        .unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let stores = report["stores"].as_array().unwrap();
    let changes = stores.iter().flat_map(|store| store["changes"].as_array().unwrap());
    changes.map(|change| change["key"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_parent_stays_while_a_child_in_another_store_runs() {
    let dir = state("running");
    let store = dir.path().join("agents/main/sessions/sessions.json");
    let store = store.to_str().unwrap();
    for options in [&[][..], &["--store", store], &["--agent", "main"]] {
        assert_eq!(removed(dir.path(), options), [""; 0], "{options:?}");
    }
}

#[test]
fn a_parent_goes_when_its_child_is_over_and_only_what_is_named_is_acted_on() {
    let dir = state("done");
    let store = dir.path().join("agents/main/sessions/sessions.json");
    assert_eq!(removed(dir.path(), &["--store", store.to_str().unwrap()]), ["agent:main:subagent:parent"]);
    let both = ["agent:main:subagent:parent", "agent:work:subagent:child"];
    assert_eq!(removed(dir.path(), &[]), both);
}
