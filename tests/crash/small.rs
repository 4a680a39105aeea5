//! Prevents: a unit file that is half written, or that is said to be there and is gone after a power cut.

use std::fs;
use std::path::Path;

use crate::disk::{CrashDisk, Left};
use sessions_doctor::apply::disk::DiskResult;
use sessions_doctor::apply::{Disk, RealDisk, small};

const WAYS: [Left; 5] = [
    Left::Everything,
    Left::OnlyDurable,
    Left::NamesAndEmptyFiles,
    Left::NamesAndNuls,
    Left::NamesAndHalfFiles,
];

const NEW: &str = "[Service]\nExecStartPre=-/bin/sessions-doctor guard\n";

/// What is done for a file that is not there, and for one that is.
fn put(disk: &dyn Disk, path: &Path) -> DiskResult<()> {
    if path.exists() {
        return small::put_over(disk, path, NEW, 0o644);
    }
    small::make_dirs(disk, path.parent().unwrap(), 0o755)?;
    small::put_new(disk, path, NEW, 0o644)
}

/// Loses power before step `cut`; tells whether all was done before.
fn lose_power(old: Option<&str>, left: Left, cut: usize) -> bool {
    let dir = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
    let root = dir.path().canonicalize().unwrap();
    let path = root.join("user/openclaw-gateway.service.d/50-sessions-doctor.conf");
    if let Some(old) = old {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, old).unwrap();
    }
    let disk = CrashDisk::new(&root).cut_at(cut);
    let done = put(&disk, &path).is_ok();
    disk.after_power_cut(left);
    let lies = fs::read_to_string(&path).ok();
    let whole = lies.as_deref() == Some(NEW) || !done && lies.as_deref() == old;
    assert!(whole, "{old:?}, {left:?}, before step {cut}, done: {done}: {lies:?}");
    // Names of temporary files tell milliseconds and processes apart, and this is one process.
    std::thread::sleep(std::time::Duration::from_millis(2));
    put(&RealDisk, &path).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), NEW);
    done
}

#[test]
fn a_unit_is_the_old_one_or_the_new_one_wherever_power_is_lost() {
    for old in [None, Some("[Service]\n")] {
        for left in WAYS {
            let steps = (0..100).take_while(|&cut| !lose_power(old, left, cut)).count();
            assert!((5..20).contains(&steps), "{steps} steps");
        }
    }
}
