//! The members of jobs, of their state and of lines of run logs, of which it is known what OpenClaw keeps there.

/// What kind of value a member has. `null` is as good as no member.
#[derive(Clone, Copy, Debug)]
pub enum Wanted {
    /// A string.
    Text,
    /// One of these strings.
    Word(&'static [&'static str]),
    /// A number.
    Number,
    /// A number: milliseconds since 1970.
    Time,
    /// The same, of something that has happened.
    Past,
    /// `true` or `false`.
    Bool,
    /// An object with members of these kinds, and any others.
    Object(Fields),
    /// The same, where a rule of its own tells of anything else.
    Inside(Fields),
    /// An object, or `false`.
    ObjectOrFalse,
    /// A list.
    List,
    /// An older way of saying what stands elsewhere by now.
    Legacy(&'static str),
}

/// Members by their names.
pub type Fields = &'static [(&'static str, Wanted)];

impl Wanted {
    /// In a sentence.
    pub fn words(self) -> String {
        match self {
            Wanted::Text => "a string".to_owned(),
            Wanted::Word(words) => format!("one of {}", words.join(", ")),
            Wanted::Number => "a number".to_owned(),
            Wanted::Time | Wanted::Past => "a number of milliseconds".to_owned(),
            Wanted::Bool => "true or false".to_owned(),
            Wanted::Object(_) | Wanted::Inside(_) => "an object".to_owned(),
            Wanted::ObjectOrFalse => "an object, or false".to_owned(),
            Wanted::List => "a list".to_owned(),
            Wanted::Legacy(instead) => instead.to_owned(),
        }
    }
}

use Wanted::{Bool, Inside, Legacy, List, Number, Object, ObjectOrFalse, Past, Text, Time, Word};

const OUTCOMES: &[&str] = &["ok", "error", "skipped"];
const DELIVERIES: &[&str] = &["delivered", "not-delivered", "unknown", "not-requested"];

/// A job. What its schedule and its payload cannot do without is told by rules of their own.
pub static JOB: Fields = &[
    ("jobId", Legacy("id")),
    ("agentId", Text),
    ("sessionKey", Text),
    ("name", Text),
    ("description", Text),
    ("enabled", Bool),
    ("deleteAfterRun", Bool),
    ("createdAtMs", Past),
    ("updatedAtMs", Past),
    ("sessionTarget", Text),
    ("wakeMode", Word(&["now", "next-heartbeat"])),
    (
        "schedule",
        Inside(&[
            ("atMs", Legacy("at")),
            ("cron", Legacy("expr")),
            ("anchorMs", Number),
            ("tz", Text),
            ("staggerMs", Number),
        ]),
    ),
    (
        "payload",
        Inside(&[
            ("model", Text),
            ("fallbacks", List),
            ("thinking", Text),
            ("timeoutSeconds", Number),
            ("lightContext", Bool),
            ("allowUnsafeExternalContent", Bool),
            ("deliver", Legacy("delivery.mode")),
            ("channel", Legacy("delivery.channel")),
            ("to", Legacy("delivery.to")),
            ("bestEffortDeliver", Legacy("delivery.bestEffort")),
        ]),
    ),
    (
        "delivery",
        Object(&[
            ("mode", Word(&["none", "announce", "webhook"])),
            ("channel", Text),
            ("to", Text),
            ("accountId", Text),
            ("bestEffort", Bool),
        ]),
    ),
    ("failureAlert", ObjectOrFalse),
    ("state", Object(STATE)),
];

/// The state of a job, inside it or in the file beside the list.
pub static STATE: Fields = &[
    ("nextRunAtMs", Time),
    ("runningAtMs", Past),
    ("lastRunAtMs", Past),
    ("lastRunStatus", Word(OUTCOMES)),
    ("lastStatus", Word(OUTCOMES)),
    ("lastError", Text),
    ("lastErrorReason", Text),
    ("lastDurationMs", Number),
    ("consecutiveErrors", Number),
    ("consecutiveSkipped", Number),
    ("lastFailureAlertAtMs", Past),
    ("scheduleErrorCount", Number),
    ("lastDeliveryStatus", Word(DELIVERIES)),
    ("lastDeliveryError", Text),
    ("lastDelivered", Bool),
];

/// What the state file holds of a job.
pub static STATE_ENTRY: Fields =
    &[("updatedAtMs", Past), ("scheduleIdentity", Text), ("state", Object(STATE))];

/// A line of a run log. What it is overlooked for is told by a rule of its own.
pub static RUN_LINE: Fields = &[
    ("ts", Past),
    ("status", Word(OUTCOMES)),
    ("error", Text),
    ("summary", Text),
    ("delivered", Bool),
    ("deliveryStatus", Word(DELIVERIES)),
    ("deliveryError", Text),
    ("sessionId", Text),
    ("sessionKey", Text),
    ("runAtMs", Past),
    ("durationMs", Number),
    ("nextRunAtMs", Time),
    ("model", Text),
    ("provider", Text),
    ("usage", Object(&[])),
    ("runId", Text),
];
