//! Puts back what a run took out, into a store that may have moved on since.
//!
//! Absent keys come back in their place, changed values only where they still are what the run wrote, and
//! nothing written since is overwritten. The new store is pieces of the current one (source 0) and of the
//! backup (source 1).

use std::collections::HashMap;
use std::ops::Range;

use super::pieces::{Patch, copy_spliced};
use crate::model::entries::Entries;
use crate::model::entry::{Entry, Flags, TextHash};
use crate::model::plan::{PieceTable, SourceId};

/// The current store.
pub const CURRENT: SourceId = 0;
/// The backup of the run that is undone.
pub const BACKUP: SourceId = 1;

/// An entry that the run removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lost {
    /// Its place among the entries of the backup.
    pub at: usize,
    /// The nearest entry before it that the run kept.
    pub before: Option<TextHash>,
    /// The nearest entry behind it that the run kept.
    pub after: Option<TextHash>,
}

/// One entry of the new store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Item {
    /// Number so many of the current store.
    Current(usize),
    /// Number so many of the backup.
    Backup(usize),
}

/// The entries of the new store in order. What the current store holds again, or still, stays as it is.
pub fn arrange(current: &Entries, backup: &Entries, lost: &[Lost]) -> Vec<Item> {
    let places: HashMap<TextHash, usize> =
        current.iter().enumerate().map(|(at, entry)| (entry.key, at)).collect();
    // Behind how many entries of the current store each lost one goes.
    let mut behind: Vec<Vec<usize>> = vec![Vec::new(); current.len() + 1];
    let mut last = 0;
    for lost in lost.iter().filter(|lost| !places.contains_key(&backup[lost.at].key)) {
        let of = |key: Option<TextHash>| key.and_then(|key| places.get(&key).copied());
        let slot = match (of(lost.before), of(lost.after)) {
            (Some(before), _) => before + 1,
            (None, Some(after)) => after,
            (None, None) if lost.before.is_none() => 0,
            (None, None) if lost.after.is_none() => current.len(),
            // Both neighbours are gone: behind whatever was placed last, so that order survives.
            (None, None) => last,
        };
        behind[slot].push(lost.at);
        last = slot;
    }
    let mut items = Vec::with_capacity(current.len() + lost.len());
    for (slot, restored) in behind.iter().enumerate() {
        items.extend(restored.iter().map(|&at| Item::Backup(at)));
        if slot < current.len() {
            items.push(Item::Current(slot));
        }
    }
    items
}

/// A file and the entries in it.
#[derive(Clone, Debug)]
pub struct File<'a> {
    /// In file order.
    pub entries: &'a Entries,
    /// From `{` to one past `}`.
    pub root: Range<u64>,
    /// Size in bytes.
    pub bytes: u64,
}

/// The new store as pieces. `patches` lie in the current store, in order.
pub fn table(current: &File<'_>, backup: &File<'_>, items: &[Item], patches: &[Patch]) -> PieceTable {
    let mut table = PieceTable::new();
    // An empty object has no style of its own: the backup lends its frame.
    let (frame, frame_source) =
        if current.entries.is_empty() { (backup, BACKUP) } else { (current, CURRENT) };
    let (Some(first), Some(last)) = (frame.entries.first(), frame.entries.last()) else {
        table.copy(CURRENT, 0, current.bytes);
        return table;
    };
    table.copy(frame_source, 0, first.start());
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            separator(&mut table, current, backup, *item);
        }
        match *item {
            Item::Current(at) => {
                let entry = &current.entries[at];
                copy_spliced(&mut table, CURRENT, entry.start()..entry.end(), patches);
            }
            Item::Backup(at) => table.copy(BACKUP, backup.entries[at].start(), backup.entries[at].end()),
        }
    }
    table.copy(frame_source, last.end(), frame.bytes);
    table
}

/// What stands before an item that is not the first: its own separator, else any of the backup, else a comma.
fn separator(table: &mut PieceTable, current: &File<'_>, backup: &File<'_>, item: Item) {
    let own = match item {
        Item::Current(at) => gap(current.entries, at).map(|gap| (CURRENT, gap)),
        Item::Backup(at) => gap(backup.entries, at).map(|gap| (BACKUP, gap)),
    };
    let any = || {
        gap(backup.entries, 1)
            .map(|gap| (BACKUP, gap))
            .or_else(|| gap(current.entries, 1).map(|gap| (CURRENT, gap)))
    };
    match own.or_else(any) {
        Some((source, gap)) => table.copy(source, gap.start, gap.end),
        None => {
            table.literal(b",");
            if let Some(first) = backup.entries.first() {
                table.copy(BACKUP, backup.root.start + 1, first.start());
            }
        }
    }
}

/// The bytes between entry `at` and the one before it.
fn gap(entries: &Entries, at: usize) -> Option<Range<u64>> {
    let before = entries.get(at.checked_sub(1)?)?;
    Some(before.end()..entries.get(at)?.start())
}

/// Whether an entry of the backup is one that can come back: not one that a later copy overrode.
pub fn can_return(entry: &Entry) -> bool {
    !entry.is(Flags::OVERRIDDEN)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::entry::hash;
    use crate::model::plan::Piece;
    use crate::scan::entries::{KeyContext, Scan, scan};
    use crate::scan::source::MemorySource;

    fn read(text: &str) -> Scan {
        let context = KeyContext { main_key: "main", marks: &|_, _| Flags::NONE };
        scan(&mut MemorySource::new(text.as_bytes(), 64), &context, &mut |_| Ok(())).unwrap()
    }

    fn object(keys: &str) -> String {
        let members: Vec<String> = keys.chars().map(|key| format!("\n  \"{key}\": {{}}")).collect();
        if members.is_empty() { "{}".to_owned() } else { format!("{{{}\n}}", members.join(",")) }
    }

    /// Undoes the removal of everything in `backup` that is not in `kept` from `current`.
    fn undo(backup: &str, kept: &str, current: &str) -> String {
        let (old, new) = (object(backup), object(current));
        let (old_scan, new_scan) = (read(&old), read(&new));
        let key = |char: Option<char>| char.map(|char| hash(char.to_string().as_bytes()));
        let stays = |char: &char| kept.contains(*char);
        let lost: Vec<Lost> = backup
            .chars()
            .enumerate()
            .filter(|(_, char)| !stays(char))
            .map(|(at, _)| Lost {
                at,
                before: key(backup.chars().take(at).filter(stays).last()),
                after: key(backup.chars().skip(at + 1).find(stays)),
            })
            .collect();
        let items = arrange(&new_scan.entries, &old_scan.entries, &lost);
        let file = |scan: &'static Scan, text: &str| File {
            entries: &scan.entries,
            root: 0..text.len() as u64,
            bytes: text.len() as u64,
        };
        let (old_scan, new_scan) = (Box::leak(Box::new(old_scan)), Box::leak(Box::new(new_scan)));
        let table = table(&file(new_scan, &new), &file(old_scan, &old), &items, &[]);
        let parts = table.pieces().map(|piece| match piece {
            Piece::Copy { source: CURRENT, start, end } => new[start as usize..end as usize].to_owned(),
            Piece::Copy { start, end, .. } => old[start as usize..end as usize].to_owned(),
            Piece::Literal(bytes) => String::from_utf8(bytes.into_owned()).unwrap(),
        });
        parts.collect()
    }

    #[test]
    fn what_was_removed_comes_back_in_its_place() {
        let cases = [
            // backup, kept by the run, store now, store then
            ("abcd", "bd", "bd", "abcd"),
            ("abcd", "", "", "abcd"),
            ("abcd", "ad", "ad", "abcd"),
            ("abcd", "bd", "bdx", "abcdx"),
            ("abcd", "bd", "xbd", "xabcd"),
            ("abcd", "bd", "d", "acd"),
            ("abcd", "bd", "", "ac"),
            ("abcd", "bd", "x", "acx"),
            ("abcd", "bd", "bcd", "abcd"),
            ("abcd", "bd", "abcd", "abcd"),
            ("abcdef", "cf", "xyz", "abdexyz"),
        ];
        for (backup, kept, current, expected) in cases {
            let got = undo(backup, kept, current);
            let keys: String = got.chars().filter(char::is_ascii_alphabetic).collect();
            assert_eq!(got, object(&keys), "style of {backup} {kept} {current}");
            assert_eq!(keys, expected, "{backup} {kept} {current}");
        }
    }
}
