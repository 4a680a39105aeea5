//! Makes entries of what the scanner tells: one record for each member of the root, its facts worked out.
//!
//! A scan waits for this at every key and every member, so nothing here allocates in the common case.

use std::collections::HashMap;
use std::mem;
use std::ops::Range;

use super::agents::Agents;
use super::automaton::{Captured, Kind, Visitor};
use super::entries::KeyContext;
use super::fields::Field;
use super::pattern::Pattern;
use super::stamps::stamp;
use super::tally::{FieldTally, Tallies};
use super::text;
use crate::model::entries::Entries;
use crate::model::entry::{Entry, Flags, Status, TextHash, hash, hash_folded, hash_name};
use crate::model::key::{SessionKey, Shape, fold_run_key};
use crate::openclaw::layout::is_safe_session_id;

/// Collects the entries of a store, or of a part of one that begins and ends between two entries.
pub struct Collector<'a> {
    context: KeyContext<'a>,
    entries: Entries,
    tallies: Tallies,
    agents: Agents,
    base: LastBase,
    start: u64,
    entry: Entry,
    /// The run part of the key, where it has one.
    run: Text,
    session: Text,
    file: Text,
    field: Field,
    member_start: u64,
    value_start: u64,
    kind: Kind,
}

/// A decoded string that may be there or not, in a buffer that stays.
#[derive(Default)]
struct Text {
    bytes: Vec<u8>,
    there: bool,
}

impl Text {
    fn set(&mut self, text: Option<&[u8]>) {
        self.bytes.clear();
        self.bytes.extend_from_slice(text.unwrap_or_default());
        self.there = text.is_some();
    }

    fn get(&self) -> Option<&[u8]> {
        self.there.then_some(&*self.bytes)
    }
}

/// The base of the run record before: the next one usually is of the same job.
#[derive(Default)]
struct LastBase {
    key: String,
    job: TextHash,
    kin: TextHash,
}

impl LastBase {
    fn hashes(&mut self, base: &str, job: &str, folded: bool) -> (TextHash, TextHash) {
        if self.key != base {
            self.key.clear();
            self.key.push_str(base);
            (self.job, self.kin) = (hash_as(job, folded), hash_as(base, folded));
        }
        (self.job, self.kin)
    }
}

impl<'a> Collector<'a> {
    /// Nothing collected yet.
    pub fn new(context: KeyContext<'a>) -> Self {
        Collector {
            context,
            entries: Entries::default(),
            tallies: Tallies::default(),
            agents: Agents::default(),
            base: LastBase::default(),
            start: 0,
            entry: Entry::new(0, 0),
            run: Text::default(),
            session: Text::default(),
            file: Text::default(),
            field: Field::Other,
            member_start: 0,
            value_start: 0,
            kind: Kind::Null,
        }
    }

    /// Adds what was collected from the part of the file that follows, and goes on in the middle of whatever
    /// that one is in the middle of, as if one pass had gone over both.
    pub fn append(&mut self, mut next: Self) {
        if let Some(numbers) = self.agents.follow(&next.agents) {
            let entries = next.entries.iter_mut().chain(std::iter::once(&mut next.entry));
            entries.for_each(|entry| entry.agent = numbers[usize::from(entry.agent)]);
        }
        next.agents = mem::take(&mut self.agents);
        let mut entries = mem::take(&mut self.entries);
        entries.append(mem::take(&mut next.entries));
        next.entries = entries;
        next.tallies.follow(mem::take(&mut self.tallies));
        *self = next;
    }

    /// The entries, none of them flagged as overridden yet, what their members take, and whose they are.
    pub fn finish(self) -> (Entries, HashMap<Box<str>, FieldTally>, Agents) {
        (self.entries, self.tallies.finish(), self.agents)
    }

    /// The entries so far, to be taken out on the way.
    pub(super) fn entries_mut(&mut self) -> &mut Entries {
        &mut self.entries
    }

    #[inline(never)]
    fn begin_entry(&mut self, start: u64, key: Captured<'_>) {
        self.start = start;
        self.entry = Entry::new(0, 0);
        self.entry.flags.set(Flags::UNREAD, key.cut);
        self.tallies.begin();
        self.session.set(None);
        self.file.set(None);
        self.run.set(None);
        match text::plain(key.raw) {
            Some(text) => self.read_key(text),
            None => self.read_escaped_key(key.raw),
        }
    }

    fn read_escaped_key(&mut self, raw: &[u8]) {
        let decoded = text::decode(raw);
        match std::str::from_utf8(&decoded) {
            Ok(text) => self.read_key(text),
            // A lone surrogate: no grammar knows it, but a glob may.
            Err(_) => {
                self.entry.key = hash(&decoded);
                let shown = text::to_display(&decoded);
                self.mark((self.context.marks)(&SessionKey::parse(&shown, "main"), &shown));
            }
        }
    }

    fn mark(&mut self, flags: Flags) {
        self.entry.flags = self.entry.flags | flags;
    }

    fn read_key(&mut self, text: &str) {
        let key = SessionKey::parse(text, self.context.main_key);
        let folded = is_folded(text);
        self.mark((self.context.marks)(&key, text));
        let entry = &mut self.entry;
        entry.key = hash(text.as_bytes());
        entry.agent = self.agents.number(key.agent);
        entry.shape = if entry.is(Flags::UNREAD) { Shape::Unknown } else { key.shape };
        entry.flags.set(Flags::HAS_AGENT, key.agent.is_some());
        let bare = key.agent.is_none() && text != "global" && text != "unknown";
        let odd = bare || !folded && text.chars().any(char::is_uppercase);
        entry.flags.set(Flags::ODD_SPELLING, odd);
        let own = if folded { entry.key } else { hash_folded(text) };
        match (key.job, key.base) {
            (Some(job), Some(base)) => {
                (entry.job, entry.kin) = self.base.hashes(base, job, folded);
                self.run.set(key.run.map(str::as_bytes));
            }
            (Some(job), None) => (entry.job, entry.kin) = (hash_as(job, folded), own),
            _ if entry.shape == Shape::SubAgent => entry.job = own,
            _ => entry.kin = own,
        }
    }

    #[inline(never)]
    fn end_entry(&mut self, end: u64) {
        self.entry.flags.set(Flags::SESSION_FILE, self.file.there);
        let session = self.session.get();
        self.entry.file = match self.file.get() {
            Some(file) if session.is_some() && file.strip_suffix(b".jsonl") == session => 0,
            Some(file) => hash_name(file),
            None if self.entry.session != 0 => 0,
            // A record may hold no session, or nothing at all: its key still names the transcript.
            None => self.run.get().map_or(0, |run| hash_name(&[run, b".jsonl"].concat())),
        };
        self.entries.push(self.entry.at(self.start, end));
    }

    /// A member of the entry ended: the last one of a name counts.
    #[inline(never)]
    fn read_member(&mut self, end: u64, captured: Option<Captured<'_>>) {
        if captured.is_some_and(|captured| captured.cut) {
            self.entry.flags.set(Flags::UNREAD, true);
        }
        let raw = captured.filter(|_| self.kind == Kind::String).map(|captured| captured.raw);
        if self.field == Field::SessionId && raw.is_some_and(is_good_session_id) {
            // Nothing in it that would have to be decoded.
            return self.set_session(raw, true);
        }
        if self.field == Field::Status
            && let Some(status) = raw.map(Status::from_text).filter(|&status| status != Status::Other)
        {
            self.entry.status = status;
            return;
        }
        let string = raw.map(text::decode);
        let string = string.as_deref();
        let (filled, is_false) = (self.is_filled(end), self.is_false(end));
        let entry = &mut self.entry;
        match self.field {
            Field::SessionId => self.set_session(string, string.is_some_and(is_safe_session_id)),
            Field::SessionFile => {
                let name = string.and_then(|path| path.rsplit(|byte| b"/\\".contains(byte)).next());
                self.file.set(name);
            }
            Field::UpdatedAt => entry.updated_at = stamp(self.kind, captured),
            Field::StartedAt => entry.started_at = stamp(self.kind, captured),
            Field::EndedAt => entry.ended_at = stamp(self.kind, captured),
            Field::Status => {
                entry.status = match (self.kind, string) {
                    (Kind::Null, _) => Status::Absent,
                    (_, Some(text)) => Status::from_text(text),
                    _ => Status::Other,
                };
            }
            Field::ChatType => entry.flags = entry.flags | chat_flags(string),
            Field::Origin => match captured.map(|captured| origin_chat_type(captured.raw)) {
                Some(Ok(chat)) => entry.flags = entry.flags | chat_flags(chat.as_deref().map(str::as_bytes)),
                Some(Err(())) => entry.flags.set(Flags::UNREAD, true),
                None => {}
            },
            Field::SpawnedBy if entry.shape == Shape::SubAgent => {
                entry.kin = match string.map(std::str::from_utf8) {
                    Some(Ok(parent)) if !parent.is_empty() => hash_folded(fold_run_key(parent)),
                    _ => 0,
                };
            }
            Field::Pinned => entry.flags.set(Flags::PINNED, filled),
            Field::Acp if filled => entry.flags.set(Flags::ACP, true),
            Field::Cli if filled => entry.flags.set(Flags::CLI, true),
            Field::Pending if filled && !is_false => entry.flags.set(Flags::PENDING, true),
            Field::Setting if filled => entry.flags.set(Flags::SETTINGS, true),
            Field::HeartbeatBase if filled => entry.flags.set(Flags::HEARTBEAT_BASE, true),
            Field::Skills => entry.flags.set(Flags::SKILLS, true),
            Field::Report => entry.flags.set(Flags::REPORT, true),
            _ => {}
        }
    }

    fn set_session(&mut self, id: Option<&[u8]>, good: bool) {
        self.entry.session = id.map_or(0, hash);
        self.entry.flags.set(Flags::BAD_SESSION_ID, !good);
        self.session.set(id);
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
    #[inline(always)]
    fn key(&mut self, depth: u64, start: u64, key: Captured<'_>) {
        if depth == 1 {
            return self.begin_entry(start, key);
        }
        self.member_start = start;
        self.field = self.tallies.name(key.raw);
    }

    #[inline(always)]
    fn likely_key(&mut self, depth: u64, start: u64, stands: impl FnOnce(&Pattern) -> bool) -> Option<usize> {
        let (len, field) = if depth == 1 { None } else { self.tallies.likely_name(stands) }?;
        (self.member_start, self.field) = (start, field);
        Some(len)
    }

    #[inline(always)]
    fn value(&mut self, depth: u64, start: u64, kind: Kind) -> bool {
        if depth == 1 {
            self.entry.flags.set(Flags::NOT_OBJECT, kind != Kind::Object);
            return false;
        }
        (self.value_start, self.kind) = (start, kind);
        if self.field == Field::Other {
            return false;
        }
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

    #[inline(always)]
    fn scalar(&mut self, depth: u64, at: Range<u64>, kind: Kind, raw: &[u8]) {
        if depth == 1 {
            self.value(depth, at.start, kind);
            return self.end_entry(at.end);
        }
        self.tallies.add(at.end - self.member_start);
        if self.field != Field::Other {
            self.fact(at, kind, raw);
        }
    }

    #[inline(always)]
    fn value_end(&mut self, depth: u64, end: u64, text: Option<Captured<'_>>) {
        if depth == 1 {
            return self.end_entry(end);
        }
        self.tallies.add(end - self.member_start);
        if self.field != Field::Other {
            self.read_member(end, text);
        }
    }
}

impl Collector<'_> {
    #[inline(never)]
    fn fact(&mut self, at: Range<u64>, kind: Kind, raw: &[u8]) {
        let wanted = self.value(2, at.start, kind);
        self.read_member(at.end, wanted.then_some(Captured { raw, cut: false }));
    }
}

/// Whether lower case is what it stands in, as nearly all keys do.
fn is_folded(text: &str) -> bool {
    text::all(text.as_bytes(), |byte| byte < 0x80 && !byte.is_ascii_uppercase())
}

/// The hash of a text in lower case, which `folded` says that it is in.
fn hash_as(text: &str, folded: bool) -> TextHash {
    if folded { hash(text.as_bytes()) } else { hash_folded(text) }
}

/// Whether a session id is one that OpenClaw takes. Nearly all are UUIDs.
fn is_good_session_id(id: &[u8]) -> bool {
    text::is_uuid_like(id) || is_safe_session_id(id)
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
    use super::super::drive::drive;
    use super::super::source::MemorySource;
    use super::*;

    /// Tells one collector of entries in front of a place, and another of those behind it.
    struct Parted<'a> {
        cut: u64,
        at: u64,
        parts: [Collector<'a>; 2],
    }

    impl<'a> Parted<'a> {
        fn part(&mut self) -> &mut Collector<'a> {
            &mut self.parts[usize::from(self.at >= self.cut)]
        }
    }

    impl Visitor for Parted<'_> {
        fn key(&mut self, depth: u64, start: u64, key: Captured<'_>) {
            if depth == 1 {
                self.at = start;
            }
            self.part().key(depth, start, key);
        }

        fn value(&mut self, depth: u64, start: u64, kind: Kind) -> bool {
            self.part().value(depth, start, kind)
        }

        fn value_end(&mut self, depth: u64, end: u64, text: Option<Captured<'_>>) {
            self.part().value_end(depth, end, text);
        }
    }

    fn store() -> String {
        let mut text = String::from("{");
        for at in 0..40 {
            let members = match at % 4 {
                0 => r#""sessionId": "s1", "status": "running", "updatedAt": 1795223628227"#.to_owned(),
                1 => format!(r#""x{}": [1, {{"y": 2}}], "sessionId": null, "x{at}": """#, at % 3),
                2 => r#""sessionFile": "/a/s1.jsonl", "sessionId": "s1", "acp": {"z": 1}"#.to_owned(),
                _ => String::new(),
            };
            text += &format!(
                r#"{}"agent:main:cron:j{}:run:s{at}": {{{members}}}"#,
                if at > 0 { ", " } else { "" },
                at / 9
            );
        }
        text + r#", "agent:main:cron:j4": null, "agent:main:Main": {"pinnedAt": 1}}"#
    }

    #[test]
    fn two_parts_join_to_what_one_pass_makes_wherever_the_cut() {
        let text = store();
        let context = KeyContext { main_key: "main", marks: &|_, _| Flags::NONE };
        let collectors = || [Collector::new(context), Collector::new(context)];
        let joined = |cut: u64| {
            let mut parted = Parted { cut, at: 0, parts: collectors() };
            let mut source = MemorySource::new(text.as_bytes(), 64);
            let outcome = drive(&mut source, 0..text.len() as u64, 2, &mut parted).unwrap();
            assert_eq!(outcome.fault, None);
            let [mut first, second] = parted.parts;
            first.append(second);
            first.finish()
        };
        let whole = joined(u64::MAX);
        assert_eq!((whole.0.len(), whole.0[1].session, whole.0[0].session), (42, 0, hash(b"s1")));
        assert_eq!(whole.0[1].file, hash_name(b"s1.jsonl"));
        for cut in (0..text.len() as u64).step_by(97) {
            assert!(joined(cut) == whole, "cut at {cut}");
        }
    }
}
