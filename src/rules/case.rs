//! One entry before the bench: the entry, what is known of it, and the words that rules are made of.

use crate::model::Millis;
use crate::model::entries::Entries;
use crate::model::entry::{Entry, Flags, Stamp, Status, TextHash};
use crate::model::evidence::{Evidence, Job, Life, Lock, Traces};
use crate::model::key::{Family, Shape};
use crate::model::policy::Policy;
use crate::model::runs::FinishedLine;
use crate::model::slots::Slots;
use crate::model::texts::TextMap;
use crate::model::verdict::{Healing, Reason};

/// What the entries of one store say of each other.
#[derive(Clone, Debug, Default)]
pub struct StoreFacts {
    /// Numbers of cron bases by the hash of their key in lower case.
    bases: Slots,
    /// Of several spellings of a base the others, sorted by that hash.
    other_bases: Vec<u32>,
    /// Numbers of the newest run records by job.
    newest_run: Slots,
    /// Whether the job list knows any job of the store.
    pub knows_a_job: bool,
    /// Whether the store lies outside the state directory.
    pub outside: bool,
}

impl StoreFacts {
    /// Gathers them from the entries of a store that nothing overrides.
    pub fn gather(entries: &Entries, known: &TextMap<Job>, outside: bool) -> Self {
        let live = || entries.iter().enumerate().filter(|(_, entry)| !entry.is(Flags::OVERRIDDEN));
        let of = |shape: Shape| live().filter(move |(_, entry)| entry.shape == shape);
        let timed = || of(Shape::RunRecord).filter(|(_, entry)| entry.updated_at.millis().is_some());
        // Only run records ask for bases.
        let any = of(Shape::RunRecord).next().is_some();
        let bases = of(Shape::CronBase).filter(|_| any);
        let mut facts = StoreFacts {
            bases: Slots::new(bases.clone().count(), entries.len()),
            newest_run: Slots::new(timed().count(), entries.len()),
            outside,
            ..Self::default()
        };
        facts.knows_a_job =
            live().any(|(_, entry)| entry.family().is_cron() && known.contains_key(&entry.job));
        for (at, entry) in timed() {
            let newest = facts.newest_of(entries, entry.job);
            if newest.is_none_or(|newest| times(newest) < times(entry)) {
                facts.newest_run.put(entry.job, at, |other| entries[other].job == entry.job);
            }
        }
        for (at, base) in bases {
            let same = |other: usize| entries[other].kin == base.kin;
            match facts.bases.find(base.kin, same) {
                None => facts.bases.put(base.kin, at, same),
                Some(_) => facts.other_bases.extend(u32::try_from(at)),
            }
        }
        facts.other_bases.sort_by_key(|&at| entries[at as usize].kin);
        facts
    }

    /// Numbers of the bases of a run record, in file order.
    fn bases_of(&self, entries: &Entries, record: &Entry) -> impl Iterator<Item = usize> + use<'_> {
        let kin = record.kin;
        let first = self.bases.find(kin, |base| entries[base].kin == kin);
        let kin_of = |at: &u32| entries[*at as usize].kin;
        let from = self.other_bases.partition_point(|at| kin_of(at) < kin);
        let to = from + self.other_bases[from..].partition_point(|at| kin_of(at) == kin);
        first.into_iter().chain(self.other_bases[from..to].iter().map(|&at| at as usize))
    }

    /// The newest run record of a job.
    fn newest_of<'a>(&self, entries: &'a Entries, job: TextHash) -> Option<&'a Entry> {
        self.newest_run.find(job, |at| entries[at].job == job).map(|at| &entries[at])
    }
}

/// What makes one run record newer than another.
fn times(record: &Entry) -> (Option<Millis>, TextHash) {
    (record.updated_at.millis(), record.session)
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
    entries: &'a Entries,
    /// The base that has the session of this run record; one that is running before any other.
    base: Option<&'a Entry>,
    job: Option<&'a Job>,
}

/// The bases of `entry`, where that is a run record.
fn bases<'a>(
    entries: &'a Entries,
    store: &'a StoreFacts,
    entry: &'a Entry,
) -> impl Iterator<Item = &'a Entry> + use<'a> {
    let record = Some(entry).filter(|entry| entry.shape == Shape::RunRecord);
    let bases = record.into_iter().flat_map(|record| store.bases_of(entries, record)).map(|at| &entries[at]);
    bases.filter(|base| base.job == entry.job)
}

impl<'a> Case<'a> {
    /// The case of entry number `at` of a store.
    pub fn new(
        (entries, at): (&'a Entries, usize),
        traces: Traces,
        store: &'a StoreFacts,
        evidence: &'a Evidence,
        policy: &'a Policy,
    ) -> Self {
        let entry = &entries[at];
        let runs = |base: &Entry| base.status == Status::Running;
        let of_session = bases(entries, store, entry)
            .filter(|base| entry.session != 0 && base.session == entry.session)
            .reduce(|first, other| if runs(other) && !runs(first) { other } else { first });
        let job = if entry.family().is_cron() { evidence.jobs.known.get(&entry.job) } else { None };
        Case { entry, traces, store, evidence, policy, entries, base: of_session, job }
    }

    /// The clock.
    pub fn now(&self) -> Millis {
        self.evidence.now
    }

    /// The bases of a run record that the store holds.
    pub fn bases(&self) -> impl Iterator<Item = &'a Entry> + use<'a> {
        bases(self.entries, self.store, self.entry)
    }

    /// `updatedAt` and session of the newest run record of the job.
    pub fn newest_run(&self) -> Option<(Millis, TextHash)> {
        let newest = self.store.newest_of(self.entries, self.entry.job)?;
        Some((newest.updated_at.millis()?, newest.session))
    }

    /// The job, where a list knows it.
    pub fn job(&self) -> Option<&'a Job> {
        self.job
    }

    /// Time of the last sign of life: last transcript line, `updatedAt`, `startedAt`; never a future one.
    /// A run record that runs through its base also lives through it.
    pub fn last_sign(&self) -> Option<Millis> {
        let now = self.now();
        let own = |entry: &Entry| entry.updated_at.past(now).max(entry.started_at.past(now));
        let base = self.base.filter(|base| base.status == Status::Running).and_then(own);
        let line = self.traces.last_line.filter(|&at| at <= now);
        own(self.entry).max(base).max(line)
    }

    /// Now minus the last sign of life, where the entry's times can be relied on.
    pub fn age(&self) -> Option<Millis> {
        if self.has_unusable_time() { None } else { self.last_sign().map(|at| self.now() - at) }
    }

    /// Whether a time that has to be there is missing, or one that is there is no past time: of the entry,
    /// or of the last line of its transcript.
    pub fn has_unusable_time(&self) -> bool {
        let now = self.now();
        let entry = self.entry;
        entry.updated_at.past(now).is_none()
            || entry.started_at.is_suspect(now)
            || entry.ended_at.is_suspect(now)
            || self.traces.last_line.is_some_and(|at| at > now)
    }

    /// Whether the run says that it runs, and who says it.
    pub fn claims_to_run(&self) -> Option<Reason> {
        if !self.entry.family().is_cron() {
            None
        } else if self.entry.status == Status::Running {
            Some(Reason::SaysRunning)
        } else if self.base.is_some_and(|base| base.status == Status::Running) {
            Some(Reason::BaseSaysRunning)
        } else {
            None
        }
    }

    /// When the run began: its own `startedAt`, else that of a base with the same session.
    pub fn started_at(&self) -> Option<Millis> {
        let now = self.now();
        let own = self.entry.started_at.past(now);
        own.or_else(|| self.base.and_then(|base| base.started_at.past(now)))
    }

    /// The finished line that names the entry's session and was not written before the run began. A base
    /// has to say when that was.
    pub fn finished_line(&self) -> Option<FinishedLine> {
        let latest = self.evidence.runs.of_session(self.entry.job, self.entry.session)?;
        let started = self.started_at();
        let unknown = self.entry.shape == Shape::CronBase && started.is_none();
        (!unknown && started.is_none_or(|at| latest.ts >= at)).then_some(latest)
    }

    /// A finished line of the job without a session, whose run took in the moment when this one began.
    pub fn finished_line_around(&self) -> Option<FinishedLine> {
        self.evidence.runs.around(self.entry.job, self.started_at()?)
    }

    /// Whether a time from a job list is one, and not after the clock.
    fn is_past(&self, at: Millis) -> bool {
        Stamp::is_past_time(at, self.now())
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
            && (self.base.is_some_and(|base| base.status == Status::Running)
                || self.traces.lock == Lock::MayLive
                || self.is_marked())
    }

    /// Whether the job's marker points at this run record: the newest, not older than the marker, and no
    /// finished line from then on. A marker that could not be read, or that is no past time, points at the
    /// newest; where the newest lies in the future, any record may be the one.
    fn is_marked(&self) -> bool {
        let Some(at) = self.entry.updated_at.millis() else { return false };
        let newest = self.newest_run().is_none_or(|(newest, _)| at == newest || newest > self.now());
        match self.job().map(|job| job.marker) {
            _ if !newest => false,
            _ if !self.evidence.jobs.markers_complete => self.owner_may_live(),
            Some(Some(marker)) if self.is_past(marker) => {
                at >= marker && !self.evidence.runs.has_finished_since(self.entry.job, marker)
            }
            Some(Some(_)) => true,
            Some(None) | None => false,
        }
    }

    /// Whether the job's mark says that it is at work, or could not be read, and a gateway may be.
    pub fn job_may_be_at_work(&self) -> bool {
        let marked = self.job().is_some_and(|job| job.marker.is_some());
        (marked || !self.evidence.jobs.markers_complete) && self.owner_may_live()
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
    /// life. Never the present: a transcript that cannot be read lives now, and then there is no telling.
    pub fn healing(&self) -> Option<Healing> {
        if let Some(line) = self.finished_line().or_else(|| self.finished_line_around()) {
            return Some(Healing { status: line.status.name(), ended_at: line.ts });
        }
        let ended_at = self.last_sign().filter(|&at| at < self.now())?;
        Some(Healing { status: "failed", ended_at })
    }
}
