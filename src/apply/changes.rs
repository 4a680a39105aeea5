//! `changes.ndjson`: one [`ChangeRecord`] a line, written as a stream, read as one.

use std::io::{BufRead, BufReader};
use std::path::Path;

use super::disk::{Disk, DiskError, DiskFile, DiskResult};
use super::runs;
use crate::model::plan::ChangeRecord;

/// The file in the directory of a run.
pub const FILE: &str = "changes.ndjson";

/// Bytes gathered before they are written.
const BUFFER: usize = 64 << 10;

/// A log that is being written.
pub struct ChangeLog {
    file: Box<dyn DiskFile>,
    buffer: Vec<u8>,
    lines: u64,
}

impl ChangeLog {
    /// An empty one in the directory of a run.
    pub(super) fn create(disk: &dyn Disk, run_dir: &Path) -> DiskResult<Self> {
        let file = runs::create_private(disk, &run_dir.join(FILE))?;
        Ok(ChangeLog { file, buffer: Vec::with_capacity(BUFFER), lines: 0 })
    }

    /// Adds a line.
    pub fn push(&mut self, change: &ChangeRecord) -> DiskResult<()> {
        serde_json::to_writer(&mut self.buffer, change)
            .map_err(|error| DiskError::new("write", Path::new(FILE), error.into()))?;
        self.buffer.push(b'\n');
        self.lines += 1;
        if self.buffer.len() >= BUFFER { self.flush() } else { Ok(()) }
    }

    /// Lines so far.
    pub fn lines(&self) -> u64 {
        self.lines
    }

    fn flush(&mut self) -> DiskResult<()> {
        if !self.buffer.is_empty() {
            self.file.write_all(&self.buffer)?;
            self.buffer.clear();
        }
        Ok(())
    }

    /// Writes what is left and makes it durable.
    pub(super) fn finish(mut self) -> DiskResult<()> {
        self.flush()?;
        self.file.sync()
    }
}

/// The changes of a run, one at a time.
pub fn read(run_dir: &Path) -> DiskResult<impl Iterator<Item = DiskResult<ChangeRecord>>> {
    let path = run_dir.join(FILE);
    let file =
        crate::host::files::open_regular(&path).map_err(|cause| DiskError::new("open", &path, cause))?;
    Ok(BufReader::new(file).split(b'\n').map(move |line| {
        let told = |cause| DiskError::new("read", &path, cause);
        let line = line.map_err(told)?;
        serde_json::from_slice(&line).map_err(|error| told(error.into()))
    }))
}
