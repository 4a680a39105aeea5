//! Reports to test with: a store as in a well-known report of a crash loop, and smaller ones.

use std::collections::BTreeMap;
use std::io;

use super::model::*;

/// Changes held in memory, one list per store; `fail_after` makes the source fail.
#[derive(Default)]
pub(crate) struct VecChanges {
    pub(crate) stores: Vec<Vec<Change>>,
    pub(crate) fail_after: Option<usize>,
}

impl Changes for VecChanges {
    fn for_each(&mut self, store: usize, sink: &mut dyn FnMut(&Change) -> io::Result<()>) -> io::Result<()> {
        let empty = Vec::new();
        for (index, change) in self.stores.get(store).unwrap_or(&empty).iter().enumerate() {
            if self.fail_after == Some(index) {
                return Err(io::Error::other("the store shrank"));
            }
            sink(change)?;
        }
        Ok(())
    }
}

pub(crate) const NOW: i64 = 1_795_223_354_743;
pub(crate) const STORE: &str = "/home/ada/.openclaw/agents/main/sessions/sessions.json";
pub(crate) const RUN_KEY: &str = "agent:main:cron:mail-job:run:7d3c9a52-0a7e-4d06-9d0b-5f6f2f3c1d10";

pub(crate) fn report(stores: Vec<StoreReport>) -> Report {
    Report {
        schema: "sessions-doctor/report",
        version: 1,
        tool: Tool { name: "sessions-doctor", version: "0.1.0" },
        command: "check".to_owned(),
        applied: false,
        now: NOW,
        state_dir: Some("/home/ada/.openclaw".to_owned()),
        era: Era::Json,
        gateway: GatewayReport {
            running: Some(false),
            pid: None,
            started_at: None,
            version: None,
            evidence: vec!["port 18789 refused".to_owned()],
        },
        evidence: vec![EvidenceItem {
            kind: "cron-jobs",
            path: "/home/ada/.openclaw/cron/jobs.json".to_owned(),
            state: EvidenceState::Read,
        }],
        cron_jobs: Vec::new(),
        files: Vec::new(),
        runs: Vec::new(),
        stores,
        findings: Vec::new(),
        complete: true,
        exit_code: 0,
    }
}

/// A store in order.
pub(crate) fn healthy() -> StoreReport {
    StoreReport {
        agent_ids: vec!["main".to_owned()],
        path: STORE.to_owned(),
        bytes: Some(412_345),
        verdict: StoreVerdict::Healthy,
        outcome: Outcome::Unchanged,
        openclaw_reads: OpenclawReads { entries: Some(33), outcome: "all" },
        entries: EntryCounts { total: 33, kept: 33, ..EntryCounts::default() },
        bytes_after: Some(412_345),
        classes: BTreeMap::from([("live".to_owned(), Tally { entries: 33, bytes: 412_000 })]),
        class_actions: BTreeMap::new(),
        rules: BTreeMap::new(),
        kept_because: BTreeMap::new(),
        brakes: Vec::new(),
        jobs: Vec::new(),
        fields: Vec::new(),
        whitespace_bytes: Some(1000),
        families: BTreeMap::new(),
        agents: Vec::new(),
        copies: None,
        growth: None,
        forecast: None,
        damage: Vec::new(),
        damage_omitted: 0,
        sources: Vec::new(),
        backup: None,
    }
}

fn tallies(rows: &[(&str, u64, u64)]) -> BTreeMap<String, Tally> {
    rows.iter()
        .map(|(name, entries, bytes)| ((*name).to_owned(), Tally { entries: *entries, bytes: *bytes }))
        .collect()
}

/// 185 MB, 6,539 entries, nearly all of them run records.
pub(crate) fn bloated() -> StoreReport {
    StoreReport {
        bytes: Some(185_234_567),
        verdict: StoreVerdict::Findings,
        openclaw_reads: OpenclawReads { entries: Some(6539), outcome: "all" },
        entries: EntryCounts { total: 6539, kept: 33, removed: 6506, healed: 2, ..EntryCounts::default() },
        bytes_after: Some(412_345),
        classes: tallies(&[
            ("zombie", 4103, 116_200_000),
            ("stale", 2194, 62_600_000),
            ("orphaned", 211, 5_900_000),
            ("live", 31, 410_000),
        ]),
        class_actions: BTreeMap::from([
            ("zombie".to_owned(), tallies(&[("remove", 4101, 116_150_000), ("heal", 2, 50_000)])),
            ("stale".to_owned(), tallies(&[("remove", 2194, 62_600_000)])),
            ("orphaned".to_owned(), tallies(&[("remove", 211, 5_900_000)])),
            ("live".to_owned(), tallies(&[("keep", 31, 410_000)])),
        ]),
        rules: tallies(&[("zombie-dead-owner", 4103, 116_200_000), ("stale-run", 2194, 62_600_000)]),
        kept_because: tallies(&[
            ("protected-direct", 12, 150_000),
            ("protected-base-cron", 4, 90_000),
            ("protected-main", 1, 20_000),
            ("grace", 3, 60_000),
        ]),
        jobs: vec![job("mail-job", Some("Check mail"), 2075, 58_900_000, Some(true)), {
            let mut other = job("other", None, 4449, 125_000_000, None);
            (other.median_interval_ms, other.statuses) =
                (None, BTreeMap::from([("unknown".to_owned(), 4449)]));
            other
        }],
        forecast: Some(Forecast {
            heap_bytes_low: 1_200_000_000,
            heap_bytes_high: 1_900_000_000,
            heap_limit_bytes: Some(2_100_000_000),
            fits: Some(true),
            basis: "three copies while saving, Node 22 default heap limit".to_owned(),
        }),
        ..healthy()
    }
}

pub(crate) fn job(id: &str, name: Option<&str>, entries: u64, bytes: u64, known: Option<bool>) -> JobReport {
    JobReport {
        job_id: id.to_owned(),
        name: name.map(str::to_owned),
        entries,
        bytes,
        statuses: BTreeMap::from([
            ("running".to_owned(), entries * 6 / 10),
            ("unknown".to_owned(), entries - entries * 6 / 10),
        ]),
        first_at: Some(NOW - 1_500_000),
        last_at: Some(NOW),
        median_interval_ms: Some(41_000),
        known,
    }
}

pub(crate) fn change() -> Change {
    Change {
        key: RUN_KEY.to_owned(),
        key_bytes: None,
        family: "run-record",
        class: Some("zombie"),
        rule: "zombie-finished",
        action: "remove",
        confidence: Some("certain"),
        protected_by: None,
        reasons: vec!["finished ok at /home/ada/.openclaw/cron/runs/mail-job.jsonl:812".to_owned()],
        source: None,
        start: 10,
        end: 2000,
        edits: Vec::new(),
        session_id: Some("7d3c9a52-0a7e-4d06-9d0b-5f6f2f3c1d10".to_owned()),
        updated_at: Some(NOW - 10_000),
        status: Some("running".to_owned()),
    }
}

/// A base that is healed although it is protected from removal.
pub(crate) fn healed() -> Change {
    Change {
        key: "agent:main:cron:mail-job".to_owned(),
        family: "cron-base",
        rule: "zombie-dead-owner",
        action: "heal",
        confidence: Some("likely"),
        protected_by: Some("protected-base-cron"),
        edits: vec![
            Edit { field: "status".to_owned(), old: "running".into(), new: "failed".into() },
            Edit { field: "endedAt".to_owned(), old: serde_json::Value::Null, new: NOW.into() },
        ],
        ..change()
    }
}
