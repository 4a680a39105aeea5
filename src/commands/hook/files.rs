//! What lies where the units go, and what becomes of it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::site::Site;
use crate::apply::{DiskError, small};
use crate::diagnose::run::Edge;
use crate::host::files;
use crate::units::{Author, Names, UnitFile, author};

/// Units hold no secrets, and systemd warns of one that others may write.
const MODE: u32 = 0o644;

/// For directories that are missing.
const DIR_MODE: u32 = 0o755;

/// What becomes of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// It is written where none was.
    Create,
    /// An older one of ours gives way.
    Replace,
    /// It is as it should be; or it is left for now.
    Keep,
    /// It goes.
    Remove,
    /// It is not ours to touch; why.
    Refuse(&'static str),
    /// It is not there, and that is right.
    Absent,
}

/// A file, and what becomes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Where it lies.
    pub path: PathBuf,
    /// What becomes of it.
    pub deed: Deed,
    /// Its size: afterwards, or of what goes.
    pub bytes: u64,
}

impl Row {
    /// Where one file is refused, nothing becomes of the others.
    pub fn leave(&mut self) {
        self.deed = match self.deed {
            Deed::Create => Deed::Absent,
            Deed::Replace => Deed::Keep,
            other => other,
        };
    }
}

/// What lies under a name.
enum Standing {
    Nothing,
    Ours(Vec<u8>),
    Foreign(&'static str),
}

fn standing(path: &Path) -> Standing {
    match fs::symlink_metadata(path) {
        Ok(facts) if facts.is_symlink() => return Standing::Foreign("it is a link, and `hook` makes none"),
        Ok(_) => {}
        // A file where a directory should be is found again when it is made.
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Standing::Nothing;
        }
        Err(_) => return Standing::Foreign("it cannot be looked at"),
    }
    let Ok(content) = files::read_regular(path) else {
        return Standing::Foreign("it cannot be read, so it is not known to be written by `hook`");
    };
    match author(&content) {
        Author::Us => Standing::Ours(content),
        Author::Edited => Standing::Foreign("it was edited after `hook` wrote it"),
        Author::Other => Standing::Foreign("it was not written by `hook`"),
    }
}

/// What `--install` would do.
pub fn plan(site: &Site) -> Vec<Row> {
    let row = |file: &UnitFile| {
        let path = site.dir.join(&file.below);
        let deed = match standing(&path) {
            Standing::Nothing => Deed::Create,
            Standing::Ours(content) if content == file.text.as_bytes() => Deed::Keep,
            Standing::Ours(_) => Deed::Replace,
            Standing::Foreign(why) => Deed::Refuse(why),
        };
        Row { path, deed, bytes: file.text.len() as u64 }
    };
    site.files.iter().map(row).collect()
}

/// Does it, file by file.
pub fn write(edge: &Edge<'_>, site: &Site, rows: &mut [Row]) -> Result<(), DiskError> {
    let disk = edge.writer.disk;
    for at in 0..rows.len() {
        let (path, text) = (&rows[at].path, &site.files[at].text);
        let done = match rows[at].deed {
            Deed::Create => make_dir_of(edge, path).and_then(|()| small::put_new(disk, path, text, MODE)),
            Deed::Replace => small::put_over(disk, path, text, MODE),
            _ => Ok(()),
        };
        if let Err(error) = done {
            rows[at..].iter_mut().for_each(Row::leave);
            return Err(error);
        }
    }
    Ok(())
}

fn make_dir_of(edge: &Edge<'_>, path: &Path) -> Result<(), DiskError> {
    path.parent().map_or(Ok(()), |dir| small::make_dirs(edge.writer.disk, dir, DIR_MODE))
}

/// What `--uninstall` does: whatever is ours under any name that the unit has had, in any directory that is for people
/// to write to. What is not there is told of the usual place alone.
pub fn plan_removal(site: &Site) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for dir in &site.dirs {
        for unit in &site.units {
            let usual = *dir == site.dir && *unit == site.unit;
            for row in removals(dir, &Names::of(unit), usual) {
                if rows.iter().all(|known| known.path != row.path) {
                    rows.push(row);
                }
            }
        }
    }
    rows
}

fn removals(dir: &Path, names: &Names, usual: bool) -> Vec<Row> {
    let mut rows = Vec::new();
    let wanted = [&names.drop_in, &names.prune.service, &names.prune.timer];
    let possible = [&names.metrics.service, &names.metrics.timer];
    for below in wanted.into_iter().chain(possible) {
        let path = dir.join(below);
        match standing(&path) {
            Standing::Nothing if usual && wanted.contains(&below) => {
                rows.push(Row { path, deed: Deed::Absent, bytes: 0 })
            }
            Standing::Nothing => {}
            Standing::Ours(content) => {
                rows.push(Row { path, deed: Deed::Remove, bytes: content.len() as u64 });
            }
            Standing::Foreign(why) => rows.push(Row { path, deed: Deed::Refuse(why), bytes: 0 }),
        }
    }
    for timed in [&names.prune, &names.metrics] {
        let timer = dir.join(&timed.timer);
        let goes = rows.iter().any(|row| row.path == timer && row.deed == Deed::Remove);
        // systemctl made it to enable the timer, and without the timer it leads nowhere.
        let link = dir.join(timed.enabled());
        if goes && fs::read_link(&link).is_ok_and(|target| target == timer) {
            rows.push(Row { path: link, deed: Deed::Remove, bytes: 0 });
        }
    }
    rows
}

/// Does it, file by file; a directory of drop-ins that is empty then goes as well.
pub fn remove(edge: &Edge<'_>, rows: &mut [Row]) -> Result<(), DiskError> {
    let disk = edge.writer.disk;
    for at in 0..rows.len() {
        if rows[at].deed != Deed::Remove {
            continue;
        }
        let path = rows[at].path.clone();
        let dir = path.parent().filter(|dir| dir.extension().is_some_and(|kind| kind == "d"));
        let done = small::take(disk, &path)
            .and_then(|()| dir.map_or(Ok(()), |dir| small::remove_empty_dir(disk, dir)));
        if let Err(error) = done {
            rows[at..]
                .iter_mut()
                .filter(|row| row.deed == Deed::Remove)
                .for_each(|row| row.deed = Deed::Keep);
            return Err(error);
        }
    }
    Ok(())
}
