//! Why a store is as large as it is: whose its bytes are, what stands in it many times, how fast it grows.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io;

use super::store::ROWS;
use crate::diagnose::Judged;
use crate::model::Millis;
use crate::model::entry::{Entry, Flags, hash};
use crate::model::key::Family;
use crate::plan::growth::{self, Made, Room};
use crate::report::model::{AgentReport, CopiedField, Copies, Growth, Tally};
use crate::scan::entries::Scan;
use crate::scan::large::large_values;
use crate::scan::members;
use crate::scan::source::read_range;

/// Of so many entries, evenly over the store, the values are compared: reading all would double the time of a check.
const LOOKED_AT: usize = 256;

/// Smaller values are not compared.
const LARGE: u64 = 512;

/// A field of which less than one byte in so many is a copy is not told.
const WORTH_TELLING: u64 = 100;

/// At most so many fields are told.
const FIELDS: usize = 10;

/// Entries and bytes of each family.
pub fn families(scan: &Scan) -> BTreeMap<String, Tally> {
    let mut tallies = [Tally::default(); Family::ALL.len()];
    for entry in scan.live() {
        tallies[entry.family() as usize].add(entry.bytes());
    }
    let named = Family::ALL.iter().zip(tallies).filter(|(_, tally)| tally.entries > 0);
    named.map(|(family, tally)| (family.name().to_owned(), tally)).collect()
}

/// Entries and bytes of each agent, the largest first; a hundred of them, and the rest as one.
pub fn agents(scan: &Scan) -> Vec<AgentReport> {
    let mut tallies = vec![Tally::default(); scan.agents.len() + 1];
    for entry in scan.live() {
        tallies[usize::from(entry.agent)].add(entry.bytes());
    }
    let row = |(number, tally): (usize, &Tally)| AgentReport {
        agent_id: u16::try_from(number).ok().and_then(|number| scan.agents.id(number)).map(str::to_owned),
        entries: tally.entries,
        bytes: tally.bytes,
    };
    let mut rows: Vec<AgentReport> =
        tallies.iter().enumerate().filter(|(_, tally)| tally.entries > 0).map(row).collect();
    rows.sort_by(|a, b| b.bytes.cmp(&a.bytes).then_with(|| a.agent_id.cmp(&b.agent_id)));
    if rows.len() > ROWS {
        let rest = rows.split_off(ROWS);
        let entries = rest.iter().map(|row| row.entries).sum();
        let bytes = rest.iter().map(|row| row.bytes).sum();
        rows.push(AgentReport { agent_id: Some("other".to_owned()), entries, bytes });
    }
    rows
}

/// How fast the store grows.
pub fn growth(scan: &Scan, room: &Room, now: Millis) -> Option<Growth> {
    let made = |entry: &Entry| {
        let family = entry.family();
        let is_run = family == Family::RunRecord;
        let at = entry.updated_at.past(now).filter(|_| is_run || family.is_synthetic())?;
        Some(Made { at, bytes: entry.bytes(), is_run })
    };
    growth::growth(scan.live().filter_map(made), room, now)
}

/// What is known of the values of one field.
#[derive(Default)]
struct Seen {
    hashes: HashSet<u64>,
    values: u64,
    bytes: u64,
    copied: u64,
}

/// What stands in the store more than once, by some of its entries.
pub fn copies(judged: &mut Judged) -> io::Result<Copies> {
    let is_large = |entry: &&Entry| !entry.is(Flags::NOT_OBJECT) && entry.bytes() >= LARGE;
    let large = judged.reading.scan.live().filter(is_large).count();
    let step = large.div_ceil(LOOKED_AT).max(1);
    let chosen: Vec<Entry> = judged.reading.scan.live().filter(is_large).step_by(step).copied().collect();
    let source = &mut judged.reading.source;
    let mut seen: HashMap<String, Seen> = HashMap::new();
    for entry in &chosen {
        let object = members::value_span(source, entry)?;
        for found in large_values(source, object, LARGE)? {
            let bytes = found.value.end - found.value.start;
            let field = seen.entry(found.name).or_default();
            (field.values, field.bytes) = (field.values + 1, field.bytes + bytes);
            if !field.hashes.insert(hash(&read_range(source, found.value)?)) {
                field.copied += bytes;
            }
        }
    }
    let total = chosen.iter().map(Entry::bytes).sum();
    Ok(Copies { looked_at: chosen.len() as u64, entries: large as u64, fields: worth_telling(&seen, total) })
}

/// The fields with the most copies. Of a field and its parts, whatever holds more.
fn worth_telling(seen: &HashMap<String, Seen>, total: u64) -> Vec<CopiedField> {
    let parts = |name: &str| {
        let prefix = format!("{name}.");
        seen.iter()
            .filter(move |(part, _)| part.starts_with(&prefix))
            .map(|(_, part)| part.copied)
            .sum::<u64>()
    };
    let is_told = |name: &str, field: &Seen| match name.split_once('.').map(|(whole, _)| whole) {
        None => field.copied >= parts(name),
        Some(whole) => seen.get(whole).is_none_or(|holder| holder.copied < parts(whole)),
    };
    let mut rows: Vec<CopiedField> = seen
        .iter()
        .filter(|(name, field)| field.copied * WORTH_TELLING >= total.max(1) && is_told(name, field))
        .map(|(name, field)| CopiedField {
            name: name.clone(),
            values: field.values,
            distinct: field.hashes.len() as u64,
            bytes: field.bytes,
            copied_bytes: field.copied,
        })
        .collect();
    rows.sort_by(|a, b| b.copied_bytes.cmp(&a.copied_bytes).then_with(|| a.name.cmp(&b.name)));
    rows.truncate(FIELDS);
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(rows: &[(&str, u64, u64)]) -> HashMap<String, Seen> {
        let field = |&(name, bytes, copied): &(&str, u64, u64)| {
            (name.to_owned(), Seen { bytes, copied, ..Seen::default() })
        };
        rows.iter().map(field).collect()
    }

    fn told(rows: &[(&str, u64, u64)]) -> Vec<String> {
        worth_telling(&seen(rows), 10_000).into_iter().map(|field| field.name).collect()
    }

    #[test]
    fn of_a_field_and_its_parts_whatever_holds_more_copies_is_told() {
        assert_eq!(told(&[("a", 1000, 900), ("a.p", 500, 450), ("a.q", 400, 300), ("b", 999, 0)]), ["a"]);
        assert_eq!(told(&[("a", 1000, 0), ("a.p", 500, 450), ("a.q", 400, 300)]), ["a.p", "a.q"]);
        assert_eq!(told(&[("ab", 500, 500), ("a.p", 500, 450)]), ["ab", "a.p"]);
        assert!(told(&[("a", 1000, 99)]).is_empty(), "less than one in a hundred");
    }
}
