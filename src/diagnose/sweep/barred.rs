//! Why nothing of a state directory may be swept: while a store is not what it should be, its transcripts and copies are
//! what it is rebuilt from, and what was not read may refer to anything.

use crate::diagnose::{Condition, Diagnosed, Diagnosis};
use crate::report::model::EvidenceState;
use crate::rules::store as rules;

/// Every reason, a sentence each; empty where leftovers may be looked for.
pub fn reasons(diagnosis: &Diagnosis) -> Vec<String> {
    let situation = &diagnosis.situation;
    let mut reasons: Vec<String> = diagnosis.stores.iter().filter_map(of_store).collect();
    reasons.extend(
        situation.config_error.as_ref().map(|error| format!("the configuration is not resolved: {error}")),
    );
    reasons.extend(situation.unlisted.iter().map(|dir| format!("{} could not be listed", dir.display())));
    let unread = |state| matches!(state, EvidenceState::Unreadable | EvidenceState::Partial);
    // Lines that make no sense are read as bytes all the same.
    let only_torn = diagnosis.troubles.iter().all(|trouble| trouble.rule != &rules::RUN_LOG_UNREADABLE);
    for item in diagnosis.items.iter().filter(|item| unread(item.state)) {
        if item.kind != "config" && !(item.kind == "run-logs" && only_torn) {
            reasons.push(format!("{} ({}) could not be read", item.path, item.kind));
        }
    }
    reasons
}

fn of_store(store: &Diagnosed) -> Option<String> {
    let path = store.file.path.display();
    let why = match &store.condition {
        Condition::Absent => return None,
        Condition::Missing => "is gone while its traces remain".to_owned(),
        Condition::Damaged(..) => "is damaged".to_owned(),
        Condition::Busy(why) => why.clone(),
        Condition::Failed(error) => error.to_string(),
        Condition::Whole(judged) => {
            let loss = &store.loss;
            if judged.reading.bytes > rules::LARGEST {
                "is longer than one string of Node, so OpenClaw takes it for empty".to_owned()
            } else if loss.rotated.is_some() {
                "lost its entries to a rotation".to_owned()
            } else if loss.wiped.is_some() {
                "lacks sessions that other files name".to_owned()
            } else if let Some((copy, why)) = loss.unreadable.first() {
                format!("may lack entries of a copy that could not be read ({}: {why})", copy.display())
            } else if store.file.named && store.file.outside {
                "lies outside the state directory: who else refers to its transcripts is not known".to_owned()
            } else {
                return None;
            }
        }
    };
    Some(format!("{path} {why}"))
}
