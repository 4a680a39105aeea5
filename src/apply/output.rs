//! `--output FILE`: the new store as a file of its own, whole or not at all.

use std::fs::File;
use std::path::Path;
use std::time::SystemTime;

use super::cancel::Cancel;
use super::disk::Disk;
use super::error::ApplyError;
use super::fingerprint::Fingerprint;
use super::run_id::RunId;
use super::runs;
use super::write::write_pieces;
use crate::model::plan::PieceTable;

/// Writes `pieces` to `path`, which must not exist: nothing is there before the file is whole and durable,
/// and nothing that appears meanwhile is replaced.
pub fn write_output(
    disk: &dyn Disk,
    path: &Path,
    pieces: &PieceTable,
    sources: &[File],
    mode: u32,
    cancel: &Cancel,
) -> Result<Fingerprint, ApplyError> {
    if path.is_dir() {
        let cause = std::io::Error::from(std::io::ErrorKind::IsADirectory);
        return Err(super::disk::DiskError::new("write", path, cause).into());
    }
    if path.symlink_metadata().is_ok() {
        return Err(exists(path));
    }
    let stamp = RunId::next(SystemTime::now(), []);
    let temp = path.with_file_name(format!(".sessions-doctor.{stamp}-{}.tmp", std::process::id()));
    let mut file = disk.create(&temp, 0o600)?;
    let written = write_pieces(file.as_mut(), sources, pieces, cancel)
        .map_err(|error| error.into_io(sources))
        .and_then(|print| {
            file.set_mode(mode)?;
            file.sync()?;
            match disk.rename_new(&temp, path) {
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Err(exists(path)),
                other => Ok(other.map(|()| print)?),
            }
        });
    match written {
        Ok(print) => disk.sync_dir(runs::parent(path)).map(|()| print).map_err(ApplyError::from),
        Err(error) => {
            // The first error is the one to tell.
            let _ = runs::remove_if_there(disk, &temp);
            Err(error)
        }
    }
}

fn exists(path: &Path) -> ApplyError {
    ApplyError::Exists(path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::super::disk::RealDisk;
    use super::*;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_new_file_is_whole_and_an_old_one_stays() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("pruned.json");
        let mut table = PieceTable::new();
        table.literal(b"{}");
        let write = |table: &PieceTable| write_output(&RealDisk, &path, table, &[], 0o640, &Cancel::new());
        assert_eq!(write(&table).unwrap().size, 2);
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o640);
        table.literal(b"more");
        assert!(matches!(write(&table), Err(ApplyError::Exists(_))));
        assert_eq!(fs::read(&path).unwrap(), b"{}");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "no temporary file is left");
    }
}
