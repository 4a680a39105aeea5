//! How a store is set: the white space between its entries.

use std::io;
use std::ops::Range;

use super::super::source::{Source, read_range};
use super::boundary::{Search, is_blank};
use super::view::Viewer;
use crate::model::style::Style;

/// As OpenClaw writes it.
const OPENCLAW: &str = "\n  ";
/// The same, and what an editor may have made of it.
const OPENCLAW_LINES: [&[u8]; 2] = [OPENCLAW.as_bytes(), b"\r\n  "];
/// How much is read to see how the first key is set.
const HEAD: u64 = 256;
/// So many keys show how the others are set.
const ENOUGH: usize = 200;

impl Style {
    /// As far as the front of the store, and else its keys, tell. Without any sign it is that of OpenClaw.
    /// The second value is whether that is more than a guess.
    pub(super) fn of(source: &mut dyn Source, range: Range<u64>) -> io::Result<(Style, bool)> {
        let head = before_first_key(source, &range)?;
        // `{"a": 1, "b": 2}`: what stands before the first key says little about the others; and in a store
        // that was cut at its front, the first key is one of many.
        let common = most_common(source, &range, head.as_deref())?;
        let between = common.or(head.clone()).unwrap_or_else(|| OPENCLAW.to_owned());
        let sure = head.as_ref() == Some(&between) || OPENCLAW_LINES.contains(&between.as_bytes());
        let first = head.unwrap_or_else(|| between.clone());
        let last = match first.rfind('\n') {
            Some(at) => first[..=at].to_owned(),
            None => first.clone(),
        };
        Ok((Style { first, between, last }, sure))
    }

    /// Whether entries stand on lines of their own.
    pub(super) fn has_lines(&self) -> bool {
        self.between.contains('\n')
    }

    /// White space of a line that lies deeper.
    pub(super) fn is_inner_line(&self, blanks: &[u8]) -> bool {
        self.has_lines() && blanks.contains(&b'\n') && blanks.len() > self.between.len()
    }

    /// The white space on lines of their own before keys of entries: nothing else can begin there.
    pub(super) fn is_line(&self, blanks: &[u8]) -> bool {
        // There may be empty lines before it.
        let ends = |line: &str| blanks.ends_with(line.as_bytes());
        ends(OPENCLAW) || self.has_lines() && ends(&self.between)
    }
}

/// What stands between the opening brace and the first key, where both are there.
fn before_first_key(source: &mut dyn Source, range: &Range<u64>) -> io::Result<Option<String>> {
    let head = read_range(source, range.start..range.end.min(range.start + HEAD))?;
    let Some(brace) = head.iter().position(|byte| !is_blank(*byte)) else { return Ok(None) };
    let behind = &head[brace + 1..];
    let Some(key) = behind.iter().position(|byte| !is_blank(*byte)) else { return Ok(None) };
    let is_store = head[brace] == b'{' && behind[key] == b'"';
    Ok(is_store.then(|| String::from_utf8_lossy(&behind[..key]).into_owned()))
}

/// The white space before most keys; where lines are indented differently, it is that of OpenClaw or the
/// least of those that are common, for what lies deeper belongs to an entry.
fn most_common(
    source: &mut dyn Source,
    range: &Range<u64>,
    head: Option<&str>,
) -> io::Result<Option<String>> {
    let mut counts: Vec<(Vec<u8>, usize)> = Vec::new();
    let (search, mut viewer) = (Search::new(), Viewer::default());
    let (mut at, mut seen) = (range.start, 0);
    while at < range.end && seen < ENOUGH {
        let view = viewer.view(source, range, at)?;
        let mut from = (at - view.base) as usize;
        while seen < ENOUGH
            && let Some(found) = search.next(view.bytes, from, view.limit)
        {
            let blanks = &view.bytes[found.at - found.blanks..found.at];
            match counts.iter().position(|(known, _)| known == blanks) {
                Some(known) => counts[known].1 += 1,
                None if counts.len() < BACK_KINDS => counts.push((blanks.to_vec(), 1)),
                None => {}
            }
            (from, seen) = (found.at + 1, seen + 1);
        }
        at = view.base + view.limit as u64;
        source.intact()?;
    }
    let most = counts.iter().map(|(_, count)| *count).max().unwrap_or(0);
    let is_known = |blanks: &[u8]| OPENCLAW_LINES.contains(&blanks);
    let head = head.filter(|head| head.contains('\n')).map(str::as_bytes);
    // A first key that is none of those says what they do not.
    let other_head = head.filter(|head| counts.iter().all(|(blanks, _)| blanks != head));
    let common = counts.into_iter().filter(|(blanks, count)| {
        let alone = is_known(blanks) || head == Some(blanks) || *count >= most.min(2);
        alone && count * 4 >= most
    });
    let least = common.min_by_key(|(blanks, count)| {
        let is_head = head == Some(blanks) && *count == most;
        (!is_head, !is_known(blanks), !blanks.contains(&b'\n'), blanks.len())
    });
    let shorter = |blanks: Vec<u8>| match other_head {
        Some(head) if !is_known(&blanks) && head.len() < blanks.len() => head.to_vec(),
        _ => blanks,
    };
    Ok(least.map(|(blanks, _)| String::from_utf8_lossy(&shorter(blanks)).into_owned()))
}

/// So many kinds of white space are told apart.
const BACK_KINDS: usize = 16;
