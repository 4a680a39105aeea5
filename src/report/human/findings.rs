//! Observations with a severity, the worst first, each with what to do about it.

use std::io;

use super::page::Page;
use super::{Verbosity, words};
use crate::report::escape::Shown;
use crate::report::format::Count;
use crate::report::model::{Finding, Report, Severity};
use crate::report::style::Role;

/// Where the text of a finding begins.
const INDENT: usize = 10;

/// Writes the findings; with `-q` the errors alone.
pub(super) fn write(page: &mut Page<'_>, report: &Report, verbosity: Verbosity) -> io::Result<()> {
    let quiet = verbosity == Verbosity::Quiet;
    let mut findings: Vec<&Finding> =
        report.findings.iter().filter(|finding| !quiet || finding.severity == Severity::Error).collect();
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    if findings.is_empty() {
        return Ok(());
    }
    if !quiet {
        page.gap();
    }
    // A path that is named above need not be repeated.
    let only = if let [store] = report.stores.as_slice() { Some(store.path.as_str()) } else { None };
    findings.into_iter().try_for_each(|finding| one(page, finding, only))
}

fn one(page: &mut Page<'_>, finding: &Finding, only: Option<&str>) -> io::Result<()> {
    let (word, role) = words::severity(finding.severity);
    let label = page.style().paint(role, format_args!("{word:<9}")).to_string();
    let times = match finding.count {
        Some(count) if count > 1 => format!(" ({} times)", Count(count)),
        _ => String::new(),
    };
    page.line(0, format_args!("{label} {}{times}", finding.check_id))?;
    page.wrapped(INDENT, "", None, &Shown::new(&finding.message))?;
    if let Some(path) = finding.path.as_deref().filter(|path| Some(*path) != only) {
        page.line(INDENT, page.style().paint(Role::Dim, Shown::new(path)))?;
    }
    match &finding.fix_hint {
        Some(hint) => page.wrapped(INDENT, "-> ", None, &Shown::new(hint)),
        None => Ok(()),
    }
}
