//! Prevents: a schema of reports that refuses what the program prints, or that still takes a report with a slip; words that it lists and
//! nobody says, or that are said and not listed.
//!
//! Every report that a test here or elsewhere reads is held against it by `Ran::json`.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::database::*;
use crate::samples;
use crate::schema::Schema;
use crate::world::*;
use clap::CommandFactory;
use serde_json::{Value, json};
use sessions_doctor::cli::args::Cli;
use sessions_doctor::evidence::copies::CopyKind;
use sessions_doctor::evidence::named::FileKind;
use sessions_doctor::exit::Exit;
use sessions_doctor::model::verdict::Protection;
use sessions_doctor::plan::decision::Held;
use sessions_doctor::report::schema::{self, words};

/// A session that nothing refers to.
const LOST: &str = "0f908179-10f4-42bd-9ae3-d5d2feb993a0";

/// Reports, each with the words that it came by.
#[derive(Default)]
struct Reports(Vec<(String, Value)>);

impl Reports {
    /// Runs the program on a world whose gateway is stopped.
    fn of(&mut self, world: &World, args: &[&str]) {
        self.take(args, &world.stopped(&[args, &["--json"]].concat()));
    }

    fn take(&mut self, args: &[&str], ran: &Ran) {
        assert!(!ran.out.is_empty(), "{args:?}: {ran}");
        self.0.push((args.join(" "), ran.json()));
    }
}

fn validate(world: &World, args: &[&str]) -> Ran {
    let root = env!("CARGO_MANIFEST_DIR");
    let mut command = world.bare();
    command.current_dir(root).args(["validate", "--json", "--now", NOW_TEXT]).args(args);
    world.finish(&mut command)
}

/// A transcript of [`LOST`] that nobody added to for weeks.
fn transcript() -> String {
    format!(
        "{{\"type\":\"session\",\"version\":3,\"id\":\"{LOST}\",\"timestamp\":\"2026-10-01T00:00:00.000Z\",\"cwd\":\"/x\"}}\n"
    )
}

/// Stores in which there is something of everything to do.
fn of_stores(reports: &mut Reports) {
    let world = World::looping();
    let dry = ["check", "prune", "slim", "recover", "cron", "sweep", "undo"];
    dry.iter().for_each(|verb| reports.of(&world, &[verb, "--entries", "all"]));
    reports.of(&world, &["check", "--entries", "none"]);
    reports.of(&world, &["check", "--entries", "all", "--redact"]);
    reports.of(&world, &["guard", "--check-only", "--strict"]);
    for verb in [
        &["prune", "--apply"][..],
        &["undo"],
        &["undo", "latest"],
        &["guard", "--strict"],
        &["slim", "--compact", "--apply"],
    ] {
        reports.of(&world, verb);
    }
    reports.of(&world, &["undo", "--redact"]);
    // Grows, is full of caches, and has hooks of which too many would go.
    let skills = quoted(&"Read the mail. ".repeat(80));
    let caches = [("skillsSnapshot", format!("{{\"prompt\": {skills}}}"))];
    let caches: Vec<(&str, &str)> = caches.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let mut entries: Vec<Entry> = (0..300)
        .map(|at| entry(run(JOB, &format!("s-{at}")), &format!("s-{at}"), HOUR + at * 10 * MINUTE, &caches))
        .collect();
    let ended = (NOW - 90 * DAY).to_string();
    let over = [("status", "\"done\""), ("endedAt", ended.as_str())];
    entries.extend(
        (0..30).map(|at| entry(format!("agent:main:hook:{at}"), &format!("h-{at}"), 90 * DAY, &over)),
    );
    let long = format!("agent:main:telegram:direct:{}", "ü".repeat(900));
    entries.push(entry(long, "s-long", DAY, &[]));
    let world = World::new();
    world.put(STORE, store(&entries));
    world.put("cron/jobs.json", jobs(&[JOB]));
    let limit = json!({"gateway": {"nodeOptions": "--max-old-space-size=512"}});
    world.put("openclaw.json", limit.to_string());
    reports.of(&world, &["check", "--entries", "all"]);
    reports.of(&world, &["prune", "--slim", "--budget", "100kB"]);
}

/// Stores that OpenClaw takes for empty, and what is had back of them.
fn of_damage(reports: &mut Reports) {
    let text = store(&looping());
    let damaged = [
        text[..text.len() / 2].to_owned(),
        format!("\u{feff}{text}"),
        format!("{text}\n}}]"),
        text.replacen("},\n", "}\n", 1),
        "[]".to_owned(),
        String::new(),
    ];
    for text in damaged {
        let world = World::looping();
        world.put(&format!("{STORE}.bak.{}", NOW - DAY), store(&looping()[..3]));
        world.put(STORE, text);
        reports.of(&world, &["check"]);
        reports.of(&world, &["recover", "--entries", "all"]);
        reports.of(&world, &["recover", "--apply"]);
        reports.of(&world, &["undo"]);
    }
    let world = World::looping();
    fs::remove_file(world.store()).unwrap();
    world.put(&format!("{STORE}.bak.{}", NOW - DAY), store(&looping()));
    reports.of(&world, &["check"]);
    reports.of(&world, &["guard", "--strict"]);
}

/// What lies beside the stores: jobs, transcripts, rows of the registry, units.
fn beside_stores(reports: &mut Reports) {
    let world = World::looping();
    world.put(
        "cron/jobs.json",
        jobs(&[JOB]).replace("\"state\": {", &format!("\"state\": {{\"runningAtMs\": {},", NOW - DAY)),
    );
    let runs = (0..12).map(|at| {
        finished(JOB, Some("s-old"), NOW - 3 * DAY + at * HOUR, NOW - 3 * DAY + at * HOUR - MINUTE)
    });
    world.put(&format!("cron/runs/{JOB}.jsonl"), runs.collect::<String>());
    for args in [&["cron"][..], &["cron", "--apply"], &["undo"], &["undo", "latest"]] {
        reports.of(&world, args);
    }
    let world = World::looping();
    let sessions = "agents/main/sessions";
    world.put(&format!("{sessions}/{LOST}.jsonl"), transcript());
    let row = json!({"runId": "r", "childSessionKey": "agent:main:subagent:gone", "requesterSessionKey": "agent:main:main",
        "createdAt": NOW - 80 * DAY, "startedAt": NOW - 80 * DAY, "endedAt": NOW - 80 * DAY});
    world.put("subagents/runs.json", json!({"version": 2, "runs": {"r": row}}).to_string());
    for args in [
        &["sweep"][..],
        &["sweep", "--archive"],
        &["sweep", "--delete"],
        &["sweep", "--apply"],
        &["undo"],
        &["undo", "latest"],
    ] {
        reports.of(&world, args);
    }
    let world = World::new();
    let units = world.home.join(".config/systemd/user");
    fs::create_dir_all(&units).unwrap();
    fs::write(units.join("openclaw-gateway.service"), "[Service]\nExecStart=/bin/true gateway\n").unwrap();
    let state = world.state.to_str().unwrap();
    let mut hook = |args: &[&str]| {
        let ran = world.finish(world.bare().args(["hook", "--json"]).args(args));
        reports.take(&[&["hook"], args].concat(), &ran);
    };
    for args in [
        &[][..],
        &["--install"],
        &["--install"],
        &["--install", "--metrics", "/var/lib/x.prom", "--state-dir", state],
        &["--uninstall"],
        &["--uninstall"],
    ] {
        hook(args);
    }
    fs::write(units.join("sessions-doctor.timer"), "[Timer]\n").unwrap();
    hook(&["--install"]);
}

/// Databases, a gateway that runs, and looks that come to nothing.
fn of_other_worlds(reports: &mut Reports) {
    let world = World::looping();
    drop(database(&world, STATE_DATABASE, "CREATE TABLE cron_jobs (store_key TEXT, job_id TEXT)"));
    reports.of(&world, &["check"]);
    drop(database(&world, AGENT_DATABASE, SESSION_NODES));
    reports.of(&world, &["check", "--entries", "all"]);
    reports.of(&world, &["prune", "--apply"]);
    let world = World::looping();
    let _gateway = Alive::gateway(&world);
    reports.take(&["check"], &world.run(&["check", "--json"]));
    reports.of(&world, &["prune", "--apply"]);
    let world = World::looping();
    reports.of(&world, &["prune", "--apply", "--keep", "nothing*"]);
    reports.of(&world, &["undo", "no-such-run"]);
    reports.of(&world, &["check", "--store", "no/such.json"]);
    let mut command = world.bare();
    let ran =
        world.finish(command.args(["explain", "agent:main:main", "--json", "--state-dir", "/no/such/place"]));
    reports.take(&["explain"], &ran);
}

/// The real state directories, as they are and written to.
fn of_samples(reports: &mut Reports) {
    for name in samples::SAMPLES {
        let sample = samples::expected(name);
        let world = World::new();
        samples::copy(name, &world.state).unwrap();
        let mut run = |args: &[&str]| {
            let mut command = world.bare();
            command.args(args).args(["--json", "--now", &sample.now, "--gateway", &sample.gateway]);
            let ran = world.finish(command.arg("--state-dir").arg(&world.state));
            reports.take(args, &ran);
        };
        let verbs = ["check", "prune", "slim", "recover", "cron", "sweep", "guard"];
        verbs[..6].iter().for_each(|verb| run(&[verb, "--entries", "all"]));
        verbs
            .iter()
            .filter(|verb| **verb != "check" && **verb != "guard")
            .for_each(|verb| run(&[verb, "--apply"]));
        run(&["undo"]);
    }
}

fn of_validate(reports: &mut Reports) {
    let world = World::new();
    let files = ["testdata/validate", "testdata/openclaw-2026.3.28", "no-such-file", "--redact"];
    let mut all = vec![
        files.to_vec(),
        vec!["testdata", "--allow", "no-such-rule"],
        vec!["testdata", "--deny", "warning"],
    ];
    let fixtures = stores_of_fixtures();
    all.push(fixtures.iter().map(String::as_str).collect());
    for args in all {
        reports.take(&["validate", args[0]], &validate(&world, &args));
    }
}

/// Fixtures have names of their own, so that each has to be named.
fn stores_of_fixtures() -> Vec<String> {
    let dirs = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/validate")).unwrap();
    let dirs = dirs.map(|entry| entry.unwrap().path()).filter(|path| path.is_dir());
    dirs.map(|dir| dir.join("fail.json").to_str().unwrap().to_owned()).collect()
}

fn reports() -> Vec<(String, Value)> {
    let mut reports = Reports::default();
    of_stores(&mut reports);
    of_damage(&mut reports);
    beside_stores(&mut reports);
    of_other_worlds(&mut reports);
    of_samples(&mut reports);
    of_validate(&mut reports);
    reports.0
}

/// Members of objects with a fixed set of them that were seen with a value in them, by the definition that they belong to.
struct Seen<'a> {
    schema: &'a Value,
    members: BTreeSet<String>,
}

impl Seen<'_> {
    fn see(&mut self, owner: &str, schema: &Value, value: &Value) {
        if let Some(reference) = schema["$ref"].as_str() {
            let name = reference.rsplit('/').next().unwrap();
            let schema = self.schema["$defs"][name].clone();
            return self.see(name, &schema, value);
        }
        let forms = schema["anyOf"].as_array().into_iter().flatten();
        forms.for_each(|form| self.see(owner, form, value));
        match value {
            Value::Object(members) => {
                for (name, value) in members {
                    match (schema["properties"].get(name), &schema["additionalProperties"]) {
                        (Some(of_member), _) => {
                            if !value.is_null() && *value != json!([]) && *value != json!({}) {
                                self.members.insert(format!("{owner}.{name}"));
                            }
                            self.see(owner, of_member, value);
                        }
                        (None, of_others) => self.see(owner, of_others, value),
                    }
                }
            }
            Value::Array(values) => values.iter().for_each(|value| self.see(owner, &schema["items"], value)),
            _ => {}
        }
    }
}

#[test]
fn what_every_verb_prints_is_what_the_schema_says_and_the_schema_says_no_more() {
    let document = schema::document();
    let mut seen = Seen { schema: &document, members: BTreeSet::new() };
    let reports = reports();
    assert!(reports.len() > 80, "{}", reports.len());
    for (args, report) in &reports {
        assert_eq!(against_schema(report), [""; 0], "{args}");
        let form = if report.get("stores").is_some() { "then" } else { "else" };
        seen.see("", &document[form], report);
    }
    let verbs: BTreeSet<&str> =
        reports.iter().map(|(_, report)| report["command"].as_str().unwrap()).collect();
    assert_eq!(verbs, words::verbs().into_iter().collect());
    let deeds: BTreeSet<&str> = reports
        .iter()
        .filter(|(_, report)| report.get("stores").is_some())
        .flat_map(|(_, report)| report["files"].as_array().unwrap())
        .map(|file| file["action"].as_str().unwrap())
        .collect();
    assert_eq!(deeds, words::deeds().into_iter().collect());
    // What no world here shows: the version of a gateway that runs, and what `validate` has only for the sake of the others.
    let members = |(name, schema): (&String, &Value)| {
        let members = schema["properties"].as_object().into_iter().flatten();
        members.map(|(member, _)| format!("{name}.{member}")).collect::<Vec<_>>()
    };
    let all: BTreeSet<String> = document["$defs"].as_object().unwrap().iter().flat_map(members).collect();
    let unseen: Vec<&str> = all.difference(&seen.members).map(String::as_str).collect();
    let of_validate =
        ["cronJobs", "evidence", "runs", "stateDir"].map(|name| format!("ValidateReport.{name}"));
    let expected: Vec<&str> =
        std::iter::once("GatewayReport.version").chain(of_validate.iter().map(String::as_str)).collect();
    assert_eq!(unseen, expected, "left: no report has a value in them");
}

/// Strings that are texts of the user, of OpenClaw or of this tool for people, by the end of their path: any other will do as well.
const TEXTS: [&str; 32] = [
    "/tool/version",
    "/stateDir",
    "/gateway/version",
    "/gateway/evidence",
    "/path",
    "/cronJobs/jobId",
    "/cronJobs/name",
    "/reasons",
    "/schedule",
    "/lastStatus",
    "/nextStart",
    "/to",
    "/run",
    "/runs/command",
    "/agentIds",
    "/agentId",
    "/jobs/jobId",
    "/jobs/name",
    "/fields/name",
    "/basis",
    "/detail",
    "/changes/key",
    "/source",
    "/edits/field",
    "/edits/old",
    "/edits/new",
    "/sessionId",
    "/changes/status",
    "/message",
    "/fixHint",
    "/openclaw",
    "/problems/key",
];

/// Members that may be missing, or called something else: those of maps with names of the user's, and one that is there for long keys.
fn is_free(path: &str) -> bool {
    path.contains("/jobs/statuses/") || path.ends_with("/changes/keyBytes")
}

/// Where something was changed, how, and what came of it.
type Mutant = (String, &'static str, Value);

/// Every report that differs from `report` in one place, and is none any more.
fn mutants(report: &Value) -> Vec<Mutant> {
    let mut found = Vec::new();
    grow(report, "", &|value| value, &mut found);
    found
}

/// Mutants of `value`, which stands at `path`; `whole` puts one back into the report.
fn grow(value: &Value, path: &str, whole: &dyn Fn(Value) -> Value, found: &mut Vec<Mutant>) {
    if path.ends_with("/edits/old") || path.ends_with("/edits/new") {
        return;
    }
    let mut add = |how, mutant| found.push((path.to_owned(), how, whole(mutant)));
    match value {
        Value::Null => add("an object for null", json!({"x": 1})),
        Value::Bool(_) => add("a string for a boolean", json!("true")),
        Value::Number(number) => {
            add("a string for a number", json!(number.to_string()));
            add("a fraction of a number", json!(number.as_f64().unwrap() + 0.5));
        }
        Value::String(text) => {
            add("a number for a string", json!(7));
            if !TEXTS.iter().any(|end| path.ends_with(end)) {
                add("a word with a slip", json!(format!("{text}x")));
            }
        }
        Value::Array(values) => {
            add("an object for a list", json!({}));
            for (at, value) in values.iter().enumerate() {
                let whole = |mutant| {
                    let mut values = values.clone();
                    values[at] = mutant;
                    whole(Value::Array(values))
                };
                grow(value, path, &whole, found);
            }
        }
        Value::Object(members) => {
            add("a list for an object", json!([]));
            if !path.ends_with("/statuses") {
                let mut more = members.clone();
                more.insert("unheardOf".to_owned(), json!({"entries": 1, "bytes": 1}));
                add("a member more", Value::Object(more));
            }
            let is_map = ["/classes", "/classActions", "/rules", "/keptBecause", "/families", "/statuses"];
            let is_map = is_map.iter().any(|end| path.ends_with(end))
                || path.contains("/classActions/") && path.matches('/').count() == 3;
            for (name, value) in members {
                let below = format!("{path}/{name}");
                let without = || {
                    let mut members = members.clone();
                    members.remove(name);
                    members
                };
                if !is_free(&below) {
                    let mut renamed = without();
                    renamed.insert(format!("{name}X"), value.clone());
                    found.push((below.clone(), "another name", whole(Value::Object(renamed))));
                }
                if !is_free(&below) && !is_map {
                    found.push((below.clone(), "left out", whole(Value::Object(without()))));
                }
                let put = |mutant| {
                    let mut members = members.clone();
                    members.insert(name.clone(), mutant);
                    whole(Value::Object(members))
                };
                grow(value, &below, &put, found);
            }
        }
    }
}

#[test]
fn a_report_with_a_slip_is_none_wherever_it_is() {
    let mut reports = Reports::default();
    let world = World::looping();
    world.put(
        "cron/jobs.json",
        jobs(&[JOB]).replace("\"state\": {", &format!("\"state\": {{\"runningAtMs\": {},", NOW - DAY)),
    );
    world.put(&format!("agents/main/sessions/{LOST}.jsonl"), transcript());
    reports.of(&world, &["check", "--entries", "all"]);
    reports.of(&world, &["cron"]);
    reports.of(&world, &["sweep"]);
    reports.of(&world, &["prune", "--apply"]);
    reports.of(&world, &["undo"]);
    world.put(&format!("{STORE}.bak.{}", NOW - DAY), store(&looping()));
    world.put(STORE, "{\"agent:main:main\": {");
    reports.of(&world, &["recover", "--entries", "all"]);
    reports.take(
        &["validate"],
        &validate(&world, &["testdata/validate/entry-wrong-type/fail.json", "no-such-file"]),
    );
    let mut count = 0;
    for (args, report) in &reports.0 {
        for (path, how, mutant) in mutants(report) {
            assert!(!against_schema(&mutant).is_empty(), "{args}: {path}: {how} passes");
            count += 1;
        }
    }
    assert!(count > 3_000, "only {count} mutants");
}

#[test]
fn what_explain_prints_of_a_key_is_a_change() {
    let mut document = schema::document();
    for member in ["if", "then", "else"] {
        document.as_object_mut().unwrap().remove(member);
    }
    document["$ref"] = "#/$defs/Change".into();
    let change = Schema::new(&document);
    let world = World::looping();
    for (key, _) in looping() {
        let ran = world.stopped(&["explain", &key, "--json"]).exits(0);
        let mut told: Value = serde_json::from_str(&ran.out).unwrap();
        assert!(change.is_valid(&told), "{told}");
        told["family"] = "hooks".into();
        assert!(!change.is_valid(&told));
    }
}

#[test]
fn words_that_no_type_tells_are_those_of_the_program() {
    let keepers = Protection::ALL.map(Protection::name).into_iter().chain(Held::ALL.map(Held::name));
    assert_eq!(words::keepers().into_iter().collect::<BTreeSet<_>>(), keepers.collect());
    let verbs: Vec<String> =
        Cli::command().get_subcommands().map(|verb| verb.get_name().to_owned()).collect();
    let verbs: Vec<&str> = verbs.iter().map(String::as_str).filter(|verb| *verb != "generate").collect();
    assert_eq!(words::verbs(), verbs, "all but the one that reports nothing");
    let copies =
        [CopyKind::Store, CopyKind::Rotation, CopyKind::Temporary, CopyKind::Backup].map(CopyKind::name);
    assert_eq!(words::sources(), [&copies[..], &["transcripts"]].concat());
    let codes = [
        Exit::Healthy,
        Exit::Findings,
        Exit::Usage,
        Exit::Damaged,
        Exit::Busy,
        Exit::Refused,
        Exit::Io,
        Exit::Interrupted,
        Exit::Terminated,
    ];
    assert_eq!(words::exit_codes(), codes.map(Exit::code));
    let kinds = [FileKind::Store, FileKind::Jobs, FileKind::JobsState, FileKind::RunLog].map(FileKind::name);
    assert_eq!(schema::document()["$defs"]["ValidatedFile"]["properties"]["kind"]["enum"], json!(kinds));
}

#[test]
fn the_program_prints_it_and_looks_at_no_store() {
    let world = World::new();
    let before = world.tree();
    let print = |args: &[&str]| {
        let mut command = world.bare();
        command.args(["generate", "schema", "report"]).args(args).env("OPENCLAW_STATE_DIR", "/no/such/place");
        world.finish(&mut command).exits(0)
    };
    let plain = print(&[]);
    let printed: Value = serde_json::from_str(&plain.out).unwrap();
    assert_eq!(printed, schema::document());
    assert!(plain.err.is_empty() && plain.out.ends_with("}\n"), "{plain}");
    assert_eq!(print(&["--state-dir", "/no/such/place", "--store", "nothing.json", "--json"]).out, plain.out);
    assert_eq!(world.tree(), before);
}
