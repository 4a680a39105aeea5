//! The problems of a file as sentences, with key, line and column, read again one after the other.

use std::io;

use super::changes::cut;
use crate::diagnose::validate::Validation;
use crate::model::entry::Entry;
use crate::model::problem::{Gravity, Note};
use crate::openclaw::entry_fields::Known;
use crate::openclaw::versions::Version;
use crate::report::model::{OpenclawReads, Severity};
use crate::report::redact::Redactor;
use crate::report::validate::model::{Excerpt, FileRow, FileVerdict, Problem, Problems};
use crate::rules::validate::{ALL, Told};
use crate::scan::members;
use crate::scan::place::Places;
use crate::scan::source::{FileSource, Source, read_range};
use crate::scan::text;

/// Bytes of a line that are shown before a place.
const BEFORE: u64 = 50;
/// And from it on.
const AFTER: u64 = 40;
/// Bytes of a value that a message repeats.
const VALUE: usize = 60;

/// What is told, and how bad it counts.
#[derive(Clone, Debug, Default)]
pub struct Strictness {
    /// Rules that are not told.
    pub allowed: Vec<String>,
    /// Rules that are errors.
    pub denied: Vec<String>,
    /// Whether warnings are errors.
    pub deny_warnings: bool,
}

impl Strictness {
    /// The severity of a rule; `None` where it is not told.
    fn severity(&self, rule: &str, gravity: Gravity) -> Option<Severity> {
        let is_in = |list: &[String]| list.iter().any(|id| id == rule);
        if is_in(&self.allowed) {
            None
        } else if gravity == Gravity::Error || self.deny_warnings || is_in(&self.denied) {
            Some(Severity::Error)
        } else {
            Some(Severity::Warning)
        }
    }
}

/// The problems of one file.
pub struct FileProblems<'a> {
    /// The file.
    pub validation: &'a mut Validation,
    /// For which version.
    pub version: Version,
    /// What is told.
    pub strictness: &'a Strictness,
    /// Hides what is the user's.
    pub redactor: &'a Redactor,
}

impl FileProblems<'_> {
    /// The row of the file.
    pub fn row(&self, path: &str) -> FileRow {
        let Validation { damage, notes, keys, reads, kind, .. } = &*self.validation;
        let told = notes.iter().filter_map(|note| self.severity(*note));
        let errors = told.clone().filter(|severity| *severity == Severity::Error).count();
        let warnings = told.count() - errors;
        let verdict = if !damage.is_empty() {
            FileVerdict::Damaged
        } else if errors + warnings > 0 {
            FileVerdict::Problems
        } else {
            FileVerdict::Valid
        };
        FileRow {
            path: if path == "-" { path.to_owned() } else { self.redactor.path(path) },
            kind: kind.name(),
            verdict,
            openclaw_reads: OpenclawReads { entries: Some(reads.entries), outcome: reads.outcome },
            entries: *keys,
            errors: (errors + damage.len()) as u64,
            warnings: warnings as u64,
        }
    }

    fn severity(&self, note: Note) -> Option<Severity> {
        let check = ALL.get(usize::from(note.check()))?;
        self.strictness.severity(check.rule.id, (check.gravity)(self.version, member(note)))
    }

    /// What makes a file unreadable is told whatever is allowed.
    fn damage(&mut self, sink: &mut dyn FnMut(&Problem) -> io::Result<()>) -> io::Result<()> {
        for at in 0..self.validation.damage.len() {
            let found = self.validation.damage[at].clone();
            let problem = Problem {
                check_id: found.rule.id,
                severity: Severity::Error,
                message: found.detail,
                key: None,
                line: found.line,
                column: found.column,
                offset: found.start,
                excerpt: self.excerpt(found.start)?,
            };
            sink(&problem)?;
        }
        Ok(())
    }

    fn problem(&mut self, note: Note, severity: Severity, places: &mut Places) -> io::Result<Problem> {
        let check = ALL[usize::from(note.check())];
        let source = &mut self.validation.source;
        let place = places.find(source, note.offset())?;
        let value = if note.member() & MISSING == 0 { value(source, note.offset())? } else { String::new() };
        let value = self.redactor.text(&value);
        let entry = self.validation.entries.before(note.offset()).map(|at| self.validation.entries[at]);
        let key =
            entry.filter(|entry| note.offset() < entry.end()).map(|entry| self.key(&entry)).transpose()?;
        let told = Told { version: self.version, member: member(note), value: &value };
        Ok(Problem {
            check_id: check.rule.id,
            severity,
            message: (check.message)(&told),
            key,
            line: place.line,
            column: place.column,
            offset: note.offset(),
            excerpt: self.excerpt(note.offset())?,
        })
    }

    fn key(&mut self, entry: &Entry) -> io::Result<String> {
        let key = text::to_display(&members::key(&mut self.validation.source, entry.start())?);
        let (key, _) = cut(key);
        Ok(self.redactor.key(&key))
    }

    /// The line around a place; nothing where user text is hidden.
    fn excerpt(&mut self, offset: u64) -> io::Result<Excerpt> {
        if self.redactor.is_on() {
            return Ok(Excerpt::default());
        }
        let source = &mut self.validation.source;
        let (start, end) = (offset.saturating_sub(BEFORE), (offset + AFTER).min(source.len()));
        let around = read_range(source, start.min(end)..end)?;
        let (before, after) = around.split_at(around.len().min((offset - start) as usize));
        let line = memchr::memrchr(b'\n', before).map_or(0, |at| at + 1);
        let cut_before = line == 0 && start > 0;
        let line_end = memchr::memchr(b'\n', after);
        // A character that was cut in two is left out.
        let rest = |byte: &&u8| **byte & 0xc0 == 0x80;
        let from = line + if cut_before { before.iter().take_while(rest).count() } else { 0 };
        let whole = after.iter().rposition(|byte| byte & 0xc0 != 0x80).unwrap_or(0);
        let is_half = after.last().is_some_and(|byte| byte & 0x80 != 0) && end < source.len();
        let to = line_end.unwrap_or(if is_half { whole } else { after.len() });
        let cut_after = line_end.is_none() && end < source.len();
        Ok(Excerpt { before: before[from..].to_vec(), after: after[..to].to_vec(), cut_before, cut_after })
    }
}

/// As in `rules::validate`: what is told of is not there.
const MISSING: u8 = crate::rules::validate::wrong_type::MISSING;

fn member(note: Note) -> Known {
    Known(note.member() & !MISSING)
}

impl Problems for FileProblems<'_> {
    fn for_each(&mut self, sink: &mut dyn FnMut(&Problem) -> io::Result<()>) -> io::Result<()> {
        self.damage(sink)?;
        let mut places = Places::new(self.validation.text_start);
        for at in 0..self.validation.notes.len() {
            let note = self.validation.notes[at];
            if let Some(severity) = self.severity(note) {
                let problem = self.problem(note, severity, &mut places)?;
                sink(&problem)?;
            }
        }
        self.validation.source.unchanged()
    }
}

/// The front of the value that begins at `offset`, as it stands there.
fn value(source: &mut FileSource, offset: u64) -> io::Result<String> {
    let end = (offset + 4 * VALUE as u64).min(source.len());
    let bytes = read_range(source, offset..end)?;
    let len = match bytes.first() {
        Some(b'"') => string_end(&bytes),
        Some(b'{') => return Ok("an object".to_owned()),
        Some(b'[') => return Ok("a list".to_owned()),
        _ => bytes.iter().position(|byte| b",]} \t\r\n".contains(byte)).unwrap_or(bytes.len()),
    };
    let shown = String::from_utf8_lossy(&bytes[..len]).into_owned();
    if shown.chars().count() <= VALUE {
        return Ok(shown);
    }
    Ok(shown.chars().take(VALUE).chain(['…']).collect())
}

/// One past the closing quote, or the end of what was read.
fn string_end(bytes: &[u8]) -> usize {
    let mut at = 1;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    bytes.len()
}
