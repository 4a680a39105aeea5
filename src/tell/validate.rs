//! The problems of a file as sentences, with key, line and column, read again one after the other.

use std::io;

use super::changes::cut;
use crate::diagnose::validate::{Body, Validation};
use crate::model::entries::Entries;
use crate::model::entry::Entry;
use crate::model::problem::{Found, Gravity, Note};
use crate::openclaw::entry_fields::Known;
use crate::openclaw::versions::Version;
use crate::report::model::{OpenclawReads, Severity};
use crate::report::redact::Redactor;
use crate::report::validate::model::{Excerpt, FileRow, FileVerdict, Problem, Problems};
use crate::rules::store::Damaged;
use crate::rules::validate::{ALL, Told};
use crate::scan::members;
use crate::scan::place::Places;
use crate::scan::source::{FileSource, Source, read_range};
use crate::scan::text;
use crate::scan::value::shorten;

/// Bytes of a line that are shown before a place.
const BEFORE: u64 = 50;
/// And from it on.
const AFTER: u64 = 40;
/// Bytes of a value that are read to show its front.
const VALUE: u64 = 240;

/// What is told, and how bad it counts.
#[derive(Clone, Debug, Default)]
pub struct Strictness {
    /// Rules that are not told.
    pub allowed: Vec<String>,
    /// Rules that are warnings.
    pub warned: Vec<String>,
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
            return None;
        }
        let is_error = gravity == Gravity::Error && !is_in(&self.warned) || is_in(&self.denied);
        Some(if is_error || self.deny_warnings { Severity::Error } else { Severity::Warning })
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
        let Validation { damage, keys, reads, kind, .. } = &*self.validation;
        let (errors, warnings) = self.counts();
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
            errors: errors + damage.len() as u64,
            warnings,
        }
    }

    /// Errors and warnings that are told.
    fn counts(&self) -> (u64, u64) {
        let (mut errors, mut warnings) = (0, 0);
        let mut count = |severity: Option<Severity>, times: u64| match severity {
            Some(Severity::Error) => errors += times,
            Some(_) => warnings += times,
            None => {}
        };
        match &self.validation.body {
            Body::Nothing => {}
            Body::Store { notes, .. } => {
                notes.iter().for_each(|note| count(severity_of(self.strictness, self.version, *note), 1));
            }
            Body::Document(document) => document.tallies().iter().for_each(|((rule, gravity), times)| {
                count(self.strictness.severity(rule, *gravity), *times);
            }),
        }
        (errors, warnings)
    }
}

/// What is told of a note, and how bad it counts.
fn severity_of(strictness: &Strictness, version: Version, note: Note) -> Option<Severity> {
    let check = ALL.get(usize::from(note.check()))?;
    strictness.severity(check.rule.id, (check.gravity)(version, member(note)))
}

/// Makes problems of places: reads again what stands there.
struct Teller<'a> {
    source: &'a mut FileSource,
    places: Places,
    redactor: &'a Redactor,
    strictness: &'a Strictness,
    version: Version,
}

impl Teller<'_> {
    /// What makes a file unreadable is told whatever is allowed.
    fn damage(&mut self, found: &Damaged) -> io::Result<Problem> {
        Ok(Problem {
            check_id: found.rule.id,
            severity: Severity::Error,
            message: found.detail.clone(),
            key: None,
            line: found.line,
            column: found.column,
            offset: found.start,
            excerpt: self.excerpt(found.start)?,
        })
    }

    /// What is noted of a store; `None` where that is not told.
    fn note(&mut self, entries: &Entries, note: Note) -> io::Result<Option<Problem>> {
        let Some(severity) = severity_of(self.strictness, self.version, note) else { return Ok(None) };
        let check = ALL[usize::from(note.check())];
        let value =
            if note.member() & MISSING == 0 { value(self.source, note.offset())? } else { String::new() };
        let value = self.redactor.text(&value);
        let entry = entries.before(note.offset()).map(|at| entries[at]);
        let key =
            entry.filter(|entry| note.offset() < entry.end()).map(|entry| self.key(&entry)).transpose()?;
        let told = Told { version: self.version, member: member(note), value: &value };
        self.problem(check.rule.id, severity, (check.message)(&told), key, note.offset()).map(Some)
    }

    /// What is found in a document; `None` where that is not told.
    fn found(&mut self, job: Option<&str>, found: &Found) -> io::Result<Option<Problem>> {
        let Some(severity) = self.strictness.severity(found.rule.id, found.gravity) else { return Ok(None) };
        let message = match &found.value {
            Some(value) => found.message.replacen("{}", &self.redactor.text(value), 1),
            None => found.message.clone(),
        };
        let job = job.map(|job| self.redactor.id(&cut(job.to_owned()).0));
        self.problem(found.rule.id, severity, message, job, found.offset).map(Some)
    }

    fn problem(
        &mut self,
        check_id: &'static str,
        severity: Severity,
        message: String,
        key: Option<String>,
        offset: u64,
    ) -> io::Result<Problem> {
        let place = self.places.find(self.source, offset)?;
        let excerpt = self.excerpt(offset)?;
        Ok(Problem {
            check_id,
            severity,
            message,
            key,
            line: place.line,
            column: place.column,
            offset,
            excerpt,
        })
    }

    fn key(&mut self, entry: &Entry) -> io::Result<String> {
        let key = text::to_display(&members::key(self.source, entry.start())?);
        let (key, _) = cut(key);
        Ok(self.redactor.key(&key))
    }

    /// The line around a place; nothing where user text is hidden.
    fn excerpt(&mut self, offset: u64) -> io::Result<Excerpt> {
        if self.redactor.is_on() {
            return Ok(Excerpt::default());
        }
        let source = &mut *self.source;
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
        let Validation { source, damage, body, text_start, .. } = &mut *self.validation;
        let walked = source.reader();
        let mut teller = Teller {
            source,
            places: Places::new(*text_start),
            redactor: self.redactor,
            strictness: self.strictness,
            version: self.version,
        };
        damage.iter().try_for_each(|found| sink(&teller.damage(found)?))?;
        match body {
            Body::Nothing => {}
            Body::Store { notes, entries } => {
                for note in notes {
                    teller.note(entries, *note)?.iter().try_for_each(&mut *sink)?;
                }
            }
            Body::Document(document) => document
                .each(&walked, &mut |job, found| teller.found(job, found)?.iter().try_for_each(&mut *sink))?,
        }
        source.unchanged()
    }
}

/// The front of the value that begins at `offset`, as it stands there.
fn value(source: &mut FileSource, offset: u64) -> io::Result<String> {
    let end = (offset + VALUE).min(source.len());
    let bytes = read_range(source, offset..end)?;
    let len = match bytes.first() {
        Some(b'"') => string_end(&bytes),
        Some(b'{') => return Ok("an object".to_owned()),
        Some(b'[') => return Ok("a list".to_owned()),
        _ => bytes.iter().position(|byte| b",]} \t\r\n".contains(byte)).unwrap_or(bytes.len()),
    };
    Ok(shorten(&String::from_utf8_lossy(&bytes[..len])))
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
