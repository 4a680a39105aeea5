//! Who needs whom: parents of sub-agents, across all stores.

use super::case::Case;
use super::protect;
use crate::model::entry::Status;
use crate::model::evidence::{Evidence, Kin};
use crate::model::hashes::Bits;
use crate::model::key::Shape;

/// Shows the cases of the sub-agents of all stores, under the evidence that it is given, to its argument.
pub type ForEachCase<'f> = &'f dyn Fn(&Evidence, &mut dyn FnMut(&Case<'_>));

/// Works out who needs whom, of the parents that are known to exist. A parent that is needed is protected, and
/// so needs its own parent in turn.
pub fn settle(evidence: &mut Evidence, complete: bool, each: ForEachCase<'_>) {
    let Kin { unread, parents, .. } = std::mem::take(&mut evidence.kin);
    evidence.kin = Kin { complete, unread, parents, ..Kin::default() };
    let parents = &evidence.kin.parents;
    let mut parent_of = vec![NOBODY; parents.len()];
    let (mut running, mut needed) = (Bits::none_of(parents.len()), Bits::none_of(parents.len()));
    each(evidence, &mut |case| {
        let is_child = case.entry.shape == Shape::SubAgent;
        let Some(parent) = parents.place(case.entry.kin).filter(|_| is_child) else { return };
        // Who is nobody's parent needs no place among those whose parents are asked for.
        if let (Some(child), Ok(parent)) = (parents.place(case.entry.folded_key()), u32::try_from(parent)) {
            parent_of[child] = parent;
        }
        if protect::needs_parent(case) {
            needed.insert(parent);
        }
        if case.entry.status == Status::Running {
            running.insert(parent);
        }
    });
    for one in 0..parents.len() {
        let mut child = one;
        // Up to one whose own parents are known to be needed, or will be when it is its turn.
        while needed.has(child) && parent_of[child] != NOBODY && needed.insert(parent_of[child] as usize) {
            child = parent_of[child] as usize;
        }
    }
    (evidence.kin.needed, evidence.kin.with_running) = (needed, running);
}

/// The parent of one who has none among those that exist.
const NOBODY: u32 = u32::MAX;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::entries::Entries;
    use crate::model::hashes::Hashes;
    use crate::model::policy::Policy;
    use crate::rules::case::StoreFacts;
    use crate::rules::fixture::{NOW, child};

    /// Keys 1, 2, 3, …: each the parent of the one before it.
    fn chain(youngest: Status, length: u64) -> Entries {
        (1..=length).map(|at| child(at, at + 1, if at == 1 { youngest } else { Status::Done })).collect()
    }

    fn needed(entries: &Entries) -> usize {
        let (store, policy) = (StoreFacts::default(), Policy::default());
        let mut evidence = Evidence { now: NOW, ..Evidence::default() };
        evidence.kin.parents = Hashes::of(entries.iter().map(|entry| entry.key).collect());
        settle(&mut evidence, true, &|evidence, show| {
            for at in 0..entries.len() {
                show(&Case::new((entries, at), Default::default(), &store, evidence, &policy));
            }
        });
        evidence.kin.needed.count()
    }

    #[test]
    fn a_running_child_needs_all_its_ancestors_however_many() {
        // All but the youngest, who is nobody's parent.
        assert_eq!(needed(&chain(Status::Running, 100_000)), 99_999);
        assert_eq!(needed(&chain(Status::Done, 3)), 0);
    }
}
