//! How a store is set: the white space between its entries.

use std::io;
use std::ops::Range;

use super::super::source::{Source, read_range};
use super::boundary::{Search, is_blank};
use super::view::Viewer;

/// As OpenClaw writes it.
const OPENCLAW: &str = "\n  ";
/// How much is read to see how the first key is set.
const HEAD: u64 = 256;
/// So many keys show how the others are set.
const ENOUGH: usize = 1000;

/// White space of a store, for a new one of the same style.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Style {
    /// Between the opening brace and the first key.
    pub first: String,
    /// Between a comma and the next key.
    pub between: String,
    /// Before the closing brace.
    pub last: String,
}

impl Style {
    /// As far as the front of the store, and else its keys, tell. Without any sign it is that of OpenClaw.
    pub(super) fn of(source: &mut dyn Source, range: Range<u64>) -> io::Result<Style> {
        let head = before_first_key(source, &range)?;
        // `{"a": 1, "b": 2}`: what stands before the first key says little about the others.
        let known = head.as_ref().is_some_and(|head| head.contains('\n'));
        let between = if known { head.clone() } else { most_common(source, &range)?.or(head.clone()) };
        let between = between.unwrap_or_else(|| OPENCLAW.to_owned());
        let first = head.unwrap_or_else(|| between.clone());
        let last = match first.rfind('\n') {
            Some(at) => first[..=at].to_owned(),
            None => first.clone(),
        };
        Ok(Style { first, between, last })
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
        blanks == OPENCLAW.as_bytes() || self.has_lines() && blanks == self.between.as_bytes()
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

/// The white space before most keys; where lines are indented differently, it is the least of those that
/// are common, for what lies deeper belongs to an entry.
fn most_common(source: &mut dyn Source, range: &Range<u64>) -> io::Result<Option<String>> {
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
    let common = counts.into_iter().filter(|(_, count)| count * 4 >= most);
    let least = common.min_by_key(|(blanks, _)| (!blanks.contains(&b'\n'), blanks.len()));
    Ok(least.map(|(blanks, _)| String::from_utf8_lossy(&blanks).into_owned()))
}

/// So many kinds of white space are told apart.
const BACK_KINDS: usize = 16;
