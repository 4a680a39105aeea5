//! `entry-wrong-type`: a member that holds another kind of value than OpenClaw keeps there.

use super::{Check, Told, error_from};
use crate::model::problem::Gravity;
use crate::model::verdict::Rule;
use crate::openclaw::entry_fields::{Known, Wanted};
use crate::openclaw::versions::Version;
use crate::scan::automaton::Kind;

/// Its id.
pub static RULE: Rule =
    Rule { id: "entry-wrong-type", class: None, title: "a member of another type than OpenClaw keeps there" };

/// Set in the number of a member that is not there; its place is that of the entry.
pub const MISSING: u8 = 0x80;

/// How it is told.
pub static CHECK: Check = Check {
    rule: &RULE,
    // What is no time becomes 0 there, and what is so old is removed.
    gravity: |version, member| match member {
        Known::UPDATED_AT => error_from(Version::DROPS_ON_LOAD, version),
        _ => Gravity::Warning,
    },
    message,
};

/// Whether a value of `kind` stands where another is wanted. `null` is as good as no member, but for `updatedAt`.
pub fn holds(member: Known, kind: Kind) -> bool {
    if kind == Kind::Null {
        return member == Known::UPDATED_AT;
    }
    !match member.wanted() {
        Wanted::Text => kind == Kind::String,
        Wanted::Number | Wanted::Time => kind == Kind::Number,
        Wanted::Bool => kind == Kind::Bool,
        Wanted::Object => kind == Kind::Object,
        Wanted::List => kind == Kind::Array,
        Wanted::TextOrNumber => matches!(kind, Kind::String | Kind::Number),
        Wanted::Legacy => true,
    }
}

/// Whether a number is no time at all.
pub fn is_no_time(number: f64) -> bool {
    !number.is_finite() || number < 0.0
}

fn message(told: &Told<'_>) -> String {
    let (name, wanted) = (told.member.name(), told.member.wanted().words());
    let fate = match told.member {
        Known::UPDATED_AT if told.version >= Version::DROPS_ON_LOAD => ": OpenClaw reads 0, which is old",
        Known::SESSION_FILE if told.version >= Version::DROPS_ON_LOAD => ": OpenClaw takes it out",
        _ => "",
    };
    // Where the member is missing, its entry's key stands there.
    let stands = if told.value.is_empty() { "is missing" } else { told.value };
    let verb = if told.value.is_empty() { "" } else { "is " };
    format!("{name} {verb}{stands}, where OpenClaw needs {wanted}{fate}")
}
