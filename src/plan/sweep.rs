//! What is done with leftovers: where each goes, and in how many runs.

use std::path::{Path, PathBuf};

use crate::model::leftover::Way;

/// A run moves at most so many files: its record is read and written whole.
pub const MOST_FILES: usize = 4_000;

/// What becomes of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is moved there.
    Aside(PathBuf),
    /// It gets that name.
    Archived(PathBuf),
    /// It is deleted.
    Deleted,
}

impl Fate {
    /// Where it lies then.
    pub fn to(&self) -> Option<&Path> {
        match self {
            Fate::Aside(to) | Fate::Archived(to) => Some(to),
            Fate::Deleted => None,
        }
    }
}

/// What is done with a file, in a word.
pub fn action(way: Way, is_transcript: bool) -> &'static str {
    match way {
        Way::Archive if is_transcript => "archive",
        Way::Aside | Way::Archive => "move",
        Way::Delete => "delete",
    }
}

/// What becomes of a file. `stamp` is the time as OpenClaw writes it into names, and `taken` tells whether a name is.
/// Names in one directory differ, so they do so in the directory of a run.
pub fn fate(
    way: Way,
    path: &Path,
    is_transcript: bool,
    run_dir: &Path,
    stamp: &dyn Fn(u32) -> String,
    taken: &dyn Fn(&Path) -> bool,
) -> Fate {
    let name = path.file_name().unwrap_or_default();
    match action(way, is_transcript) {
        "archive" => {
            let archived = |later: u32| {
                let mut archive = name.to_owned();
                archive.push(format!(".deleted.{}", stamp(later)));
                path.with_file_name(archive)
            };
            let free = (0..1_000).map(archived).find(|archive| !taken(archive));
            free.map_or_else(|| Fate::Aside(run_dir.join(name)), Fate::Archived)
        }
        "delete" => Fate::Deleted,
        _ => Fate::Aside(run_dir.join(name)),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn of(way: Way, is_transcript: bool, taken: &[&str]) -> Fate {
        let stamp = |later| format!("t{later}");
        let is_taken = |path: &Path| taken.iter().any(|other| path == Path::new(other));
        fate(way, Path::new("/s/a.jsonl"), is_transcript, Path::new("/r"), &stamp, &is_taken)
    }

    #[test]
    fn only_transcripts_are_archived_and_never_over_something() {
        assert_eq!(of(Way::Aside, true, &[]), Fate::Aside("/r/a.jsonl".into()));
        assert_eq!(of(Way::Archive, true, &[]), Fate::Archived("/s/a.jsonl.deleted.t0".into()));
        assert_eq!(
            of(Way::Archive, true, &["/s/a.jsonl.deleted.t0"]),
            Fate::Archived("/s/a.jsonl.deleted.t1".into())
        );
        assert_eq!(of(Way::Archive, false, &[]), Fate::Aside("/r/a.jsonl".into()));
        assert_eq!(of(Way::Delete, true, &[]), Fate::Deleted);
    }
}
