//! Unit files of systemd as text: the drop-in that runs `guard` before the gateway starts, and a service with a timer.
//!
//! What you may touch here: nothing; values in, text out. A drop-in and not the unit itself, because OpenClaw's
//! installer writes the unit anew and leaves drop-ins alone.

mod quote;
mod seal;

use std::path::PathBuf;

pub use quote::Unwritable;
pub use seal::{Author, author};

use quote::{assignment, command, plain};

/// What the units are made from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The absolute path of this program.
    pub program: String,
    /// The gateway's unit, `.service` included.
    pub gateway: String,
    /// Options that tell the commands where to look, beyond their environment.
    pub places: Vec<String>,
    /// How many seconds a start may take, `guard` included; `None` leaves that alone.
    pub timeout_start: Option<u64>,
    /// Variables for the timer's command; `guard` inherits those of the gateway's unit.
    pub environment: Vec<(String, String)>,
    /// As whom it runs, where the manager is the system's.
    pub user: Option<String>,
    /// The group to that.
    pub group: Option<String>,
    /// Where metrics go, where they are wanted.
    pub metrics: Option<String>,
}

/// A file, and where it belongs below the directory of units.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnitFile {
    /// Below the directory of units.
    pub below: PathBuf,
    /// Its content, sealed.
    pub text: String,
}

/// Where the files of a gateway lie below the directory of units, whatever they hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names {
    /// The drop-in.
    pub drop_in: PathBuf,
    /// What prunes.
    pub prune: Timed,
    /// What writes metrics.
    pub metrics: Timed,
}

/// A timer and what it starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timed {
    /// What it starts.
    pub service: PathBuf,
    /// The timer.
    pub timer: PathBuf,
}

impl Names {
    /// The names that go with a gateway's unit: with its profile, or with its whole name where it is one of its own.
    pub fn of(gateway: &str) -> Self {
        let stem = gateway.strip_suffix(".service").unwrap_or(gateway);
        let known = ["openclaw-gateway", "clawdbot-gateway", "moltbot-gateway"];
        let suffix = match known.iter().find_map(|name| stem.strip_prefix(name)) {
            Some(suffix) => suffix.to_owned(),
            None => format!("-{stem}"),
        };
        Names {
            drop_in: PathBuf::from(format!("{stem}.service.d")).join("50-sessions-doctor.conf"),
            prune: Timed::of(&format!("sessions-doctor{suffix}")),
            // No profile has a dot in its name, so this is nobody's name for the units that prune.
            metrics: Timed::of(&format!("sessions-doctor{suffix}.metrics")),
        }
    }
}

impl Timed {
    fn of(stem: &str) -> Self {
        Timed { service: format!("{stem}.service").into(), timer: format!("{stem}.timer").into() }
    }

    /// The link that enables the timer.
    pub fn enabled(&self) -> PathBuf {
        PathBuf::from("timers.target.wants").join(&self.timer)
    }
}

/// All files for a gateway.
///
/// # Errors
///
/// A word that no unit file can hold.
pub fn files(wanted: &Wanted) -> Result<Vec<UnitFile>, Unwritable> {
    let names = Names::of(&wanted.gateway);
    let mut files = vec![(names.drop_in, drop_in(wanted)?)];
    files.push((names.prune.service, prune(wanted)?));
    files.push((names.prune.timer, prune_timer(&wanted.gateway)));
    if let Some(file) = &wanted.metrics {
        files.push((names.metrics.service, metrics(wanted, file)?));
        files.push((names.metrics.timer, metrics_timer(&wanted.gateway)));
    }
    Ok(files.into_iter().map(|(below, body)| UnitFile { below, text: seal::seal(&body) }).collect())
}

/// The `-` keeps a failure from holding up the gateway; without a setting of its own `guard` would eat of the time that
/// the gateway has for its start.
fn drop_in(wanted: &Wanted) -> Result<String, Unwritable> {
    let guard = command(&wanted.program, &["guard"], &wanted.places)?;
    let timeout = wanted.timeout_start.map(|seconds| format!("TimeoutStartSec={seconds}\n"));
    Ok(format!("[Service]\nExecStartPre=-{guard}\n{}", timeout.unwrap_or_default()))
}

/// Beside a gateway that lives this writes only where a lock keeps both apart; elsewhere `prune` refuses.
fn prune(wanted: &Wanted) -> Result<String, Unwritable> {
    let deed = ["prune", "--apply", "--live", "--confidence", "certain", "--quiet"];
    let prune = command(&wanted.program, &deed, &wanted.places)?;
    let what = format!("Prune the session stores of {}, where that is safe", wanted.gateway);
    service(wanted, &what, &format!("ExecStart={prune}\n"))
}

/// What it finds is in the file, so the journal gets nothing but what went wrong.
fn metrics(wanted: &Wanted, file: &str) -> Result<String, Unwritable> {
    let places = [&["--metrics".to_owned(), file.to_owned()][..], &wanted.places].concat();
    let check = command(&wanted.program, &["check", "--quiet"], &places)?;
    let what = format!("Write metrics of the session stores of {}", wanted.gateway);
    service(wanted, &what, &format!("ExecStart={check}\nStandardOutput=null\n"))
}

/// Whatever is found, or refused, is no failure of the unit: only input and output that fail are (exit code 6).
fn service(wanted: &Wanted, what: &str, command: &str) -> Result<String, Unwritable> {
    let mut text = format!("[Unit]\nDescription={what}\n\n[Service]\nType=oneshot\n");
    for (setting, value) in [("User", &wanted.user), ("Group", &wanted.group)] {
        if let Some(value) = value {
            text.push_str(&format!("{setting}={}\n", plain(value)?));
        }
    }
    for (name, value) in &wanted.environment {
        text.push_str(&format!("Environment={}\n", assignment(name, value)?));
    }
    text.push_str(command);
    text.push_str("SuccessExitStatus=1 3 4 5\nTimeoutStartSec=10min\n");
    Ok(text)
}

fn prune_timer(gateway: &str) -> String {
    let what = format!("Prune the session stores of {gateway} every 15 minutes");
    timer(&what, "OnCalendar=*:0/15\nRandomizedDelaySec=2min\nPersistent=true\n")
}

fn metrics_timer(gateway: &str) -> String {
    let what = format!("Write metrics of the session stores of {gateway} every 5 minutes");
    timer(&what, "OnCalendar=*:0/5\nRandomizedDelaySec=30s\n")
}

fn timer(what: &str, when: &str) -> String {
    format!("[Unit]\nDescription={what}\n\n[Timer]\n{when}\n[Install]\nWantedBy=timers.target\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_profile_has_the_names_of_anothers_metrics() {
        let metrics = Names::of("openclaw-gateway.service").metrics;
        let profile = Names::of("openclaw-gateway-metrics.service").prune;
        assert_eq!(metrics.timer, PathBuf::from("sessions-doctor.metrics.timer"));
        assert_ne!(metrics.service, profile.service);
    }

    #[test]
    fn names_go_with_the_profile_or_the_unit() {
        for (unit, service) in [
            ("openclaw-gateway.service", "sessions-doctor.service"),
            ("clawdbot-gateway.service", "sessions-doctor.service"),
            ("openclaw-gateway-work.service", "sessions-doctor-work.service"),
            ("mine.service", "sessions-doctor-mine.service"),
        ] {
            let names = Names::of(unit);
            assert_eq!(names.prune.service, PathBuf::from(service));
            assert_eq!(names.drop_in, PathBuf::from(format!("{unit}.d/50-sessions-doctor.conf")));
        }
    }

    #[test]
    fn a_timeout_that_is_to_be_left_alone_is_not_named() {
        let mut wanted = Wanted {
            program: "/bin/sessions-doctor".into(),
            gateway: "openclaw-gateway.service".into(),
            timeout_start: Some(60),
            places: vec!["--state-dir".into(), "/a b".into()],
            environment: vec![("HOME".into(), "/h".into())],
            user: Some("claw".into()),
            group: None,
            metrics: None,
        };
        let text = |wanted: &Wanted, at: usize| files(wanted).unwrap().swap_remove(at).text;
        let drop_in =
            "[Service]\nExecStartPre=-/bin/sessions-doctor guard --state-dir \"/a b\"\nTimeoutStartSec=60\n";
        assert!(text(&wanted, 0).ends_with(drop_in), "{}", text(&wanted, 0));
        let service = text(&wanted, 1);
        assert!(service.contains("\nUser=claw\nEnvironment=HOME=/h\nExecStart=/bin/"), "{service}");
        assert!(service.contains(" --state-dir \"/a b\"\n"), "{service}");
        wanted.timeout_start = None;
        assert!(!text(&wanted, 0).contains("Timeout"));
        wanted.places = vec!["/a\nExecStart=/bin/rm".into()];
        assert!(files(&wanted).is_err());
    }
}
