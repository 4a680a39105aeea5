//! `entry-hybrid-key`: a key that is none of OpenClaw's grammar, as older versions and scripts write them.

use super::{Check, warning};
use crate::model::key::{SessionKey, Shape, split_agent};
use crate::model::verdict::Rule;

/// Its id.
pub static RULE: Rule =
    Rule { id: "entry-hybrid-key", class: None, title: "a key that is not spelled as OpenClaw spells keys" };

/// How it is told.
pub static CHECK: Check = Check {
    rule: &RULE,
    gravity: warning,
    message: |_| {
        "the key is not spelled as OpenClaw spells keys (agent:<id>:<rest>): it looks for the session under another"
            .to_owned()
    },
};

/// As a regular expression, what a key has to look like. It knows of no capitals but those of an agent in ASCII; so there are
/// keys that it takes and that are hybrid, and none the other way round.
pub const FORM: &str = "^(global|unknown|agent:[^:A-Z]+(:[^:]+)+)$";

/// Whether the key has no agent, an empty part, or a word of the grammar in capitals. Ids may be spelled in any case.
pub fn holds(key: &str, main_key: &str) -> bool {
    if matches!(key, "global" | "unknown") {
        return false;
    }
    let Some((agent, rest)) = split_agent(key) else { return true };
    let folded = key.to_lowercase();
    let shape = |key: &str| SessionKey::parse(key, main_key).shape;
    let hidden = shape(key) == Shape::Unknown && shape(&folded) != Shape::Unknown;
    hidden || agent.chars().any(char::is_uppercase) || rest.split(':').any(str::is_empty)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_without_an_agent_are_hybrid_and_ids_in_capitals_are_not() {
        for key in [
            "entry-7",
            "main",
            "telegram:group:1",
            "agent::x",
            "agent:main:cron::run:x",
            "agent:main:CRON:j",
            "Agent:main:x",
            "agent:Main:main",
            "",
        ] {
            assert!(holds(key, "main"), "{key}");
        }
        for key in [
            "global",
            "unknown",
            "agent:main:entry-7",
            "agent:main:matrix:room:!AbC:server.org",
            "agent:main:cron:J:run:R",
        ] {
            assert!(!holds(key, "main"), "{key}");
        }
    }
}
