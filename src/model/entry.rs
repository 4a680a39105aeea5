//! What is remembered of one entry: where it stands, and the facts that rules ask for.
//!
//! An entry is a record of fixed size, at most 80 bytes, so that millions fit. Strings are remembered as
//! 64-bit hashes ([`hash`]) and read again from the file where their text matters; whoever would remove
//! something because two hashes agree compares the texts first. Where the value stands is not remembered:
//! it follows the key, which is read again first.

use super::Millis;
use super::key::{Family, Shape};

/// A keyed hash of decoded text (WTF-8). 0 means absent.
pub type TextHash = u64;

/// Hashes decoded text. Never 0.
pub fn hash(text: &[u8]) -> TextHash {
    xxhash_rust::xxh3::xxh3_64_with_seed(text, 0x5e55_1005).max(1)
}

/// Hashes text in lower case: OpenClaw stores keys in lower case whatever the job list spells.
pub fn hash_folded(text: &str) -> TextHash {
    hash(text.to_lowercase().as_bytes())
}

/// A point in time as an entry states it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Stamp(i64);

impl Stamp {
    const ABSENT: i64 = i64::MIN;
    const UNUSABLE: i64 = i64::MIN + 1;
    /// Numbers below this are seconds, not milliseconds (it is March 1973 in milliseconds).
    const FIRST_PLAUSIBLE: f64 = 1e11;

    /// No such member.
    pub const fn absent() -> Self {
        Stamp(Self::ABSENT)
    }

    /// A member that is no time: a string, `null`, an infinity, seconds.
    pub const fn unusable() -> Self {
        Stamp(Self::UNUSABLE)
    }

    /// A JSON number.
    pub fn from_number(value: f64) -> Self {
        if value.is_finite() && (Self::FIRST_PLAUSIBLE..9e15).contains(&value) {
            Stamp(value.floor() as i64)
        } else {
            Self::unusable()
        }
    }

    /// A JSON number that is an integer.
    pub fn from_integer(value: u64) -> Self {
        let plausible = (Self::FIRST_PLAUSIBLE as u64..9_000_000_000_000_000).contains(&value);
        if plausible { Stamp(value as i64) } else { Self::unusable() }
    }

    /// Epoch milliseconds, where the member is a time.
    pub fn millis(self) -> Option<Millis> {
        (self.0 > Self::UNUSABLE).then_some(self.0)
    }

    /// The time, where it is one and not after `now`.
    pub fn past(self, now: Millis) -> Option<Millis> {
        self.millis().filter(|&at| at <= now)
    }

    /// Whether a number of some other file is a time in milliseconds that is not after `now`.
    pub fn is_past_time(at: Millis, now: Millis) -> bool {
        at as f64 >= Self::FIRST_PLAUSIBLE && at <= now
    }

    /// Whether the member is missing.
    pub fn is_absent(self) -> bool {
        self.0 == Self::ABSENT
    }

    /// Whether the member stands there and cannot be used as a past time: it protects.
    pub fn is_suspect(self, now: Millis) -> bool {
        !self.is_absent() && self.past(now).is_none()
    }
}

/// An entry's `status`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Status {
    /// No such member, or `null`.
    Absent,
    /// `running`.
    Running,
    /// `done`.
    Done,
    /// `failed`.
    Failed,
    /// `killed`.
    Killed,
    /// `timeout`.
    Timeout,
    /// Anything else.
    Other,
}

impl Status {
    /// From the member's text.
    pub fn from_text(text: &[u8]) -> Self {
        match text {
            b"running" => Status::Running,
            b"done" => Status::Done,
            b"failed" => Status::Failed,
            b"killed" => Status::Killed,
            b"timeout" => Status::Timeout,
            _ => Status::Other,
        }
    }

    /// The name in reports; `unknown` where the entry states none that we know.
    pub fn name(self) -> &'static str {
        match self {
            Status::Running => "running",
            Status::Done => "done",
            Status::Failed => "failed",
            Status::Killed => "killed",
            Status::Timeout => "timeout",
            Status::Absent | Status::Other => "unknown",
        }
    }

    /// Done, failed, killed or timeout.
    pub fn is_end(self) -> bool {
        matches!(self, Status::Done | Status::Failed | Status::Killed | Status::Timeout)
    }
}

/// Yes-or-no facts of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Flags(u32);

macro_rules! flags {
    ($($(#[$doc:meta])* $name:ident = $bit:expr;)*) => {
        impl Flags {
            $($(#[$doc])* pub const $name: Flags = Flags(1 << $bit);)*
        }
    };
}

flags! {
    /// The value is not an object.
    NOT_OBJECT = 0;
    /// `acp` is set.
    ACP = 1;
    /// A binding to an external command-line agent is set.
    CLI = 2;
    /// `pinnedAt` is set.
    PINNED = 3;
    /// A reply, a recovery, a goal or an injection is pending.
    PENDING = 4;
    /// A user setting is set.
    SETTINGS = 5;
    /// A `sessionId` that OpenClaw rejects.
    BAD_SESSION_ID = 6;
    /// The key is not spelled as OpenClaw would store it.
    ODD_SPELLING = 7;
    /// A `--keep` glob matches.
    KEEP = 8;
    /// A job's `sessionTarget` or `sessionKey` names it.
    JOB_TARGET = 9;
    /// `--agent` leaves it out.
    OUT_OF_SCOPE = 10;
    /// `chatType` or `origin.chatType` is a group or room.
    CHAT_GROUP = 11;
    /// `chatType` or `origin.chatType` is a channel.
    CHAT_CHANNEL = 12;
    /// `chatType` or `origin.chatType` is a thread.
    CHAT_THREAD = 13;
    /// `chatType` or `origin.chatType` is direct.
    CHAT_DIRECT = 14;
    /// `skillsSnapshot` is there.
    SKILLS = 15;
    /// A binding that the base of a run record does not hold as well.
    OWN_BINDING = 16;
    /// A later copy of the key overrides this one.
    OVERRIDDEN = 17;
    /// A member that a rule reads was too long to be read; it protects.
    UNREAD = 18;
    /// Another spelling of the key exists, which OpenClaw folds this one into.
    ALIAS = 19;
    /// An agent prefix stands before the key.
    HAS_AGENT = 20;
    /// `heartbeatIsolatedBaseSessionKey` is set.
    HEARTBEAT_BASE = 21;
    /// `sessionFile` names a file.
    SESSION_FILE = 22;
    /// `systemPromptReport` is there.
    REPORT = 23;
}

impl Flags {
    /// No flag.
    pub const NONE: Flags = Flags(0);

    /// Whether all of `other` are set.
    pub fn has(self, other: Flags) -> bool {
        self.0 & other.0 == other.0
    }

    /// Sets or clears.
    pub fn set(&mut self, other: Flags, on: bool) {
        if on {
            self.0 |= other.0;
        } else {
            self.0 &= !other.0;
        }
    }
}

impl std::ops::BitOr for Flags {
    type Output = Flags;
    fn bitor(self, other: Flags) -> Flags {
        Flags(self.0 | other.0)
    }
}

/// Two offsets of 48 bits each.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Span([u8; 6], [u8; 6]);

impl Span {
    fn new(start: u64, end: u64) -> Self {
        let low = |at: u64| {
            let [a, b, c, d, e, f, _, _] = at.to_le_bytes();
            [a, b, c, d, e, f]
        };
        Span(low(start), low(end))
    }

    fn wide([a, b, c, d, e, f]: [u8; 6]) -> u64 {
        u64::from_le_bytes([a, b, c, d, e, f, 0, 0])
    }
}

/// One past the largest offset that an entry can have: 256 TiB, sixteen times what ext4 holds in a file.
pub const MAX_OFFSET: u64 = 1 << 48;

/// A short hash of a file's name, for where a mistake can only protect. 0 means absent.
pub type NameHash = u32;

/// Hashes a file's name. Never 0.
pub fn hash_name(name: &[u8]) -> NameHash {
    (hash(name) as u32).max(1)
}

/// One entry of a store.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// Hash of the decoded key.
    pub key: TextHash,
    /// Hash of the decoded `sessionId`.
    pub session: TextHash,
    /// Cron families: hash of the job's id in lower case. Sub-agents: hash of their own key in lower case.
    pub job: TextHash,
    /// In lower case. Run records and bases: hash of the base's key. Sub-agents: hash of `spawnedBy`, run keys
    /// folded to their base; 0 without one. Others: hash of their own key.
    pub kin: TextHash,
    /// `updatedAt`.
    pub updated_at: Stamp,
    /// `startedAt`.
    pub started_at: Stamp,
    /// `endedAt`.
    pub ended_at: Stamp,
    span: Span,
    /// Hash of the file name in `sessionFile`, where that is not `<sessionId>.jsonl`.
    pub file: NameHash,
    /// Yes-or-no facts.
    pub flags: Flags,
    /// What the key names.
    pub shape: Shape,
    /// `status`.
    pub status: Status,
    /// Whose it is, by its number in the scan; 0 where the key names no agent.
    pub agent: u16,
}

impl Entry {
    /// An entry at `start..end` (both below [`MAX_OFFSET`]) of which nothing else is known.
    pub fn new(start: u64, end: u64) -> Self {
        Entry {
            key: 0,
            session: 0,
            job: 0,
            kin: 0,
            updated_at: Stamp::absent(),
            started_at: Stamp::absent(),
            ended_at: Stamp::absent(),
            span: Span::new(start, end),
            file: 0,
            flags: Flags::NONE,
            shape: Shape::Unknown,
            status: Status::Absent,
            agent: 0,
        }
    }

    /// The same facts at another place.
    #[must_use]
    pub fn at(self, start: u64, end: u64) -> Self {
        Entry { span: Span::new(start, end), ..self }
    }

    /// Offset of the key's opening quote.
    pub fn start(&self) -> u64 {
        Span::wide(self.span.0)
    }

    /// One past the value's last byte.
    pub fn end(&self) -> u64 {
        Span::wide(self.span.1)
    }

    /// The family of the key. A name that no grammar knows is a conversation where a job runs in it.
    pub fn family(&self) -> Family {
        let named = self.shape == Shape::Unknown && self.is(Flags::JOB_TARGET) && !self.is(Flags::UNREAD);
        if named { Family::Conversation } else { self.shape.family() }
    }

    /// Hash of the own key in lower case, as those name it who look it up; for run records that of the base.
    pub fn folded_key(&self) -> TextHash {
        if self.shape == Shape::SubAgent { self.job } else { self.kin }
    }

    /// Bytes from the key's opening quote to the value's last byte.
    pub fn bytes(&self) -> u64 {
        self.end() - self.start()
    }

    /// Whether all of `flags` are set.
    pub fn is(&self, flags: Flags) -> bool {
        self.flags.has(flags)
    }
}

impl std::fmt::Debug for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let times = (self.updated_at, self.started_at, self.ended_at);
        let hashes = [self.key, self.session, self.job, self.kin, self.file.into()];
        write!(f, "Entry({}..{} {:?} {:?}", self.start(), self.end(), self.shape, self.status)?;
        write!(f, " {times:?} {:?} {hashes:x?})", self.flags)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_at_most_80_bytes() {
        assert!(size_of::<Entry>() <= 80, "{}", size_of::<Entry>());
    }

    #[test]
    fn offsets_are_kept_whole_up_to_the_largest() {
        for (start, end) in [(0, 1), (1 << 32, (1 << 40) + 7), (MAX_OFFSET - 2, MAX_OFFSET - 1)] {
            let entry = Entry::new(start, end);
            assert_eq!((entry.start(), entry.end(), entry.bytes()), (start, end, end - start));
        }
    }

    #[test]
    fn seconds_and_infinities_are_no_times() {
        for bad in [1_795_223_628.0, 0.0, -1.0, f64::INFINITY, f64::NAN, 1e300] {
            assert_eq!(Stamp::from_number(bad), Stamp::unusable(), "{bad}");
        }
        let stamp = Stamp::from_number(1_795_223_628_227.5);
        assert_eq!(stamp.millis(), Some(1_795_223_628_227));
        for number in [
            0,
            99_999_999_999,
            100_000_000_000,
            1_795_223_628_227,
            8_999_999_999_999_999,
            9_000_000_000_000_000,
        ] {
            assert_eq!(Stamp::from_integer(number), Stamp::from_number(number as f64), "{number}");
        }
        assert_eq!(stamp.past(1_795_223_628_226), None);
        assert!(stamp.is_suspect(1_795_223_628_226));
        assert!(!Stamp::absent().is_suspect(0));
    }
}
