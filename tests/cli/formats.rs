//! Prevents: a report in SARIF or JUnit that the systems it is written for refuse, whatever was found in whatever file.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use crate::schema::Schema;
use assert_cmd::Command;
use serde_json::{Value, json};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn schema(name: &str) -> String {
    fs::read_to_string(root().join("testdata/schemas").join(name)).unwrap()
}

/// The rules of which a file is kept.
fn rules() -> BTreeSet<String> {
    let dirs = fs::read_dir(root().join("testdata/validate")).unwrap().map(|entry| entry.unwrap());
    dirs.filter(|dir| dir.path().is_dir()).map(|dir| dir.file_name().into_string().unwrap()).collect()
}

/// What fails by each rule, a file that is not there, a directory without files, a name that no URI can hold, and stdin: keys that mean
/// something in JSON, XML and URIs, and more problems than a suite lists.
fn report(format: &str) -> String {
    let dir = tempfile::tempdir().unwrap();
    let odd = dir.path().join("50% \"ä\" <&>\u{1}.json");
    fs::copy(root().join("testdata/validate/entry-seconds/fail.json"), &odd).unwrap();
    let empty = dir.path().join("empty");
    fs::create_dir(&empty).unwrap();
    let mut command = Command::cargo_bin("sessions-doctor").unwrap();
    command.current_dir(root()).args(["validate", "--now", "2026-11-21T12:00:00Z", "--format", format]);
    for rule in rules() {
        let kept = fs::read_dir(root().join("testdata/validate").join(&rule)).unwrap();
        let mut names = kept.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let failing = names.find(|name| name.starts_with("fail")).unwrap();
        command.arg(format!("testdata/validate/{rule}/{failing}"));
    }
    command.args([&odd, &empty]).args(["testdata/no-such-file.json", "-"]);
    let entry = |number: usize| {
        let odd = ["", "]]>", "<&\\\"'>", "\\u0001\\ufffe\\ud800", "😀 %", "a\\nb"][number % 6];
        format!(
            r#""agent:main:x:direct:{number}{odd}":{{"sessionId":"s","updatedAt":1795223628227,"status":3}}"#
        )
    };
    let stdin = format!("{{{}}}", (0..1002).map(entry).collect::<Vec<_>>().join(","));
    let output = command.write_stdin(stdin).output().unwrap();
    assert_eq!(output.status.code(), Some(6), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The published schema of SARIF.
fn sarif() -> Schema {
    Schema::new(&serde_json::from_str(&schema("sarif-2.1.0.json")).unwrap())
}

#[test]
fn sarif_of_every_finding_holds_by_the_published_schema() {
    let document: Value = serde_json::from_str(&report("sarif")).unwrap();
    let results = document["runs"][0]["results"].as_array().unwrap();
    let found: BTreeSet<String> =
        results.iter().map(|result| result["ruleId"].as_str().unwrap().to_owned()).collect();
    assert_eq!(found, rules());
    assert!(results.len() > 1000, "{}", results.len());
    let notes = &document["runs"][0]["invocations"][0]["toolExecutionNotifications"];
    assert_eq!(notes.as_array().map(Vec::len), Some(2), "{notes}");
    assert_eq!(sarif().complaints(&document), [""; 0]);
}

#[test]
fn the_schema_of_sarif_finds_what_is_broken() {
    let document: Value = serde_json::from_str(&report("sarif")).unwrap();
    let published = sarif();
    let result = "/runs/0/results/0";
    let broken = [
        ("", "version", json!("2.0.0")),
        ("/runs/0", "tool", json!({})),
        ("/runs/0", "rules", json!([])),
        ("/runs/0/invocations/0", "executionSuccessful", json!("yes")),
        ("/runs/0/tool/driver/rules/0", "id", json!(7)),
        (result, "level", json!("fatal")),
        (result, "message", json!({})),
        (&format!("{result}/locations/0/physicalLocation/region"), "startLine", json!(0)),
        (&format!("{result}/locations/0/physicalLocation/artifactLocation"), "uri", json!("50% off")),
    ];
    for (place, member, value) in broken {
        let mut copy = document.clone();
        copy.pointer_mut(place).unwrap()[member] = value;
        assert!(!published.is_valid(&copy), "{place}/{member}");
    }
}

/// What the published schema of JUnit has against a document.
fn complaints_about_junit(document: &str) -> Vec<String> {
    let text = schema("junit-10.xsd");
    let published = uppsala::XsdValidator::from_schema(&uppsala::parse(&text).unwrap()).unwrap();
    let document = uppsala::parse(document).unwrap_or_else(|error| panic!("{error}: {document}"));
    published.validate(&document).iter().map(ToString::to_string).collect()
}

#[test]
fn junit_of_every_finding_holds_by_the_published_schema() {
    let document = report("junit");
    assert!(rules().iter().all(|rule| document.contains(&format!("<testcase name=\"{rule} "))), "{document}");
    assert!(document.contains("message=\"2 more problems\"") && document.contains("could not be read"));
    assert_eq!(complaints_about_junit(&document), Vec::<String>::new());
}

#[test]
fn the_schema_of_junit_finds_what_is_broken() {
    let document = report("junit");
    let broken = [
        ("<testsuites ", "<testsuites skipped=\"0\" "),
        ("\" tests=\"1\"", "\""),
        ("<testcase name=", "<testcase title="),
        ("<failure message=", "<failure text="),
        ("<failure ", "<properties/><failure "),
        ("<testsuite ", "<testcase name=\"a\"/><testsuite "),
        ("<testsuite ", "text<testsuite "),
    ];
    for (from, to) in broken {
        let copy = document.replacen(from, to, 1);
        assert_ne!(copy, document, "{from}");
        assert!(!complaints_about_junit(&copy).is_empty(), "{to}");
    }
}
