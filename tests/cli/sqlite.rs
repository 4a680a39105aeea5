//! Prevents writes where sessions live in SQLite, but to a store that still waits to be imported; and traces beside databases.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::database::*;
use crate::world::*;
use serde_json::Value;

/// A looping store that was never imported, in a directory whose sessions live in SQLite.
fn migrated() -> World {
    let world = World::looping();
    drop(database(&world, AGENT_DATABASE, SESSION_NODES));
    drop(database(&world, STATE_DATABASE, MIGRATIONS));
    world
}

/// Name, inode and every time but that of access, directories included.
fn times(world: &World) -> BTreeMap<PathBuf, (u64, [i64; 4])> {
    let mut found = BTreeMap::new();
    let mut open = vec![world.state.clone(), world.root.join("tmp")];
    while let Some(path) = open.pop() {
        let facts = fs::symlink_metadata(&path).unwrap();
        if facts.is_dir() {
            open.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        }
        let times = [facts.mtime(), facts.mtime_nsec(), facts.ctime(), facts.ctime_nsec()];
        // What was copied to there is gone; that it was there shows in the directory alone.
        if path != world.root.join("tmp") {
            found.insert(path, (facts.ino(), times));
        }
    }
    found
}

fn era(world: &World) -> String {
    world.stopped(&["check", "--json"]).json()["era"].as_str().unwrap().to_owned()
}

#[test]
fn the_era_is_told_by_tables() {
    let world = World::looping();
    assert_eq!(era(&world), "json");
    drop(database(&world, AGENT_DATABASE, CACHES));
    assert_eq!(era(&world), "json", "a database without sessions proves nothing, whatever its bytes say");
    drop(database(&world, STATE_DATABASE, "CREATE TABLE schema_meta (a)"));
    assert_eq!(era(&world), "json");
    drop(database(&world, STATE_DATABASE, "CREATE TABLE cron_jobs (store_key TEXT, job_id TEXT)"));
    assert_eq!(era(&world), "cron-sqlite");
    drop(database(&world, "agents/Other Agent/agent/openclaw-agent.sqlite", SESSION_NODES));
    assert_eq!(era(&world), "sqlite", "any agent, however its directory is spelled");
    fs::write(world.state.join(AGENT_DATABASE), "SQLite format 3\0 CREATE TABLE session_nodes (a)").unwrap();
    assert_eq!(era(&world), "sqlite");
    fs::remove_dir_all(world.state.join("agents/Other Agent")).unwrap();
    assert_eq!(era(&world), "unknown", "a damaged database proves nothing either");
}

#[test]
fn a_table_that_only_stands_in_the_log_counts() {
    let world = World::looping();
    let _writer = database(&world, AGENT_DATABASE, SESSION_NODES);
    assert!(world.state.join(format!("{AGENT_DATABASE}-wal")).exists());
    assert_eq!(era(&world), "sqlite");
}

#[test]
fn an_agent_database_that_cannot_be_read_forbids_every_write() {
    for make in ["empty", "fifo", "dir", "damaged", "dangling"] {
        let world = World::looping();
        let path = world.put(AGENT_DATABASE, "");
        match make {
            "empty" => {}
            "damaged" => fs::write(&path, "SQLite format 3\0 and then some pages").unwrap(),
            _ => fs::remove_file(&path).unwrap(),
        }
        match make {
            "fifo" => assert!(Command::new("mkfifo").arg(&path).status().unwrap().success()),
            "dir" => fs::create_dir(&path).unwrap(),
            "dangling" => std::os::unix::fs::symlink("nowhere", &path).unwrap(),
            _ => {}
        }
        let before = times(&world);
        let report = world.stopped(&["check", "--json"]).json();
        assert_eq!(report["era"], "unknown", "{make}");
        let told = finding(&report, "era-sqlite").unwrap()["message"].as_str().unwrap();
        assert!(told.contains("openclaw-agent.sqlite"), "{make}: {told}");
        world.stopped(&["prune", "--apply"]).exits(5);
        assert_eq!(times(&world), before, "{make}");
    }
}

#[test]
fn a_store_that_waits_to_be_imported_may_be_pruned_and_given_back() {
    let world = migrated();
    let before = world.tree();
    let database = |path: &PathBuf| path.to_string_lossy().contains("sqlite");
    let report = world.stopped(&["check", "--json"]).exits(1).json();
    assert_eq!(report["era"], "sqlite");
    let told = report["findings"].as_array().unwrap();
    let told: Vec<_> = told.iter().filter(|finding| finding["checkId"] == "era-sqlite").collect();
    assert_eq!(told.len(), 2, "{report}");
    assert!(told.iter().any(|finding| {
        finding["path"] == world.store().to_str().unwrap()
            && finding["fixHint"].as_str().unwrap().contains("openclaw doctor --fix")
    }));
    assert_eq!(world.tree(), before);
    // Beside a gateway nothing is written, however old it says it is.
    for args in
        [&["--gateway", "running"][..], &["--gateway", "unknown"], &["--gateway", "unknown", "--live"]]
    {
        world.run(&[&["prune", "--apply"], args].concat()).exits(4);
    }
    assert_eq!(world.tree(), before);
    let report = world.stopped(&["prune", "--apply", "--json"]).exits(0).json();
    assert_eq!(report["stores"][0]["outcome"], "applied");
    assert_eq!(world.keys().len(), 6);
    let left = |tree: BTreeMap<PathBuf, Lying>| -> BTreeMap<PathBuf, Lying> {
        tree.into_iter().filter(|(path, _)| database(path)).collect()
    };
    assert_eq!(left(world.tree()), left(before.clone()), "no database was touched");
    world.stopped(&["undo", "latest"]).exits(0);
    assert_eq!(
        world.tree()[&PathBuf::from("state").join(STORE)].content,
        before[&PathBuf::from("state").join(STORE)].content
    );
    world.stopped(&["prune", "--apply"]).exits(0).says("openclaw doctor --fix");
}

#[test]
fn a_damaged_store_that_blocks_the_import_may_be_recovered() {
    let world = migrated();
    let bytes = world.bytes();
    fs::write(world.store(), &bytes[..bytes.len() - 40]).unwrap();
    world.stopped(&["check"]).exits(3);
    world.stopped(&["recover", "--apply"]).exits(0).says("openclaw doctor --fix");
    assert!(world.keys().len() >= 8, "{:?}", world.keys());
}

/// A change of a migrated directory that forbids to write its store.
type Forbids = fn(&World);

const FORBIDDEN: [(&str, Forbids); 12] = [
    ("named by a table", |world| record(world, &world.store())),
    ("named in a log that is not written back", |world| {
        let writer = database(world, STATE_DATABASE, "");
        let sql = "INSERT INTO migration_runs (id, report_json) VALUES ('r', ?1)";
        let report = format!("{{\"sources\": [{{\"path\": {}}}]}}", quoted(world.store().to_str().unwrap()));
        writer.execute(sql, [report]).unwrap();
        // A gateway that was killed leaves the log.
        std::mem::forget(writer);
    }),
    ("named by its old place", |world| record(world, &PathBuf::from("/old/.openclaw").join(STORE))),
    ("a row without text", |world| {
        database(world, STATE_DATABASE, "INSERT INTO migration_runs (started_at) VALUES (1)");
    }),
    ("a view for a table", |world| {
        let sql = "DROP TABLE migration_runs; CREATE VIEW migration_runs AS SELECT 1";
        database(world, STATE_DATABASE, sql);
    }),
    ("a damaged state database", |world| {
        let path = world.state.join(STATE_DATABASE);
        let mut bytes = fs::read(&path).unwrap();
        bytes.truncate(5000);
        fs::write(&path, bytes).unwrap();
    }),
    ("no database at all", |world| drop(world.put(STATE_DATABASE, "text"))),
    ("named by a manifest", |world| {
        let text = format!("{{\"runs\": [[{}]]}}", quoted(world.store().to_str().unwrap()));
        world.put("session-sqlite-migration-runs/2026/run.json", text);
    }),
    ("a manifest that does not parse", |world| {
        world.put("session-sqlite-migration-runs/run.json", "{");
    }),
    ("a manifest that is a pipe", |world| {
        let path = world.put("session-sqlite-migration-runs/run.json", "");
        fs::remove_file(&path).unwrap();
        assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    }),
    ("manifests that are a file", |world| drop(world.put("session-sqlite-migration-runs", "{}"))),
    ("an archive", |world| {
        let archive = world.state.join("agents/main/session-sqlite-import-archive");
        fs::rename(world.state.join("agents/main/sessions"), &archive).unwrap();
        std::os::unix::fs::symlink(&archive, world.state.join("agents/main/sessions")).unwrap();
    }),
];

#[test]
fn a_store_that_a_record_names_or_may_name_is_left_alone() {
    for (what, forbid) in FORBIDDEN {
        let world = migrated();
        forbid(&world);
        let before = times(&world);
        let report = world.stopped(&["check", "--json"]).json();
        let told = finding(&report, "era-sqlite").unwrap_or_else(|| panic!("{what}: {report}"));
        assert_eq!(told["severity"], "info", "{what}");
        assert_eq!(times(&world), before, "{what}: check");
        let report = world.stopped(&["prune", "--apply", "--json"]).exits(5).json();
        assert_eq!(report["stores"][0]["outcome"], "refused", "{what}");
        assert_eq!(finding(&report, "era-sqlite").unwrap()["severity"], "error", "{what}: {report}");
        assert_eq!(times(&world), before, "{what}: prune");
        let bytes = world.bytes();
        fs::write(world.store(), &bytes[..bytes.len() - 40]).unwrap();
        let before = times(&world);
        world.stopped(&["recover", "--apply"]).exits(5);
        assert_eq!(times(&world), before, "{what}: recover");
    }
}

#[test]
fn a_store_that_was_imported_since_is_not_undone() {
    let world = migrated();
    world.stopped(&["prune", "--apply"]).exits(0);
    record(&world, &world.store());
    let before = times(&world);
    world.stopped(&["undo", "latest"]).exits(5);
    fs::remove_file(world.store()).unwrap();
    let tree = world.tree();
    assert_ne!(world.stopped(&["undo", "latest"]).code, 0);
    assert_ne!(world.stopped(&["recover", "--apply"]).code, 6);
    assert_eq!(world.tree(), tree, "none is made");
    drop(before);
}

#[test]
fn where_everything_was_imported_there_is_nothing_to_do() {
    let world = migrated();
    fs::remove_file(world.store()).unwrap();
    world.put("agents/main/sessions/s-main.jsonl.lock", "{}");
    world.put("agents/main/session-sqlite-import-archive/legacy-store.sessions.json.imported-1", "{}");
    let before = times(&world);
    for args in [&["check"][..], &["prune", "--apply"], &["recover", "--apply"]] {
        world.stopped(args).exits(0).says("sessions live in SQLite");
        assert_eq!(times(&world), before, "{args:?}");
    }
}

#[test]
fn other_records_forbid_nothing() {
    let world = migrated();
    record(&world, &world.state.join("agents/work/sessions/sessions.json"));
    world.put(
        "session-sqlite-migration-runs/run.json",
        "{\"path\": \"/x/agents/work/sessions/sessions.json\"}",
    );
    world.stopped(&["prune", "--apply"]).exits(0);
}

#[test]
fn a_live_gateway_s_databases_are_read_and_not_touched() {
    let world = migrated();
    let writer = database(
        &world,
        AGENT_DATABASE,
        "INSERT INTO session_nodes (session_key, entry_json) VALUES ('a', '{}')",
    );
    let state = database(&world, STATE_DATABASE, "INSERT INTO migration_runs (id) VALUES ('x')");
    let before = times(&world);
    assert!(before.keys().any(|path| path.to_string_lossy().ends_with("-wal")));
    for args in [&["check"][..], &["prune"], &["recover"], &["undo"]] {
        world.stopped(args);
        assert_eq!(times(&world), before, "{args:?}");
        assert_eq!(fs::read_dir(world.root.join("tmp")).unwrap().count(), 0, "{args:?}: the copies are gone");
    }
    world.run(&["prune", "--apply", "--gateway", "running"]).exits(4);
    assert_eq!(times(&world), before);
    drop((writer, state));
}

#[test]
fn no_copy_is_made_in_the_state_directory() {
    let world = migrated();
    let _writer = database(
        &world,
        AGENT_DATABASE,
        "INSERT INTO session_nodes (session_key, entry_json) VALUES ('a', '{}')",
    );
    let inside = world.state.join("tmp");
    fs::create_dir(&inside).unwrap();
    let before = times(&world);
    let mut command = world.doctor(&["check", "--json", "--gateway", "stopped"]);
    let report = world.finish(command.env("TMPDIR", &inside)).json();
    assert_eq!(report["era"], "unknown");
    assert!(
        finding(&report, "era-sqlite").unwrap()["message"].as_str().unwrap().contains("TMPDIR"),
        "{report}"
    );
    assert_eq!(times(&world), before);
}

/// What a report says of the verdicts on a store, whoever keeps its entries.
fn verdicts(report: &Value) -> [&Value; 3] {
    let store = &report["stores"][0];
    [&store["classes"], &store["rules"], &store["families"]].map(|tallies| {
        assert!(tallies.is_object(), "{report}");
        tallies
    })
}

/// Classes, rules and families by how many entries they have; the bytes differ by white space.
fn counts(report: &Value) -> Vec<(String, u64)> {
    let rows = verdicts(report).into_iter().flat_map(|tallies| tallies.as_object().unwrap());
    rows.map(|(name, tally)| (name.clone(), tally["entries"].as_u64().unwrap())).collect()
}

fn sample() -> World {
    let world = World::new();
    let from =
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("testdata/openclaw-2026.3.28/normal-then-crash");
    copy_sample(&from, &world.state);
    world
}

fn copy_sample(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_sample(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

#[test]
fn sessions_in_a_table_have_the_classes_that_they_had_in_a_file() {
    for (what, world) in [("looping", World::looping()), ("sample", sample())] {
        let file = world.stopped(&["check", "--json"]).exits(1).json();
        drop(import(&world));
        let before = times(&world);
        let table = world.stopped(&["check", "--json", "--entries", "all"]).exits(0).json();
        assert_eq!(counts(&table), counts(&file), "{what}");
        let store = &table["stores"][0];
        assert_eq!(store["path"], world.state.join(AGENT_DATABASE).to_str().unwrap(), "{what}");
        assert_eq!(
            (&store["entries"]["total"], &store["entries"]["kept"]),
            (&file["stores"][0]["entries"]["total"], &store["entries"]["total"])
        );
        let changes = store["changes"].as_array().unwrap();
        assert!(changes.iter().all(|change| change["action"] == "keep"), "{what}: {store}");
        let reasons = |change: &&Value| {
            change["reasons"]
                .as_array()
                .unwrap()
                .contains(&"it lives in SQLite, where nothing is written".into())
        };
        let held = changes.iter().filter(reasons).count() as u64;
        assert!(store["keptBecause"]["era-sqlite"]["entries"].as_u64().unwrap() > 0, "{what}");
        let acted = &file["stores"][0]["entries"];
        assert_eq!(held, acted["removed"].as_u64().unwrap() + acted["healed"].as_u64().unwrap(), "{what}");
        assert_eq!(store["forecast"], Value::Null, "nobody reads them whole");
        assert!(finding(&table, "missing-transcript").is_none(), "their transcripts are rows");
        assert_eq!(times(&world), before, "{what}");
    }
}

#[test]
fn no_command_touches_a_directory_whose_sessions_live_in_a_table() {
    let world = World::looping();
    drop(import(&world));
    let before = times(&world);
    let key = "agent:main:main";
    for args in [
        &["check"][..],
        &["check", "--redact", "-v"],
        &["prune", "--apply"],
        &["prune", "--apply", "--only", "zombie"],
        &["recover", "--apply"],
        &["slim", "--apply", "--compact"],
        &["cron"],
        &["cron", "--apply"],
        &["sweep"],
        &["sweep", "--apply"],
        &["sweep", "--apply", "--delete", "--older-than", "0h"],
        &["guard"],
        &["guard", "--strict"],
        &["undo"],
        &["explain", key],
    ] {
        let ran = world.stopped(args);
        let refused = args[0] == "sweep" || args[0] == "cron";
        assert!(ran.code <= 1 || refused && ran.code == 5, "{args:?}: {ran}");
        assert_eq!(times(&world), before, "{args:?}");
        assert_eq!(fs::read_dir(world.root.join("tmp")).unwrap().count(), 0, "{args:?}");
    }
    world.stopped(&["explain", &run(GONE, "s-lost")]).exits(0).says("it lives in SQLite");
    world.stopped(&["check"]).exits(0).says("it lives in SQLite, where nothing is written");
}

#[test]
fn rows_that_make_no_sense_are_told_and_spoil_no_other() {
    let world = World::looping();
    let connection = import(&world);
    for (key, entry) in [("broken", "{\"a\": 1"), ("two", "{}, \"x\": {}"), ("quote\" \u{7f}key", "{}")] {
        let sql = "INSERT INTO session_nodes (session_key, entry_json) VALUES (?1, ?2)";
        connection.execute(sql, [key, entry]).unwrap();
    }
    connection
        .execute("INSERT INTO session_nodes (session_key, entry_json) VALUES ('blob', x'ff')", [])
        .unwrap();
    drop(connection);
    let report = world.stopped(&["check", "--json"]).exits(1).json();
    assert_eq!(report["stores"][0]["entries"]["total"], 9 + 4);
    assert_eq!(finding(&report, "malformed-entry").unwrap()["count"], 3);
}

#[test]
fn a_store_that_waits_is_judged_by_the_sessions_of_the_table_too() {
    let world = World::looping();
    let store = world.bytes();
    drop(import(&world));
    fs::write(world.store(), store).unwrap();
    let report = world.stopped(&["check", "--json"]).exits(1).json();
    let paths: Vec<&Value> =
        report["stores"].as_array().unwrap().iter().map(|store| &store["path"]).collect();
    assert_eq!(paths.len(), 2, "{paths:?}");
    let ran = world.stopped(&["prune", "--apply", "--json"]).exits(0).json();
    let outcomes: Vec<&Value> =
        ran["stores"].as_array().unwrap().iter().map(|store| &store["outcome"]).collect();
    assert_eq!(outcomes, ["applied", "unchanged"]);
}
