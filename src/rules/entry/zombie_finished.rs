//! `zombie-finished`: claims to run, and the run log says that it finished.

use super::Claim;
use crate::model::verdict::{Class, Confidence, Reason, Rule};
use crate::rules::case::Case;

/// The line has to name the session and the job, and may not be older than the run.
pub static RULE: Rule = Rule {
    id: "zombie-finished",
    class: Some(Class::Zombie),
    title: "claims to run, and the run log says that it finished",
};

/// Whether it holds.
pub fn holds(case: &Case<'_>) -> Option<Claim> {
    let claim = case.claims_to_run()?;
    let line = case.finished_line()?;
    Claim::end_run(case, Confidence::Certain, vec![claim, Reason::Finished(line.at, line.ts)])
}
