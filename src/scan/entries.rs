//! A store, entry by entry: the records that rules judge, and what the whole file looks like.

use std::collections::HashMap;
use std::io;

use super::drive::drive;
use super::fields::{Field, field};
use super::portable::{Captured, Kind, Outcome, Visitor};
use super::source::{Source, read_range};
use super::{members, text};
use crate::model::entry::{Entry, Flags, Stamp, Status, hash, hash_folded};
use crate::model::key::{SessionKey, Shape, fold_run_key};
use crate::openclaw::layout::is_safe_session_id;

/// Names of members beyond this many are counted together: a hostile file has no end of them.
const MAX_FIELD_NAMES: usize = 4096;

/// What a scan needs to know of the world to read keys: a handful of names, no evidence.
pub struct KeyContext<'a> {
    /// `session.mainKey`.
    pub main_key: &'a str,
    /// Flags that the outside sees in a decoded key: `--keep`, `--agent`, the targets of jobs.
    pub marks: &'a dyn Fn(&SessionKey<'_>, &str) -> Flags,
}

/// A store that was read.
#[derive(Clone, Debug, Default)]
pub struct Scan {
    /// In file order; overridden copies of a key included, flagged [`Flags::OVERRIDDEN`].
    pub entries: Vec<Entry>,
    /// Verdict of the grammar, positions, sizes.
    pub outcome: Outcome,
    /// Bytes and entries by member name.
    pub fields: HashMap<Box<str>, FieldTally>,
    /// Whether a byte order mark stands at the front.
    pub bom: bool,
}

/// What one member name takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FieldTally {
    /// Bytes of key and value.
    pub bytes: u64,
    /// How many entries carry it.
    pub entries: u64,
}

impl FieldTally {
    fn add(&mut self, bytes: u64) {
        self.bytes += bytes;
        self.entries += 1;
    }
}

impl Scan {
    /// Entries that Node would hold: all but the overridden copies.
    pub fn live(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(|entry| !entry.is(Flags::OVERRIDDEN))
    }
}

/// Scans a store. `each` sees every window first: to count, to hash, to stop.
///
/// A byte order mark is stepped over, so that what stands behind it is known; [`Scan::bom`] tells.
pub fn scan(
    source: &mut dyn Source,
    context: &KeyContext<'_>,
    each: &mut dyn FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<Scan> {
    let bom = starts_with_bom(source)?;
    let start = if bom { 3 } else { 0 };
    if bom {
        each(b"\xef\xbb\xbf")?;
    }
    let mut collector = Collector::new(context);
    let len = source.len();
    let outcome = drive(source, start..len, 2, &mut collector, each)?;
    let mut scan = Scan { entries: collector.entries, outcome, fields: collector.fields, bom };
    mark_overridden(source, &mut scan.entries)?;
    Ok(scan)
}

fn starts_with_bom(source: &mut dyn Source) -> io::Result<bool> {
    let head = 0..source.len().min(3);
    Ok(read_range(source, head)? == b"\xef\xbb\xbf")
}

/// Flags all but the last of entries with the same key. Hashes propose, texts decide.
fn mark_overridden(source: &mut dyn Source, entries: &mut [Entry]) -> io::Result<()> {
    let mut order: Vec<u32> = (0..u32::try_from(entries.len()).map_err(io::Error::other)?).collect();
    order.sort_unstable_by_key(|&at| (entries[at as usize].key, at));
    let mut same = 0;
    for end in 1..=order.len() {
        let key_of = |at: usize| entries[order[at] as usize].key;
        if end < order.len() && key_of(end) == key_of(same) {
            continue;
        }
        if end - same > 1 {
            mark_group(source, entries, &order[same..end])?;
        }
        same = end;
    }
    Ok(())
}

/// `group` holds entries of one hash in file order.
fn mark_group(source: &mut dyn Source, entries: &mut [Entry], group: &[u32]) -> io::Result<()> {
    let mut seen: Vec<Vec<u8>> = Vec::new();
    for &at in group.iter().rev() {
        let key = members::key(source, entries[at as usize].start)?;
        if seen.contains(&key) {
            entries[at as usize].flags.set(Flags::OVERRIDDEN, true);
        } else {
            seen.push(key);
        }
    }
    Ok(())
}

struct Collector<'a> {
    context: &'a KeyContext<'a>,
    entries: Vec<Entry>,
    fields: HashMap<Box<str>, FieldTally>,
    entry: Entry,
    name: Vec<u8>,
    field: Field,
    member_start: u64,
    kind: Kind,
    value_start: u64,
    session: Option<Vec<u8>>,
    file: Option<Vec<u8>>,
}

const NO_ENTRY: Entry = Entry {
    start: 0,
    end: 0,
    key: 0,
    session: 0,
    job: 0,
    kin: 0,
    file: 0,
    updated_at: Stamp::absent(),
    started_at: Stamp::absent(),
    ended_at: Stamp::absent(),
    value_at: 0,
    flags: Flags::NONE,
    shape: Shape::Unknown,
    status: Status::Absent,
};

impl<'a> Collector<'a> {
    fn new(context: &'a KeyContext<'a>) -> Self {
        Collector {
            context,
            entries: Vec::new(),
            fields: HashMap::new(),
            entry: NO_ENTRY,
            name: Vec::new(),
            field: Field::Other,
            member_start: 0,
            kind: Kind::Null,
            value_start: 0,
            session: None,
            file: None,
        }
    }

    fn begin_entry(&mut self, start: u64, key: Captured<'_>) {
        let decoded = text::decode(key.raw);
        let mut entry = Entry { start, key: hash(&decoded), ..NO_ENTRY };
        entry.flags.set(Flags::UNREAD, key.cut);
        match std::str::from_utf8(&decoded) {
            Ok(key) => self.read_key(&mut entry, key),
            // A lone surrogate: no grammar knows it, but a glob may.
            Err(_) => {
                let shown = text::to_display(&decoded);
                entry.flags = entry.flags | (self.context.marks)(&SessionKey::parse(&shown, "main"), &shown);
            }
        }
        self.entry = entry;
        (self.session, self.file) = (None, None);
    }

    fn read_key(&self, entry: &mut Entry, text: &str) {
        let key = SessionKey::parse(text, self.context.main_key);
        entry.shape = if entry.is(Flags::UNREAD) { Shape::Unknown } else { key.shape };
        entry.flags = entry.flags | (self.context.marks)(&key, text);
        entry.flags.set(Flags::HAS_AGENT, key.agent.is_some());
        let bare = key.agent.is_none() && text != "global" && text != "unknown";
        entry.flags.set(Flags::ODD_SPELLING, bare || text.chars().any(char::is_uppercase));
        match (key.job, key.base_key()) {
            (Some(job), Some(base)) => {
                (entry.job, entry.kin) = (hash_folded(job), hash_folded(&base));
                // A record may hold no session, or nothing at all: its key still names the transcript.
                entry.file = key.run.map_or(0, |run| hash(format!("{run}.jsonl").as_bytes()));
            }
            (Some(job), None) => (entry.job, entry.kin) = (hash_folded(job), hash_folded(text)),
            _ if entry.shape == Shape::SubAgent => entry.job = hash_folded(text),
            _ => entry.kin = hash_folded(text),
        }
    }

    fn end_entry(&mut self, end: u64) {
        self.entry.end = end;
        self.entry.flags.set(Flags::SESSION_FILE, self.file.is_some());
        if let Some(file) = self.file.take() {
            let own = self.session.as_deref().is_some_and(|id| file == [id, b".jsonl"].concat());
            self.entry.file = if own { 0 } else { hash(&file) };
        } else if self.entry.session != 0 {
            self.entry.file = 0;
        }
        self.entries.push(self.entry);
    }

    fn tally(&mut self, end: u64) {
        let bytes = end - self.member_start;
        let name = std::str::from_utf8(&self.name).unwrap_or("\u{fffd}");
        if let Some(tally) = self.fields.get_mut(name) {
            return tally.add(bytes);
        }
        let room = self.fields.len() < MAX_FIELD_NAMES && name.len() <= 256;
        self.fields.entry(if room { name } else { "other" }.into()).or_default().add(bytes);
    }

    /// A member of the entry ended: the last one of a name counts.
    fn read_member(&mut self, end: u64, captured: Option<Captured<'_>>) {
        if captured.is_some_and(|captured| captured.cut) {
            self.entry.flags.set(Flags::UNREAD, true);
        }
        let string =
            captured.filter(|_| self.kind == Kind::String).map(|captured| text::decode(captured.raw));
        let filled = self.is_filled(end);
        let pending = filled && !self.is_false(end);
        let entry = &mut self.entry;
        match self.field {
            Field::SessionId => {
                entry.session = string.as_deref().map_or(0, hash);
                let good = string
                    .as_deref()
                    .and_then(|id| std::str::from_utf8(id).ok())
                    .is_some_and(is_safe_session_id);
                entry.flags.set(Flags::BAD_SESSION_ID, !good);
                self.session = string;
            }
            Field::SessionFile => {
                self.file = string.map(|path| {
                    let name = path.rsplit(|&byte| byte == b'/' || byte == b'\\').next();
                    name.unwrap_or_default().to_vec()
                });
            }
            Field::UpdatedAt => entry.updated_at = stamp(self.kind, captured),
            Field::StartedAt => entry.started_at = stamp(self.kind, captured),
            Field::EndedAt => entry.ended_at = stamp(self.kind, captured),
            Field::Status => {
                entry.status = match (self.kind, string) {
                    (Kind::Null, _) => Status::Absent,
                    (_, Some(text)) => Status::from_text(&text),
                    _ => Status::Other,
                };
            }
            Field::ChatType => entry.flags = entry.flags | chat_flags(string.as_deref()),
            Field::Origin => match captured.map(|captured| origin_chat_type(captured.raw)) {
                Some(Ok(chat)) => entry.flags = entry.flags | chat_flags(chat.as_deref().map(str::as_bytes)),
                Some(Err(())) => entry.flags.set(Flags::UNREAD, true),
                None => {}
            },
            Field::SpawnedBy if entry.shape == Shape::SubAgent => {
                entry.kin = match string.as_deref().map(std::str::from_utf8) {
                    Some(Ok(parent)) if !parent.is_empty() => hash_folded(fold_run_key(parent)),
                    _ => 0,
                };
            }
            Field::Pinned => entry.flags.set(Flags::PINNED, filled),
            Field::Acp if filled => entry.flags.set(Flags::ACP, true),
            Field::Cli if filled => entry.flags.set(Flags::CLI, true),
            Field::Pending if pending => entry.flags.set(Flags::PENDING, true),
            Field::Setting if filled => entry.flags.set(Flags::SETTINGS, true),
            Field::HeartbeatBase if filled => entry.flags.set(Flags::HEARTBEAT_BASE, true),
            Field::Cache => entry.flags.set(Flags::CACHES, true),
            _ => {}
        }
    }

    /// Whether the value says anything: not `null`, `""`, `{}` or `[]`.
    fn is_filled(&self, end: u64) -> bool {
        match self.kind {
            Kind::Null => false,
            Kind::String | Kind::Object | Kind::Array => end - self.value_start > 2,
            Kind::Number | Kind::Bool => true,
        }
    }

    fn is_false(&self, end: u64) -> bool {
        self.kind == Kind::Bool && end - self.value_start == 5
    }
}

impl Visitor for Collector<'_> {
    fn key(&mut self, depth: u64, start: u64, key: Captured<'_>) {
        if depth == 1 {
            return self.begin_entry(start, key);
        }
        self.member_start = start;
        self.name = if key.raw.contains(&b'\\') { text::decode(key.raw) } else { key.raw.to_vec() };
        self.field = if key.cut { Field::Other } else { field(&self.name) };
    }

    fn value(&mut self, depth: u64, start: u64, kind: Kind) -> bool {
        if depth == 1 {
            self.entry.flags.set(Flags::NOT_OBJECT, kind != Kind::Object);
            let distance = u32::try_from(start - self.entry.start);
            self.entry.flags.set(Flags::UNREAD, self.entry.is(Flags::UNREAD) || distance.is_err());
            self.entry.value_at = distance.unwrap_or(u32::MAX);
            return false;
        }
        (self.value_start, self.kind) = (start, kind);
        match kind {
            Kind::String => matches!(
                self.field,
                Field::SessionId | Field::SessionFile | Field::Status | Field::ChatType | Field::SpawnedBy
            ),
            Kind::Number => matches!(self.field, Field::UpdatedAt | Field::StartedAt | Field::EndedAt),
            Kind::Object => self.field == Field::Origin,
            _ => false,
        }
    }

    fn value_end(&mut self, depth: u64, end: u64, text: Option<Captured<'_>>) {
        if depth == 1 {
            return self.end_entry(end);
        }
        self.tally(end);
        self.read_member(end, text);
    }
}

fn stamp(kind: Kind, captured: Option<Captured<'_>>) -> Stamp {
    match (kind, captured) {
        (Kind::Number, Some(number)) if !number.cut => std::str::from_utf8(number.raw)
            .ok()
            .and_then(|text| text.parse().ok())
            .map_or(Stamp::unusable(), Stamp::from_number),
        (Kind::Null, _) => Stamp::absent(),
        _ => Stamp::unusable(),
    }
}

fn chat_flags(chat_type: Option<&[u8]>) -> Flags {
    match chat_type {
        Some(b"group" | b"room") => Flags::CHAT_GROUP,
        Some(b"channel") => Flags::CHAT_CHANNEL,
        Some(b"thread" | b"topic") => Flags::CHAT_THREAD,
        Some(b"direct" | b"dm") => Flags::CHAT_DIRECT,
        _ => Flags::NONE,
    }
}

/// `chatType` inside an `origin`; an error where the object cannot be read here.
fn origin_chat_type(raw: &[u8]) -> Result<Option<String>, ()> {
    #[derive(serde::Deserialize)]
    struct Origin {
        #[serde(rename = "chatType")]
        chat_type: Option<serde_json::Value>,
    }
    let origin: Origin = serde_json::from_slice(raw).map_err(|_| ())?;
    Ok(origin.chat_type.and_then(|chat| chat.as_str().map(str::to_owned)))
}

#[cfg(test)]
mod tests {
    use super::super::source::MemorySource;
    use super::*;

    fn scan_text(text: &[u8], window: usize) -> Scan {
        let context = KeyContext { main_key: "main", marks: &|_, _| Flags::NONE };
        scan(&mut MemorySource::new(text, window), &context, &mut |_| Ok(())).unwrap()
    }

    const RUN: &str = r#"{
  "agent:main:cron:J:run:R": {
    "sessionId": "x", "sessionId": "R", "updatedAt": 1795223628227, "st\u0061tus": "running",
    "startedAt": 1e999, "endedAt": null, "origin": {"chatType": "group"}, "cliSessionIds": {},
    "acp": null, "pendingFinalDeliveryText": "x", "sessionFile": "/a/R.jsonl", "fastMode": false
  },
  "agent:main:main": null,
  "agent:main:subagent:s": {"spawnedBy": "agent:main:cron:j:run:r", "sessionId": "../x", "sessionFile": "y.jsonl"}
}"#;

    #[test]
    fn facts_are_those_that_node_would_see_whatever_the_window() {
        let whole = scan_text(RUN.as_bytes(), 1 << 20);
        assert_eq!(whole.outcome.fault, None);
        let run = whole.entries[0];
        assert_eq!((run.shape, run.status, run.session), (Shape::RunRecord, Status::Running, hash(b"R")));
        assert_eq!((run.job, run.kin), (hash(b"j"), hash(b"agent:main:cron:j")));
        assert_eq!(run.updated_at.millis(), Some(1_795_223_628_227));
        assert_eq!((run.started_at, run.ended_at), (Stamp::unusable(), Stamp::absent()));
        assert!(run.is(Flags::CHAT_GROUP | Flags::PENDING | Flags::SETTINGS | Flags::HAS_AGENT));
        assert!(!run.is(Flags::ACP) && !run.is(Flags::CLI) && run.file == 0);
        assert!(whole.entries[1].is(Flags::NOT_OBJECT));
        let child = whole.entries[2];
        assert_eq!((child.kin, child.file), (hash(b"agent:main:cron:j"), hash(b"y.jsonl")));
        assert!(child.is(Flags::BAD_SESSION_ID));
        for window in [1, 2, 7, 64, 4096] {
            let cut = scan_text(RUN.as_bytes(), window);
            assert_eq!(
                (&cut.entries, &cut.outcome, &cut.fields),
                (&whole.entries, &whole.outcome, &whole.fields)
            );
        }
    }

    #[test]
    fn only_the_last_copy_of_a_key_is_live_whatever_its_spelling() {
        let text = b"{\"a\":1,\"\\u0061\":2,\"b\":3,\"a\":4,\"k\xff\":5,\"k\xfe\":6}";
        let scan = scan_text(text, 3);
        let overridden: Vec<bool> = scan.entries.iter().map(|entry| entry.is(Flags::OVERRIDDEN)).collect();
        assert_eq!(overridden, [true, true, false, false, true, false]);
        assert_eq!(scan.live().count(), 3);
    }

    #[test]
    fn a_byte_order_mark_is_stepped_over_and_told() {
        let scan = scan_text(b"\xef\xbb\xbf{\"a\":{}}", 2);
        assert!(scan.bom && scan.outcome.fault.is_none());
        assert_eq!((scan.entries[0].start, scan.entries[0].end), (4, 10));
    }
}
