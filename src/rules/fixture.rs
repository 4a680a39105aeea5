//! Entries for tests of rules.

use crate::model::Millis;
use crate::model::entry::{Entry, Flags, Stamp, Status, TextHash};
use crate::model::key::Shape;

/// The clock of the tests.
pub const NOW: Millis = 1_795_223_670_000;

const DAYS_AGO_40: f64 = (NOW - 40 * 86_400_000) as f64;

/// A sub-agent that was last heard of, and ended, forty days ago.
pub fn child(key: TextHash, parent: TextHash, status: Status) -> Entry {
    Entry {
        start: key,
        end: key + 1,
        key,
        session: 0,
        job: key,
        kin: parent,
        file: 0,
        updated_at: Stamp::from_number(DAYS_AGO_40),
        started_at: Stamp::from_number(DAYS_AGO_40),
        ended_at: Stamp::from_number(DAYS_AGO_40),
        value_at: 0,
        flags: Flags::NONE,
        shape: Shape::SubAgent,
        status,
    }
}
