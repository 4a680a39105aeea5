//! The head of a transcript: whose it is, when it began, and how the first message of a person or a job begins.
//!
//! Transcripts of 2026.3.28 and 2026.5.12 open alike: `{"type":"session","version":3,"id":...,"timestamp":...}`,
//! a change of model, one of the thinking level, a snapshot of the model, and as fifth line the first message of
//! the user, all within the first two kilobytes. The message begins `[cron:<job id> <job name>] ` in an isolated
//! run of a job, `[Sat 2026-11-21 01:13 UTC] [Subagent Context] ` in a sub-agent, and with the time alone in a
//! turn of `openclaw agent`.

use crate::openclaw::cut;
use crate::openclaw::json::{Lines, Tree, Want};

use super::time;

/// How much of the beginning of a transcript is worth reading.
pub const HEAD_BYTES: usize = 64 << 10;

/// How much of the first message is kept, in characters; job ids and first words fit.
const OPENING_CHARS: usize = 512;

static WANT: Want = Want::Fields(&[
    ("type", Want::All),
    ("id", Want::All),
    ("timestamp", Want::All),
    (
        "message",
        Want::Fields(&[
            ("role", Want::All),
            ("content", Want::Each(&Want::Fields(&[("type", Want::All), ("text", Want::All)]))),
            ("timestamp", Want::All),
        ]),
    ),
]);

/// What the head of a transcript says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Head {
    /// The session that the first line names, as it spells it. The first line is the first that parses, as OpenClaw
    /// reads it; without one that names a session it takes the file for broken.
    pub session: Option<String>,
    /// The time of the first line that has one.
    pub first: Option<i64>,
    /// How the first message of the user begins.
    pub opening: Option<String>,
}

/// Reads heads of transcripts; one reader serves many and reuses its buffers.
#[derive(Debug, Default)]
pub struct HeadReader {
    lines: Lines,
}

impl HeadReader {
    /// Reads the head up to the first message of the user. A last line that was cut off, by the reader or by a
    /// crash, is read as far as it goes.
    pub fn read(&mut self, head: &[u8]) -> Head {
        let mut seen = Head::default();
        let mut is_first = true;
        for line in head.split(|&byte| byte == b'\n') {
            let Some((tree, whole)) = self.tree(line.trim_ascii()) else { continue };
            if is_first && whole && tree.get("type").and_then(Tree::text) == Some("session") {
                seen.session = tree.text_of("id");
            }
            is_first &= !whole;
            seen.first = seen.first.or_else(|| tree.get("timestamp").and_then(time));
            seen.opening = opening(&tree);
            if seen.opening.is_some() {
                break;
            }
        }
        seen
    }

    /// A line, and whether it is whole: half a session id would be another one.
    fn tree(&mut self, line: &[u8]) -> Option<(Tree, bool)> {
        if line.first() != Some(&b'{') {
            return None;
        }
        match self.lines.parse(line, &WANT) {
            Some(tree) => Some((tree, true)),
            None => Some((self.lines.parse(&cut::close(line)?, &WANT)?, false)),
        }
    }
}

/// The beginning of a message of the user; its content is a string, or a list of which the first text counts.
fn opening(line: &Tree) -> Option<String> {
    let message = line.get("message").filter(|_| line.get("type").and_then(Tree::text) == Some("message"))?;
    if message.get("role").and_then(Tree::text) != Some("user") {
        return None;
    }
    let content = message.get("content")?;
    let parts = || content.list().into_iter().flatten().filter_map(|part| part.get("text")?.text());
    let text = content.text().or_else(|| parts().find(|text| !text.trim().is_empty()))?;
    Some(text.trim_start().chars().take(OPENING_CHARS).collect()).filter(|text: &String| !text.is_empty())
}

/// The job that a first message says it comes from: `[cron:<job id> <job name>] ` stands at its very beginning.
pub fn cron_mark(opening: &str) -> Option<&str> {
    let (mark, _) = opening.strip_prefix("[cron:")?.split_once(']')?;
    let job = mark.split(' ').next()?;
    let is_id = !job.is_empty() && !job.contains(|c: char| c == ':' || c.is_whitespace() || c.is_control());
    is_id.then_some(job)
}

/// The first words on one line, at most `most` characters.
pub fn first_words(opening: &str, most: usize) -> String {
    let mut line = String::new();
    for word in opening.split_whitespace() {
        if !line.is_empty() {
            line.push(' ');
        }
        line.extend(word.chars().filter(|c| !c.is_control()));
        if line.len() > 4 * most {
            break;
        }
    }
    match line.char_indices().nth(most) {
        None => line,
        Some(_) => line.chars().take(most.saturating_sub(1)).chain(['…']).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str =
        r#"{"type":"session","version":3,"id":"0f90","timestamp":"2026-11-21T01:11:58.061Z"}"#;

    fn read(text: &str) -> Head {
        HeadReader::default().read(text.as_bytes())
    }

    fn opening_of(message: &str) -> Option<String> {
        read(&format!("{HEADER}\n{message}\n")).opening
    }

    #[test]
    fn the_first_message_of_the_user_counts_and_nothing_behind_it_is_read() {
        let text = format!(
            "{HEADER}\n{}\n{}\n{}\n",
            r#"{"type":"message","message":{"role":"assistant","content":[{"type":"text","text":"a"}]}}"#,
            r#"{"type":"message","message":{"role":"user","content":[{"type":"image","data":"x"},{"type":"text","text":" one\ntwo"}]}}"#,
            r#"{"type":"message","message":{"role":"user","content":"three"}}"#,
        );
        let head = read(&text);
        assert_eq!((head.session.as_deref(), head.first), (Some("0f90"), Some(1_795_223_518_061)));
        assert_eq!(head.opening.as_deref(), Some("one\ntwo"));
    }

    #[test]
    fn contents_are_a_string_or_a_list() {
        let cases = [
            (r#"{"type":"message","message":{"role":"user","content":"x"}}"#, Some("x")),
            (r#"{"type":"message","message":{"role":"user","content":[{"text":"x"}]}}"#, Some("x")),
            (
                r#"{"type":"message","message":{"role":"user","content":[{"text":7},7,[],{"text":"x"}]}}"#,
                Some("x"),
            ),
            (r#"{"type":"message","message":{"role":"user","content":{"text":"x"}}}"#, None),
            (r#"{"type":"message","message":{"role":"user","content":"  "}}"#, None),
            (r#"{"type":"message","message":{"role":"user"}}"#, None),
            (r#"{"type":"custom","message":{"role":"user","content":"x"}}"#, None),
            (r#"{"type":"message","message":"x"}"#, None),
            ("[]", None),
            ("\u{0}\u{0}", None),
        ];
        for (line, expected) in cases {
            assert_eq!(opening_of(line).as_deref(), expected, "{line}");
        }
    }

    #[test]
    fn a_message_that_was_cut_off_tells_its_beginning() {
        let line = r#"{"type":"message","message":{"role":"user","content":[{"type":"text","text":"[cron:j digest] Summ"#;
        assert_eq!(opening_of(line).as_deref(), Some("[cron:j digest] Summ"));
        let long =
            format!(r#"{{"type":"message","message":{{"role":"user","content":"{}"#, "é".repeat(40_000));
        let head = HeadReader::default().read(&format!("{HEADER}\n{long}").as_bytes()[..HEAD_BYTES]);
        assert_eq!(head.opening.map(|text| text.chars().count()), Some(OPENING_CHARS));
    }

    #[test]
    fn only_the_first_line_names_the_session() {
        for before in ["\n", "\u{0}\u{0}\n", "{torn\n"] {
            assert_eq!(read(&format!("{before}{HEADER}\n")).session.as_deref(), Some("0f90"), "{before}");
        }
        assert_eq!(read(&format!("{}\n{HEADER}", r#"{"type":"x"}"#)).session, None);
        assert_eq!(read(&HEADER.replace("\"0f90\"", "7")).session, None);
        assert_eq!(read(&format!("\u{feff}{HEADER}")).session, None);
        assert_eq!(read(""), Head::default());
        for cut in 0..HEADER.len() {
            assert_eq!(read(&HEADER[..cut]).session, None, "{}", &HEADER[..cut]);
        }
    }

    #[test]
    fn marks_of_jobs() {
        let cases = [
            ("[cron:68e6 news digest] Summarise", Some("68e6")),
            ("[cron:68e6] Summarise", Some("68e6")),
            ("[cron:68e6 a ] b] x", Some("68e6")),
            ("[cron: x] y", None),
            ("[cron:] y", None),
            ("[cron:a:b x] y", None),
            ("[cron:a\tb x] y", None),
            ("[cron:68e6 without an end", None),
            ("[Sat 2026-11-21 01:11 UTC] [cron:68e6 x] y", None),
            ("say [cron:68e6 x]", None),
            ("[CRON:68e6 x] y", None),
        ];
        for (text, expected) in cases {
            assert_eq!(cron_mark(text), expected, "{text}");
        }
    }

    #[test]
    fn first_words_are_one_short_line() {
        assert_eq!(first_words("  one\n\n two\u{7} ", 80), "one two");
        assert_eq!(first_words("äöüß", 4), "äöüß");
        assert_eq!(first_words("äöüßx", 4), "äöü…");
        assert_eq!(first_words(&"x".repeat(9999), 80).chars().count(), 80);
        assert_eq!(first_words("\u{1b}[31m", 80), "[31m");
    }
}
