//! `job-payload`: whether there is something in a payload that OpenClaw can run.

use super::{Against, JOB_LEGACY_FIELD, JOB_PAYLOAD, found};
use crate::model::problem::{Found, Gravity};
use crate::openclaw::versions::Version;
use crate::scan::automaton::Kind;
use crate::scan::value::{Named, Value, last};

/// From here on jobs may be commands.
const COMMANDS: &str = "2026.6.11";

/// Looks at the payload of a job; says whether it can be run.
pub fn check(job: &Value<'_>, members: &[Named<'_>], against: &Against, into: &mut Vec<Found>) -> bool {
    let wrong = |value: &Value<'_>, message: &str| found(&JOB_PAYLOAD, Gravity::Error, value, message);
    let trouble = match last(members, "payload").map(|member| &member.value) {
        None if ["message", "text"].iter().any(|name| last(members, name).is_some()) => {
            let message = "what the job says stands in the job, where later versions keep it in its payload";
            into.push(found(&JOB_LEGACY_FIELD, Gravity::Warning, job, message));
            None
        }
        None => Some(wrong(job, "the job has no payload: there is nothing to run")),
        Some(payload) if payload.kind() != Kind::Object => {
            Some(wrong(payload, "payload is {}, where OpenClaw needs an object"))
        }
        Some(payload) => inside(payload, against).map(|(value, message)| wrong(&value, message)),
    };
    let is_sound = trouble.is_none();
    into.extend(trouble);
    is_sound
}

fn inside<'a>(payload: &Value<'a>, against: &Against) -> Option<(Value<'a>, &'static str)> {
    let members = payload.members();
    let says = |name: &str| last(&members, name).and_then(|member| member.value.string());
    let kind = says("kind").map(|kind| kind.trim().to_lowercase()).unwrap_or_default();
    let may_command = Version::named(COMMANDS).is_some_and(|first| against.version >= first);
    // Without a kind, OpenClaw goes by what is said.
    let is_turn = kind == "agentturn" || kind.is_empty() && says("message").is_some();
    let is_event = kind == "systemevent" || kind.is_empty() && says("text").is_some();
    if is_turn {
        let is_blank = says("message").is_none_or(|message| message.trim().is_empty());
        return is_blank.then(|| {
            let at = last(&members, "message").map_or(payload, |member| &member.value);
            (at.clone(), "a payload that is a turn of the agent has no message")
        });
    }
    if is_event {
        return says("text").is_none().then(|| {
            let at = last(&members, "text").map_or(payload, |member| &member.value);
            (at.clone(), "a payload that is an event has no text")
        });
    }
    if kind == "command" && may_command {
        return None;
    }
    match last(&members, "kind") {
        Some(member) => Some((member.value.clone(), "payload.kind is {}, which this version does not know")),
        None => Some((payload.clone(), "the payload has no kind, no message and no text")),
    }
}
