//! Prevents a hook that keeps the gateway from starting, that costs anybody a session, that fills the disk with backups, or that says
//! nothing.

use std::fs;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::process::Stdio;

use crate::database;
use crate::world::*;

/// Lines that `guard` said.
fn lines(ran: &Ran) -> Vec<&str> {
    assert!(ran.out.is_empty(), "{ran}");
    ran.err.lines().collect()
}

/// `guard` on a state directory whose gateway is stopped.
fn guard(world: &World, more: &[&str]) -> Ran {
    world.stopped(&[&["guard"], more].concat())
}

#[test]
fn only_what_is_certain_about_cron_entries_goes_and_undo_gives_it_back() {
    let mut entries = looping();
    // A sub-agent that ended long ago, an overridden copy and a malformed record: somebody else's to judge.
    let ended = (NOW - 50 * DAY).to_string();
    entries.push(entry(
        "agent:main:subagent:old",
        "s-oldsub",
        50 * DAY,
        &[("status", "\"done\""), ("endedAt", &ended)],
    ));
    let world = World::new();
    world.put(STORE, store(&entries));
    world.put("cron/jobs.json", jobs(&[JOB]));
    world.put("subagents/runs.json", r#"{"version": 2, "runs": {}}"#);
    let before = world.bytes();
    let ran = guard(&world, &[]).exits(0);
    let [line] = lines(&ran)[..] else { panic!("{ran}") };
    assert!(line.contains("removed 3 entries, healed 1 entry"), "{line}");
    let gone: Vec<String> = keys(&before).into_iter().filter(|key| !world.keys().contains(key)).collect();
    assert_eq!(gone, looping_loses());
    assert_eq!(fs::metadata(world.store()).unwrap().permissions().mode() & 0o777, 0o600);
    let jobs_after = fs::read(world.state.join("cron/jobs.json")).unwrap();
    assert_eq!(jobs_after, jobs(&[JOB]).into_bytes(), "markers and lists are left alone");
    let run = world.runs().pop().unwrap();
    assert!(line.contains(&format!("`sessions-doctor undo {run}` takes it back")), "{line}");
    world.stopped(&["undo", &run]).exits(0);
    assert_eq!(world.bytes(), before);
}

#[test]
fn what_is_only_likely_or_of_another_family_stays_even_where_it_is_asked_for() {
    let world = World::new();
    let ended = (NOW - 50 * DAY).to_string();
    let old = [("status", "\"done\""), ("endedAt", ended.as_str())];
    world.put(
        STORE,
        store(&[
            entry("agent:main:main", "s-main", HOUR, &[]),
            entry("agent:main:hook:a", "s-hook", 50 * DAY, &old),
            entry("agent:main:subagent:a", "s-sub", 50 * DAY, &old),
            entry("agent:main:telegram:direct:1", "s-peer", 90 * DAY, &[]),
        ]),
    );
    world.put("cron/jobs.json", jobs(&[JOB]));
    let before = world.bytes();
    for more in [&[][..], &["--confidence", "likely"], &["--max-entries", "1"], &["--conversations"]] {
        guard(&world, more).exits(0);
        assert_eq!(world.bytes(), before, "{more:?}");
    }
    guard(&world, &["--only", "malformed"]).exits(2);
}

#[test]
fn a_start_at_which_nothing_changed_says_so_and_looks_no_further() {
    let world = World::looping();
    guard(&world, &[]).exits(0);
    let done = world.tree();
    let ran = guard(&world, &[]).exits(0);
    assert!(lines(&ran)[0].contains("(unchanged since)"), "{ran}");
    let after = world.tree();
    let kept = |tree: &std::collections::BTreeMap<_, Lying>| {
        let mut tree = tree.clone();
        tree.retain(|path: &std::path::PathBuf, _| !path.ends_with("guard.json"));
        tree
    };
    assert_eq!(kept(&after), kept(&done));
    // Whoever asks for a report gets one all the same.
    let report = guard(&world, &["--json"]).exits(0).json();
    assert_eq!((&report["complete"], report["stores"].as_array().map(Vec::len)), (&true.into(), Some(1)));
    // Whatever may bring up something new is looked at again: the store, the job list, the configuration, other limits.
    world.put("cron/jobs.json", jobs(&[JOB, GONE]));
    assert!(!guard(&world, &[]).exits(0).err.contains("unchanged since"));
    world.put("openclaw.json", "{}");
    assert!(!guard(&world, &[]).exits(0).err.contains("unchanged since"));
    assert!(!guard(&world, &["--grace", "3h"]).exits(0).err.contains("unchanged since"));
    let mut entries = looping();
    entries.push(entry(run(JOB, "s-new"), "s-new", 3 * DAY, &[]));
    world.put(STORE, store(&entries));
    let ran = guard(&world, &[]).exits(0);
    assert!(ran.err.contains("removed 4 entries"), "{ran}");
}

#[test]
fn many_starts_in_a_short_time_are_called_a_crash_loop() {
    let world = World::looping();
    for start in 1..=6 {
        let ran = guard(&world, &[]).exits(0);
        let named = ran.err.contains(&format!("crash loop: {start} starts in 10 minutes"));
        assert_eq!(named, start >= 5, "{ran}");
    }
    let memory = world.state.join("sessions-doctor/guard.json");
    assert_eq!(fs::metadata(&memory).unwrap().permissions().mode() & 0o777, 0o600);
    fs::write(&memory, "not json").unwrap();
    let ran = guard(&world, &[]).exits(0);
    assert!(!ran.err.contains("crash loop") && ran.err.contains("nothing to do"), "{ran}");
}

#[test]
fn a_damaged_store_is_put_together_before_openclaw_can_take_it_for_empty() {
    let world = World::looping();
    let whole = world.bytes();
    let cut = &whole[..whole.len() - 90];
    world.put(STORE, cut);
    let ran = guard(&world, &["--check-only"]).exits(0);
    assert!(ran.err.contains("OpenClaw would take this store for empty"), "{ran}");
    assert_eq!(world.bytes(), cut);
    let ran = guard(&world, &["--strict"]).exits(0);
    assert!(ran.err.contains("was damaged and put together again, its bytes are kept in run"), "{ran}");
    let left = world.keys();
    let wanted = keys(&whole).into_iter().filter(|key| !looping_loses().contains(key)).collect::<Vec<_>>();
    assert_eq!(left, wanted[..wanted.len() - 1], "all but the entry that was cut, and what prune takes");
    let kept = world.runs().into_iter().any(|run| {
        fs::read(world.state.join("sessions-doctor/runs").join(run).join("original")).unwrap() == cut
    });
    assert!(kept, "the damaged bytes are set aside");
}

#[test]
fn a_store_of_which_nothing_is_left_keeps_its_bytes_and_the_gateway_starts() {
    let world = World::new();
    world.put(STORE, "{\"agent:main:main\": ");
    let before = world.bytes();
    let ran = guard(&world, &[]).exits(0);
    assert!(ran.err.contains("damaged, and not put together"), "{ran}");
    assert_eq!(world.bytes(), before);
    guard(&world, &["--strict"]).exits(3);
}

#[test]
fn a_store_that_was_rotated_away_comes_back_only_where_it_is_missing() {
    let world = World::looping();
    let rotated = format!("{STORE}.bak.{}", NOW - HOUR);
    fs::rename(world.store(), world.state.join(&rotated)).unwrap();
    guard(&world, &[]).exits(0).says("put together again");
    assert!(world.keys().contains(&"agent:main:telegram:direct:4711".to_owned()));
    // A store that is there may be somebody's new beginning: that is for `recover`, by hand.
    world.put(STORE, store(&[entry("agent:main:main", "s-new", MINUTE, &[])]));
    let before = world.bytes();
    guard(&world, &[]).exits(0).says("rotated away");
    assert_eq!(world.bytes(), before);
}

#[test]
fn a_clean_machine_gets_no_line_and_no_file() {
    let world = World::new();
    fs::remove_dir(&world.state).unwrap();
    let mut command = world.bare();
    let ran = world.finish(command.arg("guard"));
    assert!(ran.code == 0 && ran.err.is_empty() && ran.out.is_empty(), "{ran}");
    fs::create_dir(&world.state).unwrap();
    let ran = guard(&world, &[]).exits(0);
    assert!(ran.err.is_empty(), "{ran}");
    assert_eq!(fs::read_dir(&world.state).unwrap().count(), 0);
}

#[test]
fn where_sessions_live_in_a_table_nothing_is_touched() {
    let world = World::looping();
    drop(database::import(&world));
    let before = world.tree();
    let ran = guard(&world, &[]).exits(0);
    assert!(lines(&ran)[0].contains("sessions live in SQLite"), "{ran}");
    let report = guard(&world, &["--json"]).exits(0).json();
    assert_eq!(
        (report["era"].as_str(), report["stores"].as_array().map(Vec::len)),
        (Some("sqlite"), Some(0))
    );
    assert_eq!(world.tree(), before);
}

#[test]
fn whatever_is_in_the_way_the_gateway_starts_and_the_line_says_why() {
    let busy = |world: &World, args: &[&str], says: &str, strict: i32| {
        let before = world.bytes();
        let ran = world.run(&[&["guard"], args].concat()).exits(0).says(says);
        assert_eq!(lines(&ran).len(), 1, "{ran}");
        assert_eq!(world.bytes(), before);
        world.run(&[&["guard", "--strict"], args].concat()).exits(strict);
        assert_eq!(world.bytes(), before);
    };
    let world = World::looping();
    let gateway = Alive::gateway(&world);
    busy(&world, &["--gateway", "stopped"], "the gateway runs", 4);
    drop(gateway);
    busy(&world, &["--gateway", "unknown"], "could not be established", 4);
    let held = world.lock(&world.state.join(format!("{STORE}.lock")));
    busy(&world, &["--gateway", "stopped", "--time-budget", "1s"], "", 4);
    drop(held);
    fs::remove_file(world.state.join(format!("{STORE}.lock"))).unwrap();
    busy(&world, &["--gateway", "stopped", "--time-budget", "0s"], "out of time; nothing was changed", 4);
    world.put("agents/work/sessions/sessions.json", "{}");
    let store = world.state.join("agents/work/sessions/sessions.json");
    fs::remove_file(&store).unwrap();
    fs::create_dir(&store).unwrap();
    let ran = guard(&world, &[]).exits(0);
    assert_eq!(lines(&ran).len(), 2, "one store's failure never stops the others: {ran}");
    assert!(ran.err.contains("removed 3 entries"), "{ran}");
    guard(&world, &["--strict"]).exits(6);
    world.finish(world.bare().args(["guard", "--state-dir", "/nowhere/at/all"])).exits(0).says("no such");
    world.finish(world.bare().args(["guard", "--strict", "--state-dir", "/nowhere/at/all"])).exits(6);
}

#[test]
fn lines_carry_priorities_where_the_journal_listens_and_only_there() {
    let world = World::looping();
    let file = tempfile::tempfile().unwrap();
    let facts = file.metadata().unwrap();
    let stream = format!("{}:{}", facts.dev(), facts.ino());
    assert!(file.as_raw_fd() > 2);
    let mut command = world.doctor(&["guard", "--gateway", "stopped"]);
    command.env("JOURNAL_STREAM", &stream).stdout(Stdio::null()).stderr(file.try_clone().unwrap());
    assert!(command.status().unwrap().success());
    let mut said = String::new();
    std::io::Seek::rewind(&mut &file).unwrap();
    std::io::Read::read_to_string(&mut &file, &mut said).unwrap();
    assert!(said.starts_with("<5>sessions-doctor: "), "{said}");
    let mut command = world.doctor(&["guard", "--gateway", "stopped"]);
    let ran = world.finish(command.env("JOURNAL_STREAM", &stream));
    assert!(ran.err.starts_with("sessions-doctor: "), "{ran}");
    let ran =
        world.finish(world.doctor(&["guard", "--gateway", "stopped", "-q"]).env("JOURNAL_STREAM", &stream));
    assert!(ran.err.is_empty(), "{ran}");
}

#[test]
fn a_directory_that_cannot_be_written_keeps_nothing_from_starting() {
    let world = World::looping();
    let script = r#"
        mount -t tmpfs -o size=900k,mode=700 none "$1" || exit 99
        cp -r "$2/." "$1" || exit 98
        mount -o remount,ro "$1" || exit 97
        exec "$3" guard --state-dir "$1" --now "$4" --gateway stopped
    "#;
    let inside = world.root.join("ro");
    fs::create_dir(&inside).unwrap();
    let mut command = world.clean("unshare");
    command.args(["-rm", "sh", "-c", script, "sh"]).arg(&inside).arg(&world.state);
    command.arg(env!("CARGO_BIN_EXE_sessions-doctor")).arg(NOW_TEXT);
    let ran = world.finish(&mut command);
    if !(0..=6).contains(&ran.code) {
        return skipped("a_directory_that_cannot_be_written_keeps_nothing_from_starting", &ran.err);
    }
    assert_eq!(lines(&ran.exits(0).says("not changed")).len(), 1);
}

#[test]
fn a_full_disk_changes_nothing_and_keeps_nothing_from_starting() {
    let world = World::looping();
    let script = r#"
        mount -t tmpfs -o size=64k,mode=700 none "$1" || exit 99
        cp -r "$2/." "$1" || exit 98
        cat /dev/zero > "$1/filler" 2>/dev/null
        "$3" guard --state-dir "$1" --now "$4" --gateway stopped
        code=$?
        cmp "$1/$5" "$2/$5" || exit 96
        exit $code
    "#;
    let inside = world.root.join("full");
    fs::create_dir(&inside).unwrap();
    let mut command = world.clean("unshare");
    command.args(["-rm", "sh", "-c", script, "sh"]).arg(&inside).arg(&world.state);
    command.arg(env!("CARGO_BIN_EXE_sessions-doctor")).args([NOW_TEXT, STORE]);
    let ran = world.finish(&mut command);
    if matches!(ran.code, 1 | 97..=99) {
        return skipped("a_full_disk_changes_nothing_and_keeps_nothing_from_starting", &ran.err);
    }
    assert_eq!(lines(&ran.exits(0)).len(), 1);
}

#[test]
fn a_gateway_that_would_not_survive_the_store_is_told() {
    // What cannot be slimmed or removed may still be too much for the heap.
    let world = World::new();
    let text = quoted(&"x".repeat(30_000));
    let peer = |number: i64| {
        let key = format!("agent:main:telegram:direct:{number}");
        entry(key, &format!("s-{number}"), HOUR, &[("label", text.as_str())])
    };
    world.put(STORE, store(&(0..300).map(peer).collect::<Vec<_>>()));
    let mut command = world.doctor(&["guard", "--gateway", "stopped"]);
    let ran = world.finish(command.env("NODE_OPTIONS", "--max-old-space-size=64")).exits(0);
    assert!(ran.err.contains("more than the gateway's heap can hold"), "{ran}");
}

#[test]
fn a_report_for_scripts_is_on_stdout_alone() {
    let world = World::looping();
    let ran = guard(&world, &["--json", "--strict"]).exits(0);
    let report = ran.json();
    assert_eq!((&report["command"], &report["applied"]), (&"guard".into(), &true.into()));
    assert_eq!(report["stores"][0]["outcome"], "applied");
}

/// Adds a record of a run that ended days ago.
fn add_run(world: &World, number: usize) -> String {
    let key = run(JOB, &format!("s-more-{number}"));
    let text = String::from_utf8(world.bytes()).unwrap();
    let added = store(&[entry(key.clone(), &format!("s-more-{number}"), 3 * DAY, &[])]);
    let member = added.trim_start_matches("{\n").trim_end_matches("\n}");
    fs::write(world.store(), text.replacen("{\n", &format!("{{\n{member},\n"), 1)).unwrap();
    key
}

fn original(world: &World, run: &str) -> Vec<u8> {
    fs::read(world.state.join("sessions-doctor/runs").join(run).join("original")).unwrap()
}

#[test]
fn starts_within_an_hour_share_a_record_and_nothing_of_it_is_lost() {
    let world = World::looping();
    let first = world.bytes();
    guard(&world, &[]).exits(0);
    let first_run = world.runs().pop().unwrap();
    let settled = world.bytes();
    let mut added = Vec::new();
    for number in 0..40 {
        added.push(add_run(&world, number));
        let ran = guard(&world, &[]).exits(0);
        assert!(ran.err.contains("removed 1 entry"), "{ran}");
        let runs = world.runs();
        assert!(runs.len() <= 2 + usize::from(number == 0), "{runs:?}");
        assert!(ran.err.contains(&format!("undo {}`", runs.last().unwrap())), "{ran}");
    }
    assert_eq!(world.bytes(), settled);
    let runs = world.runs();
    assert_eq!((runs.len(), &runs[0]), (2, &first_run), "{runs:?}");
    assert_eq!(original(&world, &first_run), first, "the first backup is still there");
    assert!(original(&world, &runs[1]).len() < 40 * 200, "the other is an extract");
    // A key that came again and went again is kept as it was last.
    let again = add_run(&world, 7);
    let changed = String::from_utf8(world.bytes()).unwrap().replacen(
        "\"s-more-7\"",
        "\"s-more-7\",\n    \"label\": \"again\"",
        1,
    );
    fs::write(world.store(), changed).unwrap();
    guard(&world, &[]).exits(0);
    let shared = world.runs().pop().unwrap();
    world.stopped(&["undo", &shared]).exits(0).says("Put back: 40");
    let mut back = world.keys();
    back.retain(|key| added.contains(key));
    back.sort();
    let mut wanted = added.clone();
    wanted.sort();
    assert_eq!(back, wanted);
    assert!(String::from_utf8(world.bytes()).unwrap().contains("\"label\": \"again\""), "{again}");
    world.stopped(&["undo", &shared]).exits(0).says("Nothing to put back");
    world.stopped(&["undo", &first_run]).exits(0);
    assert!(looping_loses().iter().all(|key| world.keys().contains(key)));
}

#[test]
fn an_extract_is_never_taken_for_a_store() {
    let world = World::looping();
    guard(&world, &[]).exits(0);
    add_run(&world, 1);
    let before = world.bytes();
    guard(&world, &[]).exits(0);
    let shared = world.runs().pop().unwrap();
    // Nobody wrote since: all the same it is merged.
    world.stopped(&["undo", &shared]).exits(0);
    assert_eq!(keys(&world.bytes()), keys(&before));
    // It is no source for a recovery either, but the originals of whole stores are.
    let whole = world.bytes();
    fs::write(world.store(), &whole[..20]).unwrap();
    let report = world.stopped(&["recover", "--json"]).json();
    let sources = report["stores"][0]["sources"].as_array().unwrap();
    assert!(!sources.is_empty());
    assert!(!sources.iter().any(|source| source["path"].as_str().unwrap().contains(&shared)), "{report}");
}

#[test]
fn a_recovery_by_guard_is_undone_as_a_recovery() {
    let world = World::looping();
    let whole = world.bytes();
    world.put(STORE, &whole[..whole.len() - 90]);
    guard(&world, &[]).exits(0);
    let runs = world.runs();
    let report = world.stopped(&["undo", "--json"]).json();
    let commands: Vec<&str> =
        report["runs"].as_array().unwrap().iter().map(|run| run["command"].as_str().unwrap()).collect();
    assert_eq!(commands, ["guard", "recover"]);
    let before = world.bytes();
    let ran = world.stopped(&["undo", &runs[0]]);
    assert_eq!(ran.code, 2, "OpenClaw would take that original for empty: {ran}");
    assert_eq!(world.bytes(), before);
}

#[test]
fn a_store_that_is_gone_while_its_traces_remain_is_told_and_not_made() {
    let world = World::looping();
    world
        .put("agents/main/sessions/s-main.jsonl", "{\"type\":\"session\",\"version\":3,\"id\":\"s-main\"}\n");
    fs::remove_file(world.store()).unwrap();
    let ran = guard(&world, &[]).exits(0);
    assert!(lines(&ran)[0].contains("there is no store, though its transcripts or copies remain"), "{ran}");
    assert!(!world.store().exists());
    guard(&world, &["--strict"]).exits(3);
}

#[test]
fn a_store_that_grows_while_it_is_read_is_left_to_its_writer() {
    let world = World::looping();
    let mut entries = looping();
    let note = quoted(&"x".repeat(8_000));
    for number in 0..1500 {
        let key = format!("agent:main:telegram:direct:{number}");
        entries.push(entry(key, &format!("s-{number}"), DAY, &[("note", &note)]));
    }
    world.put(STORE, store(&entries));
    let stop = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut file = fs::File::options().append(true).open(world.store()).unwrap();
            while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                std::io::Write::write_all(&mut file, b" ").unwrap();
                std::thread::sleep(std::time::Duration::from_micros(200));
            }
        });
        let ran = guard(&world, &[]);
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
        let ran = ran.exits(0);
        assert_eq!(lines(&ran).len(), 1, "{ran}");
    });
    assert!(world.bytes().starts_with(store(&entries).as_bytes()), "whatever was written is there");
    assert!(world.runs().is_empty());
}
