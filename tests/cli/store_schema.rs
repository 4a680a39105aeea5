//! Prevents: a schema of stores that refuses what `validate` accepts, or that accepts what a schema could have refused.
//!
//! `validate` is the judge: for the newest version of OpenClaw, with warnings that count as much as errors.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use crate::samples;
use crate::schema::Schema;
use crate::world::*;
use serde_json::{Map, Value, json};
use sessions_doctor::openclaw::entry_fields::{Known, Wanted};
use sessions_doctor::openclaw::layout::{is_safe_session_id, is_transcript_id};
use sessions_doctor::rules::schema;

/// Rules whose problems the schema finds, all of them.
const SAID: [&str; 7] = [
    "store-not-an-object",
    "malformed-entry",
    "malformed-session-id",
    "entry-no-session-id",
    "entry-wrong-type",
    "entry-seconds",
    "entry-legacy-field",
];

/// Rules of which it finds some: a key's form is a pattern, but which words of it may not stand in capitals depends on the others.
const SAID_IN_PART: [&str; 1] = ["entry-hybrid-key"];

/// Rules that no schema can say, for they are about
const NOT_SAID: [&str; 13] = [
    // the text, of which a schema sees nothing: it is no JSON, or not the JSON that it seems,
    "store-empty",
    "store-truncated",
    "store-corrupt",
    "store-bom",
    "store-trailing-bytes",
    "store-invalid-utf8",
    "duplicate-key",
    // two keys, or a key and a member, or two members,
    "alias-key",
    "entry-run-id-mismatch",
    "entry-time-order",
    // the clock,
    "entry-future-time",
    // or where the file lies; and half a gigabyte is a lot of text.
    "entry-path-escape",
    "store-oversized",
];

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| Schema::new(&schema::document()));

/// What `validate` finds in each of these files, by rule.
fn found(paths: &[PathBuf]) -> Vec<BTreeSet<String>> {
    let world = World::new();
    let mut command = world.bare();
    let ran = world.finish(command.args(["validate", "--json", "--now", NOW_TEXT]).args(paths));
    let report = ran.json();
    let files = report["files"].as_array().unwrap();
    assert_eq!(files.len(), paths.len(), "{ran}");
    let rules = |file: &Value| {
        let problems = file["problems"].as_array().unwrap().iter();
        problems.map(|problem| problem["checkId"].as_str().unwrap().to_owned()).collect()
    };
    files.iter().map(rules).collect()
}

/// The schema refuses where `validate` finds what can be said, and only there.
#[track_caller]
fn assert_agree(name: &str, accepted: bool, found: &BTreeSet<String>) {
    let any_of = |rules: &[&str]| rules.iter().any(|rule| found.contains(*rule));
    if any_of(&SAID) {
        assert!(!accepted, "{name}: the schema accepts {found:?}");
    } else if !accepted {
        assert!(any_of(&SAID_IN_PART), "{name}: the schema refuses what has {found:?}");
    }
}

/// Holds the schema against `validate` for each of these values.
fn agree_on(stores: &[(String, Value)]) {
    let dir = tempfile::tempdir().unwrap();
    let paths: Vec<PathBuf> = (0..stores.len()).map(|at| dir.path().join(format!("{at}.json"))).collect();
    for ((_, store), path) in stores.iter().zip(&paths) {
        fs::write(path, serde_json::to_vec(store).unwrap()).unwrap();
    }
    for (names, paths) in stores.chunks(500).zip(paths.chunks(500)) {
        for ((name, store), found) in names.iter().zip(found(paths)) {
            assert_agree(name, SCHEMA.is_valid(store), &found);
        }
    }
}

/// A store with one entry, which is sound but for what is put into it.
fn with(key: &str, members: &[(&str, Value)]) -> Value {
    let mut entry =
        Map::from_iter([("sessionId".to_owned(), json!("s")), ("updatedAt".to_owned(), json!(NOW - HOUR))]);
    entry.extend(members.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
    json!({ key: entry })
}

const KEY: &str = "agent:main:main";

#[test]
fn the_schema_is_one_and_names_what_it_cannot_say() {
    let document = schema::document();
    assert_eq!(document["$schema"], "https://json-schema.org/draft/2020-12/schema");
    let text = document["description"].as_str().unwrap();
    let (said, beyond) = text.split_once("it cannot say").unwrap();
    for rule in SAID.iter().chain(&SAID_IN_PART).filter(|rule| !rule.starts_with("store-")) {
        assert!(said.contains(rule) && !beyond.contains(rule), "{rule}: {text}");
    }
    let of_text = |rule: &&&str| rule.starts_with("store-") && **rule != "store-invalid-utf8";
    for rule in NOT_SAID.iter().filter(|rule| !of_text(rule)) {
        assert!(beyond.contains(rule) && !said.contains(rule), "{rule}: {text}");
    }
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/schemas.md")).unwrap();
    let row = |rule: &str| page.lines().find(|line| line.contains(&format!("`{rule}`"))).unwrap_or_default();
    assert!(SAID.iter().all(|rule| row(rule).contains("| found, every time |")), "{page}");
    assert!(SAID_IN_PART.iter().all(|rule| row(rule).contains("| in part: ")), "{page}");
    assert!(
        NOT_SAID.iter().filter(|rule| !of_text(rule)).all(|rule| row(rule).contains("| not found: ")),
        "{page}"
    );
    let world = World::new();
    let mut command = world.bare();
    let printed = world.finish(command.args(["generate", "schema", "store"])).exits(0);
    assert_eq!(serde_json::from_str::<Value>(&printed.out).unwrap(), document);
}

#[test]
fn of_every_fixture_it_says_what_validate_says() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/validate");
    let mut seen = BTreeSet::new();
    for dir in fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()) {
        let rule = dir.file_name().unwrap().to_str().unwrap().to_owned();
        let known = [&SAID[..], &SAID_IN_PART, &NOT_SAID].concat().contains(&rule.as_str());
        // What has a file of another kind to fail is no rule of stores.
        if !dir.join("fail.json").exists()
            || !(known || rule.starts_with("entry-") || rule.starts_with("store-"))
        {
            continue;
        }
        assert!(known, "{rule}: can a schema say it? Put it into a list here and in src/rules/schema.rs");
        for (file, fails) in [("fail.json", true), ("pass.json", false)] {
            let path = dir.join(file);
            // What is no JSON has no value that a schema could be asked about.
            let Ok(store) = serde_json::from_slice(&fs::read(&path).unwrap()) else {
                assert!(NOT_SAID.contains(&rule.as_str()) && fails, "{rule}/{file}");
                continue;
            };
            let found = found(&[path]).remove(0);
            assert_eq!(found.contains(&rule), fails, "{rule}/{file}: {found:?}");
            let accepted = SCHEMA.is_valid(&store);
            assert_agree(&format!("{rule}/{file}"), accepted, &found);
            let said = SAID.contains(&rule.as_str()) || rule == "entry-hybrid-key";
            assert_eq!(accepted, !(fails && said), "{rule}/{file}");
        }
        seen.insert(rule);
    }
    let all: BTreeSet<String> =
        [&SAID[..], &SAID_IN_PART, &NOT_SAID].concat().iter().map(|rule| (*rule).to_owned()).collect();
    let without: Vec<&String> = all.difference(&seen).collect();
    assert_eq!(without, ["store-oversized"], "left: no fixture");
}

#[test]
fn real_stores_are_accepted_and_not_once_they_are_spoilt() {
    for name in samples::SAMPLES {
        let path = samples::directory(name).join(samples::expected(name).store);
        let mut store: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        let found = found(&[path]).remove(0);
        assert!(found.iter().all(|rule| NOT_SAID.contains(&rule.as_str())), "{name}: {found:?}");
        let errors: Vec<String> = SCHEMA.complaints(&store);
        assert_eq!(errors, [""; 0], "{name}");
        for (_, entry) in store.as_object_mut().unwrap() {
            let whole = entry.clone();
            entry["updatedAt"] = json!("2026-11-21T01:14:30Z");
            let spoilt = json!({ KEY: entry.clone() });
            assert!(!SCHEMA.is_valid(&spoilt), "{name}: {spoilt}");
            *entry = whole;
        }
    }
}

/// A value of every kind, and of numbers those at the edges of what is a time.
fn values() -> Vec<Value> {
    let numbers = [-1.5, -0.5, 0.0, 0.5, 99_999_999.0, 1e8, 99_999_999_999.0, 1e11, 1e300];
    let whole = [
        0,
        -1,
        99_999_999,
        100_000_000,
        1_795_223_628,
        99_999_999_999,
        100_000_000_000,
        NOW - DAY,
        NOW + DAY,
    ];
    let mut values = vec![
        Value::Null,
        json!(true),
        json!(false),
        json!(""),
        json!("a"),
        json!("1795223628227"),
        json!([]),
        json!([1]),
        json!({}),
        json!({"a": 1}),
    ];
    values.extend(numbers.map(|number| json!(number)));
    values.extend(whole.map(|number| json!(number)));
    values
}

#[test]
fn every_known_member_with_every_kind_of_value_gets_the_verdict_of_validate() {
    let mut stores = Vec::new();
    let names = Known::all().map(Known::name).chain(["unknownMember", "thinkingLevel"]);
    for name in names {
        for value in values() {
            stores.push((format!("{name}: {value}"), with(KEY, &[(name, value)])));
        }
    }
    assert!(stores.len() > 2_500);
    agree_on(&stores);
    // The table itself is what the schema was made from: each kind of member refuses something, and takes something.
    for member in Known::all() {
        let accepted = values()
            .into_iter()
            .filter(|value| SCHEMA.is_valid(&with(KEY, &[(member.name(), value.clone())])));
        let accepted = accepted.count();
        assert_eq!(accepted == 0, member.wanted() == Wanted::Legacy, "{}", member.name());
        assert!(accepted < values().len(), "{} takes anything", member.name());
    }
}

#[test]
fn what_is_left_out_of_an_entry_gets_the_verdict_of_validate() {
    let mut stores: Vec<(String, Value)> = values()
        .into_iter()
        .map(|value| (format!("an entry that is {value}"), json!({ KEY: value })))
        .collect();
    stores.extend(values().into_iter().map(|value| (format!("a store that is {value}"), value)));
    let keys = [
        KEY,
        "agent:main:cron:j",
        "agent:main:cron:j:run:s",
        "agent:main:cron:j:other",
        "global",
        "agent:main:CRON:j",
        "cron:j",
    ];
    let ids =
        [None, Some(json!(null)), Some(json!("s")), Some(json!("a:b")), Some(json!("a/b")), Some(json!(7))];
    let files = [None, Some(json!(null)), Some(json!("s.jsonl")), Some(json!("")), Some(json!(7))];
    for (key, (id, file)) in keys.iter().flat_map(|key| {
        ids.iter().flat_map(|id| files.iter().map(move |file| (id, file))).map(move |pair| (key, pair))
    }) {
        for is_updated in [true, false] {
            let mut store = with(key, &[]);
            let entry = store[key].as_object_mut().unwrap();
            if !is_updated {
                entry.remove("updatedAt");
            }
            for (name, value) in [("sessionId", id), ("sessionFile", file)] {
                match value {
                    Some(value) => drop(entry.insert(name.to_owned(), value.clone())),
                    None => drop(entry.remove(name)),
                }
            }
            stores.push((store.to_string(), store));
        }
    }
    // Of two entries one is as bad as before.
    let two =
        json!({ KEY: {"sessionId": "a", "updatedAt": NOW - HOUR}, "agent:main:hook:x": {"sessionId": "b"} });
    stores.push((two.to_string(), two));
    assert!(stores.len() > 400);
    agree_on(&stores);
}

#[test]
fn ids_of_sessions_are_those_that_openclaw_takes() {
    let mut ids: Vec<String> = (0..=0x17f)
        .filter_map(char::from_u32)
        .flat_map(|char| [char.to_string(), format!("a{char}"), format!("a{char}b")])
        .collect();
    ids.extend([0, 1, 127, 128, 129, 254, 255, 256].map(|len| "x".repeat(len)));
    ids.extend([254, 255, 256].map(|len| format!("{}:", "x".repeat(len - 1))));
    for id in &ids {
        let (is_safe, is_name) = (is_safe_session_id(id.as_bytes()), is_transcript_id(id));
        assert_eq!(SCHEMA.is_valid(&with(KEY, &[("sessionId", json!(id))])), is_safe && is_name, "{id:?}");
        let beside_a_file = with(KEY, &[("sessionId", json!(id)), ("sessionFile", json!("a.jsonl"))]);
        assert_eq!(SCHEMA.is_valid(&beside_a_file), is_safe, "{id:?}");
    }
    assert!(ids.len() > 1_000);
}

#[test]
fn keys_get_the_verdict_of_validate_as_far_as_their_form_goes() {
    let parts =
        ["", "agent", "main", "cron", "CRON", "j", "run", "Agent", "Ab", "ä", "Ä", "global", "a\nb", " "];
    let mut keys: Vec<String> = Vec::new();
    for first in parts {
        keys.push(first.to_owned());
        for second in parts {
            keys.push(format!("{first}:{second}"));
            for third in parts {
                keys.push(format!("{first}:{second}:{third}"));
                for fourth in ["", "j", "J"] {
                    keys.push(format!("{first}:{second}:{third}:{fourth}"));
                }
            }
        }
    }
    keys.extend(
        ["unknown", "agent:main:matrix:room:!AbC:server.org", "telegram:group:1", "agent:main:cron:j:run:s"]
            .map(str::to_owned),
    );
    // With an id and without: the standing entry of a job needs none.
    let bare = |key: &str| json!({ key: {"updatedAt": NOW - HOUR} });
    let stores: Vec<(String, Value)> = keys
        .iter()
        .flat_map(|key| [(format!("{key:?}"), with(key, &[])), (format!("{key:?} without an id"), bare(key))])
        .collect();
    agree_on(&stores);
    for key in ["entry-7", "main", "agent::x", "agent:Main:main", "agent:main:cron::run:x", ""] {
        assert!(!SCHEMA.is_valid(&with(key, &[])), "{key}");
    }
    assert!(
        SCHEMA.is_valid(&with("agent:main:CRON:j", &[])),
        "a word of the grammar in capitals is beyond it"
    );
}
