//! A second look into a gap, for entries whose keys OpenClaw's grammar does not know.
//!
//! Such a key says nothing by itself. On a line of its own, indented as those of entries are, with an object
//! behind it that looks like an entry, it is likely to be one.

use std::io;
use std::ops::Range;

use memchr::memmem::Finder;

use super::super::drive::Scanner;
use super::super::entries::KeyContext;
use super::super::source::Source;
use super::boundary::begins_object;
use super::chain::{Chain, Part};
use super::gap::What;
use super::trust::{End, Origin};
use super::view::Viewer;
use crate::model::entries::Entries;
use crate::model::style::Style;

/// Looks into gaps.
pub(super) struct Sweep<'a> {
    context: KeyContext<'a>,
    line: Option<Finder<'static>>,
    viewer: Viewer,
}

impl<'a> Sweep<'a> {
    pub(super) fn new(context: KeyContext<'a>, style: &Style) -> Self {
        let line = style.between.contains('\n').then(|| format!("{}\"", style.between));
        let line = line.map(|line| Finder::new(&line).into_owned());
        Sweep { context, line, viewer: Viewer::default() }
    }

    /// What may be entries in `range`.
    pub(super) fn look(&mut self, source: &mut dyn Source, range: Range<u64>) -> io::Result<Entries> {
        let Some(line) = &self.line else { return Ok(Entries::default()) };
        let mut chain = None;
        let mut at = range.start;
        while at < range.end {
            let view = self.viewer.view(source, &range, at)?;
            let mut from = (at - view.base) as usize;
            let mut part = Part { seen: view.bytes, base: view.base, from, to: from };
            let whole = view.bytes.len().min(view.limit + line.needle().len());
            while let Some(found) = line.find(&view.bytes[from..whole]) {
                let quote = from + found + line.needle().len() - 1;
                from = quote;
                if begins_object(view.bytes, quote) {
                    part.to = quote;
                    feed(&mut chain, part);
                    part.from = quote;
                    begin(&mut chain, self.context, view.base + quote as u64);
                }
            }
            part.to = view.limit.max(part.from);
            feed(&mut chain, part);
            at = view.base + part.to as u64;
            source.intact()?;
        }
        let Some(mut chain) = chain else { return Ok(Entries::default()) };
        if chain.is_running() {
            chain.settle(End::Cut);
        }
        Ok(chain.entries)
    }
}

fn feed(chain: &mut Option<Chain<'_>>, part: Part<'_>) {
    if let Some(chain) = chain
        && part.from < part.to
    {
        chain.push(Scanner::best(), part);
    }
}

fn begin<'a>(chain: &mut Option<Chain<'a>>, context: KeyContext<'a>, at: u64) {
    let chain = chain.get_or_insert_with(|| Chain::new(context, at));
    if chain.is_before_key() {
        return;
    }
    if chain.is_running() {
        chain.lose(What::EntryWithoutEnd);
    }
    chain.begin(Origin::AnyLine, at, 0, false);
}
