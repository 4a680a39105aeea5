//! The sub-agent registry.

use std::io;

use super::discover::Situation;
use crate::host::files;
use crate::model::Millis;
use crate::model::entry::{Stamp, hash_folded};
use crate::model::evidence::Registry;
use crate::model::key::fold_run_key;
use crate::openclaw::{layout, subagents};
use crate::report::model::{EvidenceItem, EvidenceState};

/// The registry, and how the reading went.
#[derive(Clone, Debug)]
pub struct RegistryReading {
    /// For the rules.
    pub registry: Registry,
    /// How the reading went.
    pub evidence: EvidenceItem,
    /// Why it could not be read.
    pub trouble: Option<String>,
}

/// Reads `subagents/runs.json`. A missing registry is empty, unless a database took its place.
pub fn read(situation: &Situation, now: Millis) -> RegistryReading {
    let path = layout::subagents_path(&situation.state_dir);
    let (registry, state, trouble) = match files::read_regular(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => match &situation.state_database {
            None => (Registry::default(), EvidenceState::Missing, None),
            Some(database) => unreadable(format!(
                "{}: this version keeps its sub-agents there, and they were not read",
                database.display()
            )),
        },
        Err(error) => unreadable(format!("{}: {error}", path.display())),
        Ok(bytes) => match subagents::parse(&bytes) {
            Err(error) => unreadable(format!("{}: {error}", path.display())),
            Ok(parsed) if parsed.malformed > 0 || situation.state_database.is_some() => {
                let why = if parsed.malformed > 0 {
                    format!("{}: {} rows could not be read", path.display(), parsed.malformed)
                } else {
                    format!("{}: a database beside it was not read", path.display())
                };
                (Registry { unreadable: true, ..index(&parsed, now) }, EvidenceState::Partial, Some(why))
            }
            Ok(parsed) => (index(&parsed, now), EvidenceState::Read, None),
        },
    };
    let evidence = EvidenceItem { kind: "registry", path: path.display().to_string(), state };
    RegistryReading { registry, evidence, trouble }
}

fn unreadable(why: String) -> (Registry, EvidenceState, Option<String>) {
    (Registry { unreadable: true, ..Registry::default() }, EvidenceState::Unreadable, Some(why))
}

fn index(parsed: &subagents::Registry, now: Millis) -> Registry {
    let mut registry = Registry::default();
    for row in &parsed.rows {
        let ended = row.ended_at.is_some_and(|at| Stamp::is_past_time(at, now));
        if let Some(child) = &row.child_session_key {
            // Of several rows of a child, one without an end counts.
            let known = registry.rows.entry(hash_folded(child)).or_insert(true);
            *known &= ended;
        }
        if !ended {
            let parents = row.requester_session_key.iter().chain(&row.controller_session_key);
            registry.open_parents.extend(parents.map(|key| hash_folded(fold_run_key(key))));
        }
    }
    registry
}
