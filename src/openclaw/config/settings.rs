//! From one tree to the settings; a bad value means the default, silently, as in OpenClaw's session code.

use std::path::PathBuf;

use super::{Agent, Config, Cron, Maintenance, MaintenanceMode, Retention, Scope, Session};
use crate::openclaw::grammar::{self, DurationUnit, SizeUnit};
use crate::openclaw::json::Tree;

const DAY_MS: i64 = 86_400_000;

/// Picks the settings out of a resolved tree.
pub(super) fn pick(tree: &Tree, files: Vec<PathBuf>) -> Config {
    let port = at(tree, &["gateway", "port"]).and_then(Tree::number);
    Config {
        files,
        agents: agents(tree),
        session: session(tree),
        cron: cron(tree),
        gateway_port: port.filter(|p| p.fract() == 0.0 && (1.0..=65535.0).contains(p)).map(|p| p as u16),
    }
}

fn at<'a>(tree: &'a Tree, path: &[&str]) -> Option<&'a Tree> {
    path.iter().try_fold(tree, |tree, key| tree.get(key))
}

/// The list of 2026.3 to 8, then the map of 9.x whose keys are the ids.
fn agents(tree: &Tree) -> Vec<Agent> {
    let list = at(tree, &["agents", "list"]).and_then(Tree::list).unwrap_or_default();
    let entries = at(tree, &["agents", "entries"]).and_then(Tree::object).unwrap_or_default();
    let listed = list.iter().filter_map(|agent| Some((agent.text_of("id")?, agent)));
    let mapped = entries.iter().map(|(key, agent)| (key.clone(), agent));
    let mut agents: Vec<Agent> = Vec::new();
    for (id, agent) in listed.chain(mapped) {
        let id = grammar::normalize_agent_id(&id);
        let default = agent.get("default").and_then(Tree::bool) == Some(true);
        match agents.iter_mut().find(|known| known.id == id) {
            Some(known) => known.default |= default,
            None => agents.push(Agent { id, default }),
        }
    }
    agents
}

fn session(tree: &Tree) -> Session {
    let text =
        |key| at(tree, &["session", key]).and_then(Tree::text).map(str::trim).filter(|t| !t.is_empty());
    let scope = if text("scope") == Some("global") { Scope::Global } else { Scope::PerSender };
    Session {
        store: text("store").map(str::to_owned),
        main_key: text("mainKey").unwrap_or("main").to_lowercase(),
        scope,
        maintenance: maintenance(tree),
    }
}

fn maintenance(tree: &Tree) -> Maintenance {
    let get = |key| at(tree, &["session", "maintenance", key]);
    let size = |key| get(key).and_then(spelled).and_then(|text| grammar::parse_size(&text, SizeUnit::Bytes));
    let prune_after = get("pruneAfter").filter(|value| **value != Tree::Null);
    let prune_after_ms = match prune_after {
        Some(value) => spelled(value).and_then(|text| grammar::parse_duration_ms(&text, DurationUnit::Days)),
        None => {
            get("pruneDays").and_then(positive).and_then(|days| i64::try_from(days).ok()?.checked_mul(DAY_MS))
        }
    };
    let mode = match get("mode").and_then(Tree::text) {
        Some("warn") => Some(MaintenanceMode::Warn),
        Some("enforce") => Some(MaintenanceMode::Enforce),
        _ => None,
    };
    Maintenance {
        mode,
        prune_after_ms: prune_after_ms.unwrap_or(30 * DAY_MS),
        max_entries: get("maxEntries").and_then(positive),
        rotate_bytes: size("rotateBytes").unwrap_or(10 << 20),
        max_disk_bytes: size("maxDiskBytes"),
    }
}

fn cron(tree: &Tree) -> Cron {
    let get = |key| at(tree, &["cron", key]);
    let store = get("store").and_then(Tree::text).map(str::trim).filter(|text| !text.is_empty());
    let retention = get("sessionRetention");
    let session_retention = match retention {
        Some(Tree::Bool(false)) => Retention::Off,
        _ => {
            let read = retention.and_then(spelled);
            let ms = read.and_then(|text| grammar::parse_duration_ms(&text, DurationUnit::Hours));
            Retention::Ms(ms.unwrap_or(DAY_MS))
        }
    };
    Cron {
        enabled: get("enabled").and_then(Tree::bool) != Some(false),
        store: store.map(str::to_owned),
        session_retention,
    }
}

/// A string, or a number as JavaScript would spell it (an exponent never parses as a duration or size).
fn spelled(value: &Tree) -> Option<String> {
    match value {
        Tree::Text(text) => Some(text.clone()),
        Tree::Number(number) if number.is_finite() && number.abs() < 1e21 => Some(number.to_string()),
        _ => None,
    }
}

fn positive(value: &Tree) -> Option<u64> {
    value.millis().filter(|&n| n > 0).map(i64::unsigned_abs)
}
