//! The recovered store as a table of pieces, the record of what was added, and the check of the new file.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;

use super::super::keys::Keys;
use super::opened::Opened;
use super::rebuilt::Rebuilt;
use crate::model::entries::Entries;
use crate::model::entry::{Entry, hash};
use crate::model::plan::{ChangeRecord, PieceTable, SourceId};
use crate::model::style::Style;
use crate::plan::merge::Pick;
use crate::rules::store::Damaged;
use crate::scan::entries::Scan;
use crate::scan::source::{FileSource, Source, read_range};

/// Writes entries one after the other, in one style.
struct Writer<'a> {
    table: PieceTable,
    style: &'a Style,
    /// Where the entry before ended, so that neighbours of one file are copied with what stands between them.
    last: Option<(SourceId, u64)>,
    any: bool,
}

impl Writer<'_> {
    fn separate(&mut self) {
        let style = self.style;
        if self.any {
            self.table.literal(b",");
            self.table.literal(style.between.as_bytes());
        } else {
            self.table.literal(style.first.as_bytes());
        }
        self.any = true;
    }

    fn entry(&mut self, source: SourceId, file: &File, entry: &Entry) -> io::Result<()> {
        let joined = match self.last {
            Some((last, end)) if last == source && is_plain(file, end..entry.start(), self.style)? => {
                self.table.copy(source, end, entry.start());
                true
            }
            _ => false,
        };
        if !joined {
            self.separate();
        }
        self.table.copy(source, entry.start(), entry.end());
        self.last = Some((source, entry.end()));
        Ok(())
    }

    fn text(&mut self, text: &[u8]) {
        self.separate();
        self.table.literal(text);
        self.last = None;
    }
}

/// Whether nothing but a comma and the white space of the style stands there. One small read: entries may lie far
/// apart, and whether the file is still the same is asked once, at the end.
fn is_plain(file: &File, between: Range<u64>, style: &Style) -> io::Result<bool> {
    if between.start >= between.end || between.end - between.start != 1 + style.between.len() as u64 {
        return Ok(false);
    }
    let mut bytes = vec![0; 1 + style.between.len()];
    file.read_exact_at(&mut bytes, between.start)?;
    Ok(bytes.split_first() == Some((&b',', style.between.as_bytes())))
}

/// A store made of nothing but what was found.
pub fn anew(
    files: &mut [Opened],
    taken: &[Pick],
    rebuilt: &[Rebuilt],
    style: &Style,
) -> io::Result<PieceTable> {
    let mut writer = Writer { table: PieceTable::new(), style, last: None, any: false };
    writer.table.literal(b"{");
    fill(&mut writer, files, taken, rebuilt)?;
    if writer.any {
        writer.table.literal(style.last.as_bytes());
    }
    writer.table.literal(b"}");
    Ok(writer.table)
}

/// A sound store, file 0, with what was found behind its last entry. `object` runs from `{` to one past `}`.
pub fn added(
    files: &mut [Opened],
    object: Range<u64>,
    taken: &[Pick],
    rebuilt: &[Rebuilt],
    style: &Style,
) -> io::Result<PieceTable> {
    let last = files[0].entries.last().map(Entry::end);
    let bytes = files[0].source.len();
    let mut writer = Writer { table: PieceTable::new(), style, last: None, any: last.is_some() };
    writer.table.copy(0, 0, last.unwrap_or(object.start + 1));
    fill(&mut writer, files, taken, rebuilt)?;
    match last {
        Some(end) => writer.table.copy(0, end, bytes),
        None => {
            writer.table.literal(style.last.as_bytes());
            writer.table.copy(0, object.end - 1, bytes);
        }
    }
    Ok(writer.table)
}

fn fill(
    writer: &mut Writer<'_>,
    files: &mut [Opened],
    taken: &[Pick],
    rebuilt: &[Rebuilt],
) -> io::Result<()> {
    for pick in taken {
        let file = &mut files[usize::from(pick.source)];
        let entry = file.entries[pick.entry as usize];
        writer.entry(pick.source, file.source.file(), &entry)?;
    }
    for rebuilt in rebuilt {
        writer.text(&rebuilt.text(writer.style));
    }
    for file in files {
        file.source.unchanged()?;
        file.source.release()?;
    }
    Ok(())
}

/// How the entries of a sound file are set; as OpenClaw would set them where there is none.
pub fn style_of(source: &mut FileSource, entries: &Entries, object: Range<u64>) -> io::Result<Style> {
    let (Some(first), Some(end)) = (entries.first(), entries.last()) else { return Ok(Style::default()) };
    let white = |bytes: Vec<u8>| {
        bytes.into_iter().filter(u8::is_ascii_whitespace).map(char::from).collect::<String>()
    };
    let before = white(read_range(source, object.start + 1..first.start())?);
    let between = match entries.get(1) {
        Some(second) => white(read_range(source, first.end()..second.start())?),
        None => before.clone(),
    };
    let last = white(read_range(source, end.end()..object.end - 1)?);
    Ok(Style { first: before, between, last })
}

/// Tells what is added to a store, and what of it is set aside with the backup.
pub fn records(
    files: &[Opened],
    store: Option<SourceId>,
    taken: &[Pick],
    rebuilt: &[Rebuilt],
    sink: &mut dyn FnMut(&ChangeRecord) -> io::Result<()>,
) -> io::Result<()> {
    if let Some(own) = store.map(|store| &files[usize::from(store)]) {
        for damage in &own.damage {
            sink(&set_aside(damage))?;
        }
    }
    let mut keys: Vec<Keys> = files.iter().map(|_| Keys::default()).collect();
    let added = taken.iter().filter(|pick| store != Some(pick.source));
    for pick in added {
        let at = usize::from(pick.source);
        let (file, entry) = (&files[at], &files[at].entries[pick.entry as usize]);
        let raw = keys[at].raw(file.source.file(), entry.start())?;
        sink(&ChangeRecord {
            key: String::from_utf8_lossy(raw).into_owned(),
            family: entry.family().name().to_owned(),
            source: Some(file.copy.path.display().to_string()),
            start: entry.start(),
            end: entry.end(),
            ..blank("recover")
        })?;
    }
    for rebuilt in rebuilt {
        sink(&ChangeRecord {
            key: rebuilt.raw_key(),
            family: rebuilt.family().name().to_owned(),
            source: Some(rebuilt.transcript.display().to_string()),
            ..blank("recover")
        })?;
    }
    files.iter().try_for_each(|file| file.source.unchanged())
}

fn blank(action: &str) -> ChangeRecord {
    ChangeRecord {
        key: String::new(),
        action: action.to_owned(),
        rule: crate::rules::store::RECOVERED.id.to_owned(),
        family: String::new(),
        source: None,
        before: None,
        after: None,
        start: 0,
        end: 0,
        edits: Vec::new(),
    }
}

/// Bytes of the damaged store that no entry is made of: they lie in the backup.
fn set_aside(damage: &Damaged) -> ChangeRecord {
    ChangeRecord {
        rule: damage.rule.id.to_owned(),
        start: damage.start,
        end: damage.end,
        ..blank("set-aside")
    }
}

/// Whether the entries of a rescan are those that were to be written, in order, and as they were read.
pub fn verify(
    expected: &mut dyn Iterator<Item = &Entry>,
    rebuilt: &[Rebuilt],
    rescan: &Scan,
) -> Result<(), String> {
    if let Some(fault) = &rescan.outcome.fault {
        return Err(format!("the recovered store is not JSON at byte {}: {fault}", fault.offset));
    }
    let mut written = rescan.entries.iter();
    for old in expected {
        let Some(new) = written.next() else { return Err("the recovered store lacks entries".to_owned()) };
        if (old.key, old.session, old.updated_at, old.bytes())
            != (new.key, new.session, new.updated_at, new.bytes())
        {
            return Err(format!("another entry stands at byte {} of the recovered store", new.start()));
        }
    }
    for rebuilt in rebuilt {
        if written.next().is_none_or(|new| new.key != hash(rebuilt.key.as_bytes())) {
            return Err(format!("the recovered store lacks {}", rebuilt.key));
        }
    }
    match written.next() {
        Some(extra) => Err(format!("the recovered store holds an entry too many at byte {}", extra.start())),
        None => Ok(()),
    }
}
