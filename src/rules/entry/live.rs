//! `live`: everything else.

use crate::model::verdict::{Class, Rule};

/// Nothing is wrong with it, as far as anybody can tell.
pub static RULE: Rule = Rule { id: "live", class: Some(Class::Live), title: "nothing is wrong with it" };
