//! What is written in a lock of OpenClaw's, and whether its owner is gone.
//!
//! The judgement is stricter than OpenClaw's own: an owner that lives and whose start time does not speak
//! against it keeps its lock however old that is (3.28 takes it after 30 s).

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use super::disk::{DiskError, DiskResult};
use super::identity::Identity;
use super::liveness::{Life, Liveness};

/// Age from which a lock without a readable owner is left over: an owner may be between create and write.
const BROKEN_AFTER: Duration = Duration::from_secs(30);

/// No lock is longer; what is, is no lock.
const MOST: u64 = 64 << 10;

/// The content: two blanks of indent, no newline at the end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LockContent {
    /// The owner.
    pub pid: u32,
    /// RFC 3339 with milliseconds and `Z`.
    #[serde(default)]
    pub created_at: serde_json::Value,
    /// Clock ticks between boot and the owner's start.
    #[serde(rename = "starttime", default, skip_serializing_if = "Option::is_none")]
    pub start_time: Option<serde_json::Value>,
}

impl LockContent {
    /// What `pid` writes at `now`.
    pub fn new(pid: u32, life: Life, now: SystemTime) -> Self {
        let start = match life {
            Life::Alive { start_ticks } => start_ticks,
            Life::Dead => None,
        };
        let created = humantime::format_rfc3339_millis(now.max(SystemTime::UNIX_EPOCH));
        LockContent { pid, created_at: created.to_string().into(), start_time: start.map(Into::into) }
    }

    /// The bytes of the file.
    pub fn to_bytes(&self) -> io::Result<Vec<u8>> {
        serde_json::to_vec_pretty(self).map_err(io::Error::other)
    }
}

/// A lock as it was seen: which file, with which bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenLock {
    /// Which file.
    pub identity: Identity,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

impl SeenLock {
    /// Reads the lock at `path`; `None` when there is none.
    pub fn read(path: &Path) -> DiskResult<Option<Self>> {
        let told = |cause| DiskError::new("read lock", path, cause);
        let no_wait = rustix::fs::OFlags::NONBLOCK.bits() as i32;
        let file = match OpenOptions::new().read(true).custom_flags(no_wait).open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            other => other.map_err(told)?,
        };
        SeenLock::read_open(&file).map(Some).map_err(told)
    }

    fn read_open(file: &File) -> io::Result<Self> {
        let mut bytes = Vec::new();
        file.take(MOST).read_to_end(&mut bytes)?;
        Ok(SeenLock { identity: Identity::of(&file.metadata()?), bytes })
    }

    /// Whether `other` is this very lock, untouched. The ctime may differ: moving a file aside changes it.
    /// The inode alone would not do, file systems give numbers out again at once.
    pub fn is(&self, other: &SeenLock) -> bool {
        self.identity.same_but_for_ctime(&other.identity) && self.bytes == other.bytes
    }

    /// Whether its owner is gone.
    pub fn judge(&self, liveness: &dyn Liveness, now: SystemTime) -> Judgement {
        match serde_json::from_slice::<LockContent>(&self.bytes) {
            Ok(content) if content.pid > 0 => judge_owner(&content, liveness.look(content.pid)),
            _ if self.age(now) > BROKEN_AFTER => {
                Judgement::Stale("it names no owner and is older than 30 s".to_owned())
            }
            _ => Judgement::Held(None),
        }
    }

    /// By its mtime; one in the future counts as no age.
    fn age(&self, now: SystemTime) -> Duration {
        let now = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_nanos() as i128;
        let nanos = now.saturating_sub(self.identity.mtime).max(0);
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }
}

/// May a lock be taken away?
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// No: an owner lives, or may.
    Held(Option<u32>),
    /// Yes, and why.
    Stale(String),
}

fn judge_owner(content: &LockContent, life: Life) -> Judgement {
    let pid = content.pid;
    let written = content.start_time.as_ref().and_then(serde_json::Value::as_u64);
    match (life, written) {
        (Life::Dead, _) => Judgement::Stale(format!("its owner, process {pid}, is dead")),
        (Life::Alive { start_ticks: Some(real) }, Some(written)) if real != written => {
            Judgement::Stale(format!("its owner is dead and pid {pid} belongs to another process now"))
        }
        (Life::Alive { .. }, _) => Judgement::Held(Some(pid)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed(Life);

    impl Liveness for Fixed {
        fn look(&self, _: u32) -> Life {
            self.0
        }
    }

    fn judged(bytes: &str, life: Life, age: u64) -> Judgement {
        let identity = Identity { dev: 1, ino: 1, size: 0, mtime: 1_000_000_000_000, ctime: 0 };
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1000 + age);
        SeenLock { identity, bytes: bytes.into() }.judge(&Fixed(life), now)
    }

    #[test]
    fn the_table_of_the_reference_but_never_from_a_live_owner() {
        let alive = |ticks| Life::Alive { start_ticks: ticks };
        let held = |bytes, life, age| matches!(judged(bytes, life, age), Judgement::Held(_));
        let full = r#"{"pid": 7, "createdAt": "2026-01-01T00:00:00.000Z", "starttime": 5}"#;
        assert_eq!(judged(full, alive(Some(5)), 0), Judgement::Held(Some(7)));
        assert!(held(full, alive(Some(5)), 86_400), "old, but alive");
        assert!(held(full, alive(None), 86_400), "start time hidden");
        assert!(held(r#"{"pid": 7, "createdAt": "x"}"#, alive(Some(5)), 31));
        assert!(held(r#"{"pid": 7, "createdAt": "x", "starttime": "5"}"#, alive(Some(5)), 31));
        assert!(!held(full, Life::Dead, 0), "dead owner at once");
        assert!(!held(full, alive(Some(6)), 0), "recycled pid at once");
        for broken in ["", "{", r#"{"createdAt": "x"}"#, r#"{"pid": 0}"#, r#"{"pid": -4}"#, r#"{"pid": "7"}"#]
        {
            assert!(held(broken, Life::Dead, 30), "{broken} fresh");
            assert!(!held(broken, Life::Dead, 31), "{broken} old");
        }
    }

    #[test]
    fn the_bytes_are_those_of_openclaw() {
        let life = Life::Alive { start_ticks: Some(4711) };
        let content = LockContent::new(42, life, SystemTime::UNIX_EPOCH + Duration::from_millis(1_234));
        assert_eq!(
            String::from_utf8(content.to_bytes().unwrap()).unwrap(),
            "{\n  \"pid\": 42,\n  \"createdAt\": \"1970-01-01T00:00:01.234Z\",\n  \"starttime\": 4711\n}"
        );
    }
}
