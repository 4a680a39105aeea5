//! Reads one store: scan, aliases, bindings.

use std::collections::{HashMap, HashSet};
use std::time::Duration;
use std::{io, thread};

use crate::apply::cancel::Cancel;
use crate::apply::fingerprint::{Fingerprint, Fingerprinter};
use crate::apply::identity::Identity;
use crate::host::files::open_regular;
use crate::model::entry::{Entry, Flags, TextHash, hash};
use crate::model::key::{Shape, split_agent};
use crate::model::store::StoreFile;
use crate::progress::Progress;
use crate::scan::entries::{KeyContext, Scan, scan};
use crate::scan::fields::BINDINGS;
use crate::scan::members;
use crate::scan::source::{FileSource, Source, read_range};

/// How often a file that changes while it is read is read.
const TRIES: usize = 3;

/// How long its writer is left alone in between: a change is often seen long before it is over.
const PAUSE: Duration = Duration::from_millis(100);

/// How to read.
pub struct ReadOptions<'a> {
    /// Whether the file may be mapped.
    pub map: bool,
    /// Whether its fingerprint is wanted.
    pub fingerprint: bool,
    /// Shows how far it is.
    pub progress: &'a Progress,
    /// Set when the user wants to stop.
    pub cancel: &'a Cancel,
    /// How keys are read.
    pub keys: KeyContext<'a>,
    /// The agent that keys without a prefix belong to.
    pub default_agent: &'a str,
}

/// A store file that was read.
pub struct Reading {
    /// Still open: the bytes that were read, whatever has its name by now.
    pub source: FileSource,
    /// Its entries.
    pub scan: Scan,
    /// Its size.
    pub bytes: u64,
    /// Its identity when it was read.
    pub identity: Identity,
    /// Its fingerprint, where that was wanted.
    pub fingerprint: Option<Fingerprint>,
}

/// Why a store was not read.
pub enum ReadFailure {
    /// It changed every time.
    Changing(String),
    /// The user wants to stop.
    Cancelled,
    /// Something else.
    Io(io::Error),
}

/// Reads a store, again where it changes meanwhile.
pub fn read(file: &StoreFile, options: &ReadOptions<'_>) -> Result<Reading, ReadFailure> {
    let mut why = String::new();
    for round in 0..TRIES {
        if round > 0 {
            thread::sleep(PAUSE);
        }
        match read_once(file, options) {
            Ok(Some(reading)) => return Ok(reading),
            Ok(None) => why = "it was written to while it was read".to_owned(),
            Err(_) if options.cancel.requested().is_some() => return Err(ReadFailure::Cancelled),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => why = error.to_string(),
            Err(error) => return Err(ReadFailure::Io(error)),
        }
    }
    Err(ReadFailure::Changing(why))
}

/// `None` where the file is another one by now than it was at the start.
fn read_once(file: &StoreFile, options: &ReadOptions<'_>) -> io::Result<Option<Reading>> {
    let opened = open_regular(&file.real)?;
    let mut source = FileSource::from_file(opened, options.map)?;
    let identity = Identity::of(source.opened());
    let task = options.progress.start(&format!("reading {}", file.path.display()), source.len());
    let mut prints = options.fingerprint.then(Fingerprinter::new);
    let mut scan = scan(&mut source, &options.keys, &mut |window| {
        task.advance(window.len() as u64);
        if let Some(prints) = &mut prints {
            prints.update(window);
        }
        match options.cancel.requested() {
            Some(_) => Err(io::Error::from(io::ErrorKind::Interrupted)),
            None => Ok(()),
        }
    })?;
    drop(task);
    mark_aliases(&mut source, &mut scan.entries, options)?;
    mark_bindings(&mut source, &mut scan.entries)?;
    let whole = scan.outcome.fault.is_none();
    if Identity::of(&source.file().metadata()?) != identity {
        return Ok(None);
    }
    let fingerprint = prints.filter(|_| whole).map(|prints| prints.finish());
    let bytes = source.len();
    Ok(Some(Reading { source, scan, bytes, identity, fingerprint }))
}

/// Flags entries whose key OpenClaw folds into another one that the store holds.
fn mark_aliases(source: &mut FileSource, entries: &mut [Entry], options: &ReadOptions<'_>) -> io::Result<()> {
    let main_key = options.keys.main_key;
    let odd =
        |entry: &Entry| entry.is(Flags::ODD_SPELLING) || main_key != "main" && entry.shape == Shape::Main;
    if !entries.iter().any(odd) {
        return Ok(());
    }
    let keys: HashSet<TextHash> = entries.iter().map(|entry| entry.key).collect();
    for entry in entries.iter_mut().filter(|entry| odd(entry) && !entry.is(Flags::UNREAD)) {
        let Ok(key) = String::from_utf8(members::key(source, entry.start)?) else { continue };
        let canonical = canonical(&key, options.default_agent, main_key);
        let folded = canonical != key && keys.contains(&hash(canonical.as_bytes()));
        entry.flags.set(Flags::ALIAS, folded);
    }
    Ok(())
}

/// The spelling under which OpenClaw looks a key up.
fn canonical(key: &str, default_agent: &str, main_key: &str) -> String {
    let lower = key.to_lowercase();
    match split_agent(&lower) {
        Some((agent, "main")) => format!("agent:{agent}:{main_key}"),
        Some(_) => lower,
        None if lower == "global" || lower == "unknown" => lower,
        None if lower == "main" => format!("agent:{default_agent}:{main_key}"),
        None => format!("agent:{default_agent}:{lower}"),
    }
}

/// Flags run records that hold a binding which their base does not hold as well.
fn mark_bindings(source: &mut FileSource, entries: &mut [Entry]) -> io::Result<()> {
    let bound: Vec<usize> = (0..entries.len())
        .filter(|&at| {
            let entry = &entries[at];
            entry.shape == Shape::RunRecord && (entry.is(Flags::ACP) || entry.is(Flags::CLI))
        })
        .collect();
    if bound.is_empty() {
        return Ok(());
    }
    let bases: HashMap<TextHash, Entry> = entries
        .iter()
        .filter(|entry| entry.shape == Shape::CronBase)
        .map(|entry| (entry.kin, *entry))
        .collect();
    for at in bound {
        let base = bases.get(&entries[at].kin).copied();
        let own = bindings(source, &entries[at])?;
        let held = base.map(|base| bindings(source, &base)).transpose()?;
        let is_own = own
            .iter()
            .enumerate()
            .any(|(name, value)| value.is_some() && held.as_ref().is_none_or(|held| held[name] != *value));
        entries[at].flags.set(Flags::OWN_BINDING, is_own);
    }
    Ok(())
}

/// The values of all binding members; text that serde_json refuses is compared as it stands.
fn bindings(source: &mut FileSource, entry: &Entry) -> io::Result<Vec<Option<serde_json::Value>>> {
    let found = members::find(source, entry.value_span(), &BINDINGS)?;
    let mut values = Vec::new();
    for member in found {
        let raw = member.map(|member| read_range(source, member.value)).transpose()?;
        values.push(raw.map(|raw| {
            serde_json::from_slice(&raw).unwrap_or_else(|_| String::from_utf8_lossy(&raw).into_owned().into())
        }));
    }
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_fold_as_openclaw_folds_them() {
        let cases = [
            ("main", "agent:work:main"),
            ("Agent:Main:Telegram:GROUP:1", "agent:main:telegram:group:1"),
            ("telegram:group:1", "agent:work:telegram:group:1"),
            ("global", "global"),
        ];
        for (key, expected) in cases {
            assert_eq!(canonical(key, "work", "main"), expected);
        }
        assert_eq!(canonical("agent:a:main", "a", "home"), "agent:a:home");
    }
}
