//! The next step, as exact commands for this user on this machine.

use super::Fate;
use crate::cli::request::{Request, Verb};
use crate::diagnose::{Condition, Diagnosed, Diagnosis};
use crate::model::evidence::Life;
use crate::report::model::{Era, Outcome};

/// What to type next; empty where there is nothing to do.
pub fn steps(diagnosis: &Diagnosis, fates: &[Fate], request: &Request) -> Vec<String> {
    let has = |wanted: fn(&Condition) -> bool| {
        diagnosis.stores.iter().any(|store| store.is_told() && wanted(&store.condition))
    };
    let mut steps = Vec::new();
    if has(|condition| matches!(condition, Condition::Damaged(..) | Condition::Missing)) {
        steps.push(format!(
            "{}   (a damaged store is overwritten at the next start)",
            stop_command(diagnosis)
        ));
    }
    let lost = |store: &Diagnosed| store.is_told() && store.loss.is_any();
    let damaged = |condition: &Condition| matches!(condition, Condition::Damaged(..) | Condition::Missing);
    if has(damaged) || diagnosis.stores.iter().any(lost) {
        let line = command(request, &["recover"], false);
        steps.push(format!("{line}   (shows what can be had back)"));
    }
    let plans = fates.iter().zip(&diagnosis.stores).any(|(fate, store)| {
        let open = matches!(fate.outcome, Outcome::Unchanged | Outcome::Busy | Outcome::Failed);
        fate.table.is_some() && open && store.held.is_none()
    });
    let changes = diagnosis.judged().any(|(_, judged)| judged.plan.summary.is_change());
    if plans && changes {
        steps.extend(writing(diagnosis, request));
    }
    if let Some(run) = fates.iter().find_map(|fate| fate.backup.as_ref()) {
        steps.push(after_a_repair(diagnosis));
        steps.push(format!("{}   (puts everything back)", command(request, &["undo", &run.run], false)));
    }
    steps
}

/// How to get the gateway out of the way, where it is not known to be.
pub fn stop_first(diagnosis: &Diagnosis) -> Option<String> {
    match diagnosis.evidence.gateway {
        Life::Stopped => None,
        Life::Running { .. } => Some(stop_command(diagnosis)),
        Life::Unknown => Some(format!("{}   (or add --gateway stopped if it is)", stop_command(diagnosis))),
    }
}

fn writing(diagnosis: &Diagnosis, request: &Request) -> Vec<String> {
    let mut steps: Vec<String> = stop_first(diagnosis).into_iter().collect();
    if matches!(request.verb, Verb::Check(_)) {
        steps.push(format!("{}   (shows the plan)", command(request, &["prune"], true)));
    }
    let verb = if matches!(request.verb, Verb::Slim(_)) { "slim" } else { "prune" };
    steps.push(format!("{}   (writes it, with a backup)", command(request, &[verb, "--apply"], true)));
    steps
}

/// How the gateway is stopped here.
pub fn stop_command(diagnosis: &Diagnosis) -> String {
    diagnosis
        .service
        .as_ref()
        .map_or_else(|| "openclaw gateway stop".to_owned(), |service| service.stop_command())
}

/// What comes after a store was written: where sessions live in SQLite, the import that it waited for.
pub fn after_a_repair(diagnosis: &Diagnosis) -> String {
    match diagnosis.situation.era {
        Era::Sqlite => "openclaw doctor --fix   (imports the store)".to_owned(),
        _ => format!("{}   (start the gateway)", start_command(diagnosis)),
    }
}

fn start_command(diagnosis: &Diagnosis) -> String {
    diagnosis
        .service
        .as_ref()
        .map_or_else(|| "openclaw gateway start".to_owned(), |service| service.start_command())
}

/// This program with the options that say where to look, and the limits where they matter.
pub fn command(request: &Request, words: &[&str], limits: bool) -> String {
    let mut line = vec!["sessions-doctor".to_owned()];
    line.extend(words.iter().map(|word| quote(word)));
    line.extend(request.typed.places.iter().map(|word| quote(word)));
    if limits {
        line.extend(request.typed.limits.iter().map(|word| quote(word)));
    }
    line.join(" ")
}

/// A word as a shell takes it.
fn quote(word: &str) -> String {
    let plain = |char: char| char.is_ascii_alphanumeric() || "-_./:=,@%+".contains(char);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else if word.chars().any(char::is_control) {
        format!("$'{}'", word.escape_default())
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_survive_a_shell() {
        assert_eq!(quote("/home/user/.openclaw"), "/home/user/.openclaw");
        assert_eq!(quote("it's *"), r"'it'\''s *'");
        assert_eq!(quote(""), "''");
        assert_eq!(quote("a\nb'"), r"$'a\nb\''");
    }
}
