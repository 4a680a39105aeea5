//! Which runs are kept, and deleting the others.
//!
//! The policy is pure: listed records and a time go in, names come out. An age that is negative, because the
//! clock was set back, is none. Per store stay: the newest run; the largest removal; every run of the last
//! seven days that removed other than run records or put a damaged store together. Of the rest the five newest, as long as their originals
//! together have at most 1 GiB, and only one per distinct input. A run that is still `intended` always stays.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::disk::{Disk, DiskResult};
use super::flock::RecordsLock;
use super::run_id::RunId;
use super::run_record::RunState;
use super::runs::{self, Run};

/// How much is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Younger runs that removed other than run records all stay.
    pub recent: Duration,
    /// Runs of the rest.
    pub others: usize,
    /// Bytes of their originals.
    pub bytes: u64,
}

impl Default for Retention {
    fn default() -> Self {
        Retention { recent: Duration::from_secs(7 * 24 * 3600), others: 5, bytes: 1 << 30 }
    }
}

/// What the policy needs to know of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Its name, which holds its time.
    pub id: RunId,
    /// Which store.
    pub store: PathBuf,
    /// How far it came.
    pub state: RunState,
    /// Entries removed.
    pub removed: u64,
    /// Whether its original holds what may be missed.
    pub precious: bool,
    /// Size of its original; of a hard link too, for nothing else may hold those blocks by now.
    pub backup_bytes: u64,
    /// Hash of what it found.
    pub before: Option<String>,
}

impl From<&Run> for Kept {
    fn from(run: &Run) -> Self {
        let before = run.record.steps.first().and_then(|step| step.before.as_ref());
        Kept {
            id: run.id.clone(),
            store: run.record.store.clone(),
            state: run.record.state,
            removed: run.record.summary.removed,
            precious: run.record.is_precious(),
            backup_bytes: run.backup_bytes(),
            before: before.map(|print| print.hash.clone()),
        }
    }
}

impl Retention {
    /// The runs that need not be kept, in the order of their names.
    pub fn surplus(&self, runs: &[Kept], now: SystemTime) -> Vec<RunId> {
        let mut stores: BTreeMap<&Path, Vec<&Kept>> = BTreeMap::new();
        for run in runs.iter().filter(|run| run.state == RunState::Done) {
            stores.entry(&run.store).or_default().push(run);
        }
        let rolled_back = runs.iter().filter(|run| run.state == RunState::RolledBack);
        let mut surplus: Vec<RunId> =
            rolled_back.filter(|run| !self.is_recent(run, now)).map(|run| run.id.clone()).collect();
        for mut runs in stores.into_values() {
            runs.sort_by(|a, b| b.id.cmp(&a.id));
            surplus.extend(self.surplus_of_store(&runs, now));
        }
        surplus.sort();
        surplus
    }

    /// Of one store, newest first.
    fn surplus_of_store(&self, runs: &[&Kept], now: SystemTime) -> Vec<RunId> {
        let newest = runs.first().map(|run| &run.id);
        // Of equal ones the newest.
        let largest = runs.iter().max_by_key(|run| (run.removed, &run.id)).map(|run| &run.id);
        let (always, rest): (Vec<&Kept>, Vec<&Kept>) = runs.iter().partition(|run| {
            [newest, largest].contains(&Some(&run.id)) || run.precious && self.is_recent(run, now)
        });
        let mut inputs: HashSet<&str> = always.iter().filter_map(|run| run.before.as_deref()).collect();
        let (mut count, mut bytes, mut full) = (0, 0_u64, false);
        let mut surplus = Vec::new();
        for run in rest {
            let seen = run.before.as_deref().is_some_and(|hash| !inputs.insert(hash));
            let total = bytes.saturating_add(run.backup_bytes);
            full = full || !seen && (count == self.others || total > self.bytes);
            if seen || full {
                surplus.push(run.id.clone());
            } else {
                (count, bytes) = (count + 1, total);
            }
        }
        surplus
    }

    fn is_recent(&self, run: &Kept, now: SystemTime) -> bool {
        now.duration_since(run.id.time()).unwrap_or_default() < self.recent
    }
}

/// Deletes the runs that need not be kept, and says which; one that cannot be deleted comes with its error.
pub fn enforce(
    disk: &dyn Disk,
    lock: &RecordsLock,
    retention: &Retention,
    now: SystemTime,
) -> DiskResult<Vec<(RunId, DiskResult<()>)>> {
    let records: Vec<Kept> = runs::list_runs(lock.records_dir())?.iter().map(Kept::from).collect();
    let dir = runs::runs_dir(lock.records_dir());
    let surplus = retention.surplus(&records, now).into_iter();
    Ok(surplus
        .map(|id| {
            let deleted = runs::delete(disk, &dir.join(id.as_str()));
            (id, deleted)
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: u64 = 86_400;
    const GIB: u64 = 1 << 30;

    /// A line: days ago, removed, `other` or `-`, MiB, input, and `keep` or `drop`.
    fn case(name: &str, lines: &str) {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1000 * DAY);
        let (mut runs, mut dropped) = (Vec::new(), Vec::new());
        for (at, line) in lines.lines().filter(|line| !line.trim().is_empty()).enumerate() {
            let words: Vec<&str> = line.split_whitespace().collect();
            let days: f64 = words[0].parse().unwrap();
            let time = SystemTime::UNIX_EPOCH + Duration::from_secs_f64((1000.0 - days) * DAY as f64);
            let id = RunId::next(time, []);
            if words[5] == "drop" {
                dropped.push(id.clone());
            }
            runs.push(Kept {
                id,
                store: if words[4].starts_with("b/") { "/b".into() } else { "/a".into() },
                state: match words.get(6) {
                    Some(&"intended") => RunState::Intended,
                    Some(&"rolled-back") => RunState::RolledBack,
                    _ => RunState::Done,
                },
                removed: words[1].parse().unwrap(),
                precious: words[2] == "other",
                backup_bytes: words[3].parse::<u64>().unwrap() << 20,
                before: Some(if words[4] == "=" { format!("h{at}") } else { words[4].to_owned() }),
            });
        }
        dropped.sort();
        assert_eq!(Retention::default().surplus(&runs, now), dropped, "{name}");
    }

    #[test]
    fn the_cases() {
        case("none", "");
        case(
            "five of the rest, besides the newest and the largest",
            "30 99 - 1 = keep
             20 1 - 1 = drop
             19 1 - 1 = drop
             18 1 - 1 = keep
             17 1 - 1 = keep
             16 1 - 1 = keep
             15 1 - 1 = keep
             14 1 - 1 = keep
             13 1 - 1 = keep",
        );
        case(
            "a week of runs that removed other things, whatever their size",
            "8    1 other 1    = drop
             7.5  9 other 1    = keep
             6.9  1 other 4000 = keep
             6    1 other 4000 = keep
             5    1 - 600      = drop
             4    1 - 600      = keep
             3    1 - 1        = keep
             -2   1 other 1    = keep",
        );
        case(
            "one per distinct input, the newest of them",
            "9 1 - 1 x drop
             8 1 - 1 y drop
             7 1 - 1 y keep
             6 1 - 1 x drop
             5 2 - 1 x keep
             4 1 - 1 z keep",
        );
        case(
            "each store for itself",
            "9 1 - 1 b/1 keep
             8 1 - 1 b/2 keep
             7 1 - 1 = keep",
        );
        case(
            "what is not done counts for nothing",
            "90 500 - 1 = keep intended
             80 1   - 1 = drop rolled-back
             2  1   - 1 = keep rolled-back
             70 1   - 1 = keep
             60 1   - 1 = keep
             1  1   - 1 = keep intended",
        );
        case(
            "an original that alone is too large",
            "9 1 - 2000 = drop
             8 5 - 2000 = keep
             7 1 - 2000 = keep",
        );
        assert_eq!(Retention::default().bytes, GIB);
    }

    #[test]
    fn of_equal_removals_the_newest_counts_as_the_largest() {
        let limit = Retention { others: 0, ..Retention::default() };
        let run = |secs: u64, removed| Kept {
            id: RunId::next(SystemTime::UNIX_EPOCH + Duration::from_secs(secs), []),
            store: "/a".into(),
            state: RunState::Done,
            removed,
            precious: false,
            backup_bytes: 0,
            before: None,
        };
        let runs = [run(1, 7), run(2, 7), run(3, 0)];
        assert_eq!(limit.surplus(&runs, SystemTime::now()), [runs[0].id.clone()]);
    }
}
