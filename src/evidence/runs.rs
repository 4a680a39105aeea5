//! The finished runs of `cron/runs/*.jsonl` and `*.jsonl.migrated`.

use std::fs;
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};

use super::jobs::same_list;
use super::outside::{StateDatabase, Table};
use crate::host::files;
use crate::model::Millis;
use crate::model::cron::Pace;
use crate::model::entry::{Stamp, Status, TextHash, hash, hash_folded};
use crate::model::key::SessionKey;
use crate::model::runs::{FinishedLine, Runs};
use crate::model::texts::TextMap;
use crate::model::verdict::LineRef;
use crate::openclaw::run_log::{self, Line, MAX_LINE_BYTES, RunLine, RunLogReader, RunStatus};
use crate::openclaw::sqlite::{self, rows};
use crate::report::model::{EvidenceItem, EvidenceState};

/// In milliseconds this is March 1973.
const FIRST_PLAUSIBLE: i64 = 100_000_000_000;

/// The finished runs, and how the reading went.
#[derive(Clone, Debug, Default)]
pub struct RunsReading {
    /// For the rules.
    pub runs: Runs,
    /// How fast each job ran, by the hash of its id in lower case.
    pub paces: TextMap<Pace>,
    /// How the reading went.
    pub evidence: Vec<EvidenceItem>,
    /// Files that could not be read, with the reason.
    pub unreadable: Vec<String>,
    /// Lines that do not parse, as `path:line`.
    pub torn: Vec<String>,
    now: Millis,
}

/// Reads all run logs of a directory, and the table of runs of the list `jobs` where there is one.
pub fn read(dir: &Path, database: StateDatabase<'_>, jobs: &Path, now: Millis) -> RunsReading {
    let mut reading = RunsReading { runs: Runs::new(now), now, ..RunsReading::default() };
    reading.logs(dir);
    reading.table(database, jobs);
    reading.runs.seal();
    reading
}

impl RunsReading {
    fn logs(&mut self, dir: &Path) {
        let files = match log_files(dir) {
            Ok(files) => files,
            Err(error) => {
                let missing = error.kind() == io::ErrorKind::NotFound;
                if !missing {
                    self.unreadable.push(format!("{}: {error}", dir.display()));
                }
                let state = if missing { EvidenceState::Missing } else { EvidenceState::Unreadable };
                self.evidence.push(item(dir, state));
                return;
            }
        };
        for (path, job) in files {
            if let Err(error) = self.file(&path, &job) {
                self.unreadable.push(format!("{}: {error}", path.display()));
            }
        }
        let whole = self.unreadable.is_empty() && self.torn.is_empty();
        self.evidence.push(item(dir, if whole { EvidenceState::Read } else { EvidenceState::Partial }));
    }

    /// A run without a line proves nothing, so a table that is not there takes nothing away.
    fn table(&mut self, database: StateDatabase<'_>, jobs: &Path) {
        let (mut reader, mut number, mut file) = (RunLogReader::default(), 0, None);
        let mut last: Option<(String, bool)> = None;
        let table = database.table(sqlite::CRON_RUN_LOGS, &mut |row| {
            number += 1;
            // Runs of another list prove nothing of the jobs of this one.
            let list = rows::list_of(row)?;
            if last.as_ref().is_none_or(|(known, _)| known != list) {
                last = Some((list.to_owned(), same_list(Path::new(list), jobs)));
            }
            if last.as_ref().is_some_and(|(_, own)| !own) {
                return Ok(());
            }
            if let Line::Finished(run) = rows::run_line(row, &mut reader)? {
                let file = *file.get_or_insert_with(|| self.file_of(database));
                self.line(&run, hash_folded(&run.job_id), LineRef { file, line: number });
            }
            Ok(())
        });
        if let Table::Unread(why) = table {
            self.unreadable.push(why);
        }
    }

    /// The number of the database among the files.
    fn file_of(&mut self, database: StateDatabase<'_>) -> u32 {
        if let StateDatabase::Open(database) = database {
            self.runs.files.push(database.path().display().to_string());
        }
        u32::try_from(self.runs.files.len().saturating_sub(1)).unwrap_or(u32::MAX)
    }

    fn line(&mut self, run: &RunLine, job: TextHash, at: LineRef) {
        // A time in seconds would make every run look finished long ago.
        if run.ts >= FIRST_PLAUSIBLE {
            self.add(run, job, at);
        }
    }
}

fn item(dir: &Path, state: EvidenceState) -> EvidenceItem {
    EvidenceItem { kind: "run-logs", path: dir.display().to_string(), state }
}

/// Jobs that a run log is named after; none where they cannot be listed.
pub fn logged_jobs(dir: &Path) -> Vec<String> {
    log_files(dir).unwrap_or_default().into_iter().map(|(_, job)| job).collect()
}

/// Log files and the job that each is named after, sorted by name.
pub(super) fn log_files(dir: &Path) -> io::Result<Vec<(PathBuf, String)>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let job = name.strip_suffix(".jsonl").or_else(|| name.strip_suffix(".jsonl.migrated"));
        if let Some(job) = job.filter(|job| !job.is_empty()).map(str::to_owned) {
            files.push((path, job));
        }
    }
    files.sort();
    Ok(files)
}

impl RunsReading {
    fn file(&mut self, path: &Path, job: &str) -> io::Result<()> {
        let file = u32::try_from(self.runs.files.len()).map_err(io::Error::other)?;
        let log = files::open_regular(path)?;
        self.runs.files.push(path.display().to_string());
        let job = hash_folded(job);
        let mut reader = RunLogReader::default();
        let mut lines = run_log::lines(BufReader::with_capacity(1 << 16, log), MAX_LINE_BYTES);
        while let Some(raw) = lines.next_line()? {
            let line = if raw.oversized { Line::Torn } else { reader.line(raw.bytes) };
            match line {
                Line::Finished(run) if hash_folded(&run.job_id) == job => {
                    self.line(
                        &run,
                        job,
                        LineRef { file, line: u32::try_from(raw.number).unwrap_or(u32::MAX) },
                    );
                }
                // Another job's line in this log: OpenClaw passes over it as well.
                Line::Finished(_) | Line::Foreign => {}
                Line::Torn => self.torn.push(format!("{}:{}", path.display(), raw.number)),
            }
        }
        Ok(())
    }

    fn add(&mut self, run: &RunLine, job: TextHash, at: LineRef) {
        let id = run.session_id.as_deref().map(|id| hash(id.as_bytes()));
        let of_key = run.session_key.as_deref().and_then(|key| SessionKey::parse(key, "main").run);
        let line = FinishedLine { at, ts: run.ts, run_at: run.run_at_ms, status: healed_status(run) };
        self.runs.add(job, [id, of_key.map(|id| hash(id.as_bytes()))], line);
        let began = run.run_at_ms.filter(|&at| Stamp::is_past_time(at, self.now));
        let line = FinishedLine { run_at: began, ..line };
        self.paces.entry(job).or_default().add(line, run.duration_ms, run.by_hand);
    }
}

/// What a base is healed to by this line.
pub(super) fn healed_status(run: &RunLine) -> Status {
    match run.status {
        RunStatus::Ok | RunStatus::Skipped => Status::Done,
        RunStatus::Error if run.timed_out => Status::Timeout,
        RunStatus::Error | RunStatus::Other(_) => Status::Failed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn torn_and_foreign_lines_prove_nothing_and_a_key_names_the_session_too() {
        let dir = tempfile::tempdir().unwrap();
        let lines = [
            r#"{"ts":1795223212701,"jobId":"J","action":"finished","status":"ok","sessionId":"a","runAtMs":1795223207989}"#,
            r#"{"ts":1795223212702,"jobId":"other","action":"finished","status":"ok","sessionId":"b"}"#,
            r#"{"ts":1795223212703,"jobId":"j","action":"started","sessionId":"c"}"#,
            r#"{"ts":1795223212704,"jobId":"j","action":"finished","status":"error","error":"cron: job execution timed out","runAtMs":1}"#,
            r#"{"ts":1795223212705,"jobId":"j","action":"finished","status":"error","sessionKey":"agent:main:cron:j:run:d"}"#,
            r#"{"ts":17952232"#,
        ];
        fs::write(dir.path().join("j.jsonl"), lines.join("\n")).unwrap();
        fs::write(dir.path().join("notes.txt"), "x").unwrap();
        let reading = read(dir.path(), StateDatabase::None, dir.path(), 1_795_223_670_000);
        let job = hash(b"j");
        let of = |id: &str| {
            reading.runs.of_session(job, hash(id.as_bytes())).map(|line| (line.status, line.at.line))
        };
        let found = ["a", "b", "c", "d"].map(of);
        assert_eq!(found, [Some((Status::Done, 1)), None, None, Some((Status::Failed, 5))]);
        let unnamed = reading.runs.around(job, 1_795_223_200_000).map(|line| (line.status, line.at.line));
        assert_eq!(unnamed, Some((Status::Timeout, 4)));
        assert_eq!(reading.torn.len(), 1);
        assert!(reading.torn[0].ends_with("j.jsonl:6"), "{:?}", reading.torn);
        assert_eq!(reading.evidence[0].state, EvidenceState::Partial);
    }

    #[test]
    fn no_directory_is_missing_and_not_unreadable() {
        let reading = read(Path::new("/nonexistent/runs"), StateDatabase::None, Path::new("/"), 0);
        assert_eq!(reading.evidence[0].state, EvidenceState::Missing);
        assert!(reading.unreadable.is_empty());
    }
}
