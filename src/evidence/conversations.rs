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
mod names;
mod newest;
mod peek;

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::model::Millis;
use crate::model::entry::Status;
use crate::model::key::{SessionKey, Shape};
use crate::model::texts::TextMap;
use crate::model::verdict::Confidence;
use crate::openclaw::jobs::Job;
use crate::openclaw::transcript::first_words;
use crate::report::model::{EvidenceItem, EvidenceState};

use judge::{Judge, Told};
use listing::{Candidate, Listing};
use logs::Logs;
pub use names::{KeyNamed, KeysNamed, job_list, keys_named};
use newest::Newest;
use peek::{Peek, Peeker};

/// How much of a first message is shown, in characters.
const FIRST_WORDS: usize = 80;

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
    let mut look = Look {
        sources,
        judge,
        logs,
        peeker: Peeker::default(),
        newest: Newest::default(),
        judged: Vec::new(),
        found,
    };
    for candidate in &listing.candidates {
        look.at(candidate, is_known);
    }
    look.add_judged();
    look.add_known_runs(&listing);
    let mut found = look.finish();
    names::add_children(sources, &mut found);
    found.archived = listing.archived();
    found
}

/// Sessions of a store (hash of the id) whose transcript was archived as deleted or reset, and when last; none of which
/// the transcript is there again.
pub fn archived(store: &Path) -> io::Result<TextMap<Millis>> {
    let (Some(dir), Some(name)) = (store.parent(), store.file_name()) else { return Ok(TextMap::default()) };
    match Listing::read(dir, &name.to_string_lossy(), &|_, _| true) {
        Ok(listing) => Ok(listing.archived()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(TextMap::default()),
        Err(error) => Err(error),
    }
}

/// A look at one directory.
struct Look<'a> {
    sources: &'a Sources<'a>,
    judge: Judge<'a>,
    logs: Logs,
    peeker: Peeker,
    newest: Newest,
    judged: Vec<(Seen, Told)>,
    found: Conversations,
}

/// A transcript that was looked at.
struct Seen {
    session: String,
    transcript: String,
    first: Option<Millis>,
    last: Option<Millis>,
    first_words: Option<String>,
}

impl Seen {
    fn new(candidate: &Candidate, session: String, peek: &Peek) -> Self {
        Seen {
            session,
            transcript: candidate.name.clone(),
            first: peek.first,
            last: peek.last,
            first_words: peek.opening.as_deref().map(|text| first_words(text, FIRST_WORDS)),
        }
    }

    fn unnamed(self, why: Why, told: Vec<(String, ToldBy)>) -> Unnamed {
        let Seen { session, transcript, first, last, first_words } = self;
        Unnamed { transcript, session, first, last, first_words, why, told }
    }

    fn named(&self, key: &str, shape: Shape, told: &Told) -> Named {
        Named {
            key: key.to_owned(),
            shape,
            session: self.session.clone(),
            transcript: self.transcript.clone(),
            first: self.first,
            last: self.last,
            told_by: told.by.clone(),
            confidence: told.confidence,
            run: told.run,
        }
    }
}

fn list(told: &[Told]) -> Vec<(String, ToldBy)> {
    told.iter().map(|one| (one.key.clone(), one.by.clone())).collect()
}

impl Look<'_> {
    fn path(&self, name: &str) -> PathBuf {
        self.sources.sessions_dir.join(name)
    }

    /// A transcript's head and tail; what vanished meanwhile is no trouble.
    fn peek(&mut self, name: &str) -> Option<Peek> {
        let path = self.path(name);
        match self.peeker.transcript(&path) {
            Ok(peek) => Some(peek),
            Err(error) if error.kind() == io::ErrorKind::NotFound && !path.is_symlink() => None,
            Err(error) => {
                self.found.troubles.push(Trouble::new("transcripts", &path, &error));
                None
            }
        }
    }

    fn at(&mut self, candidate: &Candidate, is_known: &dyn Fn(&str, &str) -> bool) {
        let Some(peek) = self.peek(&candidate.name) else { return };
        let session = match (&candidate.session, &peek.session) {
            (Some(session), _) => session.clone(),
            // Anything may be called so; only a first line of a session makes it a transcript.
            (None, Some(header)) if judge::may_be_session(header) && !is_known(header, &candidate.name) => {
                header.clone()
            }
            (None, _) => return,
        };
        let told = self.told(candidate, &session, &peek);
        let fault = match &peek.session {
            None => Some(Why::NoHeader),
            Some(header) if candidate.session.as_ref() != Some(header) => {
                Some(Why::OtherSession { header: header.clone() })
            }
            Some(_) => None,
        };
        let verdict = match fault {
            Some(why) => Err((why, list(&told))),
            None => self.judge.agree(told),
        };
        let seen = Seen::new(candidate, session, &peek);
        match verdict {
            Ok(told) => self.judged.push((seen, told)),
            Err((why, told)) => self.found.unnamed.push(seen.unnamed(why, told)),
        }
    }

    /// What all sources tell of one session, strongest first.
    fn told(&mut self, candidate: &Candidate, session: &str, peek: &Peek) -> Vec<Told> {
        // A run has one transcript, and it is called after it; a topic of the same session is no run.
        let is_plain = candidate.name.strip_suffix(".jsonl") == Some(session);
        let mut told = if is_plain { self.logs.told(session) } else { Vec::new() };
        let stem = candidate.name.strip_suffix(".jsonl").unwrap_or(&candidate.name);
        let trajectory = self.path(&format!("{stem}.trajectory.jsonl"));
        match self.peeker.trajectory_keys(&trajectory, session) {
            Ok(keys) => {
                told.extend(keys.into_iter().map(|key| Told::certain(key, session, ToldBy::Trajectory)))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound && !trajectory.is_symlink() => {}
            Err(error) => self.found.troubles.push(Trouble::new("transcripts", &trajectory, &error)),
        }
        let mark = peek.opening.as_deref().and_then(|opening| self.judge.mark(opening));
        // A mark of a job that the list does not know may be anybody's words; whoever names the key knows better.
        told.extend(mark.filter(|mark| told.is_empty() || mark.confidence == Confidence::Certain));
        told
    }

    /// Sessions under their keys, and runs under the keys of their bases as well. A session with two transcripts of
    /// two keys is nobody's.
    fn add_judged(&mut self) {
        let judged = std::mem::take(&mut self.judged);
        let mut keys: HashMap<&str, HashSet<String>> = HashMap::new();
        for (seen, told) in &judged {
            keys.entry(&seen.session).or_default().insert(judge::lasting(&told.key));
        }
        let torn: HashSet<String> = keys
            .into_iter()
            .filter(|(_, keys)| keys.len() > 1)
            .map(|(session, _)| session.to_owned())
            .collect();
        for (seen, told) in judged {
            if torn.contains(&seen.session) {
                self.found.unnamed.push(seen.unnamed(Why::Contradiction, list(&[told])));
                continue;
            }
            let key = SessionKey::parse(&told.key, self.sources.main_key);
            self.newest.add(seen.named(&told.key, key.shape, &told));
            if let Some(base) = key.base {
                self.newest.add(seen.named(base, Shape::CronBase, &told));
            }
        }
    }

    /// The base names the newest run, and of that the record may be there though the base is not.
    fn add_known_runs(&mut self, listing: &Listing) {
        let candidates: HashSet<&str> =
            listing.candidates.iter().filter_map(|candidate| candidate.session.as_deref()).collect();
        for (session, told) in std::mem::take(&mut self.logs.newest) {
            let started = told.run.and_then(|run| run.started_at);
            if candidates.contains(session.as_str()) || !self.newest.is_news(&told.key, started) {
                continue;
            }
            let candidate = Candidate { name: format!("{session}.jsonl"), session: Some(session.clone()) };
            let Some(peek) = self.peek(&candidate.name) else { continue };
            let base = SessionKey::parse(&told.key, "main").base;
            if let Some(base) = base.filter(|_| peek.session.as_ref() == Some(&session)) {
                let seen = Seen::new(&candidate, session, &peek);
                self.newest.add(seen.named(base, Shape::CronBase, &told));
            }
        }
    }

    fn finish(self) -> Conversations {
        let mut found = self.found;
        (found.named, found.older) = self.newest.split();
        found.unnamed.sort_by(|a, b| b.last.cmp(&a.last).then_with(|| a.transcript.cmp(&b.transcript)));
        found
    }
}

#[cfg(test)]
mod tests;
