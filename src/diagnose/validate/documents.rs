//! Lists of jobs, their state, and run logs, held against a version of OpenClaw.
//!
//! A document is walked twice, once to count and once to tell, so that nothing of what is found need be kept.

use std::collections::{BTreeMap, HashSet};
use std::io;
use std::ops::Range;

use super::{Body, Lens, Reads, Validation};
use crate::apply::cancel::Cancel;
use crate::diagnose::read::ReadOptions;
use crate::evidence::named::FileKind;
use crate::model::problem::{Found, Gravity};
use crate::openclaw::json;
use crate::openclaw::run_log::{self, RawLine};
use crate::rules::validate::documents::{Against, job, run_line};
use crate::scan::source::{FileSource, Source, SourceReader};
use crate::scan::value::Value;

/// The longest line that is looked at.
const LONGEST_LINE: usize = 64 << 20;

/// A document that is walked, and what it is held against.
pub struct Document {
    parts: Parts,
    against: Against,
    /// What is said of the document as a whole.
    whole: Option<Found>,
    tallies: Tallies,
}

/// How often a rule holds, by its id and how bad it is.
pub type Tallies = BTreeMap<(&'static str, Gravity), u64>;

/// What a document consists of.
pub(super) enum Parts {
    /// Jobs, in a list.
    Jobs { text: Vec<u8>, list: Range<u64> },
    /// States, by the id of the job.
    States { text: Vec<u8>, jobs: Range<u64> },
    /// Lines, of a job where that is known.
    Lines { job: Option<String> },
    /// Nothing that could be looked at one by one.
    Nothing,
}

/// One part of a document.
struct Part {
    /// The id of the job that it is of.
    job: Option<String>,
    /// Whether OpenClaw has it after loading the document.
    is_read: bool,
    found: Vec<Found>,
}

impl Document {
    pub(super) fn new(parts: Parts, whole: Option<Found>, against: Against) -> Self {
        Document { parts, against, whole, tallies: Tallies::new() }
    }

    /// How often each rule holds.
    pub fn tallies(&self) -> &Tallies {
        &self.tallies
    }

    /// Everything that is wrong, in the order of the file, each with the id of its job.
    pub fn each(
        &self,
        source: &FileSource,
        sink: &mut dyn FnMut(Option<&str>, &Found) -> io::Result<()>,
    ) -> io::Result<()> {
        if let Some(found) = &self.whole {
            sink(None, found)?;
        }
        self.parts(source, &mut |part| {
            part.found.iter().try_for_each(|found| sink(part.job.as_deref(), found))
        })
    }

    fn parts(&self, source: &FileSource, each: &mut dyn FnMut(&Part) -> io::Result<()>) -> io::Result<()> {
        match &self.parts {
            Parts::Jobs { text, list } => {
                let mut ids = HashSet::new();
                let jobs = value(text, list).elements();
                jobs.iter().try_for_each(|element| {
                    let judged = job::of_list(element, &mut ids, &self.against);
                    each(&Part { job: judged.id, is_read: judged.loads, found: judged.found })
                })
            }
            Parts::States { text, jobs } => {
                // Of several entries of one name, OpenClaw reads the last.
                let members = value(text, jobs).members();
                let mut seen = HashSet::new();
                let is_last: Vec<bool> =
                    members.iter().rev().map(|member| seen.insert(member.name.as_str())).collect();
                members.iter().zip(is_last.into_iter().rev()).filter(|(_, is_last)| *is_last).try_for_each(
                    |(member, _)| {
                        let judged = job::of_state(&member.value, &self.against);
                        let job = Some(member.name.clone());
                        each(&Part { job, is_read: judged.loads, found: judged.found })
                    },
                )
            }
            Parts::Lines { job } => self.lines(source, job.as_deref(), each),
            Parts::Nothing => Ok(()),
        }
    }

    fn lines(
        &self,
        source: &FileSource,
        job: Option<&str>,
        each: &mut dyn FnMut(&Part) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut lines = run_log::lines(SourceReader::new(source.reader()), LONGEST_LINE);
        while let Some(line) = lines.next_line()? {
            if let Some(part) = self.line(&line, job) {
                each(&part)?;
            }
        }
        source.intact()
    }

    /// A line of a log; `None` where it is blank.
    fn line(&self, line: &RawLine<'_>, job: Option<&str>) -> Option<Part> {
        let (blank, bytes) = trimmed(line.bytes);
        let at = line.start + blank as u64;
        let job_of = |found, is_read| Some(Part { job: job.map(str::to_owned), is_read, found });
        if line.oversized {
            return job_of(vec![run_line::oversized(line.start, LONGEST_LINE)], false);
        }
        if bytes.is_empty() {
            return None;
        }
        if !json::is_json(bytes) {
            return job_of(vec![run_line::torn(at)], false);
        }
        let (found, is_read) = run_line::of_log(&Value::new(bytes, at), job, &self.against);
        job_of(found, is_read)
    }

    /// Counts what is found, and what OpenClaw has after loading it.
    pub(super) fn counted(mut self, source: &FileSource, cancel: &Cancel) -> io::Result<(Self, u64, Reads)> {
        let mut tallies = Tallies::new();
        let (mut all, mut read) = (0_u64, 0_u64);
        let mut count = |found: &Found| *tallies.entry((found.rule.id, found.gravity)).or_default() += 1;
        self.whole.iter().for_each(&mut count);
        self.parts(source, &mut |part| {
            checked(cancel)?;
            all += 1;
            read += u64::from(part.is_read);
            part.found.iter().for_each(&mut count);
            Ok(())
        })?;
        self.tallies = tallies;
        let outcome = if read == all { "all" } else { "partial" };
        Ok((self, all, Reads { entries: read, outcome }))
    }
}

fn checked(cancel: &Cancel) -> io::Result<()> {
    cancel.requested().map_or(Ok(()), |_| Err(io::ErrorKind::Interrupted.into()))
}

fn value<'a>(text: &'a [u8], span: &Range<u64>) -> Value<'a> {
    Value::new(&text[span.start as usize..span.end as usize], span.start)
}

/// A line as `trim` of JavaScript leaves it, and how many bytes went in front.
fn trimmed(line: &[u8]) -> (usize, &[u8]) {
    let is_blank = |c: char| c == '\u{feff}' || c.is_whitespace() && c != '\u{85}';
    match std::str::from_utf8(line) {
        Ok(text) => {
            let rest = text.trim_start_matches(is_blank);
            (text.len() - rest.len(), rest.trim_end_matches(is_blank).as_bytes())
        }
        Err(_) => {
            let rest = line.trim_ascii_start();
            (line.len() - rest.len(), rest.trim_ascii_end())
        }
    }
}

/// Validates a run log; `job` is the one that its name tells of.
pub fn run_log(
    source: FileSource,
    job: Option<String>,
    lens: &Lens<'_>,
    options: &ReadOptions<'_>,
) -> io::Result<Validation> {
    let against = lens.against();
    let document = Document::new(Parts::Lines { job }, None, against);
    conclude(source, FileKind::RunLog, 0, document, options)
}

/// Counts what is wrong with a document.
pub(super) fn conclude(
    source: FileSource,
    kind: FileKind,
    text_start: u64,
    document: Document,
    options: &ReadOptions<'_>,
) -> io::Result<Validation> {
    let (document, keys, reads) = document.counted(&source, options.cancel)?;
    source.unchanged()?;
    let body = Body::Document(document);
    Ok(Validation { kind, source, text_start, damage: Vec::new(), keys, reads, body })
}
