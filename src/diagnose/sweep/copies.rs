//! Rotations and temporary files: whether one holds anything that the store lacks, and whether its writer lives.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::age::Clock;
use crate::apply::Identity;
use crate::diagnose::Judged;
use crate::diagnose::read::ReadOptions;
use crate::diagnose::recovery::court::Gone;
use crate::diagnose::recovery::opened::Opened;
use crate::evidence::copies::{CopyKind, StoreCopy, modified};
use crate::host::System;
use crate::model::Millis;
use crate::model::entry::{Entry, Flags, TextHash};
use crate::model::key::Family;
use crate::model::leftover::Copy;
use crate::model::policy::Policy;
use crate::openclaw::jobs;
use crate::openclaw::layout::temporary_of;
use crate::openclaw::lock::Owner;
use crate::scan::members;
use crate::scan::source::{FileSource, read_range};

/// What the look at copies takes from outside.
pub struct World<'a> {
    /// How to read.
    pub options: &'a ReadOptions<'a>,
    /// Time.
    pub clock: Clock,
    /// The limits that explain why something is gone.
    pub policy: &'a Policy,
    /// Whether a process lives.
    pub system: &'a dyn System,
    /// Whether a gateway runs, which may be writing.
    pub gateway_runs: bool,
}

impl World<'_> {
    /// What is known of any copy before it is read, and which file it is; `None` where it is gone.
    pub fn facts(&self, path: &Path, of: &str) -> io::Result<Option<(Copy, Identity)>> {
        let metadata = match fs::symlink_metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            other => other?,
        };
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let at = modified(&metadata);
        let copy = Copy {
            odd: !metadata.is_file() || metadata.nlink() > 1,
            writer_may_live: self.gateway_runs
                || temporary_of(&name, of).flatten().is_some_and(|pid| self.lives(pid)),
            at: self.clock.real.then_some(at),
            ..Copy::default()
        };
        Ok(Some((copy, Identity::of(&metadata))))
    }

    fn lives(&self, pid: u32) -> bool {
        self.system.owner(pid) != Owner::Dead
    }

    /// Looks into a copy of a store.
    pub fn read(
        &self,
        copy: &mut Copy,
        path: &Path,
        kind: CopyKind,
        store: &mut Store<'_>,
    ) -> io::Result<()> {
        let written = copy.at.unwrap_or(Millis::MIN);
        let opened = Opened::read(StoreCopy { path: path.to_owned(), kind, written }, self.options);
        let mut opened = match opened {
            Ok(opened) => opened,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Err(error),
            Err(_) => {
                copy.unreadable = true;
                return Ok(());
            }
        };
        if opened.live() == 0 {
            copy.foreign = kind == CopyKind::Rotation || !is_blank(&mut opened.source, path, store.name)?;
            return Ok(());
        }
        for at in 0..opened.entries.len() {
            let entry = opened.entries[at];
            if !entry.is(Flags::OVERRIDDEN) && !store.covers(&entry, &mut opened, self)? {
                copy.richer = true;
                break;
            }
        }
        Ok(())
    }
}

/// Whether a temporary file without an entry was to be a store without one, or the beginning of one.
fn is_blank(source: &mut FileSource, path: &Path, store: &str) -> io::Result<bool> {
    let size = crate::scan::source::Source::len(source);
    let head = read_range(source, 0..size.min(64))?;
    let head = head.trim_ascii();
    let named = path.file_name().unwrap_or_default().to_string_lossy().starts_with(store);
    Ok(size == 0 || head == b"{}" || named && head.first() == Some(&b'{'))
}

/// A store that copies are held against.
pub struct Store<'a> {
    /// Its name.
    pub name: &'a str,
    judged: &'a Judged,
    source: FileSource,
    keys: HashMap<TextHash, usize>,
    gone: &'a Gone<'a>,
}

impl<'a> Store<'a> {
    /// A store that was read whole.
    pub fn new(name: &'a str, judged: &'a Judged, gone: &'a Gone<'a>) -> Self {
        let live = judged.reading.scan.entries.iter().enumerate();
        let keys = live.filter(|(_, entry)| !entry.is(Flags::OVERRIDDEN)).map(|(at, entry)| (entry.key, at));
        Store { name, judged, source: judged.reading.source.reader(), keys: keys.collect(), gone }
    }

    /// Whether the store has this key as it is in the copy, or newer; or it is known to have been taken out since.
    fn covers(&mut self, entry: &Entry, copy: &mut Opened, world: &World<'_>) -> io::Result<bool> {
        let Some(&own) = self.keys.get(&entry.key) else {
            let written = copy.copy.written;
            return Ok(self.gone.explains(entry, written).is_some() || is_reaped(entry, world));
        };
        let own = &self.judged.reading.scan.entries[own];
        // Hashes propose, texts decide.
        if members::key(&mut self.source, own.start())? != members::key(&mut copy.source, entry.start())? {
            return Ok(false);
        }
        match (own.updated_at.millis(), entry.updated_at.millis()) {
            (Some(ours), Some(theirs)) if ours > theirs => Ok(true),
            (Some(ours), Some(theirs)) if ours < theirs => Ok(false),
            (Some(_), Some(_)) => Ok(true),
            _ => {
                let ours = read_range(&mut self.source, own.start()..own.end())?;
                Ok(ours == read_range(&mut copy.source, entry.start()..entry.end())?)
            }
        }
    }
}

/// A run record past its retention, which OpenClaw takes out itself.
fn is_reaped(entry: &Entry, world: &World<'_>) -> bool {
    let age = entry.updated_at.millis().map(|at| world.clock.now.saturating_sub(at));
    let retention = world.policy.run_retention;
    entry.family() == Family::RunRecord
        && age.is_some_and(|age| retention.is_some_and(|retention| age > retention))
}

/// Whether a temporary file of the job list holds a job that the list lacks, or is no list. One that was cut short is
/// of use to nobody.
pub fn jobs_are_richer(temporary: &Path, list: &Path) -> bool {
    let read = |path: &Path| crate::host::files::read_regular(path).ok();
    let Some(known) = read(list).and_then(|bytes| jobs::parse_jobs(&bytes).ok()) else { return true };
    let known: HashSet<&str> = known.iter().map(|job| job.id.as_str()).collect();
    match read(temporary) {
        None => true,
        Some(bytes) => {
            jobs::parse_jobs(&bytes).is_ok_and(|jobs| jobs.iter().any(|job| !known.contains(job.id.as_str())))
        }
    }
}
