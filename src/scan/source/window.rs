//! One window of a file, mapped.

use std::fs::File;

use memmap2::{Mmap, MmapOptions};

use super::sigbus::{LONGEST, Watch};

/// A part of a file that can be looked at without copying it.
///
/// Its bytes are whatever the file holds when they are looked at, and zeros where it holds nothing any more:
/// see [`Window::is_torn`].
pub(super) struct Window {
    // Dropped in this order: a watch must not outlive its map.
    watch: Watch,
    map: Mmap,
    start: u64,
}

impl Window {
    /// Maps `len` bytes from `start` on, which must be the start of a page. `None` where mapping is refused,
    /// or where the window could not be watched; reading is then the way.
    pub fn open(file: &File, start: u64, len: usize) -> Option<Self> {
        debug_assert!(len <= LONGEST, "such a window is never watched");
        // SAFETY: The map is read-only and private to this value. Others may change the file underneath; the
        // bytes are then other bytes, which every reader takes for what they are: untrusted input without
        // any invariant. For the same reason nobody relies on them when the watch puts zeros in their place.
        #[allow(unsafe_code)]
        unsafe {
            let map = MmapOptions::new().offset(start).len(len).map(file).ok()?;
            Some(Window { watch: Watch::over(&map)?, map, start })
        }
    }

    /// Where in the file it begins.
    pub fn start(&self) -> u64 {
        self.start
    }

    /// What it holds.
    pub fn bytes(&self) -> &[u8] {
        &self.map
    }

    /// Whether some of what was read from it may have been zeros in the place of the file's bytes.
    pub fn is_torn(&self) -> bool {
        self.watch.is_torn()
    }
}
