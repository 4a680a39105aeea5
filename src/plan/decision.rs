//! What is done about each entry, in a few bytes each, and the sums that reports show.

use std::collections::BTreeMap;

use crate::model::entries::Entries;
use crate::model::entry::Entry;
use crate::model::key::Family;
use crate::model::verdict::{Action, Class, Confidence, Protection, Rule};
use crate::report::model::Tally;

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
}

impl Held {
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
        }
    }
}

/// What is done about one entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Index into [`crate::rules::ALL`].
    rule: u8,
    /// What is done.
    pub action: Action,
    /// How sure the verdict is.
    pub confidence: Option<Confidence>,
    /// The first protection.
    pub protected_by: Option<Protection>,
    /// What else keeps it.
    pub held: Option<Held>,
}

impl Decision {
    /// A decision by `rule`.
    pub fn new(rule: &'static Rule, action: Action, confidence: Option<Confidence>) -> Self {
        let mut decision = Decision { rule: 0, action, confidence, protected_by: None, held: None };
        decision.set_rule(rule);
        decision
    }

    /// The rule that holds.
    pub fn rule(&self) -> &'static Rule {
        crate::rules::ALL[self.rule as usize]
    }

    /// Replaces the rule.
    pub fn set_rule(&mut self, rule: &'static Rule) {
        let at = crate::rules::ALL.iter().position(|known| *known == rule);
        self.rule = at.and_then(|at| u8::try_from(at).ok()).unwrap_or(0);
    }

    /// The class that the entry is counted in.
    pub fn class(&self) -> Class {
        self.rule().class.unwrap_or(Class::Live)
    }

    /// Keeps the entry after all.
    pub fn hold(&mut self, held: Held) {
        (self.action, self.held) = (Action::Keep, Some(held));
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
    /// By class.
    pub classes: BTreeMap<String, Tally>,
    /// By rule.
    pub rules: BTreeMap<String, Tally>,
    /// By what keeps an entry.
    pub kept_because: BTreeMap<String, Tally>,
    /// Entries and removals by family.
    pub families: BTreeMap<Family, (u64, u64)>,
}

impl Summary {
    /// Sums up; `entries` and `decisions` go in pairs.
    pub fn of(entries: &Entries, decisions: &[Decision]) -> Self {
        let mut summary = Summary::default();
        for (entry, decision) in entries.iter().zip(decisions) {
            summary.add(entry, decision);
        }
        summary
    }

    /// Whether the file would be another.
    pub fn is_change(&self) -> bool {
        self.removed + self.dropped + self.healed + self.slimmed > 0
    }

    fn add(&mut self, entry: &Entry, decision: &Decision) {
        let bytes = entry.bytes();
        self.rules.entry(decision.rule().id.to_owned()).or_default().add(bytes);
        if entry.is(crate::model::entry::Flags::OVERRIDDEN) {
            self.dropped += u64::from(decision.action == Action::Drop);
            return;
        }
        self.total += 1;
        self.classes.entry(decision.class().name().to_owned()).or_default().add(bytes);
        let family = self.families.entry(entry.family()).or_default();
        family.0 += 1;
        match decision.action {
            Action::Remove => {
                family.1 += 1;
                self.removed += 1;
                self.removed_others += u64::from(entry.family() != Family::RunRecord);
            }
            Action::Heal => self.healed += 1,
            Action::Slim => self.slimmed += 1,
            Action::Keep | Action::Drop => {}
        }
        let because = decision.protected_by.map(Protection::name).or(decision.held.map(Held::name));
        if let Some(because) = because.filter(|_| !decision.action.is_removal()) {
            self.kept_because.entry(because.to_owned()).or_default().add(bytes);
        }
    }
}
