//! Where sessions and jobs live, told by the tables of the databases and never by their names.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::database::{self, DatabaseError};
use crate::openclaw::sqlite;
use crate::report::model::Era;

/// What the databases of a state directory hold.
#[derive(Debug)]
pub struct Told {
    /// Where sessions and jobs live.
    pub era: Era,
    /// Why that is not known.
    pub unknown: Option<String>,
    /// The databases that sessions live in.
    pub homes: Vec<PathBuf>,
}

/// Looks at the databases of all agents, those of `ids` among them, and at the state database.
pub fn tell<'a>(state_dir: &Path, ids: impl Iterator<Item = &'a str>) -> Told {
    let mut databases: BTreeSet<PathBuf> = ids.map(|id| sqlite::agent_database(state_dir, id)).collect();
    databases.insert(sqlite::agent_database(state_dir, "main"));
    let agents = state_dir.join("agents");
    let mut unknown = match of_disk(&agents, &mut databases) {
        Ok(()) => None,
        Err(error) => Some(format!("{}: {error}", agents.display())),
    };
    let mut homes = Vec::new();
    for path in &databases {
        match has_table(path, state_dir, sqlite::SESSION_NODES) {
            Ok(true) => homes.push(path.clone()),
            Ok(false) => {}
            Err(error) => unknown = unknown.or(Some(error.to_string())),
        }
    }
    if !homes.is_empty() {
        return Told { era: Era::Sqlite, unknown: None, homes };
    }
    if unknown.is_some() {
        return Told { era: Era::Unknown, unknown, homes };
    }
    let era = match has_table(&sqlite::state_database(state_dir), state_dir, sqlite::CRON_JOBS) {
        Ok(false) => Era::Json,
        // No version but those with their jobs in it makes such a file, and what it holds is then unreadable.
        Ok(true) | Err(_) => Era::CronSqlite,
    };
    Told { era, unknown: None, homes }
}

/// Databases of agents that have a directory, however that is spelled.
fn of_disk(agents: &Path, databases: &mut BTreeSet<PathBuf>) -> io::Result<()> {
    let listed = match fs::read_dir(agents) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        listed => listed?,
    };
    for entry in listed {
        databases.insert(sqlite::agent_database_in(&entry?.path()));
    }
    Ok(())
}

fn has_table(path: &Path, state_dir: &Path, table: &'static str) -> Result<bool, DatabaseError> {
    let found = database::read(path, state_dir, &mut |database| database.has_table(table))?;
    Ok(found.unwrap_or(false))
}
