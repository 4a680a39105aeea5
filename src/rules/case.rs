//! One entry before the bench: the entry, what is known of it, and the words that rules are made of.

use std::collections::HashMap;

use crate::model::Millis;
use crate::model::entry::{Entry, Status, TextHash};
use crate::model::evidence::{Evidence, FinishedLine, Job, Life, Lock, Traces};
use crate::model::key::{Family, Shape};
use crate::model::policy::Policy;
use crate::model::verdict::{Healing, Reason};

/// What the entries of one store say of each other.
#[derive(Clone, Debug, Default)]
pub struct StoreFacts {
    /// Cron bases by the hash of their key.
    pub bases: HashMap<TextHash, Entry>,
    /// `updatedAt` and session of the newest run record of a job.
    pub newest_run: HashMap<TextHash, (Millis, TextHash)>,
    /// Whether the job list knows any job of the store.
    pub knows_a_job: bool,
    /// Whether the store lies outside the state directory.
    pub outside: bool,
}

impl StoreFacts {
    /// Gathers them from the live entries of a store.
    pub fn gather<'a>(
        entries: impl Iterator<Item = &'a Entry>,
        known: &HashMap<TextHash, Job>,
        outside: bool,
    ) -> Self {
        let mut facts = StoreFacts { outside, ..Self::default() };
        for entry in entries.filter(|entry| entry.family().is_cron()) {
            facts.knows_a_job |= known.contains_key(&entry.job);
            if entry.shape == Shape::CronBase {
                facts.bases.insert(entry.key, *entry);
            } else if let Some(at) = entry.updated_at.millis() {
                let newest = facts.newest_run.entry(entry.job).or_insert((at, entry.session));
                *newest = (at, entry.session).max(*newest);
            }
        }
        facts
    }
}

/// An entry and everything that a rule may ask.
#[derive(Clone, Copy)]
pub struct Case<'a> {
    /// The entry.
    pub entry: &'a Entry,
    /// What the sessions directory says of it.
    pub traces: Traces,
    /// Its store.
    pub store: &'a StoreFacts,
    /// The world.
    pub evidence: &'a Evidence,
    /// What the user allows.
    pub policy: &'a Policy,
}

impl<'a> Case<'a> {
    /// The clock.
    pub fn now(&self) -> Millis {
        self.evidence.now
    }

    /// The base of a run record, where the store holds it.
    pub fn base(&self) -> Option<&'a Entry> {
        if self.entry.shape == Shape::RunRecord { self.store.bases.get(&self.entry.kin) } else { None }
    }

    /// The base of a run record, where it has the record's session.
    fn base_of_session(&self) -> Option<&'a Entry> {
        self.base().filter(|base| self.entry.session != 0 && base.session == self.entry.session)
    }

    /// The job, where a list knows it.
    pub fn job(&self) -> Option<&'a Job> {
        self.evidence.jobs.known.get(&self.entry.job)
    }

    /// Time of the last sign of life: last transcript line, `updatedAt`, `startedAt`; never a future one.
    pub fn last_sign(&self) -> Option<Millis> {
        let now = self.now();
        let line = self.traces.last_line.filter(|&at| at <= now);
        self.entry.updated_at.past(now).max(self.entry.started_at.past(now)).max(line)
    }

    /// Now minus the last sign of life, where the entry's times can be relied on.
    pub fn age(&self) -> Option<Millis> {
        if self.has_unusable_time() { None } else { self.last_sign().map(|at| self.now() - at) }
    }

    /// Whether a time that has to be there is missing, or one that is there is no past time.
    pub fn has_unusable_time(&self) -> bool {
        let now = self.now();
        let entry = self.entry;
        entry.updated_at.past(now).is_none()
            || entry.started_at.is_suspect(now)
            || entry.ended_at.is_suspect(now)
    }

    /// Whether the run says that it runs, and who says it.
    pub fn claims_to_run(&self) -> Option<Reason> {
        if !self.entry.family().is_cron() {
            None
        } else if self.entry.status == Status::Running {
            Some(Reason::SaysRunning)
        } else if self.base_of_session().is_some_and(|base| base.status == Status::Running) {
            Some(Reason::BaseSaysRunning)
        } else {
            None
        }
    }

    /// When the run began: its own `startedAt`, else that of a base with the same session.
    pub fn started_at(&self) -> Option<Millis> {
        let now = self.now();
        let own = self.entry.started_at.past(now);
        own.or_else(|| self.base_of_session().and_then(|base| base.started_at.past(now)))
    }

    /// The finished line that names the entry's session and was not written before the run began. A base
    /// has to say when that was.
    pub fn finished_line(&self) -> Option<&'a FinishedLine> {
        let started = self.started_at();
        if self.entry.shape == Shape::CronBase && started.is_none() {
            return None;
        }
        self.evidence
            .runs
            .of_session(self.entry.session, self.entry.job)
            .filter(|line| line.ts <= self.now() && started.is_none_or(|at| line.ts >= at))
            .max_by_key(|line| line.ts)
    }

    /// A finished line of the job without a session, whose run took in the moment when this one began.
    pub fn finished_line_around(&self) -> Option<&'a FinishedLine> {
        let started = self.started_at()?;
        self.evidence
            .runs
            .of_job(self.entry.job)
            .filter(|line| !line.named && line.ts <= self.now())
            .filter(|line| line.ts >= started && line.run_at.is_some_and(|at| at <= started))
            .min_by_key(|line| line.ts)
    }

    /// Whether a gateway that could own the run may live.
    pub fn owner_may_live(&self) -> bool {
        match (self.evidence.gateway, self.last_sign()) {
            (Life::Stopped, _) => false,
            (Life::Running { since: Some(since), .. }, Some(sign)) => since <= sign,
            _ => true,
        }
    }

    /// Whether OpenClaw itself would have given up on the run by now.
    pub fn is_past_timeout(&self) -> bool {
        match (self.job().and_then(|job| job.timeout), self.last_sign()) {
            (Some(timeout), Some(sign)) => self.now() - sign > timeout,
            _ => false,
        }
    }

    /// Whether the run record may be the run that its job is at.
    pub fn is_in_flight(&self) -> bool {
        self.entry.shape == Shape::RunRecord
            && (self.base_of_session().is_some_and(|base| base.status == Status::Running)
                || self.traces.lock == Lock::MayLive
                || self.is_marked())
    }

    /// Whether the job's marker points at this run record: the newest, not older than the marker, and no
    /// finished line from then on. A marker that could not be read points at the newest.
    fn is_marked(&self) -> bool {
        let newest = self.store.newest_run.get(&self.entry.job).map(|&(at, _)| at);
        if newest.is_none() || self.entry.updated_at.millis() != newest {
            return false;
        }
        let marker = match self.job().map(|job| job.marker) {
            _ if !self.evidence.jobs.markers_complete => return self.owner_may_live(),
            Some(Some(marker)) => marker,
            _ => return false,
        };
        let finished =
            self.evidence.runs.of_job(self.entry.job).any(|line| line.run_at.is_some_and(|at| at >= marker));
        newest >= Some(marker) && !finished
    }

    /// Whether the run record is over: not in flight, and not a run that may still be going on.
    pub fn is_over(&self) -> bool {
        let may_run = self.entry.status == Status::Running
            && self.evidence.gateway != Life::Stopped
            && self.finished_line().is_none();
        self.entry.shape == Shape::RunRecord && !self.is_in_flight() && !may_run
    }

    /// Whether somebody writes to the session, or may.
    pub fn is_in_use(&self) -> bool {
        self.traces.lock == Lock::MayLive || self.is_in_flight() && self.owner_may_live()
    }

    /// When a session that ended did so.
    pub fn ended(&self) -> Option<Millis> {
        self.entry.ended_at.past(self.now()).filter(|_| self.entry.status.is_end())
    }

    /// Whether the end of the run is certain, so that the grace need not be waited for.
    pub fn is_certainly_finished(&self) -> bool {
        self.entry.shape == Shape::RunRecord && self.finished_line().is_some()
    }

    /// A synthetic session, or a conversation (never main) where the user allowed those.
    pub fn may_go_stale(&self) -> bool {
        let family = self.entry.family();
        family.is_synthetic()
            || self.policy.conversations && family == Family::Conversation && self.entry.shape != Shape::Main
    }

    /// What a base that claims to run is healed to: as the run log says, else as failed at the last sign of
    /// life. Never the present.
    pub fn healing(&self) -> Option<Healing> {
        if let Some(line) = self.finished_line().or_else(|| self.finished_line_around()) {
            return Some(Healing { status: line.status, ended_at: line.ts });
        }
        self.last_sign().map(|ended_at| Healing { status: "failed", ended_at })
    }
}
