//! Prevents an oracle that has drifted: recorded judgments that no Node would give, or a reader of them that loses some.

#[path = "../support/node.rs"]
mod node;
#[path = "../support/oracle.rs"]
mod oracle;

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
