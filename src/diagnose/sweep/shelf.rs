//! What lies in the sessions directories: files that belong to sessions, by session, and copies of stores.
//!
//! A directory may hold a hundred thousand files, so names stand in one text and a file takes a few bytes.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::model::entry::hash;
use crate::model::leftover::SessionFiles;
use crate::model::texts::TextMap;
use crate::openclaw::layout::{self, FileKind, Role, classify, of_session};
use crate::scan::mentions::Wanted;

/// A sessions directory.
#[derive(Clone, Debug)]
pub struct Dir {
    /// Where it lies.
    pub path: PathBuf,
    /// Its store, by the place in the diagnosis.
    pub store: usize,
    /// Whether files in it are acted on.
    pub acted: bool,
}

/// A file that belongs to a session.
#[derive(Clone, Copy, Debug)]
pub struct File {
    /// Its directory.
    pub dir: u16,
    /// Its session.
    pub group: u32,
    /// What it is to the session.
    pub role: Role,
    name: (u32, u8),
}

/// A rotation or a temporary file of a store.
#[derive(Clone, Debug)]
pub struct CopyFile {
    /// Its directory.
    pub dir: u16,
    /// Its name.
    pub name: String,
    /// When it was rotated, by its name; `None` for a temporary file.
    pub rotated: Option<i64>,
    /// Whether it is no regular file.
    pub odd: bool,
}

/// All of it.
#[derive(Debug, Default)]
pub struct Shelf {
    /// The directories.
    pub dirs: Vec<Dir>,
    /// Files of sessions.
    pub files: Vec<File>,
    /// The sessions, in the order in which they were met.
    pub groups: Vec<SessionFiles>,
    /// Copies of stores.
    pub copies: Vec<CopyFile>,
    names: String,
    /// Sessions by the hash of the id in lower case, with their group.
    ids: TextMap<u32>,
    /// Number of the first text of each session in `wanted`.
    firsts: Vec<u32>,
    /// What mentions a session.
    wanted: Wanted,
}

impl Shelf {
    /// Lists one more directory.
    pub fn list(&mut self, dir: Dir, store_name: &str) -> io::Result<()> {
        let number = u16::try_from(self.dirs.len()).map_err(io::Error::other)?;
        let (listed, acted) = (fs::read_dir(&dir.path)?, dir.acted);
        self.dirs.push(dir);
        for entry in listed {
            let entry = entry?;
            // OpenClaw gives names in ASCII; what is no text was not written by it.
            let Ok(name) = entry.file_name().into_string() else { continue };
            let is_odd = || entry.file_type().map_or(true, |kind| !kind.is_file());
            if let Some(of) = of_session(&name, store_name) {
                let group = self.group(&of);
                let files = &mut self.groups[group as usize];
                match of.role {
                    Role::Lock => files.locked = true,
                    Role::Archive => files.archived = true,
                    role => {
                        files.odd |= is_odd();
                        files.elsewhere |= !acted;
                        files.transcript |= role == Role::Transcript;
                        self.add_file(number, group, role, &name);
                    }
                }
                continue;
            }
            let rotated = match classify(&name, store_name) {
                FileKind::Rotation { at_ms } => Some(at_ms),
                FileKind::StoreTemp => None,
                _ => continue,
            };
            self.copies.push(CopyFile { dir: number, odd: is_odd(), name, rotated });
        }
        Ok(())
    }

    fn add_file(&mut self, dir: u16, group: u32, role: Role, name: &str) {
        let (Ok(start), Ok(len)) = (u32::try_from(self.names.len()), u8::try_from(name.len())) else {
            // Not remembered, so it stays.
            self.groups[group as usize].odd = true;
            return;
        };
        self.names.push_str(name);
        self.files.push(File { dir, group, role, name: (start, len) });
    }

    /// The group of a session, in whatever case it is spelled. Two sessions whose hashes meet share one: what mentions
    /// either then keeps both.
    fn group(&mut self, of: &layout::OfSession) -> u32 {
        let folded = of.session.to_ascii_lowercase();
        let next = self.groups.len() as u32;
        let group = *self.ids.entry(hash(folded.as_bytes())).or_insert(next);
        if group == next {
            self.groups.push(SessionFiles::default());
            self.firsts.push(self.wanted.len() as u32);
            self.wanted.add(&folded, group);
        } else if !self.wanted.is(self.firsts[group as usize], &folded) {
            self.wanted.add(&folded, group);
        }
        if let Some(checkpoint) = &of.checkpoint {
            self.wanted.add(checkpoint, group);
        }
        group
    }

    /// What mentions a session, by group. What is listed later is not among it.
    pub fn take_wanted(&mut self) -> Wanted {
        (self.ids, self.firsts) = (TextMap::default(), Vec::new());
        std::mem::take(&mut self.wanted)
    }

    /// The name of a file.
    pub fn name(&self, file: &File) -> &str {
        let (start, len) = (file.name.0 as usize, usize::from(file.name.1));
        &self.names[start..start + len]
    }

    /// Where a file lies.
    pub fn path(&self, file: &File) -> PathBuf {
        self.dirs[usize::from(file.dir)].path.join(self.name(file))
    }

    /// The directory with this number.
    pub fn dir(&self, number: u16) -> &Path {
        &self.dirs[usize::from(number)].path
    }
}
