//! The sub-agent registry.

use std::io;

use super::discover::Situation;
use super::outside::{StateDatabase, Table};
use crate::host::files;
use crate::model::Millis;
use crate::model::entry::{Stamp, hash_folded};
use crate::model::evidence::Registry;
use crate::model::key::fold_run_key;
use crate::openclaw::sqlite::{self, rows};
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

/// Reads `subagents/runs.json`, and the table of sub-agents. A missing registry is empty; a database that lacks the
/// table is none that we know.
pub fn read(situation: &Situation, database: StateDatabase<'_>, now: Millis) -> RegistryReading {
    let path = layout::subagents_path(&situation.state_dir);
    let (mut registry, mut state, mut trouble) = match files::read_regular(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            (Registry::default(), EvidenceState::Missing, None)
        }
        Err(error) => unreadable(format!("{}: {error}", path.display())),
        Ok(bytes) => match subagents::parse(&bytes) {
            Err(error) => unreadable(format!("{}: {error}", path.display())),
            Ok(parsed) if parsed.malformed > 0 => {
                let why = format!("{}: {} rows could not be read", path.display(), parsed.malformed);
                let registry = Registry { unreadable: true, ..index(&parsed.rows, now) };
                (registry, EvidenceState::Partial, Some(why))
            }
            Ok(parsed) => (index(&parsed.rows, now), EvidenceState::Read, None),
        },
    };
    let table = database.table(sqlite::SUBAGENT_RUNS, &mut |row| {
        add(&mut registry, &rows::subagent(row)?, now);
        Ok(())
    });
    let why = match (table, &situation.state_database) {
        (Table::Unread(why), _) => Some(why),
        (Table::Absent, Some(path)) => Some(format!("{}: it has no table of sub-agents", path.display())),
        (Table::Absent, None) | (Table::Read, _) => None,
    };
    if let Some(why) = why {
        registry.unreadable = true;
        state = if state == EvidenceState::Read { EvidenceState::Partial } else { EvidenceState::Unreadable };
        trouble = trouble.or(Some(why));
    }
    let evidence = EvidenceItem { kind: "registry", path: path.display().to_string(), state };
    RegistryReading { registry, evidence, trouble }
}

fn unreadable(why: String) -> (Registry, EvidenceState, Option<String>) {
    (Registry { unreadable: true, ..Registry::default() }, EvidenceState::Unreadable, Some(why))
}

fn index(rows: &[subagents::Row], now: Millis) -> Registry {
    let mut registry = Registry::default();
    rows.iter().for_each(|row| add(&mut registry, row, now));
    registry
}

fn add(registry: &mut Registry, row: &subagents::Row, now: Millis) {
    let ended = row.ended_at.is_some_and(|at| Stamp::is_past_time(at, now));
    if let Some(child) = &row.child_session_key {
        // Of several rows of a child, one without an end counts.
        let known = registry.rows.entry(hash_folded(child)).or_insert(true);
        *known &= ended;
        if let Some(at) = row.ended_at {
            let last = registry.ended_at.entry(hash_folded(child)).or_insert(at);
            *last = at.max(*last);
        }
    }
    if !ended {
        let parents = row.requester_session_key.iter().chain(&row.controller_session_key);
        registry.open_parents.extend(parents.map(|key| hash_folded(fold_run_key(key))));
    }
}
