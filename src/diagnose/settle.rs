//! From readings to verdicts: judges all stores until no answer brings up a new question.
//!
//! Two things are asked for late, because they cost something and few entries need them: the last line of a
//! transcript, and who needs whom. A transcript can only make an entry look more alive, so only entries that
//! would otherwise change are looked up; what they turn out to be may protect their parents, and may turn the
//! budget to others, who are looked up in turn.

use std::collections::{HashMap, HashSet};
use std::io;

use super::{Condition, Diagnosed, Judged};
use crate::model::Millis;
use crate::model::entry::{Entry, Flags, hash};
use crate::model::evidence::{Evidence, Traces};
use crate::model::key::{SessionKey, Shape};
use crate::model::policy::Policy;
use crate::openclaw::transcript::TailReader;
use crate::plan::edits;
use crate::plan::prune::Docket;
use crate::rules::case::Case;
use crate::rules::kinship;
use crate::scan::fields::CACHES;
use crate::scan::members;
use crate::scan::source::{FileSource, read_range};

/// Last transcript lines, of the entries that were looked up and are later than the entry itself says.
#[derive(Clone, Debug, Default)]
pub struct LastLines {
    looked_up: Vec<u64>,
    later: HashMap<u32, Millis>,
}

impl LastLines {
    /// The last line of entry `at`, where it was looked up and says more than the entry.
    pub fn get(&self, at: usize) -> Option<Millis> {
        self.later.get(&u32::try_from(at).ok()?).copied()
    }

    fn is_known(&self, at: usize) -> bool {
        self.looked_up.get(at / 64).is_some_and(|word| word >> (at % 64) & 1 == 1)
    }

    fn set(&mut self, at: usize, entry: &Entry, line: Option<Millis>) {
        if self.looked_up.len() <= at / 64 {
            self.looked_up.resize(at / 64 + 1, 0);
        }
        self.looked_up[at / 64] |= 1 << (at % 64);
        let own = entry.updated_at.millis().max(entry.started_at.millis());
        if let (Some(line), Ok(at)) = (line.filter(|&line| Some(line) > own), u32::try_from(at)) {
            self.later.insert(at, line);
        }
    }
}

/// Judges all stores.
pub fn settle(stores: &mut [Diagnosed], evidence: &mut Evidence, policy: &Policy, mut complete: bool) {
    let existing = existing_parents(stores);
    let mut tails = TailReader::default();
    loop {
        kinship::settle(evidence, complete, existing.clone(), &|evidence, f| {
            each(stores, evidence, policy, f)
        });
        let mut news = false;
        for store in stores.iter_mut() {
            let Some(judged) = store.judged_mut() else { continue };
            let looked =
                plan(judged, evidence, policy).and_then(|()| look_up(judged, evidence.now, &mut tails));
            news |= looked.unwrap_or_else(|error| {
                // One store that fails does not stop the others, and no longer counts as read whole.
                store.condition = Condition::of_error(error);
                complete = false;
                true
            });
        }
        if !news {
            return;
        }
    }
}

impl Diagnosed {
    fn judged_mut(&mut self) -> Option<&mut Judged> {
        match &mut self.condition {
            Condition::Whole(judged) => Some(judged),
            _ => None,
        }
    }

    fn judged(&self) -> Option<&Judged> {
        match &self.condition {
            Condition::Whole(judged) => Some(judged),
            _ => None,
        }
    }
}

/// Parents that sub-agents of any store name and that exist in any store.
fn existing_parents(stores: &[Diagnosed]) -> HashSet<u64> {
    let entries =
        || stores.iter().filter_map(Diagnosed::judged).flat_map(|judged| &judged.reading.scan.entries);
    let named: HashSet<u64> =
        entries().filter(|entry| entry.shape == Shape::SubAgent).map(|entry| entry.kin).collect();
    entries().map(|entry| entry.key).filter(|key| named.contains(key)).collect()
}

fn each(stores: &[Diagnosed], evidence: &Evidence, policy: &Policy, f: &mut dyn FnMut(&Case<'_>)) {
    for judged in stores.iter().filter_map(Diagnosed::judged) {
        let entries = &judged.reading.scan.entries;
        for (at, entry) in entries.iter().enumerate().filter(|(_, entry)| entry.shape == Shape::SubAgent) {
            if !entry.is(Flags::OVERRIDDEN) {
                f(&Case { entry, traces: judged.traces(at), store: &judged.facts, evidence, policy });
            }
        }
    }
}

fn plan(judged: &mut Judged, evidence: &Evidence, policy: &Policy) -> io::Result<()> {
    let Judged { reading, facts, sessions, lines, budget, .. } = judged;
    let entries = &reading.scan.entries;
    let traces = |at: usize| Traces {
        last_line: lines.get(at),
        transcript: false,
        lock: sessions.lock(entries[at].session, entries[at].file),
    };
    let docket =
        Docket { entries, facts, evidence, policy, traces: &traces, bytes: reading.bytes, budget: *budget };
    let source = &mut reading.source;
    judged.plan = docket.plan(&mut |entry| cache_bytes(source, entry))?;
    Ok(())
}

/// Bytes that stripping the caches of an entry saves.
fn cache_bytes(source: &mut FileSource, entry: &Entry) -> io::Result<u64> {
    if !entry.is(Flags::CACHES) {
        return Ok(0);
    }
    let edits = edits::strip(source, entry.value_span(), &CACHES)?;
    Ok(edits.map_or(0, |edits| edits.gone.iter().map(|range| range.end - range.start).sum()))
}

/// Looks up the transcripts of entries that are to change. Returns whether one said something new.
fn look_up(judged: &mut Judged, now: Millis, tails: &mut TailReader) -> io::Result<bool> {
    let mut news = false;
    for at in 0..judged.plan.decisions.len() {
        let entry = judged.reading.scan.entries[at];
        let dead_bytes = entry.is(Flags::OVERRIDDEN) || entry.is(Flags::NOT_OBJECT);
        if !judged.plan.decisions[at].is_change() || dead_bytes || judged.lines.is_known(at) {
            continue;
        }
        let (session, file) = names(&mut judged.reading.source, &entry)?;
        let line = judged.sessions.last_line(session.as_deref(), file.as_deref(), now, tails);
        judged.lines.set(at, &entry, line);
        news |= judged.lines.get(at).is_some();
    }
    Ok(news)
}

/// The session id, and the file name in `sessionFile` where that is another than the id's.
fn names(source: &mut FileSource, entry: &Entry) -> io::Result<(Option<String>, Option<String>)> {
    if entry.file == 0 {
        if entry.session == 0 {
            return Ok((None, None));
        }
        // The key of a run record ends in its session: that saves a second look at the entry.
        let key = members::key(source, entry.start)?;
        let run = std::str::from_utf8(&key)
            .ok()
            .and_then(|key| SessionKey::parse(key, "main").run.map(str::to_owned));
        if let Some(run) = run.filter(|run| hash(run.as_bytes()) == entry.session) {
            return Ok((Some(run), None));
        }
    }
    let [session, path] = strings(source, entry, ["sessionId", "sessionFile"])?;
    let file = path.and_then(|path| path.rsplit(['/', '\\']).next().map(str::to_owned));
    Ok((session, file))
}

/// String members of an entry, as people read them.
pub fn strings<const N: usize>(
    source: &mut FileSource,
    entry: &Entry,
    names: [&str; N],
) -> io::Result<[Option<String>; N]> {
    let found = members::find(source, entry.value_span(), &names)?;
    let mut values = [const { None }; N];
    for (value, member) in values.iter_mut().zip(found) {
        let Some(member) = member.filter(|member| member.kind == crate::scan::portable::Kind::String) else {
            continue;
        };
        let raw = read_range(source, member.value.start + 1..member.value.end - 1)?;
        *value = Some(crate::scan::text::to_display(&crate::scan::text::decode(&raw)));
    }
    Ok(values)
}
