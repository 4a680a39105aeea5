//! `openclaw.json`: what of it matters to sessions, with OpenClaw's defaults applied.
//!
//! Reading has two halves. `source` turns files into one tree (JSON5, `$include`, `${VAR}`); `settings` picks the
//! values out of it, where a bad value silently means the default, as in OpenClaw's own session code. A configuration
//! of which any part cannot be resolved is an error, because a list of jobs found through half a configuration must
//! never condemn a session; what could be read comes along in [`ConfigError::partial`].

mod settings;
mod source;

use std::io;
use std::path::{Path, PathBuf};

/// OpenClaw's default port of the gateway, where neither option, environment nor configuration names another.
pub const DEFAULT_PORT: u16 = 18789;

/// The settings this tool needs. `Default` is what OpenClaw does without any configuration file.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// The files that were read, the root first; empty when there is no configuration file.
    pub files: Vec<PathBuf>,
    /// Agents with normalised ids, in order, each id once.
    pub agents: Vec<Agent>,
    /// Store, keys and maintenance of sessions.
    pub session: Session,
    /// Cron jobs.
    pub cron: Cron,
    /// `gateway.port`, when it is a valid port.
    pub gateway_port: Option<u16>,
}

/// One configured agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agent {
    /// The normalised id.
    pub id: String,
    /// Whether it is marked as the default agent.
    pub default: bool,
}

/// `session`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// `session.store`, a template; `None` means the default place.
    pub store: Option<String>,
    /// `session.mainKey`, `main` by default.
    pub main_key: String,
    /// `session.scope`, `per-sender` by default.
    pub scope: Scope,
    /// `session.maintenance`.
    pub maintenance: Maintenance,
}

/// `session.scope`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Each sender has a session.
    PerSender,
    /// One session, with the bare key `global`.
    Global,
}

/// `session.maintenance`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Maintenance {
    /// The mode, when one is configured; the default depends on OpenClaw's version (`enforce` from 2026.4.20).
    pub mode: Option<MaintenanceMode>,
    /// Age from which entries are pruned, 30 days by default.
    pub prune_after_ms: i64,
    /// Cap on entries, when one is configured; the default depends on the version (500, later 5000).
    pub max_entries: Option<u64>,
    /// Size at which versions before 2026.4.29 rotate the store, 10 MiB by default.
    pub rotate_bytes: u64,
    /// Budget of the sessions directory, when one is configured.
    pub max_disk_bytes: Option<u64>,
}

/// `session.maintenance.mode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MaintenanceMode {
    /// Nothing is removed.
    Warn,
    /// Entries are pruned and capped on save.
    Enforce,
}

/// `cron`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cron {
    /// Whether jobs run; true by default.
    pub enabled: bool,
    /// `cron.store`, the path of `jobs.json`; `None` means the default place.
    pub store: Option<String>,
    /// How long run records are kept.
    pub session_retention: Retention,
}

/// `cron.sessionRetention`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retention {
    /// `false`: never reaped.
    Off,
    /// Milliseconds, 24 hours by default and where the value cannot be read.
    Ms(i64),
}

/// Why a configuration is not resolved.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{}{}: {reason}", .file.display(), self.place())]
pub struct ConfigError {
    /// The file in which the trouble lies.
    pub file: PathBuf,
    /// Line, from 1, where the parser tells.
    pub line: Option<usize>,
    /// Column, from 1, where the parser tells.
    pub column: Option<usize>,
    /// The path of the setting, such as `agents.list.0.workspace`, where the trouble is not one of syntax.
    pub setting: Option<String>,
    /// What is wrong.
    pub reason: String,
    /// What could be read all the same. Good for finding stores, never for condemning a session.
    pub partial: Option<Box<Config>>,
}

impl ConfigError {
    fn place(&self) -> String {
        match (self.line, self.column, &self.setting) {
            (Some(line), Some(column), _) => format!(":{line}:{column}"),
            (_, _, Some(setting)) => format!(" ({setting})"),
            _ => String::new(),
        }
    }
}

/// Reads the configuration at `root`, an absolute path.
///
/// `read` gives the content of a file; a root that does not exist is OpenClaw's defaults. `env` is the environment as
/// the gateway would see it: the caller adds what `<state>/.env` holds (see [`super::dotenv`]).
pub fn resolve(
    root: &Path,
    read: &mut dyn FnMut(&Path) -> io::Result<Vec<u8>>,
    env: &dyn Fn(&str) -> Option<String>,
) -> Result<Config, Box<ConfigError>> {
    let bytes = match read(root) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Config::default()),
        Err(error) => return Err(source::trouble(root, &error.to_string())),
    };
    let mut loader = source::Loader::new(root, read);
    let tree = loader.root(&bytes).map(|tree| source::substitute(tree, root, env, &mut loader.troubles));
    let config = tree.map(|tree| settings::pick(&tree, loader.files));
    match (loader.troubles.into_iter().next(), config) {
        (None, Some(config)) => Ok(config),
        (Some(first), config) => Err(Box::new(ConfigError { partial: config.map(Box::new), ..first })),
        (None, None) => Err(source::trouble(root, "the file holds no object")),
    }
}

impl Default for Config {
    fn default() -> Self {
        settings::pick(&super::json::Tree::Null, Vec::new())
    }
}

impl Config {
    /// The default agent: the first marked so, else the first, else `main`.
    pub fn default_agent(&self) -> &str {
        let marked = self.agents.iter().find(|agent| agent.default);
        marked.or_else(|| self.agents.first()).map_or("main", |agent| agent.id.as_str())
    }
}

#[cfg(test)]
mod tests;
