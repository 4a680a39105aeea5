//! `guard`: the look just before the gateway starts.
//!
//! In a crash loop that is the one moment at which a store can be written safely. So it takes bounded time, acts on
//! certain verdicts about cron entries alone, puts a damaged store together before OpenClaw takes it for empty, and lets
//! the gateway start whatever happens. It never touches other families, markers, transcripts, or a directory whose
//! sessions live in SQLite.

mod line;

use std::path::PathBuf;
use std::time::Instant;

use self::line::{Line, Priority};
use super::{check, prune, recover, speak, write};
use crate::apply::memory::{Deed, Memory, Told, World};
use crate::cli::args::WriteArgs;
use crate::cli::verbs::{Guard, Recover};
use crate::diagnose::run::{Edge, LookError, diagnose_in};
use crate::diagnose::{Condition, Diagnosis, records};
use crate::evidence::discover::{self, Situation};
use crate::exit::Exit;
use crate::model::Millis;
use crate::model::verdict::Confidence;
use crate::progress::Progress;
use crate::report::model::{Era, NoChanges, Outcome, Report, StoreReport};
use crate::tell::{self, Fate};

/// After so long a world that did not change is looked at all the same: time alone makes runs stale.
const LOOK_AGAIN: Millis = 3_600_000;

/// So many starts within [`LOOP_SPAN`] are a crash loop.
const LOOP_STARTS: usize = 5;

/// See [`LOOP_STARTS`].
const LOOP_SPAN: Millis = 10 * 60_000;

/// Looks, acts, and says a line for each store.
pub fn run(edge: &Edge<'_>, wanted: &Guard) -> anyhow::Result<Exit> {
    let cancel = edge.cancel.until(Instant::now() + wanted.time_budget);
    let silent = Progress::silent();
    let Edge { host, system, request, writer, out, .. } = *edge;
    let edge = &Edge { host, system, request, progress: &silent, cancel: &cancel, writer, out };
    let exit = match guard(edge, wanted) {
        Ok(exit) => exit,
        Err(error) => {
            line::say(edge, &of_failure(edge, &error));
            failed(&error)
        }
    };
    let asked_to_stop = matches!(exit, Exit::Interrupted | Exit::Terminated);
    Ok(if wanted.strict || asked_to_stop { exit } else { Exit::Healthy })
}

/// What a start remembers of those before it.
struct Start {
    /// Where it is kept; `None` where nothing may be remembered.
    records: Option<PathBuf>,
    memory: Memory,
}

fn guard(edge: &Edge<'_>, wanted: &Guard) -> Result<Exit, LookError> {
    let mut situation = look(edge)?;
    if matches!(situation.era, Era::Sqlite | Era::Unknown) {
        line::say(edge, &line::of_era(&situation));
        return report(edge, speak::of_situation(edge, &situation), None);
    }
    let start = Start::begin(edge, wanted, &situation);
    // Whoever asks for a report gets a whole one, however little changed.
    if !edge.request.output.json && start.is_settled(edge, &situation) {
        for told in &start.memory.told {
            let text = format!("{} (unchanged since)", told.text);
            line::say(edge, &start.line(edge, &told.path, Priority::of_number(told.priority), &text));
        }
        start.remember(edge);
        return Ok(Exit::Healthy);
    }
    if !wanted.check_only
        && write::settle_leftovers(edge, &situation, &consent()).map_err(|error| other(&error))?
    {
        situation = look(edge)?;
    }
    act(edge, wanted, start, situation)
}

fn look(edge: &Edge<'_>) -> Result<Situation, LookError> {
    Ok(discover::discover(edge.host, &edge.request.whereabouts)?)
}

/// The whole look, and what follows from it.
fn act(edge: &Edge<'_>, wanted: &Guard, mut start: Start, found: Situation) -> Result<Exit, LookError> {
    let mut diagnosis = diagnose_in(edge, found, !wanted.check_only)?;
    let mut recovered = Vec::new();
    if !wanted.check_only
        && diagnosis.stores.iter().any(|store| needs_recovery(&store.condition, &store.loss))
    {
        recovered = recover_all(edge)?;
        diagnosis = diagnose_in(edge, look(edge)?, true)?;
    }
    let mut fates = check::plans(&mut diagnosis);
    if !wanted.check_only {
        let changing: Vec<usize> = (0..fates.len()).filter(|&at| prune::changes(&diagnosis, at)).collect();
        for at in changing {
            let settled = prune::settle(edge, diagnosis, at, &consent(), &fates[at]);
            (fates[at], diagnosis) = settled.map_err(|error| other(&error))?;
        }
        prune::refuse_braked(&diagnosis, &mut fates);
    }
    let told = tell::report(&mut diagnosis, &fates, edge.request.verb.name(), !wanted.check_only)?;
    start.memory.told.clear();
    for store in &told.stores {
        let (priority, text) = line::of_store(store, &recovered, &told.findings, wanted.check_only);
        line::say(edge, &start.line(edge, &store.path, priority, &text));
        start.note(edge, store, priority, text);
    }
    start.settle(edge, &diagnosis.situation, is_settled(&diagnosis, &fates));
    start.remember(edge);
    report(edge, told, Some(&diagnosis))
}

/// The report, where one was asked for.
fn report(edge: &Edge<'_>, told: Report, diagnosis: Option<&Diagnosis>) -> Result<Exit, LookError> {
    let exit = speak::exit_of(told.exit_code);
    if edge.request.output.json {
        let redactor = speak::redactor(edge, diagnosis);
        speak::report_with(edge, told, &mut NoChanges, Vec::new(), &redactor)
            .map_err(|error| other(&error))?;
    }
    Ok(exit)
}

/// A store that OpenClaw would take for empty, or one that its own rotation took away.
fn needs_recovery(condition: &Condition, loss: &crate::diagnose::recovery::loss::Loss) -> bool {
    match condition {
        Condition::Damaged(..) => true,
        Condition::Missing => loss.rotated.is_some(),
        _ => false,
    }
}

/// Puts together what can be, by what is certain. Gives back what became of each store, by its path.
fn recover_all(edge: &Edge<'_>) -> Result<Vec<(String, Fate)>, LookError> {
    let wanted = Recover {
        write: consent(),
        output: None,
        assigned: Vec::new(),
        include_pruned: false,
        confidence: Confidence::Certain,
    };
    let (mut diagnosis, mut recoveries) = recover::look(edge, &wanted)?;
    let mut fates = Vec::new();
    for at in 0..diagnosis.stores.len() {
        let store = &diagnosis.stores[at];
        if !store.file.acted_on || !needs_recovery(&store.condition, &store.loss) {
            continue;
        }
        let path = store.file.path.display().to_string();
        let fate = recover::settle(edge, &wanted, &mut diagnosis, &mut recoveries, at);
        fates.push((path, fate.map_err(|error| other(&error))?));
    }
    Ok(fates)
}

/// Whether the next start has nothing to do as long as nothing changes.
fn is_settled(diagnosis: &Diagnosis, fates: &[Fate]) -> bool {
    let calm = |fate: &Fate| fate.exit == Exit::Healthy;
    let read = |condition: &Condition| matches!(condition, Condition::Whole(_) | Condition::Absent);
    fates.iter().all(calm) && diagnosis.stores.iter().all(|store| read(&store.condition))
}

impl Start {
    fn begin(edge: &Edge<'_>, wanted: &Guard, situation: &Situation) -> Self {
        let records = records::of_guard(situation).filter(|_| !wanted.check_only);
        let mut memory = records.as_deref().map(Memory::read).unwrap_or_default();
        memory.started(edge.host.now_ms);
        Start { records, memory }
    }

    /// Whether the last look left nothing to do, and nothing changed since.
    fn is_settled(&self, edge: &Edge<'_>, situation: &Situation) -> bool {
        let memory = &self.memory;
        let young = |at: Millis| (0..LOOK_AGAIN).contains(&(edge.host.now_ms - at));
        memory.settled_at.is_some_and(young)
            && memory.options == options(edge)
            && memory.world == world(situation)
    }

    /// Takes down what was said of a store, and what was done to it.
    fn note(&mut self, edge: &Edge<'_>, store: &StoreReport, priority: Priority, text: String) {
        let path = store.path.clone();
        if store.outcome == Outcome::Applied {
            self.memory.last_action =
                Some(Deed { path: path.clone(), at: edge.host.now_ms, text: text.clone() });
        }
        // What was done need not be said again: the next start finds it done.
        let (priority, text) = match store.outcome {
            Outcome::Applied => (Priority::Info, format!("nothing to do; before that: {text}")),
            _ => (priority, text),
        };
        self.memory.told.push(Told { path, priority: priority.number(), text });
    }

    fn settle(&mut self, edge: &Edge<'_>, situation: &Situation, settled: bool) {
        self.memory.settled_at = settled.then_some(edge.host.now_ms);
        self.memory.options = options(edge);
        self.memory.world = world(situation);
    }

    /// What cannot be remembered makes the next look longer, and nothing worse.
    fn remember(&self, edge: &Edge<'_>) {
        let Some(records) = &self.records else { return };
        if let Err(error) = self.memory.keep(edge.writer.disk, records) {
            log::info!("what this start found cannot be remembered: {error}");
        }
    }

    /// A line on a store; in a crash loop it says so.
    fn line(&self, edge: &Edge<'_>, store: &str, priority: Priority, text: &str) -> Line {
        let now = edge.host.now_ms;
        let starts = self.memory.starts_since(now - LOOP_SPAN, now);
        let looping = starts >= LOOP_STARTS;
        let why = format!(" (crash loop: {starts} starts in {} minutes)", LOOP_SPAN / 60_000);
        Line {
            priority: if looping { priority.max(Priority::Warning) } else { priority },
            text: format!("{store}: {text}{}", if looping { &why } else { "" }),
        }
    }
}

/// What the files that verdicts rest on look like.
fn world(situation: &Situation) -> World {
    World::of(situation.watched())
}

/// What was typed, and by which version it was understood.
fn options(edge: &Edge<'_>) -> String {
    let typed = &edge.request.typed;
    [&[env!("CARGO_PKG_VERSION").to_owned()][..], &typed.places, &typed.limits].concat().join(" ")
}

fn consent() -> WriteArgs {
    WriteArgs { apply: true, yes: true, live: false, assume_stopped: false }
}

/// An error of another kind, as one of a look.
fn other(error: &anyhow::Error) -> LookError {
    LookError::Io(std::io::Error::other(format!("{error:#}")))
}

fn of_failure(edge: &Edge<'_>, error: &LookError) -> Line {
    let text = match error {
        _ if edge.cancel.is_late() => "out of time; nothing was changed".to_owned(),
        error => format!("{error}; nothing was changed"),
    };
    Line { priority: Priority::Warning, text }
}

fn failed(error: &LookError) -> Exit {
    match error {
        LookError::Cancelled(exit) => *exit,
        LookError::Glob(_) => Exit::Usage,
        LookError::Discover(_) | LookError::Io(_) => Exit::Io,
    }
}
