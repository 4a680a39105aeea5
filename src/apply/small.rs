//! Small files of our own that lie among those of others, such as unit files: whole or not at all, under their name
//! or not at all.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::disk::{Disk, DiskResult};
use super::run_id::RunId;
use super::runs;

/// Writes a file that is not there; fails rather than replace one that appears meanwhile.
pub fn put_new(disk: &dyn Disk, path: &Path, text: &str, mode: u32) -> DiskResult<()> {
    let temp = write_temp(disk, path, text, mode)?;
    settle(disk, &temp, path, disk.rename_new(&temp, path))
}

/// Writes a file in the place of an old one.
pub fn put_over(disk: &dyn Disk, path: &Path, text: &str, mode: u32) -> DiskResult<()> {
    let temp = write_temp(disk, path, text, mode)?;
    settle(disk, &temp, path, disk.rename(&temp, path))
}

/// Removes a file, and says so durably.
pub fn take(disk: &dyn Disk, path: &Path) -> DiskResult<()> {
    disk.remove_file(path)?;
    disk.sync_dir(runs::parent(path))
}

/// Makes a directory and those above it, as far as they are missing.
pub fn make_dirs(disk: &dyn Disk, dir: &Path, mode: u32) -> DiskResult<()> {
    if dir.is_dir() {
        return Ok(());
    }
    let above = runs::parent(dir);
    if above != dir {
        make_dirs(disk, above, mode)?;
    }
    disk.create_dir(dir, mode)?;
    disk.sync_dir(above)
}

/// Removes a directory where nothing lies in it; it may be gone, or somebody else's files may need it.
pub fn remove_empty_dir(disk: &dyn Disk, dir: &Path) -> DiskResult<()> {
    match fs::read_dir(dir).map(|mut names| names.next().is_none()) {
        Ok(true) => disk.remove_dir(dir).and_then(|()| disk.sync_dir(runs::parent(dir))),
        _ => Ok(()),
    }
}

fn write_temp(disk: &dyn Disk, path: &Path, text: &str, mode: u32) -> DiskResult<PathBuf> {
    let stamp = RunId::next(SystemTime::now(), []);
    let temp = path.with_file_name(format!(".sessions-doctor.{stamp}-{}.tmp", std::process::id()));
    let mut file = disk.create(&temp, 0o600)?;
    let written =
        file.write_all(text.as_bytes()).and_then(|()| file.set_mode(mode)).and_then(|()| file.sync());
    settle_temp(disk, &temp, written).map(|()| temp)
}

fn settle(disk: &dyn Disk, temp: &Path, path: &Path, renamed: DiskResult<()>) -> DiskResult<()> {
    settle_temp(disk, temp, renamed)?;
    disk.sync_dir(runs::parent(path))
}

/// Leaves no temporary file behind a failure, which is the one to tell.
fn settle_temp(disk: &dyn Disk, temp: &Path, done: DiskResult<()>) -> DiskResult<()> {
    done.inspect_err(|_| {
        let _ = runs::remove_if_there(disk, temp);
    })
}

#[cfg(test)]
mod tests {
    use super::super::disk::RealDisk;
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_new_file_never_replaces_one_and_nothing_is_left_behind() {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("a/b");
        make_dirs(&RealDisk, &dir, 0o755).unwrap();
        make_dirs(&RealDisk, &dir, 0o755).unwrap();
        let path = dir.join("x.conf");
        put_new(&RealDisk, &path, "one", 0o644).unwrap();
        assert!(put_new(&RealDisk, &path, "two", 0o644).is_err());
        assert_eq!(fs::read(&path).unwrap(), b"one");
        put_over(&RealDisk, &path, "three", 0o644).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"three");
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o644);
        assert_eq!(fs::read_dir(&dir).unwrap().count(), 1);
        remove_empty_dir(&RealDisk, &dir).unwrap();
        take(&RealDisk, &path).unwrap();
        remove_empty_dir(&RealDisk, &dir).unwrap();
        remove_empty_dir(&RealDisk, &dir).unwrap();
        assert!(!dir.exists() && root.path().join("a").exists());
        assert!(put_new(&RealDisk, &path, "x", 0o644).is_err(), "its directory is gone");
    }
}
