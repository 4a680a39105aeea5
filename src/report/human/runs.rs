//! `undo` without a run: what can be taken back, a table per store.

use std::io;

use super::page::Page;
use crate::report::escape::Shown;
use crate::report::format::{Count, Counted, Moment, Size};
use crate::report::model::{Report, RunReport};

/// Writes the runs, in the order of the report.
pub(super) fn write(page: &mut Page<'_>, report: &Report, quiet: bool) -> io::Result<()> {
    if report.runs.is_empty() {
        let listing = report.command == "undo" && report.stores.is_empty() && report.files.is_empty();
        let listing = listing && report.complete && !quiet;
        return if listing {
            page.line(0, "No run has changed anything here: nothing to undo.")
        } else {
            Ok(())
        };
    }
    let mut paths: Vec<&str> = Vec::new();
    for run in &report.runs {
        if !paths.contains(&run.path.as_str()) {
            paths.push(&run.path);
        }
    }
    for path in paths {
        page.gap();
        page.title(0, Shown::new(path))?;
        let rows = report.runs.iter().filter(|run| run.path == path).map(row).collect();
        let head = ["run", "when", "command", "state", "entries", "edited", "keeps"];
        page.table(2, &head, rows, &[4, 5, 6])?;
    }
    Ok(())
}

fn row(run: &RunReport) -> Vec<String> {
    let state = match run.state.as_str() {
        "intended" => "unfinished",
        "rolled-back" => "taken back",
        other => other,
    };
    vec![
        Shown::new(&run.run).to_string(),
        Moment(run.at).to_string(),
        Shown::new(&run.command).max(12).to_string(),
        Shown::new(state).max(12).to_string(),
        match (run.removed, run.restored) {
            _ if run.files > 0 => Counted(run.files, "file", "files").to_string(),
            (0, 0) => "0".to_owned(),
            (0, back) => format!("+{}", Count(back)),
            (gone, _) => format!("-{}", Count(gone)),
        },
        Count(run.healed + run.slimmed).to_string(),
        Size(run.bytes).to_string(),
    ]
}
