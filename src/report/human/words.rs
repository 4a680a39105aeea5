//! Plain words for ids: what a class, an action or a protection means to somebody who never read the manual.

use crate::report::format::Counted;
use crate::report::model::{
    EntryCounts, Era, EvidenceState, GatewayReport, Outcome, Severity, StoreReport, StoreVerdict,
};
use crate::report::style::Role;

/// The verb of a report, as the first word of a sentence.
pub(super) fn command_of(command: &str) -> &str {
    match command {
        "check" => "Check",
        "prune" => "Prune",
        "slim" => "Slim",
        "recover" => "Recover",
        "cron" => "Cron jobs",
        "undo" => "Undo",
        other => other,
    }
}

/// The gateway's life in a few words.
pub(super) fn gateway(gateway: &GatewayReport) -> String {
    match (gateway.running, gateway.pid) {
        (Some(true), Some(pid)) => format!("the gateway runs (pid {pid})"),
        (Some(true), None) => "the gateway runs".to_owned(),
        (Some(false), _) => "the gateway is stopped".to_owned(),
        (None, _) => "whether the gateway runs is unknown".to_owned(),
    }
}

/// Where the sessions live, where that is not the usual place.
pub(super) fn era(era: Era) -> &'static str {
    match era {
        Era::Json | Era::Unknown => "",
        Era::CronSqlite => "; cron jobs live in SQLite",
        Era::Sqlite => "; sessions live in SQLite",
    }
}

pub(super) fn evidence(state: EvidenceState) -> &'static str {
    match state {
        EvidenceState::Read => "read",
        EvidenceState::Missing => "not there",
        EvidenceState::Unreadable => "not readable",
        EvidenceState::Partial => "read in part",
    }
}

/// The word a store's line starts with.
pub(super) fn headline(store: &StoreReport) -> (&'static str, Role) {
    match (store.outcome, store.verdict) {
        (Outcome::Failed, _) => ("failed", Role::Bad),
        (Outcome::Busy, _) => ("busy", Role::Warn),
        (Outcome::Refused, _) => ("refused", Role::Warn),
        (Outcome::Applied, _) => ("done", Role::Good),
        (_, StoreVerdict::Damaged) => ("damaged", Role::Bad),
        (_, StoreVerdict::Missing) => ("missing", Role::Bad),
        (_, StoreVerdict::Findings) => ("findings", Role::Warn),
        (_, StoreVerdict::Healthy) => ("healthy", Role::Good),
    }
}

pub(super) fn severity(severity: Severity) -> (&'static str, Role) {
    match severity {
        Severity::Error => ("error", Role::Bad),
        Severity::Warning => ("warning", Role::Warn),
        Severity::Info => ("note", Role::Dim),
    }
}

/// Classes as they are listed, the worst first, and what each means.
pub(super) const CLASSES: [(&str, &str); 6] = [
    ("zombie", "says that it runs, but its run is over"),
    ("orphaned", "its cron job or parent session is gone"),
    ("stale", "over, and older than its retention"),
    ("surplus", "goes for --budget or --max-entries alone"),
    ("malformed", "not written as OpenClaw writes entries"),
    ("live", "nothing is wrong with it"),
];

/// Why entries stay.
pub(super) fn kept(reason: &str) -> &'static str {
    match reason {
        "protected-main" => "the main session",
        "protected-direct" => "a direct conversation",
        "protected-group" => "a group conversation",
        "protected-channel" => "a channel or room",
        "protected-thread" => "a thread or topic",
        "protected-acp" => "bound to an external agent",
        "protected-cli" => "bound to a command-line backend's session",
        "protected-pinned" => "pinned",
        "protected-heartbeat" => "carries a heartbeat's state",
        "protected-in-use" => "in use right now, or may be",
        "protected-base-cron" => "the standing entry of a cron job that exists, or may",
        "protected-job-target" => "a cron job talks to it",
        "protected-parent" => "has a sub-agent that still matters",
        "protected-resumable" => "OpenClaw may resume it at its next start",
        "protected-pending" => "holds something still to be delivered or done",
        "protected-settings" => "holds settings made by a person",
        "protected-unknown" => "a key of a shape this version does not know",
        "protected-keep" => "named by --keep",
        "grace" => "touched within --grace",
        "confidence" => "the verdict is not sure enough for --confidence",
        "brake" => "held back by the safety brake",
        "guard" => "not of a cron job, and guard acts on those alone",
        "era-sqlite" => "it lives in SQLite, where nothing is written",
        "running" => "may be at work, and needs its caches",
        "scope" => "outside of --only or --agent",
        _ => "",
    }
}

/// What a plan does to entries, in one tense or the other.
pub(super) fn deeds(counts: &EntryCounts, done: bool) -> String {
    let rows = [
        (counts.removed, "remove", "removed", ""),
        (counts.healed, "heal", "healed", " (mark as ended)"),
        (counts.slimmed, "slim", "slimmed", " (drop caches)"),
        (counts.recovered, "put back", "put back", ""),
    ];
    let parts: Vec<String> = rows
        .into_iter()
        .filter(|(count, ..)| *count > 0)
        .enumerate()
        .map(|(index, (count, plan, past, note))| {
            let what = if index == 0 {
                Counted::entries(count).to_string()
            } else {
                Counted(count, "", "").to_string()
            };
            let (verb, note) = if done { (past, "") } else { (plan, note) };
            format!("{verb} {}{note}", what.trim_end())
        })
        .collect();
    parts.join(", ")
}
