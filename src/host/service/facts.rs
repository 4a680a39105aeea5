//! What a unit of the gateway and its drop-ins say that a command beside it has to know.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use super::{Service, drop_ins, settings};
use crate::openclaw::dotenv;
use crate::openclaw::grammar::{DurationUnit, flexible_duration_ms};

/// The facts of a unit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UnitFacts {
    /// Its variables, those of its `EnvironmentFile`s included.
    pub environment: BTreeMap<String, String>,
    /// As whom it runs.
    pub user: Option<String>,
    /// The group to that.
    pub group: Option<String>,
    /// How long its start may take.
    pub start: Start,
}

/// How long a start may take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Start {
    /// Nothing is said, so systemd's own 90 seconds count.
    #[default]
    Unsaid,
    /// So many seconds.
    Seconds(u64),
    /// For ever, or something that is not understood.
    Unlimited,
}

/// Reads the unit of a service with its drop-ins in `dirs`, but for `ours`; nothing for a launch agent.
///
/// `read` gives the content of a file, `names` the names in a directory. What cannot be read says nothing.
pub fn facts(
    service: &Service,
    (dirs, ours): (&[PathBuf], &Path),
    home: &Path,
    read: &dyn Fn(&Path) -> io::Result<Vec<u8>>,
    names: &dyn Fn(&Path) -> io::Result<Vec<String>>,
) -> UnitFacts {
    let (Service::SystemdUser { unit, path } | Service::SystemdSystem { unit, path }) = service else {
        return UnitFacts::default();
    };
    let beside = dirs.iter().flat_map(|dir| drop_ins(&dir.join(unit), names));
    let mut beside: Vec<PathBuf> = beside.filter(|drop_in| drop_in != ours).collect();
    beside.sort_by(|a, b| a.file_name().cmp(&b.file_name()));
    let mut facts = UnitFacts::default();
    let mut files = Vec::new();
    for path in [path.clone()].into_iter().chain(beside) {
        let text = String::from_utf8_lossy(&read(&path).unwrap_or_default()).into_owned();
        for (key, value) in settings(&text) {
            facts.take(&key, &value, home);
            if key == "EnvironmentFile" && !value.is_empty() {
                files.push(PathBuf::from(expanded(value.trim_start_matches('-'), home)));
            }
        }
    }
    // Whatever the order in the unit, systemd lets the files win.
    files.iter().for_each(|file| facts.environment.extend(dotenv::parse(&read(file).unwrap_or_default())));
    facts
}

impl UnitFacts {
    fn take(&mut self, key: &str, value: &str, home: &Path) {
        let text = || Some(expanded(value, home)).filter(|text| !text.is_empty());
        match key {
            "Environment" if value.is_empty() => self.environment.clear(),
            "Environment" => {
                let pairs = words(value);
                let pairs = pairs.iter().filter_map(|word| word.split_once('='));
                let pairs = pairs.map(|(name, value)| (name.to_owned(), expanded(value, home)));
                self.environment.extend(pairs);
            }
            "User" => self.user = text(),
            "Group" => self.group = text(),
            "TimeoutStartSec" | "TimeoutSec" => self.start = start(value),
            _ => {}
        }
    }
}

/// A time span of systemd; 0 means that there is no limit.
fn start(value: &str) -> Start {
    match flexible_duration_ms(value, DurationUnit::Seconds) {
        _ if value.is_empty() => Start::Unsaid,
        Some(ms) if ms > 0 => Start::Seconds(ms.unsigned_abs().div_ceil(1_000)),
        _ => Start::Unlimited,
    }
}

/// Words between blanks, without their quotes and backslashes.
fn words(text: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    let mut chars = text.chars();
    while let Some(char) = chars.next() {
        match (char, quote) {
            ('\\', _) => word.get_or_insert_default().extend(chars.next().map(escaped)),
            (_, Some(open)) if char == open => quote = None,
            ('"' | '\'', None) => {
                quote = Some(char);
                word.get_or_insert_default();
            }
            (' ' | '\t', None) => words.extend(word.take()),
            _ => word.get_or_insert_default().push(char),
        }
    }
    words.extend(word);
    words
}

fn escaped(char: char) -> char {
    match char {
        'n' => '\n',
        't' => '\t',
        's' => ' ',
        other => other,
    }
}

/// The specifiers that occur in units of gateways.
fn expanded(text: &str, home: &Path) -> String {
    let parts: Vec<String> =
        text.split("%%").map(|part| part.replace("%h", &home.display().to_string())).collect();
    parts.join("%")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(files: &[(&str, &str)]) -> UnitFacts {
        let unit = Service::SystemdUser { unit: "u.service".into(), path: "/a/u.service".into() };
        let read = |path: &Path| {
            let file = files.iter().find(|(name, _)| Path::new(name) == path);
            file.map(|(_, text)| text.as_bytes().to_vec()).ok_or_else(|| io::ErrorKind::NotFound.into())
        };
        let names = |dir: &Path| {
            let inside =
                files.iter().map(|(name, _)| Path::new(name)).filter(|path| path.parent() == Some(dir));
            Ok(inside.map(|path| path.file_name().unwrap().to_string_lossy().into_owned()).collect())
        };
        let dirs = ["/a".into(), "/b".into()];
        facts(&unit, (&dirs, Path::new("/b/u.service.d/50-ours.conf")), Path::new("/h"), &read, &names)
    }

    #[test]
    fn drop_ins_of_every_directory_count_but_our_own_does_not() {
        let unit = "[Service]\nTimeoutStartSec=30\nEnvironment=HOME=/h \"OPENCLAW_STATE_DIR=%h/a b\"\nEnvironment='X=100%%' Y=\nUser=claw\n";
        let facts = of(&[
            ("/a/u.service", unit),
            ("/a/u.service.d/90-late.conf", "[Service]\nTimeoutStartSec=2min 5s\nGroup=g\n"),
            ("/b/u.service.d/10-early.conf", "[Service]\nTimeoutStartSec=7\nEnvironmentFile=-%h/env\n"),
            ("/b/u.service.d/50-ours.conf", "[Service]\nTimeoutStartSec=999\nUser=nobody\n"),
            ("/h/env", "# x\nY=\"z\"\n"),
        ]);
        assert_eq!(facts.start, Start::Seconds(125));
        assert_eq!((facts.user.as_deref(), facts.group.as_deref()), (Some("claw"), Some("g")));
        let environment: Vec<String> = facts.environment.iter().map(|(k, v)| format!("{k}={v}")).collect();
        assert_eq!(environment, ["HOME=/h", "OPENCLAW_STATE_DIR=/h/a b", "X=100%", "Y=z"]);
    }

    #[test]
    fn how_long_a_start_may_take() {
        for (text, start) in [
            ("", Start::Unsaid),
            ("TimeoutStartSec=30", Start::Seconds(30)),
            ("TimeoutSec=1min", Start::Seconds(60)),
            ("TimeoutStartSec=500ms", Start::Seconds(1)),
            ("TimeoutStartSec=infinity", Start::Unlimited),
            ("TimeoutStartSec=0", Start::Unlimited),
            ("TimeoutStartSec=soon", Start::Unlimited),
        ] {
            assert_eq!(of(&[("/a/u.service", text)]).start, start, "{text}");
        }
    }

    #[test]
    fn words_lose_their_quotes() {
        assert_eq!(words(r#"  a "b c"  'd"e' f\"\s\\g "" "#), ["a", "b c", "d\"e", "f\" \\g", ""]);
    }
}
