//! Where a store may be cut, so that several threads scan it at once.
//!
//! A cut lies before the key of an entry. A good one is a guess that hardly ever fails, never a promise: the
//! part before it has to end where the guess says that the part behind begins, or the guess is dropped
//! ([`super::parallel`]). What makes the guess good is that no string can hide what is looked for: a raw line
//! feed cannot stand in a string, and if the quote of `, "agent:` closed one, the text would end there.

use std::io;
use std::ops::Range;

use memchr::memmem::Finder;

use super::source::Source;

/// How far a place for a cut is searched; entries are smaller by far.
const SEARCHED: u64 = 8 << 20;

/// How much is read to see how the first key is set.
const HEAD: usize = 256;

/// Keys of nearly all entries begin so.
const KEY: &[u8] = b"\"agent:";

/// Offsets of keys that part `range` into about as many even parts as there are `threads`, in order; a part
/// should have `smallest` bytes at least.
pub(super) fn cuts(
    source: &mut dyn Source,
    range: Range<u64>,
    threads: usize,
    smallest: u64,
) -> io::Result<Vec<u64>> {
    let len = range.end - range.start;
    let parts = (len / smallest).min(threads as u64).max(1);
    let mut cuts = Vec::new();
    if parts == 1 {
        return Ok(cuts);
    }
    let line = before_first_key(source, range.start)?;
    let mut from = range.start;
    for part in 1..parts {
        let target = from.max(range.start + len / parts * part);
        let end = range.end.min(target + SEARCHED);
        let cut = match &line {
            Some(line) => on_line(source, target..end, line)?,
            None => at_key(source, target..end)?,
        };
        if let Some(cut) = cut {
            cuts.push(cut);
            from = cut + 1;
        }
    }
    Ok(cuts)
}

/// What stands between the opening brace and the first key, if there is a line feed in it.
fn before_first_key(source: &mut dyn Source, start: u64) -> io::Result<Option<Vec<u8>>> {
    let mut head = Vec::new();
    while head.len() < HEAD {
        let window = source.window(start + head.len() as u64)?;
        if window.is_empty() {
            break;
        }
        head.extend_from_slice(&window[..window.len().min(HEAD)]);
    }
    let Some(brace) = head.iter().position(|byte| !is_white(byte)) else { return Ok(None) };
    let blanks = head[brace + 1..].iter().take_while(|byte| is_white(byte)).count();
    let between = &head[brace + 1..brace + 1 + blanks];
    Ok((head[brace] == b'{' && between.contains(&b'\n')).then(|| between.to_vec()))
}

fn is_white(byte: &u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

/// The first key in `range` that stands behind a comma and as the first of all keys does.
fn on_line(source: &mut dyn Source, range: Range<u64>, line: &[u8]) -> io::Result<Option<u64>> {
    let wanted = [b",", line, b"\""].concat();
    let found = search(source, range, &wanted, 0, &mut |_| true)?;
    Ok(found.map(|at| at + wanted.len() as u64 - 1))
}

/// The first key in `range` that looks like that of an entry behind an entry.
fn at_key(source: &mut dyn Source, range: Range<u64>) -> io::Result<Option<u64>> {
    const BEFORE: usize = 16;
    search(source, range, KEY, BEFORE, &mut |before| {
        let mut tokens = before.iter().rev().filter(|byte| !is_white(byte));
        (tokens.next(), tokens.next()) == (Some(&b','), Some(&b'}'))
    })
}

/// The first place in `range` where `wanted` stands behind `before` bytes that `fits` says yes to.
fn search(
    source: &mut dyn Source,
    range: Range<u64>,
    wanted: &[u8],
    before: usize,
    fits: &mut dyn FnMut(&[u8]) -> bool,
) -> io::Result<Option<u64>> {
    let finder = Finder::new(wanted);
    let whole = before + wanted.len();
    // What the windows seen so far ended with, and where that stands.
    let mut carried: Vec<u8> = Vec::new();
    let mut at = range.start;
    while at < range.end {
        let window = source.window(at)?;
        let take = window.len().min(usize::try_from(range.end - at).unwrap_or(usize::MAX));
        if take == 0 {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof));
        }
        let start = at - carried.len() as u64;
        carried.extend_from_slice(&window[..take]);
        let found = finder
            .find_iter(&carried)
            .find(|&place| place >= before && fits(&carried[place - before..place]));
        if let Some(place) = found {
            return Ok(Some(start + place as u64));
        }
        at += take as u64;
        carried.drain(..carried.len().saturating_sub(whole - 1));
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::super::source::MemorySource;
    use super::*;

    fn store(entries: usize, line: &str, comma: &str) -> String {
        let entry =
            |at: usize| format!("\"agent:main:{at}\":{{\"x\":\"{}\",\"agent:y\":1}}", "z".repeat(5000));
        let entries: Vec<String> = (0..entries).map(entry).collect();
        format!("{{{line}{}{line}}}", entries.join(&format!("{comma}{line}")))
    }

    #[test]
    fn cuts_lie_before_keys_of_entries_however_the_store_is_set() {
        for (line, comma) in [("\n  ", ","), ("\r\n\t", ","), ("", ","), ("", ", "), (" ", " ,")] {
            let text = store(2000, line, comma);
            for window in [4096, 1 << 20, usize::MAX] {
                let mut source = MemorySource::new(text.as_bytes(), window);
                let cuts = cuts(&mut source, 0..text.len() as u64, 4, 1 << 20).unwrap();
                assert_eq!(cuts.len(), 3, "{line:?}");
                for (at, cut) in (1..).zip(cuts) {
                    assert!(text[cut as usize..].starts_with("\"agent:main:"), "{line:?}");
                    let ideal = text.len() / 4 * at;
                    assert!((ideal..ideal + 10_000).contains(&(cut as usize)), "{line:?}");
                }
            }
        }
    }

    #[test]
    fn what_is_small_or_no_store_is_not_cut() {
        let small = store(100, "\n  ", ",");
        let list = format!("[{}]", "[1, 2], ".repeat(1 << 20));
        for text in [&small, &list, &"\0".repeat(8 << 20)] {
            let mut source = MemorySource::new(text.as_bytes(), 1 << 20);
            assert!(cuts(&mut source, 0..text.len() as u64, 8, 2 << 20).unwrap().is_empty());
        }
    }
}
