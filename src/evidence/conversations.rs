//! Tells under which key a session ran whose entry no store holds any more.
//!
//! A transcript does not name its key, so others are asked, in this order: the run logs (a line names session and
//! key), the trajectory beside the transcript (so does each of its events), the registry of sub-agents, and the mark
//! that a cron job leaves at the beginning of the first message. Whoever is asked may be wrong, so they have to
//! agree: two keys for one session make a transcript that nobody tells of, and it is listed with both for the person
//! who knows. Nothing is guessed from words of a conversation, and least of all that it is the main session.
//!
//! What the real state directories show: every transcript of 2026.3.28 and 2026.5.12 names its session in its first
//! line, as its file name does. Each run that came to an end has a line with `sessionId` and
//! `sessionKey` = `agent:<agent>:cron:<job>:run:<session>`, in 2026.5.12 too, whose stores hold no such key. Runs that
//! failed before their first turn have a line and no transcript. A row of the registry names keys and no session.
//! An isolated run begins with `[cron:<job> <name>] `, a turn of `openclaw agent` with the time.

mod judge;
mod listing;
mod logs;
mod look;
mod names;
mod newest;
mod peek;

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;

use crate::model::Millis;
use crate::model::entry::Status;
use crate::model::key::Shape;
use crate::model::texts::{TextMap, TextSet};
use crate::model::verdict::Confidence;
use crate::openclaw::jobs::Job;
use crate::report::model::{EvidenceItem, EvidenceState};

use judge::Judge;
use listing::Listing;
use logs::Logs;
use look::Look;
pub use names::{KeyNamed, KeysNamed, job_list, keys_named};

/// Where to look, and what is known of the store.
#[derive(Clone, Copy, Debug)]
pub struct Sources<'a> {
    /// The directory of the store.
    pub sessions_dir: &'a Path,
    /// The name of the store in it.
    pub store_name: &'a str,
    /// The agents whose store it is.
    pub agents: &'a [String],
    /// `session.mainKey`, usually `main`.
    pub main_key: &'a str,
    /// The directory of the run logs.
    pub run_logs: &'a Path,
    /// The registry of sub-agents.
    pub registry: &'a Path,
    /// The cron jobs, as far as the list could be read; see [`job_list`].
    pub jobs: &'a [Job],
    /// The clock: what a run log says of the future proves no end.
    pub now: Millis,
}

/// The sessions that no entry refers to.
#[derive(Clone, Debug, Default)]
pub struct Conversations {
    /// The newest session of each key that evidence tells, newest first.
    pub named: Vec<Named>,
    /// Sessions of which evidence tells the key as well, but a newer one has it. A run that has a record of its own
    /// in `named` is not among them.
    pub older: Vec<Named>,
    /// Transcripts whose key nobody tells, newest first; for `--assign TRANSCRIPT=KEY`.
    pub unnamed: Vec<Unnamed>,
    /// Sub-agents that the registry names and no transcript could be tied to.
    pub keys_without_transcript: Vec<KeyNamed>,
    /// Sessions (hash of the id) whose transcript was archived as deleted or reset, and when last; none of which the
    /// transcript is there again.
    pub archived: TextMap<Millis>,
    /// What could not be read.
    pub troubles: Vec<Trouble>,
}

/// A session with a transcript, and the key it ran under.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// The key, as the evidence spells it.
    pub key: String,
    /// What the key names: of one run both the record ([`Shape::RunRecord`]) and its base are told.
    pub shape: Shape,
    /// The session.
    pub session: String,
    /// The file name of its transcript; unless it is `<session>.jsonl` an entry has to name it in `sessionFile`.
    pub transcript: String,
    /// When it began.
    pub first: Option<Millis>,
    /// When its last complete line was written.
    pub last: Option<Millis>,
    /// Who tells the key.
    pub told_by: ToldBy,
    /// How sure that is.
    pub confidence: Confidence,
    /// How the run ended, where a line of a run log proves it.
    pub run: Option<Run>,
}

/// The end of a run, as a line of a run log proves it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// Done, failed or timeout.
    pub status: Status,
    /// `runAtMs`.
    pub started_at: Option<Millis>,
    /// `ts`.
    pub ended_at: Millis,
}

/// Who tells a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ToldBy {
    /// A line of a run log.
    RunLog {
        /// The log.
        file: Arc<str>,
        /// The line, from 1.
        line: u32,
    },
    /// The registry of sub-agents.
    Registry,
    /// The trajectory beside the transcript.
    Trajectory,
    /// The mark of a cron job in the first message.
    CronMark,
}

impl fmt::Display for ToldBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ToldBy::RunLog { file, line } => write!(f, "the run log {file}:{line}"),
            ToldBy::Registry => f.write_str("the registry of sub-agents"),
            ToldBy::Trajectory => f.write_str("the trajectory beside the transcript"),
            ToldBy::CronMark => f.write_str("the mark of a cron job in its first message"),
        }
    }
}

/// A transcript whose key nobody tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unnamed {
    /// Its file name.
    pub transcript: String,
    /// The session, by the file name; by the first line where the name is no session id.
    pub session: String,
    /// When it began.
    pub first: Option<Millis>,
    /// When its last complete line was written.
    pub last: Option<Millis>,
    /// How the first message of the user begins.
    pub first_words: Option<String>,
    /// Why it has no key.
    pub why: Why,
    /// What was told all the same, and by whom.
    pub told: Vec<(String, ToldBy)>,
}

/// Why a transcript has no key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// Nobody tells.
    Silence,
    /// Two keys are told.
    Contradiction,
    /// The key that is told has no shape that is known, or is not spelled as OpenClaw would.
    OddKey,
    /// The key that is told belongs to an agent of another store, or to none.
    ForeignKey,
    /// A job is told, but not which of the agents of this store it ran as.
    UnknownAgent,
    /// It does not begin with the line that names a session. OpenClaw takes such a transcript for a broken one, and
    /// where an entry names it, begins it anew over all that is still in it. So no entry is to name it as it is.
    NoHeader,
    /// The file name and the first line name two sessions. The name counts, as OpenClaw finds transcripts by it;
    /// only where it is no session id the first line does.
    OtherSession {
        /// What the first line names.
        header: String,
    },
}

/// Something that could not be read, and why.
#[derive(Clone, Debug)]
pub struct Trouble {
    /// For the report.
    pub evidence: EvidenceItem,
    /// A sentence.
    pub why: String,
}

impl Trouble {
    fn new(kind: &'static str, path: &Path, error: &dyn std::fmt::Display) -> Self {
        let state = EvidenceState::Unreadable;
        let path = path.display().to_string();
        Trouble { why: format!("{path}: {error}"), evidence: EvidenceItem { kind, path, state } }
    }
}

/// Looks at every transcript that no entry refers to. `is_known` is asked with session id and file name.
pub fn read(sources: &Sources<'_>, is_known: &dyn Fn(&str, &str) -> bool) -> Conversations {
    let mut found = Conversations::default();
    let listing = match Listing::read(sources.sessions_dir, sources.store_name, is_known) {
        Ok(listing) => listing,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Listing::default(),
        Err(error) => {
            found.troubles.push(Trouble::new("transcripts", sources.sessions_dir, &error));
            Listing::default()
        }
    };
    let judge = Judge::new(sources);
    let logs = Logs::read(sources, &judge, &listing, &mut found.troubles);
    let mut look = Look::new(sources, judge, logs, found);
    for candidate in &listing.candidates {
        look.at(candidate, is_known);
    }
    let mut found = look.finish(&listing);
    names::add_children(sources, &mut found);
    found.archived = listing.archived();
    found
}

/// The transcripts of a store, by the hash of their session.
#[derive(Debug, Default)]
pub struct Transcripts {
    /// Those that are there under the usual name.
    pub there: TextSet,
    /// Those that were archived as deleted or reset, and when last; none of which the transcript is there again.
    pub archived: TextMap<Millis>,
}

/// Which transcripts a store has, and had.
pub fn transcripts(store: &Path) -> io::Result<Transcripts> {
    let (Some(dir), Some(name)) = (store.parent(), store.file_name()) else {
        return Ok(Transcripts::default());
    };
    match Listing::read(dir, &name.to_string_lossy(), &|_, _| true) {
        Ok(listing) => Ok(Transcripts { archived: listing.archived(), there: listing.into_plain() }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Transcripts::default()),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests;
