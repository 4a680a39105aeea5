//! Databases as others leave them: sound, waiting in a log, cut short, damaged, hostile.

use super::*;

const SETUP: &str =
    "CREATE TABLE t (a INTEGER, b TEXT, c BLOB, d REAL); INSERT INTO t VALUES (1, 'x', x'00ff', 1.5);";

struct Place {
    dir: TempDir,
    path: PathBuf,
}

impl Place {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        // A name that an URI would read otherwise.
        let path = dir.path().join("a %41?b#c.sqlite");
        Place { dir, path }
    }

    fn write(&self, setup: &str) -> Connection {
        let connection = Connection::open(&self.path).unwrap();
        connection.execute_batch(setup).unwrap();
        connection
    }

    /// Name, content, inode and times of everything there.
    fn prints(&self) -> Vec<(PathBuf, Print)> {
        let mut prints: Vec<(PathBuf, Print)> = fs::read_dir(self.dir.path())
            .unwrap()
            .map(|entry| entry.unwrap())
            .map(|entry| (entry.path(), Print::of(&entry.metadata().unwrap())))
            .collect();
        prints.sort_by(|(a, _), (b, _)| a.cmp(b));
        prints.push((self.dir.path().to_owned(), Print::of(&fs::metadata(self.dir.path()).unwrap())));
        prints
    }

    fn rows(&self) -> Result<Option<Vec<Vec<Value>>>, DatabaseError> {
        let before = self.prints();
        let read = read(&self.path, self.dir.path(), &mut |database| {
            let mut rows = Vec::new();
            database.rows("t", &mut |row| {
                rows.push(row.values.to_vec());
                Ok(())
            })?;
            Ok(rows)
        });
        assert_eq!(self.prints(), before, "something beside the database changed");
        read
    }
}

#[test]
fn a_closed_database_is_read_in_its_place() {
    let place = Place::new();
    drop(place.write(&format!("PRAGMA journal_mode=WAL; {SETUP}")));
    assert!(!sqlite::write_ahead_log(&place.path).exists());
    let expected =
        vec![Value::Integer(1), Value::Text("x".to_owned()), Value::Blob(vec![0, 255]), Value::Real(1.5)];
    assert_eq!(place.rows().unwrap(), Some(vec![expected]));
    let linked = place.dir.path().join("link.sqlite");
    std::os::unix::fs::symlink(&place.path, &linked).unwrap();
    let seen = read(&linked, Path::new("/nowhere"), &mut |database| Ok(database.private.is_some()));
    assert_eq!(seen.unwrap(), Some(false));
}

#[test]
fn what_only_stands_in_the_log_is_read_from_a_private_copy() {
    let place = Place::new();
    let writer = place.write(&format!("PRAGMA journal_mode=WAL; {SETUP}"));
    assert!(fs::metadata(sqlite::write_ahead_log(&place.path)).unwrap().len() > 0);
    let mut copy = None;
    let seen = read(&place.path, place.dir.path(), &mut |database| {
        let dir = database.private.as_ref().unwrap().path().to_owned();
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(&dir).unwrap().permissions().mode() & 0o777, 0o700);
        copy = Some(dir);
        database.has_table("t")
    });
    assert_eq!(seen.unwrap(), Some(true));
    assert!(!copy.take().unwrap().exists(), "the copy goes away");
    assert_eq!(place.rows().unwrap().unwrap().len(), 1);
    writer.execute_batch("INSERT INTO t VALUES (2, 'y', NULL, NULL)").unwrap();
    assert_eq!(place.rows().unwrap().unwrap().len(), 2);
    // A look that fails leaves no copy either.
    let failed = read::<()>(&place.path, place.dir.path(), &mut |database| {
        copy = Some(database.private.as_ref().unwrap().path().to_owned());
        Err(DatabaseError::Empty(PathBuf::new()))
    });
    assert!(failed.is_err() && !copy.unwrap().exists());
}

#[test]
fn a_transaction_that_did_not_end_is_rolled_back_in_the_copy_alone() {
    let place = Place::new();
    let writer = place.write(SETUP);
    writer.execute_batch("PRAGMA cache_size=1; BEGIN; UPDATE t SET b = 'torn'; CREATE TABLE u (a)").unwrap();
    for number in 0..2000 {
        writer.execute("INSERT INTO u VALUES (?1)", [format!("{number:0>200}")]).unwrap();
    }
    assert!(fs::metadata(sqlite::rollback_journal(&place.path)).unwrap().len() > 0);
    let rows = place.rows().unwrap().unwrap();
    assert_eq!(rows[0][1], Value::Text("x".to_owned()));
}

#[test]
fn what_is_no_sound_database_is_an_error_and_never_more() {
    let place = Place::new();
    assert_eq!(place.rows().unwrap(), None);
    for bytes in [&b""[..], b"x", b"SQLite format 3\0 and then some pages", &[0; 4096]] {
        fs::write(&place.path, bytes).unwrap();
        assert!(place.rows().is_err(), "{bytes:?}");
    }
    fs::remove_file(&place.path).unwrap();
    drop(place.write(SETUP));
    let mut bytes = fs::read(&place.path).unwrap();
    bytes.truncate(4096);
    fs::write(&place.path, &bytes).unwrap();
    assert!(place.rows().is_err(), "cut");
    fs::remove_file(&place.path).unwrap();
    std::os::unix::fs::symlink("nowhere", &place.path).unwrap();
    assert!(place.rows().is_err(), "a link to nowhere");
    for make in [make_fifo as fn(&Path), make_dir] {
        fs::remove_file(&place.path).unwrap_or_default();
        make(&place.path);
        assert!(place.rows().is_err());
    }
}

fn make_fifo(path: &Path) {
    rustix::fs::mkfifoat(rustix::fs::CWD, path, rustix::fs::Mode::RUSR).unwrap();
}

fn make_dir(path: &Path) {
    fs::create_dir(path).unwrap();
}

#[test]
fn a_pipe_under_the_name_of_the_log_is_an_error() {
    let place = Place::new();
    drop(place.write(SETUP));
    make_fifo(&sqlite::write_ahead_log(&place.path));
    assert!(place.rows().is_err());
}

#[test]
fn tables_are_read_and_views_are_not() {
    let place = Place::new();
    let endless =
        "CREATE VIEW t AS WITH RECURSIVE n(a) AS (SELECT 1 UNION ALL SELECT a + 1 FROM n) SELECT a FROM n";
    drop(place.write(endless));
    assert!(matches!(place.rows(), Err(DatabaseError::Row(..))));
    fs::remove_file(&place.path).unwrap();
    drop(place.write("CREATE TABLE other (a)"));
    assert!(matches!(place.rows(), Err(DatabaseError::Row(..))));
}

#[test]
fn a_value_beyond_all_bounds_is_an_error() {
    let place = Place::new();
    drop(place.write("CREATE TABLE t (a); INSERT INTO t VALUES (zeroblob(20000000))"));
    assert!(matches!(place.rows(), Err(DatabaseError::Sqlite(..))));
}

#[test]
fn a_database_that_changes_is_read_again_and_then_given_up() {
    let place = Place::new();
    let writer = place.write(SETUP);
    let mut looks = 0;
    let seen = read(&place.path, place.dir.path(), &mut |database| {
        looks += 1;
        if looks == 1 {
            writer.execute_batch("INSERT INTO t (a) VALUES (2)").unwrap();
        }
        database.has_table("t")
    });
    assert_eq!((seen.unwrap(), looks), (Some(true), 2));
    let seen = read::<()>(&place.path, place.dir.path(), &mut |_| {
        writer.execute_batch("INSERT INTO t (a) VALUES (2)").unwrap();
        Ok(())
    });
    assert!(matches!(seen, Err(DatabaseError::Changing(_))));
}
