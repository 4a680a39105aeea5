//! Jobs, finished runs and sub-agents: from files, from the state database, or from both.
//!
//! From 2026.6.1 they live in tables. Files may lie beside those still, left by an older version, or not yet imported;
//! whatever they know counts too, for it can only protect. The three are read in one look at the database, so they are
//! of one moment.

use super::database::{self, Database};
use super::discover::Situation;
use super::jobs::{self, JobsReading};
use super::registry::{self, RegistryReading};
use super::runs::{self, RunsReading};
use crate::model::Millis;
use crate::openclaw::{layout, sqlite};
use crate::report::model::{Era, EvidenceItem, EvidenceState};

/// What was read.
#[derive(Debug)]
pub struct Outside {
    /// The job list.
    pub jobs: JobsReading,
    /// The finished runs.
    pub runs: RunsReading,
    /// The sub-agents.
    pub registry: RegistryReading,
    /// How reading the state database went, where there is one.
    pub database: Option<EvidenceItem>,
}

/// The state database, as far as it could be opened.
#[derive(Clone, Copy, Debug)]
pub enum StateDatabase<'a> {
    /// There is none.
    None,
    /// It is open.
    Open(&'a Database),
    /// It could not be read, and why.
    Unread(&'a str),
}

/// What a table of the state database says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Table {
    /// There is none.
    Absent,
    /// All of it was read.
    Read,
    /// It could not be, or not all of it.
    Unread(String),
}

impl StateDatabase<'_> {
    /// Goes over the rows of a table; one that makes no sense does not keep the others from being read.
    pub(super) fn table(
        self,
        table: &'static str,
        each: &mut dyn FnMut(sqlite::Row<'_>) -> Result<(), String>,
    ) -> Table {
        let database = match self {
            StateDatabase::None => return Table::Absent,
            StateDatabase::Unread(why) => return Table::Unread(why.to_owned()),
            StateDatabase::Open(database) => database,
        };
        match database.has_table(table) {
            Ok(false) => return Table::Absent,
            Ok(true) => {}
            Err(error) => return Table::Unread(error.to_string()),
        }
        let mut first = None;
        let read = database.rows(table, &mut |row| {
            first = first.take().or(each(row).err());
            Ok(())
        });
        match (read, first) {
            (Err(error), _) => Table::Unread(error.to_string()),
            (Ok(()), Some(why)) => Table::Unread(format!("{}: {table}: {why}", database.path().display())),
            (Ok(()), None) => Table::Read,
        }
    }
}

/// Reads everything, and again where somebody wrote to the database meanwhile.
pub fn read(situation: &Situation, now: Millis) -> Outside {
    let Some(path) = &situation.state_database else {
        return Outside::of(situation, now, StateDatabase::None);
    };
    let mut look = |database: &Database| Ok(Outside::of(situation, now, StateDatabase::Open(database)));
    let (mut outside, state) = match database::read(path, &situation.state_dir, &mut look) {
        Ok(Some(outside)) => (outside, EvidenceState::Read),
        // Gone since it was found: nothing rests on that.
        Ok(None) => {
            (Outside::of(situation, now, StateDatabase::Unread("it is gone")), EvidenceState::Unreadable)
        }
        Err(error) => {
            let why = error.to_string();
            (Outside::of(situation, now, StateDatabase::Unread(&why)), EvidenceState::Unreadable)
        }
    };
    outside.database = Some(EvidenceItem { kind: "sqlite", path: path.display().to_string(), state });
    outside
}

impl Outside {
    fn of(situation: &Situation, now: Millis, database: StateDatabase<'_>) -> Self {
        let jobs_path = &situation.jobs_path;
        let mut runs = runs::read(&layout::runs_dir(jobs_path), database, jobs_path, now);
        // Later versions have no such table; those that have their jobs there do.
        if let (Era::CronSqlite, StateDatabase::Open(open)) = (situation.era, database)
            && !open.has_table(sqlite::CRON_RUN_LOGS).unwrap_or(true)
        {
            runs.unreadable.push(format!("{}: it has no table of finished runs", open.path().display()));
        }
        Outside {
            jobs: jobs::read(situation, database),
            runs,
            registry: registry::read(situation, database, now),
            database: None,
        }
    }
}
