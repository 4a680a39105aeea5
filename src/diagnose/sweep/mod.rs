//! What lies in a state directory that nothing needs any more.
//!
//! Names are listed first, then everything that may refer to a session is searched for the ids of the list, and only
//! what is mentioned nowhere is looked at. So a directory of a hundred thousand files takes a few bytes for each, and
//! no field that a later version adds is overlooked.

mod age;
mod barred;
mod copies;
mod mentions;
pub mod moves;
mod registry;
mod shelf;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use self::age::{Clock, Looker, Seen};
use self::copies::{Store, World, jobs_are_richer};
use self::mentions::Reader;
use self::shelf::{Dir, Shelf};
use super::recovery::court::Gone;
use super::recovery::removed::Removed;
use super::run::Edge;
use super::{Condition, Diagnosis};
use crate::apply::Identity;
use crate::evidence::conversations;
use crate::evidence::copies::CopyKind;
use crate::evidence::gateway::is_real_clock;
use crate::evidence::marks::Marks;
use crate::model::Millis;
use crate::model::evidence::Life;
use crate::model::key::SessionKey;
use crate::model::leftover::{Copy, Kept};
use crate::model::verdict::Rule;
use crate::openclaw::layout;
use crate::openclaw::layout::{Role, temporary_of};
use crate::rules::leftovers as rules;
use crate::scan::entries::KeyContext;

pub use self::registry::StaleRows;

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// Younger files stay.
    pub older_than: Millis,
    /// Agents whose files are acted on; empty for all.
    pub agents: &'a [String],
}

/// A file that may go.
#[derive(Clone, Copy, Debug)]
pub struct Leftover {
    /// Why.
    pub rule: &'static Rule,
    /// Which file it is.
    pub identity: Identity,
    /// Whether OpenClaw would archive such a file.
    pub is_transcript: bool,
    place: Place,
}

/// Where the name of a leftover stands.
#[derive(Clone, Copy, Debug)]
enum Place {
    /// A file of a session.
    File(u32),
    /// A copy of a store.
    Copy(u32),
    /// A temporary file elsewhere.
    Other(u32),
}

/// What may go, and what stays and why.
pub struct Sweep {
    /// Why nothing may go.
    pub barred: Vec<String>,
    /// What may go: files of sessions together, then copies.
    pub leftovers: Vec<Leftover>,
    /// How many of the files that nothing mentions, and of the copies, stay, and why.
    pub kept: BTreeMap<Kept, u64>,
    /// How many files of sessions are mentioned.
    pub mentioned: u64,
    /// How many of these only by what our own runs keep.
    pub for_undo: u64,
    /// Rows of the registry that may go.
    pub rows: Option<StaleRows>,
    /// Sessions directories that are links, and so are not looked into.
    pub linked: Vec<PathBuf>,
    shelf: Shelf,
    others: Vec<PathBuf>,
}

impl Sweep {
    fn barred(reasons: Vec<String>) -> Self {
        Sweep {
            barred: reasons,
            leftovers: Vec::new(),
            kept: BTreeMap::new(),
            mentioned: 0,
            for_undo: 0,
            rows: None,
            linked: Vec::new(),
            shelf: Shelf::default(),
            others: Vec::new(),
        }
    }

    /// Whether there is anything to clear away.
    pub fn is_change(&self) -> bool {
        !self.leftovers.is_empty() || self.rows.as_ref().is_some_and(|rows| rows.edit.is_ok())
    }

    /// Where a leftover lies.
    pub fn path(&self, leftover: &Leftover) -> PathBuf {
        match leftover.place {
            Place::File(at) => self.shelf.path(&self.shelf.files[at as usize]),
            Place::Copy(at) => {
                let copy = &self.shelf.copies[at as usize];
                self.shelf.dir(copy.dir).join(&copy.name)
            }
            Place::Other(at) => self.others[at as usize].clone(),
        }
    }

    /// The store beside which a leftover lies, by its place in the diagnosis; `None` for one that lies elsewhere.
    pub fn store(&self, leftover: &Leftover) -> Option<usize> {
        let dir = match leftover.place {
            Place::File(at) => self.shelf.files[at as usize].dir,
            Place::Copy(at) => self.shelf.copies[at as usize].dir,
            Place::Other(_) => return None,
        };
        Some(self.shelf.dirs[usize::from(dir)].store)
    }
}

/// Looks for everything that may go.
pub fn look(edge: &Edge<'_>, diagnosis: &Diagnosis, wanted: &Wanted<'_>) -> io::Result<Sweep> {
    let reasons = barred::reasons(diagnosis);
    if !reasons.is_empty() {
        return Ok(Sweep::barred(reasons));
    }
    let clock = Clock { now: diagnosis.now(), real: is_real_clock(diagnosis.now(), edge.host) };
    let mut sweep = Sweep::barred(Vec::new());
    if let Err(why) = sweep.list(diagnosis, wanted) {
        return Ok(Sweep::barred(vec![why]));
    }
    sweep.look_at_copies(edge, diagnosis, wanted, clock)?;
    let gone: BTreeSet<PathBuf> = sweep.leftovers.iter().map(|leftover| sweep.path(leftover)).collect();
    let unread = sweep.look_for_mentions(edge, diagnosis, &gone, clock, wanted);
    if !unread.is_empty() {
        return Ok(Sweep::barred(unread));
    }
    Ok(sweep)
}

impl Sweep {
    fn list(&mut self, diagnosis: &Diagnosis, wanted: &Wanted<'_>) -> Result<(), String> {
        let mut seen = BTreeSet::new();
        for (at, store) in diagnosis.stores.iter().enumerate() {
            let Condition::Whole(_) = store.condition else { continue };
            let dir = store.file.path.parent().unwrap_or(Path::new("/")).to_owned();
            let real = std::fs::canonicalize(&dir).map_err(|error| format!("{}: {error}", dir.display()))?;
            if !seen.insert(real.clone()) {
                continue;
            }
            let linked = is_linked(&dir, &real, &diagnosis.situation.state_dir);
            if linked {
                self.linked.push(dir.clone());
            }
            let of_agent = wanted.agents.is_empty()
                || store.file.agents.iter().any(|agent| wanted.agents.iter().any(|other| other == agent));
            let acted = store.file.acted_on && of_agent && !linked;
            let name = store.file.path.file_name().unwrap_or_default().to_string_lossy();
            let listed = self.shelf.list(Dir { path: real, store: at, acted }, &name);
            listed.map_err(|error| format!("{}: {error}", dir.display()))?;
        }
        Ok(())
    }

    fn keep(&mut self, why: Kept) {
        *self.kept.entry(why).or_default() += 1;
    }

    fn look_at_copies(
        &mut self,
        edge: &Edge<'_>,
        diagnosis: &Diagnosis,
        wanted: &Wanted<'_>,
        clock: Clock,
    ) -> io::Result<()> {
        let marks = Marks::new(&[], &[], Default::default()).map_err(io::Error::other)?;
        let config = &diagnosis.situation.config;
        let mark_key = |key: &SessionKey<'_>, text: &str| marks.of(key, text);
        let keys = KeyContext { main_key: &config.session.main_key, marks: &mark_key };
        let options = edge.read_options(keys, config.default_agent(), false);
        let world = World {
            options: &options,
            clock,
            policy: &diagnosis.policy,
            system: edge.system,
            gateway_runs: matches!(diagnosis.evidence.gateway, Life::Running { .. }),
        };
        for number in 0..self.shelf.dirs.len() {
            self.copies_of_dir(number, diagnosis, &world, wanted)?;
        }
        self.other_temporaries(diagnosis, &world, wanted)
    }

    fn copies_of_dir(
        &mut self,
        number: usize,
        diagnosis: &Diagnosis,
        world: &World<'_>,
        wanted: &Wanted<'_>,
    ) -> io::Result<()> {
        let at: Vec<usize> = (0..self.shelf.copies.len())
            .filter(|&at| usize::from(self.shelf.copies[at].dir) == number)
            .collect();
        if at.is_empty() {
            return Ok(());
        }
        let dir = self.shelf.dirs[number].clone();
        let stored = &diagnosis.stores[dir.store];
        let Some(judged) = stored.judged() else { return Ok(()) };
        let name = stored.file.path.file_name().unwrap_or_default().to_string_lossy();
        let removed = Removed::of_store(&stored.file.path, Some(&diagnosis.situation.state_dir));
        let archived = conversations::transcripts(&stored.file.path)?.archived;
        let gone = Gone { removed: &removed, archived: &archived, include: false };
        let mut store = Store::new(&name, judged, &gone);
        let newest = at.iter().filter_map(|&at| self.shelf.copies[at].rotated).max();
        for at in at {
            let file = self.shelf.copies[at].clone();
            let path = dir.path.join(&file.name);
            let Some((facts, identity)) = world.facts(&path, &name)? else { continue };
            let newest = file.rotated.is_some() && file.rotated == newest;
            let mut facts = Copy { elsewhere: !dir.acted, odd: facts.odd || file.odd, newest, ..facts };
            // Of a rotation the name tells when it was made.
            facts.at = facts.at.and(file.rotated.or(facts.at));
            let (kind, rule) = match file.rotated {
                Some(_) => (CopyKind::Rotation, &rules::LEFTOVER_BACKUP),
                None => (CopyKind::Temporary, &rules::LEFTOVER_TEMP),
            };
            let held = |facts: &Copy| match file.rotated {
                Some(_) => rules::rotation(facts, world.clock.now, wanted.older_than),
                None => rules::temporary(facts, world.clock.now, wanted.older_than),
            };
            if held(&facts).is_none() {
                world.read(&mut facts, &path, kind, &mut store)?;
            }
            match held(&facts) {
                Some(why) => self.keep(why),
                None => self.leftovers.push(Leftover {
                    rule,
                    identity,
                    is_transcript: false,
                    place: Place::Copy(at as u32),
                }),
            }
        }
        Ok(())
    }

    /// What interrupted writes of the job list, its run logs and the registry left.
    fn other_temporaries(
        &mut self,
        diagnosis: &Diagnosis,
        world: &World<'_>,
        wanted: &Wanted<'_>,
    ) -> io::Result<()> {
        let situation = &diagnosis.situation;
        let jobs = &situation.jobs_path;
        let state = std::fs::canonicalize(&situation.state_dir)?;
        let dirs =
            [jobs.parent().map(Path::to_owned), Some(layout::runs_dir(jobs)), Some(state.join("subagents"))];
        for dir in dirs.into_iter().flatten() {
            let Ok(real) = std::fs::canonicalize(&dir) else { continue };
            // What lies outside is nobody's leftover that we know of.
            let acted = real.starts_with(&state) && !is_linked(&dir, &real, &situation.state_dir);
            for path in mentions::files_of(&real).unwrap_or_default() {
                let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                let Some(of) = document_of(&name, jobs) else { continue };
                let Some((mut facts, identity)) = world.facts(&path, &of)? else { continue };
                facts.elsewhere = !acted || diagnosis.stores.iter().any(|store| store.file.named);
                facts.richer = match real.join(&of) {
                    list if list.file_name() == jobs.file_name() => jobs_are_richer(&path, jobs),
                    document => !document.is_file(),
                };
                match rules::temporary(&facts, world.clock.now, wanted.older_than) {
                    Some(why) => self.keep(why),
                    None => {
                        let place = Place::Other(self.others.len() as u32);
                        self.others.push(path);
                        self.leftovers.push(Leftover {
                            rule: &rules::LEFTOVER_TEMP,
                            identity,
                            is_transcript: false,
                            place,
                        });
                    }
                }
            }
        }
        Ok(())
    }

    /// Searches everything for the ids of the list, and looks at what is mentioned nowhere. Returns what could not be
    /// read.
    fn look_for_mentions(
        &mut self,
        edge: &Edge<'_>,
        diagnosis: &Diagnosis,
        gone: &BTreeSet<PathBuf>,
        clock: Clock,
        wanted: &Wanted<'_>,
    ) -> Vec<String> {
        let search = self.shelf.take_wanted().seal();
        let mut found = vec![false; self.shelf.groups.len()];
        let mut reader = Reader::new(&search, &mut found, edge.request.map);
        mentions::stores(&mut reader, diagnosis);
        mentions::outside(&mut reader, &diagnosis.situation, gone);
        for copy in &self.shelf.copies {
            let path = self.shelf.dir(copy.dir).join(&copy.name);
            if !copy.odd && !gone.contains(&path) {
                reader.file(&path);
            }
        }
        let mut unread = std::mem::take(&mut reader.unread);
        let before = found.clone();
        let mut reader = Reader::new(&search, &mut found, edge.request.map);
        mentions::originals(&mut reader, &diagnosis.situation);
        unread.append(&mut reader.unread);
        let of = |files: &[bool], shelf: &Shelf| {
            shelf.files.iter().filter(|file| files[file.group as usize]).count() as u64
        };
        self.for_undo = of(&found, &self.shelf) - of(&before, &self.shelf);
        for (files, found) in self.shelf.groups.iter_mut().zip(&found) {
            files.mentioned |= found;
        }
        if !unread.is_empty() {
            return unread;
        }
        let seen = self.look_at_files(edge, diagnosis, clock);
        self.follow(&search, &mut found, edge, clock, wanted, &mut unread);
        self.decide(&seen, clock, wanted);
        self.rows = registry::stale(diagnosis, &mut unread);
        unread
    }

    /// Looks at the files of every session that may go, by number.
    fn look_at_files(&mut self, edge: &Edge<'_>, diagnosis: &Diagnosis, clock: Clock) -> Vec<(u32, Seen)> {
        let shelf = &self.shelf;
        let open = |file: &shelf::File| {
            let files = &shelf.groups[file.group as usize];
            !(files.mentioned || files.locked || files.odd || files.elsewhere)
        };
        let todo: Vec<u32> =
            (0..).zip(&shelf.files).filter(|(_, file)| open(file)).map(|(at, _)| at).collect();
        let look = |part: &[u32]| {
            let mut looker = Looker::new(&diagnosis.evidence.registry);
            let one = |&at: &u32| (at, looker.look(shelf, &shelf.files[at as usize]));
            part.iter().map(one).collect::<Vec<_>>()
        };
        let share = todo.len().div_ceil(edge.threads().max(1)).max(1_000);
        let looked: Vec<Vec<(u32, io::Result<Seen>)>> = std::thread::scope(|scope| {
            let parts: Vec<_> = todo.chunks(share).map(|part| scope.spawn(move || look(part))).collect();
            parts.into_iter().map(|part| part.join().unwrap_or_default()).collect()
        });
        let mut seen = Vec::with_capacity(todo.len());
        for (at, one) in looked.into_iter().flatten() {
            let file = self.shelf.files[at as usize];
            match one {
                Ok(one) => {
                    one.add_to(&mut self.shelf, &file, clock);
                    seen.push((at, one));
                }
                Err(_) => self.shelf.groups[file.group as usize].unreadable = true,
            }
        }
        // Of a part that was not looked at nothing is known.
        if seen.len() < todo.len() {
            let known: BTreeSet<u32> = seen.iter().map(|(at, _)| *at).collect();
            for at in todo.into_iter().filter(|at| !known.contains(at)) {
                let group = self.shelf.files[at as usize].group;
                self.shelf.groups[group as usize].unreadable = true;
            }
        }
        seen
    }

    /// What stays may refer to others, and so on: they stay too.
    fn follow(
        &mut self,
        search: &crate::scan::mentions::Search,
        found: &mut [bool],
        edge: &Edge<'_>,
        clock: Clock,
        wanted: &Wanted<'_>,
        unread: &mut Vec<String>,
    ) {
        let mut by_group: Vec<u32> = (0..self.shelf.files.len() as u32).collect();
        by_group.sort_by_key(|&at| self.shelf.files[at as usize].group);
        let stays = |shelf: &Shelf, group: usize| {
            rules::session_files(&shelf.groups[group], clock.now, wanted.older_than).is_some()
        };
        let mut done = vec![false; self.shelf.groups.len()];
        loop {
            let now: Vec<usize> =
                (0..done.len()).filter(|&group| !done[group] && stays(&self.shelf, group)).collect();
            if now.is_empty() {
                return;
            }
            let mut reader = Reader::new(search, found, edge.request.map);
            for group in now {
                done[group] = true;
                let first =
                    by_group.partition_point(|&at| (self.shelf.files[at as usize].group as usize) < group);
                let of_group = by_group[first..].iter().map(|&at| &self.shelf.files[at as usize]);
                for file in of_group.take_while(|file| file.group as usize == group) {
                    if file.role != Role::Trajectory {
                        mentions::head(&mut reader, &self.shelf.path(file));
                    }
                }
            }
            unread.append(&mut reader.unread);
            for (files, found) in self.shelf.groups.iter_mut().zip(found.iter()) {
                files.mentioned |= found;
            }
        }
    }

    fn decide(&mut self, seen: &[(u32, Seen)], clock: Clock, wanted: &Wanted<'_>) {
        for file in 0..self.shelf.files.len() {
            let files = &self.shelf.groups[self.shelf.files[file].group as usize];
            match rules::session_files(files, clock.now, wanted.older_than) {
                Some(Kept::Mentioned) => self.mentioned += 1,
                Some(why) => self.keep(why),
                None => {}
            }
        }
        for (at, seen) in seen {
            let file = &self.shelf.files[*at as usize];
            let files = &self.shelf.groups[file.group as usize];
            if rules::session_files(files, clock.now, wanted.older_than).is_none() {
                self.leftovers.push(Leftover {
                    rule: &rules::TRANSCRIPT_ORPHAN,
                    identity: seen.identity,
                    is_transcript: file.role != Role::TrajectoryPointer,
                    place: Place::File(*at),
                });
            }
        }
    }
}

/// Whether a directory, or one between it and the state directory, is a link.
fn is_linked(dir: &Path, real: &Path, state: &Path) -> bool {
    match (dir.strip_prefix(state), std::fs::canonicalize(state)) {
        (Ok(below), Ok(state)) => state.join(below) != real,
        _ => dir.is_symlink(),
    }
}

/// The document that a temporary file in the directories of jobs and sub-agents was to become.
fn document_of(name: &str, jobs: &Path) -> Option<String> {
    let jobs = jobs.file_name()?.to_string_lossy().into_owned();
    let states = layout::jobs_state_path(Path::new(&jobs)).to_string_lossy().into_owned();
    let log = name.split_once(".jsonl.").map(|(job, _)| format!("{job}.jsonl"));
    let of = [Some(jobs), Some(states), Some("runs.json".to_owned()), log];
    let own = |of: &String| !name.starts_with(".fs-safe-replace.") && temporary_of(name, of).is_some();
    of.into_iter().flatten().find(own)
}
