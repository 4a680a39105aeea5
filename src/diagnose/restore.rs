//! What undoing a run means for the store as it is now.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use super::document::DocumentError;
use crate::apply::changes;
use crate::apply::runs::Run;
use crate::apply::share;
use crate::apply::{Fingerprint, Identity};
use crate::exit::Exit;
use crate::model::entry::{Entry, Flags, hash};
use crate::model::plan::{ChangeRecord, PieceTable};
use crate::plan::pieces::Replaces;
use crate::plan::undo::{self, BACKUP, Item, Lost};
use crate::rules::store::damage;
use crate::scan::entries::{KeyContext, Scan, scan};
use crate::scan::source::{FileSource, Source};
use crate::scan::text::decode;

mod inside;

/// Why a run cannot be undone.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// The store is gone.
    #[error(
        "{0}: the store is gone; its original of this run is {1}, copy it back while the gateway is stopped"
    )]
    NoStore(PathBuf, PathBuf),
    /// The store is damaged.
    #[error(
        "{0}: the store is damaged at byte {1}, so nothing can be put into it; the original of the run is {2}"
    )]
    Damaged(PathBuf, u64, PathBuf),
    /// The run was an undo itself.
    #[error("run {0} put entries back, it took nothing out; to remove them again, prune")]
    WasUndo(String),
    /// The run put a store together, and somebody wrote to it since.
    #[error(
        "run {0} only brought entries back, and the store was written to since: remove them with prune, or write \
         the original elsewhere with --to FILE"
    )]
    WasRecovery(String),
    /// The run put a store together that OpenClaw would have taken for empty.
    #[error(
        "run {0} put a damaged store together: OpenClaw would take its original for empty and overwrite it, so it \
         is not put back; `undo {0} --to FILE` writes it elsewhere"
    )]
    DamagedOriginal(String),
    /// There was no store before the run.
    #[error("run {0} wrote a store where there was none, so there is nothing to put back")]
    NoOriginal(String),
    /// The backup is not what the run kept.
    #[error(
        "{0}: the original of the run is gone or not what it was when the run was made; nothing was changed"
    )]
    BadBackup(PathBuf),
    /// The list of changes is not whole.
    #[error("{0}: the list of changes is not whole, so they cannot be merged; the original lies beside it")]
    BadRecord(PathBuf),
    /// Reading failed.
    #[error("{0}: {1}")]
    Io(PathBuf, io::Error),
    /// The record cannot be read.
    #[error("{0}")]
    Record(#[from] crate::apply::DiskError),
    /// The run edited a document that cannot be edited now.
    #[error("{0}")]
    Document(#[from] DocumentError),
}

impl RestoreError {
    /// The exit code for it.
    pub fn exit(&self) -> Exit {
        match self {
            RestoreError::NoStore(..) | RestoreError::Damaged(..) => Exit::Damaged,
            RestoreError::WasUndo(_)
            | RestoreError::WasRecovery(_)
            | RestoreError::DamagedOriginal(_)
            | RestoreError::NoOriginal(_) => Exit::Usage,
            RestoreError::Io(_, error) if error.kind() == io::ErrorKind::UnexpectedEof => Exit::Busy,
            RestoreError::Document(error) => error.exit(),
            RestoreError::BadBackup(_)
            | RestoreError::BadRecord(_)
            | RestoreError::Io(..)
            | RestoreError::Record(_) => Exit::Io,
        }
    }
}

/// The store with a run undone, described.
pub struct Restoration {
    /// The store.
    pub store: PathBuf,
    /// The store as it was read.
    pub identity: Identity,
    /// Its size.
    pub bytes: u64,
    /// The new store; source 0 is the current one, source 1 the backup.
    pub table: PieceTable,
    /// For the record.
    pub records: Vec<ChangeRecord>,
    /// Entries that come back.
    pub restored: u64,
    /// Entries of which changed values come back.
    pub reverted: u64,
    /// Entries now.
    pub current: u64,
    /// Entries then.
    pub total: u64,
    keys: Vec<u64>,
    whole: Option<Fingerprint>,
    files: [File; 2],
}

/// One file of the two, read.
struct Side {
    source: FileSource,
    scan: Scan,
    bytes: u64,
    /// Where the entry that counts for a key stands.
    places: HashMap<u64, usize>,
}

/// Works out what has to come back into the store. Nothing that was written since is touched.
pub fn plan(run: &Run, main_key: &str, map: bool) -> Result<Restoration, RestoreError> {
    if run.record.command != RECOVER {
        return merged(run, main_key, map);
    }
    let (restoration, damaged) = original(run, main_key, map)?;
    if damaged {
        return Err(RestoreError::DamagedOriginal(run.id.to_string()));
    }
    if Fingerprint::of_file(&restoration.store)? == restoration.whole {
        return Ok(restoration.nothing());
    }
    if !is_untouched(run, &restoration.store)? {
        return Err(RestoreError::WasRecovery(run.id.to_string()));
    }
    Ok(restoration)
}

/// Works out the store with the run undone, for a file of its own. A run that put a store together is undone by
/// its original, whatever became of the store since.
pub fn plan_elsewhere(run: &Run, main_key: &str, map: bool) -> Result<Restoration, RestoreError> {
    match run.record.command.as_str() {
        RECOVER => original(run, main_key, map).map(|(restoration, _)| restoration),
        _ => merged(run, main_key, map),
    }
}

/// The verb that puts stores together.
const RECOVER: &str = "recover";

/// The original of a run as it is, and whether it is damaged.
fn original(run: &Run, main_key: &str, map: bool) -> Result<(Restoration, bool), RestoreError> {
    if run.record.backup.is_none() {
        return Err(RestoreError::NoOriginal(run.id.to_string()));
    }
    let path = checked_backup(run)?;
    let told = |error| RestoreError::Io(path.clone(), error);
    let backup = read(&path, main_key, map).map_err(told)?;
    // The writer takes source 0 for the store as it is. Where that is gone, only a file elsewhere can be written.
    let current = match read(&run.record.store, main_key, map) {
        Ok(current) => Some(current),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(RestoreError::Io(run.record.store.clone(), error)),
    };
    let now = current.as_ref().unwrap_or(&backup);
    let file = |side: &Side| side.source.file().try_clone().map_err(told);
    let files = [file(now)?, file(&backup)?];
    let mut restoration = Restoration::blank(run, Identity::of(now.source.opened()), now.bytes, files);
    restoration.current = now.scan.live().count() as u64;
    restoration.take_all(run, &backup)?;
    Ok((restoration, !damage(&backup.scan, backup.bytes).is_empty()))
}

fn merged(run: &Run, main_key: &str, map: bool) -> Result<Restoration, RestoreError> {
    let store = run.record.store.clone();
    if run.record.command == "undo" {
        return Err(RestoreError::WasUndo(run.id.to_string()));
    }
    let original = checked_backup(run)?;
    let mut backup =
        read(&original, main_key, map).map_err(|error| RestoreError::Io(original.clone(), error))?;
    let mut current = match read(&store, main_key, map) {
        Ok(current) => current,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(RestoreError::NoStore(store, original));
        }
        Err(error) => return Err(RestoreError::Io(store, error)),
    };
    if let Some(damage) = damage(&current.scan, current.bytes).first() {
        return Err(RestoreError::Damaged(store, damage.start, original));
    }
    let told = |error| RestoreError::Io(store.clone(), error);
    let identity = Identity::of(current.source.opened());
    let files =
        [current.source.file().try_clone().map_err(told)?, backup.source.file().try_clone().map_err(told)?];
    let mut restoration = Restoration::blank(run, identity, current.bytes, files);
    restoration.current = current.scan.live().count() as u64;
    // An extract is no store that anybody had.
    if !share::is_extract(run) && is_untouched(run, &restoration.store)? {
        restoration.take_all(run, &backup)?;
    } else {
        restoration.merge(run, &mut current, &mut backup)?;
    }
    Ok(restoration)
}

/// The original of a run, if it still is what the run kept.
pub(super) fn checked_backup(run: &Run) -> Result<PathBuf, RestoreError> {
    let path = run.backup_path().ok_or_else(|| RestoreError::BadBackup(run.dir.clone()))?;
    let wanted = run.record.steps.first().and_then(|step| step.before.clone());
    let found = Fingerprint::of_file(&path)?;
    if found.is_none() || wanted.is_some() && found != wanted {
        Err(RestoreError::BadBackup(path))
    } else {
        Ok(path)
    }
}

/// Whether the store still is, to the byte, what the run made of it.
pub(super) fn is_untouched(run: &Run, store: &Path) -> Result<bool, RestoreError> {
    let wanted = run.record.steps.first().and_then(|step| step.after.clone());
    Ok(wanted.is_some() && Fingerprint::of_file(store)? == wanted)
}

fn read(path: &Path, main_key: &str, map: bool) -> io::Result<Side> {
    let mut source = FileSource::open(path, map)?;
    let context = KeyContext { main_key, marks: &|_, _| Flags::NONE };
    let scan = scan(&mut source, &context, &mut |_| Ok(()))?;
    source.release()?;
    // Of several copies the last counts, and comes last.
    let places = scan.entries.iter().enumerate().map(|(at, entry)| (entry.key, at)).collect();
    Ok(Side { bytes: source.len(), source, scan, places })
}

impl Restoration {
    /// Nothing comes back yet.
    fn blank(run: &Run, identity: Identity, bytes: u64, files: [File; 2]) -> Self {
        Restoration {
            identity,
            bytes,
            table: PieceTable::new(),
            records: Vec::new(),
            restored: 0,
            reverted: 0,
            current: 0,
            total: 0,
            keys: Vec::new(),
            whole: None,
            files,
            store: run.record.store.clone(),
        }
    }

    /// The store is the original already.
    fn nothing(self) -> Self {
        Restoration { restored: 0, reverted: 0, records: Vec::new(), whole: None, ..self }
    }

    /// Whether the store would be another.
    pub fn is_change(&self) -> bool {
        self.restored + self.reverted > 0 || self.whole.is_some()
    }

    /// The files that the table indexes.
    pub fn sources(&self) -> io::Result<[File; 2]> {
        Ok([self.files[0].try_clone()?, self.files[1].try_clone()?])
    }

    /// Nobody wrote since: the original comes back to the byte.
    fn take_all(&mut self, run: &Run, backup: &Side) -> Result<(), RestoreError> {
        self.table.copy(BACKUP, 0, backup.bytes);
        self.restored = run.record.summary.removed;
        self.reverted = run.record.summary.healed + run.record.summary.slimmed;
        self.keys = backup.scan.entries.iter().map(|entry| entry.key).collect();
        self.total = backup.scan.live().count() as u64;
        self.whole = run.record.steps.first().and_then(|step| step.before.clone());
        // The original is whole without them: they are only told on.
        if let Ok(records) = changes::read(&run.dir) {
            self.records.extend(records.filter_map(Result::ok).map(restored_record));
        }
        Ok(())
    }

    /// Somebody wrote since: only what is missing comes back, and only what nobody changed since.
    fn merge(&mut self, run: &Run, current: &mut Side, backup: &mut Side) -> Result<(), RestoreError> {
        let mut lost = Vec::new();
        let mut patches = Vec::new();
        let mut told_of = 0;
        for record in changes::read(&run.dir)? {
            let record = record?;
            told_of += 1;
            let told = |error| RestoreError::Io(run.record.store.clone(), error);
            match record.action.as_str() {
                "remove" => self.bring_back(&record, current, backup, &mut lost),
                "heal" => self.revert(&record, current, backup, &mut patches).map_err(told)?,
                "slim" => self.refill(&record, current, backup, &mut patches).map_err(told)?,
                // Bytes that a later copy of the key overrides are no loss.
                _ => {}
            }
        }
        let summary = &run.record.summary;
        if told_of != summary.removed + summary.dropped + summary.healed + summary.slimmed {
            return Err(RestoreError::BadRecord(run.dir.clone()));
        }
        patches.sort_by_key(|patch| (patch.at().start, patch.at().end));
        let items = undo::arrange(&current.scan.entries, &backup.scan.entries, &lost);
        let key_of = |item: &Item| match *item {
            Item::Current(at) => current.scan.entries[at].key,
            Item::Backup(at) => backup.scan.entries[at].key,
        };
        self.keys = items.iter().map(key_of).collect();
        self.restored = items.iter().filter(|item| matches!(item, Item::Backup(_))).count() as u64;
        self.total = self.current + self.restored;
        self.table = undo::table(&side(current), &side(backup), &items, &patches);
        Ok(())
    }

    fn bring_back(&mut self, record: &ChangeRecord, current: &Side, backup: &Side, lost: &mut Vec<Lost>) {
        let found = backup.scan.entries.starting_at(record.start);
        let Some(at) = found.filter(|&at| undo::can_return(&backup.scan.entries[at])) else { return };
        let key = backup.scan.entries[at].key;
        if find(current, key).is_none() {
            lost.push(Lost {
                at,
                before: record.before.as_deref().map(key_hash),
                after: record.after.as_deref().map(key_hash),
            });
            self.records.push(restored_record(record.clone()));
        }
    }

    /// Whether the temporary file holds the entries that were planned, in order.
    pub fn verify(&self, temp: &Path, main_key: &str) -> Result<(), String> {
        if let Some(whole) = &self.whole {
            let found = Fingerprint::of_file(temp).map_err(|error| error.to_string())?;
            return if found.as_ref() == Some(whole) {
                Ok(())
            } else {
                Err("it is not the original".to_owned())
            };
        }
        let written = read(temp, main_key, true).map_err(|error| error.to_string())?;
        if let Some(fault) = &written.scan.outcome.fault {
            return Err(format!("not JSON at byte {}: {fault}", fault.offset));
        }
        let keys: Vec<u64> = written.scan.entries.iter().map(|entry| entry.key).collect();
        if keys == self.keys { Ok(()) } else { Err("the entries are not those that were planned".to_owned()) }
    }
}

fn side(side: &Side) -> undo::File<'_> {
    let outcome = &side.scan.outcome;
    undo::File { entries: &side.scan.entries, root: outcome.root_start..outcome.root_end, bytes: side.bytes }
}

/// The entry that counts for a key.
fn find(side: &Side, key: u64) -> Option<Entry> {
    side.places.get(&key).map(|&at| side.scan.entries[at])
}

/// The hash of a key by its raw text in a record.
pub(super) fn key_hash(raw: &str) -> u64 {
    let inner = raw.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(raw);
    hash(&decode(inner.as_bytes()))
}

fn restored_record(record: ChangeRecord) -> ChangeRecord {
    ChangeRecord { action: "restore".to_owned(), rule: "recovered".to_owned(), ..record }
}
