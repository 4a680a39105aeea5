//! Bytes of a source with enough before and behind a place to tell what stands there, whatever the windows.

use std::io;
use std::ops::Range;

use super::super::source::{Source, read_range};
use super::boundary::{AHEAD, BACK};

/// A view holds so many bytes at least, unless the range ends: what is needed around a place, and some more.
const LEAST: usize = BACK + 2 * AHEAD;
/// So many are put together where windows are too small.
const STITCHED: u64 = 4 * LEAST as u64;

/// Looks at a range of a source from front to end.
#[derive(Default)]
pub(super) struct Viewer {
    stitched: Vec<u8>,
}

/// Some bytes of the range.
pub(super) struct View<'a> {
    /// The bytes, from up to [`BACK`] before the place on.
    pub bytes: &'a [u8],
    /// Offset of the first.
    pub base: u64,
    /// Up to here places can be told; the rest comes with the next view.
    pub limit: usize,
}

impl Viewer {
    /// What stands at `at`, and around it, in `range`.
    pub(super) fn view<'a>(
        &'a mut self,
        source: &'a mut dyn Source,
        range: &Range<u64>,
        at: u64,
    ) -> io::Result<View<'a>> {
        let base = range.start.max(at.saturating_sub(BACK as u64));
        let left = range.end - base;
        let least = usize::try_from(left).unwrap_or(usize::MAX).min(LEAST);
        let bytes = if source.window(base)?.len() >= least {
            source.window(base)?
        } else {
            self.stitched = read_range(source, base..base + left.min(STITCHED))?;
            &self.stitched
        };
        let take = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
        let limit = if take as u64 == left { take } else { take - AHEAD };
        Ok(View { bytes: &bytes[..take], base, limit })
    }
}
