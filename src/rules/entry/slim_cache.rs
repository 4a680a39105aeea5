//! `slim-cache`: caches that OpenClaw rebuilds, stripped for `--budget`.

use crate::model::verdict::Rule;

/// Not a class of its own: the entry stays what it is.
pub static RULE: Rule = Rule {
    id: "slim-cache",
    class: None,
    title: "caches that OpenClaw rebuilds, stripped from an entry that stays",
};
