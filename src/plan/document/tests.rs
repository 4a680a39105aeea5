//! Edits of documents, by hand.

use super::*;
use crate::model::plan::Piece;

const JOBS: &str = r#"{
  "version": 1,
  "jobs": [
    {
      "id": "a",
      "state": {
        "runningAtMs": 7,
        "nextRunAtMs": 1
      }
    },
    {
      "jobId": "b",
      "state": {
        "nextRunAtMs": 1,
        "runningAtMs": 8
      }
    },
    { "id": "c", "state": { "runningAtMs" : 9 } }
  ]
}"#;

fn text(text: &str) -> Text<'_> {
    let start = text.len() - text.trim_start().len();
    Text { bytes: text.as_bytes(), root: start as u64..text.trim_end().len() as u64 }
}

fn of(path: &[&str]) -> Cut {
    Cut { path: path.iter().map(|&step| step.to_owned()).collect(), rule: "rule", family: "cron-job" }
}

fn marker(id: &str) -> Cut {
    of(&["jobs", id, "state", "runningAtMs"])
}

fn render(old: &str, edited: &Edited) -> String {
    let table = edited.table(old.len() as u64);
    let parts = table.pieces().map(|piece| match piece {
        Piece::Copy { start, end, .. } => old[start as usize..end as usize].to_owned(),
        Piece::Literal(bytes) => String::from_utf8(bytes.into_owned()).unwrap(),
    });
    parts.collect()
}

#[test]
fn a_member_goes_with_one_comma_wherever_it_stands() {
    let edited = cut(&text(JOBS), &[marker("a"), marker("b"), marker("c")]).unwrap();
    let expected = JOBS
        .replace("\"runningAtMs\": 7,\n        ", "")
        .replace(",\n        \"runningAtMs\": 8", "")
        .replace("{ \"runningAtMs\" : 9 }", "{}");
    assert_eq!(render(JOBS, &edited), expected);
    let told: Vec<_> =
        edited.records.iter().map(|record| (&*record.key, record.edits[0].old.as_deref())).collect();
    assert_eq!(told[1], (r#"["jobs","b","state","runningAtMs"]"#, Some("8")));
    assert_eq!(edited.records[0].after.as_deref(), Some("\"nextRunAtMs\""));
    assert_eq!(edited.records[1].before.as_deref(), Some("\"nextRunAtMs\""));
}

#[test]
fn a_name_that_stands_twice_goes_twice_and_an_id_that_does_is_not_touched() {
    let twice = r#"{"jobs":{"x":{"state":{"runningAtMs":1,"y":2,"runningAt\u004ds":3}}}}"#;
    let edited = cut(&text(twice), &[marker("x")]).unwrap();
    assert_eq!(render(twice, &edited), r#"{"jobs":{"x":{"state":{"y":2}}}}"#);
    assert_eq!(edited.records.len(), 2);
    let ids = r#"{"jobs":[{"id":"x","state":{"runningAtMs":1}},{"jobId":"x"}]}"#;
    assert!(cut(&text(ids), &[marker("x")]).unwrap_err().contains("two elements"));
}

#[test]
fn what_is_not_there_is_not_left_out() {
    for (json, cut_of) in [
        (JOBS, marker("d")),
        (JOBS, of(&["jobs", "a", "runningAtMs"])),
        (JOBS, of(&["version", "x"])),
        (r#"{"jobs":[]}"#, marker("a")),
        ("[1]", marker("a")),
        (JOBS, of(&[])),
    ] {
        assert!(cut(&text(json), &[cut_of]).is_err());
    }
    assert!(cut(&text(JOBS), &[of(&["jobs"]), marker("a")]).is_err(), "one inside the other");
}

/// Cuts, lets somebody write, and puts back.
fn round(then: &str, cuts: &[Cut], since: impl Fn(String) -> String) -> String {
    let edited = cut(&text(then), cuts).unwrap();
    let now = since(render(then, &edited));
    let back = put_back(&text(&now), &text(then), &edited.records).unwrap();
    let restored = render(&now, &back);
    let again = put_back(&text(&restored), &text(then), &edited.records).unwrap();
    assert_eq!(again, Edited::default(), "a second undo changes nothing");
    restored
}

#[test]
fn what_was_left_out_comes_back_in_its_place_and_style() {
    let all = [marker("a"), marker("b"), marker("c")];
    assert_eq!(round(JOBS, &all, |now| now), JOBS);
    let rows = r#"{ "runs": { "a": {"x": 1}, "b": 2, "c": 3, "d": 4 } }"#;
    let run = |id: &str| of(&["runs", id]);
    for ids in [&["a"][..], &["a", "b"], &["b", "c"], &["d"], &["a", "d"], &["a", "b", "c", "d"]] {
        let cuts: Vec<Cut> = ids.iter().map(|id| run(id)).collect();
        assert_eq!(round(rows, &cuts, |now| now), rows, "{ids:?}");
    }
    let written = round(rows, &[run("b"), run("c")], |now| now.replace("\"d\": 4", "\"d\": 4, \"e\": 5"));
    assert_eq!(written, r#"{ "runs": { "a": {"x": 1}, "b": 2, "c": 3, "d": 4, "e": 5 } }"#);
}

#[test]
fn nothing_that_was_written_since_is_overwritten() {
    let states = r#"{"jobs":{"a":{"state":{"runningAtMs":1}},"b":{"state":{"n":1,"runningAtMs":2}}}}"#;
    let cuts = [marker("a"), marker("b")];
    let newer = r#"{"jobs":{"a":{"state":{"runningAtMs":5}},"b":{"state":{"runningAtMs":null,"n":1}}}}"#;
    assert_eq!(
        round(states, &cuts, |_| newer.to_owned()),
        r#"{"jobs":{"a":{"state":{"runningAtMs":5}},"b":{"state":{"runningAtMs":2,"n":1}}}}"#
    );
    let gone = r#"{"jobs":{"b":{"state":null}}}"#;
    assert_eq!(round(states, &cuts, |_| gone.to_owned()), gone);
}

#[test]
fn a_record_that_is_not_of_the_original_is_an_error() {
    let edited = cut(&text(JOBS), &[marker("a")]).unwrap();
    let mut record = edited.records[0].clone();
    record.start += 1;
    let now = render(JOBS, &edited);
    assert!(put_back(&text(&now), &text(JOBS), &[record.clone()]).is_err());
    record.key = "a".to_owned();
    assert!(put_back(&text(&now), &text(JOBS), &[record]).is_err());
}
