//! When the files of sessions that nothing mentions showed life last, and whether they are what their names say.

use std::fs::File as Open;
use std::io;
use std::ops::Range;
use std::os::unix::fs::{FileExt, MetadataExt};

use super::shelf::{File, Shelf};
use crate::apply::Identity;
use crate::host::files;
use crate::model::Millis;
use crate::model::entry::hash_folded;
use crate::model::evidence::Registry;
use crate::model::key::fold_run_key;
use crate::openclaw::layout::{Role, is_generated_id, of_session};
use crate::openclaw::trajectory::TrajectoryReader;
use crate::openclaw::transcript::{HeadReader, TAIL_BYTES, TailReader};

/// How much of the beginning of a trajectory tells its key.
const KEY_BYTES: u64 = 64 << 10;

/// What judges the age of files.
#[derive(Clone, Copy)]
pub struct Clock {
    /// Now.
    pub now: Millis,
    /// Whether that is the real time: only then times of files may condemn.
    pub real: bool,
}

/// What was seen of one file.
#[derive(Clone, Copy, Debug)]
pub struct Seen {
    /// Which file it is.
    pub identity: Identity,
    /// The time of its last complete line.
    pub line: Option<Millis>,
    /// More than one name.
    pub linked: bool,
    /// Not what its name says.
    pub foreign: bool,
    /// Its run had a key that the registry knows.
    pub resumable: bool,
}

/// Looks at many files with the same buffers.
pub struct Looker<'a> {
    registry: &'a Registry,
    buffer: Vec<u8>,
    tails: TailReader,
    heads: HeadReader,
    trajectories: TrajectoryReader,
}

impl<'a> Looker<'a> {
    /// `registry`: the keys of sub-agents.
    pub fn new(registry: &'a Registry) -> Self {
        Looker {
            registry,
            buffer: Vec::new(),
            tails: TailReader::default(),
            heads: HeadReader::default(),
            trajectories: TrajectoryReader::default(),
        }
    }

    /// Looks at one file.
    pub fn look(&mut self, shelf: &Shelf, file: &File) -> io::Result<Seen> {
        let name = shelf.name(file);
        let open = files::open_itself(&shelf.path(file))?;
        let metadata = open.metadata()?;
        let size = metadata.len();
        let start = size.saturating_sub(TAIL_BYTES as u64);
        self.read(&open, start..size)?;
        let is_text = file.role != Role::TrajectoryPointer;
        let line = is_text.then(|| self.tails.last_timestamp(&self.buffer, start == 0)).flatten();
        if start > 0 {
            self.read(&open, 0..KEY_BYTES)?;
        }
        let session = of_session(name, "").map(|of| of.session).unwrap_or_default();
        Ok(Seen {
            identity: Identity::of(&metadata),
            line,
            linked: metadata.nlink() > 1,
            // A name that OpenClaw made up is nobody else's.
            foreign: !is_generated_id(&session) && !self.is_own(file.role),
            resumable: file.role == Role::Trajectory && self.is_registered(&session),
        })
    }

    /// Fills the buffer with a part of the file, as much as is there of it.
    fn read(&mut self, file: &Open, part: Range<u64>) -> io::Result<()> {
        self.buffer.resize(usize::try_from(part.end - part.start).map_err(io::Error::other)?, 0);
        let mut filled = 0;
        while filled < self.buffer.len() {
            match file.read_at(&mut self.buffer[filled..], part.start + filled as u64) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.buffer.truncate(filled);
        Ok(())
    }

    /// Whether the head of a file is that of such a file.
    fn is_own(&mut self, role: Role) -> bool {
        match role {
            Role::Transcript | Role::Checkpoint => self.heads.read(&self.buffer).session.is_some(),
            _ => memchr::memmem::find(&self.buffer, b"\"traceSchema\"").is_some(),
        }
    }

    fn is_registered(&mut self, session: &str) -> bool {
        if self.registry.rows.is_empty() {
            return false;
        }
        let keys = self.trajectories.keys(&self.buffer, session);
        keys.iter().any(|key| {
            let known = |key: &str| self.registry.rows.contains_key(&hash_folded(key));
            known(key) || known(fold_run_key(key))
        })
    }
}

impl Seen {
    /// Adds what was seen to what is known of the session.
    pub fn add_to(&self, shelf: &mut Shelf, file: &File, clock: Clock) {
        let files = &mut shelf.groups[file.group as usize];
        files.odd |= self.linked;
        files.foreign |= self.foreign;
        files.resumable |= self.resumable;
        let modified = i64::try_from(self.identity.mtime / 1_000_000).ok().filter(|&at| at <= clock.now);
        match (self.line, modified) {
            (Some(line), _) => files.proven = files.proven.max(Some(line)),
            (None, Some(modified)) if clock.real => files.proven = files.proven.max(Some(modified)),
            (None, Some(modified)) => files.last = files.last.max(modified),
            (None, None) => {}
        }
    }
}
