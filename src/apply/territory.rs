//! Which files a run record may speak of: those of the directory that its records stand for.
//!
//! A record is a file like any other: it may have been copied along with a state directory, or written by
//! somebody else. So its paths are read relative to where it lies now, and a record that names anything
//! outside is not acted on. `<state>/sessions-doctor` stands for the state directory,
//! `<dir>/.sessions-doctor` for the directory of a store.

use std::fs;
use std::path::{Component, Path, PathBuf};

use super::disk::{DiskError, DiskResult};
use super::run_record::RunRecord;

/// The directory that a records directory stands for, links resolved.
pub fn of(records_dir: &Path) -> DiskResult<PathBuf> {
    let parent = super::runs::parent(records_dir);
    fs::canonicalize(parent).map_err(|cause| DiskError::new("resolve", parent, cause))
}

/// The same, by the directory of a run in it.
pub fn of_run(run_dir: &Path) -> Option<PathBuf> {
    of(run_dir.ancestors().nth(2)?).ok()
}

/// Moves the paths of a record that was made elsewhere to where it lies now, and refuses one that speaks of
/// anything outside `territory`.
pub fn adopt(record: &mut RunRecord, territory: &Path) -> Result<(), String> {
    let root = record.root.clone();
    let moved = |path: &Path| match root.as_deref().and_then(|root| path.strip_prefix(root).ok()) {
        Some(rest) => territory.join(rest),
        None => path.to_owned(),
    };
    record.store = moved(&record.store);
    for step in &mut record.steps {
        step.from = moved(&step.from);
        step.to = step.to.as_deref().map(moved);
    }
    record.root = Some(territory.to_owned());
    let steps = record.steps.iter().flat_map(|step| [Some(&step.from), step.to.as_ref()]).flatten();
    if let Some(outside) = [&record.store].into_iter().chain(steps).find(|path| !is_below(path, territory)) {
        return Err(format!(
            "it speaks of {}, which is not below {}",
            outside.display(),
            territory.display()
        ));
    }
    let backup = record.backup.as_ref().map(|backup| backup.path.components().collect::<Vec<_>>());
    match backup.as_deref() {
        None | Some([Component::Normal(_)]) => Ok(()),
        Some(_) => Err("its backup is not a name in its own directory".to_owned()),
    }
}

/// Whether a path lies below `territory` whatever links stand in it; what is missing counts by its parents.
fn is_below(path: &Path, territory: &Path) -> bool {
    let plain = path.components().all(|part| matches!(part, Component::RootDir | Component::Normal(_)));
    let dirs = path.ancestors().skip(1);
    let real = dirs.into_iter().find_map(|dir| fs::canonicalize(dir).ok());
    plain && path.starts_with(territory) && real.is_some_and(|real| real.starts_with(territory))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_and_dots_do_not_lead_outside() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        let state = root.join("state");
        fs::create_dir_all(state.join("agents/main")).unwrap();
        std::os::unix::fs::symlink(&root, state.join("link")).unwrap();
        for (path, below) in [
            ("state/agents/main/sessions.json", true),
            ("state/agents/gone/sessions.json", true),
            ("state/link/victim", false),
            ("state/../victim", false),
            ("victim", false),
        ] {
            assert_eq!(is_below(&root.join(path), &state), below, "{path}");
        }
    }
}
