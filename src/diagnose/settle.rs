//! From readings to verdicts: judges all stores until no answer brings up a new question.
//!
//! Two things are asked for late, because they cost something and few entries need them: the last line of a
//! transcript, and who needs whom. A transcript can only make an entry look more alive, so only entries that
//! would otherwise change are looked up; what they turn out to be may protect their parents, and may turn the
//! budget to others, who are looked up in turn.

use std::collections::HashMap;
use std::io;

use super::keys::Keys;
use super::{Condition, Diagnosed, Judged};
use crate::model::Millis;
use crate::model::caches::Caches;
use crate::model::entry::{Entry, Flags, TextHash, hash};
use crate::model::evidence::{Evidence, Traces};
use crate::model::hashes::{Bits, Hashes};
use crate::model::key::{SessionKey, Shape};
use crate::model::policy::Policy;
use crate::openclaw::transcript::TailReader;
use crate::plan::decision::Held;
use crate::plan::edits;
use crate::plan::prune::Docket;
use crate::rules::case::Case;
use crate::rules::entry::slim_cache;
use crate::rules::kinship;
use crate::scan::members;
use crate::scan::source::{FileSource, Source, read_range};

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
pub fn settle(stores: &mut [Diagnosed], evidence: &mut Evidence, policy: &Policy, complete: bool) {
    let mut complete = complete;
    evidence.kin.parents = existing_parents(stores);
    let mut tails = TailReader::default();
    loop {
        kinship::settle(evidence, complete, &|evidence, f| each(stores, evidence, policy, f));
        let (mut news, mut failed) = (false, false);
        let mut each_judged = |work: &mut dyn FnMut(&mut Judged) -> io::Result<bool>| {
            for store in stores.iter_mut() {
                let Condition::Whole(judged) = &mut store.condition else { continue };
                news |= work(judged).unwrap_or_else(|error| {
                    // One store's failure does not stop the others, but they may not rest on it any more.
                    store.condition = Condition::of_error(error);
                    failed = true;
                    true
                });
            }
        };
        each_judged(&mut |judged| plan(judged, evidence, policy).map(|()| false));
        let parents = &evidence.kin.parents;
        let mut leaving = Bits::none_of(parents.len());
        each_judged(&mut |judged| {
            judged.leaving().filter_map(|key| parents.place(key)).for_each(|place| {
                leaving.insert(place);
            });
            Ok(false)
        });
        let leaves = |key: TextHash| parents.place(key).is_some_and(|place| leaving.has(place));
        each_judged(&mut |judged| look_up(judged, &leaves, evidence.now, &mut tails));
        complete &= !failed;
        evidence.kin.unread |= failed;
        if !news {
            return;
        }
    }
}

/// Parents that sub-agents of any store name and that exist in any store.
fn existing_parents(stores: &[Diagnosed]) -> Hashes {
    let entries =
        || stores.iter().filter_map(Diagnosed::judged).flat_map(|judged| judged.reading.scan.entries.iter());
    let children = || entries().filter(|entry| entry.shape == Shape::SubAgent && entry.kin != 0);
    let mut named = Vec::with_capacity(children().count());
    named.extend(children().map(|entry| entry.kin));
    let named = Hashes::of(named);
    if named.is_empty() {
        return named;
    }
    let mut exist = Bits::none_of(named.len());
    for place in entries().filter_map(|entry| named.place(entry.folded_key())) {
        exist.insert(place);
    }
    named.only(&exist)
}

fn each(stores: &[Diagnosed], evidence: &Evidence, policy: &Policy, f: &mut dyn FnMut(&Case<'_>)) {
    for judged in stores.iter().filter_map(Diagnosed::judged) {
        let entries = &judged.reading.scan.entries;
        for (at, entry) in entries.iter().enumerate().filter(|(_, entry)| entry.shape == Shape::SubAgent) {
            if !entry.is(Flags::OVERRIDDEN) {
                f(&Case::new((entries, at), judged.traces(at), &judged.facts, evidence, policy));
            }
        }
    }
}

fn plan(judged: &mut Judged, evidence: &Evidence, policy: &Policy) -> io::Result<()> {
    let Judged { reading, facts, sessions, lines, budget, .. } = judged;
    let entries = &reading.scan.entries;
    let traces = |at: usize| Traces {
        last_line: lines.get(at),
        lock: sessions.lock(entries[at].session, entries[at].file),
    };
    let docket =
        Docket { entries, facts, evidence, policy, traces: &traces, bytes: reading.bytes, budget: *budget };
    let source = &mut reading.source;
    judged.plan = docket.plan(&mut |entry| cache_bytes(source, entry, policy.caches))?;
    Ok(())
}

/// Bytes that stripping the caches of an entry saves.
fn cache_bytes(source: &mut FileSource, entry: &Entry, caches: Caches) -> io::Result<u64> {
    if !slim_cache::holds_any(entry, caches) {
        return Ok(0);
    }
    let edits = edits::strip(source, entry, caches)?;
    Ok(edits.map_or(0, |edits| edits.splices.iter().map(|splice| splice.at.end - splice.at.start).sum()))
}

impl Judged {
    /// Entries that are to go, as their children name them.
    fn leaving(&self) -> impl Iterator<Item = TextHash> {
        let pairs = self.reading.scan.entries.iter().zip(&self.plan.decisions);
        pairs.filter(|(_, decision)| decision.action.is_removal()).map(|(entry, _)| entry.folded_key())
    }

    /// Whether a transcript of entry `at` could still make a difference: to itself, to the share of its
    /// family that goes, or to a parent that goes.
    fn matters(&self, at: usize, leaves: &dyn Fn(TextHash) -> bool) -> bool {
        let (entry, decision) = (&self.reading.scan.entries[at], &self.plan.decisions[at]);
        let dead_bytes = entry.is(Flags::OVERRIDDEN) || entry.is(Flags::NOT_OBJECT);
        let is_child = entry.shape == Shape::SubAgent && leaves(entry.kin);
        let matters = decision.is_change() || decision.held == Some(Held::Brake) || is_child;
        matters && !dead_bytes && !self.lines.is_known(at)
    }
}

/// Looks up the transcripts that matter. Returns whether one said something new.
fn look_up(
    judged: &mut Judged,
    leaves: &dyn Fn(TextHash) -> bool,
    now: Millis,
    tails: &mut TailReader,
) -> io::Result<bool> {
    let (mut news, mut keys) = (false, Keys::default());
    for at in 0..judged.plan.decisions.len() {
        if !judged.matters(at, leaves) {
            continue;
        }
        let entry = judged.reading.scan.entries[at];
        if judged.sessions.has_none(&entry) {
            continue;
        }
        let (session, file) = names(&mut judged.reading.source, &mut keys, &entry)?;
        let line = judged.sessions.last_line(session.as_deref(), file.as_deref(), now, tails);
        judged.lines.set(at, &entry, line);
        news |= judged.lines.get(at).is_some();
    }
    judged.reading.source.unchanged()?;
    Ok(news)
}

/// When the transcripts of entry `at` were last written to, as far as anything tells; `None` where there are none.
pub(super) fn last_line(judged: &mut Judged, at: usize, now: Millis) -> io::Result<Option<Millis>> {
    let entry = judged.reading.scan.entries[at];
    if judged.sessions.has_none(&entry) {
        return Ok(None);
    }
    let (session, file) = names(&mut judged.reading.source, &mut Keys::default(), &entry)?;
    judged.reading.source.unchanged()?;
    let tails = &mut TailReader::default();
    Ok(judged.sessions.last_line(session.as_deref(), file.as_deref(), now, tails))
}

/// The session id, and `sessionFile` where that names another file than the id's.
fn names(
    source: &mut FileSource,
    keys: &mut Keys,
    entry: &Entry,
) -> io::Result<(Option<String>, Option<String>)> {
    if !entry.is(Flags::SESSION_FILE) {
        if entry.session == 0 {
            return Ok((None, None));
        }
        // The key of a run record ends in its session: that saves a second look at the entry.
        let key = keys.decoded(source.file(), entry.start())?;
        let run = std::str::from_utf8(&key)
            .ok()
            .and_then(|key| SessionKey::parse(key, "main").run.map(str::to_owned));
        if let Some(run) = run.filter(|run| hash(run.as_bytes()) == entry.session) {
            return Ok((Some(run), None));
        }
    }
    let [session, path] = strings(source, entry, ["sessionId", "sessionFile"])?;
    Ok((session, path))
}

/// String members of an entry, as people read them.
pub fn strings<const N: usize>(
    source: &mut FileSource,
    entry: &Entry,
    names: [&str; N],
) -> io::Result<[Option<String>; N]> {
    let value = members::value_span(source, entry)?;
    let found = members::find(source, value, &names)?;
    let mut values = [const { None }; N];
    for (value, member) in values.iter_mut().zip(found) {
        let Some(member) = member.filter(|member| member.kind == crate::scan::automaton::Kind::String) else {
            continue;
        };
        let raw = read_range(source, member.value.start + 1..member.value.end - 1)?;
        *value = Some(crate::scan::text::to_display(&crate::scan::text::decode(&raw)));
    }
    Ok(values)
}
