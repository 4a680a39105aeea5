//! Reads one store: scan, aliases, bindings.

use std::ops::Range;
use std::time::Duration;
use std::{io, thread};

use crate::apply::cancel::Cancel;
use crate::apply::fingerprint::{Fingerprint, Fingerprinter};
use crate::apply::identity::Identity;
use crate::host::files::open_regular;
use crate::model::entries::Entries;
use crate::model::entry::{Entry, Flags, TextHash, hash};
use crate::model::key::{Shape, split_agent};
use crate::model::slots::Slots;
use crate::model::store::StoreFile;
use crate::progress::{Progress, Task};
use crate::scan::entries::{KeyContext, Scan, scan_by};
use crate::scan::fields::BINDINGS;
use crate::scan::members;
use crate::scan::parallel::{Crew, Watch};
use crate::scan::source::{FileSource, Source, read_range};

/// How often a file that changes while it is read is read.
const TRIES: usize = 3;

/// So many odd spellings are looked for in one pass over the keys.
const ALIASES_AT_ONCE: usize = 1 << 16;

/// How long its writer is left alone in between: a change is often seen long before it is over.
const PAUSE: Duration = Duration::from_millis(100);

/// How to read.
pub struct ReadOptions<'a> {
    /// Whether the file may be mapped.
    pub map: bool,
    /// Who scans.
    pub crew: Crew,
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
    let watch = |range: Range<u64>| Reader {
        task: &task,
        cancel: options.cancel,
        print: options.fingerprint.then(|| Fingerprinter::part(range)),
    };
    let (mut scan, readers) = scan_by(options.crew, &mut source, &options.keys, &watch)?;
    let whole = scan.outcome.fault.is_none() && !scan.bom;
    let prints = readers.into_iter().map(|reader| reader.print).collect::<Option<Vec<_>>>();
    let fingerprint = match prints.filter(|_| whole) {
        Some(parts) => Some(fingerprint(&mut source, parts)?),
        None => None,
    };
    drop(task);
    mark_aliases(&mut source, &mut scan.entries, options)?;
    mark_bindings(&mut source, &mut scan.entries)?;
    source.release()?;
    if Identity::of(&source.file().metadata()?) != identity {
        return Ok(None);
    }
    let bytes = source.len();
    Ok(Some(Reading { source, scan, bytes, identity, fingerprint }))
}

/// Follows a part of the file while it is scanned.
struct Reader<'a> {
    task: &'a Task,
    cancel: &'a Cancel,
    print: Option<Fingerprinter>,
}

impl Watch for Reader<'_> {
    fn see(&mut self, at: u64, bytes: &[u8]) -> io::Result<()> {
        self.task.advance(bytes.len() as u64);
        if let Some(print) = &mut self.print {
            print.update_at(at, bytes);
        }
        self.cancel.see(at, bytes)
    }
}

/// Ends a long read when the user wants to stop.
impl Watch for &Cancel {
    fn see(&mut self, _at: u64, _bytes: &[u8]) -> io::Result<()> {
        match self.requested() {
            Some(_) => Err(io::Error::from(io::ErrorKind::Interrupted)),
            None => Ok(()),
        }
    }
}

/// Joins the parts of a fingerprint; the last chunk of each reaches into the part behind it.
fn fingerprint(source: &mut FileSource, mut parts: Vec<Fingerprinter>) -> io::Result<Fingerprint> {
    let len = source.len();
    for part in &mut parts {
        let missing = part.missing();
        let missing = missing.start..missing.end.min(len);
        part.update_at(missing.start, &read_range(source, missing)?);
    }
    Fingerprinter::merge(parts).ok_or_else(|| io::Error::other("a part of the file was not seen"))
}

/// Flags entries whose key OpenClaw folds into another one that the store holds.
pub(super) fn mark_aliases(
    source: &mut FileSource,
    entries: &mut Entries,
    options: &ReadOptions<'_>,
) -> io::Result<()> {
    let mut suspects = Vec::new();
    for at in 0..entries.len() {
        let entry = &entries[at];
        let Some(other) = other_spelling(source, entry, options)? else { continue };
        suspects.push((other, at));
        if suspects.len() == ALIASES_AT_ONCE {
            mark_if_held(entries, std::mem::take(&mut suspects));
        }
    }
    mark_if_held(entries, suspects);
    Ok(())
}

/// The hash of the key under which OpenClaw looks an entry up, where the entry's own is spelled otherwise.
pub(super) fn other_spelling(
    source: &mut FileSource,
    entry: &Entry,
    options: &ReadOptions<'_>,
) -> io::Result<Option<TextHash>> {
    let main_key = options.keys.main_key;
    let odd = entry.is(Flags::ODD_SPELLING) || main_key != "main" && entry.shape == Shape::Main;
    if !odd || entry.is(Flags::UNREAD) {
        return Ok(None);
    }
    let Ok(key) = String::from_utf8(members::key(source, entry.start())?) else { return Ok(None) };
    let canonical = canonical(&key, options.default_agent, main_key);
    Ok((canonical != key).then(|| hash(canonical.as_bytes())))
}

/// Flags those of the entries whose other spelling, given by its hash, is there as well.
fn mark_if_held(entries: &mut Entries, mut suspects: Vec<(TextHash, usize)>) {
    if suspects.is_empty() {
        return;
    }
    suspects.sort_unstable();
    let hashes: Vec<TextHash> = suspects.iter().map(|(hash, _)| *hash).collect();
    let mut held = vec![false; hashes.len()];
    for entry in entries.iter() {
        let at = hashes.partition_point(|&hash| hash < entry.key);
        if hashes.get(at) == Some(&entry.key) {
            held[at] = true;
        }
    }
    for (hash, at) in suspects {
        let is_held = held[hashes.partition_point(|&other| other < hash)];
        entries[at].flags.set(Flags::ALIAS, is_held);
    }
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
fn mark_bindings(source: &mut FileSource, entries: &mut Entries) -> io::Result<()> {
    let is_bound =
        |entry: &Entry| entry.shape == Shape::RunRecord && (entry.is(Flags::ACP) || entry.is(Flags::CLI));
    if !entries.iter().any(is_bound) {
        return Ok(());
    }
    let all = || entries.iter().enumerate().filter(|(_, entry)| entry.shape == Shape::CronBase);
    let mut bases = Slots::new(all().count(), entries.len());
    for (at, base) in all() {
        bases.put(base.kin, at, |other| entries[other].kin == base.kin);
    }
    // Of the base before: the next record usually has the same.
    let mut held = (None, Vec::new());
    for at in 0..entries.len() {
        let entry = entries[at];
        if !is_bound(&entry) {
            continue;
        }
        let base = bases.find(entry.kin, |base| entries[base].kin == entry.kin);
        if let Some(base) = base.filter(|_| held.0 != base) {
            held = (Some(base), bindings(source, &entries[base])?);
        }
        let own = bindings(source, &entry)?;
        let is_own = |(name, value): (usize, &Option<serde_json::Value>)| {
            value.is_some() && (base.is_none() || held.1[name] != *value)
        };
        entries[at].flags.set(Flags::OWN_BINDING, own.iter().enumerate().any(is_own));
    }
    Ok(())
}

/// The values of all binding members; text that serde_json refuses is compared as it stands.
fn bindings(source: &mut FileSource, entry: &Entry) -> io::Result<Vec<Option<serde_json::Value>>> {
    let value = members::value_span(source, entry)?;
    let found = members::find(source, value, &BINDINGS)?;
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
