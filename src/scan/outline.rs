//! Where the members of one object stand, by a second look at it.

use std::io;
use std::ops::Range;

use super::automaton::{Captured, Kind, Visitor};
use super::drive::drive;
use super::source::Source;
use super::text;

/// An object with more members than this is not taken apart.
const MAX_MEMBERS: usize = 1 << 16;

/// The members of an object, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outline {
    /// From key to value.
    pub spans: Vec<Range<u64>>,
    /// Whether the name of the member at the same place is one that was asked for.
    pub named: Vec<bool>,
}

/// Outlines the object at `object`; `None` where it has too many members to bother.
pub fn outline(source: &mut dyn Source, object: Range<u64>, names: &[&str]) -> io::Result<Option<Outline>> {
    let mut tracer = Tracer { names, start: 0, hit: false, outline: Outline::default(), too_many: false };
    drive(source, object, 1, &mut tracer)?;
    Ok((!tracer.too_many).then_some(tracer.outline))
}

struct Tracer<'a> {
    names: &'a [&'a str],
    start: u64,
    hit: bool,
    outline: Outline,
    too_many: bool,
}

impl Visitor for Tracer<'_> {
    fn key(&mut self, _depth: u64, start: u64, key: Captured<'_>) {
        let name = text::decode(key.raw);
        self.start = start;
        self.hit = !key.cut && self.names.iter().any(|wanted| wanted.as_bytes() == &*name);
    }

    fn value(&mut self, _depth: u64, _start: u64, _kind: Kind) -> bool {
        false
    }

    fn value_end(&mut self, _depth: u64, end: u64, _text: Option<Captured<'_>>) {
        self.too_many |= self.outline.spans.len() == MAX_MEMBERS;
        if !self.too_many {
            self.outline.spans.push(self.start..end);
            self.outline.named.push(self.hit);
        }
    }
}
