//! One pass over a sessions directory: transcripts that no entry refers to, and those that were archived.

use std::fs;
use std::io;
use std::path::Path;

use crate::model::Millis;
use crate::model::entry::{TextHash, hash};
use crate::model::texts::{TextMap, TextSet};
use crate::openclaw::layout::{self, ArchiveKind, FileKind};

/// A file that may be the transcript of a session without an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Its name.
    pub name: String,
    /// The session by the name; `None` where the name is no session id, so that the first line has to tell.
    pub session: Option<String>,
}

/// What a sessions directory holds; of transcripts with an entry a hash is kept, and nothing else.
#[derive(Debug, Default)]
pub struct Listing {
    /// Transcripts that no entry refers to, sorted by name.
    pub candidates: Vec<Candidate>,
    /// Sessions with a transcript called `<session>.jsonl`.
    plain: TextSet,
    /// Names of transcripts.
    live: TextSet,
    /// Names of archived transcripts, with the session and the time of the newest archive.
    archives: TextMap<(TextHash, Millis)>,
}

impl Listing {
    /// Lists a directory once.
    pub fn read(dir: &Path, store_name: &str, is_known: &dyn Fn(&str, &str) -> bool) -> io::Result<Self> {
        let mut listing = Listing::default();
        for entry in fs::read_dir(dir)? {
            // OpenClaw gives names in ASCII; what is no text was not written by it.
            if let Ok(name) = entry?.file_name().into_string() {
                listing.add(name, store_name, is_known);
            }
        }
        listing.candidates.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(listing)
    }

    fn add(&mut self, name: String, store_name: &str, is_known: &dyn Fn(&str, &str) -> bool) {
        match layout::classify(&name, store_name) {
            FileKind::Transcript { session_id } => {
                self.plain.insert(hash(session_id.as_bytes()));
                self.add_transcript(name, session_id, is_known);
            }
            FileKind::TopicTranscript { session_id, .. } | FileKind::ForkedTranscript { session_id } => {
                self.add_transcript(name, session_id, is_known);
            }
            FileKind::Archive {
                kind: ArchiveKind::Deleted | ArchiveKind::Reset, transcript, at_ms, ..
            } => {
                self.add_archive(&transcript, at_ms, store_name);
            }
            // Copies of checkpoints whose name is not quite right are copies all the same.
            FileKind::Other if name.ends_with(".jsonl") && !name.contains(".checkpoint.") => {
                self.candidates.push(Candidate { name, session: None });
            }
            _ => {}
        }
    }

    fn add_transcript(&mut self, name: String, session: String, is_known: &dyn Fn(&str, &str) -> bool) {
        self.live.insert(hash(name.as_bytes()));
        if !is_known(&session, &name) {
            self.candidates.push(Candidate { name, session: Some(session) });
        }
    }

    fn add_archive(&mut self, transcript: &str, at: Millis, store_name: &str) {
        let (FileKind::Transcript { session_id }
        | FileKind::TopicTranscript { session_id, .. }
        | FileKind::ForkedTranscript { session_id }) = layout::classify(transcript, store_name)
        else {
            return;
        };
        let newest = (hash(session_id.as_bytes()), at);
        let known = self.archives.entry(hash(transcript.as_bytes())).or_insert(newest);
        known.1 = known.1.max(at);
    }

    /// Sessions with a transcript of the usual name.
    pub fn into_plain(self) -> TextSet {
        self.plain
    }

    /// Whether there is a transcript of the usual name.
    pub fn has_plain(&self, session: &str) -> bool {
        self.plain.contains(&hash(session.as_bytes()))
    }

    /// Sessions whose transcript was archived, with the newest time, unless a transcript of that name is there again.
    pub fn archived(&self) -> TextMap<Millis> {
        let mut archived: TextMap<Millis> = TextMap::default();
        for (name, &(session, at)) in &self.archives {
            if !self.live.contains(name) {
                let known = archived.entry(session).or_insert(at);
                *known = at.max(*known);
            }
        }
        archived
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(names: &[&str], known: &[&str]) -> Listing {
        let mut listing = Listing::default();
        for name in names {
            listing.add((*name).to_owned(), "sessions.json", &|session, _| known.contains(&session));
        }
        listing
    }

    #[test]
    fn only_primary_transcripts_without_an_entry_are_candidates() {
        let uuid = "0f908179-10f4-42bd-9ae3-d5d2feb993a0";
        let checkpoint = format!("a.checkpoint.{uuid}.jsonl");
        let listing = list(
            &[
                "a.jsonl",
                "b.jsonl",
                "c-topic-7.jsonl",
                "2026-11-21T01-09-14-743Z_d.jsonl",
                "a b.jsonl",
                "a.trajectory.jsonl",
                "a.trajectory-path.json",
                "a.jsonl.lock",
                "a.jsonl.deleted.2026-11-21T01-09-14.743Z",
                "a.jsonl.bak.2026-11-21T01-09-14.743Z",
                "sessions.json",
                "sessions.json.bak.1795223212701",
                "a.checkpoint.x.jsonl",
                &checkpoint,
                "notes.txt",
            ],
            &["b"],
        );
        let found: Vec<(&str, Option<&str>)> = listing
            .candidates
            .iter()
            .map(|candidate| (candidate.name.as_str(), candidate.session.as_deref()))
            .collect();
        let expected = [
            ("a.jsonl", Some("a")),
            ("c-topic-7.jsonl", Some("c")),
            ("2026-11-21T01-09-14-743Z_d.jsonl", Some("d")),
            ("a b.jsonl", None),
        ];
        assert_eq!(found, expected);
        assert!(listing.has_plain("a") && listing.has_plain("b") && !listing.has_plain("c"));
    }

    #[test]
    fn archives_count_unless_the_transcript_is_there_again() {
        let listing = list(
            &[
                "a.jsonl.deleted.2026-11-21T01-09-14.743Z",
                "a.jsonl.reset.2026-11-21T01-09-15.743Z",
                "b.jsonl.deleted.2026-11-21T01-09-14.743Z",
                "b.jsonl",
                "c.jsonl.bak.2026-11-21T01-09-14.743Z",
                "d-topic-1.jsonl.deleted.2026-11-21T01-09-14.743Z.zst",
                "d.jsonl",
                "e f.jsonl.deleted.2026-11-21T01-09-14.743Z",
            ],
            &[],
        );
        let archived = listing.archived();
        let at = |session: &str| archived.get(&hash(session.as_bytes())).copied();
        assert_eq!(
            ["a", "b", "c", "d"].map(at),
            [Some(1_795_223_355_743), None, None, Some(1_795_223_354_743)]
        );
        assert_eq!(archived.len(), 2);
    }
}
