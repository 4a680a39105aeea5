//! What a plan does to the bytes of a store: edits inside entries, the piece table, the record of changes.

use std::io;
use std::ops::Range;

use super::{Diagnosis, Judged};
use crate::model::entry::{Entry, Flags};
use crate::model::plan::{ChangeRecord, PieceTable};
use crate::model::verdict::Action;
use crate::plan::edits::{self, Edits};
use crate::plan::pieces::{Splice, deletions, without};
use crate::scan::fields::CACHES;
use crate::scan::members;

/// The new store, described.
#[derive(Clone, Debug, Default)]
pub struct Changeset {
    /// Edits inside entries that stay, by the entry's place, in file order.
    pub edits: Vec<(usize, Edits)>,
    /// The new file; source 0 is the store.
    pub table: PieceTable,
}

impl Changeset {
    /// The edits of entry `at`.
    pub fn edits_of(&self, at: usize) -> Option<&Edits> {
        self.edits.binary_search_by_key(&at, |(at, _)| *at).ok().map(|found| &self.edits[found].1)
    }
}

/// Works out what the plan of a store means in bytes. An entry that turns out to have nothing to heal or to
/// strip is kept.
pub fn build(judged: &mut Judged, diagnosis: &Diagnosis) -> io::Result<Changeset> {
    let mut changed = Vec::new();
    for at in 0..judged.plan.decisions.len() {
        let entry = judged.reading.scan.entries[at];
        let edits = match judged.plan.decisions[at].action {
            Action::Heal => {
                let traces = |at: usize| judged.traces(at);
                let healing =
                    judged.docket(&diagnosis.evidence, &diagnosis.policy, &traces).verdict(at).healing;
                let source = &mut judged.reading.source;
                let value = members::value_span(source, &entry)?;
                healing.map(|healing| edits::heal(source, value, healing))
            }
            Action::Slim => {
                let source = &mut judged.reading.source;
                let value = members::value_span(source, &entry)?;
                Some(edits::strip(source, value, &CACHES))
            }
            Action::Keep | Action::Remove | Action::Drop => continue,
        };
        match edits.transpose()?.flatten() {
            Some(edits) => changed.push((at, edits)),
            None => judged.plan.decisions[at].action = Action::Keep,
        }
    }
    judged.plan.summary =
        crate::plan::decision::Summary::of(&judged.reading.scan.entries, &judged.plan.decisions);
    let table = table(judged, &changed);
    Ok(Changeset { edits: changed, table })
}

fn table(judged: &Judged, changed: &[(usize, Edits)]) -> PieceTable {
    let outcome = &judged.reading.scan.outcome;
    let spans: Vec<Range<u64>> =
        judged.reading.scan.entries.iter().map(|entry| entry.start()..entry.end()).collect();
    let stays = |at: usize| !judged.plan.decisions[at].action.is_removal();
    let mut gone = deletions(outcome.root_start..outcome.root_end, &spans, stays);
    gone.extend(changed.iter().flat_map(|(_, edits)| edits.gone.iter().cloned()));
    gone.sort_by_key(|range| range.start);
    let splices: Vec<Splice> = changed.iter().flat_map(|(_, edits)| edits.splices.iter().cloned()).collect();
    without(0, 0..judged.reading.bytes, &gone, &splices)
}

/// Tells every change of a plan, in file order, in the form that `undo` works from.
pub fn records(
    judged: &mut Judged,
    changeset: &Changeset,
    sink: &mut dyn FnMut(&ChangeRecord) -> io::Result<()>,
) -> io::Result<()> {
    let count = judged.plan.decisions.len();
    let next_kept = next_kept(judged);
    let mut before: Option<String> = None;
    for at in 0..count {
        let entry = judged.reading.scan.entries[at];
        let decision = judged.plan.decisions[at];
        let kept = !decision.action.is_removal();
        if decision.is_change() {
            let after = next_kept[at]
                .map(|next| raw_key(judged, &judged.reading.scan.entries[next].clone()))
                .transpose()?;
            sink(&ChangeRecord {
                key: raw_key(judged, &entry)?,
                action: decision.action.name().to_owned(),
                rule: decision.rule().id.to_owned(),
                family: entry.family().name().to_owned(),
                before: before.clone(),
                after,
                start: entry.start(),
                end: entry.end(),
                edits: changeset.edits_of(at).map(|edits| edits.records.clone()).unwrap_or_default(),
            })?;
        }
        if kept && next_kept.get(at).is_some() {
            before = Some(raw_key(judged, &entry)?);
        }
    }
    // What is written next needs the memory, and reads the file itself.
    judged.reading.source.release()
}

/// For every entry the place of the next one behind it that stays.
fn next_kept(judged: &Judged) -> Vec<Option<usize>> {
    let mut next = None;
    let mut places = vec![None; judged.plan.decisions.len()];
    for at in (0..places.len()).rev() {
        places[at] = next;
        if !judged.plan.decisions[at].action.is_removal() {
            next = Some(at);
        }
    }
    places
}

fn raw_key(judged: &mut Judged, entry: &Entry) -> io::Result<String> {
    let raw = members::raw_key(&mut judged.reading.source, entry.start())?;
    Ok(String::from_utf8(raw).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
}

/// Whether the entries of a rescan are those that the plan keeps, in order, and as it leaves them.
pub fn verify(
    judged: &Judged,
    changeset: &Changeset,
    rescan: &crate::scan::entries::Scan,
) -> Result<(), String> {
    if let Some(fault) = &rescan.outcome.fault {
        return Err(format!("the new store is not JSON at byte {}: {fault}", fault.offset));
    }
    let decisions = &judged.plan.decisions;
    let entries = &judged.reading.scan.entries;
    let kept = (0..entries.len()).filter(|&at| !decisions[at].action.is_removal());
    let mut written = rescan.entries.iter();
    for at in kept {
        let Some(new) = written.next() else { return Err("the new store lacks entries".to_owned()) };
        let edited = changeset.edits_of(at).is_some();
        if !is_same(&entries[at], new, edited) {
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
