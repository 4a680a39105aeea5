//! What `validate` finds in lists of jobs, in their state, and in run logs.
//!
//! These documents are small beside a store: what is found is held as a [`Found`], and told right away.

mod fields;
pub mod job;
mod payload;
pub mod run_line;
mod schedule;

use crate::model::Millis;
use crate::model::problem::{Found, Gravity};
use crate::model::verdict::Rule;
use crate::openclaw::versions::Version;
use crate::rules::store::{CRON_JOBS_UNREADABLE, RUN_LOG_TORN};
use crate::scan::value::Value;

macro_rules! rules {
    ($($(#[$doc:meta])* $name:ident = $id:literal, $title:literal;)*) => {
        $($(#[$doc])* pub static $name: Rule = Rule { id: $id, class: None, title: $title };)*

        /// All of them that may be allowed.
        pub static ALL: &[&Rule] = &[$(&$name,)* &RUN_LOG_TORN];
    };
}

rules! {
    /// JSON5 and no JSON.
    JOBS_JSON5 = "jobs-json5", "a list of jobs that is JSON5 and no JSON";
    /// An element that is no job.
    JOB_MALFORMED = "job-malformed", "something else than a job in a list of jobs";
    /// A job that nothing can refer to.
    JOB_NO_ID = "job-no-id", "a job without an id";
    /// Two jobs of one id.
    JOB_DUPLICATE_ID = "job-duplicate-id", "two jobs with the same id";
    /// It is not known when it runs.
    JOB_SCHEDULE = "job-schedule", "a schedule by which OpenClaw can't tell when the job runs";
    /// It is not known what it does.
    JOB_PAYLOAD = "job-payload", "a payload with nothing that OpenClaw can run";
    /// Another kind of value.
    JOB_WRONG_TYPE = "job-wrong-type", "a member of a job of another type than OpenClaw keeps there";
    /// Seconds.
    JOB_SECONDS = "job-seconds", "a time of a job in seconds where OpenClaw reads milliseconds";
    /// The future.
    JOB_FUTURE_TIME = "job-future-time", "a time of a job that has not come yet";
    /// An older name.
    JOB_LEGACY_FIELD = "job-legacy-field", "an older way of saying something of a job";
    /// A line that OpenClaw passes over.
    RUN_LOG_IGNORED_LINE = "run-log-ignored-line", "a line of a run log that OpenClaw passes over";
    /// A line of another job.
    RUN_LOG_OTHER_JOB = "run-log-other-job", "a line in the run log of another job";
    /// Another kind of value.
    RUN_LOG_WRONG_TYPE = "run-log-wrong-type", "a member of a line of another type than OpenClaw keeps there";
    /// Seconds.
    RUN_LOG_SECONDS = "run-log-seconds", "a time of a run in seconds where OpenClaw reads milliseconds";
    /// The future.
    RUN_LOG_FUTURE_TIME = "run-log-future-time", "a time of a run that has not come yet";
    /// The key names another session.
    RUN_LOG_ID_MISMATCH = "run-log-id-mismatch", "the key of a run names another session than its line";
}

/// What keeps OpenClaw from reading a list of jobs, or its state.
pub static UNREADABLE: &Rule = &CRON_JOBS_UNREADABLE;

/// What documents are held against.
#[derive(Clone, Copy, Debug)]
pub struct Against {
    /// The version of OpenClaw.
    pub version: Version,
    /// The clock.
    pub now: Millis,
}

/// Says something of the place of a value; `{}` in the sentence is the value itself.
fn found(rule: &'static Rule, gravity: Gravity, at: &Value<'_>, message: impl Into<String>) -> Found {
    let message = message.into();
    let value = message.contains("{}").then(|| at.shown());
    Found { rule, gravity, offset: at.offset(), message, value }
}
