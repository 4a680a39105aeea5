//! Prevents: overwriting what OpenClaw wrote between our look and our rename, taking a lock from a process
//! that lives, a store that others may read after us, a link that is replaced by a file, and leftovers of
//! a change that failed.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

use crate::disk::CrashDisk;
use crate::world::{Change, Lives, World, limits, plan};
use rustix::io::Errno;
use sessions_doctor::apply::run_record::{BackupHow, StepOp};
use sessions_doctor::apply::store_lock::StoreLock;
use sessions_doctor::apply::{
    ApplyError, Cancel, Fingerprint, Identity, Limits, RealDisk, RecordsLock, RunState, retention, runs,
};
use sessions_doctor::exit::Exit;

const OLD: &[u8] = b"{\"a\": 1, \"b\": 2}";

fn world() -> World {
    World::new(Some(OLD))
}

fn lock_text(pid: u32, start: u64) -> String {
    format!(
        "{{\n  \"pid\": {pid},\n  \"createdAt\": \"2026-01-01T00:00:00.000Z\",\n  \"starttime\": {start}\n}}"
    )
}

fn age(path: &Path, secs: u64) {
    let file = File::options().write(true).open(path).unwrap();
    file.set_modified(SystemTime::now() - Duration::from_secs(secs)).unwrap();
}

/// Whatever is done to the store while the plan is made ready is seen, and stays.
#[test]
fn a_store_that_changed_meanwhile_is_left_to_its_writer() {
    type Meddle = fn(&Path);
    let same_size: Meddle = |store| fs::write(store, b"{\"a\": 1, \"b\": 3}").unwrap();
    let replaced: Meddle = |store| {
        let temp = store.with_extension("openclaw");
        fs::write(&temp, OLD).unwrap();
        fs::rename(temp, store).unwrap();
    };
    let cut: Meddle = |store| fs::write(store, "").unwrap();
    let gone: Meddle = |store| fs::remove_file(store).unwrap();
    let touched: Meddle = |store| fs::set_permissions(store, Permissions::from_mode(0o644)).unwrap();
    for meddle in [same_size, replaced, cut, gone, touched] {
        // Before the plan is carried out, while it is (after the read, before the link), and under the lock.
        for when in 0..3 {
            let world = world();
            std::thread::sleep(Duration::from_millis(5));
            let mut change = Change::new(&world);
            let store = world.store.clone();
            match when {
                0 => meddle(&store),
                1 => change.verify = Box::new(move |_| Ok(meddle(&store))),
                _ => change.still_allowed = Box::new(move || Ok(meddle(&store))),
            }
            let refused = change.apply(&RealDisk, &plan(5, b"}")).unwrap_err();
            assert!(refused.is_changed(), "{when}: {refused}");
            assert_eq!(refused.exit(), Exit::Busy);
            let found = world.bytes();
            assert_ne!(found.as_deref(), Some(&b"{\"a\":}"[..]));
            assert_eq!(world.beside(), Vec::<String>::new());
            assert_eq!(runs::list(&world.records).unwrap().len(), 0);
        }
    }
}

#[test]
fn a_store_that_appears_is_not_replaced() {
    let world = World::new(None);
    let mut change = Change::new(&world);
    let store = world.store.clone();
    change.still_allowed = Box::new(move || Ok(fs::write(&store, "theirs").unwrap()));
    let refused = change.apply(&RealDisk, &plan(0, b"ours")).unwrap_err();
    assert!(refused.is_changed(), "{refused}");
    world.assert_untouched(b"theirs");
}

#[test]
fn a_failed_check_and_a_gateway_that_came_up_leave_all_as_it_was() {
    let before = |world: &World| Identity::at(&world.store).unwrap().unwrap();
    for (verify, allow, exit) in [(false, true, Exit::Io), (true, false, Exit::Busy)] {
        let world = world();
        let mut change = Change::new(&world);
        let scanned = before(&world);
        change.verify = Box::new(move |temp| {
            assert_eq!(fs::read(temp).unwrap(), b"{\"a\":}");
            if verify { Ok(()) } else { Err("an entry is missing".into()) }
        });
        change.still_allowed = Box::new(move || if allow { Ok(()) } else { Err("gateway runs".into()) });
        let refused = change.apply(&RealDisk, &plan(5, b"}")).unwrap_err();
        assert_eq!(refused.exit(), exit, "{refused}");
        world.assert_untouched(OLD);
        assert_eq!(world.beside(), Vec::<String>::new(), "no lock is left");
        assert!(before(&world).same_but_for_ctime(&scanned));
    }
}

#[test]
fn a_plan_that_changes_nothing_leaves_no_record() {
    let world = world();
    let refused = Change::new(&world).apply(&RealDisk, &plan(OLD.len() as u64, b"")).unwrap_err();
    assert_eq!(refused.exit(), Exit::Refused);
    world.assert_untouched(OLD);
}

#[test]
fn the_lock_of_a_live_owner_is_waited_for_and_left() {
    let me = std::process::id();
    let no_start = format!("{{\"pid\": {me}, \"createdAt\": \"2020-01-01T00:00:00.000Z\"}}");
    for text in [lock_text(me, 1), no_start, String::new(), "{\"pi".to_owned()] {
        let world = world();
        fs::write(world.lock_path(), &text).unwrap();
        if !text.is_empty() && text != "{\"pi" {
            age(&world.lock_path(), 86_400);
        }
        let begun = Instant::now();
        let refused = Change::new(&world).apply(&RealDisk, &plan(5, b"}")).unwrap_err();
        assert!(matches!(refused, ApplyError::Locked { .. }), "{refused}");
        assert!(begun.elapsed() >= limits().lock_wait);
        assert_eq!(fs::read_to_string(world.lock_path()).unwrap(), text);
        world.assert_untouched(OLD);
    }
}

#[test]
fn the_lock_of_an_owner_that_is_gone_is_taken_over_and_said() {
    let me = std::process::id();
    for (text, secs) in [(lock_text(4_000_000, 7), 0), (lock_text(me, 99), 0), (String::new(), 31)] {
        let world = world();
        fs::write(world.lock_path(), text).unwrap();
        age(&world.lock_path(), secs);
        let receipt = Change::new(&world).apply(&RealDisk, &plan(5, b"}")).unwrap();
        assert!(receipt.notes[0].contains("took over the lock"), "{:?}", receipt.notes);
        assert_eq!(world.bytes().unwrap(), b"{\"a\":}");
        assert_eq!(world.beside(), Vec::<String>::new());
    }
}

#[test]
fn our_lock_is_written_as_openclaw_writes_it_and_a_foreign_one_is_not_removed() {
    let world = world();
    let paths = [world.lock_path()];
    let take = || StoreLock::acquire(&RealDisk, &paths, &Lives(1), Duration::from_millis(60), &Cancel::new());
    let lock = take().unwrap();
    let text = fs::read_to_string(world.lock_path()).unwrap();
    assert!(text.starts_with(&format!("{{\n  \"pid\": {},\n  \"createdAt\": \"", std::process::id())));
    assert!(text.ends_with("Z\",\n  \"starttime\": 1\n}"), "{text}");
    assert!(matches!(take(), Err(ApplyError::Locked { pid: Some(_), .. })), "it keeps ourselves out too");
    fs::remove_file(world.lock_path()).unwrap();
    fs::write(world.lock_path(), "someone else's").unwrap();
    assert!(!lock.still_ours());
    lock.release().unwrap();
    assert_eq!(fs::read_to_string(world.lock_path()).unwrap(), "someone else's");
}

#[test]
fn a_lock_taken_from_us_or_held_too_long_ends_the_change() {
    let world = world();
    let mut change = Change::new(&world);
    let lock = world.lock_path();
    change.still_allowed = Box::new(move || Ok(fs::write(&lock, "taken").unwrap()));
    let lost = change.apply(&RealDisk, &plan(5, b"}")).unwrap_err();
    assert!(matches!(lost, ApplyError::LockTrouble(_)), "{lost}");
    assert_eq!(fs::read_to_string(world.lock_path()).unwrap(), "taken");
    fs::remove_file(world.lock_path()).unwrap();
    world.assert_untouched(OLD);
    let slow = Limits { lock_hold: Duration::from_millis(20), ..limits() };
    let mut change = Change { limits: slow, ..Change::new(&world) };
    change.still_allowed = Box::new(|| Ok(std::thread::sleep(Duration::from_millis(40))));
    let late = change.apply(&RealDisk, &plan(5, b"}")).unwrap_err();
    assert!(matches!(late, ApplyError::LockTrouble(_)), "{late}");
    world.assert_untouched(OLD);
    assert_eq!(world.beside(), Vec::<String>::new());
}

#[test]
fn many_takers_of_one_stale_lock_hold_it_one_after_the_other() {
    let world = world();
    fs::write(world.lock_path(), lock_text(4_000_000, 7)).unwrap();
    let counter = world.root.join("held");
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..5 {
                    let (paths, cancel) = ([world.lock_path()], Cancel::new());
                    let wait = Duration::from_secs(60);
                    let lock = StoreLock::acquire(&RealDisk, &paths, &Lives(1), wait, &cancel).unwrap();
                    File::create_new(&counter).expect("two hold the lock");
                    fs::remove_file(&counter).unwrap();
                    lock.release().unwrap();
                }
            });
        }
    });
    assert_eq!(world.beside(), Vec::<String>::new());
}

/// Every write, sync, create and rename fails once, for want of room.
#[test]
fn a_full_disk_leaves_the_old_store_and_nothing_else() {
    let old = vec![b'x'; 3 << 20];
    let steps = {
        let world = World::new(Some(&old));
        let disk = CrashDisk::new(&world.root);
        let _ = Change::new(&world).apply(&disk, &plan(3 << 19, b"}")).unwrap();
        disk.steps()
    };
    let rename = steps
        .iter()
        .rposition(|step| {
            step.starts_with("rename ") && step.ends_with(".tmp") && step.contains("/sessions/")
        })
        .unwrap();
    assert!(
        steps.iter().filter(|step| step.starts_with("write ") && step.contains("/sessions/")).count() >= 3
    );
    let flock_done = steps.iter().position(|step| step.contains("/runs/")).unwrap();
    for (nth, step) in steps.iter().enumerate().take(rename).skip(flock_done) {
        if ["remove", "sync_dir"].iter().any(|op| step.starts_with(op)) {
            continue;
        }
        let world = World::new(Some(&old));
        let mut seen = 0;
        let disk = CrashDisk::new(&world.root).with_fault(move |_, _| {
            seen += 1;
            (seen == nth + 1).then(|| Errno::NOSPC.into())
        });
        let refused = Change::new(&world).apply(&disk, &plan(3 << 19, b"}")).unwrap_err();
        assert_eq!(refused.exit(), Exit::Io, "{step}: {refused}");
        assert!(refused.to_string().contains("No space left"), "{refused}");
        world.assert_untouched(&old);
        assert_eq!(world.beside(), Vec::<String>::new(), "{step}");
    }
}

/// After the rename the store is the new one, and whatever fails then says so.
#[test]
fn what_fails_after_the_rename_does_not_sound_like_nothing_happened() {
    for op in ["sync_dir", "remove", "write"] {
        let world = world();
        let mut renamed = false;
        let disk = CrashDisk::new(&world.root).with_fault(move |done, path| {
            let fails = renamed && done == op;
            renamed |= done == "rename" && path.to_string_lossy().contains("/sessions/");
            fails.then(|| Errno::IO.into())
        });
        let receipt = Change::new(&world).apply(&disk, &plan(5, b"}")).unwrap();
        assert!(receipt.problems[0].starts_with("the store is the new one, but"), "{:?}", receipt.problems);
        assert_eq!(world.bytes().unwrap(), b"{\"a\":}");
        assert_eq!(fs::read(&receipt.backup.unwrap().0).unwrap(), OLD);
        world.resume(&RealDisk, 2).unwrap();
        assert_eq!(world.done().len(), 1);
    }
}

#[test]
fn without_links_the_original_is_copied_and_the_store_keeps_its_ctime() {
    for errno in [Errno::XDEV, Errno::PERM, Errno::MLINK, Errno::OPNOTSUPP] {
        let world = world();
        let disk = CrashDisk::new(&world.root).with_fault(move |op, _| (op == "link").then(|| errno.into()));
        let receipt = Change::new(&world).apply(&disk, &plan(5, b"}")).unwrap();
        let (path, how) = receipt.backup.clone().unwrap();
        assert_eq!((fs::read(&path).unwrap(), how), (OLD.to_vec(), BackupHow::Copy));
        assert_eq!(path.metadata().unwrap().mode() & 0o777, 0o600);
        assert_eq!(world.done()[0].backup_path(), Some(path));
    }
}

/// The kernel finds the file, then a writer renames another over it, and nothing is left that a link could be made to.
#[test]
fn a_store_that_is_replaced_in_the_middle_of_the_link_is_left_to_its_writer() {
    let world = world();
    let store = world.store.clone();
    let disk = CrashDisk::new(&world.root).with_fault(move |op, _| {
        (op == "link").then(|| {
            let temp = store.with_extension("openclaw");
            fs::write(&temp, OLD).unwrap();
            fs::rename(temp, &store).unwrap();
            Errno::NOENT.into()
        })
    });
    let refused = Change::new(&world).apply(&disk, &plan(5, b"}")).unwrap_err();
    assert!(refused.is_changed(), "{refused}");
    assert_eq!(world.bytes().as_deref(), Some(OLD));
    assert_eq!((world.beside(), world.done().len()), (Vec::new(), 0));
    // A record that somebody took away is no news about the store.
    let runs = world.records.clone();
    let disk = CrashDisk::new(&world.root).with_fault(move |op, _| {
        (op == "link").then(|| {
            fs::remove_dir_all(&runs).unwrap();
            Errno::NOENT.into()
        })
    });
    let refused = Change::new(&world).apply(&disk, &plan(5, b"}")).unwrap_err();
    assert!(matches!(refused, ApplyError::Io(_)), "{refused}");
    assert_eq!((world.bytes().as_deref(), world.done().len()), (Some(OLD), 0));
}

#[test]
fn the_record_tells_what_was_done() {
    let world = world();
    let receipt = Change::new(&world).apply(&RealDisk, &plan(5, b"}")).unwrap();
    let run = runs::load(&world.records, &receipt.run).unwrap().unwrap();
    let step = &run.record.steps[0];
    assert_eq!((run.record.state, step.op), (RunState::Done, StepOp::Replace));
    assert_eq!(step.before, Fingerprint::of_file(&receipt.backup.as_ref().unwrap().0).unwrap());
    assert_eq!(step.after, Fingerprint::of_file(&world.store).unwrap());
    let sizes = (run.record.summary.bytes_before, run.record.summary.bytes_after);
    assert_eq!((sizes, run.backup_bytes()), ((OLD.len() as u64, 6), OLD.len() as u64));
    assert_eq!(run.record.backup.unwrap().how, BackupHow::Link);
    let mode = |name: &str| run.dir.join(name).metadata().unwrap().mode() & 0o777;
    assert_eq!((mode("."), mode("run.json"), mode("changes.ndjson")), (0o700, 0o600, 0o600));
    let inodes = [&world.store, &receipt.backup.unwrap().0].map(|path| path.metadata().unwrap().ino());
    assert_ne!(inodes[0], inodes[1], "the rename gave the store a new inode");
}

#[test]
fn mode_owner_and_attributes_are_kept() {
    for mode in [0o600, 0o640, 0o660] {
        let world = world();
        fs::set_permissions(&world.store, Permissions::from_mode(mode)).unwrap();
        let root = rustix::process::geteuid().is_root();
        if root {
            std::os::unix::fs::chown(&world.store, Some(1234), Some(2345)).unwrap();
        }
        let file = File::open(&world.store).unwrap();
        let flags = rustix::fs::XattrFlags::empty();
        let attributes = rustix::fs::fsetxattr(&file, "user.note", b"kept", flags).is_ok();
        let _ = Change::new(&world).apply(&RealDisk, &plan(5, b"}")).unwrap();
        let meta = world.store.metadata().unwrap();
        assert_eq!(meta.mode() & 0o7777, mode);
        if root {
            assert_eq!((meta.uid(), meta.gid()), (1234, 2345));
        }
        if attributes {
            let mut value = [0; 8];
            let length = rustix::fs::getxattr(&world.store, "user.note", &mut value).unwrap();
            assert_eq!(&value[..length], b"kept");
        }
    }
}

#[test]
fn a_store_that_belongs_to_others_is_not_taken_from_them() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let world = world();
    std::os::unix::fs::chown(&world.store, Some(1234), Some(2345)).unwrap();
    let disk = CrashDisk::new(&world.root).with_fault(|op, _| (op == "chown").then(|| Errno::PERM.into()));
    let refused = Change::new(&world).apply(&disk, &plan(5, b"}")).unwrap_err();
    assert_eq!(refused.exit(), Exit::Refused, "{refused}");
    world.assert_untouched(OLD);
}

#[test]
fn what_root_makes_in_a_state_directory_belongs_to_its_owner() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let world = world();
    for path in [world.root.join("state"), world.sessions().to_owned(), world.store.clone()] {
        std::os::unix::fs::chown(path, Some(1234), Some(2345)).unwrap();
    }
    let receipt = Change::new(&world).apply(&RealDisk, &plan(5, b"}")).unwrap();
    let run = receipt.run_dir.clone();
    for path in
        [&world.records, &world.records.join("lock"), &run, &run.join("run.json"), &run.join("original")]
    {
        let meta = path.metadata().unwrap();
        assert_eq!((meta.uid(), meta.gid()), (1234, 2345), "{}", path.display());
    }
}

#[test]
fn a_store_behind_a_link_is_replaced_where_it_lies() {
    let world = world();
    let elsewhere = world.root.join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    let real = elsewhere.join("real.json");
    fs::rename(&world.store, &real).unwrap();
    symlink(&real, &world.store).unwrap();
    let locks = [world.lock_path(), elsewhere.join("real.json.lock")];
    let mut change = Change::new(&world);
    let seen = locks.clone();
    change.still_allowed = Box::new(move || {
        assert!(seen.iter().all(|lock| lock.exists()), "both ends are locked");
        Ok(())
    });
    let receipt = change.apply(&RealDisk, &plan(5, b"}")).unwrap();
    assert_eq!(receipt.store, real);
    assert_eq!(fs::read_link(&world.store).unwrap(), real, "the link stays");
    assert_eq!(fs::read(&real).unwrap(), b"{\"a\":}");
    assert!(!locks.iter().any(|lock| lock.exists()));
    assert_eq!(fs::read_dir(&elsewhere).unwrap().count(), 1);

    let other = elsewhere.join("other.json");
    fs::write(&other, OLD).unwrap();
    let mut change = Change::new(&world);
    let store = world.store.clone();
    change.still_allowed = Box::new(move || {
        fs::remove_file(&store).unwrap();
        Ok(symlink(&other, &store).unwrap())
    });
    assert!(change.apply(&RealDisk, &plan(1, b"}")).unwrap_err().is_changed(), "the link was turned");
}

#[test]
fn a_signal_ends_the_wait_and_the_write() {
    let world = world();
    fs::write(world.lock_path(), lock_text(std::process::id(), 1)).unwrap();
    let patient = Limits { lock_wait: Duration::from_secs(600), ..limits() };
    let change = Change { limits: patient, ..Change::new(&world) };
    let cancel = change.cancel.clone();
    std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(100));
        cancel.request(Exit::Terminated);
    });
    let stopped = change.apply(&RealDisk, &plan(5, b"}")).unwrap_err();
    assert_eq!(stopped.exit(), Exit::Terminated);
    fs::remove_file(world.lock_path()).unwrap();
    world.assert_untouched(OLD);
    let mut change = Change::new(&world);
    let cancel = change.cancel.clone();
    change.still_allowed = Box::new(move || Ok(cancel.request(Exit::Interrupted)));
    assert_eq!(change.apply(&RealDisk, &plan(5, b"}")).unwrap_err().exit(), Exit::Interrupted);
    world.assert_untouched(OLD);
}

/// The lock of a process that was killed is free at once.
#[test]
fn another_process_with_our_flock_keeps_us_out_until_it_dies() {
    let world = world();
    drop(RecordsLock::acquire(&RealDisk, &world.records, Duration::ZERO, &Cancel::new()).unwrap());
    let lock = world.records.join("lock");
    // `cat` inherits the lock; it ends when its input does.
    let flock = Command::new("flock").arg("-x").arg(&lock).arg("cat").stdin(Stdio::piped()).spawn();
    let Ok(mut other) = flock else { return };
    let take = || RecordsLock::acquire(&RealDisk, &world.records, Duration::ZERO, &Cancel::new());
    let begun = Instant::now();
    while take().is_ok() && begun.elapsed() < Duration::from_secs(5) {
        std::thread::sleep(Duration::from_millis(20));
    }
    let refused = Change::new(&world).apply(&RealDisk, &plan(5, b"}")).unwrap_err();
    assert!(matches!(refused, ApplyError::Locked { .. }), "{refused}");
    other.kill().unwrap();
    drop(other.stdin.take());
    other.wait().unwrap();
    let wait = Duration::from_secs(5);
    assert!(RecordsLock::acquire(&RealDisk, &world.records, wait, &Cancel::new()).is_ok());
}

#[test]
fn temporary_files_of_others_and_of_runs_at_work_elsewhere_stay() {
    let world = world();
    let names =
        ["sessions.json.0b0e.tmp", ".sessions-doctor.note", ".sessions-doctor.20260101T000000.000Z-0001.tmp"];
    for name in names {
        fs::write(world.sessions().join(name), "x").unwrap();
    }
    world.resume(&RealDisk, 1).unwrap();
    assert_eq!(world.beside().len(), 3, "its run is not in our records, and it is young");
    for name in names {
        age(&world.sessions().join(name), 2 * 3600);
    }
    world.resume(&RealDisk, 1).unwrap();
    assert_eq!(world.beside().len(), 2);
}

#[test]
fn retention_deletes_whole_runs_and_never_one_that_is_intended() {
    let world = world();
    for n in 0..9 {
        let pieces = plan(1, format!("\"{n}\"}}").as_bytes());
        let _ = Change::new(&world).apply(&RealDisk, &pieces).unwrap();
    }
    let cancel = Cancel::new();
    let lock = RecordsLock::acquire(&RealDisk, &world.records, Duration::ZERO, &cancel).unwrap();
    let policy = retention::Retention { others: 2, ..retention::Retention::default() };
    let deleted = retention::enforce(&RealDisk, &lock, &policy, SystemTime::now()).unwrap();
    assert!(deleted.iter().all(|(_, result)| result.is_ok()));
    let left = runs::list(&world.records).unwrap();
    assert_eq!((deleted.len(), left.len()), (6, 3), "the newest, which is the largest as well, and two");
    assert!(deleted.iter().all(|(id, _)| id < left[0].id()));
}
