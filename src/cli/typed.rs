//! What was typed, as words for another command line: the one that a report recommends, or one in a unit.

use super::args::{CommonArgs, ConfidenceArg, GatewayArg, PolicyArgs, SweepArgs};
use super::values::class_of;
use super::verbs::{Assignment, Recover};
use crate::model::verdict::Confidence;

pub(super) fn places(common: &CommonArgs) -> Vec<String> {
    let mut words = Vec::new();
    let mut add = |flag: &str, value: String| words.extend([flag.to_owned(), value]);
    let path = |path: &std::path::PathBuf| path.display().to_string();
    common.state_dir.iter().for_each(|dir| add("--state-dir", path(dir)));
    common.profile.iter().for_each(|name| add("--profile", name.clone()));
    common.store.iter().for_each(|file| add("--store", path(file)));
    common.cron_dir.iter().for_each(|dir| add("--cron-dir", path(dir)));
    common.agent.iter().for_each(|id| add("--agent", id.clone()));
    common.now.iter().for_each(|now| add("--now", now.clone()));
    if common.gateway == GatewayArg::Stopped {
        add("--gateway", "stopped".to_owned());
    }
    words
}

pub(super) fn recovery(recover: &Recover) -> Vec<String> {
    let assigned = |one: &Assignment| ["--assign".to_owned(), format!("{}={}", one.transcript, one.key)];
    let mut words: Vec<String> = recover.assigned.iter().flat_map(assigned).collect();
    if recover.include_pruned {
        words.push("--include-pruned".to_owned());
    }
    if recover.confidence == Confidence::Likely {
        words.extend(["--confidence", "likely"].map(str::to_owned));
    }
    words
}

pub(super) fn limits(args: &PolicyArgs) -> Vec<String> {
    let mut words = Vec::new();
    let mut add = |flag: &str, value: &str| words.extend([flag.to_owned(), value.to_owned()]);
    let texts = [
        ("--grace", &args.grace),
        ("--max-running", &args.max_running),
        ("--run-retention", &args.run_retention),
        ("--prune-after", &args.prune_after),
        ("--budget", &args.budget),
        ("--allow-removal", &args.allow_removal),
    ];
    texts.iter().for_each(|(flag, text)| text.iter().for_each(|text| add(flag, text)));
    args.max_entries.iter().for_each(|limit| add("--max-entries", &limit.to_string()));
    args.only.iter().for_each(|class| add("--only", class_of(*class).name()));
    args.keep.iter().for_each(|glob| add("--keep", glob));
    if args.confidence == Some(ConfidenceArg::Certain) {
        add("--confidence", "certain");
    }
    if args.conversations {
        words.push("--conversations".to_owned());
    }
    words
}

pub(super) fn sweep(args: &SweepArgs) -> Vec<String> {
    let mut words = Vec::new();
    args.older_than.iter().for_each(|age| words.extend(["--older-than".to_owned(), age.clone()]));
    words.extend(args.archive.then(|| "--archive".to_owned()));
    words.extend(args.delete.then(|| "--delete".to_owned()));
    words
}
