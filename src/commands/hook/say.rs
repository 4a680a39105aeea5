//! What `hook` says: the files as `systemctl cat` shows them, or what became of each.

use std::io;

use super::files::{Deed, Row};
use super::site::Site;
use crate::commands::speak;
use crate::diagnose::run::Edge;
use crate::exit::Exit;
use crate::report::escape::Shown;
use crate::report::model::{FileReport, Finding, NoChanges, Severity};
use crate::report::redact::Redactor;

/// What there is to say.
pub struct Told {
    /// The files.
    pub rows: Vec<Row>,
    /// Notes, and what went wrong.
    pub findings: Vec<Finding>,
    /// What to type next.
    pub steps: Vec<String>,
    /// What came of it.
    pub exit: Exit,
    /// Whether files were to be written or removed.
    pub applied: bool,
}

/// Prints the files themselves.
pub fn texts(edge: &Edge<'_>, site: &Site, told: &Told) -> anyhow::Result<Exit> {
    if edge.request.output.json {
        return json(edge, told);
    }
    let redactor = speak::redactor(edge, None);
    finish(told.exit, print_texts(edge, site, told, &redactor))
}

fn print_texts(edge: &Edge<'_>, site: &Site, told: &Told, redactor: &Redactor) -> io::Result<()> {
    for (row, file) in told.rows.iter().zip(&site.files) {
        let path = redactor.path(&row.path.display().to_string());
        let mut out = edge.out.borrow_mut();
        writeln!(out, "# {}", Shown::new(&path))?;
        // Who knows the rest could guess what a tag hides by the hash in the first line.
        for line in file.text.lines().skip(usize::from(redactor.is_on())) {
            writeln!(out, "{}", Shown::new(&redactor.prose(line, &[])))?;
        }
        writeln!(out)?;
    }
    remarks(edge, told, redactor)
}

/// Says what became of each file.
pub fn rows(edge: &Edge<'_>, told: &Told) -> anyhow::Result<Exit> {
    if edge.request.output.json {
        return json(edge, told);
    }
    let redactor = speak::redactor(edge, None);
    finish(told.exit, print_rows(edge, told, &redactor))
}

fn print_rows(edge: &Edge<'_>, told: &Told, redactor: &Redactor) -> io::Result<()> {
    for row in &told.rows {
        let word = match row.deed {
            Deed::Create => "created",
            Deed::Replace => "replaced",
            Deed::Keep => "unchanged",
            Deed::Remove => "removed",
            Deed::Refuse(_) => "refused",
            Deed::Absent => "not there",
        };
        let path = redactor.path(&row.path.display().to_string());
        writeln!(edge.out.borrow_mut(), "{word:<10} {}", Shown::new(&path))?;
    }
    remarks(edge, told, redactor)
}

/// Findings, then the next steps.
fn remarks(edge: &Edge<'_>, told: &Told, redactor: &Redactor) -> io::Result<()> {
    let mut out = edge.out.borrow_mut();
    let quiet = edge.request.output.quiet;
    for finding in told.findings.iter().filter(|finding| !quiet || finding.severity == Severity::Error) {
        let word = match finding.severity {
            Severity::Info => "note",
            Severity::Warning => "warning",
            Severity::Error => "error",
        };
        let path = finding.path.as_deref().map(|path| redactor.path(path)).unwrap_or_default();
        let message = redactor.prose(&finding.message, &[]);
        writeln!(out, "{word}: {}: {}", Shown::new(&path), Shown::new(&message))?;
        for hint in finding.fix_hint.iter().filter(|_| !quiet) {
            writeln!(out, "  -> {}", Shown::new(&redactor.prose(hint, &[])))?;
        }
    }
    if !told.steps.is_empty() && !quiet {
        writeln!(out, "Next:")?;
        for step in &told.steps {
            writeln!(out, "  {}", Shown::new(&redactor.prose(step, &[])))?;
        }
    }
    out.flush()
}

/// Whoever closed the pipe has seen enough.
fn finish(exit: Exit, written: io::Result<()>) -> anyhow::Result<Exit> {
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(anyhow::Error::from(error).context("what was done could not be written to stdout"))
        }
        _ => Ok(exit),
    }
}

fn json(edge: &Edge<'_>, told: &Told) -> anyhow::Result<Exit> {
    let mut report = speak::blank("hook", edge.host.now_ms);
    report.applied = told.applied;
    report.complete = told.exit != Exit::Io;
    report.exit_code = told.exit.code();
    report.findings.clone_from(&told.findings);
    report.files = told.rows.iter().map(row).collect();
    let redactor = speak::redactor(edge, None);
    speak::report_with(edge, report, &mut NoChanges, Vec::new(), &redactor)
}

fn row(row: &Row) -> FileReport {
    let action = match row.deed {
        Deed::Create => "create",
        Deed::Replace => "replace",
        Deed::Keep => "keep",
        Deed::Remove => "remove",
        Deed::Refuse(_) => "refuse",
        Deed::Absent => "none",
    };
    FileReport {
        path: row.path.display().to_string(),
        rule: "hook".to_owned(),
        action: action.to_owned(),
        bytes: row.bytes,
        to: None,
    }
}
