//! Which session a file of a sessions directory belongs to, and what interrupted writes left behind, by names alone.

use super::names::{FileKind, classify, is_digits, is_uuid};

/// What a file is to its session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A transcript: its own, one of a topic, or a fork.
    Transcript,
    /// The copy of a transcript before it was compacted.
    Checkpoint,
    /// What a run did, event by event.
    Trajectory,
    /// Where the trajectory lies.
    TrajectoryPointer,
    /// A transcript that OpenClaw put aside, and will delete.
    Archive,
    /// The lock of a transcript.
    Lock,
}

/// A file that belongs to a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfSession {
    /// The session.
    pub session: String,
    /// What the file is to it.
    pub role: Role,
    /// Of a checkpoint: its own id.
    pub checkpoint: Option<String>,
}

/// The session that a file belongs to; `None` for a name of any other kind.
pub fn of_session(name: &str, store_name: &str) -> Option<OfSession> {
    let of = |session, role| Some(OfSession { session, role, checkpoint: None });
    let stem = |stem: &str| match classify(&format!("{stem}.jsonl"), store_name) {
        FileKind::Transcript { session_id }
        | FileKind::TopicTranscript { session_id, .. }
        | FileKind::ForkedTranscript { session_id } => Some(session_id),
        _ => None,
    };
    match classify(name, store_name) {
        FileKind::Transcript { session_id }
        | FileKind::TopicTranscript { session_id, .. }
        | FileKind::ForkedTranscript { session_id } => of(session_id, Role::Transcript),
        FileKind::Trajectory { session_id } => of(stem(&session_id)?, Role::Trajectory),
        FileKind::TrajectoryPointer { session_id } => of(stem(&session_id)?, Role::TrajectoryPointer),
        FileKind::Checkpoint { of } => {
            let id = name.strip_suffix(".jsonl")?.rsplit_once(".checkpoint.")?.1.to_owned();
            Some(OfSession { session: stem(&of)?, role: Role::Checkpoint, checkpoint: Some(id) })
        }
        FileKind::Archive { transcript, .. } => {
            Some(OfSession { role: Role::Archive, ..of_session(&transcript, store_name)? })
        }
        FileKind::TranscriptLock { transcript } => {
            Some(OfSession { role: Role::Lock, ..of_session(&transcript, store_name)? })
        }
        _ => None,
    }
}

/// Whether a session id is of the kind that OpenClaw makes up: nothing else is called so.
pub fn is_generated_id(id: &str) -> bool {
    is_uuid(id)
}

/// What an interrupted atomic write of a file called `of` left behind: the process that wrote, where the name tells.
pub fn temporary_of(name: &str, of: &str) -> Option<Option<u32>> {
    let middle = match name.strip_prefix(".fs-safe-replace.") {
        Some(rest) => rest,
        None => name.strip_prefix(of)?.strip_prefix('.')?,
    };
    let middle = middle.strip_suffix(".tmp")?;
    match middle.split_once('.') {
        Some((pid, random)) if is_digits(pid) && is_random(random) => Some(Some(pid.parse().ok()?)),
        None if is_uuid(middle) && !name.starts_with(".fs-safe-replace.") => Some(None),
        _ => None,
    }
}

fn is_random(text: &str) -> bool {
    is_uuid(text) || text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const ID: &str = "0f908179-10f4-42bd-9ae3-d5d2feb993a0";

    #[test]
    fn sidecars_belong_to_the_session_of_their_transcript() {
        let of = |name: &str| {
            let found = of_session(&name.replace("ID", ID), "sessions.json");
            found.map(|found| (found.session, found.role, found.checkpoint))
        };
        let own = |role| Some((ID.to_owned(), role, None));
        assert_eq!(of("ID.jsonl"), own(Role::Transcript));
        assert_eq!(of("ID-topic-a%2Fb.jsonl"), own(Role::Transcript));
        assert_eq!(of("2026-11-21T01-09-14-743Z_ID.jsonl"), own(Role::Transcript));
        assert_eq!(of("ID.trajectory.jsonl"), own(Role::Trajectory));
        assert_eq!(of("ID-topic-7.trajectory.jsonl"), own(Role::Trajectory));
        assert_eq!(of("ID.trajectory-path.json"), own(Role::TrajectoryPointer));
        assert_eq!(of("ID.jsonl.lock"), own(Role::Lock));
        assert_eq!(of("ID.jsonl.deleted.2026-11-21T01-09-14.743Z"), own(Role::Archive));
        let checkpoint = Some((ID.to_owned(), Role::Checkpoint, Some(ID.to_owned())));
        assert_eq!(of("ID.checkpoint.ID.jsonl"), checkpoint);
        assert_eq!(of("2026-11-21T01-09-14-743Z_ID.checkpoint.ID.jsonl"), checkpoint);
        for other in
            ["sessions.json", "notes.txt", "ID.checkpoint.x.jsonl", " .trajectory.jsonl", "a b.jsonl"]
        {
            assert_eq!(of(other), None, "{other}");
        }
    }

    #[test]
    fn temporary_files_tell_who_wrote_them() {
        let of = |name: &str, of: &str| temporary_of(&name.replace("ID", ID), of);
        assert_eq!(of("sessions.json.ID.tmp", "sessions.json"), Some(None));
        assert_eq!(of("sessions.json.77.ID.tmp", "sessions.json"), Some(Some(77)));
        assert_eq!(of(".fs-safe-replace.77.ID.tmp", "sessions.json"), Some(Some(77)));
        assert_eq!(of("jobs.json.77.0123456789abcdef.tmp", "jobs.json"), Some(Some(77)));
        for other in [
            "jobs.json.77.0123456789abcde.tmp",
            "jobs.json.tmp",
            "jobs.json.bak",
            "other.json.77.0123456789abcdef.tmp",
            ".fs-safe-replace.ID.tmp",
            "jobs.json.99999999999.0123456789abcdef.tmp",
        ] {
            assert_eq!(of(other, "jobs.json"), None, "{other}");
        }
    }
}
