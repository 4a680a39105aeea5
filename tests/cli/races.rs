//! Prevents the loss of what another process writes while the tool works, and half-done work that stays after a kill.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::world::*;

/// The world of the other tests with a store of about `bytes`.
fn large(bytes: usize) -> World {
    let world = World::looping();
    let mut entries = looping();
    let note = quoted(&"x".repeat(8_000));
    for number in 0..bytes / 8_100 {
        let session = format!("s-{number}");
        let key =
            if number % 2 == 0 { run(JOB, &session) } else { format!("agent:main:telegram:direct:{number}") };
        entries.push(entry(key, &session, 3 * DAY, &[("note", &note)]));
    }
    world.put(STORE, store(&entries));
    world
}

/// Replaces the store as OpenClaw does: another inode, whole.
fn rewrite(world: &World, text: &str) {
    let temp = world.store().with_file_name("sessions.json.11111111-2222-4333-8444-555555555555.tmp");
    fs::write(&temp, text).unwrap();
    fs::rename(&temp, world.store()).unwrap();
}

fn start(world: &World, args: &[&str]) -> Child {
    let mut command = world.doctor(args);
    command.args(["--gateway", "stopped"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn end(child: Child) -> Ran {
    Ran::new(&child.wait_with_output().unwrap())
}

/// Our own lock, held by the test.
fn hold(world: &World) -> File {
    let dir = world.state.join("sessions-doctor");
    fs::create_dir_all(&dir).unwrap();
    let file = File::options().create(true).truncate(false).write(true).open(dir.join("lock")).unwrap();
    rustix::fs::flock(&file, rustix::fs::FlockOperation::LockExclusive).unwrap();
    file
}

/// Waits until a process comes to the lock that [`hold`] holds: the last thing it does before is to make the directory of the runs, and
/// its plan is made by then.
fn until_it_waits(world: &World) {
    let runs = world.state.join("sessions-doctor/runs");
    for _ in 0..60_000 {
        if runs.is_dir() {
            return;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    panic!("it never came to its lock");
}

/// Tells a thread to stop, also when the test fails: a scope would wait for it for ever.
struct Stop<'a>(&'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn what_was_written_between_plan_and_rename_is_respected() {
    let world = World::looping();
    let held = hold(&world);
    let child = start(&world, &["prune", "--apply", "--json"]);
    until_it_waits(&world);
    // An entry that is new, and one that was to go is alive again.
    let mut entries = looping();
    entries.push(entry("agent:main:telegram:direct:new", "s-new", 0, &[]));
    entries[3].1[1].1 = NOW.to_string();
    rewrite(&world, &store(&entries));
    drop(held);
    let report = end(child).exits(0).json();
    let keys = world.keys();
    assert!(keys.contains(&"agent:main:telegram:direct:new".to_owned()), "{keys:?}");
    assert!(keys.contains(&run(JOB, "s-old")), "alive again: {keys:?}");
    assert!(!keys.contains(&run(JOB, "s-hung")), "{keys:?}");
    assert_eq!(report["stores"][0]["entries"]["total"], 10, "the report tells of the second look: {report}");
    assert_eq!(world.runs().len(), 1);
    assert!(world.beside().is_empty(), "{:?}", world.beside());
}

#[test]
fn the_same_inode_written_in_place_is_noticed_too() {
    let world = World::looping();
    let held = hold(&world);
    let child = start(&world, &["prune", "--apply"]);
    until_it_waits(&world);
    // Same inode, same size: one key letter.
    let text = store(&looping()).replace("telegram:direct:4711", "telegram:direct:4712");
    File::options().write(true).open(world.store()).unwrap().write_all_at(text.as_bytes(), 0).unwrap();
    drop(held);
    end(child).exits(0);
    assert!(world.keys().contains(&"agent:main:telegram:direct:4712".to_owned()), "{:?}", world.keys());
}

#[test]
fn a_store_that_vanished_or_broke_meanwhile_is_not_made_anew() {
    for broken in [None, Some("{\"agent:main:main\": "), Some("{}")] {
        let world = World::looping();
        let held = hold(&world);
        let child = start(&world, &["prune", "--apply"]);
        until_it_waits(&world);
        match broken {
            None => fs::remove_file(world.store()).unwrap(),
            Some(text) => rewrite(&world, text),
        }
        drop(held);
        let ran = end(child);
        assert!(ran.code != 1 && !ran.err.contains("panicked"), "{broken:?}: {ran}");
        assert_eq!(fs::read_to_string(world.store()).ok().as_deref(), broken, "{ran}");
        assert!(world.runs().is_empty());
    }
}

#[test]
fn a_gateway_that_starts_meanwhile_stops_the_write() {
    let world = World::looping();
    let held = hold(&world);
    let child = start(&world, &["prune", "--apply"]);
    until_it_waits(&world);
    let _gateway = Alive::gateway(&world);
    drop(held);
    end(child).exits(4);
    assert_eq!(world.bytes(), store(&looping()).as_bytes());
    assert!(world.beside().is_empty() && world.runs().is_empty());
}

#[test]
fn a_writer_that_never_rests_is_never_overwritten() {
    let world = large(200_000);
    let base = String::from_utf8(world.bytes()).unwrap();
    let stop = AtomicBool::new(false);
    let rounds = 6;
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            // Each writing adds a key of its own to what it finds, and so must find the one before.
            let mut lost = Vec::new();
            let mut number = 0_u64;
            while !stop.load(Ordering::Relaxed) {
                let found = fs::read_to_string(world.store()).unwrap();
                // What stands between its reading and its writing is the race that OpenClaw's own lock is there for.
                let lock = world.store().with_file_name("sessions.json.lock");
                let taken = File::options().create_new(true).write(true).open(&lock);
                let Ok(mut taken) = taken else { continue };
                taken.write_all(lock_text(std::process::id(), None).as_bytes()).unwrap();
                let now = fs::read_to_string(world.store()).unwrap();
                drop(found);
                if number > 0 && !now.contains(&format!("\"mark-{number}\"")) {
                    lost.push(number);
                }
                number += 1;
                let body = now.strip_suffix("\n}").unwrap();
                let body = match body.find(",\n  \"mark-") {
                    Some(at) => &body[..at],
                    None => body,
                };
                rewrite(&world, &format!("{body},\n  \"mark-{number}\": {{}}\n}}"));
                fs::remove_file(&lock).unwrap();
                std::thread::sleep(Duration::from_millis(2));
            }
            lost
        });
        let stopping = Stop(&stop);
        for _ in 0..rounds {
            let ran = end(start(&world, &["prune", "--apply", "--json"]));
            assert!([0, 4].contains(&ran.code), "{ran}");
            if ran.code == 4 {
                assert_eq!(ran.json()["stores"][0]["outcome"], "busy");
            }
        }
        drop(stopping);
        let lost = writer.join().unwrap();
        assert!(lost.is_empty(), "overwritten: {lost:?}");
    });
    assert!(base.len() > 100_000);
    assert!(world.beside().is_empty(), "{:?}", world.beside());
}

#[test]
fn killed_at_any_moment_it_is_old_or_new_and_the_next_run_recovers() {
    let world = large(20_000_000);
    let original = world.bytes();
    let begun = std::time::Instant::now();
    world.stopped(&["prune", "--apply", "-q"]).exits(0);
    let whole = begun.elapsed();
    let pruned = world.bytes();
    assert!(pruned.len() < original.len());
    for round in 0..30_u32 {
        let _ = fs::remove_dir_all(world.state.join("sessions-doctor"));
        world.put(STORE, &original);
        let mut child = start(&world, &["prune", "--apply", "-q"]);
        // Spread over the whole run and somewhat beyond; whatever the machine does, every moment is a valid one.
        std::thread::sleep(whole * round / 27);
        child.kill().unwrap();
        child.wait().unwrap();
        let left = world.bytes();
        assert!(left == original || left == pruned, "round {round}: neither old nor new");
        // Killed between making OpenClaw's lock and writing into it: by the protocol such a lock is waited
        // for until it is thirty seconds old.
        let lock = world.state.join(format!("{STORE}.lock"));
        if fs::metadata(&lock).is_ok_and(|metadata| metadata.len() == 0) {
            let then = std::time::SystemTime::now() - std::time::Duration::from_secs(31);
            fs::File::options().write(true).open(&lock).unwrap().set_modified(then).unwrap();
        }
        world.stopped(&["prune", "--apply", "-q"]).exits(0);
        assert!(world.bytes() == pruned, "round {round}");
        let temps: Vec<String> = world.beside().into_iter().filter(|name| !name.ends_with(".lock")).collect();
        assert!(temps.is_empty(), "round {round}: {temps:?}");
        let listed = world.stopped(&["undo", "--json"]).exits(0).json();
        let states: Vec<&str> =
            listed["runs"].as_array().unwrap().iter().filter_map(|run| run["state"].as_str()).collect();
        assert!(!states.contains(&"intended"), "round {round}: {states:?}");
        let done = listed["runs"].as_array().unwrap().iter().find(|run| run["state"] == "done").unwrap();
        if round % 3 == 0 {
            world.stopped(&["undo", done["run"].as_str().unwrap(), "-q"]).exits(0);
            assert!(world.bytes() == original, "round {round}");
        }
    }
}

#[test]
fn a_run_that_was_killed_after_its_change_can_be_undone_at_once() {
    let world = World::looping();
    let original = world.bytes();
    world.stopped(&["prune", "--apply"]).exits(0);
    let run = world.runs().pop().unwrap();
    let record = world.state.join("sessions-doctor/runs").join(&run).join("run.json");
    let text = fs::read_to_string(&record).unwrap();
    assert!(text.contains("\"done\""), "{text}");
    fs::write(&record, text.replace("\"done\"", "\"intended\"")).unwrap();
    world.stopped(&["undo", &run]).exits(0);
    assert!(world.bytes() == original, "the run had changed the store, so there is something to put back");
}

#[test]
fn a_signal_ends_it_with_its_code_and_nothing_half_done() {
    for (signal, code) in [(rustix::process::Signal::INT, 130), (rustix::process::Signal::TERM, 143)] {
        let world = World::looping();
        let held = hold(&world);
        let child = start(&world, &["prune", "--apply"]);
        until_it_waits(&world);
        let pid = rustix::process::Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
        rustix::process::kill_process(pid, signal).unwrap();
        end(child).exits(code);
        drop(held);
        assert_eq!(world.bytes(), store(&looping()).as_bytes());
        assert!(world.beside().is_empty() && world.runs().is_empty());
    }
}

#[test]
fn a_file_that_shrinks_under_a_command_is_no_crash_and_no_plan() {
    let world = large(4_000_000);
    let text = world.bytes();
    let inode = || fs::metadata(world.store()).unwrap().ino();
    let before = inode();
    for args in [
        &["check", "--json"][..],
        &["check", "--no-mmap", "--json"],
        &["prune", "--json"],
        &["prune", "--apply", "--json"],
        &["prune", "--apply", "--no-mmap", "--json"],
    ] {
        let stop = AtomicBool::new(false);
        let mut busy = 0;
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let file = File::options().write(true).open(world.store()).unwrap();
                let mut len = 0;
                while !stop.load(Ordering::Relaxed) {
                    // Somewhere else each time, in the first page and in the last as well.
                    len = (len + 611_953) % text.len();
                    file.set_len(len as u64).unwrap();
                    std::thread::sleep(Duration::from_micros(200));
                    file.write_all_at(&text[len..], len as u64).unwrap();
                    std::thread::sleep(Duration::from_millis(2));
                }
            });
            let _stopping = Stop(&stop);
            // On a busy machine the cutter may rest for longer than a look takes.
            for round in 0..60 {
                if round >= 6 && busy > 0 {
                    break;
                }
                let ran = end(start(&world, args));
                // 3: it was short from the start of a look to its end.
                assert!([1, 3, 4, 6].contains(&ran.code) && !ran.err.contains("panicked"), "{args:?}: {ran}");
                let report = ran.json();
                // While the report was being written it may only be cut short and say so.
                let is_busy = ran.code == 4 && report["stores"][0]["outcome"] == "busy";
                assert!(![4, 6].contains(&ran.code) || is_busy || report["complete"] == false, "{ran}");
                assert_eq!(report["stores"].as_array().map(Vec::len), Some(1), "{ran}");
                if is_busy {
                    assert!(ran.said().contains("while it was read"), "{ran}");
                    busy += 1;
                }
            }
        });
        assert!(busy > 0, "{args:?}: it was never cut under a look");
        assert!(world.bytes() == text && inode() == before, "{args:?}: the store is another");
        assert!(world.runs().is_empty() && world.beside().is_empty(), "{args:?}");
    }
}

#[test]
fn a_file_that_is_always_written_to_is_busy() {
    let world = large(48_000_000);
    let text = world.bytes();
    let place = text.windows(4).position(|bytes| bytes == b"xxxx").unwrap() as u64;
    for args in [
        &["check", "--json"][..],
        &["check", "--no-mmap", "--json"],
        &["prune", "--apply", "--json"],
        &["prune", "--apply", "--no-mmap", "--json"],
    ] {
        let stop = AtomicBool::new(false);
        std::thread::scope(|scope| {
            // Two, so that on a busy machine one of them comes round during every look.
            for _ in 0..2 {
                scope.spawn(|| {
                    let file = File::options().write(true).open(world.store()).unwrap();
                    while !stop.load(Ordering::Relaxed) {
                        // The same size, and JSON all the time.
                        file.write_all_at(b"y", place).unwrap();
                        file.write_all_at(b"x", place).unwrap();
                        std::thread::sleep(Duration::from_micros(200));
                    }
                });
            }
            let _stopping = Stop(&stop);
            for _ in 0..2 {
                let ran = end(start(&world, args)).exits(4).says("while it was read");
                assert_eq!(ran.json()["stores"][0]["outcome"], "busy", "{ran}");
            }
        });
        assert!(world.bytes() == text && world.runs().is_empty() && world.beside().is_empty(), "{args:?}");
    }
}

#[test]
fn little_address_space_gives_the_same_report_or_none() {
    let world = large(8_000_000);
    let wanted = world.stopped(&["check", "--json", "--entries", "all", "--threads", "1"]).exits(1).json();
    let mut enough = false;
    // From too little to start at all, in steps smaller than a window, to what is still not much.
    for kilobytes in (9_000..26_000).step_by(500) {
        let mut command = world.clean("sh");
        command.args(["-c", "ulimit -c 0; ulimit -v \"$0\"; exec \"$@\"", &kilobytes.to_string()]);
        command.arg(env!("CARGO_BIN_EXE_sessions-doctor")).args([
            "check",
            "--json",
            "--entries",
            "all",
            "--threads",
            "1",
        ]);
        command.args(["--gateway", "stopped", "--now", NOW_TEXT, "--state-dir"]).arg(&world.state);
        let ran = Ran::new(&command.output().unwrap());
        if ran.code == 1 {
            // What else runs on this host meanwhile may be another.
            assert_eq!(ran.json()["stores"], wanted["stores"], "{kilobytes} kB");
            enough = true;
        } else {
            // Where things lie is a matter of chance, and so is how little is enough.
            assert!(![0, 3, 4].contains(&ran.code), "{kilobytes} kB: {ran}");
            enough = false;
        }
    }
    assert!(enough, "what should be enough is not");
}

#[test]
fn bytes_that_turn_into_others_under_a_check_are_no_crash() {
    let world = large(2_000_000);
    let text = world.bytes();
    let scrambled: [Vec<u8>; 3] = [
        text.iter().map(|byte| if *byte == b'"' { b'x' } else { *byte }).collect(),
        vec![b'"'; text.len()],
        text.iter().rev().copied().collect(),
    ];
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let file = File::options().write(true).open(world.store()).unwrap();
            while !stop.load(Ordering::Relaxed) {
                for other in &scrambled {
                    file.write_all_at(other, 0).unwrap();
                    file.write_all_at(&text, 0).unwrap();
                    std::thread::sleep(Duration::from_millis(4));
                }
            }
        });
        let _stopping = Stop(&stop);
        for round in 0..24 {
            let args: &[&str] = if round % 2 == 0 {
                &["check", "--json", "--entries", "all"]
            } else {
                &["prune", "-v", "--no-mmap"]
            };
            let ran = end(start(&world, args));
            assert!([1, 3, 4, 6].contains(&ran.code) && !ran.err.contains("panicked"), "{args:?}: {ran}");
        }
    });
}

#[test]
fn two_of_us_at_once_do_it_once() {
    let world = World::looping();
    let children: Vec<Child> = (0..4).map(|_| start(&world, &["prune", "--apply", "-q"])).collect();
    for child in children {
        end(child).exits(0);
    }
    assert_eq!(world.keys().len(), 6);
    assert_eq!(world.runs().len(), 1, "{:?}", world.runs());
    assert!(world.beside().is_empty());
}
