//! What is gone on purpose: entries that a run of ours took out of a store, and was not undone.

use std::path::Path;

use super::super::restore::key_hash;
use crate::apply::changes;
use crate::apply::runs::{self, Run};
use crate::apply::target::Target;
use crate::apply::{DiskError, RunState};
use crate::model::Millis;
use crate::model::entry::TextHash;
use crate::model::texts::TextMap;

/// When each key was taken out last.
#[derive(Debug, Default)]
pub struct Removed {
    at: TextMap<Millis>,
}

impl Removed {
    /// What the records of a store tell. A record that cannot be read explains nothing, so what it would have
    /// explained comes back rather than stays away.
    pub fn of_store(store: &Path, state_dir: Option<&Path>) -> Self {
        let mut removed = Removed::default();
        let mut runs = runs_of(store, state_dir);
        runs.retain(|run| run.record.state == RunState::Done);
        for (at, run) in runs.iter().enumerate() {
            if let Err(error) = removed.follow(run, taken_back(run, &runs[at + 1..])) {
                log::warn!("{error}; what run {} took out may come back", run.id);
            }
        }
        removed
    }

    /// Runs are followed from the oldest on: an undo brings back what a run before it took out. What a recovery that
    /// was `undone` had brought back is gone again, since then.
    fn follow(&mut self, run: &Run, undone: Option<Millis>) -> Result<(), DiskError> {
        let summary = &run.record.summary;
        if summary.removed + summary.restored == 0 {
            return Ok(());
        }
        for change in changes::read(&run.dir)? {
            let change = change?;
            let key = key_hash(&change.key);
            match (change.action.as_str(), undone) {
                ("remove", _) => self.at.insert(key, run.record.started_at),
                ("recover", Some(when)) => self.at.get_mut(&key).map(|at| std::mem::replace(at, when)),
                ("restore" | "recover", _) => self.at.remove(&key),
                _ => None,
            };
        }
        Ok(())
    }

    /// Whether the key was taken out at `written` or later, and has not come back.
    pub fn since(&self, key: TextHash, written: Millis) -> bool {
        self.at.get(&key).is_some_and(|&at| at >= written)
    }
}

/// When what a recovery brought back was taken out again by an undo, which left to the byte what the recovery had found.
fn taken_back(run: &Run, later: &[Run]) -> Option<Millis> {
    let brought = run.record.steps.first().filter(|_| run.record.command == "recover")?;
    let undoes = |later: &&Run| {
        let step = later.record.steps.first().filter(|_| later.record.command == "undo");
        step.is_some_and(|step| step.before == brought.after && step.after == brought.before)
    };
    later.iter().find(undoes).map(|undo| undo.record.started_at)
}

/// The runs on record that were about a store, oldest first.
pub fn runs_of(store: &Path, state_dir: Option<&Path>) -> Vec<Run> {
    // As records have it: links resolved, also where the store is gone.
    let real = Target::resolve(store).map_or_else(|_| store.to_owned(), |target| target.real);
    let listed = runs::records_dir(store, state_dir).and_then(|dir| runs::list_runs(&dir));
    let mut runs = listed.unwrap_or_else(|error| {
        log::warn!("{error}; what earlier runs took out is not known");
        Vec::new()
    });
    runs.retain(|run| run.record.store == real);
    runs
}
