//! What is gone on purpose: entries that a run of ours took out of a store, and was not undone.

use std::fs;
use std::path::{Path, PathBuf};

use crate::apply::changes;
use crate::apply::runs::{self, Run};
use crate::apply::{DiskError, RunState};
use crate::model::Millis;
use crate::model::entry::{TextHash, hash};
use crate::model::texts::TextMap;
use crate::scan::text::decode;

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
        let real = resolved(store);
        for run in runs_of(store, state_dir) {
            if run.record.state == RunState::Done
                && run.record.store == real
                && let Err(error) = removed.follow(&run)
            {
                log::warn!("{error}; what run {} took out may come back", run.id);
            }
        }
        removed
    }

    /// Runs are followed from the oldest on: an undo brings back what a run before it took out.
    fn follow(&mut self, run: &Run) -> Result<(), DiskError> {
        let summary = &run.record.summary;
        if summary.removed + summary.restored == 0 {
            return Ok(());
        }
        for change in changes::read(&run.dir)? {
            let change = change?;
            let raw = change.key.as_bytes();
            let Some(inner) = raw.len().checked_sub(1).and_then(|end| raw.get(1..end)) else { continue };
            let key = hash(&decode(inner));
            match change.action.as_str() {
                "remove" => self.at.insert(key, run.record.started_at),
                "restore" | "recover" => self.at.remove(&key),
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

/// The runs of a store's records directory, oldest first.
pub fn runs_of(store: &Path, state_dir: Option<&Path>) -> Vec<Run> {
    let listed = runs::records_dir(store, state_dir).and_then(|dir| runs::list_runs(&dir));
    listed.unwrap_or_else(|error| {
        log::warn!("{error}; what earlier runs took out is not known");
        Vec::new()
    })
}

/// The path as records have it: links resolved, also where the store is gone.
pub fn resolved(store: &Path) -> PathBuf {
    let beside = || {
        let dir = fs::canonicalize(store.parent()?).ok()?;
        Some(dir.join(store.file_name()?))
    };
    fs::canonicalize(store).ok().or_else(beside).unwrap_or_else(|| store.to_owned())
}
