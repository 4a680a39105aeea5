//! Prevents recipes in `docs/hooks.md` that nobody can run: every line with this program is parsed, what can be run here is run, and what
//! is shown of the drop-in is what `hook` writes.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::world::*;
use clap::Parser;
use sessions_doctor::cli::args::Cli;
use sessions_doctor::cli::request::Request;

/// The blocks of the page in a language, in order.
fn blocks(language: &str) -> Vec<String> {
    let page = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/hooks.md")).unwrap();
    let parts = page.split("\n```").collect::<Vec<_>>();
    let fenced = parts.iter().filter_map(|part| part.strip_prefix(language)?.strip_prefix('\n'));
    fenced.map(|text| format!("{text}\n")).collect()
}

/// The lists of a block of YAML or of a Dockerfile that call programs.
fn lists(block: &str) -> Vec<Vec<String>> {
    let lists = block.lines().filter_map(|line| line.split_once('[').map(|(_, list)| format!("[{list}")));
    lists.filter_map(|list| serde_json::from_str(&list).ok()).collect()
}

/// A world with something to remove, and a directory of programs in front of all others.
struct Machine {
    world: World,
    programs: PathBuf,
}

impl Machine {
    fn new() -> Self {
        let world = World::looping();
        let programs = world.root.join("bin");
        fs::create_dir(&programs).unwrap();
        let doctor = programs.join("sessions-doctor");
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_sessions-doctor"), doctor).unwrap();
        Self { world, programs }
    }

    fn run(&self, program: &str, args: &[&str]) -> Ran {
        let path = format!("{}:{}", self.programs.display(), std::env::var("PATH").unwrap());
        let mut command = self.world.clean(program);
        command.args(args).env("PATH", path).env("OPENCLAW_STATE_DIR", &self.world.state);
        self.world.finish(&mut command)
    }

    /// Fails unless the store was pruned, with a record of it.
    #[track_caller]
    fn is_pruned(&self, ran: &Ran) {
        assert_eq!(self.world.runs().len(), 1, "{ran}");
        assert!(ran.err.contains("removed"), "{ran}");
    }
}

#[test]
fn every_line_with_the_program_is_understood() {
    let mut count = 0;
    for language in ["sh", "yaml", "crontab", "ini"] {
        for line in blocks(language).iter().flat_map(|block| block.lines()) {
            let Some(at) = line.find("sessions-doctor ") else { continue };
            let command = line[at..].split([';', '|', '#', '&']).next().unwrap();
            let request = Request::read(Cli::try_parse_from(command.split_whitespace()).unwrap()).unwrap();
            assert!(["guard", "prune", "hook"].contains(&request.verb.name()), "{line}");
            count += 1;
        }
    }
    assert!(count >= 9, "{count}");
}

#[test]
fn scripts_are_scripts() {
    let blocks = blocks("sh");
    assert!(blocks.len() >= 4);
    for block in blocks {
        let mut shell = Command::new("sh");
        let ran = Ran::new(&shell.args(["-n", "-c", &block]).output().unwrap());
        assert!(ran.code == 0 && ran.err.is_empty(), "{block}\n{ran}");
    }
}

#[test]
fn the_entrypoint_prunes_and_starts_and_starts_without_the_program_as_well() {
    let scripts: Vec<String> =
        blocks("sh").into_iter().filter(|block| block.starts_with("#!/bin/sh")).collect();
    let script = scripts.iter().find(|script| script.contains("exec \"$@\"")).unwrap();
    let machine = Machine::new();
    fs::write(machine.programs.join("entrypoint.sh"), script).unwrap();
    let path = machine.programs.join("entrypoint.sh");
    let start = ["sh", "-c", "echo \"$0 $1\"", "gateway", "two words"];
    let args = [&[path.to_str().unwrap()][..], &start].concat();
    let ran = machine.run("sh", &args).exits(0);
    assert_eq!(ran.out, "gateway two words\n");
    machine.is_pruned(&ran);
    fs::remove_file(machine.programs.join("sessions-doctor")).unwrap();
    assert_eq!(machine.run("sh", &args).exits(0).out, "gateway two words\n");
}

#[test]
fn the_wrapper_of_launchd_calls_both_programs() {
    let scripts: Vec<String> =
        blocks("sh").into_iter().filter(|block| block.starts_with("#!/bin/sh")).collect();
    let script = scripts.iter().find(|script| script.contains("exec /usr/local/bin/node ")).unwrap();
    let machine = Machine::new();
    let here = script.replace("/usr/local/bin/node ", "echo ").replace("/usr/local/bin/", "");
    let ran = machine.run("sh", &["-c", &here]).exits(0);
    assert!(ran.out.ends_with("/dist/index.js gateway --port 18789\n"), "{ran}");
    machine.is_pruned(&ran);
}

#[test]
fn the_lists_of_containers_run() {
    let lists: Vec<Vec<String>> = blocks("yaml").iter().flat_map(|block| lists(block)).collect();
    let init = lists.iter().find(|list| list[0] == "sessions-doctor").unwrap();
    let machine = Machine::new();
    let args: Vec<&str> = init[1..].iter().map(String::as_str).collect();
    machine.is_pruned(&machine.run("sessions-doctor", &args).exits(0));
    let entrypoint = lists.iter().find(|list| list.contains(&"--".to_owned())).unwrap();
    let machine = Machine::new();
    let entrypoint: Vec<String> = entrypoint.iter().map(|word| word.replace("$$", "$")).collect();
    let args: Vec<&str> = entrypoint[1..].iter().map(String::as_str).chain(["echo", "two  words"]).collect();
    let ran = machine.run(&entrypoint[0], &args).exits(0);
    assert_eq!(ran.out, "two  words\n");
    machine.is_pruned(&ran);
    assert!(lists.contains(&vec!["openclaw".to_owned(), "gateway".to_owned()]));
}

#[test]
fn lines_of_the_crontab_run() {
    let crontab = blocks("crontab").concat();
    let lines: Vec<&str> = crontab.lines().filter(|line| !line.is_empty()).collect();
    assert_eq!(lines.len(), 2);
    assert!(!crontab.contains('%'), "a percent sign ends a command there");
    let start = lines[0].strip_prefix("@reboot ").unwrap().replace("openclaw", "echo");
    let machine = Machine::new();
    if machine.world.is_overshadowed() {
        return skipped("lines_of_the_crontab_run", "something of this machine looks like a gateway");
    }
    let ran = machine.run("sh", &["-c", &start]).exits(0);
    assert_eq!(ran.out, "gateway\n");
    machine.is_pruned(&ran);
    let prune = lines[1].strip_prefix("*/15 * * * * ").unwrap();
    let machine = Machine::new();
    machine.run("sh", &["-c", prune]).exits(0);
    assert_eq!(machine.world.runs().len(), 1);
}

#[test]
fn the_drop_in_of_the_page_is_the_one_that_hook_writes() {
    let machine = Machine::new();
    let ran = machine.world.finish(machine.world.bare().arg("hook")).exits(0);
    let shown = blocks("ini").concat();
    let shown = shown.replace("/usr/local/bin/sessions-doctor", env!("CARGO_BIN_EXE_sessions-doctor"));
    assert!(shown.contains("ExecStartPre=-/") && ran.out.contains(shown.trim_end()), "{ran}");
    assert!(ran.out.contains("OnCalendar=*:0/15\n"), "{ran}");
}
