//! `entry-seconds`: a time in seconds where OpenClaw reads milliseconds.

use super::Check;
use crate::model::problem::Gravity;
use crate::model::verdict::Rule;
use crate::openclaw::entry_fields::Known;
use crate::openclaw::versions::Version;

/// Its id.
pub static RULE: Rule =
    Rule { id: "entry-seconds", class: None, title: "a time in seconds where OpenClaw reads milliseconds" };

/// How it is told.
pub static CHECK: Check = Check {
    rule: &RULE,
    gravity: |version, member| {
        if member == Known::UPDATED_AT && version >= Version::ENFORCES {
            Gravity::Error
        } else {
            Gravity::Warning
        }
    },
    message: |told| {
        let fate = if told.member == Known::UPDATED_AT && told.version >= Version::ENFORCES {
            ", and removes the entry as old"
        } else {
            ""
        };
        let name = told.member.name();
        format!(
            "{name} is {}, which looks like seconds: OpenClaw reads a day of January 1970{fate}",
            told.value
        )
    },
};

/// From 1973 on, in seconds.
pub const FIRST: f64 = 1e8;
/// What is more is milliseconds.
pub const END: f64 = 1e11;

/// Whether a number that is to be milliseconds is seconds.
pub fn holds(number: f64) -> bool {
    (FIRST..END).contains(&number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_of_this_century_are_told_and_milliseconds_are_not() {
        assert!(holds(1_795_223_628.0) && holds(946_684_800.0));
        assert!(!holds(1_795_223_628_227.0) && !holds(0.0) && !holds(f64::NAN));
    }
}
