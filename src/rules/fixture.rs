//! Entries for tests of rules.

use crate::model::Millis;
use crate::model::entry::{Entry, Stamp, Status, TextHash};
use crate::model::key::Shape;

/// The clock of the tests.
pub const NOW: Millis = 1_795_223_670_000;

const DAYS_AGO_40: f64 = (NOW - 40 * 86_400_000) as f64;

/// A sub-agent that was last heard of, and ended, forty days ago.
pub fn child(key: TextHash, parent: TextHash, status: Status) -> Entry {
    let mut entry = Entry::new(key, key + 1);
    (entry.key, entry.job, entry.kin) = (key, key, parent);
    (entry.shape, entry.status) = (Shape::SubAgent, status);
    let at = Stamp::from_number(DAYS_AGO_40);
    (entry.updated_at, entry.started_at, entry.ended_at) = (at, at, at);
    entry
}
