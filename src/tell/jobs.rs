//! The table of jobs: who made the entries, how fast, and how they ended.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::io;

use super::intervals::Intervals;
use super::store::ROWS;
use crate::diagnose::Judged;
use crate::diagnose::settle::strings;
use crate::evidence::jobs::is_known;
use crate::model::Millis;
use crate::model::entry::{Entry, Flags, TextHash};
use crate::model::evidence::Jobs;
use crate::model::key::{SessionKey, Shape};
use crate::model::texts::{Refold, TextMap};
use crate::report::model::JobReport;
use crate::scan::entries::Scan;
use crate::scan::members;

/// What is gathered of one job, or of several.
#[derive(Default)]
struct Part {
    /// Number of an entry that tells the id and the label.
    sample: usize,
    entries: u64,
    bytes: u64,
    statuses: BTreeMap<&'static str, u64>,
    first: Option<Millis>,
    last: Option<Millis>,
}

impl Part {
    fn add(&mut self, at: usize, entry: &Entry) {
        if self.entries == 0 {
            self.sample = at;
        }
        self.entries += 1;
        self.bytes += entry.bytes();
        *self.statuses.entry(entry.status.name()).or_default() += 1;
        let time = time_of_run(entry);
        self.first = self.first.into_iter().chain(time).min();
        self.last = self.last.max(time);
    }
}

fn time_of_run(entry: &Entry) -> Option<Millis> {
    entry.updated_at.millis().filter(|_| entry.shape == Shape::RunRecord)
}

/// Tells the jobs of a store, the largest first; a hundred of them, and the rest as one.
pub fn tell(judged: &mut Judged, jobs: &Jobs) -> io::Result<Vec<JobReport>> {
    let largest = largest(&judged.reading.scan);
    let places: TextMap<usize> = largest.iter().enumerate().map(|(place, (job, _))| (*job, place)).collect();
    let mut parts: Vec<(Part, Intervals)> =
        largest.iter().map(|(_, entries)| (Part::default(), Intervals::with_room(*entries))).collect();
    let mut rest = Part::default();
    for (at, entry) in of_jobs(&judged.reading.scan) {
        match places.get(&entry.job) {
            None => rest.add(at, entry),
            Some(&place) => {
                let (part, intervals) = &mut parts[place];
                part.add(at, entry);
                time_of_run(entry).into_iter().for_each(|time| intervals.add(time));
            }
        }
    }
    let mut rows = Vec::new();
    for ((job, _), (part, intervals)) in largest.into_iter().zip(parts) {
        rows.push(row(judged, jobs, job, &part, intervals)?);
    }
    if rest.entries > 0 {
        rows.push(other(&rest));
    }
    Ok(rows)
}

/// Entries of jobs that nothing overrides, by number.
fn of_jobs(scan: &Scan) -> impl Iterator<Item = (usize, &Entry)> {
    let entries = scan.entries.iter().enumerate();
    entries.filter(|(_, entry)| entry.family().is_cron() && !entry.is(Flags::OVERRIDDEN))
}

/// The jobs that take the most bytes, and how many entries they have; of a million jobs no more is remembered.
fn largest(scan: &Scan) -> Vec<(TextHash, usize)> {
    // A map doubles: it has room for seven jobs for each of its eight places.
    let most = AT_ONCE.max(scan.entries.len() / 8).next_power_of_two() / 16 * 7 - 1;
    let mut largest = BTreeSet::new();
    let mut next = Some(0);
    while let Some(from) = next {
        let sums = sums(scan, from, most);
        for (job, (bytes, entries)) in sums.of {
            largest.insert((Reverse(bytes), job, entries));
            if largest.len() > ROWS {
                largest.pop_last();
            }
        }
        next = sums.up_to.checked_add(1);
    }
    largest.into_iter().map(|(_, job, entries)| (job, entries)).collect()
}

/// About half of so many jobs at least are summed up in one pass over the entries.
const AT_ONCE: usize = 1 << 13;

/// Bytes and entries of the jobs whose hash is not greater than `up_to`.
struct Sums {
    of: TextMap<(u64, usize)>,
    up_to: TextHash,
}

/// Sums up jobs from the hash `from` on: all the rest, or where that is more than `most`, of ever fewer of them.
fn sums(scan: &Scan, from: TextHash, most: usize) -> Sums {
    let of = TextMap::with_capacity_and_hasher(most + 1, Refold::default());
    let mut sums = Sums { of, up_to: TextHash::MAX };
    for (_, entry) in of_jobs(scan) {
        if entry.job < from || entry.job > sums.up_to {
            continue;
        }
        let (bytes, entries) = sums.of.entry(entry.job).or_default();
        (*bytes, *entries) = (*bytes + entry.bytes(), *entries + 1);
        while sums.of.len() > most {
            sums.up_to = from + (sums.up_to - from) / 2;
            let up_to = sums.up_to;
            sums.of.retain(|job, _| *job <= up_to);
        }
    }
    sums
}

fn row(
    judged: &mut Judged,
    jobs: &Jobs,
    job: TextHash,
    part: &Part,
    intervals: Intervals,
) -> io::Result<JobReport> {
    let entry = judged.reading.scan.entries[part.sample];
    let source = &mut judged.reading.source;
    let key = members::key(source, entry.start())?;
    let key = String::from_utf8_lossy(&key);
    let spelled = SessionKey::parse(&key, "main").job.unwrap_or_default();
    let known = jobs.known.get(&job);
    let name = match known.and_then(|job| job.name.clone()) {
        Some(name) => Some(name),
        None if entry.is(Flags::NOT_OBJECT) => None,
        None => {
            let [label] = strings(source, &entry, ["label"])?;
            label.map(|label| label.strip_prefix("Cron: ").unwrap_or(&label).to_owned())
        }
    };
    Ok(JobReport {
        job_id: known.map_or_else(|| spelled.to_owned(), |job| job.id.clone()),
        name,
        entries: part.entries,
        bytes: part.bytes,
        statuses: owned(&part.statuses),
        first_at: part.first,
        last_at: part.last,
        median_interval_ms: intervals.median(),
        known: is_known(jobs, job),
    })
}

fn owned(statuses: &BTreeMap<&'static str, u64>) -> BTreeMap<String, u64> {
    statuses.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect()
}

fn other(rest: &Part) -> JobReport {
    JobReport {
        job_id: "other".to_owned(),
        name: None,
        entries: rest.entries,
        bytes: rest.bytes,
        statuses: owned(&rest.statuses),
        first_at: rest.first,
        last_at: rest.last,
        median_interval_ms: None,
        known: None,
    }
}
