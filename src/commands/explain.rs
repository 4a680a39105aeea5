//! `explain`: what a rule or exit code means, or why one session got its verdict.

use std::io::{self, Write};

use super::{check, speak};
use crate::diagnose::run::{Edge, diagnose};
use crate::diagnose::{Condition, Diagnosis};
use crate::exit::Exit;
use crate::model::entry::hash;
use crate::model::span_text;
use crate::report::escape::Shown;
use crate::report::explain;
use crate::report::model::Change;
use crate::report::redact::redact_change;
use crate::scan::members;
use crate::scan::source::Source;
use crate::tell::changes::{self, Texts};

/// A section of the documentation, or the verdict on a key.
pub fn run(edge: &Edge<'_>, subject: &str) -> anyhow::Result<Exit> {
    if let Ok(section) = explain::look_up(subject) {
        let mut out = edge.out.borrow_mut();
        return match writeln!(out, "{section}").and_then(|()| out.flush()) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
            _ => Ok(Exit::Healthy),
        };
    }
    let mut diagnosis = match diagnose(edge, false) {
        Ok(diagnosis) => diagnosis,
        Err(error) => return speak::failure(edge, &error),
    };
    check::plans(&mut diagnosis);
    let found = find(&mut diagnosis, subject)?;
    if found.is_empty() {
        not_found(edge, subject);
        return Ok(Exit::Usage);
    }
    let redactor = speak::redactor(edge, Some(&diagnosis));
    let mut out = edge.out.borrow_mut();
    for (path, mut change) in found {
        redact_change(&redactor, &mut change);
        let written = if edge.request.output.json {
            serde_json::to_writer(&mut *out, &change).map_err(io::Error::from).and_then(|()| writeln!(out))
        } else {
            tell(&mut *out, &redactor.path(&path), &change, diagnosis.now())
        };
        match written {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => break,
            other => other?,
        }
    }
    match out.flush() {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(Exit::Healthy),
    }
}

/// Every entry whose key is `subject`, whole or behind its agent prefix.
fn find(diagnosis: &mut Diagnosis, subject: &str) -> io::Result<Vec<(String, Change)>> {
    let wanted = hash(subject.as_bytes());
    let Diagnosis { stores, evidence, policy, .. } = diagnosis;
    let mut found = Vec::new();
    for store in stores.iter_mut().filter(|store| store.is_told()) {
        let Condition::Whole(judged) = &mut store.condition else { continue };
        for at in 0..judged.reading.scan.entries.len() {
            let entry = judged.reading.scan.entries[at];
            let mut behind_prefix = || -> io::Result<bool> {
                let key = members::key(&mut judged.reading.source, entry.start())?;
                let key = String::from_utf8_lossy(&key).into_owned();
                Ok(crate::model::key::split_agent(&key).is_some_and(|(_, rest)| rest == subject))
            };
            let hit = entry.key == wanted || !subject.starts_with("agent:") && behind_prefix()?;
            if hit {
                let change = changes::change(judged, &mut Texts::of(judged), evidence, policy, at)?;
                judged.reading.source.unchanged()?;
                let change = if store.file.in_database { changes::of_row(change) } else { change };
                found.push((store.file.path.display().to_string(), change));
            }
        }
    }
    Ok(found)
}

fn not_found(edge: &Edge<'_>, subject: &str) {
    speak::say(edge, &format!("'{subject}' is no rule, no exit code and no key of any store"));
    let near = explain::suggestions(subject);
    if !near.is_empty() {
        eprintln!("  did you mean {}?", near.join(", "));
    }
}

fn tell(out: &mut dyn Write, path: &str, change: &Change, now: i64) -> io::Result<()> {
    writeln!(out, "{}", Shown::new(&change.key))?;
    match change.end {
        0 => writeln!(out, "  database    {}", Shown::new(path))?,
        end => writeln!(out, "  store       {}, bytes {} to {end}", Shown::new(path), change.start)?,
    }
    writeln!(out, "  family      {}", change.family)?;
    if let Some(status) = &change.status {
        writeln!(out, "  status      {}", Shown::new(status))?;
    }
    if let Some(at) = change.updated_at {
        writeln!(out, "  updated     {} ago", span_text(now - at))?;
    }
    let sure = change.confidence.map(|sure| format!(" ({sure})")).unwrap_or_default();
    writeln!(out, "  rule        {}{sure}", change.rule)?;
    writeln!(out, "  action      {}", change.action)?;
    if let Some(protection) = change.protected_by {
        writeln!(out, "  protected   {protection}")?;
    }
    for reason in &change.reasons {
        writeln!(out, "  because     {}", Shown::new(reason))?;
    }
    for edit in &change.edits {
        let edit = format!("{}: {} -> {}", edit.field, edit.old, edit.new);
        writeln!(out, "  edit        {}", Shown::new(&edit))?;
    }
    writeln!(out, "  more        sessions-doctor explain {}", change.rule)
}
