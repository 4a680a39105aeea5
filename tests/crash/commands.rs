//! Prevents: a power cut in the middle of `prune --apply`, `slim --apply`, `recover --apply` or `undo` that leaves a store which is neither the
//! old nor the new one, an original that cannot be had back, or leftovers that nobody clears.
//!
//! Each verb is run whole, on a real state directory, and cut at each operation that changes a file, in
//! each of the ways in which a disk may be left; then the next start takes over.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::disk::{CrashDisk, Left};
use crate::samples;
use crate::state::{StateDir, age_unreadable_lock, ways};
use sessions_doctor::apply::{Disk, RealDisk};
use sessions_doctor::exit::Exit;

const SAMPLE: &str = "openclaw-2026.3.28/normal-then-crash";

struct World {
    dir: StateDir,
    store: PathBuf,
}

impl World {
    fn new() -> Self {
        let dir = StateDir::new();
        samples::copy(SAMPLE, &dir.state).unwrap();
        let store = dir.state.join(samples::expected(SAMPLE).store);
        World { dir, store }
    }

    /// Nothing is not the same as an empty file.
    fn bytes(&self) -> Vec<u8> {
        match fs::read(&self.store) {
            Err(error) if error.kind() == ErrorKind::NotFound => b"no store".to_vec(),
            read => read.unwrap(),
        }
    }

    fn run(&self, disk: &dyn Disk, life: u64, words: &[&str]) -> Exit {
        self.tell(disk, life, words).0
    }

    /// Runs a command line; `life` tells one process of this test from the next.
    fn tell(&self, disk: &dyn Disk, life: u64, words: &[&str]) -> (Exit, String) {
        let sample = samples::expected(SAMPLE);
        self.dir.run(disk, life, &[words, &["--now", &sample.now, "--gateway", "stopped"]].concat())
    }

    /// Temporary files of ours. A store lock may outlive a power cut; whoever comes next takes it over.
    fn leftovers(&self) -> Vec<String> {
        let names = fs::read_dir(self.store.parent().unwrap()).unwrap();
        let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name.starts_with(".sessions-doctor")).collect()
    }
}

fn original() -> Vec<u8> {
    fs::read(samples::directory(SAMPLE).join(samples::expected(SAMPLE).store)).unwrap()
}

/// What a verb makes of the store.
fn after(words: &[&str]) -> Vec<u8> {
    let world = World::new();
    assert_eq!(world.run(&RealDisk, 1, words), Exit::Healthy);
    world.bytes()
}

fn pruned() -> Vec<u8> {
    after(&["prune", "--apply"])
}

/// Cuts `words` at every step in every way; `before` and `after` are what the store holds without a cut.
/// Afterwards `words` are run again, which has to reach `after`, and leave nothing lying about.
fn cut_everywhere(words: &[&str], prepare: &dyn Fn(&World), before: &[u8], after: &[u8]) {
    let whole = World::new();
    prepare(&whole);
    let disk = CrashDisk::new(&whole.dir.root);
    assert_eq!(whole.run(&disk, 1, words), Exit::Healthy);
    assert!(whole.bytes() == after, "{words:?} without a cut");
    let steps = disk.steps().len();
    assert!(steps > 10, "only {steps} steps: {:?}", disk.steps());
    for step in 0..steps {
        for left in ways("sessions") {
            let world = World::new();
            prepare(&world);
            let disk = CrashDisk::new(&world.dir.root).cut_at(step);
            world.run(&disk, 1, words);
            disk.after_power_cut(left);
            let place = format!("{words:?} cut at step {step} of {steps}, {left:?}");
            assert_old_or_new(&world, before, after, &place);
            age_unreadable_lock(&world.store);
            let (exit, said) = world.tell(&RealDisk, 2, words);
            assert!(world.bytes() == after, "{place}: the next start does not finish: {exit:?}\n{said}");
            assert_eq!(world.leftovers(), [""; 0], "{place}");
        }
    }
}

fn assert_old_or_new(world: &World, before: &[u8], after: &[u8], place: &str) {
    let now = world.bytes();
    assert!(now == before || now == after, "{place}: {} bytes, neither old nor new", now.len());
}

#[test]
fn a_prune_that_is_cut_anywhere_leaves_the_old_store_or_the_new_one_and_can_be_undone() {
    let (old, new) = (original(), pruned());
    cut_everywhere(&["prune", "--apply"], &|_| {}, &old, &new);
    // The original can be had back wherever it was cut.
    let steps = steps_of_a_prune();
    for step in 0..steps {
        let world = World::new();
        let disk = CrashDisk::new(&world.dir.root).cut_at(step);
        world.run(&disk, 1, &["prune", "--apply"]);
        disk.after_power_cut(Left::OnlyDurable);
        age_unreadable_lock(&world.store);
        world.run(&RealDisk, 2, &["prune", "--apply"]);
        assert!(world.bytes() == new, "step {step}");
        assert_eq!(world.run(&RealDisk, 3, &["undo", "latest"]), Exit::Healthy, "step {step}");
        assert!(world.bytes() == old, "step {step}: undo does not give the original back");
    }
}

fn steps_of_a_prune() -> usize {
    let world = World::new();
    let disk = CrashDisk::new(&world.dir.root);
    world.run(&disk, 1, &["prune", "--apply"]);
    disk.steps().len()
}

#[test]
fn an_undo_that_is_cut_anywhere_leaves_the_pruned_store_or_the_original() {
    let (old, new) = (original(), pruned());
    let prepare = |world: &World| {
        world.run(&RealDisk, 1, &["prune", "--apply"]);
    };
    cut_everywhere(&["undo", "latest"], &prepare, &new, &old);
}

#[test]
fn a_slim_that_is_cut_anywhere_leaves_the_old_store_or_the_new_one_and_so_does_its_undo() {
    let words = ["slim", "--apply", "--compact"];
    let (old, new) = (original(), after(&words));
    assert!(new.len() < old.len() && !new.contains(&b'\n'));
    cut_everywhere(&words, &|_| {}, &old, &new);
    let prepare = |world: &World| {
        world.run(&RealDisk, 1, &words);
    };
    cut_everywhere(&["undo", "latest"], &prepare, &new, &old);
}

/// The store cut in the middle, or gone with a rotation left.
fn damage(world: &World, gone: bool) {
    let bytes = original();
    if gone {
        let rotated = world.store.with_file_name("sessions.json.bak.1795223000000");
        fs::rename(&world.store, rotated).unwrap();
    } else {
        fs::write(&world.store, &bytes[..bytes.len() / 2]).unwrap();
    }
}

#[test]
fn a_recovery_that_is_cut_anywhere_leaves_what_lay_there_or_the_recovered_store() {
    for gone in [false, true] {
        let prepare = |world: &World| damage(world, gone);
        let world = World::new();
        prepare(&world);
        let old = world.bytes();
        assert_eq!(world.run(&RealDisk, 1, &["recover", "--apply"]), Exit::Healthy);
        let new = world.bytes();
        assert!(new != old && new.starts_with(b"{\n  \"agent:main:"));
        cut_everywhere(&["recover", "--apply"], &prepare, &old, &new);
    }
}

#[test]
fn nothing_is_written_where_nothing_is_to_be_done() {
    let world = World::new();
    world.run(&RealDisk, 1, &["prune", "--apply"]);
    let disk = CrashDisk::new(&world.dir.root);
    assert_eq!(world.run(&disk, 2, &["prune", "--apply"]), Exit::Healthy);
    assert_eq!(world.run(&disk, 2, &["check"]), Exit::Findings, "markers that the crash left");
    assert_eq!(disk.steps(), Vec::<String>::new());
    let fresh = World::new();
    let disk = CrashDisk::new(&fresh.dir.root);
    assert_eq!(fresh.run(&disk, 1, &["prune"]), Exit::Findings);
    assert_eq!(disk.steps(), Vec::<String>::new());
    assert!(!Path::new(&fresh.dir.root.join("state/sessions-doctor")).exists());
}

/// Adds the record of a run that ended days ago to the store.
fn add_run(world: &World, id: &str) -> String {
    let text = String::from_utf8(world.bytes()).unwrap();
    let start = text.find("agent:main:cron:").unwrap();
    let job: String = text[start..].chars().take_while(|char| !"\"".contains(*char)).collect();
    let base = job.split(":run:").next().unwrap();
    let key = format!("{base}:run:{id}");
    let member =
        format!("  \"{key}\": {{\n    \"sessionId\": \"{id}\",\n    \"updatedAt\": 1794964470000\n  }}");
    fs::write(&world.store, text.replacen("{\n", &format!("{{\n{member},\n"), 1)).unwrap();
    key
}

#[test]
fn a_guard_that_is_cut_anywhere_leaves_the_old_store_or_the_new_one_and_loses_nothing_that_it_shares() {
    let (old, new) = (original(), after(&["guard"]));
    cut_everywhere(&["guard"], &|_| {}, &old, &new);
    let prepare = |world: &World| {
        world.run(&RealDisk, 1, &["guard"]);
        let first = add_run(world, "zz-first");
        world.run(&RealDisk, 2, &["guard"]);
        assert!(world.bytes() == new, "the added run went");
        vec![first, add_run(world, "zz-second")]
    };
    let whole = World::new();
    prepare(&whole);
    let before = whole.bytes();
    let disk = CrashDisk::new(&whole.dir.root);
    whole.run(&disk, 3, &["guard"]);
    let steps = disk.steps().len();
    assert!(steps > 20, "{:?}", disk.steps());
    for step in 0..steps {
        for left in [Left::Everything, Left::OnlyDurable, Left::NamesAndNuls] {
            let world = World::new();
            let added = prepare(&world);
            let disk = CrashDisk::new(&world.dir.root).cut_at(step);
            world.run(&disk, 3, &["guard"]);
            disk.after_power_cut(left);
            let place = format!("cut at step {step} of {steps}, {left:?}");
            assert_old_or_new(&world, &before, &new, &place);
            age_unreadable_lock(&world.store);
            world.run(&RealDisk, 4, &["guard"]);
            assert!(world.bytes() == new, "{place}: the next start does not finish");
            let mut runs: Vec<PathBuf> = fs::read_dir(world.dir.root.join("state/sessions-doctor/runs"))
                .unwrap()
                .map(|run| run.unwrap().path())
                .collect();
            runs.sort();
            assert!(runs.len() <= 4, "{place}: {runs:?}");
            for run in runs {
                let id = run.file_name().unwrap().to_str().unwrap().to_owned();
                world.run(&RealDisk, 5, &["undo", &id]);
            }
            let text = String::from_utf8(world.bytes()).unwrap();
            for key in added {
                assert_eq!(text.matches(&format!("\"{key}\"")).count(), 1, "{place}: {key}");
            }
        }
    }
}
