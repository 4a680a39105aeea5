//! What `validate` finds in files that parse: one file for each rule id, each with how bad it is and what is said of it.
//!
//! A rule that holds is remembered as a [`Note`](crate::model::problem::Note); [`ALL`] gives its number a meaning.

pub mod borrowed;
pub mod documents;
pub mod future_time;
pub mod hybrid_key;
pub mod legacy_field;
pub mod no_session_id;
pub mod path_escape;
pub mod run_id_mismatch;
pub mod seconds;
pub mod time_order;
pub mod wrong_type;

use crate::model::problem::Gravity;
use crate::model::verdict::Rule;
use crate::openclaw::entry_fields::Known;
use crate::openclaw::versions::Version;

/// One thing that may be wrong.
pub struct Check {
    /// What it is called.
    pub rule: &'static Rule,
    /// How bad it is for a version.
    pub gravity: fn(Version, Known) -> Gravity,
    /// What is said of it.
    pub message: fn(&Told<'_>) -> String,
}

/// What a message is made of.
pub struct Told<'a> {
    /// For which version.
    pub version: Version,
    /// The member that it is about; of no meaning where the check is none of members.
    pub member: Known,
    /// The front of the value that stands there, as it stands there.
    pub value: &'a str,
}

/// All of them; a note holds the place in this list.
pub static ALL: [&Check; 14] = [
    &borrowed::DUPLICATE_KEY,
    &borrowed::MALFORMED_ENTRY,
    &borrowed::MALFORMED_SESSION_ID,
    &borrowed::ALIAS_KEY,
    &borrowed::INVALID_UTF8,
    &no_session_id::CHECK,
    &hybrid_key::CHECK,
    &wrong_type::CHECK,
    &seconds::CHECK,
    &future_time::CHECK,
    &time_order::CHECK,
    &path_escape::CHECK,
    &run_id_mismatch::CHECK,
    &legacy_field::CHECK,
];

/// The place of a check in [`ALL`].
pub fn number(check: &'static Check) -> u8 {
    ALL.iter().position(|known| std::ptr::eq(*known, check)).and_then(|at| u8::try_from(at).ok()).unwrap_or(0)
}

/// OpenClaw reads all of it, whatever the version.
fn warning(_: Version, _: Known) -> Gravity {
    Gravity::Warning
}

/// OpenClaw loses something, whatever the version.
fn error(_: Version, _: Known) -> Gravity {
    Gravity::Error
}

/// Worse from a version on.
fn error_from(first: Version, version: Version) -> Gravity {
    if version >= first { Gravity::Error } else { Gravity::Warning }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_check_has_its_own_number_and_rule() {
        let numbers: Vec<u8> = ALL.iter().map(|check| number(check)).collect();
        assert_eq!(numbers, (0..ALL.len() as u8).collect::<Vec<u8>>());
        let mut ids: Vec<&str> = ALL.iter().map(|check| check.rule.id).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), ALL.len());
    }
}
