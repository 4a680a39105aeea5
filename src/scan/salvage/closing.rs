//! What the white space before the last brace of an entry says.
//!
//! Where a run broke, the entries of its last stretch may be too short or too long: one that lost a brace ends
//! with the brace of what it lies in, and one that got another one ends with that of what lies in it. Where
//! entries stand on lines, that brace is not indented as the key is.

use std::io;

use super::super::source::{Source, read_range};
use super::boundary::{BACK, blanks_before};
use super::style::Style;
use crate::model::entries::Entries;

/// The numbers of likely entries, after a look at those that are `unsure`; all in order.
pub(super) fn look(
    source: &mut dyn Source,
    style: &Style,
    entries: &Entries,
    likely: &[u32],
    unsure: &[u32],
) -> io::Result<Vec<u32>> {
    let mut result = Vec::with_capacity(likely.len());
    let mut rest = likely.iter().copied().peekable();
    for &at in unsure {
        while let Some(before) = rest.next_if(|&before| before < at) {
            result.push(before);
        }
        let was_likely = rest.next_if_eq(&at).is_some();
        let own = match entries.get(at as usize) {
            Some(entry) => has_own_brace(source, style, entry.start()..entry.end())?,
            None => None,
        };
        if own.map_or(was_likely, |own| !own) {
            result.push(at);
        }
    }
    result.extend(rest);
    Ok(result)
}

/// Whether the last brace is indented as the key is; nothing where it does not stand on a line of its own.
fn has_own_brace(
    source: &mut dyn Source,
    style: &Style,
    span: std::ops::Range<u64>,
) -> io::Result<Option<bool>> {
    let end = read_range(source, span.start.max(span.end.saturating_sub(BACK as u64))..span.end)?;
    let brace = end.len() - 1;
    let blanks = &end[brace - blanks_before(&end, brace)..brace];
    let on_line = end[brace] == b'}' && blanks.contains(&b'\n');
    Ok(on_line.then(|| style.is_line(blanks)))
}
