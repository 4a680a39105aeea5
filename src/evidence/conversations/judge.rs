//! Whether what is told of a session makes a key: known shape, an agent of this store, and nobody who disagrees.

use std::collections::HashMap;

use crate::model::key::{SessionKey, Shape};
use crate::model::verdict::Confidence;
use crate::openclaw::grammar::normalize_agent_id;
use crate::openclaw::jobs::{Job, SessionTarget};
use crate::openclaw::layout;
use crate::openclaw::transcript::cron_mark;

use super::look::list;
use super::{Run, Sources, ToldBy, Why};

/// Longer keys are not believed; the longest that OpenClaw makes have a few hundred bytes.
const LONGEST_KEY: usize = 1024;

/// Stands in a key that a mark tells for the agent that it does not tell; no agent can be called so.
const NO_AGENT: &str = "?";

/// One key that is told of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// The key.
    pub key: String,
    /// Who tells it.
    pub by: ToldBy,
    /// How sure that is.
    pub confidence: Confidence,
    /// How the run ended.
    pub run: Option<Run>,
}

impl Told {
    /// A key that somebody names together with the session. The key of another run names the base at most.
    pub fn certain(key: String, session: &str, by: ToldBy) -> Self {
        let parsed = SessionKey::parse(&key, "main");
        let own = parsed.run.is_none_or(|run| run.to_lowercase() == session.to_lowercase());
        let key = parsed.base.filter(|_| !own).map(str::to_owned).unwrap_or(key);
        Told { key, by, confidence: Confidence::Certain, run: None }
    }
}

/// Knows the store and the jobs.
pub struct Judge<'a> {
    agents: Vec<String>,
    main_key: &'a str,
    /// By id in lower case.
    jobs: HashMap<String, &'a Job>,
}

impl<'a> Judge<'a> {
    /// A judge of one store.
    pub fn new(sources: &Sources<'a>) -> Self {
        let mut agents: Vec<String> = sources.agents.iter().map(|id| normalize_agent_id(id)).collect();
        agents.sort();
        agents.dedup();
        Judge {
            agents,
            main_key: sources.main_key,
            jobs: sources.jobs.iter().map(|job| (job.id.to_lowercase(), job)).collect(),
        }
    }

    /// What is wrong with a key.
    pub fn fault(&self, key: &str) -> Option<Why> {
        let parsed = SessionKey::parse(key, self.main_key);
        if parsed.shape == Shape::Unknown || !is_plain(key) {
            return Some(Why::OddKey);
        }
        let is_ours = parsed.agent.is_some_and(|agent| self.agents.contains(&agent.to_lowercase()));
        (!is_ours).then_some(Why::ForeignKey)
    }

    /// The one key that all agree on; a run's own key and that of its base are no contradiction.
    pub fn agree(&self, told: Vec<Told>) -> Result<Told, (Why, Vec<(String, ToldBy)>)> {
        let Some(first) = told.first() else { return Err((Why::Silence, Vec::new())) };
        let wanted = lasting(&first.key);
        if told.iter().any(|one| lasting(&one.key) != wanted) {
            return Err((Why::Contradiction, list(&told)));
        }
        let is_run = |one: &&Told| SessionKey::parse(&one.key, "main").run.is_some();
        let best = told.iter().find(is_run).unwrap_or(first);
        match self.fault(&best.key) {
            Some(Why::ForeignKey) if best.by == ToldBy::CronMark => Err((Why::UnknownAgent, list(&told))),
            Some(why) => Err((why, list(&told))),
            None => Ok(best.clone()),
        }
    }

    /// The base that the mark of a job tells. A job that is known to run in a session by name leaves the same mark
    /// there, so of such a job it tells nothing.
    pub fn mark(&self, opening: &str) -> Option<Told> {
        let id = cron_mark(opening)?.to_lowercase();
        let job = self.jobs.get(&id).copied();
        if job.is_some_and(|job| job.session_target != SessionTarget::Isolated) {
            return None;
        }
        // A transcript lies where the sessions of its agent are. Of several agents the job has to name one.
        let named = || job.and_then(|job| job.agent_id.as_deref()).map(normalize_agent_id);
        let agent = match self.agents.as_slice() {
            [agent] => Some(agent.clone()),
            agents => named().filter(|agent| agents.contains(agent)),
        };
        let is_certain = job.is_some() && agent.is_some();
        let confidence = if is_certain { Confidence::Certain } else { Confidence::Likely };
        let key = format!("agent:{}:cron:{id}", agent.as_deref().unwrap_or(NO_AGENT));
        Some(Told { key, by: ToldBy::CronMark, confidence, run: None })
    }
}

/// What of a key outlasts a run, as OpenClaw finds it: in lower case, and of a run's key that of its base.
pub fn lasting(key: &str) -> String {
    SessionKey::parse(key, "main").base.unwrap_or(key).to_lowercase()
}

/// Whether a text may be the id of a session with a transcript.
pub fn may_be_session(id: &str) -> bool {
    layout::is_transcript_id(id)
}

/// Whether OpenClaw may have written a key so: of moderate length, nothing unprintable, nothing that was lost when it
/// was decoded.
pub fn is_plain(key: &str) -> bool {
    key.len() <= LONGEST_KEY && !key.chars().any(|c| c.is_control() || c == char::REPLACEMENT_CHARACTER)
}
