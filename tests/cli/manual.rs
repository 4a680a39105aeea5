//! Prevents: a page of the manual that a reader of roff objects to, that leaves an option out, or that names pages which there are not;
//! and completions that a shell does not take, or that do not complete.

use std::io::Write;
use std::process::Command;

use crate::tools::{given, is_there};
use crate::world::*;
use clap::CommandFactory;
use sessions_doctor::cli::args::Cli;

fn generate(args: &[&str]) -> String {
    let world = World::new();
    let before = world.tree();
    let mut command = world.bare();
    let ran = world.finish(command.arg("generate").args(args)).exits(0);
    assert!(ran.err.is_empty(), "{ran}");
    assert_eq!(world.tree(), before);
    ran.out
}

/// The program and everything below it, by the words that call it.
fn commands() -> Vec<(Vec<String>, clap::Command)> {
    fn add(path: Vec<String>, command: &clap::Command, all: &mut Vec<(Vec<String>, clap::Command)>) {
        for below in command.get_subcommands().filter(|below| below.get_name() != "help") {
            add([&path[..], &[below.get_name().to_owned()]].concat(), below, all);
        }
        all.push((path, command.clone()));
    }
    let (mut root, mut all) = (Cli::command(), Vec::new());
    root.build();
    add(Vec::new(), &root, &mut all);
    assert!(all.len() > 14, "{}", all.len());
    all
}

/// A text as it stands in roff, where a hyphen that can be copied has a backslash.
fn roff(text: &str) -> String {
    text.replace('-', "\\-")
}

#[test]
fn every_command_has_a_page_with_every_option_of_it() {
    for (path, command) in commands() {
        let words: Vec<&str> = path.iter().map(String::as_str).collect();
        let page = generate(&[&["man"], &words[..]].concat());
        let name = [&["sessions-doctor"], &words[..]].concat();
        let title = format!(
            ".TH \"{}\" \"1\" \"\" \"sessions-doctor {}\" \"User Commands\"\n",
            name.join("-").to_uppercase(),
            env!("CARGO_PKG_VERSION")
        );
        assert!(page.starts_with(&title), "{page}");
        let sections: Vec<&str> = page.lines().filter_map(|line| line.strip_prefix(".SH ")).collect();
        assert_eq!(sections[..4], ["NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS"], "{name:?}");
        assert!(sections.contains(&"\"EXIT STATUS\""), "{name:?}: {sections:?}");
        assert!(page.contains(&format!(".SH NAME\n{} \\- ", roff(&name.join("-")))), "{page}");
        assert!(page.contains(&format!(".SH SYNOPSIS\n\\fB{}\\fR", roff(&name.join(" ")))), "{page}");
        let lines: Vec<&str> = page.lines().collect();
        for option in command.get_arguments() {
            let heads = match (option.get_long(), option.get_value_names()) {
                (Some(long), _) => format!("\\fB\\-\\-{}\\fR", roff(long)),
                (None, names) => format!("\\fI{}\\fR", roff(&names.unwrap()[0])),
            };
            let head = |pair: &[&str]| pair[0] == ".TP" && pair[1].contains(&heads);
            assert!(lines.windows(2).any(head), "{name:?} says nothing of {heads}:\n{page}");
        }
        for code in ["0", "1", "2", "3", "4", "5", "6", "130", "143"] {
            assert!(page.contains(&format!(".TP\n\\fB{code}\\fR\n")), "{name:?}: {code}");
        }
    }
}

#[test]
fn pages_that_are_named_are_there() {
    let below = |path: &[String]| {
        let words: Vec<&str> = path.iter().map(String::as_str).collect();
        let page = generate(&[&["man"], &words[..]].concat());
        let name = roff(&[&["sessions-doctor"], &words[..]].concat().join("-"));
        let named = page.lines().filter_map(|line| {
            line.strip_prefix(&format!("{name}\\-"))?.strip_suffix("(1)").map(str::to_owned)
        });
        named.collect::<Vec<String>>()
    };
    for (path, command) in commands() {
        let mut names: Vec<&str> = command.get_subcommands().map(|below| below.get_name()).collect();
        names.retain(|name| *name != "help");
        assert_eq!(below(&path), names, "{path:?}");
    }
    let world = World::new();
    for words in [&["nosuch"][..], &["prune", "nosuch"], &["help"]] {
        let mut command = world.bare();
        let ran = world.finish(command.args(["generate", "man"]).args(words)).exits(2);
        assert!(ran.out.is_empty() && ran.err.contains("name one of check, prune, "), "{ran}");
    }
}

#[test]
fn groff_has_nothing_against_a_page() {
    if !is_there("groff", "groff_has_nothing_against_a_page") {
        return;
    }
    let groff =
        |page: &str| given(Command::new("groff").args(["-man", "-ww", "-Tutf8", "-P-cbou"]), page.as_bytes());
    for (path, _) in commands() {
        let words: Vec<&str> = path.iter().map(String::as_str).collect();
        let page = generate(&[&["man"], &words[..]].concat());
        let (content, text) = groff(&page);
        assert!(content && !text.contains("<standard input>"), "{path:?}: {text}");
        assert!(text.contains("EXIT STATUS"), "{path:?}: {text}");
        // That it would say something of a page with a slip in it.
        let (_, text) = groff(&page.replacen(".SH SYNOPSIS", ".XX SYNOPSIS", 1));
        assert!(text.contains("<standard input>"), "{path:?}: {text}");
    }
}

/// Asks bash what it would complete a line with; the last word is the one that is typed.
fn completed(script: &str, line: &[&str]) -> Vec<String> {
    let words: Vec<String> = line.iter().map(|word| format!("'{word}'")).collect();
    let asked = format!(
        "{script}\nset -- $(complete -p sessions-doctor)\nwhile [ \"$1\" != -F ]; do shift; done\n\
         COMP_WORDS=({}) COMP_CWORD={}\n\"$2\" sessions-doctor {} {}\nprintf '%s\\n' \"${{COMPREPLY[@]}}\"\n",
        words.join(" "),
        line.len() - 1,
        words[line.len() - 1],
        words[line.len() - 2],
    );
    let (content, said) = given(Command::new("bash").args(["--norc", "--noprofile", "-s"]), asked.as_bytes());
    assert!(content, "{said}");
    said.lines().map(str::to_owned).collect()
}

#[test]
fn bash_takes_its_script_and_completes_by_it() {
    if !is_there("bash", "bash_takes_its_script_and_completes_by_it") {
        return;
    }
    let script = generate(&["completions", "bash"]);
    let (content, said) = given(Command::new("bash").arg("-n"), script.as_bytes());
    assert!(content && said.is_empty(), "{said}");
    let (content, _) = given(Command::new("bash").arg("-n"), &script.as_bytes()[..script.len() / 2]);
    assert!(!content, "half a script is none");
    assert_eq!(completed(&script, &["sessions-doctor", "pr"]), ["prune"]);
    assert_eq!(completed(&script, &["sessions-doctor", "generate", "sch"]), ["schema"]);
    assert_eq!(completed(&script, &["sessions-doctor", "generate", "schema", "st"]), ["store"]);
    assert_eq!(completed(&script, &["sessions-doctor", "prune", "--ap"]), ["--apply"]);
    assert_eq!(completed(&script, &["sessions-doctor", "check", "--gateway", "st"]), ["stopped"]);
    for (path, command) in commands() {
        let mut line = vec!["sessions-doctor"];
        line.extend(path.iter().map(String::as_str));
        let told = completed(&script, &[&line[..], &["--"]].concat());
        for long in command.get_arguments().filter_map(|option| option.get_long()) {
            assert!(told.contains(&format!("--{long}")), "{line:?} --{long}: {told:?}");
        }
    }
}

#[test]
fn scripts_for_all_shells_know_every_verb_and_option() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = generate(&["completions", shell]);
        assert!(script.contains("sessions-doctor"), "{shell}");
        for (path, command) in commands() {
            let options = command.get_arguments().filter_map(|option| option.get_long());
            for word in path.last().map(String::as_str).into_iter().chain(options) {
                assert!(script.contains(word), "{shell} does not know {word}");
            }
        }
    }
    // These are asked where they are installed; nobody has to have them.
    for shell in ["zsh", "fish"] {
        if Command::new(shell).arg("--version").output().is_err() {
            let _ = writeln!(std::io::stderr(), "not installed, so its script is only read: {shell}");
            continue;
        }
        let script = generate(&["completions", shell]);
        let (content, said) = given(Command::new(shell).arg("-n"), script.as_bytes());
        assert!(content && said.is_empty(), "{shell}: {said}");
    }
}

/// The block of the README that puts pages and completions where a user's own lie.
#[test]
fn the_readme_installs_a_page_for_every_verb() {
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    let (_, section) = readme.split_once("## Man pages, completions, schemas").unwrap();
    let block = section.split("```sh\n").nth(1).unwrap().split("```").next().unwrap();
    let world = World::new();
    let program = world.program("bin/sessions-doctor");
    let path = format!("{}:{}", program.parent().unwrap().display(), std::env::var("PATH").unwrap());
    let (content, said) = given(world.clean("sh").arg("-e").env("PATH", path), block.as_bytes());
    assert!(content && said.is_empty(), "{said}");
    let installed = world.home.join(".local/share");
    for (path, _) in commands().iter().filter(|(path, _)| path.len() < 2) {
        let name = [&["sessions-doctor".to_owned()], &path[..]].concat().join("-");
        let page = std::fs::read_to_string(installed.join("man/man1").join(format!("{name}.1"))).unwrap();
        assert!(page.starts_with(&format!(".TH \"{}\"", name.to_uppercase())), "{page}");
    }
    let script = std::fs::read_to_string(installed.join("bash-completion/completions/sessions-doctor"));
    assert_eq!(script.unwrap(), generate(&["completions", "bash"]));
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error_and_a_full_disk_is_one() {
    let world = World::new();
    let all = [&["man"][..], &["completions", "zsh"], &["schema", "report"], &["schema", "store"]];
    for args in all {
        let mut command = world.bare();
        command.arg("generate").args(args);
        let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
        let ran = world.finish(command.stdout(full)).exits(6);
        assert!(!ran.err.is_empty(), "{args:?}");
        // The end for reading is gone before a byte was written.
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = world.bare();
        let ran = world.finish(command.arg("generate").args(args).stdout(writer)).exits(0);
        assert!(ran.err.is_empty(), "{args:?}: {ran}");
    }
}
