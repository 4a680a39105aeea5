//! What is known of a store's file: damage, what takes its bytes, what it costs the gateway, its relatives.

use std::io;

use super::Verbosity;
use super::page::Page;
use crate::model::Millis;
use crate::report::escape::Shown;
use crate::report::format::{Count, Counted, Share, Size, Span};
use crate::report::model::{AgentReport, CopiedField, Copies, Damage, Forecast, Growth, StoreReport};
use crate::report::style::Role;

/// Damage rows that are shown without `-v`.
const DAMAGE_SHOWN: usize = 5;

/// Where the file is damaged, so that an editor can go there.
pub(super) fn damage(page: &mut Page<'_>, store: &StoreReport, verbosity: Verbosity) -> io::Result<()> {
    if store.damage.is_empty() {
        return Ok(());
    }
    page.gap();
    page.title(2, "Damage")?;
    let shown = if verbosity == Verbosity::Verbose { usize::MAX } else { DAMAGE_SHOWN };
    for Damage { rule, start, end, line, column, detail } in store.damage.iter().take(shown) {
        page.line(4, format_args!("{}:{line}:{column}: {}", Shown::new(&store.path), Shown::new(rule)))?;
        let place = format!("bytes {start} to {end}");
        page.wrapped(6, "", None, &format_args!("{} ({place})", Shown::new(detail)))?;
    }
    let more = store.damage.len().saturating_sub(shown) as u64 + store.damage_omitted;
    if more > 0 {
        page.line(4, format_args!("and {}", Counted(more, "more place", "more places")))?;
    }
    Ok(())
}

/// The fields that take the most bytes, in a line.
pub(super) fn space(page: &mut Page<'_>, store: &StoreReport) -> io::Result<()> {
    let Some(total) = store.bytes.filter(|_| !store.fields.is_empty()) else { return Ok(()) };
    let mut parts: Vec<(u64, String)> =
        store.fields.iter().map(|field| (field.bytes, Shown::new(&field.name).max(30).to_string())).collect();
    parts.extend(store.whitespace_bytes.map(|bytes| (bytes, "white space".to_owned())));
    parts.retain(|(bytes, _)| bytes.saturating_mul(100) >= total);
    parts.sort_by_key(|(bytes, _)| std::cmp::Reverse(*bytes));
    if parts.is_empty() {
        return Ok(());
    }
    let text: Vec<String> =
        parts.iter().take(4).map(|(bytes, name)| format!("{name} {}", Share(*bytes, total))).collect();
    page.gap();
    page.wrapped(2, "Space:  ", None, &text.join(", "))
}

/// What stands in the store many times, in a line.
pub(super) fn copies(page: &mut Page<'_>, copies: &Copies) -> io::Result<()> {
    if copies.fields.is_empty() {
        return Ok(());
    }
    let part = |field: &CopiedField| {
        let share = Share(field.copied_bytes, field.bytes);
        let distinct = Counted(field.distinct, "value", "values");
        format!("{} {share} ({distinct} in {})", Shown::new(&field.name).max(44), Count(field.values))
    };
    let parts: Vec<String> = copies.fields.iter().take(4).map(part).collect();
    let of = if copies.looked_at == copies.entries {
        String::new()
    } else {
        format!("; {} of {} large entries were looked at", Count(copies.looked_at), Count(copies.entries))
    };
    page.wrapped(2, "Copies: ", None, &format!("{}{of}", parts.join(", ")))
}

/// How fast the store grows, and when that brings it to a limit.
pub(super) fn growth(page: &mut Page<'_>, growth: &Growth, now: Millis) -> io::Result<()> {
    let range = |low: String, high: String| if low == high { high } else { format!("{low} to {high}") };
    let entries =
        range(Count(growth.entries_per_day_low).to_string(), Count(growth.entries_per_day_high).to_string());
    let bytes =
        range(Size(growth.bytes_per_day_low).to_string(), Size(growth.bytes_per_day_high).to_string());
    page.wrapped(2, "Growth: ", None, &format!("{bytes} a day, in {entries} new entries"))?;
    for reach in &growth.reaches {
        let name = match reach.limit.as_str() {
            "rotate-size" => "where older versions rotate it, and writing becomes slow",
            "heap-limit" => "which may be too much for the gateway's heap",
            "string-limit" => "which is more than one string of Node, so that OpenClaw takes it for empty",
            _ => "a limit",
        };
        let earliest = Span(reach.earliest_at.saturating_sub(now)).to_string();
        let when = match reach.latest_at.map(|at| Span(at.saturating_sub(now)).to_string()) {
            Some(latest) if latest != earliest => format!("in {earliest} to {latest}"),
            Some(_) => format!("in {earliest}"),
            None => format!("in {earliest} at the earliest"),
        };
        let size = range(Size(reach.bytes_low).to_string(), Size(reach.bytes_high).to_string());
        page.wrapped(10, "", None, &format!("{size} {when}: {name}"))?;
    }
    page.wrapped(10, "", Some(Role::Dim), &format_args!("({})", Shown::new(&growth.basis)))
}

/// Whose the bytes are, where that is more than one agent.
pub(super) fn agents(page: &mut Page<'_>, store: &StoreReport) -> io::Result<()> {
    let (Some(total), [_, _, ..]) = (store.bytes, store.agents.as_slice()) else { return Ok(()) };
    let part = |agent: &AgentReport| {
        let id = agent.agent_id.as_deref().unwrap_or("no agent");
        format!("{} {}", Shown::new(id).max(24), Share(agent.bytes, total))
    };
    let text: Vec<String> = store.agents.iter().take(5).map(part).collect();
    page.wrapped(2, "Agents: ", None, &text.join(", "))
}

/// What the store costs the gateway's heap.
pub(super) fn memory(page: &mut Page<'_>, forecast: &Forecast) -> io::Result<()> {
    let range = format!("{} to {}", Size(forecast.heap_bytes_low), Size(forecast.heap_bytes_high));
    let (end, role) = match (forecast.heap_limit_bytes, forecast.fits) {
        (Some(limit), Some(true)) => (format!("the limit of {} is enough", Size(limit)), None),
        (Some(limit), Some(false)) => (format!("more than its limit of {}", Size(limit)), Some(Role::Bad)),
        (Some(limit), None) => (format!("that may pass its limit of {}", Size(limit)), Some(Role::Warn)),
        (None, _) => ("its limit is not known".to_owned(), None),
    };
    page.gap();
    page.wrapped(
        2,
        "Memory: ",
        role,
        &format_args!("the gateway needs {range} of heap to work with this store; {end}"),
    )?;
    page.wrapped(10, "", Some(Role::Dim), &format_args!("({})", Shown::new(&forecast.basis)))
}

pub(super) fn sources(page: &mut Page<'_>, store: &StoreReport) -> io::Result<()> {
    if store.sources.is_empty() {
        return Ok(());
    }
    page.gap();
    page.title(2, "Other files that hold entries")?;
    for source in &store.sources {
        let (kind, path) = (Shown::new(&source.kind), Shown::new(&source.path));
        page.line(4, format_args!("{}  {kind}  {path}", Counted::entries(source.entries)))?;
    }
    Ok(())
}
