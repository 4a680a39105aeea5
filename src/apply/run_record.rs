//! `run.json`: what a run is about to do, and later that it did it.
//!
//! Written as a whole each time (temporary file, fsync, rename, fsync of the directory), so a reader finds
//! the old state or the new one. Members that a later version adds are kept when the state is rewritten.
//!
//! Paths are absolute and stand as strings. One that is not UTF-8 is written as `bytes:` and its bytes in
//! hex; an absolute path begins with `/`, so the two cannot be mistaken for each other and nothing is lost.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::disk::{Disk, DiskError, DiskResult};
use super::fingerprint::Fingerprint;
use super::runs;
use crate::model::Millis;

/// The version of the format that this program writes, and the only one that it acts on.
pub const VERSION: u32 = 1;

/// The file in the directory of a run.
pub const FILE: &str = "run.json";

/// What a run is about to do, or did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RunRecord {
    /// Of the format.
    pub version: u32,
    /// Who wrote it.
    pub tool: Tool,
    /// The verb, e.g. `prune`.
    pub command: String,
    /// How far it came.
    pub state: RunState,
    /// The real clock at the start.
    pub started_at: Millis,
    /// What kind of thing it changes.
    #[serde(default, skip_serializing_if = "Subject::is_store")]
    pub subject: Subject,
    /// The store, or the document, links resolved; of a run about files, what they lie beside.
    #[serde(with = "path_text")]
    pub store: PathBuf,
    /// The directory that the records stood for when this one was made; paths are relative to it in spirit.
    #[serde(default, with = "optional_path_text")]
    pub root: Option<PathBuf>,
    /// In numbers.
    #[serde(default)]
    pub summary: RunSummary,
    /// In the order in which they are done.
    pub steps: Vec<Step>,
    /// The original; none where there was no store before.
    #[serde(default)]
    pub backup: Option<Backup>,
    /// What a later version added.
    #[serde(flatten)]
    pub rest: serde_json::Map<String, serde_json::Value>,
}

/// What a run changes, and so how it is undone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Subject {
    /// A store: entries go back into it.
    #[default]
    Store,
    /// A small document of OpenClaw's that is no store: members go back into it. OpenClaw has no lock for it.
    Document,
    /// Files as a whole: they go back to their places.
    Files,
}

impl Subject {
    fn is_store(&self) -> bool {
        *self == Subject::Store
    }
}

/// Who wrote a record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tool {
    /// `sessions-doctor`.
    pub name: String,
    /// Its version.
    pub version: String,
}

impl Tool {
    /// This program.
    pub fn this() -> Self {
        Tool { name: env!("CARGO_PKG_NAME").to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() }
    }
}

/// How far a run came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RunState {
    /// The record is durable; the steps may or may not have begun.
    Intended,
    /// All steps are done, or what could be of them.
    Done,
    /// None is.
    RolledBack,
}

/// A run in numbers; entries, and bytes of the store.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RunSummary {
    /// Entries removed.
    pub removed: u64,
    /// Entries healed.
    pub healed: u64,
    /// Overridden duplicates dropped.
    pub dropped: u64,
    /// Entries slimmed.
    pub slimmed: u64,
    /// Entries put back or recovered.
    pub restored: u64,
    /// Files moved, renamed or deleted.
    #[serde(skip_serializing_if = "is_none")]
    pub files: u64,
    /// Of the removed ones, those that were no run records.
    pub removed_other_than_run_records: u64,
    /// Size before.
    pub bytes_before: u64,
    /// Size after.
    pub bytes_after: u64,
}

fn is_none(count: &u64) -> bool {
    *count == 0
}

/// One change of the file system; each can be done again, or found done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// What is done.
    pub op: StepOp,
    /// To what: the temporary file of a `replace`.
    #[serde(with = "path_text")]
    pub from: PathBuf,
    /// Where to; none for `remove`.
    #[serde(with = "optional_path_text", default)]
    pub to: Option<PathBuf>,
    /// What was there before: at `to` for `replace` (none if there was nothing), at `from` for the others.
    pub before: Option<Fingerprint>,
    /// What is at `to` afterwards; none for `remove`.
    pub after: Option<Fingerprint>,
}

/// What a [`Step`] does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StepOp {
    /// Puts the temporary file `from` in the place of `to`.
    Replace,
    /// Gives `from` the name `to`, which nothing has.
    Rename,
    /// Gives `from` a second name `to`, which nothing has.
    Link,
    /// Removes `from`.
    Remove,
}

/// Where the original is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backup {
    /// Relative to the directory of the run, so that a state directory may be moved.
    #[serde(with = "path_text")]
    pub path: PathBuf,
    /// How it was made.
    pub how: BackupHow,
}

/// How an original was kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BackupHow {
    /// The old inode under a second name.
    Link,
    /// A copy that shares its blocks.
    Reflink,
    /// A copy.
    Copy,
    /// A store of nothing but the entries that runs took out or changed; see [`share`](super::share).
    Extract,
}

impl RunRecord {
    /// Writes it into the directory of its run; durable when this returns.
    pub fn write(&self, disk: &dyn Disk, run_dir: &Path) -> DiskResult<()> {
        let path = run_dir.join(FILE);
        let temp = run_dir.join("run.json.tmp");
        let text = serde_json::to_vec_pretty(self);
        let mut text = text.map_err(|error| DiskError::new("write", &path, error.into()))?;
        text.push(b'\n');
        runs::remove_if_there(disk, &temp)?;
        let mut file = runs::create_private(disk, &temp)?;
        file.write_all(&text)?;
        file.sync()?;
        disk.rename(&temp, &path)?;
        disk.sync_dir(run_dir)
    }

    /// Reads one; the error says why it is none of ours, or none of this version.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        #[derive(Deserialize)]
        struct Head {
            version: u32,
        }
        let head: Head = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        if head.version != VERSION {
            return Err(format!("its version is {}, this program knows {VERSION}", head.version));
        }
        serde_json::from_slice(bytes).map_err(|error| error.to_string())
    }

    /// Whether the original of the run holds what may be missed: anything but run records that were taken out, or
    /// what was left of a damaged store, or files that were put aside.
    pub fn is_precious(&self) -> bool {
        self.summary.removed_other_than_run_records > 0
            || matches!(self.command.as_str(), "recover" | "sweep")
    }
}

/// A path as text, and back.
fn to_text(path: &Path) -> String {
    match path.to_str() {
        Some(text) => text.to_owned(),
        None => {
            let hex = path.as_os_str().as_bytes().iter().map(|byte| format!("{byte:02x}"));
            format!("bytes:{}", hex.collect::<String>())
        }
    }
}

fn from_text(text: &str) -> Option<PathBuf> {
    let Some(hex) = text.strip_prefix("bytes:") else {
        return Some(PathBuf::from(text));
    };
    let pairs = hex.as_bytes().chunks(2);
    let bytes: Option<Vec<u8>> = pairs
        .map(|pair| std::str::from_utf8(pair).ok().filter(|pair| pair.len() == 2))
        .map(|pair| u8::from_str_radix(pair?, 16).ok())
        .collect();
    Some(PathBuf::from(OsString::from_vec(bytes?)))
}

mod path_text {
    use super::*;

    pub fn serialize<S: Serializer>(path: &Path, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_str(&to_text(path))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(input: D) -> Result<PathBuf, D::Error> {
        let text = String::deserialize(input)?;
        from_text(&text).ok_or_else(|| serde::de::Error::custom("not the hex of a path"))
    }
}

mod optional_path_text {
    use super::*;

    pub fn serialize<S: Serializer>(path: &Option<PathBuf>, out: S) -> Result<S::Ok, S::Error> {
        path.as_deref().map(to_text).serialize(out)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(input: D) -> Result<Option<PathBuf>, D::Error> {
        let text = Option::<String>::deserialize(input)?;
        let path = text.map(|text| from_text(&text).ok_or("not the hex of a path"));
        path.transpose().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(store: PathBuf) -> RunRecord {
        RunRecord {
            version: VERSION,
            subject: Subject::Store,
            root: None,
            tool: Tool { name: "sessions-doctor".into(), version: "0.1.0".into() },
            command: "prune".into(),
            state: RunState::Intended,
            started_at: 1,
            store: store.clone(),
            summary: RunSummary::default(),
            steps: vec![Step { op: StepOp::Remove, from: store, to: None, before: None, after: None }],
            backup: None,
            rest: serde_json::Map::new(),
        }
    }

    #[test]
    fn any_path_comes_back_as_it_went() {
        for bytes in [&b"/a/b.json"[..], b"/caf\xc3\xa9", b"/not\xff/utf8", b"/bytes:2f"] {
            let store = PathBuf::from(OsString::from_vec(bytes.to_vec()));
            let text = serde_json::to_vec(&record(store.clone())).unwrap();
            let read = RunRecord::parse(&text).unwrap();
            assert_eq!((&read.store, &read.steps[0].from), (&store, &store));
        }
        assert_eq!(from_text("bytes:2f6"), None);
    }

    #[test]
    fn unknown_members_survive_and_other_versions_are_left_alone() {
        let mut value = serde_json::to_value(record("/s".into())).unwrap();
        value["later"] = serde_json::json!({"x": 1});
        let read = RunRecord::parse(value.to_string().as_bytes()).unwrap();
        assert_eq!(serde_json::to_value(&read).unwrap(), value);
        assert_eq!(value["state"], "intended");
        assert_eq!(value["summary"]["removedOtherThanRunRecords"], 0);
        value["version"] = 2.into();
        assert!(RunRecord::parse(value.to_string().as_bytes()).unwrap_err().contains("version is 2"));
    }
}
