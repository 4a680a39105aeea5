//! The one door to SQLite: reads databases that belong to somebody else, and leaves no trace beside them.
//!
//! SQLite itself would make a `-shm` and touch the `-wal` of a database that it merely reads. So a database is
//! opened as one that never changes (`immutable=1`) where nothing waits beside it to be written back, and else a
//! private copy of it is. Neither takes a lock; whether somebody wrote meanwhile is seen by the file's times.
//!
//! What was written by others may be anything: only tables are read, never views, nothing in a schema is trusted,
//! and no value may be larger than `MAX_VALUE`. Every failure means that the database is not read.

mod copy;
pub mod spool;

use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags, OptionalExtension};
use tempfile::TempDir;

use crate::host::files;
use crate::openclaw::sqlite::{self, Row, Value};

/// The largest value, row or statement that is looked at.
const MAX_VALUE: i32 = 16 << 20;

/// A database that somebody writes to is opened anew so often.
const TRIES: usize = 3;

/// Why a database is not read.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// It could not be opened, or something beside it could not.
    #[error("{0}: {1}")]
    Io(PathBuf, io::Error),
    /// It is no database, or a damaged one.
    #[error("{0}: {1}")]
    Sqlite(PathBuf, rusqlite::Error),
    /// A file without a byte: a database has at least a page once there is anything in it.
    #[error("{0}: the file is empty")]
    Empty(PathBuf),
    /// Too much to copy.
    #[error(
        "{0}: it has a write-ahead log and so is read from a copy, and {1} bytes are too many for that (at most {2}); stop the gateway, which then writes the log back"
    )]
    TooLarge(PathBuf, u64, u64),
    /// No room, or no place, for the copy.
    #[error("{0}: it has a write-ahead log, and there is no place for a copy of it: {1}")]
    NoPlace(PathBuf, String),
    /// No room, or no place, for its rows.
    #[error("{0}: there is no place to read its rows from: {1}")]
    NoPlaceForRows(PathBuf, String),
    /// It changed each time it was read.
    #[error("{0}: it is being written to")]
    Changing(PathBuf),
    /// A row is not what was expected.
    #[error("{0}: {1}: {2}")]
    Row(PathBuf, &'static str, String),
}

/// A database that is open for reading.
#[derive(Debug)]
pub struct Database {
    // Before the directory, which goes away after it.
    connection: Connection,
    /// The private copy, where one was needed.
    private: Option<TempDir>,
    path: PathBuf,
    /// What the file was like before it was opened, where it is read in place.
    print: Print,
}

/// How a file shows that it was written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Print {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Print {
    fn of(metadata: &fs::Metadata) -> Self {
        Print {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }

    /// `None` where nothing lies there; anything but a regular file is an error.
    fn at(path: &Path) -> Result<Option<Self>, DatabaseError> {
        match files::open_regular(path).and_then(|file| file.metadata()) {
            Ok(metadata) => Ok(Some(Print::of(&metadata))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(DatabaseError::Io(path.to_owned(), error)),
        }
    }
}

/// Reads from a database, and again where somebody wrote to it meanwhile; `None` where there is none.
///
/// No copy is ever made in `state_dir`.
pub fn read<T>(
    path: &Path,
    state_dir: &Path,
    look: &mut dyn FnMut(&Database) -> Result<T, DatabaseError>,
) -> Result<Option<T>, DatabaseError> {
    for _ in 0..TRIES {
        let database = match Database::open(path, state_dir) {
            Ok(Some(database)) => database,
            Ok(None) => return Ok(None),
            Err(DatabaseError::Changing(_)) => continue,
            Err(error) => return Err(error),
        };
        let found = look(&database);
        // What makes no sense may be what somebody was just writing.
        if database.is_unchanged() {
            return found.map(Some);
        }
    }
    Err(DatabaseError::Changing(path.to_owned()))
}

impl Database {
    fn open(path: &Path, state_dir: &Path) -> Result<Option<Self>, DatabaseError> {
        let told = |error| DatabaseError::Io(path.to_owned(), error);
        // A link is followed, and what waits to be written back lies beside its end.
        let real = match fs::canonicalize(path) {
            Ok(real) => real,
            Err(error) if is_gone(path, &error) => return Ok(None),
            Err(error) => return Err(told(error)),
        };
        let print = Print::at(&real)?.ok_or_else(|| told(io::ErrorKind::NotFound.into()))?;
        if print.size == 0 {
            return Err(DatabaseError::Empty(path.to_owned()));
        }
        let mut beside = Vec::new();
        for file in [sqlite::write_ahead_log(&real), sqlite::rollback_journal(&real)] {
            beside.extend(Print::at(&file)?.filter(|print| print.size > 0).map(|print| (file, print)));
        }
        let (connection, private) = if beside.is_empty() {
            (connect(immutable(&real), path)?, None)
        } else {
            let dir = copy::private(path, &real, print, &beside, state_dir)?;
            (connect(writable(&dir.path().join(copy::NAME)), path)?, Some(dir))
        };
        Ok(Some(Database { connection, private, path: path.to_owned(), print }))
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether what was read is what lies there.
    fn is_unchanged(&self) -> bool {
        self.private.is_some() || Print::at(&self.path).is_ok_and(|now| now == Some(self.print))
    }

    /// Whether there is such a table. Something of that name that makes up its rows is an error.
    pub fn has_table(&self, table: &'static str) -> Result<bool, DatabaseError> {
        let sql = "SELECT type, coalesce(rootpage, 0) FROM sqlite_schema WHERE name = ?1 COLLATE NOCASE";
        let facts = |row: &rusqlite::Row<'_>| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?));
        match self.connection.query_row(sql, [table], facts).optional().map_err(self.told())? {
            None => Ok(false),
            Some((kind, page)) if kind == "table" && page > 0 => Ok(true),
            Some((kind, _)) => Err(self.misfit(table, format!("it is no table of its own but a {kind}"))),
        }
    }

    /// Goes over the rows of a table. `each` says why a row makes no sense, which ends it.
    pub fn rows(
        &self,
        table: &'static str,
        each: &mut dyn FnMut(Row<'_>) -> Result<(), String>,
    ) -> Result<(), DatabaseError> {
        if !self.has_table(table)? {
            return Err(self.misfit(table, "there is no such table".to_owned()));
        }
        let mut statement =
            self.connection.prepare(&format!("SELECT * FROM \"{table}\"")).map_err(self.told())?;
        let columns: Vec<String> = statement.column_names().into_iter().map(str::to_owned).collect();
        let mut values = vec![Value::Null; columns.len()];
        let mut rows = statement.query([]).map_err(self.told())?;
        while let Some(row) = rows.next().map_err(self.told())? {
            for (at, value) in values.iter_mut().enumerate() {
                *value = value_of(row.get_ref(at).map_err(self.told())?);
            }
            each(Row { columns: &columns, values: &values }).map_err(|why| self.misfit(table, why))?;
        }
        Ok(())
    }

    /// Goes over every text and every run of bytes of every table, whatever later versions keep there.
    pub fn texts(&self, each: &mut dyn FnMut(&[u8])) -> Result<(), DatabaseError> {
        let sql = "SELECT name FROM sqlite_schema WHERE type = 'table' AND rootpage > 0";
        let mut names = self.connection.prepare(sql).map_err(self.told())?;
        let names = names.query_map([], |row| row.get::<_, String>(0)).map_err(self.told())?;
        for name in names.collect::<Result<Vec<_>, _>>().map_err(self.told())? {
            let sql = format!("SELECT * FROM \"{}\"", name.replace('"', "\"\""));
            let mut statement = self.connection.prepare(&sql).map_err(self.told())?;
            let columns = statement.column_count();
            let mut rows = statement.query([]).map_err(self.told())?;
            while let Some(row) = rows.next().map_err(self.told())? {
                for at in 0..columns {
                    if let ValueRef::Text(bytes) | ValueRef::Blob(bytes) =
                        row.get_ref(at).map_err(self.told())?
                    {
                        each(bytes);
                    }
                }
            }
        }
        Ok(())
    }

    fn misfit(&self, table: &'static str, why: String) -> DatabaseError {
        DatabaseError::Row(self.path.clone(), table, why)
    }

    fn told(&self) -> impl Fn(rusqlite::Error) -> DatabaseError {
        |error| DatabaseError::Sqlite(self.path.clone(), error)
    }
}

/// Whether nothing lies there at all: a link to nowhere is something, and below a file there is nothing.
fn is_gone(path: &Path, error: &io::Error) -> bool {
    let missing =
        |error: &io::Error| matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory);
    missing(error) && fs::symlink_metadata(path).is_err_and(|error| missing(&error))
}

fn value_of(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => Value::Integer(number),
        ValueRef::Real(number) => Value::Real(number),
        ValueRef::Blob(bytes) => Value::Blob(bytes.to_vec()),
        ValueRef::Text(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => Value::Text(text.to_owned()),
            Err(_) => Value::Blob(bytes.to_vec()),
        },
    }
}

/// A database in its place: never locked, never written, and nothing made beside it.
fn immutable(path: &Path) -> (String, OpenFlags) {
    (format!("{}?immutable=1&mode=ro", uri(path)), OpenFlags::SQLITE_OPEN_READ_ONLY)
}

/// A copy: what waits in its log is written back by being read.
fn writable(path: &Path) -> (String, OpenFlags) {
    (uri(path), OpenFlags::SQLITE_OPEN_READ_WRITE)
}

/// Every byte of the path that an URI might read otherwise is escaped.
fn uri(path: &Path) -> String {
    let byte = |&byte: &u8| match byte {
        b'/' | b'-' | b'_' | b'.' => char::from(byte).to_string(),
        _ if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    format!("file://{}", path.as_os_str().as_bytes().iter().map(byte).collect::<String>())
}

fn connect((uri, access): (String, OpenFlags), path: &Path) -> Result<Connection, DatabaseError> {
    let open = || {
        let flags = access | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&uri, flags)?;
        connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, MAX_VALUE)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
        connection.pragma_update(None, "query_only", true)?;
        connection.pragma_update(None, "cell_size_check", true)?;
        // Something is read at once, so that what is no database says so here.
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0))?;
        Ok(connection)
    };
    open().map_err(|error| DatabaseError::Sqlite(path.to_owned(), error))
}

#[cfg(test)]
mod tests;
