//! `surplus-run`: removed only for `--budget`.

use crate::model::verdict::{Class, Rule};

/// Run records that are over, oldest first, never the newest ten of a job.
pub static RULE: Rule = Rule {
    id: "surplus-run",
    class: Some(Class::Surplus),
    title: "a run record that is over, beyond the budget",
};

/// So many of a job's newest run records stay whatever the budget.
pub const KEPT_OF_A_JOB: usize = 10;
