//! `cron`: what the next start does with stuck jobs, then every job in a table.

use std::io;

use super::Verbosity;
use super::page::Page;
use crate::report::escape::Shown;
use crate::report::format::{Count, Moment, Span};
use crate::report::model::{CronJobReport, Outcome, Report};

/// Jobs that are shown where nobody asked for more, besides those with a verdict.
const SHOWN: usize = 20;

/// Writes the jobs, in the order of the report.
pub(super) fn write(page: &mut Page<'_>, report: &Report, verbosity: Verbosity) -> io::Result<()> {
    if report.command != "cron" || verbosity == Verbosity::Quiet {
        return Ok(());
    }
    if report.cron_jobs.is_empty() {
        return page.line(0, "No cron job is known here.");
    }
    next_starts(page, report)?;
    let all = verbosity == Verbosity::Verbose;
    let shown = |(at, job): &(usize, &CronJobReport)| all || *at < SHOWN || job.verdict != "live";
    let listed: Vec<&CronJobReport> =
        report.cron_jobs.iter().enumerate().filter(shown).map(|(_, job)| job).collect();
    let rows = listed.iter().map(|job| row(job, report.now)).collect();
    page.gap();
    let head =
        ["cron job", "schedule", "enabled", "last run", "went", "runs", "every", "marked since", "verdict"];
    page.table(0, &head, rows, &[5, 6])?;
    let hidden = report.cron_jobs.len() - listed.len();
    if hidden > 0 {
        page.line(0, format_args!("{} more jobs; -v lists them", Count(hidden as u64)))?;
    }
    for job in listed.iter().filter(|job| !job.reasons.is_empty()) {
        page.gap();
        page.title(0, Shown::new(&job.job_id).max(60))?;
        for reason in &job.reasons {
            page.wrapped(2, "", None, &Shown::new(reason))?;
        }
    }
    Ok(())
}

/// What is said of several jobs in the same words is said once.
fn next_starts(page: &mut Page<'_>, report: &Report) -> io::Result<()> {
    let mut told: Vec<&str> = Vec::new();
    for text in report.cron_jobs.iter().filter_map(|job| job.next_start.as_deref()) {
        if !told.contains(&text) {
            told.push(text);
            let jobs = report.cron_jobs.iter().filter(|job| job.next_start.as_deref() == Some(text)).count();
            page.wrapped(
                0,
                "",
                None,
                &format_args!("Stuck ({}): {}.", Count(jobs as u64), Shown::new(text)),
            )?;
        }
    }
    Ok(())
}

fn row(job: &CronJobReport, now: i64) -> Vec<String> {
    let ago = |at: i64| if at > now { Moment(at).to_string() } else { format!("{} ago", Span(now - at)) };
    let enabled = match job.enabled {
        Some(true) => "yes",
        Some(false) => "no",
        None => "",
    };
    let id = Shown::new(&job.job_id);
    let name =
        job.name.as_ref().map_or_else(|| id.max(22).to_string(), |name| Shown::new(name).max(22).to_string());
    vec![
        name,
        Shown::new(&job.schedule).max(22).to_string(),
        enabled.to_owned(),
        job.last_run_at.map(ago).unwrap_or_default(),
        job.last_status.as_ref().map(|status| Shown::new(status).max(9).to_string()).unwrap_or_default(),
        Count(job.runs).to_string(),
        job.median_interval_ms.map(|ms| Span(ms).to_string()).unwrap_or_default(),
        job.running_at_ms.map(ago).unwrap_or_default(),
        verdict(job),
    ]
}

fn verdict(job: &CronJobReport) -> String {
    let sure = job.confidence.map(|sure| format!(" ({sure})")).unwrap_or_default();
    match (job.verdict.as_str(), job.outcome) {
        ("live", _) => String::new(),
        ("cron-stuck-marker", Outcome::Applied) => "cleared".to_owned(),
        ("cron-stuck-marker", _) => format!("stuck{sure}"),
        ("cron-runaway-job", _) => "runs away".to_owned(),
        (other, _) => Shown::new(other).max(24).to_string(),
    }
}
