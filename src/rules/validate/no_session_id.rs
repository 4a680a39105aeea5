//! `entry-no-session-id`: no `sessionId` where the version needs one.

use super::{Check, warning};
use crate::model::key::Shape;
use crate::model::verdict::Rule;
use crate::openclaw::versions::Version;

/// Its id.
pub static RULE: Rule =
    Rule { id: "entry-no-session-id", class: None, title: "an entry without the sessionId that it needs" };

/// Set in place of a member's number where there is none; its place is that of the entry.
pub const MISSING: u8 = 0x80;

/// How it is told.
pub static CHECK: Check = Check {
    rule: &RULE,
    gravity: warning,
    message: |told| {
        let version = told.version.name();
        if told.value.is_empty() {
            format!("there is no sessionId: for OpenClaw {version} it has no conversation")
        } else {
            format!("sessionId is {}, which names no transcript: OpenClaw {version} takes it out", told.value)
        }
    },
};

/// Whether an entry without a `sessionId` lacks it: a cron base has none before its first transcript.
pub fn holds(shape: Shape, version: Version) -> bool {
    shape != Shape::CronBase || version < Version::ALLOWS_NO_ID
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_cron_base_of_a_later_version_needs_none() {
        let early = Version::named("2026.4.14").unwrap();
        assert!(holds(Shape::CronBase, early) && holds(Shape::Main, Version::newest()));
        assert!(!holds(Shape::CronBase, Version::newest()));
    }
}
