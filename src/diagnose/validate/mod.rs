//! `validate`: one file, held against what OpenClaw would make of it.
//!
//! What you may touch here: files, for reading only. A problem is kept in eight bytes; `tell` reads the file again to
//! say what it is.

pub mod documents;
mod inspector;
pub mod jobs;
mod names;

use std::io;
use std::ops::Range;

pub use documents::Document;
pub use inspector::Lens;

use super::read::{ReadOptions, mark_aliases};
use crate::apply::cancel::Cancel;
use crate::evidence::named::FileKind;
use crate::model::entries::Entries;
use crate::model::entry::{Entry, Flags};
use crate::model::key::Shape;
use crate::model::problem::{self, Note};
use crate::openclaw::versions::Version;
use crate::progress::Task;
use crate::rules::store::{self, Damaged};
use crate::rules::validate::{self as rules, borrowed, hybrid_key, no_session_id};
use crate::scan::along::scan_along;
use crate::scan::entries::Scan;
use crate::scan::members;
use crate::scan::parallel::Watch;
use crate::scan::source::{FileSource, Source};
use crate::scan::text;
use inspector::Inspector;

/// A file that was held against a version of OpenClaw.
pub struct Validation {
    /// What it holds.
    pub kind: FileKind,
    /// Still open, to read again what is told.
    pub source: FileSource,
    /// Where the text begins: behind a byte order mark.
    pub text_start: u64,
    /// What keeps OpenClaw from reading it at all; then nothing else is told.
    pub damage: Vec<Damaged>,
    /// Keys as Node would hold them; of a list or a log, its elements or lines.
    pub keys: u64,
    /// What OpenClaw has after loading it.
    pub reads: Reads,
    /// What else is wrong.
    pub body: Body,
}

/// What is wrong with a file that loads.
pub enum Body {
    /// Nothing is told of it: it is damaged.
    Nothing,
    /// A store.
    Store {
        /// What is wrong, in the order of the file.
        notes: Vec<Note>,
        /// Where its entries stand.
        entries: Entries,
    },
    /// A list of jobs, their state, or a run log.
    Document(Document),
}

/// What OpenClaw has after loading a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reads {
    /// Entries.
    pub entries: u64,
    /// `all`, `empty` or `partial`.
    pub outcome: &'static str,
}

/// The rules that may be allowed.
pub fn ids() -> impl Iterator<Item = &'static str> {
    rules::ALL.iter().map(|check| check.rule.id).chain(rules::documents::ALL.iter().map(|rule| rule.id))
}

/// Validates a store.
pub fn store(
    mut source: FileSource,
    lens: &Lens<'_>,
    options: &ReadOptions<'_>,
    name: &str,
) -> io::Result<Validation> {
    let task = options.progress.start(&format!("reading {name}"), source.len());
    let watch = |_: Range<u64>| Follower { task: &task, cancel: options.cancel };
    let make = || Inspector::new(lens);
    let (mut scan, inspector) = scan_along(options.crew, &mut source, &options.keys, &make, &watch)?;
    drop(task);
    let damage = damage(&scan, source.len());
    let (kind, text_start) = (FileKind::Store, text_start(&scan));
    if !damage.is_empty() {
        let reads = Reads { entries: 0, outcome: "empty" };
        return Ok(Validation { kind, source, text_start, damage, keys: 0, reads, body: Body::Nothing });
    }
    mark_aliases(&mut source, &mut scan.entries, options)?;
    let mut notes = inspector.finish();
    let found = of_entries(&mut source, &scan.entries, lens.version)?;
    notes.retain(|note| !lies_in_overridden(&scan.entries, *note));
    notes.extend(found);
    let utf8 =
        scan.outcome.first_invalid_utf8.map(|at| Note::new(at, rules::number(&borrowed::INVALID_UTF8), 0));
    notes.extend(utf8);
    problem::in_order(&mut notes);
    source.unchanged()?;
    let (keys, reads) = (scan.live().count() as u64, reads(&scan, lens.version));
    let body = Body::Store { notes, entries: scan.entries };
    Ok(Validation { kind, source, text_start, damage, keys, reads, body })
}

/// Behind a byte order mark.
fn text_start(scan: &Scan) -> u64 {
    if scan.bom { 3 } else { 0 }
}

/// Shows how far a long read is, and ends it when the user wants to stop.
struct Follower<'a> {
    task: &'a Task,
    cancel: &'a Cancel,
}

impl Watch for Follower<'_> {
    fn see(&mut self, at: u64, bytes: &[u8]) -> io::Result<()> {
        self.task.advance(bytes.len() as u64);
        (&mut &*self.cancel).see(at, bytes)
    }
}

/// What keeps OpenClaw from reading the file.
fn damage(scan: &Scan, bytes: u64) -> Vec<Damaged> {
    let mut damage = store::damage(scan, bytes);
    if bytes > store::LARGEST {
        let detail = format!("{bytes} bytes; Node reads {} as one string", store::LARGEST);
        damage.push(Damaged { rule: &store::OVERSIZED, start: 0, end: bytes, line: 1, column: 1, detail });
    }
    damage
}

/// What is wrong with entries as such.
fn of_entries(source: &mut FileSource, entries: &Entries, version: Version) -> io::Result<Vec<Note>> {
    let mut notes = Vec::new();
    for entry in entries.iter() {
        let check = if entry.is(Flags::OVERRIDDEN) {
            Some(&borrowed::DUPLICATE_KEY)
        } else if entry.is(Flags::ALIAS) {
            Some(&borrowed::ALIAS_KEY)
        } else if is_hybrid(source, entry)? {
            Some(&hybrid_key::CHECK)
        } else {
            None
        };
        notes.extend(check.map(|check| Note::new(entry.start(), rules::number(check), 0)));
        let has_none = entry.session == 0 && !entry.is(Flags::BAD_SESSION_ID) && !entry.is(Flags::NOT_OBJECT);
        if has_none && !entry.is(Flags::OVERRIDDEN) && no_session_id::holds(entry.shape, version) {
            notes.push(Note::new(
                entry.start(),
                rules::number(&no_session_id::CHECK),
                no_session_id::MISSING,
            ));
        }
    }
    Ok(notes)
}

fn is_hybrid(source: &mut FileSource, entry: &Entry) -> io::Result<bool> {
    if !entry.is(Flags::ODD_SPELLING) && entry.is(Flags::HAS_AGENT) && entry.shape != Shape::Unknown {
        return Ok(false);
    }
    let key = text::to_display(&members::key(source, entry.start())?);
    Ok(hybrid_key::holds(&key, "main"))
}

/// Whether a note is of an entry that a later copy overrides: nobody reads that.
fn lies_in_overridden(entries: &Entries, note: Note) -> bool {
    let at = entries.before(note.offset());
    at.is_some_and(|at| entries[at].is(Flags::OVERRIDDEN) && note.offset() < entries[at].end())
}

fn reads(scan: &Scan, version: Version) -> Reads {
    let dropped = |entry: &Entry| {
        version >= Version::DROPS_ON_LOAD && (entry.is(Flags::NOT_OBJECT) || entry.is(Flags::BAD_SESSION_ID))
    };
    let entries = scan.live().filter(|entry| !dropped(entry)).count() as u64;
    let is_whole = entries == scan.entries.len() as u64;
    Reads { entries, outcome: if is_whole { "all" } else { "partial" } }
}
