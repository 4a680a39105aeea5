//! Whether a store may be written in a state directory whose sessions live in SQLite.
//!
//! There a `sessions.json` is only waiting to be imported: nothing reads it but the migration. One that is damaged, or
//! too large, keeps the migration from going on, so it may be repaired; one that was imported already is only a
//! receipt, and is left alone.

use std::fs;
use std::io;
use std::path::Path;

use super::database::{self, Database, DatabaseError};
use super::discover::Situation;
use crate::host::files;
use crate::openclaw::migration::{self, StoreNames};
use crate::openclaw::sqlite;
use crate::report::model::Era;

/// A manifest larger than this is none that we know.
const MAX_MANIFEST: u64 = 16 << 20;

/// Manifests lie hardly deeper than this.
const MAX_DEPTH: usize = 8;

/// Why a store must not be written; `None` where nothing of the migration forbids it.
pub fn refusal(situation: &Situation, store: &Path) -> Option<String> {
    let real = fs::canonicalize(store).unwrap_or_else(|_| store.to_owned());
    if migration::is_archived(store) || migration::is_archived(&real) {
        return Some("it lies in an archive of the migration to SQLite, which is never changed".to_owned());
    }
    match situation.era {
        Era::Json | Era::CronSqlite => None,
        Era::Unknown => {
            let why = situation.era_unknown.as_deref().unwrap_or("a database could not be read");
            Some(format!("it is not known where sessions live ({why})"))
        }
        Era::Sqlite => of_records(situation, store, &real),
    }
}

fn of_records(situation: &Situation, store: &Path, real: &Path) -> Option<String> {
    let said = |what: String| Some(format!("sessions live in SQLite, and {what}"));
    if !real.is_file() {
        return said("no sessions.json is ever made beside them".to_owned());
    }
    let state_dir = situation.state_dir.as_path();
    let real_dir = fs::canonicalize(state_dir).unwrap_or_else(|_| state_dir.to_owned());
    let names = StoreNames::new([store, real].into_iter(), &[state_dir, &real_dir]);
    match in_tables(state_dir, &names) {
        Ok(None) => {}
        Ok(Some(table)) => return said(format!("the table {table} says that it was imported already")),
        Err(error) => return said(format!("what was imported could not be read: {error}")),
    }
    match in_manifests(&migration::runs_dir(state_dir), &names, MAX_DEPTH) {
        Ok(None) => None,
        Ok(Some(manifest)) => said(format!("{manifest} says that it was imported already")),
        Err(why) => said(format!("what was imported could not be read: {why}")),
    }
}

/// The table that names the store.
fn in_tables(state_dir: &Path, names: &StoreNames) -> Result<Option<&'static str>, DatabaseError> {
    let mut look = |database: &Database| {
        for table in sqlite::MIGRATION_TABLES {
            if database.has_table(table)? && in_table(database, table, names)? {
                return Ok(Some(table));
            }
        }
        Ok(None)
    };
    database::read(&sqlite::state_database(state_dir), state_dir, &mut look).map(Option::flatten)
}

fn in_table(database: &Database, table: &'static str, names: &StoreNames) -> Result<bool, DatabaseError> {
    let mut found = false;
    database.rows(table, &mut |row| {
        found = found || names.are_in_row(row)?;
        Ok(())
    })?;
    Ok(found)
}

/// The manifest that names the store; an error where one could that cannot be read.
fn in_manifests(dir: &Path, names: &StoreNames, depth: usize) -> Result<Option<String>, String> {
    let told = |path: &Path, error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    let listed = match fs::read_dir(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        listed => listed.map_err(|error| told(dir, &error))?,
    };
    for entry in listed {
        let entry = entry.map_err(|error| told(dir, &error))?;
        let path = entry.path();
        let kind = entry.file_type().map_err(|error| told(&path, &error))?;
        let found = if kind.is_dir() && depth > 0 {
            in_manifests(&path, names, depth - 1)?
        } else {
            let bytes = manifest(&path).map_err(|error| told(&path, &error))?;
            let named = names.are_in_document(&bytes).map_err(|error| told(&path, &error))?;
            named.then(|| path.display().to_string())
        };
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

fn manifest(path: &Path) -> io::Result<Vec<u8>> {
    if files::open_regular(path)?.metadata()?.len() > MAX_MANIFEST {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "too large for a manifest"));
    }
    files::read_regular(path)
}
