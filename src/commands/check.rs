//! `check`, and `prune` without `--apply`: looks, plans, says; writes nothing but the metrics that were asked for.

use std::path::Path;
use std::time::Duration;

use super::speak;
use crate::apply::ApplyError;
use crate::apply::memory::Memory;
use crate::apply::small;
use crate::cli::verbs::Check;
use crate::diagnose::run::{Edge, LookError, diagnose};
use crate::diagnose::{Condition, Diagnosis, changeset, records};
use crate::evidence::discover::Situation;
use crate::exit::Exit;
use crate::host::Host;
use crate::model::Millis;
use crate::report::digest::Digest;
use crate::report::format::Moment;
use crate::report::metrics::{self, Guarded};
use crate::report::model::Report;
use crate::report::redact::redact_report;
use crate::tell::{self, Fate};

/// Starts of `guard` are counted over so long.
const RECENT: Millis = 10 * 60_000;

/// Looks and says what would be done; once, or again and again.
pub fn run(edge: &Edge<'_>, wanted: &Check) -> anyhow::Result<Exit> {
    match wanted.watch {
        Some(interval) => watch(edge, wanted, interval),
        None => once(edge, wanted),
    }
}

/// Looks and says what would be done.
pub fn dry(edge: &Edge<'_>) -> anyhow::Result<Exit> {
    once(edge, &Check::default())
}

/// A look, and what it came to.
struct Looked {
    diagnosis: Diagnosis,
    fates: Vec<Fate>,
    report: Report,
}

fn look(edge: &Edge<'_>) -> Result<Looked, LookError> {
    let mut diagnosis = diagnose(edge, false)?;
    let fates = plans(&mut diagnosis);
    let report = tell::report(&mut diagnosis, &fates, edge.request.verb.name(), false)?;
    Ok(Looked { diagnosis, fates, report })
}

fn once(edge: &Edge<'_>, wanted: &Check) -> anyhow::Result<Exit> {
    let Looked { mut diagnosis, fates, report } = match look(edge) {
        Ok(looked) => looked,
        Err(error) => return speak::failure(edge, &error),
    };
    let written = publish(edge, wanted, &diagnosis, &report);
    Ok(speak::told(edge, &mut diagnosis, &fates, report)?.worst(written))
}

/// Keeps looking, and says what changed since the look before. Ends with a signal.
fn watch(edge: &Edge<'_>, wanted: &Check, interval: Duration) -> anyhow::Result<Exit> {
    let mut before = None;
    loop {
        let host = Host::current();
        let system = host.system();
        let Edge { request, progress, cancel, writer, out, .. } = *edge;
        let now = &Edge { host: &host, system: &system, request, progress, cancel, writer, out };
        match look(now) {
            Ok(looked) => before = Some(told(now, wanted, looked, before)?),
            Err(LookError::Cancelled(exit)) => return Ok(exit),
            Err(error) => speak::say(now, &error.to_string()),
        }
        if let Err(ApplyError::Interrupted(exit)) = cancel.sleep(interval) {
            return Ok(exit);
        }
    }
}

/// The whole report at first, then the lines that are other than before.
fn told(edge: &Edge<'_>, wanted: &Check, looked: Looked, before: Option<Digest>) -> anyhow::Result<Digest> {
    let Looked { mut diagnosis, fates, report } = looked;
    publish(edge, wanted, &diagnosis, &report);
    let digest = Digest::of(&report);
    match before {
        None => {
            speak::told(edge, &mut diagnosis, &fates, report)?;
        }
        Some(before) => {
            let changes = digest.since(&before);
            if edge.request.output.json && !changes.is_empty() {
                speak::told(edge, &mut diagnosis, &fates, report)?;
            } else {
                let at = Moment(edge.host.now_ms).to_string();
                speak::lines(edge, changes.iter().map(|change| format!("{at}  {change}")))?;
            }
        }
    }
    Ok(digest)
}

/// Writes the metrics that were asked for. What cannot be written is said, and is exit code 6.
fn publish(edge: &Edge<'_>, wanted: &Check, diagnosis: &Diagnosis, report: &Report) -> Exit {
    let Some(file) = &wanted.metrics else { return Exit::Healthy };
    let mut report = report.clone();
    redact_report(&speak::redactor(edge, Some(diagnosis)), &mut report);
    let guarded = guarded(&diagnosis.situation, edge.host.now_ms);
    let written = metrics::text(&report, guarded.as_ref(), edge.host.now_ms)
        .map_err(anyhow::Error::from)
        .and_then(|text| Ok(small::put_over(edge.writer.disk, file, &text, 0o644)?));
    match written {
        Ok(()) => Exit::Healthy,
        Err(error) => {
            let place = Path::new(file).display();
            speak::say(edge, &format!("the metrics were not written to {place}: {error:#}"));
            Exit::Io
        }
    }
}

/// What `guard` remembers; `None` where it was never started here.
fn guarded(situation: &Situation, now: Millis) -> Option<Guarded> {
    let memory = Memory::read(&records::of_guard(situation)?);
    let last_start = memory.starts.last().copied()?;
    Some(Guarded {
        last_action: memory.last_action.as_ref().map(|deed| deed.at),
        last_start: Some(last_start),
        recent_starts: memory.starts_since(now - RECENT, now) as u64,
    })
}

/// What the plan of every store means in bytes.
pub fn plans(diagnosis: &mut Diagnosis) -> Vec<Fate> {
    let mut fates = Vec::new();
    for at in 0..diagnosis.stores.len() {
        // Taken out for a moment, so that the rest of the diagnosis can be read beside it.
        let mut condition = std::mem::replace(&mut diagnosis.stores[at].condition, Condition::Absent);
        let table = match &mut condition {
            // Of a database there is no new file, whatever the verb.
            Condition::Whole(judged) if diagnosis.stores[at].file.is_writable() => {
                Some(changeset::build(judged, diagnosis))
            }
            _ => None,
        };
        let table = table.transpose().unwrap_or_else(|error| {
            condition = Condition::of_error(error);
            None
        });
        diagnosis.stores[at].condition = condition;
        fates.push(Fate::untouched(table));
    }
    fates
}
