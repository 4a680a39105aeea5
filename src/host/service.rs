//! Which service manager runs the gateway, and what its unit says of the heap.
//!
//! Only files are looked at; no service manager is asked. The commands are for people to read and type.

mod facts;

use std::io;
use std::path::{Path, PathBuf};

use super::memory::mib;
pub use facts::{Start, UnitFacts, facts};

/// Names under which the gateway's unit has been installed, the newest first.
const UNIT_NAMES: [&str; 3] = ["openclaw-gateway", "clawdbot-gateway", "moltbot-gateway"];

/// Whose systemd it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// The user's.
    User,
    /// The system's.
    System,
}

/// The service that runs a gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Service {
    /// A unit of the user's systemd.
    SystemdUser {
        /// Its name, `.service` included.
        unit: String,
        /// Its file.
        path: PathBuf,
    },
    /// A unit of the system's systemd.
    SystemdSystem {
        /// Its name, `.service` included.
        unit: String,
        /// Its file.
        path: PathBuf,
    },
    /// A launch agent of macOS.
    Launchd {
        /// Its label.
        label: String,
        /// Its property list.
        path: PathBuf,
        /// The user whose agent it is.
        uid: u32,
    },
}

/// Where to look for a service.
#[derive(Clone, Copy)]
pub struct ServiceQuery<'a> {
    /// The user's home directory.
    pub home: &'a Path,
    /// The user.
    pub uid: u32,
    /// The profile, by option or by `OPENCLAW_PROFILE`.
    pub profile: Option<&'a str>,
    /// Looks a variable up, for `OPENCLAW_SYSTEMD_UNIT`.
    pub env: &'a dyn Fn(&str) -> Option<String>,
    /// Whether a file exists.
    pub exists: &'a dyn Fn(&Path) -> bool,
    /// Only units of this systemd; `None` for either, and for launch agents.
    pub scope: Option<Scope>,
}

impl Service {
    /// The command that stops it.
    pub fn stop_command(&self) -> String {
        match self {
            Self::SystemdUser { unit, .. } => format!("systemctl --user stop {unit}"),
            Self::SystemdSystem { unit, .. } => format!("sudo systemctl stop {unit}"),
            Self::Launchd { label, uid, .. } => format!("launchctl bootout gui/{uid}/{label}"),
        }
    }

    /// The command that starts it.
    pub fn start_command(&self) -> String {
        match self {
            Self::SystemdUser { unit, .. } => format!("systemctl --user start {unit}"),
            Self::SystemdSystem { unit, .. } => format!("sudo systemctl start {unit}"),
            Self::Launchd { path, uid, .. } => format!("launchctl bootstrap gui/{uid} {}", quoted(path)),
        }
    }

    /// Whose systemd runs it; `None` where none does.
    pub fn scope(&self) -> Option<Scope> {
        match self {
            Self::SystemdUser { .. } => Some(Scope::User),
            Self::SystemdSystem { .. } => Some(Scope::System),
            Self::Launchd { .. } => None,
        }
    }

    /// The name of its unit, `.service` included.
    pub fn unit(&self) -> Option<&str> {
        match self {
            Self::SystemdUser { unit, .. } | Self::SystemdSystem { unit, .. } => Some(unit),
            Self::Launchd { .. } => None,
        }
    }

    /// The file that describes it.
    pub fn path(&self) -> &Path {
        match self {
            Self::SystemdUser { path, .. }
            | Self::SystemdSystem { path, .. }
            | Self::Launchd { path, .. } => path,
        }
    }
}

/// Finds the service of a gateway; `None` when no file describes one.
pub fn find(query: &ServiceQuery) -> Option<Service> {
    let launchd = || if query.scope.is_none() { launchd(query) } else { None };
    units(query).into_iter().find_map(|unit| systemd(&unit, query)).or_else(launchd)
}

/// What the service is called with this profile, most likely first.
pub fn units(query: &ServiceQuery) -> Vec<String> {
    let suffix = suffix(query.profile);
    let named = (query.env)("OPENCLAW_SYSTEMD_UNIT").map(|unit| unit.trim().to_owned());
    let named = named.filter(|unit| is_unit_name(unit)).map(|unit| match unit.ends_with(".service") {
        true => unit,
        false => format!("{unit}.service"),
    });
    named.into_iter().chain(UNIT_NAMES.map(|name| format!("{name}{suffix}.service"))).collect()
}

fn suffix(profile: Option<&str>) -> String {
    let profile =
        profile.map(str::trim).filter(|name| is_unit_name(name) && !name.eq_ignore_ascii_case("default"));
    profile.map(|name| format!("-{name}")).unwrap_or_default()
}

/// Such a name may be printed into a command line.
fn is_unit_name(name: &str) -> bool {
    let legal = |c: char| c.is_ascii_alphanumeric() || "_.@:-".contains(c);
    !name.is_empty() && name.chars().all(legal) && !name.starts_with('-')
}

fn systemd(unit: &str, query: &ServiceQuery) -> Option<Service> {
    let there = |scope: Scope| {
        let wanted = query.scope.is_none_or(|only| only == scope);
        let mut paths = unit_dirs(query, scope).into_iter().map(|dir| dir.join(unit));
        if wanted { paths.find(|path| (query.exists)(path)) } else { None }
    };
    let unit = unit.to_owned();
    if let Some(path) = there(Scope::User) {
        return Some(Service::SystemdUser { unit, path });
    }
    there(Scope::System).map(|path| Service::SystemdSystem { unit, path })
}

/// Where units lie: first the directories that are for people to write to, then those of the system and of packages.
pub fn unit_dirs(query: &ServiceQuery, scope: Scope) -> Vec<PathBuf> {
    let of_others = match scope {
        Scope::User => vec![query.home.join(".local/share/systemd/user"), "/etc/systemd/user".into()],
        Scope::System => vec!["/usr/local/lib/systemd/system".into(), "/usr/lib/systemd/system".into()],
    };
    own_unit_dirs(query, scope).into_iter().chain(of_others).collect()
}

/// Where one's own units go: the first place is the right one.
///
/// A user's systemd goes by the `XDG_CONFIG_HOME` of its own environment, which need not be that of a shell, and OpenClaw
/// does not go by it at all; so the usual place counts in any case.
pub fn own_unit_dirs(query: &ServiceQuery, scope: Scope) -> Vec<PathBuf> {
    if scope == Scope::System {
        return vec!["/etc/systemd/system".into()];
    }
    let named = (query.env)("XDG_CONFIG_HOME").map(PathBuf::from).filter(|dir| dir.is_absolute());
    let mut dirs: Vec<PathBuf> =
        named.into_iter().chain([query.home.join(".config")]).map(|dir| dir.join("systemd/user")).collect();
    dirs.dedup();
    dirs
}

fn launchd(query: &ServiceQuery) -> Option<Service> {
    let label = match suffix(query.profile).strip_prefix('-') {
        Some(profile) => format!("ai.openclaw.{profile}"),
        None => "ai.openclaw.gateway".to_owned(),
    };
    let path = query.home.join("Library/LaunchAgents").join(format!("{label}.plist"));
    (query.exists)(&path).then_some(Service::Launchd { label, path, uid: query.uid })
}

/// Quoted for a shell where it must be.
fn quoted(path: &Path) -> String {
    let text = path.to_string_lossy();
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+@:".contains(c);
    if text.chars().all(plain) { text.into_owned() } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

/// The heap limit in MiB that the service gives Node, or without a service our own environment; `None` when neither
/// names one.
///
/// An option of the command line goes before `NODE_OPTIONS`, and drop-ins go after the unit they belong to. `read`
/// gives the content of a file, `names` the names in a directory.
pub fn heap_limit_mb(
    service: Option<&Service>,
    env: &dyn Fn(&str) -> Option<String>,
    read: &dyn Fn(&Path) -> io::Result<Vec<u8>>,
    names: &dyn Fn(&Path) -> io::Result<Vec<String>>,
) -> Option<u64> {
    let text = |path: &Path| read(path).ok().map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    match service {
        None => env("NODE_OPTIONS").and_then(|options| flag(&options)),
        Some(Service::Launchd { path, .. }) => text(path).and_then(|plist| flag(&plist)),
        Some(Service::SystemdUser { path, .. } | Service::SystemdSystem { path, .. }) => {
            let drop_ins = drop_ins(path, names).into_iter();
            let units: Vec<String> =
                [path.clone()].into_iter().chain(drop_ins).filter_map(|p| text(&p)).collect();
            of_units(&units, &text)
        }
    }
}

/// The version of OpenClaw that a unit was installed for; what runs may be another by now.
pub fn version(service: &Service, read: &dyn Fn(&Path) -> io::Result<Vec<u8>>) -> Option<String> {
    let unit = String::from_utf8_lossy(&read(service.path()).ok()?).into_owned();
    let named = |(key, value): (String, String)| {
        let (_, version) = value.split_once("OPENCLAW_SERVICE_VERSION=").filter(|_| key == "Environment")?;
        let version = version.split(['"', ' ']).next().unwrap_or_default();
        Some(version.to_owned()).filter(|version| !version.is_empty())
    };
    settings(&unit).into_iter().filter_map(named).next_back()
}

/// [`heap_limit_mb`] in bytes.
pub fn heap_limit_bytes(limit_mb: u64) -> u64 {
    mib(limit_mb)
}

fn drop_ins(unit: &Path, names: &dyn Fn(&Path) -> io::Result<Vec<String>>) -> Vec<PathBuf> {
    let mut dir = unit.as_os_str().to_owned();
    dir.push(".d");
    let dir = PathBuf::from(dir);
    let mut found = names(&dir).unwrap_or_default();
    found.retain(|name| name.ends_with(".conf"));
    found.sort_unstable();
    found.into_iter().map(|name| dir.join(name)).collect()
}

/// The limit out of a unit and its drop-ins; a later setting replaces an earlier one.
fn of_units(units: &[String], text: &dyn Fn(&Path) -> Option<String>) -> Option<u64> {
    let (mut command, mut options) = (None, None);
    for unit in units {
        for (key, value) in settings(unit) {
            match key.as_str() {
                "ExecStart" if !value.is_empty() => command = flag(&value),
                "Environment" => options = node_options(&value).or(options),
                "EnvironmentFile" => {
                    let file = text(Path::new(value.trim_start_matches('-'))).unwrap_or_default();
                    options = file.lines().filter_map(node_options).next_back().or(options);
                }
                _ => {}
            }
        }
    }
    command.or(options)
}

/// The settings of a unit file; a line that ends with a backslash goes on in the next.
fn settings(unit: &str) -> Vec<(String, String)> {
    let joined = unit.replace("\\\r\n", " ").replace("\\\n", " ");
    let lines = joined.lines().map(str::trim).filter(|line| !line.starts_with(['#', ';']));
    lines
        .filter_map(|line| line.split_once('='))
        .map(|(k, v)| (k.trim().to_owned(), v.trim().to_owned()))
        .collect()
}

fn node_options(text: &str) -> Option<u64> {
    text.split_once("NODE_OPTIONS=").and_then(|(_, options)| flag(options))
}

/// The last `--max-old-space-size` in a text, with `-` or `_` between its words and `=` or a blank after it.
fn flag(text: &str) -> Option<u64> {
    let text = text.replace('_', "-");
    text.split("--max-old-space-size").skip(1).filter_map(number).last()
}

fn number(rest: &str) -> Option<u64> {
    let rest = rest.strip_prefix(['=', ' '])?;
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    rest.get(..digits)?.parse().ok().filter(|&mb| mb > 0)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn found(files: &[&str], profile: Option<&str>, unit: Option<&str>) -> Option<Service> {
        let env = |name: &str| unit.filter(|_| name == "OPENCLAW_SYSTEMD_UNIT").map(str::to_owned);
        let exists = |path: &Path| files.iter().any(|file| Path::new(file) == path);
        find(&ServiceQuery {
            home: Path::new("/h"),
            uid: 501,
            profile,
            env: &env,
            exists: &exists,
            scope: None,
        })
    }

    const USER: &str = "/h/.config/systemd/user/openclaw-gateway.service";

    #[test]
    fn units_of_systemd() {
        let service = found(&[USER, "/etc/systemd/system/openclaw-gateway.service"], None, None).unwrap();
        assert_eq!(service.stop_command(), "systemctl --user stop openclaw-gateway.service");
        assert_eq!(service.start_command(), "systemctl --user start openclaw-gateway.service");
        let service = found(&["/etc/systemd/system/clawdbot-gateway.service"], None, None).unwrap();
        assert_eq!(service.stop_command(), "sudo systemctl stop clawdbot-gateway.service");
        assert_eq!(found(&[USER], Some("work"), None), None);
        let work = found(&["/h/.config/systemd/user/openclaw-gateway-work.service"], Some("work"), None);
        assert_eq!(work.unwrap().start_command(), "systemctl --user start openclaw-gateway-work.service");
        assert!(found(&[USER], Some("default"), None).is_some());
    }

    #[test]
    fn a_named_unit_goes_first_unless_its_name_is_unsafe() {
        let mine = "/h/.config/systemd/user/mine.service";
        let service = found(&[USER, mine], None, Some("mine")).unwrap();
        assert_eq!(service.path(), Path::new(mine));
        let service = found(&[USER], None, Some("x; rm -rf ~")).unwrap();
        assert_eq!(service.path(), Path::new(USER));
    }

    #[test]
    fn launch_agents() {
        let service = found(&["/h/Library/LaunchAgents/ai.openclaw.gateway.plist"], None, None).unwrap();
        assert_eq!(service.stop_command(), "launchctl bootout gui/501/ai.openclaw.gateway");
        let start = "launchctl bootstrap gui/501 /h/Library/LaunchAgents/ai.openclaw.gateway.plist";
        assert_eq!(service.start_command(), start);
        assert_eq!(quoted(Path::new("/a b/it's")), r"'/a b/it'\''s'");
        assert_eq!(found(&[], None, None), None);
    }

    #[test]
    fn a_unit_names_the_version_that_it_was_made_for() {
        let service = Service::SystemdUser { unit: "u".into(), path: "/u".into() };
        let of = |text: &str| version(&service, &|_| Ok(text.as_bytes().to_vec()));
        let unit = "[Service]\nEnvironment=HOME=/h\nEnvironment=\"OPENCLAW_SERVICE_VERSION=2026.4.14\"\n";
        assert_eq!(of(unit).as_deref(), Some("2026.4.14"));
        assert_eq!(of("Environment=OPENCLAW_SERVICE_VERSION=2026.5.12 A=b\n").as_deref(), Some("2026.5.12"));
        assert_eq!(of("Environment=OPENCLAW_SERVICE_VERSION=\n# OPENCLAW_SERVICE_VERSION=1"), None);
    }

    fn limit(files: &[(&str, &str)], options: Option<&str>, service: bool) -> Option<u64> {
        let unit = Service::SystemdUser { unit: "u.service".into(), path: "/u.service".into() };
        heap_limit_mb(
            service.then_some(&unit),
            &|_| options.map(str::to_owned),
            &|path| {
                let file = files.iter().find(|(name, _)| Path::new(name) == path);
                file.map(|(_, text)| text.as_bytes().to_vec()).ok_or_else(|| io::ErrorKind::NotFound.into())
            },
            &|_| Ok(vec!["b.conf".into(), "a.conf".into(), "note".into()]),
        )
    }

    #[test]
    fn heap_limits() {
        let unit = "[Service]\nExecStart=/usr/bin/node \\\n  --max-old-space-size=3072 /x/index.js gateway\n";
        assert_eq!(limit(&[("/u.service", unit)], Some("--max-old-space-size=1"), true), Some(3072));
        let in_env = "[Service]\nExecStart=node x gateway\nEnvironment=\"NODE_OPTIONS=--a --max_old_space_size=512\"\n";
        assert_eq!(limit(&[("/u.service", in_env)], None, true), Some(512));
        let with_drop_in = [
            ("/u.service", unit),
            ("/u.service.d/a.conf", "[Service]\nExecStart=\nExecStart=node x gateway\nEnvironmentFile=-/e\n"),
            ("/e", "A=1\nNODE_OPTIONS=--max-old-space-size=256\n"),
        ];
        assert_eq!(limit(&with_drop_in, None, true), Some(256));
        assert_eq!(
            limit(&[("/u.service", "ExecStart=node x\n")], Some("--max-old-space-size=9"), true),
            None
        );
        assert_eq!(limit(&[], Some("--max-old-space-size=9"), false), Some(9));
        assert_eq!(limit(&[], Some("--max-old-space-size=x"), false), None);
        assert_eq!(flag("<string>--max-old-space-size=4096</string>"), Some(4096));
        assert_eq!(heap_limit_bytes(1), 1 << 20);
    }
}
