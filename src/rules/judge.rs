//! The bench: rule, protection, and what is left to do.

use super::case::Case;
use super::entry::{Claim, ORDER, duplicate_key, live, malformed_entry, zombie_dead_owner};
use super::protect;
use crate::model::entry::{Flags, Status};
use crate::model::key::Shape;
use crate::model::verdict::{Action, Confidence, Reason, Rule, Verdict};

/// Judges one entry. Budget, caps, brakes and `--only` come later, in the plan.
pub fn judge(case: &Case<'_>) -> Verdict {
    if case.entry.is(Flags::OVERRIDDEN) {
        return duplicate_key::verdict();
    }
    let protected_by = protect::first(case);
    let Some((rule, claim)) = first_claim(case) else {
        let reasons = live_reasons(case);
        return Verdict {
            rule: &live::RULE,
            action: Action::Keep,
            confidence: None,
            protected_by,
            reasons,
            healing: None,
        };
    };
    let mut verdict = Verdict {
        rule,
        action: claim.action,
        confidence: claim.confidence,
        protected_by,
        reasons: claim.reasons,
        healing: None,
    };
    match claim.action {
        Action::Remove => allow_removal(case, &mut verdict),
        Action::Heal => allow_healing(case, &mut verdict),
        Action::Keep | Action::Drop | Action::Slim => {}
    }
    verdict
}

/// The first rule that holds. A later one that asks for the same with more confidence lends it that.
fn first_claim(case: &Case<'_>) -> Option<(&'static Rule, Claim)> {
    let mut claims = ORDER.iter().filter_map(|(rule, holds)| holds(case).map(|claim| (*rule, claim)));
    let (rule, mut first) = claims.next()?;
    if first.confidence == Some(Confidence::Likely) {
        let surer =
            claims.find(|(_, later)| later.action == first.action && later.confidence > first.confidence);
        if let Some((_, surer)) = surer {
            first.confidence = surer.confidence;
            first.reasons.extend(surer.reasons);
        }
    }
    Some((rule, first))
}

fn allow_removal(case: &Case<'_>, verdict: &mut Verdict) {
    if verdict.protected_by.is_some() {
        verdict.action = Action::Keep;
    } else if verdict.rule == &malformed_entry::RULE {
        // Holds nothing, not even a time.
    } else if let Some(reason) = removal_waits(case) {
        verdict.action = Action::Keep;
        verdict.reasons.push(reason);
    }
}

/// Why a removal that nothing protects against has to wait.
fn removal_waits(case: &Case<'_>) -> Option<Reason> {
    let Some(age) = case.age() else { return Some(Reason::UnusableTime) };
    let within_grace = age < case.policy.grace && !owner_is_dead(case) && !case.is_certainly_finished();
    within_grace.then_some(Reason::WithinGrace(age))
}

/// Whether a run record's owner is dead for certain; a verdict that borrowed its confidence does not do.
fn owner_is_dead(case: &Case<'_>) -> bool {
    let claim = zombie_dead_owner::holds(case).filter(|_| case.entry.shape == Shape::RunRecord);
    claim.is_some_and(|claim| claim.confidence == Some(Confidence::Certain))
}

fn allow_healing(case: &Case<'_>, verdict: &mut Verdict) {
    if protect::all(case).any(|protection| protection.forbids_healing()) {
        verdict.action = Action::Keep;
    } else if case.has_unusable_time() {
        verdict.action = Action::Keep;
        verdict.reasons.push(Reason::UnusableTime);
    } else {
        verdict.healing = case.healing();
        if verdict.healing.is_none() {
            verdict.action = Action::Keep;
        }
    }
}

fn live_reasons(case: &Case<'_>) -> Vec<Reason> {
    let mut reasons = Vec::new();
    if case.entry.status == Status::Running && !case.entry.family().is_cron() {
        reasons.push(Reason::Interrupted);
    }
    if case.is_in_flight() {
        reasons.push(Reason::InFlight);
    }
    match case.age() {
        Some(age) => reasons.push(Reason::Silent(age)),
        None if case.has_unusable_time() => reasons.push(Reason::UnusableTime),
        None => {}
    }
    reasons
}
