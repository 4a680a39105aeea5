//! How far the entries of a run can be trusted: by where it began, and how it ended.

use super::gather::{is_full, is_named, is_shaped};
use crate::model::entry::{Entry, Flags};

/// Where a run began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// At the begin of the text.
    Text,
    /// At the key of an entry on a line of its own: no valid string holds that.
    Line,
    /// At something that looks like the key of an entry.
    Guess {
        /// How deep it lay in what could still be read there: 2, if that was another entry.
        depth: u64,
    },
    /// At an object behind the first, or behind something that should not be there.
    Document,
    /// At any key on a line of its own, within what is lost otherwise.
    AnyLine,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// With the closing brace of the root.
    Clean,
    /// With the end of the file.
    Cut,
    /// Just before an entry that is known by its line.
    Joined,
    /// With something that the grammar refuses, or a new entry where none was due.
    Broken,
    /// With a brace too many: an entry may have lost its front, or may lie within another one.
    Surplus,
}

/// What may be held of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trust {
    /// It is one.
    Certain,
    /// It is one if it has all that entries have, and may be one if it looks like one.
    Full,
    /// It may be one.
    Likely,
    /// It may be one if it looks like one.
    Shaped,
    /// It may be one if it has all that entries have: others are known to lie inside of entries.
    Deep,
    /// It is none.
    None,
}

impl Trust {
    /// What may be held of one entry of a run.
    pub(super) fn of(self, entry: &Entry) -> Trust {
        let (named, shaped) = (is_named(entry), is_shaped(entry));
        match self {
            Trust::Full if is_full(entry) => Trust::Certain,
            Trust::Deep if is_full(entry) => Trust::Likely,
            Trust::Likely if named || shaped => Trust::Likely,
            Trust::Shaped | Trust::Full if shaped => Trust::Likely,
            Trust::Likely | Trust::Shaped | Trust::Full | Trust::Deep => Trust::None,
            other => other,
        }
    }
}

/// A run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Run {
    pub origin: Origin,
    pub start: u64,
    /// Number of the first entry behind the last place that was known by its text.
    pub segment: usize,
    /// Whether it could be text inside of a string.
    pub in_text: bool,
    /// Whether there are other reasons to doubt it.
    pub doubt: bool,
}

impl Run {
    pub(super) fn new(origin: Origin, start: u64, in_text: bool) -> Self {
        Run { origin, start, segment: 0, in_text, doubt: false }
    }

    /// What may be held of all its entries together.
    pub(super) fn trust(&self, end: End, first: Option<&Entry>) -> Trust {
        let broken = matches!(end, End::Broken | End::Surplus);
        let doubt = match self.origin {
            Origin::Text => false,
            Origin::Line => self.in_text && broken,
            Origin::Guess { .. } if end == End::Joined => true,
            Origin::Guess { depth: 3.. } if self.doubt => return Trust::Deep,
            Origin::Guess { .. } if end == End::Clean && !self.doubt => {
                return if first.is_some_and(is_full) { Trust::Certain } else { Trust::Full };
            }
            // It ended where the object ended that the outer one holds.
            Origin::Guess { depth } if end == End::Surplus && (self.doubt || depth > 2) => {
                return Trust::None;
            }
            Origin::Guess { depth: 0 } if end != End::Surplus && !self.in_text && !self.doubt => {
                return Trust::Full;
            }
            Origin::Guess { depth: 3.. } => return Trust::Deep,
            Origin::Guess { .. } => true,
            Origin::Document if !first.is_some_and(is_named) => return Trust::Shaped,
            // An object of an entry that lost its front ends so, too.
            Origin::Document => end == End::Surplus,
            Origin::AnyLine => return Trust::Shaped,
        };
        if doubt || self.doubt { Trust::Likely } else { Trust::Certain }
    }
}

impl End {
    /// What may be held of an entry behind which no other was known before the run ended so.
    pub(super) fn trust(self, entry: &Entry, last: bool) -> Trust {
        let object = !entry.is(Flags::NOT_OBJECT);
        let known = is_named(entry) || is_shaped(entry);
        match self {
            End::Clean | End::Joined => Trust::Certain,
            End::Surplus if known => Trust::Likely,
            End::Surplus => Trust::None,
            End::Cut | End::Broken if known => Trust::Certain,
            End::Broken if !object && last => Trust::None,
            End::Cut | End::Broken if object || entry.is(Flags::HAS_AGENT) => Trust::Likely,
            End::Cut | End::Broken => Trust::None,
        }
    }
}
