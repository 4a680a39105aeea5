//! The two ends of a transcript, and the head of a trajectory; never more, however long they are.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use crate::host::files;
use crate::model::Millis;
use crate::openclaw::trajectory::{self, TrajectoryReader};
use crate::openclaw::transcript::{HEAD_BYTES, HeadReader, TAIL_BYTES, TailReader};

/// What the two ends of a transcript say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Peek {
    /// The session that the first line names.
    pub session: Option<String>,
    /// The time of the first line that has one.
    pub first: Option<Millis>,
    /// The time of the last complete line that has one.
    pub last: Option<Millis>,
    /// How the first message of the user begins.
    pub opening: Option<String>,
}

/// Reads many files with the same buffers.
#[derive(Debug, Default)]
pub struct Peeker {
    heads: HeadReader,
    tails: TailReader,
    trajectories: TrajectoryReader,
}

impl Peeker {
    /// Looks at both ends of a transcript.
    pub fn transcript(&mut self, path: &Path) -> io::Result<Peek> {
        let file = files::open_regular(path)?;
        let size = file.metadata()?.len();
        let head = part(&file, 0, size, HEAD_BYTES)?;
        let last = match size.checked_sub(head.len() as u64) {
            None | Some(0) => None,
            Some(_) => {
                let tail = part(&file, size.saturating_sub(TAIL_BYTES as u64), size, TAIL_BYTES)?;
                self.tails.last_timestamp(&tail, false)
            }
        };
        // An end that says nothing (a crash may leave zeros, a message may be long) is older than the head at least.
        let last = last.or_else(|| self.tails.last_timestamp(&head, true));
        let head = self.heads.read(&head);
        Ok(Peek { session: head.session, first: head.first, last, opening: head.opening })
    }

    /// The keys that the trajectory of a session names.
    pub fn trajectory_keys(&mut self, path: &Path, session: &str) -> io::Result<Vec<String>> {
        let file = files::open_regular(path)?;
        let head = part(&file, 0, file.metadata()?.len(), trajectory::HEAD_BYTES)?;
        Ok(self.trajectories.keys(&head, session))
    }
}

/// At most `most` bytes from an offset on, of a file of that size.
fn part(file: &File, from: u64, size: u64, most: usize) -> io::Result<Vec<u8>> {
    let most = usize::try_from(size.saturating_sub(from)).unwrap_or(most).min(most);
    let mut bytes = vec![0; most];
    let mut filled = 0;
    while filled < most {
        match file.read_at(&mut bytes[filled..], from + filled as u64) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    bytes.truncate(filled);
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    const HEADER: &str = r#"{"type":"session","id":"s","timestamp":"2026-11-21T01:11:58.061Z"}"#;
    const LAST: &str = r#"{"type":"message","timestamp":"2026-11-21T01:11:58.077Z","message":{"role":"user","content":"x"}}"#;

    fn peek(text: &str) -> Peek {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("s.jsonl");
        fs::write(&path, text).unwrap();
        Peeker::default().transcript(&path).unwrap()
    }

    #[test]
    fn both_ends_are_seen_whatever_lies_between() {
        let whole = peek(&format!("{HEADER}\n{LAST}\n"));
        assert_eq!(whole.first.zip(whole.last), Some((1_795_223_518_061, 1_795_223_518_077)));
        assert_eq!((whole.session.as_deref(), whole.opening.as_deref()), (Some("s"), Some("x")));
        for filler in [HEAD_BYTES - 200, HEAD_BYTES, HEAD_BYTES + 1, 5 * HEAD_BYTES] {
            let long = peek(&format!("{HEADER}\n{}\n{LAST}\n", " ".repeat(filler)));
            assert_eq!((long.first, long.last), (whole.first, whole.last), "{filler}");
        }
    }

    #[test]
    fn an_end_of_zeros_or_of_one_endless_line_leaves_the_time_of_the_head() {
        for end in ["\u{0}", "x"] {
            let seen = peek(&format!("{HEADER}\n{LAST}\n{}", end.repeat(3 * TAIL_BYTES)));
            assert_eq!(seen.last, Some(1_795_223_518_077));
        }
    }

    #[test]
    fn what_is_no_transcript_says_nothing() {
        for text in ["", "\n", "\u{0}\u{0}", "[1]", "\u{feff}{}"] {
            assert_eq!(peek(text), Peek::default(), "{text:?}");
        }
    }
}
