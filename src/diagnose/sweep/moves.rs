//! Where leftovers go, and whether each still is what was looked at.

use std::path::Path;
use std::time::SystemTime;

use super::{Leftover, Sweep};
use crate::apply::{DiskError, Fingerprint, Identity};
use crate::model::leftover::Way;
use crate::openclaw::time::format_iso_ms;
use crate::plan::sweep::fate;
pub use crate::plan::sweep::{Fate, MOST_FILES};

/// A leftover, and what it holds.
pub type Printed<'a> = (&'a Leftover, Fingerprint);

impl Sweep {
    /// What each file holds; one that is no longer what was looked at is left out.
    pub fn prints<'a>(&self, leftovers: &[&'a Leftover]) -> Result<Vec<Printed<'a>>, DiskError> {
        let mut prints = Vec::new();
        for &leftover in leftovers {
            let path = self.path(leftover);
            if Identity::at(&path)? != Some(leftover.identity) {
                continue;
            }
            let print = Fingerprint::of_file(&path)?;
            if Identity::at(&path)? == Some(leftover.identity) {
                prints.extend(print.map(|print| (leftover, print)));
            }
        }
        Ok(prints)
    }

    /// What becomes of each, in a run that began at `started` and keeps its records in `run_dir`.
    pub fn fates(&self, way: Way, printed: &[Printed<'_>], run_dir: &Path, started: SystemTime) -> Vec<Fate> {
        let ms = started.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64);
        let stamp = |later: u32| format_iso_ms(ms + i64::from(later)).replace(':', "-");
        let taken = |path: &Path| path.symlink_metadata().is_ok();
        let of = |leftover: &Leftover| {
            fate(way, &self.path(leftover), leftover.is_transcript, run_dir, &stamp, &taken)
        };
        printed.iter().map(|(leftover, _)| of(leftover)).collect()
    }
}
