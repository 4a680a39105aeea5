//! The problems as a JUnit report: a suite for each file, in it a failed case for each problem.

use std::io::{self, Write};

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::model::{Closing, FileRow, Frame, Problem, Problems, Speaker};
use crate::report::model::Severity;

/// Cases of one file; the rest is counted, for the report is in memory until the end.
const MOST: u64 = 1000;

/// Gathers them.
#[derive(Debug)]
pub struct Junit {
    report: Report,
}

impl Default for Junit {
    fn default() -> Self {
        Junit { report: Report::new("sessions-doctor validate") }
    }
}

impl Speaker for Junit {
    fn begin(&mut self, _out: &mut dyn Write, _frame: &Frame) -> io::Result<()> {
        Ok(())
    }

    fn file(&mut self, _out: &mut dyn Write, row: &FileRow, problems: &mut dyn Problems) -> io::Result<()> {
        let mut suite = TestSuite::new(row.path.as_str());
        let mut count = 0;
        problems.for_each(&mut |problem| {
            count += 1;
            if count <= MOST {
                suite.add_test_case(case(&row.path, problem));
            }
            Ok(())
        })?;
        if count > MOST {
            let rest = format!("{} more problems", count - MOST);
            suite.add_test_case(failed("more", &row.path, "warning", &rest));
        } else if count == 0 {
            let mut case = TestCase::new("valid", TestCaseStatus::success());
            case.set_classname(row.path.as_str());
            suite.add_test_case(case);
        }
        self.report.add_test_suite(suite);
        Ok(())
    }

    fn end(&mut self, out: &mut dyn Write, closing: &Closing) -> io::Result<()> {
        if !closing.findings.is_empty() {
            let mut suite = TestSuite::new("files that could not be read");
            for finding in &closing.findings {
                let path = finding.path.as_deref().unwrap_or_default();
                suite.add_test_case(failed(finding.check_id, path, "error", &finding.message));
            }
            self.report.add_test_suite(suite);
        }
        let text = self.report.to_string().map_err(io::Error::other)?;
        out.write_all(as_published(&text).as_bytes())
    }
}

/// The report as the published schema takes it. That knows no count of skipped cases for the whole, which the writer puts there and which
/// is always zero here; and XML knows two characters less than the writer lets through.
fn as_published(text: &str) -> String {
    text.replacen(" skipped=\"0\"", "", 1).replace(['\u{fffe}', '\u{ffff}'], "\u{fffd}")
}

fn case(path: &str, problem: &Problem) -> TestCase {
    let severity = if problem.severity == Severity::Error { "error" } else { "warning" };
    let about = problem.key.as_deref().map(|key| format!("{key}: ")).unwrap_or_default();
    let message = format!("{about}{}", problem.message);
    let name = format!("{} {}:{}", problem.check_id, problem.line, problem.column);
    failed(&name, path, severity, &message)
}

fn failed(name: &str, path: &str, severity: &str, message: &str) -> TestCase {
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
    status.set_type(severity).set_message(message);
    let mut case = TestCase::new(name, status);
    case.set_classname(path);
    case
}
