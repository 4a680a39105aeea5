//! Entries that no file holds any more, made anew from what transcripts, run logs and the user tell.

use std::path::Path;

use super::court::Gone;
use super::opened::Opened;
use super::rebuilt::Rebuilt;
use super::{Base, Diagnosis, Recovery, Task};
use crate::cli::verbs::{Assignment, Recover};
use crate::evidence::conversations::{self, Named, Sources, Unnamed, Why};
use crate::evidence::copies::{CopyKind, modified};
use crate::model::Millis;
use crate::model::entry::{Entry, Flags, hash};
use crate::model::key::{SessionKey, Shape, split_agent};
use crate::model::store::StoreFile;
use crate::model::texts::TextSet;
use crate::model::verdict::Confidence;
use crate::openclaw::layout;

/// What may be made anew.
pub struct Wanted<'a> {
    /// The store.
    pub file: &'a StoreFile,
    /// The command.
    pub task: &'a Task<'a>,
    /// What stays away.
    pub gone: &'a Gone<'a>,
    /// What the user gives a key.
    pub assigned: Vec<Assignment>,
    /// Whether evidence may give keys as well: not where the store is sound and lost nothing.
    pub all: bool,
}

/// The assignments that are about a store: its agent's key, and a transcript beside it.
pub fn assigned(wanted: &Recover, file: &StoreFile) -> Vec<Assignment> {
    let dir = file.path.parent().unwrap_or(Path::new("."));
    let is_here = |assignment: &&Assignment| {
        let agent = split_agent(&assignment.key).map_or("main", |(agent, _)| agent);
        let name = dir.join(&assignment.transcript);
        let session = dir.join(format!("{}.jsonl", assignment.transcript));
        file.agents.iter().any(|own| own == agent) && (name.is_file() || session.is_file())
    };
    wanted.assigned.iter().filter(is_here).cloned().collect()
}

/// Keys and sessions that the new store will hold, or that it leaves out knowingly.
struct Known {
    keys: TextSet,
    sessions: TextSet,
    /// Whether this OpenClaw keeps an entry for each run.
    has_run_records: bool,
    /// When the newest whole copy was written: a run that was over by then, and has no record in it, had none any more.
    copied: Option<Millis>,
}

impl Known {
    fn of(recovery: &Recovery) -> Self {
        let is_whole = |file: &&Opened| {
            file.copy.kind != CopyKind::Store && file.damage.is_empty() && !file.entries.is_empty()
        };
        let mut known = Known {
            keys: TextSet::default(),
            sessions: TextSet::default(),
            has_run_records: false,
            copied: recovery.files.iter().filter(is_whole).map(|file| file.copy.written).max(),
        };
        let own = (recovery.base == Base::Whole).then(|| recovery.files[0].entries.iter());
        let left = recovery.merged.left.iter().map(|(pick, _)| *pick);
        let picks = recovery.merged.taken.iter().copied().chain(left);
        own.into_iter().flatten().for_each(|entry| known.add(entry));
        picks.for_each(|pick| known.add(recovery.entry(pick)));
        known.has_run_records |= known.keys.is_empty();
        known
    }

    fn add(&mut self, entry: &Entry) {
        self.keys.insert(entry.key);
        self.sessions.insert(entry.session);
        self.has_run_records |= entry.shape == Shape::RunRecord;
    }

    fn has_key(&self, key: &str) -> bool {
        self.keys.contains(&hash(key.as_bytes())) || self.keys.contains(&hash(key.to_lowercase().as_bytes()))
    }
}

impl Recovery {
    /// Fills in what no file holds.
    pub(super) fn rebuild(&mut self, diagnosis: &Diagnosis, wanted: &Wanted<'_>) {
        let mut known = Known::of(self);
        let situation = &diagnosis.situation;
        let dir = wanted.file.path.parent().unwrap_or(Path::new("."));
        let name = wanted.file.path.file_name().unwrap_or_default().to_string_lossy();
        let mut troubles = Vec::new();
        let sources = Sources {
            sessions_dir: dir,
            store_name: &name,
            agents: &wanted.file.agents,
            main_key: &situation.config.session.main_key,
            run_logs: &layout::runs_dir(&situation.jobs_path),
            registry: &layout::subagents_path(&situation.state_dir),
            jobs: &conversations::job_list(&situation.jobs_path, &mut troubles),
            now: diagnosis.now(),
        };
        let is_known = |session: &str, _: &str| known.sessions.contains(&hash(session.as_bytes()));
        let mut found = conversations::read(&sources, &is_known);
        troubles.append(&mut found.troubles);
        self.unreadable
            .extend(troubles.into_iter().map(|trouble| (trouble.evidence.path.into(), trouble.why)));
        for assignment in &wanted.assigned {
            self.assign(assignment, &mut found, &mut known, dir, diagnosis.now());
        }
        if !wanted.all {
            return;
        }
        self.unnamed = found.unnamed;
        for named in found.named {
            if known.has_key(&named.key) || !may_be_made(&named, &known, wanted, diagnosis) {
                continue;
            }
            known.keys.insert(hash(named.key.as_bytes()));
            let weak =
                named.confidence == Confidence::Likely && wanted.task.wanted.confidence != Confidence::Likely;
            let list = if weak { &mut self.held } else { &mut self.rebuilt };
            list.push(made(named, dir, diagnosis.now()));
        }
    }

    /// Gives a transcript the key that the user names, whatever evidence says.
    fn assign(
        &mut self,
        assignment: &Assignment,
        found: &mut conversations::Conversations,
        known: &mut Known,
        dir: &Path,
        now: Millis,
    ) {
        let is_meant = |transcript: &str, session: &str| {
            assignment.transcript == transcript || assignment.transcript == session
        };
        if known.has_key(&assignment.key) {
            return;
        }
        // OpenClaw begins a transcript without a first line anew: an entry would cost what is left in it.
        let fits = |one: &Unnamed| one.why != Why::NoHeader && is_meant(&one.transcript, &one.session);
        let unnamed = found.unnamed.iter().position(fits);
        let named = found.named.iter().find(|one| is_meant(&one.transcript, &one.session));
        let Unnamed { transcript, session, first, last, .. } = match (unnamed, named) {
            (Some(at), _) => found.unnamed.remove(at),
            (None, Some(named)) => as_unnamed(named),
            (None, None) => return,
        };
        found.named.retain(|one| one.transcript != transcript);
        known.keys.insert(hash(assignment.key.as_bytes()));
        let updated_at = last.or(first).or_else(|| written(&dir.join(&transcript))).unwrap_or(now);
        self.rebuilt.push(Rebuilt {
            key: assignment.key.clone(),
            session,
            transcript: dir.join(transcript),
            updated_at,
            told_by: "assigned by hand".to_owned(),
            confidence: Confidence::Certain,
        });
    }
}

/// Whether a session that evidence names is missed: neither another agent's than is acted on, nor taken out on
/// purpose, nor a run that is past.
fn may_be_made(named: &Named, known: &Known, wanted: &Wanted<'_>, diagnosis: &Diagnosis) -> bool {
    let keys = &wanted.task.options.keys;
    let flags = (keys.marks)(&SessionKey::parse(&named.key, keys.main_key), &named.key);
    if flags.has(Flags::OUT_OF_SCOPE) {
        return false;
    }
    let last = named.last.or(named.first).unwrap_or(Millis::MIN);
    let removed = !wanted.gone.include && wanted.gone.removed.since(hash(named.key.as_bytes()), last);
    let age = diagnosis.now().saturating_sub(last);
    let past = diagnosis.policy.run_retention.is_some_and(|retention| age > retention);
    let taken_out = past || known.copied.is_some_and(|copied| last <= copied);
    !removed && (named.shape != Shape::RunRecord || known.has_run_records && !taken_out)
}

fn made(named: Named, dir: &Path, now: Millis) -> Rebuilt {
    let transcript = dir.join(&named.transcript);
    let updated_at = named.last.or(named.first).or_else(|| written(&transcript)).unwrap_or(now);
    Rebuilt {
        key: named.key,
        session: named.session,
        transcript,
        updated_at,
        told_by: named.told_by.to_string(),
        confidence: named.confidence,
    }
}

fn as_unnamed(named: &Named) -> Unnamed {
    Unnamed {
        transcript: named.transcript.clone(),
        session: named.session.clone(),
        first: named.first,
        last: named.last,
        first_words: None,
        why: Why::Silence,
        told: Vec::new(),
    }
}

fn written(path: &Path) -> Option<Millis> {
    std::fs::metadata(path).ok().map(|metadata| modified(&metadata))
}
