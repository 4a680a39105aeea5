//! Who needs whom: parents of sub-agents, across all stores.

use super::case::Case;
use super::protect;
use crate::model::entry::{Status, TextHash};
use crate::model::evidence::{Evidence, Kin};
use crate::model::key::Shape;
use crate::model::texts::{TextMap, TextSet};

/// Shows the cases of the sub-agents of all stores, under the evidence that it is given, to its argument.
pub type ForEachCase<'f> = &'f dyn Fn(&Evidence, &mut dyn FnMut(&Case<'_>));

/// Works out who needs whom, of the parents that are known to exist. A parent that is needed is protected, and
/// so needs its own parent in turn.
pub fn settle(evidence: &mut Evidence, complete: bool, each: ForEachCase<'_>) {
    let Kin { unread, existing_parents, .. } = std::mem::take(&mut evidence.kin);
    evidence.kin = Kin { complete, unread, existing_parents, ..Kin::default() };
    let mut parent_of: TextMap<TextHash> = TextMap::default();
    let mut running = TextSet::default();
    let mut needed = TextSet::default();
    let existing = &evidence.kin.existing_parents;
    each(evidence, &mut |case| {
        let parent = case.entry.kin;
        if case.entry.shape != Shape::SubAgent || !existing.contains(&parent) {
            return;
        }
        // Who is nobody's parent needs no place among those whose parents are asked for.
        if existing.contains(&case.entry.folded_key()) {
            parent_of.insert(case.entry.folded_key(), parent);
        }
        if protect::needs_parent(case) {
            needed.insert(parent);
        }
        if case.entry.status == Status::Running {
            running.insert(parent);
        }
    });
    let mut open: Vec<TextHash> = needed.iter().copied().collect();
    while let Some(child) = open.pop() {
        open.extend(parent_of.get(&child).filter(|parent| needed.insert(**parent)));
    }
    (evidence.kin.needed_parents, evidence.kin.parents_of_running) = (needed, running);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::entries::Entries;
    use crate::model::policy::Policy;
    use crate::rules::case::StoreFacts;
    use crate::rules::fixture::{NOW, child};

    /// Keys 1, 2, 3, …: each the parent of the one before it.
    fn chain(youngest: Status, length: u64) -> Entries {
        (1..=length).map(|at| child(at, at + 1, if at == 1 { youngest } else { Status::Done })).collect()
    }

    fn needed(entries: &Entries) -> TextSet {
        let (store, policy) = (StoreFacts::default(), Policy::default());
        let mut evidence = Evidence { now: NOW, ..Evidence::default() };
        evidence.kin.existing_parents = entries.iter().map(|entry| entry.key).collect();
        settle(&mut evidence, true, &|evidence, show| {
            for at in 0..entries.len() {
                show(&Case::new((entries, at), Default::default(), &store, evidence, &policy));
            }
        });
        evidence.kin.needed_parents
    }

    #[test]
    fn a_running_child_needs_all_its_ancestors_however_many() {
        // All but the youngest, who is nobody's parent.
        assert_eq!(needed(&chain(Status::Running, 100_000)).len(), 99_999);
        assert!(needed(&chain(Status::Done, 3)).is_empty());
    }
}
