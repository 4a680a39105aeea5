//! Where the units of a gateway go, and what they have to say there.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::files::{Deed, Row};
use super::note_finding;
use crate::cli::args::HookArgs;
use crate::diagnose::run::Edge;
use crate::host::files;
use crate::host::service::{self, Scope, Service, ServiceQuery, Start, UnitFacts};
use crate::report::model::{Finding, Severity};
use crate::units::{self, Names, UnitFile, Wanted};

/// What to do about a file that is not ours.
pub const BY_HAND: &str = "look at it, and remove it by hand if it is not needed";

/// Variables by which the timer's command finds the gateway and its state, as far as the gateway's unit sets them.
const VARIABLES: [&str; 8] = [
    "HOME",
    "OPENCLAW_CONFIG_PATH",
    "OPENCLAW_GATEWAY_PORT",
    "OPENCLAW_HOME",
    "OPENCLAW_PROFILE",
    "OPENCLAW_STATE_DIR",
    "OPENCLAW_SYSTEMD_UNIT",
    "TMPDIR",
];

/// OpenClaw's own units give a start 30 seconds; `guard` gets as many on top.
const START: u64 = 30;

/// What systemd gives a start of which nothing is said.
const DEFAULT_START: u64 = 90;

/// Why there is no site.
pub enum Unfit {
    /// The command line makes no unit.
    Usage(String),
    /// This is no matter of systemd's.
    Refused(String),
    /// Something that was named is not there.
    Missing(String),
}

/// Everything about the units of one gateway.
pub struct Site {
    /// Whose systemd it is.
    pub scope: Scope,
    /// Where its units go.
    pub dir: PathBuf,
    /// Every place where they may have gone.
    pub dirs: Vec<PathBuf>,
    /// The gateway's unit.
    pub unit: String,
    /// Every name that it may have, or have had.
    pub units: Vec<String>,
    /// What is to lie there.
    pub files: Vec<UnitFile>,
    /// What there is to say.
    pub notes: Vec<Finding>,
}

/// Looks where the gateway's unit lies, and makes the units that go with it; to remove them, none are made.
pub fn look(edge: &Edge<'_>, wanted: &HookArgs) -> Result<Site, Unfit> {
    let host = edge.host;
    let home = host.home.clone().ok_or_else(|| Unfit::Refused("there is no home directory".to_owned()))?;
    let profile = edge.request.whereabouts.profile.as_ref().map(|profile| profile.name().to_owned());
    let profile = profile.or_else(|| host.var("OPENCLAW_PROFILE"));
    let env = |name: &str| host.var(name);
    let query = ServiceQuery {
        home: &home,
        uid: host.uid,
        profile: profile.as_deref(),
        env: &env,
        exists: &|path| path.exists(),
        scope: wanted_scope(wanted),
    };
    let service = service::find(&query);
    if let Some(Service::Launchd { path, .. }) = &service {
        let why = format!("{}: launchd runs the gateway; docs/hooks.md has a recipe", path.display());
        return Err(Unfit::Refused(why));
    }
    let mut site = place(&query, service.as_ref());
    if wanted.uninstall {
        return Ok(site);
    }
    let facts = service.map(|service| {
        let ours = site.dir.join(Names::of(&site.unit).drop_in);
        service::facts(&service, (&service::unit_dirs(&query, site.scope), &ours), &home, &read, &names)
    });
    let made = made_of(edge, wanted, &site.unit, facts.as_ref())?;
    site.files = units::files(&made).map_err(|error| Unfit::Usage(error.to_string()))?;
    site.notes = site.notes_on(edge, facts.as_ref());
    Ok(site)
}

/// Where everything goes: beside the gateway's unit where that is a place for people to write to.
fn place(query: &ServiceQuery, service: Option<&Service>) -> Site {
    let scope = service.and_then(Service::scope).or(query.scope).unwrap_or(Scope::User);
    let units = service::units(query);
    let dirs = service::own_unit_dirs(query, scope);
    let beside = service.and_then(|service| service.path().parent());
    Site {
        scope,
        unit: service.and_then(Service::unit).unwrap_or(&units[0]).to_owned(),
        dir: dirs.iter().find(|dir| Some(dir.as_path()) == beside).unwrap_or(&dirs[0]).clone(),
        dirs,
        units,
        files: Vec::new(),
        notes: Vec::new(),
    }
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    files::read_regular(path)
}

fn names(dir: &Path) -> io::Result<Vec<String>> {
    let names = fs::read_dir(dir)?.filter_map(Result::ok);
    Ok(names.filter_map(|entry| entry.file_name().into_string().ok()).collect())
}

fn wanted_scope(wanted: &HookArgs) -> Option<Scope> {
    match (wanted.user, wanted.system) {
        (true, _) => Some(Scope::User),
        (_, true) => Some(Scope::System),
        _ => None,
    }
}

/// What the units are made from: the command line, and what the gateway's own unit says.
fn made_of(
    edge: &Edge<'_>,
    wanted: &HookArgs,
    unit: &str,
    facts: Option<&UnitFacts>,
) -> Result<Wanted, Unfit> {
    let program = edge.host.program.as_deref().filter(|program| program.is_file());
    let program = program
        .ok_or_else(|| Unfit::Missing("the file of this program is gone: install it again".to_owned()))?;
    let places = places(edge, facts)?;
    let variable = |name: &&str| Some((name.to_string(), facts?.environment.get(*name)?.clone()));
    Ok(Wanted {
        program: text(program)?,
        gateway: unit.to_owned(),
        timeout_start: match facts.map(|facts| facts.start) {
            None => Some(2 * START),
            Some(Start::Unsaid) => Some(DEFAULT_START + START),
            Some(Start::Seconds(seconds)) => Some(seconds + START),
            Some(Start::Unlimited) => None,
        },
        places,
        environment: VARIABLES.iter().filter_map(variable).collect(),
        user: facts.and_then(|facts| facts.user.clone()),
        group: facts.and_then(|facts| facts.group.clone()),
        metrics: wanted.metrics.as_deref().map(|file| in_directory(edge, file)).transpose()?,
    })
}

/// Where the commands look. What the gateway's unit says of its state directory goes before the profile, for both
/// commands get it from there, and a profile alone moves nothing.
fn places(edge: &Edge<'_>, facts: Option<&UnitFacts>) -> Result<Vec<String>, Unfit> {
    let wanted = &edge.request.whereabouts;
    let mut words = Vec::new();
    let mut add = |flag: &str, value: String| words.extend([flag.to_owned(), value]);
    let set = facts.is_some_and(|facts| facts.environment.contains_key("OPENCLAW_STATE_DIR"));
    let of_shell =
        edge.host.var("OPENCLAW_STATE_DIR").filter(|dir| facts.is_none() && !dir.trim().is_empty());
    if let Some(dir) = &wanted.state_dir {
        add("--state-dir", existing(edge, dir)?);
    } else if let Some(profile) = &wanted.profile {
        if !set {
            add("--profile", profile.name().to_owned());
        }
    } else if let Some(dir) = of_shell {
        add("--state-dir", existing(edge, Path::new(dir.trim()))?);
    }
    for store in &wanted.stores {
        add("--store", existing(edge, store)?);
    }
    if let Some(dir) = &wanted.cron_dir {
        add("--cron-dir", existing(edge, dir)?);
    }
    edge.request.agents.iter().for_each(|id| add("--agent", id.clone()));
    Ok(words)
}

/// A path that was typed, as it is named from everywhere.
fn existing(edge: &Edge<'_>, path: &Path) -> Result<String, Unfit> {
    let path: PathBuf = edge.host.cwd.join(path).components().collect();
    match fs::metadata(&path) {
        Ok(_) => text(&path),
        Err(error) => Err(Unfit::Missing(format!("{}: {error}; check the path", path.display()))),
    }
}

/// A file that will be written, in a directory that is there.
fn in_directory(edge: &Edge<'_>, file: &Path) -> Result<String, Unfit> {
    let path: PathBuf = edge.host.cwd.join(file).components().collect();
    let dir = path.parent().filter(|dir| dir.is_dir() && !path.is_dir());
    dir.ok_or_else(|| Unfit::Missing(format!("{}: is no file in a directory that exists", path.display())))?;
    text(&path)
}

fn text(path: &Path) -> Result<String, Unfit> {
    let text = path.to_str().map(str::to_owned);
    text.ok_or_else(|| Unfit::Usage(format!("{}: is not UTF-8: no unit can name it", path.display())))
}

impl Site {
    /// What may be otherwise than it seems.
    fn notes_on(&self, edge: &Edge<'_>, facts: Option<&UnitFacts>) -> Vec<Finding> {
        let mut notes = Vec::new();
        let path = self.dir.join(&self.unit);
        let mut note = |severity: Severity, message: String, hint: &str| {
            notes.push(note_finding("hook-note", severity, &message, &path, hint));
        };
        let Some(facts) = facts else {
            note(
                Severity::Info,
                "there is no such unit; the files do no harm until there is one".to_owned(),
                "once the gateway is installed as a service, run the same command again: its settings count",
            );
            return notes;
        };
        if let Some((ours, theirs)) = other_directory(edge, facts) {
            note(
                Severity::Warning,
                format!(
                    "the gateway's unit says OPENCLAW_STATE_DIR={theirs}, and this command was told {ours}"
                ),
                "what was typed goes into the units; without it they go by the gateway's unit",
            );
        }
        if self.scope == Scope::User && edge.host.uid == 0 && edge.host.var("SUDO_USER").is_some() {
            note(
                Severity::Warning,
                "these are units of root's own systemd, because of sudo".to_owned(),
                "run it without sudo for the units of your own",
            );
        }
        notes
    }

    /// The commands after the files were written.
    pub fn steps_after_install(&self, edge: &Edge<'_>) -> Vec<String> {
        let control = self.control(edge);
        let names = Names::of(&self.unit);
        let enable =
            |timer: &Path, why: &str| format!("{control} enable --now {}   ({why})", timer.display());
        let mut steps = vec![format!("{control} daemon-reload   (reads the new files)")];
        steps.push(enable(&names.prune.timer, "prunes every 15 minutes, where that is safe"));
        if self.files.iter().any(|file| file.below == names.metrics.timer) {
            steps.push(enable(&names.metrics.timer, "writes the metrics every 5 minutes"));
        }
        steps.push(format!(
            "{control} reset-failed {}   (only if systemd has given up: \"start request repeated too quickly\")",
            self.unit
        ));
        let user = ["USER", "LOGNAME"].iter().find_map(|name| edge.host.var(name));
        if let Some(user) = user.filter(|user| self.scope == Scope::User && !lingers(user)) {
            steps.push(format!(
                "loginctl enable-linger {user}   (your units run while you are not logged in)"
            ));
        }
        steps
    }

    /// The commands after the files were removed.
    pub fn steps_after_removal(&self, edge: &Edge<'_>, rows: &[Row]) -> Vec<String> {
        let control = self.control(edge);
        let removed: Vec<&Row> = rows.iter().filter(|row| row.deed == Deed::Remove).collect();
        let is_timer = |path: &&Path| path.extension().is_some_and(|kind| kind == "timer");
        let timers = removed.iter().map(|row| row.path.as_path()).filter(is_timer);
        let timers: BTreeSet<_> = timers.filter_map(|path| path.file_name()).collect();
        let stop = |timer: &&OsStr| format!("{control} stop {}   (it runs on until then)", timer.display());
        let mut steps: Vec<String> = timers.iter().map(stop).collect();
        if !removed.is_empty() {
            steps.push(format!("{control} daemon-reload   (forgets the files)"));
        }
        steps
    }

    fn control(&self, edge: &Edge<'_>) -> &'static str {
        match (self.scope, edge.host.uid) {
            (Scope::User, _) => "systemctl --user",
            (Scope::System, 0) => "systemctl",
            (Scope::System, _) => "sudo systemctl",
        }
    }
}

/// The state directory that was typed and the one of the gateway's unit, where they are two.
fn other_directory<'a>(edge: &'a Edge<'_>, facts: &'a UnitFacts) -> Option<(String, &'a str)> {
    let theirs = facts.environment.get("OPENCLAW_STATE_DIR")?;
    let ours = edge.host.cwd.join(edge.request.whereabouts.state_dir.as_ref()?);
    let same = fs::canonicalize(&ours).ok() == fs::canonicalize(theirs).ok();
    (!same).then(|| (ours.display().to_string(), theirs.as_str()))
}

/// Whether units of a user run while that user is not logged in.
fn lingers(user: &str) -> bool {
    let plain = !user.is_empty() && !user.contains('/') && !user.starts_with('.');
    !plain || Path::new("/var/lib/systemd/linger").join(user).exists()
}
