//! The job list and the markers of its jobs.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::io;
use std::path::Path;

use super::discover::Situation;
use super::outside::{StateDatabase, Table};
use crate::host::files;
use crate::model::Millis;
use crate::model::cron::{CronJob, Marker, Place, Schedule};
use crate::model::entry::{TextHash, hash_folded};
use crate::model::evidence::{Job, Jobs};
use crate::openclaw::jobs::{self, JobState, JobTimeout, SessionTarget};
use crate::openclaw::layout;
use crate::openclaw::sqlite::{self, rows};
use crate::report::model::{EvidenceItem, EvidenceState};

/// The jobs, what of them protects entries by name, and how the reading went.
#[derive(Clone, Debug, Default)]
pub struct JobsReading {
    /// For the rules.
    pub jobs: Jobs,
    /// The same jobs in the order of the list, for whoever looks at jobs; of a job in several lists each.
    pub list: Vec<CronJob>,
    /// Lower-case keys, or parts after the agent prefix, that jobs name.
    pub targets: HashSet<String>,
    /// How the reading went.
    pub evidence: Vec<EvidenceItem>,
    /// Why the list is not complete, a sentence each.
    pub troubles: Vec<String>,
}

/// Reads `jobs.json`, `jobs-state.json` where it exists, and the table of jobs where there is one.
pub fn read(situation: &Situation, database: StateDatabase<'_>) -> JobsReading {
    let mut reading = JobsReading::default();
    let (table, rows) = reading.table(situation, database);
    let path = &situation.jobs_path;
    let list = reading.file("cron-jobs", path, jobs::parse_jobs, table == Table::Absent);
    let state_path = layout::jobs_state_path(path);
    let states = reading.file("cron-state", &state_path, jobs::parse_jobs_state, false);
    reading.explain(situation, &table, &list, &states);
    let is_list = table == Table::Read || matches!(list, Reading::Read(_));
    reading.jobs.complete = reading.troubles.is_empty() && is_list;
    let states_known = !matches!(states, Reading::Unreadable(_));
    reading.jobs.markers_complete = reading.jobs.complete && states_known;
    let states: Option<HashMap<String, JobState>> =
        if let Reading::Read(states) = states { Some(states) } else { None };
    if let Reading::Read(list) = list {
        reading.list = list.iter().map(|job| of_files(job, states.as_ref())).collect();
        jobs::merge(list, states).iter().for_each(|job| reading.add(job));
    }
    // The table is what OpenClaw reads, so of a job in both its row counts.
    rows.iter().for_each(|job| reading.add(job));
    let in_table: HashSet<&str> = rows.iter().map(|job| job.id.as_str()).collect();
    reading.list.retain(|job| !in_table.contains(job.id.as_str()));
    reading.list.extend(rows.iter().map(|job| cron_job(job, &job.state, &[(Place::Table, &job.state)])));
    reading
}

enum Reading<T> {
    Read(T),
    Missing,
    Unreadable(String),
}

impl JobsReading {
    fn file<T, E: std::fmt::Display>(
        &mut self,
        kind: &'static str,
        path: &Path,
        parse: impl Fn(&[u8]) -> Result<T, E>,
        wanted: bool,
    ) -> Reading<T> {
        let read = match files::read_regular(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Reading::Missing,
            Err(error) => Reading::Unreadable(format!("{}: {error}", path.display())),
            Ok(bytes) => match parse(&bytes) {
                Ok(value) => Reading::Read(value),
                Err(error) => Reading::Unreadable(format!("{}: {error}", path.display())),
            },
        };
        let state = match &read {
            Reading::Read(_) => EvidenceState::Read,
            Reading::Missing => EvidenceState::Missing,
            Reading::Unreadable(_) => EvidenceState::Unreadable,
        };
        // Before 2026.4.20 there is no state file, and beside a table no list, and that says nothing.
        if wanted || state != EvidenceState::Missing {
            self.evidence.push(EvidenceItem { kind, path: path.display().to_string(), state });
        }
        read
    }

    /// The jobs of the table. Those of another list are known too: somebody may run them.
    fn table(&mut self, situation: &Situation, database: StateDatabase<'_>) -> (Table, Vec<jobs::Job>) {
        let (mut own, mut others) = (Vec::new(), Vec::new());
        let mut stranger = None;
        let mut table = database.table(sqlite::CRON_JOBS, &mut |row| match rows::job(row) {
            Ok(row) if same_list(Path::new(&row.store_key), &situation.jobs_path) => {
                own.push(row.job);
                Ok(())
            }
            Ok(row) => {
                stranger = Some(row.store_key);
                others.push(row.job);
                Ok(())
            }
            Err(why) => {
                // Whatever else the row says, there is such a job.
                self.jobs
                    .known
                    .extend(rows::job_id(row).map(|id| (hash_folded(&id), Job { id, ..Job::default() })));
                Err(why)
            }
        });
        if let (Table::Read, true, Some(stranger)) = (&table, own.is_empty(), stranger) {
            let path = situation.jobs_path.display();
            table = Table::Unread(format!("the table cron_jobs holds jobs of {stranger} and none of {path}"));
        }
        others.append(&mut own);
        (table, others)
    }

    /// Everything that keeps the list from being whole.
    fn explain<T, S>(
        &mut self,
        situation: &Situation,
        table: &Table,
        list: &Reading<T>,
        states: &Reading<S>,
    ) {
        if let Table::Unread(why) = table {
            self.troubles.push(why.clone());
        }
        if let Some(error) = &situation.config_error {
            self.troubles.push(format!("{error}; without it the job list may lie elsewhere"));
        }
        match list {
            Reading::Missing if *table != Table::Absent => {}
            Reading::Missing => {
                let path = situation.jobs_path.display();
                let migrated = layout::migrated_path(&situation.jobs_path);
                self.troubles.push(if migrated.exists() {
                    format!("{}: the job list moved to a database that was not read", migrated.display())
                } else {
                    format!("{path}: there is no job list, so no job can be called deleted")
                });
            }
            Reading::Unreadable(why) => self.troubles.push(why.clone()),
            Reading::Read(_) => {
                let migrated = layout::migrated_path(&situation.jobs_path);
                if migrated.exists() && *table == Table::Absent {
                    let path = migrated.display();
                    self.troubles
                        .push(format!("{path}: jobs moved to a database that is not there any more"));
                }
            }
        }
        if let Reading::Unreadable(why) = states {
            self.troubles.push(why.clone());
        }
    }

    fn add(&mut self, job: &jobs::Job) {
        let known = Job {
            id: job.id.clone(),
            name: job.name.clone(),
            marker: job.state.running_at_ms,
            last_run_at: job.state.last_run_at_ms,
            timeout: timeout(job),
        };
        self.jobs.known.insert(hash_folded(&job.id), known);
        let target = if let SessionTarget::Session(key) = &job.session_target { Some(key) } else { None };
        self.targets.extend(target.into_iter().chain(&job.session_key).map(|key| key.to_lowercase()));
    }
}

/// A job of the list: its state is that of the state file, where that has one. A marker may stand in both.
fn of_files(job: &jobs::Job, states: Option<&HashMap<String, JobState>>) -> CronJob {
    let inline = (Place::List, &job.state);
    match states.and_then(|states| states.get(&job.id)) {
        Some(own) => cron_job(job, own, &[inline, (Place::State, own)]),
        None => cron_job(job, &job.state, &[inline]),
    }
}

fn cron_job(job: &jobs::Job, state: &JobState, places: &[(Place, &JobState)]) -> CronJob {
    let marker = |(place, state): &(Place, &JobState)| match (state.running_at_ms, state.odd_marker) {
        (None, false) => None,
        (at, _) => Some(Marker { place: *place, at }),
    };
    let schedule = &job.schedule;
    CronJob {
        id: job.id.clone(),
        name: job.name.clone(),
        agent: job.agent_id.clone(),
        enabled: job.enabled,
        schedule: match (schedule.kind.as_str(), schedule.every_ms, &schedule.expr) {
            ("at", ..) => Schedule::At(schedule.at.clone()),
            ("every", Some(ms), _) => Schedule::Every(ms),
            ("cron", _, Some(expr)) => Schedule::Cron(expr.clone()),
            _ => Schedule::Unknown,
        },
        timeout: timeout(job),
        next_run_at: state.next_run_at_ms,
        last_run_at: state.last_run_at_ms,
        last_status: state.last_run_status.clone(),
        markers: places.iter().filter_map(marker).collect(),
    }
}

fn timeout(job: &jobs::Job) -> Option<Millis> {
    match job.timeout {
        JobTimeout::Ms(ms) => Some(ms),
        JobTimeout::None => None,
    }
}

/// Whether two paths are of one job list, there or not.
pub(super) fn same_list(a: &Path, b: &Path) -> bool {
    let real = |path: &Path| match (path.parent().map(fs::canonicalize), path.file_name()) {
        (Some(Ok(dir)), Some(name)) => dir.join(name),
        _ => path.to_owned(),
    };
    a == b || real(a) == real(b)
}

/// Whether a job list names the job; `None` where the list was not read whole and does not name it.
pub fn is_known(jobs: &Jobs, job: TextHash) -> Option<bool> {
    match (jobs.known.contains_key(&job), jobs.complete) {
        (true, _) => Some(true),
        (false, true) => Some(false),
        (false, false) => None,
    }
}
