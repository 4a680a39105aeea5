//! What a sweep found, and what it did.

use std::collections::BTreeMap;
use std::path::Path;

use super::findings;
use super::next::{self, command};
use crate::cli::request::Request;
use crate::cli::verbs::Sweep as Wanted;
use crate::diagnose::sweep::{Leftover, StaleRows, Sweep};
use crate::diagnose::{Diagnosed, Diagnosis};
use crate::exit::Exit;
use crate::model::Millis;
use crate::model::entry::TextHash;
use crate::model::leftover::{Kept, Way};
use crate::model::texts::TextSet;
use crate::model::verdict::Rule;
use crate::plan::sweep::action;
use crate::report::format::{Counted, Size};
use crate::report::model::{Era, FileReport, Finding, OTHER, Report, Severity, Tally};
use crate::rules::leftovers as rules;

/// Rows that are told one by one.
const LARGEST: usize = 100;

/// Reasons that are told one by one.
const REASONS: usize = 5;

/// Rows of files, the largest kept and the rest counted.
#[derive(Debug, Default)]
pub struct Rows {
    largest: Vec<FileReport>,
    /// By rule and action.
    all: BTreeMap<(String, String), Tally>,
}

impl Rows {
    /// Adds a row.
    pub fn add(&mut self, row: FileReport) {
        self.all.entry((row.rule.clone(), row.action.clone())).or_default().add(row.bytes);
        self.largest.push(row);
        if self.largest.len() >= 4 * LARGEST {
            self.cut();
        }
    }

    fn cut(&mut self) {
        self.largest.sort_by(|a, b| b.bytes.cmp(&a.bytes).then_with(|| a.path.cmp(&b.path)));
        self.largest.truncate(LARGEST);
    }

    fn extend(&mut self, row: Option<FileReport>) {
        row.into_iter().for_each(|row| self.add(row));
    }

    /// How many files, and how many bytes, a rule has.
    fn of_rule(&self, rule: &str) -> Tally {
        let mut sum = Tally::default();
        for tally in self.all.iter().filter(|((of, _), _)| of == rule).map(|(_, tally)| tally) {
            (sum.entries, sum.bytes) = (sum.entries + tally.entries, sum.bytes + tally.bytes);
        }
        sum
    }

    /// The rows of the report.
    fn finish(mut self) -> Vec<FileReport> {
        self.cut();
        let mut rows = std::mem::take(&mut self.largest);
        let mut others = Vec::new();
        for ((rule, action), all) in self.all {
            let told = rows.iter().filter(|row| row.rule == rule && row.action == action);
            let bytes = all.bytes - told.clone().map(|row| row.bytes).sum::<u64>();
            if all.entries > told.count() as u64 {
                others.push(FileReport { path: OTHER.to_owned(), rule, action, bytes, to: None });
            }
        }
        rows.append(&mut others);
        rows
    }
}

/// What was done.
#[derive(Debug, Default)]
pub struct Cleared {
    /// Whether anything was tried.
    pub applied: bool,
    /// Files that are gone from where they lay.
    pub rows: Rows,
    /// Rows that are gone from the registry.
    pub rows_removed: u64,
    /// The runs.
    pub runs: Vec<String>,
    /// Files that could not be moved, and why.
    pub problems: Vec<String>,
    /// Directories of which nothing was done, and why.
    pub failures: Vec<(Exit, Finding)>,
}

/// The row of a leftover; `to` is where it went.
pub fn row(sweep: &Sweep, leftover: &Leftover, way: Way, to: Option<String>) -> FileReport {
    FileReport {
        path: sweep.path(leftover).display().to_string(),
        rule: leftover.rule.id.to_owned(),
        action: action(way, leftover.is_transcript).to_owned(),
        bytes: leftover.identity.size,
        to,
    }
}

/// The report. `sweep` is `None` where sessions live in SQLite.
pub fn report(diagnosis: &Diagnosis, sweep: Option<&Sweep>, cleared: Cleared, wanted: &Wanted) -> Report {
    let (applied, asked, way) = (cleared.applied, wanted.write.apply, wanted.way);
    let mut found = findings::of_directory(diagnosis);
    // What of these matters here keeps everything from being listed, and is told of once more.
    found.iter_mut().for_each(|finding| finding.severity = Severity::Info);
    let mut exit = if sweep.is_none() { Exit::Refused } else { of_stores(diagnosis) };
    let mut rows = Rows::default();
    let open = cleared.failures.is_empty() && cleared.problems.is_empty();
    if let Some(sweep) = sweep {
        found.extend(barred(sweep));
        found.extend(kept(sweep));
        if !applied {
            sweep.leftovers.iter().for_each(|leftover| rows.add(row(sweep, leftover, way, None)));
            found.extend(planned(&rows, way));
            found.extend(sweep.rows.as_ref().map(stale_rows));
            rows.extend(sweep.rows.as_ref().filter(|stale| stale.edit.is_ok()).map(registry_row));
        }
    }
    // What was asked for was not done.
    if asked && exit == Exit::Healthy && sweep.is_some_and(|sweep| !sweep.barred.is_empty()) {
        exit = Exit::Refused;
    }
    if applied {
        found.extend(done(&cleared, way));
        let failures = cleared.failures.iter();
        exit = failures.fold(exit, |exit, (failed, _)| exit.worst(*failed));
        exit = if cleared.problems.is_empty() { exit } else { exit.worst(Exit::Io) };
        rows = cleared.rows;
    }
    let counts = |finding: &Finding| {
        finding.severity == Severity::Error || finding.severity == Severity::Warning && !(applied && open)
    };
    if found.iter().any(counts) {
        exit = exit.worst(Exit::Findings);
    }
    found.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    super::of_files(diagnosis, "sweep", applied, rows.finish(), found, exit)
}

/// What the stores mean for the exit code.
fn of_stores(diagnosis: &Diagnosis) -> Exit {
    let of = |at: usize| super::exit_of_condition(diagnosis, at);
    (0..diagnosis.stores.len()).map(of).fold(Exit::Healthy, Exit::worst)
}

fn finding(id: &'static str, severity: Severity, message: String, count: u64, hint: Option<&str>) -> Finding {
    let count = (count > 0).then_some(count);
    Finding { check_id: id, severity, message, path: None, count, fix_hint: hint.map(str::to_owned) }
}

fn barred(sweep: &Sweep) -> Option<Finding> {
    let reasons = &sweep.barred;
    let (shown, more) = (reasons.iter().take(REASONS).cloned(), reasons.len().saturating_sub(REASONS));
    let mut shown: Vec<String> = shown.collect();
    shown.extend((more > 0).then(|| format!("and {more} more")));
    let message =
        format!("no file is called a leftover, for what lies there may be needed: {}", shown.join("; "));
    let hint = "see `sessions-doctor check`, and put that right first";
    let told = finding(rules::TRANSCRIPT_ORPHAN.id, Severity::Warning, message, 0, Some(hint));
    (!reasons.is_empty()).then_some(told)
}

/// What `check` says: counts that cost nothing. Which of these files nothing refers to, `sweep` finds out.
pub fn hints(diagnosis: &Diagnosis) -> Vec<Finding> {
    let mut told = Vec::new();
    // There files wait to be imported, and none is a leftover.
    if diagnosis.situation.era == Era::Sqlite || diagnosis.situation.era_unknown.is_some() {
        return told;
    }
    let mut say = |rule: &Rule, message: String, count: u64, path: Option<&Path>| {
        if count > 0 {
            let hint = Some("`sessions-doctor sweep` tells which of them may go");
            let path = path.map(|path| path.display().to_string());
            told.push(Finding { path, ..finding(rule.id, Severity::Info, message, count, hint) });
        }
    };
    for (file, judged) in diagnosis.judged() {
        let path = Some(file.path.as_path());
        let unclaimed =
            judged.sessions.unclaimed(judged.reading.scan.entries.iter().map(|entry| entry.session));
        let count = Counted(unclaimed, "transcript beside it belongs", "transcripts beside it belong");
        say(&rules::TRANSCRIPT_ORPHAN, format!("{count} to no session of the store"), unclaimed, path);
        let rotations = judged.sessions.rotations;
        let temporaries = judged.sessions.leftovers - rotations;
        let count = Counted(temporaries, "temporary file lies", "temporary files lie");
        say(&rules::LEFTOVER_TEMP, format!("{count} beside it"), temporaries, path);
        let message = format!("{rotations} rotations lie beside it");
        say(&rules::LEFTOVER_BACKUP, message, if rotations > 1 { rotations } else { 0 }, path);
    }
    let rows = ended_rows(diagnosis);
    let message = format!("{}: {}", Counted(rows, "row", "rows"), rules::SUBAGENT_STALE.title);
    say(&rules::SUBAGENT_STALE, message, rows, None);
    told
}

/// Sub-agents that ended long ago and whose session no store has.
fn ended_rows(diagnosis: &Diagnosis) -> u64 {
    let (registry, now) = (&diagnosis.evidence.registry, diagnosis.now());
    let is_past = |at: Millis| at <= now && now - at >= diagnosis.policy.prune_after;
    let ended = |child: &TextHash| registry.rows.get(child) == Some(&true);
    let past = registry.ended_at.iter().filter(|&(child, &at)| ended(child) && is_past(at));
    let mut past: TextSet = past.map(|(&child, _)| child).collect();
    for judged in diagnosis.stores.iter().filter_map(Diagnosed::judged) {
        for entry in judged.reading.scan.entries.iter() {
            past.remove(&entry.folded_key());
        }
    }
    past.len() as u64
}

/// What stays, for those who wonder.
fn kept(sweep: &Sweep) -> Vec<Finding> {
    let mut told = Vec::new();
    let say = |id, message, count| finding(id, Severity::Info, message, count, None);
    if sweep.mentioned > 0 {
        let count = Counted(sweep.mentioned, "file of a session stays", "files of sessions stay");
        let message = format!("{count}: a store, a run log, the registry or another file refers to them");
        told.push(say(rules::TRANSCRIPT_ORPHAN.id, message, sweep.mentioned));
    }
    for (why, &count) in &sweep.kept {
        let copies = matches!(why, Kept::Writer | Kept::Newest | Kept::Richer);
        let id = if copies { rules::LEFTOVER_TEMP.id } else { rules::TRANSCRIPT_ORPHAN.id };
        told.push(say(id, format!("{}: {}", Counted(count, "file stays", "files stay"), why.words()), count));
    }
    if sweep.for_undo > 0 {
        let message = format!(
            "{}: only an original that a run of this tool keeps refers to them, and `undo` may want them",
            Counted(sweep.for_undo, "file of a session stays", "files of sessions stay")
        );
        told.push(say(rules::TRANSCRIPT_ORPHAN.id, message, sweep.for_undo));
    }
    for dir in &sweep.linked {
        let message = format!("{}: a link leads there, so nothing in it is moved", dir.display());
        told.push(say(rules::TRANSCRIPT_ORPHAN.id, message, 0));
    }
    told
}

/// The registry, as a file that becomes smaller.
pub fn registry_row(stale: &StaleRows) -> FileReport {
    FileReport {
        path: stale.path.display().to_string(),
        rule: rules::SUBAGENT_STALE.id.to_owned(),
        action: "remove".to_owned(),
        bytes: stale.bytes(),
        to: None,
    }
}

fn stale_rows(stale: &StaleRows) -> Finding {
    let rule = &rules::SUBAGENT_STALE;
    let message = format!("{}: {}: {}", stale.path.display(), Counted(stale.rows, "row", "rows"), rule.title);
    match &stale.edit {
        Ok(_) => {
            finding(rule.id, Severity::Warning, message, stale.rows, Some("`sessions-doctor sweep --apply`"))
        }
        Err(why) => {
            finding(rule.id, Severity::Info, format!("{message}; they stay: {why}"), stale.rows, None)
        }
    }
}

fn planned(rows: &Rows, way: Way) -> Vec<Finding> {
    let mut told = Vec::new();
    for rule in &rules::ALL[..3] {
        let Tally { entries, bytes } = rows.of_rule(rule.id);
        if entries == 0 {
            continue;
        }
        let end = match way {
            Way::Aside => "can be put aside",
            Way::Archive => "can be archived, or put aside",
            Way::Delete => "can be deleted, for good",
        };
        let message =
            format!("{}, {}, {end}: {}", Counted(entries, "file", "files"), Size(bytes), rule.title);
        told.push(finding(
            rule.id,
            Severity::Warning,
            message,
            entries,
            Some("`sessions-doctor sweep --apply`"),
        ));
    }
    told
}

fn done(cleared: &Cleared, way: Way) -> Vec<Finding> {
    let mut told = Vec::new();
    let word = match way {
        Way::Aside => "put aside",
        Way::Archive => "archived, or put aside",
        Way::Delete => "deleted",
    };
    for rule in &rules::ALL[..3] {
        let Tally { entries, bytes } = cleared.rows.of_rule(rule.id);
        if entries > 0 {
            let message =
                format!("{}, {}, {word}: {}", Counted(entries, "file", "files"), Size(bytes), rule.title);
            told.push(finding(rule.id, Severity::Info, message, entries, None));
        }
    }
    if cleared.rows_removed > 0 {
        let rule = &rules::SUBAGENT_STALE;
        let message = format!("{} taken out: {}", Counted(cleared.rows_removed, "row", "rows"), rule.title);
        told.push(finding(rule.id, Severity::Info, message, cleared.rows_removed, None));
    }
    for problem in &cleared.problems {
        told.push(finding("look-failed", Severity::Error, problem.clone(), 0, None));
    }
    told.extend(cleared.failures.iter().map(|(_, finding)| finding.clone()));
    told
}

/// What to type next.
pub fn steps(
    diagnosis: &Diagnosis,
    sweep: Option<&Sweep>,
    cleared: &Cleared,
    request: &Request,
) -> Vec<String> {
    let mut steps = Vec::new();
    let plan = sweep.is_some_and(Sweep::is_change);
    if plan && (!cleared.applied || !cleared.failures.is_empty()) {
        steps.extend(next::stop_first(diagnosis));
        steps.push(format!("{}   (does it)", command(request, &["sweep", "--apply"], true)));
    }
    let runs = cleared.runs.iter().rev();
    steps.extend(runs.map(|run| format!("{}   (puts it back)", command(request, &["undo", run], false))));
    steps
}
