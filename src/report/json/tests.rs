//! Prevents: a report that is no JSON after a late failure, a field that gets lost, a stream that is collected.

use serde_json::Value;

use super::*;
use crate::report::fixture::{VecChanges, bloated, change, healed, healthy, report};
use crate::report::model::NoChanges;

fn written(report: &Report, changes: &mut dyn Changes) -> (String, Written) {
    let mut out = Vec::new();
    let written = write(&mut out, report, changes).expect("a sink that never fails");
    (String::from_utf8(out).expect("UTF-8"), written)
}

/// Everything that the model serialises is in the object, whatever is added to the model later.
#[test]
fn no_field_of_the_model_is_lost() {
    let mut full = report(vec![bloated(), healthy()]);
    full.exit_code = 1;
    let (text, _) = written(&full, &mut NoChanges);
    let mut object: Value = serde_json::from_str(&text).expect("JSON");
    for store in object["stores"].as_array_mut().expect("stores") {
        assert_eq!(
            store.as_object_mut().expect("an object").remove("changes"),
            Some(Value::Array(Vec::new()))
        );
    }
    assert_eq!(object, serde_json::to_value(&full).expect("a value"));
}

#[test]
fn members_keep_the_documented_order_and_a_change_takes_one_line() {
    let mut changes = VecChanges { stores: vec![vec![change(), healed()]], fail_after: None };
    let (text, _) = written(&report(vec![bloated()]), &mut changes);
    let top: Vec<&str> =
        text.lines().filter_map(|line| line.strip_prefix("  \"")?.split('"').next()).collect();
    assert_eq!(
        top,
        [
            "schema", "version", "tool", "command", "applied", "now", "stateDir", "era", "gateway",
            "evidence", "cronJobs", "files", "runs", "stores", "findings", "complete", "exitCode"
        ]
    );
    let lines: Vec<&str> = text.lines().filter(|line| line.starts_with("        {\"key\":")).collect();
    assert_eq!(lines.len(), 2);
    assert!(
        lines[1].contains(r#""edits":[{"field":"status","old":"running","new":"failed"}"#),
        "{}",
        lines[1]
    );
    let after = text.split_once("        {\"key\":").map(|(_, rest)| rest).expect("changes");
    assert!(after.contains("\n      ]\n    }\n  ],\n  \"findings\": [],\n  \"complete\": true"), "{after}");
    assert!(text.ends_with("\n}\n"));
}

#[test]
fn an_empty_report_is_an_object_as_well() {
    let (text, written) = written(&report(Vec::new()), &mut NoChanges);
    let object: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(object["stores"], Value::Array(Vec::new()));
    assert_eq!((written.exit_code, written.source_failure.is_none()), (0, true));
}

#[test]
fn a_late_failure_of_the_source_closes_the_object_and_says_so() {
    for fail_after in [0, 1] {
        let lists = vec![vec![change(), healed()], vec![change(), change()]];
        let mut changes = VecChanges { stores: lists, fail_after: Some(fail_after) };
        let (text, written) = written(&report(vec![bloated(), healthy()]), &mut changes);
        let object: Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(object["complete"], Value::Bool(false));
        assert_eq!(object["exitCode"], 6);
        assert_eq!(object["stores"][1]["changes"].as_array().map(Vec::len), Some(fail_after));
        assert_eq!(written.exit_code, 6);
        assert_eq!(written.source_failure.expect("a failure").to_string(), "the store shrank");
    }
}

/// Takes so many bytes, then breaks like a pipe whose reader left.
struct Pipe(usize);

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 = self.0.checked_sub(bytes.len()).ok_or(io::ErrorKind::BrokenPipe)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_broken_pipe_at_any_byte_is_an_error_of_the_output() {
    let full = report(vec![bloated()]);
    let lists = || VecChanges { stores: vec![vec![change(), healed()]], fail_after: None };
    let size = written(&full, &mut lists()).0.len();
    for room in 0..size {
        let error = write(&mut Pipe(room), &full, &mut lists()).expect_err("a broken pipe");
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
    }
    assert!(write(&mut Pipe(size), &full, &mut lists()).is_ok());
}

#[test]
fn strings_of_any_content_stay_on_their_line() {
    let mut hostile = change();
    hostile.key = "agent:main:\n\u{2028}\"\\\x1b]0;x\x07".to_owned();
    let mut changes = VecChanges { stores: vec![vec![hostile.clone()]], fail_after: None };
    let mut full = report(vec![healthy()]);
    full.stores[0].path = "/tmp/a\nb".to_owned();
    let (text, _) = written(&full, &mut changes);
    let object: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(object["stores"][0]["changes"][0]["key"], Value::String(hostile.key));
    assert_eq!(object["stores"][0]["path"], "/tmp/a\nb");
}
