//! A job of a list, and what is kept of its state.

use std::collections::HashSet;

use super::fields::{self, Ids};
use super::{
    Against, JOB_DUPLICATE_ID, JOB_FUTURE_TIME, JOB_LEGACY_FIELD, JOB_MALFORMED, JOB_NO_ID, JOB_SECONDS,
    JOB_WRONG_TYPE, found, payload, schedule,
};
use crate::model::problem::{Found, Gravity};
use crate::openclaw::job_fields::{JOB, STATE_ENTRY};
use crate::openclaw::versions::Version;
use crate::scan::automaton::Kind;
use crate::scan::value::{Named, Value, last};

static IDS: Ids = Ids {
    wrong_type: &JOB_WRONG_TYPE,
    seconds: &JOB_SECONDS,
    future_time: &JOB_FUTURE_TIME,
    legacy_field: &JOB_LEGACY_FIELD,
};

/// What became of a job.
#[derive(Debug, Default)]
pub struct Judged {
    /// Its id, where it has one.
    pub id: Option<String>,
    /// Whether OpenClaw has it after loading the list.
    pub loads: bool,
    /// What is wrong with it, in the order of the file.
    pub found: Vec<Found>,
}

/// Holds an element of a list of jobs against a version. `ids` are those of the jobs before it.
pub fn of_list(job: &Value<'_>, ids: &mut HashSet<String>, against: &Against) -> Judged {
    let sets_aside = against.version >= Version::SETS_JOBS_ASIDE;
    let mut judged = Judged { loads: true, ..Judged::default() };
    if job.kind() != Kind::Object {
        let fate = if sets_aside { "OpenClaw sets it aside" } else { "OpenClaw does not expect that" };
        let message = format!("{{}} stands where a job belongs: {fate}");
        judged.found.push(found(&JOB_MALFORMED, Gravity::Error, job, message));
        judged.loads = false;
        return judged;
    }
    let members = job.members();
    judged.id = id(&members);
    match judged.id.clone() {
        None => {
            let at = last(&members, "id").map_or(job, |member| &member.value);
            judged.found.push(found(
                &JOB_NO_ID,
                Gravity::Error,
                at,
                "the job has no id: nothing can refer to it",
            ));
        }
        Some(id) => {
            let at = last(&members, "id").map_or(job, |member| &member.value);
            if !ids.insert(id) {
                let message =
                    "an earlier job has the id {} as well: what is asked of it reaches only one of them";
                judged.found.push(found(&JOB_DUPLICATE_ID, Gravity::Error, at, message));
            }
        }
    }
    let is_due = schedule::check(job, &members, against, &mut judged.found);
    let is_run = payload::check(job, &members, against, &mut judged.found);
    judged.loads = !sets_aside || judged.id.is_some() && is_due && is_run;
    fields::check(&members, JOB, &IDS, against, &mut judged.found);
    judged.found.sort_by_key(|found| found.offset);
    judged
}

/// Holds what the state file has of a job against a version.
pub fn of_state(entry: &Value<'_>, against: &Against) -> Judged {
    let mut judged = Judged { loads: true, ..Judged::default() };
    if entry.kind() != Kind::Object {
        let message = "{} stands where the state of a job belongs: OpenClaw goes on without it";
        judged.found.push(found(&JOB_MALFORMED, Gravity::Error, entry, message));
        judged.loads = false;
        return judged;
    }
    fields::check(&entry.members(), STATE_ENTRY, &IDS, against, &mut judged.found);
    judged.found.sort_by_key(|found| found.offset);
    judged
}

/// The id, or what older versions called so.
fn id(members: &[Named<'_>]) -> Option<String> {
    let named = |name| last(members, name)?.value.string().filter(|id| !id.trim().is_empty());
    named("id").or_else(|| named("jobId"))
}
