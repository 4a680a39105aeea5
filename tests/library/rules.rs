//! Prevents a session from being removed, healed or left alone against the contract: every rule, protection and
//! limit of `docs/interface.md` as a table of small state directories and the verdicts that they must get.
//!
//! The cases are the files in `testdata/rules/`; the README there says how one is written. This file only builds each
//! directory, runs the binary on it in an environment without anything of ours, and compares. A case that names what
//! it `shows` must show it, and one that names what it `misses` must not: a rule that is never told apart from
//! something close to it is not tested.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::Deserialize;
use serde_json::Value;
use sessions_doctor::openclaw::time::format_iso_ms;

/// 2026-03-01T00:00:00Z: the clock of every case that needs no process of this host.
const NOW: i64 = 1_772_323_200_000;
const STORE: &str = "agents/main/sessions/sessions.json";

/// What every case has unless it says otherwise: one known job, `j`, that takes an hour at most.
const JOBS: &str = r#"{"version":1,"jobs":[{"id":"j","payload":{"kind":"agentTurn"}}]}"#;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    case: Vec<Case>,
}

/// One case; see `testdata/rules/README.md`.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    #[serde(default)]
    shows: Vec<String>,
    #[serde(default)]
    misses: Vec<String>,
    #[serde(default = "stopped")]
    gateway: String,
    #[serde(default)]
    options: Vec<String>,
    #[serde(default)]
    jobs: Option<String>,
    #[serde(default)]
    log: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    registry: Option<String>,
    #[serde(default)]
    transcripts: BTreeMap<String, String>,
    #[serde(default)]
    locks: BTreeMap<String, String>,
    #[serde(default)]
    files: BTreeMap<String, String>,
    #[serde(default)]
    store: String,
    #[serde(default)]
    repeat: Vec<Repeat>,
    #[serde(default)]
    expect: Vec<String>,
    #[serde(default)]
    edits: Vec<String>,
    #[serde(default)]
    brakes: Vec<String>,
}

/// Entries that differ in a number only.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Repeat {
    from: u32,
    to: u32,
    entry: String,
    expect: String,
}

fn stopped() -> String {
    "stopped".to_owned()
}

/// The class of every rule, as the contract has it; `-` for what is no class.
const CLASSES: [(&str, &str); 16] = [
    ("duplicate-key", "-"),
    ("slim-cache", "-"),
    ("malformed-entry", "malformed"),
    ("malformed-session-id", "malformed"),
    ("alias-key", "malformed"),
    ("zombie-finished", "zombie"),
    ("zombie-dead-owner", "zombie"),
    ("zombie-superseded", "zombie"),
    ("zombie-overdue", "zombie"),
    ("orphan-job", "orphaned"),
    ("orphan-parent", "orphaned"),
    ("stale-run", "stale"),
    ("stale-session", "stale"),
    ("surplus-run", "surplus"),
    ("surplus-entry", "surplus"),
    ("live", "live"),
];

const PROTECTIONS: [&str; 18] = [
    "protected-main",
    "protected-direct",
    "protected-group",
    "protected-channel",
    "protected-thread",
    "protected-acp",
    "protected-cli",
    "protected-pinned",
    "protected-heartbeat",
    "protected-in-use",
    "protected-base-cron",
    "protected-job-target",
    "protected-parent",
    "protected-resumable",
    "protected-pending",
    "protected-settings",
    "protected-unknown",
    "protected-keep",
];

const FLAGS: [&str; 11] = [
    "--grace",
    "--max-running",
    "--run-retention",
    "--prune-after",
    "--conversations",
    "--budget",
    "--max-entries",
    "--only",
    "--keep",
    "--confidence",
    "--allow-removal",
];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/rules")
}

fn table(file: &str) -> Vec<Case> {
    let text = fs::read_to_string(folder().join(file)).unwrap();
    let table: Table = toml::from_str(&text).unwrap_or_else(|error| panic!("{file}: {error}"));
    table.case
}

fn files() -> Vec<String> {
    let names =
        fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter(|name| name.ends_with(".toml")).collect();
    names.sort();
    names
}

/// `@-3h` and the like become epoch milliseconds, `@iso-3h` RFC 3339, `@s-3h` seconds; `{n}` has gone before.
fn times(text: &str, now: i64) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('@') {
        let (before, after) = rest.split_at(at);
        out.push_str(before);
        let body = &after[1..];
        let (form, body) = ["iso", "s"]
            .into_iter()
            .find_map(|form| body.strip_prefix(form).map(|body| (form, body)))
            .unwrap_or(("ms", body));
        let end = body.find(|c: char| !"+-".contains(c) && !c.is_ascii_digit() && !"dhms".contains(c));
        let (span, tail) = body.split_at(end.unwrap_or(body.len()));
        let Some(offset) = offset(span) else {
            out.push('@');
            rest = &after[1..];
            continue;
        };
        match form {
            "iso" => out.push_str(&format_iso_ms(now + offset)),
            "s" => out.push_str(&((now + offset) / 1000).to_string()),
            _ => out.push_str(&(now + offset).to_string()),
        }
        rest = tail;
    }
    out + rest
}

fn offset(span: &str) -> Option<i64> {
    let sign = match span.chars().next()? {
        '+' => 1,
        '-' => -1,
        _ => return None,
    };
    humantime::parse_duration(&span[1..]).ok().map(|span| sign * i64::try_from(span.as_millis()).unwrap())
}

impl Case {
    fn entries(&self) -> String {
        let mut members: Vec<String> = Vec::new();
        if !self.store.trim().is_empty() {
            members.push(self.store.trim().trim_end_matches(',').to_owned());
        }
        for repeat in &self.repeat {
            members.extend((repeat.from..=repeat.to).map(|n| repeat.entry.replace("{n}", &n.to_string())));
        }
        format!("{{\n{}\n}}", members.join(",\n"))
    }

    /// `KEY RULE ACTION CONFIDENCE PROTECTION`, blanks made one.
    fn expected(&self) -> Vec<String> {
        let repeated = self.repeat.iter().flat_map(|repeat| {
            (repeat.from..=repeat.to).map(|n| repeat.expect.replace("{n}", &n.to_string()))
        });
        let lines = self.expect.iter().cloned().chain(repeated);
        lines.map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
    }

    fn build(&self, dir: &Path, now: i64) {
        let put = |path: &str, text: &str| {
            let path = dir.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, times(text, now)).unwrap();
        };
        match self.jobs.as_deref() {
            None => put("cron/jobs.json", JOBS),
            Some("missing") => {}
            Some(text) => put("cron/jobs.json", text),
        }
        for (job, lines) in &self.log {
            let whole = |line: &String| match line.strip_prefix('{') {
                Some(rest) => format!("{{\"action\":\"finished\",\"jobId\":\"{job}\",{rest}\n"),
                None => format!("{line}\n"),
            };
            put(&format!("cron/runs/{job}.jsonl"), &lines.iter().map(whole).collect::<String>());
        }
        if let Some(rows) = &self.registry {
            let rows = if rows.starts_with('{') {
                format!("{{\"version\":2,\"runs\":{rows}}}")
            } else {
                rows.clone()
            };
            put("subagents/runs.json", &rows);
        }
        for (name, text) in &self.transcripts {
            put(&format!("agents/main/sessions/{name}"), text);
        }
        for (name, owner) in &self.locks {
            let text = match owner.as_str() {
                "dead" => "{\"pid\":4194304,\"createdAt\":\"@iso-1h\"}".to_owned(),
                "live" => format!("{{\"pid\":{},\"createdAt\":\"@iso-1h\"}}", std::process::id()),
                other => other.to_owned(),
            };
            put(&format!("agents/main/sessions/{name}"), &text);
        }
        for (path, text) in &self.files {
            put(path, text);
        }
        put(STORE, &self.entries());
    }

    fn run(&self) -> Result<(), String> {
        let dir = tempfile::tempdir().unwrap();
        let state = fs::canonicalize(dir.path()).unwrap().join("state");
        fs::create_dir(&state).unwrap();
        let gateway = (self.gateway == "live").then(|| Gateway::start(&state));
        let now = if gateway.is_some() { real_now() } else { NOW };
        self.build(&state, now);
        let word = if gateway.is_some() { "auto" } else { self.gateway.as_str() };
        let output = Command::new(env!("CARGO_BIN_EXE_sessions-doctor"))
            .env_clear()
            .env("HOME", dir.path())
            .env("TMPDIR", dir.path())
            .current_dir(dir.path())
            .args(["check", "--json", "--entries", "all", "--gateway", word, "--now", &now.to_string()])
            .arg("--state-dir")
            .arg(&state)
            .args(self.options.iter().map(|option| self.sized(option, &state)))
            .output()
            .unwrap();
        let report: Value = serde_json::from_slice(&output.stdout)
            .map_err(|error| format!("{error}: {}", String::from_utf8_lossy(&output.stderr)))?;
        self.compare(&report, now)
    }

    /// `SIZE` and `SIZE-n` are the size of the store, and n bytes less.
    fn sized(&self, option: &str, state: &Path) -> String {
        let Some(less) = option.strip_prefix("SIZE") else { return option.to_owned() };
        let size = fs::metadata(state.join(STORE)).unwrap().len();
        let less: u64 = less.trim_start_matches('-').parse().unwrap_or(0);
        format!("{}B", size - less)
    }

    fn compare(&self, report: &Value, now: i64) -> Result<(), String> {
        let stores = report["stores"].as_array().unwrap();
        let changes: Vec<&Value> = stores.iter().flat_map(|s| s["changes"].as_array().unwrap()).collect();
        let mut wrong = Vec::new();
        let got: Vec<String> = changes.iter().map(|change| row(change)).collect();
        let expected = self.expected();
        for at in 0..got.len().max(expected.len()) {
            let (want, have) = (expected.get(at), got.get(at));
            if want != have {
                let none = "(nothing)".to_owned();
                let reasons = changes.get(at).map(|change| change["reasons"].to_string()).unwrap_or_default();
                wrong.push(format!(
                    "  expected {}\n  got      {}  {reasons}",
                    want.unwrap_or(&none),
                    have.unwrap_or(&none)
                ));
            }
        }
        for change in &changes {
            let rule = change["rule"].as_str().unwrap();
            let class = CLASSES.iter().find(|(id, _)| *id == rule).map(|(_, class)| *class);
            if class != Some(change["class"].as_str().unwrap_or("-")) {
                wrong.push(format!("  {rule} is of the class {}", change["class"]));
            }
        }
        let names = |change: &&Value| {
            let word = |name: &str| change[name].as_str().map(str::to_owned);
            [word("rule"), word("protectedBy")].into_iter().flatten().collect::<Vec<_>>()
        };
        let seen: BTreeSet<String> = changes.iter().flat_map(names).collect();
        wrong.extend(
            self.shows.iter().filter(|id| !seen.contains(*id)).map(|id| format!("  does not show {id}")),
        );
        wrong.extend(self.misses.iter().filter(|id| seen.contains(*id)).map(|id| format!("  shows {id}")));
        same(&mut wrong, "edits", edits(&changes), self.edits.iter().map(|line| times(line, now)).collect());
        same(&mut wrong, "brakes", brakes(stores), self.brakes.clone());
        if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n")) }
    }
}

fn same(wrong: &mut Vec<String>, what: &str, got: Vec<String>, expected: Vec<String>) {
    if got != expected {
        wrong.push(format!("  {what}: expected {expected:?}\n  {what}: got      {got:?}"));
    }
}

fn row(change: &Value) -> String {
    let word = |name: &str| change[name].as_str().unwrap_or("-").to_owned();
    ["key", "rule", "action", "confidence", "protectedBy"].map(word).join(" ").trim_start().to_owned()
}

fn edits(changes: &[&Value]) -> Vec<String> {
    let of = |change: &&Value| {
        let key = change["key"].as_str().unwrap().to_owned();
        let line = |edit: &Value| {
            format!("{key} {} {} -> {}", edit["field"].as_str().unwrap(), edit["old"], edit["new"])
        };
        change["edits"].as_array().unwrap().iter().map(line).collect::<Vec<_>>()
    };
    let healed = changes.iter().filter(|change| change["action"] == "heal");
    healed.flat_map(of).collect()
}

fn brakes(stores: &[Value]) -> Vec<String> {
    let of = |brake: &Value| {
        format!(
            "{} {} {}",
            brake["family"].as_str().unwrap(),
            brake["share"].as_f64().unwrap(),
            brake["entries"]
        )
    };
    stores.iter().flat_map(|store| store["brakes"].as_array().unwrap()).map(of).collect()
}

fn real_now() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}

/// A process that holds the gateway lock of a state directory. It started some seconds ago, for the kernel tells that
/// time to the second.
struct Gateway(Child);

impl Gateway {
    fn start(state: &Path) -> Self {
        let child = Command::new("sleep").arg("120").stdin(Stdio::null()).spawn().unwrap();
        let pid = child.id();
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
        let ticks: u64 =
            stat.rsplit_once(')').unwrap().1.split_whitespace().nth(19).unwrap().parse().unwrap();
        let uid = fs::metadata("/proc/self")
            .map(|metadata| std::os::unix::fs::MetadataExt::uid(&metadata))
            .unwrap();
        let locks = state.join(format!("tmp/openclaw-{uid}"));
        fs::create_dir_all(&locks).unwrap();
        fs::write(locks.join("gateway.state.lock"), format!("{{\"pid\":{pid},\"startTime\":{ticks}}}"))
            .unwrap();
        std::thread::sleep(Duration::from_millis(2500));
        Gateway(child)
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn hold(file: &str) {
    let failed: Vec<String> = table(file)
        .iter()
        .filter_map(|case| case.run().err().map(|why| format!("{}:\n{why}", case.name)))
        .collect();
    assert!(failed.is_empty(), "{file}: {} cases\n\n{}\n", failed.len(), failed.join("\n\n"));
}

macro_rules! tables {
    ($($name:ident: $file:literal;)*) => {
        const TABLES: &[&str] = &[$($file),*];
        $(#[test] fn $name() { hold($file); })*
    };
}

tables! {
    brakes_hold: "brakes.toml";
    healing_holds: "heal.toml";
    runs_in_flight_hold: "in-flight.toml";
    families_hold: "keys.toml";
    limits_hold: "limits.toml";
    malformed_entries_hold: "malformed.toml";
    orphans_hold: "orphans.toml";
    protections_hold: "protections.toml";
    stale_sessions_hold: "stale.toml";
    times_hold: "times.toml";
    zombies_hold: "zombies.toml";
}

#[test]
fn every_table_is_run_and_every_name_is_given_once() {
    assert_eq!(files(), TABLES);
    let names: Vec<String> = TABLES.iter().flat_map(|file| table(file)).map(|case| case.name).collect();
    let unique: BTreeSet<&String> = names.iter().collect();
    assert_eq!(names.len(), unique.len(), "a name stands twice");
    assert!(names.len() >= 120, "{}", names.len());
}

#[test]
fn every_rule_protection_and_limit_has_cases() {
    let cases: Vec<Case> = TABLES.iter().flat_map(|file| table(file)).collect();
    let mut missing = Vec::new();
    let ids = CLASSES.iter().map(|(id, _)| *id).chain(PROTECTIONS);
    for id in ids {
        for (kind, any) in [
            ("shows", cases.iter().any(|case| case.shows.iter().any(|shown| shown == id))),
            ("misses", cases.iter().any(|case| case.misses.iter().any(|missed| missed == id))),
        ] {
            if !any {
                missing.push(format!("{kind} {id}"));
            }
        }
    }
    for flag in FLAGS {
        if cases.iter().filter(|case| case.options.iter().any(|option| option == flag)).count() < 2 {
            missing.push(format!("two cases with {flag}"));
        }
    }
    assert!(missing.is_empty(), "no case {}", missing.join(", no case "));
}
