//! The table of jobs: who made the entries, how fast, and how they ended.

use std::collections::{BTreeMap, HashMap};
use std::io;

use super::store::ROWS;
use crate::diagnose::Judged;
use crate::diagnose::settle::strings;
use crate::evidence::jobs::is_known;
use crate::model::Millis;
use crate::model::entry::{Flags, TextHash};
use crate::model::evidence::Jobs;
use crate::model::key::{SessionKey, Shape};
use crate::report::model::JobReport;
use crate::scan::members;

/// What is gathered of one job.
#[derive(Default)]
struct Part {
    /// Place of an entry that tells the id and the label.
    sample: usize,
    entries: u64,
    bytes: u64,
    statuses: BTreeMap<&'static str, u64>,
    times: Vec<Millis>,
}

/// Tells the jobs of a store, the largest first; a hundred of them, and the rest as one.
pub fn tell(judged: &mut Judged, jobs: &Jobs) -> io::Result<Vec<JobReport>> {
    let mut parts: Vec<(TextHash, Part)> = gather(judged).into_iter().collect();
    parts.sort_by_key(|(job, part)| (std::cmp::Reverse(part.bytes), *job));
    let rest = parts.split_off(parts.len().min(ROWS));
    let mut rows = Vec::new();
    for (job, mut part) in parts {
        rows.push(row(judged, jobs, job, &mut part)?);
    }
    if !rest.is_empty() {
        rows.push(other(rest.into_iter().map(|(_, part)| part)));
    }
    Ok(rows)
}

fn gather(judged: &Judged) -> HashMap<TextHash, Part> {
    let mut parts: HashMap<TextHash, Part> = HashMap::new();
    for (at, entry) in judged.reading.scan.entries.iter().enumerate() {
        if !entry.family().is_cron() || entry.is(Flags::OVERRIDDEN) {
            continue;
        }
        let part = parts.entry(entry.job).or_insert_with(|| Part { sample: at, ..Part::default() });
        part.entries += 1;
        part.bytes += entry.bytes();
        *part.statuses.entry(entry.status.name()).or_default() += 1;
        if entry.shape == Shape::RunRecord {
            part.times.extend(entry.updated_at.millis());
        }
    }
    parts
}

fn row(judged: &mut Judged, jobs: &Jobs, job: TextHash, part: &mut Part) -> io::Result<JobReport> {
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
    part.times.sort_unstable();
    Ok(JobReport {
        job_id: known.map_or_else(|| spelled.to_owned(), |job| job.id.clone()),
        name,
        entries: part.entries,
        bytes: part.bytes,
        statuses: owned(&part.statuses),
        first_at: part.times.first().copied(),
        last_at: part.times.last().copied(),
        median_interval_ms: median_interval(&part.times),
        known: is_known(jobs, job),
    })
}

fn owned(statuses: &BTreeMap<&'static str, u64>) -> BTreeMap<String, u64> {
    statuses.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect()
}

fn other(parts: impl Iterator<Item = Part>) -> JobReport {
    let mut sum = Part::default();
    for part in parts {
        sum.entries += part.entries;
        sum.bytes += part.bytes;
        for (status, count) in part.statuses {
            *sum.statuses.entry(status).or_default() += count;
        }
        sum.times.extend(part.times.iter().min().into_iter().chain(part.times.iter().max()));
    }
    JobReport {
        job_id: "other".to_owned(),
        name: None,
        entries: sum.entries,
        bytes: sum.bytes,
        statuses: owned(&sum.statuses),
        first_at: sum.times.iter().min().copied(),
        last_at: sum.times.iter().max().copied(),
        median_interval_ms: None,
        known: None,
    }
}

/// `times` are sorted.
fn median_interval(times: &[Millis]) -> Option<Millis> {
    let mut intervals: Vec<Millis> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    intervals.sort_unstable();
    intervals.get(intervals.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_interval_is_not_moved_by_one_long_pause() {
        assert_eq!(median_interval(&[0, 10, 20, 30, 900]), Some(10));
        assert_eq!(median_interval(&[5]), None);
    }
}
