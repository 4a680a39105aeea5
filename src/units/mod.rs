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
    /// What the timer starts.
    pub service: String,
    /// The timer.
    pub timer: String,
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
            service: format!("sessions-doctor{suffix}.service"),
            timer: format!("sessions-doctor{suffix}.timer"),
        }
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
    let file = |below: PathBuf, body: String| UnitFile { below, text: seal::seal(&body) };
    Ok(vec![
        file(names.drop_in, drop_in(wanted)?),
        file(names.service.into(), service(wanted)?),
        file(names.timer.into(), timer(&wanted.gateway)),
    ])
}

/// The `-` keeps a failure from holding up the gateway; without a setting of its own `guard` would eat of the time that
/// the gateway has for its start.
fn drop_in(wanted: &Wanted) -> Result<String, Unwritable> {
    let guard = command(&wanted.program, &["guard"], &wanted.places)?;
    let timeout = wanted.timeout_start.map(|seconds| format!("TimeoutStartSec={seconds}\n"));
    Ok(format!("[Service]\nExecStartPre=-{guard}\n{}", timeout.unwrap_or_default()))
}

/// Beside a gateway that lives this writes only where a lock keeps both apart; elsewhere `prune` refuses with 4, and the
/// unit counts that, like any other finding, as a success.
fn service(wanted: &Wanted) -> Result<String, Unwritable> {
    let deed = ["prune", "--apply", "--live", "--confidence", "certain", "--quiet"];
    let prune = command(&wanted.program, &deed, &wanted.places)?;
    let mut text = format!(
        "[Unit]\nDescription=Prune the session stores of {}, where that is safe\n\n[Service]\nType=oneshot\n",
        wanted.gateway
    );
    for (setting, value) in [("User", &wanted.user), ("Group", &wanted.group)] {
        if let Some(value) = value {
            text.push_str(&format!("{setting}={}\n", plain(value)?));
        }
    }
    for (name, value) in &wanted.environment {
        text.push_str(&format!("Environment={}\n", assignment(name, value)?));
    }
    text.push_str(&format!("ExecStart={prune}\nSuccessExitStatus=1 3 4 5\nTimeoutStartSec=10min\n"));
    Ok(text)
}

fn timer(gateway: &str) -> String {
    format!(
        "[Unit]\nDescription=Prune the session stores of {gateway} every 15 minutes\n\n\
         [Timer]\nOnCalendar=*:0/15\nRandomizedDelaySec=2min\nPersistent=true\n\n\
         [Install]\nWantedBy=timers.target\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_go_with_the_profile_or_the_unit() {
        for (unit, service) in [
            ("openclaw-gateway.service", "sessions-doctor.service"),
            ("clawdbot-gateway.service", "sessions-doctor.service"),
            ("openclaw-gateway-work.service", "sessions-doctor-work.service"),
            ("mine.service", "sessions-doctor-mine.service"),
        ] {
            let names = Names::of(unit);
            assert_eq!(names.service, service);
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
