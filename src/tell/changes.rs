//! Every change, with its reasons, read from the store one at a time while the report is written.

use std::io;

use crate::cli::args::EntriesArg;
use crate::diagnose::changeset;
use crate::diagnose::keys::Keys;
use crate::diagnose::settle::strings;
use crate::diagnose::{Condition, Diagnosis, Judged};
use crate::model::entry::{Entry, Flags, Status, hash};
use crate::model::evidence::Evidence;
use crate::model::key::SessionKey;
use crate::model::plan::EditRecord;
use crate::model::policy::{Policy, Slimming};
use crate::model::verdict::{Confidence, LineRef, Reason, Verdict};
use crate::plan::decision::{Decision, Held};
use crate::report::model::{Change, Changes, Edit};
use crate::rules::entry::{slim_cache, surplus_entry, surplus_run};
use crate::scan::members;
use crate::scan::source::{FileSource, Source};
use crate::scan::text::{decode, to_display};

/// Keys are cut at this many bytes.
const KEY_BYTES: usize = 1024;

/// An open store, to read texts from.
pub struct Texts {
    source: FileSource,
    keys: Keys,
}

impl Texts {
    /// Of the store as it was read.
    pub fn of(judged: &Judged) -> Self {
        Texts { source: judged.reading.source.reader(), keys: Keys::default() }
    }
}

/// Streams the changes of a diagnosis.
pub struct DiagnosisChanges<'a> {
    /// What was judged.
    pub diagnosis: &'a mut Diagnosis,
    /// Which entries are listed.
    pub which: EntriesArg,
}

impl Changes for DiagnosisChanges<'_> {
    fn for_each(&mut self, store: usize, sink: &mut dyn FnMut(&Change) -> io::Result<()>) -> io::Result<()> {
        let Diagnosis { stores, evidence, policy, .. } = &mut *self.diagnosis;
        let Some(store) = stores.iter_mut().filter(|store| store.is_told()).nth(store) else { return Ok(()) };
        let Condition::Whole(judged) = &mut store.condition else { return Ok(()) };
        let (mut any, mut texts) = (false, Texts::of(judged));
        for at in 0..judged.plan.decisions.len() {
            let wanted = match self.which {
                EntriesArg::None => false,
                EntriesArg::Changed => judged.plan.decisions[at].is_change(),
                EntriesArg::All => true,
            };
            if wanted {
                any = true;
                let change = change(judged, &mut texts, evidence, policy, at)?;
                sink(&if store.file.in_database { of_row(change) } else { change })?;
            }
        }
        if any { judged.reading.source.unchanged() } else { Ok(()) }
    }
}

/// A row of a database stands in no file.
pub fn of_row(change: Change) -> Change {
    Change { start: 0, end: 0, ..change }
}

/// Tells one entry. Whether the store still is the same nobody asks here.
pub fn change(
    judged: &Judged,
    from: &mut Texts,
    evidence: &Evidence,
    policy: &Policy,
    at: usize,
) -> io::Result<Change> {
    let entry = judged.reading.scan.entries[at];
    let decision = judged.plan.decisions[at];
    let traces = |at: usize| judged.traces(at);
    let docket = judged.docket(evidence, policy, &traces);
    let by_hand = decision.rule() == &slim_cache::RULE && policy.slimming != Slimming::ForBudget;
    let verdict = if by_hand { docket.verdict_on_caches(at) } else { docket.verdict(at) };
    let key = to_display(&from.keys.decoded(from.source.file(), entry.start())?);
    let (session_id, status) = texts(&mut from.source, &entry, &key)?;
    let (key, key_bytes) = cut(key);
    Ok(Change {
        key,
        key_bytes,
        family: entry.family().name(),
        class: decision.rule().class.map(|class| class.name()),
        rule: decision.rule().id,
        action: decision.action.name(),
        confidence: decision.confidence().map(Confidence::name),
        protected_by: decision.protected_by.map(|protection| protection.name()),
        reasons: reasons(&verdict, &decision, evidence),
        source: None,
        start: entry.start(),
        end: entry.end(),
        edits: edits(judged, &mut from.source, evidence, policy, at)?,
        session_id,
        updated_at: entry.updated_at.millis(),
        status,
    })
}

/// The key of an entry, decoded.
pub fn key_of(source: &mut FileSource, entry: &Entry) -> io::Result<String> {
    let raw = members::raw_key(source, entry.start())?;
    Ok(to_display(&decode(&raw[1..raw.len() - 1])))
}

/// `sessionId` and `status`; the first is spared a second look where the key ends in it.
fn texts(source: &mut FileSource, entry: &Entry, key: &str) -> io::Result<(Option<String>, Option<String>)> {
    if entry.is(Flags::NOT_OBJECT) {
        return Ok((None, None));
    }
    let run = SessionKey::parse(key, "main").run.filter(|run| hash(run.as_bytes()) == entry.session);
    let known = match entry.status {
        Status::Absent => Some(None),
        Status::Other => None,
        status => Some(Some(status.name().to_owned())),
    };
    match (run, known) {
        (Some(run), Some(status)) => Ok((Some(run.to_owned()), status)),
        (None, Some(status)) if entry.session == 0 => Ok((None, status)),
        _ => {
            let [session, status] = strings(source, entry, ["sessionId", "status"])?;
            Ok((session, status))
        }
    }
}

/// A key as reports show it, and its size where it was cut.
pub fn cut(key: String) -> (String, Option<u64>) {
    if key.len() <= KEY_BYTES {
        return (key, None);
    }
    let whole = key.len() as u64;
    let end = (0..=KEY_BYTES).rev().find(|&end| key.is_char_boundary(end)).unwrap_or(0);
    (key[..end].to_owned(), Some(whole))
}

fn edits(
    judged: &Judged,
    source: &mut FileSource,
    evidence: &Evidence,
    policy: &Policy,
    at: usize,
) -> io::Result<Vec<Edit>> {
    let json = |raw: &Option<String>| {
        raw.as_deref().and_then(|raw| serde_json::from_str(raw).ok()).unwrap_or(serde_json::Value::Null)
    };
    let records = changeset::edit_records(judged, source, evidence, policy, at)?;
    let edit =
        |record: EditRecord| Edit { old: json(&record.old), new: json(&record.new), field: record.field };
    Ok(records.into_iter().map(edit).collect())
}

fn reasons(verdict: &Verdict, decision: &Decision, evidence: &Evidence) -> Vec<String> {
    let mut reasons: Vec<Reason> = match decision.rule() {
        rule if rule == &surplus_run::RULE => vec![Reason::Over, Reason::OverBudget],
        rule if rule == &slim_cache::RULE && rule != verdict.rule => vec![Reason::Over, Reason::OverBudget],
        rule if rule == &surplus_entry::RULE => vec![Reason::OverCount],
        _ => verdict.reasons.clone(),
    };
    match decision.held {
        Some(Held::Confidence) => reasons.push(Reason::TooWeak),
        Some(Held::Class) => reasons.push(Reason::ClassLeftOut),
        Some(Held::Agent) => reasons.push(Reason::AgentLeftOut),
        Some(Held::Brake) => reasons.push(Reason::Braked),
        Some(Held::Family) => reasons.push(Reason::FamilyLeftOut),
        Some(Held::Database) => reasons.push(Reason::InDatabase),
        _ => {}
    }
    reasons.iter().map(|reason| text(reason, evidence)).collect()
}

/// A reason with the file and line that it rests on.
pub(super) fn text(reason: &Reason, evidence: &Evidence) -> String {
    let place = |line: &LineRef| {
        let file = evidence.runs.files.get(line.file as usize).map_or("run log", String::as_str);
        format!("{reason} ({file}:{})", line.line)
    };
    match reason {
        Reason::Finished(line, _) | Reason::FinishedAround(line, _) | Reason::StartedAgainLine(line, _) => {
            place(line)
        }
        _ => reason.to_string(),
    }
}
