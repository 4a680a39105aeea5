//! The recorded judgments of `testdata/oracle/`, as values: `cases.jsonl`, `conformance.jsonl`.

#![allow(dead_code, reason = "every test binary that includes this uses a part of it")]

use std::path::PathBuf;

use serde::Deserialize;

/// One store text, and what `JSON.parse` says of it; see `testdata/oracle/README.md`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Case {
    /// Unique; `/` separates group and case.
    pub name: String,
    /// The bytes of the file.
    #[serde(deserialize_with = "base64")]
    pub input: Vec<u8>,
    /// What is said of it.
    #[serde(flatten)]
    pub judgment: Judgment,
}

/// What `JSON.parse` says of a text.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Judgment {
    /// Whether it takes the text.
    pub valid: bool,
    /// Kind of the root.
    pub kind: Option<String>,
    /// Own keys of an object root.
    pub keys: Option<u64>,
    /// These keys as UTF-16 units, sorted; `None` above 50 keys.
    pub keys_utf16: Option<Vec<Vec<u16>>>,
    /// The first UTF-16 unit of an invalid text that cannot stand there; its length where it only ends too early.
    pub position: Option<u64>,
    /// Length of the decoded text in UTF-16 units.
    pub utf16_length: u64,
    /// A row for each key, in the order of `keys_utf16`.
    pub facts: Option<Vec<Facts>>,
}

/// What a live Node answers.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    /// What it says of the text.
    #[serde(flatten)]
    pub judgment: Judgment,
    /// What is wrong with the entries that it was asked about.
    pub wrong_entries: Option<String>,
}

/// What is known of one entry.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Facts {
    /// The key as UTF-16 units.
    pub key: Vec<u16>,
    /// Kind of the entry.
    pub kind: String,
    /// Whether it is an object; all that follows is `None` where it is none.
    pub object: bool,
    /// As UTF-16 units; `None` where absent or no string.
    #[serde(default)]
    pub session_id: Option<Vec<u16>>,
    /// As UTF-16 units; `None` where absent or no string.
    #[serde(default)]
    pub status: Option<Vec<u16>>,
    /// As UTF-16 units; `None` where absent or no string.
    #[serde(default)]
    pub chat_type: Option<Vec<u16>>,
    /// As UTF-16 units; `None` where absent or no string.
    #[serde(default)]
    pub spawned_by: Option<Vec<u16>>,
    /// As `Number.prototype.toString` writes it; `None` where absent or no number.
    #[serde(default)]
    pub updated_at: Option<String>,
    /// As `updated_at`.
    #[serde(default)]
    pub started_at: Option<String>,
    /// As `updated_at`.
    #[serde(default)]
    pub ended_at: Option<String>,
}

/// A file of the conformance corpus, and what Node makes of it in each place of a store.
#[derive(Clone, Debug, Deserialize)]
#[serde(from = "StoredFile")]
pub struct CorpusFile {
    /// As the corpus calls it.
    pub name: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// What is said of them in each of [`Form::ALL`], in that order.
    pub answers: [Roots; 3],
}

/// What `JSON.parse` makes of a text, as far as it decides what OpenClaw loads.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub struct Roots {
    /// Whether it takes the text.
    pub valid: bool,
    /// Kind of the root.
    pub kind: Option<String>,
    /// Own keys of an object root.
    pub keys: Option<u64>,
}

impl From<Judgment> for Roots {
    fn from(judgment: Judgment) -> Self {
        Roots { valid: judgment.valid, kind: judgment.kind, keys: judgment.keys }
    }
}

/// Where in a store bytes of a corpus stand.
#[derive(Clone, Copy, Debug)]
pub enum Form {
    /// As a member of an entry.
    Member,
    /// As a whole entry.
    Entry,
    /// As the whole file.
    File,
}

impl Form {
    /// All of them.
    pub const ALL: [Form; 3] = [Form::Member, Form::Entry, Form::File];

    /// A store with the bytes there.
    pub fn store(self, bytes: &[u8]) -> Vec<u8> {
        let (before, after) = match self {
            Form::Member => (r#"{"agent:main:main": {"sessionId": "s", "updatedAt": 1, "x": "#, "}}"),
            Form::Entry => (r#"{"agent:main:main": "#, "}"),
            Form::File => ("", ""),
        };
        [before.as_bytes(), bytes, after.as_bytes()].concat()
    }
}

/// A line of `conformance.jsonl`.
#[derive(Deserialize)]
struct StoredFile {
    name: String,
    #[serde(deserialize_with = "base64")]
    input: Vec<u8>,
    #[serde(default = "once")]
    times: usize,
    #[serde(default, deserialize_with = "base64")]
    tail: Vec<u8>,
    member: Roots,
    entry: Roots,
    file: Roots,
}

fn once() -> usize {
    1
}

impl From<StoredFile> for CorpusFile {
    fn from(stored: StoredFile) -> Self {
        let bytes = [stored.input.repeat(stored.times), stored.tail].concat();
        CorpusFile { name: stored.name, bytes, answers: [stored.member, stored.entry, stored.file] }
    }
}

/// All recorded cases, in the order of the file.
///
/// # Panics
///
/// Where the file is missing or is no list of cases.
pub fn cases() -> Vec<Case> {
    lines("cases.jsonl")
}

/// The files of the conformance corpus.
///
/// # Panics
///
/// As [`cases`].
pub fn corpus() -> Vec<CorpusFile> {
    lines("conformance.jsonl")
}

fn lines<T: serde::de::DeserializeOwned>(name: &str) -> Vec<T> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("testdata/oracle").join(name);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.lines()
        .enumerate()
        .map(|(at, line)| {
            serde_json::from_str(line).unwrap_or_else(|error| panic!("line {} of {name}: {error}", at + 1))
        })
        .collect()
}

fn base64<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    let text = String::deserialize(deserializer)?;
    decode(&text).ok_or_else(|| serde::de::Error::custom("not base64"))
}

/// Standard base64 with padding.
fn decode(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let mut bits = 0_u32;
    let mut held = 0_u32;
    for letter in text.trim_end_matches('=').bytes() {
        let value = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'a'..=b'z' => letter - b'a' + 26,
            b'0'..=b'9' => letter - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = (bits << 6) | u32::from(value);
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push((bits >> held) as u8);
        }
    }
    Some(bytes)
}
