//! Safety brakes: what would go too far is left out of the plan, the rest proceeds.

use super::decision::{Decision, Held};
use crate::model::entries::Entries;
use crate::model::entry::{Entry, Flags};
use crate::model::key::Family;
use crate::model::verdict::Action;
use crate::rules::entry::orphan_job;

/// A family may lose this many entries whatever its share.
const ALWAYS_ALLOWED: u64 = 20;

/// A family that was left out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Brake {
    /// The family.
    pub family: Family,
    /// The share that would have gone, in percent.
    pub share: f64,
    /// How many entries would have gone.
    pub entries: u64,
}

/// Holds back families that would lose more than `allowed` percent and more than twenty entries, and keeps a
/// store from being emptied of anything but run records and the bases of deleted jobs.
pub fn apply(entries: &Entries, decisions: &mut [Decision], allowed: f64, complete: bool) -> Vec<Brake> {
    let mut brakes = Vec::new();
    for family in Family::ALL.into_iter().filter(|family| *family != Family::RunRecord) {
        let (total, gone) = count(entries, decisions, family);
        let share = if total == 0 { 0.0 } else { 100.0 * gone as f64 / total as f64 };
        if share > allowed && gone > ALWAYS_ALLOWED {
            hold(entries, decisions, |entry, _| entry.family() == family);
            brakes.push(Brake { family, share, entries: gone });
        }
    }
    brakes.extend(keep_from_emptying(entries, decisions, complete));
    brakes
}

fn live(entry: &Entry) -> bool {
    !entry.is(Flags::OVERRIDDEN)
}

fn count(entries: &Entries, decisions: &[Decision], family: Family) -> (u64, u64) {
    let pairs = entries.iter().zip(decisions).filter(|(entry, _)| live(entry) && entry.family() == family);
    pairs.fold((0, 0), |(total, gone), (_, decision)| {
        (total + 1, gone + u64::from(decision.action == Action::Remove))
    })
}

fn hold(entries: &Entries, decisions: &mut [Decision], matches: impl Fn(&Entry, &Decision) -> bool) {
    for (entry, decision) in entries.iter().zip(decisions) {
        if live(entry) && decision.action == Action::Remove && matches(entry, decision) {
            decision.hold(Held::Brake);
        }
    }
}

fn keep_from_emptying(entries: &Entries, decisions: &mut [Decision], complete: bool) -> Vec<Brake> {
    let emptied = entries
        .iter()
        .zip(&*decisions)
        .all(|(entry, decision)| !live(entry) || decision.action == Action::Remove)
        && entries.iter().any(live);
    if !emptied {
        return Vec::new();
    }
    let expendable = |entry: &Entry, decision: &Decision| {
        complete
            && (entry.family() == Family::RunRecord
                || entry.family() == Family::CronBase && decision.rule() == &orphan_job::RULE)
    };
    let mut brakes = Vec::new();
    for family in Family::ALL {
        let held = entries.iter().zip(&*decisions).filter(|(entry, decision)| {
            live(entry) && entry.family() == family && !expendable(entry, decision)
        });
        let held = held.count() as u64;
        if held > 0 {
            brakes.push(Brake { family, share: 100.0, entries: held });
        }
    }
    hold(entries, decisions, |entry, decision| !expendable(entry, decision));
    brakes
}
