//! `malformed-session-id`: a `sessionId` that OpenClaw rejects. An absent one is legal.

use super::Claim;
use crate::model::entry::Flags;
use crate::model::verdict::{Class, Reason, Rule};
use crate::rules::case::Case;

/// Only told: from 2026.5.28 on OpenClaw drops such an entry itself.
pub static RULE: Rule = Rule {
    id: "malformed-session-id",
    class: Some(Class::Malformed),
    title: "a sessionId that OpenClaw rejects",
};

/// Whether it holds.
pub fn holds(case: &Case<'_>) -> Option<Claim> {
    if case.entry.is(Flags::BAD_SESSION_ID) { Claim::report(Reason::RejectedSessionId) } else { None }
}
