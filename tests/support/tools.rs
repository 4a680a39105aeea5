//! Programs that know better: shells for their scripts, groff for pages of the manual.
//!
//! Where one is missing, a test prints that it was skipped; where `SESSIONS_DOCTOR_REQUIRE_ORACLES=1` is set, that is a failure, so
//! that CI cannot skip in silence.

#![allow(clippy::unwrap_used)]

use std::io::Write;
use std::process::{Command, Stdio};

/// Set to `1` where a missing oracle must fail a test instead of skipping it.
const REQUIRE: &str = "SESSIONS_DOCTOR_REQUIRE_ORACLES";

/// Whether `program --version` runs; prints that `test` was skipped where it does not.
pub fn is_there(program: &str, test: &str) -> bool {
    let found = Command::new(program).arg("--version").output().is_ok_and(|ran| ran.status.success());
    let required = std::env::var(REQUIRE).is_ok_and(|value| value == "1");
    assert!(found || !required, "{REQUIRE}=1, but `{program} --version` does not run");
    if !found {
        // Past the capture of the harness.
        let _ = writeln!(std::io::stderr(), "skipped: {test} (no `{program}` on this machine)");
    }
    found
}

/// What a program says on both streams when it is given `input`, and whether it is content.
pub fn given(command: &mut Command, input: &[u8]) -> (bool, String) {
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let ran = std::thread::scope(|scope| {
        // One that is not content may leave before it has read all of it.
        scope.spawn(move || drop(stdin.write_all(input)));
        child.wait_with_output().unwrap()
    });
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (ran.status.success(), text(&ran.stderr) + &text(&ran.stdout))
}
