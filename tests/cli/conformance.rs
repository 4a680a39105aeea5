//! Prevents: a text over which parsers disagree, of which `validate` says that OpenClaw loads it, or with how many keys, where Node says
//! otherwise.

use std::fs;
use std::path::PathBuf;

use assert_cmd::Command;
use serde_json::Value;

use crate::node::{Node, Question};
use crate::recorded::{self, Answer, Form, Roots};

/// A text of a store, and what Node makes of it.
pub struct Known {
    /// What it is called where something is wrong.
    pub name: String,
    /// The text.
    pub bytes: Vec<u8>,
    /// The answer.
    pub roots: Roots,
}

/// Every file of the corpus in every form.
fn corpus() -> Vec<Known> {
    let in_all_forms = recorded::corpus().into_iter().flat_map(|file| {
        let (name, bytes) = (file.name, file.bytes);
        Form::ALL.into_iter().zip(file.answers).map(move |(form, roots)| Known {
            name: format!("{name} as {form:?}"),
            bytes: form.store(&bytes),
            roots,
        })
    });
    in_all_forms.collect()
}

/// Runs `validate` once on all of them, and holds what it says of each against the answer.
pub fn assert_loads_as_node_says(all: &[Known]) {
    let dir = tempfile::tempdir().unwrap();
    let paths: Vec<PathBuf> =
        (0..all.len()).map(|at| dir.path().join(format!("{at}/sessions.json"))).collect();
    for (known, path) in all.iter().zip(&paths) {
        fs::create_dir(path.parent().unwrap()).unwrap();
        fs::write(path, &known.bytes).unwrap();
    }
    let mut command = Command::cargo_bin("sessions-doctor").unwrap();
    command.arg("validate").args(&paths).args(["--json", "--openclaw", "2026.3.28"]);
    let output = command.output().unwrap();
    let report: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    let files = report["files"].as_array().unwrap();
    assert_eq!((files.len(), report["complete"].as_bool()), (all.len(), Some(true)));
    for ((known, path), file) in all.iter().zip(&paths).zip(files) {
        // What is no object, OpenClaw takes for an empty store. Of copies of a key it keeps one: then it has all keys, and not all entries.
        let keys = known.roots.keys;
        let reads = &file["openclawReads"];
        let told = (reads["entries"].as_u64(), reads["outcome"] == "empty", file["verdict"] == "damaged");
        assert_eq!(told, (Some(keys.unwrap_or(0)), keys.is_none(), keys.is_none()), "{}: {file}", known.name);
        assert_eq!(file["entries"], reads["entries"], "{}: {file}", known.name);
        assert_eq!(file["path"], path.to_str().unwrap(), "{}", known.name);
    }
}

#[test]
fn every_file_of_the_corpus_loads_in_every_place_as_node_says() {
    let corpus = corpus();
    assert_loads_as_node_says(&corpus);
    let loaded = corpus.iter().filter(|known| known.roots.keys.is_some()).count();
    assert_eq!((corpus.len(), loaded), (3 * 318, 265));
}

#[test]
fn a_live_node_says_what_was_recorded_of_the_corpus() {
    let Some(mut node) = Node::or_skip("a_live_node_says_what_was_recorded_of_the_corpus") else { return };
    let corpus = corpus();
    let questions: Vec<Question<'_>> =
        corpus.iter().map(|known| Question { bytes: &known.bytes, entries: Vec::new() }).collect();
    for (known, answer) in corpus.iter().zip(node.ask::<Answer>(&questions)) {
        assert_eq!(Roots::from(answer.judgment), known.roots, "{}", known.name);
    }
}
