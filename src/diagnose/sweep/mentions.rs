//! Reads everything that may refer to a session, as bytes: whatever mentions an id, in whatever field, protects.
//!
//! What is there and cannot be read is said: then nothing may go, for it may mention anything.

use std::collections::BTreeSet;
use std::fs;
use std::io::{
    self,
    ErrorKind::{InvalidInput, IsADirectory, NotFound},
};
use std::path::{Path, PathBuf};

use crate::apply::RunState;
use crate::apply::runs::{self, Found};
use crate::diagnose::{Diagnosis, records};
use crate::evidence::database;
use crate::evidence::discover::Situation;
use crate::host::files;
use crate::openclaw::{layout, sqlite};
use crate::scan::mentions::{Search, Stream};
use crate::scan::source::{FileSource, Source};

/// A look through files, with what was found and what could not be read.
pub struct Reader<'a> {
    search: &'a Search,
    found: &'a mut [bool],
    /// Why something could not be read.
    pub unread: Vec<String>,
    map: bool,
}

impl<'a> Reader<'a> {
    /// `found` has a place for each owner of a text.
    pub fn new(search: &'a Search, found: &'a mut [bool], map: bool) -> Self {
        Reader { search, found, unread: Vec::new(), map }
    }

    /// Goes through bytes that are at hand.
    pub fn bytes(&mut self, bytes: &[u8]) {
        let mut stream = self.search.begin(self.found);
        stream.feed(bytes);
        stream.end();
    }

    /// Goes through a file; one that is gone by now mentions nothing.
    pub fn file(&mut self, path: &Path) {
        match FileSource::open(path, self.map).and_then(|mut source| self.source(&mut source)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound || path.is_symlink() => {
                self.unread.push(format!("{}: {error}", path.display()));
            }
            _ => {}
        }
    }

    /// Goes through an open file.
    pub fn source(&mut self, source: &mut FileSource) -> io::Result<()> {
        let mut stream = self.search.begin(self.found);
        let fed = feed(&mut stream, source);
        stream.end();
        fed?;
        source.release()
    }

    /// Goes through the regular files of a directory whose names are wanted; not through what lies below it.
    pub fn dir(&mut self, dir: &Path, wanted: &dyn Fn(&Path) -> bool) {
        match files_of(dir) {
            Ok(paths) => paths.iter().filter(|path| wanted(path)).for_each(|path| self.file(path)),
            Err(error) => self.unread.push(format!("{}: {error}", dir.display())),
        }
    }

    /// Goes through every table of a database.
    fn database(&mut self, path: &Path, state_dir: &Path) {
        let (search, found) = (self.search, &mut *self.found);
        let read = database::read(path, state_dir, &mut |database| {
            database.texts(&mut |bytes| {
                let mut stream = search.begin(found);
                stream.feed(bytes);
                stream.end();
            })
        });
        if let Err(error) = read {
            self.unread.push(error.to_string());
        }
    }
}

fn feed(stream: &mut Stream<'_>, source: &mut FileSource) -> io::Result<()> {
    let mut at = 0;
    while at < source.len() {
        let window = source.window(at)?;
        if window.is_empty() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        at += window.len() as u64;
        stream.feed(window);
    }
    source.intact()
}

/// The regular files of a directory, links to such included; none where it is missing.
pub fn files_of(dir: &Path) -> io::Result<Vec<PathBuf>> {
    let listed = match fs::read_dir(dir) {
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound) && !dir.is_symlink() => {
            return Ok(Vec::new());
        }
        other => other?,
    };
    let mut paths = Vec::new();
    for entry in listed {
        let path = entry?.path();
        // A link to nowhere may have led to something: opening it says so.
        if fs::metadata(&path).map_or(true, |metadata| metadata.is_file()) {
            paths.push(path);
        }
    }
    Ok(paths)
}

/// Everything but what lies in the sessions directories. `gone`: files that are to go themselves.
pub fn outside(reader: &mut Reader<'_>, situation: &Situation, gone: &BTreeSet<PathBuf>) {
    let state = &situation.state_dir;
    let stays = |path: &Path| !gone.contains(path);
    reader.file(&situation.config_path);
    let jobs = &situation.jobs_path;
    let stem = jobs.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    // The list may lie in anybody's directory: only what is called after it is a list.
    let of_list = |path: &Path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with(&stem) || name.starts_with(".fs-safe-replace.")
    };
    if let Some(dir) = jobs.parent() {
        reader.dir(dir, &|path| of_list(path) && stays(path));
    }
    reader.dir(&layout::runs_dir(jobs), &stays);
    reader.dir(&state.join("subagents"), &stays);
    for dir in ["tasks", "state"] {
        let (databases, others): (Vec<PathBuf>, Vec<PathBuf>) = match files_of(&state.join(dir)) {
            Ok(paths) => paths.into_iter().partition(|path| is_database(path)),
            Err(error) => return reader.unread.push(format!("{}: {error}", state.join(dir).display())),
        };
        databases.iter().for_each(|path| reader.database(path, state));
        // Logs of databases are read with them.
        others.iter().filter(|path| !is_of_database(path)).for_each(|path| reader.file(path));
    }
    for agent in fs::read_dir(state.join("agents")).into_iter().flatten().filter_map(Result::ok) {
        let database = sqlite::agent_database_in(&agent.path());
        if database.exists() {
            reader.database(&database, state);
        }
    }
}

fn is_database(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "sqlite")
}

fn is_of_database(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    ["-wal", "-shm", "-journal"].iter().any(|end| name.ends_with(&format!(".sqlite{end}")))
}

/// The stores themselves, as they were scanned.
pub fn stores(reader: &mut Reader<'_>, diagnosis: &Diagnosis) {
    for store in &diagnosis.stores {
        if let Some(judged) = store.judged()
            && let Err(error) = reader.source(&mut judged.reading.source.reader())
        {
            reader.unread.push(format!("{}: {error}", store.file.path.display()));
        }
    }
}

/// What our own runs keep, and `undo` can bring back: originals, and what they changed.
pub fn originals(reader: &mut Reader<'_>, situation: &Situation) {
    for dir in records::all(situation) {
        let found = match runs::list(&dir) {
            Ok(found) => found,
            Err(error) => return reader.unread.push(error.to_string()),
        };
        for found in found {
            let path = match &found {
                // Until a run is done its original is the store itself.
                Found::Run(run) if run.record.state != RunState::Done => continue,
                Found::Run(run) => run.backup_path(),
                Found::Unreadable(_, dir, _) | Found::Unfinished(_, dir) => Some(dir.join(runs::ORIGINAL)),
            };
            path.iter().for_each(|path| reader.file(path));
        }
    }
}

/// What a file of a session that stays refers to: the first line of a transcript may name the one that it was forked
/// from, and a pointer names a trajectory.
pub fn head(reader: &mut Reader<'_>, path: &Path) {
    const MOST: u64 = 64 << 10;
    let read = files::open_regular(path).and_then(|file| {
        let mut head = Vec::new();
        io::Read::read_to_end(&mut io::Read::take(file, MOST), &mut head)?;
        Ok(head)
    });
    let head = match read {
        Ok(head) => head,
        // A pipe or a directory of that name refers to nothing.
        Err(error) if matches!(error.kind(), NotFound | InvalidInput | IsADirectory) => return,
        Err(error) => return reader.unread.push(format!("{}: {error}", path.display())),
    };
    if path.extension().is_some_and(|extension| extension == "json") {
        return reader.bytes(&head);
    }
    let line = head.split(|&byte| byte == b'\n').find(|line| !line.trim_ascii().is_empty());
    reader.bytes(line.unwrap_or_default());
}
