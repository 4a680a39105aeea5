//! Prevents oracles that have drifted: recorded judgments that no Node would give, a reader that loses some, answers for entries that a
//! sample does not have.

#[path = "../support/node.rs"]
mod node;
#[path = "../support/recorded.rs"]
mod oracle;
#[path = "../support/samples.rs"]
mod samples;

use node::{Node, Question};
use oracle::{Answer, cases};

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
    let cases = cases();
    let questions: Vec<Question<'_>> =
        cases.iter().map(|case| Question { bytes: &case.input, entries: Vec::new() }).collect();
    for (case, answer) in cases.iter().zip(node.ask::<Answer>(&questions)) {
        assert_eq!(answer.judgment, case.judgment, "{}", case.name);
    }
}

/// The judge has to notice every way in which entries can be wrong.
#[test]
fn wrong_entries_are_told() {
    let Some(mut node) = Node::or_skip("wrong_entries_are_told") else { return };
    let text = br#" {"a" : {"x": 1}, "a":2 ,"b":[] } "#;
    let right = vec![[2, 8, 16], [18, 22, 23], [25, 29, 31]];
    let mut wrong = |bytes: &[u8], entries: Vec<[u32; 3]>| {
        node.ask::<Answer>(&[Question { bytes, entries }]).remove(0).wrong_entries
    };
    assert_eq!(wrong(text, right.clone()), None);
    assert_eq!(wrong(&text[..24], right[..2].to_vec()), None, "of a broken store, those that are whole");
    for (at, number) in (0..3).flat_map(|at| (0..3).map(move |number| (at, number))) {
        for by in [-1, 1] {
            let mut moved = right.clone();
            moved[at][number] = moved[at][number].checked_add_signed(by).expect("a small number");
            assert!(wrong(text, moved.clone()).is_some(), "{moved:?}");
        }
        let mut fewer = right.clone();
        fewer.remove(at);
        assert!(wrong(text, fewer.clone()).is_some(), "{fewer:?}");
    }
    assert!(wrong(text, vec![[2, 8, 23], [25, 29, 31]]).is_some(), "two in one");
    assert!(wrong(b"[{}]", vec![[1, 1, 3]]).is_some(), "no object");
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
