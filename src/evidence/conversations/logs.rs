//! What the run logs say of sessions that have a transcript: under which key they ran, and how that ended.

use std::collections::{HashMap, HashSet};
use std::io::{self, BufReader};
use std::path::Path;
use std::sync::Arc;

use crate::evidence::runs::{healed_status, log_files};
use crate::host::files;
use crate::model::Millis;
use crate::model::entry::Stamp;
use crate::model::key::SessionKey;
use crate::openclaw::run_log::{self, Line, MAX_LINE_BYTES, RunLine, RunLogReader};

use super::judge::{Judge, Told};
use super::listing::Listing;
use super::{Run, Sources, ToldBy, Trouble};

/// Keys of one session that are kept; one more than one is a contradiction already.
const MOST_KEYS: usize = 4;

/// A line that names a key.
pub struct KeyLine<'a> {
    /// What it says.
    pub run: &'a RunLine,
    /// Its key, which belongs to the job of the log where it belongs to any.
    pub key: &'a str,
    /// The session: what the line names, else the run that the key names.
    pub session: Option<&'a str>,
    /// Where it stands.
    pub at: ToldBy,
}

/// Goes over all lines that name a key. Lines of a job that the log is not named after are passed over, as OpenClaw
/// passes over them; so are keys that name another job, and logs of jobs that are not `wanted`.
pub fn for_each_line(
    dir: &Path,
    wanted: &dyn Fn(&str) -> bool,
    troubles: &mut Vec<Trouble>,
    mut each: impl FnMut(&KeyLine<'_>),
) {
    let logs = match log_files(dir) {
        Ok(logs) => logs,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return,
        Err(error) => return troubles.push(Trouble::new("run-logs", dir, &error)),
    };
    let mut reader = RunLogReader::default();
    for (path, job) in logs.into_iter().filter(|(_, job)| wanted(job)) {
        if let Err(error) = lines_of(&path, &job.to_lowercase(), &mut reader, &mut each) {
            troubles.push(Trouble::new("run-logs", &path, &error));
        }
    }
}

fn lines_of(
    path: &Path,
    job: &str,
    reader: &mut RunLogReader,
    each: &mut impl FnMut(&KeyLine<'_>),
) -> io::Result<()> {
    let file: Arc<str> = path.display().to_string().into();
    let log = files::open_regular(path)?;
    let mut lines = run_log::lines(BufReader::with_capacity(1 << 16, log), MAX_LINE_BYTES);
    while let Some(raw) = lines.next_line()? {
        let Line::Finished(run) = reader.line(raw.bytes) else { continue };
        let Some(key) = run.session_key.as_deref() else { continue };
        let parsed = SessionKey::parse(key, "main");
        let same_job = |id: &str| id.to_lowercase() == job;
        if same_job(&run.job_id) && parsed.job.is_none_or(same_job) {
            let line = u32::try_from(raw.number).unwrap_or(u32::MAX);
            let at = ToldBy::RunLog { file: Arc::clone(&file), line };
            each(&KeyLine { run: &run, key, session: run.session_id.as_deref().or(parsed.run), at });
        }
    }
    Ok(())
}

/// The lines of sessions that have a transcript.
#[derive(Default)]
pub struct Logs {
    /// By session; of each key the latest line.
    told: HashMap<String, Vec<(Millis, Told)>>,
    /// The newest run of each base that has a transcript: its session, and its record's key.
    pub newest: Vec<(String, Told)>,
}

impl Logs {
    /// Reads the run logs once. What is kept is bounded by the transcripts that no entry refers to, and the jobs.
    pub fn read(
        sources: &Sources<'_>,
        judge: &Judge<'_>,
        listing: &Listing,
        troubles: &mut Vec<Trouble>,
    ) -> Self {
        let wanted: HashSet<&str> =
            listing.candidates.iter().filter_map(|candidate| candidate.session.as_deref()).collect();
        let mut logs = Logs::default();
        let mut newest: HashMap<String, (Millis, String, Told)> = HashMap::new();
        for_each_line(sources.run_logs, &|_| true, troubles, |line| {
            let Some(session) = line.session else { return };
            let told = told_by(line, session, sources.now);
            if listing.has_plain(session) && judge.fault(&told.key).is_none() {
                keep_newest(&mut newest, line, session, &told);
            }
            if wanted.contains(session) {
                logs.keep(session, line.run.ts, told);
            }
        });
        logs.newest = newest.into_values().map(|(_, session, told)| (session, told)).collect();
        logs
    }

    fn keep(&mut self, session: &str, ts: Millis, told: Told) {
        let lines = match self.told.get_mut(session) {
            Some(lines) => lines,
            None => self.told.entry(session.to_owned()).or_default(),
        };
        let known = lines.iter().position(|(_, known)| known.key == told.key);
        match known {
            Some(at) if lines[at].0 <= ts => lines[at] = (ts, told),
            None if lines.len() < MOST_KEYS => lines.push((ts, told)),
            _ => {}
        }
    }

    /// What the logs tell of a session; asked once.
    pub fn take(&mut self, session: &str) -> Vec<Told> {
        self.told.remove(session).into_iter().flatten().map(|(_, told)| told).collect()
    }
}

fn told_by(line: &KeyLine<'_>, session: &str, now: Millis) -> Told {
    let started_at = line.run.run_at_ms.filter(|&at| Stamp::is_past_time(at, now));
    let run = Run { status: healed_status(line.run), started_at, ended_at: line.run.ts };
    let over = Stamp::is_past_time(line.run.ts, now);
    Told { run: over.then_some(run), ..Told::certain(line.key.to_owned(), session, line.at.clone()) }
}

/// Bases are those of the log's own job and the store's agents, so there are few, whatever the lines say.
fn keep_newest(
    newest: &mut HashMap<String, (Millis, String, Told)>,
    line: &KeyLine<'_>,
    session: &str,
    told: &Told,
) {
    let (Some(base), Some(run)) = (SessionKey::parse(&told.key, "main").base, told.run) else { return };
    let at = run.started_at.unwrap_or(line.run.ts);
    let base = base.to_lowercase();
    if newest.get(&base).is_none_or(|(known, ..)| *known <= at) {
        newest.insert(base, (at, session.to_owned(), told.clone()));
    }
}
