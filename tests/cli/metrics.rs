//! Prevents metrics that Prometheus cannot read, that a collector reads half written, or that a dashboard asks for in vain; and a watch
//! that repeats itself.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::world::*;
use prometheus_parse::{Sample, Scrape, Value};

fn scrape(path: &Path) -> Vec<Sample> {
    let text = fs::read_to_string(path).unwrap();
    let lines = text.lines().map(|line| Ok(line.to_owned()));
    let samples = Scrape::parse(lines).unwrap().samples;
    let written = text.lines().filter(|line| !line.starts_with('#')).count();
    assert_eq!(samples.len(), written, "every line is a sample:\n{text}");
    samples
}

/// The value of a sample, by its name and one of its labels.
fn value(samples: &[Sample], name: &str, label: Option<(&str, &str)>) -> Option<f64> {
    let wanted = |sample: &&Sample| {
        sample.metric == format!("sessions_doctor_{name}")
            && label.is_none_or(|(name, value)| sample.labels.get(name) == Some(value))
    };
    samples.iter().find(wanted).map(|sample| match sample.value {
        Value::Gauge(value) | Value::Untyped(value) => value,
        ref other => panic!("{name} is no gauge: {other:?}"),
    })
}

#[test]
fn metrics_tell_what_the_report_tells() {
    let world = World::looping();
    let file = world.root.join("sessions.prom");
    let args = ["check", "--json", "--metrics", file.to_str().unwrap()];
    let report = world.stopped(&args).exits(1).json();
    let samples = scrape(&file);
    let store = &report["stores"][0];
    assert_eq!(value(&samples, "store_size_bytes", None), store["bytes"].as_f64());
    let classes = store["classes"].as_object().unwrap();
    assert!(classes.len() > 3, "{store}");
    for (class, tally) in classes {
        assert_eq!(
            value(&samples, "store_entries", Some(("class", class))),
            tally["entries"].as_f64(),
            "{class}"
        );
    }
    assert_eq!(
        (value(&samples, "exit_code", None), value(&samples, "gateway_running", None)),
        (Some(1.0), Some(0.0))
    );
    let missing = finding(&report, "missing-transcript").unwrap()["count"].as_f64();
    assert_eq!(value(&samples, "findings", Some(("rule", "missing-transcript"))), missing);
    assert_eq!(value(&samples, "guard_recent_starts", None), None, "it was never started");
    let facts = fs::metadata(&file).unwrap();
    assert_eq!(facts.permissions().mode() & 0o777, 0o644, "node_exporter runs as somebody else");
    world.stopped(&["guard"]).exits(0);
    world.stopped(&args).exits(0);
    let samples = scrape(&file);
    assert_eq!(value(&samples, "guard_recent_starts", None), Some(1.0));
    let ago = value(&samples, "last_check_timestamp_seconds", None).unwrap()
        - value(&samples, "guard_last_action_timestamp_seconds", None).unwrap();
    assert!((0.0..60.0).contains(&ago), "{ago}");
    assert_ne!(fs::metadata(&file).unwrap().ino(), facts.ino(), "a file of its own took its place");
    let beside = fs::read_dir(&world.root).unwrap().map(|entry| entry.unwrap().file_name());
    assert!(beside.into_iter().all(|name| !name.to_string_lossy().ends_with(".tmp")));
}

#[test]
fn metrics_hide_what_they_are_asked_to_hide() {
    let world = World::looping();
    let file = world.root.join("sessions.prom");
    world.stopped(&["check", "--redact", "--metrics", file.to_str().unwrap()]).exits(1);
    let text = fs::read_to_string(&file).unwrap();
    let secret = world.root.file_name().unwrap().to_str().unwrap();
    assert!(!text.contains(secret), "{text}");
    scrape(&file);
}

#[test]
fn a_file_that_cannot_be_written_is_said_and_hides_no_finding() {
    let world = World::looping();
    let before = world.tree();
    let ran = world.stopped(&["check", "--metrics", "/nowhere/at/all/x.prom"]).exits(6);
    assert!(ran.err.contains("the metrics were not written to /nowhere/at/all/x.prom"), "{ran}");
    assert!(ran.out.contains("zombie"), "{ran}");
    assert_eq!(world.tree(), before);
}

/// Names of metrics in a text.
fn names(text: &str) -> BTreeSet<String> {
    let word = |char: char| char.is_ascii_alphanumeric() || char == '_';
    let words = text.split(|char| !word(char)).filter(|word| word.starts_with("sessions_doctor_"));
    words.map(str::to_owned).collect()
}

#[test]
fn pages_dashboard_and_alerts_ask_for_metrics_that_exist() {
    let world = World::new();
    let record = |number: i64| {
        let id = format!("s-{number}");
        entry(run(JOB, &id), &id, HOUR + number * 10 * MINUTE, &[])
    };
    world.put(STORE, store(&(0..200).map(record).collect::<Vec<_>>()));
    world.put("cron/jobs.json", jobs(&[JOB]));
    world.stopped(&["guard"]).exits(0);
    world.put(STORE, store(&(0..200).map(record).collect::<Vec<_>>()));
    let file = world.root.join("sessions.prom");
    world.stopped(&["check", "--metrics", file.to_str().unwrap()]);
    let known = names(&fs::read_to_string(&file).unwrap());
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    for page in ["monitoring.md", "grafana-dashboard.json", "alerts.yml"] {
        let text = fs::read_to_string(docs.join(page)).unwrap();
        let asked = names(&text);
        assert!(asked.len() > 3, "{page}");
        let unknown: Vec<&String> = asked.difference(&known).collect();
        assert!(unknown.is_empty(), "{page}: {unknown:?}");
        if page == "monitoring.md" {
            assert_eq!(asked, known, "the page lists them all");
        }
    }
    let dashboard: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(docs.join("grafana-dashboard.json")).unwrap()).unwrap();
    assert!(dashboard["panels"].as_array().unwrap().len() > 4);
}

#[test]
fn a_watch_tells_everything_once_and_then_only_what_changed() {
    let world = World::looping();
    let mut command = world.bare();
    command.args(["check", "--watch", "1s", "--gateway", "stopped", "--state-dir"]).arg(&world.state);
    command.args(["--now", NOW_TEXT]).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let first: Vec<String> = lines.by_ref().take_while(|line| !line.starts_with("Next:")).collect();
    assert!(first.iter().any(|line| line.contains("zombie")), "{first:?}");
    let mut entries = looping();
    entries.push(entry("agent:main:telegram:direct:9", "s-nine", DAY, &[]));
    world.put(STORE, store(&entries));
    let told = lines.by_ref().find(|line| line.contains("10 entries")).unwrap();
    assert!(told.contains(" UTC  ") && told.contains(world.store().to_str().unwrap()), "{told}");
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let rest: Vec<String> = lines.filter(|line| line.contains("entries")).collect();
    assert!(rest.is_empty(), "nothing else changed: {rest:?}");
    assert_eq!(child.wait().unwrap().code(), Some(130));
}

#[test]
fn a_watch_without_a_unit_or_without_a_pause_is_a_slip() {
    let world = World::looping();
    for interval in ["30", "0s", "10ms", "soon"] {
        world.stopped(&["check", "--watch", interval]).exits(2);
    }
}
