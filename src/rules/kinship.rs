//! Who needs whom: parents of sub-agents, across all stores.

use std::collections::HashSet;

use super::case::Case;
use super::protect;
use crate::model::entry::{Status, TextHash};
use crate::model::evidence::{Evidence, Kin};
use crate::model::key::Shape;

/// Shows the cases of the sub-agents of all stores, under the evidence that it is given, to its argument.
pub type ForEachCase<'f> = &'f dyn Fn(&Evidence, &mut dyn FnMut(&Case<'_>));

/// Works out who needs whom. `each` calls its argument with the cases of all stores, judged by the evidence
/// that it is given; it is called again until no sub-agent becomes protected by being a parent itself.
pub fn settle(
    evidence: &mut Evidence,
    complete: bool,
    existing_parents: HashSet<TextHash>,
    each: ForEachCase<'_>,
) {
    evidence.kin = Kin { complete, existing_parents, ..Kin::default() };
    loop {
        let mut needed = HashSet::new();
        let mut running = HashSet::new();
        each(evidence, &mut |case| {
            if case.entry.shape != Shape::SubAgent || case.entry.kin == 0 {
                return;
            }
            if protect::needs_parent(case) {
                needed.insert(case.entry.kin);
            }
            if case.entry.status == Status::Running {
                running.insert(case.entry.kin);
            }
        });
        // Protection only ever grows, so this ends after as many rounds as sub-agents are nested.
        let settled = needed.len() == evidence.kin.needed_parents.len();
        (evidence.kin.needed_parents, evidence.kin.parents_of_running) = (needed, running);
        if settled {
            return;
        }
    }
}
