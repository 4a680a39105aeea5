//! Cron jobs as their lists tell of them, and how fast they ran.

use super::Millis;
use super::runs::FinishedLine;

/// A job of a list, with what matters to whoever looks at jobs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CronJob {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: Option<String>,
    /// The agent it runs as, as written.
    pub agent: Option<String>,
    /// Whether it is enabled.
    pub enabled: bool,
    /// When it runs.
    pub schedule: Schedule,
    /// After how long OpenClaw gives up on a run; `None`: never.
    pub timeout: Option<Millis>,
    /// When it runs next.
    pub next_run_at: Option<Millis>,
    /// When it last ran, by its state.
    pub last_run_at: Option<Millis>,
    /// How that went, by its state.
    pub last_status: Option<String>,
    /// Every `runningAtMs` that is a number.
    pub markers: Vec<Marker>,
}

/// When a job runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Schedule {
    /// Once.
    At(Option<String>),
    /// At every so many milliseconds.
    Every(Millis),
    /// By an expression.
    Cron(String),
    /// By something this tool does not know, or nothing.
    #[default]
    Unknown,
}

/// A `runningAtMs`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Marker {
    /// Where it stands.
    pub place: Place,
    /// What it says; `None` for a number that no clock can show.
    pub at: Option<Millis>,
}

/// Where the state of a job stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In `jobs.json`, inline.
    List,
    /// In `jobs-state.json`.
    State,
    /// In the table of jobs.
    Table,
}

/// Starts that are remembered of a job.
const REMEMBERED: usize = 21;

/// Two runs of a job that share less are told of a clock that is not exact.
const SHARED: Millis = 1_000;

/// How fast a job ran, by its finished lines in the order of each log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pace {
    /// Finished lines.
    pub lines: u64,
    /// The last of them.
    pub last: Option<FinishedLine>,
    /// How often a run began though the one on the line before had not ended.
    pub overlaps: u64,
    /// When the latest runs began, the earliest first; not those that somebody started by hand.
    pub starts: Vec<Millis>,
    /// The run on the line before.
    before: Option<(Millis, Millis)>,
}

impl Pace {
    /// Adds the next line; `took` is how long the run took, and `by_hand` whether somebody started it.
    pub fn add(&mut self, line: FinishedLine, took: Option<Millis>, by_hand: bool) {
        if self.last.is_some_and(|last| last.at.file != line.at.file) {
            self.before = None;
        }
        self.lines += 1;
        if self.last.is_none_or(|last| last.ts <= line.ts) {
            self.last = Some(line);
        }
        let Some(start) = line.run_at else { return };
        let run = (start, start.saturating_add(took.unwrap_or_default().max(0)));
        if let Some(before) = self.before {
            let shared = run.1.min(before.1).saturating_sub(run.0.max(before.0));
            // The same start is the same run, told twice.
            self.overlaps += u64::from(shared >= SHARED && run.0 != before.0);
        }
        self.before = Some(run);
        if !by_hand {
            remember(&mut self.starts, start);
        }
    }
}

/// Puts a time into a short list of the latest, each once, the earliest first.
pub fn remember(times: &mut Vec<Millis>, time: Millis) {
    if let Err(place) = times.binary_search(&time) {
        if times.len() < REMEMBERED {
            times.insert(place, time);
        } else if place > 0 {
            times.remove(0);
            times.insert(place - 1, time);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::entry::Status;
    use super::super::verdict::LineRef;
    use super::*;

    fn pace(runs: &[(Millis, Millis)]) -> Pace {
        let mut pace = Pace::default();
        for (number, &(start, took)) in runs.iter().enumerate() {
            let at = LineRef { file: 0, line: number as u32 + 1 };
            let line = FinishedLine { at, ts: start + took, run_at: Some(start), status: Status::Done };
            pace.add(line, Some(took), false);
        }
        pace
    }

    #[test]
    fn overlaps_are_counted_and_the_same_run_twice_is_none() {
        assert_eq!(pace(&[(0, 10_000), (10_000, 5_000), (60_000, 1)]).overlaps, 0);
        assert_eq!(pace(&[(0, 100_000), (60_000, 100_000)]).overlaps, 1);
        assert_eq!(pace(&[(60_000, 10_000), (0, 100_000)]).overlaps, 1, "the longer one is logged last");
        assert_eq!(pace(&[(0, 10_000), (0, 10_000)]).overlaps, 0);
        assert_eq!(pace(&[(0, 10_000), (9_500, 10_000)]).overlaps, 0, "less than a second");
    }

    #[test]
    fn the_latest_starts_are_remembered_in_order() {
        let times = |count: i64| (0..count).map(|at| (at * 7 % count, 0)).collect::<Vec<_>>();
        assert_eq!(pace(&times(5)).starts, [0, 1, 2, 3, 4]);
        assert_eq!(pace(&times(30)).starts, (9..30).collect::<Vec<_>>());
    }
}
