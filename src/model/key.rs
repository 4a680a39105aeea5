//! The grammar of session keys: what family a key belongs to, decided by its words and their positions.
//!
//! Keys read `agent:<agentId>:<rest>`; only the words right after the agent prefix count, since group ids
//! may hold colons and any word. A shape that is not known is [`Shape::Unknown`], and unknown is kept.
//! The literal words must be in lower case, as OpenClaw stores them; ids may be spelled in any case.

use serde::Serialize;

/// What a key names, as finely as protections need it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Shape {
    /// No grammar known to us.
    Unknown,
    /// The main session of an agent, `global` included.
    Main,
    /// A direct chat.
    Direct,
    /// A group chat or room.
    Group,
    /// A channel.
    Channel,
    /// Any of them with a thread or topic behind it.
    Thread,
    /// A session of an external coding agent.
    Acp,
    /// Dashboard, explicit, OpenAI, node: conversations without a protection of their own.
    Conversation,
    /// `cron:<job>`.
    CronBase,
    /// `cron:<job>:run:<session>`.
    RunRecord,
    /// `subagent:<id>`, nested ones included.
    SubAgent,
    /// `hook:<id>`.
    Hook,
    /// `<x>:heartbeat`.
    Heartbeat,
    /// Boot, dreaming, model-run probes.
    Synthetic,
}

/// The families of `docs/interface.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Family {
    /// One run of a cron job.
    RunRecord,
    /// The session that a cron job starts each run from.
    CronBase,
    /// A sub-agent.
    SubAgent,
    /// A webhook run.
    Hook,
    /// Boot, dreaming, heartbeat, model-run probe.
    OtherSynthetic,
    /// Somebody talks here.
    Conversation,
    /// A shape that is not known; kept.
    Unknown,
}

impl Family {
    /// All families, in the order of the report.
    pub const ALL: [Family; 7] = [
        Family::RunRecord,
        Family::CronBase,
        Family::SubAgent,
        Family::Hook,
        Family::OtherSynthetic,
        Family::Conversation,
        Family::Unknown,
    ];

    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Family::RunRecord => "run-record",
            Family::CronBase => "cron-base",
            Family::SubAgent => "sub-agent",
            Family::Hook => "hook",
            Family::OtherSynthetic => "other-synthetic",
            Family::Conversation => "conversation",
            Family::Unknown => "unknown",
        }
    }

    /// Run records and cron bases.
    pub fn is_cron(self) -> bool {
        matches!(self, Family::RunRecord | Family::CronBase)
    }

    /// Sub-agent, hook, other synthetic; never a cron base, a conversation or an unknown shape.
    pub fn is_synthetic(self) -> bool {
        matches!(self, Family::SubAgent | Family::Hook | Family::OtherSynthetic)
    }
}

impl Shape {
    /// The family that the shape belongs to.
    pub fn family(self) -> Family {
        match self {
            Shape::Unknown => Family::Unknown,
            Shape::Main
            | Shape::Direct
            | Shape::Group
            | Shape::Channel
            | Shape::Thread
            | Shape::Acp
            | Shape::Conversation => Family::Conversation,
            Shape::CronBase => Family::CronBase,
            Shape::RunRecord => Family::RunRecord,
            Shape::SubAgent => Family::SubAgent,
            Shape::Hook => Family::Hook,
            Shape::Heartbeat | Shape::Synthetic => Family::OtherSynthetic,
        }
    }
}

/// Keys of the shape [`Shape::CronBase`] as a regular expression.
pub const CRON_BASE: &str = "^agent:[^:]+:cron:[^:]+$";

/// A key taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionKey<'a> {
    /// The agent's id; `None` for a key without the prefix.
    pub agent: Option<&'a str>,
    /// What follows `agent:<id>:`, or the whole key.
    pub rest: &'a str,
    /// What it names.
    pub shape: Shape,
    /// The job's id, for the cron families.
    pub job: Option<&'a str>,
    /// The run's session id, for run records.
    pub run: Option<&'a str>,
    /// The key of a run record's base, `agent:<id>:cron:<job>`; `None` for every other shape.
    pub base: Option<&'a str>,
}

impl<'a> SessionKey<'a> {
    /// Takes a decoded key apart. `main_key` is the configuration's `session.mainKey`, usually `main`.
    pub fn parse(key: &'a str, main_key: &str) -> Self {
        let Some((agent, rest)) = split_agent(key) else {
            let shape = if key == "global" || key == "main" { Shape::Main } else { Shape::Unknown };
            return SessionKey { agent: None, rest: key, shape, job: None, run: None, base: None };
        };
        let (job, run) = cron_ids(rest);
        let shape = match (job, run) {
            (Some(_), Some(_)) => Shape::RunRecord,
            (Some(_), None) => Shape::CronBase,
            (None, _) => shape_of(rest, main_key),
        };
        // `…:run:<session>` is what a record's key has behind that of its base.
        let base = run.and_then(|run| key.get(..key.len() - run.len() - ":run:".len()));
        SessionKey { agent: Some(agent), rest, shape, job, run, base }
    }
}

/// `agent:<id>:<rest>` split in two; `None` where a segment is empty or the prefix is missing.
pub fn split_agent(key: &str) -> Option<(&str, &str)> {
    let (agent, rest) = at_colon(key.strip_prefix("agent:")?)?;
    (!agent.is_empty() && !rest.is_empty()).then_some((agent, rest))
}

/// A parent as sub-agents name it: a run record's key folded to its base, any other key as it is.
pub fn fold_run_key(key: &str) -> &str {
    let Some((_, rest)) = split_agent(key) else { return key };
    let Some(("cron", after)) = rest.split_once(':') else { return key };
    match after.split_once(':') {
        Some((job, tail)) if !job.is_empty() && tail.starts_with("run:") => {
            &key[..key.len() - tail.len() - 1]
        }
        _ => key,
    }
}

/// What stands before the first colon and behind it.
fn at_colon(text: &str) -> Option<(&str, &str)> {
    let at = colon(text.as_bytes())?;
    Some((&text[..at], &text[at + 1..]))
}

/// Where the first colon stands. Ids are short: less than a call to a search for long texts.
fn colon(text: &[u8]) -> Option<usize> {
    const ONES: u64 = u64::MAX / 0xff;
    let (words, rest) = text.as_chunks::<8>();
    for (at, word) in words.iter().enumerate() {
        let unlike = u64::from_le_bytes(*word) ^ (ONES * b':' as u64);
        // The lowest of these bits is that of the first byte that is zero.
        let zeros = unlike.wrapping_sub(ONES) & !unlike & (ONES << 7);
        if zeros != 0 {
            return Some(8 * at + zeros.trailing_zeros() as usize / 8);
        }
    }
    let at = rest.iter().position(|&byte| byte == b':')?;
    Some(8 * words.len() + at)
}

/// Job and run of `cron:J` and `cron:J:run:R`; nothing for longer or empty ones, which stay unknown.
fn cron_ids(rest: &str) -> (Option<&str>, Option<&str>) {
    let Some(after) = rest.strip_prefix("cron:") else { return (None, None) };
    let is_id = |id: &str| !id.is_empty() && colon(id.as_bytes()).is_none();
    match at_colon(after) {
        None if !after.is_empty() => (Some(after), None),
        Some((job, tail)) if !job.is_empty() => match tail.strip_prefix("run:") {
            Some(run) if is_id(run) => (Some(job), Some(run)),
            _ => (None, None),
        },
        _ => (None, None),
    }
}

fn shape_of(rest: &str, main_key: &str) -> Shape {
    if rest == "main" || rest == main_key {
        return Shape::Main;
    }
    if rest.split(':').any(str::is_empty) {
        return Shape::Unknown;
    }
    // Of a thread as of any other session: this one is protected whatever the policy.
    if rest.ends_with(":heartbeat") {
        return Shape::Heartbeat;
    }
    if has_marker_behind(rest, &["thread", "topic"]) {
        return Shape::Thread;
    }
    by_first_word(rest).unwrap_or_else(|| by_chat_word(rest))
}

/// Whether one of `words` stands as a segment with one before it and one after it.
fn has_marker_behind(rest: &str, words: &[&str]) -> bool {
    let segments: Vec<&str> = rest.split(':').collect();
    segments.len() >= 3 && segments[1..segments.len() - 1].iter().any(|segment| words.contains(segment))
}

fn by_first_word(rest: &str) -> Option<Shape> {
    if rest == "boot" || rest.starts_with("dreaming-narrative-") {
        return Some(Shape::Synthetic);
    }
    if rest.starts_with("node-") {
        return Some(Shape::Conversation);
    }
    let (word, tail) = rest.split_once(':')?;
    match word {
        "cron" => Some(Shape::Unknown),
        "subagent" => Some(if is_subagent_tail(tail) { Shape::SubAgent } else { Shape::Unknown }),
        "hook" => Some(Shape::Hook),
        "acp" => Some(Shape::Acp),
        "direct" | "dm" => Some(Shape::Direct),
        "explicit" if tail.starts_with("model-run-") => Some(Shape::Synthetic),
        "dashboard" | "explicit" | "openai" | "openai-user" | "node" => Some(Shape::Conversation),
        _ => None,
    }
}

/// `<id>`, or `<id>:subagent:<id>` to any depth.
fn is_subagent_tail(tail: &str) -> bool {
    tail.split(':').enumerate().all(|(at, part)| if at % 2 == 1 { part == "subagent" } else { true })
        && tail.split(':').count() % 2 == 1
}

/// `<channel>:group:<id>` and `<channel>:<account>:group:<id>`, and the like.
fn by_chat_word(rest: &str) -> Shape {
    let segments: Vec<&str> = rest.splitn(4, ':').collect();
    let word = match segments.as_slice() {
        [_, word, _, ..] if chat_shape(word).is_some() => word,
        [_, _, word, _] => word,
        _ => return Shape::Unknown,
    };
    chat_shape(word).unwrap_or(Shape::Unknown)
}

fn chat_shape(word: &str) -> Option<Shape> {
    match word {
        "direct" | "dm" => Some(Shape::Direct),
        "group" | "room" => Some(Shape::Group),
        "channel" => Some(Shape::Channel),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(key: &str) -> Shape {
        SessionKey::parse(key, "main").shape
    }

    #[test]
    fn every_canonical_form_of_the_reference_has_its_shape() {
        let cases = [
            ("agent:main:main", Shape::Main),
            ("global", Shape::Main),
            ("main", Shape::Main),
            ("unknown", Shape::Unknown),
            ("agent:main:direct:+491701234567", Shape::Direct),
            ("agent:main:telegram:dm:42", Shape::Direct),
            ("agent:main:telegram:default:direct:42", Shape::Direct),
            ("agent:main:whatsapp:group:1203@g.us", Shape::Group),
            ("agent:main:matrix:room:!abc:server.org", Shape::Group),
            ("agent:main:discord:channel:99", Shape::Channel),
            ("agent:main:telegram:group:-100:topic:7", Shape::Thread),
            ("agent:main:main:thread:17", Shape::Thread),
            ("agent:main:cron:j", Shape::CronBase),
            ("agent:main:cron:j:run:r", Shape::RunRecord),
            ("agent:main:cron:j:run:r:extra", Shape::Unknown),
            ("agent:main:cron:j:other", Shape::Unknown),
            ("agent:main:cron::run:r", Shape::Unknown),
            ("cron:j:run:r", Shape::Unknown),
            ("agent:main:telegram:group:cron:j:run:r", Shape::Group),
            ("agent:main:subagent:u", Shape::SubAgent),
            ("agent:main:subagent:u:subagent:v", Shape::SubAgent),
            ("agent:main:subagent:u:else", Shape::Unknown),
            ("agent:main:acp:binding:slack:a:h", Shape::Acp),
            ("agent:main:hook:gmail:17", Shape::Hook),
            ("agent:main:node-abc", Shape::Conversation),
            ("agent:main:dashboard:u", Shape::Conversation),
            ("agent:main:explicit:mine", Shape::Conversation),
            ("agent:main:explicit:model-run-u", Shape::Synthetic),
            ("agent:main:boot", Shape::Synthetic),
            ("agent:main:main:heartbeat", Shape::Heartbeat),
            ("agent:main:telegram:group:-100:topic:7:heartbeat", Shape::Heartbeat),
            ("agent:main:dreaming-narrative-x", Shape::Synthetic),
            ("agent:main:entry-7", Shape::Unknown),
            ("agent:main:", Shape::Unknown),
            ("", Shape::Unknown),
        ];
        for (key, expected) in cases {
            assert_eq!(shape(key), expected, "{key}");
        }
    }

    #[test]
    fn the_first_colon_is_found_wherever_it_stands() {
        for len in 0..40 {
            let text: Vec<u8> = (0..len).map(|at| b"9;\xba\x3b"[at % 4]).collect();
            assert_eq!(colon(&text), None);
            for at in 0..len {
                let mut text = text.clone();
                text[at..].fill(b':');
                assert_eq!(colon(&text), Some(at));
            }
        }
    }

    #[test]
    fn a_custom_main_key_is_main() {
        assert_eq!(SessionKey::parse("agent:main:work", "work").shape, Shape::Main);
        assert_eq!(shape("agent:main:work"), Shape::Unknown);
    }

    #[test]
    fn run_keys_fold_to_their_base_and_nothing_else_does() {
        assert_eq!(fold_run_key("agent:a:cron:j:run:r"), "agent:a:cron:j");
        assert_eq!(fold_run_key("agent:a:cron:j:run:r:subagent:x"), "agent:a:cron:j");
        assert_eq!(fold_run_key("agent:a:cron:j"), "agent:a:cron:j");
        assert_eq!(fold_run_key("agent:a:main"), "agent:a:main");
        let key = SessionKey::parse("agent:a:cron:j:run:r", "main");
        assert_eq!(key.base, Some("agent:a:cron:j"));
        assert_eq!(SessionKey::parse("agent:a:cron:j", "main").base, None);
    }
}
