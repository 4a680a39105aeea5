//! What `guard` remembers from one start to the next: when it was started, and what the world looked like when it had
//! nothing left to do.
//!
//! Nothing hangs on it: what is lost or unreadable is as good as never written, so it is not made durable.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::disk::{Disk, DiskResult};
use super::identity::Identity;
use super::runs;
use crate::host::files;
use crate::model::Millis;

/// The file in the records directory.
const FILE: &str = "guard.json";

/// The version of the format.
const VERSION: u32 = 1;

/// So many starts are remembered.
const STARTS: usize = 64;

/// What one start leaves for the next.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Memory {
    version: u32,
    /// By the real clock, the last one last.
    pub starts: Vec<Millis>,
    /// When nothing was left to do, by the real clock; `None` where something was.
    pub settled_at: Option<Millis>,
    /// The options under which that was so.
    pub options: String,
    /// What the world looked like then.
    pub world: World,
    /// What was said of each store then.
    pub told: Vec<Told>,
    /// What was done last.
    pub last_action: Option<Deed>,
}

/// What was said of a store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// The store.
    pub path: String,
    /// How much it matters, by the numbers of syslog.
    pub priority: u8,
    /// In words.
    pub text: String,
}

/// What was done to a store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deed {
    /// The store.
    pub path: String,
    /// By the real clock.
    pub at: Millis,
    /// In words.
    pub text: String,
}

/// Files by how they show that they were changed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct World(BTreeMap<String, String>);

impl World {
    /// Looks at files; one that is not there is part of the world as well.
    pub fn of(paths: impl Iterator<Item = PathBuf>) -> Self {
        let print = |path: &Path| match Identity::at(path) {
            Ok(Some(file)) => {
                format!("{}:{}:{}:{}:{}", file.dev, file.ino, file.size, file.mtime, file.ctime)
            }
            Ok(None) => "none".to_owned(),
            // Never the same as anything that was remembered.
            Err(error) => format!("? {error} {:?}", std::time::Instant::now()),
        };
        World(paths.map(|path| (path.display().to_string(), print(&path))).collect())
    }
}

impl Memory {
    /// What the last start left; nothing where that cannot be read.
    pub fn read(records_dir: &Path) -> Self {
        let bytes = files::read_regular(&path(records_dir)).unwrap_or_default();
        let read: Memory = serde_json::from_slice(&bytes).unwrap_or_default();
        if read.version == VERSION { read } else { Memory::default() }
    }

    /// Remembers a start.
    pub fn started(&mut self, at: Millis) {
        self.starts.push(at);
        let surplus = self.starts.len().saturating_sub(STARTS);
        self.starts.drain(..surplus);
    }

    /// Starts since `since` that are not in the future.
    pub fn starts_since(&self, since: Millis, now: Millis) -> usize {
        self.starts.iter().filter(|&&at| at >= since && at <= now).count()
    }

    /// Leaves it to the next start.
    pub fn keep(&self, disk: &dyn Disk, records_dir: &Path) -> DiskResult<()> {
        runs::ensure_dir(disk, records_dir)?;
        let (path, temp) = (path(records_dir), records_dir.join("guard.json.tmp"));
        let kept = Memory { version: VERSION, ..self.clone() };
        let text = serde_json::to_vec(&kept);
        let text = text.map_err(|error| super::DiskError::new("write", &path, error.into()))?;
        runs::remove_if_there(disk, &temp)?;
        runs::create_private(disk, &temp)?.write_all(&text)?;
        disk.rename(&temp, &path)
    }
}

fn path(records_dir: &Path) -> PathBuf {
    records_dir.join(FILE)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::apply::RealDisk;

    #[test]
    fn what_is_kept_comes_back_and_anything_else_is_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let records = dir.path().join("sessions-doctor");
        assert_eq!(Memory::read(&records), Memory::default());
        let mut memory = Memory { settled_at: Some(7), options: "x".into(), ..Memory::default() };
        (0..100).for_each(|at| memory.started(at));
        memory.keep(&RealDisk, &records).unwrap();
        memory.keep(&RealDisk, &records).unwrap();
        let read = Memory::read(&records);
        assert_eq!((read.settled_at, read.starts.len(), read.starts[0]), (Some(7), 64, 36));
        assert_eq!((read.starts_since(90, 200), read.starts_since(90, 95)), (10, 6));
        for broken in ["", "{", "[]", r#"{"version": 2, "starts": [1]}"#] {
            fs::write(records.join(FILE), broken).unwrap();
            assert_eq!(Memory::read(&records), Memory::default(), "{broken}");
        }
    }

    #[test]
    fn a_world_is_another_once_a_file_is() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("store");
        let look = || World::of(std::iter::once(path.clone()));
        let none = look();
        assert_eq!(look(), none);
        fs::write(&path, "{}").unwrap();
        let there = look();
        assert!(there != none && there == look());
        std::thread::sleep(std::time::Duration::from_millis(20));
        fs::write(&path, "[]").unwrap();
        assert_ne!(look(), there);
    }
}
