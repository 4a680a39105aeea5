//! `entry-future-time`: a time that has not come yet.

use super::{Check, warning};
use crate::model::Millis;
use crate::model::verdict::Rule;

/// Its id.
pub static RULE: Rule = Rule { id: "entry-future-time", class: None, title: "a time that has not come yet" };

/// How it is told.
pub static CHECK: Check = Check {
    rule: &RULE,
    gravity: warning,
    message: |told| {
        let (name, value) = (told.member.name(), told.value);
        format!("{name} is {value}, which has not come yet: until then the entry counts as the newest")
    },
};

/// Whether the time lies after `now`.
pub fn holds(number: f64, now: Millis) -> bool {
    number > now as f64
}
