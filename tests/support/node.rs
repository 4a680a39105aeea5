//! A live `JSON.parse`: Node, asked over a pipe.
//!
//! The oracle of the scanner is what OpenClaw itself reads with. `testdata/oracle/` holds recorded judgments, for tests that must
//! run anywhere; this is for inputs that a test makes up as it goes. Where Node is missing, a test prints that it was skipped; where
//! `SESSIONS_DOCTOR_REQUIRE_ORACLES=1` is set, a missing Node is a failure, so that CI cannot skip in silence.

#![allow(dead_code, reason = "every test binary that includes this uses a part of it")]

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// Set to `1` where a missing oracle must fail a test instead of skipping it.
pub const REQUIRE: &str = "SESSIONS_DOCTOR_REQUIRE_ORACLES";

/// A running judge; ends with the value.
pub struct Node {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Node {
    /// Whether there is a Node to ask.
    ///
    /// # Panics
    ///
    /// Where there is none, though [`REQUIRE`] asks for one.
    pub fn available() -> bool {
        let found =
            Command::new("node").arg("--version").output().is_ok_and(|answer| answer.status.success());
        assert!(found || !required(), "{REQUIRE}=1, but `node --version` does not run");
        found
    }

    /// A judge, or a printed line that says that `test` was skipped.
    pub fn or_skip(test: &str) -> Option<Self> {
        if Self::available() {
            return Some(Self::start());
        }
        eprintln!("skipped: {test} (no `node` on this machine)");
        None
    }

    /// Starts a judge.
    ///
    /// # Panics
    ///
    /// Where Node cannot be started.
    pub fn start() -> Self {
        let mut child = Command::new("node")
            .arg(script("judge.mjs"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("node starts");
        let input = child.stdin.take();
        let output = BufReader::new(child.stdout.take().expect("a piped stdout"));
        Self { child, input, output }
    }

    /// What `JSON.parse` makes of a store's bytes; the fields are those of `testdata/oracle/README.md`, without `name` and `input`.
    ///
    /// # Panics
    ///
    /// Where Node goes away, or the input is longer than a `u32` can say.
    pub fn judge(&mut self, bytes: &[u8]) -> serde_json::Value {
        self.ask(&[Question { bytes, entries: Vec::new() }]).pop().expect("an answer to every question")
    }

    /// The answers to many questions, in their order; Node works while they are still being asked.
    ///
    /// # Panics
    ///
    /// As [`Self::judge`], and where an answer is no `T`.
    pub fn ask<T: serde::de::DeserializeOwned>(&mut self, questions: &[Question<'_>]) -> Vec<T> {
        let input = self.input.as_mut().expect("an open stdin");
        let output = &mut self.output;
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let mut frame = Vec::new();
                for question in questions {
                    frame.clear();
                    question.write(&mut frame);
                    input.write_all(&frame).expect("node reads the question");
                }
                input.flush().expect("node reads the questions");
            });
            let mut line = String::new();
            let answers = questions.iter().map(|_| {
                line.clear();
                output.read_line(&mut line).expect("node answers");
                serde_json::from_str(&line).unwrap_or_else(|error| panic!("node answered {line:?}: {error}"))
            });
            answers.collect()
        })
    }
}

/// What a judge is asked.
pub struct Question<'a> {
    /// The bytes of a store.
    pub bytes: &'a [u8],
    /// Where a scanner says that its entries stand: key, value, end.
    pub entries: Vec<[u32; 3]>,
}

impl Question<'_> {
    fn write(&self, frame: &mut Vec<u8>) {
        let mut number =
            |number: usize| frame.extend(u32::try_from(number).expect("below 4 GiB").to_le_bytes());
        number(self.entries.len());
        self.entries.iter().flatten().for_each(|&offset| number(offset as usize));
        number(self.bytes.len());
        frame.extend_from_slice(self.bytes);
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.input = None;
        let _ = self.child.wait();
    }
}

/// Whether a missing oracle must fail.
pub fn required() -> bool {
    std::env::var_os(REQUIRE).is_some_and(|value| value == "1")
}

/// A script of `tests/oracle/`.
pub fn script(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests").join("oracle").join(name)
}

/// What a Node program (`node -e`) prints on stdout, given `arguments` as `process.argv[1..]`.
///
/// # Panics
///
/// Where Node does not start or the program fails.
pub fn evaluate(program: &str, arguments: &[&std::ffi::OsStr]) -> String {
    let answer =
        Command::new("node").arg("-e").arg(program).arg("--").args(arguments).output().expect("node starts");
    assert!(answer.status.success(), "node failed: {}", String::from_utf8_lossy(&answer.stderr));
    String::from_utf8(answer.stdout).expect("UTF-8 on stdout")
}
