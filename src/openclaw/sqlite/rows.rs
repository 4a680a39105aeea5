//! What rows of the state database say, as the very values that the files of earlier versions give.
//!
//! Where a row keeps its JSON, that is read by the reader of the file; the columns beside it fill in what it lacks. A
//! row that makes no sense is an error, which protects.

use super::{Row, Value};
use crate::openclaw::jobs::{self, Job};
use crate::openclaw::json::Tree;
use crate::openclaw::run_log::{self, Line, RunLogReader};
use crate::openclaw::subagents;

/// A job, and the list it belongs to.
#[derive(Clone, Debug, PartialEq)]
pub struct JobRow {
    /// The path of the job list that the table took the place of.
    pub store_key: String,
    /// The job.
    pub job: Job,
}

/// The id of a job, whatever else its row says.
pub fn job_id(row: Row<'_>) -> Option<String> {
    text(row, "job_id").filter(|id| !id.trim().is_empty()).map(str::to_owned)
}

/// Reads a row of `cron_jobs`.
pub fn job(row: Row<'_>) -> Result<JobRow, String> {
    let store_key = text(row, "store_key").ok_or("a job that is in no list")?.to_owned();
    let id = job_id(row).ok_or("a job without an id")?;
    let told = |error: jobs::JobsError| format!("job {id}: {error}");
    let mut job = match json(row, "job_json")? {
        Some(text) => jobs::parse_job(text.as_bytes(), &id).map_err(told)?,
        None => jobs::job_of(&job_tree(row)?, &id),
    };
    if let Some(text) = json(row, "state_json")? {
        job.state = jobs::parse_state(text.as_bytes()).map_err(told)?;
    }
    // A marker protects, wherever it stands.
    job.state.running_at_ms = job.state.running_at_ms.or_else(|| millis(row, "running_at_ms"));
    job.state.last_run_at_ms = job.state.last_run_at_ms.or_else(|| millis(row, "last_run_at_ms"));
    Ok(JobRow { store_key, job })
}

/// The columns of a job without its JSON. Which sessions it means must be told, for they are protected by it.
fn job_tree(row: Row<'_>) -> Result<Tree, String> {
    if row.get("session_target").is_none() || row.get("session_key").is_none() {
        return Err("a job that does not tell its session".to_owned());
    }
    let payload = [("payload_kind", "kind"), ("payload_timeout_seconds", "timeoutSeconds")];
    // A job whose time limit is not told has none.
    let Tree::Object(mut payload) = tree(row, &payload) else { return Err("no payload".to_owned()) };
    if row.get("payload_timeout_seconds").is_none() {
        payload.push(("timeoutSeconds".to_owned(), Tree::Number(0.0)));
    }
    let columns = [
        ("name", "name"),
        ("agent_id", "agentId"),
        ("session_key", "sessionKey"),
        ("session_target", "sessionTarget"),
    ];
    let Tree::Object(mut members) = tree(row, &columns) else { return Err("no job".to_owned()) };
    members.push(("payload".to_owned(), Tree::Object(payload)));
    members.push(("enabled".to_owned(), Tree::Bool(row.get("enabled") != Some(&Value::Integer(0)))));
    Ok(Tree::Object(members))
}

/// The list that a row of `cron_run_logs` belongs to.
pub fn list_of<'a>(row: Row<'a>) -> Result<&'a str, String> {
    text(row, "store_key").ok_or_else(|| "a run of no list".to_owned())
}

/// Reads a row of `cron_run_logs`.
pub fn run_line(row: Row<'_>, reader: &mut RunLogReader) -> Result<Line, String> {
    let line = match json(row, "entry_json")? {
        Some(text) => reader.line(text.as_bytes()),
        None => run_log::line_of(line_tree(row)?),
    };
    match (&line, text(row, "job_id")) {
        (Line::Torn, _) => Err("a run that does not parse".to_owned()),
        // As in the log of another job: it proves nothing.
        (Line::Finished(run), Some(job)) if run.job_id != job => Ok(Line::Foreign),
        _ => Ok(line),
    }
}

/// The columns of a run without its JSON; only runs that came to an end are in the table.
fn line_tree(row: Row<'_>) -> Result<Tree, String> {
    for column in ["ts", "job_id", "status", "session_id", "run_at_ms"] {
        if row.get(column).is_none() {
            return Err(format!("a run without the column {column}"));
        }
    }
    let columns = [
        ("action", "action"),
        ("ts", "ts"),
        ("job_id", "jobId"),
        ("status", "status"),
        ("error", "error"),
        ("session_id", "sessionId"),
        ("session_key", "sessionKey"),
        ("run_at_ms", "runAtMs"),
        ("duration_ms", "durationMs"),
    ];
    let Tree::Object(mut members) = tree(row, &columns) else { return Err("no run".to_owned()) };
    if row.get("action").is_none() {
        members.push(("action".to_owned(), Tree::Text("finished".to_owned())));
    }
    Ok(Tree::Object(members))
}

/// Reads a row of `subagent_runs`.
pub fn subagent(row: Row<'_>) -> Result<subagents::Row, String> {
    let id = text(row, "run_id").unwrap_or_default();
    let mut read = match json(row, "payload_json")? {
        Some(text) => {
            subagents::parse_row(id, text.as_bytes()).map_err(|error| format!("run {id}: {error}"))?
        }
        None => {
            for column in ["child_session_key", "requester_session_key", "ended_at"] {
                row.get(column).ok_or_else(|| format!("a sub-agent without the column {column}"))?;
            }
            let columns = [
                ("child_session_key", "childSessionKey"),
                ("requester_session_key", "requesterSessionKey"),
                ("controller_session_key", "controllerSessionKey"),
                ("ended_at", "endedAt"),
            ];
            subagents::row(id, &tree(row, &columns)).ok_or("no sub-agent")?
        }
    };
    if read.child_session_key.is_none() {
        read.child_session_key = text(row, "child_session_key").map(str::to_owned);
    }
    match (&read.child_session_key, text(row, "child_session_key")) {
        (None, _) => Err(format!("run {id}: no session")),
        (Some(told), Some(other)) if told != other => Err(format!("run {id}: two sessions")),
        _ => Ok(read),
    }
}

fn text<'a>(row: Row<'a>, column: &str) -> Option<&'a str> {
    if let Value::Text(text) = row.get(column)? { Some(text) } else { None }
}

fn millis(row: Row<'_>, column: &str) -> Option<i64> {
    row.get(column).and_then(|value| as_tree(value).millis())
}

/// The JSON in a column; `None` where there is none, an error where there is something else.
fn json<'a>(row: Row<'a>, column: &str) -> Result<Option<&'a str>, String> {
    match row.get(column) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Text(text)) if text.is_empty() => Ok(None),
        Some(Value::Text(text)) => Ok(Some(text)),
        Some(_) => Err(format!("{column} is no text")),
    }
}

fn as_tree(value: &Value) -> Tree {
    match value {
        Value::Null | Value::Blob(_) => Tree::Null,
        Value::Integer(number) => Tree::Number(*number as f64),
        Value::Real(number) => Tree::Number(*number),
        Value::Text(text) => Tree::Text(text.clone()),
    }
}

/// An object of columns, under the names that the files have for them.
fn tree(row: Row<'_>, columns: &[(&str, &str)]) -> Tree {
    let member = |(column, name): &(&str, &str)| Some(((*name).to_owned(), as_tree(row.get(column)?)));
    Tree::Object(columns.iter().filter_map(member).collect())
}
