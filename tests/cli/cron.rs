//! Prevents: a marker that is cleared though its run may be going on, a job list that comes back as another, a job that stays stuck for
//! ever, a table that is written, and a job that is called a runaway for a few runs by hand.

use std::fs;
use std::path::PathBuf;

use crate::database::*;
use crate::samples;
use crate::world::*;
use serde_json::{Value, json};

const LIST: &str = "cron/jobs.json";
const STATES: &str = "cron/jobs-state.json";

/// A job of its own id.
fn job(id: &str, schedule: Value, state: Value) -> Value {
    json!({
        "id": id, "name": format!("secret {id}"), "enabled": true, "schedule": schedule, "sessionTarget": "isolated",
        "payload": {"kind": "agentTurn", "message": "x"}, "state": state
    })
}

fn hourly() -> Value {
    json!({"kind": "every", "everyMs": HOUR})
}

fn list(jobs: &[Value]) -> String {
    serde_json::to_string_pretty(&json!({"version": 1, "jobs": jobs})).unwrap()
}

/// A state directory with one job that was marked so long ago.
fn marked(ago: i64) -> World {
    let world = World::new();
    let state = json!({"runningAtMs": NOW - ago, "nextRunAtMs": NOW - HOUR});
    world.put(LIST, list(&[job(JOB, hourly(), state)]));
    world
}

fn read(world: &World, below: &str) -> Vec<u8> {
    fs::read(world.state.join(below)).unwrap()
}

/// How a file lies there.
fn lying(world: &World, below: &str) -> Lying {
    world.tree().remove(&PathBuf::from("state").join(below)).unwrap()
}

/// The row of a job.
fn row(report: &Value, id: &str) -> Value {
    let rows = report["cronJobs"].as_array().unwrap();
    rows.iter().find(|row| row["jobId"] == id).unwrap_or_else(|| panic!("no {id} in {report}")).clone()
}

/// What is said of the only job.
fn verdict(world: &World, words: &[&str]) -> (String, Option<String>) {
    let line = [&["cron", "--json"], words].concat();
    let row = row(&world.run(&line).json(), JOB);
    (row["verdict"].as_str().unwrap().to_owned(), row["confidence"].as_str().map(str::to_owned))
}

fn stuck(sure: &str) -> (String, Option<String>) {
    ("cron-stuck-marker".to_owned(), Some(sure.to_owned()))
}

fn live() -> (String, Option<String>) {
    ("live".to_owned(), None)
}

/// The real state directories with a marker, the file that holds them, and how that looks without.
fn real() -> Vec<(World, &'static str, Vec<u8>)> {
    let cases = [
        (
            "openclaw-2026.3.28/normal-then-crash",
            LIST,
            [
                (",\n        \"runningAtMs\": 1795223628225", ""),
                (",\n        \"runningAtMs\": 1795223619076", ""),
            ],
        ),
        (
            "openclaw-2026.5.12/normal-then-crash",
            STATES,
            [
                (",\n        \"runningAtMs\": 1795224701081", ""),
                (",\n        \"runningAtMs\": 1795224673309", ""),
            ],
        ),
    ];
    let one = |(sample, file, cuts): (&str, &'static str, [(&str, &str); 2])| {
        let world = World::new();
        samples::copy(sample, &world.state).unwrap();
        let mut text = String::from_utf8(read(&world, file)).unwrap();
        for (marker, nothing) in cuts {
            assert_eq!(text.matches(marker).count(), 1, "{sample}");
            text = text.replace(marker, nothing);
        }
        (world, file, text.into_bytes())
    };
    cases.into_iter().map(one).collect()
}

const LATER: [&str; 4] = ["--now", "2026-11-21T01:40:00Z", "--gateway", "stopped"];

fn later(world: &World, words: &[&str]) -> Ran {
    let mut command = world.bare();
    world.finish(command.args(words).arg("--state-dir").arg(&world.state).args(LATER))
}

#[test]
fn markers_of_real_crashes_are_cleared_to_the_byte_and_come_back_to_the_byte() {
    for (world, file, without) in real() {
        let (original, tree) = (read(&world, file), world.tree());
        let dry = later(&world, &["cron", "--json"]).exits(1).json();
        assert_eq!(
            dry["cronJobs"].as_array().unwrap().iter().filter(|row| row["action"] == "clear").count(),
            2
        );
        later(&world, &["cron"]).exits(1).says("stuck (certain)").says("the next start of OpenClaw");
        assert_eq!(world.tree(), tree, "a dry run changes nothing");
        let done = later(&world, &["cron", "--apply", "--json"]).exits(0).json();
        assert!(read(&world, file) == without);
        assert_eq!(done["files"][0]["path"], world.state.join(file).to_str().unwrap());
        assert!(done["cronJobs"].as_array().unwrap().iter().any(|row| row["outcome"] == "applied"));
        assert!(finding(&done, "cron-stuck-marker").is_none());
        let tree = world.tree();
        let again = later(&world, &["cron", "--apply", "--json"]).exits(0).json();
        assert_eq!(again["files"], json!([]));
        assert_eq!(world.tree(), tree, "a second time changes nothing");
        later(&world, &["undo", "latest"]).exits(0).says("Put back: 2.");
        assert!(read(&world, file) == original);
        let tree = world.tree();
        later(&world, &["undo", &world.runs()[0]]).exits(0).says("Nothing to put back");
        assert_eq!(world.tree(), tree, "a second undo changes nothing");
    }
}

#[test]
fn no_lock_that_openclaw_does_not_know_is_made_and_the_mode_stays() {
    let world = marked(9 * HOUR);
    world.stopped(&["cron", "--apply"]).exits(0);
    assert_eq!(fs::read_dir(world.state.join("cron")).unwrap().count(), 1);
    assert_eq!(lying(&world, LIST).mode & 0o777, 0o600);
    assert!(!String::from_utf8(read(&world, LIST)).unwrap().contains("runningAtMs"));
}

#[test]
fn nothing_is_cleared_beside_a_gateway_or_without_knowing() {
    let world = marked(9 * HOUR);
    let before = lying(&world, LIST);
    world
        .run(&["cron", "--apply", "--gateway", "running"])
        .exits(4)
        .says("nothing is written beside a gateway");
    world.run(&["cron", "--apply", "--gateway", "unknown"]).exits(4);
    let gateway = Alive::gateway(&world);
    world.run(&["cron", "--apply", "--gateway", "stopped"]).exits(4).says("gateway runs");
    world.run(&["cron", "--apply", "--live", "--assume-stopped"]).exits(4);
    drop(gateway);
    assert_eq!(lying(&world, LIST), before);
    // A run that finished is over whoever lives: the write alone is refused.
    world.put("cron/runs/x", "");
    world.put(&format!("cron/runs/{JOB}.jsonl"), finished(JOB, Some("s"), NOW - HOUR, NOW - 9 * HOUR));
    for words in [["--gateway", "running"], ["--gateway", "unknown"]] {
        let ran = world.run(&[&["cron", "--apply", "--json"], &words[..]].concat()).exits(4).json();
        assert_eq!(row(&ran, JOB)["outcome"], "busy");
    }
    assert_eq!(lying(&world, LIST), before);
    assert!(world.runs().is_empty());
}

#[test]
fn what_is_only_likely_is_told_and_left_alone() {
    let world = marked(9 * HOUR);
    let before = read(&world, LIST);
    assert_eq!(verdict(&world, &["--gateway", "unknown"]), stuck("likely"));
    let words = ["cron", "--apply", "--assume-stopped", "--gateway", "unknown"];
    world.run(&words).exits(0).says("then it is certain");
    assert_eq!(read(&world, LIST), before);
    world.put(&format!("cron/runs/{JOB}.jsonl"), finished(JOB, None, NOW - HOUR, NOW - 9 * HOUR));
    world.run(&words).exits(0);
    assert_ne!(read(&world, LIST), before, "a finished line makes it certain");
}

#[test]
fn a_run_that_may_be_going_on_is_not_stuck() {
    // Half an hour is neither two hours nor the job's hour.
    let young = marked(HOUR / 2);
    assert_eq!(verdict(&young, &["--gateway", "unknown"]), live());
    assert_eq!(verdict(&young, &["--gateway", "stopped"]), stuck("certain"));
    let set = |timeout: i64| {
        let world = marked(9 * HOUR);
        let mut of = job(JOB, hourly(), json!({"runningAtMs": NOW - 9 * HOUR}));
        of["payload"]["timeoutSeconds"] = timeout.into();
        world.put(LIST, list(&[of]));
        world
    };
    assert_eq!(verdict(&set(60), &["--gateway", "running"]), stuck("likely"));
    assert_eq!(verdict(&set(10 * 3600), &["--gateway", "running"]), live(), "it may take ten hours");
    assert_eq!(verdict(&set(0), &["--gateway", "running"]), live(), "it may take for ever");
}

#[test]
fn signs_of_life_and_locks_protect() {
    let world = marked(9 * HOUR);
    let record = entry(run(JOB, "s-run"), "s-run", 9 * HOUR, &[]);
    world.put(STORE, store(&[entry(base(JOB), "s-run", 9 * HOUR, &[]), record]));
    assert_eq!(verdict(&world, &["--gateway", "running"]), stuck("likely"));
    let transcript = "{\"type\":\"message\",\"timestamp\":\"2026-11-21T01:10:00.000Z\"}\n";
    let path = world.put("agents/main/sessions/s-run.jsonl", transcript);
    assert_eq!(verdict(&world, &["--gateway", "running"]), live(), "its transcript was written to just now");
    fs::write(&path, "").unwrap();
    let lock = path.with_file_name("s-run.jsonl.lock");
    let alive = world.lock(&lock);
    assert_eq!(verdict(&world, &["--gateway", "stopped"]), live(), "a living process holds the transcript");
    drop(alive);
    assert_eq!(verdict(&world, &["--gateway", "stopped"]), stuck("certain"));
}

#[test]
fn what_could_not_be_read_protects() {
    let world = marked(9 * HOUR);
    let state = |world: &World, text: &str| world.put(STATES, text);
    state(&world, "{\"version\":1,\"jobs\":");
    let before = lying(&world, LIST);
    assert_eq!(verdict(&world, &["--gateway", "stopped"]), live(), "a state file that does not parse");
    world.stopped(&["cron", "--apply"]).exits(0).says("cron-jobs-unreadable");
    fs::remove_file(world.state.join(STATES)).unwrap();
    world.put("openclaw.json", "{ broken");
    assert_eq!(
        verdict(&world, &["--gateway", "stopped"]),
        live(),
        "a configuration that may name another list"
    );
    fs::remove_file(world.state.join("openclaw.json")).unwrap();
    assert_eq!(lying(&world, LIST), before);
    // Run logs that cannot be read might tell of a run that took long.
    let log = world.state.join(format!("cron/runs/{JOB}.jsonl"));
    fs::create_dir_all(&log).unwrap();
    assert_eq!(verdict(&world, &["--gateway", "running"]), live());
    assert_eq!(verdict(&world, &["--gateway", "stopped"]), stuck("certain"));
}

#[test]
fn lists_that_are_not_json_are_told_of_and_never_written() {
    let text = String::from_utf8(read(&marked(9 * HOUR), LIST)).unwrap();
    for (list, exit) in [
        (text.replace("\"version\": 1", "\"version\": 1, // by hand"), 5),
        (format!("\u{feff}{text}"), 0),
        (format!("{text}\0\0\0"), 0),
        (text[..text.len() / 2].to_owned(), 0),
        (String::new(), 0),
        ("null".to_owned(), 0),
    ] {
        let world = World::new();
        world.put(LIST, &list);
        let before = lying(&world, LIST);
        let ran = world.stopped(&["cron", "--apply"]).exits(exit);
        let said = if exit == 5 { "JSON5" } else { "cron-jobs-unreadable" };
        ran.says(said);
        assert_eq!(lying(&world, LIST), before, "{list}");
        assert!(world.runs().is_empty());
    }
}

#[test]
fn a_marker_that_is_no_past_time_is_told_and_left_alone() {
    for (marker, told) in [
        ((NOW + HOUR).to_string(), true),
        ((NOW / 1000).to_string(), true),
        ("0".to_owned(), true),
        ("-7".to_owned(), true),
        ("1e300".to_owned(), true),
        ("null".to_owned(), false),
        (format!("\"{NOW}\""), false),
    ] {
        let world = World::new();
        let text = list(&[job(JOB, hourly(), json!({"runningAtMs": 4_711_471_147i64}))]);
        world.put(LIST, text.replace("4711471147", &marker));
        let tree = world.tree();
        let report = world.stopped(&["cron", "--json"]).json();
        assert_eq!(row(&report, JOB)["verdict"] == "cron-stuck-marker", told, "{marker}");
        assert_eq!(row(&report, JOB)["action"], "keep");
        world.stopped(&["cron", "--apply"]).exits(0);
        assert_eq!(world.tree(), tree, "{marker}");
    }
}

#[test]
fn a_marker_goes_wherever_it_stands() {
    let world = marked(9 * HOUR);
    let own = json!({"version": 1, "jobs": {
        "other": {"state": {"runningAtMs": NOW - HOUR}},
        JOB: {"updatedAtMs": 1, "state": {"runningAtMs": NOW - 9 * HOUR, "lastRunAtMs": NOW - 10 * HOUR}}
    }});
    world.put(STATES, own.to_string());
    let report = world.stopped(&["cron", "--apply", "--json"]).exits(0).json();
    assert_eq!(report["files"].as_array().unwrap().len(), 2);
    assert!(!String::from_utf8(read(&world, LIST)).unwrap().contains("runningAtMs"));
    let states = String::from_utf8(read(&world, STATES)).unwrap();
    let expected = own.to_string().replace(&format!(",\"runningAtMs\":{}", NOW - 9 * HOUR), "");
    assert_eq!(states, expected, "a job that is in no list is none of ours");
    assert_eq!(world.runs().len(), 2);
    for run in world.runs() {
        world.stopped(&["undo", &run]).exits(0);
    }
    assert_eq!(String::from_utf8(read(&world, STATES)).unwrap(), own.to_string());
}

#[test]
fn the_agent_that_was_named_is_acted_on_alone() {
    let world = World::new();
    let state = json!({"runningAtMs": NOW - 9 * HOUR});
    let mut others = job("b", hourly(), state.clone());
    others["agentId"] = "Work".into();
    world.put(LIST, list(&[job("a", hourly(), state), others]));
    world.stopped(&["cron", "--apply", "--agent", "work"]).exits(0);
    let left: Value = serde_json::from_slice(&read(&world, LIST)).unwrap();
    assert!(left["jobs"][0]["state"]["runningAtMs"].is_number(), "the agent main has it");
    assert_eq!(left["jobs"][1]["state"], json!({}));
}

#[test]
fn two_jobs_of_one_id_are_not_touched() {
    let world = World::new();
    let state = json!({"runningAtMs": NOW - 9 * HOUR});
    world.put(LIST, list(&[job(JOB, hourly(), state.clone()), job(JOB, hourly(), state)]));
    let before = read(&world, LIST);
    world.stopped(&["cron", "--apply"]).exits(5).says("two elements have the id");
    assert_eq!(read(&world, LIST), before);
}

#[test]
fn the_next_start_is_told_for_the_version_that_is_known() {
    let world = marked(9 * HOUR);
    let next = |world: &World| {
        let report = world.stopped(&["cron", "--json"]).json();
        row(&report, JOB)["nextStart"].as_str().unwrap().to_owned()
    };
    let both = next(&world);
    assert!(
        both.contains("to 2026.4.24") && both.contains("from 2026.4.26") && both.contains("due again"),
        "{both}"
    );
    let unit = |version: &str| {
        let dir = world.home.join(".config/systemd/user");
        fs::create_dir_all(&dir).unwrap();
        let text = format!("[Service]\nEnvironment=OPENCLAW_SERVICE_VERSION={version}\n");
        fs::write(dir.join("openclaw-gateway.service"), text).unwrap();
    };
    unit("2026.4.24");
    let old = next(&world);
    assert!(old.contains("OpenClaw 2026.4.24") && !old.contains("interrupted"), "{old}");
    unit("2026.5.12");
    let new = next(&world);
    assert!(new.contains("interrupted by gateway restart") && !new.contains("by itself"), "{new}");
    world.put(
        LIST,
        list(&[job(
            JOB,
            json!({"kind": "at", "at": "2026-11-21T00:00:00Z"}),
            json!({"runningAtMs": NOW - HOUR}),
        )]),
    );
    assert!(next(&world).contains("disables this job"));
    let mut disabled = job(JOB, hourly(), json!({"runningAtMs": NOW - HOUR}));
    disabled["enabled"] = false.into();
    world.put(LIST, list(&[disabled]));
    assert!(next(&world).contains("runs neither way"));
}

/// Finished lines of [`JOB`], the last of them an hour ago.
fn log(world: &World, runs: &[(i64, i64)]) {
    let last = runs.last().unwrap().0;
    let line = |&(at, took): &(i64, i64)| {
        let start = NOW - HOUR - (last - at);
        let mut line: Value = serde_json::from_str(&finished(JOB, None, start + took, start)).unwrap();
        line["durationMs"] = took.into();
        format!("{line}\n")
    };
    world.put(&format!("cron/runs/{JOB}.jsonl"), runs.iter().map(line).collect::<String>());
}

fn every(gap: i64, count: i64) -> Vec<(i64, i64)> {
    (0..count).map(|at| (at * gap, 5_000)).collect()
}

fn paced(schedule: Value, runs: &[(i64, i64)]) -> (World, Option<Value>) {
    let world = World::new();
    world.put(LIST, list(&[job(JOB, schedule, json!({}))]));
    log(&world, runs);
    let report = world.stopped(&["check", "--json"]).json();
    let of_cron = world.stopped(&["cron", "--json"]).json();
    let found = finding(&report, "cron-runaway-job").cloned();
    assert_eq!(row(&of_cron, JOB)["verdict"] == "cron-runaway-job", found.is_some(), "check and cron agree");
    assert_eq!(of_cron["exitCode"] == 1, found.is_some());
    (world, found)
}

#[test]
fn a_job_that_runs_far_faster_than_its_schedule_is_told_with_both_intervals() {
    let (world, found) = paced(hourly(), &every(MINUTE, 12));
    let message = found.unwrap()["message"].as_str().unwrap().to_owned();
    assert!(message.contains("every 1 min") && message.contains("every 1 h"), "{message}");
    let row = row(&world.stopped(&["cron", "--json"]).json(), JOB);
    assert_eq!(
        (row["medianIntervalMs"].as_i64(), row["expectedIntervalMs"].as_i64()),
        (Some(MINUTE), Some(HOUR))
    );
    let daily = json!({"kind": "cron", "expr": "0 9 * * *", "tz": "Europe/Berlin"});
    assert!(paced(daily.clone(), &every(MINUTE, 12)).1.is_some());
    let (_, slow) = paced(daily, &every(DAY, 15));
    assert!(slow.is_none());
}

#[test]
fn run_records_tell_the_pace_where_no_log_does() {
    let world = World::new();
    world.put(LIST, list(&[job(JOB, hourly(), json!({}))]));
    let records: Vec<Entry> = (0..12)
        .map(|at| entry(run(JOB, &format!("s{at}")), &format!("s{at}"), 3 * HOUR - at * MINUTE, &[]))
        .collect();
    world.put(STORE, store(&records));
    let report = world.stopped(&["check", "--json"]).json();
    assert!(finding(&report, "cron-runaway-job").is_some());
    world.put(STORE, store(&records[..10]));
    let report = world.stopped(&["check", "--json"]).json();
    assert!(finding(&report, "cron-runaway-job").is_none(), "nine intervals are too few");
}

#[test]
fn a_few_runs_by_hand_a_start_or_another_schedule_alarm_nobody() {
    let minutely = json!({"kind": "every", "everyMs": MINUTE});
    for (schedule, runs) in [
        (hourly(), every(MINUTE, 10)),
        (hourly(), every(HOUR, 30)),
        (hourly(), every(40 * MINUTE, 30)),
        (minutely, every(MINUTE, 30)),
        (json!({"kind": "at", "at": "2026-11-21T00:00:00Z"}), every(MINUTE, 30)),
        (json!({"kind": "cron", "expr": "whenever"}), every(MINUTE, 30)),
        (hourly(), [every(MINUTE, 20), vec![(20 * MINUTE + HOUR, 1), (20 * MINUTE + 2 * HOUR, 1)]].concat()),
        (hourly(), [every(HOUR, 9), (1..6).map(|at| (8 * HOUR + at * MINUTE, 1)).collect()].concat()),
    ] {
        assert_eq!(paced(schedule.clone(), &runs).1, None, "{schedule} {runs:?}");
    }
    // Runs that somebody started say so.
    let world = World::new();
    world.put(LIST, list(&[job(JOB, hourly(), json!({}))]));
    let by_hand = |at: i64| {
        let line = finished(JOB, None, NOW - HOUR + at * MINUTE, NOW - HOUR + at * MINUTE);
        line.replace("{\"action\"", &format!("{{\"runId\":\"manual:{JOB}:{at}:1\",\"action\""))
    };
    let text: String = (0..20).map(by_hand).collect();
    assert!(text.contains("manual:"));
    world.put(&format!("cron/runs/{JOB}.jsonl"), text);
    assert!(finding(&world.stopped(&["check", "--json"]).json(), "cron-runaway-job").is_none());
}

#[test]
fn runs_that_begin_before_the_last_has_ended_are_told() {
    let overlapping: Vec<(i64, i64)> = (0..12).map(|at| (at * HOUR, HOUR + MINUTE)).collect();
    let (_, found) = paced(hourly(), &overlapping);
    assert!(found.unwrap()["message"].as_str().unwrap().contains("had not ended"));
    let mut once = every(HOUR, 12);
    once[3].1 = HOUR + MINUTE;
    assert!(paced(hourly(), &once).1.is_none(), "once says nothing");
}

#[test]
fn check_tells_of_stuck_markers_and_prune_does_not_touch_them() {
    let world = marked(9 * HOUR);
    let before = read(&world, LIST);
    let report = world.stopped(&["check", "--json"]).exits(1).json();
    let told = finding(&report, "cron-stuck-marker").unwrap();
    assert_eq!(
        (told["severity"].as_str(), told["path"].as_str()),
        (Some("warning"), world.state.join(LIST).to_str())
    );
    assert!(told["fixHint"].as_str().unwrap().contains("cron --apply"));
    world.stopped(&["prune", "--apply"]).exits(0);
    assert_eq!(read(&world, LIST), before);
    world.run(&["explain", "cron-stuck-marker"]).exits(0).says("runningAtMs");
    world.run(&["explain", "cron-runaway-job"]).exits(0);
}

#[test]
fn tables_give_the_verdicts_of_files_and_are_never_written() {
    for form in [Form::Json, Form::Columns] {
        let world = marked(9 * HOUR);
        log(&world, &every(MINUTE, 12));
        let of_files = row(&world.stopped(&["cron", "--json"]).json(), JOB);
        drop(migrate(&world, form));
        let tree = world.tree();
        let report = world.stopped(&["cron", "--json"]).exits(1).json();
        let of_table = row(&report, JOB);
        for field in ["verdict", "runningAtMs", "confidence", "runs", "name", "enabled"] {
            assert_eq!(of_table[field], of_files[field], "{field} {form:?}");
        }
        assert_eq!(of_table["action"], "keep");
        assert!(of_table["nextStart"].as_str().unwrap().contains("never written"));
        let refused = world.stopped(&["cron", "--apply", "--json"]).exits(5).json();
        assert_eq!(row(&refused, JOB)["outcome"], "refused");
        assert!(finding(&refused, "era-sqlite").is_some());
        assert_eq!(world.tree(), tree);
    }
}

#[test]
fn a_list_that_lies_beside_tables_is_left_alone() {
    let world = marked(9 * HOUR);
    let text = read(&world, LIST);
    drop(migrate(&world, Form::Json));
    let other = job("left", hourly(), json!({"runningAtMs": NOW - 9 * HOUR}));
    world.put(LIST, list(&[other]));
    let tree = world.tree();
    let report = world.stopped(&["cron", "--apply", "--json"]).exits(5).json();
    assert_eq!(row(&report, "left")["outcome"], "refused");
    assert_eq!(world.tree(), tree);
    assert!(!text.is_empty());
}

#[test]
fn a_redacted_report_holds_no_name_and_no_id() {
    let (world, _) = paced(hourly(), &every(MINUTE, 12));
    let state = json!({"runningAtMs": NOW - 9 * HOUR});
    world.put(LIST, list(&[job(JOB, hourly(), state.clone()), job("b-secret", hourly(), state)]));
    for words in [&["check", "--json"][..], &["cron", "--json"], &["cron"], &["check"]] {
        let ran = world.stopped(&[words, &["--redact"]].concat());
        let said = format!("{} {}", ran.out, ran.err);
        assert!(said.contains("cron-stuck-marker"), "{said}");
        assert!(!said.contains("secret") && !said.contains(JOB), "{words:?}: {said}");
    }
}

#[test]
fn many_jobs_become_rows_and_one_for_the_rest() {
    let world = World::new();
    let mut jobs: Vec<Value> = (0..250).map(|at| job(&format!("j{at}"), hourly(), json!({}))).collect();
    jobs[249]["state"]["runningAtMs"] = (NOW - 9 * HOUR).into();
    world.put(LIST, list(&jobs));
    let report = world.stopped(&["cron", "--json"]).json();
    let rows = report["cronJobs"].as_array().unwrap();
    assert_eq!((rows.len(), &rows[0]["jobId"], &rows[100]["jobId"]), (101, &json!("j249"), &json!("other")));
    assert!(rows[100]["reasons"][0].as_str().unwrap().contains("150 jobs"));
    world.stopped(&["cron"]).exits(1).says("-v lists them");
}

#[test]
fn no_job_and_no_list_is_no_trouble() {
    let world = World::new();
    world.stopped(&["cron"]).exits(0).says("No cron job is known here");
    world.stopped(&["cron", "--apply"]).exits(0);
    assert!(world.runs().is_empty());
}

#[test]
fn a_list_outside_the_state_directory_keeps_its_records_beside_it() {
    let world = marked(9 * HOUR);
    let elsewhere: PathBuf = world.root.join("elsewhere");
    fs::rename(world.state.join("cron"), &elsewhere).unwrap();
    let before = fs::read(elsewhere.join("jobs.json")).unwrap();
    let dir = elsewhere.to_str().unwrap();
    world.stopped(&["cron", "--apply", "--cron-dir", dir]).exits(0);
    assert_ne!(fs::read(elsewhere.join("jobs.json")).unwrap(), before);
    assert_eq!(runs(&elsewhere.join(".sessions-doctor/runs")).len(), 1);
    world.stopped(&["undo", "latest", "--cron-dir", dir]).exits(0);
    assert_eq!(fs::read(elsewhere.join("jobs.json")).unwrap(), before);
}
