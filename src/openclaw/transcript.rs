//! Transcripts: when a session last did something, and whose it is.

mod head;

pub use head::{HEAD_BYTES, Head, HeadReader, cron_mark, first_words};

use super::json::{Lines, Tree, Want};
use super::time::parse_iso_ms;

/// How much of the end of a transcript is worth reading; a longer last line is rare.
pub const TAIL_BYTES: usize = 64 << 10;

static WANT: Want = Want::Fields(&[
    ("timestamp", Want::All),
    ("message", Want::Fields(&[("timestamp", Want::All)])),
    // Of a trajectory.
    ("ts", Want::All),
]);

/// Reads the ends of transcripts; one reader serves many and reuses its buffers.
#[derive(Debug, Default)]
pub struct TailReader {
    lines: Lines,
}

impl TailReader {
    /// The time of the last complete line that parses and has one, in epoch milliseconds.
    ///
    /// `tail` is the end of the file. Unless it is the whole file its first line is taken for cut off and ignored. A
    /// last line without a line feed counts when it parses; when it does not it is torn, and the one before it counts.
    pub fn last_timestamp(&mut self, tail: &[u8], tail_is_whole_file: bool) -> Option<i64> {
        let whole_lines = match tail_is_whole_file {
            true => tail,
            false => tail.splitn(2, |&byte| byte == b'\n').nth(1).unwrap_or_default(),
        };
        whole_lines.rsplit(|&byte| byte == b'\n').find_map(|line| self.time_of(line))
    }

    fn time_of(&mut self, line: &[u8]) -> Option<i64> {
        let line = line.trim_ascii();
        if line.first() != Some(&b'{') {
            return None;
        }
        let tree = self.lines.parse(line, &WANT)?;
        let inner = tree.get("message").and_then(|message| message.get("timestamp"));
        tree.get("timestamp")
            .and_then(time)
            .or_else(|| inner.and_then(time))
            .or_else(|| tree.get("ts").and_then(time))
    }
}

/// [`TailReader::last_timestamp`] for a single transcript.
pub fn last_timestamp(tail: &[u8], tail_is_whole_file: bool) -> Option<i64> {
    TailReader::default().last_timestamp(tail, tail_is_whole_file)
}

fn time(value: &Tree) -> Option<i64> {
    match value {
        Tree::Text(text) => parse_iso_ms(text),
        other => other.millis(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = r#"{"type":"session","version":3,"id":"0f90","timestamp":"2026-11-21T01:11:58.061Z"}"#;
    const LAST: &str = r#"{"type":"message","timestamp":"2026-11-21T01:11:58.077Z","message":{"content":[{"text":"\ud83d"}],"timestamp":1795223518070}}"#;

    #[test]
    fn the_last_complete_line_counts() {
        let text = format!("{HEAD}\n{LAST}\n");
        assert_eq!(last_timestamp(text.as_bytes(), true), Some(1_795_223_518_077));
        let torn = format!("{HEAD}\n{}", &LAST[..80]);
        assert_eq!(last_timestamp(torn.as_bytes(), true), Some(1_795_223_518_061));
        let unfed = format!("{HEAD}\n{LAST}");
        assert_eq!(last_timestamp(unfed.as_bytes(), true), Some(1_795_223_518_077));
    }

    #[test]
    fn the_first_line_of_a_cut_tail_is_ignored() {
        assert_eq!(last_timestamp(HEAD.as_bytes(), false), None);
        assert_eq!(last_timestamp(format!("{HEAD}\n{{}}\n").as_bytes(), false), None);
        assert_eq!(last_timestamp(format!("x\n{HEAD}\n").as_bytes(), false), Some(1_795_223_518_061));
    }

    #[test]
    fn the_message_time_is_the_fallback() {
        let line = r#"{"timestamp":"soon","message":{"timestamp":1795223518070}}"#;
        assert_eq!(last_timestamp(line.as_bytes(), true), Some(1_795_223_518_070));
        assert_eq!(last_timestamp(br#"{"timestamp":1795223518070.5}"#, true), Some(1_795_223_518_070));
    }

    #[test]
    fn nothing_readable_gives_nothing() {
        for text in ["", "\n\n", "[1]\n", "{}\n", "\u{0}\u{0}\u{0}", "{\"timestamp\":1e999}"] {
            assert_eq!(last_timestamp(text.as_bytes(), true), None, "{text}");
        }
    }
}
