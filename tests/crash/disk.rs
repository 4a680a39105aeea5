//! A disk that loses power between any two operations.
//!
//! It works on a real directory, so that reading needs no seam, and keeps book of what is *live* (what a
//! running system sees) and what is *durable*: data after the file was synced, names after their directory
//! was. [`CrashDisk::cut_at`] makes one operation and all after it fail; [`CrashDisk::after_power_cut`] then
//! rewrites the directory to what may be left.

#![allow(dead_code, clippy::unwrap_used)]

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::ffi::OsStr;
use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use sessions_doctor::apply::disk::DiskResult;
use sessions_doctor::apply::{Disk, DiskError, DiskFile, Identity, RealDisk};

/// What a cut leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Left {
    /// All that was done: the process was killed, the system went on.
    Everything,
    /// Only what was made durable.
    OnlyDurable,
    /// All names, but of data only what was synced: the classic rename without fsync leaves an empty file.
    NamesAndEmptyFiles,
    /// The same, the lost data being as many NULs.
    NamesAndNuls,
    /// The same, half of the lost data being there.
    NamesAndHalfFiles,
    /// All names in directories below (or equal to) one that is so called, elsewhere only durable ones;
    /// durable data. File systems may write one directory and not yet another.
    NamesOnlyBelow(&'static str),
    /// The other way round.
    NamesOnlyOutside(&'static str),
}

type Fault = Box<dyn FnMut(&str, &Path) -> Option<io::Error>>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Node {
    Dir,
    File(usize),
}

#[derive(Clone, Debug, Default)]
struct Data {
    live: Vec<u8>,
    durable: Vec<u8>,
    mode: u32,
}

#[derive(Default)]
struct State {
    steps: Vec<String>,
    cut_at: Option<usize>,
    live: BTreeMap<PathBuf, Node>,
    durable: BTreeMap<PathBuf, Node>,
    files: Vec<Data>,
    fault: Option<Fault>,
}

/// See the module.
pub struct CrashDisk {
    root: PathBuf,
    state: Rc<RefCell<State>>,
}

impl CrashDisk {
    /// A disk whose durable state is what lies below `root` now.
    pub fn new(root: &Path) -> Self {
        let mut state = State::default();
        take_stock(root, &mut state, &mut HashMap::new());
        state.durable = state.live.clone();
        CrashDisk { root: root.to_owned(), state: Rc::new(RefCell::new(state)) }
    }

    /// The operation with this number, counted from 0, and all after it fail.
    pub fn cut_at(self, step: usize) -> Self {
        self.state.borrow_mut().cut_at = Some(step);
        self
    }

    /// The process was killed and the system went on; the next one has power for as many operations.
    pub fn revive_for(&self, steps: usize) {
        let mut state = self.state.borrow_mut();
        state.cut_at = Some(steps);
        state.steps.clear();
        state.fault = None;
    }

    /// `fault` sees the name and path of every operation before it is done, and may make it fail.
    pub fn with_fault(self, fault: impl FnMut(&str, &Path) -> Option<io::Error> + 'static) -> Self {
        self.state.borrow_mut().fault = Some(Box::new(fault));
        self
    }

    /// The operations so far.
    pub fn steps(&self) -> Vec<String> {
        self.state.borrow().steps.clone()
    }

    /// Rewrites the directory to what may be left.
    pub fn after_power_cut(self, left: Left) {
        if left == Left::Everything {
            return;
        }
        for entry in fs::read_dir(&self.root).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { fs::remove_dir_all(path).unwrap() } else { fs::remove_file(path).unwrap() }
        }
        let state = self.state.borrow();
        rebuild(&self.root, &state, left, &mut HashMap::new());
    }
}

fn take_stock(dir: &Path, state: &mut State, seen: &mut HashMap<u64, usize>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let meta = fs::symlink_metadata(&path).unwrap();
        let node = if meta.is_dir() {
            take_stock(&path, state, seen);
            Node::Dir
        } else {
            let id = *seen.entry(meta.ino()).or_insert_with(|| {
                let bytes = fs::read(&path).unwrap();
                state.files.push(Data { live: bytes.clone(), durable: bytes, mode: meta.mode() & 0o7777 });
                state.files.len() - 1
            });
            Node::File(id)
        };
        state.live.insert(path, node);
    }
}

fn rebuild(dir: &Path, state: &State, left: Left, made: &mut HashMap<usize, PathBuf>) {
    let live = match left {
        Left::OnlyDurable => false,
        Left::NamesOnlyBelow(name) => dir.components().any(|part| part.as_os_str() == name),
        Left::NamesOnlyOutside(name) => !dir.components().any(|part| part.as_os_str() == name),
        _ => true,
    };
    let names = if live { &state.live } else { &state.durable };
    for (path, node) in names.iter().filter(|(path, _)| path.parent() == Some(dir)) {
        match node {
            Node::Dir => {
                fs::create_dir(path).unwrap();
                rebuild(path, state, left, made);
            }
            Node::File(id) if made.contains_key(id) => fs::hard_link(&made[id], path).unwrap(),
            Node::File(id) => {
                let data = &state.files[*id];
                fs::write(path, remains(data, left)).unwrap();
                fs::set_permissions(path, Permissions::from_mode(data.mode)).unwrap();
                made.insert(*id, path.clone());
            }
        }
    }
}

/// Files only grow here, so what is lost is the tail.
fn remains(data: &Data, left: Left) -> Vec<u8> {
    let (kept, all) = (data.durable.len(), data.live.len());
    let mut bytes = data.durable.clone();
    match left {
        Left::NamesAndNuls => bytes.resize(all.max(kept), 0),
        Left::NamesAndHalfFiles => bytes.extend_from_slice(&data.live[kept..kept + (all - kept) / 2]),
        _ => {}
    }
    bytes
}

impl State {
    /// Counts an operation; an error once the power is gone, or where a test wants one.
    fn step(&mut self, op: &'static str, path: &Path) -> DiskResult<()> {
        let number = self.steps.len();
        self.steps.push(format!("{op} {}", path.display()));
        let cut = self.cut_at.is_some_and(|cut| number >= cut);
        let error = if cut {
            Some(io::Error::other("the power is gone"))
        } else {
            self.fault.as_mut().and_then(|fault| fault(op, path))
        };
        error.map_or(Ok(()), |cause| Err(DiskError::new(op, path, cause)))
    }

    fn moved(&mut self, from: &Path, to: &Path) {
        let below: Vec<PathBuf> = self.live.keys().filter(|path| path.starts_with(from)).cloned().collect();
        for path in below {
            let node = self.live.remove(&path).unwrap();
            let rest = path.strip_prefix(from).unwrap();
            let new = if rest.as_os_str().is_empty() { to.to_owned() } else { to.join(rest) };
            self.live.insert(new, node);
        }
    }
}

impl Disk for CrashDisk {
    fn create_dir(&self, path: &Path, mode: u32) -> DiskResult<()> {
        self.state.borrow_mut().step("create_dir", path)?;
        RealDisk.create_dir(path, mode)?;
        self.state.borrow_mut().live.insert(path.to_owned(), Node::Dir);
        Ok(())
    }

    fn create(&self, path: &Path, mode: u32) -> DiskResult<Box<dyn DiskFile>> {
        self.state.borrow_mut().step("create", path)?;
        let real = RealDisk.create(path, mode)?;
        let mut state = self.state.borrow_mut();
        state.files.push(Data { mode, ..Data::default() });
        let id = state.files.len() - 1;
        state.live.insert(path.to_owned(), Node::File(id));
        Ok(Box::new(CrashFile { real, path: path.to_owned(), id, state: Rc::clone(&self.state) }))
    }

    fn rename(&self, from: &Path, to: &Path) -> DiskResult<()> {
        self.state.borrow_mut().step("rename", from)?;
        RealDisk.rename(from, to)?;
        self.state.borrow_mut().moved(from, to);
        Ok(())
    }

    fn rename_new(&self, from: &Path, to: &Path) -> DiskResult<()> {
        self.state.borrow_mut().step("rename_new", from)?;
        RealDisk.rename_new(from, to)?;
        self.state.borrow_mut().moved(from, to);
        Ok(())
    }

    fn hard_link(&self, from: &Path, to: &Path) -> DiskResult<()> {
        self.state.borrow_mut().step("link", from)?;
        RealDisk.hard_link(from, to)?;
        let mut state = self.state.borrow_mut();
        let node = state.live[from];
        state.live.insert(to.to_owned(), node);
        Ok(())
    }

    fn reflink(&self, _: &File, to: &Path, _: u32) -> DiskResult<bool> {
        self.state.borrow_mut().step("reflink", to)?;
        Ok(false)
    }

    fn set_owner(&self, path: &Path, uid: u32, gid: u32) -> DiskResult<()> {
        self.state.borrow_mut().step("chown", path)?;
        RealDisk.set_owner(path, uid, gid)
    }

    fn remove_file(&self, path: &Path) -> DiskResult<()> {
        self.state.borrow_mut().step("remove", path)?;
        RealDisk.remove_file(path)?;
        self.state.borrow_mut().live.remove(path);
        Ok(())
    }

    fn remove_dir(&self, path: &Path) -> DiskResult<()> {
        self.state.borrow_mut().step("remove_dir", path)?;
        RealDisk.remove_dir(path)?;
        self.state.borrow_mut().live.remove(path);
        Ok(())
    }

    fn sync_dir(&self, path: &Path) -> DiskResult<()> {
        let mut state = self.state.borrow_mut();
        state.step("sync_dir", path)?;
        state.durable.retain(|name, _| name.parent() != Some(path));
        let live = state.live.clone();
        state.durable.extend(live.into_iter().filter(|(name, _)| name.parent() == Some(path)));
        Ok(())
    }

    fn free_space(&self, path: &Path) -> DiskResult<u64> {
        RealDisk.free_space(path)
    }
}

struct CrashFile {
    real: Box<dyn DiskFile>,
    path: PathBuf,
    id: usize,
    state: Rc<RefCell<State>>,
}

impl DiskFile for CrashFile {
    fn write_all(&mut self, bytes: &[u8]) -> DiskResult<()> {
        let mut state = self.state.borrow_mut();
        state.step("write", &self.path)?;
        self.real.write_all(bytes)?;
        state.files[self.id].live.extend_from_slice(bytes);
        Ok(())
    }

    fn sync(&mut self) -> DiskResult<()> {
        let mut state = self.state.borrow_mut();
        state.step("sync", &self.path)?;
        let data = &mut state.files[self.id];
        data.durable.clone_from(&data.live);
        Ok(())
    }

    fn set_owner(&mut self, uid: u32, gid: u32) -> DiskResult<()> {
        self.state.borrow_mut().step("chown", &self.path)?;
        self.real.set_owner(uid, gid)
    }

    fn set_mode(&mut self, mode: u32) -> DiskResult<()> {
        let mut state = self.state.borrow_mut();
        state.step("chmod", &self.path)?;
        state.files[self.id].mode = mode;
        self.real.set_mode(mode)
    }

    fn set_attribute(&mut self, name: &OsStr, value: &[u8]) -> DiskResult<()> {
        self.state.borrow_mut().step("setxattr", &self.path)?;
        self.real.set_attribute(name, value)
    }

    fn identity(&self) -> DiskResult<Identity> {
        self.real.identity()
    }
}
