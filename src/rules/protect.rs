//! May it be removed? One table, in the order of `docs/interface.md`; the first that holds is reported.

use super::case::Case;
use crate::model::entry::{Flags, Status};
use crate::model::evidence::Lock;
use crate::model::key::{Family, Shape};
use crate::model::verdict::Protection;

type Holds = fn(&Case<'_>) -> bool;

/// For every family but run records.
const TABLE: [(Protection, Holds); 18] = [
    (Protection::Main, |case| case.entry.shape == Shape::Main),
    (Protection::Direct, |case| chat(case, Shape::Direct, Flags::CHAT_DIRECT)),
    (Protection::Group, |case| chat(case, Shape::Group, Flags::CHAT_GROUP)),
    (Protection::Channel, |case| chat(case, Shape::Channel, Flags::CHAT_CHANNEL)),
    (Protection::Thread, |case| chat(case, Shape::Thread, Flags::CHAT_THREAD)),
    (Protection::Acp, |case| case.entry.shape == Shape::Acp || case.entry.is(Flags::ACP)),
    (Protection::Cli, |case| case.entry.is(Flags::CLI)),
    (Protection::Pinned, |case| case.entry.is(Flags::PINNED)),
    (Protection::Heartbeat, |case| {
        case.entry.shape == Shape::Heartbeat || case.entry.is(Flags::HEARTBEAT_BASE)
    }),
    (Protection::InUse, |case| case.is_in_use()),
    (Protection::BaseCron, |case| {
        case.entry.shape == Shape::CronBase && (case.job().is_some() || !case.evidence.jobs.complete)
    }),
    (Protection::JobTarget, |case| case.entry.is(Flags::JOB_TARGET)),
    (Protection::Parent, may_be_needed),
    (Protection::Resumable, is_resumable),
    (Protection::Pending, |case| case.entry.is(Flags::PENDING)),
    (Protection::Settings, |case| case.entry.is(Flags::SETTINGS)),
    (Protection::Unknown, |case| case.entry.shape == Shape::Unknown || case.entry.is(Flags::UNREAD)),
    (Protection::Keep, |case| case.entry.is(Flags::KEEP)),
];

/// Run records inherit fields from their base by copy, so less of what they hold is their own.
const RUN_RECORD_TABLE: [(Protection, Holds); 6] = [
    (Protection::Acp, |case| case.entry.is(Flags::OWN_BINDING | Flags::ACP)),
    (Protection::Cli, |case| case.entry.is(Flags::OWN_BINDING)),
    (Protection::InUse, |case| case.is_in_use()),
    (Protection::Pending, |case| case.entry.is(Flags::PENDING)),
    (Protection::Unknown, |case| case.entry.is(Flags::UNREAD)),
    (Protection::Keep, |case| case.entry.is(Flags::KEEP)),
];

/// All protections that hold, first one first.
pub fn all<'a>(case: &'a Case<'_>) -> impl Iterator<Item = Protection> + 'a {
    let table: &[(Protection, Holds)] =
        if case.entry.shape == Shape::RunRecord { &RUN_RECORD_TABLE } else { &TABLE };
    table.iter().filter(|(_, holds)| holds(case)).map(|(protection, _)| *protection)
}

/// The protection that is reported.
pub fn first(case: &Case<'_>) -> Option<Protection> {
    all(case).next()
}

/// A chat by its key or by its `chatType`. `--conversations` lifts this for conversations.
fn chat(case: &Case<'_>, shape: Shape, flag: Flags) -> bool {
    let lifted = case.policy.conversations && case.entry.family() == Family::Conversation;
    !lifted && (case.entry.shape == shape || case.entry.is(flag))
}

/// A child needs it, or may, where not all children could be seen. Conversations have protections of their own.
fn may_be_needed(case: &Case<'_>) -> bool {
    let kin = &case.evidence.kin;
    let family = case.entry.family();
    kin.is_needed(case.entry.folded_key())
        || kin.unread && (family.is_synthetic() || family == Family::CronBase)
}

fn is_resumable(case: &Case<'_>) -> bool {
    let locked = case.traces.lock != Lock::None && !case.entry.family().is_cron();
    let registry = &case.evidence.registry;
    let no_end = || !registry.rows.contains_key(&case.entry.folded_key()) && case.ended().is_none();
    locked || case.entry.shape == Shape::SubAgent && (registry_says_open(case) || no_end())
}

/// Whether the registry has a row of the sub-agent without an end, or cannot be read.
pub fn registry_says_open(case: &Case<'_>) -> bool {
    let registry = &case.evidence.registry;
    registry.unreadable || registry.rows.get(&case.entry.folded_key()) == Some(&false)
}

/// Whether a sub-agent still needs its parent: it is running, protected, or not yet past `--prune-after`.
pub fn needs_parent(case: &Case<'_>) -> bool {
    case.entry.status == Status::Running
        || case.age().is_none_or(|age| age <= case.policy.prune_after)
        || first(case).is_some()
}
