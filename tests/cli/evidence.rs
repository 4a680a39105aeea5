//! Prevents verdicts and writes that rest on evidence that is missing, unreadable, or speaks for life.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::time::{Duration, Instant, SystemTime};

use crate::world::{self, *};
use serde_json::Value;

const ORPHAN: &str = "agent:main:cron:99999999-2222-4333-8444-555555555555:run:s-lost";

/// Rule and action of every entry with the gateway stopped.
fn verdicts(world: &World, args: &[&str]) -> (Value, std::collections::BTreeMap<String, Value>) {
    let args = [&["check", "--json", "--entries", "all", "--gateway", "stopped"], args].concat();
    let report = world.run(&args).json();
    let changes = changes(&report);
    (report, changes)
}

/// Nothing is called an orphan of a job, and the report says why.
#[track_caller]
fn no_orphans(world: &World, args: &[&str], what: &str) {
    // With a retention that is longer than the record is old, only its being an orphan could condemn it; one that is shorter must not
    // turn it into an orphan either.
    for retention in ["1d", "90d"] {
        let (report, changes) = verdicts(world, &[&["--run-retention", retention], args].concat());
        for (key, change) in &changes {
            assert_ne!(change["rule"], "orphan-job", "{what}: {key}");
        }
        assert_eq!(changes[&base(GONE)]["action"], "keep", "{what}");
        assert_eq!(changes[&base(GONE)]["protectedBy"], "protected-base-cron", "{what}");
        let told = finding(&report, "cron-jobs-unreadable").unwrap_or_else(|| panic!("{what}: {report}"));
        assert_eq!(told["severity"], "warning", "{what}");
    }
}

/// A world in which a deleted job has a base of its own too.
fn with_orphans() -> World {
    let world = World::looping();
    let mut entries = looping();
    entries.push(entry(base(GONE), "s-gone", 60 * DAY, &[("status", "\"done\"")]));
    world.put(STORE, store(&entries));
    world
}

#[test]
fn with_a_whole_job_list_orphans_are_found() {
    let world = with_orphans();
    let (report, changes) = verdicts(&world, &[]);
    assert!(finding(&report, "cron-jobs-unreadable").is_none(), "{report}");
    for key in [ORPHAN, &base(GONE)] {
        assert_eq!(changes[key]["rule"], "orphan-job", "{key}: {}", changes[key]);
        assert_eq!(changes[key]["confidence"], "certain", "{key}");
        assert_eq!(changes[key]["action"], "remove", "{key}");
    }
}

#[test]
fn a_job_list_that_is_not_read_whole_condemns_nobody() {
    let sqlite = b"SQLite format 3\0 and then some pages";
    /// A path below the state directory, and its content; `None` takes it away.
    type Files<'a> = &'a [(&'a str, Option<&'a [u8]>)];
    let cases: [(&str, Files<'_>); 9] = [
        ("missing", &[("cron/jobs.json", None)]),
        ("empty", &[("cron/jobs.json", Some(b""))]),
        ("cut", &[("cron/jobs.json", Some(b"{\"version\": 1, \"jobs\": ["))]),
        ("an array", &[("cron/jobs.json", Some(b"[]"))]),
        ("no list in it", &[("cron/jobs.json", Some(b"{\"version\": 1}"))]),
        ("a job without an id", &[("cron/jobs.json", Some(b"{\"version\": 1, \"jobs\": [{}]}"))]),
        ("beside a database", &[("state/openclaw.sqlite", Some(sqlite))]),
        ("beside an empty database", &[("state/openclaw.sqlite", Some(b""))]),
        ("migrated", &[("cron/jobs.json", None), ("cron/jobs.json.migrated", Some(b"{}"))]),
    ];
    for (what, files) in cases {
        let world = with_orphans();
        for (path, text) in files {
            match text {
                Some(text) => drop(world.put(path, text)),
                None => fs::remove_file(world.state.join(path)).unwrap(),
            }
        }
        no_orphans(&world, &[], what);
    }
    let world = with_orphans();
    fs::remove_file(world.state.join("cron/jobs.json")).unwrap();
    fs::create_dir(world.state.join("cron/jobs.json")).unwrap();
    no_orphans(&world, &[], "a directory");
    let world = with_orphans();
    let elsewhere = world.root.join("cron");
    fs::create_dir(&elsewhere).unwrap();
    no_orphans(&world, &["--cron-dir", elsewhere.to_str().unwrap()], "--cron-dir without a list");
}

#[test]
fn a_configuration_that_is_not_resolved_condemns_nobody() {
    for (what, text) in [
        ("no JSON5", "{ session: "),
        ("a variable", "{ cron: { store: '${NOT_SET_ANYWHERE}/jobs.json' } }"),
        ("an include", "{ $include: './missing.json5' }"),
        ("nothing", ""),
        ("a list", "[]"),
    ] {
        let world = with_orphans();
        world.put("openclaw.json", text);
        no_orphans(&world, &[], what);
        let (report, _) = verdicts(&world, &[]);
        assert!(finding(&report, "config-unreadable").is_some(), "{what}: {report}");
    }
    // And one that is resolved leads to the list.
    let world = with_orphans();
    fs::rename(world.state.join("cron"), world.state.join("elsewhere")).unwrap();
    world.put("part.json5", "{ cron: { store: '${WHERE}/jobs.json' } }");
    world.put("openclaw.json", "{ $include: './part.json5' }");
    world.put(".env", format!("WHERE={}\n", world.state.join("elsewhere").display()));
    let (report, changes) = verdicts(&world, &[]);
    assert!(finding(&report, "config-unreadable").is_none(), "{report}");
    assert_eq!(changes[ORPHAN]["rule"], "orphan-job");
}

#[test]
fn a_job_that_is_known_under_another_spelling_is_no_orphan() {
    let world = with_orphans();
    world.put("cron/jobs.json", jobs(&[JOB, &GONE.to_uppercase()]));
    let (_, changes) = verdicts(&world, &[]);
    assert_ne!(changes[ORPHAN]["rule"], "orphan-job");
    assert_eq!(changes[&base(GONE)]["protectedBy"], "protected-base-cron");
}

#[test]
fn run_logs_prove_an_end_and_without_them_there_is_no_zombie_finished() {
    let world = World::looping();
    for gateway in ["stopped", "unknown", "running"] {
        let report = world.run(&["check", "--json", "--entries", "all", "--gateway", gateway]).json();
        assert!(changes(&report).values().all(|change| change["rule"] != "zombie-finished"), "{gateway}");
    }
    let log = format!("cron/runs/{JOB}.jsonl");
    world.put(&log, finished(JOB, Some("s-hung"), NOW - 8 * HOUR, NOW - 9 * HOUR));
    for gateway in ["stopped", "unknown", "running"] {
        let report = world.run(&["check", "--json", "--entries", "all", "--gateway", gateway]).json();
        let changes = changes(&report);
        // Its base still says running, so under a gateway that may live the record counts as in flight, this once.
        let record = if gateway == "stopped" { "remove" } else { "keep" };
        for (key, action) in [(base(JOB), "heal"), (run(JOB, "s-hung"), record)] {
            let change = &changes[&key];
            assert_eq!(change["rule"], "zombie-finished", "{gateway}: {change}");
            assert_eq!(change["action"], action, "{gateway}: {change}");
            assert_eq!(change["confidence"], "certain", "{gateway}: {change}");
            let reasons = change["reasons"].to_string();
            assert!(reasons.contains(&format!("{JOB}.jsonl:1")), "{gateway}: file and line: {reasons}");
        }
        assert_eq!(changes[&base(JOB)]["edits"][0]["new"], "done", "{gateway}");
        assert_eq!(changes[&base(JOB)]["edits"][1]["new"], NOW - 8 * HOUR, "{gateway}");
    }
    // Another session's line, another job's line, and torn ones prove nothing.
    for text in [
        finished(JOB, Some("s-other"), NOW - 8 * HOUR, NOW - 7 * HOUR),
        finished(GONE, Some("s-hung"), NOW - 8 * HOUR, NOW - 9 * HOUR),
        finished(JOB, Some("s-hung"), NOW - 8 * HOUR, NOW - 9 * HOUR).trim_end_matches("}\n").to_owned(),
        "\n\n{}\nnull\n".to_owned(),
    ] {
        world.put(&log, &text);
        let report = world.run(&["check", "--json", "--entries", "all", "--gateway", "unknown"]).json();
        assert!(changes(&report).values().all(|change| change["rule"] != "zombie-finished"), "{text}");
    }
}

#[test]
fn run_logs_that_cannot_be_read_are_said_and_prove_nothing() {
    let world = World::looping();
    fs::create_dir_all(world.state.join(format!("cron/runs/{JOB}.jsonl"))).unwrap();
    let (report, changes) = verdicts(&world, &[]);
    assert!(finding(&report, "run-log-unreadable").is_some(), "{report}");
    assert_eq!(changes[&base(JOB)]["rule"], "zombie-dead-owner");
    fs::remove_dir_all(world.state.join("cron/runs")).unwrap();
    world.put("cron/runs", "a file");
    let (report, _) = verdicts(&world, &[]);
    assert!(finding(&report, "run-log-unreadable").is_some(), "{report}");
}

#[test]
fn a_live_transcript_lock_protects_and_a_dead_one_does_not() {
    let world = World::looping();
    let lock = world.state.join("agents/main/sessions/s-hung.jsonl.lock");
    let alive = world.lock(&lock);
    let (_, changes) = verdicts(&world, &[]);
    let record = &changes[&run(JOB, "s-hung")];
    assert_eq!(
        (&record["action"], &record["protectedBy"]),
        (&"keep".into(), &"protected-in-use".into()),
        "{record}"
    );
    assert_eq!(changes[&base(JOB)]["action"], "keep", "in use forbids healing too: {}", changes[&base(JOB)]);
    world.stopped(&["prune", "--apply"]).exits(0);
    assert!(world.keys().contains(&run(JOB, "s-hung")));
    assert!(lock.exists());

    // The same process number with another start time, and a process that is gone.
    for text in [lock_text(alive.pid(), Some(alive.ticks() + 1)), lock_text(dead_pid(), Some(1))] {
        fs::write(&lock, &text).unwrap();
        let (_, changes) = verdicts(&world, &[]);
        assert_eq!(changes[&run(JOB, "s-hung")]["action"], "remove", "{text}");
        // Where it is not known whether a gateway lives, any lock protects.
        let report = world.run(&["check", "--json", "--entries", "all", "--gateway", "unknown"]).json();
        let change = world::changes(&report)[&run(JOB, "s-hung")].clone();
        assert_eq!(change["protectedBy"], "protected-in-use", "{text}: {change}");
    }
    assert!(lock.exists(), "no transcript lock is ever removed");
}

#[test]
fn sub_agents_that_run_and_conversations_that_were_interrupted_stay() {
    let world = World::looping();
    for gateway in ["stopped", "unknown", "running"] {
        let report = world
            .run(&["check", "--json", "--entries", "all", "--prune-after", "1d", "--gateway", gateway])
            .json();
        for key in ["agent:main:subagent:abc", "agent:main:telegram:group:77"] {
            let change = &changes(&report)[key];
            assert_eq!(change["action"], "keep", "{gateway}: {change}");
            assert_eq!(change["rule"], "live", "{gateway}: {change}");
        }
        assert_eq!(finding(&report, "interrupted").map(|told| &told["count"]), Some(&2.into()), "{report}");
    }
}

#[test]
fn a_registry_that_cannot_be_read_keeps_sub_agents() {
    let world = World::looping();
    let child = entry(
        "agent:main:subagent:old",
        "s-child",
        60 * DAY,
        &[("status", "\"done\""), ("endedAt", "1789000000000")],
    );
    let mut entries = looping();
    entries.push(child);
    world.put(STORE, store(&entries));
    let (_, changes) = verdicts(&world, &[]);
    assert_eq!(
        changes["agent:main:subagent:old"]["action"], "remove",
        "{}",
        changes["agent:main:subagent:old"]
    );
    for text in ["", "{", "[]", "{\"version\": 2}", "{\"version\": 2, \"runs\": {\"a\": 1}}"] {
        world.put("subagents/runs.json", text);
        let (report, changes) = verdicts(&world, &[]);
        let change = &changes["agent:main:subagent:old"];
        assert_eq!(change["protectedBy"], "protected-resumable", "{text}: {change}");
        assert!(finding(&report, "registry-unreadable").is_some(), "{text}: {report}");
    }
}

#[test]
fn nothing_is_written_beside_a_gateway_that_runs_or_may_run() {
    let world = World::looping();
    let before = world.tree();
    for args in [&["--gateway", "unknown"][..], &["--gateway", "running"], &[], &["--gateway", "auto"]] {
        let report = world.run(&[&["prune", "--apply", "--json"], args].concat()).exits(4).json();
        assert_eq!(report["stores"][0]["outcome"], "busy", "{args:?}");
        assert_eq!(world.tree(), before, "{args:?}");
    }
    world.run(&["prune", "--apply", "--gateway", "running", "--assume-stopped"]).exits(4);
    world.run(&["prune", "--apply", "--gateway", "unknown", "--live"]).exits(4);
    assert_eq!(world.tree(), before);
}

#[test]
fn a_clock_that_is_far_away_asks_for_the_gateway_to_be_named() {
    // Whatever the look at this host says: with another clock it permits nothing.
    let world = World::looping();
    let before = world.tree();
    for now in ["2030-01-01T00:00:00Z", "2020-01-01T00:00:00Z"] {
        let mut command = world.bare();
        command.args(["prune", "--apply", "--now", now, "--state-dir"]).arg(&world.state);
        let ran = world.finish(&mut command);
        // In 2020 everything lies in the future, so there may be nothing to write.
        assert!(ran.code == 4 || now.starts_with("2020") && ran.code == 0, "{now}: {ran}");
        assert_eq!(world.tree(), before, "{now}");
    }
}

#[test]
fn assume_stopped_permits_the_write_and_no_verdict_rests_on_it() {
    let world = World::looping();
    let report = world
        .run(&["prune", "--apply", "--json", "--assume-stopped", "--confidence", "certain"])
        .exits(0)
        .json();
    let changes = changes(&report);
    assert!(changes.values().all(|change| change["rule"] != "zombie-dead-owner"), "{report}");
    let keys = world.keys();
    assert!(keys.contains(&run(JOB, "s-hung")), "certain needs an established gateway: {keys:?}");
    assert!(!keys.contains(&run(JOB, "s-old")), "what is old and over goes: {keys:?}");
}

#[test]
fn a_gateway_that_is_seen_is_believed_against_every_option() {
    let world = World::looping();
    let gateway = Alive::gateway(&world);
    let before = world.tree();
    for args in [
        &["--gateway", "stopped"][..],
        &["--gateway", "stopped", "--assume-stopped"],
        &["--gateway", "unknown", "--assume-stopped"],
        &["--gateway", "auto"],
        &["--gateway", "stopped", "--live"],
    ] {
        let args = [&["prune", "--apply", "--json"], args].concat();
        let report = world.run(&args).exits(4).json();
        assert_eq!(report["gateway"]["running"], true, "{args:?}");
        assert_eq!(report["gateway"]["pid"], gateway.pid(), "{args:?}");
        assert_eq!(world.tree(), before, "{args:?}");
    }
    // No verdict takes it for dead.
    let (_, changes) = verdicts(&world, &[]);
    assert!(changes.values().all(|change| change["rule"] != "zombie-dead-owner"), "{changes:?}");
    drop(gateway);
    // Another directory's gateway is none of ours.
    let other = World::new();
    let _gateway = Alive::gateway(&other);
    world.stopped(&["prune", "--apply"]).exits(0);
}

#[test]
fn a_gateway_lock_with_a_live_owner_is_believed_too() {
    let world = World::looping();
    let config = world.state.join("openclaw.json");
    let dir = world.root.join("tmp").join(format!("openclaw-{}", fs::metadata(&world.root).unwrap().uid()));
    fs::create_dir_all(&dir).unwrap();
    let alive = Alive::new(&mut world.clean("sh"));
    let name = format!("gateway.{}.lock", &sha256(config.to_str().unwrap().as_bytes())[..8]);
    let lock = |ticks: u64| {
        serde_json::json!({"pid": alive.pid(), "createdAt": "2026-11-21T01:13:39.208Z",
            "configPath": config.to_str().unwrap(), "startTime": ticks})
        .to_string()
    };
    fs::write(dir.join(&name), lock(alive.ticks())).unwrap();
    let before = world.tree();
    world.stopped(&["prune", "--apply"]).exits(4).says(&alive.pid().to_string());
    assert_eq!(world.tree(), before);
    fs::write(dir.join(&name), lock(alive.ticks() + 1)).unwrap();
    world.stopped(&["prune", "--apply"]).exits(0);
    assert!(dir.join(&name).exists());
}

fn store_lock(world: &World) -> std::path::PathBuf {
    world.store().with_file_name("sessions.json.lock")
}

#[test]
fn a_store_lock_with_a_live_owner_is_waited_for_and_left_alone() {
    let world = World::looping();
    let lock = store_lock(&world);
    let alive = world.lock(&lock);
    // However old it says it is.
    let text = lock_text(alive.pid(), Some(alive.ticks())).replace("2026-11-21", "2020-01-01");
    fs::write(&lock, &text).unwrap();
    let before = tree(&world.state);
    let begun = Instant::now();
    let ran = world.stopped(&["prune", "--apply"]).exits(4);
    assert!(begun.elapsed() >= Duration::from_secs(9), "OpenClaw's own waiting time is 10 s");
    let said = ran.said();
    assert!(said.contains("sessions.json.lock") && said.contains(&alive.pid().to_string()), "{ran}");
    let mut after = tree(&world.state);
    after.retain(|path, _| !path.starts_with("sessions-doctor"));
    assert_eq!(after, before, "store and lock stay as they are, and nothing is left beside them");
    assert!(world.runs().is_empty());
}

#[test]
fn a_store_lock_of_the_dead_is_taken_over_and_that_is_said() {
    let world = World::looping();
    let lock = store_lock(&world);
    let recycled = Alive::new(&mut world.clean("sh"));
    let old = SystemTime::now() - Duration::from_secs(60);
    for text in [
        lock_text(dead_pid(), Some(1)),
        lock_text(recycled.pid(), Some(recycled.ticks() + 7)),
        String::new(),
        "{".into(),
    ] {
        world.put(STORE, store(&looping()));
        fs::write(&lock, &text).unwrap();
        if text.len() < 2 {
            fs::File::options().write(true).open(&lock).unwrap().set_modified(old).unwrap();
        }
        let report = world.stopped(&["prune", "--apply", "--json"]).exits(0).json();
        let told = finding(&report, "lock-stale").unwrap_or_else(|| panic!("{text:?}: {report}"));
        assert!(told["message"].as_str().unwrap().contains("sessions.json.lock"), "{told}");
        assert_eq!(report["stores"][0]["outcome"], "applied", "{text:?}");
        assert_eq!(world.keys().len(), 6, "{text:?}");
        assert!(world.beside().is_empty(), "{:?}", world.beside());
    }
}

#[test]
fn the_brakes_hold_and_say_so() {
    let world = World::looping();
    let mut entries = looping();
    for number in 0..60 {
        let members = [("status", "\"done\""), ("endedAt", "1789000000000")];
        entries.push(entry(format!("agent:main:subagent:n{number}"), "s", 60 * DAY, &members));
    }
    world.put(STORE, store(&entries[6..]));
    let only = ["--only", "stale"];
    let report = world.stopped(&[&["prune", "--json"][..], &only].concat()).exits(1).json();
    assert!(finding(&report, "brake-tripped").is_some(), "{report}");
    let before = world.tree();
    let report = world.stopped(&[&["prune", "--apply", "--json"][..], &only].concat());
    let report = report.exits(5).json();
    assert_eq!(report["stores"][0]["outcome"], "refused", "{report}");
    assert_eq!(world.tree(), before);
    world.stopped(&[&["prune", "--apply", "--allow-removal", "100"][..], &only].concat()).exits(0);
    assert!(world.keys().len() < 10);
}
