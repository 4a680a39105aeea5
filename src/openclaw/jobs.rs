//! The list of cron jobs (`cron/jobs.json`) and the state beside it (`jobs-state.json`, from 2026.4.20).
//!
//! A list is read whole or not at all: a job that is overlooked would condemn the sessions of a living one. So one
//! element that is no job, or a job without an id, makes the whole list an error.

use std::collections::HashMap;

use super::json::{self, Fault, Tree, Want};

/// The time a job may take unless it says otherwise, for a turn of the agent.
pub const AGENT_TURN_TIMEOUT_MS: i64 = 60 * 60_000;

/// The time a job may take unless it says otherwise, for anything else.
pub const OTHER_TIMEOUT_MS: i64 = 10 * 60_000;

/// One cron job, as far as sessions are concerned.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: Option<String>,
    /// The agent it runs as, as written.
    pub agent_id: Option<String>,
    /// The session it belongs to, when it names one.
    pub session_key: Option<String>,
    /// Whether it is enabled; true unless it says `false`.
    pub enabled: bool,
    /// Where its runs take place.
    pub session_target: SessionTarget,
    /// How long a run may take.
    pub timeout: JobTimeout,
    /// When it runs.
    pub schedule: Schedule,
    /// What it last did.
    pub state: JobState,
}

/// Where the runs of a job take place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SessionTarget {
    /// The main session.
    Main,
    /// A session of its own, new for each run.
    Isolated,
    /// The session it was made in.
    Current,
    /// `session:<key>`, a session by name.
    Session(String),
    /// Something this tool does not know.
    Other(String),
}

/// How long a run may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobTimeout {
    /// Milliseconds.
    Ms(i64),
    /// No limit.
    None,
}

/// When a job runs.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Schedule {
    /// `at`, `every`, `cron` or something newer; empty when it is missing.
    pub kind: String,
    /// The moment of `at`, as written.
    pub at: Option<String>,
    /// The period of `every`.
    pub every_ms: Option<i64>,
    /// The expression of `cron`.
    pub expr: Option<String>,
    /// The time zone of `cron`.
    pub tz: Option<String>,
}

/// What a job last did. A time that is no finite number is absent.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct JobState {
    /// When it runs next.
    pub next_run_at_ms: Option<i64>,
    /// The marker: when the run began that is not yet known to be over.
    pub running_at_ms: Option<i64>,
    /// Whether the marker is a number that no clock can show.
    pub odd_marker: bool,
    /// When it last ran.
    pub last_run_at_ms: Option<i64>,
    /// How that went: `ok`, `error` or `skipped`.
    pub last_run_status: Option<String>,
    /// The error of the last run.
    pub last_error: Option<String>,
    /// How long the last run took.
    pub last_duration_ms: Option<i64>,
    /// How many runs failed in a row.
    pub consecutive_errors: Option<i64>,
    /// When the state was last written (only in `jobs-state.json`).
    pub updated_at_ms: Option<i64>,
}

/// Why a list of jobs, or their state, is not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JobsError {
    /// Neither JSON nor JSON5.
    #[error("it does not parse: {0}")]
    Syntax(Fault),
    /// A byte order mark at the start.
    #[error("it begins with a byte order mark")]
    ByteOrderMark,
    /// Not an object with `jobs` of the expected kind.
    #[error("it holds no {0}")]
    Shape(&'static str),
    /// An element that is no job, or has no id; counted from 0.
    #[error("job {0} is no object with an id")]
    BadJob(usize),
}

const STATE: Want = Want::Fields(&[
    ("nextRunAtMs", Want::All),
    ("runningAtMs", Want::All),
    ("lastRunAtMs", Want::All),
    ("lastRunStatus", Want::All),
    ("lastStatus", Want::All),
    ("lastError", Want::All),
    ("lastDurationMs", Want::All),
    ("consecutiveErrors", Want::All),
]);

static STATE_ALONE: Want = STATE;

static JOB: Want = Want::Fields(&[
    ("id", Want::All),
    ("jobId", Want::All),
    ("name", Want::All),
    ("agentId", Want::All),
    ("sessionKey", Want::All),
    ("enabled", Want::All),
    ("sessionTarget", Want::All),
    (
        "schedule",
        Want::Fields(&[
            ("kind", Want::All),
            ("at", Want::All),
            ("everyMs", Want::All),
            ("expr", Want::All),
            ("tz", Want::All),
        ]),
    ),
    ("payload", Want::Fields(&[("kind", Want::All), ("timeoutSeconds", Want::All)])),
    ("state", STATE),
]);

static JOBS: Want = Want::Fields(&[("jobs", Want::Each(&JOB))]);

static STATES: Want =
    Want::Fields(&[("jobs", Want::Each(&Want::Fields(&[("updatedAtMs", Want::All), ("state", STATE)])))]);

/// Reads a list of jobs with the state it holds inline.
pub fn parse_jobs(bytes: &[u8]) -> Result<Vec<Job>, JobsError> {
    let tree = read(bytes, &JOBS)?;
    let jobs = tree.get("jobs").and_then(Tree::list).ok_or(JobsError::Shape("list of jobs"))?;
    jobs.iter().enumerate().map(|(at, tree)| job(tree).ok_or(JobsError::BadJob(at))).collect()
}

/// Reads one job that stands alone; what it lacks of an id is `id`, and another one is an error.
pub fn parse_job(bytes: &[u8], id: &str) -> Result<Job, JobsError> {
    let tree = read(bytes, &JOB)?;
    let own = tree.text_of("id").or_else(|| tree.text_of("jobId"));
    if tree.object().is_none() || own.is_some_and(|own| own != id) {
        return Err(JobsError::BadJob(0));
    }
    Ok(job_of(&tree, id))
}

/// Reads the state of one job that stands alone.
pub fn parse_state(bytes: &[u8]) -> Result<JobState, JobsError> {
    let tree = read(bytes, &STATE_ALONE)?;
    tree.object().ok_or(JobsError::Shape("state"))?;
    Ok(state(Some(&tree)))
}

/// Reads the state of the jobs, by job id.
pub fn parse_jobs_state(bytes: &[u8]) -> Result<HashMap<String, JobState>, JobsError> {
    let tree = read(bytes, &STATES)?;
    let jobs = tree.get("jobs").and_then(Tree::object).ok_or(JobsError::Shape("object of jobs"))?;
    let one = |(id, entry): &(String, Tree)| {
        let inner = entry.get("state").filter(|state| state.object().is_some())?;
        Some((id.clone(), JobState { updated_at_ms: entry.millis_of("updatedAtMs"), ..state(Some(inner)) }))
    };
    Ok(jobs.iter().filter_map(one).collect())
}

/// Gives the jobs their state: what the state file holds of a job, else what stands inline.
pub fn merge(mut jobs: Vec<Job>, states: Option<HashMap<String, JobState>>) -> Vec<Job> {
    let mut states = states.unwrap_or_default();
    for job in &mut jobs {
        if let Some(state) = states.remove(&job.id) {
            job.state = state;
        }
    }
    jobs
}

/// JSON, else JSON5, as OpenClaw reads it.
fn read(bytes: &[u8], want: &'static Want) -> Result<Tree, JobsError> {
    if bytes.starts_with(b"\xef\xbb\xbf") {
        return Err(JobsError::ByteOrderMark);
    }
    json::parse(bytes, want).or_else(|fault| json::parse_json5(bytes).map_err(|_| JobsError::Syntax(fault)))
}

fn job(tree: &Tree) -> Option<Job> {
    let id = tree.text_of("id").or_else(|| tree.text_of("jobId")).filter(|id| !id.trim().is_empty())?;
    Some(job_of(tree, &id))
}

/// The job of that id with these members.
pub fn job_of(tree: &Tree, id: &str) -> Job {
    let payload = tree.get("payload");
    let kind = payload.and_then(|payload| payload.text_of("kind"));
    let agent_turn = kind.as_deref() == Some("agentTurn");
    Job {
        id: id.to_owned(),
        name: tree.text_of("name"),
        agent_id: tree.text_of("agentId"),
        session_key: tree.text_of("sessionKey"),
        enabled: tree.get("enabled").and_then(Tree::bool) != Some(false),
        session_target: target(tree.text_of("sessionTarget"), agent_turn),
        timeout: timeout(payload.and_then(|payload| payload.get("timeoutSeconds")), agent_turn),
        schedule: schedule(tree.get("schedule")),
        state: state(tree.get("state")),
    }
}

/// A job of the time before targets runs isolated when it is a turn of the agent.
fn target(text: Option<String>, agent_turn: bool) -> SessionTarget {
    match text.as_deref().map(str::trim) {
        Some("main") => SessionTarget::Main,
        Some("isolated") => SessionTarget::Isolated,
        Some("current") => SessionTarget::Current,
        Some(other) => match other.strip_prefix("session:") {
            Some(key) => SessionTarget::Session(key.to_owned()),
            None => SessionTarget::Other(other.to_owned()),
        },
        None if agent_turn => SessionTarget::Isolated,
        None => SessionTarget::Main,
    }
}

fn timeout(seconds: Option<&Tree>, agent_turn: bool) -> JobTimeout {
    let default = if agent_turn { AGENT_TURN_TIMEOUT_MS } else { OTHER_TIMEOUT_MS };
    match seconds.and_then(Tree::number) {
        Some(seconds) if seconds <= 0.0 => JobTimeout::None,
        Some(seconds) => JobTimeout::Ms((seconds * 1000.0).min(9e15) as i64),
        None => JobTimeout::Ms(default),
    }
}

fn schedule(tree: Option<&Tree>) -> Schedule {
    let Some(tree) = tree else { return Schedule::default() };
    Schedule {
        kind: tree.text_of("kind").unwrap_or_default(),
        at: tree.text_of("at"),
        every_ms: tree.millis_of("everyMs"),
        expr: tree.text_of("expr"),
        tz: tree.text_of("tz"),
    }
}

fn state(tree: Option<&Tree>) -> JobState {
    let Some(tree) = tree else { return JobState::default() };
    JobState {
        next_run_at_ms: tree.millis_of("nextRunAtMs"),
        running_at_ms: tree.millis_of("runningAtMs"),
        odd_marker: matches!(tree.get("runningAtMs"), Some(marker @ Tree::Number(_)) if marker.millis().is_none()),
        last_run_at_ms: tree.millis_of("lastRunAtMs"),
        last_run_status: tree.text_of("lastRunStatus").or_else(|| tree.text_of("lastStatus")),
        last_error: tree.text_of("lastError"),
        last_duration_ms: tree.millis_of("lastDurationMs"),
        consecutive_errors: tree.millis_of("consecutiveErrors"),
        updated_at_ms: None,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const OLD: &str = r#"{"version":1,"jobs":[{"id":"68e6","name":"news digest","enabled":true,
        "schedule":{"kind":"every","everyMs":40000,"anchorMs":1795223167978},"sessionTarget":"isolated",
        "payload":{"kind":"agentTurn","message":"lone \ud83d"},"delivery":{"mode":"none"},
        "state":{"nextRunAtMs":1795223308117,"lastRunAtMs":1795223248006,"lastStatus":"error",
          "lastDurationMs":111,"consecutiveErrors":2,"runningAtMs":"soon"}}]}"#;

    #[test]
    fn reads_a_list_with_inline_state() {
        let jobs = parse_jobs(OLD.as_bytes()).unwrap();
        let job = &jobs[0];
        assert_eq!((job.id.as_str(), job.name.as_deref(), job.enabled), ("68e6", Some("news digest"), true));
        assert_eq!(job.session_target, SessionTarget::Isolated);
        assert_eq!(job.timeout, JobTimeout::Ms(AGENT_TURN_TIMEOUT_MS));
        assert_eq!((job.schedule.kind.as_str(), job.schedule.every_ms), ("every", Some(40_000)));
        assert_eq!(job.state.last_run_status.as_deref(), Some("error"));
        assert_eq!(job.state.running_at_ms, None);
        assert_eq!(job.state.consecutive_errors, Some(2));
    }

    #[test]
    fn the_state_file_wins_over_what_stands_inline() {
        let states = parse_jobs_state(
            br#"{"version":1,"jobs":{"68e6":{"updatedAtMs":5,"state":{"runningAtMs":7}},"x":{"state":3}}}"#,
        );
        let jobs = merge(parse_jobs(OLD.as_bytes()).unwrap(), Some(states.unwrap()));
        assert_eq!(jobs[0].state.running_at_ms, Some(7));
        assert_eq!((jobs[0].state.last_run_at_ms, jobs[0].state.updated_at_ms), (None, Some(5)));
        let jobs = merge(parse_jobs(OLD.as_bytes()).unwrap(), None);
        assert_eq!(jobs[0].state.last_run_at_ms, Some(1_795_223_248_006));
    }

    #[test]
    fn targets_and_timeouts() {
        let one = |text: &str| {
            parse_jobs(format!("{{\"jobs\":[{{\"id\":\"a\",{text}}}]}}").as_bytes()).unwrap().remove(0)
        };
        assert_eq!(
            one(r#""sessionTarget":"session:a:b""#).session_target,
            SessionTarget::Session("a:b".into())
        );
        assert_eq!(one(r#""sessionTarget":"new""#).session_target, SessionTarget::Other("new".into()));
        assert_eq!(one(r#""payload":{"kind":"agentTurn"}"#).session_target, SessionTarget::Isolated);
        assert_eq!(one(r#""payload":{"kind":"systemEvent"}"#).session_target, SessionTarget::Main);
        assert_eq!(one(r#""enabled":false"#).timeout, JobTimeout::Ms(OTHER_TIMEOUT_MS));
        assert_eq!(one(r#""payload":{"timeoutSeconds":0}"#).timeout, JobTimeout::None);
        assert_eq!(one(r#""payload":{"timeoutSeconds":1.5}"#).timeout, JobTimeout::Ms(1500));
        assert!(!one(r#""enabled":false"#).enabled);
    }

    #[test]
    fn json5_and_the_older_id_are_read() {
        let jobs = parse_jobs(b"{jobs: [{jobId: 'old',}], // one\n}").unwrap();
        assert_eq!(jobs[0].id, "old");
        assert!(parse_jobs(b"{\"jobs\":[]}").unwrap().is_empty());
    }

    #[test]
    fn a_list_that_is_not_read_whole_is_an_error() {
        let error = |text: &[u8]| parse_jobs(text).unwrap_err();
        assert!(matches!(error(b"{\"jobs\":[{\"id\":\"a\"}"), JobsError::Syntax(_)));
        assert_eq!(error(b"\xef\xbb\xbf{\"jobs\":[]}"), JobsError::ByteOrderMark);
        assert!(matches!(error(b"[]"), JobsError::Shape(_)));
        assert!(matches!(error(b"{\"jobs\":{}}"), JobsError::Shape(_)));
        assert_eq!(error(b"{\"jobs\":[{\"id\":\"a\"},null]}"), JobsError::BadJob(1));
        assert_eq!(error(b"{\"jobs\":[{\"id\":\"\"}]}"), JobsError::BadJob(0));
        assert_eq!(error(b"{\"jobs\":[{\"id\":7}]}"), JobsError::BadJob(0));
        assert!(parse_jobs(b"").is_err());
    }
}
