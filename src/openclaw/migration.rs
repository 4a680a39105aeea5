//! What the migration to SQLite leaves behind, and whether it speaks of a store.
//!
//! Where a store was imported, tables of the state database and manifests below `session-sqlite-migration-runs/` name
//! it. Their form is not known well enough to tell an import that went well from another, so a record that names a
//! store at all counts.

use std::path::{Path, PathBuf};

use super::json::{self, Fault, Tree, Want};
use super::sqlite::{Row, Value};

/// Where imported files are kept; their receipts are bound to every byte of them.
pub const ARCHIVE_DIR: &str = "session-sqlite-import-archive";

/// The manifests of the runs of the migration.
pub fn runs_dir(state_dir: &Path) -> PathBuf {
    state_dir.join("session-sqlite-migration-runs")
}

/// Whether a file lies in an archive of the migration.
pub fn is_archived(file: &Path) -> bool {
    file.components().any(|part| part.as_os_str() == ARCHIVE_DIR)
}

/// The names that a record may call a store by.
#[derive(Clone, Debug, Default)]
pub struct StoreNames {
    /// Whole paths.
    paths: Vec<String>,
    /// The path below the state directory: a directory that was moved is named by its old place.
    below: Vec<String>,
}

impl StoreNames {
    /// Of a store, by every path that it has.
    pub fn new<'a>(stores: impl Iterator<Item = &'a Path> + Clone, state_dirs: &[&Path]) -> Self {
        let text = |path: &Path| path.to_string_lossy().into_owned();
        let below = stores.clone().flat_map(|store| {
            state_dirs.iter().filter_map(move |dir| store.strip_prefix(dir).ok()).map(text)
        });
        StoreNames { below: below.collect(), paths: stores.map(text).collect() }
    }

    /// Whether a text holds one of them.
    pub fn are_in(&self, text: &str) -> bool {
        let whole = |name: &String| text.contains(name.as_str());
        let begins_name =
            |at: usize| !text[..at].ends_with(|char: char| char.is_alphanumeric() || "._-".contains(char));
        let below = |name: &String| {
            text.match_indices(name.as_str()).any(|(at, _)| begins_name(at) && !name.is_empty())
        };
        self.paths.iter().any(whole) || self.below.iter().any(below)
    }

    /// Whether a JSON document holds one of them in any string; one that does not parse is an error.
    pub fn are_in_document(&self, bytes: &[u8]) -> Result<bool, Fault> {
        json::parse(bytes, &Want::All).map(|tree| self.are_in_tree(&tree))
    }

    fn are_in_tree(&self, tree: &Tree) -> bool {
        match tree {
            Tree::Text(text) => self.are_in(text),
            Tree::List(items) => items.iter().any(|item| self.are_in_tree(item)),
            Tree::Object(members) => {
                members.iter().any(|(key, value)| self.are_in(key) || self.are_in_tree(value))
            }
            Tree::Null | Tree::Bool(_) | Tree::Number(_) => false,
        }
    }

    /// Whether a row holds one of them, in whatever column. A row without any text is none that could: an error.
    pub fn are_in_row(&self, row: Row<'_>) -> Result<bool, String> {
        let mut any = false;
        for value in row.values {
            let found = match value {
                Value::Null | Value::Integer(_) | Value::Real(_) => continue,
                Value::Blob(bytes) => self.are_in(&String::from_utf8_lossy(bytes)),
                Value::Text(text) => {
                    self.are_in(text) || self.are_in_document(text.as_bytes()).unwrap_or(false)
                }
            };
            if found {
                return Ok(true);
            }
            any = true;
        }
        if any { Ok(false) } else { Err("a row without any text".to_owned()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> StoreNames {
        let store = Path::new("/home/u/.openclaw/agents/main/sessions/sessions.json");
        StoreNames::new([store].into_iter(), &[Path::new("/home/u/.openclaw")])
    }

    #[test]
    fn a_store_is_named_by_its_path_or_by_that_below_the_state_directory() {
        for named in [
            "/home/u/.openclaw/agents/main/sessions/sessions.json",
            "file:///home/u/.openclaw/agents/main/sessions/sessions.json",
            "agents/main/sessions/sessions.json",
            "/elsewhere/agents/main/sessions/sessions.json",
            "imported '/home/u/.openclaw/agents/main/sessions/sessions.json' (18 entries)",
        ] {
            assert!(names().are_in(named), "{named}");
        }
        for other in [
            "/home/u/.openclaw/agents/work/sessions/sessions.json",
            "/home/u/.openclaw/my-agents/main/sessions/sessions.json",
            "sessions.json",
            "",
        ] {
            assert!(!names().are_in(other), "{other}");
        }
    }

    #[test]
    fn escapes_of_json_hide_no_name() {
        let text = br#"{"runs":[{"n":1,"from":"agents\/main\/sessions\/sessions.json"}]}"#;
        assert_eq!(names().are_in_document(text), Ok(true));
        assert_eq!(names().are_in_document(br#"{"agents/main/sessions/sessions.json":1}"#), Ok(true));
        assert_eq!(names().are_in_document(b"[]"), Ok(false));
        assert!(names().are_in_document(b"{").is_err());
    }

    #[test]
    fn any_column_of_a_row_may_name_it() {
        let columns: Vec<String> = vec!["a".to_owned(), "b".to_owned()];
        let named =
            |value: Value| names().are_in_row(Row { columns: &columns, values: &[Value::Integer(1), value] });
        let path = "/x/agents/main/sessions/sessions.json";
        assert_eq!(named(Value::Text(path.to_owned())), Ok(true));
        assert_eq!(named(Value::Text(format!("{{\"p\": \"{}\"}}", path.replace('/', "\\/")))), Ok(true));
        assert_eq!(named(Value::Blob(path.as_bytes().to_vec())), Ok(true));
        assert_eq!(named(Value::Text("cron/jobs.json".to_owned())), Ok(false));
        assert!(named(Value::Null).is_err());
    }

    #[test]
    fn archives_are_known_by_their_directory() {
        assert!(is_archived(Path::new("/s/agents/main/session-sqlite-import-archive/x.imported-1")));
        assert!(!is_archived(Path::new("/s/agents/main/sessions/sessions.json")));
    }
}
