//! `zombie-dead-owner`: claims to run, and the gateway that ran it is gone.

use super::Claim;
use crate::model::evidence::Life;
use crate::model::verdict::{Class, Confidence, Reason, Rule};
use crate::rules::case::Case;

/// Nothing rests on a gateway that is not known to be stopped or to have started since.
pub static RULE: Rule = Rule {
    id: "zombie-dead-owner",
    class: Some(Class::Zombie),
    title: "claims to run, and the gateway that ran it is gone",
};

/// Whether it holds.
pub fn holds(case: &Case<'_>) -> Option<Claim> {
    let claim = case.claims_to_run()?;
    match case.evidence.gateway {
        Life::Stopped => Claim::end_run(case, Confidence::Certain, vec![claim, Reason::GatewayStopped]),
        Life::Running { since: Some(since), verified } => {
            let gap = since - case.last_sign()?;
            let sure = if verified { Confidence::Certain } else { Confidence::Likely };
            if gap <= 0 {
                return None;
            }
            Claim::end_run(case, sure, vec![claim, Reason::GatewayStartedSince(gap)])
        }
        Life::Running { since: None, .. } | Life::Unknown => None,
    }
}
