//! Looks at every member of every entry while the store is scanned, and notes what the rules say of it.

use std::mem;
use std::ops::Range;
use std::path::Path;

use memchr::memmem::Finder;

use super::names::{Member, Names};
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
use crate::scan::{stamps, text};

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
    /// The key of the entry at hand, as it stands there.
    key: Vec<u8>,
    /// Finds what the key of a run record has in it.
    run: Finder<'static>,
    entry: Entry,
    member: Option<Member>,
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
            key: Vec::new(),
            run: Finder::new(b":run:"),
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
        self.key.clear();
        self.key.extend_from_slice(key.raw);
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

    /// Whether there is nothing to say of a value of that kind, and nothing to take back.
    #[inline(always)]
    fn is_dull(&self, member: Member, kind: Kind) -> bool {
        member.is_dull(kind) && self.notes.len() == self.entry.notes
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
        // Nothing to say of the id itself, as nearly always.
        if let Some(id) = raw.filter(|raw| text::is_uuid_like(raw)) {
            return self.compare_run(id);
        }
        let id = raw.map(text::decode);
        let Some(id) = id.as_deref().filter(|id| is_safe_session_id(id)) else {
            return self.note(&borrowed::MALFORMED_SESSION_ID, self.value_start, Known::SESSION_ID.0);
        };
        if !std::str::from_utf8(id).is_ok_and(is_transcript_id) {
            self.entry.odd_id = Some(self.value_start);
        }
        self.compare_run(id);
    }

    /// Holds the id of the session against the one that the key of a run record ends with.
    fn compare_run(&mut self, id: &[u8]) {
        let behind_colon = self.key.strip_suffix(id).is_some_and(|front| front.ends_with(b":"));
        // A run is what stands behind the last colon.
        if behind_colon && !id.contains(&b':') || self.run.find(&self.key).is_none() {
            return;
        }
        let key = text::decode(&self.key);
        let run = std::str::from_utf8(&key).ok().and_then(run_id_mismatch::run_of);
        let (Some(run), Ok(id)) = (run, std::str::from_utf8(id)) else { return };
        if run_id_mismatch::holds(&run, id) {
            self.note(&run_id_mismatch::CHECK, self.value_start, Known::SESSION_ID.0);
        }
    }

    fn read_time(&mut self, member: Known, raw: &[u8]) {
        let parse = || std::str::from_utf8(raw).ok()?.parse().ok();
        let Some(number) = stamps::integer(raw).map(|integer| integer as f64).or_else(parse) else { return };
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
            Kind::Number => member.known.wanted() == Wanted::Time,
            Kind::String => matches!(member.known, Known::SESSION_ID | Known::SESSION_FILE),
            _ => false,
        }
    }

    #[inline(always)]
    fn scalar(&mut self, depth: u64, at: Range<u64>, kind: Kind, raw: &[u8]) {
        if depth == 1 {
            self.begin_entry_value(at.start, kind);
            return self.end_entry();
        }
        if self.member.is_some_and(|member| !self.is_dull(member, kind)) {
            let wanted = self.value(depth, at.start, kind);
            self.value_end(depth, at.end, wanted.then_some(Captured { raw, cut: false }));
        }
    }

    #[inline(always)]
    fn value_end(&mut self, depth: u64, _end: u64, text: Option<Captured<'_>>) {
        if depth == 1 {
            return self.end_entry();
        }
        if let Some(member) = self.member.filter(|&member| !self.is_dull(member, self.kind)) {
            self.read_member(member.known, text);
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
