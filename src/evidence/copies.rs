//! Files that may still hold entries which a store has lost: rotations, and what interrupted writes left.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::model::Millis;
use crate::openclaw::layout::{self, FileKind};

/// What a copy of a store is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CopyKind {
    /// The store itself.
    Store,
    /// `<store>.bak.<ms>`, from when OpenClaw rotated stores by size.
    Rotation,
    /// What an interrupted atomic write left.
    Temporary,
    /// The original that a run of ours kept.
    Backup,
}

impl CopyKind {
    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            CopyKind::Store => "store",
            CopyKind::Rotation => "rotation",
            CopyKind::Temporary => "temporary",
            CopyKind::Backup => "backup",
        }
    }
}

/// A file that holds entries of a store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreCopy {
    /// Where it lies.
    pub path: PathBuf,
    /// What it is.
    pub kind: CopyKind,
    /// When its content was the store's: for a rotation as its name says, else its time of modification.
    pub written: Millis,
}

/// The copies that lie beside a store, the newest first.
pub fn beside(store: &Path) -> io::Result<Vec<StoreCopy>> {
    let (Some(dir), Some(name)) = (store.parent(), store.file_name()) else { return Ok(Vec::new()) };
    let name = name.to_string_lossy();
    let listed = match fs::read_dir(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other?,
    };
    let mut copies = Vec::new();
    for entry in listed {
        let entry = entry?;
        let Ok(file) = entry.file_name().into_string() else { continue };
        let kind = layout::classify(&file, &name);
        // Gone since it was listed, or nothing that holds bytes: no copy.
        let metadata = || entry.metadata().ok().filter(fs::Metadata::is_file);
        let copy = match kind {
            FileKind::Rotation { at_ms } => metadata().map(|_| (CopyKind::Rotation, at_ms)),
            FileKind::StoreTemp => metadata().map(|metadata| (CopyKind::Temporary, modified(&metadata))),
            _ => None,
        };
        copies.extend(copy.map(|(kind, written)| StoreCopy { path: entry.path(), kind, written }));
    }
    sort(&mut copies);
    Ok(copies)
}

/// The newest first; the name decides where two are of the same time.
pub fn sort(copies: &mut [StoreCopy]) {
    copies.sort_by(|a, b| b.written.cmp(&a.written).then_with(|| a.path.cmp(&b.path)));
}

/// When a file was last written to, in epoch milliseconds.
pub fn modified(metadata: &fs::Metadata) -> Millis {
    metadata.mtime().saturating_mul(1000).saturating_add(metadata.mtime_nsec() / 1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rotations_and_temporary_files_are_found_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let id = "0f908179-10f4-42bd-9ae3-d5d2feb993a0";
        let temp = format!("sessions.json.{id}.tmp");
        for name in ["sessions.json", "sessions.json.bak.17", "sessions.json.bak.4", &temp, "x.jsonl"] {
            fs::write(dir.path().join(name), "{}").unwrap();
        }
        fs::create_dir(dir.path().join("sessions.json.bak.99")).unwrap();
        let copies = beside(&dir.path().join("sessions.json")).unwrap();
        let told: Vec<_> =
            copies.iter().map(|copy| (copy.path.file_name().unwrap().to_str().unwrap(), copy.kind)).collect();
        assert_eq!(
            told,
            [
                (temp.as_str(), CopyKind::Temporary),
                ("sessions.json.bak.17", CopyKind::Rotation),
                ("sessions.json.bak.4", CopyKind::Rotation),
            ]
        );
        assert!(beside(&dir.path().join("none/sessions.json")).unwrap().is_empty());
    }
}
