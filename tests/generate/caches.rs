//! What makes real entries large: `skillsSnapshot` and `systemPromptReport`, rendered once and filled in for each entry.
//!
//! The snapshot's prompt ends in a filler, which brings every entry to the size that was asked for.

use super::json::{Json, Style, object};

/// Stands in a rendered snapshot where the filler goes; no other text of a store holds it.
pub const FILLER_MARK: &str = "\u{fdd0}";

const SESSION_MARK: &str = "\u{fdd1}";
const KEY_MARK: &str = "\u{fdd2}";
const TIME_MARK: i64 = 8_070_605_040_302_010;

const SKILLS: [&str; 12] = [
    "calendar",
    "backups",
    "bookmarks",
    "camera",
    "dictionary",
    "expenses",
    "feeds",
    "garden",
    "inbox",
    "library",
    "recipes",
    "weather",
];
const NON_ASCII_SKILLS: [&str; 12] = [
    "календарь",
    "резервные-копии",
    "закладки",
    "カメラ",
    "словарь",
    "расходы",
    "ニュース",
    "огород",
    "входящие",
    "библиотека",
    "рецепты",
    "天気予報",
];
const SUFFIXES: [&str; 6] = ["", "-search", "-report", "-sync", "-archive", "-review"];
const TOOLS: [&str; 24] = [
    "read",
    "edit",
    "write",
    "exec",
    "process",
    "canvas",
    "nodes",
    "cron",
    "message",
    "tts",
    "gateway",
    "agents_list",
    "sessions_list",
    "sessions_history",
    "sessions_send",
    "sessions_yield",
    "sessions_spawn",
    "subagents",
    "session_status",
    "web_search",
    "web_fetch",
    "browser",
    "memory_search",
    "memory_get",
];
const ASCII: &str = "Check the state of every item first and report only what has changed since the last run. \
    Ask before anything is sent or deleted, keep a note of what was done, and prefer the smallest change that works. ";
const NON_ASCII: &str = "Überprüfe den Stand. まず全項目の状態を確認し、変更があった項目だけを報告してください。\
    送信や削除の前には必ず確認し、作業の記録を残してください。Проверь состояние и сообщи только об изменениях. \
    先检查每一项的状态，只报告自上次运行以来的变化。发送或删除之前请先询问，并选择可行的最小改动。😀 Vérifie l’état. ";

/// The caches of a store's entries, at the depth of an entry's members.
pub struct Caches {
    style: Style,
    snapshot: [String; 2],
    report: String,
    filler: [String; 2],
}

/// Depth at which an entry's members stand.
const MEMBERS: usize = 2;

impl Caches {
    /// Caches for entries of about `entry_bytes`: none of either where they do not fit.
    pub fn new(style: Style, entry_bytes: usize) -> Self {
        let mut report = String::new();
        style.value(&mut report, &system_prompt_report(), MEMBERS);
        let report = if entry_bytes >= report.len() + 3_000 { report } else { String::new() };
        let room = entry_bytes.saturating_sub(report.len() + 1_300);
        let snapshot = [false, true].map(|foreign| snapshot_within(style, room, foreign));
        let filler = [ASCII, NON_ASCII].map(|text| text.repeat(2 + 4_096 / text.len()));
        Self { style, snapshot, report, filler }
    }

    /// The snapshot with a [`FILLER_MARK`] in its prompt, or `None` where entries are too small for one.
    pub fn snapshot(&self, foreign: bool) -> Option<Json> {
        let text = &self.snapshot[usize::from(foreign)];
        (!text.is_empty()).then(|| Json::Rendered(text.clone()))
    }

    /// The report of one run, or `None` where entries are too small for one.
    pub fn report(&self, session_id: &str, key: &str, at: i64) -> Option<Json> {
        if self.report.is_empty() {
            return None;
        }
        let mut quoted = String::new();
        self.style.value(&mut quoted, &Json::from(key), 0);
        let text = self
            .report
            .replacen(&TIME_MARK.to_string(), &at.to_string(), 1)
            .replacen(SESSION_MARK, session_id, 1)
            .replacen(KEY_MARK, quoted.trim_matches('"'), 1);
        Some(Json::Rendered(text))
    }

    /// Exactly `bytes` bytes of text that needs no escape, starting anywhere in the filler.
    pub fn filler(&self, bytes: usize, foreign: bool, start: u64) -> String {
        let source = &self.filler[usize::from(foreign)];
        let mut start = (start % source.len() as u64) as usize;
        while !source.is_char_boundary(start) {
            start -= 1;
        }
        let mut text = String::with_capacity(bytes);
        while text.len() < bytes {
            let rest = &source[start..];
            let mut end = rest.len().min(bytes - text.len());
            while !rest.is_char_boundary(end) {
                end -= 1;
            }
            if end == 0 {
                text.extend(std::iter::repeat_n('.', bytes - text.len()));
            }
            text.push_str(&rest[..end]);
            start = 0;
        }
        text
    }
}

/// A snapshot of as many skills as fit into `room` bytes; empty where not even one does.
fn snapshot_within(style: Style, room: usize, foreign: bool) -> String {
    let render = |skills: usize| {
        let mut text = String::new();
        style.value(&mut text, &skills_snapshot(skills, foreign), MEMBERS);
        text
    };
    let mut best = String::new();
    for skills in 1..=SKILLS.len() * SUFFIXES.len() {
        let text = render(skills);
        if text.len() > room {
            break;
        }
        best = text;
    }
    best
}

fn skill(at: usize, foreign: bool) -> (String, String) {
    let names = if foreign { &NON_ASCII_SKILLS } else { &SKILLS };
    let name = format!("{}{}", names[at % names.len()], SUFFIXES[at / names.len() % SUFFIXES.len()]);
    let description = if foreign {
        format!("Skill \"{name}\": {} (Nr. {at})", NON_ASCII.trim_end())
    } else {
        format!("Skill \"{name}\": use it when the user asks for it by name. {} (No. {at})", ASCII.trim_end())
    };
    (name, description)
}

fn skills_snapshot(count: usize, foreign: bool) -> Json {
    let mut prompt = String::from(
        "\n\nThe skills below hold instructions for particular tasks.\nRead a skill's file when its description \
         matches the task.\n\n<available_skills>\n",
    );
    let (mut short, mut resolved) = (Vec::new(), Vec::new());
    for at in 0..count {
        let (name, description) = skill(at, foreign);
        let base = format!("/usr/lib/node_modules/openclaw/skills/{name}");
        let file = format!("{base}/SKILL.md");
        prompt.push_str(&format!(
            "  <skill>\n    <name>{name}</name>\n    <description>{description}</description>\n    \
             <location>{file}</location>\n  </skill>\n"
        ));
        short.push(match at % 3 {
            0 => object([("name", name.as_str().into())]),
            1 => object([("name", name.as_str().into()), ("requiredEnv", Json::List(Vec::new()))]),
            _ => object([
                ("name", name.as_str().into()),
                ("primaryEnv", "API_KEY".into()),
                ("requiredEnv", Json::List(vec!["API_KEY".into()])),
            ]),
        });
        resolved.push(object([
            ("name", name.into()),
            ("description", description.into()),
            ("filePath", file.as_str().into()),
            ("baseDir", base.as_str().into()),
            (
                "sourceInfo",
                object([
                    ("path", file.as_str().into()),
                    ("source", "openclaw-bundled".into()),
                    ("scope", "temporary".into()),
                    ("origin", "top-level".into()),
                    ("baseDir", base.as_str().into()),
                ]),
            ),
            ("disableModelInvocation", false.into()),
        ]));
    }
    prompt.push_str("</available_skills>\n");
    prompt.push_str(FILLER_MARK);
    object([
        ("prompt", prompt.into()),
        ("skills", Json::List(short)),
        ("resolvedSkills", Json::List(resolved)),
        ("version", 0.into()),
    ])
}

fn system_prompt_report() -> Json {
    let count = |number: usize| Json::Int(number as i64);
    let files = ["AGENTS.md", "SOUL.md", "TOOLS.md", "IDENTITY.md", "USER.md"];
    let injected = files.iter().enumerate().map(|(at, name)| {
        object([
            ("name", (*name).into()),
            ("path", format!("/home/user/.openclaw/workspace/{name}").into()),
            ("missing", false.into()),
            ("rawChars", count(400 + 1_733 * at)),
            ("injectedChars", count(400 + 1_733 * at)),
            ("truncated", false.into()),
        ])
    });
    let skills = SKILLS.iter().enumerate();
    let skills =
        skills.map(|(at, name)| object([("name", (*name).into()), ("blockChars", count(257 + 31 * at))]));
    let tools = TOOLS.iter().enumerate().map(|(at, name)| {
        object([
            ("name", (*name).into()),
            ("summaryChars", count(54 + 13 * at)),
            ("schemaChars", count(161 + 97 * at)),
            ("propertiesCount", count(at)),
        ])
    });
    object([
        ("source", "run".into()),
        ("generatedAt", TIME_MARK.into()),
        ("sessionId", SESSION_MARK.into()),
        ("sessionKey", KEY_MARK.into()),
        ("provider", "anthropic".into()),
        ("model", "claude-opus-4-6".into()),
        ("workspaceDir", "/home/user/.openclaw/workspace".into()),
        ("bootstrapMaxChars", 20_000.into()),
        ("bootstrapTotalMaxChars", 150_000.into()),
        (
            "bootstrapTruncation",
            object([
                ("warningMode", "once".into()),
                ("warningShown", false.into()),
                ("truncatedFiles", 0.into()),
                ("nearLimitFiles", 0.into()),
                ("totalNearLimit", false.into()),
            ]),
        ),
        ("sandbox", object([("mode", "off".into()), ("sandboxed", false.into())])),
        (
            "systemPrompt",
            object([
                ("chars", 21_815.into()),
                ("projectContextChars", 12_244.into()),
                ("nonProjectContextChars", 9_571.into()),
            ]),
        ),
        ("injectedWorkspaceFiles", Json::List(injected.collect())),
        ("skills", object([("promptChars", 2_853.into()), ("entries", Json::List(skills.collect()))])),
        (
            "tools",
            object([
                ("listChars", 2_441.into()),
                ("schemaChars", 21_065.into()),
                ("entries", Json::List(tools.collect())),
            ]),
        ),
    ])
}
