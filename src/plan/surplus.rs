//! What goes only because there is too much: `--budget` and `--max-entries`.
//!
//! Copies of a key that a later one overrides are dead bytes: they count for the size, never as entries.

use std::collections::HashMap;
use std::io;

use super::decision::Decision;
use crate::model::Millis;
use crate::model::entries::Entries;
use crate::model::entry::{Entry, Flags, TextHash};
use crate::model::verdict::{Action, Confidence};
use crate::rules::entry::{slim_cache, surplus_entry, surplus_run};

/// Slims, then removes, run records that are over, oldest first, until the store is no larger than `budget`.
///
/// `candidates` may be touched for the budget, and removed where `may_remove`; `caches` tells how many bytes
/// the caches of an entry take; `size` is the store's size after what is decided already.
pub fn fit_budget(
    entries: &Entries,
    decisions: &mut [Decision],
    candidates: &Candidates,
    size: u64,
    budget: u64,
    caches: &mut dyn FnMut(&Entry) -> io::Result<u64>,
) -> io::Result<()> {
    let mut size = size;
    let over = &candidates.over;
    let mut slimmed: HashMap<usize, u64> = HashMap::new();
    // What is slimmed anyway is looked at only where that matters.
    let slim = |at: &usize| decisions[*at].action == Action::Slim;
    for at in (0..entries.len()).filter(slim).take_while(|_| size > budget) {
        slimmed.insert(at, caches(&entries[at])?);
    }
    size = size.saturating_sub(slimmed.values().sum());
    slimmed.retain(|at, _| over[*at]);
    let order =
        oldest_first(entries, |at| over[at] && matches!(decisions[at].action, Action::Keep | Action::Slim));
    for &at in order.iter() {
        if size <= budget {
            return Ok(());
        }
        if decisions[at].action == Action::Slim {
            continue;
        }
        let saved = caches(&entries[at])?;
        if saved > 0 {
            replace(&mut decisions[at], &slim_cache::RULE, Action::Slim);
            slimmed.insert(at, saved);
            size = size.saturating_sub(saved);
        }
    }
    if !candidates.may_remove {
        return Ok(());
    }
    for at in without_newest(entries, &order, candidates.now) {
        if size <= budget {
            return Ok(());
        }
        let rest = bytes_with_separator(entries, at) - slimmed.get(&at).copied().unwrap_or(0);
        replace(&mut decisions[at], &surplus_run::RULE, Action::Remove);
        size = size.saturating_sub(rest);
    }
    Ok(())
}

/// What `--budget` may touch.
pub struct Candidates {
    /// Entry by entry: a run record that is over, unprotected, past the grace and in scope.
    pub over: Vec<bool>,
    /// Whether they may be removed, and not only slimmed.
    pub may_remove: bool,
    /// The clock.
    pub now: Millis,
}

/// The bytes that leave the file with entry `at`: a separator goes along.
pub fn bytes_with_separator(entries: &Entries, at: usize) -> u64 {
    let gap = |before: usize| match (entries.get(before), entries.get(before + 1)) {
        (Some(before), Some(after)) => after.start() - before.end(),
        _ => 0,
    };
    entries[at].bytes() + gap(at.saturating_sub(1))
}

/// Removes entries that may go, oldest first, until `limit` are left.
pub fn cap_entries(entries: &Entries, decisions: &mut [Decision], may_go: &[bool], limit: u64) {
    let stays = |(entry, decision): &(&Entry, &Decision)| {
        !entry.is(Flags::OVERRIDDEN) && !decision.action.is_removal()
    };
    let mut left = entries.iter().zip(&*decisions).filter(stays).count() as u64;
    for at in oldest_first(entries, |at| may_go[at] && !decisions[at].action.is_removal()) {
        if left <= limit {
            return;
        }
        replace(&mut decisions[at], &surplus_entry::RULE, Action::Remove);
        left -= 1;
    }
}

fn replace(decision: &mut Decision, rule: &'static crate::model::verdict::Rule, action: Action) {
    *decision = Decision::new(rule, action, Some(Confidence::Certain));
}

fn oldest_first(entries: &Entries, wanted: impl Fn(usize) -> bool) -> Vec<usize> {
    let mut order: Vec<usize> = (0..entries.len()).filter(|&at| wanted(at)).collect();
    order.sort_by_key(|&at| (entries[at].updated_at.millis(), at));
    order
}

/// The candidates without the newest ten run records of each job, of all its records in the store whose
/// `updatedAt` can be relied on.
fn without_newest(entries: &Entries, candidates: &[usize], now: Millis) -> Vec<usize> {
    let mut newest: HashMap<TextHash, Vec<usize>> = HashMap::new();
    for (at, entry) in entries.iter().enumerate().filter(|(_, entry)| is_record(entry)) {
        if entry.updated_at.past(now).is_some() {
            newest.entry(entry.kin).or_default().push(at);
        }
    }
    for records in newest.values_mut() {
        records.sort_by_key(|&at| std::cmp::Reverse((entries[at].updated_at.millis(), at)));
        records.truncate(surplus_run::KEPT_OF_A_JOB);
    }
    let is_newest = |at: usize| newest.get(&entries[at].kin).is_some_and(|records| records.contains(&at));
    candidates.iter().copied().filter(|&at| !is_newest(at)).collect()
}

fn is_record(entry: &Entry) -> bool {
    entry.shape == crate::model::key::Shape::RunRecord && !entry.is(Flags::OVERRIDDEN)
}
