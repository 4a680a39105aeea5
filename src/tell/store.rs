//! One store, told.

use std::collections::BTreeMap;

use super::{Fate, bloat, jobs};
use crate::diagnose::{Condition, Diagnosed, Diagnosis, Judged};
use crate::model::entry::Flags;
use crate::model::store::StoreFile;
use crate::model::verdict::{Action, Class};
use crate::plan::forecast;
use crate::plan::growth::Room;
use crate::report::model::{
    BrakeReport, Damage, EntryCounts, FieldReport, OpenclawReads, Outcome, StoreReport, StoreVerdict, Tally,
};
use crate::rules::store::{Damaged, LARGEST};
use crate::scan::entries::Scan;

/// A list of the report holds so many rows, and one for the rest.
pub const ROWS: usize = 100;

/// Tells store `at`.
pub fn tell(diagnosis: &mut Diagnosis, at: usize, fate: &Fate) -> std::io::Result<StoreReport> {
    let mut told = blank(&diagnosis.stores[at].file, fate);
    let heap_limit = diagnosis.heap_limit;
    let Diagnosis { stores, evidence, situation, policy, .. } = diagnosis;
    let Diagnosed { file, condition, loss, .. } = &mut stores[at];
    match condition {
        Condition::Absent | Condition::Missing => told.verdict = StoreVerdict::Missing,
        Condition::Busy(_) => told.outcome = Outcome::Busy,
        Condition::Failed(_) => told.outcome = Outcome::Failed,
        Condition::Damaged(reading, damage) => {
            told.verdict = StoreVerdict::Damaged;
            told.bytes = Some(reading.bytes);
            told.damage = damage.iter().map(damage_row).collect();
            told.entries = counts_of_damaged(&reading.scan);
        }
        Condition::Whole(judged) => {
            told.jobs = jobs::tell(judged, &evidence.jobs)?;
            whole(&mut told, judged, fate, heap_limit);
            if file.in_database {
                told.forecast = None;
            } else if fate.outcome != Outcome::Applied {
                let room = Room {
                    bytes: judged.reading.bytes,
                    largest: LARGEST,
                    heap_limit,
                    rotate_bytes: situation.config.session.maintenance.rotate_bytes,
                    retention: policy.run_retention,
                };
                told.growth = bloat::growth(&judged.reading.scan, &room, evidence.now);
                told.copies = Some(bloat::copies(judged)?);
            }
            if loss.is_any() {
                told.verdict = StoreVerdict::Damaged;
            }
        }
    }
    Ok(told)
}

/// A store of which nothing is known yet.
pub fn blank(file: &StoreFile, fate: &Fate) -> StoreReport {
    StoreReport {
        agent_ids: file.agents.clone(),
        path: file.path.display().to_string(),
        bytes: None,
        verdict: StoreVerdict::Findings,
        outcome: fate.outcome,
        openclaw_reads: OpenclawReads { entries: Some(0), outcome: "empty" },
        entries: EntryCounts::default(),
        bytes_after: None,
        classes: BTreeMap::new(),
        class_actions: BTreeMap::new(),
        rules: BTreeMap::new(),
        kept_because: BTreeMap::new(),
        brakes: Vec::new(),
        jobs: Vec::new(),
        fields: Vec::new(),
        whitespace_bytes: None,
        families: BTreeMap::new(),
        agents: Vec::new(),
        copies: None,
        growth: None,
        forecast: None,
        damage: Vec::new(),
        damage_omitted: 0,
        sources: Vec::new(),
        backup: fate.backup.clone(),
    }
}

fn whole(told: &mut StoreReport, judged: &Judged, fate: &Fate, heap_limit: Option<u64>) {
    let summary = &judged.plan.summary;
    let scan = &judged.reading.scan;
    let oversized = judged.reading.bytes > LARGEST;
    told.bytes = Some(judged.reading.bytes);
    told.verdict = if summary.is_change() || oversized || !judged.plan.brakes.is_empty() {
        StoreVerdict::Findings
    } else {
        StoreVerdict::Healthy
    };
    if !oversized {
        told.openclaw_reads = OpenclawReads { entries: Some(summary.total), outcome: "all" };
    }
    told.entries = EntryCounts {
        total: summary.total,
        kept: summary.total - summary.removed,
        removed: summary.removed,
        healed: summary.healed,
        slimmed: summary.slimmed,
        recovered: 0,
    };
    told.bytes_after = match &fate.table {
        Some(table) if summary.is_change() => Some(table.len()),
        _ => Some(judged.reading.bytes),
    };
    told.classes = summary.classes.clone();
    told.rules = summary.rules.clone();
    told.kept_because = summary.kept_because.clone();
    told.class_actions = class_actions(judged);
    told.brakes = judged
        .plan
        .brakes
        .iter()
        .map(|brake| BrakeReport {
            family: brake.family.name().to_owned(),
            share: brake.share,
            entries: brake.entries,
        })
        .collect();
    told.fields = fields(scan);
    told.whitespace_bytes = Some(scan.outcome.whitespace);
    told.families = bloat::families(scan);
    told.agents = bloat::agents(scan);
    told.forecast = Some(forecast::forecast(judged.reading.bytes, heap_limit));
}

fn class_actions(judged: &Judged) -> BTreeMap<String, BTreeMap<String, Tally>> {
    let mut tallies = [[Tally::default(); Action::ALL.len()]; Class::ALL.len()];
    for (entry, decision) in judged.reading.scan.entries.iter().zip(&judged.plan.decisions) {
        if !entry.is(Flags::OVERRIDDEN) {
            tallies[decision.class() as usize][decision.action as usize].add(entry.bytes());
        }
    }
    let actions = |tallies: &[Tally]| {
        let told = Action::ALL.iter().zip(tallies).filter(|(_, tally)| tally.entries > 0);
        told.map(|(action, tally)| (action.name().to_owned(), *tally)).collect::<BTreeMap<_, _>>()
    };
    let classes = Class::ALL.iter().zip(&tallies).map(|(class, row)| (class.name().to_owned(), actions(row)));
    classes.filter(|(_, actions)| !actions.is_empty()).collect()
}

fn fields(scan: &Scan) -> Vec<FieldReport> {
    let row = |name: &str, bytes, entries| FieldReport { name: name.to_owned(), bytes, entries };
    let mut rows: Vec<FieldReport> =
        scan.fields.iter().map(|(name, tally)| row(name, tally.bytes, tally.entries)).collect();
    rows.sort_by(|a, b| b.bytes.cmp(&a.bytes).then_with(|| a.name.cmp(&b.name)));
    if rows.len() > ROWS {
        let rest = rows.split_off(ROWS);
        let bytes = rest.iter().map(|row| row.bytes).sum();
        let entries = rest.iter().map(|row| row.entries).sum();
        rows.push(row("other", bytes, entries));
    }
    rows
}

/// A place of damage, told.
pub fn damage_row(damage: &Damaged) -> Damage {
    Damage {
        rule: damage.rule.id.to_owned(),
        start: damage.start,
        end: damage.end,
        line: damage.line,
        column: damage.column,
        detail: damage.detail.clone(),
    }
}

/// What stands before the fault; nobody removes any of it.
fn counts_of_damaged(scan: &Scan) -> EntryCounts {
    let total = scan.live().count() as u64;
    EntryCounts { total, kept: total, ..EntryCounts::default() }
}
