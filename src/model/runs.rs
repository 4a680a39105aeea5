//! The finished runs of the run logs, kept in columns, and the questions that rules ask of them.
//!
//! A loop that ran for weeks leaves as many lines as entries, and rules ask for every entry. So no question
//! goes over all lines of a job: what a session finished with is in a table, and where lines have to be passed
//! over in the order of the file, blocks of them that cannot hold the answer are stepped over whole.

use std::collections::HashMap;
use std::hash::BuildHasher;

use super::Millis;
use super::entry::{Stamp, Status, TextHash};
use super::texts::{Refold, TextMap};
use super::verdict::LineRef;

/// Lines that are passed over in one step.
const BLOCK: usize = 256;

/// One finished run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FinishedLine {
    /// Where it stands.
    pub at: LineRef,
    /// When it was written.
    pub ts: Millis,
    /// When the run began.
    pub run_at: Option<Millis>,
    /// How it ended: done, failed or timeout.
    pub status: Status,
}

/// The finished runs of all jobs.
#[derive(Clone, Debug)]
pub struct Runs {
    /// Paths, for [`LineRef::file`].
    pub files: Vec<String>,
    now: Millis,
    jobs: TextMap<JobRuns>,
}

/// The finished runs of one job.
#[derive(Clone, Debug, Default)]
struct JobRuns {
    /// Lines that name their session.
    named: Lines,
    /// Lines that do not.
    unnamed: Lines,
    /// The latest that any of them began, of those times that are past.
    latest_start: Option<Millis>,
    /// The first session that a line names to its latest line.
    sessions: Table,
    /// The same of the second session, where a line names two.
    second_sessions: TextMap<usize>,
}

impl Default for Runs {
    fn default() -> Self {
        Runs::new(Millis::MAX)
    }
}

impl Runs {
    /// No runs yet. A time after `now` proves nothing.
    pub fn new(now: Millis) -> Self {
        Runs { files: Vec::new(), now, jobs: TextMap::default() }
    }

    /// Adds the next line of `job`, which names these sessions; lines come in the order of their files.
    pub fn add(&mut self, job: TextHash, sessions: [Option<TextHash>; 2], line: FinishedLine) {
        let runs = self.jobs.entry(job).or_default();
        let started = line.run_at.filter(|&at| Stamp::is_past_time(at, self.now));
        runs.latest_start = runs.latest_start.max(started);
        let first = sessions[0].or(sessions[1]);
        let lines = if first.is_some() { &mut runs.named } else { &mut runs.unnamed };
        lines.push(first, sessions[1].filter(|_| sessions[1] != first), line, self.now);
    }

    /// Ends the adding: until then no session has finished.
    pub fn seal(&mut self) {
        for runs in self.jobs.values_mut() {
            runs.sessions = Table::of(&runs.named, self.now);
            for (&at, &session) in &runs.named.also {
                if Stamp::is_past_time(runs.named.ts[at], self.now) {
                    let known = runs.second_sessions.entry(session).or_insert(at);
                    *known = runs.named.later(*known, at);
                }
            }
        }
    }

    /// The latest line of `job` that names `session`.
    pub fn of_session(&self, job: TextHash, session: TextHash) -> Option<FinishedLine> {
        let runs = self.jobs.get(&job)?;
        let (lines, second) = (&runs.named, runs.second_sessions.get(&session).copied());
        let found = runs.sessions.find(lines, session).into_iter().chain(second);
        found.reduce(|one, other| lines.later(one, other)).map(|at| lines.get(at))
    }

    /// The earliest line of `job` without a session whose run took in the moment `at`.
    pub fn around(&self, job: TextHash, at: Millis) -> Option<FinishedLine> {
        let lines = &self.jobs.get(&job)?.unnamed;
        let past = (0..lines.len()).filter(|&line| Stamp::is_past_time(lines.ts[line], self.now));
        let around =
            past.filter(|&line| lines.ts[line] >= at && lines.run_at(line).is_some_and(|start| start <= at));
        around.min_by_key(|&line| lines.ts[line]).map(|line| lines.get(line))
    }

    /// Whether a run of `job` that began at `at` or later has finished.
    pub fn has_finished_since(&self, job: TextHash, at: Millis) -> bool {
        self.jobs.get(&job).and_then(|runs| runs.latest_start).is_some_and(|latest| latest >= at)
    }

    /// The first line of `job` that names a session, not `own`, and whose run began after `at`.
    pub fn next_named(&self, job: TextHash, own: TextHash, at: Millis) -> Option<FinishedLine> {
        let lines = &self.jobs.get(&job)?.named;
        lines.first_after(at, self.now, |line| !lines.names(line, own))
    }

    /// The first line of `job` without a session whose run began after `at`.
    pub fn next_unnamed(&self, job: TextHash, at: Millis) -> Option<FinishedLine> {
        self.jobs.get(&job)?.unnamed.first_after(at, self.now, |_| true)
    }
}

/// Lines in the order of the file, in 25 bytes each.
#[derive(Clone, Debug, Default)]
struct Lines {
    /// Empty where lines name none.
    session: Vec<TextHash>,
    ts: Vec<Millis>,
    /// How long before `ts` the run began.
    took: Vec<u32>,
    number: Vec<u32>,
    status: Vec<Status>,
    /// Where lines of the next file begin, and which that is.
    files: Vec<(usize, u32)>,
    /// When a run began, where `took` cannot say it.
    odd_starts: HashMap<usize, Millis>,
    /// The other session of a line that names two.
    also: HashMap<usize, TextHash>,
    /// The latest start of each block, of those not in the future.
    latest_starts: Vec<Millis>,
}

/// In [`Lines::took`]: not known.
const UNKNOWN: u32 = u32::MAX;
/// In [`Lines::took`]: in [`Lines::odd_starts`].
const ODD: u32 = u32::MAX - 1;

impl Lines {
    fn len(&self) -> usize {
        self.ts.len()
    }

    fn push(&mut self, session: Option<TextHash>, also: Option<TextHash>, line: FinishedLine, now: Millis) {
        let at = self.len();
        self.took.push(match line.run_at {
            None => UNKNOWN,
            Some(start) => match line.ts.checked_sub(start).map(u32::try_from) {
                Some(Ok(took)) if took < ODD => took,
                _ => {
                    self.odd_starts.insert(at, start);
                    ODD
                }
            },
        });
        if self.files.last().is_none_or(|(_, file)| *file != line.at.file) {
            self.files.push((at, line.at.file));
        }
        if at.is_multiple_of(BLOCK) {
            self.latest_starts.push(Millis::MIN);
        }
        if let (Some(latest), Some(start)) = (self.latest_starts.last_mut(), line.run_at)
            && start <= now
        {
            *latest = start.max(*latest);
        }
        self.session.extend(session);
        self.also.extend(also.map(|also| (at, also)));
        self.ts.push(line.ts);
        self.number.push(line.at.line);
        self.status.push(line.status);
    }

    fn run_at(&self, at: usize) -> Option<Millis> {
        match self.took[at] {
            UNKNOWN => None,
            ODD => self.odd_starts.get(&at).copied(),
            took => Some(self.ts[at] - Millis::from(took)),
        }
    }

    fn get(&self, at: usize) -> FinishedLine {
        let file = self.files.partition_point(|(first, _)| *first <= at) - 1;
        FinishedLine {
            at: LineRef { file: self.files[file].1, line: self.number[at] },
            ts: self.ts[at],
            run_at: self.run_at(at),
            status: self.status[at],
        }
    }

    fn names(&self, at: usize, session: TextHash) -> bool {
        self.session[at] == session || self.also.get(&at) == Some(&session)
    }

    /// Which of two lines was written later; of two at the same time that which stands behind.
    fn later(&self, one: usize, other: usize) -> usize {
        std::cmp::max_by_key(one, other, |&at| (self.ts[at], at))
    }

    /// The first line that is wanted and whose run began after `at`, though not after `now`.
    fn first_after(&self, at: Millis, now: Millis, wanted: impl Fn(usize) -> bool) -> Option<FinishedLine> {
        let blocks = (0..self.latest_starts.len()).filter(|&block| self.latest_starts[block] > at);
        let lines = blocks.flat_map(|block| block * BLOCK..self.len().min((block + 1) * BLOCK));
        let began = |line: &usize| self.run_at(*line).is_some_and(|start| start > at && start <= now);
        lines.filter(began).find(|&line| wanted(line)).map(|line| self.get(line))
    }
}

/// Sessions to the latest lines that name them; four bytes for a place, at most half of them taken.
#[derive(Clone, Debug, Default)]
struct Table {
    places: Vec<u32>,
    refold: Refold,
}

/// In [`Table::places`]: nothing.
const FREE: u32 = u32::MAX;

impl Table {
    fn of(lines: &Lines, now: Millis) -> Self {
        let room = (2 * lines.len()).next_power_of_two();
        let mut table = Table { places: vec![FREE; room], refold: Refold::default() };
        for at in (0..lines.len()).filter(|&at| Stamp::is_past_time(lines.ts[at], now)) {
            let place = table.place(lines, lines.session[at]);
            let known = table.places[place];
            let latest = if known == FREE { at } else { lines.later(known as usize, at) };
            table.places[place] = u32::try_from(latest).unwrap_or(FREE);
        }
        table
    }

    /// Where a session is, or would be.
    fn place(&self, lines: &Lines, session: TextHash) -> usize {
        let mask = self.places.len() - 1;
        let mut place = self.refold.hash_one(session) as usize & mask;
        while self.places[place] != FREE && lines.session[self.places[place] as usize] != session {
            place = (place + 1) & mask;
        }
        place
    }

    fn find(&self, lines: &Lines, session: TextHash) -> Option<usize> {
        if session == 0 || self.places.is_empty() {
            return None;
        }
        let found = self.places[self.place(lines, session)];
        (found != FREE).then_some(found as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: Millis = 1_795_223_670_000;
    const JOB: TextHash = 7;

    type Written = ([Option<TextHash>; 2], FinishedLine);

    fn runs(lines: &[Written]) -> Runs {
        let mut runs = Runs::new(NOW);
        lines.iter().for_each(|(sessions, line)| runs.add(JOB, *sessions, *line));
        runs.seal();
        runs
    }

    fn line() -> impl Strategy<Value = Written> {
        let time = prop_oneof![
            10 => (-40..10i64).prop_map(|at| NOW + at),
            1 => Just(0),
            1 => Just(NOW - (1 << 40)),
            1 => Just(Millis::MIN),
            1 => Just(Millis::MAX)
        ];
        let session = || prop::option::of(prop_oneof![1..6u64, 1..90u64]);
        let status = prop_oneof![Just(Status::Done), Just(Status::Timeout)];
        (session(), session(), time.clone(), prop::option::of(time), status, 0..3u32).prop_map(
            |(id, key, ts, run_at, status, file)| {
                let at = LineRef { file, line: 0 };
                ([id, key], FinishedLine { at, ts, run_at, status })
            },
        )
    }

    proptest! {
        /// Every question, answered by going over all lines.
        #[test]
        fn answers_are_those_that_all_lines_together_give(
            mut lines in prop::collection::vec(line(), 0..3 * BLOCK),
            at in (-45..15i64).prop_map(|at| NOW + at),
            own in prop_oneof![0..7u64, 0..90u64],
        ) {
            lines.sort_by_key(|(_, line)| line.at.file);
            lines.iter_mut().zip(1..).for_each(|((_, line), number)| line.at.line = number);
            let told = runs(&lines);
            let past = |at: Millis| Stamp::is_past_time(at, NOW);
            let names = |sessions: &[Option<TextHash>; 2]| sessions.contains(&Some(own));
            let named = |sessions: &[Option<TextHash>; 2]| sessions.iter().any(Option::is_some);
            let later = |line: &FinishedLine| line.run_at.is_some_and(|start| start > at && start <= NOW);
            let around = |line: &FinishedLine| {
                past(line.ts) && line.ts >= at && line.run_at.is_some_and(|start| start <= at)
            };
            let all = || lines.iter().copied();
            prop_assert_eq!(
                told.of_session(JOB, own),
                all().filter(|(of, line)| names(of) && past(line.ts)).map(|(_, line)| line).max_by_key(|line| line.ts)
            );
            prop_assert_eq!(
                told.around(JOB, at),
                all().filter(|(of, line)| !named(of) && around(line)).map(|(_, line)| line).min_by_key(|line| line.ts)
            );
            prop_assert_eq!(
                told.has_finished_since(JOB, at),
                all().any(|(_, line)| line.run_at.is_some_and(|start| start >= at && past(start)))
            );
            prop_assert_eq!(
                told.next_named(JOB, own, at),
                all().find(|(of, line)| named(of) && !names(of) && later(line)).map(|(_, line)| line)
            );
            prop_assert_eq!(
                told.next_unnamed(JOB, at),
                all().find(|(of, line)| !named(of) && later(line)).map(|(_, line)| line)
            );
            prop_assert_eq!(told.of_session(JOB + 1, own), None);
        }
    }

    #[test]
    fn a_line_takes_few_bytes() {
        let at = |line: u32| LineRef { file: 0, line };
        let line = |number: u32| FinishedLine {
            at: at(number),
            ts: NOW,
            run_at: Some(NOW - 5),
            status: Status::Done,
        };
        let lines: Vec<Written> = (0..5000).map(|at| ([Some(at.into()), None], line(at))).collect();
        let runs = &runs(&lines).jobs[&JOB];
        let columns =
            size_of::<TextHash>() + size_of::<Millis>() + 2 * size_of::<u32>() + size_of::<Status>();
        assert_eq!((columns, runs.named.odd_starts.len(), runs.named.also.len()), (25, 0, 0));
        assert!(runs.sessions.places.len() <= 4 * lines.len());
    }
}
