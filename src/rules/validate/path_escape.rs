//! `entry-path-escape`: a `sessionFile` that leaves the sessions directory.

use std::path::Path;

use super::{Check, warning};
use crate::model::verdict::Rule;
use crate::openclaw::layout::absolute;

/// Its id.
pub static RULE: Rule =
    Rule { id: "entry-path-escape", class: None, title: "a sessionFile that leaves the sessions directory" };

/// How it is told.
pub static CHECK: Check = Check {
    rule: &RULE,
    gravity: warning,
    message: |told| {
        format!(
            "sessionFile is {}, outside the sessions directory: OpenClaw takes <sessionId>.jsonl instead",
            told.value
        )
    },
};

/// Whether a path leads out of `dir`, the directory of the store, and into no `agents/<id>/sessions` of a state
/// directory either. By names alone: no link is followed. Without `dir` the store may lie anywhere.
pub fn holds(path: &str, dir: Option<&Path>) -> bool {
    let base = dir.unwrap_or(Path::new("/store"));
    let whole = absolute(base, Path::new(path));
    if whole.parent() == Some(base) || whole.starts_with(base) && whole != base {
        return false;
    }
    let mut up = whole.ancestors().skip(1).map(|part| part.file_name().unwrap_or_default());
    let in_sessions = up.next().is_some_and(|name| name == "sessions");
    let of_agent = up.next().is_some() && up.next().is_some_and(|name| name == "agents");
    !(in_sessions && of_agent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_any_state_directory_are_inside_and_all_others_are_not() {
        let dir = Some(Path::new("/s/agents/main/sessions"));
        for path in [
            "a.jsonl",
            "sub/a.jsonl",
            "/s/agents/main/sessions/a.jsonl",
            "/old/agents/x/sessions/a.jsonl",
            "../../x/sessions/a.jsonl",
        ] {
            assert!(!holds(path, dir), "{path}");
        }
        for path in [
            "../a.jsonl",
            "/etc/passwd",
            "/s/agents/main/a.jsonl",
            "../../../../etc/passwd",
            ".",
            "/s/agents/x/sessions/deep/a.jsonl",
        ] {
            assert!(holds(path, dir), "{path}");
        }
        assert!(holds("../a.jsonl", None) && !holds("a.jsonl", None));
    }
}
