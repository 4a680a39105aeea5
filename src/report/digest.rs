//! What changed from one look to the next, for `check --watch`.

use std::collections::BTreeMap;

use super::format::{Count, Counted, Size};
use super::model::{Report, Severity, StoreReport, StoreVerdict};

/// What one look found, each thing under a name that the next look gives it too.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Digest(BTreeMap<String, String>);

impl Digest {
    /// Of a report. Notes and times are left out: they change with every look.
    pub fn of(report: &Report) -> Self {
        let mut found = BTreeMap::new();
        for store in &report.stores {
            found.insert(store.path.clone(), line(store));
        }
        for finding in report.findings.iter().filter(|finding| finding.severity > Severity::Info) {
            let place = finding.path.as_deref().unwrap_or_default();
            let name = format!("{}{}{place}", finding.check_id, if place.is_empty() { "" } else { " " });
            let count = finding.count.filter(|&count| count > 1);
            let times = count.map(|count| format!(" ({} times)", Count(count))).unwrap_or_default();
            let said = found.entry(name).or_insert_with(String::new);
            *said = format!("{said}{}{}{times}", if said.is_empty() { "" } else { "; " }, finding.message);
        }
        let running = match report.gateway.running {
            Some(true) => "running",
            Some(false) => "stopped",
            None => "unknown",
        };
        found.insert("gateway".to_owned(), running.to_owned());
        Digest(found)
    }

    /// What is other than it was `before`, a line for each.
    pub fn since(&self, before: &Digest) -> Vec<String> {
        let changed = self.0.iter().filter(|(name, text)| before.0.get(*name) != Some(text));
        let mut lines: Vec<String> = changed.map(|(name, text)| format!("{name}: {text}")).collect();
        let gone = before.0.keys().filter(|name| !self.0.contains_key(*name));
        lines.extend(gone.map(|name| format!("{name}: gone")));
        lines
    }
}

/// A store in a line: its verdict, its size, and how many entries of each class it has.
fn line(store: &StoreReport) -> String {
    let verdict = match store.verdict {
        StoreVerdict::Healthy => "healthy",
        StoreVerdict::Findings => "findings",
        StoreVerdict::Damaged => "damaged",
        StoreVerdict::Missing => "missing",
    };
    let size = store.bytes.map(|bytes| format!(", {}", Size(bytes))).unwrap_or_default();
    let classes: Vec<String> = store
        .classes
        .iter()
        .filter(|(_, tally)| tally.entries > 0)
        .map(|(class, tally)| format!("{} {class}", Count(tally.entries)))
        .collect();
    format!("{verdict}{size}, {}: {}", Counted::entries(store.entries.total), classes.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture::{bloated, healthy, report};
    use crate::report::model::Finding;

    fn finding(severity: Severity, count: u64) -> Finding {
        Finding {
            check_id: "cron-stuck-marker",
            severity,
            message: "stuck".to_owned(),
            path: Some("/jobs.json".to_owned()),
            count: Some(count),
            fix_hint: None,
        }
    }

    #[test]
    fn only_what_changed_is_told_and_what_went_as_well() {
        let mut before = report(vec![healthy()]);
        before.findings = vec![finding(Severity::Warning, 2), finding(Severity::Info, 9)];
        let digest = Digest::of(&before);
        before.now += 60_000;
        assert!(Digest::of(&before).since(&digest).is_empty());
        let mut after = report(vec![bloated()]);
        after.gateway.running = None;
        let told = Digest::of(&after).since(&digest);
        assert_eq!(told.len(), 3, "{told:?}");
        assert!(told[0].contains("findings, 185 MB, 6,539 entries: 31 live, 211 orphaned"), "{told:?}");
        assert_eq!(told[1..], ["gateway: unknown", "cron-stuck-marker /jobs.json: gone"]);
        let all = digest.since(&Digest::default());
        assert!(all.contains(&"cron-stuck-marker /jobs.json: stuck (2 times)".to_owned()), "{all:?}");
    }
}
