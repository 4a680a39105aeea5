//! Prevents: a transcript that is gone from where it was and has not arrived where it went, and a run of
//! several steps that stays half done.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::disk::{CrashDisk, Left};
use crate::world::{Change, Lives, World, change, limits, plan};
use rustix::io::Errno;
use sessions_doctor::apply::batch::{BatchReceipt, BatchRequest, carry_out};
use sessions_doctor::apply::resume::{Outcome, ResumeRequest};
use sessions_doctor::apply::run_record::{RunRecord, Step, StepOp, Tool};
use sessions_doctor::apply::{
    ApplyError, Cancel, Disk, Fingerprint, RealDisk, RecordsLock, RunState, RunSummary, Subject, resume,
    retention, runs,
};

const WAYS: [Left; 6] = [
    Left::Everything,
    Left::OnlyDurable,
    Left::NamesAndEmptyFiles,
    Left::NamesOnlyBelow("sessions"),
    Left::NamesOnlyOutside("sessions"),
    Left::NamesOnlyBelow("runs"),
];

/// Two transcripts to put aside, one to keep under a second name, one to remove.
fn world() -> World {
    let world = World::in_memory(Some(b"{}"));
    for name in ["a.jsonl", "b.jsonl", "c.jsonl", "d.tmp"] {
        fs::write(world.sessions().join(name), name).unwrap();
    }
    world
}

fn step(op: StepOp, from: PathBuf, to: Option<PathBuf>) -> Step {
    let print = Fingerprint::of_file(&from).unwrap();
    Step { op, from, after: to.as_ref().and(print.clone()), to, before: print }
}

fn steps(world: &World, dir: &Path) -> Vec<Step> {
    let from = |name: &str| world.sessions().join(name);
    vec![
        step(StepOp::Rename, from("a.jsonl"), Some(dir.join("a.jsonl"))),
        step(StepOp::Link, from("c.jsonl"), Some(dir.join("c.jsonl"))),
        step(StepOp::Rename, from("b.jsonl"), Some(dir.join("b.jsonl"))),
        step(StepOp::Remove, from("d.tmp"), None),
    ]
}

fn run(world: &World, disk: &dyn Disk, allowed: bool) -> Result<BatchReceipt, ApplyError> {
    let cancel = Cancel::new();
    let lock = RecordsLock::acquire(disk, &world.records, limits().flock_wait, &cancel)?;
    carry_out(
        disk,
        &lock,
        BatchRequest {
            store: world.sessions(),
            command: "sweep",
            started: SystemTime::now(),
            summary: RunSummary::default(),
            steps: &mut |dir| steps(world, dir),
            changes: &mut |log| Ok(log.push(&change("\"x\""))?),
            still_allowed: &mut || {
                if allowed { Ok(()) } else { Err(ApplyError::NotAllowed("gateway runs".into())) }
            },
            cancel: &cancel,
        },
    )
}

/// All or nothing, and every byte somewhere.
fn assert_whole(world: &World, context: &str) -> bool {
    let done = world.done();
    let here = |name: &str| fs::read(world.sessions().join(name)).ok();
    assert_eq!(here("c.jsonl").unwrap(), b"c.jsonl", "{context}");
    if done.is_empty() {
        for name in ["a.jsonl", "b.jsonl", "d.tmp"] {
            assert_eq!(here(name).as_deref(), Some(name.as_bytes()), "{context}");
        }
        return false;
    }
    for name in ["a.jsonl", "b.jsonl", "c.jsonl"] {
        assert_eq!(fs::read(done[0].dir.join(name)).unwrap(), name.as_bytes(), "{context}");
    }
    for name in ["a.jsonl", "b.jsonl", "d.tmp"] {
        assert_eq!(here(name), None, "{context}: {name}");
    }
    true
}

fn faulty(world: &World, links: bool) -> CrashDisk {
    let disk = CrashDisk::new(&world.root);
    if links {
        return disk;
    }
    disk.with_fault(|op, path| {
        let other_device = op == "link" && !path.ends_with("c.jsonl");
        other_device.then(|| io::Error::from(Errno::XDEV))
    })
}

#[test]
fn a_batch_that_is_cut_is_finished_or_was_never_begun() {
    for links in [true, false] {
        let count = {
            let world = world();
            let disk = faulty(&world, links);
            let receipt = run(&world, &disk, true).unwrap();
            assert_eq!((receipt.done, receipt.problems), (4, Vec::<String>::new()));
            assert!(assert_whole(&world, "uncut"));
            assert_eq!(world.done()[0].backup_bytes(), 3 * 7, "three transcripts lie there");
            disk.steps().len()
        };
        let (mut finished, mut never) = (0, 0);
        for cut in 0..=count {
            for left in WAYS {
                let context = format!("links {links}, cut at {cut} of {count}, {left:?}");
                let world = world();
                let disk = faulty(&world, links).cut_at(cut);
                let told = run(&world, &disk, true);
                disk.after_power_cut(left);
                world.resume(&RealDisk, 2).unwrap();
                let done = assert_whole(&world, &context);
                assert!(told.is_ok() || !done, "{context}: an error says that none was begun");
                if done {
                    finished += 1
                } else {
                    never += 1
                }
                let unsettled = runs::list(&world.records).unwrap().into_iter().find(|found| match found {
                    runs::Found::Run(run) => run.record.state == RunState::Intended,
                    _ => true,
                });
                assert!(unsettled.is_none(), "{context}: {unsettled:?}");
            }
        }
        assert!(finished > 20 && never > 20, "{finished} {never}");
    }
}

#[test]
fn a_batch_that_is_not_allowed_leaves_nothing() {
    let world = world();
    assert!(matches!(run(&world, &RealDisk, false), Err(ApplyError::NotAllowed(_))));
    assert!(!assert_whole(&world, "not allowed"));
    assert_eq!(runs::list(&world.records).unwrap().len(), 0);
}

#[test]
fn a_step_that_fails_does_not_keep_the_others_back() {
    let world = world();
    let disk = CrashDisk::new(&world.root)
        .with_fault(|op, path| (op == "remove" && path.ends_with("a.jsonl")).then(|| Errno::ACCESS.into()));
    let receipt = run(&world, &disk, true).unwrap();
    assert_eq!((receipt.done, receipt.problems.len()), (3, 1));
    assert!(receipt.problems[0].contains("a.jsonl"), "{:?}", receipt.problems);
}

/// A run that is deleted while the power goes is there whole, or is gone whole.
#[test]
fn a_deletion_that_is_cut_is_finished_or_was_never_begun() {
    let enforce = |world: &World, disk: &dyn Disk| {
        let lock = RecordsLock::acquire(disk, &world.records, limits().flock_wait, &Cancel::new()).ok()?;
        let policy = retention::Retention { others: 0, ..retention::Retention::default() };
        Some(retention::enforce(disk, &lock, &policy, SystemTime::now()).unwrap())
    };
    for step in 0.. {
        let mut whole = false;
        for left in WAYS {
            let world = world();
            assert!(run(&world, &RealDisk, true).unwrap().problems.is_empty());
            for tail in ["1", "2"] {
                let _ = Change::new(&world).apply(&RealDisk, &plan(1, tail.as_bytes())).unwrap();
            }
            let (before, all) = (world.runs(), count(&world));
            let disk = CrashDisk::new(&world.root).cut_at(step);
            enforce(&world, &disk);
            whole = disk.steps().len() <= step;
            disk.after_power_cut(left);
            world.resume(&RealDisk, 2).unwrap();
            let context = format!("cut at {step}, {left:?}");
            let kept = world.runs();
            assert_eq!(count(&world), kept.len(), "{context}: something is left");
            assert_eq!(kept.last().unwrap().id, before.last().unwrap().id, "{context}");
            assert!(kept.len() < all || !whole, "{context}: nothing was deleted");
            for run in kept {
                let files = if run.record.command == "sweep" { 5 } else { 3 };
                assert_eq!(fs::read_dir(run.dir).unwrap().count(), files, "{context}");
            }
        }
        if whole {
            assert!(step > 10);
            break;
        }
    }
}

/// Whatever lies where the runs lie.
fn count(world: &World) -> usize {
    fs::read_dir(runs::runs_dir(&world.records)).unwrap().count()
}

/// A record with these steps, left `intended`.
fn intended(world: &World, steps: Vec<Step>) -> PathBuf {
    let cancel = Cancel::new();
    drop(RecordsLock::acquire(&RealDisk, &world.records, Duration::ZERO, &cancel).unwrap());
    let dir = runs::runs_dir(&world.records).join("20260101T000000.000Z-0001");
    fs::create_dir(&dir).unwrap();
    let record = RunRecord {
        root: None,
        subject: Subject::Store,
        version: 1,
        tool: Tool::this(),
        command: "cron".into(),
        state: RunState::Intended,
        started_at: 0,
        store: world.store.clone(),
        summary: RunSummary::default(),
        steps,
        backup: None,
        rest: serde_json::Map::new(),
    };
    record.write(&RealDisk, &dir).unwrap();
    dir
}

fn state(world: &World) -> RunState {
    world.runs()[0].record.state
}

/// Two files are replaced, the first is done: the second follows, but only while that is allowed, and only
/// if nobody wrote it since.
#[test]
fn a_second_replacement_follows_the_first_when_it_may() {
    for (allowed, written) in [(true, false), (false, false), (true, true)] {
        let world = world();
        let at = |name: &str| world.sessions().join(name);
        let temp = at(".sessions-doctor.20260101T000000.000Z-0001.tmp");
        fs::write(&temp, "new second").unwrap();
        let replace = |from: PathBuf, to: &str, before: &[u8], after: &[u8]| Step {
            op: StepOp::Replace,
            from,
            to: Some(at(to)),
            before: Some(Fingerprint::of_reader(before).unwrap()),
            after: Some(Fingerprint::of_reader(after).unwrap()),
        };
        let first = replace(at("gone.tmp"), "a.jsonl", b"old first", b"a.jsonl");
        let dir = intended(&world, vec![first, replace(temp.clone(), "b.jsonl", b"b.jsonl", b"new second")]);
        if written {
            fs::write(at("b.jsonl"), "theirs").unwrap();
        }
        let cancel = Cancel::new();
        let lock = RecordsLock::acquire(&RealDisk, &world.records, Duration::ZERO, &cancel).unwrap();
        let report = resume(
            &RealDisk,
            &lock,
            ResumeRequest {
                stores: &[],
                now: SystemTime::now(),
                may_write: &mut || if allowed { Ok(()) } else { Err("gateway runs".into()) },
                liveness: &Lives(1),
                limits: limits(),
                cancel: &cancel,
            },
        )
        .unwrap();
        let second = fs::read(at("b.jsonl")).unwrap();
        if !allowed {
            assert_eq!(report[0].what, Outcome::Left("gateway runs".into()));
            assert_eq!(
                (second, temp.exists(), state(&world)),
                (b"b.jsonl".to_vec(), true, RunState::Intended)
            );
            continue;
        }
        assert_eq!(second, if written { b"theirs".to_vec() } else { b"new second".to_vec() });
        assert!(matches!(&report[0].what, Outcome::Finished(missed) if missed.len() == usize::from(written)));
        assert_eq!((temp.exists(), state(&world)), (false, RunState::Done));
        assert!(dir.join("run.json").exists());
    }
}

#[test]
fn a_record_whose_directory_is_not_there_now_waits() {
    let world = world();
    let from = world.root.join("state/unmounted/x.jsonl");
    intended(&world, vec![Step { op: StepOp::Remove, from, to: None, before: None, after: None }]);
    let report = world.resume(&RealDisk, 1).unwrap();
    assert!(matches!(&report[0].what, Outcome::Left(why) if why.contains("unmounted")), "{report:?}");
    assert_eq!(state(&world), RunState::Intended);
}

/// Somebody made `a.jsonl` again after it was put aside: what was put aside stays where the record says.
#[test]
fn a_file_that_came_again_does_not_undo_the_move() {
    let world = world();
    let dir = runs::runs_dir(&world.records).join("20260101T000000.000Z-0001");
    let planned = step(StepOp::Rename, world.sessions().join("a.jsonl"), Some(dir.join("a.jsonl")));
    intended(&world, vec![planned]);
    fs::rename(world.sessions().join("a.jsonl"), dir.join("a.jsonl")).unwrap();
    fs::write(world.sessions().join("a.jsonl"), "again").unwrap();
    world.resume(&RealDisk, 1).unwrap();
    assert_eq!(state(&world), RunState::Done);
    assert_eq!(fs::read(dir.join("a.jsonl")).unwrap(), b"a.jsonl");
    assert_eq!(fs::read(world.sessions().join("a.jsonl")).unwrap(), b"again");
}
