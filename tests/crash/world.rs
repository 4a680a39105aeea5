//! A state directory with one store, and what it takes to replace that store through the public interface.
//! Shared by the crash tests; it holds no test of its own.

#![allow(dead_code, missing_docs, clippy::unwrap_used)]

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use sessions_doctor::apply::liveness::{Life, Liveness};
use sessions_doctor::apply::resume::{ResumeRequest, Resumed};
use sessions_doctor::apply::runs::{self, Found, Run};
use sessions_doctor::apply::{
    ApplyError, Cancel, Disk, Identity, Limits, Receipt, RecordsLock, ReplaceRequest, RunState, RunSummary,
    Subject, apply, resume,
};
use sessions_doctor::model::plan::{ChangeRecord, PieceTable};
use tempfile::TempDir;

/// This process lives, and was started at this tick; every other is dead. A second life is another number.
#[derive(Clone, Copy)]
pub struct Lives(pub u64);

impl Liveness for Lives {
    fn look(&self, pid: u32) -> Life {
        if pid == std::process::id() { Life::Alive { start_ticks: Some(self.0) } } else { Life::Dead }
    }
}

/// Short waits.
pub fn limits() -> Limits {
    let wait = Duration::from_millis(150);
    Limits { flock_wait: wait, lock_wait: wait, lock_hold: Duration::from_secs(5) }
}

pub struct World {
    _dir: TempDir,
    pub root: PathBuf,
    pub store: PathBuf,
    pub records: PathBuf,
}

impl World {
    /// A state directory whose store holds `old`, or is missing.
    pub fn new(old: Option<&[u8]>) -> Self {
        World::within(tempfile::tempdir().unwrap(), old)
    }

    /// The same in memory, where there is such a place: for tests that need thousands. What is durable is
    /// known by the disk of the test, not by the device.
    pub fn in_memory(old: Option<&[u8]>) -> Self {
        let dir = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir());
        World::within(dir.unwrap(), old)
    }

    fn within(dir: TempDir, old: Option<&[u8]>) -> Self {
        let root = dir.path().canonicalize().unwrap();
        let sessions = root.join("state/agents/main/sessions");
        fs::create_dir_all(&sessions).unwrap();
        let store = sessions.join("sessions.json");
        if let Some(old) = old {
            fs::write(&store, old).unwrap();
        }
        let records = runs::records_dir(&store, Some(&root.join("state"))).unwrap();
        World { _dir: dir, root, store, records }
    }

    pub fn sessions(&self) -> &Path {
        self.store.parent().unwrap()
    }

    pub fn lock_path(&self) -> PathBuf {
        self.store.with_file_name("sessions.json.lock")
    }

    pub fn bytes(&self) -> Option<Vec<u8>> {
        fs::read(&self.store).ok()
    }

    pub fn runs(&self) -> Vec<Run> {
        runs::list_runs(&self.records).unwrap()
    }

    pub fn done(&self) -> Vec<Run> {
        self.runs().into_iter().filter(|run| run.record.state == RunState::Done).collect()
    }

    /// Names beside the store, the store itself apart.
    pub fn beside(&self) -> Vec<String> {
        let entries = fs::read_dir(self.sessions()).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name != "sessions.json").collect()
    }

    /// Nothing half done is left.
    pub fn assert_settled(&self, context: &str) {
        let beside = self.beside();
        let temps: Vec<_> = beside.iter().filter(|name| name.ends_with(".tmp")).collect();
        assert!(temps.is_empty(), "{context}: {temps:?} left");
        for found in runs::list(&self.records).unwrap() {
            match found {
                Found::Run(run) => assert_ne!(run.record.state, RunState::Intended, "{context}"),
                other => panic!("{context}: {other:?} left"),
            }
        }
    }

    /// Nothing was changed and nothing is left.
    pub fn assert_untouched(&self, old: &[u8]) {
        assert!(self.bytes().as_deref() == Some(old), "the store was changed");
        assert_eq!(runs::list(&self.records).unwrap().len(), 0, "a run is left");
        let temps = self.beside().into_iter().filter(|name| name.ends_with(".tmp")).count();
        assert_eq!(temps, 0, "a temporary file is left");
    }

    pub fn resume(&self, disk: &dyn Disk, life: u64) -> Result<Vec<Resumed>, ApplyError> {
        let cancel = Cancel::new();
        let lock = RecordsLock::acquire(disk, &self.records, limits().flock_wait, &cancel)?;
        resume(
            disk,
            &lock,
            ResumeRequest {
                stores: std::slice::from_ref(&self.store),
                now: SystemTime::now(),
                may_write: &mut || Ok(()),
                liveness: &Lives(life),
                limits: limits(),
                cancel: &cancel,
            },
        )
    }
}

type Verify<'a> = dyn FnMut(&Path) -> Result<(), String> + 'a;

/// One replacement, all callbacks at peace unless a test sets them.
pub struct Change<'a> {
    pub world: &'a World,
    pub life: u64,
    pub limits: Limits,
    pub cancel: Cancel,
    /// The store as OpenClaw names it.
    pub named: PathBuf,
    pub sources: Vec<File>,
    pub expected: Option<Identity>,
    pub verify: Box<Verify<'a>>,
    pub still_allowed: Box<dyn FnMut() -> Result<(), String> + 'a>,
}

impl<'a> Change<'a> {
    /// Scans, that is: opens the store and remembers which it is.
    pub fn new(world: &'a World) -> Self {
        let sources: Vec<File> = File::open(&world.store).into_iter().collect();
        let expected = sources.first().map(|file| Identity::of(&file.metadata().unwrap()));
        Change {
            world,
            life: 1,
            limits: limits(),
            cancel: Cancel::new(),
            named: world.store.clone(),
            sources,
            expected,
            verify: Box::new(|_| Ok(())),
            still_allowed: Box::new(|| Ok(())),
        }
    }

    pub fn apply(mut self, disk: &dyn Disk, pieces: &PieceTable) -> Result<Receipt, ApplyError> {
        let lock = RecordsLock::acquire(disk, &self.world.records, self.limits.flock_wait, &self.cancel)?;
        apply(
            disk,
            &lock,
            ReplaceRequest {
                store: &self.named,
                subject: Subject::Store,
                expected: self.expected,
                before: None,
                command: "prune",
                started: SystemTime::now(),
                summary: RunSummary { removed: 1, ..RunSummary::default() },
                sources: &self.sources,
                pieces,
                changes: &mut |log| Ok(log.push(&change("\"a\""))?),
                verify: &mut self.verify,
                still_allowed: &mut || (self.still_allowed)().map_err(ApplyError::NotAllowed),
                liveness: &Lives(self.life),
                limits: self.limits,
                cancel: &self.cancel,
            },
        )
    }
}

pub fn change(key: &str) -> ChangeRecord {
    ChangeRecord {
        key: key.into(),
        action: "remove".into(),
        rule: "stale-run".into(),
        family: "run-record".into(),
        source: None,
        before: None,
        after: None,
        start: 1,
        end: 2,
        edits: Vec::new(),
    }
}

/// A plan that keeps the bytes up to `keep` and ends with `tail`.
pub fn plan(keep: u64, tail: &[u8]) -> PieceTable {
    let mut pieces = PieceTable::new();
    pieces.copy(0, 0, keep);
    pieces.literal(tail);
    pieces
}
