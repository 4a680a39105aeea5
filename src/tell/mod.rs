//! From a diagnosis to a report: counts, findings, the next step.
//!
//! What you may touch here: the open files of a diagnosis, to read keys and labels again; nothing else. The
//! values go to `report`, which writes them.

pub mod advice;
pub mod bloat;
pub mod changes;
pub mod cron;
pub mod findings;
mod intervals;
pub mod jobs;
pub mod next;
pub mod recovery;
pub mod store;
pub mod sweep;
pub mod validate;

use crate::diagnose::{Condition, Diagnosis};
use crate::exit::Exit;
use crate::model::plan::PieceTable;
use crate::report::model::{Backup, FileReport, Finding, Outcome, Report, Severity, Tool};

/// What became of one store.
#[derive(Clone, Debug)]
pub struct Fate {
    /// The new store, where there is a plan.
    pub table: Option<PieceTable>,
    /// What became of it.
    pub outcome: Outcome,
    /// Where its original lies.
    pub backup: Option<Backup>,
    /// What there is to say of it.
    pub findings: Vec<Finding>,
    /// What it means for the exit code.
    pub exit: Exit,
    /// Whether the table brings back what the store lost.
    pub recovers: bool,
}

impl Fate {
    /// Nothing was tried.
    pub fn untouched(table: Option<PieceTable>) -> Self {
        Fate {
            table,
            outcome: Outcome::Unchanged,
            backup: None,
            findings: Vec::new(),
            exit: Exit::Healthy,
            recovers: false,
        }
    }
}

/// Builds the report. `fates` go with the stores of the diagnosis.
pub fn report(
    diagnosis: &mut Diagnosis,
    fates: &[Fate],
    command: &str,
    applied: bool,
) -> std::io::Result<Report> {
    let mut stores = Vec::new();
    let mut findings = findings::of_directory(diagnosis);
    let mut cron_jobs = Vec::new();
    if command == "check" {
        findings.extend(sweep::hints(diagnosis));
        let mut jobs = crate::diagnose::cron::judge(diagnosis, &[]);
        findings.extend(cron::findings(diagnosis, &jobs, &|_| false));
        jobs.retain(cron::is_told);
        cron_jobs = cron::rows(diagnosis, &jobs, &|_| Outcome::Unchanged);
    }
    let mut exit = Exit::Healthy;
    for (at, fate) in fates.iter().enumerate() {
        if !diagnosis.stores[at].is_told() {
            continue;
        }
        let told = match store::tell(diagnosis, at, fate) {
            Err(error) if fate.outcome != Outcome::Applied => {
                diagnosis.stores[at].condition = Condition::of_error(error);
                store::tell(diagnosis, at, fate)?
            }
            told => told?,
        };
        let mut own = findings::of_store(diagnosis, at, fate, &told);
        own.extend(fate.findings.iter().cloned());
        if let Some(judged) = diagnosis.stores[at].judged().filter(|_| fate.outcome != Outcome::Applied) {
            own.extend(advice::of_store(diagnosis, judged, &told));
        }
        exit = exit.worst(fate.exit).worst(exit_of(diagnosis, at, fate, applied));
        stores.push(told);
        findings.extend(own);
    }
    let counts = |finding: &Finding| {
        finding.severity == Severity::Error || finding.severity == Severity::Warning && !applied
    };
    if findings.iter().any(counts) {
        exit = exit.worst(Exit::Findings);
    }
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    Ok(Report { cron_jobs, stores, findings, exit_code: exit.code(), ..blank(diagnosis, command, applied) })
}

/// A report on what lies beside the stores, and on none of them.
fn of_files(
    diagnosis: &Diagnosis,
    command: &str,
    applied: bool,
    files: Vec<FileReport>,
    findings: Vec<Finding>,
    exit: Exit,
) -> Report {
    Report { files, findings, exit_code: exit.code(), ..blank(diagnosis, command, applied) }
}

/// Where was looked, and at what; nothing of what was found.
fn blank(diagnosis: &Diagnosis, command: &str, applied: bool) -> Report {
    let situation = &diagnosis.situation;
    Report {
        schema: "sessions-doctor/report",
        version: 1,
        tool: tool(),
        command: command.to_owned(),
        applied,
        now: diagnosis.now(),
        state_dir: situation.exists.then(|| situation.state_dir.display().to_string()),
        era: situation.era,
        gateway: diagnosis.gateway.report(),
        evidence: diagnosis.items.clone(),
        cron_jobs: Vec::new(),
        files: Vec::new(),
        runs: Vec::new(),
        stores: Vec::new(),
        findings: Vec::new(),
        complete: true,
        exit_code: Exit::Healthy.code(),
    }
}

/// This program.
pub fn tool() -> Tool {
    Tool { name: env!("CARGO_PKG_NAME"), version: env!("CARGO_PKG_VERSION") }
}

/// A sound store that lost its entries is as good as a damaged one; a loss that is only likely is a warning, and
/// warnings do not count once a plan is applied.
fn exit_of_loss(diagnosis: &Diagnosis, at: usize, fate: &Fate, applied: bool) -> Exit {
    let loss = &diagnosis.stores[at].loss;
    let recovered = fate.outcome == Outcome::Applied && fate.recovers;
    let counts = loss.rotated.is_some() || loss.wiped.is_some() && !applied;
    if counts && !recovered { Exit::Damaged } else { Exit::Healthy }
}

/// What a store means for the exit code where nothing is to be done about it.
fn exit_of_condition(diagnosis: &Diagnosis, at: usize) -> Exit {
    match exit_of(diagnosis, at, &Fate::untouched(None), false) {
        Exit::Findings => Exit::Healthy,
        exit => exit,
    }
}

/// What the condition of a store means for the exit code.
fn exit_of(diagnosis: &Diagnosis, at: usize, fate: &Fate, applied: bool) -> Exit {
    match &diagnosis.stores[at].condition {
        Condition::Absent => Exit::Healthy,
        Condition::Missing | Condition::Damaged(..) if fate.outcome == Outcome::Applied => Exit::Healthy,
        Condition::Missing | Condition::Damaged(..) => Exit::Damaged,
        Condition::Busy(_) => Exit::Busy,
        Condition::Failed(_) => Exit::Io,
        Condition::Whole(judged) => {
            let changes = judged.plan.summary.is_change() && fate.table.is_some();
            let own = if !applied && changes { Exit::Findings } else { Exit::Healthy };
            own.worst(exit_of_loss(diagnosis, at, fate, applied))
        }
    }
}
