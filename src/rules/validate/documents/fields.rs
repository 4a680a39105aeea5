//! Members held against a table of what OpenClaw keeps there.

use super::{Against, found};
use crate::model::problem::{Found, Gravity};
use crate::model::verdict::Rule;
use crate::openclaw::job_fields::{Fields, Wanted};
use crate::rules::validate::{future_time, seconds};
use crate::scan::automaton::Kind;
use crate::scan::value::{Named, Value, last};

/// What is told of members of one kind of document.
pub struct Ids {
    pub wrong_type: &'static Rule,
    pub seconds: &'static Rule,
    pub future_time: &'static Rule,
    pub legacy_field: &'static Rule,
}

/// Looks at the members that the table knows; of several of one name, at the last.
pub fn check(members: &[Named<'_>], fields: Fields, ids: &Ids, against: &Against, into: &mut Vec<Found>) {
    below("", members, fields, ids, against, into);
}

fn below(
    path: &str,
    members: &[Named<'_>],
    fields: Fields,
    ids: &Ids,
    against: &Against,
    into: &mut Vec<Found>,
) {
    for (name, wanted) in fields {
        let Some(Named { value, .. }) = last(members, name) else { continue };
        let name = format!("{path}{name}");
        if value.kind() == Kind::Null {
            continue;
        }
        if let Wanted::Legacy(instead) = wanted {
            let message = format!("{name} is an older way of saying {instead}");
            into.push(found(ids.legacy_field, Gravity::Warning, value, message));
        } else if !fits(value, *wanted) {
            let message = format!("{name} is {{}}, where OpenClaw needs {}", wanted.words());
            into.push(found(ids.wrong_type, Gravity::Warning, value, message));
        } else if let Wanted::Object(inner) | Wanted::Inside(inner) = wanted {
            below(&format!("{name}."), &value.members(), inner, ids, against, into);
        } else if let Wanted::Time | Wanted::Past = wanted {
            time(&name, value, matches!(wanted, Wanted::Past), ids, against, into);
        }
    }
}

fn fits(value: &Value<'_>, wanted: Wanted) -> bool {
    match (wanted, value.kind()) {
        (Wanted::Text, kind) => kind == Kind::String,
        (Wanted::Word(words), kind) => {
            kind == Kind::String && value.string().is_some_and(|word| words.contains(&word.as_str()))
        }
        (Wanted::Number | Wanted::Time | Wanted::Past, kind) => kind == Kind::Number,
        (Wanted::Bool, kind) => kind == Kind::Bool,
        (Wanted::Object(_), kind) => kind == Kind::Object,
        (Wanted::ObjectOrFalse, kind) => kind == Kind::Object || value.shown() == "false",
        (Wanted::List, kind) => kind == Kind::Array,
        (Wanted::Legacy(_) | Wanted::Inside(_), _) => true,
    }
}

fn time(name: &str, value: &Value<'_>, has_been: bool, ids: &Ids, against: &Against, into: &mut Vec<Found>) {
    let number = value.number().unwrap_or_default();
    if seconds::holds(number) {
        let message =
            format!("{name} is {{}}, which looks like seconds: OpenClaw reads a day of January 1970");
        into.push(found(ids.seconds, Gravity::Warning, value, message));
    } else if has_been && future_time::holds(number, against.now) {
        let message = format!("{name} is {{}}, which has not come yet");
        into.push(found(ids.future_time, Gravity::Warning, value, message));
    }
}
