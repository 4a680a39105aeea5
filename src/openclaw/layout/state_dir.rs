//! The state directory and the configuration file, by OpenClaw's own rules.

use std::path::{Path, PathBuf};

use super::{absolute, expand_home};

/// What the rules look at, so that they hold for this process as well as for one seen from outside.
#[derive(Clone, Copy)]
pub struct Places<'a> {
    /// Looks a variable up.
    pub env: &'a dyn Fn(&str) -> Option<String>,
    /// The home directory that the operating system names, apart from the environment.
    pub os_home: Option<&'a Path>,
    /// The working directory, absolute.
    pub cwd: &'a Path,
    /// Whether a path exists.
    pub exists: &'a dyn Fn(&Path) -> bool,
}

/// Which rule named the state directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StateDirSource {
    /// `OPENCLAW_STATE_DIR`.
    Environment,
    /// A profile given as an option.
    Profile,
    /// `<home>/.openclaw`, there or not.
    Default,
    /// A directory of OpenClaw's earlier names.
    Legacy,
}

/// A state directory, and how it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateDir {
    /// Its absolute path.
    pub path: PathBuf,
    /// The rule that named it.
    pub source: StateDirSource,
}

/// The name of a profile, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile(String);

/// A profile name that OpenClaw would refuse.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "a profile name starts with a letter or digit and has at most 64 letters, digits, `_` and `-`: {0:?}"
)]
pub struct BadProfile(pub String);

impl Profile {
    /// Checks a name. `default` is a name like any other here, but it adds no suffix.
    pub fn new(name: &str) -> Result<Self, BadProfile> {
        let name = name.trim();
        let legal = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        let starts = name.starts_with(|c: char| c.is_ascii_alphanumeric());
        match starts && name.len() <= 64 && name.chars().all(legal) {
            true => Ok(Self(name.to_owned())),
            false => Err(BadProfile(name.to_owned())),
        }
    }

    /// The name as given.
    pub fn name(&self) -> &str {
        &self.0
    }

    /// What is added to names of directories and services: `-NAME`, nothing for `default`.
    pub fn suffix(&self) -> String {
        if self.0.eq_ignore_ascii_case("default") { String::new() } else { format!("-{}", self.0) }
    }
}

impl Places<'_> {
    /// The home directory as OpenClaw sees it, `OPENCLAW_HOME` included.
    pub fn home(&self) -> PathBuf {
        let named = self.set("HOME").or_else(|| self.set("USERPROFILE")).map(PathBuf::from);
        let system =
            named.or_else(|| self.os_home.map(Path::to_owned)).unwrap_or_else(|| self.cwd.to_owned());
        let home = match self.set("OPENCLAW_HOME") {
            Some(home) => expand_home(&home, &system),
            None => system,
        };
        absolute(self.cwd, &home)
    }

    /// A variable that is set to something; `undefined` and `null` are what a broken script leaves behind.
    fn set(&self, name: &str) -> Option<String> {
        self.trimmed(name).filter(|value| value != "undefined" && value != "null")
    }

    fn trimmed(&self, name: &str) -> Option<String> {
        (self.env)(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
    }

    fn path_of(&self, name: &str) -> Option<PathBuf> {
        self.trimmed(name).map(|path| absolute(self.cwd, &expand_home(&path, &self.home())))
    }
}

/// Finds the state directory: the environment, else the profile, else `.openclaw` or a legacy directory of the home.
///
/// `OPENCLAW_PROFILE` alone moves nothing; only the option does, and the environment wins over it.
pub fn state_dir(places: &Places, profile: Option<&Profile>) -> StateDir {
    if let Some(path) = places.path_of("OPENCLAW_STATE_DIR") {
        return StateDir { path, source: StateDirSource::Environment };
    }
    let home = places.home();
    if let Some(suffix) = profile.map(Profile::suffix).filter(|suffix| !suffix.is_empty()) {
        return StateDir { path: home.join(format!(".openclaw{suffix}")), source: StateDirSource::Profile };
    }
    let legacy = [".clawdbot", ".moldbot"].map(|name| home.join(name));
    let default = home.join(".openclaw");
    let found =
        if (places.exists)(&default) { None } else { legacy.into_iter().find(|p| (places.exists)(p)) };
    match found {
        Some(path) => StateDir { path, source: StateDirSource::Legacy },
        None => StateDir { path: default, source: StateDirSource::Default },
    }
}

/// Every path at which the configuration of this state directory may lie, the first choice first.
///
/// `OPENCLAW_CONFIG_PATH` wins outright. A caller whose own option named another state directory than the environment
/// passes an environment without that variable.
pub fn config_candidates(places: &Places, state: &StateDir) -> Vec<PathBuf> {
    if let Some(path) = places.path_of("OPENCLAW_CONFIG_PATH") {
        return vec![path];
    }
    ["openclaw.json", "clawdbot.json", "moldbot.json"].map(|name| state.path.join(name)).to_vec()
}

/// The configuration file: the first candidate that exists, else the first.
pub fn config_path(places: &Places, state: &StateDir) -> PathBuf {
    let mut candidates = config_candidates(places, state);
    let found = candidates.iter().position(|path| (places.exists)(path)).unwrap_or(0);
    candidates.swap_remove(found)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn with<T>(vars: &[(&str, &str)], existing: &[&str], ask: impl Fn(&Places) -> T) -> T {
        let env =
            |name: &str| vars.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        let exists = |path: &Path| existing.iter().any(|known| Path::new(known) == path);
        ask(&Places { env: &env, os_home: Some(Path::new("/os")), cwd: Path::new("/cwd"), exists: &exists })
    }

    fn dir(vars: &[(&str, &str)], existing: &[&str], profile: Option<&str>) -> String {
        let profile = profile.map(|name| Profile::new(name).unwrap());
        with(vars, existing, |p| state_dir(p, profile.as_ref()).path.display().to_string())
    }

    #[test]
    fn the_environment_wins_outright() {
        let vars = [("OPENCLAW_STATE_DIR", " ~/s/../t "), ("HOME", "/h")];
        assert_eq!(dir(&vars, &["/h/.openclaw"], Some("p")), "/h/t");
        assert_eq!(dir(&[("OPENCLAW_STATE_DIR", "rel"), ("HOME", "/h")], &[], None), "/cwd/rel");
        assert_eq!(dir(&[("OPENCLAW_STATE_DIR", "  "), ("HOME", "/h")], &[], None), "/h/.openclaw");
    }

    #[test]
    fn homes_come_in_order_and_broken_values_count_as_unset() {
        assert_eq!(dir(&[("OPENCLAW_HOME", "~/in"), ("HOME", "/h")], &[], None), "/h/in/.openclaw");
        assert_eq!(dir(&[("HOME", "undefined"), ("USERPROFILE", "/u")], &[], None), "/u/.openclaw");
        assert_eq!(dir(&[("HOME", "null")], &[], None), "/os/.openclaw");
    }

    #[test]
    fn legacy_directories_count_only_without_the_new_one() {
        assert_eq!(dir(&[("HOME", "/h")], &["/h/.moldbot", "/h/.clawdbot"], None), "/h/.clawdbot");
        assert_eq!(dir(&[("HOME", "/h")], &["/h/.moldbot"], None), "/h/.moldbot");
        assert_eq!(dir(&[("HOME", "/h")], &["/h/.clawdbot", "/h/.openclaw"], None), "/h/.openclaw");
    }

    #[test]
    fn profiles_move_the_directory_only_as_an_option() {
        assert_eq!(dir(&[("HOME", "/h")], &[], Some("work")), "/h/.openclaw-work");
        assert_eq!(dir(&[("HOME", "/h")], &[], Some("default")), "/h/.openclaw");
        assert_eq!(dir(&[("HOME", "/h"), ("OPENCLAW_PROFILE", "work")], &[], None), "/h/.openclaw");
        for bad in ["", "-a", "a/b", "..", &"x".repeat(65)] {
            assert!(Profile::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn configuration_paths() {
        let ask = |vars: &[(&str, &str)], existing: &[&str]| {
            with(vars, existing, |p| config_path(p, &state_dir(p, None)).display().to_string())
        };
        assert_eq!(ask(&[("HOME", "/h")], &[]), "/h/.openclaw/openclaw.json");
        assert_eq!(ask(&[("HOME", "/h")], &["/h/.openclaw/clawdbot.json"]), "/h/.openclaw/clawdbot.json");
        let vars = [("HOME", "/h"), ("OPENCLAW_CONFIG_PATH", "~/c.json")];
        assert_eq!(ask(&vars, &["/h/.openclaw/openclaw.json"]), "/h/c.json");
    }
}
