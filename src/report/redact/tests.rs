//! Prevents: a phone number, a name or a path of a user in a report that was meant to be shared.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::report::fixture::{VecChanges, bloated, change, healed, report};
use crate::report::json;
use crate::report::model::*;

fn redactor() -> Redactor {
    Redactor::new(Some(b"0123456789abcdef0123456789abcdef")).with_home("/home/ada/")
}

/// The text with tags as `#`.
fn masked(text: &str) -> String {
    let mut out = String::new();
    let mut hex = String::new();
    for c in text.chars().chain(['\0']) {
        if c.is_ascii_hexdigit() && !c.is_ascii_uppercase() {
            hex.push(c);
            continue;
        }
        out.push_str(if hex.len() == DIGITS { "#" } else { &hex });
        hex.clear();
        out.push(c);
    }
    out.trim_end_matches('\0').to_owned()
}

#[test]
fn a_tag_has_ten_hex_digits_depends_on_the_key_and_repeats() {
    let (one, other) = (redactor(), Redactor::new(Some(b"another key")));
    assert_eq!(one.tag("ada").len(), DIGITS);
    assert!(one.tag("ada").chars().all(|c| c.is_ascii_hexdigit()));
    assert_eq!(one.text("ada"), one.id("ada"));
    assert_ne!(one.text("ada"), other.text("ada"));
    assert_ne!(one.text("ada"), one.text("adb"));
}

/// RFC 4231, test case 2: the tag is a prefix of plain HMAC-SHA256.
#[test]
fn the_tag_is_hmac_sha256() {
    assert_eq!(Redactor::new(Some(b"Jefe")).text("what do ya want for nothing?"), "5bdcc146bf");
}

#[test]
fn without_a_key_nothing_changes_and_the_key_is_never_printed() {
    let off = Redactor::new(None);
    assert_eq!(off.key("agent:main:direct:+4912345"), "agent:main:direct:+4912345");
    assert_eq!(off.prose("at /home/ada/x", &[]), "at /home/ada/x");
    assert_eq!(format!("{:?}", redactor()), "Redactor { on: true, .. }");
}

#[test]
fn keys_keep_their_grammar() {
    let cases = [
        ("agent:main:cron:mail-job:run:7d3c", "agent:main:cron:#:run:#"),
        ("agent:ops:telegram:group:-100123:topic:7", "agent:#:telegram:group:#:topic:#"),
        ("agent:main:whatsapp:direct:+491234567", "agent:main:whatsapp:direct:#"),
        ("agent:main:subagent:x:subagent:y", "agent:main:subagent:#:subagent:#"),
        ("agent:main:node-kitchen", "agent:main:node-#"),
        ("agent:main:explicit:model-run-1", "agent:main:explicit:model-run-#"),
        ("agent::main:", "agent::main:"),
        ("ada@example.org", "#"),
        ("", ""),
    ];
    for (key, expected) in cases {
        assert_eq!(masked(&redactor().key(key)), expected);
    }
}

#[test]
fn paths_keep_the_names_that_are_not_the_users() {
    let cases = [
        (
            "/home/ada/.openclaw/agents/ops/sessions/sessions.json",
            "~/.openclaw/agents/#/sessions/sessions.json",
        ),
        ("/home/adam/.openclaw/cron/jobs.json", "/home/#/.openclaw/cron/jobs.json"),
        ("/home/ada/.openclaw/cron/runs/mail-job.jsonl", "~/.openclaw/cron/runs/#.jsonl"),
        ("/srv/claw-of-ada/sessions.json.bak.1795223354743", "/srv/#/sessions.json.bak.1795223354743"),
        ("x/7d3c.jsonl.deleted.2026-11-21T01-09-14.743Z", "#/#.jsonl.deleted.2026-11-21T01-09-14.743Z"),
        ("x/ada.jsonl.deleted.ada", "#/#"),
        ("C:\\Users\\ada\\.openclaw\\sessions.json", "C:\\Users\\#\\.openclaw\\sessions.json"),
        ("/home/ada", "~"),
        (
            "~/.openclaw/sessions-doctor/runs/20261121T010914.743Z-0001/run.json",
            "~/.openclaw/sessions-doctor/runs/20261121T010914.743Z-0001/run.json",
        ),
    ];
    for (path, expected) in cases {
        assert_eq!(masked(&redactor().path(path)), expected);
    }
    assert!(
        redactor().path("runs/mail-job.jsonl").contains(&redactor().id("mail-job")),
        "job ids can be matched"
    );
}

#[test]
fn sentences_lose_what_looks_private() {
    let cases = [
        (
            "finished ok at /home/ada/.openclaw/cron/runs/mail-job.jsonl:812",
            "finished ok at ~/.openclaw/cron/runs/#.jsonl:812",
        ),
        ("parent agent:main:direct:+4912345 is in no store.", "parent agent:main:direct:# is in no store."),
        ("job 'Ada's mail' failed: \"no such \\\"host\\\"\"", "job '#' failed: \"#\""),
        (
            "the job's marker is set since 2026-11-21T01:09:14.743Z",
            "the job's marker is set since 2026-11-21T01:09:14.743Z",
        ),
        ("session 7d3c9a52-0a7e-4d06-9d0b-5f6f2f3c1d10, idle", "session #, idle"),
        ("written by ada@example.org (+4912345678)", "written by # (#)"),
        (
            "run `sessions-doctor prune --store /home/ada/s.json --apply`",
            "run `sessions-doctor prune --store ~/#.json --apply`",
        ),
        ("`runningAtMs` is set, `status` is \"running\"", "`runningAtMs` is set, `status` is \"running\""),
        ("lines 1,204 of 2,000 in mail-job.jsonl:7", "lines 1,204 of 2,000 in #.jsonl:7"),
        ("the list (cron/jobs.json) has it", "the list (cron/jobs.json) has it"),
        ("chat -1001234567 is in use", "chat # is in use"),
        ("an open \"quote of Ada", "an open \"quote of Ada"),
    ];
    for (sentence, expected) in cases {
        assert_eq!(masked(&redactor().prose(sentence, &[])), expected);
    }
}

#[test]
fn sentences_lose_known_names_as_words_only() {
    let known = ["Check mail", "mail", "ops"];
    let text = redactor().prose("job Check mail of ops: mailbox full, see /x/ops/mail", &known);
    assert_eq!(masked(&text), "job # of #: mailbox full, see /#/#/#");
}

#[test]
fn values_keep_numbers_statuses_and_known_names() {
    let value = json!({"status": "running", "label": "Ada", "x": ["Ada", 1, null, true], "endedAt": 5});
    let text = masked(&values::redact(&redactor(), &value).to_string());
    assert!(text.contains("\"status\":\"running\"") && text.contains("\"label\":\"#\""), "{text}");
    assert!(text.contains("[\"#\",1,null,true]") && text.contains("\"endedAt\":5"), "{text}");
}

const CANARY: &str = "Canary";

fn canary() -> String {
    format!("{CANARY} +4912345 dora@example.org")
}

fn canary_path() -> String {
    format!("/home/ada/{CANARY}/sub {CANARY}/sessions.json")
}

fn canary_prose() -> String {
    format!(
        "at {CANARY}/x.jsonl:3 of agent:{CANARY}:direct:{CANARY}: \"{CANARY}\" `{CANARY}` '{CANARY} x' and {}",
        canary()
    )
}

/// A report with a canary in every string that can come from a file.
fn planted() -> Report {
    let mut store = bloated();
    store.agent_ids = vec![canary(), "main".to_owned()];
    store.path = canary_path();
    store.classes.insert(canary(), Tally::default());
    store.class_actions.insert(canary(), [(canary(), Tally::default())].into());
    store.rules.insert(canary(), Tally::default());
    store.kept_because.insert(canary(), Tally::default());
    store.brakes = vec![BrakeReport { family: canary(), share: 1.0, entries: 1 }];
    store.jobs[0].job_id = canary();
    store.jobs[0].name = Some(canary());
    store.jobs[0].statuses.insert(canary(), 1);
    store.fields = vec![FieldReport { name: canary(), bytes: 1, entries: 1 }];
    store.forecast.as_mut().expect("a forecast").basis = canary_prose();
    store.damage =
        vec![Damage { rule: canary(), start: 0, end: 1, line: 1, column: 1, detail: canary_prose() }];
    store.sources = vec![SourceReport { path: canary_path(), kind: canary(), entries: 1, used: 1 }];
    store.backup = Some(Backup { run: canary(), path: canary_path() });
    let mut report = report(vec![store]);
    report.command = canary();
    report.state_dir = Some(canary_path());
    report.gateway.version = Some(canary());
    report.gateway.evidence = vec![canary_prose()];
    report.evidence[0].path = canary_path();
    let reasons = vec![canary_prose()];
    report.cron_jobs = vec![CronJobReport {
        job_id: canary(),
        name: Some(canary()),
        verdict: canary(),
        running_at_ms: None,
        reasons,
        enabled: None,
        schedule: canary(),
        runs: 0,
        last_run_at: None,
        last_status: Some(canary()),
        next_run_at_ms: None,
        median_interval_ms: None,
        expected_interval_ms: None,
        confidence: None,
        next_start: None,
        action: canary(),
        outcome: Outcome::Unchanged,
    }];
    report.files = vec![FileReport {
        path: canary_path(),
        rule: canary(),
        action: canary(),
        bytes: 1,
        to: Some(canary_path()),
    }];
    report.runs = vec![RunReport {
        run: canary(),
        command: canary(),
        at: 0,
        state: canary(),
        path: canary_path(),
        removed: 0,
        healed: 0,
        slimmed: 0,
        restored: 0,
        files: 0,
        bytes: 0,
    }];
    report.findings = vec![Finding {
        check_id: "interrupted",
        severity: Severity::Info,
        message: canary_prose(),
        path: Some(canary_path()),
        count: None,
        fix_hint: Some(canary_prose()),
    }];
    report
}

fn planted_change() -> Change {
    let value = json!({CANARY: [CANARY, {CANARY: CANARY}]});
    Change {
        key: format!("agent:{CANARY}:whatsapp:direct:{CANARY}:{CANARY}"),
        reasons: vec![canary_prose(), format!("job {CANARY} is in no list")],
        source: Some(canary_path()),
        edits: vec![Edit { field: canary(), old: value.clone(), new: value }],
        session_id: Some(canary()),
        status: Some(canary()),
        ..change()
    }
}

#[test]
fn no_canary_survives_in_a_whole_report() {
    let mut report = planted();
    let mut changes = VecChanges { stores: vec![vec![planted_change(), healed()]], fail_after: None };
    let mut out = Vec::new();
    let before = json::write(&mut out, &report, &mut changes).expect("written");
    assert_eq!(before.exit_code, 0);
    let plain = String::from_utf8_lossy(&out).matches(CANARY).count();
    assert!(plain > 60, "only {plain} canaries were planted");

    let redactor = redactor();
    redact_report(&redactor, &mut report);
    out.clear();
    let after = json::write(&mut out, &report, &mut Redacted::new(&redactor, &mut changes)).expect("written");
    assert!(after.source_failure.is_none());
    let text = String::from_utf8_lossy(&out);
    for secret in [CANARY, "+4912345", "dora@example.org", "/home/ada", "mail-job", "7d3c9a52"] {
        assert!(!text.contains(secret), "{secret} survived:\n{text}");
    }
    assert!(text.contains("\"zombie-finished\"") && text.contains(":812"), "what is not private stays");
}

#[test]
fn a_redactor_without_key_leaves_report_and_changes_alone() {
    let off = Redactor::new(None);
    let mut report = planted();
    redact_report(&off, &mut report);
    assert_eq!(report.stores[0].path, canary_path());
    let mut change = planted_change();
    redact_change(&off, &mut change);
    assert!(change.key.contains(CANARY));
}

proptest! {
    /// Whatever a file holds, redaction neither panics nor lets a quoted, known or path-like secret through.
    #[test]
    fn no_sentence_breaks_it(text: String, known in "\\PC{0,8}", secret in "[a-z]{3,9}[0-9]{3}") {
        let redactor = redactor();
        let _ = redactor.prose(&text, &[&known, &text]);
        let (_, _, _) = (redactor.key(&text), redactor.path(&text), redactor.text(&text));
        let spaced = format!("a\u{3000}{secret}\u{a0}b {secret}: \"{secret}\" x/{secret}/y agent:main:direct:{secret}");
        prop_assert!(!redactor.prose(&spaced, &[&secret]).contains(&secret));
    }
}
