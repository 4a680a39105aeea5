//! How much time lies between two runs of a job, as a rule.

use crate::model::Millis;

/// Half of what four bytes can tell: 24 days.
const REACH: Millis = 1 << 31;

/// Times of runs, in four bytes each as long as they lie within weeks of the one that came first.
#[derive(Debug, Default)]
pub struct Intervals {
    origin: Option<Millis>,
    near: Vec<u32>,
    far: Vec<Millis>,
}

impl Intervals {
    /// With room for so many times: a list that grows leaves all its smaller selves behind.
    pub fn with_room(count: usize) -> Self {
        Intervals { near: Vec::with_capacity(count), ..Self::default() }
    }

    /// Adds the time of a run.
    pub fn add(&mut self, time: Millis) {
        let origin = *self.origin.get_or_insert(time.saturating_sub(REACH));
        match time.checked_sub(origin).map(u32::try_from) {
            Some(Ok(near)) => self.near.push(near),
            _ => self.far.push(time),
        }
    }

    /// The median of the intervals between one run and the next.
    pub fn median(mut self) -> Option<Millis> {
        if self.far.is_empty() {
            return median(self.near).map(Millis::from);
        }
        let origin = self.origin.unwrap_or_default();
        self.far.extend(self.near.into_iter().map(|near| origin + Millis::from(near)));
        median(self.far)
    }
}

/// The times become the intervals between them, in place.
fn median<T: Copy + Ord + std::ops::Sub<Output = T>>(mut times: Vec<T>) -> Option<T> {
    times.sort_unstable();
    for at in 1..times.len() {
        times[at - 1] = times[at] - times[at - 1];
    }
    times.pop()?;
    let middle = times.len() / 2;
    (middle < times.len()).then(|| *times.select_nth_unstable(middle).1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(times: &[Millis]) -> Option<Millis> {
        let mut intervals = Intervals::default();
        times.iter().for_each(|&time| intervals.add(time));
        intervals.median()
    }

    #[test]
    fn the_median_interval_is_not_moved_by_one_long_pause() {
        assert_eq!(of(&[20, 0, 10, 30, 900]), Some(10));
        assert_eq!((of(&[5]), of(&[])), (None, None));
    }

    #[test]
    fn times_far_from_each_other_are_told_as_well() {
        const NOW: Millis = 1_795_223_670_000;
        assert_eq!(of(&[NOW, NOW - REACH, NOW + REACH - 1]), Some(REACH));
        assert_eq!(of(&[NOW, NOW + REACH, 0]), Some(NOW));
        assert_eq!(of(&[NOW, NOW - REACH - 1, NOW - 2]), Some(REACH - 1));
    }
}
