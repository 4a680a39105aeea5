//! What is done about each entry, in a few bytes each, and the sums that reports show.

use std::collections::BTreeMap;

use crate::model::entries::Entries;
use crate::model::entry::{Entry, Flags};
use crate::model::key::Family;
use crate::model::verdict::{Action, Class, Confidence, Protection, Rule};
use crate::report::model::Tally;
use crate::rules;

/// Why an entry that a rule would remove or heal stays as it is, where no protection says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Held {
    /// Touched too recently.
    Grace,
    /// A time is unusable.
    Time,
    /// The verdict is too weak.
    Confidence,
    /// `--only`.
    Class,
    /// `--agent`.
    Agent,
    /// A safety brake.
    Brake,
    /// The rule only tells.
    ReportOnly,
    /// It is a row of a database.
    Database,
    /// `guard` leaves its family alone.
    Family,
    /// It may be at work, and keeps its caches.
    Running,
}

impl Held {
    /// All of them.
    pub const ALL: [Held; 10] = [
        Held::Grace,
        Held::Time,
        Held::Confidence,
        Held::Class,
        Held::Agent,
        Held::Brake,
        Held::ReportOnly,
        Held::Database,
        Held::Family,
        Held::Running,
    ];

    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Held::Grace => "grace",
            Held::Time => "unusable-time",
            Held::Confidence => "confidence",
            Held::Class => "only",
            Held::Agent => "agent",
            Held::Brake => "brake",
            Held::ReportOnly => "report-only",
            Held::Database => "era-sqlite",
            Held::Family => "guard",
            Held::Running => "running",
        }
    }
}

/// What is done about one entry, in four bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Index into [`crate::rules::ALL`], and above it how sure the verdict is.
    rule: u8,
    /// What is done.
    pub action: Action,
    /// The first protection.
    pub protected_by: Option<Protection>,
    /// What else keeps it.
    pub held: Option<Held>,
}

/// The bits of [`Decision::rule`] above the index.
const LIKELY: u8 = 1 << 6;
const CERTAIN: u8 = 1 << 7;

impl Decision {
    /// A decision by `rule`.
    pub fn new(rule: &'static Rule, action: Action, confidence: Option<Confidence>) -> Self {
        let at = rules::ALL.iter().position(|known| *known == rule);
        let at = at.and_then(|at| u8::try_from(at).ok()).unwrap_or(0);
        let sure = match confidence {
            None => 0,
            Some(Confidence::Likely) => LIKELY,
            Some(Confidence::Certain) => CERTAIN,
        };
        Decision { rule: at | sure, action, protected_by: None, held: None }
    }

    fn rule_at(&self) -> usize {
        usize::from(self.rule & !(LIKELY | CERTAIN))
    }

    /// The rule that holds.
    pub fn rule(&self) -> &'static Rule {
        rules::ALL[self.rule_at()]
    }

    /// How sure the verdict is.
    pub fn confidence(&self) -> Option<Confidence> {
        match self.rule & (LIKELY | CERTAIN) {
            LIKELY => Some(Confidence::Likely),
            CERTAIN => Some(Confidence::Certain),
            _ => None,
        }
    }

    /// The class that the entry is counted in.
    pub fn class(&self) -> Class {
        self.rule().class.unwrap_or(Class::Live)
    }

    /// Keeps the entry after all.
    pub fn hold(&mut self, held: Held) {
        (self.action, self.held) = (Action::Keep, Some(held));
    }

    /// Keeps the entry, in which a second look found nothing to change.
    pub fn leave(&mut self) {
        if self.action == Action::Slim {
            self.rule = Decision::new(&rules::entry::live::RULE, Action::Keep, None).rule;
        }
        self.action = Action::Keep;
    }

    /// Whether the file is different for it.
    pub fn is_change(&self) -> bool {
        self.action != Action::Keep
    }
}

/// Sums over a store's decisions.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// Keys as Node holds them.
    pub total: u64,
    /// Entries that leave.
    pub removed: u64,
    /// Of those, entries that are not run records.
    pub removed_others: u64,
    /// Overridden copies that leave.
    pub dropped: u64,
    /// Entries that are healed.
    pub healed: u64,
    /// Entries that are slimmed.
    pub slimmed: u64,
    /// Bytes of white space that go from between the tokens of what stays.
    pub compacted: u64,
    /// By class.
    pub classes: BTreeMap<String, Tally>,
    /// By rule.
    pub rules: BTreeMap<String, Tally>,
    /// By what keeps an entry.
    pub kept_because: BTreeMap<String, Tally>,
}

impl Summary {
    /// Sums up; `entries` and `decisions` go in pairs.
    pub fn of(entries: &Entries, decisions: &[Decision]) -> Self {
        let mut sums = Sums::default();
        for (entry, decision) in entries.iter().zip(decisions) {
            sums.add(entry, decision);
        }
        sums.told()
    }

    /// Whether the file would be another.
    pub fn is_change(&self) -> bool {
        self.removed + self.dropped + self.healed + self.slimmed + self.compacted > 0
    }
}

/// The sums in the making, by place in the lists of names.
#[derive(Default)]
struct Sums {
    summary: Summary,
    classes: [Tally; Class::ALL.len()],
    rules: [Tally; rules::ALL.len()],
    protected: [Tally; Protection::ALL.len()],
    held: [Tally; Held::ALL.len()],
}

impl Sums {
    fn add(&mut self, entry: &Entry, decision: &Decision) {
        let bytes = entry.bytes();
        let summary = &mut self.summary;
        self.rules[decision.rule_at()].add(bytes);
        if entry.is(Flags::OVERRIDDEN) {
            summary.dropped += u64::from(decision.action == Action::Drop);
            return;
        }
        summary.total += 1;
        self.classes[decision.class() as usize].add(bytes);
        match decision.action {
            Action::Remove => {
                summary.removed += 1;
                summary.removed_others += u64::from(entry.family() != Family::RunRecord);
            }
            Action::Heal => summary.healed += 1,
            Action::Slim => summary.slimmed += 1,
            Action::Keep | Action::Drop => {}
        }
        if decision.action.is_removal() {
            return;
        }
        match (decision.protected_by, decision.held) {
            (Some(protection), _) => self.protected[protection as usize].add(bytes),
            (None, Some(held)) => self.held[held as usize].add(bytes),
            (None, None) => {}
        }
    }

    /// The sums by name; what does not occur is left out.
    fn told(self) -> Summary {
        fn named<'a>(
            names: impl Iterator<Item = &'a str>,
            tallies: &[Tally],
        ) -> impl Iterator<Item = (String, Tally)> {
            let rows = names.map(str::to_owned).zip(tallies.iter().copied());
            rows.filter(|(_, tally)| tally.entries > 0)
        }
        Summary {
            classes: named(Class::ALL.iter().map(|class| class.name()), &self.classes).collect(),
            rules: named(rules::ALL.iter().map(|rule| rule.id), &self.rules).collect(),
            kept_because: named(Protection::ALL.iter().map(|one| one.name()), &self.protected)
                .chain(named(Held::ALL.iter().map(|held| held.name()), &self.held))
                .collect(),
            ..self.summary
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::entry::{live, slim_cache};

    #[test]
    fn a_decision_keeps_what_it_was_made_of_in_four_bytes() {
        assert_eq!(size_of::<Decision>(), 4);
        for sure in [None, Some(Confidence::Likely), Some(Confidence::Certain)] {
            for rule in [&live::RULE, &slim_cache::RULE] {
                let decision = Decision::new(rule, Action::Slim, sure);
                assert_eq!((decision.rule().id, decision.confidence()), (rule.id, sure));
            }
        }
        assert!(rules::ALL.len() <= usize::from(LIKELY));
    }

    #[test]
    fn the_lists_of_names_stand_in_the_order_of_their_places() {
        assert!(Action::ALL.iter().enumerate().all(|(at, action)| *action as usize == at));
        assert!(Class::ALL.iter().enumerate().all(|(at, class)| *class as usize == at));
        assert!(Protection::ALL.iter().enumerate().all(|(at, one)| *one as usize == at));
        assert!(Held::ALL.iter().enumerate().all(|(at, held)| *held as usize == at));
    }
}
