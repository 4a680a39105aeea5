//! Redaction of a whole report, and of changes as they stream by.

use std::collections::BTreeMap;
use std::io;

use super::{Redactor, keys, values, vocabulary};
use crate::report::model::{
    Change, Changes, EvidenceItem, Finding, GatewayReport, JobReport, Report, StoreReport, Tally,
};

/// Redacts every string of `report` that comes from user data.
pub fn redact_report(redactor: &Redactor, report: &mut Report) {
    if !redactor.is_on() {
        return;
    }
    let known = known_strings(report);
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    each(&mut report.state_dir, |path| redactor.path(path));
    redact_gateway(redactor, &mut report.gateway, &known);
    for EvidenceItem { path, .. } in &mut report.evidence {
        *path = redactor.path(path);
    }
    redact_rows(redactor, report, &known);
    for store in &mut report.stores {
        redact_store(redactor, store, &known);
    }
    for Finding { message, path, fix_hint, .. } in &mut report.findings {
        *message = redactor.prose(message, &known);
        each(path, |path| redactor.path(path));
        each(fix_hint, |hint| redactor.prose(hint, &known));
    }
}

/// Redacts one change. Sentences lose what the change itself names, too.
pub fn redact_change(redactor: &Redactor, change: &mut Change) {
    if !redactor.is_on() {
        return;
    }
    let key = std::mem::take(&mut change.key);
    let mut known: Vec<&str> = keys::private_segments(&key).collect();
    known.extend(change.session_id.as_deref());
    for reason in &mut change.reasons {
        *reason = redactor.prose(reason, &known);
    }
    change.key = redactor.key(&key);
    each(&mut change.source, |path| redactor.path(path));
    each(&mut change.session_id, |id| redactor.id(id));
    each(&mut change.status, |status| values::status(redactor, status));
    for edit in &mut change.edits {
        edit.field = values::field(redactor, &edit.field);
        edit.old = values::redact(redactor, &edit.old);
        edit.new = values::redact(redactor, &edit.new);
    }
}

/// Changes that are redacted one by one on their way.
pub struct Redacted<'a> {
    redactor: &'a Redactor,
    inner: &'a mut dyn Changes,
}

impl<'a> Redacted<'a> {
    /// What `inner` gives, redacted.
    pub fn new(redactor: &'a Redactor, inner: &'a mut dyn Changes) -> Self {
        Self { redactor, inner }
    }
}

impl Changes for Redacted<'_> {
    fn for_each(&mut self, store: usize, sink: &mut dyn FnMut(&Change) -> io::Result<()>) -> io::Result<()> {
        if !self.redactor.is_on() {
            return self.inner.for_each(store, sink);
        }
        self.inner.for_each(store, &mut |change| {
            let mut change = change.clone();
            redact_change(self.redactor, &mut change);
            sink(&change)
        })
    }
}

/// Ids, names and paths that the report holds as data, and that its sentences may therefore mention.
fn known_strings(report: &Report) -> Vec<String> {
    let mut known = Vec::new();
    for store in &report.stores {
        known.push(store.path.clone());
        let agents = store.agents.iter().filter_map(|agent| agent.agent_id.as_ref());
        known.extend(store.agent_ids.iter().chain(agents).filter(|id| *id != "main").cloned());
        known
            .extend(store.jobs.iter().flat_map(|job| std::iter::once(&job.job_id).chain(&job.name)).cloned());
        known.extend(store.sources.iter().map(|source| source.path.clone()));
    }
    known.extend(
        report.cron_jobs.iter().flat_map(|job| std::iter::once(&job.job_id).chain(&job.name)).cloned(),
    );
    known.extend(report.state_dir.iter().chain(report.evidence.iter().map(|item| &item.path)).cloned());
    known.extend(report.findings.iter().filter_map(|finding| finding.path.clone()));
    known.sort_unstable();
    known.dedup();
    known
}

fn redact_gateway(redactor: &Redactor, gateway: &mut GatewayReport, known: &[&str]) {
    for sentence in &mut gateway.evidence {
        *sentence = redactor.prose(sentence, known);
    }
    each(&mut gateway.version, |version| {
        let plain = version.starts_with(|c: char| c.is_ascii_digit())
            && version.chars().all(|c| c.is_ascii_alphanumeric() || c == '.' || c == '-')
            && version.len() <= 24;
        if plain { version.to_owned() } else { redactor.text(version) }
    });
}

/// The rows of the verbs `cron`, `sweep` and `undo`.
fn redact_rows(redactor: &Redactor, report: &mut Report, known: &[&str]) {
    for job in &mut report.cron_jobs {
        job.job_id = redactor.id(&job.job_id);
        each(&mut job.name, |name| redactor.text(name));
        own_word(redactor, &mut job.verdict);
        job.reasons.iter_mut().for_each(|reason| *reason = redactor.prose(reason, known));
        if !is_schedule(&job.schedule) {
            job.schedule = redactor.text(&job.schedule);
        }
        each(&mut job.last_status, |status| own(redactor, status));
        own_word(redactor, &mut job.action);
    }
    for file in &mut report.files {
        file.path = redactor.path(&file.path);
        each(&mut file.to, |path| redactor.path(path));
        own_word(redactor, &mut file.rule);
        own_word(redactor, &mut file.action);
    }
    for run in &mut report.runs {
        run.path = redactor.path(&run.path);
        run.run = redactor.path(&run.run);
        own_word(redactor, &mut run.command);
        own_word(redactor, &mut run.state);
    }
    own_word(redactor, &mut report.command);
}

/// Whether a schedule is made of numbers and of the words of this tool and of cron expressions.
fn is_schedule(text: &str) -> bool {
    let letters = text.split(|char: char| !char.is_alphabetic());
    let known =
        |word: &str| word.len() <= 3 && word.is_ascii() || ["every", "other", "unknown"].contains(&word);
    letters.into_iter().all(known)
}

fn redact_store(redactor: &Redactor, store: &mut StoreReport, known: &[&str]) {
    store.path = redactor.path(&store.path);
    store.agent_ids.iter_mut().for_each(|id| *id = redactor.id(id));
    for tallies in [&mut store.classes, &mut store.rules, &mut store.kept_because] {
        own_words(redactor, tallies);
    }
    store.class_actions.values_mut().for_each(|tallies| own_words(redactor, tallies));
    rename(&mut store.class_actions, |name| own(redactor, name));
    store.brakes.iter_mut().for_each(|brake| own_word(redactor, &mut brake.family));
    store.jobs.iter_mut().for_each(|job| redact_job(redactor, job));
    store.fields.iter_mut().for_each(|field| field.name = values::field(redactor, &field.name));
    own_words(redactor, &mut store.families);
    store.agents.iter_mut().for_each(|agent| each(&mut agent.agent_id, |id| redactor.id(id)));
    let copied = store.copies.iter_mut().flat_map(|copies| &mut copies.fields);
    copied.for_each(|field| field.name = values::field(redactor, &field.name));
    if let Some(growth) = &mut store.growth {
        growth.basis = redactor.prose(&growth.basis, known);
        growth.reaches.iter_mut().for_each(|reach| own_word(redactor, &mut reach.limit));
    }
    if let Some(forecast) = &mut store.forecast {
        forecast.basis = redactor.prose(&forecast.basis, known);
    }
    for damage in &mut store.damage {
        own_word(redactor, &mut damage.rule);
        damage.detail = redactor.prose(&damage.detail, known);
    }
    for source in &mut store.sources {
        source.path = redactor.path(&source.path);
        own_word(redactor, &mut source.kind);
    }
    if let Some(backup) = &mut store.backup {
        backup.path = redactor.path(&backup.path);
        backup.run = redactor.path(&backup.run);
    }
}

fn redact_job(redactor: &Redactor, job: &mut JobReport) {
    job.job_id = redactor.id(&job.job_id);
    each(&mut job.name, |name| redactor.text(name));
    rename(&mut job.statuses, |status| values::status(redactor, status));
}

/// Ids and verbs are ours and stay; anything of another shape got there from a file.
fn own(redactor: &Redactor, word: &str) -> String {
    if vocabulary::is_own_word(word) { word.to_owned() } else { redactor.text(word) }
}

fn own_word(redactor: &Redactor, word: &mut String) {
    *word = own(redactor, word);
}

fn own_words(redactor: &Redactor, tallies: &mut BTreeMap<String, Tally>) {
    rename(tallies, |name| own(redactor, name));
}

fn rename<V>(map: &mut BTreeMap<String, V>, name: impl Fn(&str) -> String) {
    *map = std::mem::take(map).into_iter().map(|(key, value)| (name(&key), value)).collect();
}

fn each(slot: &mut Option<String>, redacted: impl FnOnce(&str) -> String) {
    if let Some(text) = slot {
        *text = redacted(text);
    }
}
