//! The report as metrics: Prometheus' text format, for the textfile collector of node_exporter.
//!
//! Names carry their base unit, sizes are bytes and times seconds, as Prometheus wants them. Samples have no
//! timestamps: the collector takes the time of the file. What is not known has no sample.

use prometheus::{GaugeVec, Opts, Registry, TextEncoder};

use super::model::{Growth, Report, Severity, StoreReport, StoreVerdict};
use crate::model::Millis;

/// What `guard` left of its last starts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Guarded {
    /// When it last changed something.
    pub last_action: Option<Millis>,
    /// When it was last started.
    pub last_start: Option<Millis>,
    /// Starts within ten minutes of the look.
    pub recent_starts: u64,
}

/// Seconds in a day.
const DAY: f64 = 86_400.0;

/// The metrics of a report. `ended_at` is the real clock.
///
/// # Errors
///
/// Only where two metrics have one name, which is a mistake in here.
pub fn text(report: &Report, guarded: Option<&Guarded>, ended_at: Millis) -> prometheus::Result<String> {
    let sheet = Sheet { registry: Registry::new() };
    let version = report.tool.version.to_owned();
    sheet.gauge("build_info", "The program that looked; always 1.", ["version"], [([version], 1.0)])?;
    sheet.plain("last_check_timestamp_seconds", "When the last look ended.", Some(seconds(ended_at)))?;
    sheet.plain("complete", "Whether the last look saw everything.", Some(flag(report.complete)))?;
    sheet.plain("exit_code", "What the last look exited with.", Some(f64::from(report.exit_code)))?;
    let running = report.gateway.running.map(flag);
    sheet.plain("gateway_running", "Whether the gateway runs; missing where that is not known.", running)?;
    sheet.findings(report)?;
    sheet.stores(&report.stores)?;
    sheet.forecasts(&report.stores)?;
    if let Some(guarded) = guarded {
        sheet.guard(guarded)?;
    }
    TextEncoder::new().encode_to_string(&sheet.registry.gather())
}

/// Metrics as they are put together.
struct Sheet {
    registry: Registry,
}

impl Sheet {
    /// A family of gauges; none where it has no samples.
    fn gauge<const N: usize>(
        &self,
        name: &str,
        help: &str,
        labels: [&str; N],
        samples: impl IntoIterator<Item = ([String; N], f64)>,
    ) -> prometheus::Result<()> {
        let family = GaugeVec::new(Opts::new(format!("sessions_doctor_{name}"), help), &labels)?;
        for (values, value) in samples {
            let values: Vec<&str> = values.iter().map(String::as_str).collect();
            family.with_label_values(&values).set(value);
        }
        self.registry.register(Box::new(family))
    }

    fn plain(&self, name: &str, help: &str, value: Option<f64>) -> prometheus::Result<()> {
        self.gauge(name, help, [], value.map(|value| ([], value)))
    }

    /// Stuck jobs, orphans, leftovers, damage: each rule by its id.
    fn findings(&self, report: &Report) -> prometheus::Result<()> {
        let mut sums = std::collections::BTreeMap::new();
        for finding in &report.findings {
            let severity = match finding.severity {
                Severity::Info => "info",
                Severity::Warning => "warning",
                Severity::Error => "error",
            };
            *sums.entry((finding.check_id, severity)).or_insert(0) += finding.count.unwrap_or(1);
        }
        let sample = |((rule, severity), count): ((&str, &str), u64)| {
            ([rule.to_owned(), severity.to_owned()], count as f64)
        };
        let help = "What the last look found, by rule.";
        self.gauge("findings", help, ["rule", "severity"], sums.into_iter().map(sample))
    }

    fn stores(&self, stores: &[StoreReport]) -> prometheus::Result<()> {
        let of = |value: fn(&StoreReport) -> Option<f64>| {
            stores.iter().filter_map(move |store| Some(([store.path.clone()], value(store)?)))
        };
        let size = of(|store| store.bytes.map(|bytes| bytes as f64));
        self.gauge("store_size_bytes", "Size of the store.", ["store"], size)?;
        let sound =
            of(|store| Some(flag(!matches!(store.verdict, StoreVerdict::Damaged | StoreVerdict::Missing))));
        self.gauge(
            "store_sound",
            "Whether OpenClaw can read the store, and nothing is lost.",
            ["store"],
            sound,
        )?;
        let classes = stores.iter().flat_map(|store| {
            store
                .classes
                .iter()
                .map(|(class, tally)| ([store.path.clone(), class.clone()], tally.entries as f64))
        });
        self.gauge("store_entries", "Entries by verdict.", ["store", "class"], classes)?;
        let families = stores.iter().flat_map(|store| {
            store
                .families
                .iter()
                .map(|(family, tally)| ([store.path.clone(), family.clone()], tally.bytes as f64))
        });
        self.gauge("store_family_bytes", "Bytes by family of the key.", ["store", "family"], families)
    }

    fn forecasts(&self, stores: &[StoreReport]) -> prometheus::Result<()> {
        let range = |of: fn(&StoreReport) -> Option<(f64, f64)>| {
            stores.iter().flat_map(move |store| {
                let bound = |name: &str, value| ([store.path.clone(), name.to_owned()], value);
                let samples = of(store).map(|(low, high)| [bound("low", low), bound("high", high)]);
                samples.into_iter().flatten()
            })
        };
        let growth = range(|store| store.growth.as_ref().map(pace));
        let help = "How fast the store grows, as a range.";
        self.gauge("store_growth_bytes_per_second", help, ["store", "bound"], growth)?;
        let heap = range(|store| {
            store.forecast.as_ref().map(|heap| (heap.heap_bytes_low as f64, heap.heap_bytes_high as f64))
        });
        let help = "What the store costs the gateway's heap, as a range.";
        self.gauge("store_heap_bytes", help, ["store", "bound"], heap)?;
        let limit = stores.iter().find_map(|store| store.forecast.as_ref()?.heap_limit_bytes);
        self.plain("heap_limit_bytes", "The gateway's heap limit.", limit.map(|limit| limit as f64))?;
        let reaches = stores.iter().flat_map(|store| {
            let limits = store.growth.iter().flat_map(|growth| &growth.reaches);
            limits.map(|reach| ([store.path.clone(), reach.limit.clone()], seconds(reach.earliest_at)))
        });
        let help = "When the store comes to a limit at the earliest.";
        self.gauge("store_limit_timestamp_seconds", help, ["store", "limit"], reaches)
    }

    fn guard(&self, guarded: &Guarded) -> prometheus::Result<()> {
        let action = guarded.last_action.map(seconds);
        self.plain("guard_last_action_timestamp_seconds", "When guard last changed a store.", action)?;
        let start = guarded.last_start.map(seconds);
        self.plain("guard_last_start_timestamp_seconds", "When guard was last started.", start)?;
        let recent = Some(guarded.recent_starts as f64);
        self.plain("guard_recent_starts", "Starts of guard in the ten minutes before the look.", recent)
    }
}

/// Bytes a second, as a range.
fn pace(growth: &Growth) -> (f64, f64) {
    (growth.bytes_per_day_low as f64 / DAY, growth.bytes_per_day_high as f64 / DAY)
}

fn seconds(at: Millis) -> f64 {
    at as f64 / 1000.0
}

fn flag(holds: bool) -> f64 {
    if holds { 1.0 } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture::{NOW, bloated, healthy, report};
    use crate::report::model::{Finding, Reach};

    fn sample(text: &str, name: &str) -> Option<String> {
        let found = text.lines().find(|line| line.starts_with(name))?;
        found.rsplit(' ').next().map(str::to_owned)
    }

    #[test]
    fn a_report_becomes_samples_with_base_units_and_no_timestamps() {
        let mut store = bloated();
        store.path = "/a \"quoted\"\\ path\nof two lines".to_owned();
        store.growth = Some(Growth {
            bytes_per_day_low: 86_400,
            bytes_per_day_high: 172_800,
            entries_per_day_low: 1,
            entries_per_day_high: 2,
            reaches: vec![Reach {
                limit: "string-limit".to_owned(),
                bytes_low: 1,
                bytes_high: 1,
                earliest_at: NOW + 5000,
                latest_at: None,
            }],
            basis: String::new(),
        });
        let mut report = report(vec![store, healthy()]);
        let finding = |count| Finding {
            check_id: "cron-stuck-marker",
            severity: Severity::Warning,
            message: String::new(),
            path: None,
            count,
            fix_hint: None,
        };
        report.findings = vec![finding(Some(3)), finding(None)];
        let guarded = Guarded { last_action: None, last_start: Some(NOW), recent_starts: 12 };
        let text = text(&report, Some(&guarded), NOW).unwrap();
        let stuck = "sessions_doctor_findings{rule=\"cron-stuck-marker\",severity=\"warning\"}";
        assert_eq!(sample(&text, stuck).as_deref(), Some("4"));
        assert_eq!(sample(&text, "sessions_doctor_guard_recent_starts").as_deref(), Some("12"));
        assert_eq!(sample(&text, "sessions_doctor_guard_last_action"), None, "it never acted");
        assert_eq!(sample(&text, "sessions_doctor_gateway_running").as_deref(), Some("0"));
        let path = r#"store="/a \"quoted\"\\ path\nof two lines""#;
        for (name, labels, value) in [
            ("store_size_bytes", "", "185234567"),
            ("store_entries", "class=\"zombie\",", "4103"),
            ("store_growth_bytes_per_second", "bound=\"high\",", "2"),
            ("store_limit_timestamp_seconds", "limit=\"string-limit\",", "1795223359.743"),
        ] {
            let line = format!("sessions_doctor_{name}{{{labels}{path}}}");
            assert_eq!(sample(&text, &line).as_deref(), Some(value), "{line}\n{text}");
        }
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let value = line.rsplit(' ').next().unwrap();
            assert!(value.parse::<f64>().is_ok_and(|value| value < 4e9), "{line}");
        }
    }
}
