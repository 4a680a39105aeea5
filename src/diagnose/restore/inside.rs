//! What a run changed inside entries that stayed, taken back: healed values, stripped caches.

use std::io;
use std::ops::Range;

use super::{Restoration, Side, find, key_hash, restored_record};
use crate::diagnose::changeset::is_same;
use crate::model::caches::Cache;
use crate::model::plan::{ChangeRecord, EditRecord};
use crate::plan::pieces::{Patch, Splice};
use crate::plan::refill::{Object, refill};
use crate::scan::automaton::Kind;
use crate::scan::members::{self, Member};
use crate::scan::source::read_range;

impl Restoration {
    /// Takes healed values back where they still are what the run wrote, and then brings back what was stripped.
    pub(super) fn revert(
        &mut self,
        record: &ChangeRecord,
        current: &mut Side,
        backup: &mut Side,
        patches: &mut Vec<Patch>,
    ) -> io::Result<()> {
        let Some(entry) = find(current, key_hash(&record.key)) else { return Ok(()) };
        let edits: Vec<&EditRecord> = record.edits.iter().filter(|edit| edit.new.is_some()).collect();
        let names: Vec<&str> = edits.iter().map(|edit| edit.field.as_str()).collect();
        let value = members::value_span(&mut current.source, &entry)?;
        let members = members::find(&mut current.source, value, &names)?;
        let mut own = Vec::new();
        for (edit, member) in edits.iter().zip(members) {
            let Some(member) = member else { return Ok(()) };
            let value = read_range(&mut current.source, member.value.clone())?;
            if edit.new.as_deref().map(str::as_bytes) != Some(&value) {
                return Ok(());
            }
            own.push(match &edit.old {
                Some(old) => Splice { at: member.value, bytes: old.clone().into_bytes() },
                // It was inserted behind another member, and goes with its comma.
                None if !member.first => Splice { at: member.after..member.span.end, bytes: Vec::new() },
                None => return Ok(()),
            });
        }
        patches.extend(own.into_iter().map(Patch::Bytes));
        patches.extend(stripped(record, current, backup)?);
        self.reverted += 1;
        self.records.push(restored_record(record.clone()));
        Ok(())
    }

    /// Puts stripped members back where the entry has none of that name by now.
    pub(super) fn refill(
        &mut self,
        record: &ChangeRecord,
        current: &mut Side,
        backup: &mut Side,
        patches: &mut Vec<Patch>,
    ) -> io::Result<()> {
        let stripped = stripped(record, current, backup)?;
        if !stripped.is_empty() {
            patches.extend(stripped);
            self.reverted += 1;
            self.records.push(restored_record(record.clone()));
        }
        Ok(())
    }
}

/// What brings back the members that a run stripped from an entry, where that still is what the run left of it and
/// lacks them. One that OpenClaw worked with since has caches of its own, or none that fit.
fn stripped(record: &ChangeRecord, current: &mut Side, backup: &mut Side) -> io::Result<Vec<Patch>> {
    let found = backup.scan.entries.starting_at(record.start).map(|at| backup.scan.entries[at]);
    let (Some(now), Some(then)) = (find(current, key_hash(&record.key)), found) else {
        return Ok(Vec::new());
    };
    if !is_same(&then, &now, true) {
        return Ok(Vec::new());
    }
    let caches = record.edits.iter().filter(|edit| edit.new.is_none());
    let caches: Vec<Cache> = caches.filter_map(|edit| Cache::of_name(&edit.field)).collect();
    let (now, then) =
        (members::value_span(&mut current.source, &now)?, members::value_span(&mut backup.source, &then)?);
    let whole = caches.iter().filter(|cache| cache.inner.is_none()).map(|cache| cache.member);
    let mut patches = put_back(current, now.clone(), backup, then.clone(), &whole.collect::<Vec<_>>())?;
    for (member, inner) in caches.iter().filter_map(|cache| Some((cache.member, cache.inner?))) {
        let object = |found: Vec<Option<Member>>| {
            found.into_iter().flatten().find(|member| member.kind == Kind::Object).map(|member| member.value)
        };
        let inside_now = object(members::find(&mut current.source, now.clone(), &[member])?);
        let inside_then = object(members::find(&mut backup.source, then.clone(), &[member])?);
        if let (Some(now), Some(then)) = (inside_now, inside_then) {
            patches.extend(put_back(current, now, backup, then, &[inner])?);
        }
    }
    Ok(patches)
}

fn put_back(
    current: &mut Side,
    now: Range<u64>,
    backup: &mut Side,
    then: Range<u64>,
    names: &[&str],
) -> io::Result<Vec<Patch>> {
    let mut now = Object { source: &mut current.source, at: now };
    refill(&mut now, &mut Object { source: &mut backup.source, at: then }, names)
}
