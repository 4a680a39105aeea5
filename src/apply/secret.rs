//! The key of `--redact`: made once for an installation, readable by its owner alone.

use std::path::Path;

use super::disk::{Disk, DiskResult};
use super::runs;

/// Writes `key` to `path` in the records directory, which is made where it is missing. An existing file stays.
pub fn keep(disk: &dyn Disk, path: &Path, key: &[u8]) -> DiskResult<()> {
    let dir = runs::parent(path);
    runs::ensure_dir(disk, dir)?;
    let mut file = runs::create_private(disk, path)?;
    file.write_all(key)?;
    file.sync()?;
    disk.sync_dir(dir)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::MetadataExt;

    use super::*;
    use crate::apply::RealDisk;

    #[test]
    fn a_key_is_kept_once_and_for_its_owner_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("sessions-doctor/redact.key");
        keep(&RealDisk, &path, b"first").unwrap();
        assert!(keep(&RealDisk, &path, b"second").is_err());
        assert_eq!(fs::read(&path).unwrap(), b"first");
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
    }
}
