//! The SQLite databases of later versions: where they lie, what their tables are called, and what a row is.
//!
//! From 2026.6.1 cron jobs, run logs and the registry of sub-agents live in `state/openclaw.sqlite`; from 2026.8.1
//! sessions live in one database per agent. That a file exists proves nothing, since 2026.7.1 makes agent databases
//! without sessions in them: what counts is its tables.

pub mod rows;

use std::path::{Path, PathBuf};

use super::grammar::normalize_agent_id;

/// The table that makes an agent database the home of its sessions.
pub const SESSION_NODES: &str = "session_nodes";

/// The table of cron jobs in the state database.
pub const CRON_JOBS: &str = "cron_jobs";

/// The table of finished runs in the state database, to 2026.7.1.
pub const CRON_RUN_LOGS: &str = "cron_run_logs";

/// The table of sub-agents in the state database.
pub const SUBAGENT_RUNS: &str = "subagent_runs";

/// The tables that tell which files were imported, and by which run.
pub const MIGRATION_TABLES: [&str; 2] = ["migration_sources", "migration_runs"];

/// The state database, `<state>/state/openclaw.sqlite`.
pub fn state_database(state_dir: &Path) -> PathBuf {
    state_dir.join("state").join("openclaw.sqlite")
}

/// The database of an agent, `<state>/agents/<id>/agent/openclaw-agent.sqlite`.
pub fn agent_database(state_dir: &Path, agent_id: &str) -> PathBuf {
    agent_database_in(&state_dir.join("agents").join(normalize_agent_id(agent_id)))
}

/// The same below the directory of an agent, however that is spelled.
pub fn agent_database_in(agent_dir: &Path) -> PathBuf {
    agent_dir.join("agent").join("openclaw-agent.sqlite")
}

/// The write-ahead log beside a database: committed pages that the database itself does not hold yet.
pub fn write_ahead_log(database: &Path) -> PathBuf {
    with_suffix(database, "-wal")
}

/// The rollback journal beside a database: pages as they were before a transaction that did not end.
pub fn rollback_journal(database: &Path) -> PathBuf {
    with_suffix(database, "-journal")
}

fn with_suffix(database: &Path, suffix: &str) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// A value in a row.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Nothing.
    Null,
    /// A whole number.
    Integer(i64),
    /// Any other number.
    Real(f64),
    /// Text.
    Text(String),
    /// Bytes, or text that is not UTF-8.
    Blob(Vec<u8>),
}

/// A row of a table.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    /// The names of the columns.
    pub columns: &'a [String],
    /// The value of each.
    pub values: &'a [Value],
}

impl<'a> Row<'a> {
    /// The value of a column; `None` where the table has no such column.
    pub fn get(&self, column: &str) -> Option<&'a Value> {
        let at = self.columns.iter().position(|name| name.eq_ignore_ascii_case(column))?;
        self.values.get(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn well_known_places() {
        assert_eq!(state_database(Path::new("/s")), Path::new("/s/state/openclaw.sqlite"));
        let agent = agent_database(Path::new("/s"), "Main");
        assert_eq!(agent, Path::new("/s/agents/main/agent/openclaw-agent.sqlite"));
        assert_eq!(write_ahead_log(&agent), Path::new("/s/agents/main/agent/openclaw-agent.sqlite-wal"));
        assert_eq!(rollback_journal(Path::new("/a.sqlite")), Path::new("/a.sqlite-journal"));
    }

    #[test]
    fn columns_are_found_by_name() {
        let (columns, values) = (["Job_Id".to_owned(), "x".to_owned()], [Value::Integer(1), Value::Null]);
        let row = Row { columns: &columns, values: &values };
        assert_eq!(row.get("job_id"), Some(&Value::Integer(1)));
        assert_eq!(row.get("x"), Some(&Value::Null));
        assert_eq!(row.get("y"), None);
    }
}
