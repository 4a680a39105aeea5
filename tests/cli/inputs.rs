//! Prevents wrong inputs from being taken for an empty store, from passing in silence, or from being changed.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use crate::world::*;

#[test]
fn named_paths_that_are_missing_or_of_the_wrong_kind() {
    let world = World::looping();
    let before = world.tree();
    let at = |path: &Path| path.to_str().unwrap().to_owned();
    let missing = at(&world.root.join("nowhere"));
    let file = at(&world.store());
    let dir = at(world.store().parent().unwrap());
    let below_a_file = at(&world.store().join("x"));
    for verb in
        [&["check"][..], &["prune"], &["prune", "--apply"], &["undo"], &["explain", "agent:main:main"]]
    {
        for (option, value) in [
            ("--state-dir", &missing),
            ("--state-dir", &file),
            ("--store", &missing),
            ("--store", &dir),
            ("--store", &below_a_file),
            ("--cron-dir", &missing),
            ("--cron-dir", &file),
        ] {
            let mut command = world.bare();
            command.args(verb).args([option, value, "--gateway", "stopped"]);
            if option != "--state-dir" {
                command.arg("--state-dir").arg(&world.state);
            }
            world.finish(&mut command).exits(6).says(value);
            assert_eq!(world.tree(), before, "{verb:?} {option} {value}");
            if verb != ["explain", "agent:main:main"] {
                let report = world.finish(command.arg("--json")).exits(6).json();
                assert_eq!(report["complete"], false);
                assert!(!report["findings"].as_array().unwrap().is_empty());
            }
        }
    }
}

#[test]
fn a_store_below_a_state_directory_that_is_a_directory_is_an_error_and_no_wipe() {
    let world = World::new();
    fs::create_dir_all(world.store()).unwrap();
    let ran = world.stopped(&["check"]).exits(6).says("sessions.json");
    assert!(!ran.said().contains("overwrite"), "{ran}");
    world.stopped(&["prune", "--apply"]).exits(6);
    assert!(world.runs().is_empty());
}

/// What OpenClaw would take for empty: its name, the bytes, the rule, and the place that must be told.
fn damaged() -> Vec<(&'static str, Vec<u8>, &'static str, &'static str)> {
    let whole = store(&looping());
    let cut = &whole[..whole.len() / 2];
    let place = |text: &str| {
        let line = text.lines().count();
        format!(":{line}:").leak() as &'static str
    };
    vec![
        ("empty", Vec::new(), "store-empty", "byte 0"),
        ("blank", b" \n\t\n".to_vec(), "store-empty", "byte"),
        ("array root", b"[{\"a\": 1}]".to_vec(), "store-not-an-object", ":1:1"),
        ("null", b"null".to_vec(), "store-not-an-object", ":1:1"),
        ("string", b"\"agent:main:main\"".to_vec(), "store-not-an-object", ":1:1"),
        ("cut", cut.as_bytes().to_vec(), "store-truncated", place(cut)),
        ("cut brace", whole.as_bytes()[..whole.len() - 1].to_vec(), "store-truncated", "byte"),
        ("byte order mark", format!("\u{feff}{whole}").into_bytes(), "store-bom", ":1:1"),
        ("NUL tail", format!("{whole}\0\0\0\0").into_bytes(), "store-trailing-bytes", place(&whole)),
        ("only NUL", vec![0; 4096], "store-", ":1:1"),
        ("two documents", format!("{whole}\n{whole}").into_bytes(), "store-trailing-bytes", "byte"),
        ("trailing comma", whole.replace("\n  }\n}", "\n  },\n}").into_bytes(), "store-corrupt", "byte"),
        ("comment", format!("// x\n{whole}").into_bytes(), "store-corrupt", ":1:1"),
        ("single quotes", b"{'a': {}}".to_vec(), "store-corrupt", ":1:2"),
        ("UTF-16", whole.encode_utf16().flat_map(u16::to_le_bytes).collect(), "store-corrupt", ":1:2"),
        ("control character", whole.replace("s-peer", "s-\u{1}").into_bytes(), "store-corrupt", "byte"),
    ]
}

#[test]
fn damaged_stores_are_named_with_place_and_next_step_and_stay() {
    for (name, bytes, rule, place) in damaged() {
        let world = World::looping();
        world.put(STORE, &bytes);
        let before = world.tree();
        let path = world.store().display().to_string();
        for args in [&["check"][..], &["prune"], &["prune", "--apply"], &["check", "--no-mmap"]] {
            let ran = world.stopped(args).exits(3);
            assert_eq!(world.tree(), before, "{name}");
            let said = ran.said();
            assert!(said.contains(&path) && said.contains(place), "{name}: {place}\n{ran}");
            assert!(said.contains("sessions-doctor recover"), "{name}: no next step\n{ran}");
        }
        let report = world.stopped(&["check", "--json", "--entries", "all"]).exits(3).json();
        let store = &report["stores"][0];
        assert_eq!(store["verdict"], "damaged", "{name}");
        let damage = &store["damage"][0];
        let id = damage["rule"].as_str().unwrap();
        assert!(id.starts_with(rule), "{name}: {id}");
        assert!(finding(&report, id).is_some(), "{name}: {report}");
        for field in ["start", "line", "column"] {
            assert!(damage[field].is_u64(), "{name}: {field} in {damage}");
        }
        assert_eq!(world.stopped(&["prune", "--output", "out.json"]).code, 3, "{name}");
        assert!(!world.root.join("out.json").exists(), "{name}");
    }
}

#[test]
fn the_place_of_a_fault_is_exact() {
    let world = World::new();
    world.put(STORE, "{\n  \"a\": {\"x\": 1},\n  \"ü\": {\"y\": tru}\n}");
    let report = world.stopped(&["check", "--json"]).exits(3).json();
    let damage = &report["stores"][0]["damage"][0];
    assert_eq!(damage["line"], 3, "{damage}");
    let text = fs::read(world.store()).unwrap();
    let start = usize::try_from(damage["start"].as_u64().unwrap()).unwrap();
    assert!(text[start..].starts_with(b"}") || text[start..].starts_with(b"tru"), "{damage}");
}

#[test]
fn what_openclaw_reads_whole_is_no_damage() {
    let whole = store(&looping());
    let crlf = whole.replace('\n', "\r\n");
    let compact = serde_json::to_string(&serde_json::from_str::<serde_json::Value>(&whole).unwrap()).unwrap();
    let latin = whole.replace("s-peer", "s-\u{1a}").into_bytes();
    let latin: Vec<u8> = latin.into_iter().map(|byte| if byte == 0x1a { 0xe9 } else { byte }).collect();
    for (name, bytes) in [
        ("line feed at the end", format!("{whole}\n").into_bytes()),
        ("CRLF", crlf.into_bytes()),
        ("compact", compact.into_bytes()),
        ("not UTF-8", latin),
    ] {
        let world = World::looping();
        world.put(STORE, &bytes);
        let report = world.stopped(&["prune", "--json"]).exits(1).json();
        assert_eq!(report["stores"][0]["entries"]["removed"], 3, "{name}");
        world.stopped(&["prune", "--apply"]).exits(0);
        let run = world.runs().pop().unwrap();
        world.stopped(&["undo", &run]).exits(0);
        assert_eq!(world.bytes(), bytes, "{name}");
    }
}

#[test]
fn an_empty_object_is_healthy_and_nothing_at_all_is_too() {
    let world = World::new();
    world.stopped(&["check"]).exits(0);
    world.stopped(&["prune", "--apply"]).exits(0);
    assert!(world.tree().is_empty(), "{:?}", world.tree());
    world.put(STORE, "{}");
    let before = world.tree();
    world.stopped(&["check"]).exits(0);
    world.stopped(&["prune", "--apply"]).exits(0);
    assert_eq!(world.tree(), before);
    // Without --state-dir, in a home that has never seen OpenClaw.
    let world = World::new();
    let report = world.finish(world.bare().args(["check", "--json", "--gateway", "stopped"])).exits(0).json();
    assert_eq!(report["stores"].as_array().unwrap().len(), 0);
    world.finish(world.bare().args(["prune", "--apply", "--gateway", "stopped"])).exits(0);
    world.finish(&mut world.bare()).exits(0);
    world.finish(world.bare().arg("undo")).exits(0);
    assert!(world.tree().is_empty(), "{:?}", world.tree());
}

#[test]
fn a_store_that_is_gone_while_its_traces_remain() {
    let world = World::looping();
    let transcript = "agents/main/sessions/0f908179-10f4-42bd-9ae3-d5d2feb993a0.jsonl";
    world.put(transcript, "{\"type\":\"session\"}\n");
    fs::remove_file(world.store()).unwrap();
    let before = world.tree();
    let report = world.stopped(&["check", "--json"]).exits(3).json();
    assert_eq!(report["stores"][0]["verdict"], "missing");
    assert!(finding(&report, "store-missing").is_some(), "{report}");
    world.stopped(&["prune", "--apply"]).exits(3).says("sessions.json");
    assert_eq!(world.tree(), before);
}

#[test]
fn one_store_that_fails_does_not_stop_the_other_and_the_worst_code_counts() {
    let world = World::looping();
    let other = "agents/other/sessions/sessions.json";
    let other_entries: Vec<Entry> = looping()
        .into_iter()
        .map(|(key, members)| (key.replace("agent:main:", "agent:other:"), members))
        .collect();
    let whole = store(&other_entries);
    world.put(other, &whole[..whole.len() - 3]);
    let broken = fs::read(world.state.join(other)).unwrap();
    world.stopped(&["check"]).exits(3);
    let report = world.stopped(&["prune", "--apply", "--json"]).exits(3).json();
    let stores = report["stores"].as_array().unwrap();
    let of = |agent: &str| stores.iter().find(|store| store["agentIds"][0] == agent).unwrap();
    assert_eq!(of("main")["outcome"], "applied", "{report}");
    assert_ne!(of("other")["outcome"], "applied", "{report}");
    let left: Vec<String> = looping().into_iter().map(|(key, _)| key).collect();
    let left: Vec<String> = left.into_iter().filter(|key| !looping_loses().contains(key)).collect();
    assert_eq!(world.keys(), left);
    assert_eq!(fs::read(world.state.join(other)).unwrap(), broken);
    // 6 before 3 before 1.
    let third = world.state.join("agents/third/sessions/sessions.json");
    fs::create_dir_all(&third).unwrap();
    world.put(STORE, store(&looping()));
    let report = world.stopped(&["prune", "--apply", "--json"]).exits(6).json();
    let outcomes: Vec<&str> =
        report["stores"].as_array().unwrap().iter().map(|store| store["outcome"].as_str().unwrap()).collect();
    assert!(outcomes.contains(&"applied") && outcomes.contains(&"failed"), "{outcomes:?}");
    assert_eq!(world.keys(), left);
}

#[test]
fn two_whole_stores_are_both_pruned() {
    let world = World::looping();
    let other = "agents/other/sessions/sessions.json";
    world.put(other, store(&looping()).replace("agent:main:", "agent:other:"));
    let report = world.stopped(&["prune", "--apply", "--json"]).exits(0).json();
    for store in report["stores"].as_array().unwrap() {
        assert_eq!(store["outcome"], "applied", "{store}");
        assert_eq!(store["entries"]["removed"], 3, "{store}");
        assert_eq!(store["changes"].as_array().unwrap().len(), 4, "{store}");
    }
    assert_eq!(keys(&fs::read(world.state.join(other)).unwrap()).len(), 6);
    assert_eq!(world.runs().len(), 2);
    for run in world.runs() {
        world.stopped(&["undo", &run]).exits(0);
    }
    assert_eq!(world.bytes(), store(&looping()).as_bytes());
}

/// Nobody in particular: who runs the tests as root may read everything.
const NOBODY: u32 = 65_534;

/// Runs the program as the owner of the world, who is not root.
fn as_owner(world: &World, args: &[&str]) -> Ran {
    if !rustix::process::geteuid().is_root() {
        return world.stopped(args);
    }
    // The build may lie where nobody else may go.
    let program = world.program("sessions-doctor");
    let owner = format!("{NOBODY}:{NOBODY}");
    let given = Command::new("chown").args(["-R", &owner]).arg(&world.root).status().unwrap();
    assert!(given.success());
    let mut command = world.clean(&program);
    command.uid(NOBODY).gid(NOBODY).current_dir(&world.root);
    command.args(args).args(["--gateway", "stopped", "--now", NOW_TEXT, "--state-dir"]);
    world.finish(command.arg(&world.state))
}

#[test]
fn no_permission() {
    let world = World::looping();
    let before = world.bytes();
    fs::set_permissions(world.store(), fs::Permissions::from_mode(0o000)).unwrap();
    as_owner(&world, &["check"]).exits(6).says("ermission").says("sessions.json");
    as_owner(&world, &["prune", "--apply"]).exits(6).says("ermission");
    fs::set_permissions(world.store(), fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(world.bytes(), before);
    // A directory that nothing may be made in.
    let dir = world.store().parent().unwrap().to_owned();
    fs::set_permissions(&dir, fs::Permissions::from_mode(0o500)).unwrap();
    as_owner(&world, &["prune", "--apply"]).exits(6).says("ermission");
    fs::set_permissions(&dir, fs::Permissions::from_mode(0o700)).unwrap();
    assert_eq!(world.bytes(), before);
}

#[test]
fn records_that_cannot_be_made_stop_the_write() {
    let world = World::looping();
    world.put("sessions-doctor", "a file where a directory is wanted");
    let before = world.tree();
    world.stopped(&["check"]).exits(1);
    world.stopped(&["prune", "--apply"]).exits(6).says("sessions-doctor").says("not changed");
    assert_eq!(world.tree(), before);
}

#[test]
fn a_full_disk_leaves_the_store_whole_and_nothing_behind() {
    // A limit on file sizes fails writes as a full disk does; the store is far larger than what may be written.
    let world = World::looping();
    let mut entries = looping();
    for number in 0..600 {
        entries.push(entry(
            format!("agent:main:telegram:direct:{number}"),
            "s",
            DAY,
            &[("note", &quoted(&"x".repeat(900)))],
        ));
    }
    world.put(STORE, store(&entries));
    let before = world.bytes();
    let lying = tree(&world.state);
    for json in [false, true] {
        let mut command = world.clean("sh");
        command.args(["-c", "ulimit -f 100; trap '' XFSZ; exec \"$0\" \"$@\""]);
        command.arg(env!("CARGO_BIN_EXE_sessions-doctor")).args(["prune", "--apply", "--gateway", "stopped"]);
        command.args(["--now", NOW_TEXT, "--state-dir"]).arg(&world.state).args(json.then_some("--json"));
        let ran = world.finish(&mut command).exits(6).says("not changed");
        if json {
            assert_eq!(ran.json()["stores"][0]["outcome"], "failed");
        }
        assert_eq!(world.bytes(), before);
        assert!(world.beside().is_empty(), "{:?}", world.beside());
        assert!(world.runs().is_empty(), "{:?}", world.runs());
    }
    let mut left = tree(&world.state);
    left.retain(|path, _| !path.starts_with("sessions-doctor"));
    assert_eq!(left, lying);
    world.stopped(&["prune", "--apply"]).exits(0);
}

#[test]
fn usage_errors() {
    let world = World::looping();
    let before = world.tree();
    for args in [
        &["prunes"][..],
        &["--no-such-option"],
        &["check", "--apply"],
        &["check", "--grace", "soon"],
        &["check", "--grace", "30"],
        &["check", "--grace", "-1h"],
        &["check", "--budget", "0"],
        &["prune", "--apply", "--max-entries", "0"],
        &["prune", "--apply", "--allow-removal", "101"],
        &["prune", "--apply", "--keep", "["],
        &["prune", "--apply", "--only", "everything"],
        &["check", "--gateway", "perhaps"],
        &["check", "--profile", "../x"],
        &["check", "-q", "-v"],
        &["explain"],
        &["explain", "no-such-rule"],
        &["undo", "--to", "x"],
        &["check", "--threads", "0"],
    ] {
        let ran = world.stopped(args).exits(2);
        assert!(!ran.err.is_empty(), "{args:?}");
        assert_eq!(world.tree(), before, "{args:?}");
    }
    for now in ["1795223628", "yesterday", "2026-13-01T00:00:00Z", ""] {
        let mut command = world.bare();
        command.args(["check", "--now", now, "--state-dir"]).arg(&world.state);
        world.finish(&mut command).exits(2).says("--now");
    }
}

#[test]
fn a_store_behind_a_link_is_replaced_where_it_lies() {
    let world = World::looping();
    let real = world.root.join("elsewhere/real.json");
    fs::create_dir_all(real.parent().unwrap()).unwrap();
    fs::rename(world.store(), &real).unwrap();
    symlink(&real, world.store()).unwrap();
    let original = fs::read(&real).unwrap();
    world.stopped(&["prune", "--apply"]).exits(0);
    assert_eq!(fs::read_link(world.store()).unwrap(), real, "the link stays a link");
    assert_eq!(keys(&fs::read(&real).unwrap()).len(), 6);
    assert_eq!(world.beside(), [""; 0]);
    // Outside the state directory: the records lie beside the file.
    let records = real.parent().unwrap().join(".sessions-doctor/runs");
    let run = runs(&records).pop().unwrap();
    assert_eq!(fs::metadata(&records).unwrap().mode() & 0o077, 0, "0700");
    world.stopped(&["undo", &run]).exits(0);
    assert_eq!(fs::read(&real).unwrap(), original);
    assert_eq!(fs::read_link(world.store()).unwrap(), real);
}

#[test]
fn a_link_inside_the_state_directory_and_one_that_leads_nowhere() {
    let world = World::looping();
    let real = world.state.join("real.json");
    fs::rename(world.store(), &real).unwrap();
    symlink("../../../real.json", world.store()).unwrap();
    world.stopped(&["prune", "--apply"]).exits(0);
    assert_eq!(keys(&fs::read(&real).unwrap()).len(), 6);
    assert_eq!(world.runs().len(), 1);
    fs::remove_file(&real).unwrap();
    let before = world.tree();
    let ran = world.stopped(&["prune", "--apply"]);
    assert!([3, 6, 0].contains(&ran.code), "{ran}");
    assert_eq!(world.tree(), before);
}

#[test]
fn agents_that_share_one_store_are_one_store() {
    let world = World::looping();
    let shared = world.state.join("shared/all.json");
    fs::create_dir_all(shared.parent().unwrap()).unwrap();
    fs::rename(world.store(), &shared).unwrap();
    let config = format!(
        "{{ // JSON5\n session: {{ store: '{}' }}, agents: {{ list: [ {{ id: 'main' }}, {{ id: 'work' }}, ] }} }}",
        shared.display()
    );
    world.put("openclaw.json", config);
    let report = world.stopped(&["prune", "--json"]).exits(1).json();
    let stores = report["stores"].as_array().unwrap();
    assert_eq!(stores.len(), 1, "{report}");
    assert_eq!(stores[0]["agentIds"], serde_json::json!(["main", "work"]));
    assert_eq!(stores[0]["entries"]["removed"], 3);
    world.stopped(&["prune", "--apply"]).exits(0);
    assert_eq!(keys(&fs::read(&shared).unwrap()).len(), 6);
}

#[test]
fn a_template_and_a_store_outside_the_state_directory() {
    let world = World::looping();
    let outside = world.home.join("st/main/s.json");
    fs::create_dir_all(outside.parent().unwrap()).unwrap();
    fs::rename(world.store(), &outside).unwrap();
    world.put("openclaw.json", "{session: {store: '~/st/{agentId}/s.json'}}");
    let report = world.stopped(&["prune", "--apply", "--json"]).exits(0).json();
    assert_eq!(report["stores"][0]["path"], outside.to_str().unwrap());
    assert_eq!(keys(&fs::read(&outside).unwrap()).len(), 6);
    let records = outside.parent().unwrap().join(".sessions-doctor/runs");
    assert_eq!(runs(&records).len(), 1, "the records lie beside it");
    assert!(world.runs().is_empty());
    world.stopped(&["undo", &runs(&records)[0]]).exits(0);
    assert_eq!(fs::read(&outside).unwrap(), store(&looping()).as_bytes());
    // Outside the state directory an orphan is likely, not certain.
    let report = world.stopped(&["prune", "--json"]).exits(1).json();
    let orphan = &changes(&report)[&run(GONE, "s-lost")];
    if orphan["rule"] == "orphan-job" {
        assert_eq!(orphan["confidence"], "certain", "stale-run asks for the same with more confidence");
    }
}

#[test]
fn one_store_by_name() {
    let world = World::looping();
    let alone = world.root.join("alone/sessions.json");
    fs::create_dir_all(alone.parent().unwrap()).unwrap();
    fs::rename(world.store(), &alone).unwrap();
    let mut command = world.bare();
    command
        .args(["prune", "--apply", "--json", "--now", NOW_TEXT, "--gateway", "stopped", "--store"])
        .arg(&alone);
    let report = world.finish(&mut command).exits(0).json();
    assert_eq!(report["stores"].as_array().unwrap().len(), 1);
    // Nobody knows its jobs, so nothing is an orphan; what is over and old goes.
    assert!(finding(&report, "cron-jobs-unreadable").is_some(), "{report}");
    assert!(changes(&report).values().all(|change| change["rule"] != "orphan-job"), "{report}");
    assert_eq!(runs(&alone.parent().unwrap().join(".sessions-doctor/runs")).len(), 1);
    // With --cron-dir they are known.
    let mut command = world.bare();
    command.args([
        "check",
        "--json",
        "--entries",
        "all",
        "--now",
        NOW_TEXT,
        "--gateway",
        "stopped",
        "--store",
    ]);
    command.arg(&alone).arg("--cron-dir").arg(world.state.join("cron"));
    let report = world.finish(&mut command).json();
    assert!(finding(&report, "cron-jobs-unreadable").is_none(), "{report}");
    // A relative path, and the same file twice.
    let mut command = world.bare();
    command
        .args(["check", "--json", "--gateway", "stopped", "--store", "alone/sessions.json", "--store"])
        .arg(&alone);
    let report = world.finish(&mut command).json();
    assert_eq!(report["stores"].as_array().unwrap().len(), 1, "{report}");
}

#[test]
fn where_the_state_directory_is_found() {
    let state_dir = |world: &World, args: &[&str], env: &[(&str, &Path)]| {
        let mut command = world.bare();
        command
            .args(["check", "--json", "--now", NOW_TEXT, "--gateway", "stopped"])
            .args(args)
            .envs(env.iter().copied());
        let report = world.finish(&mut command).json();
        (report["stateDir"].as_str().unwrap_or("none").to_owned(), report["stores"].as_array().unwrap().len())
    };
    let place = |world: &World, dir: &str| {
        let sessions = world.home.join(dir).join("agents/main/sessions");
        fs::create_dir_all(&sessions).unwrap();
        fs::write(sessions.join("sessions.json"), store(&looping())).unwrap();
        world.home.join(dir).display().to_string()
    };
    let world = World::looping();
    assert_eq!(
        state_dir(&world, &[], &[("OPENCLAW_STATE_DIR", &world.state)]).0,
        world.state.to_str().unwrap()
    );
    assert_eq!(
        state_dir(&world, &[], &[("OPENCLAW_STATE_DIR", Path::new("state"))]).0,
        world.state.to_str().unwrap()
    );
    let legacy = place(&world, ".clawdbot");
    assert_eq!(state_dir(&world, &[], &[]), (legacy, 1));
    let usual = place(&world, ".openclaw");
    assert_eq!(state_dir(&world, &[], &[]), (usual.clone(), 1));
    let profile = place(&world, ".openclaw-work");
    assert_eq!(state_dir(&world, &["--profile", "work"], &[]), (profile.clone(), 1));
    assert_eq!(state_dir(&world, &["--profile", "work"], &[("OPENCLAW_STATE_DIR", &world.state)]).0, profile);
    assert_eq!(state_dir(&world, &[], &[("OPENCLAW_PROFILE", Path::new("work"))]).0, usual);
    let home = world.root.join("other-home");
    fs::create_dir_all(home.join(".openclaw")).unwrap();
    assert_eq!(
        state_dir(&world, &[], &[("OPENCLAW_HOME", &home)]).0,
        home.join(".openclaw").to_str().unwrap()
    );
}

#[test]
fn the_very_old_place_of_a_store() {
    let world = World::looping();
    let old = world.state.join("sessions/sessions.json");
    fs::create_dir_all(old.parent().unwrap()).unwrap();
    fs::rename(world.store(), &old).unwrap();
    fs::remove_dir_all(world.state.join("agents")).unwrap();
    let report = world.stopped(&["check", "--json"]).exits(1).json();
    let stores = report["stores"].as_array().unwrap();
    assert_eq!((stores.len(), stores[0]["path"].as_str()), (1, old.to_str()), "{report}");
}

#[test]
fn the_mode_is_kept() {
    for mode in [0o600, 0o640, 0o664, 0o400] {
        let world = World::looping();
        fs::set_permissions(world.store(), fs::Permissions::from_mode(mode)).unwrap();
        world.stopped(&["prune", "--apply"]).exits(0);
        assert_eq!(fs::metadata(world.store()).unwrap().mode() & 0o7777, mode);
        let run = world.runs().pop().unwrap();
        let record = world.state.join("sessions-doctor/runs").join(&run);
        assert_eq!(fs::metadata(&record).unwrap().mode() & 0o7777, 0o700);
        world.stopped(&["undo", &run]).exits(0);
        assert_eq!(fs::metadata(world.store()).unwrap().mode() & 0o7777, mode);
    }
}

#[test]
fn a_file_system_without_room_leaves_the_store_whole() {
    let test = "a_file_system_without_room_leaves_the_store_whole";
    let world = World::new();
    let mut entries = looping();
    let note = quoted(&"x".repeat(900));
    for number in 0..600 {
        entries.push(entry(format!("agent:main:telegram:direct:{number}"), "s", DAY, &[("note", &note)]));
    }
    fs::write(world.root.join("store.json"), store(&entries)).unwrap();
    fs::write(world.root.join("jobs.json"), jobs(&[JOB])).unwrap();
    // In a mount namespace of its own, on a file system with room for one store and a half; what is left there is told at the end.
    let script = "
        mount -t tmpfs -o size=900k,mode=700 none \"$1\" || exit 99
        mkdir -p \"$1/agents/main/sessions\" \"$1/cron\"
        cp store.json \"$1/agents/main/sessions/sessions.json\"; cp jobs.json \"$1/cron/\"
        \"$0\" prune --apply --gateway stopped --now \"$2\" --state-dir \"$1\"
        code=$?
        cmp store.json \"$1/agents/main/sessions/sessions.json\" || exit 98
        find \"$1\" -type f ! -name lock | sort
        exit $code";
    let mut command = world.clean("unshare");
    command
        .args(["--mount", "sh", "-c", script, env!("CARGO_BIN_EXE_sessions-doctor")])
        .arg(&world.state)
        .arg(NOW_TEXT);
    let ran = match command.output() {
        Ok(output) => Ran::new(&output),
        Err(error) => return skipped(test, &format!("no unshare: {error}")),
    };
    if ran.code == 99 || ran.code == 1 && ran.err.contains("unshare") {
        return skipped(test, ran.err.trim());
    }
    let ran = ran.exits(6).says("space").says("not changed");
    let left: Vec<&str> = ran.out.lines().filter(|line| line.starts_with('/')).collect();
    let wanted = [STORE, "cron/jobs.json"].map(|path| world.state.join(path).display().to_string());
    assert_eq!(left, wanted, "{ran}");
}
