//! Whether a store lost entries that other files still hold or name.
//!
//! OpenClaw takes a store that it cannot read for an empty one and writes over it, and old versions renamed a
//! large store away and forgot it. What is left is a sound store with hardly anything in it. The copies beside
//! it tell, and the run logs. What is gone on purpose is no loss.

use std::collections::{HashMap, HashSet};
use std::io;
use std::path::PathBuf;

use super::super::read::{ReadOptions, other_spelling};
use super::super::{Condition, Diagnosed};
use super::court::Gone;
use super::opened::Opened;
use super::removed::Removed;
use crate::evidence::conversations::{self, KeyNamed};
use crate::evidence::copies::{self, CopyKind, StoreCopy};
use crate::evidence::discover::Situation;
use crate::evidence::runs;
use crate::model::Millis;
use crate::model::entry::{Entry, Flags, TextHash, hash, hash_folded};
use crate::model::key::{Family, SessionKey, Shape};
use crate::model::policy::Policy;
use crate::openclaw::layout;

/// A temporary file this young may be one that OpenClaw is writing.
const YOUNG: Millis = 5 * 60_000;

/// What a store lost.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Loss {
    /// Its entries were rotated away: certain.
    pub rotated: Option<Rotated>,
    /// Something names keys that it lacks: likely.
    pub wiped: Option<Wiped>,
    /// Copies that could not be read, and why.
    pub unreadable: Vec<(PathBuf, String)>,
}

impl Loss {
    /// Whether anything was lost.
    pub fn is_any(&self) -> bool {
        self.rotated.is_some() || self.wiped.is_some()
    }
}

/// A rotation holds what the store lacks, and nothing in the store is older.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rotated {
    /// The newest rotation that does.
    pub path: PathBuf,
    /// Keys that the store lacks, in all rotations.
    pub entries: u64,
}

/// Keys that are in no store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wiped {
    /// How many.
    pub keys: u64,
    /// What names the first of them.
    pub told_by: String,
}

/// What the look takes from the diagnosis.
#[derive(Clone, Copy)]
pub struct Look<'a> {
    /// How to read.
    pub options: &'a ReadOptions<'a>,
    /// The limits that explain why something is gone.
    pub policy: &'a Policy,
    /// The clock.
    pub now: Millis,
    /// Whether nobody can be writing.
    pub stopped: bool,
    /// The state directory, for the records of our own runs.
    pub state: &'a std::path::Path,
    /// Keys that run logs and the registry name.
    pub named: &'a [KeyNamed],
}

/// Looks whether stores that are sound or gone lost anything.
pub fn look_at_all(stores: &mut [Diagnosed], look: &Look<'_>) -> io::Result<()> {
    let mut keys = None;
    for at in 0..stores.len() {
        if stores[at].file.in_database {
            continue;
        }
        let traces = Traces::of(&stores[at], look)?;
        if traces.is_any() {
            let keys = keys.get_or_insert_with(|| Keys::of(stores));
            stores[at].loss = losses(&stores[at], traces, keys, look)?;
        }
    }
    Ok(())
}

/// Keys that run logs and the registry have named since `since`. The log of a job whose base is there names nothing
/// else that could be missed, and so is not read again.
pub fn names(situation: &Situation, stores: &[Diagnosed], since: Millis) -> Vec<KeyNamed> {
    let run_logs = layout::runs_dir(&situation.jobs_path);
    let mut bases: HashMap<TextHash, bool> =
        runs::logged_jobs(&run_logs).iter().map(|job| (hash_folded(job), false)).collect();
    for judged in stores.iter().filter_map(Diagnosed::judged) {
        for entry in judged.reading.scan.entries.iter().filter(|entry| entry.shape == Shape::CronBase) {
            bases.entry(entry.job).and_modify(|seen| *seen = true);
        }
    }
    let wanted = |job: &str| !bases.get(&hash_folded(job)).is_some_and(|seen| *seen);
    let registry = layout::subagents_path(&situation.state_dir);
    let main_key = &situation.config.session.main_key;
    conversations::keys_named(&run_logs, &wanted, &registry, main_key, since).keys
}

/// The keys of every store: what one lacks may have moved to another.
struct Keys(Vec<TextHash>);

impl Keys {
    fn of(stores: &[Diagnosed]) -> Self {
        let whole = stores.iter().filter_map(Diagnosed::judged);
        let entries = whole.flat_map(|judged| judged.reading.scan.entries.iter());
        let mut keys: Vec<TextHash> = entries.flat_map(spellings).collect();
        keys.sort_unstable();
        keys.dedup();
        Keys(keys)
    }

    fn has(&self, key: TextHash) -> bool {
        self.0.binary_search(&key).is_ok()
    }
}

/// A key as it is spelled, and as OpenClaw finds it. Of a run record the folded key is that of its base.
fn spellings(entry: &Entry) -> impl Iterator<Item = TextHash> + use<> {
    let folded = (entry.shape != Shape::RunRecord).then(|| entry.folded_key());
    std::iter::once(entry.key).chain(folded)
}

/// What speaks of entries that a store may have had.
#[derive(Default)]
struct Traces<'a> {
    copies: Vec<StoreCopy>,
    named: Vec<&'a KeyNamed>,
}

impl<'a> Traces<'a> {
    fn of(store: &Diagnosed, look: &Look<'a>) -> io::Result<Self> {
        if !store.file.acted_on || !matches!(store.condition, Condition::Whole(_) | Condition::Missing) {
            return Ok(Traces::default());
        }
        let young = |copy: &StoreCopy| {
            copy.kind == CopyKind::Temporary && !look.stopped && copy.written > look.now - YOUNG
        };
        // A large directory is not listed twice for nothing.
        let none = store.judged().is_some_and(|judged| judged.sessions.leftovers == 0);
        let mut copies = if none { Vec::new() } else { copies::beside(&store.file.path)? };
        copies.retain(|copy| !young(copy));
        // What lies outside may be a copy, of which the logs of the state directory tell nothing.
        let foreign = store.file.named && store.file.outside;
        let is_of_store = |named: &&KeyNamed| {
            if foreign {
                return false;
            }
            let agent = SessionKey::parse(&named.key, "main").agent;
            agent.is_some_and(|agent| store.file.agents.iter().any(|own| own == agent))
        };
        Ok(Traces { copies, named: look.named.iter().filter(is_of_store).collect() })
    }

    fn is_any(&self) -> bool {
        !self.copies.is_empty() || !self.named.is_empty()
    }
}

fn losses(store: &Diagnosed, traces: Traces<'_>, keys: &Keys, look: &Look<'_>) -> io::Result<Loss> {
    let mut loss = Loss::default();
    let Traces { copies, mut named } = traces;
    named.retain(|named| !keys.has(hash(named.key.as_bytes())) && !keys.has(hash_folded(&named.key)));
    if copies.is_empty() && named.is_empty() {
        return Ok(loss);
    }
    let removed = Removed::of_store(&store.file.path, Some(look.state));
    let transcripts = conversations::transcripts(&store.file.path)?;
    let gone = Gone { removed: &removed, archived: &transcripts.archived, include: false };
    let newest = copies.iter().filter(|copy| copy.kind == CopyKind::Rotation).map(|copy| copy.written).max();
    let oldest = oldest(&store.condition);
    let rotated_away = newest.is_some_and(|newest| oldest.is_none_or(|oldest| oldest > newest));
    // Where there is no store at all, nobody took anything out of it.
    let sound = matches!(store.condition, Condition::Whole(_));
    // Where anything is left, OpenClaw has been at work, and takes out what is old.
    let tended = oldest.is_some();
    let mut rotated = HashSet::new();
    let mut wiped = HashSet::new();
    for copy in copies {
        let path = copy.path.clone();
        let mut opened = match Opened::read(copy, look.options) {
            Ok(opened) => opened,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Err(error),
            Err(error) => {
                loss.unreadable.push((path, error.to_string()));
                continue;
            }
        };
        for at in lost(&mut opened, sound, keys, &gone, look)? {
            let entry = &opened.entries[at as usize];
            if rotated_away && opened.copy.kind == CopyKind::Rotation {
                loss.rotated.get_or_insert_with(|| Rotated { path: path.clone(), entries: 0 });
                rotated.insert(entry.key);
            }
            if names_a_session(entry.family()) && !(tended && is_past(entry, look)) {
                loss.wiped.get_or_insert_with(|| Wiped { keys: 0, told_by: path.display().to_string() });
                wiped.insert(entry.key);
            }
        }
    }
    // A name alone is no entry, and a run that failed early leaves no more. It speaks for a loss where a transcript lies
    // there to make one of, or where nothing in the store is as old.
    let is_missed = |named: &&KeyNamed| {
        let there = named.session.is_some_and(|session| transcripts.there.contains(&session));
        let wiped_since = oldest.is_none_or(|oldest| named.when.is_some_and(|when| oldest > when));
        (there || wiped_since) && !is_gone(named, &gone)
    };
    for named in named.iter().filter(|named| is_missed(named)) {
        loss.wiped.get_or_insert_with(|| Wiped { keys: 0, told_by: named.told_by.to_string() });
        wiped.insert(hash(named.key.as_bytes()));
    }
    if let Some(told) = &mut loss.rotated {
        told.entries = rotated.len() as u64;
        loss.wiped = None;
    }
    if let Some(told) = &mut loss.wiped {
        told.keys = wiped.len() as u64;
    }
    Ok(loss)
}

/// Numbers of the entries of a copy that no store holds under any spelling, and of which nothing explains why.
fn lost(
    opened: &mut Opened,
    sound: bool,
    keys: &Keys,
    gone: &Gone<'_>,
    look: &Look<'_>,
) -> io::Result<Vec<u32>> {
    let mut lost = Vec::new();
    for (at, entry) in (0..).zip(opened.entries.iter()) {
        let absent = !entry.is(Flags::OVERRIDDEN) && !opened.is_likely(at) && !keys.has(entry.key);
        if absent
            && gone.explains(entry, opened.copy.written).is_none()
            && !(sound && is_reaped(entry, look))
            && other_spelling(&mut opened.source, entry, look.options)?.is_none_or(|other| !keys.has(other))
        {
            lost.push(at);
        }
    }
    Ok(lost)
}

/// Whether a key that is named was taken out by a run of ours, or its session archived, after it was named.
fn is_gone(named: &KeyNamed, gone: &Gone<'_>) -> bool {
    let when = named.when.unwrap_or(Millis::MIN);
    let archived = named.session.and_then(|session| gone.archived.get(&session));
    gone.removed.since(hash(named.key.as_bytes()), when) || archived.is_some_and(|&at| at >= when)
}

/// When what was touched longest ago in a store was; `None` where there is nothing. An entry without a time may be of
/// any age.
fn oldest(condition: &Condition) -> Option<Millis> {
    let Condition::Whole(judged) = condition else { return None };
    judged.reading.scan.live().map(|entry| entry.updated_at.millis().unwrap_or(Millis::MIN)).min()
}

/// A run record past its retention: OpenClaw takes these out itself, and deletes what would tell of it.
fn is_reaped(entry: &Entry, look: &Look<'_>) -> bool {
    let age = entry.updated_at.millis().map(|at| look.now.saturating_sub(at));
    entry.family() == Family::RunRecord
        && look.policy.run_retention.is_some_and(|retention| age.is_none_or(|age| age > retention))
}

/// An entry that OpenClaw's maintenance would have pruned by now. It archives the transcript, but deletes the archive
/// as well when that is as old.
fn is_past(entry: &Entry, look: &Look<'_>) -> bool {
    entry.updated_at.millis().is_some_and(|at| look.now.saturating_sub(at) > look.policy.prune_after)
}

/// Whether a key that is nowhere else speaks for a loss: a run record and a synthetic session come and go.
fn names_a_session(family: Family) -> bool {
    matches!(family, Family::Conversation | Family::CronBase | Family::Unknown)
}
