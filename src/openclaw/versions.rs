//! The versions of OpenClaw that read `sessions.json`, as far as it is known in what they differ.

/// From the oldest to the newest. Later ones, and 2026.7.2-beta.4, keep sessions in SQLite.
const ALL: [&str; 21] = [
    "2026.3.13",
    "2026.3.28",
    "2026.3.31",
    "2026.4.5",
    "2026.4.14",
    "2026.4.20",
    "2026.4.21",
    "2026.4.22",
    "2026.4.24",
    "2026.4.26",
    "2026.4.29",
    "2026.5.2",
    "2026.5.7",
    "2026.5.12",
    "2026.5.20",
    "2026.5.28",
    "2026.6.1",
    "2026.6.11",
    "2026.7.1",
    "2026.7.33",
    "2026.7.35",
];

/// A version of OpenClaw. Those that come later are greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(usize);

impl Version {
    /// From here on `maintenance.mode` is `enforce` where nothing is said: old entries are removed.
    pub const ENFORCES: Version = Version(5);
    /// From here on an entry without `sessionId` is legal under the key of a cron base, and `cleanup` dies of entries
    /// that are no objects.
    pub const ALLOWS_NO_ID: Version = Version(13);
    /// From here on jobs that cannot be run are set aside on load.
    pub const SETS_JOBS_ASIDE: Version = Version(14);
    /// From here on entries are put in order on load, and some are dropped.
    pub const DROPS_ON_LOAD: Version = Version(15);

    /// The version of that name.
    pub fn named(name: &str) -> Option<Version> {
        ALL.iter().position(|known| *known == name).map(Version)
    }

    /// The newest.
    pub fn newest() -> Version {
        Version(ALL.len() - 1)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        ALL[self.0]
    }

    /// The names of all of them, from the oldest to the newest.
    pub fn names() -> &'static [&'static str] {
        &ALL
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_versions_in_which_something_changes_are_those_of_that_name() {
        assert_eq!(Version::ENFORCES.name(), "2026.4.20");
        assert_eq!(Version::ALLOWS_NO_ID.name(), "2026.5.12");
        assert_eq!(Version::SETS_JOBS_ASIDE.name(), "2026.5.20");
        assert_eq!(Version::DROPS_ON_LOAD.name(), "2026.5.28");
        assert!(Version::ENFORCES > Version::named("2026.4.14").unwrap());
        assert_eq!((Version::newest().name(), Version::named("2026.9.6")), ("2026.7.35", None));
    }
}
