//! A store file, before anybody has looked inside.

use std::path::PathBuf;

/// Where a store lies, and whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreFile {
    /// As configured, found or named.
    pub path: PathBuf,
    /// With every link resolved; the same as `path` where nothing lies there.
    pub real: PathBuf,
    /// The agents that use it.
    pub agents: Vec<String>,
    /// Whether a file lies there.
    pub exists: bool,
    /// Whether `--store` named it.
    pub named: bool,
    /// Whether it is acted on and told of. With `--store`, the other stores of the directory are only read,
    /// because their sub-agents may need an entry of this one.
    pub acted_on: bool,
    /// Whether it lies outside the state directory.
    pub outside: bool,
    /// Whether it is a database whose rows are the sessions: read, never written.
    pub in_database: bool,
}

impl StoreFile {
    /// Whether it is acted on, and a file that may be replaced.
    pub fn is_writable(&self) -> bool {
        self.acted_on && !self.in_database
    }
}
