//! Looks at every member of every entry while the store is scanned, and notes what the rules say of it.

use std::mem;
use std::path::Path;

use super::names::Names;
use crate::model::Millis;
use crate::model::problem::Note;
use crate::openclaw::entry_fields::{Known, Wanted};
use crate::openclaw::layout::{is_safe_session_id, is_transcript_id};
use crate::openclaw::versions::Version;
use crate::rules::validate::documents::Against;
use crate::rules::validate::{
    self as rules, Check, borrowed, future_time, legacy_field, no_session_id, path_escape, run_id_mismatch,
    seconds, time_order, wrong_type,
};
use crate::scan::automaton::{Captured, Kind, Visitor};
use crate::scan::parallel::Joined;
use crate::scan::text;

/// What entries are held against.
#[derive(Clone, Debug)]
pub struct Lens<'a> {
    /// The version of OpenClaw.
    pub version: Version,
    /// The clock.
    pub now: Millis,
    /// The directory of the store, where it has one.
    pub dir: Option<&'a Path>,
}

impl Lens<'_> {
    /// What documents are held against.
    pub fn against(&self) -> Against {
        Against { version: self.version, now: self.now }
    }
}

/// Notes what is wrong with members. What is wrong with an entry as such is seen later, from its record.
pub struct Inspector<'a> {
    lens: &'a Lens<'a>,
    notes: Vec<Note>,
    names: Names,
    entry: Entry,
    member: Option<Known>,
    value_start: u64,
    kind: Kind,
}

/// The entry at hand.
#[derive(Default)]
struct Entry {
    key_start: u64,
    is_object: bool,
    /// How many notes there were when it began.
    notes: usize,
    /// The session that its key names.
    run: Option<String>,
    has_update: bool,
    has_file: bool,
    /// A `sessionId` that no transcript can have.
    odd_id: Option<u64>,
    started: Option<f64>,
    ended: Option<(f64, u64)>,
}

impl<'a> Inspector<'a> {
    /// Nothing noted yet.
    pub fn new(lens: &'a Lens<'a>) -> Self {
        Inspector {
            lens,
            notes: Vec::new(),
            names: Names::default(),
            entry: Entry::default(),
            member: None,
            value_start: 0,
            kind: Kind::Null,
        }
    }

    /// What was noted, by place.
    pub fn finish(self) -> Vec<Note> {
        self.notes
    }

    fn note(&mut self, check: &'static Check, offset: u64, member: u8) {
        self.notes.push(Note::new(offset, rules::number(check), member));
    }

    fn begin_entry(&mut self, start: u64, key: Captured<'_>) {
        self.names.begin();
        self.entry = Entry { key_start: start, notes: self.notes.len(), ..Entry::default() };
        if memchr::memmem::find(key.raw, b":run:").is_some() {
            let decoded = text::decode(key.raw);
            self.entry.run = std::str::from_utf8(&decoded).ok().and_then(run_id_mismatch::run_of);
        }
    }

    fn begin_entry_value(&mut self, start: u64, kind: Kind) {
        self.entry.is_object = kind == Kind::Object;
        if kind != Kind::Object {
            self.note(&borrowed::MALFORMED_ENTRY, start, 0);
        }
    }

    fn end_entry(&mut self) {
        if !self.entry.is_object {
            return;
        }
        if !self.entry.has_update {
            let missing = Known::UPDATED_AT.0 | wrong_type::MISSING;
            self.note(&wrong_type::CHECK, self.entry.key_start, missing);
        }
        if let (Some(started), Some((ended, at))) = (self.entry.started, self.entry.ended)
            && time_order::holds(started, ended)
        {
            self.note(&time_order::CHECK, at, Known::ENDED_AT.0);
        }
        if let (Some(at), false) = (self.entry.odd_id, self.entry.has_file)
            && self.lens.version >= Version::DROPS_ON_LOAD
        {
            self.note(&no_session_id::CHECK, at, Known::SESSION_ID.0);
        }
    }

    /// A known member ended: of several copies the last one counts.
    fn read_member(&mut self, member: Known, captured: Option<Captured<'_>>) {
        self.forget(member);
        if legacy_field::holds(member) {
            return self.note(&legacy_field::CHECK, self.value_start, member.0);
        }
        let raw = captured.filter(|captured| !captured.cut).map(|captured| captured.raw);
        if member == Known::SESSION_ID {
            return self.read_session_id(raw);
        }
        self.entry.has_update |= member == Known::UPDATED_AT;
        if wrong_type::holds(member, self.kind) {
            return self.note(&wrong_type::CHECK, self.value_start, member.0);
        }
        match (member.wanted(), raw) {
            (Wanted::Time, Some(raw)) if self.kind == Kind::Number => self.read_time(member, raw),
            (Wanted::Text, Some(raw)) if member == Known::SESSION_FILE => self.read_file(raw),
            _ => {}
        }
    }

    /// Takes back what was said of an earlier copy of a member.
    fn forget(&mut self, member: Known) {
        let from = self.entry.notes;
        let is_earlier = |note: &Note| note.member() == member.0 && note.offset() > self.entry.key_start;
        if self.notes[from..].iter().any(is_earlier) {
            let kept: Vec<Note> = self.notes.drain(from..).filter(|note| !is_earlier(note)).collect();
            self.notes.extend(kept);
        }
        match member {
            Known::SESSION_ID => self.entry.odd_id = None,
            Known::SESSION_FILE => self.entry.has_file = false,
            Known::STARTED_AT => self.entry.started = None,
            Known::ENDED_AT => self.entry.ended = None,
            _ => {}
        }
    }

    fn read_session_id(&mut self, raw: Option<&[u8]>) {
        let id = raw.map(text::decode);
        let Some(id) = id.as_deref().filter(|id| is_safe_session_id(id)) else {
            return self.note(&borrowed::MALFORMED_SESSION_ID, self.value_start, Known::SESSION_ID.0);
        };
        let Ok(id) = std::str::from_utf8(id) else { return };
        if !is_transcript_id(id) {
            self.entry.odd_id = Some(self.value_start);
        }
        if self.entry.run.as_deref().is_some_and(|run| run_id_mismatch::holds(run, id)) {
            self.note(&run_id_mismatch::CHECK, self.value_start, Known::SESSION_ID.0);
        }
    }

    fn read_time(&mut self, member: Known, raw: &[u8]) {
        let Some(number) = std::str::from_utf8(raw).ok().and_then(|text| text.parse::<f64>().ok()) else {
            return;
        };
        let check = if wrong_type::is_no_time(number) {
            Some(&wrong_type::CHECK)
        } else if seconds::holds(number) {
            Some(&seconds::CHECK)
        } else if future_time::holds(number, self.lens.now) {
            Some(&future_time::CHECK)
        } else {
            None
        };
        match member {
            Known::STARTED_AT if check.is_none() => self.entry.started = Some(number),
            Known::ENDED_AT if check.is_none() => self.entry.ended = Some((number, self.value_start)),
            _ => {}
        }
        if let Some(check) = check {
            self.note(check, self.value_start, member.0);
        }
    }

    fn read_file(&mut self, raw: &[u8]) {
        self.entry.has_file = true;
        let path = text::to_display(&text::decode(raw));
        if path_escape::holds(&path, self.lens.dir) {
            self.note(&path_escape::CHECK, self.value_start, Known::SESSION_FILE.0);
        }
    }
}

impl Visitor for Inspector<'_> {
    fn key(&mut self, depth: u64, start: u64, key: Captured<'_>) {
        if depth == 1 {
            return self.begin_entry(start, key);
        }
        self.member = if key.cut { None } else { self.names.known(key.raw) };
    }

    #[inline(always)]
    fn value(&mut self, depth: u64, start: u64, kind: Kind) -> bool {
        if depth == 1 {
            self.begin_entry_value(start, kind);
            return false;
        }
        let Some(member) = self.member else { return false };
        (self.value_start, self.kind) = (start, kind);
        match kind {
            Kind::Number => member.wanted() == Wanted::Time,
            Kind::String => matches!(member, Known::SESSION_ID | Known::SESSION_FILE),
            _ => false,
        }
    }

    #[inline(always)]
    fn value_end(&mut self, depth: u64, _end: u64, text: Option<Captured<'_>>) {
        if depth == 1 {
            return self.end_entry();
        }
        if let Some(member) = self.member {
            self.read_member(member, text);
        }
    }
}

impl Joined for Inspector<'_> {
    fn join(&mut self, mut next: Self) {
        let mut notes = mem::take(&mut self.notes);
        next.entry.notes += notes.len();
        notes.append(&mut next.notes);
        *self = Inspector { notes, ..next };
    }
}
