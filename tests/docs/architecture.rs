//! Prevents: rooms that reach around each other, a second door to the disk, a clock in a rule, and a map of them that is no longer true.
//!
//! The invariants are those of `docs/architecture.md`. Where one has exceptions today they are listed here by file, and an exception that is
//! no longer needed fails as well.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use crate::source::{self, SourceFile, sources};

/// Ways to change something on a disk.
const WRITES: &[&str] = &[
    "fs::write(",
    "fs::copy(",
    "fs::rename(",
    "fs::hard_link(",
    "fs::create_dir",
    "fs::remove_",
    "fs::set_permissions(",
    "fs::DirBuilder",
    "DirBuilder::new(",
    "File::create",
    "File::options(",
    "OpenOptions::new(",
    ".set_len(",
    "set_permissions(",
    "symlink(",
    "renameat",
    "unlinkat(",
    "linkat(",
    "ftruncate(",
    "fchown(",
    "fsetxattr(",
    "ioctl_ficlone(",
    "copy_file_range(",
];

/// Ways to reach a file at all.
const FILES: &[&str] = &["std::fs", "fs::", "File::", "FileSource::", "rustix::fs", "tempfile", "memmap2"];
/// Ways to know what time it is.
const CLOCKS: &[&str] = &["SystemTime::now", "Instant::now", "clock_gettime"];
/// Ways to say something.
const VOICES: &[&str] = &["println!", "print!", "eprintln!", "eprint!", "dbg!", "stdout()", "stderr()"];
/// Ways to log something.
const LOGS: &[&str] = &["log::", "info!(", "warn!(", "error!(", "debug!(", "trace!("];
/// Ways to ask for the environment.
const ENVIRONMENT: &[&str] = &["std::env", "env::var", "env::args", "env::current_dir", "env::home_dir"];

/// All lines of files that `belongs` picks and that hold one of `needles`.
fn hits(belongs: impl Fn(&SourceFile) -> bool, needles: &[&[&str]]) -> Vec<String> {
    let needles = needles.concat();
    sources().iter().filter(|file| belongs(file)).flat_map(|file| file.hits(&needles)).collect()
}

/// Asserts that the hits lie in exactly the files of `exceptions`.
fn only_in(exceptions: &[&str], hits: &[String]) {
    let files: BTreeSet<&str> = hits.iter().map(|hit| hit.split(':').next().unwrap_or_default()).collect();
    let allowed: BTreeSet<&str> = exceptions.iter().copied().collect();
    assert_eq!(files, allowed, "found:\n{}", hits.join("\n"));
}

fn in_room(rooms: &'static [&'static str]) -> impl Fn(&SourceFile) -> bool {
    move |file| rooms.contains(&file.room())
}

#[test]
fn rules_and_plans_touch_no_file_no_clock_and_no_log() {
    only_in(&[], &hits(in_room(&["rules", "plan"]), &[FILES, CLOCKS, VOICES, LOGS, ENVIRONMENT]));
}

#[test]
fn the_model_is_plain_values() {
    only_in(&[], &hits(in_room(&["model"]), &[FILES, CLOCKS, VOICES, LOGS, ENVIRONMENT]));
}

#[test]
fn formats_are_read_without_an_operating_system() {
    only_in(&[], &hits(in_room(&["openclaw"]), &[FILES, CLOCKS, VOICES, LOGS, ENVIRONMENT]));
}

#[test]
fn reports_and_units_open_no_file_and_look_at_no_clock() {
    only_in(&[], &hits(in_room(&["report", "units"]), &[FILES, CLOCKS, VOICES, LOGS, ENVIRONMENT]));
}

#[test]
fn only_apply_changes_files_and_there_only_the_disk() {
    // lock_file.rs and files.rs open with options to read without waiting; flock.rs opens the file that our own processes lock each other by;
    // copy.rs and spool.rs write into a private directory for temporary files, and change nothing elsewhere.
    let exceptions = [
        "src/apply/disk.rs",
        "src/apply/flock.rs",
        "src/apply/lock_file.rs",
        "src/evidence/database/copy.rs",
        "src/evidence/database/spool.rs",
    ];
    let found = hits(|_| true, &[WRITES]);
    let reading = |hit: &String| hit.contains("OpenOptions::new().read(true).custom_flags");
    let (reads, writes): (Vec<String>, Vec<String>) = found.into_iter().partition(reading);
    assert_eq!(reads.len(), 2, "{reads:?}");
    let files: Vec<&str> = exceptions.into_iter().filter(|file| !file.ends_with("lock_file.rs")).collect();
    only_in(&files, &writes);
}

#[test]
fn sqlite_has_one_door() {
    let door = "src/evidence/database.rs";
    only_in(&[door], &hits(|_| true, &[&["rusqlite", "Connection::"]]));
    let file = sources().into_iter().find(|file| door == format!("src/{}", file.path)).expect("the door");
    // The only way to open what belongs to somebody else.
    assert_eq!(file.code.matches("open_with_flags").count(), 1);
    for word in ["OPEN_CREATE", "INSERT", "UPDATE", "DELETE", "VACUUM", "checkpoint"] {
        assert!(!file.written.contains(word), "{word}");
    }
}

#[test]
fn only_the_scan_has_unsafe_code_and_says_why_it_is_sound() {
    let found = hits(|_| true, &[&["unsafe"]]);
    let found: Vec<String> = found.into_iter().filter(|hit| !hit.contains("allow(unsafe_code)")).collect();
    let exceptions = [
        "src/scan/simd/avx2.rs",
        "src/scan/simd/mod.rs",
        "src/scan/simd/sse2.rs",
        "src/scan/source/sigbus.rs",
        "src/scan/source/window.rs",
    ];
    only_in(&exceptions, &found);
    for file in sources().iter().filter(|file| !file.hits(&["unsafe"]).is_empty()) {
        assert!(file.written.contains("// SAFETY: "), "src/{} does not say why it is sound", file.path);
    }
}

#[test]
fn only_the_edge_speaks() {
    let exceptions = [
        "src/commands/explain.rs",
        "src/commands/guard/line.rs",
        "src/commands/mod.rs",
        "src/commands/prune.rs",
        "src/commands/speak.rs",
        "src/commands/undo.rs",
        "src/commands/write.rs",
        "src/logging.rs",
        "src/main.rs",
        "src/progress.rs",
    ];
    let files: BTreeSet<String> = hits(|_| true, &[VOICES])
        .iter()
        .map(|hit| hit.split(':').next().unwrap_or_default().to_owned())
        .collect();
    let strangers: Vec<&String> = files.iter().filter(|file| !exceptions.contains(&file.as_str())).collect();
    assert!(strangers.is_empty(), "{strangers:?}");
}

#[test]
fn the_environment_is_read_at_the_edge() {
    only_in(&["src/host/mod.rs"], &hits(|_| true, &[ENVIRONMENT]));
}

#[test]
fn every_file_says_what_it_is_for() {
    for file in sources() {
        let first = file.written.lines().next().unwrap_or_default();
        assert!(first.starts_with("//! "), "src/{} opens with {first:?}", file.path);
    }
}

#[test]
fn one_rule_one_file_and_the_file_is_named_after_it() {
    for file in sources()
        .iter()
        .filter(|file| file.path.starts_with("rules/entry/") && !file.path.ends_with("mod.rs"))
    {
        let count = file.code.matches("pub static RULE: Rule").count();
        assert_eq!(count, 1, "src/{}", file.path);
        let name = Path::new(&file.path).file_stem().expect("a name").to_string_lossy().replace('_', "-");
        assert!(file.written.contains(&format!("\"{name}\"")), "src/{} does not define {name}", file.path);
    }
}

/// The rooms of the table "Who may use whom" of the page, each with the rooms it may use.
fn table() -> BTreeMap<String, BTreeSet<String>> {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/architecture.md"))
        .expect("docs/architecture.md");
    let (_, section) = page.split_once("## Who may use whom").expect("a section with that heading");
    let section = section.split("\n## ").next().unwrap_or_default();
    let rows = section.lines().filter_map(|line| line.strip_prefix("| `"));
    let mut table = BTreeMap::new();
    for row in rows {
        let (room, rest) = row.split_once('`').expect("a room between backticks");
        let uses = rest.split('`').skip(1).step_by(2).map(str::to_owned).collect();
        assert!(table.insert(room.to_owned(), uses).is_none(), "{room} stands there twice");
    }
    table
}

/// What every room really uses.
fn uses() -> BTreeMap<String, BTreeSet<String>> {
    let mut uses: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for file in sources().iter().filter(|file| !matches!(file.room(), "lib" | "main")) {
        let used = uses.entry(file.room().to_owned()).or_default();
        for (at, _) in file.code.match_indices("crate::") {
            let name: String = file.code[at + 7..]
                .chars()
                .take_while(|char| char.is_alphanumeric() || *char == '_')
                .collect();
            if name != file.room() && !name.is_empty() {
                used.insert(name);
            }
        }
    }
    uses
}

#[test]
fn rooms_use_each_other_as_the_map_says() {
    assert_eq!(uses(), table(), "left: what the code uses; right: the table of docs/architecture.md");
}

#[test]
fn the_map_names_every_room() {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/architecture.md"))
        .expect("docs/architecture.md");
    let (_, rooms) = page.split_once("## The rooms").expect("a section with that heading");
    let rooms = rooms.split("\n## ").next().unwrap_or_default();
    for room in uses().keys() {
        assert!(rooms.contains(&format!("| `{room}` |")), "{room} has no line in the table of rooms");
    }
}

#[test]
fn blanking_leaves_code_alone() {
    let text = "let a = \"fs::write(\"; // fs::write(\n/* unsafe */ let b = r#\"un\"safe\"#; let c: &'static str = 'x'; fs::read(";
    let blanked = source::blank(text);
    assert!(!blanked.contains("fs::write") && !blanked.contains("unsafe"), "{blanked}");
    assert!(blanked.contains("&'static str") && blanked.contains("fs::read("), "{blanked}");
    assert_eq!(blanked.lines().count(), 2);
}
