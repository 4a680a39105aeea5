//! The rules for entries, in the order of `docs/interface.md`: one file per rule id.

use super::case::Case;
use crate::model::verdict::{Action, Confidence, Reason, Rule};

pub mod alias_key;
pub mod duplicate_key;
pub mod live;
pub mod malformed_entry;
pub mod malformed_session_id;
pub mod orphan_job;
pub mod orphan_parent;
pub mod slim_cache;
pub mod stale_run;
pub mod stale_session;
pub mod surplus_entry;
pub mod surplus_run;
pub mod zombie_dead_owner;
pub mod zombie_finished;
pub mod zombie_overdue;
pub mod zombie_superseded;

/// What a rule that holds asks for.
#[derive(Clone, Debug, PartialEq)]
pub struct Claim {
    /// What to do.
    pub action: Action,
    /// How sure; `None` for what is only told.
    pub confidence: Option<Confidence>,
    /// Why.
    pub reasons: Vec<Reason>,
}

impl Claim {
    /// An observation that nothing is done about.
    pub fn report(reason: Reason) -> Option<Claim> {
        Some(Claim { action: Action::Keep, confidence: None, reasons: vec![reason] })
    }

    /// The whole entry goes.
    pub fn remove(confidence: Confidence, reasons: Vec<Reason>) -> Option<Claim> {
        Some(Claim { action: Action::Remove, confidence: Some(confidence), reasons })
    }

    /// A run record goes, a base is healed.
    pub fn end_run(case: &Case<'_>, confidence: Confidence, reasons: Vec<Reason>) -> Option<Claim> {
        let base = case.entry.shape == crate::model::key::Shape::CronBase;
        let action = if base { Action::Heal } else { Action::Remove };
        Some(Claim { action, confidence: Some(confidence), reasons })
    }
}

/// A rule and the function that says whether it holds.
pub type Entry = (&'static Rule, fn(&Case<'_>) -> Option<Claim>);

/// The first that holds is the entry's rule. `duplicate-key` is judged before, surplus after the others.
pub static ORDER: [Entry; 11] = [
    (&malformed_entry::RULE, malformed_entry::holds),
    (&malformed_session_id::RULE, malformed_session_id::holds),
    (&alias_key::RULE, alias_key::holds),
    (&zombie_finished::RULE, zombie_finished::holds),
    (&zombie_dead_owner::RULE, zombie_dead_owner::holds),
    (&zombie_superseded::RULE, zombie_superseded::holds),
    (&zombie_overdue::RULE, zombie_overdue::holds),
    (&orphan_job::RULE, orphan_job::holds),
    (&orphan_parent::RULE, orphan_parent::holds),
    (&stale_run::RULE, stale_run::holds),
    (&stale_session::RULE, stale_session::holds),
];
