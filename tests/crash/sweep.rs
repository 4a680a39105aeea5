//! Prevents: a power cut in the middle of `sweep --apply` or its `undo` that loses a transcript, or leaves one half moved for ever.
//!
//! Each is run whole and cut at each operation that changes a file, in each of the ways in which a disk may be left; then the next start
//! takes over.

use std::fs;
use std::path::{Path, PathBuf};

use crate::disk::{CrashDisk, Left};
use crate::state::{StateDir, age_unreadable_lock};
use sessions_doctor::apply::{Disk, RealDisk};
use sessions_doctor::exit::Exit;

const WAYS: [Left; 4] = [
    Left::Everything,
    Left::OnlyDurable,
    Left::NamesOnlyBelow("sessions"),
    Left::NamesOnlyOutside("sessions"),
];

/// Sessions that nothing refers to.
const LOST: [&str; 2] = ["0f908179-10f4-42bd-9ae3-d5d2feb993a0", "23cf3162-390b-47e0-9ab4-a94ca035cca8"];

struct World {
    dir: StateDir,
    sessions: PathBuf,
}

fn text(session: &str) -> String {
    format!("{{\"type\":\"session\",\"id\":\"{session}\",\"timestamp\":\"2026-11-11T01:00:00.000Z\"}}\n")
}

impl World {
    fn new() -> Self {
        let dir = StateDir::new();
        let sessions = dir.state.join("agents/main/sessions");
        fs::create_dir_all(&sessions).unwrap();
        fs::write(sessions.join("sessions.json"), "{\"agent:main:main\":{\"updatedAt\":1795000000000}}")
            .unwrap();
        for session in LOST {
            fs::write(sessions.join(format!("{session}.jsonl")), text(session)).unwrap();
        }
        World { dir, sessions }
    }

    fn run(&self, disk: &dyn Disk, life: u64, words: &[&str]) -> (Exit, String) {
        let at = ["--now", "2026-11-21T01:14:30Z", "--gateway", "stopped"];
        self.dir.run(disk, life, &[words, &at].concat())
    }

    /// Where each transcript lies.
    fn places(&self) -> Vec<Vec<PathBuf>> {
        let mut files = Vec::new();
        gather(&self.dir.state, &mut files);
        let of = |session: &&str| {
            let name = format!("{session}.jsonl");
            let mut found: Vec<PathBuf> =
                files.iter().filter(|path| path.file_name().unwrap() == name.as_str()).cloned().collect();
            found.sort();
            assert!(found.iter().all(|path| fs::read_to_string(path).unwrap() == text(session)), "{found:?}");
            found
        };
        LOST.iter().map(of).collect()
    }

    fn is_swept(&self) -> bool {
        self.places().iter().all(|places| places.len() == 1 && !places[0].starts_with(&self.sessions))
    }

    fn is_back(&self) -> bool {
        self.places().iter().all(|places| places.len() == 1 && places[0].starts_with(&self.sessions))
    }
}

fn gather(dir: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { gather(&path, files) } else { files.push(path) }
    }
}

/// Cuts `words` at every step in every way. No transcript is ever without a name, and the same words reach `end` after that.
fn cut_everywhere(words: &[&str], prepare: &dyn Fn(&World), end: &dyn Fn(&World) -> bool) {
    let whole = World::new();
    prepare(&whole);
    let disk = CrashDisk::new(whole.dir.state.parent().unwrap());
    let (exit, said) = whole.run(&disk, 1, words);
    assert!(exit == Exit::Healthy && end(&whole), "{words:?} without a cut: {exit:?}\n{said}");
    let steps = disk.steps().len();
    assert!(steps > 10, "only {steps} steps: {:?}", disk.steps());
    for step in 0..steps {
        for left in WAYS {
            let world = World::new();
            prepare(&world);
            let disk = CrashDisk::new(world.dir.state.parent().unwrap()).cut_at(step);
            world.run(&disk, 1, words);
            disk.after_power_cut(left);
            let place = format!("{words:?} cut at step {step} of {steps}, {left:?}");
            assert!(world.places().iter().all(|places| !places.is_empty()), "{place}: a transcript is gone");
            age_unreadable_lock(&world.sessions.join("sessions.json"));
            let (exit, said) = world.run(&RealDisk, 2, words);
            assert!(
                end(&world),
                "{place}: the next start does not finish: {exit:?} {:?}\n{said}",
                world.places()
            );
        }
    }
}

#[test]
fn a_sweep_that_is_cut_anywhere_loses_nothing_and_is_finished() {
    cut_everywhere(&["sweep", "--apply"], &|_| {}, &World::is_swept);
}

#[test]
fn an_undo_that_is_cut_anywhere_loses_nothing_and_is_finished() {
    let prepare = |world: &World| {
        assert_eq!(world.run(&RealDisk, 1, &["sweep", "--apply"]).0, Exit::Healthy);
    };
    cut_everywhere(&["undo", "latest"], &prepare, &World::is_back);
}
