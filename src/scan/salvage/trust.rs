//! How far the entries of a run can be trusted: by where it began, and how it ended.

use super::gather::{is_named, is_shaped};
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
    /// It may be one.
    Likely,
    /// It may be one if it looks like one.
    Shaped,
    /// It is none.
    None,
}

impl Trust {
    pub(super) fn of(self, named: bool, shaped: bool) -> Trust {
        match self {
            Trust::Likely if named || shaped => Trust::Likely,
            Trust::Shaped if shaped => Trust::Likely,
            Trust::Likely | Trust::Shaped => Trust::None,
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
            // It ended where the object ended that the outer one holds.
            Origin::Guess { depth: 3.. } if end == End::Surplus => return Trust::None,
            Origin::Guess { .. } => {
                end == End::Surplus || self.in_text && broken || !first.is_some_and(is_shaped)
            }
            Origin::Document if !first.is_some_and(is_named) => return Trust::Shaped,
            Origin::Document => false,
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
            End::Clean => Trust::Certain,
            End::Surplus if known => Trust::Likely,
            End::Surplus => Trust::None,
            End::Cut | End::Broken if known => Trust::Certain,
            End::Broken if !object && last => Trust::None,
            End::Cut | End::Broken if object || entry.is(Flags::HAS_AGENT) => Trust::Likely,
            End::Cut | End::Broken => Trust::None,
        }
    }
}
