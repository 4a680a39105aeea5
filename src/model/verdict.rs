//! What a rule says of an entry, and why.

use std::fmt;

use super::Millis;

/// The classes of the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// Claims to run, and does not.
    Zombie,
    /// What it belongs to is gone.
    Orphaned,
    /// Over, and old.
    Stale,
    /// One too many.
    Surplus,
    /// Not as OpenClaw would write it.
    Malformed,
    /// Everything else.
    Live,
}

impl Class {
    /// All classes.
    pub const ALL: [Class; 6] =
        [Class::Zombie, Class::Orphaned, Class::Stale, Class::Surplus, Class::Malformed, Class::Live];

    /// The name in reports and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Class::Zombie => "zombie",
            Class::Orphaned => "orphaned",
            Class::Stale => "stale",
            Class::Surplus => "surplus",
            Class::Malformed => "malformed",
            Class::Live => "live",
        }
    }
}

/// How sure a verdict is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Confidence {
    /// Everything points to it.
    Likely,
    /// The evidence leaves no other way.
    Certain,
}

impl Confidence {
    /// The name in reports and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Confidence::Likely => "likely",
            Confidence::Certain => "certain",
        }
    }
}

/// What is done about an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// Nothing.
    Keep,
    /// The whole entry goes.
    Remove,
    /// Dead bytes of an overridden key go.
    Drop,
    /// It is marked as ended.
    Heal,
    /// Its caches go.
    Slim,
}

impl Action {
    /// All of them.
    pub const ALL: [Action; 5] = [Action::Keep, Action::Remove, Action::Drop, Action::Heal, Action::Slim];

    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Action::Keep => "keep",
            Action::Remove => "remove",
            Action::Drop => "drop",
            Action::Heal => "heal",
            Action::Slim => "slim",
        }
    }

    /// Whether the entry leaves the file.
    pub fn is_removal(self) -> bool {
        matches!(self, Action::Remove | Action::Drop)
    }
}

/// A rule: its public name and what kind of thing it finds. It equals nothing but itself.
#[derive(Debug)]
pub struct Rule {
    /// The public id, and the heading in `docs/rules.md`.
    pub id: &'static str,
    /// The class of the report; `None` for what is counted apart.
    pub class: Option<Class>,
    /// In a few words.
    pub title: &'static str,
}

impl PartialEq for Rule {
    fn eq(&self, other: &Rule) -> bool {
        std::ptr::eq(self, other)
    }
}

impl Eq for Rule {}

/// Why an entry may not be removed, in the order of `docs/interface.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Protection {
    /// The main session.
    Main,
    /// A direct chat.
    Direct,
    /// A group chat.
    Group,
    /// A channel.
    Channel,
    /// A thread or topic.
    Thread,
    /// Bound to an external coding agent.
    Acp,
    /// Bound to a command-line agent.
    Cli,
    /// Pinned.
    Pinned,
    /// A heartbeat.
    Heartbeat,
    /// Somebody is writing to it.
    InUse,
    /// The base of a job that exists, or may.
    BaseCron,
    /// A job names it.
    JobTarget,
    /// A child needs it.
    Parent,
    /// OpenClaw may resume it.
    Resumable,
    /// Something is still to be delivered or done.
    Pending,
    /// A user chose something in it.
    Settings,
    /// A shape that is not known.
    Unknown,
    /// `--keep`.
    Keep,
}

impl Protection {
    /// All of them.
    pub const ALL: [Protection; 18] = [
        Protection::Main,
        Protection::Direct,
        Protection::Group,
        Protection::Channel,
        Protection::Thread,
        Protection::Acp,
        Protection::Cli,
        Protection::Pinned,
        Protection::Heartbeat,
        Protection::InUse,
        Protection::BaseCron,
        Protection::JobTarget,
        Protection::Parent,
        Protection::Resumable,
        Protection::Pending,
        Protection::Settings,
        Protection::Unknown,
        Protection::Keep,
    ];

    /// The public name.
    pub fn name(self) -> &'static str {
        match self {
            Protection::Main => "protected-main",
            Protection::Direct => "protected-direct",
            Protection::Group => "protected-group",
            Protection::Channel => "protected-channel",
            Protection::Thread => "protected-thread",
            Protection::Acp => "protected-acp",
            Protection::Cli => "protected-cli",
            Protection::Pinned => "protected-pinned",
            Protection::Heartbeat => "protected-heartbeat",
            Protection::InUse => "protected-in-use",
            Protection::BaseCron => "protected-base-cron",
            Protection::JobTarget => "protected-job-target",
            Protection::Parent => "protected-parent",
            Protection::Resumable => "protected-resumable",
            Protection::Pending => "protected-pending",
            Protection::Settings => "protected-settings",
            Protection::Unknown => "protected-unknown",
            Protection::Keep => "protected-keep",
        }
    }

    /// Whether it forbids healing as well as removal.
    pub fn forbids_healing(self) -> bool {
        matches!(self, Protection::InUse | Protection::Pending | Protection::Keep)
    }
}

/// Where a finished line stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LineRef {
    /// Index into the run-log files of the evidence.
    pub file: u32,
    /// Counted from 1.
    pub line: u32,
}

/// One reason of a verdict.
#[derive(Clone, Debug, PartialEq)]
pub enum Reason {
    /// Its own status says so.
    SaysRunning,
    /// Its base says so, with the same session.
    BaseSaysRunning,
    /// A finished line with its session.
    Finished(LineRef, Millis),
    /// A finished line of its job at its time, without a session.
    FinishedAround(LineRef, Millis),
    /// The gateway is stopped.
    GatewayStopped,
    /// The gateway started after its last sign of life.
    GatewayStartedSince(Millis),
    /// This host booted after its last sign of life.
    BootedSince(Millis),
    /// A later run of the job.
    StartedAgain(Millis),
    /// A later run of the job, by a finished line.
    StartedAgainLine(LineRef, Millis),
    /// The last sign of life, and how long ago that was.
    Silent(Millis),
    /// The job is in no list.
    JobGone,
    /// The list knows none of the store's jobs.
    ListKnowsNone,
    /// The store lies outside the state directory.
    StoreOutside,
    /// The parent is in no store.
    ParentGone,
    /// Older than so many milliseconds.
    Older(Millis),
    /// Over, and no sign that it runs.
    Over,
    /// Ended so many milliseconds ago.
    Ended(Millis),
    /// Something was overridden by a later copy.
    Overridden,
    /// The value is no object.
    NotAnObject,
    /// OpenClaw rejects the session id.
    RejectedSessionId,
    /// OpenClaw folds the key into another.
    FoldedKey,
    /// A time is missing, in seconds, infinite or in the future.
    UnusableTime,
    /// Touched more recently than the grace.
    WithinGrace(Millis),
    /// Removed for the size of the store.
    OverBudget,
    /// Removed for the number of entries.
    OverCount,
    /// OpenClaw may resume it.
    Interrupted,
    /// Evidence that could tell was not read.
    Unread,
    /// Still in flight.
    InFlight,
    /// The verdict is weaker than asked for.
    TooWeak,
    /// `--only` leaves the class out.
    ClassLeftOut,
    /// `--agent` leaves the key out.
    AgentLeftOut,
    /// A brake tripped.
    Braked,
    /// It is a row of a database.
    InDatabase,
    /// `guard` leaves its family alone.
    FamilyLeftOut,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ago = |ms: Millis| super::span_text(ms);
        match self {
            Reason::SaysRunning => f.write_str("its status is running"),
            Reason::BaseSaysRunning => f.write_str("its base is running with its session"),
            Reason::Finished(..) => f.write_str("the run log says that it finished"),
            Reason::FinishedAround(..) => f.write_str("the run log has a finish of its job at its time"),
            Reason::GatewayStopped => f.write_str("the gateway is stopped"),
            Reason::GatewayStartedSince(ms) => {
                write!(f, "the gateway started {} after its last sign of life", ago(*ms))
            }
            Reason::BootedSince(ms) => {
                write!(f, "this host booted {} after its last sign of life", ago(*ms))
            }
            Reason::StartedAgain(ms) | Reason::StartedAgainLine(_, ms) => {
                write!(f, "its job started again {} after its last sign of life", ago(*ms))
            }
            Reason::Silent(ms) => write!(f, "last sign of life {} ago", ago(*ms)),
            Reason::JobGone => f.write_str("its job is in no job list"),
            Reason::ListKnowsNone => f.write_str("the job list knows none of the store's jobs"),
            Reason::StoreOutside => f.write_str("the store lies outside the state directory"),
            Reason::ParentGone => f.write_str("its parent is in no store"),
            Reason::Older(limit) => write!(f, "older than {}", ago(*limit)),
            Reason::Over => f.write_str("the run is over"),
            Reason::Ended(ms) => write!(f, "ended {} ago", ago(*ms)),
            Reason::Overridden => f.write_str("a later copy of the key overrides it"),
            Reason::NotAnObject => f.write_str("its value is not an object"),
            Reason::RejectedSessionId => f.write_str("OpenClaw rejects its sessionId"),
            Reason::FoldedKey => f.write_str("OpenClaw folds its key into another one that exists"),
            Reason::UnusableTime => {
                f.write_str("one of its times is missing, in the future, or not in milliseconds")
            }
            Reason::WithinGrace(ms) => write!(f, "touched {} ago, within the grace", ago(*ms)),
            Reason::OverBudget => f.write_str("the store is larger than the budget"),
            Reason::OverCount => f.write_str("the store has more entries than allowed"),
            Reason::Interrupted => f.write_str("running or interrupted: OpenClaw may resume it"),
            Reason::Unread => f.write_str("what could tell was not read whole"),
            Reason::InFlight => f.write_str("the run may be in flight"),
            Reason::TooWeak => f.write_str("not certain enough for --confidence"),
            Reason::ClassLeftOut => f.write_str("left out by --only"),
            Reason::AgentLeftOut => f.write_str("left out by --agent"),
            Reason::Braked => f.write_str("left out by the safety brake"),
            Reason::FamilyLeftOut => f.write_str("guard acts on cron entries alone"),
            Reason::InDatabase => f.write_str("it lives in SQLite, where nothing is written"),
        }
    }
}

/// What a run ended as, for healing a base.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Healing {
    /// `done`, `failed` or `timeout`.
    pub status: &'static str,
    /// When it ended.
    pub ended_at: Millis,
}

/// What is said of one entry.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// The first rule that holds.
    pub rule: &'static Rule,
    /// What that asks for, or `Keep` where something forbids it.
    pub action: Action,
    /// How sure; `None` where nothing was claimed.
    pub confidence: Option<Confidence>,
    /// The first protection that holds.
    pub protected_by: Option<Protection>,
    /// Why.
    pub reasons: Vec<Reason>,
    /// For `Action::Heal`.
    pub healing: Option<Healing>,
}
