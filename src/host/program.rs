//! The path by which this program can be called again, from elsewhere and after an upgrade.

use std::ffi::OsStr;
use std::path::{Component, Path, PathBuf};

/// The name under which it was called, made absolute, where that leads to the file that runs; else that file itself.
///
/// A package manager keeps programs in directories of a version and puts a link to them on the search path: the link
/// survives an upgrade, the directory does not.
pub fn stable(running: &Path, called: Option<&OsStr>, cwd: &Path, search: Option<&str>) -> PathBuf {
    let same = |path: &PathBuf| {
        let plain = path.components().all(|part| part != Component::ParentDir);
        plain && path.canonicalize().is_ok_and(|real| real == running)
    };
    let called = called.map(Path::new).filter(|called| !called.as_os_str().is_empty());
    let places: Vec<PathBuf> = match called {
        Some(called) if called.components().count() > 1 => vec![cwd.join(called)],
        Some(name) => {
            let dirs = search.unwrap_or_default().split(':').filter(|dir| dir.starts_with('/'));
            dirs.map(|dir| Path::new(dir).join(name)).collect()
        }
        None => Vec::new(),
    };
    let named = places.into_iter().find(same).map(|path| path.components().collect());
    named.unwrap_or_else(|| running.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_that_leads_here_is_kept_and_anything_else_is_not_believed() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        for name in ["cellar", "bin", "other"] {
            std::fs::create_dir(root.join(name)).unwrap();
        }
        let (running, link) = (root.join("cellar/sd"), root.join("bin/sd"));
        std::fs::write(&running, "x").unwrap();
        std::fs::write(root.join("other/sd"), "y").unwrap();
        std::os::unix::fs::symlink(&running, &link).unwrap();
        let search = format!("rel:{}:{}", root.join("other").display(), root.join("bin").display());
        let of = |called: &str| stable(&running, Some(OsStr::new(called)), &root, Some(&search));
        assert_eq!(of("sd"), link);
        assert_eq!(of("./bin/sd"), link);
        assert_eq!(of(link.to_str().unwrap()), link);
        for stranger in ["other/sd", "gone", "", "bin/../bin/sd"] {
            assert_eq!(of(stranger), running, "{stranger}");
        }
        assert_eq!(stable(&running, None, &root, None), running);
    }
}
