//! What can be put together again of a store that OpenClaw would take for empty, or that lost its entries.
//!
//! The store itself comes first, then the copies beside it and the originals that runs of ours kept, then what
//! transcripts and run logs tell. A sound store stays as it is and is only added to. Nothing inside an entry is
//! guessed: an entry comes back byte for byte, or as the few members that its transcript proves.

pub mod build;
mod conversations;
pub(super) mod court;
pub mod loss;
pub mod opened;
pub mod rebuilt;
pub(super) mod removed;

use std::fs::File;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

use self::conversations::Wanted;
use self::court::{Bench, Gone};
use self::loss::Loss;
use self::opened::Opened;
use self::rebuilt::Rebuilt;
use self::removed::Removed;
use super::read::ReadOptions;
use super::run::Edge;
use super::{Condition, Diagnosed, Diagnosis};
use crate::apply::{Identity, share};
use crate::cli::verbs::Recover;
use crate::evidence::conversations::Unnamed;
use crate::evidence::copies::{self, CopyKind, StoreCopy};
use crate::evidence::marks::Marks;
use crate::model::Millis;
use crate::model::entry::Entry;
use crate::model::key::SessionKey;
use crate::model::plan::{ChangeRecord, PieceTable, SourceId};
use crate::model::store::StoreFile;
use crate::model::style::Style;
use crate::model::verdict::Confidence;
use crate::plan::merge::{Left, Merged, Pick, add, merge};
use crate::scan::entries::{KeyContext, Scan};

/// So many files take part, the newest of them; the rest is named.
const MOST_FILES: usize = 64;

/// What the new store is built on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Base {
    /// The store as it is: only added to.
    Whole,
    /// What can be had back of it.
    Damaged,
    /// Nothing: there is no store.
    Missing,
}

/// A store, put together again.
pub struct Recovery {
    /// What it is built on.
    pub base: Base,
    /// The files that took part; the store first, where there is one.
    pub files: Vec<Opened>,
    /// Files that could not be read, and why.
    pub unreadable: Vec<(PathBuf, String)>,
    /// What is taken, in the order of the new store; of a sound store only what is added.
    pub merged: Merged,
    /// Entries made anew.
    pub rebuilt: Vec<Rebuilt>,
    /// Entries that could be made anew, were weaker evidence acted on.
    pub held: Vec<Rebuilt>,
    /// Transcripts whose key nothing tells.
    pub unnamed: Vec<Unnamed>,
    /// The new store.
    pub table: PieceTable,
    /// Entries of the sound store.
    pub kept: u64,
}

impl Recovery {
    /// Whether there is anything to write.
    pub fn is_change(&self) -> bool {
        !self.merged.taken.is_empty() || !self.rebuilt.is_empty()
    }

    /// How many entries are brought back.
    pub fn recovered(&self) -> u64 {
        (self.merged.taken.len() + self.rebuilt.len()) as u64
    }

    /// How many entries are taken from file number `at`.
    pub fn used(&self, at: usize) -> u64 {
        self.merged.taken.iter().filter(|pick| usize::from(pick.source) == at).count() as u64
    }

    /// The store as it was read; `None` where there is none.
    pub fn expected(&self) -> Option<Identity> {
        self.store().map(|at| self.files[usize::from(at)].identity)
    }

    /// The number of the store among the files.
    pub fn store(&self) -> Option<SourceId> {
        (self.base != Base::Missing).then_some(0)
    }

    /// The files that the table indexes.
    pub fn sources(&self) -> io::Result<Vec<File>> {
        self.files.iter().map(Opened::file).collect()
    }

    /// The entry of a pick.
    pub fn entry(&self, pick: Pick) -> &Entry {
        &self.files[usize::from(pick.source)].entries[pick.entry as usize]
    }

    /// Tells what is added, and what is set aside.
    pub fn records(&self, sink: &mut dyn FnMut(&ChangeRecord) -> io::Result<()>) -> io::Result<()> {
        let store = self.store();
        build::records(&self.files, store, &self.merged.taken, &self.rebuilt, sink)
    }

    /// Holds a rescan of the new file against what was to be written.
    pub fn verify(&self, rescan: &Scan) -> Result<(), String> {
        let own = (self.base == Base::Whole).then(|| self.files[0].entries.iter());
        let taken = self.merged.taken.iter().map(|&pick| self.entry(pick));
        build::verify(&mut own.into_iter().flatten().chain(taken), &self.rebuilt, rescan)
    }
}

/// Puts store `at` together, as the command asks.
pub fn run(
    edge: &Edge<'_>,
    diagnosis: &mut Diagnosis,
    at: usize,
    wanted: &Recover,
) -> io::Result<Option<Recovery>> {
    let marks = Marks::new(&[], &edge.request.agents, Default::default()).map_err(io::Error::other)?;
    let main_key = diagnosis.situation.config.session.main_key.clone();
    let default_agent = diagnosis.situation.config.default_agent().to_owned();
    let mark_key = |key: &SessionKey<'_>, text: &str| marks.of(key, text);
    let keys = KeyContext { main_key: &main_key, marks: &mark_key };
    let options = edge.read_options(keys, &default_agent, false);
    plan(diagnosis, at, &Task { wanted, options: &options })
}

/// What a recovery takes from the command.
pub struct Task<'a> {
    /// What was asked for.
    pub wanted: &'a Recover,
    /// How to read.
    pub options: &'a ReadOptions<'a>,
}

/// Puts store `at` together; `None` where nothing is to be recovered, or the store cannot be read at all.
pub fn plan(diagnosis: &mut Diagnosis, at: usize, task: &Task<'_>) -> io::Result<Option<Recovery>> {
    let Diagnosed { file, condition, loss, .. } = &diagnosis.stores[at];
    let assigned = conversations::assigned(task.wanted, file);
    let base = match condition {
        Condition::Missing => Base::Missing,
        Condition::Damaged(..) => Base::Damaged,
        Condition::Whole(_) if lacks_entries(loss, task.wanted) || !assigned.is_empty() => Base::Whole,
        _ => return Ok(None),
    };
    let (file, state) = (file.clone(), diagnosis.situation.state_dir.clone());
    let from_copies = base != Base::Whole || lacks_entries(loss, task.wanted);
    let mut recovery = Recovery {
        base,
        files: own_file(&mut diagnosis.stores[at], task.options)?.into_iter().collect(),
        unreadable: Vec::new(),
        merged: Merged::default(),
        rebuilt: Vec::new(),
        held: Vec::new(),
        unnamed: Vec::new(),
        table: PieceTable::new(),
        kept: 0,
    };
    let removed = Removed::of_store(&file.path, Some(&state));
    let archived = crate::evidence::conversations::transcripts(&file.path)?.archived;
    let gone = Gone { removed: &removed, archived: &archived, include: task.wanted.include_pruned };
    if from_copies {
        recovery.open_copies(&file, &state, task.options)?;
    }
    let accept = task.wanted.confidence == Confidence::Likely;
    let store = recovery.store();
    let (mut bench, entries) = Bench::new(&mut recovery.files, store, &gone, diagnosis.now(), accept);
    recovery.merged = match base {
        Base::Whole => add(&entries, &mut bench)?,
        Base::Damaged | Base::Missing => merge(&entries, &mut bench)?,
    };
    recovery.kept = match base {
        Base::Whole => recovery.files[0].live() as u64,
        Base::Damaged | Base::Missing => 0,
    };
    let wanted = Wanted { file: &file, task, gone: &gone, assigned, all: from_copies };
    recovery.rebuild(diagnosis, &wanted);
    recovery.lay_out(diagnosis, at)?;
    Ok(Some(recovery))
}

/// Whether a sound store is to be added to.
fn lacks_entries(loss: &Loss, wanted: &Recover) -> bool {
    loss.rotated.is_some() || loss.wiped.is_some() && wanted.confidence == Confidence::Likely
}

/// The store itself, read for what it holds.
fn own_file(store: &mut Diagnosed, options: &ReadOptions<'_>) -> io::Result<Option<Opened>> {
    let path = store.file.path.clone();
    let copy = |source: &crate::scan::source::FileSource| StoreCopy {
        path: path.clone(),
        kind: CopyKind::Store,
        written: copies::modified(source.opened()),
    };
    match &mut store.condition {
        Condition::Whole(judged) => {
            let (source, entries) = (judged.reading.source.reader(), judged.reading.scan.entries.clone());
            Ok(Some(Opened::whole(copy(&source), source, entries)))
        }
        Condition::Damaged(reading, _) => {
            let (copy, source) = (copy(&reading.source), reading.source.reader());
            Opened::salvage(copy, source, options).map(Some)
        }
        _ => Ok(None),
    }
}

impl Recovery {
    /// Reads everything beside the store that may hold entries of it.
    fn open_copies(&mut self, file: &StoreFile, state: &Path, options: &ReadOptions<'_>) -> io::Result<()> {
        let mut found = copies::beside(&file.path)?;
        found.extend(backups(&file.path, state));
        copies::sort(&mut found);
        for (at, copy) in found.into_iter().enumerate() {
            if at >= MOST_FILES {
                self.unreadable.push((copy.path, format!("only the {MOST_FILES} newest copies are read")));
                continue;
            }
            let path = copy.path.clone();
            match Opened::read(copy, options) {
                Ok(opened) => self.files.push(opened),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => return Err(error),
                Err(error) => self.unreadable.push((path, error.to_string())),
            }
        }
        Ok(())
    }

    /// The bytes of the new store.
    fn lay_out(&mut self, diagnosis: &mut Diagnosis, at: usize) -> io::Result<()> {
        if !self.is_change() {
            return Ok(());
        }
        let object = match &diagnosis.stores[at].condition {
            Condition::Whole(judged) => {
                let outcome = &judged.reading.scan.outcome;
                Some(outcome.root_start..outcome.root_end)
            }
            _ => None,
        };
        let style = self.style(object.clone())?;
        let (files, taken) = (&mut self.files, &self.merged.taken);
        self.table = match object {
            Some(object) => build::added(files, object, taken, &self.rebuilt, &style)?,
            None => build::anew(files, taken, &self.rebuilt, &style)?,
        };
        Ok(())
    }

    /// The store's own style, else that of the first file that has one.
    fn style(&mut self, object: Option<Range<u64>>) -> io::Result<Style> {
        if let Some(object) = object {
            let own = &mut self.files[0];
            if !own.entries.is_empty() {
                return build::style_of(&mut own.source, &own.entries, object);
            }
        }
        let own = self.files.iter().filter(|file| !file.entries.is_empty());
        Ok(own.filter_map(|file| file.style.clone()).next().unwrap_or_default())
    }
}

/// Whether a run of ours kept the original of a store: then there was one.
pub fn has_originals(store: &Path, state: &Path) -> bool {
    !backups(store, state).is_empty()
}

/// The originals that runs of ours kept of a store.
fn backups(store: &Path, state: &Path) -> Vec<StoreCopy> {
    // An extract holds only what was taken out on purpose.
    let whole = removed::runs_of(store, Some(state)).into_iter().filter(|run| !share::is_extract(run));
    let copies = whole.filter_map(|run| {
        let written: Millis = run.record.started_at;
        run.backup_path().map(|path| StoreCopy { path, kind: CopyKind::Backup, written })
    });
    copies.collect()
}

/// Why a copy was left out, for people.
pub fn why(left: Left) -> &'static str {
    match left {
        Left::Likely => "it may be text inside a string; --confidence likely takes it",
        Left::Removed => "a run of this tool took it out; --include-pruned brings it back",
        Left::Archived => "OpenClaw archived its transcript since; --include-pruned brings it back",
        Left::OutOfScope => "it belongs to another agent",
    }
}
