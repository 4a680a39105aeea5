//! Prevents: a README that shows what the program does not say, and help screens that change unseen.
//!
//! `TRYCMD=overwrite cargo test --test docs commands::` writes the cases anew; look at the difference before you keep it.

use std::fs;

/// The two commands of the README that do all the set-up.
const MAIN_JOB: &str = "cargo run --release -- prune --state-dir testdata/openclaw-2026.3.28/normal-then-crash --now 2026-11-21T01:14:30Z --gateway stopped";
const TESTS: &str = "cargo test";

#[test]
fn commands_say_what_the_pages_show() {
    let cases = trycmd::TestCases::new();
    // A narrow terminal of the caller must not change the help screens.
    cases.env("COLUMNS", "100").env("NO_COLOR", "1");
    cases.case("tests/cmd/*.trycmd").case("README.md");
}

#[test]
fn the_readme_and_ci_have_the_two_commands() {
    let root = env!("CARGO_MANIFEST_DIR");
    let readme = fs::read_to_string(format!("{root}/README.md")).expect("README.md");
    assert!(readme.contains(&format!("\n{MAIN_JOB}\n")), "the main job is no line of the README");
    assert!(readme.contains(&format!("\n{TESTS}\n")), "the tests are no line of the README");
    let same = MAIN_JOB.replace("cargo run --release --", "$ sessions-doctor");
    assert!(readme.contains(&format!("\n{same}\n? 1\n")), "the output of the main job is not shown");
    let ci = fs::read_to_string(format!("{root}/.ci/run")).expect(".ci/run");
    let same = MAIN_JOB.replace("cargo run --release --", "\"$tool\"");
    assert!(ci.lines().any(|line| line.ends_with(&same)), "the main job is not run by .ci/run");
}
