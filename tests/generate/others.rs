//! Everything in a store that is no cron job: one entry of every kind that must stay, and the few synthetic ones that may go.

use super::cron::{self, JOB_TARGET};
use super::entry::{Answer, Entry};
use super::expected::OPEN;
use super::json::{Json, object};
use super::rng::Rng;
use super::{DAY, HOUR, MINUTE, World};

/// An entry under construction: the few words that tell the kinds apart.
struct Maker<'a> {
    world: &'a World,
    list: Vec<Entry>,
}

impl Maker<'_> {
    fn id(&self, purpose: &str) -> String {
        Rng::new(self.world.seed, purpose, self.list.len() as u64).uuid()
    }

    /// Adds an entry `agent:<id>:<rest>` (or the bare key, where `rest` starts with `=`), last touched `age` ago.
    fn add(&mut self, family: &'static str, rest: &str, age: i64, answer: Answer) -> &mut Entry {
        let key = match rest.strip_prefix('=') {
            Some(bare) => bare.to_owned(),
            None => format!("agent:{}:{rest}", self.world.agent),
        };
        let id = self.id("other");
        let mut entry = Entry::new("others", family, key, id, self.world.now - age);
        entry.traces.transcript = true;
        entry.answer = answer;
        self.list.push(entry);
        self.list.last_mut().expect("just added")
    }

    fn conversation(&mut self, rest: &str, age: i64, protected_by: Option<&'static str>) -> &mut Entry {
        let entry = self.add("conversation", rest, age, Answer::live(protected_by));
        entry.ended("done");
        entry
    }

    /// A sub-agent with a registry row, which has ended where the entry has.
    fn subagent(&mut self, rest: &str, parent: &str, age: i64, answer: Answer) -> &mut Entry {
        let parent = parent.to_owned();
        let run = self.id("registry");
        let entry = self.add("sub-agent", rest, age, answer);
        entry.ended("done");
        entry.front.push(("spawnDepth".into(), 1.into()));
        entry.front.push(("subagentRole".into(), "leaf".into()));
        entry.front.push(("spawnedBy".into(), parent.as_str().into()));
        entry.label = Some("research".into());
        let row = vec![
            ("runId".to_owned(), Json::from(run.as_str())),
            ("childSessionKey".to_owned(), entry.key.as_str().into()),
            ("requesterSessionKey".to_owned(), parent.as_str().into()),
            ("task".to_owned(), "Look this up".into()),
            ("cleanup".to_owned(), "keep".into()),
            ("spawnMode".to_owned(), "run".into()),
            ("createdAt".to_owned(), Json::Int(entry.updated_at - 9_000)),
            ("startedAt".to_owned(), Json::Int(entry.updated_at - 8_000)),
            ("endedAt".to_owned(), Json::Int(entry.updated_at - 100)),
            ("outcome".to_owned(), object([("status", "ok".into())])),
            ("cleanupCompletedAt".to_owned(), Json::Int(entry.updated_at)),
        ];
        entry.traces.row = Some((run, Json::Object(row)));
        entry
    }
}

impl Entry {
    fn ended(&mut self, status: &'static str) {
        self.status = Some(status);
        self.started_at = Some(self.updated_at - 8_000);
        self.ended_at = Some(self.updated_at - 100);
    }

    /// Killed in a turn: nobody touches it, OpenClaw may resume it.
    fn interrupted(&mut self) {
        self.status = Some("running");
        self.started_at = Some(self.updated_at - 8_000);
        self.ended_at = None;
    }

    fn with(&mut self, name: &str, value: impl Into<Json>) -> &mut Self {
        self.back.push((name.to_owned(), value.into()));
        self
    }

    /// Takes the end out of its registry row.
    fn row_without_end(&mut self) {
        if let Some((_, Json::Object(row))) = &mut self.traces.row {
            row.retain(|(name, _)| !matches!(name.as_str(), "endedAt" | "outcome" | "cleanupCompletedAt"));
        }
    }
}

/// One of every kind. With `quiet`, only what stays.
pub fn kinds(world: &World, job_target: bool) -> Vec<Entry> {
    let mut make = Maker { world, list: Vec::new() };
    conversations(&mut make, job_target);
    synthetic(&mut make);
    subagents(&mut make, !world.quiet);
    make.list.retain(|entry| !world.quiet || entry.answer.action == "keep");
    make.list
}

fn conversations(make: &mut Maker<'_>, job_target: bool) {
    let direct = Some("protected-direct");
    make.conversation("main", 10 * MINUTE, Some("protected-main"))
        .with("lastChannel", "telegram")
        .with("lastTo", "telegram:1001");
    make.conversation("direct:alice", 3 * DAY, direct).with("chatType", "direct");
    make.conversation("telegram:direct:1001", 40 * DAY, direct)
        .with("chatType", "direct")
        .with("displayName", "Zoë \"Z\" \\ tab\there, bell\u{7}, del\u{7f}, line\u{2028}end, 会話 😀");
    make.conversation("telegram:default:direct:1002", 300 * DAY, direct);
    make.conversation("telegram:dm:1003", 90 * DAY, direct).with("displayName", Json::Escaped("cut \\ud83d"));
    make.conversation("signal:direct:1004", 5 * HOUR, direct).interrupted();
    make.conversation("telegram:group:-1005550001", 120 * DAY, Some("protected-group"))
        .with("chatType", "group");
    make.conversation("whatsapp:group:120363000000000000@g.us", 4 * DAY, Some("protected-group"))
        .with("groupActivation", "mention");
    make.conversation("telegram:group:-1005550002", 50 * DAY, Some("protected-group")).interrupted();
    make.conversation("slack:channel:c0ab12cd", 60 * DAY, Some("protected-channel"))
        .with("chatType", "channel");
    // A room, a thread, a topic: more than one protection may claim them.
    make.conversation("matrix:room:!abc:example.org", 45 * DAY, Some(OPEN)).with("chatType", "group");
    make.conversation("slack:channel:c0ab12cd:thread:1795000000.000100", 70 * DAY, Some(OPEN));
    make.conversation("telegram:group:-1005550001:topic:42", 70 * DAY, Some(OPEN));
    make.conversation("telegram:direct:1001:thread:7", 70 * DAY, Some(OPEN));
    let acp = object([
        ("backend", "acpx".into()),
        ("agent", "codex".into()),
        ("runtimeSessionName", "acp-1".into()),
        ("mode", "persistent".into()),
        ("state", "idle".into()),
        ("lastActivityAt", (make.world.now - 50 * DAY).into()),
    ]);
    make.conversation("acp:3f0e6c1a-7d1b-4a57-9c58-5b1f7b0b7a11", 50 * DAY, Some("protected-acp"))
        .with("acp", acp.clone());
    make.conversation("acp:binding:telegram:default:0a1b2c3d", 50 * DAY, Some("protected-acp"))
        .with("acp", acp);
    let binding =
        object([("claude-cli", object([("sessionId", "5b6c".into()), ("authProfileId", "p".into())]))]);
    make.conversation("explicit:bound", 80 * DAY, Some("protected-cli")).with("cliSessionBindings", binding);
    make.conversation("explicit:claude", 80 * DAY, Some("protected-cli")).with("claudeCliSessionId", "9a8b");
    let pinned_at = make.world.now - 100 * DAY;
    make.conversation("dashboard:0c9a1e52-93b5-4f4c-8d7c-3d9a5b1f0e01", 100 * DAY, Some("protected-pinned"))
        .with("pinnedAt", pinned_at);
    make.conversation("dashboard:0c9a1e52-93b5-4f4c-8d7c-3d9a5b1f0e02", 100 * DAY, None);
    make.conversation("dashboard:0c9a1e52-93b5-4f4c-8d7c-3d9a5b1f0e03", 33 * DAY, Some("protected-settings"))
        .with("thinkingLevel", "high");
    make.conversation("dashboard:0c9a1e52-93b5-4f4c-8d7c-3d9a5b1f0e04", 33 * DAY, Some("protected-pending"))
        .with("pendingFinalDeliveryText", "Your report is ready.");
    make.conversation("explicit:notes", 55 * DAY, None);
    make.conversation("openai:user-7", 55 * DAY, None);
    make.conversation("node-a1b2c3", 200 * DAY, None);
    make.conversation("node:d4e5f6", 200 * DAY, None);
    if job_target {
        // What a named job target looks like cannot be told from its key alone.
        make.add(OPEN, JOB_TARGET, 2 * DAY, Answer::live(Some("protected-job-target"))).ended("done");
    }
    make.conversation("=global", 2 * DAY, Some(OPEN));
    for (rest, age) in [("=unknown", 90), ("=telegram:group:1", 400), ("=whatsapp:group:99@g.us", 400)] {
        make.add(OPEN, rest, age * DAY, Answer::live(Some(OPEN))).ended("done");
    }
    make.add("unknown", "zork:quux:9", 400 * DAY, Answer::live(Some("protected-unknown"))).ended("failed");
}

fn synthetic(make: &mut Maker<'_>) {
    let stale = || Answer::remove("stale-session");
    make.add("other-synthetic", "main:heartbeat", 20 * MINUTE, Answer::live(Some("protected-heartbeat")))
        .with("lastHeartbeatText", "ok");
    make.add(
        "other-synthetic",
        "telegram:direct:1002:heartbeat",
        40 * DAY,
        Answer::saved("stale-session", OPEN),
    )
    .ended("done");
    make.add("other-synthetic", "boot", 30 * HOUR, Answer::live(None)).ended("done");
    make.add(
        "other-synthetic",
        "explicit:model-run-6a5b4c3d-0000-4000-8000-00000000000a",
        3 * DAY,
        Answer::live(None),
    )
    .ended("done");
    make.add("other-synthetic", "dreaming-narrative-light-1", 40 * DAY, stale()).ended("done");
    make.add("hook", "hook:deploy-fresh", 2 * DAY, Answer::live(None)).ended("done");
    make.add("hook", "hook:b7f1d0a2-1111-4111-8111-000000000001", 40 * DAY, stale()).ended("done");
    make.add("hook", "hook:b7f1d0a2-1111-4111-8111-000000000002", 200 * DAY, stale()).ended("failed");
    // Old, but never ended: it may have been killed in its turn.
    make.add("hook", "hook:killed", 40 * DAY, Answer::live(None)).interrupted();
    make.add("hook", "hook:no-status", 40 * DAY, Answer::live(None));
    let pending = Answer::saved("stale-session", "protected-pending");
    make.add("hook", "hook:undelivered", 40 * DAY, pending).ended("done");
    make.list.last_mut().expect("just added").with("pendingFinalDeliveryText", "Deployed.");
    let settings = Answer::saved("stale-session", "protected-settings");
    make.add("hook", "hook:with-model", 40 * DAY, settings).ended("done");
    make.list.last_mut().expect("just added").with("modelOverride", "claude-sonnet-4-6");
    // The parent of a young sub-agent, see `subagents`.
    let parent = Answer::saved("stale-session", "protected-parent");
    make.add("hook", "hook:parent-of-young", 40 * DAY, parent).ended("done");
}

fn subagents(make: &mut Maker<'_>, with_cron_parent: bool) {
    let agent = make.world.agent.clone();
    let main = format!("agent:{agent}:main");
    let live = || Answer::live(None);
    let stale = || Answer::remove("stale-session");
    let uuid = |make: &Maker<'_>| format!("subagent:{}", make.id("subagent"));

    let rest = uuid(make);
    make.subagent(&rest, &main, 2 * DAY, live());
    let rest = uuid(make);
    make.subagent(&rest, &main, 40 * DAY, stale());
    // No row, but an end of its own.
    let rest = uuid(make);
    make.subagent(&rest, &main, 41 * DAY, stale()).traces.row = None;
    if with_cron_parent {
        // Spawned by a run: the run's key is folded to its base, which is there.
        let rest = uuid(make);
        let run = format!("{}:run:{}", cron::base_key(make.world, cron::SILENT), make.id("gone"));
        make.subagent(&rest, &run, 42 * DAY, stale());
    }
    // A sub-agent of a sub-agent: both are old, so the child does not protect the parent.
    let rest = uuid(make);
    let parent = make.subagent(&rest, &main, 43 * DAY, stale()).key.clone();
    let nested = format!("{rest}:{}", uuid(make));
    make.subagent(&nested, &parent, 43 * DAY, stale());
    // Its parent is in no store.
    let rest = uuid(make);
    let gone = format!("agent:{agent}:dashboard:{}", make.id("gone"));
    make.subagent(&rest, &gone, 44 * DAY, Answer::remove("orphan-parent"));

    // Running: OpenClaw finalises it at its next start. Its parent stays for its sake.
    let parent = format!("agent:{agent}:dashboard:0c9a1e52-93b5-4f4c-8d7c-3d9a5b1f0e05");
    make.conversation("dashboard:0c9a1e52-93b5-4f4c-8d7c-3d9a5b1f0e05", 34 * DAY, Some("protected-parent"));
    let rest = uuid(make);
    let running = make.subagent(&rest, &parent, 3 * HOUR, Answer::live(Some("protected-resumable")));
    running.interrupted();
    running.row_without_end();
    // Ended by its own account, not by the registry's.
    let rest = uuid(make);
    make.subagent(&rest, &main, 40 * DAY, Answer::saved("stale-session", "protected-resumable"))
        .row_without_end();
    // Neither a row nor an end.
    let rest = uuid(make);
    let unended = make.subagent(&rest, &main, 40 * DAY, Answer::live(Some("protected-resumable")));
    (unended.status, unended.started_at, unended.ended_at, unended.traces.row) = (None, None, None, None);
    let rest = uuid(make);
    make.subagent(&rest, &format!("agent:{agent}:hook:parent-of-young"), 5 * DAY, live());
}

/// The `index`-th conversation beyond [`kinds`], of any age: none of them may go.
pub fn more(world: &World, index: u64) -> Entry {
    let mut rng = Rng::new(world.seed, "more", index);
    let channel = *rng.pick(&["telegram", "whatsapp", "signal", "slack", "discord"]);
    let peer = 2_000_000 + index;
    let (rest, chat_type, protected_by) = match rng.below(10) {
        0..=4 => (format!("{channel}:direct:{peer}"), "direct", "protected-direct"),
        5..=7 => (format!("{channel}:group:{peer}"), "group", "protected-group"),
        _ => (format!("{channel}:channel:{peer}"), "channel", "protected-channel"),
    };
    let mut entry = Entry::new(
        "more-conversations",
        "conversation",
        format!("agent:{}:{rest}", world.agent),
        rng.uuid(),
        world.now - rng.between(MINUTE, 400 * DAY),
    );
    entry.answer = Answer::live(Some(protected_by));
    entry.traces.transcript = index.is_multiple_of(20);
    entry.with("chatType", chat_type);
    match rng.below(10) {
        0 => entry.interrupted(),
        1 => entry.ended("failed"),
        2..=3 => {}
        _ => entry.ended("done"),
    }
    entry
}
