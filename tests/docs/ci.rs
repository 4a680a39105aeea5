//! Prevents recipes in `docs/ci.md` that do not fail a build where they should, or fail it where they should not: every command line of
//! the page is run, in a repository with sound fixtures and in one with a broken one.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use saphyr::{LoadableYamlNode, Yaml};
use tempfile::TempDir;

const SOUND: &str = "testdata/validate/entry-seconds/pass.json";
const BROKEN: &str = "testdata/validate/entry-seconds/fail.json";
const CUT: &str = "testdata/validate/store-truncated/fail.json";

/// The blocks of the page in a language, in order.
fn blocks(language: &str) -> Vec<String> {
    let page = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/ci.md")).unwrap();
    let parts = page.split("\n```").collect::<Vec<_>>();
    let fenced = parts.iter().filter_map(|part| part.strip_prefix(language)?.strip_prefix('\n'));
    fenced.map(|text| format!("{text}\n")).collect()
}

/// The block of YAML that holds `word`.
fn yaml(word: &str) -> Yaml<'static> {
    let block = blocks("yaml").into_iter().find(|block| block.contains(word)).unwrap();
    let block: &'static str = Box::leak(block.into_boxed_str());
    Yaml::load_from_str(block).unwrap().remove(0)
}

/// A project with fixtures, the program in front of all others, and a `cargo` that installs nothing: it only takes the line that it should.
struct Project {
    dir: TempDir,
}

impl Project {
    fn new(store: &str) -> Self {
        let dir = TempDir::new().unwrap();
        let project = Project { dir };
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        fs::create_dir_all(project.path("fixtures/runs")).unwrap();
        fs::create_dir_all(project.path("bin")).unwrap();
        fs::copy(root.join(store), project.path("fixtures/sessions.json")).unwrap();
        fs::copy(root.join("testdata/validate/job-seconds/pass.json"), project.path("fixtures/jobs.json"))
            .unwrap();
        fs::write(
            project.path("sessions-doctor.toml"),
            "[rules]\nentry-future-time = \"allow\"\njob-future-time = \"allow\"\n",
        )
        .unwrap();
        let cargo = "#!/bin/sh\n[ \"$*\" = \"install --locked --git where-it-is sessions-doctor\" ] && ln -s \"$PROGRAM\" \"$BIN/sessions-doctor\"\n";
        fs::write(project.path("bin/cargo"), cargo).unwrap();
        fs::set_permissions(project.path("bin/cargo"), fs::Permissions::from_mode(0o755)).unwrap();
        project
    }

    fn path(&self, below: &str) -> PathBuf {
        self.dir.path().join(below)
    }

    /// Runs a command line as a CI system does.
    fn run(&self, line: &str) -> Output {
        let path = format!("{}:{}", self.path("bin").display(), std::env::var("PATH").unwrap());
        let mut command = Command::new("sh");
        command.args(["-e", "-c", line]).current_dir(self.dir.path()).env("PATH", path);
        command.env("PROGRAM", env!("CARGO_BIN_EXE_sessions-doctor")).env("BIN", self.path("bin"));
        command.env("SESSIONS_DOCTOR_GIT", "where-it-is").env("HOME", self.dir.path());
        for name in ["GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE"] {
            command.env_remove(name);
        }
        command.output().unwrap()
    }

    #[track_caller]
    fn ends(&self, line: &str, code: i32) -> String {
        let output = self.run(line);
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said).into_owned();
        assert_eq!(output.status.code(), Some(code), "{line}\n{said}");
        said
    }

    /// The program, without a recipe that installs it.
    fn with_program(store: &str) -> Self {
        let project = Project::new(store);
        project.ends("cargo install --locked --git where-it-is sessions-doctor", 0);
        project
    }
}

/// A store, and the exit code that it should end with.
const CASES: [(&str, i32); 3] = [(SOUND, 0), (BROKEN, 1), (CUT, 3)];

#[test]
fn the_job_for_github_fails_where_it_should_and_annotates_the_line() {
    let workflow = yaml("runs-on:");
    let steps = workflow["jobs"]["validate"]["steps"].as_sequence().unwrap();
    let lines: Vec<&str> = steps.iter().filter_map(|step| step.as_mapping_get("run")?.as_str()).collect();
    let [install, annotate, scan] = lines.as_slice() else { panic!("{lines:?}") };
    let upload = steps.iter().rfind(|step| step.contains_mapping_key("uses")).unwrap();
    for (store, code) in CASES {
        let project = Project::new(store);
        project.ends(install, 0);
        let said = project.ends(annotate, code);
        let level = if code == 1 { "warning" } else { "error" };
        assert_eq!(
            said.contains(&format!("::{level} file=fixtures/sessions.json,line=")),
            code > 0,
            "{said}"
        );
        project.ends(scan, 0);
        let log = fs::read_to_string(project.path(upload["with"]["sarif_file"].as_str().unwrap())).unwrap();
        let log: serde_json::Value = serde_json::from_str(&log).unwrap();
        assert_eq!(log["version"], "2.1.0");
        assert_eq!(log["runs"][0]["results"].as_array().is_some_and(|list| !list.is_empty()), code > 0);
    }
}

#[test]
fn the_job_for_gitlab_fails_where_it_should_and_leaves_a_report() {
    let pipeline = yaml("junit:");
    let job = &pipeline["validate-sessions"];
    let script: Vec<&str> = job["script"].as_sequence().unwrap().iter().filter_map(Yaml::as_str).collect();
    for (store, code) in CASES {
        let project = Project::new(store);
        project.ends(&script.join("\n"), code);
        let report = fs::read_to_string(project.path(job["artifacts"]["reports"]["junit"].as_str().unwrap()));
        let report = report.unwrap();
        assert!(report.contains("<testsuites") && report.contains("fixtures/jobs.json"), "{report}");
        assert_eq!(report.contains("<failure"), code > 0, "{report}");
    }
}

#[test]
fn the_hook_of_pre_commit_takes_the_files_and_fails_where_it_should() {
    let config = yaml("repo: local");
    let hook = &config["repos"][0]["hooks"][0];
    let (entry, files) = (hook["entry"].as_str().unwrap(), hook["files"].as_str().unwrap());
    for (store, code) in CASES {
        let project = Project::with_program(store);
        fs::write(project.path("fixtures/other.json"), "{").unwrap();
        // The tool picks the names by the pattern, and hands them over.
        let pick = format!("find . -type f | sed 's,^\\./,,' | grep -E '{files}' | sort");
        assert_eq!(project.ends(&pick, 0), "fixtures/jobs.json\nfixtures/sessions.json\n");
        project.ends(&format!("{entry} fixtures/jobs.json fixtures/sessions.json"), code);
    }
}

#[test]
fn the_hook_of_git_refuses_what_is_staged_and_broken() {
    if Command::new("git").arg("--version").output().is_err() {
        assert!(std::env::var_os("SESSIONS_DOCTOR_REQUIRE_ORACLES").is_none(), "git is missing");
        println!("skipped: the_hook_of_git_refuses_what_is_staged_and_broken: git is missing");
        return;
    }
    let script = blocks("sh").into_iter().find(|block| block.starts_with("#!")).unwrap();
    for (store, code) in CASES {
        let project = Project::with_program(store);
        project.ends(
            "git init -q . && git config user.email a@b && git config user.name a && git add fixtures",
            0,
        );
        fs::write(project.path(".git/hooks/pre-commit"), &script).unwrap();
        fs::set_permissions(project.path(".git/hooks/pre-commit"), fs::Permissions::from_mode(0o755))
            .unwrap();
        // What lies there is not what is staged.
        fs::write(project.path("fixtures/sessions.json"), if code == 0 { "{" } else { "{}" }).unwrap();
        let said = project.ends("git commit -q -m first", i32::from(code > 0));
        assert_eq!(said.contains("fixtures/sessions.json:"), code > 0, "{said}");
        assert!(!said.contains("fixtures/jobs.json:"), "{said}");
        let count = project.run("git rev-list --count HEAD");
        assert_eq!(count.status.success(), code == 0);
    }
}

#[test]
fn an_archive_is_looked_at_through_a_pipe() {
    let line = blocks("sh").into_iter().find(|block| block.contains("tar -xOf")).unwrap();
    for (store, code) in CASES {
        let project = Project::with_program(store);
        let archive = "mkdir -p agents/main/sessions && cp fixtures/sessions.json agents/main/sessions/ && tar -cf backup.tar agents";
        project.ends(archive, 0);
        project.ends(&line, code);
    }
}

#[test]
fn the_first_line_and_the_settings_of_the_page_are_taken() {
    let line = blocks("sh").into_iter().find(|block| block.starts_with("sessions-doctor validate")).unwrap();
    let settings = blocks("toml").remove(0);
    for (store, code) in CASES {
        let project = Project::with_program(store);
        fs::write(project.path("sessions-doctor.toml"), &settings).unwrap();
        fs::remove_file(project.path("fixtures/jobs.json")).unwrap();
        project.ends(&line, code);
    }
    let project = Project::with_program(SOUND);
    fs::write(project.path("sessions-doctor.toml"), settings.replace("allow", "never")).unwrap();
    project.ends(&line, 2);
    fs::write(project.path("sessions-doctor.toml"), "").unwrap();
    fs::remove_dir_all(project.path("fixtures")).unwrap();
    fs::create_dir(project.path("fixtures")).unwrap();
    project.ends(&line, 6);
}
