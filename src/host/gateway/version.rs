//! Which version of OpenClaw a process runs.
//!
//! The `package.json` beside its script says what is installed *now*. It proves what runs only when neither that file,
//! nor its directory, nor a symbolic link on the way to the script has changed since the process started.

use std::path::{Path, PathBuf};

use super::command::{is_titled, script};
use crate::host::{Process, System};
use crate::openclaw::json::{self, Want};
use crate::openclaw::layout::absolute;

/// How exactly the start of a process is known in wall-clock time; changes within it prove nothing.
const MARGIN_MS: i64 = 2_000;

/// How many symbolic links are followed, as in the kernel.
const MAX_LINKS: usize = 40;

/// How far above its script the package may begin.
const MAX_UP: usize = 4;

/// The version, and whether it is proven.
pub(super) fn of_process(pid: u32, system: &dyn System) -> Option<(String, bool)> {
    let process = system.process(pid)?;
    installed(&process, system).or_else(|| told(pid, system))
}

/// What the service said when it was installed; it proves nothing.
fn told(pid: u32, system: &dyn System) -> Option<(String, bool)> {
    let version = system.environ(pid).ok()?.remove("OPENCLAW_SERVICE_VERSION")?;
    Some((version.trim().to_owned(), false)).filter(|(version, _)| !version.is_empty())
}

fn installed(process: &Process, system: &dyn System) -> Option<(String, bool)> {
    if !system.same_mounts(process.pid) {
        return None;
    }
    let launcher = if is_titled(process) { system.process(process.parent)? } else { process.clone() };
    let named = Path::new(script(&launcher.args)?);
    let path =
        if named.has_root() { named.to_owned() } else { system.process_cwd(launcher.pid).ok()?.join(named) };
    let real = system.canonical(&path).ok()?;
    let (package, version) = real.ancestors().skip(1).take(MAX_UP).find_map(|dir| package(dir, system))?;
    let started = process.start_ms.into_iter().chain(launcher.start_ms).min();
    let proven = started.is_some_and(|started| {
        untouched(&package, started, system)
            && package.parent().is_some_and(|dir| untouched(dir, started, system))
            && untouched(&real, started, system)
            && links(&path, system)
                .is_some_and(|links| links.iter().all(|link| untouched(link, started, system)))
    });
    Some((version, proven))
}

/// The package file in a directory, when it is OpenClaw's, and its version.
fn package(dir: &Path, system: &dyn System) -> Option<(PathBuf, String)> {
    static WANT: Want = Want::Fields(&[("name", Want::All), ("version", Want::All)]);
    let path = dir.join("package.json");
    let tree = json::parse(&system.read(&path).ok()?, &WANT).ok()?;
    let name = tree.text_of("name")?;
    let known = ["openclaw", "clawdbot", "moltbot"].contains(&name.as_str());
    known.then(|| tree.text_of("version")).flatten().map(|version| (path, version))
}

fn untouched(path: &Path, started: i64, system: &dyn System) -> bool {
    let before = started.saturating_sub(MARGIN_MS);
    system.facts(path, false).is_ok_and(|facts| facts.mtime_ms < before && facts.ctime_ms < before)
}

/// The symbolic links on the way to a file, those that lie behind a link included; `None` when it cannot be followed.
fn links(path: &Path, system: &dyn System) -> Option<Vec<PathBuf>> {
    let mut links = Vec::new();
    let mut path = absolute(Path::new("/"), path);
    while let Some(link) = first_link(&path, system)? {
        if links.len() >= MAX_LINKS {
            return None;
        }
        let target = absolute(link.parent()?, &system.read_link(&link).ok()?);
        path = absolute(&target, path.strip_prefix(&link).ok()?);
        links.push(link);
    }
    Some(links)
}

/// The topmost symbolic link of a path.
fn first_link(path: &Path, system: &dyn System) -> Option<Option<PathBuf>> {
    let mut parts: Vec<&Path> = path.ancestors().filter(|part| part.parent().is_some()).collect();
    parts.reverse();
    for part in parts {
        if system.facts(part, false).ok()?.is_link {
            return Some(Some(part.to_owned()));
        }
    }
    Some(None)
}
