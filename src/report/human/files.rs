//! Files that nothing needs any more: the largest, and what becomes of them.

use std::io;

use super::Verbosity;
use super::page::Page;
use crate::report::escape::Shown;
use crate::report::format::Size;
use crate::report::model::{FileReport, OTHER, Report, Severity};

/// Rows that are shown without `-v`.
const SHOWN: usize = 10;

/// Writes the files, the largest first.
pub(super) fn write(page: &mut Page<'_>, report: &Report, verbosity: Verbosity) -> io::Result<()> {
    let calm = report.findings.iter().all(|finding| finding.severity == Severity::Info);
    if report.command == "sweep" && report.files.is_empty() && calm {
        return page.line(0, "Nothing to clear away.");
    }
    if report.files.is_empty() || verbosity == Verbosity::Quiet {
        return Ok(());
    }
    let (files, others): (Vec<&FileReport>, Vec<&FileReport>) =
        report.files.iter().partition(|file| file.path != OTHER);
    let most = if verbosity == Verbosity::Verbose { usize::MAX } else { SHOWN };
    page.gap();
    page.title(0, "Files")?;
    page.table(
        2,
        &["bytes", "rule", "plan", "file"],
        files.iter().take(most).map(|file| row(file)).collect(),
        &[0],
    )?;
    let hidden = files.len().saturating_sub(most);
    if hidden > 0 || !others.is_empty() {
        page.line(2, "and smaller ones; the totals are below")?;
    }
    Ok(())
}

fn row(file: &FileReport) -> Vec<String> {
    let place = match &file.to {
        Some(to) => format!("{} -> {}", Shown::new(&file.path), Shown::new(to)),
        None => Shown::new(&file.path).to_string(),
    };
    vec![
        Size(file.bytes).to_string(),
        Shown::new(&file.rule).to_string(),
        Shown::new(&file.action).to_string(),
        place,
    ]
}
