//! A store, entry by entry: the records that rules judge, and what the whole file looks like.

use std::collections::HashMap;
use std::io;
use std::ops::Range;

use super::agents::Agents;
use super::automaton::Outcome;
use super::collector::Collector;
use super::drive::{Scanner, drive_by};
use super::overridden;
use super::parallel::{self, Crew, Joined, Shared, Watch};
use super::source::{Source, read_range};
pub use super::tally::FieldTally;
use crate::model::entries::Entries;
use crate::model::entry::{Entry, Flags, MAX_OFFSET};
use crate::model::key::SessionKey;

/// What a scan needs to know of the world to read keys: a handful of names, no evidence.
#[derive(Clone, Copy)]
pub struct KeyContext<'a> {
    /// `session.mainKey`.
    pub main_key: &'a str,
    /// Flags that the outside sees in a decoded key: `--keep`, `--agent`, the targets of jobs.
    pub marks: &'a (dyn Fn(&SessionKey<'_>, &str) -> Flags + Sync),
}

/// A store that was read.
#[derive(Clone, Debug, Default)]
pub struct Scan {
    /// In file order; overridden copies of a key included, flagged [`Flags::OVERRIDDEN`].
    pub entries: Entries,
    /// Verdict of the grammar, positions, sizes.
    pub outcome: Outcome,
    /// Bytes and entries by member name.
    pub fields: HashMap<Box<str>, FieldTally>,
    /// The agents that its keys name.
    pub agents: Agents,
    /// Whether a byte order mark stands at the front.
    pub bom: bool,
}

impl Scan {
    /// Entries that Node would hold: all but the overridden copies.
    pub fn live(&self) -> impl Iterator<Item = &Entry> + Clone {
        self.entries.iter().filter(|entry| !entry.is(Flags::OVERRIDDEN))
    }
}

/// Entries, and their members.
pub(super) const LEVELS: u64 = 2;

/// Scans a store. `each` sees every window first: to count, to hash, to stop.
///
/// A byte order mark is stepped over, so that what stands behind it is known; [`Scan::bom`] tells.
pub fn scan(
    source: &mut dyn Source,
    context: &KeyContext<'_>,
    each: &mut dyn FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<Scan> {
    let (start, len) = bounds(source)?;
    if start > 0 {
        each(BOM)?;
    }
    let mut collector = Collector::new(*context);
    let watch = &mut |_, window: &[u8]| each(window);
    let outcome = drive_by(Scanner::best(), source, start..len, LEVELS, &mut collector, watch)?;
    conclude(source, collector, outcome, start)
}

/// As [`scan`], by several threads where that pays; each part has a watch of its own, made for its range.
/// A byte order mark belongs to no part.
pub fn scan_by<S: Shared, W: Watch>(
    crew: Crew,
    source: &mut S,
    context: &KeyContext<'_>,
    watch: &(dyn Fn(Range<u64>) -> W + Sync),
) -> io::Result<(Scan, Vec<W>)> {
    let (start, len) = bounds(source)?;
    let joint = parallel::drive(crew, source, start..len, LEVELS, &|| Collector::new(*context), watch)?;
    Ok((conclude(source, joint.visitor, joint.outcome, start)?, joint.watches))
}

impl Joined for Collector<'_> {
    fn join(&mut self, next: Self) {
        self.append(next);
    }
}

const BOM: &[u8] = b"\xef\xbb\xbf";

/// Where the text begins, behind a byte order mark, and where it ends.
pub(super) fn bounds(source: &mut dyn Source) -> io::Result<(u64, u64)> {
    let len = source.len();
    if len > MAX_OFFSET {
        return Err(io::Error::from(io::ErrorKind::FileTooLarge));
    }
    let start = if starts_with_bom(source)? { BOM.len() as u64 } else { 0 };
    Ok((start, len))
}

pub(super) fn conclude(
    source: &mut dyn Source,
    collector: Collector<'_>,
    outcome: Outcome,
    start: u64,
) -> io::Result<Scan> {
    let (mut entries, fields, agents) = collector.finish();
    overridden::mark(source, &mut entries)?;
    Ok(Scan { entries, outcome, fields, agents, bom: start > 0 })
}

fn starts_with_bom(source: &mut dyn Source) -> io::Result<bool> {
    let head = 0..source.len().min(BOM.len() as u64);
    Ok(read_range(source, head)? == BOM)
}

#[cfg(test)]
mod tests {
    use super::super::source::MemorySource;
    use super::*;
    use crate::model::entry::{Stamp, Status, hash, hash_name};
    use crate::model::key::Shape;

    fn scan_text(text: &[u8], window: usize) -> Scan {
        let context = KeyContext { main_key: "main", marks: &|_, _| Flags::NONE };
        scan(&mut MemorySource::new(text, window), &context, &mut |_| Ok(())).unwrap()
    }

    const RUN: &str = r#"{
  "agent:main:cron:J:run:R": {
    "sessionId": "x", "sessionId": "R", "updatedAt": 1795223628227, "st\u0061tus": "running",
    "startedAt": 1e999, "endedAt": null, "origin": {"chatType": "group"}, "cliSessionIds": {},
    "acp": null, "pendingFinalDeliveryText": "x", "sessionFile": "/a/R.jsonl", "fastMode": false
  },
  "agent:main:main": null,
  "agent:main:subagent:s": {"spawnedBy": "agent:main:cron:j:run:r", "sessionId": "../x", "sessionFile": "y.jsonl"}
}"#;

    #[test]
    fn facts_are_those_that_node_would_see_whatever_the_window() {
        let whole = scan_text(RUN.as_bytes(), 1 << 20);
        assert_eq!(whole.outcome.fault, None);
        let run = whole.entries[0];
        assert_eq!((run.shape, run.status, run.session), (Shape::RunRecord, Status::Running, hash(b"R")));
        assert_eq!((run.job, run.kin), (hash(b"j"), hash(b"agent:main:cron:j")));
        assert_eq!(run.updated_at.millis(), Some(1_795_223_628_227));
        assert_eq!((run.started_at, run.ended_at), (Stamp::unusable(), Stamp::absent()));
        assert!(run.is(Flags::CHAT_GROUP | Flags::PENDING | Flags::SETTINGS | Flags::HAS_AGENT));
        assert!(!run.is(Flags::ACP) && !run.is(Flags::CLI) && run.file == 0);
        assert!(whole.entries[1].is(Flags::NOT_OBJECT));
        let child = whole.entries[2];
        assert_eq!((child.kin, child.file), (hash(b"agent:main:cron:j"), hash_name(b"y.jsonl")));
        assert!(child.is(Flags::BAD_SESSION_ID));
        for window in [1, 2, 7, 64, 4096] {
            let cut = scan_text(RUN.as_bytes(), window);
            assert_eq!(
                (&cut.entries, &cut.outcome, &cut.fields, &cut.agents),
                (&whole.entries, &whole.outcome, &whole.fields, &whole.agents)
            );
        }
    }

    #[test]
    fn only_the_last_copy_of_a_key_is_live_whatever_its_spelling() {
        let text = b"{\"a\":1,\"\\u0061\":2,\"b\":3,\"a\":4,\"k\xff\":5,\"k\xfe\":6}";
        let scan = scan_text(text, 3);
        let overridden: Vec<bool> = scan.entries.iter().map(|entry| entry.is(Flags::OVERRIDDEN)).collect();
        assert_eq!(overridden, [true, true, false, false, true, false]);
        assert_eq!(scan.live().count(), 3);
    }

    #[test]
    fn a_byte_order_mark_is_stepped_over_and_told() {
        let scan = scan_text(b"\xef\xbb\xbf{\"a\":{}}", 2);
        assert!(scan.bom && scan.outcome.fault.is_none());
        assert_eq!((scan.entries[0].start(), scan.entries[0].end()), (4, 10));
    }
}
