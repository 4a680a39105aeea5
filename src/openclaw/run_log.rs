//! Run logs, `cron/runs/<jobId>.jsonl`: one line per run that came to an end.
//!
//! A line proves that a run finished; a missing line proves nothing, because interrupted runs are not logged and old
//! lines are cut away.

use std::io::{self, BufRead};

use super::json::{self, Lines, Tree, Want};

/// The longest line that is looked at; longer ones are torn by definition.
pub const MAX_LINE_BYTES: usize = 4 << 20;

/// How a run went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunStatus {
    /// It did what it should.
    Ok,
    /// It failed.
    Error,
    /// It was not needed.
    Skipped,
    /// A word this tool does not know, or none.
    Other(Option<String>),
}

/// The record of a run that came to an end.
#[derive(Debug, Clone, PartialEq)]
pub struct RunLine {
    /// When the line was written, epoch milliseconds.
    pub ts: i64,
    /// The job.
    pub job_id: String,
    /// How the run went.
    pub status: RunStatus,
    /// The text of the error.
    pub error: Option<String>,
    /// Whether the error says that the run took too long.
    pub timed_out: bool,
    /// The session of the run; a run that timed out may lack it.
    pub session_id: Option<String>,
    /// The key of the run.
    pub session_key: Option<String>,
    /// When the run began.
    pub run_at_ms: Option<i64>,
    /// How long it took.
    pub duration_ms: Option<i64>,
    /// Whether somebody started it by hand, where the line says so.
    pub by_hand: bool,
}

/// What one line of a run log is.
#[derive(Debug, Clone, PartialEq)]
pub enum Line {
    /// The record of a finished run.
    Finished(Box<RunLine>),
    /// JSON of another kind, or an empty line; OpenClaw passes over it as well.
    Foreign,
    /// Not JSON, or too long to look at.
    Torn,
}

static WANT: Want = Want::Fields(&[
    ("ts", Want::All),
    ("jobId", Want::All),
    ("action", Want::All),
    ("status", Want::All),
    ("error", Want::All),
    ("sessionId", Want::All),
    ("sessionKey", Want::All),
    ("runAtMs", Want::All),
    ("durationMs", Want::All),
    ("runId", Want::All),
]);

/// Reads lines of run logs; one reader serves many files and reuses its buffers.
#[derive(Debug, Default)]
pub struct RunLogReader {
    lines: Lines,
}

impl RunLogReader {
    /// Tells what one line is, with or without its line feed.
    pub fn line(&mut self, bytes: &[u8]) -> Line {
        let bytes = bytes.trim_ascii();
        if bytes.is_empty() {
            return Line::Foreign;
        }
        match self.lines.parse(bytes, &WANT) {
            Some(tree) => line_of(tree),
            None if json::is_json(bytes) => Line::Foreign,
            None => Line::Torn,
        }
    }
}

/// Tells what a line with these members is.
pub fn line_of(tree: Tree) -> Line {
    finished(tree).map_or(Line::Foreign, |line| Line::Finished(Box::new(line)))
}

fn finished(mut tree: Tree) -> Option<RunLine> {
    if tree.get("action").and_then(Tree::text) != Some("finished") {
        return None;
    }
    let error = tree.take_text("error");
    let status = match tree.take_text("status") {
        Some(word) => match word.as_str() {
            "ok" => RunStatus::Ok,
            "error" => RunStatus::Error,
            "skipped" => RunStatus::Skipped,
            _ => RunStatus::Other(Some(word)),
        },
        None => RunStatus::Other(None),
    };
    Some(RunLine {
        ts: tree.millis_of("ts")?,
        job_id: tree.take_text("jobId").filter(|id| !id.trim().is_empty())?,
        timed_out: status == RunStatus::Error && error.as_deref().is_some_and(tells_timeout),
        status,
        error,
        session_id: tree.take_text("sessionId"),
        session_key: tree.take_text("sessionKey"),
        run_at_ms: tree.millis_of("runAtMs"),
        duration_ms: tree.millis_of("durationMs"),
        by_hand: tree.get("runId").and_then(Tree::text).is_some_and(|id| id.starts_with("manual:")),
    })
}

fn tells_timeout(error: &str) -> bool {
    let error = error.to_lowercase();
    error.contains("timed out") || error.contains("timeout")
}

/// One line as it stands in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RawLine<'a> {
    /// Its number, from 1.
    pub number: u64,
    /// Where it begins.
    pub start: u64,
    /// Its bytes without the line feed; empty when it is oversized.
    pub bytes: &'a [u8],
    /// Whether a line feed ends it; only the last line may lack one.
    pub complete: bool,
    /// Whether it is longer than the limit, and so was only skipped.
    pub oversized: bool,
}

/// Goes over the lines of a file in bounded memory.
#[derive(Debug)]
pub struct RawLines<R> {
    read: R,
    max_line_bytes: usize,
    buffer: Vec<u8>,
    number: u64,
    /// Where the next line begins.
    at: u64,
}

/// Goes over the lines of `read`; a line longer than `max_line_bytes` is told of, but not held.
pub fn lines<R: BufRead>(read: R, max_line_bytes: usize) -> RawLines<R> {
    RawLines { read, max_line_bytes, buffer: Vec::new(), number: 0, at: 0 }
}

impl<R: BufRead> RawLines<R> {
    /// The next line, `None` at the end. The bytes live until the next call.
    pub fn next_line(&mut self) -> io::Result<Option<RawLine<'_>>> {
        self.buffer.clear();
        let start = self.at;
        let (mut oversized, mut any, mut complete) = (false, false, false);
        while !complete {
            let chunk = match self.read.fill_buf() {
                Ok(chunk) => chunk,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if chunk.is_empty() {
                break;
            }
            any = true;
            let feed = chunk.iter().position(|&byte| byte == b'\n');
            let (taken, used) = feed.map_or((chunk, chunk.len()), |at| (chunk.split_at(at).0, at + 1));
            complete = feed.is_some();
            oversized |= self.buffer.len() + taken.len() > self.max_line_bytes;
            match oversized {
                true => self.buffer.clear(),
                false => self.buffer.extend_from_slice(taken),
            }
            self.read.consume(used);
            self.at += used as u64;
        }
        if !any {
            return Ok(None);
        }
        self.number += 1;
        Ok(Some(RawLine { number: self.number, start, bytes: &self.buffer, complete, oversized }))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const OK: &str = r#"{"ts":1795224663253,"jobId":"c510","action":"finished","status":"ok","summary":"cut \ud83d","sessionId":"5217","sessionKey":"agent:main:cron:c510:run:5217","runAtMs":1795224641073.7,"durationMs":22177,"usage":{"input_tokens":1200}}"#;

    fn read(line: &str) -> Line {
        RunLogReader::default().line(line.as_bytes())
    }

    #[test]
    fn reads_a_finished_run() {
        let Line::Finished(line) = read(OK) else { panic!("not finished") };
        assert_eq!(
            (line.ts, line.job_id.as_str(), &line.status),
            (1_795_224_663_253, "c510", &RunStatus::Ok)
        );
        assert_eq!(line.session_id.as_deref(), Some("5217"));
        assert_eq!((line.run_at_ms, line.duration_ms), (Some(1_795_224_641_073), Some(22177)));
        assert!(!line.timed_out);
    }

    #[test]
    fn a_timeout_is_told_by_the_error() {
        let line = |status: &str| {
            let text = r#"{"ts":1,"jobId":"j","action":"finished","status":"S","error":"cron: job execution timed out"}"#;
            match read(&text.replace('S', status)) {
                Line::Finished(line) => (line.timed_out, line.status),
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(line("error"), (true, RunStatus::Error));
        assert_eq!(line("ok"), (false, RunStatus::Ok));
        assert_eq!(line("odd"), (false, RunStatus::Other(Some("odd".into()))));
    }

    #[test]
    fn other_lines_are_foreign_and_broken_ones_torn() {
        for foreign in [
            "",
            "  \r",
            "7",
            r#"{"ts":1,"jobId":"j","action":"started"}"#,
            r#"{"ts":1,"jobId":"","action":"finished"}"#,
            r#"{"ts":"1","jobId":"j","action":"finished"}"#,
            r#"{"ts":1e999,"jobId":"j","action":"finished"}"#,
            r#"{"jobId":"j","action":"finished"}"#,
        ] {
            assert_eq!(read(foreign), Line::Foreign, "{foreign}");
        }
        for torn in [r#"{"ts":1,"jobId":"j","#, "\u{0}\u{0}", "{'ts':1}", "\u{feff}{}"] {
            assert_eq!(read(torn), Line::Torn, "{torn}");
        }
    }

    #[test]
    fn lines_have_bounded_memory_and_tell_of_a_missing_feed() {
        let text = format!("one\n\n{}\nlast", "x".repeat(100));
        for capacity in [1, 7, 64] {
            let mut lines = lines(io::BufReader::with_capacity(capacity, text.as_bytes()), 10);
            let mut seen = Vec::new();
            while let Some(line) = lines.next_line().unwrap() {
                seen.push((line.number, line.bytes.to_vec(), line.complete, line.oversized));
            }
            let expected = [
                (1, b"one".to_vec(), true, false),
                (2, Vec::new(), true, false),
                (3, Vec::new(), true, true),
                (4, b"last".to_vec(), false, false),
            ];
            assert_eq!(seen, expected);
        }
    }
}
