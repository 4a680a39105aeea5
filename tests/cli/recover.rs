//! Prevents a damaged store from costing sessions that still exist somewhere, and a recovery that brings back what was
//! removed on purpose, or that makes things up.

use std::fs;

use crate::samples;
use crate::world::*;
use serde_json::{Value, json};

/// Five sessions of every kind.
fn five() -> Vec<Entry> {
    vec![
        entry("agent:main:main", "m", HOUR, &[("label", "\"the main one\"")]),
        entry("agent:main:telegram:group:-100", "g", 2 * HOUR, &[]),
        entry("agent:main:cron:daily", "r", 3 * HOUR, &[]),
        entry("agent:main:cron:daily:run:r", "r", 3 * HOUR, &[]),
        entry("agent:main:direct:+4917", "d", 4 * HOUR, &[("thinkingLevel", "\"high\"")]),
    ]
}

/// A world whose store is `text`.
fn world_of(text: impl AsRef<[u8]>) -> World {
    let world = empty();
    world.put(STORE, text);
    world
}

/// A world with a job list, so that nothing is to be said of that.
fn empty() -> World {
    let world = World::new();
    world.put("cron/jobs.json", jobs(&["daily"]));
    world
}

fn first(report: &Value) -> &Value {
    &report["stores"][0]
}

fn rule_of(report: &Value, id: &str) -> Option<Value> {
    let findings = report["findings"].as_array().unwrap();
    findings.iter().find(|finding| finding["checkId"] == id).cloned()
}

#[test]
fn whatever_happened_to_the_file_whole_entries_come_back_to_the_byte() {
    let text = store(&five());
    let cut = text.find("\"agent:main:direct").unwrap() + 40;
    let middle = text.find("\"agent:main:cron:daily\"").unwrap();
    let with = |at: usize, what: &str| format!("{}{what}{}", &text[..at], &text[at..]);
    let all: Vec<usize> = (0..5).collect();
    let cases: Vec<(&str, Vec<u8>, Vec<usize>)> = vec![
        ("cut", text[..cut].into(), vec![0, 1, 2, 3]),
        ("byte order mark", [b"\xef\xbb\xbf", text.as_bytes()].concat(), all.clone()),
        ("NULs behind", [text.as_bytes(), &[0; 4096]].concat(), all.clone()),
        ("rubbish behind", format!("{text}\n}}]").into(), all.clone()),
        ("twice", format!("{text}{text}").into(), all.clone()),
        ("a comma too many", with(middle, ",\n  ").into(), all.clone()),
        ("rubbish between", with(middle, "%$ rubbish\n  ").into(), all.clone()),
        ("a list", format!("[{text}]").into(), all.clone()),
        ("a control character", text.replacen("the main", "the\u{1}main", 1).into(), vec![1, 2, 3, 4]),
        (
            "a comma too few",
            text.replacen("},\n  \"agent:main:cron:daily\"", "}\n  \"agent:main:cron:daily\"", 1).into(),
            all,
        ),
        (
            "a brace too few",
            text.replacen("\n  },\n  \"agent:main:cron:daily\"", ",\n  \"agent:main:cron:daily\"", 1).into(),
            vec![0, 2, 3, 4],
        ),
    ];
    for (name, bytes, whole) in cases {
        let world = world_of(&bytes);
        let dry = world.stopped(&["recover", "--json"]).exits(3).json();
        assert_eq!(world.bytes(), bytes, "{name}: a dry run writes nothing");
        assert_eq!(first(&dry)["entries"]["recovered"], whole.len(), "{name}: {dry:#}");
        assert!(!first(&dry)["damage"].as_array().unwrap().is_empty(), "{name}");
        let done = world.stopped(&["recover", "--apply", "--json"]).exits(0).json();
        assert_eq!(first(&done)["outcome"], "applied", "{name}: {done:#}");
        let entries = five();
        let expected: Vec<Entry> = whole.iter().map(|&at| entries[at].clone()).collect();
        assert_eq!(String::from_utf8(world.bytes()).unwrap(), store(&expected), "{name}");
        let backup = first(&done)["backup"]["path"].as_str().unwrap().to_owned();
        assert_eq!(fs::read(backup).unwrap(), bytes, "{name}: the damaged file is kept whole");
        world.stopped(&["check"]).exits(0);
    }
}

#[test]
fn a_store_that_was_rotated_away_is_told_of_and_comes_back() {
    for current in [None, Some("{}".to_owned()), Some(store(&[entry("agent:main:main", "new", 0, &[])]))] {
        let world = empty();
        fs::create_dir_all(world.store().parent().unwrap()).unwrap();
        if let Some(current) = &current {
            world.put(STORE, current);
        }
        let at = NOW - 30 * MINUTE;
        world.put(&format!("{STORE}.bak.{at}"), store(&five()));
        world.put(
            &format!("{STORE}.bak.{}", at - DAY),
            store(&[entry("agent:main:direct:old", "o", DAY, &[])]),
        );
        let report = world.stopped(&["check", "--json"]).exits(3).json();
        let told = rule_of(&report, "store-rotated-away").unwrap();
        assert_eq!(
            (&told["severity"], first(&report)["outcome"].as_str()),
            (&json!("error"), Some("unchanged"))
        );
        world.stopped(&["check"]).exits(3).says("sessions-doctor recover");
        let dry = world.stopped(&["recover", "--json", "--entries", "changed"]).exits(3).json();
        let sources = first(&dry)["sources"].as_array().unwrap();
        assert!(
            sources.iter().any(|source| source["kind"] == "rotation" && source["used"].as_u64() > Some(3))
        );
        world.stopped(&["recover", "--apply"]).exits(0);
        let keys = world.keys();
        assert_eq!(keys.len(), 6, "{keys:?}");
        let value: Value = serde_json::from_slice(&world.bytes()).unwrap();
        let id = if current.as_ref().is_some_and(|text| text.contains("new")) { "new" } else { "m" };
        assert_eq!(value["agent:main:main"]["sessionId"], id, "the store's own entry stays");
        let again = world.tree();
        world.stopped(&["recover", "--apply"]).exits(0);
        assert_eq!(world.tree(), again, "nothing is left to do");
        world.stopped(&["check", "--json"]).exits(0);
    }
}

#[test]
fn a_rotation_older_than_an_entry_of_the_store_is_only_a_copy() {
    let world = world_of(store(&five()));
    let entries: Vec<Entry> = five().into_iter().take(4).collect();
    world.put(&format!("{STORE}.bak.{}", NOW - MINUTE), store(&entries));
    world.stopped(&["check"]).exits(0);
    let report = world.stopped(&["recover", "--json"]).exits(0).json();
    assert_eq!(first(&report)["entries"]["recovered"], 0);
}

#[test]
fn of_several_copies_the_newest_counts_and_every_entry_says_where_it_came_from() {
    let text = store(&five());
    let world = world_of(&text[..text.len() - 30]);
    let newer = entry("agent:main:main", "m", MINUTE, &[("label", "\"newer\"")]);
    let extra = entry("agent:main:slack:channel:c", "c", HOUR, &[]);
    world.put(
        "agents/main/sessions/sessions.json.0f908179-10f4-42bd-9ae3-d5d2feb993a0.tmp",
        store(&[newer, extra]),
    );
    let report = world.stopped(&["recover", "--json"]).exits(3).json();
    let changes = first(&report)["changes"].as_array().unwrap();
    let of = |key: &str| changes.iter().find(|change| change["key"] == key).unwrap();
    assert!(of("agent:main:main")["source"].as_str().unwrap().ends_with(".tmp"));
    assert_eq!(of("agent:main:telegram:group:-100")["source"], Value::Null);
    world.stopped(&["recover", "--apply"]).exits(0);
    let value: Value = serde_json::from_slice(&world.bytes()).unwrap();
    assert_eq!(value["agent:main:main"]["label"], "newer");
    let keys = world.keys();
    assert_eq!(keys[0], "agent:main:main", "it stands where it stood");
    assert_eq!(keys.last().unwrap(), "agent:main:slack:channel:c");
}

#[test]
fn an_old_copy_does_not_win_by_a_time_that_cannot_be() {
    let own = entry("agent:main:main", "own", HOUR, &[]);
    let untimed = store(std::slice::from_ref(&own)).replace(&format!("{}", NOW - HOUR), "\"today\"");
    for (own, copy) in [(untimed, 100 * DAY), (store(&[own]), -100 * DAY)] {
        let world = world_of(&own[..own.len() - 2]);
        let old = store(&[entry("agent:main:main", "old", copy, &[])]);
        world.put(&format!("{STORE}.bak.{}", NOW - 100 * DAY), old);
        world.stopped(&["recover", "--apply"]).exits(0);
        assert_eq!(String::from_utf8(world.bytes()).unwrap(), own);
    }
}

#[test]
fn what_a_run_of_ours_took_out_stays_out_unless_it_is_asked_for() {
    let world = World::looping();
    let before = world.keys();
    world.stopped(&["prune", "--apply", "--allow-removal", "100"]).exits(0);
    let after = world.keys();
    assert!(after.len() < before.len());
    let text = world.bytes();
    let cut = text.len() - 20;
    world.put(STORE, &text[..cut]);
    let lost = after.last().unwrap().clone();
    world.stopped(&["recover", "--apply"]).exits(0);
    let found = world.keys();
    assert!(found.contains(&lost), "the original of the run holds it");
    let gone: Vec<&String> = before.iter().filter(|key| !after.contains(key)).collect();
    assert!(gone.iter().all(|key| !found.contains(key)), "{found:?}");
    world.put(STORE, &text[..cut]);
    world.stopped(&["recover", "--apply", "--include-pruned"]).exits(0);
    let found = world.keys();
    assert!(before.iter().all(|key| found.contains(key)), "{found:?}");
}

#[test]
fn a_session_whose_transcript_was_archived_since_stays_out_unless_it_is_asked_for() {
    let world = empty();
    world.put(STORE, "");
    let at = NOW - DAY;
    world.put(&format!("{STORE}.bak.{at}"), store(&five()));
    world.put("agents/main/sessions/g.jsonl.deleted.2026-11-21T01-00-00.000Z", "{}\n");
    world.put("agents/main/sessions/d.jsonl.deleted.2026-11-19T01-00-00.000Z", "{}\n");
    world.stopped(&["recover", "--apply"]).exits(0);
    let keys = world.keys();
    assert_eq!(keys.len(), 4, "{keys:?}");
    assert!(!keys.contains(&"agent:main:telegram:group:-100".to_owned()));
    world.put(STORE, "");
    world.stopped(&["recover", "--apply", "--include-pruned"]).exits(0);
    assert_eq!(world.keys().len(), 5);
}

#[test]
fn a_likely_loss_is_told_and_added_to_only_when_that_is_said() {
    let all = five();
    let world = world_of(store(&all[..2]));
    let temp = "agents/main/sessions/.fs-safe-replace.7.0f908179-10f4-42bd-9ae3-d5d2feb993a0.tmp";
    world.put(temp, &store(&all)[..store(&all).len() - 10]);
    let report = world.stopped(&["check", "--json"]).exits(3).json();
    assert_eq!(rule_of(&report, "store-wiped").unwrap()["severity"], "warning");
    let before = world.tree();
    world.stopped(&["recover", "--apply"]).exits(3);
    assert_eq!(world.tree(), before);
    world.stopped(&["recover", "--apply", "--confidence", "likely"]).exits(0);
    let keys = world.keys();
    assert_eq!(keys[..2], ["agent:main:main", "agent:main:telegram:group:-100"]);
    assert!(keys.len() >= 4, "{keys:?}");
}

#[test]
fn what_openclaw_took_out_itself_is_no_loss() {
    let world = empty();
    world.put(STORE, store(&[entry("agent:main:main", "m", 90 * DAY, &[]), five()[1].clone()]));
    let old = entry("agent:main:direct:old", "o", 40 * DAY, &[]);
    let main = entry("main", "m", 40 * DAY, &[]);
    let group = entry("agent:main:Telegram:Group:-100", "g", 3 * HOUR, &[]);
    world.put(&format!("{STORE}.bak.{}", NOW - 2 * HOUR), store(&[old, main, group]));
    world.put("cron/runs/gone.jsonl", finished("gone", Some("s"), NOW - 2 * DAY, NOW - 2 * DAY));
    let archive = world.put("agents/main/sessions/s.jsonl.deleted.2026-11-20T01-00-00.000Z", "{}\n");
    world.stopped(&["check"]).exits(0);
    fs::remove_file(archive).unwrap();
    world.put("agents/main/sessions/s.jsonl", "{}\n");
    world.stopped(&["check"]).exits(3).says("store-wiped");
}

#[test]
fn a_name_without_a_transcript_is_no_loss_where_older_entries_are_left() {
    let world = world_of(store(&[entry("agent:main:main", "m", 5 * DAY, &[])]));
    world.put("cron/runs/daily.jsonl", finished("daily", Some("s"), NOW - DAY, NOW - DAY));
    world.stopped(&["check"]).exits(0);
    let text = transcript("s", "2026-11-20T01:00:00.000Z", "hello");
    let path = world.put("agents/main/sessions/s.jsonl", text);
    world.stopped(&["check"]).exits(3).says("store-wiped");
    world.stopped(&["recover"]).exits(3).says("recover --confidence likely");
    world.stopped(&["recover", "--apply", "--confidence", "likely"]).exits(0);
    assert!(world.keys().contains(&base("daily")));
    world.stopped(&["check"]).exits(0);
    // Nothing is older than what the log tells: all of it may be gone, and nothing is left to make it of.
    fs::remove_file(path).unwrap();
    world.put(STORE, store(&[entry("agent:main:main", "m", HOUR, &[])]));
    world.stopped(&["recover", "--confidence", "likely"]).exits(3).says("nothing holds what is missed");
}

#[test]
fn a_copy_elsewhere_is_not_held_against_the_logs_of_the_state_directory() {
    let world = world_of(store(&five()));
    world.put("cron/runs/other.jsonl", finished("other", Some("s"), NOW - DAY, NOW - DAY));
    world.stopped(&["check"]).exits(3);
    let copy = world.root.join("copy.json");
    fs::write(&copy, store(&five()[..1])).unwrap();
    world.stopped(&["check", "--store", copy.to_str().unwrap()]).exits(0);
}

#[test]
fn a_store_of_which_only_our_own_originals_are_left_is_missed_and_comes_back() {
    let world = World::looping();
    world.stopped(&["prune", "--apply"]).exits(0);
    let keys = world.keys();
    fs::remove_file(world.store()).unwrap();
    for name in world.beside() {
        fs::remove_file(world.store().with_file_name(name)).unwrap();
    }
    world.stopped(&["check"]).exits(3).says("store-missing");
    world.stopped(&["recover", "--apply"]).exits(0);
    let found = world.keys();
    assert_eq!(found, keys, "what the run took out stays out");
}

#[test]
fn nothing_to_recover_writes_nothing() {
    let healthy = world_of(store(&five()));
    let before = healthy.tree();
    healthy.stopped(&["recover", "--apply"]).exits(0);
    assert_eq!(healthy.tree(), before);
    for text in ["", "\0\0\0\0", "null", "[1, 2", "not json at all"] {
        let world = world_of(text);
        let before = world.tree();
        world.stopped(&["recover", "--apply"]).exits(3).says("no file holds an entry");
        assert_eq!(world.tree(), before, "{text:?}");
    }
    let nothing = empty();
    nothing.stopped(&["recover", "--apply"]).exits(0);
}

#[test]
fn a_running_gateway_is_never_written_beside() {
    let text = store(&five());
    let world = world_of(&text[..text.len() - 5]);
    let before = world.tree();
    let mut command = world.doctor(&["recover", "--apply", "--gateway", "running"]);
    world.finish(&mut command).exits(4);
    assert_eq!(world.tree(), before);
}

#[test]
fn output_takes_the_recovered_store_elsewhere() {
    let text = store(&five());
    let world = world_of(&text[..text.len() - 1]);
    let before = world.bytes();
    let file = world.root.join("recovered.json");
    world.stopped(&["recover", "--output", file.to_str().unwrap()]).exits(0);
    assert_eq!(fs::read_to_string(&file).unwrap(), text);
    assert_eq!(world.bytes(), before);
    world.stopped(&["recover", "--output", file.to_str().unwrap()]).exits(6);
}

#[test]
fn a_recovery_can_be_taken_back_while_nobody_wrote_since() {
    let text = store(&five());
    let damaged = &text[..text.len() - 1];
    let world = world_of(damaged);
    world.stopped(&["recover", "--apply"]).exits(0);
    let run = world.runs().pop().unwrap();
    let file = world.root.join("damaged.json");
    world.stopped(&["undo", &run, "--to", file.to_str().unwrap()]).exits(0);
    assert_eq!(fs::read_to_string(&file).unwrap(), damaged);
    world.stopped(&["undo", &run]).exits(2).says("damaged");
    assert_eq!(world.bytes(), text.as_bytes(), "a damaged file is not put where OpenClaw would wipe it");
}

#[test]
fn what_was_added_to_a_sound_store_can_be_taken_back() {
    let text = store(&five()[..2]);
    let world = world_of(&text);
    let lost = transcript("t", "2026-11-20T10:00:00.000Z", "hello");
    world.put("agents/main/sessions/t.jsonl", lost);
    world.stopped(&["recover", "--apply", "--assign", "t=agent:main:direct:+1"]).exits(0);
    assert_eq!(world.keys().len(), 3);
    let run = world.runs().pop().unwrap();
    let report = world.stopped(&["undo", &run, "--json"]).exits(0).json();
    assert_eq!(first(&report)["entries"]["total"], 3, "{report:#}");
    assert_eq!(world.bytes(), text.as_bytes());
    let tree = world.tree();
    world.stopped(&["undo", &run]).exits(0);
    assert_eq!(world.tree(), tree, "a second time changes nothing");
}

#[test]
fn what_was_pruned_stays_out_after_a_recovery_that_brought_it_back_was_taken_back() {
    let world = World::looping();
    let before = world.bytes();
    world.stopped(&["prune", "--apply", "--allow-removal", "100"]).exits(0);
    let after = world.keys();
    world.put(STORE, "{}");
    world.put(&format!("{STORE}.bak.{}", NOW - MINUTE), before);
    world.stopped(&["recover", "--apply", "--include-pruned"]).exits(0);
    assert!(world.keys().len() > after.len());
    let run = world.runs().pop().unwrap();
    world.stopped(&["undo", &run]).exits(0);
    assert_eq!(world.bytes(), b"{}");
    world.stopped(&["recover", "--apply"]).exits(0);
    let [mut found, mut wanted] = [world.keys(), after];
    found.sort();
    wanted.sort();
    assert_eq!(found, wanted);
}

#[test]
fn nothing_is_made_anew_for_an_agent_that_is_not_acted_on() {
    let world = empty();
    let list =
        r#"{"agents": {"list": [{"id": "main"}, {"id": "b"}]}, "session": {"store": "STATE/shared/s.json"}}"#;
    world.put("openclaw.json", list.replace("STATE", world.state.to_str().unwrap()));
    world.put("shared/s.json", &store(&five())[..200]);
    let line = finished("job", Some("s"), NOW - HOUR, NOW - HOUR).replace("agent:main", "agent:b");
    world.put("cron/runs/job.jsonl", line);
    world.put("shared/s.jsonl", transcript("s", "2026-11-20T10:00:00.000Z", "hello"));
    for (agent, made) in [("b", 1), ("main", 0)] {
        let report = world.stopped(&["recover", "--json", "--agent", agent]).exits(3).json();
        let changes = first(&report)["changes"].as_array().unwrap();
        let of_b = |change: &&Value| change["key"] == "agent:b:cron:job";
        assert_eq!(changes.iter().filter(of_b).count(), made, "{agent}: {changes:#?}");
    }
}

#[test]
fn redacted_it_tells_no_name_and_no_words() {
    let world = world_of(&store(&five())[..200]);
    world.put(
        "agents/main/sessions/hush.jsonl",
        transcript("hush", "2026-11-20T10:00:00.000Z", "hush my dear"),
    );
    for more in [&["-v"][..], &["--json", "--entries", "all"], &["--assign", "hush2=agent:main:direct:hush"]]
    {
        let ran = world.stopped(&[&["recover", "--redact"], more].concat());
        let told = ran.said();
        assert!(!told.is_empty() && !told.contains("hush"), "{told}");
    }
}

#[test]
fn a_run_that_a_later_copy_has_no_record_of_had_none_any_more() {
    for (rotated_at, made) in [(NOW - MINUTE, 0), (NOW - 3 * HOUR, 1)] {
        let world = empty();
        world.put(&format!("{STORE}.bak.{rotated_at}"), store(&five()));
        let at = "2026-11-21T00:00:00.000Z";
        world.put("cron/runs/daily.jsonl", finished("daily", Some("s"), NOW - HOUR, NOW - HOUR));
        world.put("agents/main/sessions/s.jsonl", transcript("s", at, "hello"));
        world.stopped(&["recover", "--apply"]).exits(0);
        assert_eq!(world.keys().len(), 5 + made, "{:?}", world.keys());
    }
}

#[test]
fn output_of_two_stores_is_refused_in_json_too() {
    let text = store(&five());
    let world = world_of(&text[..text.len() - 5]);
    world.put("agents/b/sessions/sessions.json", text[..text.len() - 5].replace("agent:main", "agent:b"));
    let file = world.root.join("out.json");
    let report = world.stopped(&["recover", "--json", "--output", file.to_str().unwrap()]).exits(2).json();
    assert_eq!(report["exitCode"], 2);
    assert!(!file.exists());
}

/// A transcript: a header, and a message of the user.
fn transcript(session: &str, at: &str, words: &str) -> String {
    let header = json!({"type": "session", "version": 3, "id": session, "timestamp": at, "cwd": "/"});
    let message = json!({"type": "message", "id": "00000001", "parentId": null, "timestamp": at,
        "message": {"role": "user", "content": [{"type": "text", "text": words}]}});
    format!("{header}\n{message}\n")
}

#[test]
fn what_no_file_holds_is_made_anew_from_what_is_certain_and_the_rest_is_listed() {
    let world = empty();
    world.put(STORE, "");
    let at = "2026-11-21T00:30:00.000Z";
    let id = |digit: char| format!("0f90817{digit}-10f4-42bd-9ae3-d5d2feb993a0");
    let (ran, marked, chat) = (id('1'), id('2'), id('3'));
    for (session, words) in [(&ran, "do it"), (&marked, "[cron:weekly Weekly] do it"), (&chat, "hello there")]
    {
        world.put(&format!("agents/main/sessions/{session}.jsonl"), transcript(session, at, words));
    }
    world.put("cron/jobs.json", jobs(&["daily", "weekly"]));
    let line = json!({"ts": NOW - HOUR, "jobId": "daily", "action": "finished", "status": "ok", "sessionId": ran,
        "sessionKey": format!("agent:main:cron:daily:run:{ran}"), "runAtMs": NOW - HOUR - 1000});
    world.put("cron/runs/daily.jsonl", format!("{line}\n"));
    let report = world.stopped(&["recover", "--json"]).exits(3).json();
    let orphan = rule_of(&report, "transcript-orphan").unwrap();
    assert!(orphan["message"].as_str().unwrap().contains("hello there"), "{orphan}");
    let assign = format!("{chat}=agent:main:telegram:direct:7");
    world.stopped(&["recover", "--apply", "--assign", &assign]).exits(0);
    let value: Value = serde_json::from_slice(&world.bytes()).unwrap();
    let made = |key: &str, session: &str| {
        let entry = value[key].as_object().unwrap_or_else(|| panic!("{key} in {value:#}"));
        assert_eq!(entry["sessionId"], session, "{key}");
        assert!(entry["updatedAt"].as_i64().unwrap() >= NOW - 2 * HOUR, "{key}");
        assert!(entry.keys().all(|name| ["sessionId", "updatedAt", "sessionFile"].contains(&name.as_str())));
    };
    made("agent:main:cron:daily", &ran);
    made(&format!("agent:main:cron:daily:run:{ran}"), &ran);
    made("agent:main:cron:weekly", &marked);
    made("agent:main:telegram:direct:7", &chat);
    assert_eq!(value.as_object().unwrap().len(), 4);
}

#[test]
fn assigning_what_is_not_there_or_taken_is_a_usage_error() {
    let world = world_of(store(&five()));
    let before = world.tree();
    for words in [
        "nothing=agent:main:x:direct:1",
        "m=agent:main:a\u{7}b",
        "m=agent:main:main",
        "m",
        "=agent:main:x",
        "m=key",
    ] {
        world.stopped(&["recover", "--apply", "--assign", words]).exits(2);
    }
    assert_eq!(world.tree(), before);
}

#[test]
fn after_a_prune_nobody_misses_what_it_took_out() {
    for name in samples::SAMPLES {
        let world = World::new();
        samples::copy(name, &world.state).unwrap();
        let sample = samples::expected(name);
        let go = |args: &[&str]| {
            let mut command = world.bare();
            command.args(args).arg("--state-dir").arg(&world.state);
            world.finish(command.args(["--now", &sample.now, "--gateway", "stopped"]))
        };
        go(&["prune", "--apply"]).exits(0);
        let report = go(&["check", "--json"]).json();
        assert!(rule_of(&report, "store-wiped").is_none(), "{name}: {report:#}");
        assert!(rule_of(&report, "store-rotated-away").is_none(), "{name}");
        let before = world.tree();
        for confidence in ["certain", "likely"] {
            go(&["recover", "--apply", "--confidence", confidence]).exits(0);
            assert_eq!(world.tree(), before, "{name}");
        }
    }
}

#[test]
fn the_real_sample_wiped_or_rotated_away_gets_its_keys_back() {
    let name = "openclaw-2026.3.28/normal-then-crash";
    let sample = samples::expected(name);
    let original = |world: &World| {
        samples::copy(name, &world.state).unwrap();
        world.keys()
    };
    let rotated = World::new();
    let keys = original(&rotated);
    let aside = rotated.store().with_file_name("sessions.json.bak.1795223669000");
    fs::rename(rotated.store(), aside).unwrap();
    let go = |world: &World, args: &[&str]| {
        let mut command = world.bare();
        command.args(args).arg("--state-dir").arg(&world.state);
        world.finish(command.args(["--now", &sample.now, "--gateway", "stopped"]))
    };
    go(&rotated, &["recover", "--apply"]).exits(0);
    assert_eq!(rotated.keys(), keys);
    // Nothing but an empty store is left: whatever a transcript and its witnesses tell comes back.
    let wiped = World::new();
    let keys = original(&wiped);
    fs::write(wiped.store(), "{}").unwrap();
    go(&wiped, &["check"]).exits(3).says("store-wiped");
    go(&wiped, &["recover", "--apply", "--confidence", "likely"]).exits(0);
    let (found, beside) = (wiped.keys(), wiped.beside());
    let has_transcript = |session: &str| beside.contains(&format!("{session}.jsonl"));
    let run_of = |key: &str| key.split_once(":run:").map(|(_, session)| session.to_owned());
    for key in keys.iter().filter(|key| key.contains(":cron:")) {
        // A run that failed before its first turn left nothing to go back to, nor did a job with no other runs.
        let runs = format!("{key}:run:");
        let left = match run_of(key) {
            Some(session) => has_transcript(&session),
            None => found.iter().any(|other| other.starts_with(&runs)),
        };
        assert_eq!(found.contains(key), left, "{key}");
    }
    let made_up =
        |key: &&String| run_of(key).map_or(!keys.contains(key), |session| !has_transcript(&session));
    assert_eq!(found.iter().find(made_up), None);
}
