//! Prevents: a store that is neither the old nor the new one after a crash, a removal that cannot be undone
//! because the original went with the power, and a report that says "nothing was changed" when it was.
//!
//! A whole replacement is cut at each of its operations, in each of the ways in which a disk may be left;
//! then the next start takes over.

use std::fs::{self, File};
use std::io;
use std::time::{Duration, SystemTime};

use crate::disk::{CrashDisk, Left};
use crate::world::{Change, World, plan};
use sessions_doctor::apply::{ApplyError, Disk, RealDisk, Receipt, changes};

/// All the ways; the store lies below `sessions`, the records below `sessions-doctor`.
const WAYS: [Left; 9] = [
    Left::Everything,
    Left::OnlyDurable,
    Left::NamesAndEmptyFiles,
    Left::NamesAndNuls,
    Left::NamesAndHalfFiles,
    Left::NamesOnlyBelow("sessions"),
    Left::NamesOnlyOutside("sessions"),
    Left::NamesOnlyBelow("sessions-doctor"),
    Left::NamesOnlyBelow("runs"),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scenario {
    /// The original is kept as a hard link.
    Link,
    /// No links here: it is copied.
    Copy,
    /// Copied, and more than a write buffer holds.
    Large,
    /// There is no store before.
    Create,
}

impl Scenario {
    fn size(self) -> usize {
        if self == Scenario::Large { (1 << 20) + 77 } else { 77 }
    }

    fn before(self) -> Option<Vec<u8>> {
        (self != Scenario::Create).then(|| vec![b'o'; self.size()])
    }

    fn kept(self) -> usize {
        if self == Scenario::Create { 0 } else { self.size() - 20 }
    }

    fn after(self) -> Vec<u8> {
        [&vec![b'o'; self.kept()][..], b"new"].concat()
    }

    fn disk(self, world: &World) -> CrashDisk {
        let disk = CrashDisk::new(&world.root);
        if matches!(self, Scenario::Link | Scenario::Create) {
            return disk;
        }
        disk.with_fault(|op, _| (op == "link").then(|| io::Error::from_raw_os_error(other_device())))
    }

    fn apply(self, world: &World, disk: &dyn Disk) -> Result<Receipt, ApplyError> {
        Change::new(world).apply(disk, &plan(self.kept() as u64, b"new"))
    }

    /// One life that ends at `cut`; gives back what it was told.
    fn crash(self, cut: usize, left: Left) -> (World, Result<Receipt, ApplyError>) {
        let (world, disk, told) = self.kill(cut);
        disk.after_power_cut(left);
        age_locks(&world);
        (world, told)
    }

    /// The same, but the disk keeps its power, and what was not durable is not yet lost.
    fn kill(self, cut: usize) -> (World, CrashDisk, Result<Receipt, ApplyError>) {
        let world = World::in_memory(self.before().as_deref());
        let disk = self.disk(&world).cut_at(cut);
        let told = self.apply(&world, &disk);
        age_locks(&world);
        (world, disk, told)
    }

    fn steps(self) -> Vec<String> {
        let world = World::in_memory(self.before().as_deref());
        let disk = self.disk(&world);
        let receipt = self.apply(&world, &disk).unwrap();
        assert!(receipt.problems.is_empty());
        disk.steps()
    }
}

fn other_device() -> i32 {
    rustix::io::Errno::XDEV.raw_os_error()
}

/// An empty lock is taken over once it is 30 s old; let that time pass.
fn age_locks(world: &World) {
    if let Ok(lock) = File::options().write(true).open(world.lock_path()) {
        lock.set_modified(SystemTime::now() - Duration::from_secs(60)).unwrap();
    }
}

/// The original can be had back: before the next start in the directory of the run, after it by the record.
fn assert_backup(world: &World, scenario: Scenario, settled: bool, context: &str) {
    if settled {
        let done = world.done();
        assert_eq!(done.len(), 1, "{context}: one run is done");
        let lines = changes::read(&done[0].dir).unwrap().map(Result::unwrap).count();
        assert_eq!(lines, 1, "{context}: the changes are recorded");
    }
    let Some(old) = scenario.before() else { return };
    let backups: Vec<Vec<u8>> =
        world.runs().iter().filter_map(|run| fs::read(run.dir.join("original")).ok()).collect();
    assert!(backups == [old], "{context}: the original is kept");
}

fn cut_everywhere(scenario: Scenario) {
    let steps = scenario.steps();
    for cut in 0..=steps.len() {
        for left in WAYS {
            let step = steps.get(cut).map_or("the end", String::as_str);
            let context = format!("{scenario:?}, cut at {cut} ({step}), {left:?}");
            let (world, told) = scenario.crash(cut, left);
            let found = world.bytes();
            let is_new = found.as_deref() == Some(&scenario.after()[..]);
            assert!(is_new || found == scenario.before(), "{context}: neither old nor new");
            match &told {
                Ok(receipt) if receipt.problems.is_empty() => assert!(is_new, "{context}: said done"),
                Ok(_) => {}
                Err(_) => assert!(!is_new, "{context}: said that nothing changed"),
            }
            if is_new {
                assert_backup(&world, scenario, false, &context);
            }
            world.resume(&RealDisk, 2).unwrap();
            assert!(world.bytes() == found, "{context}: the next start changed the store");
            world.assert_settled(&context);
            if is_new {
                assert_backup(&world, scenario, true, &context);
            } else {
                assert!(world.done().is_empty(), "{context}: no run is done");
            }
            again(&world, &context);
        }
    }
}

/// The next change works as if nothing had been.
fn again(world: &World, context: &str) {
    let change = Change { life: 2, ..Change::new(world) };
    let receipt =
        change.apply(&RealDisk, &plan(0, b"third")).unwrap_or_else(|error| panic!("{context}: {error}"));
    assert!(receipt.problems.is_empty(), "{context}");
    assert_eq!(world.bytes().as_deref(), Some(&b"third"[..]));
    assert_eq!(world.beside(), Vec::<String>::new(), "{context}");
}

#[test]
fn a_linked_original_survives_every_cut() {
    cut_everywhere(Scenario::Link);
}

#[test]
fn a_copied_original_survives_every_cut() {
    cut_everywhere(Scenario::Copy);
    cut_everywhere(Scenario::Large);
}

#[test]
fn a_store_that_is_new_survives_every_cut() {
    cut_everywhere(Scenario::Create);
}

/// Between the crash and the next start OpenClaw ran and wrote the store: it stays, and the record still
/// says truly whether our change had happened.
#[test]
fn a_store_written_since_is_told_from_one_that_was_never_replaced() {
    for scenario in [Scenario::Link, Scenario::Copy, Scenario::Create] {
        let steps = scenario.steps();
        for cut in 0..=steps.len() {
            for left in WAYS {
                let context = format!("{scenario:?}, cut at {cut}, {left:?}");
                let (world, _) = scenario.crash(cut, left);
                let was_new = world.bytes().as_deref() == Some(&scenario.after()[..]);
                assert_settles(&world, scenario, true, &context);
                if was_new {
                    assert_backup(&world, scenario, true, &context);
                }
            }
        }
    }
}

/// The next start may be cut as well, at each of its operations: after a power cut, or after a kill, when
/// the rename is seen and yet not durable.
#[test]
fn a_resume_that_is_cut_is_resumed() {
    let ways =
        [Left::Everything, Left::OnlyDurable, Left::NamesAndEmptyFiles, Left::NamesOnlyBelow("sessions")];
    let mut cuts = 0;
    for cut in 0..=Scenario::Link.steps().len() {
        for power_cut in [false, true] {
            for second in ways {
                for written in [false, true] {
                    cuts +=
                        (0..).take_while(|&step| !cut_twice(cut, power_cut, step, second, written)).count();
                }
            }
        }
    }
    assert!(cuts > 500, "{cuts}");
}

/// Gives back whether the second life came to its end.
fn cut_twice(cut: usize, power_cut: bool, step: usize, second: Left, written: bool) -> bool {
    let context = format!("cut at {cut}, power {power_cut}, then at {step}, {second:?}, written {written}");
    let scenario = Scenario::Link;
    let (world, mut disk, _) = scenario.kill(cut);
    if power_cut {
        disk.after_power_cut(Left::OnlyDurable);
        age_locks(&world);
        disk = CrashDisk::new(&world.root);
    }
    disk.revive_for(step);
    // Failures of single runs are in the report; only the count tells whether it was cut.
    let _ = world.resume(&disk, 2);
    let whole = disk.steps().len() <= step;
    disk.after_power_cut(second);
    let was_new = assert_settles(&world, scenario, written, &context);
    if was_new {
        assert_backup(&world, scenario, true, &context);
    }
    whole
}

/// The next start, perhaps after somebody wrote the store, says truly whether it had been replaced.
fn assert_settles(world: &World, scenario: Scenario, written: bool, context: &str) -> bool {
    let mut found = world.bytes();
    let was_new = found.as_deref() == Some(&scenario.after()[..]);
    assert!(was_new || found == scenario.before(), "{context}: neither old nor new");
    if written {
        let temp = world.sessions().join("openclaw.tmp");
        fs::write(&temp, "written since").unwrap();
        fs::rename(temp, &world.store).unwrap();
        found = Some(b"written since".to_vec());
    }
    world.resume(&CrashDisk::new(&world.root), 3).unwrap();
    assert!(world.bytes() == found, "{context}: the next start changed the store");
    world.assert_settled(context);
    assert_eq!(world.done().len(), usize::from(was_new), "{context}");
    was_new
}

/// A change that is given up takes itself back; that may be cut as well.
#[test]
fn a_change_that_is_given_up_and_cut_was_never_done() {
    let give_up = |world: &World, disk: &CrashDisk| {
        let mut change = Change::new(world);
        change.still_allowed = Box::new(|| Err("the gateway runs".into()));
        change.apply(disk, &plan(5, b"new")).unwrap_err()
    };
    let scenario = Scenario::Link;
    let count = {
        let world = World::in_memory(scenario.before().as_deref());
        let disk = CrashDisk::new(&world.root);
        give_up(&world, &disk);
        disk.steps().len()
    };
    for cut in 0..=count {
        for left in WAYS {
            for written in [false, true] {
                let world = World::in_memory(scenario.before().as_deref());
                let disk = CrashDisk::new(&world.root).cut_at(cut);
                give_up(&world, &disk);
                disk.after_power_cut(left);
                let context = format!("given up, cut at {cut}, {left:?}, written {written}");
                assert!(!assert_settles(&world, scenario, written, &context), "{context}");
            }
        }
    }
}

/// The test of the test: the classic mistakes are seen by this disk.
#[test]
fn the_disk_sees_a_rename_without_fsync() {
    for (sync_file, sync_dir) in [(false, true), (true, false), (true, true)] {
        let mut neither = 0;
        let mut undone = 0;
        for left in WAYS {
            let world = World::in_memory(Some(b"old"));
            let disk = CrashDisk::new(&world.root);
            let temp = world.sessions().join("temp");
            let mut file = disk.create(&temp, 0o600).unwrap();
            file.write_all(b"new").unwrap();
            if sync_file {
                file.sync().unwrap();
            }
            disk.rename(&temp, &world.store).unwrap();
            if sync_dir {
                disk.sync_dir(world.sessions()).unwrap();
            }
            disk.after_power_cut(left);
            match world.bytes().as_deref() {
                Some(b"new") => {}
                Some(b"old") => undone += 1,
                _ => neither += 1,
            }
        }
        assert_eq!(neither > 0, !sync_file);
        assert_eq!(undone > 0, !sync_dir);
    }
}
