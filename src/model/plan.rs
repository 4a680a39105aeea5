//! What a plan does to a store, for whoever writes it: the pieces of the new file, and what is told about every
//! entry that it changes.

use serde::{Deserialize, Serialize};

pub use super::pieces::{Piece, PieceTable, SourceId};

/// What a run did to one entry; a line of `changes.ndjson`, and what `undo` works from.
///
/// Keys and values are the JSON text as it stands in the file (`"…"` with its quotes and escapes), so that
/// nothing is lost of lone surrogates or odd spellings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChangeRecord {
    /// The key, as raw JSON text in the backup; of a document that is no store, the path as a JSON array of names.
    pub key: String,
    /// `remove`, `drop`, `heal`, `slim`, `restore`, `recover`, or `set-aside` for bytes that no entry is made of.
    pub action: String,
    /// The rule that asked for it.
    pub rule: String,
    /// The family of the key, e.g. `run-record`.
    pub family: String,
    /// The file that a recovered entry came from; `None`: the store.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Key (raw JSON text) of the nearest entry before it that the run kept; `None` at the front.
    pub before: Option<String>,
    /// Key (raw JSON text) of the nearest entry after it that the run kept; `None` at the end.
    pub after: Option<String>,
    /// The member's bytes in the backup, from the key's opening quote to the value's last byte.
    pub start: u64,
    /// One past the value's last byte in the backup.
    pub end: u64,
    /// What was changed inside the entry; empty for an entry that went whole.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub edits: Vec<EditRecord>,
}

/// One member of an entry that a run changed, as raw JSON text; `None` where the member was absent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EditRecord {
    /// The member's name.
    pub field: String,
    /// Its value before the run.
    pub old: Option<String>,
    /// Its value after the run.
    pub new: Option<String>,
}
