//! Where the records of our own runs lie: in the state directory, and beside what lies outside it.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::apply::runs;
use crate::evidence::discover::Situation;

/// Where those of a store or a document lie.
pub fn of(path: &Path, situation: &Situation) -> io::Result<PathBuf> {
    let state = situation.exists.then_some(situation.state_dir.as_path());
    runs::records_dir(path, state).map_err(io::Error::other)
}

/// Every directory of records that the situation may have; a store whose own directory is gone has none.
pub fn all(situation: &Situation) -> BTreeSet<PathBuf> {
    let mut dirs: BTreeSet<PathBuf> =
        written(situation).filter_map(|path| of(&path, situation).ok()).collect();
    let of_state = fs::canonicalize(&situation.state_dir).map(|state| state.join("sessions-doctor"));
    dirs.extend(of_state.into_iter().filter(|dir| dir.is_dir()));
    dirs
}

/// Where `guard` remembers what it saw: with the records of the first store there is.
pub fn of_guard(situation: &Situation) -> Option<PathBuf> {
    let store = situation.stores.iter().find(|store| store.exists)?;
    of(&store.real, situation).ok()
}

/// Every file that runs of ours replace, links resolved where they can be.
pub fn written(situation: &Situation) -> impl Iterator<Item = PathBuf> {
    let documents = situation.documents().into_iter();
    let documents = documents.map(|path| fs::canonicalize(&path).unwrap_or(path));
    situation.stores.iter().map(|store| store.real.clone()).chain(documents)
}
