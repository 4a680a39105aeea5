//! Prevents: a report that hides what matters, bursts the page, or lets a file talk to the terminal.

use super::*;
use crate::report::fixture::{VecChanges, bloated, change, healed, healthy, job, report};
use crate::report::model::{
    Backup, BrakeReport, Damage, EntryCounts, FieldReport, Finding, NoChanges, OpenclawReads, RunReport,
};

fn options(verbosity: Verbosity) -> Options {
    Options { style: Style::plain(), verbosity, next_steps: Vec::new() }
}

fn written(report: &Report, changes: &mut dyn Changes, options: &Options) -> String {
    let mut out = Vec::new();
    let written = write(&mut out, report, changes, options).expect("a sink that never fails");
    assert!(written.source_failure.is_none());
    String::from_utf8(out).expect("UTF-8")
}

fn told(report: &Report) -> String {
    written(report, &mut NoChanges, &options(Verbosity::Normal))
}

/// Compares with what a test expects, less the line feed that a raw string starts with.
#[track_caller]
fn assert_text(actual: &str, expected: &str) {
    assert_eq!(actual, expected.strip_prefix('\n').unwrap_or(expected), "\n{actual}");
}

fn finding(severity: Severity, check_id: &'static str, message: &str, fix_hint: Option<&str>) -> Finding {
    let fix_hint = fix_hint.map(str::to_owned);
    Finding { check_id, severity, message: message.to_owned(), path: None, count: None, fix_hint }
}

#[test]
fn a_healthy_store_is_one_quiet_line() {
    let expected = "healthy   /home/ada/.openclaw/agents/main/sessions/sessions.json  412 kB  33 entries\n";
    assert_text(&told(&report(vec![healthy()])), expected);
    assert_text(&written(&report(vec![healthy()]), &mut NoChanges, &options(Verbosity::Quiet)), expected);
}

#[test]
fn nothing_there_is_said_in_a_line() {
    assert_text(&told(&report(Vec::new())), "No sessions.json in /home/ada/.openclaw: nothing to do.\n");
}

#[test]
fn findings_say_what_is_wrong_what_would_happen_and_what_to_type() {
    let mut store = bloated();
    store.fields = vec![FieldReport { name: "skillsSnapshot".to_owned(), bytes: 110_000_000, entries: 6500 }];
    store.brakes = vec![BrakeReport { family: "sub-agent".to_owned(), share: 62.0, entries: 210 }];
    let mut report = report(vec![store]);
    report.findings = vec![
        finding(Severity::Info, "missing-transcript", "entries without a transcript, which is normal", None),
        finding(
            Severity::Warning,
            "config-unreadable",
            "openclaw.json holds ${TOKEN}, which is not set here, so no entry counts as orphaned by its job",
            Some("run with the gateway's environment"),
        ),
    ];
    report.findings[0].count = Some(4100);
    let next_steps = vec!["sessions-doctor prune".to_owned(), "sessions-doctor prune --apply".to_owned()];
    let text = written(&report, &mut NoChanges, &Options { next_steps, ..options(Verbosity::Normal) });
    assert_text(
        &text,
        r"
Check of /home/ada/.openclaw: the gateway is stopped

findings  /home/ada/.openclaw/agents/main/sessions/sessions.json
          185 MB  6,539 entries: 4,103 zombie, 211 orphaned, 2,194 stale, 31 live
          -> prune would remove 6,506 entries, heal 2 (mark as ended) and leave 33 entries in
             412 kB, 99.8 % less

  class     entries    bytes  which means                             plan
  zombie      4,103   116 MB  says that it runs, but its run is over  remove 4,101, heal 2
  orphaned      211  5.90 MB  its cron job or parent session is gone  remove
  stale       2,194  62.6 MB  over, and older than its retention      remove
  live           31   410 kB  nothing is wrong with it                keep

  kept  because                                               rule
    12  a direct conversation                                 protected-direct
     4  the standing entry of a cron job that exists, or may  protected-base-cron
     3  touched within --grace                                grace
     1  the main session                                      protected-main

  Safety brake: 210 entries of the family sub-agent would go (62 %), more than --allow-removal
                permits. All of them are kept.

  cron job    id        entries    bytes  every  status                        job list
  Check mail  mail-job    2,075  58.9 MB   41 s  60 % running, 40 % no status  has it
  all others              4,449   125 MB         100 % no status

  Space:  skillsSnapshot 59 %

  Memory: the gateway needs 1.20 GB to 1.90 GB of heap to work with this store; the limit of 2.10 GB
          is enough
          (three copies while saving, Node 22 default heap limit)

warning   config-unreadable
          openclaw.json holds ${TOKEN}, which is not set here, so no entry counts as orphaned by its
          job
          -> run with the gateway's environment
note      missing-transcript (4,100 times)
          entries without a transcript, which is normal

Next:
  sessions-doctor prune
  sessions-doctor prune --apply
",
    );
}

#[test]
fn quiet_is_a_line_per_store_and_the_errors() {
    let mut report = report(vec![bloated(), healthy()]);
    report.findings = vec![
        finding(Severity::Warning, "gateway-unknown", "cannot tell", None),
        finding(Severity::Error, "heap-forecast", "the gateway cannot load this store", Some("prune it")),
    ];
    assert_text(
        &written(&report, &mut NoChanges, &options(Verbosity::Quiet)),
        r"
findings  /home/ada/.openclaw/agents/main/sessions/sessions.json  185 MB  6,539 entries -> 33 entries, 412 kB after prune
healthy   /home/ada/.openclaw/agents/main/sessions/sessions.json  412 kB  33 entries
error     heap-forecast
          the gateway cannot load this store
          -> prune it
",
    );
}

#[test]
fn damage_is_named_with_line_and_column() {
    let mut store = healthy();
    store.verdict = StoreVerdict::Damaged;
    store.bytes_after = None;
    store.openclaw_reads = OpenclawReads { entries: Some(0), outcome: "empty" };
    store.damage = (0..7)
        .map(|index| Damage {
            rule: "store-truncated".to_owned(),
            start: 1000 + index,
            end: 2000,
            line: 88 + index,
            column: 14,
            detail: "the file ends inside a string".to_owned(),
        })
        .collect();
    store.damage_omitted = 10;
    let text = told(&report(vec![store]));
    assert_text(
        &text.lines().skip(2).take(8).map(|line| format!("{line}\n")).collect::<String>(),
        r"
damaged   /home/ada/.openclaw/agents/main/sessions/sessions.json
          412 kB  33 entries: 33 live
          OpenClaw reads this file as empty, and its next save would overwrite it. Keep the gateway
          stopped.

  Damage
    /home/ada/.openclaw/agents/main/sessions/sessions.json:88:14: store-truncated
      the file ends inside a string (bytes 1000 to 2000)
",
    );
    assert!(text.contains("\n    and 12 more places\n"), "{text}");
}

#[test]
fn a_missing_store_has_no_size() {
    let mut store = healthy();
    (store.bytes, store.bytes_after, store.verdict) = (None, None, StoreVerdict::Missing);
    store.openclaw_reads = OpenclawReads { entries: None, outcome: "empty" };
    (store.entries, store.classes) = (EntryCounts::default(), Default::default());
    let text = told(&report(vec![store]));
    assert!(text.contains("missing   /home/ada"), "{text}");
    assert!(
        text.contains("          no file  0 entries\n          OpenClaw would start with an empty store."),
        "{text}"
    );
}

#[test]
fn a_busy_store_says_that_it_was_not_changed() {
    let mut store = bloated();
    store.outcome = Outcome::Busy;
    let mut report = report(vec![store]);
    (report.command, report.applied, report.exit_code) = ("prune".to_owned(), true, 4);
    report.gateway.running = Some(true);
    report.gateway.pid = Some(4242);
    let hint = "stop it: systemctl --user stop openclaw-gateway";
    report.findings =
        vec![finding(Severity::Error, "gateway-running", "a gateway of this directory is alive", Some(hint))];
    let text = told(&report);
    assert!(
        text.starts_with("Prune of /home/ada/.openclaw: the gateway runs (pid 4242)\n\nbusy      /home/"),
        "{text}"
    );
    assert!(text.contains("\n          -> not changed: something uses this store, or may\n"), "{text}");
    assert!(text.ends_with("          -> stop it: systemctl --user stop openclaw-gateway\n"), "{text}");
}

#[test]
fn what_was_applied_comes_with_its_way_back() {
    let mut store = bloated();
    store.outcome = Outcome::Applied;
    store.backup = Some(Backup {
        run: "20261121T010914.743Z-0001".to_owned(),
        path: "/home/ada/.openclaw/sessions-doctor/runs/20261121T010914.743Z-0001/sessions.json".to_owned(),
    });
    let mut report = report(vec![store]);
    (report.command, report.applied) = ("prune".to_owned(), true);
    let text = told(&report);
    assert_text(
        &text.lines().skip(2).take(5).map(|line| format!("{line}\n")).collect::<String>(),
        r"
done      /home/ada/.openclaw/agents/main/sessions/sessions.json
          185 MB  6,539 entries: 4,103 zombie, 211 orphaned, 2,194 stale, 31 live
          -> removed 6,506 entries, healed 2 and left 33 entries in 412 kB, 99.8 % less
             the original is kept: /home/ada/.openclaw/sessions-doctor/runs/20261121T010914.743Z-0001/sessions.json

",
    );
    let quiet = written(&report, &mut NoChanges, &options(Verbosity::Quiet));
    assert!(quiet.ends_with("  185 MB  6,539 entries -> 33 entries, 412 kB\n"), "{quiet}");
}

#[test]
fn verbose_lists_every_change_with_its_reasons() {
    let mut changes = VecChanges { stores: vec![vec![change(), healed()]], fail_after: None };
    let text = written(&report(vec![bloated()]), &mut changes, &options(Verbosity::Verbose));
    assert!(text.contains(
        "\n  gateway: port 18789 refused\n  cron-jobs: read (/home/ada/.openclaw/cron/jobs.json)\n"
    ));
    let (_, list) = text.split_once("  Entry by entry\n").expect("the list");
    assert_text(
        list,
        r"
  remove  agent:main:cron:mail-job:run:7d3c9a52-0a7e-4d06-9d0b-5f6f2f3c1d10
          zombie-finished, certain
          because finished ok at /home/ada/.openclaw/cron/runs/mail-job.jsonl:812
  heal    agent:main:cron:mail-job
          zombie-dead-owner, likely
          stays: protected-base-cron (the standing entry of a cron job that exists, or may)
          because finished ok at /home/ada/.openclaw/cron/runs/mail-job.jsonl:812
          status: running -> failed
          endedAt: nothing -> 1795223354743
",
    );
}

#[test]
fn a_source_that_fails_is_told_and_costs_the_exit_code() {
    let mut changes = VecChanges { stores: vec![vec![change()]], fail_after: Some(0) };
    let mut out = Vec::new();
    let result = write(&mut out, &report(vec![bloated()]), &mut changes, &options(Verbosity::Verbose));
    assert_eq!(result.expect("written").exit_code, 6);
    let text = String::from_utf8_lossy(&out);
    assert!(text.ends_with("\nThis report is incomplete: the store shrank\n"), "{text}");
}

#[test]
fn undo_without_a_run_lists_the_runs_by_store() {
    let run = |run: &str, path: &str, state: &str| RunReport {
        run: run.to_owned(),
        command: "prune".to_owned(),
        at: crate::report::fixture::NOW,
        state: state.to_owned(),
        path: path.to_owned(),
        removed: 6506,
        healed: 2,
        slimmed: 0,
        restored: 0,
        files: 0,
        bytes: 185_234_567,
    };
    let mut report = report(Vec::new());
    report.command = "undo".to_owned();
    assert_text(&told(&report), "No run has changed anything here: nothing to undo.\n");
    report.runs = vec![
        run("20261121T010914.743Z-0001", "/a/sessions.json", "done"),
        run("20261121T020914.743Z-0001", "/b/sessions.json", "intended"),
        run("20261121T030914.743Z-0001", "/a/sessions.json", "rolled-back"),
    ];
    assert_text(
        &told(&report),
        r"
/a/sessions.json
  run                        when                  command  state       entries  edited   keeps
  20261121T010914.743Z-0001  2026-11-21 01:09 UTC  prune    done         -6,506       2  185 MB
  20261121T030914.743Z-0001  2026-11-21 01:09 UTC  prune    taken back   -6,506       2  185 MB

/b/sessions.json
  run                        when                  command  state       entries  edited   keeps
  20261121T020914.743Z-0001  2026-11-21 01:09 UTC  prune    unfinished   -6,506       2  185 MB
",
    );
}

#[test]
fn only_the_ten_largest_jobs_are_listed_and_the_rest_summed() {
    let mut store = bloated();
    store.jobs =
        (0..12).map(|index| job(&format!("job-{index}"), None, 100 - index, 1000, Some(false))).collect();
    store.jobs.push(job("other", None, 1000, 5000, None));
    let text = told(&report(vec![store.clone()]));
    assert!(text.contains("job-9") && !text.contains("job-10"), "{text}");
    assert!(text.contains("  all others    1,179  7.00 kB         60 % running, 40 % no status\n"), "{text}");
    let verbose = written(&report(vec![store]), &mut NoChanges, &options(Verbosity::Verbose));
    assert!(verbose.contains("job-11"), "{verbose}");
}

/// No string of a file reaches the terminal as it is, whatever field it sits in.
#[test]
fn hostile_strings_are_shown_and_never_acted_on() {
    const EVIL: &str = "a\x1b[2J\u{202e}\n\u{9b}\u{200b}\x07";
    let evil = || EVIL.to_owned();
    let mut store = bloated();
    store.path = evil();
    store.jobs[0].name = Some(evil());
    store.jobs[0].job_id = evil();
    store.jobs[0].statuses.insert(evil(), 5000);
    store.fields = vec![FieldReport { name: evil(), bytes: 110_000_000, entries: 1 }];
    store.brakes = vec![BrakeReport { family: evil(), share: 1.0, entries: 1 }];
    store.damage = vec![Damage { rule: evil(), start: 0, end: 1, line: 1, column: 1, detail: evil() }];
    store.backup = Some(Backup { run: evil(), path: evil() });
    store.kept_because.insert(evil(), Default::default());
    store.classes.insert(evil(), crate::report::model::Tally { entries: 1, bytes: 1 });
    let mut report = report(vec![store]);
    report.state_dir = Some(evil());
    report.gateway.evidence = vec![evil()];
    report.evidence[0].path = evil();
    report.findings = vec![finding(Severity::Error, "store-corrupt", EVIL, Some(EVIL))];
    report.findings[0].path = Some(evil());
    let mut change = change();
    (change.key, change.reasons) = (evil(), vec![evil()]);
    change.edits =
        vec![crate::report::model::Edit { field: evil(), old: EVIL.into(), new: vec![EVIL].into() }];
    let mut changes = VecChanges { stores: vec![vec![change]], fail_after: None };
    let next_steps = vec![evil()];
    let text = written(&report, &mut changes, &Options { next_steps, ..options(Verbosity::Verbose) });
    assert!(text.matches("a\\x1b[2J\\u{202e}\\n\\u{9b}\\u{200b}\\x07").count() > 10, "{text}");
    let unsafe_chars: Vec<char> =
        text.chars().filter(|c| *c != '\n' && (c.is_control() || EVIL[5..].contains(*c))).collect();
    assert!(unsafe_chars.is_empty(), "{unsafe_chars:?} in\n{text}");
}

#[test]
fn every_line_fits_the_page_where_its_words_do() {
    let mut store = bloated();
    store.jobs[0].name = Some("Ein Auftrag mit einem sehr langen Namen 日本語日本語".to_owned());
    store.jobs[0].job_id = "7d3c9a52-0a7e-4d06-9d0b-5f6f2f3c1d10".to_owned();
    store.jobs[0].entries = 1_234_567;
    store.jobs[0].median_interval_ms = Some(4_800_000);
    for columns in [80, 90, 100] {
        let style = Style::new(false, Some(columns));
        let text = written(
            &report(vec![store.clone()]),
            &mut NoChanges,
            &Options { style, ..options(Verbosity::Normal) },
        );
        for line in text.lines() {
            assert!(unicode_width::UnicodeWidthStr::width(line) <= columns, "{columns}: {line}\n{text}");
        }
    }
}

#[test]
fn colour_changes_nothing_but_the_colour() {
    let report = report(vec![bloated(), healthy()]);
    let style = Style::new(true, None);
    let next_steps = vec!["sessions-doctor prune".to_owned()];
    let plain = written(
        &report,
        &mut NoChanges,
        &Options { next_steps: next_steps.clone(), ..options(Verbosity::Normal) },
    );
    let painted =
        written(&report, &mut NoChanges, &Options { style, verbosity: Verbosity::Normal, next_steps });
    assert!(painted.contains("\x1b[33mfindings \x1b[0m"), "{painted:?}");
    assert_eq!(anstream::adapter::strip_str(&painted).to_string(), plain);
}
