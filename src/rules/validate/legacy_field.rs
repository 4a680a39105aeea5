//! `entry-legacy-field`: a member of an older name, which a load replaces.

use super::{Check, warning};
use crate::model::verdict::Rule;
use crate::openclaw::entry_fields::{Known, Wanted};

/// Its id.
pub static RULE: Rule =
    Rule { id: "entry-legacy-field", class: None, title: "a member of an older name, which a load replaces" };

/// How it is told.
pub static CHECK: Check = Check {
    rule: &RULE,
    gravity: warning,
    message: |told| {
        let name = told.member.name();
        format!("{name} is an older name: OpenClaw reads it as {}", successor(name))
    },
};

/// Whether it is one.
pub fn holds(member: Known) -> bool {
    member.wanted() == Wanted::Legacy
}

/// The name that it has now.
pub fn successor(name: &str) -> &'static str {
    match name {
        "provider" => "channel",
        "lastProvider" => "lastChannel",
        _ => "groupChannel",
    }
}
