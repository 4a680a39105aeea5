//! `entry-time-order`: an end before the start.

use super::{Check, warning};
use crate::model::verdict::Rule;

/// Its id.
pub static RULE: Rule = Rule { id: "entry-time-order", class: None, title: "an end before the start" };

/// How it is told.
pub static CHECK: Check = Check {
    rule: &RULE,
    gravity: warning,
    message: |told| format!("endedAt is {}, which is before startedAt", told.value),
};

/// Whether what ended had not begun.
pub fn holds(started: f64, ended: f64) -> bool {
    ended < started
}
