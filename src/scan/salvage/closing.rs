//! What the white space before an entry's key and before its last brace says.
//!
//! Where a store is damaged, an entry may be too short or too long and valid all the same: one that lost a brace
//! ends with the brace of what it lies in, one that got another one ends with that of what lies in it, and the
//! rest of its members may pass for entries. Where entries stand on lines, such a key or brace is not indented
//! as theirs are.

use std::io;

use super::super::source::{Source, read_range};
use super::boundary::{BACK, blanks_before};
use super::gather::is_full;
use crate::model::entries::Entries;
use crate::model::entry::Entry;
use crate::model::style::Style;

/// The numbers of likely entries of a damaged store, after a look at what stands around each; that alone speaks
/// for those that are `unsure`. All numbers are in order.
pub(super) fn look(
    source: &mut dyn Source,
    (style, sure): (&Style, bool),
    entries: &Entries,
    likely: Vec<u32>,
    unsure: &[u32],
) -> io::Result<Vec<u32>> {
    if !style.has_lines() {
        return Ok(likely);
    }
    let mut result = Vec::with_capacity(likely.len());
    let (mut likely, mut unsure) = (likely.into_iter().peekable(), unsure.iter().peekable());
    for (at, entry) in (0..).zip(entries.iter()) {
        let was_likely = likely.next_if_eq(&at).is_some();
        let unsure = unsure.next_if_eq(&&at).is_some();
        let is_likely = match stands_as_entries_do(source, style, entry)? {
            // Of lines that are only guessed to be those of entries, another sign is asked for.
            Some(true) => was_likely && !unsure || !sure && !is_full(entry),
            Some(false) => true,
            None => was_likely,
        };
        if is_likely {
            result.push(at);
        }
    }
    Ok(result)
}

/// Whether key and last brace are indented as those of entries are; nothing where the brace does not stand on a
/// line of its own.
fn stands_as_entries_do(source: &mut dyn Source, style: &Style, entry: &Entry) -> io::Result<Option<bool>> {
    let before = read_back(source, entry.start())?;
    let key = &before[before.len() - blanks_before(&before, before.len())..];
    if key.contains(&b'\n') && !style.is_line(key) {
        return Ok(Some(false));
    }
    let end = read_back(source, entry.end())?;
    let Some(brace) = end.len().checked_sub(1).filter(|&last| end[last] == b'}') else { return Ok(None) };
    let blanks = &end[brace - blanks_before(&end, brace)..brace];
    Ok(blanks.contains(&b'\n').then(|| style.is_line(blanks)))
}

fn read_back(source: &mut dyn Source, end: u64) -> io::Result<Vec<u8>> {
    read_range(source, end.saturating_sub(BACK as u64)..end)
}
