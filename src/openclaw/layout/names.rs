//! What the name of a file in a sessions directory says, and which session ids may become file names.

use crate::openclaw::time::parse_stamp_ms;

/// The kind of a file in a sessions directory, by its name alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileKind {
    /// The store itself.
    Store,
    /// The store's lock.
    StoreLock,
    /// What an interrupted atomic write left behind.
    StoreTemp,
    /// A rotation backup, `<store>.bak.<ms>`.
    Rotation {
        /// When it was rotated, epoch milliseconds.
        at_ms: i64,
    },
    /// `<session id>.jsonl`.
    Transcript {
        /// The session.
        session_id: String,
    },
    /// `<session id>-topic-<topic>.jsonl`.
    TopicTranscript {
        /// The session.
        session_id: String,
        /// The topic as the name spells it, perhaps percent-encoded.
        topic: String,
    },
    /// `<stamp>_<session id>.jsonl`.
    ForkedTranscript {
        /// The session.
        session_id: String,
    },
    /// `<transcript>.lock`.
    TranscriptLock {
        /// Name of the transcript, `.jsonl` included.
        transcript: String,
    },
    /// `<transcript>.deleted.<stamp>` and its like.
    Archive {
        /// Why it was archived.
        kind: ArchiveKind,
        /// Name of the transcript, `.jsonl` included.
        transcript: String,
        /// When it was archived, epoch milliseconds.
        at_ms: i64,
        /// Whether a `.zst` follows.
        compressed: bool,
    },
    /// `<session id>.trajectory.jsonl`.
    Trajectory {
        /// The session.
        session_id: String,
    },
    /// `<session id>.trajectory-path.json`.
    TrajectoryPointer {
        /// The session.
        session_id: String,
    },
    /// `<name>.checkpoint.<uuid>.jsonl`.
    Checkpoint {
        /// Stem of the transcript that was copied.
        of: String,
    },
    /// Anything else.
    Other,
}

/// Why a transcript was archived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArchiveKind {
    /// Its entry was removed.
    Deleted,
    /// Its session was reset.
    Reset,
    /// It was copied before a change.
    Backup,
}

/// [`is_safe_session_id`] as a regular expression.
pub const SAFE_SESSION_ID: &str = "^[0-9A-Za-z][0-9A-Za-z._:@-]{0,254}$";
/// [`is_transcript_id`] as a regular expression.
pub const TRANSCRIPT_ID: &str = "^[0-9A-Za-z][0-9A-Za-z._-]{0,127}$";

/// Whether OpenClaw (from 2026.5.28) keeps an entry with this session id.
pub fn is_safe_session_id(id: &[u8]) -> bool {
    is_id(id, 255, |byte| matches!(byte, b'.' | b'_' | b':' | b'@' | b'-'))
}

/// Whether this session id may be the name of a transcript.
pub fn is_transcript_id(id: &str) -> bool {
    is_id(id.as_bytes(), 128, |byte| matches!(byte, b'.' | b'_' | b'-'))
}

/// Tells what a file is by its name; `store_name` is the name of the store in the same directory.
pub fn classify(name: &str, store_name: &str) -> FileKind {
    of_store(name, store_name).or_else(|| of_session(name)).unwrap_or(FileKind::Other)
}

fn of_store(name: &str, store_name: &str) -> Option<FileKind> {
    if let Some(rest) = name.strip_prefix(".fs-safe-replace.") {
        let (pid, rest) = rest.split_once('.')?;
        return (is_digits(pid) && is_uuid(rest.strip_suffix(".tmp")?)).then_some(FileKind::StoreTemp);
    }
    let rest = name.strip_prefix(store_name)?;
    if rest.is_empty() {
        return Some(FileKind::Store);
    }
    let rest = rest.strip_prefix('.')?;
    if rest == "lock" {
        return Some(FileKind::StoreLock);
    }
    if let Some(stamp) = rest.strip_prefix("bak.") {
        return is_digits(stamp)
            .then(|| stamp.parse().ok())
            .flatten()
            .map(|at_ms| FileKind::Rotation { at_ms });
    }
    let middle = rest.strip_suffix(".tmp")?;
    let uuid = match middle.split_once('.') {
        Some((digits, uuid)) if is_digits(digits) => uuid,
        _ => middle,
    };
    is_uuid(uuid).then_some(FileKind::StoreTemp)
}

fn of_session(name: &str) -> Option<FileKind> {
    if let Some(transcript) = name.strip_suffix(".lock").filter(|rest| rest.ends_with(".jsonl")) {
        return Some(FileKind::TranscriptLock { transcript: transcript.to_owned() });
    }
    if let Some(session_id) = name.strip_suffix(".trajectory-path.json") {
        return Some(FileKind::TrajectoryPointer { session_id: session_id.to_owned() });
    }
    match name.strip_suffix(".jsonl") {
        Some(stem) => transcript(stem),
        None => archive(name),
    }
}

fn archive(name: &str) -> Option<FileKind> {
    let (bare, compressed) = name.strip_suffix(".zst").map_or((name, false), |bare| (bare, true));
    let marks = [
        (".deleted.", ArchiveKind::Deleted),
        (".reset.", ArchiveKind::Reset),
        (".bak.", ArchiveKind::Backup),
    ];
    marks.into_iter().find_map(|(mark, kind)| {
        let (transcript, stamp) = bare.rsplit_once(mark)?;
        let at_ms = parse_stamp_ms(stamp)?;
        let transcript = transcript.ends_with(".jsonl").then(|| transcript.to_owned())?;
        Some(FileKind::Archive { kind, transcript, at_ms, compressed })
    })
}

fn transcript(stem: &str) -> Option<FileKind> {
    if let Some(session_id) = stem.strip_suffix(".trajectory") {
        return Some(FileKind::Trajectory { session_id: session_id.to_owned() });
    }
    if let Some((of, uuid)) = stem.rsplit_once(".checkpoint.") {
        return is_uuid(uuid).then(|| FileKind::Checkpoint { of: of.to_owned() });
    }
    if let Some((_, id)) = stem.split_once('_').filter(|(stamp, _)| is_fork_stamp(stamp)) {
        return is_transcript_id(id).then(|| FileKind::ForkedTranscript { session_id: id.to_owned() });
    }
    if let Some((id, topic)) =
        stem.split_once("-topic-").filter(|(id, topic)| is_transcript_id(id) && !topic.is_empty())
    {
        return Some(FileKind::TopicTranscript { session_id: id.to_owned(), topic: topic.to_owned() });
    }
    is_transcript_id(stem).then(|| FileKind::Transcript { session_id: stem.to_owned() })
}

/// Whether the text opens like `2026-11-21T`.
fn is_fork_stamp(text: &str) -> bool {
    let date = text.as_bytes().get(..11).unwrap_or_default();
    !date.is_empty()
        && date.iter().zip(b"0000-00-00T").all(|(b, p)| if *p == b'0' { b.is_ascii_digit() } else { b == p })
}

/// Asked for every session of a store: a fold without an early end looks at sixteen bytes at a time.
fn is_id(id: &[u8], longest: usize, is_mark: impl Fn(u8) -> bool) -> bool {
    id.len() <= longest
        && id.first().is_some_and(u8::is_ascii_alphanumeric)
        && id.iter().fold(true, |good, &byte| good & (byte.is_ascii_alphanumeric() | is_mark(byte)))
}

pub(super) fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

pub(super) fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(i, b)| match i {
            8 | 13 | 18 | 23 => b == b'-',
            _ => b.is_ascii_hexdigit(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0f908179-10f4-42bd-9ae3-d5d2feb993a0";

    fn kind(name: &str) -> FileKind {
        classify(&name.replace("ID", ID), "sessions.json")
    }

    #[test]
    fn files_of_the_store() {
        assert_eq!(kind("sessions.json"), FileKind::Store);
        assert_eq!(kind("sessions.json.lock"), FileKind::StoreLock);
        assert_eq!(kind("sessions.json.ID.tmp"), FileKind::StoreTemp);
        assert_eq!(kind("sessions.json.77.ID.tmp"), FileKind::StoreTemp);
        assert_eq!(kind(".fs-safe-replace.77.ID.tmp"), FileKind::StoreTemp);
        assert_eq!(kind("sessions.json.bak.1795223212701"), FileKind::Rotation { at_ms: 1_795_223_212_701 });
        for other in
            ["sessions.json.bak", "sessions.json.bak.mine", "sessions.json.tmp", ".fs-safe-replace.x.ID.tmp"]
        {
            assert_eq!(kind(other), FileKind::Other, "{other}");
        }
        assert_eq!(classify("s.json.lock", "s.json"), FileKind::StoreLock);
        assert_eq!(kind("sessions.json.bak.99999999999999999999999"), FileKind::Other);
    }

    #[test]
    fn transcripts_and_what_only_looks_like_one() {
        let session_id = ID.to_owned();
        assert_eq!(kind("ID.jsonl"), FileKind::Transcript { session_id: session_id.clone() });
        let topic = FileKind::TopicTranscript { session_id: session_id.clone(), topic: "a%2Fb".into() };
        assert_eq!(kind("ID-topic-a%2Fb.jsonl"), topic);
        let forked = FileKind::ForkedTranscript { session_id: session_id.clone() };
        assert_eq!(kind("2026-11-21T01-09-14-743Z_ID.jsonl"), forked);
        assert_eq!(kind("ID.jsonl.lock"), FileKind::TranscriptLock { transcript: format!("{ID}.jsonl") });
        assert_eq!(kind("ID.trajectory.jsonl"), FileKind::Trajectory { session_id: session_id.clone() });
        assert_eq!(
            kind("ID.trajectory-path.json"),
            FileKind::TrajectoryPointer { session_id: session_id.clone() }
        );
        assert_eq!(kind("ID.checkpoint.ID.jsonl"), FileKind::Checkpoint { of: session_id });
        assert_eq!(kind(" x.jsonl"), FileKind::Other);
        assert_eq!(kind("skills-prompts"), FileKind::Other);
    }

    #[test]
    fn archives() {
        let archived = |name: &str| match kind(name) {
            FileKind::Archive { kind, at_ms, compressed, .. } => Some((kind, at_ms, compressed)),
            _ => None,
        };
        let at = 1_795_223_354_743;
        assert_eq!(
            archived("ID.jsonl.deleted.2026-11-21T01-09-14.743Z"),
            Some((ArchiveKind::Deleted, at, false))
        );
        assert_eq!(
            archived("ID.jsonl.reset.2026-11-21T01-09-14.743Z.zst"),
            Some((ArchiveKind::Reset, at, true))
        );
        assert_eq!(
            archived("ID.jsonl.bak.2026-11-21T01-09-14Z"),
            Some((ArchiveKind::Backup, at - 743, false))
        );
        assert_eq!(archived("ID.jsonl.deleted.yesterday"), None);
        assert_eq!(archived("ID.txt.deleted.2026-11-21T01-09-14.743Z"), None);
    }

    #[test]
    fn session_ids() {
        assert!(is_safe_session_id(b"a:b@c"));
        assert!(!is_transcript_id("a:b@c"));
        assert!(is_transcript_id("A.b_c-d"));
        for bad in ["", "-a", "a/b", "..", "a b", "ä"] {
            assert!(!is_safe_session_id(bad.as_bytes()), "{bad}");
        }
        assert!(is_safe_session_id(&[b'a'; 255]) && !is_safe_session_id(&[b'a'; 256]));
        assert!(is_transcript_id(&"a".repeat(128)) && !is_transcript_id(&"a".repeat(129)));
    }
}
