//! Prevents oracles that have drifted: recorded judgments that no Node would give, a reader that loses some, answers for entries that a
//! sample does not have.

#[path = "../support/node.rs"]
mod node;
#[path = "../support/oracle.rs"]
mod oracle;
#[path = "../support/samples.rs"]
mod samples;

use node::Node;
use oracle::{Judgment, cases};

#[test]
fn the_corpus_is_whole() {
    let cases = cases();
    assert!(cases.len() >= 600, "{} cases", cases.len());
    let mut names: Vec<_> = cases.iter().map(|case| case.name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), cases.len(), "a name stands for two cases");
    for case in &cases {
        let text = String::from_utf8_lossy(&case.input);
        assert_eq!(
            case.judgment.utf16_length,
            text.encode_utf16().count() as u64,
            "{}: decoded otherwise here",
            case.name
        );
        assert_eq!(case.judgment.valid, case.judgment.kind.is_some(), "{}", case.name);
        let rows = case
            .judgment
            .facts
            .as_ref()
            .map(|facts| facts.iter().map(|row| row.key.clone()).collect::<Vec<_>>());
        assert_eq!(rows, case.judgment.keys_utf16, "{}", case.name);
    }
}

#[test]
fn a_live_node_says_what_was_recorded() {
    let Some(mut node) = Node::or_skip("a_live_node_says_what_was_recorded") else { return };
    for case in cases() {
        let answer = node.judge(&case.input);
        let live: Judgment = serde_json::from_value(answer).expect("a judgment");
        // The position comes from the wording of a message, which is free to change with the version of Node.
        assert_eq!(
            Judgment { position: None, ..live },
            Judgment { position: None, ..case.judgment },
            "{}",
            case.name
        );
    }
}

#[test]
fn the_pipe_carries_large_and_empty_inputs() {
    let Some(mut node) = Node::or_skip("the_pipe_carries_large_and_empty_inputs") else { return };
    let large = format!("{{\"k\":\"{}\"}}", "x".repeat(8 << 20));
    assert_eq!(node.judge(b"")["valid"], false);
    assert_eq!(node.judge(large.as_bytes())["valid"], true);
    assert_eq!(node.judge(b"{}")["keys"], 0);
}

#[test]
fn the_samples_have_an_answer_for_every_entry() {
    for name in samples::SAMPLES {
        let sample = samples::expected(name);
        let copy = tempfile::tempdir().expect("a temporary directory");
        samples::copy(name, copy.path()).expect("a copy");
        let text = std::fs::read_to_string(copy.path().join(&sample.store)).expect("a store");
        // Keys of the store in file order: what stands behind a line feed and two blanks.
        let keys: Vec<&str> =
            text.split("\n  \"").skip(1).map(|rest| rest.split('"').next().expect("a key")).collect();
        assert_eq!(keys, sample.entry.iter().map(|entry| entry.key.as_str()).collect::<Vec<_>>(), "{name}");
        let count = |action: &str| sample.entry.iter().filter(|entry| entry.action == action).count() as u64;
        let counts = samples::Counts {
            total: keys.len() as u64,
            kept: count("keep") + count("heal"),
            removed: count("remove"),
            healed: count("heal"),
        };
        assert_eq!(counts, sample.counts, "{name}");
        if counts.removed + counts.healed == 0 {
            assert_eq!(sample.after.bytes, text.len() as u64, "{name}");
        }
        for entry in &sample.entry {
            assert_eq!(entry.rule == "live", entry.confidence.is_none(), "{}", entry.key);
            assert_eq!(entry.action == "heal", !entry.edit.is_empty(), "{}", entry.key);
        }
    }
}
