//! `entry-run-id-mismatch`: the key of a run record names another session than the entry.

use super::{Check, warning};
use crate::model::key::SessionKey;
use crate::model::verdict::Rule;

/// Its id.
pub static RULE: Rule = Rule {
    id: "entry-run-id-mismatch",
    class: None,
    title: "the key of a run record names another session than the entry",
};

/// How it is told.
pub static CHECK: Check = Check {
    rule: &RULE,
    gravity: warning,
    message: |told| format!("sessionId is {}, and the key of the run names another session", told.value),
};

/// The session that a key of a run names, in lower case.
pub fn run_of(key: &str) -> Option<String> {
    SessionKey::parse(key, "main").run.map(str::to_lowercase)
}

/// Whether the entry's id is another. Keys are stored in lower case whatever the id's spelling.
pub fn holds(run: &str, session_id: &str) -> bool {
    session_id.to_lowercase() != run
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_alone_is_no_difference() {
        let run = run_of("agent:main:cron:j:run:Ab-1").unwrap();
        assert!(!holds(&run, "AB-1") && holds(&run, "ab-2"));
        assert_eq!(run_of("agent:main:cron:j"), None);
    }
}
