//! The sessions that live in a database, as the store that they would be: each row one entry of a private file.
//!
//! So whatever reads stores reads them, in bounded memory, and no rule knows where an entry came from. The file lies in
//! a directory of our own for temporary files, and goes away with it; nobody writes it back.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use serde::de::IgnoredAny;
use tempfile::TempDir;

use super::{Database, DatabaseError, copy};
use crate::openclaw::sqlite::{self, Row, Value};

/// What the file is called.
const NAME: &str = "session_nodes.json";

/// Sessions that were copied out of a database.
#[derive(Debug)]
pub struct Spool {
    /// Goes away with it; who has the file open may go on reading.
    _dir: TempDir,
    /// The file.
    pub path: PathBuf,
}

/// Copies the sessions of a database; `None` where there is no such file, or no table of sessions in it.
pub fn sessions(path: &Path, state_dir: &Path) -> Result<Option<Spool>, DatabaseError> {
    let mut look = |database: &Database| {
        if !database.has_table(sqlite::SESSION_NODES)? {
            return Ok(None);
        }
        let no_place = |why| DatabaseError::NoPlaceForRows(path.to_owned(), why);
        let dir = copy::directory(database.print.size, state_dir).map_err(no_place)?;
        let file = dir.path().join(NAME);
        write(database, &file)?;
        Ok(Some(Spool { _dir: dir, path: file }))
    };
    super::read(path, state_dir, &mut look).map(Option::flatten)
}

fn write(database: &Database, file: &Path) -> Result<(), DatabaseError> {
    let told = |error: io::Error| DatabaseError::NoPlaceForRows(database.path.clone(), error.to_string());
    let mut out = BufWriter::new(File::create_new(file).map_err(told)?);
    let mut before = "{\n";
    let mut failed = None;
    let read = database.rows(sqlite::SESSION_NODES, &mut |row| {
        let (key, entry) = member(row)?;
        write!(out, "{before}{key}: {entry}").map_err(|error| {
            let why = error.to_string();
            failed = Some(error);
            why
        })?;
        before = ",\n";
        Ok(())
    });
    if let Some(error) = failed {
        return Err(told(error));
    }
    read?;
    let end = if before == "{\n" { "{}" } else { "\n}" };
    out.write_all(end.as_bytes()).and_then(|()| out.flush()).map_err(told)
}

/// The key as JSON, and the entry; `null` stands for one that is not JSON.
fn member(row: Row<'_>) -> Result<(String, &str), String> {
    let key = match row.get("session_key") {
        Some(Value::Text(key)) => serde_json::to_string(key).map_err(|error| error.to_string())?,
        _ => return Err("a row has no session_key".to_owned()),
    };
    let entry = match row.get("entry_json") {
        Some(Value::Text(json)) if is_json(json) => json.as_str(),
        Some(_) => "null",
        None => return Err("the table has no column entry_json".to_owned()),
    };
    Ok((key, entry))
}

/// Whether a row can stand in the file without changing what stands beside it.
fn is_json(text: &str) -> bool {
    serde_json::from_str::<IgnoredAny>(text).is_ok()
}
