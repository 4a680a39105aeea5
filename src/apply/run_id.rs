//! Names of runs, which sort by time: `20261121T010914.743Z-0001`.
//!
//! The stamp is the real UTC start, never `--now`. Names only ever grow: where the newest run is of the same
//! millisecond or, because the clock was set back, of a later one, its stamp is used again with the next
//! suffix.

use std::fmt;
use std::time::{Duration, SystemTime};

/// The name of a run and of its directory.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunId(String);

/// Suffixes have four digits; a longer one would sort before a shorter one.
const LAST_SUFFIX: u32 = 9999;

/// The last second that a stamp of four digits of year can say.
const LAST_SECOND: u64 = 253_402_300_799;

impl RunId {
    /// The name as a string.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A name that is really one of ours; everything else in the directory is foreign.
    pub fn parse(name: &str) -> Option<Self> {
        let (stamp, suffix) = name.split_once('-')?;
        let digits = suffix.len() == 4 && suffix.bytes().all(|byte| byte.is_ascii_digit());
        (digits && parse_stamp(stamp).is_some()).then(|| RunId(name.to_owned()))
    }

    /// The next name after all `existing` ones for a run that starts `now`.
    pub fn next<'a>(now: SystemTime, existing: impl IntoIterator<Item = &'a RunId>) -> Self {
        let fresh = RunId::new(now, 1);
        match existing.into_iter().max() {
            Some(newest) if *newest >= fresh => newest.successor(),
            _ => fresh,
        }
    }

    /// The time in the name.
    pub fn time(&self) -> SystemTime {
        self.0.split_once('-').and_then(|(stamp, _)| parse_stamp(stamp)).unwrap_or(SystemTime::UNIX_EPOCH)
    }

    fn new(time: SystemTime, suffix: u32) -> Self {
        let latest = SystemTime::UNIX_EPOCH + Duration::from_secs(LAST_SECOND);
        let time = time.clamp(SystemTime::UNIX_EPOCH, latest);
        let stamp = humantime::format_rfc3339_millis(time).to_string().replace(['-', ':'], "");
        RunId(format!("{stamp}-{suffix:04}"))
    }

    fn successor(&self) -> Self {
        let suffix = self.0.rsplit('-').next().and_then(|digits| digits.parse().ok()).unwrap_or(LAST_SUFFIX);
        if suffix < LAST_SUFFIX {
            return RunId::new(self.time(), suffix + 1);
        }
        RunId::new(self.time() + Duration::from_millis(1), 1)
    }
}

/// `20261121T010914.743Z`.
fn parse_stamp(stamp: &str) -> Option<SystemTime> {
    if stamp.len() != 20 || !stamp.is_ascii() {
        return None;
    }
    let (date, time) = (&stamp[..8], &stamp[9..]);
    let long = format!(
        "{}-{}-{}{}{}:{}:{}",
        &date[..4],
        &date[4..6],
        &date[6..],
        &stamp[8..9],
        &time[..2],
        &time[2..4],
        &time[4..]
    );
    let parsed = humantime::parse_rfc3339(&long).ok()?;
    // Only one spelling of a time is a name of ours.
    (humantime::format_rfc3339_millis(parsed).to_string() == long).then_some(parsed)
}

impl fmt::Display for RunId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_millis(millis)
    }

    #[test]
    fn names_grow_even_when_the_clock_goes_back() {
        let mut all = Vec::new();
        for now in [5_000, 5_000, 4_000, 5_001, 1, 5_001] {
            all.push(RunId::next(at(now), &all));
        }
        let names: Vec<&str> = all.iter().map(RunId::as_str).collect();
        assert_eq!(names[0], "19700101T000005.000Z-0001");
        assert_eq!(names[2], "19700101T000005.000Z-0003");
        assert_eq!(names[5], "19700101T000005.001Z-0003");
        assert!(all.windows(2).all(|pair| pair[0] < pair[1]));
    }

    #[test]
    fn the_last_suffix_is_followed_by_the_next_millisecond() {
        let last = RunId::parse("20261121T010914.999Z-9999").unwrap();
        assert_eq!(RunId::next(at(0), [&last]).as_str(), "20261121T010915.000Z-0001");
        assert_eq!(RunId::next(SystemTime::UNIX_EPOCH - Duration::from_secs(9), []).time(), at(0));
    }

    #[test]
    fn foreign_names_are_no_runs() {
        for name in [
            "",
            "lost+found",
            "20261121T010914.743Z",
            "20261321T010914.743Z-0001",
            "20261121T010914.743Z-00010",
            "20261121 010914.743Z-0001",
            "2026-1121T0109.743Z-0001",
            "20261121T010914.743Z-0001.bak",
            "é0261121T010914.743-0001",
        ] {
            assert_eq!(RunId::parse(name), None, "{name}");
        }
        let id = RunId::parse("20261121T010914.743Z-0001").unwrap();
        assert_eq!(RunId::new(id.time(), 1), id);
    }
}
