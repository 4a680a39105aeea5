//! One store: its line, and the sections below it where there is something to tell.

use std::io;

use super::page::Page;
use super::{Verbosity, changes, facts, is_quiet_store, tables, words};
use crate::report::escape::Shown;
use crate::report::format::{Counted, Share, Size};
use crate::report::model::{Changes, Outcome, Report, StoreReport};
use crate::report::style::Role;

/// Where the text below a store's line begins.
const INDENT: usize = 10;

/// Writes a store. Gives back what the source of changes failed with.
pub(super) fn write(
    page: &mut Page<'_>,
    report: &Report,
    (index, store): (usize, &StoreReport),
    source: &mut dyn Changes,
    verbosity: Verbosity,
) -> io::Result<Option<io::Error>> {
    let short = match verbosity {
        Verbosity::Quiet => true,
        Verbosity::Normal => is_quiet_store(store),
        Verbosity::Verbose => false,
    };
    if short {
        one_line(page, report, store)?;
    } else {
        sections(page, report, store, verbosity)?;
    }
    let failure = match verbosity {
        Verbosity::Verbose => changes::write(page, index, source)?,
        _ => None,
    };
    if !short {
        page.gap();
    }
    Ok(failure)
}

fn sections(
    page: &mut Page<'_>,
    report: &Report,
    store: &StoreReport,
    verbosity: Verbosity,
) -> io::Result<()> {
    let (word, role) = words::headline(store);
    let word = page.style().paint(role, format_args!("{word:<9}")).to_string();
    page.line(0, format_args!("{word} {}", Shown::new(&store.path)))?;
    let tally = tables::class_summary(store);
    page.wrapped(INDENT, &format!("{}  ", size_of(store)), None, &tally)?;
    consequence(page, report, store)?;
    unread(page, store)?;
    facts::damage(page, store, verbosity)?;
    tables::classes(page, store)?;
    tables::kept(page, store)?;
    brakes(page, store)?;
    tables::jobs(page, store, verbosity)?;
    facts::space(page, store)?;
    facts::agents(page, store)?;
    store.copies.iter().try_for_each(|copies| facts::copies(page, copies))?;
    store.growth.iter().try_for_each(|growth| facts::growth(page, growth, report.now))?;
    if let Some(forecast) = &store.forecast {
        facts::memory(page, forecast)?;
    }
    facts::sources(page, store)
}

/// `findings  /path  185 MB  6,539 entries -> 33 entries, 412 kB after prune`.
fn one_line(page: &mut Page<'_>, report: &Report, store: &StoreReport) -> io::Result<()> {
    let (word, role) = words::headline(store);
    let word = page.style().paint(role, format_args!("{word:<9}")).to_string();
    let entries = Counted::entries(store.entries.total);
    let mut line = format!("{word} {}  {}  {entries}", Shown::new(&store.path), size_of(store));
    if let Some(after) = store.bytes_after.filter(|after| Some(*after) != store.bytes && has_deeds(store)) {
        let when = if store.outcome == Outcome::Applied {
            String::new()
        } else {
            format!(" after {}", actor(report))
        };
        line.push_str(&format!(" -> {}, {}{when}", Counted::entries(entries_after(store)), Size(after)));
    }
    page.line(0, line)
}

fn size_of(store: &StoreReport) -> String {
    store.bytes.map_or_else(|| "no file".to_owned(), |bytes| Size(bytes).to_string())
}

fn has_deeds(store: &StoreReport) -> bool {
    let counts = &store.entries;
    counts.removed + counts.healed + counts.slimmed + counts.recovered > 0
}

/// What a plan would do or did to the file, and how to take it back.
fn consequence(page: &mut Page<'_>, report: &Report, store: &StoreReport) -> io::Result<()> {
    let applied = store.outcome == Outcome::Applied;
    let deeds = words::deeds(&store.entries, applied);
    let left = left_after(store, applied);
    let text = match store.outcome {
        Outcome::Applied if deeds.is_empty() => "rewritten without what was dead weight".to_owned() + &left,
        Outcome::Applied => format!("{deeds}{left}"),
        Outcome::Busy => "not changed: something uses this store, or may".to_owned(),
        Outcome::Refused => "not changed: the safety rules left nothing that may be done".to_owned(),
        Outcome::Failed => "reading or writing failed; what state it is in stands below".to_owned(),
        Outcome::Unchanged
            if deeds.is_empty() && store.bytes_after.is_none_or(|after| Some(after) == store.bytes) =>
        {
            return Ok(());
        }
        Outcome::Unchanged => format!("{} would {}{left}", actor(report), or_dead_weight(deeds)),
    };
    page.wrapped(INDENT, "-> ", None, &text)?;
    if let Some(backup) = &store.backup {
        page.line(INDENT + 3, format_args!("the original is kept: {}", Shown::new(&backup.path)))?;
    }
    Ok(())
}

/// How many entries the new store holds.
fn entries_after(store: &StoreReport) -> u64 {
    store.entries.kept + store.entries.recovered
}

/// Who would do it: the verb that is not the one at hand.
fn actor(report: &Report) -> &'static str {
    match report.command.as_str() {
        "prune" => "prune --apply",
        "slim" => "slim --apply",
        "recover" => "recover --apply",
        "undo" => "undo",
        _ => "prune",
    }
}

fn or_dead_weight(deeds: String) -> String {
    if deeds.is_empty() { "drop dead weight".to_owned() } else { deeds }
}

fn left_after(store: &StoreReport, applied: bool) -> String {
    let (Some(before), Some(after)) = (store.bytes, store.bytes_after) else { return String::new() };
    let less =
        if after < before { format!(", {} less", Share(before - after, before)) } else { String::new() };
    let verb = if applied { "left" } else { "leave" };
    format!(" and {verb} {} in {}{less}", Counted::entries(entries_after(store)), Size(after))
}

/// What OpenClaw makes of the file, where that is not all of it.
fn unread(page: &mut Page<'_>, store: &StoreReport) -> io::Result<()> {
    if store.outcome == Outcome::Applied {
        return Ok(());
    }
    let text = match (store.openclaw_reads.outcome, store.openclaw_reads.entries) {
        ("empty", _) if store.bytes.is_none() => {
            "OpenClaw would start with an empty store. Keep the gateway stopped.".to_owned()
        }
        ("empty", _) => {
            "OpenClaw reads this file as empty, and its next save would overwrite it. Keep the gateway \
                         stopped."
                .to_owned()
        }
        ("partial", Some(entries)) => {
            format!("OpenClaw reads only {} of this file.", Counted::entries(entries))
        }
        ("partial", None) => "OpenClaw reads only a part of this file.".to_owned(),
        _ => return Ok(()),
    };
    page.wrapped(INDENT, "", Some(Role::Bad), &text)
}

fn brakes(page: &mut Page<'_>, store: &StoreReport) -> io::Result<()> {
    for brake in &store.brakes {
        page.gap();
        let text = format!(
            "{} of the family {} would go ({:.0} %), more than --allow-removal permits. All of them are kept.",
            Counted::entries(brake.entries),
            Shown::new(&brake.family),
            brake.share
        );
        page.wrapped(2, "Safety brake: ", Some(Role::Warn), &text)?;
    }
    Ok(())
}
