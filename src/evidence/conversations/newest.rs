//! Of several sessions of one key, which has it.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

use crate::model::Millis;
use crate::model::key::{SessionKey, Shape};

use super::Named;

/// The newest session of each key.
#[derive(Default)]
pub struct Newest {
    by_key: HashMap<String, Named>,
    older: Vec<Named>,
}

impl Newest {
    /// One more session of a key.
    pub fn add(&mut self, named: Named) {
        // OpenClaw finds keys whatever their case.
        let loser = match self.by_key.entry(named.key.to_lowercase()) {
            Entry::Vacant(entry) => {
                entry.insert(named);
                return;
            }
            Entry::Occupied(mut entry) if age(entry.get()) < age(&named) => entry.insert(named),
            Entry::Occupied(_) => named,
        };
        self.older.push(loser);
    }

    /// Whether a base would get a newer run.
    pub fn is_news(&self, run_key: &str, started: Option<Millis>) -> bool {
        let Some(base) = SessionKey::parse(run_key, "main").base else { return false };
        let known = self.by_key.get(&base.to_lowercase());
        known.is_none_or(|known| age(known).0 < started)
    }

    /// The newest of each key, and the others that have no record of their own.
    pub fn split(self) -> (Vec<Named>, Vec<Named>) {
        let mut named: Vec<Named> = self.by_key.into_values().collect();
        let with_record: HashSet<String> = named
            .iter()
            .filter(|one| one.shape == Shape::RunRecord)
            .map(|one| one.transcript.clone())
            .collect();
        let mut older = self.older;
        older.retain(|one| !with_record.contains(&one.transcript));
        for list in [&mut named, &mut older] {
            list.sort_by(|a, b| b.last.cmp(&a.last).then_with(|| a.key.cmp(&b.key)));
        }
        (named, older)
    }
}

/// What orders the sessions of one key. A base names the run that started last, whatever was written late to another
/// one; everybody else talks in the session that was written to last. The name decides between equals.
fn age(named: &Named) -> (Option<Millis>, Option<Millis>, &str) {
    let started = named.run.and_then(|run| run.started_at).or(named.first);
    match named.shape {
        Shape::CronBase | Shape::RunRecord => (started, named.last, &named.transcript),
        _ => (named.last, started, &named.transcript),
    }
}
