//! Lock files of stores, transcripts and gateways, and when one may be taken over.
//!
//! OpenClaw takes a store lock over after 30 seconds even from a living owner. This tool is stricter: an owner that
//! lives with the start time the lock names is never robbed, however old the lock.

use super::json::{self, Tree, Want};
use super::time::{format_iso_ms, parse_iso_ms};

/// Age from which a lock that tells no owner may be taken over; its maker may still be writing it before.
pub const UNREADABLE_AFTER_MS: i64 = 30_000;

/// What a lock file says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LockFile {
    /// The process that holds it.
    pub pid: Option<u32>,
    /// When it was made, epoch milliseconds.
    pub created_at: Option<i64>,
    /// When the process started, in clock ticks since boot (field 22 of `/proc/<pid>/stat`).
    pub start_time: Option<u64>,
    /// The configuration of a gateway.
    pub config_path: Option<String>,
    /// The port of a gateway.
    pub port: Option<u16>,
}

/// What the operating system says of the process that a lock names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// It lives; the start time is absent where it cannot be read.
    Alive {
        /// Clock ticks since boot.
        start_time: Option<u64>,
    },
    /// There is no such process, or it is a zombie.
    Dead,
    /// It cannot be told.
    Unknown,
}

/// What may be done with a lock that lies in the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Staleness {
    /// It is held, or might be: wait.
    Held,
    /// Its owner is gone: it may be removed.
    Reclaimable(StaleReason),
    /// It tells no owner and is young: wait and look again.
    WaitUnreadable,
}

/// Why a lock is stale.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StaleReason {
    /// The process is dead.
    DeadOwner,
    /// Another process has the number now.
    RecycledPid,
    /// It names no owner and has not been touched for [`UNREADABLE_AFTER_MS`].
    Unreadable,
}

/// Reads a lock file; `None` when it is empty, broken or no object.
pub fn parse(bytes: &[u8]) -> Option<LockFile> {
    let tree = json::parse(bytes, &Want::All).ok().filter(|tree| tree.object().is_some())?;
    let whole = |key: &str| tree.get(key).and_then(Tree::number).filter(|n| n.fract() == 0.0);
    let created = tree.get("createdAt");
    let start = whole("starttime").or_else(|| whole("startTime"));
    Some(LockFile {
        pid: whole("pid").filter(|pid| (1.0..=f64::from(i32::MAX)).contains(pid)).map(|pid| pid as u32),
        created_at: created.and_then(|at| at.text().and_then(parse_iso_ms).or_else(|| at.millis())),
        start_time: start.filter(|ticks| *ticks >= 0.0).map(|ticks| ticks as u64),
        config_path: tree.text_of("configPath"),
        port: whole("port").filter(|port| (1.0..=65535.0).contains(port)).map(|port| port as u16),
    })
}

/// Writes the content of a store lock as OpenClaw does: indented by two, without a line feed at the end.
pub fn format_store_lock(pid: u32, created_at_ms: i64, starttime: Option<u64>) -> String {
    let created = format_iso_ms(created_at_ms);
    let start = starttime.map(|ticks| format!(",\n  \"starttime\": {ticks}")).unwrap_or_default();
    format!("{{\n  \"pid\": {pid},\n  \"createdAt\": \"{created}\"{start}\n}}")
}

/// Judges a lock that lies in the way. `owner` is looked up for the pid it names, and unused when it names none;
/// a negative age (a file time in the future) counts as zero.
pub fn judge(lock: Option<&LockFile>, owner: Owner, mtime_age_ms: i64) -> Staleness {
    let Some(lock) = lock.filter(|lock| lock.pid.is_some()) else {
        return match mtime_age_ms > UNREADABLE_AFTER_MS {
            true => Staleness::Reclaimable(StaleReason::Unreadable),
            false => Staleness::WaitUnreadable,
        };
    };
    match (owner, lock.start_time) {
        (Owner::Dead, _) => Staleness::Reclaimable(StaleReason::DeadOwner),
        (Owner::Alive { start_time: Some(now) }, Some(then)) if now != then => {
            Staleness::Reclaimable(StaleReason::RecycledPid)
        }
        (Owner::Alive { .. } | Owner::Unknown, _) => Staleness::Held,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const STORE: &str =
        "{\n  \"pid\": 10232,\n  \"createdAt\": \"2026-11-21T01:13:39.208Z\",\n  \"starttime\": 99446\n}";

    #[test]
    fn what_is_written_is_what_openclaw_writes() {
        assert_eq!(format_store_lock(10232, 1_795_223_619_208, Some(99446)), STORE);
        let bare = format_store_lock(1, 0, None);
        assert_eq!(bare, "{\n  \"pid\": 1,\n  \"createdAt\": \"1970-01-01T00:00:00.000Z\"\n}");
    }

    #[test]
    fn reads_store_and_gateway_locks() {
        let lock = parse(format!("{STORE}\n").as_bytes()).unwrap();
        assert_eq!((lock.pid, lock.start_time), (Some(10232), Some(99446)));
        assert_eq!(lock.created_at, Some(1_795_223_619_208));
        let lock =
            parse(br#"{"pid":5,"createdAt":"x","configPath":"/c.json","startTime":7,"port":18789}"#).unwrap();
        assert_eq!(
            (lock.start_time, lock.config_path.as_deref(), lock.port),
            (Some(7), Some("/c.json"), Some(18789))
        );
        assert_eq!(lock.created_at, None);
    }

    #[test]
    fn broken_locks_tell_nothing() {
        for text in ["", "{", "[]", "7", "\u{0}"] {
            assert_eq!(parse(text.as_bytes()), None, "{text}");
        }
        for pid in ["0", "-4", "1.5", "\"7\"", "4294967296", "1e999"] {
            assert_eq!(
                parse(format!("{{\"pid\":{pid}}}").as_bytes()).and_then(|lock| lock.pid),
                None,
                "{pid}"
            );
        }
    }

    #[test]
    fn a_living_owner_is_never_robbed() {
        let lock = parse(STORE.as_bytes()).unwrap();
        let old = i64::MAX;
        let bare = LockFile { start_time: None, ..lock.clone() };
        assert_eq!(judge(Some(&lock), Owner::Alive { start_time: Some(99446) }, old), Staleness::Held);
        assert_eq!(judge(Some(&lock), Owner::Alive { start_time: None }, old), Staleness::Held);
        assert_eq!(judge(Some(&bare), Owner::Alive { start_time: Some(1) }, old), Staleness::Held);
        assert_eq!(judge(Some(&lock), Owner::Unknown, old), Staleness::Held);
    }

    #[test]
    fn dead_and_recycled_owners_lose_it_at_once() {
        let lock = parse(STORE.as_bytes()).unwrap();
        let reclaimable = Staleness::Reclaimable;
        assert_eq!(judge(Some(&lock), Owner::Dead, 0), reclaimable(StaleReason::DeadOwner));
        let recycled = Owner::Alive { start_time: Some(99447) };
        assert_eq!(judge(Some(&lock), recycled, 0), reclaimable(StaleReason::RecycledPid));
    }

    #[test]
    fn unreadable_locks_need_an_old_file() {
        let no_pid = LockFile::default();
        for lock in [None, Some(&no_pid)] {
            assert_eq!(judge(lock, Owner::Dead, 30_000), Staleness::WaitUnreadable);
            assert_eq!(judge(lock, Owner::Dead, -5), Staleness::WaitUnreadable);
            assert_eq!(judge(lock, Owner::Unknown, 30_001), Staleness::Reclaimable(StaleReason::Unreadable));
        }
    }
}
