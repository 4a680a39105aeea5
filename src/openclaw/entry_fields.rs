//! The members of an entry of which it is known what kind of value OpenClaw keeps there.

/// What kind of value a member has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// A string.
    Text,
    /// A number.
    Number,
    /// A number: milliseconds since 1970.
    Time,
    /// `true` or `false`.
    Bool,
    /// An object.
    Object,
    /// A list.
    List,
    /// A string or a number.
    TextOrNumber,
    /// Whatever it is, an older name that a load replaces.
    Legacy,
}

impl Wanted {
    /// In a sentence.
    pub fn words(self) -> &'static str {
        match self {
            Wanted::Text => "a string",
            Wanted::Number => "a number",
            Wanted::Time => "a number of milliseconds",
            Wanted::Bool => "true or false",
            Wanted::Object => "an object",
            Wanted::List => "a list",
            Wanted::TextOrNumber => "a string or a number",
            Wanted::Legacy => "a member of another name",
        }
    }
}

/// A known member, by its place in the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known(pub u8);

impl Known {
    /// `sessionId`
    pub const SESSION_ID: Known = Known(0);
    /// `sessionFile`
    pub const SESSION_FILE: Known = Known(1);
    /// `updatedAt`
    pub const UPDATED_AT: Known = Known(2);
    /// `startedAt`
    pub const STARTED_AT: Known = Known(3);
    /// `endedAt`
    pub const ENDED_AT: Known = Known(4);

    /// The member of that name (decoded).
    pub fn named(name: &[u8]) -> Option<Known> {
        let at = FIELDS.iter().position(|(known, _)| known.as_bytes() == name)?;
        u8::try_from(at).ok().map(Known)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        FIELDS.get(usize::from(self.0)).map_or("", |(name, _)| name)
    }

    /// What stands there.
    pub fn wanted(self) -> Wanted {
        FIELDS.get(usize::from(self.0)).map_or(Wanted::Legacy, |(_, wanted)| *wanted)
    }

    /// All of them.
    pub fn all() -> impl Iterator<Item = Known> {
        (0..FIELDS.len()).filter_map(|at| u8::try_from(at).ok()).map(Known)
    }
}

use Wanted::{Bool, Legacy, List, Number, Object, Text, TextOrNumber, Time};

static FIELDS: [(&str, Wanted); 101] = [
    ("sessionId", Text),
    ("sessionFile", Text),
    ("updatedAt", Time),
    ("startedAt", Time),
    ("endedAt", Time),
    ("label", Text),
    ("displayName", Text),
    ("subject", Text),
    ("channel", Text),
    ("groupId", Text),
    ("groupChannel", Text),
    ("space", Text),
    ("chatType", Text),
    ("origin", Object),
    ("deliveryContext", Object),
    ("lastChannel", Text),
    ("lastTo", Text),
    ("lastAccountId", Text),
    ("lastThreadId", TextOrNumber),
    ("spawnedBy", Text),
    ("spawnedWorkspaceDir", Text),
    ("parentSessionKey", Text),
    ("forkedFromParent", Bool),
    ("spawnDepth", Number),
    ("subagentRole", Text),
    ("subagentControlScope", Text),
    ("status", Text),
    ("runtimeMs", Number),
    ("abortedLastRun", Bool),
    ("systemSent", Bool),
    ("abortCutoffMessageSid", Text),
    ("abortCutoffTimestamp", Time),
    ("lastHeartbeatText", Text),
    ("lastHeartbeatSentAt", Time),
    ("fastMode", Bool),
    ("responseUsage", Text),
    ("authProfileOverrideSource", Text),
    ("authProfileOverrideCompactionCount", Number),
    ("groupActivation", Text),
    ("groupActivationNeedsSystemIntro", Bool),
    ("sendPolicy", Text),
    ("queueDebounceMs", Number),
    ("queueCap", Number),
    ("queueDrop", Text),
    ("inputTokens", Number),
    ("outputTokens", Number),
    ("totalTokens", Number),
    ("cacheRead", Number),
    ("cacheWrite", Number),
    ("contextTokens", Number),
    ("compactionCount", Number),
    ("totalTokensFresh", Bool),
    ("estimatedCostUsd", Number),
    ("model", Text),
    ("modelProvider", Text),
    ("fallbackNoticeSelectedModel", Text),
    ("fallbackNoticeActiveModel", Text),
    ("fallbackNoticeReason", Text),
    ("memoryFlushAt", Time),
    ("memoryFlushCompactionCount", Number),
    ("memoryFlushContextHash", Text),
    ("cliSessionIds", Object),
    ("cliSessionBindings", Object),
    ("claudeCliSessionId", Text),
    ("acp", Object),
    ("skillsSnapshot", Object),
    ("systemPromptReport", Object),
    ("sessionStartedAt", Time),
    ("lastInteractionAt", Time),
    ("usageFamilyKey", Text),
    ("usageFamilySessionIds", List),
    ("compactionCheckpoints", List),
    ("agentHarnessId", Text),
    ("liveModelSwitchPending", Bool),
    ("pluginDebugEntries", List),
    ("pluginExtensions", Object),
    ("pluginExtensionSlotKeys", Object),
    ("pluginNextTurnInjections", Object),
    ("heartbeatIsolatedBaseSessionKey", Text),
    ("heartbeatTaskState", Object),
    ("inheritedToolDeny", List),
    ("inheritedToolAllow", List),
    ("subagentRecovery", Object),
    ("quotaSuspension", Object),
    ("route", Object),
    ("contextBudgetStatus", Object),
    ("goal", Object),
    ("archivedAt", Time),
    ("pinnedAt", Time),
    ("lastReadAt", Time),
    ("markedUnreadAt", Time),
    ("lastActivityAt", Time),
    ("lifecycleRevision", Text),
    ("category", Text),
    ("pendingSkillSuggestion", Object),
    ("skillCaptureSignalHashes", List),
    ("ambientTranscriptWatermarks", Object),
    ("bootstrapContextRunKind", Text),
    ("provider", Legacy),
    ("lastProvider", Legacy),
    ("room", Legacy),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_members_with_a_name_of_their_own_are_those_and_none_stands_there_twice() {
        let named = |name: &str| Known::named(name.as_bytes()).unwrap();
        assert_eq!(named("sessionId"), Known::SESSION_ID);
        assert_eq!(named("sessionFile"), Known::SESSION_FILE);
        assert_eq!(named("updatedAt"), Known::UPDATED_AT);
        assert_eq!((named("startedAt"), named("endedAt")), (Known::STARTED_AT, Known::ENDED_AT));
        assert!(Known::all().all(|known| Known::named(known.name().as_bytes()) == Some(known)));
        assert_eq!(Known::named(b"nobodyKnows"), None);
    }
}
