//! Who needs whom: parents of sub-agents, across all stores.

use std::collections::{HashMap, HashSet};

use super::case::Case;
use super::protect;
use crate::model::entry::{Status, TextHash};
use crate::model::evidence::{Evidence, Kin};
use crate::model::key::Shape;

/// Shows the cases of the sub-agents of all stores, under the evidence that it is given, to its argument.
pub type ForEachCase<'f> = &'f dyn Fn(&Evidence, &mut dyn FnMut(&Case<'_>));

/// Works out who needs whom. A parent that is needed is protected, and so needs its own parent in turn.
pub fn settle(
    evidence: &mut Evidence,
    complete: bool,
    existing_parents: HashSet<TextHash>,
    each: ForEachCase<'_>,
) {
    let unread = evidence.kin.unread;
    evidence.kin = Kin { complete, unread, existing_parents, ..Kin::default() };
    let mut parent_of: HashMap<TextHash, TextHash> = HashMap::new();
    let mut running = HashSet::new();
    let mut needed = Vec::new();
    each(evidence, &mut |case| {
        let parent = case.entry.kin;
        if case.entry.shape != Shape::SubAgent || parent == 0 {
            return;
        }
        parent_of.insert(case.entry.folded_key(), parent);
        if protect::needs_parent(case) {
            needed.push(parent);
        }
        if case.entry.status == Status::Running {
            running.insert(parent);
        }
    });
    evidence.kin.parents_of_running = running;
    while let Some(parent) = needed.pop() {
        if evidence.kin.needed_parents.insert(parent) {
            needed.extend(parent_of.get(&parent));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::entry::Entry;
    use crate::model::policy::Policy;
    use crate::rules::case::StoreFacts;
    use crate::rules::fixture::{NOW, child};

    /// Keys 1, 2, 3, …: each the parent of the one before it.
    fn chain(youngest: Status, length: u64) -> Vec<Entry> {
        (1..=length).map(|at| child(at, at + 1, if at == 1 { youngest } else { Status::Done })).collect()
    }

    fn needed(entries: &[Entry]) -> HashSet<TextHash> {
        let (store, policy) = (StoreFacts::default(), Policy::default());
        let mut evidence = Evidence { now: NOW, ..Evidence::default() };
        settle(&mut evidence, true, HashSet::new(), &|evidence, show| {
            for entry in entries {
                show(&Case { entry, traces: Default::default(), store: &store, evidence, policy: &policy });
            }
        });
        evidence.kin.needed_parents
    }

    #[test]
    fn a_running_child_needs_all_its_ancestors_however_many() {
        assert_eq!(needed(&chain(Status::Running, 100_000)).len(), 100_000);
        assert!(needed(&chain(Status::Done, 3)).is_empty());
    }
}
