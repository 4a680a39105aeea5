//! Rows of the registry of sub-agents whose session is gone and that nobody needs any more.

use std::path::{Path, PathBuf};

use super::mentions::{self, Reader};
use crate::diagnose::Diagnosis;
use crate::diagnose::document::{Cut, Document, DocumentError, Edit};
use crate::host::files;
use crate::model::evidence::Life;
use crate::model::leftover::SubAgentRow;
use crate::openclaw::layout;
use crate::openclaw::subagents::{self, Registry, Row};
use crate::report::model::Era;
use crate::rules::leftovers as rules;
use crate::scan::mentions::Wanted;

/// Rows that may go.
pub struct StaleRows {
    /// How many.
    pub rows: u64,
    /// The registry.
    pub path: PathBuf,
    /// The registry without them; else why it is not written.
    pub edit: Result<(Document, Edit), String>,
}

impl StaleRows {
    /// By how many bytes the registry becomes smaller.
    pub fn bytes(&self) -> u64 {
        self.edit.as_ref().map_or(0, |(document, edit)| document.size().saturating_sub(edit.table.len()))
    }
}

/// The rows that may go, and only while the gateway is established as stopped; `None` where there are none. What could
/// not be read is added to `unread`.
pub fn stale(diagnosis: &Diagnosis, unread: &mut Vec<String>) -> Option<StaleRows> {
    let path = layout::subagents_path(&diagnosis.situation.state_dir);
    let registry = files::read_regular(&path).ok().and_then(|bytes| subagents::parse(&bytes).ok())?;
    if diagnosis.evidence.gateway != Life::Stopped || registry.malformed > 0 {
        return None;
    }
    let keys = keys(diagnosis, &registry, unread);
    if keys.is_empty() || !unread.is_empty() {
        return None;
    }
    let edit = match diagnosis.situation.era {
        Era::Json => without(&path, &keys).map_err(|error| error.to_string()),
        _ => Err("sub-agents live in SQLite, which is never written".to_owned()),
    };
    Some(StaleRows { rows: keys.len() as u64, path, edit })
}

fn without(path: &Path, keys: &[String]) -> Result<(Document, Edit), DocumentError> {
    let document = Document::read(path)?;
    let cut = |key: &String| Cut {
        path: vec!["runs".to_owned(), key.clone()],
        rule: rules::SUBAGENT_STALE.id,
        family: "sub-agent",
    };
    let edit = document.cut(&keys.iter().map(cut).collect::<Vec<_>>())?;
    Ok((document, edit))
}

/// The names of the rows that may go.
fn keys(diagnosis: &Diagnosis, registry: &Registry, unread: &mut Vec<String>) -> Vec<String> {
    let (now, after) = (diagnosis.now(), diagnosis.policy.prune_after);
    let mut wanted = Wanted::default();
    for (at, row) in (0..).zip(&registry.rows) {
        row.child_session_key.iter().for_each(|key| wanted.add(key, at));
    }
    let (search, mut found) = (wanted.seal(), vec![false; registry.rows.len()]);
    let mut reader = Reader::new(&search, &mut found, false);
    mentions::stores(&mut reader, diagnosis);
    unread.append(&mut reader.unread);
    let may_go = |row: &Row, in_a_store: bool| {
        let is_parent = row.child_session_key.as_deref().is_none_or(|key| is_named(registry, key));
        rules::row_may_go(&SubAgentRow { ended_at: row.ended_at, in_a_store, is_parent }, now, after)
    };
    let rows = registry.rows.iter().zip(found).filter(|(row, found)| may_go(row, *found));
    rows.map(|(row, _)| row.key.clone()).collect()
}

/// Whether a row names a key as the one who asked, or who controls.
fn is_named(registry: &Registry, key: &str) -> bool {
    let parents =
        registry.rows.iter().flat_map(|row| [&row.requester_session_key, &row.controller_session_key]);
    parents.flatten().any(|parent| parent.eq_ignore_ascii_case(key))
}
