//! Looks at transcripts one by one, asks who tells their keys, and gathers what came of it.

use std::collections::{HashMap, HashSet};
use std::io;
use std::path::PathBuf;

use crate::model::Millis;
use crate::model::key::{SessionKey, Shape};
use crate::model::verdict::Confidence;
use crate::openclaw::transcript::first_words;

use super::judge::{self, Judge, Told};
use super::listing::{Candidate, Listing};
use super::logs::Logs;
use super::newest::Newest;
use super::peek::{Peek, Peeker};
use super::{Conversations, Named, Sources, ToldBy, Trouble, Unnamed, Why};

/// How much of a first message is shown, in characters.
const FIRST_WORDS: usize = 80;

/// A look at one directory.
pub struct Look<'a> {
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

/// For [`Unnamed::told`].
pub fn list(told: &[Told]) -> Vec<(String, ToldBy)> {
    told.iter().map(|one| (one.key.clone(), one.by.clone())).collect()
}

impl<'a> Look<'a> {
    /// Nothing was looked at yet; what could not be read so far is in `found`.
    pub fn new(sources: &'a Sources<'a>, judge: Judge<'a>, logs: Logs, found: Conversations) -> Self {
        let (peeker, newest) = (Peeker::default(), Newest::default());
        Look { sources, judge, logs, peeker, newest, judged: Vec::new(), found }
    }

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

    /// Looks at one transcript.
    pub fn at(&mut self, candidate: &Candidate, is_known: &dyn Fn(&str, &str) -> bool) {
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
        let mut told = if is_plain { self.logs.take(session) } else { Vec::new() };
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
        let mut first: HashMap<&str, &Told> = HashMap::with_capacity(judged.len());
        let mut torn: HashSet<String> = HashSet::new();
        for (seen, told) in &judged {
            let known = *first.entry(&seen.session).or_insert(told);
            if known.key != told.key && judge::lasting(&known.key) != judge::lasting(&told.key) {
                torn.insert(seen.session.clone());
            }
        }
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

    /// Ends the look, when every candidate was looked at.
    pub fn finish(mut self, listing: &Listing) -> Conversations {
        self.add_judged();
        self.add_known_runs(listing);
        let mut found = self.found;
        (found.named, found.older) = self.newest.split();
        found.unnamed.sort_by(|a, b| b.last.cmp(&a.last).then_with(|| a.transcript.cmp(&b.transcript)));
        found
    }
}
