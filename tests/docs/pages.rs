//! Prevents: an id without a section, a section for an id that nobody knows, a promise in the contract that is neither built nor listed as
//! missing, a field of the report that no page names, a link that points nowhere.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use crate::source;
use assert_cmd::Command;
use clap::CommandFactory;
use sessions_doctor::cli::args::Cli;
use sessions_doctor::report::explain;
use sessions_doctor::rules;

/// Sections of rules that the contract names and that this version does not look for yet.
const NOT_BUILT: &[&str] = &[];

const SAMPLE: &str = "testdata/openclaw-2026.3.28/normal-then-crash";

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn page(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn tool() -> Command {
    let mut command = Command::cargo_bin("sessions-doctor").expect("the program");
    command.current_dir(root());
    command
}

/// Texts between quotation marks in a line that look like an id.
fn ids_in(line: &str) -> impl Iterator<Item = &str> {
    line.split('"').skip(1).step_by(2).filter(|text| {
        text.contains('-')
            && text.chars().all(|char| char.is_ascii_lowercase() || char.is_ascii_digit() || char == '-')
    })
}

/// Every id that the code can put into a report as a rule, a protection or a finding.
fn ids_of_the_code() -> BTreeSet<String> {
    let mut ids: BTreeSet<String> = rules::ALL.iter().map(|rule| rule.id.to_owned()).collect();
    for file in source::sources() {
        let in_findings = file.path.starts_with("tell/") || file.path.starts_with("commands/");
        for line in file.written.lines() {
            let listed = ["rules/store.rs", "rules/validate/documents/mod.rs"].contains(&file.path.as_str());
            let names = match file.path.as_str() {
                _ if listed => line.trim_start().split(' ').nth(1) == Some("="),
                "model/verdict.rs" => line.contains("Protection::"),
                path if path.starts_with("rules/") => line.contains("id: \""),
                _ if in_findings => {
                    line.contains("check_id:")
                        || line.contains("end(edge, ")
                        || line.contains("note_finding(")
                        || line.contains("ApplyError::")
                        || line.contains("_ => \"")
                }
                _ => false,
            };
            if names && listed {
                ids.extend(line.split('"').nth(1).map(str::to_owned));
            } else if names {
                ids.extend(ids_in(line).map(str::to_owned));
            }
        }
    }
    assert!(ids.len() > 50, "only {} ids were found: {ids:?}", ids.len());
    ids
}

#[test]
fn every_id_of_the_code_has_a_section_and_every_section_is_known() {
    let code = ids_of_the_code();
    let mut known = code.clone();
    for id in NOT_BUILT {
        assert!(
            known.insert((*id).to_owned()),
            "{id} is built now: take it out of the list, and out of its section"
        );
        let section = explain::section(id).unwrap_or_default();
        assert!(section.contains("- Not built yet"), "{id} does not say that it is not built");
    }
    let sections: BTreeSet<String> = explain::ids().map(str::to_owned).collect();
    assert_eq!(known, sections, "left: ids of the code; right: sections of docs/rules.md");
    assert_eq!(explain::ids().count(), sections.len(), "an id has two sections");
}

#[test]
fn a_section_that_is_not_built_is_one_of_the_list() {
    let said: Vec<&str> = explain::ids()
        .filter(|id| explain::section(id).is_some_and(|text| text.contains("Not built yet")))
        .collect();
    let said: BTreeSet<&str> = said.into_iter().collect();
    assert_eq!(said, NOT_BUILT.iter().copied().collect());
}

#[test]
fn explain_prints_every_section_as_it_stands() {
    for (name, ids) in [
        ("docs/rules.md", explain::ids().collect::<Vec<_>>()),
        ("docs/exit-codes.md", explain::exit_codes().collect()),
    ] {
        let page = page(name);
        for id in ids {
            let output = tool().args(["explain", id]).output().expect("a run");
            let text = String::from_utf8(output.stdout).expect("UTF-8");
            assert_eq!(output.status.code(), Some(0), "explain {id}");
            assert!(text.starts_with(&format!("### {id}\n")), "{id}: {text}");
            assert!(page.contains(text.trim_end()), "{id} is not as in {name}");
        }
    }
}

#[test]
fn exit_codes_have_a_section_each_and_a_row_in_the_contract() {
    let all = ["0", "1", "2", "3", "4", "5", "6", "130", "143"];
    assert_eq!(explain::exit_codes().collect::<Vec<_>>(), all);
    let contract = page("docs/interface.md");
    let (_, rows) = contract.split_once("## Exit codes").expect("the section");
    for code in all.iter().take(7) {
        assert!(rows.contains(&format!("| {code} |")), "{code}");
    }
}

/// The contract without the parts that were added to it, and the list of what is not built.
fn contract() -> (String, String) {
    let text = page("docs/interface.md");
    let (_, rest) = text.split_once("## Status").expect("a section on the state of things");
    let (status, rest) = rest.split_once("\n## ").expect("more sections");
    let rest = rest.split("\n## Additions").next().expect("a contract").to_owned();
    let (_, missing) = status.split_once("Not built yet").expect("what is missing");
    (rest, missing.split("Also missing").next().unwrap_or_default().to_owned())
}

/// `--flags` in a text.
fn flags(text: &str) -> BTreeSet<String> {
    let mut flags = BTreeSet::new();
    for (at, _) in text.match_indices("--") {
        let before = text[..at].chars().next_back();
        let name: String =
            text[at + 2..].chars().take_while(|char| char.is_ascii_lowercase() || *char == '-').collect();
        let name = name.trim_end_matches('-');
        if !before.is_some_and(|char| char.is_alphanumeric() || char == '-') && !name.is_empty() {
            flags.insert(format!("--{name}"));
        }
    }
    flags
}

#[test]
fn whatever_the_contract_names_is_built_or_said_to_be_missing() {
    let (contract, missing) = contract();
    let commands_missing =
        missing.split_once("with all their own options").map_or("", |(commands, _)| commands);
    let cli = Cli::command();
    let rows = contract.lines().skip_while(|line| !line.starts_with("| command |")).skip(2);
    let mut commands = 0;
    for row in rows.take_while(|line| line.starts_with("| `")) {
        let name = row[3..].split(['`', ' ']).next().unwrap_or_default();
        let built = cli.get_subcommands().any(|command| command.get_name() == name);
        assert_ne!(
            built,
            commands_missing.contains(&format!("`{name}`")),
            "{name}: built or listed as missing, not both"
        );
        commands += 1;
    }
    assert_eq!(commands, 12);
    let mut built = flags("--help --version");
    for command in std::iter::once(&cli).chain(cli.get_subcommands()) {
        built.extend(
            command
                .get_arguments()
                .filter_map(|argument| argument.get_long())
                .map(|long| format!("--{long}")),
        );
    }
    for flag in flags(&contract) {
        let listed = flags(&missing).contains(&flag);
        assert!(built.contains(&flag) || listed, "{flag} is neither built nor listed as missing");
    }
    for flag in built {
        // The contract names these two by their letters.
        let short = matches!(flag.as_str(), "--quiet" | "--verbose");
        let undocumented =
            !short && !flags(&contract).contains(&flag) && flag != "--help" && flag != "--version";
        assert!(!undocumented, "{flag} is not in the contract");
    }
}

/// Names of members, at any depth.
fn names(value: &serde_json::Value, into: &mut BTreeSet<String>) {
    match value {
        serde_json::Value::Array(values) => values.iter().for_each(|value| names(value, into)),
        serde_json::Value::Object(members) => members.iter().for_each(|(name, value)| {
            into.insert(name.clone());
            // Below these the names are data: classes, rules, protections, statuses.
            if !matches!(
                name.as_str(),
                "classes" | "families" | "rules" | "classActions" | "keptBecause" | "statuses"
            ) {
                names(value, into);
            }
        }),
        _ => {}
    }
}

#[test]
fn every_field_of_a_report_is_in_the_contract() {
    let text = page("docs/interface.md");
    let common = [
        "--state-dir",
        SAMPLE,
        "--now",
        "2026-11-21T01:14:30Z",
        "--gateway",
        "stopped",
        "--json",
        "--entries",
        "all",
    ];
    for command in ["check", "prune", "cron", "undo"] {
        let output = tool().arg(command).args(common).output().expect("a run");
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
        let mut found = BTreeSet::new();
        names(&report, &mut found);
        assert!(found.len() > 15, "{found:?}");
        for name in found {
            assert!(
                text.contains(&format!("\"{name}\"")) || text.contains(&format!("`{name}`")),
                "{name} is in no page"
            );
        }
    }
}

#[test]
fn links_lead_somewhere() {
    let docs = fs::read_dir(root().join("docs")).expect("docs").map(|entry| entry.expect("an entry").path());
    let pages = docs.chain([
        root().join("README.md"),
        root().join("testdata/README.md"),
        root().join("testdata/oracle/README.md"),
    ]);
    let mut count = 0;
    for path in pages.filter(|path| path.extension().is_some_and(|extension| extension == "md")) {
        let text = fs::read_to_string(&path).expect("a page");
        for link in links(&text) {
            if link.contains("://") {
                continue;
            }
            let (file, anchor) =
                link.split_once('#').map_or((link.as_str(), None), |(file, anchor)| (file, Some(anchor)));
            let target =
                if file.is_empty() { path.clone() } else { path.parent().expect("a directory").join(file) };
            assert!(target.exists(), "{}: {link} leads nowhere", path.display());
            if let Some(anchor) = anchor {
                assert!(
                    anchors(&target).contains_key(anchor),
                    "{}: {link} has no such heading",
                    path.display()
                );
            }
            count += 1;
        }
    }
    assert!(count > 10, "only {count} links were found");
}

fn links(text: &str) -> Vec<String> {
    let parts = text.split("](").skip(1);
    parts.filter_map(|rest| rest.split(')').next()).map(str::to_owned).collect()
}

fn anchors(path: &Path) -> BTreeMap<String, String> {
    let text = fs::read_to_string(path).unwrap_or_default();
    let headings =
        text.lines().filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#').trim());
    headings
        .map(|heading| {
            let plain = heading.to_lowercase().replace(' ', "-");
            (
                plain.chars().filter(|char| char.is_alphanumeric() || *char == '-').collect(),
                heading.to_owned(),
            )
        })
        .collect()
}
