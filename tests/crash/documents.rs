//! Prevents: a power cut in the middle of an edit of `jobs.json` or of its undo that leaves a file which is neither the old nor the new
//! one, a member that cannot be had back, a lock that OpenClaw knows nothing of, leftovers that nobody clears.

use std::cell::{Cell, RefCell};
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use crate::disk::CrashDisk;
use crate::state::{StateDir, ways};
use crate::world::{Lives, limits};
use sessions_doctor::apply::disk::DiskResult;
use sessions_doctor::apply::{ApplyError, Cancel, Disk, DiskFile, RealDisk, RunSummary};
use sessions_doctor::cli::args::WriteArgs;
use sessions_doctor::commands::{document, write};
use sessions_doctor::diagnose::document::Document;
use sessions_doctor::diagnose::run::{Edge, Writer};
use sessions_doctor::evidence::discover;
use sessions_doctor::exit::Exit;
use sessions_doctor::host::Host;
use sessions_doctor::plan::document::Cut;
use sessions_doctor::progress::Progress;

const JOBS: &str = r#"{
  "version": 1,
  "jobs": [
    {
      "id": "a",
      "state": {
        "nextRunAtMs": 1,
        "runningAtMs": 1700000000225
      }
    }
  ]
}"#;

struct World {
    dir: StateDir,
    jobs: PathBuf,
}

impl World {
    fn new() -> Self {
        let dir = StateDir::new();
        let jobs = dir.state.join("cron/jobs.json");
        fs::create_dir_all(jobs.parent().unwrap()).unwrap();
        fs::write(&jobs, JOBS).unwrap();
        World { dir, jobs }
    }

    fn text(&self) -> String {
        fs::read_to_string(&self.jobs).unwrap()
    }

    /// Runs a command line.
    fn run(&self, disk: &dyn Disk, life: u64, words: &[&str]) -> (Exit, String) {
        self.dir.run(disk, life, &[words, &["--gateway", "stopped"]].concat())
    }

    /// Leaves the marker out, as a verb would.
    fn cut(&self, disk: &dyn Disk, life: u64, gateway: &str, consent: &WriteArgs) -> Result<(), ApplyError> {
        let lives = Lives(life);
        let (host, progress, cancel) = (Host::current(), Progress::silent(), Cancel::new());
        let (system, request) = (host.system(), self.dir.request(&["cron", "--gateway", gateway]));
        let out: RefCell<Vec<u8>> = RefCell::default();
        let writer = Writer { disk, liveness: &lives, limits: limits() };
        let edge = Edge {
            host: &host,
            system: &system,
            request: &request,
            progress: &progress,
            cancel: &cancel,
            writer,
            out: &out,
        };
        let situation = discover::discover(&host, &request.whereabouts).unwrap();
        write::settle_leftovers(&edge, &situation, consent).unwrap();
        let jobs = Document::read(&self.jobs)?;
        let path = ["jobs", "a", "state", "runningAtMs"].map(str::to_owned).to_vec();
        let Ok(edit) = jobs.cut(&[Cut { path, rule: "cron-stuck-marker", family: "cron-job" }]) else {
            return Ok(());
        };
        let sources = jobs.file().map(|file| vec![file]);
        let summary = RunSummary { healed: 1, ..RunSummary::default() };
        document::put(&edge, &situation, consent, &jobs, &edit, (sources, summary)).map(|_| ())
    }

    /// Temporary files of ours, and locks.
    fn leftovers(&self) -> Vec<String> {
        let names = fs::read_dir(self.jobs.parent().unwrap()).unwrap();
        let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name != "jobs.json").collect()
    }
}

fn without() -> String {
    JOBS.replace(",\n        \"runningAtMs\": 1700000000225", "")
}

fn cut_everywhere(act: &dyn Fn(&World, &dyn Disk, u64), prepare: &dyn Fn(&World), before: &str, after: &str) {
    let whole = World::new();
    prepare(&whole);
    let disk = CrashDisk::new(&whole.dir.root);
    act(&whole, &disk, 1);
    assert_eq!(whole.text(), after);
    let steps = disk.steps();
    assert!(steps.len() > 10 && !steps.iter().any(|step| step.contains(".lock")), "{steps:?}");
    for (step, what) in steps.iter().enumerate() {
        for left in ways("cron") {
            let world = World::new();
            prepare(&world);
            let disk = CrashDisk::new(&world.dir.root).cut_at(step);
            act(&world, &disk, 1);
            disk.after_power_cut(left);
            let place = format!("cut at step {step}, {what}, {left:?}");
            let text = world.text();
            assert!(text == before || text == after, "{place}: {text}");
            act(&world, &RealDisk, 2);
            assert_eq!(world.text(), after, "{place}: the next start does not finish");
            assert_eq!(world.leftovers(), [""; 0], "{place}");
        }
    }
}

#[test]
fn an_edit_that_is_cut_anywhere_leaves_the_old_file_or_the_new_one_and_can_be_undone() {
    let cut = |world: &World, disk: &dyn Disk, life| {
        world.run(disk, life, &["cron", "--apply"]);
    };
    cut_everywhere(&cut, &|_| {}, JOBS, &without());
    let undo = |world: &World, disk: &dyn Disk, life| {
        world.run(disk, life, &["undo", "latest"]);
    };
    let prepare = |world: &World| world.cut(&RealDisk, 1, "stopped", &WriteArgs::default()).unwrap();
    cut_everywhere(&undo, &prepare, &without(), JOBS);
}

#[test]
fn no_edit_is_made_beside_a_gateway_or_without_knowing() {
    let world = World::new();
    let before = fs::metadata(&world.jobs).unwrap().modified().unwrap();
    for (gateway, consent) in [
        ("running", WriteArgs::default()),
        ("running", WriteArgs { live: true, assume_stopped: true, ..WriteArgs::default() }),
        ("unknown", WriteArgs { live: true, ..WriteArgs::default() }),
    ] {
        let refused = world.cut(&RealDisk, 1, gateway, &consent).unwrap_err();
        assert_eq!(refused.exit(), Exit::Busy, "{refused}");
    }
    assert_eq!(world.text(), JOBS);
    assert_eq!(fs::metadata(&world.jobs).unwrap().modified().unwrap(), before);
    assert!(!world.dir.root.join("state/sessions-doctor").exists());
    let assume = WriteArgs { assume_stopped: true, ..WriteArgs::default() };
    world.cut(&RealDisk, 1, "unknown", &assume).unwrap();
    assert_eq!(world.text(), without());
}

/// The real disk, on which somebody else writes to the list whenever a file is made beside it, so often.
struct Meddler<'a> {
    jobs: &'a Path,
    left: Cell<u32>,
}

impl Disk for Meddler<'_> {
    fn create(&self, path: &Path, mode: u32) -> DiskResult<Box<dyn DiskFile>> {
        let left = self.left.get();
        if path.parent() == self.jobs.parent() && left > 0 {
            self.left.set(left - 1);
            let text = fs::read_to_string(self.jobs).unwrap();
            let (front, back) = text.split_once("\"nextRunAtMs\": 1").unwrap();
            fs::write(self.jobs, format!("{front}\"nextRunAtMs\": 11{back}")).unwrap();
        }
        RealDisk.create(path, mode)
    }

    fn create_dir(&self, path: &Path, mode: u32) -> DiskResult<()> {
        RealDisk.create_dir(path, mode)
    }

    fn rename(&self, from: &Path, to: &Path) -> DiskResult<()> {
        RealDisk.rename(from, to)
    }

    fn rename_new(&self, from: &Path, to: &Path) -> DiskResult<()> {
        RealDisk.rename_new(from, to)
    }

    fn hard_link(&self, from: &Path, to: &Path) -> DiskResult<()> {
        RealDisk.hard_link(from, to)
    }

    fn reflink(&self, from: &File, to: &Path, mode: u32) -> DiskResult<bool> {
        RealDisk.reflink(from, to, mode)
    }

    fn set_owner(&self, path: &Path, uid: u32, gid: u32) -> DiskResult<()> {
        RealDisk.set_owner(path, uid, gid)
    }

    fn remove_file(&self, path: &Path) -> DiskResult<()> {
        RealDisk.remove_file(path)
    }

    fn remove_dir(&self, path: &Path) -> DiskResult<()> {
        RealDisk.remove_dir(path)
    }

    fn sync_dir(&self, path: &Path) -> DiskResult<()> {
        RealDisk.sync_dir(path)
    }

    fn free_space(&self, path: &Path) -> DiskResult<u64> {
        RealDisk.free_space(path)
    }
}

#[test]
fn what_somebody_writes_meanwhile_is_never_lost() {
    for (times, cleared) in [(1, true), (2, true), (3, false)] {
        let world = World::new();
        let meddler = Meddler { jobs: &world.jobs, left: Cell::new(times) };
        let (exit, said) = world.run(&meddler, 1, &["cron", "--apply"]);
        assert_eq!(exit, if cleared { Exit::Healthy } else { Exit::Busy }, "{said}");
        let text = world.text();
        let next = format!("\"nextRunAtMs\": {}1", "1".repeat(times as usize));
        assert!(text.contains(&next), "{text}");
        assert_eq!(text.contains("runningAtMs"), !cleared, "{text}");
        assert_eq!(world.leftovers(), [""; 0]);
        if cleared {
            let meddler = Meddler { jobs: &world.jobs, left: Cell::new(1) };
            let (exit, said) = world.run(&meddler, 1, &["undo", "latest"]);
            assert_eq!(exit, Exit::Healthy, "{said}");
            assert!(world.text().contains("runningAtMs") && world.text().contains(&format!("{}1", &next)));
        }
    }
}

#[test]
fn undo_merges_and_does_it_once() {
    let world = World::new();
    world.cut(&RealDisk, 1, "stopped", &WriteArgs::default()).unwrap();
    // OpenClaw wrote since: the file is another, the member still is missing.
    let now = without().replace("\"nextRunAtMs\": 1", "\"nextRunAtMs\": 99");
    fs::write(&world.jobs, &now).unwrap();
    let out = world.dir.root.join("out.json");
    let (exit, _) = world.run(&RealDisk, 2, &["undo", "latest", "--to", out.to_str().unwrap()]);
    let back = JOBS.replace("\"nextRunAtMs\": 1", "\"nextRunAtMs\": 99");
    assert_eq!((exit, fs::read_to_string(&out).unwrap()), (Exit::Healthy, back.clone()));
    assert_eq!(world.text(), now, "--to leaves it alone");
    let (exit, said) = world.run(&RealDisk, 2, &["undo", "latest"]);
    assert_eq!((exit, world.text()), (Exit::Healthy, back), "{said}");
    assert!(said.contains("Put back: 1."), "{said}");
    let identity = |path: &Path| fs::metadata(path).unwrap().modified().unwrap();
    let before = identity(&world.jobs);
    let (exit, said) = world.run(&RealDisk, 2, &["undo", "latest"]);
    assert!(exit == Exit::Healthy && said.contains("Nothing to put back"), "{said}");
    assert_eq!(identity(&world.jobs), before);
}

#[test]
fn a_newer_marker_is_not_overwritten_and_a_damaged_file_is_left_alone() {
    for (now, exit) in [
        (JOBS.replace(": 1700000000225", ": 1700000000226"), Exit::Healthy),
        (without().replace("\"id\": \"a\"", "\"id\": \"b\""), Exit::Healthy),
        ("{jobs: []}".to_owned(), Exit::Refused),
        (format!("{}\0\0", without()), Exit::Refused),
    ] {
        let world = World::new();
        world.cut(&RealDisk, 1, "stopped", &WriteArgs::default()).unwrap();
        fs::write(&world.jobs, &now).unwrap();
        let (came, said) = world.run(&RealDisk, 2, &["undo", "latest"]);
        assert_eq!(came, exit, "{said}");
        assert_eq!(world.text(), now);
    }
}
