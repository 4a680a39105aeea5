//! A sessions directory: transcript locks, and when a transcript was last written to.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use crate::host::files;
use crate::model::Millis;
use crate::model::entry::{Entry, Flags, NameHash, TextHash, hash, hash_name};
use crate::model::evidence::Lock;
use crate::openclaw::layout::{self, FileKind};
use crate::openclaw::lock::{self, LockFile, Owner};
use crate::openclaw::transcript::{TAIL_BYTES, TailReader};
use crate::report::model::{EvidenceItem, EvidenceState};

/// What a sessions directory holds besides the store.
#[derive(Debug)]
pub struct SessionsDir {
    /// Where it lies.
    pub path: PathBuf,
    /// How the listing went.
    pub state: EvidenceState,
    /// Transcript locks, by session and by the transcript's name.
    locks: HashMap<TextHash, Lock>,
    /// The same, as entries remember the names of files.
    locks_of_files: HashMap<NameHash, Lock>,
    /// Transcripts that are not called `<session>.jsonl`, by session.
    named_otherwise: HashMap<TextHash, Vec<String>>,
    /// Sessions with a transcript of the usual name.
    plain: HashSet<TextHash>,
    /// Files called like a transcript.
    pub transcripts: u64,
    /// Rotations and temporary files of the store.
    pub leftovers: u64,
    /// Rotations among them.
    pub rotations: u64,
    /// A lock of the store whose owner is dead.
    pub stale_store_lock: Option<PathBuf>,
}

/// What judging a lock takes.
pub struct LockJudge<'a> {
    /// Whether a process lives, and since when.
    pub owner: Box<dyn Fn(u32) -> Owner + 'a>,
    /// Whether the gateway is established as stopped.
    pub gateway_stopped: bool,
}

impl LockJudge<'_> {
    /// Whether a lock names an owner that is dead, or a process that only has its number.
    fn is_orphaned(&self, path: &Path) -> bool {
        let Some(file) = files::read_regular(path).ok().and_then(|bytes| lock::parse(&bytes)) else {
            return false;
        };
        let Some(pid) = file.pid else { return false };
        match (self.owner)(pid) {
            Owner::Dead => true,
            Owner::Alive { start_time: Some(now) } => file.start_time.is_some_and(|then| then != now),
            Owner::Alive { start_time: None } | Owner::Unknown => false,
        }
    }

    /// A lock is dead only where the gateway is known to be stopped, and its owner does not live here.
    fn judge(&self, file: Option<&LockFile>) -> Lock {
        let lives = file.and_then(|file| file.pid.map(|pid| (file, (self.owner)(pid)))).is_some_and(
            |(file, owner)| match (owner, file.start_time) {
                (Owner::Alive { start_time: Some(now) }, Some(then)) => now == then,
                (Owner::Alive { .. } | Owner::Unknown, _) => true,
                (Owner::Dead, _) => false,
            },
        );
        if self.gateway_stopped && !lives { Lock::Dead } else { Lock::MayLive }
    }
}

impl SessionsDir {
    /// Lists a directory once; only what is out of the ordinary is remembered.
    pub fn list(dir: &Path, store_name: &str, judge: &LockJudge<'_>) -> Self {
        let mut listing = SessionsDir { state: EvidenceState::Read, ..SessionsDir::elsewhere(dir) };
        match fs::read_dir(dir) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => listing.state = EvidenceState::Missing,
            Err(_) => listing.state = EvidenceState::Unreadable,
            Ok(entries) => {
                for entry in entries {
                    match entry.map(|entry| entry.file_name()) {
                        Ok(name) => listing.add(&name.to_string_lossy(), store_name, judge),
                        Err(_) => listing.state = EvidenceState::Unreadable,
                    }
                }
            }
        }
        listing
    }

    /// For sessions whose transcripts are no files: that none lies anywhere says nothing of them.
    pub fn elsewhere(path: &Path) -> Self {
        SessionsDir {
            path: path.to_owned(),
            state: EvidenceState::Missing,
            locks: HashMap::new(),
            locks_of_files: HashMap::new(),
            named_otherwise: HashMap::new(),
            plain: HashSet::new(),
            transcripts: 0,
            leftovers: 0,
            rotations: 0,
            stale_store_lock: None,
        }
    }

    fn add(&mut self, name: &str, store_name: &str, judge: &LockJudge<'_>) {
        match layout::classify(name, store_name) {
            FileKind::Transcript { session_id } => {
                self.transcripts += 1;
                self.plain.insert(hash(session_id.as_bytes()));
            }
            FileKind::TopicTranscript { session_id, .. } | FileKind::ForkedTranscript { session_id } => {
                self.transcripts += 1;
                let names = self.named_otherwise.entry(hash(session_id.as_bytes())).or_default();
                names.push(name.to_owned());
            }
            FileKind::TranscriptLock { transcript } => self.add_lock(&transcript, store_name, judge),
            FileKind::StoreLock => {
                let path = self.path.join(name);
                if judge.is_orphaned(&path) {
                    self.stale_store_lock = Some(path);
                }
            }
            FileKind::StoreTemp => self.leftovers += 1,
            FileKind::Rotation { .. } => {
                self.leftovers += 1;
                self.rotations += 1;
            }
            _ => {}
        }
    }

    fn add_lock(&mut self, transcript: &str, store_name: &str, judge: &LockJudge<'_>) {
        let session = match layout::classify(transcript, store_name) {
            FileKind::TopicTranscript { session_id, .. }
            | FileKind::ForkedTranscript { session_id }
            | FileKind::Transcript { session_id } => session_id,
            _ => transcript.strip_suffix(".jsonl").unwrap_or(transcript).to_owned(),
        };
        let path = self.path.join(format!("{transcript}.lock"));
        let lock = match files::read_regular(&path) {
            Ok(bytes) => judge.judge(lock::parse(&bytes).as_ref()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return,
            // Whoever hides it may well be writing.
            Err(_) => Lock::MayLive,
        };
        for name in [session.as_bytes(), transcript.as_bytes()] {
            let known = self.locks.entry(hash(name)).or_insert(lock);
            let of_file = self.locks_of_files.entry(hash_name(name)).or_insert(lock);
            if lock == Lock::MayLive {
                (*known, *of_file) = (lock, lock);
            }
        }
    }

    /// The lock of a session, by its id or by the name of its transcript. A directory that could not be
    /// listed may hold any lock.
    pub fn lock(&self, session: TextHash, file: NameHash) -> Lock {
        if self.state == EvidenceState::Unreadable {
            return Lock::MayLive;
        }
        if self.locks.is_empty() {
            return Lock::None;
        }
        match (self.locks.get(&session).copied(), self.locks_of_files.get(&file).copied()) {
            (Some(Lock::MayLive), _) | (_, Some(Lock::MayLive)) => Lock::MayLive,
            (Some(lock), _) | (_, Some(lock)) => lock,
            (None, None) => Lock::None,
        }
    }

    /// Time of the last line of a session's transcripts, else of the file; `None` where there is none.
    /// A transcript that cannot be read may have been written to just now.
    pub fn last_line(
        &self,
        session_id: Option<&str>,
        session_file: Option<&str>,
        now: Millis,
        tails: &mut TailReader,
    ) -> Option<Millis> {
        let own = session_id.and_then(|id| layout::transcript_path(&self.path, id));
        // OpenClaw does not follow a path that leads elsewhere; what was written there protects all the same.
        let file_name = session_file.and_then(|path| path.rsplit(['/', '\\']).next());
        let here =
            file_name.filter(|name| !name.is_empty() && *name != "..").map(|name| self.path.join(name));
        let there = session_file.map(Path::new).filter(|path| path.is_absolute()).map(Path::to_owned);
        if there.as_ref().is_some_and(|path| !path.starts_with(&self.path) && is_locked(path)) {
            return Some(now);
        }
        let named = here.into_iter().chain(there);
        let others = session_id.and_then(|id| self.named_otherwise.get(&hash(id.as_bytes())));
        let others = others.into_iter().flatten().map(|name| self.path.join(name));
        own.into_iter().chain(named).chain(others).filter_map(|path| last_time(&path, now, tails)).max()
    }

    /// Whether an entry names a session that has no transcript here, and names no other file.
    pub fn lacks(&self, entry: &Entry) -> bool {
        entry.session != 0 && self.has_none(entry)
    }

    /// Whether there is no transcript that could say anything of an entry.
    pub fn has_none(&self, entry: &Entry) -> bool {
        self.state == EvidenceState::Read
            && !entry.is(Flags::SESSION_FILE)
            && !self.plain.contains(&entry.session)
            && !self.named_otherwise.contains_key(&entry.session)
    }

    /// How many sessions have a transcript of the usual name, and none of `sessions`.
    pub fn unclaimed(&self, sessions: impl Iterator<Item = TextHash>) -> u64 {
        let claimed: HashSet<TextHash> = sessions.filter(|session| self.plain.contains(session)).collect();
        (self.plain.len() - claimed.len()) as u64
    }

    /// For the report.
    pub fn evidence(&self) -> EvidenceItem {
        EvidenceItem { kind: "transcripts", path: self.path.display().to_string(), state: self.state }
    }
}

/// Whether somebody holds a transcript elsewhere, or it cannot be told.
fn is_locked(transcript: &Path) -> bool {
    let mut lock = transcript.as_os_str().to_owned();
    lock.push(".lock");
    !matches!(fs::symlink_metadata(lock), Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory))
}

fn last_time(path: &Path, now: Millis, tails: &mut TailReader) -> Option<Millis> {
    match read_tail(path) {
        Ok((tail, whole, modified)) => {
            tails.last_timestamp(&tail, whole).or(modified.filter(|&at| at <= now))
        }
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => None,
        Err(_) => Some(now),
    }
}

/// The end of a file, whether that is all of it, and its modification time.
fn read_tail(path: &Path) -> io::Result<(Vec<u8>, bool, Option<Millis>)> {
    let file = files::open_regular(path)?;
    let metadata = file.metadata()?;
    let start = metadata.len().saturating_sub(TAIL_BYTES as u64);
    let mut tail = vec![0; usize::try_from(metadata.len() - start).map_err(io::Error::other)?];
    let mut filled = 0;
    while filled < tail.len() {
        match file.read_at(&mut tail[filled..], start + filled as u64)? {
            0 => break,
            read => filled += read,
        }
    }
    tail.truncate(filled);
    let modified = metadata.modified().ok().and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok());
    let modified = modified.and_then(|since| Millis::try_from(since.as_millis()).ok());
    Ok((tail, start == 0, modified))
}
