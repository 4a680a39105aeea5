//! The line that `guard` says of a store, with the priority that systemd's journal reads.

use crate::commands::speak;
use crate::diagnose::run::Edge;
use crate::evidence::discover::Situation;
use crate::host::journal;
use crate::report::escape::Shown;
use crate::report::format::{Counted, Size};
use crate::report::model::{Era, Finding, Outcome, Severity, StoreReport, StoreVerdict};
use crate::tell::Fate;

/// How much a line matters, by the numbers of syslog.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Priority {
    /// 6
    Info,
    /// 5
    Notice,
    /// 4
    Warning,
    /// 3
    Error,
}

impl Priority {
    /// The one of that number.
    pub fn of_number(number: u8) -> Self {
        match number {
            6.. => Priority::Info,
            5 => Priority::Notice,
            4 => Priority::Warning,
            _ => Priority::Error,
        }
    }

    /// As syslog counts.
    pub fn number(self) -> u8 {
        match self {
            Priority::Info => 6,
            Priority::Notice => 5,
            Priority::Warning => 4,
            Priority::Error => 3,
        }
    }
}

/// What is said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// How much it matters.
    pub priority: Priority,
    /// In words.
    pub text: String,
}

/// Says a line on stderr; with `-q` only what matters.
pub fn say(edge: &Edge<'_>, line: &Line) {
    if edge.request.output.quiet && line.priority < Priority::Warning {
        return;
    }
    let text = speak::redactor(edge, None).prose(&line.text, &[]);
    let priority = if journal::takes(edge.host, std::io::stderr()) {
        format!("<{}>", line.priority.number())
    } else {
        String::new()
    };
    eprintln!("{priority}sessions-doctor: {}", Shown::new(&text));
}

/// Where sessions live in SQLite there is nothing to guard.
pub fn of_era(situation: &Situation) -> Line {
    let why = match situation.era {
        Era::Unknown => situation.era_unknown.as_deref().unwrap_or("a database could not be read"),
        _ => "sessions live in SQLite",
    };
    let priority = if situation.era == Era::Unknown { Priority::Warning } else { Priority::Info };
    Line { priority, text: format!("{}: {why}: left alone", situation.state_dir.display()) }
}

/// What became of a store. `recovered` tells of those that were put together first.
pub fn of_store(
    store: &StoreReport,
    recovered: &[(String, Fate)],
    findings: &[Finding],
    check_only: bool,
) -> (Priority, String) {
    let before = recovered.iter().find(|(path, _)| *path == store.path);
    let (priority, text) = of_outcome(store, findings, check_only);
    match before {
        Some((_, fate)) if fate.outcome == Outcome::Applied => {
            let run =
                fate.backup.as_ref().map(|backup| format!(", its bytes are kept in run {}", backup.run));
            let kept = run.unwrap_or_default();
            (priority.max(Priority::Warning), format!("was damaged and put together again{kept}; {text}"))
        }
        Some((_, fate)) => {
            let why = fate.findings.iter().find(|finding| finding.severity == Severity::Error);
            let why = why.map_or("nothing certain is left of it", |finding| finding.message.as_str());
            (Priority::Error, format!("damaged, and not put together: {why}"))
        }
        None => (priority, text),
    }
}

fn of_outcome(store: &StoreReport, findings: &[Finding], check_only: bool) -> (Priority, String) {
    let error = findings
        .iter()
        .find(|one| one.severity == Severity::Error && one.path.as_deref() == Some(store.path.as_str()));
    let wrong = || error.map_or("something is wrong", |finding| finding.message.as_str()).to_owned();
    let counts = &store.entries;
    let deeds = counts.removed + counts.healed + counts.slimmed;
    match (store.outcome, store.verdict) {
        (Outcome::Applied, _) if error.is_none() => (Priority::Notice, done(store)),
        (Outcome::Applied, _) => (Priority::Error, format!("{}; but {}", done(store), wrong())),
        (Outcome::Busy | Outcome::Refused, _) => (Priority::Warning, wrong()),
        (Outcome::Failed, _) => (Priority::Error, wrong()),
        (_, StoreVerdict::Damaged | StoreVerdict::Missing) => (Priority::Error, wrong()),
        (Outcome::Unchanged, _) if error.is_some() => (Priority::Error, wrong()),
        (Outcome::Unchanged, _) if check_only && deeds > 0 => {
            (Priority::Notice, format!("would {}", deeds_of(store, "remove", "heal", "slim")))
        }
        (Outcome::Unchanged, _) if store.forecast.as_ref().is_some_and(|heap| heap.fits == Some(false)) => {
            let size = Size(store.bytes.unwrap_or(0));
            let text =
                format!("nothing that guard may do, and {size} are more than the gateway's heap can hold");
            (Priority::Warning, text)
        }
        (Outcome::Unchanged, _) => {
            let size = Size(store.bytes.unwrap_or(0));
            (Priority::Info, format!("nothing to do, {} in {size}", Counted::entries(counts.total)))
        }
    }
}

fn done(store: &StoreReport) -> String {
    let size = |bytes: Option<u64>| Size(bytes.unwrap_or(0)).to_string();
    let undo =
        store.backup.as_ref().map(|backup| format!("; `sessions-doctor undo {}` takes it back", backup.run));
    format!(
        "{}, {} -> {}{}",
        deeds_of(store, "removed", "healed", "slimmed"),
        size(store.bytes),
        size(store.bytes_after),
        undo.unwrap_or_default()
    )
}

fn deeds_of(store: &StoreReport, remove: &str, heal: &str, slim: &str) -> String {
    let counts = &store.entries;
    let rows = [(remove, counts.removed), (heal, counts.healed), (slim, counts.slimmed)];
    let told = rows.into_iter().filter(|(_, count)| *count > 0);
    told.map(|(word, count)| format!("{word} {}", Counted::entries(count))).collect::<Vec<_>>().join(", ")
}
