//! The report for people: what is wrong, what would be done about it, and what to type next.
//!
//! A store in order takes one quiet line. Every string that comes from a file goes through
//! [`Shown`], so nothing in a session can act on the terminal. The text is no contract:
//! scripts read the JSON.

mod changes;
mod cron;
mod facts;
mod files;
mod findings;
mod page;
mod runs;
mod store;
mod tables;
mod words;

use std::io::{self, Write};

use self::page::Page;
use super::escape::Shown;
use super::model::{Changes, Outcome, Report, Severity, StoreReport, StoreVerdict};
use super::stream::{Written, floor};
use super::style::{Role, Style};

/// How much is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Verbosity {
    /// `-q`: a line per store, and errors.
    Quiet,
    /// What one needs to decide.
    #[default]
    Normal,
    /// `-v`: every change with its reasons, and what was looked at.
    Verbose,
}

/// How the report is told.
#[derive(Clone, Debug)]
pub struct Options {
    /// Colour and width.
    pub style: Style,
    /// How much.
    pub verbosity: Verbosity,
    /// Exact commands that make sense next; shown under "Next".
    pub next_steps: Vec<String>,
}

/// Writes the report for people. `changes` is asked only with [`Verbosity::Verbose`].
///
/// # Errors
///
/// Only those of `out`, `BrokenPipe` among them.
pub fn write(
    out: &mut dyn Write,
    report: &Report,
    changes: &mut dyn Changes,
    options: &Options,
) -> io::Result<Written> {
    let mut page = Page::new(out, options.style);
    let quiet = options.verbosity == Verbosity::Quiet;
    if !quiet && (options.verbosity == Verbosity::Verbose || !is_calm(report)) {
        header(&mut page, report, options.verbosity)?;
    }
    let mut source_failure = None;
    for (index, store) in report.stores.iter().enumerate() {
        let failure = store::write(&mut page, report, (index, store), changes, options.verbosity)?;
        source_failure = source_failure.or(failure);
    }
    files::write(&mut page, report, options.verbosity)?;
    cron::write(&mut page, report, options.verbosity)?;
    runs::write(&mut page, report, quiet)?;
    nothing_found(&mut page, report)?;
    findings::write(&mut page, report, options.verbosity)?;
    incomplete(&mut page, report, source_failure.as_ref())?;
    if !quiet {
        next_steps(&mut page, &options.next_steps)?;
    }
    page.flush()?;
    Ok(Written { exit_code: report.exit_code.max(floor(source_failure.as_ref())), source_failure })
}

/// Whether there is nothing that anybody has to look at.
fn is_calm(report: &Report) -> bool {
    report.stores.iter().all(is_quiet_store)
        && report.findings.iter().all(|finding| finding.severity == Severity::Info)
}

/// Whether one line is enough for a store.
fn is_quiet_store(store: &StoreReport) -> bool {
    // What a rule has against rows of a database is told, though nothing is done about it.
    let rows_told = store.kept_because.contains_key("era-sqlite");
    let calm = store.verdict == StoreVerdict::Healthy && store.outcome == Outcome::Unchanged;
    calm && store.damage.is_empty() && !rows_told
}

/// What was looked at, and whether the gateway lives.
fn header(page: &mut Page<'_>, report: &Report, verbosity: Verbosity) -> io::Result<()> {
    let place = report.state_dir.as_deref().unwrap_or("the stores that were named");
    let gateway = words::gateway(&report.gateway);
    let verb = words::command_of(&report.command);
    page.title(0, format_args!("{verb} of {}: {gateway}{}", Shown::new(place), words::era(report.era)))?;
    if verbosity == Verbosity::Verbose {
        for sentence in &report.gateway.evidence {
            page.wrapped(2, "gateway: ", None, &Shown::new(sentence))?;
        }
        for item in &report.evidence {
            let state = words::evidence(item.state);
            page.line(2, format_args!("{}: {state} ({})", item.kind, Shown::new(&item.path)))?;
        }
    }
    page.gap();
    Ok(())
}

fn nothing_found(page: &mut Page<'_>, report: &Report) -> io::Result<()> {
    if !report.stores.is_empty()
        || !report.runs.is_empty()
        || matches!(report.command.as_str(), "undo" | "cron" | "sweep")
    {
        return Ok(());
    }
    match &report.state_dir {
        Some(dir) => page.line(0, format_args!("No sessions.json in {}: nothing to do.", Shown::new(dir))),
        None => page.line(0, "No OpenClaw state directory found: nothing to do."),
    }
}

fn incomplete(page: &mut Page<'_>, report: &Report, failure: Option<&io::Error>) -> io::Result<()> {
    let Some(reason) = failure.map(ToString::to_string).or((!report.complete).then(String::new)) else {
        return Ok(());
    };
    page.gap();
    let colon = if reason.is_empty() { "" } else { ": " };
    page.wrapped(
        0,
        "",
        Some(Role::Bad),
        &format_args!("This report is incomplete{colon}{}", Shown::new(&reason)),
    )
}

fn next_steps(page: &mut Page<'_>, steps: &[String]) -> io::Result<()> {
    if steps.is_empty() {
        return Ok(());
    }
    page.gap();
    page.title(0, "Next:")?;
    steps.iter().try_for_each(|step| page.line(2, page.style().paint(Role::Command, Shown::new(step))))
}

#[cfg(test)]
mod tests;
