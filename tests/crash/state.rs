//! A state directory on which whole command lines are run, on a disk that may lose power. It holds no test of its own.

use std::cell::RefCell;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::disk::Left;
use crate::world::{Lives, limits};
use clap::Parser;
use sessions_doctor::apply::{Cancel, Disk};
use sessions_doctor::cli::args::Cli;
use sessions_doctor::cli::request::Request;
use sessions_doctor::commands;
use sessions_doctor::diagnose::run::Writer;
use sessions_doctor::exit::Exit;

/// In memory where there is room for that: tests sync a lot.
pub struct StateDir {
    _dir: tempfile::TempDir,
    pub root: PathBuf,
    pub state: PathBuf,
}

impl StateDir {
    pub fn new() -> Self {
        let dir = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
        let root = dir.path().canonicalize().unwrap();
        let state = root.join("state");
        StateDir { _dir: dir, root, state }
    }

    /// What a command line on it asks for.
    pub fn request(&self, words: &[&str]) -> Request {
        let line = ["sessions-doctor", words[0], "--state-dir", self.state.to_str().unwrap()];
        Request::read(Cli::try_parse_from(line.iter().chain(&words[1..])).unwrap()).unwrap()
    }

    /// Runs a command line; `life` tells one process of this test from the next.
    pub fn run(&self, disk: &dyn Disk, life: u64, words: &[&str]) -> (Exit, String) {
        let lives = Lives(life);
        let writer = Writer { disk, liveness: &lives, limits: limits() };
        let out: RefCell<Vec<u8>> = RefCell::default();
        let exit = commands::run_with(&self.request(words), writer, &Cancel::new(), &out).unwrap();
        (exit, String::from_utf8(out.into_inner()).unwrap())
    }
}

/// All the ways in which a disk may be left; some write directories of the name `dir` before the others, or after them.
pub fn ways(dir: &'static str) -> [Left; 7] {
    [
        Left::Everything,
        Left::OnlyDurable,
        Left::NamesAndEmptyFiles,
        Left::NamesAndNuls,
        Left::NamesAndHalfFiles,
        Left::NamesOnlyBelow(dir),
        Left::NamesOnlyOutside(dir),
    ]
}

/// A cut between making the lock of a store and writing into it leaves one that nobody can be asked about: by OpenClaw's protocol it is
/// waited for until it is thirty seconds old.
pub fn age_unreadable_lock(store: &Path) {
    let lock = store.with_file_name("sessions.json.lock");
    if fs::read(&lock).is_ok_and(|text| serde_json::from_slice::<serde_json::Value>(&text).is_err()) {
        let then = SystemTime::now() - Duration::from_secs(31);
        fs::File::options().write(true).open(&lock).unwrap().set_modified(then).unwrap();
    }
}
