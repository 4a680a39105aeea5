//! Paths of stores, transcripts, job lists and registries.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::{absolute, expand_home, names::is_transcript_id};
use crate::openclaw::grammar::normalize_agent_id;

/// The usual name of the job list.
pub const JOBS_FILE: &str = "jobs.json";

/// The sessions directory of an agent in the default layout.
pub fn sessions_dir(state_dir: &Path, agent_id: &str) -> PathBuf {
    state_dir.join("agents").join(normalize_agent_id(agent_id)).join("sessions")
}

/// The store of an agent in the default layout.
pub fn default_store(state_dir: &Path, agent_id: &str) -> PathBuf {
    sessions_dir(state_dir, agent_id).join("sessions.json")
}

/// The store of the very old layout with a single agent.
pub fn legacy_store(state_dir: &Path) -> PathBuf {
    state_dir.join("sessions").join("sessions.json")
}

/// The store of an agent by `session.store`; without a template, or with an empty one, the default.
pub fn store_path(
    template: Option<&str>,
    agent_id: &str,
    state_dir: &Path,
    home: &Path,
    cwd: &Path,
) -> PathBuf {
    match template.filter(|text| !text.is_empty()) {
        None => default_store(state_dir, agent_id),
        Some(text) => {
            let filled = text.replace("{agentId}", &normalize_agent_id(agent_id));
            absolute(cwd, &expand_home(&filled, home))
        }
    }
}

/// The lock beside a store or transcript.
pub fn store_lock_path(file: &Path) -> PathBuf {
    with_suffix(file, ".lock")
}

/// The transcript of a session in the directory of its store; `None` for an id that no file name may hold.
pub fn transcript_path(sessions_dir: &Path, session_id: &str) -> Option<PathBuf> {
    is_transcript_id(session_id).then(|| sessions_dir.join(format!("{session_id}.jsonl")))
}

/// The job list by `cron.store`, else `<state>/cron/jobs.json`.
pub fn cron_store_path(cron_store: Option<&str>, state_dir: &Path, home: &Path, cwd: &Path) -> PathBuf {
    match cron_store.map(str::trim).filter(|text| !text.is_empty()) {
        Some(text) => absolute(cwd, &expand_home(text, home)),
        None => state_dir.join("cron").join(JOBS_FILE),
    }
}

/// The file that holds the state of the jobs from 2026.4.20 on: the list's name without `.json`, and `-state.json`.
pub fn jobs_state_path(jobs: &Path) -> PathBuf {
    let name = jobs.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let stem = name.strip_suffix(".json").unwrap_or(&name);
    jobs.with_file_name(format!("{stem}-state.json"))
}

/// The directory of the run logs beside a job list.
pub fn runs_dir(jobs: &Path) -> PathBuf {
    jobs.with_file_name("runs")
}

/// The run log of a job; `None` for an id that OpenClaw refuses as a file name.
pub fn run_log_path(jobs: &Path, job_id: &str) -> Option<PathBuf> {
    let legal = !job_id.trim().is_empty() && !job_id.contains(['/', '\\', '\0']);
    legal.then(|| runs_dir(jobs).join(format!("{job_id}.jsonl")))
}

/// The name under which the migration to SQLite leaves a job list or run log behind (`.migrated`).
pub fn migrated_path(file: &Path) -> PathBuf {
    with_suffix(file, ".migrated")
}

/// The registry of sub-agents.
pub fn subagents_path(state_dir: &Path) -> PathBuf {
    state_dir.join("subagents").join("runs.json")
}

fn with_suffix(file: &Path, suffix: &str) -> PathBuf {
    let mut name: OsString = file.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stores_by_template() {
        let path = |template, agent| {
            store_path(template, agent, Path::new("/s"), Path::new("/h"), Path::new("/cwd"))
                .display()
                .to_string()
        };
        assert_eq!(path(None, "My Bot"), "/s/agents/my-bot/sessions/sessions.json");
        assert_eq!(path(Some("~/st/{agentId}/{agentId}.json"), "A"), "/h/st/a/a.json");
        assert_eq!(path(Some("one.json"), "A"), "/cwd/one.json");
        assert_eq!(path(Some(""), "a"), "/s/agents/a/sessions/sessions.json");
    }

    #[test]
    fn job_lists_and_their_neighbours() {
        let (state, home, cwd) = (Path::new("/s"), Path::new("/h"), Path::new("/cwd"));
        assert_eq!(cron_store_path(None, state, home, cwd), Path::new("/s/cron/jobs.json"));
        assert_eq!(cron_store_path(Some(" ~/c/j.json "), state, home, cwd), Path::new("/h/c/j.json"));
        assert_eq!(jobs_state_path(Path::new("/s/cron/jobs.json")), Path::new("/s/cron/jobs-state.json"));
        assert_eq!(jobs_state_path(Path::new("/s/cron/list")), Path::new("/s/cron/list-state.json"));
        assert_eq!(
            run_log_path(Path::new("/s/cron/jobs.json"), "a").as_deref(),
            Some(Path::new("/s/cron/runs/a.jsonl"))
        );
        assert_eq!(run_log_path(Path::new("/s/cron/jobs.json"), "../a"), None);
        assert_eq!(migrated_path(Path::new("/s/cron/jobs.json")), Path::new("/s/cron/jobs.json.migrated"));
    }

    #[test]
    fn transcripts_stay_in_their_directory() {
        assert_eq!(transcript_path(Path::new("/d"), "a-1").as_deref(), Some(Path::new("/d/a-1.jsonl")));
        assert_eq!(transcript_path(Path::new("/d"), "../a"), None);
    }
}
