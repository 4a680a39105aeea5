//! Finds the state directory, its configuration and every store file of it.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::era;
use crate::host::{Host, files};
use crate::model::store::StoreFile;
use crate::openclaw::config::{self, Config, ConfigError};
use crate::openclaw::layout::{self, Places, Profile, StateDir};
use crate::openclaw::{dotenv, grammar, sqlite};
use crate::report::model::{Era, EvidenceItem, EvidenceState};

/// What the command line says about places.
#[derive(Clone, Debug, Default)]
pub struct Whereabouts {
    /// `--state-dir`.
    pub state_dir: Option<PathBuf>,
    /// `--profile`.
    pub profile: Option<Profile>,
    /// `--store`.
    pub stores: Vec<PathBuf>,
    /// `--cron-dir`.
    pub cron_dir: Option<PathBuf>,
}

/// The state directory and what belongs to it.
#[derive(Debug)]
pub struct Situation {
    /// The state directory, there or not.
    pub state_dir: PathBuf,
    /// Whether it exists.
    pub exists: bool,
    /// Where the configuration lies, or would.
    pub config_path: PathBuf,
    /// Every place where it may lie.
    pub config_candidates: Vec<PathBuf>,
    /// The configuration, as far as it could be read.
    pub config: Config,
    /// Why it is not resolved.
    pub config_error: Option<Box<ConfigError>>,
    /// Whether a configuration file exists.
    pub config_exists: bool,
    /// The stores, unique by path, and by device and inode.
    pub stores: Vec<StoreFile>,
    /// The job list.
    pub jobs_path: PathBuf,
    /// Where sessions and jobs live.
    pub era: Era,
    /// Why the era is unknown.
    pub era_unknown: Option<String>,
    /// The database of eras D and E, where it exists.
    pub state_database: Option<PathBuf>,
    /// The databases that sessions live in.
    pub session_databases: Vec<PathBuf>,
    /// Places that could not be listed, so that stores may be missing.
    pub unlisted: Vec<PathBuf>,
    /// Places in `stores` by device and inode.
    by_identity: HashMap<(u64, u64), usize>,
    /// Places in `stores` by path: a store that is replaced between two looks has another inode.
    by_path: HashMap<PathBuf, usize>,
}

/// Why nothing could be looked at.
#[derive(Debug, thiserror::Error)]
pub enum DiscoverError {
    /// `--state-dir`, `--store` or `--cron-dir` names nothing.
    #[error("{0}: no such {1}; check the path")]
    Missing(PathBuf, &'static str),
    /// A file where a directory is wanted, or the other way round.
    #[error("{0}: is not a {1}; name {2}")]
    Kind(PathBuf, &'static str, &'static str),
    /// Something else.
    #[error("{0}: {1}")]
    Io(PathBuf, io::Error),
}

/// Looks for everything that belongs together.
pub fn discover(host: &Host, wanted: &Whereabouts) -> Result<Situation, DiscoverError> {
    let state = find_state_dir(host, wanted)?;
    let (config_candidates, resolved) = read_config(host, &state, wanted);
    let config_path =
        config_candidates.iter().find(|path| path.exists()).unwrap_or(&config_candidates[0]).clone();
    let config_exists = config_path.exists();
    let (config, config_error) = match resolved {
        Ok(config) => (config, None),
        Err(error) => (error.partial.as_deref().cloned().unwrap_or_default(), Some(error)),
    };
    let jobs_path = match &wanted.cron_dir {
        Some(dir) => existing_dir(dir)?.join(layout::JOBS_FILE),
        None => layout::cron_store_path(config.cron.store.as_deref(), &state.path, &home_of(host), &host.cwd),
    };
    let database = sqlite::state_database(&state.path);
    let mut situation = Situation {
        exists: state.path.is_dir(),
        state_dir: state.path,
        config_path,
        config_candidates,
        config,
        config_error,
        config_exists,
        stores: Vec::new(),
        jobs_path,
        era: Era::Unknown,
        era_unknown: None,
        state_database: is_there(&database).then_some(database),
        session_databases: Vec::new(),
        unlisted: Vec::new(),
        by_identity: HashMap::new(),
        by_path: HashMap::new(),
    };
    situation.name_stores(host, &wanted.stores)?;
    // Evidence is that of all stores, whichever of them is acted on.
    if wanted.stores.is_empty() || situation.stores.iter().any(|store| !store.outside) {
        situation.find_stores(host);
    }
    let ids: Vec<&str> = situation.config.agents.iter().map(|agent| agent.id.as_str()).collect();
    let told = era::tell(&situation.state_dir, ids.into_iter());
    (situation.era, situation.era_unknown) = (told.era, told.unknown);
    situation.session_databases = told.homes;
    Ok(situation)
}

/// Whether anything lies there, or may.
fn is_there(path: &Path) -> bool {
    !matches!(fs::symlink_metadata(path), Err(error) if error.kind() == io::ErrorKind::NotFound)
}

fn find_state_dir(host: &Host, wanted: &Whereabouts) -> Result<StateDir, DiscoverError> {
    if wanted.state_dir.is_none()
        && wanted.profile.is_none()
        && let Some(path) = owner_of_stores(host, wanted)
    {
        return Ok(StateDir { path, source: layout::StateDirSource::Environment });
    }
    if let Some(dir) = &wanted.state_dir {
        let path = existing_dir(&layout::absolute(&host.cwd, dir))?;
        return Ok(StateDir { path, source: layout::StateDirSource::Environment });
    }
    // A profile named on the command line wins over the environment: it was typed just now.
    let env = |name: &str| match (name, &wanted.profile) {
        ("OPENCLAW_STATE_DIR" | "OPENCLAW_CONFIG_PATH", Some(_)) => None,
        _ => host.var(name),
    };
    let places =
        Places { env: &env, os_home: host.home.as_deref(), cwd: &host.cwd, exists: &|path| path.exists() };
    let state = layout::state_dir(&places, wanted.profile.as_ref());
    match fs::metadata(&state.path) {
        Ok(metadata) if !metadata.is_dir() => {
            Err(DiscoverError::Kind(state.path, "directory", "the state directory with --state-dir"))
        }
        _ => Ok(state),
    }
}

/// The state directory that all stores named by `--store` lie in, by the layout of their paths: its jobs,
/// run logs and gateway are the ones that matter, whatever the environment says.
fn owner_of_stores(host: &Host, wanted: &Whereabouts) -> Option<PathBuf> {
    let owner = |store: &PathBuf| {
        let real = fs::canonicalize(layout::absolute(&host.cwd, store)).ok()?;
        let sessions = real.parent().filter(|dir| dir.ends_with("sessions"))?;
        let agents = sessions.parent()?.parent().filter(|dir| dir.ends_with("agents"))?;
        agents.parent().map(Path::to_owned)
    };
    let mut owners = wanted.stores.iter().map(owner);
    let first = owners.next()??;
    owners.all(|owner| owner.as_ref() == Some(&first)).then_some(first)
}

/// The home directory as OpenClaw sees it.
fn home_of(host: &Host) -> PathBuf {
    let env = |name: &str| host.var(name);
    Places { env: &env, os_home: host.home.as_deref(), cwd: &host.cwd, exists: &|path| path.exists() }.home()
}

fn existing_dir(dir: &Path) -> Result<PathBuf, DiscoverError> {
    match fs::metadata(dir) {
        Ok(metadata) if metadata.is_dir() => Ok(dir.to_owned()),
        Ok(_) => {
            Err(DiscoverError::Kind(dir.to_owned(), "directory", "a directory, or a store file with --store"))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Err(DiscoverError::Missing(dir.to_owned(), "directory"))
        }
        Err(error) => Err(DiscoverError::Io(dir.to_owned(), error)),
    }
}

fn read_config(
    host: &Host,
    state: &StateDir,
    wanted: &Whereabouts,
) -> (Vec<PathBuf>, Result<Config, Box<ConfigError>>) {
    let owned = owner_of_stores(host, wanted).is_some_and(|owner| owner == state.path);
    let named = wanted.state_dir.is_some() || wanted.profile.is_some() || owned;
    let env = |name: &str| if named && name == "OPENCLAW_CONFIG_PATH" { None } else { host.var(name) };
    let places =
        Places { env: &env, os_home: host.home.as_deref(), cwd: &host.cwd, exists: &|path| path.exists() };
    let path = layout::config_path(&places, state);
    let dotenv = dotenv::parse(&files::read_regular(&state.path.join(".env")).unwrap_or_default());
    let lookup = |name: &str| {
        let of_file = || dotenv.iter().find(|(key, _)| *key == name).map(|(_, value)| value.clone());
        host.var(name).or_else(of_file)
    };
    let resolved = config::resolve(&path, &mut |path| files::read_regular(path), &lookup);
    (layout::config_candidates(&places, state), resolved)
}

impl Situation {
    /// The files whose change may bring up something new: stores, jobs and their state, configuration, state database.
    pub fn watched(&self) -> impl Iterator<Item = PathBuf> {
        let jobs = [self.jobs_path.clone(), layout::jobs_state_path(&self.jobs_path)];
        let stores = self.stores.iter().map(|store| store.real.clone());
        let others = jobs.into_iter().chain([self.config_path.clone()]).chain(self.state_database.clone());
        stores.chain(others)
    }

    /// `--store`: these files, and no discovery.
    fn name_stores(&mut self, host: &Host, paths: &[PathBuf]) -> Result<(), DiscoverError> {
        for path in paths {
            let path = layout::absolute(&host.cwd, path);
            match fs::metadata(&path) {
                Ok(metadata) if metadata.is_dir() => {
                    return Err(DiscoverError::Kind(
                        path,
                        "store file",
                        "the sessions.json in it, or the state directory with --state-dir",
                    ));
                }
                Ok(_) => {
                    let agent = agent_of_path(&path);
                    self.add(path, &agent, true);
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    return Err(DiscoverError::Missing(path, "store file"));
                }
                Err(error) => return Err(DiscoverError::Io(path, error)),
            }
        }
        Ok(())
    }

    /// Stores of configured agents, then of those found on disk, then the very old place.
    fn find_stores(&mut self, host: &Host) {
        let home = home_of(host);
        let template = self.config.session.store.clone();
        let mut ids: Vec<String> = self.config.agents.iter().map(|agent| agent.id.clone()).collect();
        if ids.is_empty() {
            ids.push("main".to_owned());
        }
        let found = self.agents_on_disk();
        for id in ids.iter().chain(&found) {
            let path = layout::store_path(template.as_deref(), id, &self.state_dir, &home, &host.cwd);
            self.add(path, id, false);
        }
        for id in &found {
            let path = layout::default_store(&self.state_dir, id);
            if path.exists() {
                self.add(path, id, false);
            }
        }
        let legacy = layout::legacy_store(&self.state_dir);
        if legacy.exists() {
            self.add(legacy, "main", false);
        }
    }

    fn agents_on_disk(&mut self) -> Vec<String> {
        let dir = self.state_dir.join("agents");
        let listed = match fs::read_dir(&dir) {
            Ok(listed) => listed,
            Err(error) => {
                if error.kind() != io::ErrorKind::NotFound {
                    self.unlisted.push(dir);
                }
                return Vec::new();
            }
        };
        let mut ids = Vec::new();
        for entry in listed {
            let name = entry.ok().and_then(|entry| entry.file_name().into_string().ok());
            match name {
                Some(name) if grammar::normalize_agent_id(&name) == name => ids.push(name),
                // OpenClaw would not look there either, but somebody's sessions may lie in it.
                Some(name) if !dir.join(&name).join("sessions").exists() => {}
                _ => self.unlisted.push(dir.clone()),
            }
        }
        ids.sort();
        ids
    }

    fn add(&mut self, path: PathBuf, agent: &str, named: bool) {
        // Only what is certainly not there is missing: a link to nowhere or a directory that may not be
        // entered hides a store, and reading it will say why.
        let gone = !is_there(&path);
        let identity = fs::metadata(&path).ok().map(|metadata| (metadata.dev(), metadata.ino()));
        let same_file = || identity.and_then(|identity| self.by_identity.get(&identity));
        let known = self.by_path.get(&path).or_else(same_file).copied();
        if let Some(known) = known.map(|at| &mut self.stores[at]) {
            if !known.agents.iter().any(|id| id == agent) {
                known.agents.push(agent.to_owned());
            }
            return;
        }
        let real = fs::canonicalize(&path).unwrap_or_else(|_| path.clone());
        let state = fs::canonicalize(&self.state_dir).unwrap_or_else(|_| self.state_dir.clone());
        if let Some(identity) = identity {
            self.by_identity.insert(identity, self.stores.len());
        }
        self.by_path.insert(path.clone(), self.stores.len());
        self.stores.push(StoreFile {
            exists: !gone,
            outside: !real.starts_with(&state),
            in_database: false,
            agents: vec![agent.to_owned()],
            acted_on: named || !self.stores.iter().any(|store| store.named),
            path,
            real,
            named,
        });
    }

    /// The documents of OpenClaw's, besides stores, that may be edited; there or not.
    pub fn documents(&self) -> [PathBuf; 3] {
        let states = layout::jobs_state_path(&self.jobs_path);
        [self.jobs_path.clone(), states, layout::subagents_path(&self.state_dir)]
    }

    /// What there is to say of the configuration.
    pub fn config_evidence(&self) -> EvidenceItem {
        let state = match (&self.config_error, self.config_exists) {
            (Some(_), _) => EvidenceState::Unreadable,
            (None, true) => EvidenceState::Read,
            (None, false) => EvidenceState::Missing,
        };
        EvidenceItem { kind: "config", path: self.config_path.display().to_string(), state }
    }
}

/// The agent whose store this is, by the layout of the path; `main` where that does not tell.
fn agent_of_path(path: &Path) -> String {
    let of = || {
        let sessions = path.parent().filter(|dir| dir.ends_with("sessions"))?;
        let agent = sessions.parent()?;
        agent.parent().filter(|dir| dir.ends_with("agents"))?;
        agent.file_name()?.to_str().map(str::to_owned)
    };
    of().unwrap_or_else(|| "main".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_that_is_replaced_between_two_looks_is_still_one_store() {
        let dir = tempfile::tempdir().unwrap();
        let sessions = dir.path().join("agents/main/sessions");
        fs::create_dir_all(&sessions).unwrap();
        let store = sessions.join("sessions.json");
        fs::write(&store, "{}").unwrap();
        let wanted = Whereabouts { state_dir: Some(dir.path().to_owned()), ..Whereabouts::default() };
        let mut situation = discover(&Host::current(), &wanted).unwrap();
        assert_eq!(situation.stores.len(), 1);
        let new = sessions.join("new");
        fs::write(&new, "{}").unwrap();
        fs::rename(&new, &store).unwrap();
        situation.add(store.clone(), "main", false);
        assert_eq!(situation.stores.len(), 1);
        fs::hard_link(&store, &new).unwrap();
        let mut situation = discover(&Host::current(), &wanted).unwrap();
        situation.add(new, "other", false);
        assert_eq!(situation.stores.len(), 1);
        assert_eq!(situation.stores[0].agents, ["main", "other"]);
    }
}
