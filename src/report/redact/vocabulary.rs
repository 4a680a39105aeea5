//! Words that say nothing about a user: they stay readable in a redacted report.

use std::collections::HashSet;
use std::sync::LazyLock;

/// Words of the key grammar, and channels that OpenClaw knows.
const KEY_WORDS: &[&str] = &[
    "acp",
    "agent",
    "binding",
    "boot",
    "channel",
    "cron",
    "dashboard",
    "direct",
    "dm",
    "explicit",
    "global",
    "group",
    "heartbeat",
    "hook",
    "main",
    "node",
    "openai",
    "room",
    "run",
    "subagent",
    "thread",
    "topic",
    "unknown",
    // channels
    "bluebubbles",
    "discord",
    "email",
    "feishu",
    "googlechat",
    "imessage",
    "irc",
    "line",
    "lark",
    "matrix",
    "mattermost",
    "msteams",
    "nextcloud-talk",
    "nostr",
    "signal",
    "slack",
    "sms",
    "synology-chat",
    "teams",
    "telegram",
    "tlon",
    "twitch",
    "voice",
    "webchat",
    "wechat",
    "whatsapp",
    "zalo",
    "zalouser",
    "cli",
    "web",
    "webhook",
];

/// What a key segment may start with; the rest of the segment becomes a tag.
const KEY_PREFIXES: &[&str] = &["node-", "model-run-", "dreaming-narrative-"];

/// Names of files and directories that OpenClaw, this tool or the system gives.
const PATH_NAMES: &[&str] = &[
    "~",
    ".",
    "..",
    "home",
    "root",
    "Users",
    "tmp",
    "var",
    "opt",
    "srv",
    "mnt",
    "etc",
    "usr",
    "lib",
    "data",
    "run",
    "proc",
    "private",
    "node",
    ".openclaw",
    ".clawdbot",
    ".moldbot",
    "openclaw",
    "agents",
    "agent",
    "main",
    "sessions",
    "sessions.json",
    "sessions.json.lock",
    "cron",
    "runs",
    "jobs.json",
    "jobs.json.bak",
    "jobs.json.migrated",
    "jobs-state.json",
    "subagents",
    "runs.json",
    "tasks",
    "runs.sqlite",
    "registry.sqlite",
    "state",
    "openclaw.sqlite",
    "openclaw-agent.sqlite",
    "openclaw.json",
    "openclaw.json.bak",
    "openclaw.json.last-good",
    "clawdbot.json",
    "moldbot.json",
    ".env",
    "skills-prompts",
    "sha256",
    "session-sqlite-import-archive",
    "session-sqlite-migration-runs",
    "sessions-doctor",
    ".sessions-doctor",
    "run.json",
    "changes.ndjson",
    "gateway.state.lock",
    "redact.key",
];

/// What an entry's `status`, a run's outcome or a job's verdict may say.
const STATUSES: &[&str] = &[
    "running", "done", "failed", "killed", "timeout", "unknown", "ok", "error", "skipped", "none", "idle",
    "pending", "other",
];

/// Members of an entry that OpenClaw's versions are known to write.
const FIELDS: &str = "sessionId sessionFile updatedAt label displayName subject channel groupId groupChannel space \
    chatType origin deliveryContext lastChannel lastTo lastAccountId lastThreadId spawnedBy spawnedWorkspaceDir \
    parentSessionKey forkedFromParent spawnDepth subagentRole subagentControlScope status startedAt endedAt runtimeMs \
    abortedLastRun systemSent abortCutoffMessageSid abortCutoffTimestamp lastHeartbeatText lastHeartbeatSentAt \
    thinkingLevel fastMode verboseLevel reasoningLevel elevatedLevel ttsAuto execHost execSecurity execAsk execNode \
    responseUsage providerOverride modelOverride authProfileOverride authProfileOverrideSource \
    authProfileOverrideCompactionCount groupActivation groupActivationNeedsSystemIntro sendPolicy queueMode \
    queueDebounceMs queueCap queueDrop inputTokens outputTokens totalTokens cacheRead cacheWrite contextTokens \
    compactionCount totalTokensFresh estimatedCostUsd model modelProvider fallbackNoticeSelectedModel \
    fallbackNoticeActiveModel fallbackNoticeReason memoryFlushAt memoryFlushCompactionCount memoryFlushContextHash \
    cliSessionIds cliSessionBindings claudeCliSessionId acp skillsSnapshot systemPromptReport provider lastProvider \
    room prompt systemPrompt tools injectedWorkspaceFiles skills skillFilter resolvedSkills version promptRef sessionStartedAt lastInteractionAt usageFamilyKey \
    usageFamilySessionIds compactionCheckpoints agentHarnessId agentRuntimeOverride modelOverrideSource \
    liveModelSwitchPending traceLevel pluginDebugEntries pluginExtensions pluginExtensionSlotKeys \
    pluginNextTurnInjections heartbeatIsolatedBaseSessionKey heartbeatTaskState pluginOwnerId spawnedCwd \
    inheritedToolDeny inheritedToolAllow subagentRecovery quotaSuspension route contextBudgetStatus goal archivedAt \
    pinnedAt lastReadAt markedUnreadAt lastActivityAt lifecycleRevision category pendingSkillSuggestion \
    skillCaptureSignalHashes ambientTranscriptWatermarks bootstrapContextRunKind delivery runningAtMs runAtMs ts \
    cron.sessionRetention skillsSnapshot.resolvedSkills \
    cron.store session.store session.maintenance.pruneAfter session.maintenance.mode other";

/// Whether a segment of a session key belongs to the grammar.
pub(super) fn is_key_word(segment: &str) -> bool {
    KEY_WORDS.contains(&segment)
}

/// Splits a key segment such as `node-<id>` into what stays and what becomes a tag.
pub(super) fn key_prefix(segment: &str) -> Option<(&str, &str)> {
    KEY_PREFIXES
        .iter()
        .find(|prefix| segment.starts_with(**prefix))
        .map(|prefix| segment.split_at(prefix.len()))
}

/// Whether a component of a path is no user's.
pub(super) fn is_path_name(component: &str) -> bool {
    PATH_NAMES.contains(&component)
}

/// Whether a word is one of the known statuses.
pub(super) fn is_status(word: &str) -> bool {
    STATUSES.contains(&word)
}

/// Whether a member name is one that OpenClaw writes.
pub(super) fn is_field(name: &str) -> bool {
    static KNOWN: LazyLock<HashSet<&str>> = LazyLock::new(|| FIELDS.split_ascii_whitespace().collect());
    KNOWN.contains(name)
}

/// Whether a quoted word of a sentence may stay: a status, a field, a file name of OpenClaw's, a rule.
///
/// Asked for every word of every sentence, so the lists are put together once.
pub(super) fn is_harmless(word: &str) -> bool {
    static KNOWN: LazyLock<HashSet<&str>> = LazyLock::new(|| {
        let lists = [STATUSES, PATH_NAMES, KEY_WORDS].into_iter().flatten().copied();
        lists.chain(FIELDS.split_ascii_whitespace()).chain(crate::report::explain::ids()).collect()
    });
    KNOWN.contains(word)
}

/// Whether a word has the shape of the ids and verbs of this tool: nothing but `a-z`, digits and single hyphens.
pub(super) fn is_own_word(word: &str) -> bool {
    word.len() <= 32
        && word.starts_with(|c: char| c.is_ascii_lowercase())
        && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
}
