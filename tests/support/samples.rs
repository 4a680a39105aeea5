//! The real state directories of `testdata/`, with the answers written by hand beside them.

#![allow(dead_code, reason = "every test binary that includes this uses a part of it")]

use std::path::{Path, PathBuf};

use serde::Deserialize;

/// The samples, relative to `testdata/`.
pub const SAMPLES: [&str; 3] = [
    "openclaw-2026.3.28/cron-model-failure",
    "openclaw-2026.3.28/normal-then-crash",
    "openclaw-2026.5.12/normal-then-crash",
];

/// An `expected.toml`; see `testdata/README.md`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sample {
    /// What to pass as `--now`.
    pub now: String,
    /// What to pass as `--gateway`.
    pub gateway: String,
    /// The store, relative to the state directory.
    pub store: PathBuf,
    /// A row for each entry, in the order of the store.
    pub entry: Vec<Entry>,
    /// How many of what.
    pub counts: Counts,
    /// The store after `prune --apply`.
    pub after: After,
}

/// What must be said of one entry.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The key.
    pub key: String,
    /// Its family.
    pub family: String,
    /// The rule's class.
    pub class: String,
    /// The rule.
    pub rule: String,
    /// `keep`, `remove` or `heal`.
    pub action: String,
    /// `certain`, `likely`, or `None` for the rule `live`.
    pub confidence: Option<String>,
    /// The first protection that holds.
    pub protected_by: Option<String>,
    /// What healing changes, in order.
    #[serde(default)]
    pub edit: Vec<Edit>,
}

/// One member that healing changes; values as JSON text.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Edit {
    /// The member's name.
    pub field: String,
    /// Before; `None` where absent.
    pub old: Option<String>,
    /// After.
    pub new: String,
}

/// Counts of entries.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Counts {
    /// All.
    pub total: u64,
    /// Healed ones included.
    pub kept: u64,
    /// Removed.
    pub removed: u64,
    /// Healed.
    pub healed: u64,
}

/// The store after `prune --apply`, as Node writes it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct After {
    /// Its size.
    pub bytes: u64,
    /// Its SHA-256, 64 hex digits.
    pub sha256: String,
}

/// Where a sample lies.
pub fn directory(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("testdata").join(name)
}

/// The answers for a sample.
///
/// # Panics
///
/// Where its `expected.toml` is missing or says something else than answers.
pub fn expected(name: &str) -> Sample {
    let path = directory(name).join("expected.toml");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Copies a sample to a place where it may be changed, with the modes that a clone loses; times become the present.
///
/// # Errors
///
/// Where something cannot be copied.
pub fn copy(name: &str, to: &Path) -> std::io::Result<()> {
    copy_tree(&directory(name), to)
}

fn copy_tree(from: &Path, to: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_tree(&entry.path(), &target)?;
        } else if entry.file_name() != "expected.toml" {
            std::fs::copy(entry.path(), &target)?;
            let transcript = target.extension().is_some_and(|end| end == "jsonl" || end == "lock")
                && target.parent().is_some_and(|parent| parent.ends_with("sessions"));
            let mode = if transcript { 0o644 } else { 0o600 };
            std::fs::set_permissions(&target, std::fs::Permissions::from_mode(mode))?;
        }
    }
    Ok(())
}
