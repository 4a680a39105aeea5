//! `duplicate-key`: an earlier copy of a key that a later one overrides.

use crate::model::verdict::{Action, Confidence, Reason, Rule, Verdict};

/// Dead bytes, not an entry: judged before protection and counted apart.
pub static RULE: Rule =
    Rule { id: "duplicate-key", class: None, title: "an earlier copy of a key that a later one overrides" };

/// The verdict on an overridden copy.
pub fn verdict() -> Verdict {
    Verdict {
        rule: &RULE,
        action: Action::Drop,
        confidence: Some(Confidence::Certain),
        protected_by: None,
        reasons: vec![Reason::Overridden],
        healing: None,
    }
}
