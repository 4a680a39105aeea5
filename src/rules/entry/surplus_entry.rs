//! `surplus-entry`: removed only for `--max-entries`.

use crate::model::verdict::{Class, Rule};

/// Unprotected entries of every status, oldest first.
pub static RULE: Rule = Rule {
    id: "surplus-entry",
    class: Some(Class::Surplus),
    title: "an unprotected entry beyond the number of entries allowed",
};
