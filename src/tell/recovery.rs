//! What was put together, told: counts, sources, what is left out and why, every entry that comes back.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use super::changes::{cut, key_of};
use super::{Fate, next, store};
use crate::cli::args::EntriesArg;
use crate::cli::request::Request;
use crate::cli::verbs::Recover;
use crate::diagnose::recovery::rebuilt::Rebuilt;
use crate::diagnose::recovery::{self, Base, Recovery};
use crate::diagnose::settle::strings;
use crate::diagnose::{Condition, Diagnosed, Diagnosis};
use crate::evidence::conversations::{Unnamed, Why};
use crate::exit::Exit;
use crate::model::entry::Flags;
use crate::model::verdict::Confidence;
use crate::plan::merge::{Left, Pick};
use crate::plan::prune::PrunePlan;
use crate::report::format::{Counted, Moment};
use crate::report::model::{
    Change, Changes, EntryCounts, Era, Finding, Outcome, Report, Severity, SourceReport, StoreReport, Tally,
};
use crate::rules::store as rules;

/// What was put together, by the number of its store.
pub type Recoveries = BTreeMap<usize, Recovery>;

/// Builds the report of `recover`.
pub fn report(
    diagnosis: &mut Diagnosis,
    recoveries: &Recoveries,
    fates: &[Fate],
    applied: bool,
) -> io::Result<Report> {
    // Nothing is pruned here.
    for condition in diagnosis.stores.iter_mut().map(|store| &mut store.condition) {
        if let Condition::Whole(judged) = condition {
            judged.plan = PrunePlan::nothing(&judged.reading.scan.entries);
        }
    }
    let mut fates = fates.to_vec();
    // What is only likely lost is no error, but whoever recovers wants to hear that it is still lost.
    for (store, fate) in diagnosis.stores.iter().zip(&mut fates) {
        if store.loss.is_any() && fate.outcome != Outcome::Applied {
            fate.exit = fate.exit.worst(Exit::Damaged);
        }
    }
    for (&at, recovery) in recoveries {
        let fate = &mut fates[at];
        let done = fate.outcome == Outcome::Applied;
        let path = diagnosis.stores[at].file.path.display().to_string();
        fate.findings.extend(findings(recovery, &path, done));
        if !done && recovery.is_change() {
            fate.exit = fate.exit.worst(Exit::Findings);
        }
    }
    let mut report = super::report(diagnosis, &fates, "recover", applied)?;
    let told = (0..diagnosis.stores.len()).filter(|&at| diagnosis.stores[at].is_told());
    for (row, at) in report.stores.iter_mut().zip(told) {
        if let Some(recovery) = recoveries.get(&at) {
            tell(row, recovery);
        }
    }
    Ok(report)
}

fn tell(row: &mut StoreReport, recovery: &Recovery) {
    let own = if recovery.base == Base::Damaged { recovery.used(0) } else { recovery.kept };
    row.entries = EntryCounts {
        total: own,
        kept: recovery.kept,
        recovered: recovery.recovered(),
        ..EntryCounts::default()
    };
    if recovery.is_change() {
        row.bytes_after = Some(recovery.table.len());
        let mut tally = Tally::default();
        for &pick in &recovery.merged.taken {
            tally.add(recovery.entry(pick).bytes());
        }
        tally.entries += recovery.rebuilt.len() as u64;
        row.rules.insert(rules::RECOVERED.id.to_owned(), tally);
    }
    if let Some(own) = recovery.files.first().filter(|_| recovery.base == Base::Damaged) {
        row.damage = own.damage.iter().map(store::damage_row).collect();
        row.damage_omitted = own.damage_omitted;
    }
    for (at, file) in recovery.files.iter().enumerate() {
        row.sources.push(SourceReport {
            path: file.copy.path.display().to_string(),
            kind: file.copy.kind.name().to_owned(),
            entries: file.live() as u64,
            used: if recovery.base == Base::Whole && at == 0 { recovery.kept } else { recovery.used(at) },
        });
    }
    if let Some(first) = recovery.rebuilt.iter().chain(&recovery.held).next() {
        row.sources.push(SourceReport {
            path: first.transcript.parent().unwrap_or(Path::new("")).display().to_string(),
            kind: "transcripts".to_owned(),
            entries: (recovery.rebuilt.len() + recovery.held.len()) as u64,
            used: recovery.rebuilt.len() as u64,
        });
    }
}

fn findings(recovery: &Recovery, path: &str, done: bool) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut say = |id: &'static str, severity, message: String, count: u64, hint: Option<&str>| {
        let (path, hint) = (Some(path.to_owned()), hint.map(str::to_owned));
        findings.push(Finding { check_id: id, severity, message, path, count: Some(count), fix_hint: hint });
    };
    let recovered = rules::RECOVERED.id;
    if recovery.is_change() {
        let verb = if done { "came back" } else { "can be brought back" };
        let message = format!("{} {verb}: {}", Counted::entries(recovery.recovered()), origins(recovery));
        say(recovered, Severity::Info, message, recovery.recovered(), None);
    } else if recovery.base != Base::Whole {
        let message = "no file holds an entry of this store any more: nothing is written".to_owned();
        say(recovered, Severity::Error, message, 0, None);
    } else {
        let message = "nothing holds what is missed: nothing is written".to_owned();
        say(recovered, Severity::Info, message, 0, None);
    }
    for left in [Left::Likely, Left::Removed, Left::Archived] {
        let count = recovery.merged.left.iter().filter(|(_, why)| *why == left).count() as u64;
        if count > 0 {
            let severity = if left == Left::Likely { Severity::Warning } else { Severity::Info };
            let message = format!("{} not brought back: {}", Counted::entries(count), recovery::why(left));
            say(recovered, severity, message, count, None);
        }
    }
    if !recovery.held.is_empty() {
        let count = recovery.held.len() as u64;
        let message =
            format!("{} could be made anew on evidence that is only likely", Counted::entries(count));
        say(recovered, Severity::Warning, message, count, Some("look at them, then add --confidence likely"));
    }
    for (copy, why) in &recovery.unreadable {
        let message = format!("{}: {why}; what it holds is not known", copy.display());
        say("store-unreadable", Severity::Warning, message, 1, None);
    }
    orphans(&recovery.unnamed, &mut say);
    findings
}

/// Transcripts that nobody can give a key to but the user.
fn orphans(unnamed: &[Unnamed], say: &mut impl FnMut(&'static str, Severity, String, u64, Option<&str>)) {
    for orphan in unnamed.iter().take(store::ROWS) {
        let when = orphan.last.or(orphan.first).map(|at| format!(", last at {}", Moment(at)));
        let words = orphan.first_words.as_ref().map(|words| format!(": \"{words}\""));
        let message = format!(
            "{}: {}{}{}",
            orphan.transcript,
            keyless(orphan),
            when.unwrap_or_default(),
            words.unwrap_or_default()
        );
        // Quoted, so that --redact hides the name whatever it looks like; a shell does not mind.
        let hint = format!("--assign \"{}\"=KEY gives it one", orphan.transcript);
        let hint = (orphan.why != Why::NoHeader).then_some(hint.as_str());
        say("transcript-orphan", Severity::Info, message, 1, hint);
    }
    let rest = unnamed.len().saturating_sub(store::ROWS) as u64;
    if rest > 0 {
        let message = format!("{rest} more transcripts have no key");
        say("transcript-orphan", Severity::Info, message, rest, None);
    }
}

/// Why a transcript has no key, with what was told of it all the same.
fn keyless(orphan: &Unnamed) -> String {
    let told: Vec<String> = orphan.told.iter().map(|(key, by)| format!("{key} by {by}")).collect();
    let why = match &orphan.why {
        Why::Silence => "nothing tells which key it belongs to",
        Why::Contradiction => "two keys are told",
        Why::OddKey => "the key that is told has no known shape",
        Why::ForeignKey => "the key that is told is of no agent of this store",
        Why::UnknownAgent => "it is a run of a job, but not told of which agent",
        Why::NoHeader => "it has no valid first line, so OpenClaw would begin it anew if an entry named it",
        Why::OtherSession { header } => return format!("its first line names another session, {header}"),
    };
    if told.is_empty() { why.to_owned() } else { format!("{why} ({})", told.join(", ")) }
}

/// `5 from the store, 2 from sessions.json.bak.1, 1 made anew from transcripts`.
fn origins(recovery: &Recovery) -> String {
    let mut parts = Vec::new();
    for (at, file) in recovery.files.iter().enumerate() {
        let used = recovery.used(at);
        let own = recovery.store().is_some() && at == 0;
        let name = file.copy.path.file_name().unwrap_or_default().to_string_lossy();
        match used {
            0 => {}
            _ if own => parts.push(format!("{used} from what is left of the store")),
            _ => parts.push(format!("{used} from {} {name}", file.copy.kind.name())),
        }
    }
    if !recovery.rebuilt.is_empty() {
        parts.push(format!("{} made anew from transcripts", recovery.rebuilt.len()));
    }
    parts.join(", ")
}

/// What to type next.
pub fn steps(
    diagnosis: &Diagnosis,
    recoveries: &Recoveries,
    fates: &[Fate],
    request: &Request,
) -> Vec<String> {
    let applied = fates.iter().any(|fate| fate.outcome == Outcome::Applied);
    let waiting = recoveries
        .iter()
        .filter(|(at, _)| diagnosis.stores[**at].held.is_none())
        .any(|(&at, recovery)| recovery.is_change() && fates[at].outcome != Outcome::Applied);
    let mut steps = Vec::new();
    let likely = |store: &Diagnosed| store.is_told() && store.loss.wiped.is_some();
    if recoveries.is_empty() && diagnosis.stores.iter().any(likely) {
        let line = next::command(request, &["recover", "--confidence", "likely"], true);
        steps.push(format!("{line}   (shows what may have been lost)"));
    }
    if waiting {
        steps.extend(next::stop_first(diagnosis));
        let line = next::command(request, &["recover", "--apply"], true);
        steps.push(format!("{line}   (writes it; what lies there now is kept)"));
    }
    if applied {
        steps.push(format!(
            "{}   (shows what is worth pruning before the gateway starts)",
            next::command(request, &["check"], false)
        ));
        if diagnosis.situation.era == Era::Sqlite {
            steps.push(next::after_a_repair(diagnosis));
        }
    }
    steps
}

/// `--assign` that fits no transcript, or a key that is taken: a message for the user.
pub fn unassigned(wanted: &Recover, recoveries: &Recoveries) -> Option<String> {
    let rebuilt = || recoveries.values().flat_map(|recovery| &recovery.rebuilt);
    wanted.assigned.iter().find_map(|assignment| {
        let given = rebuilt()
            .any(|rebuilt| rebuilt.key == assignment.key && fits(&assignment.transcript, rebuilt));
        (!given).then(|| {
            format!(
                "--assign \"{}\"=\"{}\": no transcript of that name is without an entry, or it has no valid first line, or the key has an entry already; nothing was changed",
                assignment.transcript, assignment.key
            )
        })
    })
}

fn fits(name: &str, rebuilt: &Rebuilt) -> bool {
    let file = rebuilt.transcript.file_name().unwrap_or_default().to_string_lossy();
    name == rebuilt.session || name == file || Path::new(name) == rebuilt.transcript
}

/// Streams what comes back, and what is left out.
pub struct RecoveryChanges<'a> {
    /// What was looked at.
    pub diagnosis: &'a Diagnosis,
    /// What was put together.
    pub recoveries: &'a mut Recoveries,
    /// Which entries are listed.
    pub which: EntriesArg,
}

impl Changes for RecoveryChanges<'_> {
    fn for_each(&mut self, store: usize, sink: &mut dyn FnMut(&Change) -> io::Result<()>) -> io::Result<()> {
        let told = (0..self.diagnosis.stores.len()).filter(|&at| self.diagnosis.stores[at].is_told());
        let Some(recovery) = told.into_iter().nth(store).and_then(|at| self.recoveries.get_mut(&at)) else {
            return Ok(());
        };
        if self.which == EntriesArg::None {
            return Ok(());
        }
        if self.which == EntriesArg::All && recovery.base == Base::Whole {
            for entry in 0..recovery.files[0].entries.len() as u32 {
                sink(&kept(recovery, Pick { source: 0, entry })?)?;
            }
        }
        for at in 0..recovery.merged.taken.len() {
            sink(&taken(recovery, recovery.merged.taken[at])?)?;
        }
        for at in 0..recovery.rebuilt.len() {
            sink(&made(&recovery.rebuilt[at], "recover"))?;
        }
        for at in 0..recovery.merged.left.len() {
            let (pick, left) = recovery.merged.left[at];
            let mut change = kept(recovery, pick)?;
            change.reasons.push(format!("not brought back: {}", recovery::why(left)));
            change.confidence = (left == Left::Likely).then(|| Confidence::Likely.name());
            change.rule = rules::RECOVERED.id;
            sink(&change)?;
        }
        for at in 0..recovery.held.len() {
            sink(&made(&recovery.held[at], "keep"))?;
        }
        Ok(())
    }
}

fn taken(recovery: &mut Recovery, pick: Pick) -> io::Result<Change> {
    let likely = recovery.files[usize::from(pick.source)].is_likely(pick.entry);
    let mut change = kept(recovery, pick)?;
    change.action = "recover";
    change.rule = rules::RECOVERED.id;
    change.confidence = Some(if likely { Confidence::Likely } else { Confidence::Certain }.name());
    change.reasons.push(format!(
        "its bytes stand in this {}",
        recovery.files[usize::from(pick.source)].copy.kind.name()
    ));
    Ok(change)
}

/// An entry as it stands in its file.
fn kept(recovery: &mut Recovery, pick: Pick) -> io::Result<Change> {
    let own = recovery.store() == Some(pick.source);
    let file = &mut recovery.files[usize::from(pick.source)];
    let entry = file.entries[pick.entry as usize];
    let (key, key_bytes) = cut(key_of(&mut file.source, &entry)?);
    let [session_id, status] = match entry.is(Flags::NOT_OBJECT) {
        true => [None, None],
        false => strings(&mut file.source, &entry, ["sessionId", "status"])?,
    };
    Ok(Change {
        key,
        key_bytes,
        family: entry.family().name(),
        class: None,
        rule: "live",
        action: "keep",
        confidence: None,
        protected_by: None,
        reasons: Vec::new(),
        source: (!own).then(|| file.copy.path.display().to_string()),
        start: entry.start(),
        end: entry.end(),
        edits: Vec::new(),
        session_id,
        updated_at: entry.updated_at.millis(),
        status,
    })
}

fn made(rebuilt: &Rebuilt, action: &'static str) -> Change {
    let (key, key_bytes) = cut(rebuilt.key.clone());
    Change {
        key,
        key_bytes,
        family: rebuilt.family().name(),
        class: None,
        rule: rules::RECOVERED.id,
        action,
        confidence: Some(rebuilt.confidence.name()),
        protected_by: None,
        reasons: vec![format!("made anew: {}", rebuilt.told_by)],
        source: Some(rebuilt.transcript.display().to_string()),
        start: 0,
        end: 0,
        edits: Vec::new(),
        session_id: Some(rebuilt.session.clone()),
        updated_at: Some(rebuilt.updated_at),
        status: None,
    }
}
