//! Advice on OpenClaw's own configuration, from what it says and what became of the stores under it.
//!
//! Never about a taste: each needs a store that shows the harm, and names the exact setting.

use crate::model::Millis;
use crate::model::verdict::Rule;

/// Nothing is ever taken out, while the store grows.
pub static MAINTENANCE_WARN: Rule = Rule {
    id: "config-maintenance-warn",
    class: None,
    title: "OpenClaw only warns of a store that grows, and takes nothing out",
};
/// The cap is smaller than what lives and is made.
pub static MAX_ENTRIES: Rule = Rule {
    id: "config-max-entries",
    class: None,
    title: "a cap on entries that new runs fill, so that conversations are pushed out",
};
/// Records of runs are kept for ever.
pub static RETENTION_OFF: Rule =
    Rule { id: "config-retention-off", class: None, title: "OpenClaw never takes out records of runs" };
/// Jobs that leave an entry with each run.
pub static ISOLATED_CHURN: Rule = Rule {
    id: "config-isolated-churn",
    class: None,
    title: "isolated jobs that leave a new entry with each run",
};

const DAY: Millis = 86_400_000;
/// A store smaller than this harms nobody.
const SMALL: u64 = 1 << 20;
/// A job that runs less often than once an hour leaves few entries.
const BUSY: u64 = 24;
/// From here on `enforce` is what OpenClaw does unless told otherwise.
const ENFORCES: Version = [2026, 4, 20];
/// From here on a rotation copies the store instead of renaming it.
const ROTATES_SAFELY: Version = [2026, 4, 24];
/// From here on the cap is five thousand unless told otherwise.
const LARGE_CAP: Version = [2026, 9, 6];
/// Up to here it is five hundred.
const SMALL_CAP: Version = [2026, 8, 2];

/// Year, month, release.
pub type Version = [u64; 3];

/// What the configuration says.
#[derive(Clone, Copy, Debug, Default)]
pub struct Settings {
    /// `session.maintenance.mode`: whether it is `enforce`.
    pub enforce: Option<bool>,
    /// `session.maintenance.maxEntries`.
    pub max_entries: Option<u64>,
    /// `session.maintenance.rotateBytes`.
    pub rotate_bytes: u64,
    /// `cron.sessionRetention`; `None` is `false`.
    pub retention: Option<Millis>,
    /// The version of OpenClaw, where it is known.
    pub version: Option<Version>,
}

/// What became of a store.
#[derive(Clone, Copy, Debug, Default)]
pub struct Grown {
    /// Its size.
    pub bytes: u64,
    /// Entries that no retention ever takes out: all but records of runs.
    pub lasting: u64,
    /// Records of runs.
    pub runs: u64,
    /// Those of them that are more than a day old.
    pub old_runs: u64,
    /// New entries a day, at least; `None` where that is not known.
    pub entries_per_day: Option<u64>,
    /// New bytes a day, at least.
    pub bytes_per_day: u64,
}

/// A job and the entries that it leaves.
#[derive(Clone, Debug)]
pub struct Churn {
    /// Its name, or its id.
    pub job: String,
    /// New entries a day.
    pub entries_per_day: u64,
    /// New bytes a day.
    pub bytes_per_day: u64,
}

/// What to change, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Advice {
    /// What it is called.
    pub rule: &'static Rule,
    /// Whether harm is done already; else it is only good to know.
    pub urgent: bool,
    /// Why.
    pub message: String,
    /// The exact setting.
    pub setting: String,
}

/// What may be said about the settings under which one store lives.
pub fn of_store(settings: &Settings, grown: &Grown, churn: &[Churn]) -> Vec<Advice> {
    let found =
        [maintenance(settings, grown), cap(settings, grown), retention(settings, grown), isolated(churn)];
    found.into_iter().flatten().collect()
}

/// Whether entries are taken out on save; `None` where that hangs on a version that is not known.
fn enforces(settings: &Settings) -> Option<bool> {
    settings.enforce.or_else(|| settings.version.map(|version| version >= ENFORCES))
}

fn maintenance(settings: &Settings, grown: &Grown) -> Option<Advice> {
    let harm = grown.bytes >= SMALL && grown.bytes_per_day > 0;
    let (urgent, why) = match (settings.enforce, enforces(settings)) {
        _ if !harm => return None,
        (Some(false), _) => (true, "session.maintenance.mode is \"warn\""),
        (None, Some(false)) => {
            (true, "session.maintenance.mode is not set, and this version then only warns")
        }
        (None, None) => {
            (false, "session.maintenance.mode is not set, and versions up to 2026.4.14 then only warn")
        }
        _ => return None,
    };
    let mut setting = "session.maintenance.mode: \"enforce\"".to_owned();
    let risky = settings.version.is_none_or(|version| version < ROTATES_SAFELY);
    if risky {
        let limit = settings.rotate_bytes >> 20;
        setting.push_str(&format!(
            "; but prune the store below {limit} MiB first and keep it there: versions before 2026.4.24 rename a larger \
             store away in this mode, and may lose it"
        ));
    }
    Some(Advice {
        rule: &MAINTENANCE_WARN,
        urgent,
        message: format!(
            "{why}: nothing is ever taken out, and the store grows by {} bytes a day",
            grown.bytes_per_day
        ),
        setting,
    })
}

fn cap(settings: &Settings, grown: &Grown) -> Option<Advice> {
    let default = settings.version.and_then(|version| match () {
        () if version <= SMALL_CAP => Some(500),
        () if version >= LARGE_CAP => Some(5000),
        () => None,
    });
    let most = settings.max_entries.or(default).filter(|_| enforces(settings) == Some(true))?;
    let pace = grown.entries_per_day.filter(|&pace| pace > 0)?;
    // Records of runs go after their retention; without one they go nowhere.
    let days = settings.retention.map_or(30, |kept| u64::try_from(kept / DAY).unwrap_or(0).max(1));
    let wanted = grown.lasting.saturating_add(pace.saturating_mul(days));
    if wanted <= most {
        return None;
    }
    let hours = most.saturating_mul(24) / pace;
    let enough = wanted.saturating_mul(2).div_ceil(500).saturating_mul(500);
    Some(Advice {
        rule: &MAX_ENTRIES,
        urgent: true,
        message: format!(
            "OpenClaw keeps the newest {most} entries, and at least {pace} new ones a day push the others out: what \
             nobody used for about {hours} hours goes, conversations too"
        ),
        setting: format!("session.maintenance.maxEntries: {enough}, or fewer isolated runs"),
    })
}

fn retention(settings: &Settings, grown: &Grown) -> Option<Advice> {
    (settings.retention.is_none() && grown.runs > 0).then(|| Advice {
        rule: &RETENTION_OFF,
        urgent: grown.old_runs > 0,
        message: format!(
            "cron.sessionRetention is false: none of the {} records of runs is ever taken out, and {} are more than a \
             day old",
            grown.runs, grown.old_runs
        ),
        setting: "cron.sessionRetention: \"24h\"".to_owned(),
    })
}

fn isolated(churn: &[Churn]) -> Option<Advice> {
    let mut busy: Vec<&Churn> = churn.iter().filter(|job| job.entries_per_day >= BUSY).collect();
    busy.sort_by_key(|job| std::cmp::Reverse(job.entries_per_day));
    let first = busy.first()?;
    let told = |job: &&Churn| {
        let bytes = megabytes(job.bytes_per_day);
        format!("{} ({} entries and {bytes} a day)", job.job, job.entries_per_day)
    };
    let rest = busy.len().saturating_sub(3);
    let more = if rest > 0 { format!(" and {rest} more") } else { String::new() };
    let named: Vec<String> = busy.iter().take(3).map(told).collect();
    Some(Advice {
        rule: &ISOLATED_CHURN,
        urgent: false,
        message: format!(
            "each run of an isolated job leaves an entry of its own: {}{more}",
            named.join(", ")
        ),
        setting: format!(
            "\"sessionTarget\": \"session:NAME\" in the job {}, if one conversation that goes on from run to run will do \
             for it",
            first.job
        ),
    })
}

fn megabytes(bytes: u64) -> String {
    format!("{:.1} MB", bytes as f64 / 1e6)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grown() -> Grown {
        Grown {
            bytes: 50 << 20,
            lasting: 40,
            runs: 3000,
            old_runs: 2000,
            entries_per_day: Some(1440),
            bytes_per_day: 9_000_000,
        }
    }

    fn settings() -> Settings {
        Settings { rotate_bytes: 10 << 20, retention: Some(DAY), ..Settings::default() }
    }

    fn ids(settings: &Settings, grown: &Grown) -> Vec<(&'static str, bool)> {
        of_store(settings, grown, &[]).into_iter().map(|advice| (advice.rule.id, advice.urgent)).collect()
    }

    #[test]
    fn a_mode_that_only_warns_is_told_where_the_store_grows() {
        let warns = ("config-maintenance-warn", true);
        assert_eq!(ids(&Settings { enforce: Some(false), ..settings() }, &grown()), [warns]);
        let old = Settings { version: Some([2026, 4, 14]), ..settings() };
        assert_eq!(ids(&old, &grown()), [warns]);
        assert_eq!(
            ids(&settings(), &grown()),
            [("config-maintenance-warn", false)],
            "the version is not known"
        );
        for calm in [Grown { bytes: 1000, ..grown() }, Grown { bytes_per_day: 0, ..grown() }] {
            assert_eq!(ids(&Settings { enforce: Some(false), ..settings() }, &calm), []);
        }
        let hint = |version| {
            let settings = Settings { enforce: Some(false), version, ..settings() };
            of_store(&settings, &grown(), &[]).remove(0).setting
        };
        assert!(hint(None).contains("below 10 MiB first") && hint(Some([2026, 4, 22])).contains("10 MiB"));
        assert_eq!(hint(Some([2026, 5, 12])), "session.maintenance.mode: \"enforce\"");
    }

    #[test]
    fn a_cap_that_a_day_of_runs_fills_pushes_conversations_out() {
        let capped =
            |max_entries, version| Settings { enforce: Some(true), max_entries, version, ..settings() };
        let cap = ("config-max-entries", true);
        assert_eq!(ids(&capped(Some(500), None), &grown()), [cap]);
        assert_eq!(ids(&capped(Some(1480), None), &grown()), [], "a day of runs and all that lasts");
        assert_eq!(ids(&capped(Some(1479), None), &grown()), [cap]);
        assert_eq!(ids(&capped(None, Some([2026, 5, 12])), &grown()), [cap]);
        assert_eq!(ids(&capped(None, Some([2026, 9, 6])), &grown()), []);
        assert_eq!(ids(&capped(None, None), &grown()), [], "nobody knows the cap");
        assert_eq!(ids(&capped(Some(500), None), &Grown { entries_per_day: None, ..grown() }), []);
        let advice = of_store(&capped(Some(500), None), &grown(), &[]).remove(0);
        assert!(advice.message.contains("about 8 hours"), "{}", advice.message);
        assert!(advice.setting.contains("maxEntries: 3000"), "{}", advice.setting);
    }

    #[test]
    fn a_retention_that_is_off_matters_once_there_are_runs() {
        let off = Settings { enforce: Some(true), retention: None, ..settings() };
        assert_eq!(ids(&off, &grown()), [("config-retention-off", true)]);
        assert_eq!(ids(&off, &Grown { old_runs: 0, ..grown() }), [("config-retention-off", false)]);
        assert_eq!(ids(&off, &Grown { runs: 0, old_runs: 0, ..grown() }), []);
    }

    #[test]
    fn busy_isolated_jobs_are_named_the_busiest_first() {
        let job =
            |name: &str, entries_per_day| Churn { job: name.to_owned(), entries_per_day, bytes_per_day: 7 };
        let enforced = Settings { enforce: Some(true), ..settings() };
        let advice = |jobs: &[Churn]| of_store(&enforced, &Grown::default(), jobs);
        assert_eq!(advice(&[job("daily", 1), job("hourly", 23)]), []);
        let jobs = [job("a", 24), job("b", 1440), job("c", 25), job("d", 26), job("e", 27)];
        let [told] = advice(&jobs).try_into().unwrap();
        let names: Vec<&str> = told.message.split(": ").nth(1).unwrap().split(", ").collect();
        assert!(names[0].starts_with("b (1440 entries") && names.len() == 3, "{}", told.message);
        assert!(told.message.ends_with(" and 2 more") && told.setting.contains("the job b,") && !told.urgent);
    }

    #[test]
    fn extreme_numbers_do_no_harm() {
        let most = Grown {
            bytes: u64::MAX,
            lasting: u64::MAX,
            runs: u64::MAX,
            old_runs: u64::MAX,
            entries_per_day: Some(u64::MAX),
            bytes_per_day: u64::MAX,
        };
        let settings =
            Settings { enforce: Some(true), max_entries: Some(u64::MAX - 1), retention: None, ..settings() };
        assert_eq!(of_store(&settings, &most, &[]).len(), 2);
    }
}
