//! Prevents: a fixture that CI calls valid and OpenClaw empties, a problem that is told at another place than it stands, a rule that nothing
//! can break, and a check that takes a real store for a broken one.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use crate::conformance::{Known, assert_loads_as_node_says};
use crate::recorded;
use assert_cmd::Command;
use serde_json::Value;

const NOW: &str = "2026-11-21T12:00:00Z";

/// Rules of which no file can be kept here: half a gigabyte. Its test is in `oversized`.
const NO_FILE: &str = "store-oversized";

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

struct Ran {
    code: i32,
    out: String,
    err: String,
}

impl Ran {
    fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}{}", self.out, self.err))
    }

    fn file(&self) -> Value {
        self.json()["files"][0].clone()
    }
}

fn run_with(stdin: &[u8], args: &[&str]) -> Ran {
    let mut command = Command::cargo_bin("sessions-doctor").unwrap();
    command.current_dir(root()).arg("validate").args(["--now", NOW]).args(args).write_stdin(stdin);
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ran { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
}

fn run(args: &[&str]) -> Ran {
    run_with(b"", args)
}

fn problems(file: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let list = file["problems"].as_array().unwrap();
    list.iter().map(|problem| (text(&problem["checkId"]), text(&problem["severity"]))).collect()
}

fn fixtures() -> Vec<(String, PathBuf)> {
    let dirs = fs::read_dir(root().join("testdata/validate")).unwrap().map(|entry| entry.unwrap().path());
    let mut all: Vec<(String, PathBuf)> = dirs
        .filter(|path| path.is_dir())
        .map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), path))
        .collect();
    all.sort();
    all
}

/// The file of a rule that fails, or that passes, or the directory of it.
fn fixture(dir: &Path, stem: &str) -> PathBuf {
    let mut files = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    files.find(|path| path.file_name().unwrap().to_str().unwrap().starts_with(stem)).unwrap()
}

#[test]
fn every_rule_has_a_file_that_it_finds_and_one_that_it_does_not() {
    for (rule, dir) in fixtures() {
        let failing = fixture(&dir, "fail");
        let ran = run(&[failing.to_str().unwrap(), "--json"]);
        let file = ran.file();
        let found: BTreeSet<String> = problems(&file).into_iter().map(|(id, _)| id).collect();
        assert_eq!(found, BTreeSet::from([rule.clone()]), "{rule}: {}", ran.out);
        let is_damaged = file["verdict"] == "damaged";
        assert_eq!(ran.code, if is_damaged { 3 } else { 1 }, "{rule}");
        let passing = fixture(&dir, "pass");
        let ran = run(&[passing.to_str().unwrap(), "--json"]);
        assert_eq!((ran.code, problems(&ran.file())), (0, Vec::new()), "{rule}: {}", ran.out);
    }
}

#[test]
fn every_rule_that_may_be_allowed_has_a_fixture_and_is_left_out_when_it_is() {
    let refused = run(&["testdata", "--allow", "no-such-rule"]);
    assert_eq!(refused.code, 2);
    let (_, list) = refused.err.split_once("name one of ").unwrap();
    let known: BTreeSet<&str> = list.trim().split(", ").collect();
    let kept: BTreeSet<String> = fixtures().into_iter().map(|(rule, _)| rule).collect();
    let is_damage = |rule: &&String| {
        rule.starts_with("store-") && *rule != "store-invalid-utf8" || *rule == "cron-jobs-unreadable"
    };
    let damage = kept.iter().filter(is_damage).count();
    assert!(known.len() > 12 && known.iter().all(|rule| kept.contains(*rule)), "{known:?} {kept:?}");
    assert_eq!(kept.len(), known.len() + damage);
    assert!(!kept.contains(NO_FILE));
    for rule in known {
        let file = fixture(&root().join("testdata/validate").join(rule), "fail");
        let ran = run(&[file.to_str().unwrap(), "--allow", rule, "--json"]);
        assert_eq!((ran.code, ran.file()["verdict"].as_str()), (0, Some("valid")), "{rule}");
    }
}

/// Line and column as editors count them, worked out character by character.
fn place(bytes: &[u8], offset: usize) -> (u64, u64) {
    let before = String::from_utf8_lossy(&bytes[..offset]).into_owned();
    let line = before.matches('\n').count() as u64 + 1;
    let last = before.rsplit('\n').next().unwrap();
    (line, last.encode_utf16().count() as u64 + 1)
}

#[test]
fn places_are_exact_also_on_one_long_line() {
    let entry = |id: usize, member: &str| {
        format!(
            r#""agent:main:x:direct:{id}":{{"label":"äöü😀€","sessionId":"s{id}","updatedAt":1795223628227{member}}}"#
        )
    };
    for (between, map) in [(",", "--no-mmap"), (",", "-q"), (",\n  ", "-q")] {
        let all: Vec<String> = (0..60_000)
            .map(|id| entry(id, if id % 20_000 == 19_999 { ",\"status\":3" } else { "" }))
            .collect();
        let text = format!("{{{}}}", all.join(between));
        let ran = run_with(text.as_bytes(), &["-", "--json", map]);
        let file = ran.file();
        let list = file["problems"].as_array().unwrap();
        assert_eq!((list.len(), file["entries"].as_u64()), (3, Some(60_000)), "{}", ran.err);
        for (number, problem) in list.iter().enumerate() {
            let offset = problem["offset"].as_u64().unwrap() as usize;
            assert!(text[offset..].starts_with("3}") && text[..offset].ends_with("\"status\":"));
            let told = (problem["line"].as_u64().unwrap(), problem["column"].as_u64().unwrap());
            assert_eq!(told, place(text.as_bytes(), offset));
            let id = (number + 1) * 20_000 - 1;
            assert_eq!(problem["key"], format!("agent:main:x:direct:{id}"));
        }
    }
}

#[test]
fn real_files_are_valid_for_their_version() {
    let mut kinds: BTreeMap<String, u64> = BTreeMap::new();
    for version in ["2026.3.28", "2026.5.12"] {
        let dir = format!("testdata/openclaw-{version}");
        let ran = run(&[&dir, "--openclaw", version, "--json"]);
        for file in ran.json()["files"].as_array().unwrap() {
            let errors = file["errors"].as_u64();
            assert_eq!((errors, file["openclawReads"]["outcome"].as_str()), (Some(0), Some("all")), "{file}");
            assert!(file["entries"].as_u64() > Some(0), "{file}");
            *kinds.entry(file["kind"].as_str().unwrap().to_owned()).or_default() += 1;
        }
    }
    assert_eq!(
        kinds.keys().map(String::as_str).collect::<Vec<_>>(),
        ["jobs", "jobs-state", "run-log", "store"]
    );
    assert!(kinds.values().sum::<u64>() >= 10, "{kinds:?}");
}

/// How many jobs of each failing fixture the code of OpenClaw 2026.5.28 itself keeps (`normalizeCronJobInput`, then
/// `getInvalidPersistedCronJobReason`), run on them once.
const KEPT_BY_OPENCLAW: [(&str, u64, u64); 9] = [
    ("job-duplicate-id", 3, 3),
    ("job-future-time", 1, 1),
    ("job-legacy-field", 6, 6),
    ("job-malformed", 1, 5),
    ("job-no-id", 0, 3),
    ("job-payload", 0, 8),
    ("job-schedule", 1, 11),
    ("job-seconds", 1, 1),
    ("job-wrong-type", 1, 1),
];

#[test]
fn the_jobs_that_load_are_those_that_openclaw_keeps() {
    for (rule, kept, all) in KEPT_BY_OPENCLAW {
        let path = format!("testdata/validate/{rule}/fail.json");
        let file = run(&[&path, "--json", "--openclaw", "2026.5.28"]).file();
        assert_eq!(file["kind"], "jobs");
        let told = (file["openclawReads"]["entries"].as_u64(), file["entries"].as_u64());
        assert_eq!(told, (Some(kept), Some(all)), "{rule}");
        assert_eq!(file["openclawReads"]["outcome"], if kept == all { "all" } else { "partial" }, "{rule}");
        // Versions before that set no job aside.
        let early = run(&[&path, "--json", "--openclaw", "2026.5.12"]).file();
        let lost = if rule == "job-malformed" { 4 } else { 0 };
        assert_eq!(early["openclawReads"]["entries"].as_u64(), Some(all - lost), "{rule}");
    }
}

#[test]
fn what_a_file_holds_is_said_or_told_by_name_or_shape() {
    let told = |text: &str, args: &[&str]| {
        let file = run_with(text.as_bytes(), &[&["-", "--json"], args].concat()).file();
        (file["kind"].as_str().unwrap().to_owned(), file["verdict"].as_str().unwrap().to_owned())
    };
    let pair = |kind: &str, verdict: &str| (kind.to_owned(), verdict.to_owned());
    assert_eq!(told("{\"version\": 1, \"jobs\": []}", &[]), pair("jobs", "valid"));
    assert_eq!(told("{\"version\": 1, \"jobs\": {}}", &[]), pair("jobs-state", "valid"));
    assert_eq!(told("{\"ts\": 1, \"action\": \"begun\"}\n", &[]), pair("run-log", "problems"));
    assert_eq!(told("{}", &[]), pair("store", "valid"));
    assert_eq!(told("{}", &["--kind", "jobs"]), pair("jobs", "damaged"));
    assert_eq!(told("{}", &["--kind", "jobs-state"]), pair("jobs-state", "damaged"));
    assert_eq!(told("{}", &["--kind", "run-log"]), pair("run-log", "problems"));
    assert_eq!(told("", &["--kind", "run-log"]), pair("run-log", "valid"));
    // What is said counts, whatever the name.
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("sessions.json");
    fs::write(&path, "{\"version\": 1, \"jobs\": [null]}").unwrap();
    let named = run(&[path.to_str().unwrap(), "--json", "--kind", "jobs"]).file();
    assert_eq!(problems(&named), [("job-malformed".to_owned(), "error".to_owned())]);
    assert_eq!(run(&["-", "--kind", "transcript"]).code, 2);
}

#[test]
fn lists_of_jobs_load_in_the_shapes_that_each_version_knows() {
    let outcome = |text: &str, kind: &str, version: &str| {
        let args = ["-", "--json", "--kind", kind, "--openclaw", version];
        let file = run_with(text.as_bytes(), &args).file();
        (file["openclawReads"]["outcome"].as_str().unwrap().to_owned(), file["entries"].as_u64().unwrap())
    };
    let is = |outcome: &str, entries: u64| (outcome.to_owned(), entries);
    let job = r#"{"id":"a","schedule":{"kind":"every","everyMs":60000},"payload":{"kind":"systemEvent","text":"x"}}"#;
    let list = format!("[{job}]");
    assert_eq!(outcome(&list, "jobs", "2026.5.20"), is("empty", 0));
    assert_eq!(outcome(&list, "jobs", "2026.5.28"), is("all", 1));
    assert_eq!(outcome(&format!("{{\"jobs\":{list}}}"), "jobs", "2026.3.28"), is("all", 1));
    // Of two lists the last counts, as in JavaScript.
    assert_eq!(outcome(&format!("{{\"jobs\":[],\"jobs\":{list}}}"), "jobs", "2026.3.28"), is("all", 1));
    assert_eq!(outcome(&format!("{{\"jobs\":{list},\"jobs\":3}}"), "jobs", "2026.3.28"), is("empty", 0));
    // JSON5, with or without a byte order mark.
    assert_eq!(outcome(&format!("\u{feff}{{\"jobs\":{list}}}"), "jobs", "2026.3.28"), is("all", 1));
    assert_eq!(outcome(&format!("{{jobs: {list}, /* one */}}"), "jobs", "2026.3.28"), is("all", 1));
    assert_eq!(outcome("{jobs: [{id: 'a'}, 7]}", "jobs", "2026.5.28"), is("partial", 2));
    assert_eq!(outcome("{jobs: ", "jobs", "2026.3.28"), is("empty", 0));
    let state = r#"{"a":{"updatedAtMs":1795223167978,"state":{"runningAtMs":1795223167978}},"b":7}"#;
    assert_eq!(
        outcome(&format!("{{\"version\":1,\"jobs\":{state}}}"), "jobs-state", "2026.5.12"),
        is("partial", 2)
    );
    for broken in [
        format!("{{\"jobs\":{state}}}"),
        format!("{{\"version\":2,\"jobs\":{state}}}"),
        "{\"version\":1,\"jobs\":[]}".to_owned(),
    ] {
        assert_eq!(outcome(&broken, "jobs-state", "2026.5.12"), is("empty", 0), "{broken}");
    }
    // No nesting is too deep for it.
    let deep = format!(
        "{{\"version\":1,\"jobs\":[{{\"id\":\"a\",\"x\":{}{}}}]}}",
        "[".repeat(200_000),
        "]".repeat(200_000)
    );
    assert_eq!(outcome(&deep, "jobs", "2026.3.28"), is("all", 1));
}

#[test]
fn places_in_jobs_and_logs_are_exact() {
    let job = |id: usize, name: &str| {
        format!(
            r#"{{"id":"ä{id}","name":{name},"schedule":{{"everyMs":60000}},"payload":{{"text":"äöü😀"}}}}"#
        )
    };
    let jobs: Vec<String> =
        (0..2_000).map(|id| job(id, if id % 500 == 499 { "3" } else { "\"€\"" })).collect();
    let line = |ts: &str| format!(r#" {{"summary":"äöü😀","jobId":"j","action":"finished","ts":{ts}}}"#);
    let lines: Vec<String> =
        (0..2_000).map(|at| line(if at % 500 == 499 { "3e99" } else { "1795224663253" })).collect();
    for (text, kind, at) in [
        (format!("{{\"jobs\":[{}]}}", jobs.join(",")), "jobs", "3,\"schedule"),
        (format!("{{\"jobs\":\n[{}]}}", jobs.join("\n,  ")), "jobs", "3,\"schedule"),
        (format!("\u{feff}{}\r\n", lines.join("\r\n\n")), "run-log", "3e99"),
    ] {
        let ran = run_with(text.as_bytes(), &["-", "--json", "--kind", kind]);
        let file = ran.file();
        let list = file["problems"].as_array().unwrap();
        assert_eq!((list.len(), file["entries"].as_u64()), (4, Some(2_000)), "{} {}", ran.out, ran.err);
        for problem in list {
            let offset = problem["offset"].as_u64().unwrap() as usize;
            assert!(text[offset..].starts_with(at), "{problem}");
            let told = (problem["line"].as_u64().unwrap(), problem["column"].as_u64().unwrap());
            assert_eq!(told, place(text.as_bytes(), offset), "{problem}");
        }
        if kind == "jobs" {
            assert_eq!(list[1]["key"], "ä999");
        }
    }
    // Bytes that are no UTF-8 move nothing.
    let text = b"{\"jobs\":[{\"id\":\"\xff\",\"enabled\":1,\"schedule\":{\"everyMs\":9},\"payload\":{\"text\":\"\"}}]}";
    let file = run_with(text, &["-", "--json"]).file();
    assert_eq!(
        (file["problems"][0]["offset"].as_u64(), file["problems"][0]["column"].as_u64()),
        (Some(29), Some(30))
    );
}

#[test]
fn a_line_without_an_end_is_held_in_no_memory() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.jsonl");
    let file = fs::File::create(&path).unwrap();
    file.set_len(300 << 20).unwrap();
    let ran = run(&[path.to_str().unwrap(), "--json", "--kind", "run-log"]);
    assert_eq!(problems(&ran.file()), [("run-log-torn".to_owned(), "warning".to_owned())], "{}", ran.out);
    assert!(ran.out.contains("longer than 64 MiB"), "{}", ran.out);
}

#[test]
fn what_loads_and_with_how_many_keys_is_as_node_says() {
    let cases = recorded::cases().into_iter();
    let known = cases.map(|case| Known { name: case.name, bytes: case.input, roots: case.judgment.into() });
    assert_loads_as_node_says(&known.collect::<Vec<_>>());
}

#[test]
fn the_version_decides_what_is_lost() {
    let text = br#"{"agent:main:main": null, "agent:main:cron:j": {"updatedAt": 1}, "agent:main:x:direct:1": {"sessionId": "a/b", "updatedAt": 1795223628}}"#;
    let told = |version: &str| {
        let ran = run_with(text, &["-", "--json", "--openclaw", version]);
        let file = ran.file();
        let problems: Vec<String> =
            problems(&file).into_iter().map(|(id, severity)| format!("{severity} {id}")).collect();
        (file["openclawReads"]["entries"].as_u64().unwrap(), problems)
    };
    let early = [
        "warning malformed-entry",
        "warning entry-no-session-id",
        "warning malformed-session-id",
        "warning entry-seconds",
    ];
    assert_eq!(told("2026.3.28"), (3, early.map(str::to_owned).to_vec()));
    let middle = ["error malformed-entry", "warning malformed-session-id", "error entry-seconds"];
    assert_eq!(told("2026.5.12"), (3, middle.map(str::to_owned).to_vec()));
    let late = ["error malformed-entry", "error malformed-session-id", "error entry-seconds"];
    assert_eq!(told("2026.7.35"), (1, late.map(str::to_owned).to_vec()));
    let unknown = run(&["-", "--openclaw", "2026.9.6"]);
    assert_eq!(unknown.code, 2);
    assert!(unknown.err.contains("2026.3.28, ") && unknown.err.contains(" 2026.7.35"), "{}", unknown.err);
}

#[test]
fn the_session_of_a_run_is_what_stands_behind_the_last_colon_of_its_key() {
    let is_another = |run: &str, id: &str| {
        let text = format!(
            r#"{{"agent:main:cron:j:run:{run}": {{"x": 1, "sessionId": "{id}", "updatedAt": 1795223628227}}}}"#
        );
        let file = run_with(text.as_bytes(), &["-", "--json", "--openclaw", "2026.3.28"]).file();
        problems(&file).iter().any(|(rule, _)| rule == "entry-run-id-mismatch")
    };
    let id = "50c79840-3c00-4a06-a963-dbb586448d3f";
    for (run, id) in [(id, id), ("a", "a"), ("a", "A"), ("\\u0061", "a"), ("a", "\\u0061")] {
        assert!(!is_another(run, id), "{run} {id}");
    }
    for (run, id) in [("a", "b"), ("ba", "a"), ("a", "run:a"), (id, &id.replace('5', "6")), ("\\u0061", "b")]
    {
        assert!(is_another(run, id), "{run} {id}");
    }
}

#[test]
fn warnings_become_errors_where_that_is_asked_for() {
    let file = "testdata/validate/entry-legacy-field/fail.json";
    let severity = |args: &[&str]| {
        let ran = run(&[&[file, "--json"], args].concat());
        (ran.code, problems(&ran.file())[0].1.clone())
    };
    assert_eq!(severity(&[]), (1, "warning".to_owned()));
    assert_eq!(severity(&["--deny", "warning"]), (1, "error".to_owned()));
}

#[test]
fn people_see_the_place() {
    let ran = run(&["testdata/validate/entry-wrong-type/fail.json"]);
    let wanted = "testdata/validate/entry-wrong-type/fail.json:5:14: warning: entry-wrong-type
  agent:main:main: label is 7, where OpenClaw needs a string
  5 |     \"label\": 7
                   ^
1 file, 0 errors, 1 warning for OpenClaw 2026.7.35
";
    assert_eq!((ran.code, ran.out.as_str()), (1, wanted));
    let quiet = run(&["testdata/validate/entry-wrong-type/fail.json", "-q"]);
    assert_eq!((quiet.code, quiet.out.as_str()), (1, ""));
}

#[test]
fn what_cannot_be_looked_at_is_a_failure_and_the_rest_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let nothing = run(&[dir.path().to_str().unwrap(), "--json"]);
    assert_eq!((nothing.code, nothing.json()["complete"].as_bool()), (6, Some(false)));
    let missing = dir.path().join("missing.json");
    let ran = run(&[missing.to_str().unwrap(), "testdata/validate/store-empty/fail.json", "--json"]);
    assert_eq!((ran.code, ran.json()["files"].as_array().unwrap().len()), (6, 1));
    assert_eq!(ran.json()["findings"][0]["path"], missing.to_str().unwrap());
    assert!(!run(&[missing.to_str().unwrap()]).err.is_empty());
}

#[test]
fn names_are_hidden_where_that_is_asked_for() {
    let text = br#"{"agent:main:telegram:direct:4917012345": {"sessionId": "x/4917012345", "updatedAt": 1795223628227, "status": 3}}"#;
    for args in [&["-", "--redact", "--json"][..], &["-", "--redact"]] {
        let ran = run_with(text, args);
        assert_eq!(ran.code, 1);
        assert!(!ran.out.contains("4917012345") && ran.out.contains("malformed-session-id"), "{}", ran.out);
    }
}

#[test]
fn nothing_is_written() {
    let before = listing(&root().join("testdata"));
    run(&["testdata"]);
    assert_eq!(listing(&root().join("testdata")), before);
}

fn listing(dir: &Path) -> Vec<(PathBuf, std::time::SystemTime)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap().map(|entry| entry.unwrap()) {
        let modified = entry.metadata().unwrap().modified().unwrap();
        found.push((entry.path(), modified));
        if entry.path().is_dir() {
            found.extend(listing(&entry.path()));
        }
    }
    found.sort();
    found
}

#[test]
fn github_annotations_name_the_place_and_nothing_in_a_key_ends_them() {
    let text =
        br#"{"agent:main:a%,b\n::error::x": {"sessionId": "a", "updatedAt": 1795223628227, "status": 3}}"#;
    let ran = run_with(text, &["-", "--format", "github", "--allow", "entry-hybrid-key"]);
    let wanted = "::warning file=-,line=1,col=90,title=entry-wrong-type::agent:main:a%25,b%0A::error::x: status is 3, where OpenClaw needs a string\n";
    assert_eq!((ran.code, ran.out.as_str()), (1, wanted));
}

#[test]
fn sarif_is_what_its_schema_asks_for_and_holds_the_help() {
    let files = [
        "testdata/validate/entry-seconds/fail.json",
        "testdata/validate/store-bom/fail.json",
        "no-such-file",
    ];
    let ran = run(&[&files[..], &["--format", "sarif"]].concat());
    assert_eq!(ran.code, 6);
    // These types know every member of the published schema, and no other.
    let sarif: serde_sarif::sarif::Sarif = serde_json::from_str(&ran.out).unwrap();
    let run = &sarif.runs[0];
    let found: Vec<Option<&str>> =
        run.results.as_ref().unwrap().iter().map(|result| result.rule_id.as_deref()).collect();
    assert_eq!(found, [Some("entry-seconds"), Some("store-bom")]);
    let report: Value = serde_json::from_str(&ran.out).unwrap();
    let rules = &report["runs"][0]["tool"]["driver"]["rules"];
    assert!(rules[0]["help"]["markdown"].as_str().unwrap().contains("- Holds when: "));
    assert_eq!(rules[1]["id"], "store-bom");
    assert_eq!(report["runs"][0]["results"][1]["ruleIndex"], 1);
    let region = &report["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["region"];
    assert_eq!((&region["startLine"], &region["startColumn"]), (&5.into(), &18.into()));
    let invocation = &report["runs"][0]["invocations"][0];
    assert_eq!(invocation["executionSuccessful"], false);
    let note = invocation["toolExecutionNotifications"][0]["message"]["text"].as_str().unwrap();
    assert!(note.starts_with("no-such-file: "), "{note}");
}

#[test]
fn junit_has_a_suite_for_each_file_and_counts_what_it_leaves_out() {
    let entry = |id: usize| {
        format!(r#""agent:main:x:direct:{id}":{{"sessionId":"s","updatedAt":1795223628227,"status":3}}"#)
    };
    let text = format!("{{{}}}", (0..1002).map(entry).collect::<Vec<_>>().join(","));
    let ran = run_with(text.as_bytes(), &["-", "testdata/validate/alias-key/pass.json", "--format", "junit"]);
    let report = quick_junit::Report::deserialize_from_str(&ran.out).unwrap();
    assert_eq!((ran.code, report.tests, report.failures), (1, 1002, 1001));
    assert_eq!(report.test_suites.iter().map(|suite| suite.tests).collect::<Vec<_>>(), [1001, 1]);
    assert!(ran.out.contains("message=\"2 more problems\""));
}

#[test]
fn a_project_says_how_rules_count() {
    let dir = tempfile::tempdir().unwrap();
    let below = dir.path().join("a/b");
    fs::create_dir_all(&below).unwrap();
    let file = root().join("testdata/validate/entry-seconds/fail.json");
    let told = |settings: &str, args: &[&str]| {
        fs::write(dir.path().join("sessions-doctor.toml"), settings).unwrap();
        let mut command = Command::cargo_bin("sessions-doctor").unwrap();
        command.current_dir(&below).arg("validate").arg(&file).args(["--json", "--now", NOW]).args(args);
        let output = command.output().unwrap();
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        let severity = report["files"][0]["problems"][0]["severity"].as_str().map(str::to_owned);
        (output.status.code().unwrap(), severity)
    };
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(told("", &[]), (1, some("warning")));
    assert_eq!(told("[rules]\nentry-seconds = \"error\"\n", &[]), (1, some("error")));
    assert_eq!(told("[rules]\nentry-seconds = \"allow\"\n", &[]), (0, None));
    assert_eq!(told("[rules]\nentry-seconds = \"error\"\n", &["--allow", "entry-seconds"]), (0, None));
    assert_eq!(told("[rules]\nentry-seconds = \"warning\"\n", &["--deny", "warning"]), (1, some("error")));
    for slip in ["[rules]\nno-such-rule = \"error\"\n", "[rules]\nentry-seconds = \"off\"\n"] {
        assert_eq!(told(slip, &[]).0, 2, "{slip}");
    }
}
