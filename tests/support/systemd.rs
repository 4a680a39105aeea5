//! systemd's own opinion of unit files, and a reading of its command lines that is not the one of the program.
//!
//! Where `systemd-analyze` is missing, a test prints that it was skipped; where `SESSIONS_DOCTOR_REQUIRE_ORACLES=1` is set, that is a
//! failure, so that CI cannot skip in silence.

#![allow(dead_code, reason = "every test binary that includes this uses a part of it")]
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;
use std::process::Command;

/// Set to `1` where a missing oracle must fail a test instead of skipping it.
const REQUIRE: &str = "SESSIONS_DOCTOR_REQUIRE_ORACLES";

/// Whether `systemd-analyze` is there; prints that `test` was skipped where it is not.
pub fn is_there(test: &str) -> bool {
    let found =
        Command::new("systemd-analyze").arg("--version").output().is_ok_and(|ran| ran.status.success());
    let required = std::env::var(REQUIRE).is_ok_and(|value| value == "1");
    assert!(found || !required, "{REQUIRE}=1, but `systemd-analyze --version` does not run");
    if !found {
        eprintln!("skipped: {test} (no `systemd-analyze` on this machine)");
    }
    found
}

/// What `systemd-analyze verify` has against units in a directory; nothing where it is content.
pub fn verify(dir: &Path, units: &[&str]) -> String {
    let runtime = tempfile::tempdir().unwrap();
    let ran = Command::new("systemd-analyze")
        .args(["--user", "--man=no", "verify"])
        .args(units)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("HOME", runtime.path())
        .env("XDG_RUNTIME_DIR", runtime.path())
        // The colon adds the directories of the machine behind this one.
        .env("SYSTEMD_UNIT_PATH", format!("{}:", dir.display()))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ran.stderr).into_owned();
    if ran.status.success() { said } else { format!("{said}\n{}", ran.status) }
}

/// The values of a setting in a unit file, in order.
pub fn settings(unit: &str, name: &str) -> Vec<String> {
    let lines = unit.lines().filter_map(|line| line.split_once('='));
    lines.filter(|(key, _)| *key == name).map(|(_, value)| value.to_owned()).collect()
}

/// The one value of a setting in the file at `path`.
pub fn setting(path: &Path, name: &str) -> String {
    let text = fs::read_to_string(path).unwrap();
    let [value] = &settings(&text, name)[..] else { panic!("{name} is not there once:\n{text}") };
    value.clone()
}

/// The arguments that systemd would call a program with. As it reads a line: words with their quotes and backslashes, then
/// specifiers, then variables; `$` means nothing in the name of the program.
pub fn arguments(line: &str) -> Vec<String> {
    let words = words(line.trim_start_matches('-'));
    let plain = |word: &str| {
        assert_eq!(word.replace("%%", "").matches('%').count(), 0, "a specifier in {word}");
        word.replace("%%", "%")
    };
    let mut arguments: Vec<String> = words.iter().map(|word| plain(word)).collect();
    for argument in &mut arguments[1..] {
        assert_eq!(argument.replace("$$", "").matches('$').count(), 0, "a variable in {argument}");
        *argument = argument.replace("$$", "$");
    }
    assert!(!arguments[0].contains(['"', '\'', '\\']), "systemd refuses {}", arguments[0]);
    arguments
}

fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = line.trim_start();
    while !rest.is_empty() {
        let mut word = String::new();
        let quoted = rest.starts_with('"');
        let mut chars = rest.char_indices().skip(usize::from(quoted));
        let end = loop {
            match chars.next() {
                Some((_, '\\')) => word.push(chars.next().expect("a character after a backslash").1),
                Some((at, '"')) if quoted => break at + 1,
                Some((at, ' ')) if !quoted => break at,
                Some((_, '"' | '\'')) if !quoted => panic!("a quote within a word: {rest}"),
                Some((_, char)) => word.push(char),
                None => break rest.len(),
            }
        };
        words.push(word);
        rest = rest[end..].trim_start();
    }
    words
}
