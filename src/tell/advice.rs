//! Advice on OpenClaw's configuration, put together from what a report tells of the stores.

use crate::diagnose::{Diagnosis, Judged};
use crate::model::Millis;
use crate::model::key::Family;
use crate::openclaw::config::{MaintenanceMode, Retention};
use crate::report::model::{Era, Finding, JobReport, Severity, StoreReport};
use crate::rules::config::{self, Advice, Churn, Grown, Settings, Version};

const DAY: Millis = 86_400_000;

/// What to say about the configuration under which a store lives; nothing where that could not be resolved.
pub fn of_store(diagnosis: &Diagnosis, judged: &Judged, told: &StoreReport) -> Vec<Finding> {
    let situation = &diagnosis.situation;
    if situation.config_error.is_some() || situation.era == Era::Sqlite {
        return Vec::new();
    }
    let grown = grown(judged, told, diagnosis.now());
    let churn: Vec<Churn> = told.jobs.iter().filter_map(churn).collect();
    let advice = config::of_store(&settings(diagnosis), &grown, &churn);
    let path = situation.config_path.display().to_string();
    advice.into_iter().map(|advice| finding(advice, &path)).collect()
}

fn finding(advice: Advice, path: &str) -> Finding {
    Finding {
        check_id: advice.rule.id,
        severity: if advice.urgent { Severity::Warning } else { Severity::Info },
        message: advice.message,
        path: Some(path.to_owned()),
        count: None,
        fix_hint: Some(advice.setting),
    }
}

fn settings(diagnosis: &Diagnosis) -> Settings {
    let config = &diagnosis.situation.config;
    let maintenance = &config.session.maintenance;
    Settings {
        enforce: maintenance.mode.map(|mode| mode == MaintenanceMode::Enforce),
        max_entries: maintenance.max_entries,
        rotate_bytes: maintenance.rotate_bytes,
        retention: match config.cron.session_retention {
            Retention::Ms(ms) => Some(ms),
            Retention::Off => None,
        },
        version: diagnosis.gateway.seen.version.as_deref().and_then(version),
    }
}

/// `2026.4.24`, whatever stands behind it.
fn version(text: &str) -> Option<Version> {
    let mut numbers = text.split(['.', '-']).map(str::parse);
    let mut next = || numbers.next()?.ok();
    Some([next()?, next()?, next()?])
}

fn grown(judged: &Judged, told: &StoreReport, now: Millis) -> Grown {
    let is_old = |at: Millis| now.saturating_sub(at) > DAY;
    let (mut runs, mut old_runs) = (0, 0);
    for entry in judged.reading.scan.live().filter(|entry| entry.family() == Family::RunRecord) {
        runs += 1;
        old_runs += u64::from(entry.updated_at.past(now).is_some_and(is_old));
    }
    Grown {
        bytes: judged.reading.bytes,
        lasting: told.entries.total - runs,
        runs,
        old_runs,
        entries_per_day: told.growth.as_ref().map(|growth| growth.entries_per_day_low),
        bytes_per_day: told.growth.as_ref().map_or(0, |growth| growth.bytes_per_day_low),
    }
}

/// What a job that still exists leaves behind, by the records of its runs in the store.
fn churn(job: &JobReport) -> Option<Churn> {
    let span = job.last_at?.checked_sub(job.first_at?).filter(|&span| span >= DAY / 24)?;
    let a_day = |amount: u64| (u128::from(amount) * DAY as u128 / span.unsigned_abs().max(1) as u128) as u64;
    (job.known == Some(true)).then(|| Churn {
        job: job.name.clone().unwrap_or_else(|| job.job_id.clone()),
        entries_per_day: a_day(job.entries.saturating_sub(1)),
        bytes_per_day: a_day(job.bytes),
    })
}

#[cfg(test)]
mod tests {
    use super::version;

    #[test]
    fn a_version_is_its_first_three_numbers() {
        assert_eq!(version("2026.4.24"), Some([2026, 4, 24]));
        assert_eq!(version("2026.7.2-beta.4"), Some([2026, 7, 2]));
        assert_eq!((version("2026.4"), version("v1.2.3"), version("")), (None, None, None));
    }
}
