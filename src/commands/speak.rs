//! Writes a report to stdout in the form that was asked for.

use std::fs;
use std::io::{self, IsTerminal};

use crate::apply::secret;
use crate::cli::args::WhenArg;
use crate::diagnose::Diagnosis;
use crate::diagnose::run::{Edge, LookError};
use crate::evidence::discover::Situation;
use crate::evidence::gateway;
use crate::exit::Exit;
use crate::host::files;
use crate::report::escape::Shown;
use crate::report::human::{self, Verbosity};
use crate::report::json;
use crate::report::model::{Changes, Era, Finding, GatewayReport, NoChanges, Report, Severity};
use crate::report::redact::{Redacted, Redactor, redact_report};
use crate::report::style::Style;
use crate::tell::changes::DiagnosisChanges;
use crate::tell::{self, Fate, next};

/// Says what a diagnosis came to, and what became of its stores.
pub fn diagnosis(
    edge: &Edge<'_>,
    diagnosis: &mut Diagnosis,
    fates: &[Fate],
    applied: bool,
) -> anyhow::Result<Exit> {
    let report = tell::report(diagnosis, fates, edge.request.verb.name(), applied)?;
    told(edge, diagnosis, fates, report)
}

/// Says a report that was made of a diagnosis.
pub fn told(
    edge: &Edge<'_>,
    diagnosis: &mut Diagnosis,
    fates: &[Fate],
    report: Report,
) -> anyhow::Result<Exit> {
    let steps = next::steps(diagnosis, fates, edge.request);
    let redactor = redactor(edge, Some(diagnosis));
    let which = if edge.request.output.json {
        edge.request.output.entries
    } else {
        crate::cli::args::EntriesArg::Changed
    };
    let mut changes = DiagnosisChanges { diagnosis, which };
    report_with(edge, report, &mut changes, steps, &redactor)
}

/// Writes a report with its changes.
pub fn report_with(
    edge: &Edge<'_>,
    mut report: Report,
    changes: &mut dyn Changes,
    steps: Vec<String>,
    redactor: &Redactor,
) -> anyhow::Result<Exit> {
    let output = &edge.request.output;
    redact_report(redactor, &mut report);
    let steps = steps.iter().map(|step| redactor.prose(step, &[])).collect();
    let mut changes = Redacted::new(redactor, changes);
    let stdout = io::stdout();
    let colour = colour(edge);
    let columns =
        stdout.is_terminal().then(|| edge.host.var("COLUMNS").and_then(|text| text.parse().ok())).flatten();
    let mut out = edge.out.borrow_mut();
    let written = if output.json {
        json::write(&mut *out, &report, &mut changes)
    } else {
        let verbosity = match (output.quiet, output.verbose) {
            (true, _) => Verbosity::Quiet,
            (_, true) => Verbosity::Verbose,
            _ => Verbosity::Normal,
        };
        let options = human::Options { style: Style::new(colour, columns), verbosity, next_steps: steps };
        human::write(&mut *out, &report, &mut changes, &options)
    };
    let written = written.and_then(|written| out.flush().map(|()| written));
    match written {
        Ok(written) => Ok(exit_of(written.exit_code)),
        // Whoever closed the pipe has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(exit_of(report.exit_code)),
        Err(error) => Err(anyhow::Error::from(error).context("the report could not be written to stdout")),
    }
}

/// Whether what goes to stdout has colours.
pub fn colour(edge: &Edge<'_>) -> bool {
    match edge.request.output.color {
        WhenArg::Always => true,
        WhenArg::Never => false,
        WhenArg::Auto => {
            io::stdout().is_terminal() && edge.host.var("NO_COLOR").is_none_or(|set| set.is_empty())
        }
    }
}

/// Says some lines on stdout, for people.
pub fn lines(edge: &Edge<'_>, lines: impl Iterator<Item = String>) -> anyhow::Result<()> {
    let redactor = redactor(edge, None);
    let mut out = edge.out.borrow_mut();
    for line in lines {
        writeln!(out, "{}", Shown::new(&redactor.prose(&line, &[])))?;
    }
    Ok(out.flush()?)
}

/// Says why there is no diagnosis: as a report for scripts, as a sentence for people.
pub fn failure(edge: &Edge<'_>, error: &LookError) -> anyhow::Result<Exit> {
    let exit = match error {
        LookError::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof => Exit::Busy,
        LookError::Discover(_) | LookError::Io(_) => Exit::Io,
        LookError::Glob(_) => Exit::Usage,
        LookError::Cancelled(exit) => *exit,
    };
    end(edge, exit, "look-failed", &error.to_string())
}

/// Ends a command with a sentence: on stderr for people, and in an otherwise empty report for scripts.
pub fn end(edge: &Edge<'_>, exit: Exit, check_id: &'static str, message: &str) -> anyhow::Result<Exit> {
    say(edge, message);
    if edge.request.output.json {
        let mut report = blank(edge.request.verb.name(), edge.request.now.unwrap_or(edge.host.now_ms));
        report.complete = exit == Exit::Healthy;
        report.exit_code = exit.code();
        report.findings.push(Finding {
            check_id,
            severity: if exit == Exit::Healthy { Severity::Info } else { Severity::Error },
            message: message.to_owned(),
            path: None,
            count: None,
            fix_hint: None,
        });
        let redactor = redactor(edge, None);
        report_with(edge, report, &mut NoChanges, Vec::new(), &redactor)?;
    }
    Ok(exit)
}

/// A sentence on stderr, fit for a terminal, and for others to see where that is wanted.
pub fn say(edge: &Edge<'_>, message: &str) {
    let message = redactor(edge, None).prose(message, &[]);
    eprintln!("sessions-doctor: {}", Shown::new(&message));
}

/// A report on nothing but the situation.
pub fn of_situation(edge: &Edge<'_>, situation: &Situation) -> Report {
    let now = edge.request.now.unwrap_or(edge.host.now_ms);
    let mut report = blank(edge.request.verb.name(), now);
    report.state_dir = situation.exists.then(|| situation.state_dir.display().to_string());
    report.era = situation.era;
    report.gateway = gateway::weigh(situation, edge.host, edge.system, edge.request.gateway, now).report();
    report
}

/// A report that says nothing yet.
pub fn blank(command: &str, now: crate::model::Millis) -> Report {
    Report {
        schema: "sessions-doctor/report",
        version: 1,
        tool: tell::tool(),
        command: command.to_owned(),
        applied: false,
        now,
        state_dir: None,
        era: Era::Unknown,
        gateway: GatewayReport {
            running: None,
            pid: None,
            started_at: None,
            version: None,
            evidence: Vec::new(),
        },
        evidence: Vec::new(),
        cron_jobs: Vec::new(),
        files: Vec::new(),
        runs: Vec::new(),
        stores: Vec::new(),
        findings: Vec::new(),
        complete: true,
        exit_code: 0,
    }
}

/// The redactor of this installation: by the key beside the runs where one lies there, else by a fresh one
/// that makes tags comparable within this report alone. Off without `--redact`.
pub fn redactor(edge: &Edge<'_>, diagnosis: Option<&Diagnosis>) -> Redactor {
    if !edge.request.output.redact {
        return Redactor::new(None);
    }
    let file = diagnosis.map(|diagnosis| diagnosis.situation.state_dir.join("sessions-doctor/redact.key"));
    let kept = file.as_ref().and_then(|path| files::read_regular(path).ok()).filter(|key| !key.is_empty());
    let key = kept.unwrap_or_else(|| {
        let key = fresh_key();
        if let Some(path) = file.filter(|_| edge.request.verb.writes()) {
            // Without it the tags of this report are comparable among themselves only.
            if let Err(error) = secret::keep(edge.writer.disk, &path, &key) {
                log::warn!("the key of the tags could not be kept: {error}");
            }
        }
        key
    });
    let redactor = Redactor::new(Some(&key));
    match edge.host.home.as_ref().and_then(|home| home.to_str()) {
        Some(home) => redactor.with_home(home),
        None => redactor,
    }
}

/// Thirty-two bytes of the kernel; where that fails, bytes that at least differ from run to run.
pub fn fresh_key() -> Vec<u8> {
    let mut key = [0u8; 32];
    let read =
        fs::File::open("/dev/urandom").and_then(|mut random| io::Read::read_exact(&mut random, &mut key));
    if read.is_err() {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        key[..16].copy_from_slice(&now.as_nanos().to_le_bytes());
        key[16..20].copy_from_slice(&std::process::id().to_le_bytes());
    }
    key.to_vec()
}

/// The exit code that a report holds.
pub fn exit_of(code: u8) -> Exit {
    let all = [
        Exit::Findings,
        Exit::Usage,
        Exit::Damaged,
        Exit::Busy,
        Exit::Refused,
        Exit::Io,
        Exit::Interrupted,
        Exit::Terminated,
    ];
    all.into_iter().find(|exit| exit.code() == code).unwrap_or(Exit::Healthy)
}
