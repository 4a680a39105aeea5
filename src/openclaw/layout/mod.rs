//! Where OpenClaw keeps things: pure path computations, and the meaning of file names.
//!
//! Nothing here looks at a disk. What must be known of it (does this directory exist) comes in as a closure.

mod gateway_lock;
mod leftovers;
mod names;
mod state_dir;
mod stores;

use std::path::{Component, Path, PathBuf};

pub use gateway_lock::{STATE_LOCK_NAME, gateway_lock_dirs, gateway_lock_name};
pub use leftovers::{OfSession, Role, is_generated_id, of_session, temporary_of};
pub use names::{
    ArchiveKind, FileKind, SAFE_SESSION_ID, TRANSCRIPT_ID, classify, is_safe_session_id, is_transcript_id,
};
pub use state_dir::{
    BadProfile, Places, Profile, StateDir, StateDirSource, config_candidates, config_path, state_dir,
};
pub use stores::{
    JOBS_FILE, cron_store_path, default_store, jobs_state_path, legacy_store, migrated_path, run_log_path,
    runs_dir, sessions_dir, store_lock_path, store_path, subagents_path, transcript_path,
};

/// The path made absolute against `base`, with `.` and `..` resolved by name alone, as Node's `path.resolve` does.
pub fn absolute(base: &Path, path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in base.join(path).components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                out.pop();
            }
            other => out.push(other),
        }
    }
    out
}

/// The path with a leading `~` replaced by `home`; `~user` stays as it is.
pub fn expand_home(path: &str, home: &Path) -> PathBuf {
    match path.strip_prefix('~') {
        Some("") => home.to_owned(),
        Some(rest) if rest.starts_with(['/', '\\']) => home.join(rest.trim_start_matches(['/', '\\'])),
        _ => PathBuf::from(path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absolute_is_by_name_alone() {
        assert_eq!(absolute(Path::new("/a/b"), Path::new("../c/./d")), Path::new("/a/c/d"));
        assert_eq!(absolute(Path::new("/a"), Path::new("/x/../../y")), Path::new("/y"));
    }

    #[test]
    fn tilde_means_home_only_alone_or_before_a_slash() {
        let home = Path::new("/h");
        assert_eq!(expand_home("~", home), Path::new("/h"));
        assert_eq!(expand_home("~/x/y", home), Path::new("/h/x/y"));
        assert_eq!(expand_home("~joe/x", home), Path::new("~joe/x"));
        assert_eq!(expand_home("/x", home), Path::new("/x"));
    }
}
