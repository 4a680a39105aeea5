//! `cron-runaway-job`: a job runs far faster than its schedule says, or again before it has ended.

use crate::model::Millis;
use crate::model::verdict::Rule;

/// It fills the store, and what it does it does too often.
pub static RULE: Rule = Rule {
    id: "cron-runaway-job",
    class: None,
    title: "a job runs far faster than its schedule says, or again before it has ended",
};

/// Fewer intervals say nothing: a few runs by hand, or what is caught up with after a start.
const INTERVALS: usize = 10;

/// So many of the latest all have to be short: the schedule may have been another before.
const LATEST: usize = 3;

/// So many times faster than the schedule is far faster.
const FACTOR: Millis = 2;

/// Overlaps below this may be runs that were cut short, or a clock that was set.
const OVERLAPS: u64 = 2;

/// How a job runs away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Runaway {
    /// Faster than it should.
    Fast {
        /// Median time between its latest runs.
        measured: Millis,
        /// The shortest time that its schedule leaves between two.
        expected: Millis,
    },
    /// Again before it has ended, so many times.
    Overlapping(u64),
}

/// The median of the latest intervals between starts, which come in order; `None` where there are too few.
pub fn measured(starts: &[Millis]) -> Option<Millis> {
    let mut gaps = latest_gaps(starts);
    if gaps.len() < INTERVALS {
        return None;
    }
    gaps.sort_unstable();
    Some(gaps[gaps.len() / 2])
}

fn latest_gaps(starts: &[Millis]) -> Vec<Millis> {
    let from = starts.len().saturating_sub(INTERVALS + 1);
    starts[from..].windows(2).map(|pair| pair[1] - pair[0]).collect()
}

/// Whether runs that began at `starts`, in order, came far faster than every `expected` milliseconds.
pub fn is_fast(starts: &[Millis], expected: Millis) -> Option<Runaway> {
    let measured = measured(starts)?;
    let far = |gap: Millis| gap.saturating_mul(FACTOR) <= expected;
    let gaps = latest_gaps(starts);
    let latest = gaps.iter().rev().take(LATEST).all(|&gap| far(gap));
    (far(measured) && latest).then_some(Runaway::Fast { measured, expected })
}

/// The longest interval that would still be far too fast, where `measured` is what was measured: a schedule with a
/// shorter one than this is in order.
pub fn least_expected(measured: Millis) -> Millis {
    measured.saturating_mul(FACTOR) - 1
}

/// Whether runs overlapped, of so many finished ones.
pub fn is_overlapping(overlaps: u64, lines: u64) -> Option<Runaway> {
    (overlaps >= OVERLAPS && lines > INTERVALS as u64).then_some(Runaway::Overlapping(overlaps))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn every(gap: Millis, count: i64) -> Vec<Millis> {
        (0..count).map(|at| at * gap).collect()
    }

    #[test]
    fn ten_intervals_of_half_the_schedule_run_away() {
        let fast = Some(Runaway::Fast { measured: 60_000, expected: 3_600_000 });
        assert_eq!(is_fast(&every(60_000, 11), 3_600_000), fast);
        assert_eq!(is_fast(&every(60_000, 10), 3_600_000), None, "nine intervals");
        assert_eq!(is_fast(&every(60_000, 40), 119_999), None);
        assert!(is_fast(&every(60_000, 40), 120_000).is_some());
        assert_eq!(least_expected(60_000), 119_999);
    }

    #[test]
    fn what_slowed_down_lately_is_in_order_again() {
        let mut starts = every(60_000, 20);
        starts.push(19 * 60_000 + 3_600_000);
        assert_eq!(is_fast(&starts, 3_600_000), None);
        let mut bursts = every(3_600_000, 8);
        bursts.extend((1..=5).map(|at| 7 * 3_600_000 + at * 60_000));
        assert_eq!(is_fast(&bursts, 3_600_000), None, "a few by hand are fewer than the scheduled ones");
    }

    #[test]
    fn overlaps_need_a_history() {
        assert_eq!(is_overlapping(2, 11), Some(Runaway::Overlapping(2)));
        assert_eq!((is_overlapping(1, 100), is_overlapping(9, 10)), (None, None));
    }
}
