//! The tables of a store: classes, what stays and why, cron jobs.

use std::collections::BTreeMap;
use std::io;

use super::page::Page;
use super::{Verbosity, words};
use crate::report::escape::Shown;
use crate::report::format::{Count, Counted, Share, Size, Span};
use crate::report::model::{JobReport, StoreReport, Tally};

/// Jobs that are shown one by one.
const JOBS_SHOWN: usize = 10;

/// `6,539 entries: 4,103 zombie, 2,194 stale, 211 orphaned, 31 live`.
pub(super) fn class_summary(store: &StoreReport) -> String {
    let mut text = Counted::entries(store.entries.total).to_string();
    let rows: Vec<String> = listed_classes(store)
        .map(|(class, _, tally)| format!("{} {}", Count(tally.entries), Shown::new(class).max(20)))
        .collect();
    if !rows.is_empty() {
        text.push_str(": ");
        text.push_str(&rows.join(", "));
    }
    text
}

/// Classes with entries: the known ones in their order, then any other.
fn listed_classes(store: &StoreReport) -> impl Iterator<Item = (&str, &'static str, Tally)> {
    let known = words::CLASSES.into_iter();
    let known = known.filter_map(|(class, words)| Some((class, words, *store.classes.get(class)?)));
    let is_known = |class: &str| words::CLASSES.iter().any(|(name, _)| *name == class);
    let other = store.classes.iter().filter(move |(class, _)| !is_known(class));
    known
        .chain(other.map(|(class, tally)| (class.as_str(), "", *tally)))
        .filter(|(_, _, tally)| tally.entries > 0)
}

/// What is wrong with how many, and what the plan does with them.
pub(super) fn classes(page: &mut Page<'_>, store: &StoreReport) -> io::Result<()> {
    let mut rows: Vec<Vec<String>> =
        listed_classes(store).map(|(class, words, tally)| class_row(store, class, words, tally)).collect();
    if let Some(tally) = store.rules.get("duplicate-key").filter(|tally| tally.entries > 0) {
        rows.push(class_row(
            store,
            "duplicate",
            "an earlier copy of a key; only the last one counts",
            *tally,
        ));
    }
    // A store in which everything is live needs no table to say so.
    if rows.is_empty()
        || (rows.len() == 1 && store.classes.get("live").is_some_and(|tally| tally.entries > 0))
    {
        return Ok(());
    }
    page.gap();
    page.table(2, &["class", "entries", "bytes", "which means", "plan"], rows, &[1, 2])
}

fn class_row(store: &StoreReport, class: &str, words: &str, tally: Tally) -> Vec<String> {
    vec![
        Shown::new(class).max(20).to_string(),
        Count(tally.entries).to_string(),
        Size(tally.bytes).to_string(),
        words.to_owned(),
        plan_of(store.class_actions.get(class), class, tally),
    ]
}

/// `remove`, or `remove 4,101, heal 2` where the class is divided.
fn plan_of(actions: Option<&BTreeMap<String, Tally>>, class: &str, tally: Tally) -> String {
    let Some(actions) = actions.filter(|actions| !actions.is_empty()) else {
        let known = match class {
            "duplicate" => "drop",
            "live" => "keep",
            _ => "",
        };
        return known.to_owned();
    };
    let mut rows: Vec<(&String, &Tally)> = actions.iter().filter(|(_, part)| part.entries > 0).collect();
    rows.sort_by_key(|(_, part)| std::cmp::Reverse(part.entries));
    let part = |(action, part): &(&String, &Tally)| {
        let action = Shown::new(action).max(12).to_string();
        if part.entries == tally.entries { action } else { format!("{action} {}", Count(part.entries)) }
    };
    rows.iter().map(part).collect::<Vec<_>>().join(", ")
}

/// What stays although a rule or its age speaks against it, and why.
pub(super) fn kept(page: &mut Page<'_>, store: &StoreReport) -> io::Result<()> {
    let mut reasons: Vec<(&String, &Tally)> =
        store.kept_because.iter().filter(|(_, tally)| tally.entries > 0).collect();
    if reasons.is_empty() {
        return Ok(());
    }
    reasons.sort_by_key(|(_, tally)| std::cmp::Reverse(tally.entries));
    let row = |(id, tally): (&String, &Tally)| {
        let id = Shown::new(id).max(24).to_string();
        vec![Count(tally.entries).to_string(), words::kept(&id).to_owned(), id]
    };
    page.gap();
    page.table(2, &["kept", "because", "rule"], reasons.into_iter().map(row).collect(), &[0])
}

/// The largest cron jobs one by one, the rest in a row.
pub(super) fn jobs(page: &mut Page<'_>, store: &StoreReport, verbosity: Verbosity) -> io::Result<()> {
    if store.jobs.is_empty() {
        return Ok(());
    }
    let shown = if verbosity == Verbosity::Verbose { usize::MAX } else { JOBS_SHOWN };
    let (named, rest): (Vec<_>, Vec<_>) = store.jobs.iter().partition(|job| job.job_id != "other");
    let listed = &named[..named.len().min(shown)];
    let rest: Vec<&JobReport> = named[listed.len()..].iter().chain(&rest).copied().collect();
    // Where there is room: a short id beside a name, or the whole id where no job has a name.
    let wide = page.style().width() >= 96;
    let ids = wide && listed.iter().any(|job| job.name.is_some());
    let name_columns = if wide && !ids { 36 } else { 22 };
    let mut rows: Vec<Vec<String>> = listed.iter().map(|job| job_row(job, ids, name_columns)).collect();
    if !rest.is_empty() {
        rows.push(rest_row(&rest, ids));
    }
    let mut header = vec!["cron job", "id", "entries", "bytes", "every", "status", "job list"];
    let mut right = vec![2, 3, 4];
    if !ids {
        header.remove(1);
        right = vec![1, 2, 3];
    }
    page.gap();
    page.table(2, &header, rows, &right)
}

fn job_row(job: &JobReport, ids: bool, name_columns: usize) -> Vec<String> {
    let id = Shown::new(&job.job_id);
    let (name, short) = match &job.name {
        Some(name) => (Shown::new(name).max(name_columns), id.max(9).to_string()),
        None => (id.max(name_columns), String::new()),
    };
    let mut row = vec![name.to_string()];
    row.extend(ids.then_some(short));
    row.push(Count(job.entries).to_string());
    row.push(Size(job.bytes).to_string());
    row.push(job.median_interval_ms.map(|ms| Span(ms).to_string()).unwrap_or_default());
    row.push(statuses(&job.statuses, job.entries));
    let known = match job.known {
        Some(true) => "has it",
        Some(false) => "deleted",
        None => "unknown",
    };
    row.push(known.to_owned());
    row
}

fn rest_row(rest: &[&JobReport], ids: bool) -> Vec<String> {
    let entries = rest.iter().map(|job| job.entries).sum();
    let mut together = BTreeMap::new();
    for (status, count) in rest.iter().flat_map(|job| &job.statuses) {
        *together.entry(status.clone()).or_insert(0) += count;
    }
    let bytes = Size(rest.iter().map(|job| job.bytes).sum()).to_string();
    let mut row = vec!["all others".to_owned()];
    row.extend(ids.then(String::new));
    row.extend([
        Count(entries).to_string(),
        bytes,
        String::new(),
        statuses(&together, entries),
        String::new(),
    ]);
    row
}

/// The two most frequent statuses: `60 % running, 40 % no status`.
fn statuses(statuses: &BTreeMap<String, u64>, entries: u64) -> String {
    let mut rows: Vec<(&String, &u64)> = statuses.iter().filter(|(_, count)| **count > 0).collect();
    rows.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    let word = |status: &str| {
        if status == "unknown" { "no status".to_owned() } else { Shown::new(status).max(12).to_string() }
    };
    let total = rows.iter().map(|(_, count)| **count).sum::<u64>().max(entries);
    let part = |(status, count): &(&String, &u64)| format!("{} {}", Share(**count, total), word(status));
    let mut text = rows.iter().take(2).map(part).collect::<Vec<_>>().join(", ");
    if rows.len() > 2 {
        text.push_str(", …");
    }
    text
}
