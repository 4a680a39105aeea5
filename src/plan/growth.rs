//! How fast a store grows, and when that pace brings it to a limit: a range, and what it rests on.
//!
//! A store tells what it was given only by what it still holds: each run, sub-agent or hook left an entry with the time
//! of its last word. Conversations grow in place and say nothing of that, so they are left out. The window ends with
//! the newest such entry and not with the clock, for a gateway that is down makes none.

use super::forecast;
use crate::model::Millis;
use crate::report::model::{Growth, Reach};

const HOUR: Millis = 3_600_000;
const DAY: Millis = 24 * HOUR;

/// The stretches before the newest entry whose pace is taken.
const WINDOWS: [Millis; 2] = [DAY, 7 * DAY];

/// Fewer entries than this have no pace.
const FEWEST: u64 = 10;

/// One entry that something made on its own: a run, a sub-agent, a hook.
#[derive(Clone, Copy, Debug)]
pub struct Made {
    /// When it was last heard of.
    pub at: Millis,
    /// What it takes.
    pub bytes: u64,
    /// Whether it is the record of a run, which OpenClaw takes out again after the retention.
    pub is_run: bool,
}

/// What the store and its gateway can take.
#[derive(Clone, Copy, Debug, Default)]
pub struct Room {
    /// Bytes of the store.
    pub bytes: u64,
    /// The size of the largest store that OpenClaw can read.
    pub largest: u64,
    /// The heap limit of the gateway.
    pub heap_limit: Option<u64>,
    /// The size at which older versions rotate the store, and all of them become slow.
    pub rotate_bytes: u64,
    /// After how long OpenClaw takes out records of runs; `None`: never.
    pub retention: Option<Millis>,
}

/// The pace of a store; `None` where too little was made to tell.
pub fn growth(made: impl Iterator<Item = Made> + Clone, room: &Room, now: Millis) -> Option<Growth> {
    let extent = made.clone().map(Extent::of).reduce(Extent::with)?;
    let Extent { count, newest, .. } = extent;
    let span = newest - extent.oldest;
    if count < FEWEST || span < HOUR {
        return None;
    }
    let paces = WINDOWS.map(|window| pace(made.clone(), newest, window.min(span)));
    let (low, high) = (least(&paces, |pace| pace.0), most(&paces, |pace| pace.0));
    let balanced = extent.only_runs && room.retention.is_some_and(|kept| is_balanced(span, kept));
    let low = if balanced { 0 } else { low };
    Some(Growth {
        bytes_per_day_low: low,
        bytes_per_day_high: high,
        entries_per_day_low: least(&paces, |pace| pace.1),
        entries_per_day_high: most(&paces, |pace| pace.1),
        reaches: reaches(room, low, high, now),
        basis: basis(count, span, balanced),
    })
}

/// Bytes and entries a day in the stretch before the newest entry.
fn pace(made: impl Iterator<Item = Made>, newest: Millis, window: Millis) -> (u64, u64) {
    // What lies at the very start of the stretch was made before it.
    let within = made.filter(|made| made.at > newest - window);
    let (bytes, entries) = within.fold((0, 0), |(bytes, entries), made| (bytes + made.bytes, entries + 1));
    let a_day = |amount: u64| (u128::from(amount) * DAY as u128 / window.max(1) as u128) as u64;
    (a_day(bytes), a_day(entries))
}

fn least(paces: &[(u64, u64)], of: impl Fn(&(u64, u64)) -> u64) -> u64 {
    paces.iter().map(of).min().unwrap_or(0)
}

fn most(paces: &[(u64, u64)], of: impl Fn(&(u64, u64)) -> u64) -> u64 {
    paces.iter().map(of).max().unwrap_or(0)
}

/// Whether OpenClaw takes out as many runs as it makes: they are made for longer than they are kept, and none of them is
/// much older.
fn is_balanced(span: Millis, kept: Millis) -> bool {
    (kept - kept / 8..=kept + kept / 8 + HOUR).contains(&span)
}

/// When something was made.
struct Extent {
    count: u64,
    oldest: Millis,
    newest: Millis,
    only_runs: bool,
}

impl Extent {
    fn of(made: Made) -> Self {
        Extent { count: 1, oldest: made.at, newest: made.at, only_runs: made.is_run }
    }

    fn with(self, other: Extent) -> Self {
        Extent {
            count: self.count + other.count,
            oldest: self.oldest.min(other.oldest),
            newest: self.newest.max(other.newest),
            only_runs: self.only_runs && other.only_runs,
        }
    }
}

fn basis(count: u64, span: Millis, balanced: bool) -> String {
    let days = span as f64 / DAY as f64;
    let mut basis = format!(
        "{count} entries of runs, sub-agents and hooks that the store still holds, of the {days:.1} days before the \
         newest of them; the pace of the last day of it and of the last week"
    );
    if balanced {
        basis.push_str("; none is older than OpenClaw keeps runs, so the store may not grow at all");
    }
    basis
}

/// When the store comes to each limit that it has not reached.
fn reaches(room: &Room, low: u64, high: u64, now: Millis) -> Vec<Reach> {
    let heap = room.heap_limit.map(forecast::sizes_that_fill);
    let limits = [
        ("rotate-size", Some((room.rotate_bytes, room.rotate_bytes))),
        ("heap-limit", heap),
        ("string-limit", Some((room.largest, room.largest))),
    ];
    let limit = |(limit, sizes): (&str, Option<(u64, u64)>)| {
        let (smallest, largest) = sizes?;
        let at = |size: u64, pace: u64| {
            let left = u128::from(size.checked_sub(room.bytes)?) * DAY as u128;
            now.checked_add(Millis::try_from(left.checked_div(u128::from(pace))?).ok()?)
        };
        let earliest_at = at(smallest, high)?;
        Some(Reach {
            limit: limit.to_owned(),
            bytes_low: smallest,
            bytes_high: largest,
            earliest_at,
            latest_at: at(largest, low),
        })
    };
    limits.into_iter().filter_map(limit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Millis = 1_795_223_670_000;

    fn every(minutes: i64, count: i64, bytes: u64) -> Vec<Made> {
        let at = |number| NOW - number * minutes * 60_000;
        (0..count).map(|number| Made { at: at(number), bytes, is_run: true }).collect()
    }

    fn of(made: &[Made], room: &Room) -> Option<Growth> {
        growth(made.iter().copied(), room, NOW)
    }

    fn room(bytes: u64) -> Room {
        let heap_limit = Some(2 << 30);
        let largest = 536_870_887;
        Room { bytes, largest, heap_limit, rotate_bytes: 10 << 20, retention: None }
    }

    #[test]
    fn a_job_that_runs_each_minute_grows_by_so_many_a_day_and_reaches_limits_in_that_order() {
        let growth = of(&every(1, 4 * 1440, 10_000), &room(57_600_000)).unwrap();
        assert_eq!((growth.bytes_per_day_low, growth.bytes_per_day_high), (14_400_000, 14_400_000));
        assert_eq!((growth.entries_per_day_low, growth.entries_per_day_high), (1440, 1440));
        let limits: Vec<&str> = growth.reaches.iter().map(|reach| &*reach.limit).collect();
        assert_eq!(limits, ["heap-limit", "string-limit"], "10 MiB are behind it already");
        let string = &growth.reaches[1];
        let days = (string.earliest_at - NOW) as f64 / DAY as f64;
        assert!((33.0..33.5).contains(&days) && string.latest_at == Some(string.earliest_at), "{days}");
        let heap = &growth.reaches[0];
        assert!(heap.bytes_low < heap.bytes_high && heap.earliest_at < heap.latest_at.unwrap());
    }

    #[test]
    fn a_burst_and_a_quiet_week_make_a_range() {
        let mut made = every(60, 24 * 7, 1000);
        made.extend(every(1, 1000, 1000));
        let growth = of(&made, &room(1_200_000)).unwrap();
        assert!(growth.bytes_per_day_low * 5 < growth.bytes_per_day_high, "{growth:?}");
        assert!(growth.reaches[0].earliest_at < growth.reaches[0].latest_at.unwrap());
    }

    #[test]
    fn what_openclaw_takes_out_again_may_not_grow_at_all() {
        let kept = Room { retention: Some(DAY), ..room(1_000_000) };
        let growth = of(&every(10, 150, 5000), &kept).unwrap();
        assert_eq!((growth.bytes_per_day_low, growth.reaches[0].latest_at), (0, None), "{growth:?}");
        assert!(growth.bytes_per_day_high > 0);
        // For two days already nothing was taken out.
        assert!(of(&every(10, 288, 5000), &kept).unwrap().bytes_per_day_low > 0);
        // Nor does it take out sub-agents.
        let mut others = every(10, 150, 5000);
        others[3].is_run = false;
        assert!(of(&others, &kept).unwrap().bytes_per_day_low > 0);
    }

    #[test]
    fn too_little_has_no_pace() {
        assert_eq!(of(&[], &room(1)), None);
        assert_eq!(of(&every(60, 9, 1), &room(1)), None, "nine entries");
        assert_eq!(of(&every(0, 900, 1), &room(1)), None, "all at once");
    }

    #[test]
    fn extreme_numbers_do_no_harm() {
        let made = |at| Made { at, bytes: u64::MAX >> 24, is_run: false };
        let made: Vec<Made> = (0..10).map(|at| made(100_000_000_000 + at * 900_000_000_000)).collect();
        let growth = of(&made, &Room { bytes: u64::MAX, ..Room::default() }).unwrap();
        assert_eq!(growth.reaches, []);
    }
}
