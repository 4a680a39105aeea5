//! What a plan does to the bytes of a store: edits inside entries, the piece table, the record of changes.

use std::io;

use super::{Diagnosis, Judged};
use crate::model::entry::{Entry, Flags};
use crate::model::evidence::Evidence;
use crate::model::plan::{ChangeRecord, PieceTable};
use crate::model::policy::Policy;
use crate::model::verdict::Action;
use crate::plan::decision::Summary;
use crate::plan::edits::{self, Edits};
use crate::plan::pieces::{Members, copy_spliced};
use crate::scan::fields::CACHES;
use crate::scan::members;

/// The store as the plan leaves it; source 0 is the store as it is. An entry that turns out to have nothing to
/// heal or to strip is kept.
pub fn build(judged: &mut Judged, diagnosis: &Diagnosis) -> io::Result<PieceTable> {
    let outcome = &judged.reading.scan.outcome;
    let mut members = Members::of(outcome.root_start..outcome.root_end);
    let (mut table, mut at, mut kept) = (PieceTable::new(), 0, false);
    for number in 0..judged.plan.decisions.len() {
        let edits = edits(judged, &diagnosis.evidence, &diagnosis.policy, number)?;
        let entry = judged.reading.scan.entries[number];
        let decision = &mut judged.plan.decisions[number];
        if is_edit(decision.action) && edits.is_none() {
            (decision.action, kept) = (Action::Keep, true);
        }
        let gone = members.next(entry.start()..entry.end(), !decision.action.is_removal());
        if !gone.is_empty() {
            table.copy(0, at, gone.start);
            at = gone.end;
        }
        if let Some(edits) = edits {
            copy_spliced(&mut table, 0, at..entry.end(), &edits.splices);
            at = entry.end();
        }
    }
    let gone = members.end();
    if !gone.is_empty() {
        table.copy(0, at, gone.start);
        at = gone.end;
    }
    table.copy(0, at, judged.reading.bytes);
    if kept {
        judged.plan.summary = Summary::of(&judged.reading.scan.entries, &judged.plan.decisions);
    }
    Ok(table)
}

fn is_edit(action: Action) -> bool {
    matches!(action, Action::Heal | Action::Slim)
}

/// What changes inside entry `at`, worked out from its bytes each time: of a million healed entries nothing is
/// remembered.
pub fn edits(
    judged: &mut Judged,
    evidence: &Evidence,
    policy: &Policy,
    at: usize,
) -> io::Result<Option<Edits>> {
    let action = judged.plan.decisions[at].action;
    if !is_edit(action) {
        return Ok(None);
    }
    let entry = judged.reading.scan.entries[at];
    let value = members::value_span(&mut judged.reading.source, &entry)?;
    if action == Action::Slim {
        return edits::strip(&mut judged.reading.source, value, &CACHES);
    }
    let traces = |at: usize| judged.traces(at);
    let healing = judged.docket(evidence, policy, &traces).verdict(at).healing;
    let edits = healing.map(|healing| edits::heal(&mut judged.reading.source, value, healing));
    edits.transpose().map(Option::flatten)
}

/// Tells every change of a plan, in file order, in the form that `undo` works from.
pub fn records(
    judged: &mut Judged,
    evidence: &Evidence,
    policy: &Policy,
    sink: &mut dyn FnMut(&ChangeRecord) -> io::Result<()>,
) -> io::Result<()> {
    let count = judged.plan.decisions.len();
    let stays = |judged: &Judged, at: usize| !judged.plan.decisions[at].action.is_removal();
    let (mut before, mut after) = (Neighbour::default(), Neighbour::default());
    let (mut last, mut next) = (None, 0);
    for at in 0..count {
        let decision = judged.plan.decisions[at];
        if decision.is_change() {
            next = (next.max(at + 1)..count).find(|&at| stays(judged, at)).unwrap_or(count);
            let entry = judged.reading.scan.entries[at];
            sink(&ChangeRecord {
                key: raw_key(judged, &entry)?,
                action: decision.action.name().to_owned(),
                rule: decision.rule().id.to_owned(),
                family: entry.family().name().to_owned(),
                before: before.key(judged, last)?,
                after: after.key(judged, Some(next).filter(|&next| next < count))?,
                start: entry.start(),
                end: entry.end(),
                edits: edits(judged, evidence, policy, at)?.map(|edits| edits.records).unwrap_or_default(),
            })?;
        }
        if stays(judged, at) {
            last = Some(at);
        }
    }
    // What is written next needs the memory, and reads the file itself.
    judged.reading.source.release()
}

/// The key of a neighbour, read once for all that have it beside them.
#[derive(Default)]
struct Neighbour {
    known: Option<(usize, String)>,
}

impl Neighbour {
    fn key(&mut self, judged: &mut Judged, at: Option<usize>) -> io::Result<Option<String>> {
        let Some(at) = at else { return Ok(None) };
        if self.known.as_ref().is_none_or(|(known, _)| *known != at) {
            let entry = judged.reading.scan.entries[at];
            self.known = Some((at, raw_key(judged, &entry)?));
        }
        Ok(self.known.as_ref().map(|(_, key)| key.clone()))
    }
}

fn raw_key(judged: &mut Judged, entry: &Entry) -> io::Result<String> {
    let raw = members::raw_key(&mut judged.reading.source, entry.start())?;
    Ok(String::from_utf8(raw).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
}

/// Whether the entries of a rescan are those that the plan keeps, in order, and as it leaves them.
pub fn verify(judged: &Judged, rescan: &crate::scan::entries::Scan) -> Result<(), String> {
    if let Some(fault) = &rescan.outcome.fault {
        return Err(format!("the new store is not JSON at byte {}: {fault}", fault.offset));
    }
    let decisions = &judged.plan.decisions;
    let entries = &judged.reading.scan.entries;
    let kept = (0..entries.len()).filter(|&at| !decisions[at].action.is_removal());
    let mut written = rescan.entries.iter();
    for at in kept {
        let Some(new) = written.next() else { return Err("the new store lacks entries".to_owned()) };
        if !is_same(&entries[at], new, is_edit(decisions[at].action)) {
            return Err(format!(
                "entry {at} of the plan is not what stands at byte {} of the new store",
                new.start()
            ));
        }
    }
    match written.next() {
        Some(extra) => Err(format!("the new store holds an entry too many at byte {}", extra.start())),
        None => Ok(()),
    }
}

/// The same entry at another place; an edited one may differ in what was edited.
fn is_same(old: &Entry, new: &Entry, edited: bool) -> bool {
    let mut expected = old.at(new.start(), new.end());
    expected.flags.set(Flags::OVERRIDDEN, new.is(Flags::OVERRIDDEN));
    // What other entries or the outside say of a key is not in its bytes.
    for flag in [Flags::ALIAS, Flags::OWN_BINDING, Flags::KEEP, Flags::JOB_TARGET, Flags::OUT_OF_SCOPE] {
        expected.flags.set(flag, new.is(flag));
    }
    if edited {
        (expected.status, expected.ended_at, expected.flags) = (new.status, new.ended_at, new.flags);
    }
    expected == *new && (edited || old.bytes() == new.bytes())
}
