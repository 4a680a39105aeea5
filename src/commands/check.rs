//! `check`, and `prune` without `--apply`: looks, plans, says; never writes.

use super::speak;
use crate::diagnose::run::{Edge, diagnose};
use crate::diagnose::{Condition, Diagnosis, changeset};
use crate::exit::Exit;
use crate::tell::Fate;

/// Looks and says what would be done.
pub fn run(edge: &Edge<'_>) -> anyhow::Result<Exit> {
    let mut diagnosis = match diagnose(edge, false) {
        Ok(diagnosis) => diagnosis,
        Err(error) => return speak::failure(edge, &error),
    };
    let fates = plans(&mut diagnosis);
    speak::diagnosis(edge, &mut diagnosis, &fates, false)
}

/// What the plan of every store means in bytes.
pub fn plans(diagnosis: &mut Diagnosis) -> Vec<Fate> {
    let mut fates = Vec::new();
    for at in 0..diagnosis.stores.len() {
        // Taken out for a moment, so that the rest of the diagnosis can be read beside it.
        let mut condition = std::mem::replace(&mut diagnosis.stores[at].condition, Condition::Absent);
        let table = match &mut condition {
            Condition::Whole(judged) if diagnosis.stores[at].file.acted_on => {
                Some(changeset::build(judged, diagnosis))
            }
            _ => None,
        };
        let table = table.transpose().unwrap_or_else(|error| {
            condition = Condition::of_error(error);
            None
        });
        diagnosis.stores[at].condition = condition;
        fates.push(Fate::untouched(table));
    }
    fates
}
