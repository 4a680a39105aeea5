//! The problems as annotations of GitHub Actions: a workflow command for each, which a runner puts beside the line.

use std::io::{self, Write};

use super::model::{Closing, FileRow, Frame, Problem, Problems, Speaker};
use crate::report::model::Severity;

/// Writes them.
#[derive(Debug, Default)]
pub struct Github;

impl Speaker for Github {
    fn begin(&mut self, _out: &mut dyn Write, _frame: &Frame) -> io::Result<()> {
        Ok(())
    }

    fn file(&mut self, out: &mut dyn Write, row: &FileRow, problems: &mut dyn Problems) -> io::Result<()> {
        problems.for_each(&mut |problem| line(out, &row.path, problem))
    }

    fn end(&mut self, out: &mut dyn Write, closing: &Closing) -> io::Result<()> {
        closing.findings.iter().try_for_each(|finding| {
            writeln!(out, "::error title={}::{}", finding.check_id, data(&finding.message))
        })
    }
}

fn line(out: &mut dyn Write, path: &str, problem: &Problem) -> io::Result<()> {
    let command = match problem.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "notice",
    };
    let about = problem.key.as_deref().map(|key| format!("{key}: ")).unwrap_or_default();
    writeln!(
        out,
        "::{command} file={},line={},col={},title={}::{}",
        property(path),
        problem.line,
        problem.column,
        problem.check_id,
        data(&format!("{about}{}", problem.message))
    )
}

/// Text behind the second pair of colons.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// A value in front of it.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_text_ends_a_command_or_begins_another() {
        assert_eq!(property("a,b:c%\n"), "a%2Cb%3Ac%25%0A");
        assert_eq!(data("a,b:c%\r\n::error::x"), "a,b:c%25%0D%0A::error::x");
    }
}
