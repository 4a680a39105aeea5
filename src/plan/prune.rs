//! The plan of `check` and `prune`: from verdicts to decisions.

use std::io;

use super::brakes::{self, Brake};
use super::decision::{Decision, Held, Summary};
use super::surplus;
use crate::model::entries::Entries;
use crate::model::entry::{Entry, Flags, Status};
use crate::model::evidence::{Evidence, Traces};
use crate::model::key::Family;
use crate::model::policy::{Policy, Slimming};
use crate::model::texts::TextSet;
use crate::model::verdict::{Action, Confidence, Reason, Verdict};
use crate::rules::case::{Case, StoreFacts};
use crate::rules::entry::{duplicate_key, live, slim_cache};
use crate::rules::judge::judge;
use crate::rules::protect;

/// What is decided about one store.
#[derive(Clone, Debug, Default)]
pub struct PrunePlan {
    /// One for each entry, in file order.
    pub decisions: Vec<Decision>,
    /// Families that were left out.
    pub brakes: Vec<Brake>,
    /// Sums.
    pub summary: Summary,
}

impl PrunePlan {
    /// Everything stays.
    pub fn nothing(entries: &Entries) -> Self {
        let stays = Decision::new(&live::RULE, Action::Keep, None);
        let decisions = vec![stays; entries.len()];
        PrunePlan { summary: Summary::of(entries, &decisions), decisions, brakes: Vec::new() }
    }
}

/// Everything that the decisions about one store are made from.
pub struct Docket<'a> {
    /// The store's entries, in file order.
    pub entries: &'a Entries,
    /// What they say of each other.
    pub facts: &'a StoreFacts,
    /// The world.
    pub evidence: &'a Evidence,
    /// What the user allows.
    pub policy: &'a Policy,
    /// What the sessions directory says of entry number so many.
    pub traces: &'a dyn Fn(usize) -> Traces,
    /// The store's size.
    pub bytes: u64,
    /// The size to come down to.
    pub budget: Option<u64>,
}

impl<'a> Docket<'a> {
    /// The case of entry `at`.
    pub fn case(&self, at: usize) -> Case<'a> {
        Case::new((self.entries, at), (self.traces)(at), self.facts, self.evidence, self.policy)
    }

    /// The verdict on entry `at`, before anything but rules and protections had a say.
    pub fn verdict(&self, at: usize) -> Verdict {
        match self.policy.slimming {
            Slimming::Alone => self.verdict_on_caches(at),
            Slimming::ForBudget | Slimming::OfKept => judge(&self.case(at)),
        }
    }

    /// The verdict on the caches of entry `at`, whatever else is wrong with it.
    pub fn verdict_on_caches(&self, at: usize) -> Verdict {
        let entry = &self.entries[at];
        match () {
            () if entry.is(Flags::OVERRIDDEN) => Verdict { action: Action::Keep, ..duplicate_key::verdict() },
            () if !slim_cache::holds_any(entry, self.policy.caches) || entry.is(Flags::NOT_OBJECT) => {
                nothing()
            }
            () => slim_cache::verdict(&self.case(at)),
        }
    }

    /// Whether the caches of an entry that is healed go along.
    pub fn slims_once_healed(&self, at: usize) -> bool {
        let entry = &self.entries[at];
        self.slims_kept()
            && slim_cache::holds_any(entry, self.policy.caches)
            && slim_cache::verdict_once_healed(&self.case(at)).action == Action::Slim
    }

    /// Whether every entry that stays may be slimmed. It is an action of no class, so `--only` leaves it out.
    fn slims_kept(&self) -> bool {
        self.policy.slimming == Slimming::OfKept && self.policy.only.is_empty()
    }

    /// Makes the plan. `caches` tells how many bytes the caches of an entry take; it is asked only where a
    /// budget is set.
    pub fn plan(&self, caches: &mut dyn FnMut(&Entry) -> io::Result<u64>) -> io::Result<PrunePlan> {
        let mut decisions: Vec<Decision> = (0..self.entries.len()).map(|at| self.decide(at)).collect();
        self.slim_kept(&mut decisions);
        if let Some(budget) = self.budget {
            let candidates = surplus::Candidates {
                over: (0..self.entries.len()).map(|at| self.is_budget_candidate(at)).collect(),
                may_remove: self.policy.run_retention.is_some(),
                now: self.evidence.now,
            };
            let size = self.size_after(&decisions);
            surplus::fit_budget(self.entries, &mut decisions, &candidates, size, budget, caches)?;
        }
        if let Some(limit) = self.policy.max_entries {
            let may_go: Vec<bool> = (0..self.entries.len()).map(|at| self.is_cap_candidate(at)).collect();
            surplus::cap_entries(self.entries, &mut decisions, &may_go, limit);
        }
        let complete = self.evidence.jobs.complete && !self.evidence.registry.unreadable;
        let brakes = brakes::apply(self.entries, &mut decisions, self.policy.allow_removal, complete);
        if !brakes.is_empty() {
            self.slim_kept(&mut decisions);
        }
        self.drop_with_its_key(&mut decisions);
        let summary = Summary::of(self.entries, &decisions);
        Ok(PrunePlan { decisions, brakes, summary })
    }

    fn decide(&self, at: usize) -> Decision {
        let verdict = self.verdict(at);
        let mut decision = Decision::new(verdict.rule, verdict.action, verdict.confidence);
        decision.protected_by = verdict.protected_by;
        if verdict.action == Action::Keep {
            decision.held = held_by(&verdict);
        } else if self.entries[at].is(Flags::OUT_OF_SCOPE) {
            decision.hold(Held::Agent);
        } else if !self.reaches(at) {
            decision.hold(Held::Family);
        } else if verdict.confidence.is_some_and(|sure| sure < self.policy.confidence) {
            decision.hold(Held::Confidence);
        } else if !self.acts_on(&decision) {
            decision.hold(Held::Class);
        }
        decision
    }

    /// Slims what stays, where that is asked for.
    fn slim_kept(&self, decisions: &mut [Decision]) {
        if !self.slims_kept() {
            return;
        }
        let stays = |decision: &Decision| decision.action == Action::Keep;
        for (at, decision) in decisions.iter_mut().enumerate().filter(|(_, decision)| stays(decision)) {
            let in_scope = !self.entries[at].is(Flags::OUT_OF_SCOPE) && self.reaches(at);
            if in_scope && self.verdict_on_caches(at).action == Action::Slim {
                let protected_by = decision.protected_by;
                *decision = Decision::new(&slim_cache::RULE, Action::Slim, Some(Confidence::Certain));
                decision.protected_by = protected_by;
            }
        }
    }

    /// Whether entries of its family are acted on.
    fn reaches(&self, at: usize) -> bool {
        !self.policy.cron_only || self.entries[at].family().is_cron()
    }

    fn acts_on(&self, decision: &Decision) -> bool {
        match decision.rule().class {
            Some(class) => self.policy.acts_on(class),
            None => self.policy.only.is_empty(),
        }
    }

    /// What is left once the removals so far are gone; healing changes a few bytes and is not counted.
    fn size_after(&self, decisions: &[Decision]) -> u64 {
        let gone = (0..decisions.len()).filter(|&at| decisions[at].action.is_removal());
        self.bytes.saturating_sub(gone.map(|at| surplus::bytes_with_separator(self.entries, at)).sum())
    }

    /// An overridden copy that stayed behind when its key goes would come to life: it goes along, whatever
    /// `--only` says.
    fn drop_with_its_key(&self, decisions: &mut [Decision]) {
        let dead = |at: usize| self.entries[at].is(Flags::OVERRIDDEN);
        let goes = |decisions: &[Decision], at: usize| decisions[at].action.is_removal();
        let places = || 0..self.entries.len();
        let left = places().filter(|&at| dead(at) && !goes(decisions, at));
        let left: TextSet = left.map(|at| self.entries[at].key).collect();
        if left.is_empty() {
            return;
        }
        let gone = places().filter(|&at| !dead(at) && goes(decisions, at)).map(|at| self.entries[at].key);
        let gone: TextSet = gone.filter(|key| left.contains(key)).collect();
        for at in places().filter(|&at| dead(at) && gone.contains(&self.entries[at].key)) {
            (decisions[at].action, decisions[at].held) = (Action::Drop, None);
        }
    }

    /// Run records that are over, unprotected, past the grace and in scope.
    fn is_budget_candidate(&self, at: usize) -> bool {
        let case = self.case(at);
        case.entry.family() == Family::RunRecord
            && case.is_over()
            && self.policy.acts_on(crate::model::verdict::Class::Surplus)
            && self.is_free(&case)
    }

    /// Entries of every status that nothing protects; conversations only where the user allowed those.
    fn is_cap_candidate(&self, at: usize) -> bool {
        let case = self.case(at);
        let family = case.entry.family();
        let reachable = family.is_cron() || case.may_go_stale();
        let interrupted = case.entry.status == Status::Running && !family.is_cron();
        let may_run = case.claims_to_run().is_some() && case.owner_may_live()
            || family == Family::RunRecord && !case.is_over();
        reachable
            && self.reaches(at)
            && !interrupted
            && !may_run
            && self.policy.acts_on(crate::model::verdict::Class::Surplus)
            && self.is_free(&case)
    }

    fn is_free(&self, case: &Case<'_>) -> bool {
        let entry = case.entry;
        !entry.is(Flags::OVERRIDDEN)
            && !entry.is(Flags::OUT_OF_SCOPE)
            && !entry.is(Flags::NOT_OBJECT)
            && !entry.is(Flags::BAD_SESSION_ID)
            && !entry.is(Flags::ALIAS)
            && protect::first(case).is_none()
            && case.age().is_some_and(|age| age >= self.policy.grace)
    }
}

/// Of an entry without caches there is nothing to say.
fn nothing() -> Verdict {
    Verdict {
        rule: &live::RULE,
        action: Action::Keep,
        confidence: None,
        protected_by: None,
        reasons: Vec::new(),
        healing: None,
    }
}

/// Why a verdict that claims something asks for nothing.
fn held_by(verdict: &Verdict) -> Option<Held> {
    if verdict.rule == &live::RULE {
        return None;
    }
    let has = |wanted: fn(&Reason) -> bool| verdict.reasons.iter().any(wanted);
    let runs =
        |reason: &Reason| matches!(reason, Reason::InFlight | Reason::Interrupted | Reason::SaysRunning);
    let odd = |reason: &Reason| matches!(reason, Reason::RejectedSessionId | Reason::FoldedKey);
    if verdict.rule == &slim_cache::RULE && has(runs) {
        return Some(Held::Running);
    }
    if has(|reason| matches!(reason, Reason::WithinGrace(_))) {
        Some(Held::Grace)
    } else if has(|reason| matches!(reason, Reason::UnusableTime)) {
        Some(Held::Time)
    } else if verdict.confidence.is_none() || has(odd) {
        Some(Held::ReportOnly)
    } else {
        None
    }
}
