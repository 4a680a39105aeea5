//! What is known of a store's file: damage, what takes its bytes, what it costs the gateway, its relatives.

use std::io;

use super::Verbosity;
use super::page::Page;
use crate::report::escape::Shown;
use crate::report::format::{Counted, Share, Size};
use crate::report::model::{Damage, Forecast, StoreReport};
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
