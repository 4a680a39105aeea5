//! Where a gateway keeps its single-instance lock.

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

/// The lock of 2026.8.1 and later that stands for a whole state directory.
pub const STATE_LOCK_NAME: &str = "gateway.state.lock";

/// The name of the lock of the gateway with this configuration, an absolute path.
pub fn gateway_lock_name(config_path: &str) -> String {
    let digest = Sha256::digest(config_path.as_bytes());
    let head: String = digest.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    format!("gateway.{head}.lock")
}

/// The directories in which gateways of this user keep their locks; most do not exist.
///
/// Up to 2026.7.1 below the directory for temporary files (the gateway's may be another than ours, so the usual one is
/// always among them), from 2026.8.1 below the state directory.
pub fn gateway_lock_dirs(temp_dir: &Path, state_dir: &Path, uid: u32) -> Vec<PathBuf> {
    let own = format!("openclaw-{uid}");
    let mut dirs =
        vec![temp_dir.join(&own), state_dir.join("tmp").join(&own), state_dir.join("tmp/openclaw")];
    let usual = Path::new("/tmp").join(&own);
    if !dirs.contains(&usual) {
        dirs.push(usual);
    }
    dirs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_hold_the_hash_of_the_path() {
        // `printf %s /home/user/.openclaw/openclaw.json | sha256sum`
        assert_eq!(gateway_lock_name("/home/user/.openclaw/openclaw.json"), "gateway.94e6aae2.lock");
    }

    #[test]
    fn the_usual_directory_is_always_among_them() {
        let dirs = gateway_lock_dirs(Path::new("/run/t"), Path::new("/s"), 7);
        assert!(dirs.contains(&PathBuf::from("/tmp/openclaw-7")));
        assert_eq!(gateway_lock_dirs(Path::new("/tmp"), Path::new("/s"), 7).len(), 3);
    }
}
