//! Verdicts: pure functions from an entry and the evidence to a rule, an action and its reasons.
//!
//! Two questions are answered apart: *may it be removed?* ([`protect`]) and *what is wrong with it?* (the
//! first rule of [`entry::ORDER`] that holds). What you may touch here: values only; no file, no clock, no
//! log. Missing evidence protects, it never condemns.

pub mod case;
pub mod config;
pub mod cron;
pub mod entry;
#[cfg(test)]
mod fixture;
pub mod judge;
pub mod kinship;
pub mod leftovers;
pub mod protect;
pub mod schema;
pub mod store;
pub mod validate;

use crate::model::verdict::Rule;

/// Rules that an entry's decision may name; a decision remembers the place in this list.
pub static ALL: [&Rule; 16] = [
    &entry::live::RULE,
    &entry::duplicate_key::RULE,
    &entry::malformed_entry::RULE,
    &entry::malformed_session_id::RULE,
    &entry::alias_key::RULE,
    &entry::zombie_finished::RULE,
    &entry::zombie_dead_owner::RULE,
    &entry::zombie_superseded::RULE,
    &entry::zombie_overdue::RULE,
    &entry::orphan_job::RULE,
    &entry::orphan_parent::RULE,
    &entry::stale_run::RULE,
    &entry::stale_session::RULE,
    &entry::surplus_run::RULE,
    &entry::surplus_entry::RULE,
    &entry::slim_cache::RULE,
];
