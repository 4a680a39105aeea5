//! Files that were named for `validate`: one by one, by a directory that is walked, or by what comes through stdin.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// So much of a file tells its shape.
pub const HEAD: u64 = 64 << 10;

/// What a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// `sessions.json`
    Store,
    /// `cron/jobs.json`
    Jobs,
    /// `cron/jobs-state.json`
    JobsState,
    /// `cron/runs/<job>.jsonl`
    RunLog,
}

impl FileKind {
    /// Its name in reports and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            FileKind::Store => "store",
            FileKind::Jobs => "jobs",
            FileKind::JobsState => "jobs-state",
            FileKind::RunLog => "run-log",
        }
    }

    /// What a file holds by its name, and by that of its directory.
    pub fn by_name(path: &Path) -> Option<FileKind> {
        let name = |path: &Path| path.file_name().map(|name| name.to_string_lossy().into_owned());
        match name(path)?.as_str() {
            "sessions.json" => Some(FileKind::Store),
            "jobs.json" => Some(FileKind::Jobs),
            "jobs-state.json" => Some(FileKind::JobsState),
            other if other.ends_with(".jsonl") => {
                (name(path.parent()?).as_deref() == Some("runs")).then_some(FileKind::RunLog)
            }
            _ => None,
        }
    }

    /// What a file holds by its shape, of which `head` is the front: a store where nothing speaks against it.
    pub fn by_shape(head: &[u8]) -> FileKind {
        let head = String::from_utf8_lossy(head);
        let head = head.trim_start_matches('\u{feff}').trim_start();
        let first = head.lines().next().unwrap_or_default();
        if let Ok(serde_json::Value::Object(line)) = serde_json::from_str(first)
            && ["ts", "jobId", "action"].iter().any(|name| line.contains_key(*name))
        {
            return FileKind::RunLog;
        }
        // Either has two members of its own, in this order; no key of a session is spelled so.
        let rest = head.strip_prefix('{').map(str::trim_start).unwrap_or_default();
        let rest = rest.strip_prefix("\"version\"").map_or(rest, |rest| match rest.split_once(',') {
            Some((_, rest)) => rest.trim_start(),
            None => rest,
        });
        let jobs = rest.strip_prefix("\"jobs\"").and_then(|rest| rest.trim_start().strip_prefix(':'));
        match jobs.map(str::trim_start) {
            Some(list) if list.starts_with('{') => FileKind::JobsState,
            Some(_) => FileKind::Jobs,
            None => FileKind::Store,
        }
    }
}

/// Files of OpenClaw below `dir`, by their names, sorted; links are not followed.
pub fn below(dir: &Path) -> io::Result<Vec<PathBuf>> {
    let (mut found, mut dirs) = (Vec::new(), vec![dir.to_owned()]);
    while let Some(dir) = dirs.pop() {
        for entry in fs::read_dir(&dir)? {
            let entry = entry?;
            let (path, kind) = (entry.path(), entry.file_type()?);
            if kind.is_dir() {
                dirs.push(path);
            } else if kind.is_file() && FileKind::by_name(&path).is_some() {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

/// What comes through stdin, in a file of our own that has no name: places are read again, which a pipe cannot do.
pub fn spooled(mut input: impl io::Read) -> io::Result<fs::File> {
    let mut file = tempfile::tempfile()?;
    io::copy(&mut input, &mut file)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_known_by_their_names_and_run_logs_by_their_directory() {
        let kind = |path: &str| FileKind::by_name(Path::new(path));
        assert_eq!(kind("a/sessions.json"), Some(FileKind::Store));
        assert_eq!(kind("cron/jobs-state.json"), Some(FileKind::JobsState));
        assert_eq!(kind("cron/runs/x.jsonl"), Some(FileKind::RunLog));
        assert_eq!((kind("sessions/x.jsonl"), kind("sessions.json.bak.1")), (None, None));
    }

    #[test]
    fn files_of_other_names_are_known_by_their_shape() {
        let kind = |head: &str| FileKind::by_shape(head.as_bytes());
        assert_eq!(kind("{\n  \"version\": 1,\n  \"jobs\": [\n"), FileKind::Jobs);
        assert_eq!(kind("\u{feff}{\"jobs\":[{\"version\":1"), FileKind::Jobs);
        assert_eq!(kind("{\"version\":1,\"jobs\":{\"a"), FileKind::JobsState);
        assert_eq!(kind("{\"ts\":1,\"jobId\":\"a\"}\n{\"ts"), FileKind::RunLog);
        assert_eq!(kind("{\"action\":\"finished\"}"), FileKind::RunLog);
        for store in ["", "{}", "{\"agent:main:main\":{\"ts\":1}}", "[]", "{\"version\":1}", "\u{1}"] {
            assert_eq!(kind(store), FileKind::Store, "{store}");
        }
    }

    #[test]
    fn a_directory_is_walked_and_links_are_not() {
        let dir = tempfile::tempdir().unwrap();
        let sessions = dir.path().join("agents/main/sessions");
        fs::create_dir_all(&sessions).unwrap();
        fs::write(sessions.join("sessions.json"), "{}").unwrap();
        fs::write(sessions.join("a.jsonl"), "").unwrap();
        std::os::unix::fs::symlink(dir.path(), sessions.join("round")).unwrap();
        let runs = dir.path().join("cron/runs");
        fs::create_dir_all(&runs).unwrap();
        for name in ["a.jsonl", "../jobs.json", "../jobs.json.bak", "../jobs-state.json"] {
            fs::write(runs.join(name), "").unwrap();
        }
        let found = [
            "agents/main/sessions/sessions.json",
            "cron/jobs-state.json",
            "cron/jobs.json",
            "cron/runs/a.jsonl",
        ];
        assert_eq!(below(dir.path()).unwrap(), found.map(|name| dir.path().join(name)));
        assert_eq!(fs::read_dir(&sessions).unwrap().count(), 3);
    }
}
