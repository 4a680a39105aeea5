//! The members of an entry that rules ask for, by name.

use crate::model::caches::{REPORT, SKILLS};

/// What a member of an entry means to the rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// `sessionId`
    SessionId,
    /// `sessionFile`
    SessionFile,
    /// `updatedAt`
    UpdatedAt,
    /// `startedAt`
    StartedAt,
    /// `endedAt`
    EndedAt,
    /// `status`
    Status,
    /// `chatType`
    ChatType,
    /// `origin`, which may hold a `chatType`
    Origin,
    /// `spawnedBy`
    SpawnedBy,
    /// `pinnedAt`
    Pinned,
    /// `acp`
    Acp,
    /// A link to the session of a command-line agent
    Cli,
    /// Something that OpenClaw still means to do
    Pending,
    /// Something that a user chose
    Setting,
    /// `skillsSnapshot`, a cache that OpenClaw rebuilds
    Skills,
    /// `systemPromptReport`, another
    Report,
    /// `heartbeatIsolatedBaseSessionKey`
    HeartbeatBase,
    /// Nothing that a rule reads
    Other,
}

/// Members that bind an entry to something outside; compared between a run record and its base.
pub const BINDINGS: [&str; 4] = ["acp", "cliSessionIds", "cliSessionBindings", "claudeCliSessionId"];

/// User settings: whoever chose them would miss them.
const SETTINGS: [&str; 30] = [
    "thinkingLevel",
    "fastMode",
    "verboseLevel",
    "reasoningLevel",
    "elevatedLevel",
    "ttsAuto",
    "execHost",
    "execSecurity",
    "execAsk",
    "execNode",
    "responseUsage",
    "providerOverride",
    "modelOverride",
    "authProfileOverride",
    "authProfileOverrideSource",
    "authProfileOverrideCompactionCount",
    "groupActivation",
    "groupActivationNeedsSystemIntro",
    "sendPolicy",
    "queueMode",
    "queueDebounceMs",
    "queueCap",
    "queueDrop",
    "traceLevel",
    "agentRuntimeOverride",
    "modelOverrideSource",
    "modelOverrideFallbackOriginProvider",
    "modelOverrideFallbackOriginModel",
    "liveModelSwitchPending",
    "category",
];

/// What the member called `name` (decoded) means.
pub fn field(name: &[u8]) -> Field {
    match name {
        b"sessionId" => Field::SessionId,
        b"sessionFile" => Field::SessionFile,
        b"updatedAt" => Field::UpdatedAt,
        b"startedAt" => Field::StartedAt,
        b"endedAt" => Field::EndedAt,
        b"status" => Field::Status,
        b"chatType" => Field::ChatType,
        b"origin" => Field::Origin,
        b"spawnedBy" => Field::SpawnedBy,
        b"pinnedAt" => Field::Pinned,
        b"acp" => Field::Acp,
        b"subagentRecovery" | b"goal" | b"pluginNextTurnInjections" => Field::Pending,
        b"heartbeatIsolatedBaseSessionKey" => Field::HeartbeatBase,
        _ => by_list(name),
    }
}

fn by_list(name: &[u8]) -> Field {
    let is = |list: &[&str]| list.iter().any(|word| word.as_bytes() == name);
    if is(&[SKILLS]) {
        Field::Skills
    } else if is(&[REPORT]) {
        Field::Report
    } else if is(&BINDINGS) {
        Field::Cli
    } else if name.starts_with(b"pendingFinalDelivery") || name.starts_with(b"restartRecovery") {
        Field::Pending
    } else if is(&SETTINGS) {
        Field::Setting
    } else {
        Field::Other
    }
}
