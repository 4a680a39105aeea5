//! Keys that run logs and the registry name at all, whether or not a transcript is left of them.

use std::collections::HashMap;
use std::io;
use std::path::Path;

use crate::host::files;
use crate::model::Millis;
use crate::model::entry::{TextHash, hash};
use crate::model::key::{SessionKey, Shape};
use crate::openclaw::jobs::{self, Job};
use crate::openclaw::subagents::{self, Row};

use super::judge::{Judge, is_plain};
use super::logs::{KeyLine, for_each_line};
use super::{Conversations, Sources, ToldBy, Trouble};

/// A key that somebody names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyNamed {
    /// The key; of a run that of its base.
    pub key: String,
    /// The session that it stood for then, where that is told.
    pub session: Option<TextHash>,
    /// When it was last in use, as far as the one who names it knows.
    pub when: Option<Millis>,
    /// Who names it.
    pub told_by: ToldBy,
}

/// The keys that are named, each once, sorted.
#[derive(Clone, Debug, Default)]
pub struct KeysNamed {
    /// The keys, each as it was named last.
    pub keys: Vec<KeyNamed>,
    /// What could not be read.
    pub troubles: Vec<Trouble>,
}

/// The keys of conversations and cron bases that run logs and the registry name, and have named since `since`.
///
/// Sub-agents, hooks and other synthetic sessions come and go, so nothing follows from one that is not there; nor does
/// it from a key of which the shape is not known, or which names no agent (a store may hold it under another spelling).
///
/// Logs of jobs that are not `wanted` are not read: whoever has the base of a job misses nothing that they name.
pub fn keys_named(
    run_logs: &Path,
    wanted: &dyn Fn(&str) -> bool,
    registry: &Path,
    main_key: &str,
    since: Millis,
) -> KeysNamed {
    let mut found = KeysNamed::default();
    let mut keys: HashMap<String, KeyNamed> = HashMap::new();
    let mut add = |key: &str, session: Option<&str>, when: Option<Millis>, told_by: ToldBy| {
        let parsed = SessionKey::parse(key, main_key);
        let family = parsed.shape.family();
        let lasting = parsed.shape != Shape::Unknown && !family.is_synthetic() && parsed.agent.is_some();
        if !lasting || !is_plain(key) || when.is_none_or(|at| at < since) {
            return;
        }
        let key = parsed.base.unwrap_or(key);
        let folded = key.to_lowercase();
        if keys.get(&folded).is_none_or(|known| known.when < when) {
            let session = session.map(|session| hash(session.as_bytes()));
            keys.insert(folded, KeyNamed { key: key.to_owned(), session, when, told_by });
        }
    };
    let add_line = |line: &KeyLine<'_>| add(line.key, line.session, Some(line.run.ts), line.at.clone());
    for_each_line(run_logs, wanted, &mut found.troubles, add_line);
    for row in rows(registry, &mut found.troubles) {
        let named = [&row.child_session_key, &row.requester_session_key, &row.controller_session_key];
        named.into_iter().flatten().for_each(|key| add(key, None, last_of(&row), ToldBy::Registry));
    }
    found.keys = keys.into_values().collect();
    found.keys.sort_by(|a, b| a.key.cmp(&b.key));
    found
}

/// Sub-agents of the store's agents that no transcript could be tied to: a row names a key and no session.
pub(super) fn add_children(sources: &Sources<'_>, found: &mut Conversations) {
    let judge = Judge::new(sources);
    let mut children: HashMap<String, KeyNamed> = HashMap::new();
    for row in rows(sources.registry, &mut found.troubles) {
        let when = last_of(&row);
        let Some(key) = row.child_session_key.filter(|key| judge.fault(key).is_none()) else { continue };
        let folded = key.to_lowercase();
        if children.get(&folded).is_none_or(|known| known.when < when) {
            children.insert(folded, KeyNamed { key, session: None, when, told_by: ToldBy::Registry });
        }
    }
    found.named.iter().for_each(|named| drop(children.remove(&named.key.to_lowercase())));
    found.keys_without_transcript = children.into_values().collect();
    found.keys_without_transcript.sort_by(|a, b| a.key.cmp(&b.key));
}

fn rows(registry: &Path, troubles: &mut Vec<Trouble>) -> Vec<Row> {
    let read = match files::read_regular(registry) {
        Ok(bytes) => subagents::parse(&bytes).map_err(|error| Trouble::new("registry", registry, &error)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Vec::new(),
        Err(error) => Err(Trouble::new("registry", registry, &error)),
    };
    match read {
        Ok(read) => read.rows,
        Err(trouble) => {
            troubles.push(trouble);
            Vec::new()
        }
    }
}

fn last_of(row: &Row) -> Option<Millis> {
    row.ended_at.max(row.started_at).max(row.created_at)
}

/// The cron jobs of a list, for [`Sources::jobs`]; none where there is no list.
pub fn job_list(path: &Path, troubles: &mut Vec<Trouble>) -> Vec<Job> {
    let read = match files::read_regular(path) {
        Ok(bytes) => jobs::parse_jobs(&bytes).map_err(|error| Trouble::new("cron-jobs", path, &error)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Vec::new(),
        Err(error) => Err(Trouble::new("cron-jobs", path, &error)),
    };
    read.unwrap_or_else(|trouble| {
        troubles.push(trouble);
        Vec::new()
    })
}
