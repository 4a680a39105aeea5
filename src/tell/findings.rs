//! Observations with a severity: of the directory, and of each store.

use super::Fate;
use crate::diagnose::recovery::loss::Loss;
use crate::diagnose::{Condition, Diagnosis, Judged};
use crate::model::entry::{Flags, Status};
use crate::model::evidence::Life;
use crate::model::key::Family;
use crate::model::verdict::{Confidence, Rule};
use crate::report::format::{Counted, Size};
use crate::report::model::{Era, Finding, Outcome, Severity, StoreReport};
use crate::rules::entry::{alias_key, malformed_entry, malformed_session_id, slim_cache};
use crate::rules::store::{self as rules, Damaged};

pub(super) fn finding(rule: &'static Rule, severity: Severity, message: String) -> Finding {
    Finding { check_id: rule.id, severity, message, path: None, count: None, fix_hint: None }
}

impl Finding {
    pub(super) fn at(mut self, path: impl Into<Option<String>>) -> Self {
        self.path = path.into();
        self
    }

    pub(super) fn times(mut self, count: u64) -> Self {
        self.count = Some(count);
        self
    }

    pub(super) fn severity(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }

    pub(super) fn fix(mut self, hint: &str) -> Self {
        self.fix_hint = Some(hint.to_owned());
        self
    }
}

/// How a stuck marker is cleared, or what would make that certain.
pub(super) fn stop_and_clear(diagnosis: &Diagnosis, sure: Option<Confidence>) -> String {
    match (diagnosis.situation.era, diagnosis.evidence.gateway, sure) {
        (Era::Json, Life::Stopped, Some(Confidence::Certain)) => "`sessions-doctor cron --apply` clears it",
        (Era::Json, Life::Stopped, _) => "it is left alone",
        (Era::Json, ..) => {
            "stop the gateway, then it is certain, and `sessions-doctor cron --apply` clears it; its next start deals \
             with it as well"
        }
        _ => "start the gateway: jobs live in SQLite, which is never written, and its start deals with it",
    }
    .to_owned()
}

/// What there is to say of the state directory as a whole.
pub fn of_directory(diagnosis: &Diagnosis) -> Vec<Finding> {
    let mut findings: Vec<Finding> = diagnosis
        .troubles
        .iter()
        .map(|trouble| {
            let severity = severity_of(diagnosis, trouble.rule);
            finding(trouble.rule, severity, trouble.message.clone())
                .at(trouble.path.clone())
                .times(trouble.count)
        })
        .collect();
    findings.extend(era(diagnosis));
    findings.extend(gateway(diagnosis));
    for glob in &diagnosis.unused_globs {
        findings.push(Finding {
            check_id: crate::model::verdict::Protection::Keep.name(),
            severity: Severity::Warning,
            message: format!("--keep '{glob}' matches no key"),
            path: None,
            count: None,
            fix_hint: Some(
                "globs are matched case-sensitively against the whole key and what follows agent:<id>:"
                    .to_owned(),
            ),
        });
    }
    findings
}

/// A job list matters to whoever has cron entries, the registry to whoever has sub-agents; a torn line proves nothing
/// and costs nothing.
fn severity_of(diagnosis: &Diagnosis, rule: &'static Rule) -> Severity {
    let has = |wanted: fn(Family) -> bool| {
        diagnosis.judged().any(|(_, judged)| judged.reading.scan.live().any(|entry| wanted(entry.family())))
    };
    match () {
        () if rule == &rules::RUN_LOG_TORN => Severity::Info,
        () if rule == &rules::CRON_JOBS_UNREADABLE && !has(Family::is_cron) => Severity::Info,
        () if rule == &rules::REGISTRY_UNREADABLE && !has(|family| family == Family::SubAgent) => {
            Severity::Info
        }
        () => Severity::Warning,
    }
}

fn era(diagnosis: &Diagnosis) -> Option<Finding> {
    let situation = &diagnosis.situation;
    let message = match situation.era {
        Era::Json => return None,
        Era::CronSqlite => {
            "cron jobs, their runs and sub-agents live in state/openclaw.sqlite; sessions do not".to_owned()
        }
        Era::Sqlite => "sessions live in SQLite".to_owned(),
        Era::Unknown => {
            let why = situation.era_unknown.as_deref().unwrap_or("a database could not be read");
            format!("it is not known where sessions live, so nothing is written: {why}")
        }
    };
    let era = finding(&rules::ERA_SQLITE, Severity::Info, message);
    Some(era.fix("for what is in the database use `openclaw doctor` and `openclaw sessions cleanup`"))
}

/// What a store is where sessions live in SQLite: one that waits to be imported, or one that nobody may write.
fn migrated(diagnosis: &Diagnosis, at: usize, path: &str) -> Option<Finding> {
    let store = &diagnosis.stores[at];
    if store.file.in_database {
        // What there is to say of it is said of the directory.
        return None;
    }
    let told = |message| finding(&rules::ERA_SQLITE, Severity::Info, message);
    match (&store.held, diagnosis.situation.era) {
        (_, Era::Unknown) => None,
        (Some(why), _) => {
            Some(told(format!("{path}: {why}: it is not written to")).fix("use `openclaw doctor`"))
        }
        (None, Era::Sqlite) => {
            let message = format!(
                "{path}: nothing reads this file but the migration, and no record says that it was imported: it may be \
                 repaired while the gateway is stopped"
            );
            Some(told(message).fix("once it is sound: `openclaw doctor --fix` imports it"))
        }
        (None, Era::Json | Era::CronSqlite) => None,
    }
}

fn gateway(diagnosis: &Diagnosis) -> Option<Finding> {
    match diagnosis.evidence.gateway {
        Life::Stopped => None,
        Life::Running { .. } => {
            let message = "the gateway runs: nothing is written beside it".to_owned();
            Some(
                finding(&rules::GATEWAY_RUNNING, Severity::Info, message)
                    .fix("stop it before `prune --apply`"),
            )
        }
        Life::Unknown => {
            let message =
                "it could not be established that the gateway is stopped: no verdict rests on that, \
                           and nothing is written"
                    .to_owned();
            let hint = "stop it; if it is stopped and you know it, say --gateway stopped";
            Some(finding(&rules::GATEWAY_UNKNOWN, Severity::Info, message).fix(hint))
        }
    }
}

/// What there is to say of one store.
pub fn of_store(diagnosis: &Diagnosis, at: usize, fate: &Fate, told: &StoreReport) -> Vec<Finding> {
    let path = told.path.clone();
    let mut findings = match &diagnosis.stores[at].condition {
        Condition::Absent => Vec::new(),
        Condition::Missing => {
            let message = format!("{path}: there is no store, though its transcripts or copies remain");
            vec![finding(&rules::MISSING, Severity::Error, message).fix(KEEP_STOPPED)]
        }
        Condition::Busy(why) => {
            vec![io_finding(format!("{path}: {why}; run again when nobody writes to it"))]
        }
        Condition::Failed(error) => vec![io_finding(format!("{path}: {error}; check path and permissions"))],
        Condition::Damaged(_, damage) => damage.iter().map(|damage| of_damage(&path, damage)).collect(),
        Condition::Whole(judged) if diagnosis.stores[at].file.in_database => of_entries(judged),
        Condition::Whole(judged) => of_whole(judged, fate, told),
    };
    findings.extend(of_loss(&path, &diagnosis.stores[at].loss));
    findings.extend(migrated(diagnosis, at, &path));
    if fate.recovers && fate.outcome == Outcome::Applied {
        findings.iter_mut().for_each(was);
    }
    findings.into_iter().map(|finding| finding.at(path.clone())).collect()
}

/// What a recovery was for: told, but no longer wrong.
fn was(finding: &mut Finding) {
    if finding.severity == Severity::Error {
        (finding.severity, finding.fix_hint) = (Severity::Info, None);
    }
}

fn of_loss(path: &str, loss: &Loss) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Some(rotated) = &loss.rotated {
        let message = format!(
            "{path}: {} holds {} that the store lacks, and nothing in the store is older: its entries were rotated away",
            rotated.path.display(),
            Counted::entries(rotated.entries)
        );
        let finding = finding(&rules::ROTATED_AWAY, Severity::Error, message).times(rotated.entries);
        findings.push(finding.fix(RECOVER));
    }
    if let Some(wiped) = &loss.wiped {
        let message = format!(
            "{path}: {} that are in no store are named elsewhere, the first by {}",
            Counted(wiped.keys, "session", "sessions"),
            wiped.told_by
        );
        let finding = finding(&rules::WIPED, Severity::Warning, message).times(wiped.keys);
        findings.push(finding.fix("look with `sessions-doctor recover --confidence likely`"));
    }
    for (copy, why) in &loss.unreadable {
        findings.push(
            io_finding(format!("{}: {why}; whether it holds lost entries is not known", copy.display()))
                .severity(Severity::Warning),
        );
    }
    findings
}

const RECOVER: &str = "keep the gateway stopped and look with `sessions-doctor recover`";

const KEEP_STOPPED: &str = "keep the gateway stopped: it takes such a store for empty and overwrites it; look with \
                            `sessions-doctor recover`";

fn io_finding(message: String) -> Finding {
    Finding {
        check_id: "store-unreadable",
        severity: Severity::Error,
        message,
        path: None,
        count: None,
        fix_hint: None,
    }
}

fn of_damage(path: &str, damage: &Damaged) -> Finding {
    let message = format!(
        "{path}:{}:{} (byte {}): {}: {}; OpenClaw would take this store for empty and overwrite it",
        damage.line, damage.column, damage.start, damage.rule.title, damage.detail
    );
    finding(damage.rule, Severity::Error, message).fix(KEEP_STOPPED)
}

fn of_whole(judged: &Judged, fate: &Fate, told: &StoreReport) -> Vec<Finding> {
    let mut findings = Vec::new();
    let outcome = &judged.reading.scan.outcome;
    if let Some(offset) = outcome.first_invalid_utf8 {
        let message = format!(
            "bytes that are not UTF-8, first at byte {offset}: OpenClaw reads replacement characters there"
        );
        findings.push(finding(&rules::INVALID_UTF8, Severity::Warning, message));
    }
    let applied = fate.outcome == crate::report::model::Outcome::Applied;
    let left = told.bytes_after.filter(|_| applied).unwrap_or(judged.reading.bytes);
    if left > rules::LARGEST {
        let message = format!(
            "{left} bytes, more than Node can read as one string: OpenClaw takes the store for empty"
        );
        findings.push(
            finding(&rules::OVERSIZED, Severity::Error, message).fix("prune it before the gateway starts"),
        );
    }
    findings.extend(compacted(judged.plan.summary.compacted));
    findings.extend(heap(told, applied));
    if let Some(lock) = judged.sessions.stale_store_lock.as_ref().filter(|_| !applied) {
        let message = format!("{}: its owner is dead; whoever writes next takes it over", lock.display());
        findings.push(finding(&rules::LOCK_STALE, Severity::Info, message));
    }
    for brake in &told.brakes {
        let message = format!(
            "{} of family {} would go, {:.0} % of it: left out of the plan",
            brake.entries, brake.family, brake.share
        );
        let tripped = finding(&rules::BRAKE_TRIPPED, Severity::Warning, message).times(brake.entries);
        findings.push(
            tripped.fix(
                "see them with `prune --allow-removal 100 -v`; with --allow-removal PERCENT they may go",
            ),
        );
    }
    findings.extend(of_entries(judged));
    findings
}

/// What it costs to leave white space out.
fn compacted(white: u64) -> Option<Finding> {
    let message = format!(
        "without its {} of white space OpenClaw reads the store as before, but saves of single entries (from 2026.5.28 on) \
         are fast only where it has two blanks of indent, and the next save writes it with those again",
        Size(white)
    );
    (white > 0).then(|| finding(&slim_cache::RULE, Severity::Warning, message).times(white))
}

fn heap(told: &StoreReport, applied: bool) -> Option<Finding> {
    let forecast = told.forecast.as_ref()?;
    let limit = forecast.heap_limit_bytes?;
    if forecast.fits == Some(true) || applied {
        return None;
    }
    let message = format!(
        "loading this store takes {} to {} of heap, and the gateway's Node has {}",
        Size(forecast.heap_bytes_low),
        Size(forecast.heap_bytes_high),
        Size(limit)
    );
    Some(finding(&rules::HEAP_FORECAST, Severity::Warning, message).fix("prune it, or give Node more heap"))
}

/// Observations on entries, counted.
fn of_entries(judged: &Judged) -> Vec<Finding> {
    let decisions = &judged.plan.decisions;
    let of_rule = |rule: &'static Rule| {
        let hits = decisions.iter().filter(|decision| decision.rule() == rule && !decision.is_change());
        hits.count() as u64
    };
    let interrupted = judged.reading.scan.live().filter(|entry| {
        entry.status == Status::Running && !entry.family().is_cron() && entry.family() != Family::Unknown
    });
    let missing = judged
        .reading
        .scan
        .live()
        .filter(|entry| !entry.is(Flags::NOT_OBJECT) && judged.sessions.lacks(entry));
    let rows = [
        (&malformed_entry::RULE, Severity::Warning, of_rule(&malformed_entry::RULE)),
        (&malformed_session_id::RULE, Severity::Warning, of_rule(&malformed_session_id::RULE)),
        (&alias_key::RULE, Severity::Warning, of_rule(&alias_key::RULE)),
        (&rules::INTERRUPTED, Severity::Info, interrupted.count() as u64),
        (&rules::MISSING_TRANSCRIPT, Severity::Info, missing.count() as u64),
    ];
    let told = rows.into_iter().filter(|(_, _, count)| *count > 0);
    told.map(|(rule, severity, count)| {
        finding(rule, severity, format!("{count} entries: {}", rule.title)).times(count)
    })
    .collect()
}
