//! Prevents verdicts from tables that differ from those from files, and any that rest on a table that was not read whole.

use std::fs;
use std::path::Path;

use crate::database::*;
use crate::world::*;
use serde_json::Value;

const SAMPLE: &str = "testdata/openclaw-2026.3.28/normal-then-crash";
const ORPHAN: &str = "agent:main:cron:99999999-2222-4333-8444-555555555555:run:s-lost";

/// A real state directory.
fn sample() -> World {
    let world = World::new();
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join(SAMPLE), &world.state);
    world
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let to = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &to);
        } else {
            fs::copy(&path, to).unwrap();
        }
    }
}

/// A made-up one, with runs that finished, sub-agents and a marker.
fn looped() -> World {
    let world = World::looping();
    let mut entries = looping();
    entries.push(entry(base(GONE), "s-gone", 60 * DAY, &[("status", "\"done\"")]));
    for child in ["open", "over"] {
        let ended = [("status", "\"done\""), ("endedAt", "1789000000000")];
        entries.push(entry(format!("agent:main:subagent:{child}"), child, 60 * DAY, &ended));
    }
    entries.push(entry("agent:main:target", "s-target", 60 * DAY, &[]));
    world.put(STORE, store(&entries));
    let mut list: Value = serde_json::from_str(&jobs(&[JOB])).unwrap();
    list["jobs"][0]["state"]["runningAtMs"] = (NOW - 9 * HOUR).into();
    list["jobs"][0]["sessionKey"] = "agent:main:target".into();
    list["jobs"][0]["payload"]["timeoutSeconds"] = 60.into();
    world.put("cron/jobs.json", list.to_string());
    let lines = [
        finished(JOB, Some("s-old"), NOW - 3 * DAY, NOW - 3 * DAY - 1000),
        finished(JOB, Some("s-hung"), NOW - 8 * HOUR, NOW - 9 * HOUR),
        finished(JOB, None, NOW - HOUR, NOW - 2 * HOUR),
    ];
    world.put(&format!("cron/runs/{JOB}.jsonl"), lines.concat());
    let run = |child: &str, ended: Option<i64>| {
        serde_json::json!({"runId": child, "childSessionKey": format!("agent:main:subagent:{child}"),
            "requesterSessionKey": "agent:main:main", "endedAt": ended})
    };
    let registry = serde_json::json!({"version": 2, "runs": {
        "1": run("open", None), "2": run("over", Some(1_789_000_000_000))}});
    world.put("subagents/runs.json", registry.to_string());
    world
}

/// What is said of every entry and every job, but for the places that reasons name.
fn verdicts(world: &World, args: &[&str]) -> (Vec<Value>, Value) {
    let mut command = world.bare();
    command.args(["check", "--json", "--entries", "all", "--state-dir"]).arg(&world.state).args(args);
    let report = world.finish(&mut command).json();
    let mut changes = report["stores"][0]["changes"].as_array().unwrap().clone();
    for change in &mut changes {
        change["reasons"] = change["reasons"].as_array().unwrap().len().into();
    }
    (changes, report["stores"][0]["jobs"].clone())
}

#[test]
fn tables_give_the_verdicts_that_the_files_gave() {
    for make in [sample, looped] {
        for form in [Form::Json, Form::Columns] {
            let (files, tables) = (make(), make());
            drop(migrate(&tables, form));
            for now in [NOW_TEXT, "2026-11-23T01:14:30Z", "2027-02-21T01:14:30Z"] {
                for gateway in ["stopped", "unknown", "running"] {
                    let args = ["--now", now, "--gateway", gateway];
                    let (expected, found) = (verdicts(&files, &args), verdicts(&tables, &args));
                    assert_eq!(found, expected, "{form:?} {args:?}");
                }
            }
        }
    }
}

#[test]
fn every_kind_of_evidence_tells_in_that_comparison() {
    // Each table alone taken away changes a verdict, or the comparison would prove nothing.
    for table in ["cron_jobs", "cron_run_logs", "subagent_runs"] {
        let (whole, lacking) = (looped(), looped());
        drop(migrate(&whole, Form::Json));
        migrate(&lacking, Form::Json).execute_batch(&format!("DELETE FROM {table}")).unwrap();
        let args = ["--now", NOW_TEXT, "--gateway", "stopped"];
        assert_ne!(verdicts(&whole, &args), verdicts(&lacking, &args), "{table}");
    }
}

#[test]
fn the_same_where_the_rows_only_stand_in_the_log() {
    let (files, tables) = (looped(), looped());
    let writer = migrate(&tables, Form::Json);
    assert!(fs::metadata(tables.state.join(format!("{STATE_DATABASE}-wal"))).unwrap().len() > 0);
    let before = tables.tree();
    let args = ["--now", NOW_TEXT, "--gateway", "stopped"];
    assert_eq!(verdicts(&tables, &args), verdicts(&files, &args));
    assert_eq!(tables.tree(), before);
    let tables_of = |world: &World| {
        let mut tree = world.tree();
        tree.retain(|path, _| path.to_string_lossy().contains("openclaw.sqlite"));
        tree
    };
    let databases = tables_of(&tables);
    tables.stopped(&["prune", "--apply"]).exits(0);
    assert_eq!(tables_of(&tables), databases);
    drop(writer);
}

#[test]
fn a_job_in_a_list_that_still_lies_beside_the_table_is_known() {
    let world = looped();
    drop(migrate(&world, Form::Json));
    let of_orphan = |world: &World| {
        changes(&world.stopped(&["check", "--json", "--entries", "all"]).json())[ORPHAN].clone()
    };
    assert_eq!(of_orphan(&world)["rule"], "orphan-job");
    world.put("cron/jobs.json", jobs(&[GONE]));
    assert_ne!(of_orphan(&world)["rule"], "orphan-job");
    world.put("cron/jobs.json", "{");
    assert_ne!(of_orphan(&world)["rule"], "orphan-job", "one that cannot be read may know it");
}

#[test]
fn tables_that_are_not_read_whole_condemn_nobody() {
    for (what, sql) in [
        ("no JSON", "UPDATE cron_jobs SET job_json = '{'"),
        ("JSON of another job", "UPDATE cron_jobs SET job_json = '{\"id\": \"x\"}'"),
        ("no text", "UPDATE cron_jobs SET job_json = x'00'"),
        ("a state that is none", "UPDATE cron_jobs SET state_json = '7'"),
        ("no id", "UPDATE cron_jobs SET job_id = ''"),
        ("jobs of another list only", "UPDATE cron_jobs SET store_key = '/elsewhere/cron/jobs.json'"),
        ("no columns", "DROP TABLE cron_jobs; CREATE TABLE cron_jobs (a); INSERT INTO cron_jobs VALUES (1)"),
        ("a view", "DROP TABLE cron_jobs; CREATE VIEW cron_jobs AS SELECT 1"),
        ("no table, and a list that moved", "DROP TABLE cron_jobs"),
    ] {
        let world = looped();
        migrate(&world, Form::Json).execute_batch(sql).unwrap();
        let report = world.stopped(&["check", "--json", "--entries", "all", "--run-retention", "90d"]).json();
        assert!(finding(&report, "cron-jobs-unreadable").is_some(), "{what}: {report}");
        for (key, change) in changes(&report) {
            assert_ne!(change["rule"], "orphan-job", "{what}: {key}");
        }
        assert_eq!(changes(&report)[&base(GONE)]["protectedBy"], "protected-base-cron", "{what}");
    }
    for (what, sql, id) in [
        ("no JSON", "UPDATE subagent_runs SET payload_json = '{'", "registry-unreadable"),
        (
            "no session",
            "UPDATE subagent_runs SET payload_json = '{}', child_session_key = NULL",
            "registry-unreadable",
        ),
        ("no table", "DROP TABLE subagent_runs", "registry-unreadable"),
        ("no JSON", "UPDATE cron_run_logs SET entry_json = '{'", "run-log-unreadable"),
        ("no table", "DROP TABLE cron_run_logs", "run-log-unreadable"),
        ("no list", "ALTER TABLE cron_run_logs RENAME store_key TO k", "run-log-unreadable"),
    ] {
        let world = looped();
        migrate(&world, Form::Json).execute_batch(sql).unwrap();
        let report = world.stopped(&["check", "--json", "--entries", "all"]).json();
        assert!(finding(&report, id).is_some(), "{id} {what}: {report}");
        let changes = changes(&report);
        match id {
            "registry-unreadable" => {
                assert_eq!(
                    changes["agent:main:subagent:over"]["protectedBy"], "protected-resumable",
                    "{what}"
                );
            }
            _ => assert!(changes.values().all(|change| change["rule"] != "zombie-finished"), "{what}"),
        }
    }
}

#[test]
fn runs_of_another_list_prove_nothing() {
    let world = looped();
    let sql = "UPDATE cron_run_logs SET store_key = '/elsewhere/cron/jobs.json'";
    migrate(&world, Form::Json).execute_batch(sql).unwrap();
    let report = world.stopped(&["check", "--json", "--entries", "all"]).json();
    assert!(changes(&report).values().all(|change| change["rule"] != "zombie-finished"), "{report}");
}

#[test]
fn a_marker_protects_wherever_it_stands() {
    let world = looped();
    let connection = migrate(&world, Form::Json);
    connection.execute_batch("DELETE FROM cron_run_logs; UPDATE cron_jobs SET state_json = '{}'").unwrap();
    drop(connection);
    let record = |world: &World| {
        let report = world.run(&["check", "--json", "--entries", "all", "--gateway", "unknown"]).json();
        changes(&report)[&run(JOB, "s-fresh")]["protectedBy"].clone()
    };
    assert_eq!(record(&world), "protected-in-use");
    drop(database(&world, STATE_DATABASE, "UPDATE cron_jobs SET running_at_ms = NULL"));
    assert_ne!(record(&world), "protected-in-use");
}
