//! The records directory and the runs in it.
//!
//! ```text
//! <state>/sessions-doctor/        0700   or <dir of the store>/.sessions-doctor/
//!   lock                          0600   the flock of our own processes
//!   runs/<run id>/                0700
//!     run.json  changes.ndjson    0600
//!     original                           the store as it was: a hard link, a reflink or a copy
//! ```
//!
//! A directory of a run without `run.json` is a preparation that was cut short, or one that is being taken
//! back: in both cases nothing in it is needed by anybody, because the record is made last and deleted first. When root works in somebody's state directory, what it makes there is theirs, so that their own
//! next run can read and lock it.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::changes;
use super::disk::{Disk, DiskError, DiskFile, DiskResult};
use super::run_id::RunId;
use super::run_record::{self, RunRecord, RunState};
use super::territory;
use crate::host::files;

/// Name of the original in the directory of a run.
pub const ORIGINAL: &str = "original";

/// Before the name of a run that is being deleted.
const DOOMED: &str = ".deleted-";

/// Where the records of a store lie: in the state directory that holds it, else beside it.
///
/// Links are resolved first; a store that is missing is judged by its directory.
pub fn records_dir(store: &Path, state_dir: Option<&Path>) -> DiskResult<PathBuf> {
    let told = |path: &Path| {
        let path = path.to_owned();
        move |cause| DiskError::new("resolve", &path, cause)
    };
    let dir = match fs::canonicalize(store) {
        Ok(real) => real.parent().unwrap_or(Path::new("/")).to_owned(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let dir = parent(store);
            fs::canonicalize(dir).map_err(told(dir))?
        }
        Err(error) => return Err(told(store)(error)),
    };
    let state = state_dir.and_then(|state| fs::canonicalize(state).ok());
    Ok(match state {
        Some(state) if dir.starts_with(&state) => state.join("sessions-doctor"),
        _ => dir.join(".sessions-doctor"),
    })
}

/// Where the runs lie.
pub fn runs_dir(records_dir: &Path) -> PathBuf {
    records_dir.join("runs")
}

/// The directory of a path; `.` for a bare name.
pub(super) fn parent(path: &Path) -> &Path {
    path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// A run that has a record.
#[derive(Clone, Debug)]
pub struct Run {
    /// Its name.
    pub id: RunId,
    /// Its directory.
    pub dir: PathBuf,
    /// Its record.
    pub record: RunRecord,
}

impl Run {
    /// Where the original is; only a run that is done has one, before that a hard link is the store itself.
    pub fn backup_path(&self) -> Option<PathBuf> {
        let backup = self.record.backup.as_ref()?;
        (self.record.state == RunState::Done).then(|| self.dir.join(&backup.path))
    }

    /// Size of the original, and of what was put aside in the directory of the run.
    pub fn backup_bytes(&self) -> u64 {
        let aside = self.record.steps.iter().filter_map(|step| step.to.clone());
        let aside = aside.filter(|to| to.starts_with(&self.dir));
        let sizes = self.backup_path().into_iter().chain(aside).filter_map(|path| fs::metadata(path).ok());
        sizes.map(|meta| meta.len()).sum()
    }
}

/// What lies in the records directory under a name of ours.
#[derive(Clone, Debug)]
pub enum Found {
    /// A run with its record.
    Run(Box<Run>),
    /// A directory without a record: cut short before anything was changed.
    Unfinished(RunId, PathBuf),
    /// A record that this program cannot read: it is left alone.
    Unreadable(RunId, PathBuf, String),
}

impl Found {
    /// Its name.
    pub fn id(&self) -> &RunId {
        match self {
            Found::Run(run) => &run.id,
            Found::Unfinished(id, _) | Found::Unreadable(id, _, _) => id,
        }
    }
}

/// All that lies in a records directory, oldest first; nothing where there is no such directory. Names that
/// are not ours are passed over.
pub fn list(records_dir: &Path) -> DiskResult<Vec<Found>> {
    let dir = runs_dir(records_dir);
    let mut found = Vec::new();
    for id in run_ids(&dir)? {
        let run_dir = dir.join(id.as_str());
        found.push(match load(records_dir, &id) {
            Ok(Some(run)) => Found::Run(Box::new(run)),
            Ok(None) => Found::Unfinished(id, run_dir),
            Err(error) => Found::Unreadable(id, run_dir, error.to_string()),
        });
    }
    Ok(found)
}

/// The runs with a readable record, oldest first.
pub fn list_runs(records_dir: &Path) -> DiskResult<Vec<Run>> {
    let runs = list(records_dir)?.into_iter().filter_map(|found| match found {
        Found::Run(run) => Some(*run),
        _ => None,
    });
    Ok(runs.collect())
}

/// One run; `None` where it has no record.
pub fn load(records_dir: &Path, id: &RunId) -> DiskResult<Option<Run>> {
    let dir = runs_dir(records_dir).join(id.as_str());
    let path = dir.join(run_record::FILE);
    let told = |cause| DiskError::new("read", &path, cause);
    let bytes = match files::read_regular(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other.map_err(told)?,
    };
    let mut record = RunRecord::parse(&bytes).map_err(|why| told(io::Error::other(why)))?;
    territory::adopt(&mut record, &territory::of(records_dir)?).map_err(|why| told(io::Error::other(why)))?;
    Ok(Some(Run { id: id.clone(), dir, record }))
}

/// Directories under a name of ours, oldest first.
fn run_ids(runs_dir: &Path) -> DiskResult<Vec<RunId>> {
    let mut ids: Vec<RunId> = names(runs_dir)?
        .iter()
        .filter_map(|name| RunId::parse(name.to_str()?))
        .filter(|id| runs_dir.join(id.as_str()).is_dir())
        .collect();
    ids.sort();
    Ok(ids)
}

/// The names in a directory; none where it is missing.
pub(super) fn names(dir: &Path) -> DiskResult<Vec<std::ffi::OsString>> {
    let told = |cause| DiskError::new("list", dir, cause);
    match fs::read_dir(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(told(error)),
        Ok(entries) => entries.map(|entry| entry.map(|entry| entry.file_name()).map_err(told)).collect(),
    }
}

/// Makes the directory of a new run, durable, under a name greater than all there.
pub(super) fn create_run(
    disk: &dyn Disk,
    records_dir: &Path,
    now: std::time::SystemTime,
) -> DiskResult<(RunId, PathBuf)> {
    let runs = runs_dir(records_dir);
    let existing: Vec<RunId> = names(&runs)?.iter().filter_map(|name| RunId::parse(name.to_str()?)).collect();
    let id = RunId::next(now, &existing);
    let dir = runs.join(id.as_str());
    create_private_dir(disk, &dir)?;
    disk.sync_dir(&runs)?;
    Ok((id, dir))
}

/// Makes a directory where it is missing. Its name is made durable even when it was there: the process that
/// made it may have died before it did that.
pub(super) fn ensure_dir(disk: &dyn Disk, path: &Path) -> DiskResult<()> {
    if path.is_symlink() {
        let cause = io::Error::other("it is a link, and records are only kept in a directory of our own");
        return Err(DiskError::new("use", path, cause));
    }
    match create_private_dir(disk, path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => {}
        other => other?,
    }
    disk.sync_dir(parent(path))
}

fn create_private_dir(disk: &dyn Disk, path: &Path) -> DiskResult<()> {
    disk.create_dir(path, 0o700)?;
    match owner_to_give(parent(path)) {
        Some((uid, gid)) => disk.set_owner(path, uid, gid),
        None => Ok(()),
    }
}

/// Makes a file of ours, 0600.
pub(super) fn create_private(disk: &dyn Disk, path: &Path) -> DiskResult<Box<dyn DiskFile>> {
    let mut file = disk.create(path, 0o600)?;
    if let Some((uid, gid)) = owner_to_give(parent(path)) {
        file.set_owner(uid, gid)?;
    }
    Ok(file)
}

/// Whom to give what root makes in `dir`.
fn owner_to_give(dir: &Path) -> Option<(u32, u32)> {
    if !rustix::process::geteuid().is_root() {
        return None;
    }
    let meta = fs::metadata(dir).ok()?;
    (meta.uid() != 0).then(|| (meta.uid(), meta.gid()))
}

/// Removes a file that may be gone already.
pub(super) fn remove_if_there(disk: &dyn Disk, path: &Path) -> DiskResult<()> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        _ => disk.remove_file(path),
    }
}

/// Takes back a run of which nothing was done: the record first, durably, so that a temporary file that
/// is gone never looks like one that was renamed; then `temp`, then the rest.
pub(super) fn discard(disk: &dyn Disk, run_dir: &Path, temp: Option<&Path>) -> DiskResult<()> {
    remove_if_there(disk, &run_dir.join(run_record::FILE))?;
    disk.sync_dir(run_dir)?;
    if let Some(temp) = temp {
        remove_if_there(disk, temp)?;
        // Durably, too: once the directory of its run is gone, nobody knows whose it is.
        disk.sync_dir(parent(temp))?;
    }
    for name in ["run.json.tmp", changes::FILE, ORIGINAL] {
        remove_if_there(disk, &run_dir.join(name))?;
    }
    disk.remove_dir(run_dir)?;
    disk.sync_dir(parent(run_dir))
}

/// Deletes a run with all that lies in its directory. It first gets a name that is no run's: from then on
/// there is no such run, and the next start deletes what a crash left of it.
pub(super) fn delete(disk: &dyn Disk, run_dir: &Path) -> DiskResult<()> {
    let name = run_dir.file_name().unwrap_or_default().to_string_lossy();
    let doomed = run_dir.with_file_name(format!("{DOOMED}{name}"));
    disk.rename(run_dir, &doomed)?;
    disk.sync_dir(parent(run_dir))?;
    delete_tree(disk, &doomed)
}

/// Finishes deletions that were cut short.
pub(super) fn delete_doomed(disk: &dyn Disk, records_dir: &Path) -> DiskResult<()> {
    let dir = runs_dir(records_dir);
    for name in names(&dir)? {
        if name
            .to_str()
            .and_then(|name| name.strip_prefix(DOOMED))
            .is_some_and(|id| RunId::parse(id).is_some())
        {
            delete_tree(disk, &dir.join(name))?;
        }
    }
    Ok(())
}

fn delete_tree(disk: &dyn Disk, dir: &Path) -> DiskResult<()> {
    for name in names(dir)? {
        let path = dir.join(name);
        let meta = fs::symlink_metadata(&path).map_err(|cause| DiskError::new("look at", &path, cause))?;
        if meta.is_dir() { delete_tree(disk, &path)? } else { disk.remove_file(&path)? }
    }
    disk.remove_dir(dir)
}

/// What a temporary file of ours in the place of a store is called.
pub(super) fn temp_name(id: &RunId) -> String {
    format!(".sessions-doctor.{id}.tmp")
}

/// What stands between the ends of such a name: a run id, or something else of ours.
pub(super) fn temp_tag(name: &OsStr) -> Option<&str> {
    name.to_str()?.strip_prefix(".sessions-doctor.")?.strip_suffix(".tmp")
}

#[cfg(test)]
mod tests {
    use super::super::disk::RealDisk;
    use super::*;
    use std::time::SystemTime;

    #[test]
    fn records_lie_in_the_state_directory_or_beside_the_store() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        let sessions = root.join("state/agents/main/sessions");
        fs::create_dir_all(&sessions).unwrap();
        std::os::unix::fs::symlink(root.join("state"), root.join("link")).unwrap();
        let inside = root.join("state/sessions-doctor");
        let store = root.join("link/agents/main/sessions/sessions.json");
        assert_eq!(
            records_dir(&store, Some(&root.join("state"))).unwrap(),
            inside,
            "missing, through a link"
        );
        fs::write(&store, "{}").unwrap();
        assert_eq!(records_dir(&store, Some(&root.join("link"))).unwrap(), inside);
        assert_eq!(records_dir(&store, None).unwrap(), sessions.join(".sessions-doctor"));
        let other = root.join("other");
        fs::create_dir(&other).unwrap();
        assert_eq!(records_dir(&store, Some(&other)).unwrap(), sessions.join(".sessions-doctor"));
        assert!(records_dir(&root.join("none/sessions.json"), None).is_err());
    }

    #[test]
    fn foreign_and_unfinished_directories_are_told_apart() {
        let dir = tempfile::tempdir().unwrap();
        let records = dir.path();
        assert!(list(records).unwrap().is_empty());
        let runs = runs_dir(records);
        fs::create_dir_all(runs.join("lost+found")).unwrap();
        fs::write(runs.join("20300101T000000.000Z-0001"), "a file").unwrap();
        let (first, _) = create_run(&RealDisk, records, SystemTime::UNIX_EPOCH).unwrap();
        assert_eq!(first.as_str(), "20300101T000000.000Z-0002", "after every name there, a file's too");
        let (second, path) = create_run(&RealDisk, records, SystemTime::UNIX_EPOCH).unwrap();
        fs::write(path.join("run.json"), "{\"version\": 7}").unwrap();
        let found = list(records).unwrap();
        assert!(matches!(&found[0], Found::Unfinished(id, _) if *id == first));
        assert!(matches!(&found[1], Found::Unreadable(id, _, why) if *id == second && why.contains("7")));
        assert!(load(records, &second).is_err());
    }
}
