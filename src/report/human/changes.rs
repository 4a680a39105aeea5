//! `-v`: every change of a store, one after the other.

use std::io;

use super::page::Page;
use super::words;
use crate::report::escape::Shown;
use crate::report::model::{Change, Changes, Edit};
use crate::report::stream::pour;
use crate::report::style::Role;

/// Columns of a key before its middle is cut: a run's key takes about 100.
const KEY: usize = 200;
/// Columns of an old or new value.
const VALUE: usize = 40;
/// Where the lines below a key begin.
const INDENT: usize = 10;

/// Writes the changes of a store. Gives back what their source failed with.
pub(super) fn write(
    page: &mut Page<'_>,
    store: usize,
    source: &mut dyn Changes,
) -> io::Result<Option<io::Error>> {
    let mut any = false;
    pour(source, store, &mut |change| {
        if !any {
            page.gap();
            page.title(2, "Entry by entry")?;
            any = true;
        }
        one(page, change)
    })
}

fn one(page: &mut Page<'_>, change: &Change) -> io::Result<()> {
    let role = match change.action {
        "remove" | "drop" => Role::Bad,
        "keep" => Role::Good,
        _ => Role::Warn,
    };
    let action = page.style().paint(role, format_args!("{:<7}", change.action)).to_string();
    let cut = change.key_bytes.map(|bytes| format!(" (cut; {bytes} bytes)")).unwrap_or_default();
    page.line(2, format_args!("{action} {}{cut}", Shown::new(&change.key).max(KEY)))?;
    let sure = change.confidence.map(|word| format!(", {word}")).unwrap_or_default();
    page.line(INDENT, format_args!("{}{sure}", change.rule))?;
    if let Some(protection) = change.protected_by {
        page.wrapped(INDENT, "stays: ", None, &format_args!("{protection} ({})", words::kept(protection)))?;
    }
    for reason in &change.reasons {
        page.wrapped(INDENT, "because ", None, &Shown::new(reason))?;
    }
    change.edits.iter().try_for_each(|edit| one_edit(page, edit))
}

/// `status: running -> failed`; nothing stands for a member that is not there.
fn one_edit(page: &mut Page<'_>, edit: &Edit) -> io::Result<()> {
    let side = |value: &serde_json::Value| match value {
        serde_json::Value::Null => "nothing".to_owned(),
        serde_json::Value::String(text) => Shown::new(text).max(VALUE).to_string(),
        other => Shown::new(&other.to_string()).max(VALUE).to_string(),
    };
    let field = Shown::new(&edit.field).max(VALUE).to_string();
    page.line(INDENT, format_args!("{field}: {} -> {}", side(&edit.old), side(&edit.new)))
}
