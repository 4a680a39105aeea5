//! The problems for people: a line for each file, and under it each problem with the text that it is about.

use std::io::{self, Write};

use unicode_width::UnicodeWidthStr;

use super::model::{Closing, Excerpt, FileRow, FileVerdict, Frame, Problem, Problems, Speaker};
use crate::report::escape::Shown;
use crate::report::format::Count;
use crate::report::human::Verbosity;
use crate::report::model::Severity;
use crate::report::style::{Role, Style};

/// Columns of a line that are shown.
const WIDTH: usize = 92;

/// Writes them.
#[derive(Debug)]
pub struct Human {
    style: Style,
    verbosity: Verbosity,
    openclaw: &'static str,
    files: u64,
    errors: u64,
    warnings: u64,
}

impl Human {
    /// In a style; `-q` leaves out warnings, excerpts and what is in order.
    pub fn new(style: Style, verbosity: Verbosity) -> Self {
        Human { style, verbosity, openclaw: "", files: 0, errors: 0, warnings: 0 }
    }

    fn problem(&self, out: &mut dyn Write, row: &FileRow, problem: &Problem) -> io::Result<()> {
        let quiet = self.verbosity == Verbosity::Quiet;
        if quiet && problem.severity != Severity::Error {
            return Ok(());
        }
        let (word, role) = match problem.severity {
            Severity::Error => ("error", Role::Bad),
            Severity::Warning => ("warning", Role::Warn),
            Severity::Info => ("note", Role::Dim),
        };
        let place = format!("{}:{}:{}", Shown::new(&row.path), problem.line, problem.column);
        writeln!(out, "{place}: {} {}", self.style.paint(role, format!("{word}:")), problem.check_id)?;
        let about = problem.key.as_deref().map(|key| format!("{}: ", Shown::new(key).max(WIDTH)));
        writeln!(out, "  {}{}", about.unwrap_or_default(), Shown::new(&problem.message))?;
        if quiet { Ok(()) } else { self.excerpt(out, problem) }
    }

    fn excerpt(&self, out: &mut dyn Write, problem: &Problem) -> io::Result<()> {
        let Excerpt { before, after, cut_before, cut_after } = &problem.excerpt;
        if before.is_empty() && after.is_empty() {
            return Ok(());
        }
        let more = |cut: bool| if cut { "…" } else { "" };
        let number = problem.line.to_string();
        let before = format!("{}{}", more(*cut_before), Shown::bytes(before));
        writeln!(out, "  {number} | {before}{}{}", Shown::bytes(after), more(*cut_after))?;
        let blank = " ".repeat(number.len() + 5 + before.width());
        writeln!(out, "{blank}{}", self.style.paint(Role::Bad, "^"))
    }
}

impl Speaker for Human {
    fn begin(&mut self, _out: &mut dyn Write, frame: &Frame) -> io::Result<()> {
        self.openclaw = frame.openclaw;
        Ok(())
    }

    fn file(&mut self, out: &mut dyn Write, row: &FileRow, problems: &mut dyn Problems) -> io::Result<()> {
        self.files += 1;
        self.errors += row.errors;
        self.warnings += row.warnings;
        if row.verdict == FileVerdict::Valid {
            if self.verbosity == Verbosity::Quiet {
                return Ok(());
            }
            let what = of(row);
            return writeln!(
                out,
                "{}: {} ({what})",
                Shown::new(&row.path),
                self.style.paint(Role::Good, "valid")
            );
        }
        problems.for_each(&mut |problem| self.problem(out, row, problem))
    }

    fn end(&mut self, out: &mut dyn Write, _closing: &Closing) -> io::Result<()> {
        // What could not be looked at was told on stderr.
        if self.verbosity == Verbosity::Quiet {
            return Ok(());
        }
        let plural =
            |count: u64, word: &str| format!("{} {word}{}", Count(count), if count == 1 { "" } else { "s" });
        let counts =
            [plural(self.files, "file"), plural(self.errors, "error"), plural(self.warnings, "warning")];
        writeln!(out, "{} for OpenClaw {}", counts.join(", "), self.openclaw)
    }
}

fn of(row: &FileRow) -> String {
    let what = match row.kind {
        "run-log" => ["line", "lines"],
        "store" => ["entry", "entries"],
        _ => ["job", "jobs"],
    };
    format!("{} {}", Count(row.entries), what[usize::from(row.entries != 1)])
}
