//! The answer that a generated store must get, known by construction: `expected.jsonl`, a line for each entry.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use serde::{Deserialize, Serialize};

/// What a rule's name or a protection is where the contract leaves it open.
pub const OPEN: &str = "?";

/// What must be said of one entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Expected {
    /// The key, decoded.
    pub key: String,
    /// `keep`, `remove` or `heal`.
    pub action: String,
    /// The rule id.
    pub rule: String,
    /// The rule's class; `live` for the rule `live`.
    pub class: String,
    /// `certain`, `likely`, or `None` for the rule `live`.
    pub confidence: Option<String>,
    /// The entry's sessionId.
    pub session_id: Option<String>,
    /// From the key's opening quote to the value's last byte.
    pub bytes: u64,
    /// Which part of the shape it belongs to.
    pub group: String,
    /// The key's family; [`OPEN`] where the contract leaves it open.
    pub family: String,
    /// The first protection that holds, or `None`; [`OPEN`] where the contract leaves it open (which includes none).
    pub protected_by: Option<String>,
    /// What healing changes, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub edits: Vec<Edit>,
}

/// One member that healing changes; values as JSON text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edit {
    /// The member's name.
    pub field: String,
    /// Before; `None` where absent.
    pub old: Option<String>,
    /// After.
    pub new: String,
}

/// Entries and their bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Entries.
    pub entries: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// Sums over a store's answers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// All entries.
    pub total: u64,
    /// Entries that stay, healed ones included.
    pub kept: u64,
    /// Entries that go.
    pub removed: u64,
    /// Entries that are healed.
    pub healed: u64,
    /// Size of the store file; 0 for a summary of lines alone.
    pub store_bytes: u64,
    /// By action.
    pub actions: BTreeMap<String, Tally>,
    /// By rule, whatever is done about it.
    pub rules: BTreeMap<String, Tally>,
    /// By class, whatever is done about it.
    pub classes: BTreeMap<String, Tally>,
    /// By family.
    pub families: BTreeMap<String, Tally>,
    /// Entries removed, by family.
    pub removed_by_family: BTreeMap<String, Tally>,
    /// By group of the shape.
    pub groups: BTreeMap<String, Tally>,
}

impl Summary {
    /// Sums up answers.
    pub fn of<'a>(answers: impl IntoIterator<Item = &'a Expected>) -> Self {
        let mut summary = Self::default();
        answers.into_iter().for_each(|answer| summary.add(answer));
        summary
    }

    /// Counts one more answer.
    pub fn add(&mut self, answer: &Expected) {
        self.total += 1;
        match answer.action.as_str() {
            "remove" => self.removed += 1,
            "heal" => (self.kept, self.healed) = (self.kept + 1, self.healed + 1),
            _ => self.kept += 1,
        }
        let count = |map: &mut BTreeMap<String, Tally>, name: &str| {
            let tally = match map.get_mut(name) {
                Some(tally) => tally,
                None => map.entry(name.to_owned()).or_default(),
            };
            tally.entries += 1;
            tally.bytes += answer.bytes;
        };
        count(&mut self.actions, &answer.action);
        count(&mut self.rules, &answer.rule);
        count(&mut self.classes, &answer.class);
        count(&mut self.families, &answer.family);
        count(&mut self.groups, &answer.group);
        if answer.action == "remove" {
            count(&mut self.removed_by_family, &answer.family);
        }
    }
}

/// The answers of an `expected.jsonl`, one at a time and in the order of the store.
///
/// # Panics
///
/// Where the file cannot be opened, or (while iterating) where a line is no answer.
pub fn read(path: &Path) -> impl Iterator<Item = Expected> {
    let file = File::open(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    BufReader::new(file).lines().map(|line| {
        let line = line.expect("a readable line of expected.jsonl");
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{line}: {error}"))
    })
}
