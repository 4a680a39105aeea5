//! One entry of a store: its members, what must be said of it, and what else on disk belongs to it.

use super::caches::{Caches, FILLER_MARK};
use super::expected::{Edit, Expected, OPEN};
use super::json::{Json, Style};

/// An entry before it is written.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The key.
    pub key: String,
    /// Which part of the shape it belongs to.
    pub group: &'static str,
    /// The key's family, or [`OPEN`].
    pub family: &'static str,
    /// The session that it names.
    pub session_id: String,
    /// Epoch milliseconds.
    pub updated_at: i64,
    /// `status`, where it has one.
    pub status: Option<&'static str>,
    /// `startedAt`, where it has one.
    pub started_at: Option<i64>,
    /// `endedAt`, where it has one.
    pub ended_at: Option<i64>,
    /// `label`.
    pub label: Option<String>,
    /// Members that come first, after `updatedAt`.
    pub front: Vec<(String, Json)>,
    /// Members that come last.
    pub back: Vec<(String, Json)>,
    /// Whether its texts are to hold non-ASCII letters.
    pub foreign: bool,
    /// What must be said of it.
    pub answer: Answer,
    /// What else on disk belongs to it.
    pub traces: Traces,
}

/// What must be said of an entry.
#[derive(Clone, Debug)]
pub struct Answer {
    /// `keep`, `remove` or `heal`.
    pub action: &'static str,
    /// The rule.
    pub rule: &'static str,
    /// The first protection that holds, or [`OPEN`].
    pub protected_by: Option<&'static str>,
    /// What healing changes.
    pub edits: Vec<Edit>,
}

/// What else on disk belongs to an entry.
#[derive(Clone, Debug, Default)]
pub struct Traces {
    /// A line of a job's run log: the job's number and the text.
    pub line: Option<(usize, String)>,
    /// A row of the sub-agent registry: its run id and the row.
    pub row: Option<(String, Json)>,
    /// Time of the last line of its transcript; `None` takes [`Entry::updated_at`].
    pub transcript_end: Option<i64>,
    /// Whether it has a transcript when only some entries get one.
    pub transcript: bool,
    /// Whether a dead process has left a lock on its transcript.
    pub lock: bool,
}

impl Answer {
    /// Nothing is wrong with it.
    pub fn live(protected_by: Option<&'static str>) -> Self {
        Self { action: "keep", rule: "live", protected_by, edits: Vec::new() }
    }

    /// It goes.
    pub fn remove(rule: &'static str) -> Self {
        Self { action: "remove", rule, protected_by: None, edits: Vec::new() }
    }

    /// A rule condemns it, a protection saves it.
    pub fn saved(rule: &'static str, protected_by: &'static str) -> Self {
        Self { action: "keep", rule, protected_by: Some(protected_by), edits: Vec::new() }
    }

    /// A base of a known job whose `running` is replaced.
    pub fn heal(rule: &'static str, status: &str, ended_at: i64) -> Self {
        let edits = vec![
            Edit { field: "status".into(), old: Some("\"running\"".into()), new: format!("\"{status}\"") },
            Edit { field: "endedAt".into(), old: None, new: ended_at.to_string() },
        ];
        Self { action: "heal", rule, protected_by: Some("protected-base-cron"), edits }
    }
}

/// The class that a rule belongs to.
pub fn class_of(rule: &str) -> &str {
    match rule {
        "zombie-finished" | "zombie-dead-owner" => "zombie",
        "orphan-job" | "orphan-parent" => "orphaned",
        "stale-run" | "stale-session" => "stale",
        other => other,
    }
}

/// How sure a rule is, on the complete evidence of a generated state directory with the gateway stopped.
fn confidence_of(rule: &str) -> Option<&'static str> {
    match rule {
        "live" | OPEN => None,
        "stale-session" | "orphan-parent" => Some("likely"),
        _ => Some("certain"),
    }
}

impl Entry {
    /// An entry with nothing but a session and a time, of which nothing is wrong.
    pub fn new(
        group: &'static str,
        family: &'static str,
        key: String,
        session_id: String,
        updated_at: i64,
    ) -> Self {
        Self {
            key,
            group,
            family,
            session_id,
            updated_at,
            status: None,
            started_at: None,
            ended_at: None,
            label: None,
            front: Vec::new(),
            back: Vec::new(),
            foreign: false,
            answer: Answer::live(None),
            traces: Traces::default(),
        }
    }

    /// The answer, as a line of `expected.jsonl` has it.
    pub fn expected(&self, bytes: u64) -> Expected {
        Expected {
            key: self.key.clone(),
            action: self.answer.action.to_owned(),
            rule: self.answer.rule.to_owned(),
            class: class_of(self.answer.rule).to_owned(),
            confidence: confidence_of(self.answer.rule).map(str::to_owned),
            session_id: Some(self.session_id.clone()),
            bytes,
            group: self.group.to_owned(),
            family: self.family.to_owned(),
            protected_by: self.answer.protected_by.map(str::to_owned),
            edits: self.answer.edits.clone(),
        }
    }

    /// Appends the member (key, colon, value) to `out`, filled up to `size` bytes where it is smaller.
    pub fn render(&self, out: &mut String, style: Style, caches: &Caches, size: usize, chance: u64) {
        let start = out.len();
        let mut usage = self.usage();
        if caches.snapshot(self.foreign).is_none() {
            let mut bare = String::new();
            self.write(&mut bare, style, caches, &[]);
            usage.truncate(fitting(&usage, style, size.saturating_sub(bare.len())));
        }
        self.write(out, style, caches, &usage);
        let mark = start + out[start..].find(FILLER_MARK).expect("every entry has a place for filler");
        let missing = size.saturating_sub(out.len() - start - FILLER_MARK.len());
        let filler = caches.filler(missing, self.foreign, chance);
        out.replace_range(mark..mark + FILLER_MARK.len(), &filler);
    }

    fn write(&self, out: &mut String, style: Style, caches: &Caches, usage: &[(&str, Json)]) {
        let mut members = Vec::with_capacity(24);
        self.members(&mut members, caches, usage);
        style.name(out, &self.key);
        out.push('{');
        for (at, (name, value)) in members.iter().enumerate() {
            style.separate(out, at, 2);
            style.name(out, name);
            style.value(out, value, 2);
        }
        style.line(out, 1);
        out.push('}');
    }

    /// What OpenClaw notes of every turn; entries that are too small for all of it have the first few.
    fn usage(&self) -> Vec<(&'static str, Json)> {
        let tokens = self.updated_at % 90_000;
        vec![
            ("systemSent", true.into()),
            ("modelProvider", "anthropic".into()),
            ("model", "claude-opus-4-6".into()),
            ("contextTokens", 200_000.into()),
            ("inputTokens", (1_200 + tokens).into()),
            ("outputTokens", (12 + tokens / 40).into()),
            ("totalTokens", (1_200 + tokens).into()),
            ("totalTokensFresh", true.into()),
            ("cacheRead", 0.into()),
            ("cacheWrite", 0.into()),
            ("estimatedCostUsd", Json::Micros(1 + tokens.unsigned_abs() * 17)),
        ]
    }

    fn members(&self, out: &mut Vec<(String, Json)>, caches: &Caches, usage: &[(&str, Json)]) {
        let mut add = |name: &str, value: Json| out.push((name.to_owned(), value));
        let (system, rest) = usage.split_at(usage.len().min(1));
        let (model, tokens) = rest.split_at(rest.len().min(2));
        let snapshot = caches.snapshot(self.foreign);
        let small = snapshot.is_none();
        add("sessionId", self.session_id.as_str().into());
        add("updatedAt", self.updated_at.into());
        self.front.iter().for_each(|(name, value)| add(name, value.clone()));
        system.iter().for_each(|(name, value)| add(name, value.clone()));
        let label = self.label.clone().unwrap_or_default();
        match snapshot {
            Some(snapshot) => {
                if !label.is_empty() {
                    add("label", label.into());
                }
                add("skillsSnapshot", snapshot);
            }
            None => add("label", (label + FILLER_MARK).into()),
        }
        model.iter().for_each(|(name, value)| add(name, value.clone()));
        if let Some(report) = caches.report(&self.session_id, &self.key, self.updated_at) {
            add("systemPromptReport", report);
        }
        tokens.iter().for_each(|(name, value)| add(name, value.clone()));
        if let Some(status) = self.status {
            add("status", status.into());
        }
        if let Some(at) = self.started_at {
            add("startedAt", at.into());
        }
        if self.status.is_some() && !small {
            add("abortedLastRun", false.into());
        }
        if let Some(at) = self.ended_at {
            add("endedAt", at.into());
            if let Some(from) = self.started_at.filter(|_| !small) {
                add("runtimeMs", (at - from).into());
            }
        }
        self.back.iter().for_each(|(name, value)| add(name, value.clone()));
    }
}

/// How many of `members` fit into `room` bytes, separators included.
fn fitting(members: &[(&str, Json)], style: Style, room: usize) -> usize {
    let mut text = String::new();
    let fits = members.iter().take_while(|(name, value)| {
        style.separate(&mut text, 1, 2);
        style.name(&mut text, name);
        style.value(&mut text, value, 2);
        text.len() <= room
    });
    fits.count()
}
