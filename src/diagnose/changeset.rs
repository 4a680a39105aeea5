//! What a plan does to the bytes of a store: edits inside entries, the piece table, the record of changes.

use std::io;

use super::keys::{self, Keys};
use super::read::Reading;
use super::{Diagnosis, Judged};
use crate::model::entry::{Entry, Flags};
use crate::model::evidence::Evidence;
use crate::model::plan::{ChangeRecord, EditRecord, Piece, PieceTable};
use crate::model::policy::Policy;
use crate::model::verdict::Action;
use crate::model::white::WhiteSpace;
use crate::plan::decision::Summary;
use crate::plan::edits::{self, Edits};
use crate::plan::pieces::{Members, copy_spliced};
use crate::scan::members;
use crate::scan::source::{FileSource, Source, for_each_part};

/// The store as the plan leaves it; source 0 is the store as it is. An entry that turns out to have nothing to
/// heal or to strip is kept.
pub fn build(judged: &mut Judged, diagnosis: &Diagnosis) -> io::Result<PieceTable> {
    let outcome = &judged.reading.scan.outcome;
    let mut members = Members::of(outcome.root_start..outcome.root_end);
    let (mut table, mut at, mut kept) = (PieceTable::new(), 0, false);
    let mut source = judged.reading.source.reader();
    for number in 0..judged.plan.decisions.len() {
        let edits = edits(judged, &mut source, &diagnosis.evidence, &diagnosis.policy, number)?;
        let entry = judged.reading.scan.entries[number];
        let decision = &mut judged.plan.decisions[number];
        if is_edit(decision.action) && edits.is_none() {
            decision.leave();
            kept = true;
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
    if !diagnosis.policy.compact {
        return Ok(table);
    }
    let white = if judged.plan.summary.is_change() {
        white_space(&mut source, &table)?
    } else {
        judged.reading.scan.outcome.whitespace
    };
    judged.plan.summary.compacted = white;
    Ok(if white > 0 { table.without_white_space(white) } else { table })
}

/// White space between the tokens of what stays of the store.
fn white_space(source: &mut FileSource, table: &PieceTable) -> io::Result<u64> {
    let (mut text, mut white) = (WhiteSpace::default(), 0);
    for piece in table.pieces() {
        match piece {
            Piece::Literal(bytes) => white += text.count(&bytes),
            Piece::Copy { start, end, .. } => {
                for_each_part(source, start..end, &mut |bytes| white += text.count(bytes))?
            }
        }
    }
    Ok(white)
}

fn is_edit(action: Action) -> bool {
    matches!(action, Action::Heal | Action::Slim)
}

/// What changes inside entry `at`, worked out from its bytes in `source` each time: of a million healed entries
/// nothing is remembered.
pub fn edits(
    judged: &Judged,
    source: &mut FileSource,
    evidence: &Evidence,
    policy: &Policy,
    at: usize,
) -> io::Result<Option<Edits>> {
    let action = judged.plan.decisions[at].action;
    if !is_edit(action) {
        return Ok(None);
    }
    let entry = judged.reading.scan.entries[at];
    if action == Action::Slim {
        return edits::strip(source, &entry, policy.caches);
    }
    let traces = |at: usize| judged.traces(at);
    let docket = judged.docket(evidence, policy, &traces);
    let Some(healing) = docket.verdict(at).healing else { return Ok(None) };
    let value = members::value_span(source, &entry)?;
    let Some(healed) = edits::heal(source, value, healing)? else { return Ok(None) };
    let slim = if docket.slims_once_healed(at) { edits::strip(source, &entry, policy.caches)? } else { None };
    Ok(Some(match slim {
        Some(slim) => healed.and(slim),
        None => healed,
    }))
}

/// What is told of the changes inside entry `at`; of caches no second look at the entry is needed.
pub fn edit_records(
    judged: &Judged,
    source: &mut FileSource,
    evidence: &Evidence,
    policy: &Policy,
    at: usize,
) -> io::Result<Vec<EditRecord>> {
    let entry = &judged.reading.scan.entries[at];
    let known = match judged.plan.decisions[at].action {
        Action::Slim => edits::stripped(entry, policy.caches),
        _ => None,
    };
    match known {
        Some(records) => Ok(records),
        None => {
            Ok(edits(judged, source, evidence, policy, at)?.map(|edits| edits.records).unwrap_or_default())
        }
    }
}

/// Tells every change of a plan, in file order, in the form that `undo` works from. With `aside` the keys are
/// read by a thread of their own.
pub fn records(
    judged: &Judged,
    evidence: &Evidence,
    policy: &Policy,
    aside: bool,
    sink: &mut dyn FnMut(&ChangeRecord) -> io::Result<()>,
) -> io::Result<()> {
    let Reading { source, scan, .. } = &judged.reading;
    let decisions = &judged.plan.decisions;
    let count = decisions.len();
    let stays = |at: &usize| !decisions[*at].action.is_removal();
    let changed = || (0..count).filter(|&at| decisions[at].is_change());
    let mut source = source.reader();
    let (mut before, mut after) = (Neighbour::default(), Neighbour::default());
    let (mut last, mut next, mut seen) = (None, 0, 0);
    let mut numbers = changed();
    let starts = changed().map(|at| scan.entries[at].start());
    keys::for_each(judged.reading.source.file(), starts, aside, &mut |key| {
        let Some(at) = numbers.next() else { return Ok(()) };
        last = (seen..at).rfind(stays).or(last);
        next = (next.max(at + 1)..count).find(stays).unwrap_or(count);
        let (entry, decision) = (&scan.entries[at], &decisions[at]);
        sink(&ChangeRecord {
            key: text_of(key),
            action: decision.action.name().to_owned(),
            rule: decision.rule().id.to_owned(),
            family: entry.family().name().to_owned(),
            source: None,
            before: before.key(judged, last)?,
            after: after.key(judged, Some(next).filter(|&next| next < count))?,
            start: entry.start(),
            end: entry.end(),
            edits: edit_records(judged, &mut source, evidence, policy, at)?,
        })?;
        seen = at;
        Ok(())
    })?;
    // Keys are read without asking whether the file still is the same.
    judged.reading.source.unchanged()
}

/// The key of a neighbour, read once for all that have it beside them.
#[derive(Default)]
struct Neighbour {
    known: Option<(usize, String)>,
    keys: Keys,
}

impl Neighbour {
    fn key(&mut self, judged: &Judged, at: Option<usize>) -> io::Result<Option<String>> {
        let Some(at) = at else { return Ok(None) };
        if self.known.as_ref().is_none_or(|(known, _)| *known != at) {
            let Reading { source, scan, .. } = &judged.reading;
            let raw = self.keys.raw(source.file(), scan.entries[at].start())?;
            self.known = Some((at, text_of(raw)));
        }
        Ok(self.known.as_ref().map(|(_, key)| key.clone()))
    }
}

fn text_of(raw: &[u8]) -> String {
    std::str::from_utf8(raw).map_or_else(|_| String::from_utf8_lossy(raw).into_owned(), str::to_owned)
}

/// Whether the entries of a rescan are those that the plan keeps, in order, and as it leaves them.
pub fn verify(judged: &Judged, rescan: &crate::scan::entries::Scan) -> Result<(), String> {
    if let Some(fault) = &rescan.outcome.fault {
        return Err(format!("the new store is not JSON at byte {}: {fault}", fault.offset));
    }
    let decisions = &judged.plan.decisions;
    let entries = &judged.reading.scan.entries;
    let compacted = judged.plan.summary.compacted > 0;
    if compacted && rescan.outcome.whitespace > 0 {
        return Err("the new store still holds white space".to_owned());
    }
    let kept = (0..entries.len()).filter(|&at| !decisions[at].action.is_removal());
    let mut written = rescan.entries.iter();
    for at in kept {
        let Some(new) = written.next() else { return Err("the new store lacks entries".to_owned()) };
        let edited = is_edit(decisions[at].action);
        let same_size = edited || compacted || entries[at].bytes() == new.bytes();
        if !same_size || !is_same(&entries[at], new, edited) {
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
pub(super) fn is_same(old: &Entry, new: &Entry, edited: bool) -> bool {
    let mut expected = old.at(new.start(), new.end());
    // Agents are numbered as they first stand in a file.
    expected.agent = new.agent;
    expected.flags.set(Flags::OVERRIDDEN, new.is(Flags::OVERRIDDEN));
    // What other entries or the outside say of a key is not in its bytes.
    for flag in [Flags::ALIAS, Flags::OWN_BINDING, Flags::KEEP, Flags::JOB_TARGET, Flags::OUT_OF_SCOPE] {
        expected.flags.set(flag, new.is(flag));
    }
    if edited {
        (expected.status, expected.ended_at, expected.flags) = (new.status, new.ended_at, new.flags);
    }
    expected == *new
}
