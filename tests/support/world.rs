//! A state directory of its own and the binary run on it, with nothing of the developer's machine in sight.

#![allow(dead_code, reason = "every test binary that includes this uses a part of it")]
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::LazyLock;

use serde_json::Value;

use super::schema::Schema;

/// 2026-11-21T01:14:30Z, the clock of every verdict here.
pub const NOW: i64 = 1_795_223_670_000;
/// [`NOW`] as `--now` takes it.
pub const NOW_TEXT: &str = "2026-11-21T01:14:30Z";
/// A minute in milliseconds.
pub const MINUTE: i64 = 60_000;
/// An hour.
pub const HOUR: i64 = 60 * MINUTE;
/// A day.
pub const DAY: i64 = 24 * HOUR;
/// The job that [`World::looping`] has in its list.
pub const JOB: &str = "11111111-2222-4333-8444-555555555555";
/// A job that is in no list.
pub const GONE: &str = "99999999-2222-4333-8444-555555555555";

/// The store of agent `main`, below the state directory.
pub const STORE: &str = "agents/main/sessions/sessions.json";

/// One file as it lies on the disk: whether anything touched it shows here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lying {
    /// Number of the file.
    pub inode: u64,
    /// Mode bits.
    pub mode: u32,
    /// Modification time in nanoseconds.
    pub modified: i128,
    /// SHA-256 of the content; that of a link is where it points.
    pub content: String,
}

/// Home, state directory and directory for temporary files, all below one that goes away.
pub struct World {
    directory: tempfile::TempDir,
    /// All of it.
    pub root: PathBuf,
    /// `HOME`.
    pub home: PathBuf,
    /// `--state-dir`.
    pub state: PathBuf,
}

/// What a run of the binary came to.
pub struct Ran {
    /// The exit code.
    pub code: i32,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Ran {
    /// Reads the outcome of a process.
    pub fn new(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("UTF-8 in the output");
        Self {
            code: output.status.code().unwrap_or(-1),
            out: text(&output.stdout),
            err: text(&output.stderr),
        }
    }

    /// The report; that it is one JSON value, tells the exit code, and is what the schema says, is part of it.
    #[track_caller]
    pub fn json(&self) -> Value {
        let value: Value = serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self}"));
        assert_eq!(value["exitCode"], self.code, "{self}");
        assert_eq!(against_schema(&value), [""; 0], "{self}");
        value
    }

    /// Fails, with everything that was said, unless the exit code is `code`.
    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        assert!(self.code == code, "exit code {} instead of {code}\n{self}", self.code);
        assert!(!self.err.contains("panicked"), "{self}");
        self
    }

    /// Both streams, without the line breaks of a page.
    pub fn said(&self) -> String {
        let words = format!("{} {}", self.out, self.err);
        words.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// Fails unless one of the streams holds `text`.
    #[track_caller]
    pub fn says(self, text: &str) -> Self {
        assert!(self.said().contains(text), "nothing says {text:?}\n{self}");
        self
    }
}

/// What the schema of reports has against a report: a line for each place.
pub fn against_schema(report: &Value) -> Vec<String> {
    static SCHEMA: LazyLock<Schema> =
        LazyLock::new(|| Schema::new(&sessions_doctor::report::schema::document()));
    SCHEMA.complaints(report)
}

impl std::fmt::Display for Ran {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // What went wrong stands at the end of a report.
        let out = match (self.out.char_indices().nth(4_000), self.out.char_indices().nth_back(6_000)) {
            (Some((head, _)), Some((tail, _))) if head < tail => {
                format!("{}\n[...]\n{}", &self.out[..head], &self.out[tail..])
            }
            _ => self.out.clone(),
        };
        write!(f, "exit code {}\nstdout:\n{out}\nstderr:\n{}", self.code, self.err)
    }
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}

impl World {
    /// An empty state directory.
    pub fn new() -> Self {
        Self::within(tempfile::tempdir().unwrap())
    }

    /// The same in a directory that is given.
    pub fn within(directory: tempfile::TempDir) -> Self {
        let root = directory.path().canonicalize().unwrap();
        let world = Self { home: root.join("home"), state: root.join("state"), root, directory };
        for dir in [&world.home, &world.state, &world.root.join("tmp")] {
            fs::create_dir_all(dir).unwrap();
        }
        world
    }

    /// A state directory with something of every kind to remove, and much to keep; see [`looping`].
    pub fn looping() -> Self {
        let world = Self::new();
        world.put(STORE, store(&looping()));
        world.put("cron/jobs.json", jobs(&[JOB]));
        world
    }

    /// Writes a file below the state directory, 0600.
    pub fn put(&self, below: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.state.join(below);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        path
    }

    /// The store of agent `main`.
    pub fn store(&self) -> PathBuf {
        self.state.join(STORE)
    }

    /// The bytes of the store of agent `main`.
    pub fn bytes(&self) -> Vec<u8> {
        fs::read(self.store()).unwrap()
    }

    /// The keys of the store of agent `main`, in order.
    pub fn keys(&self) -> Vec<String> {
        keys(&self.bytes())
    }

    /// The binary in a clean environment, without arguments.
    pub fn bare(&self) -> Command {
        self.clean(env!("CARGO_BIN_EXE_sessions-doctor"))
    }

    /// Any program in that environment.
    pub fn clean(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", &self.home)
            .env("TMPDIR", self.root.join("tmp"))
            .current_dir(&self.root)
            .stdin(Stdio::null());
        command
    }

    /// The binary at a path below the root, where it may have another name, or another owner may reach it.
    pub fn program(&self, below: &str) -> PathBuf {
        let path = self.root.join(below);
        if !path.exists() {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            // By another process: were the copy open for writing in this one, a child that some test starts now would hold it
            // open as well, and until that child is gone nothing can run it ("text file busy").
            let copied = Command::new("cp").arg(env!("CARGO_BIN_EXE_sessions-doctor")).arg(&path).status();
            assert!(copied.unwrap().success());
        }
        path
    }

    /// The binary on this state directory, at [`NOW`].
    pub fn doctor(&self, args: &[&str]) -> Command {
        let mut command = self.bare();
        command.args(args).arg("--state-dir").arg(&self.state).args(["--now", NOW_TEXT]);
        command
    }

    /// Runs it.
    pub fn run(&self, args: &[&str]) -> Ran {
        Ran::new(&self.doctor(args).output().unwrap())
    }

    /// Runs it with the gateway said to be stopped.
    pub fn stopped(&self, args: &[&str]) -> Ran {
        Ran::new(&self.doctor(args).args(["--gateway", "stopped"]).output().unwrap())
    }

    /// Runs a command that [`World::bare`] began.
    pub fn finish(&self, command: &mut Command) -> Ran {
        Ran::new(&command.output().unwrap())
    }

    /// Whether something of this machine, such as the developer's own gateway, keeps a real look from establishing that ours
    /// is stopped.
    pub fn is_overshadowed(&self) -> bool {
        let ran = self.finish(self.bare().args(["check", "--json", "--state-dir"]).arg(&self.state));
        ran.json()["gateway"]["running"].is_null()
    }

    /// Everything below the root, records of the tool included.
    pub fn tree(&self) -> BTreeMap<PathBuf, Lying> {
        tree(&self.root)
    }

    /// Everything in the sessions directory but the store.
    pub fn beside(&self) -> Vec<String> {
        let names = fs::read_dir(self.store().parent().unwrap()).unwrap();
        let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.filter(|name| name != "sessions.json").collect();
        names.sort();
        names
    }

    /// Names of the runs on record.
    pub fn runs(&self) -> Vec<String> {
        runs(&self.state.join("sessions-doctor/runs"))
    }

    /// A live process with a lock of its own at `path`, as OpenClaw writes them.
    pub fn lock(&self, path: &Path) -> Alive {
        let alive = Alive::new(&mut self.clean("sh"));
        fs::write(path, lock_text(alive.pid(), Some(alive.ticks()))).unwrap();
        alive
    }
}

/// Names in a directory of runs.
pub fn runs(dir: &Path) -> Vec<String> {
    let Ok(names) = fs::read_dir(dir) else { return Vec::new() };
    let mut names: Vec<String> =
        names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Everything below a directory.
pub fn tree(root: &Path) -> BTreeMap<PathBuf, Lying> {
    let mut found = BTreeMap::new();
    let mut open = vec![root.to_path_buf()];
    while let Some(dir) = open.pop() {
        for entry in fs::read_dir(&dir).unwrap() {
            let path = entry.unwrap().path();
            let facts = fs::symlink_metadata(&path).unwrap();
            if facts.is_dir() {
                open.push(path);
                continue;
            }
            let content = if facts.is_symlink() {
                fs::read_link(&path).unwrap().display().to_string()
            } else {
                sha256(&fs::read(&path).unwrap())
            };
            let modified = i128::from(facts.mtime()) * 1_000_000_000 + i128::from(facts.mtime_nsec());
            let lying = Lying { inode: facts.ino(), mode: facts.mode(), modified, content };
            found.insert(path.strip_prefix(root).unwrap().to_path_buf(), lying);
        }
    }
    found
}

/// SHA-256 in hex.
pub fn sha256(bytes: &[u8]) -> String {
    use sha2::Digest;
    sha2::Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A process that lives until this goes away, or until the test does.
pub struct Alive(Child);

impl Alive {
    /// `sh`, waiting for a line that never comes.
    pub fn new(sh: &mut Command) -> Self {
        Self(sh.args(["-c", "read x"]).stdin(Stdio::piped()).spawn().unwrap())
    }

    /// A process that looks like a gateway of a state directory.
    pub fn gateway(world: &World) -> Self {
        Self::new(world.clean("sh").arg0("openclaw-gateway").env("OPENCLAW_STATE_DIR", &world.state))
    }

    /// Its number.
    pub fn pid(&self) -> u32 {
        self.0.id()
    }

    /// Clock ticks between boot and its start.
    pub fn ticks(&self) -> u64 {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.pid())).unwrap();
        stat.rsplit(')').next().unwrap().split_whitespace().nth(19).unwrap().parse().unwrap()
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A number that no process has any more.
pub fn dead_pid() -> u32 {
    let mut child = Command::new("true").spawn().unwrap();
    child.wait().unwrap();
    child.id()
}

/// A lock file's text.
pub fn lock_text(pid: u32, ticks: Option<u64>) -> String {
    let ticks = ticks.map(|ticks| format!(",\n  \"starttime\": {ticks}")).unwrap_or_default();
    format!("{{\n  \"pid\": {pid},\n  \"createdAt\": \"2026-11-21T01:13:39.208Z\"{ticks}\n}}")
}

/// An entry: its key and its members, values as JSON text.
pub type Entry = (String, Vec<(&'static str, String)>);

/// An entry that was touched `ago` before [`NOW`].
pub fn entry(key: impl Into<String>, session: &str, ago: i64, more: &[(&'static str, &str)]) -> Entry {
    let mut members = vec![("sessionId", quoted(session)), ("updatedAt", (NOW - ago).to_string())];
    members.extend(more.iter().map(|(name, value)| (*name, (*value).to_owned())));
    (key.into(), members)
}

/// A JSON string.
pub fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap()
}

/// The text of a store, as `JSON.stringify(store, null, 2)` has it.
pub fn store(entries: &[Entry]) -> String {
    if entries.is_empty() {
        return "{}".to_owned();
    }
    let entry = |(key, members): &Entry| {
        let members: Vec<String> =
            members.iter().map(|(name, value)| format!("    \"{name}\": {value}")).collect();
        format!("  {}: {{\n{}\n  }}", quoted(key), members.join(",\n"))
    };
    format!("{{\n{}\n}}", entries.iter().map(entry).collect::<Vec<_>>().join(",\n"))
}

/// The keys of a store, in order.
pub fn keys(bytes: &[u8]) -> Vec<String> {
    // serde_json sorts the keys of its maps, so they are collected on the way.
    struct Keys(Vec<String>);
    impl<'de> serde::de::Visitor<'de> for Keys {
        type Value = Vec<String>;
        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("a store")
        }
        fn visit_map<A: serde::de::MapAccess<'de>>(mut self, mut map: A) -> Result<Vec<String>, A::Error> {
            while let Some((key, _)) = map.next_entry::<String, serde::de::IgnoredAny>()? {
                self.0.push(key);
            }
            Ok(self.0)
        }
    }
    use serde::Deserializer as _;
    serde_json::Deserializer::from_slice(bytes).deserialize_map(Keys(Vec::new())).unwrap()
}

/// A job list.
pub fn jobs(ids: &[&str]) -> String {
    let job = |id: &&str| {
        serde_json::json!({
            "id": id, "name": format!("job {}", &id[..4]), "enabled": true, "createdAtMs": NOW - 40 * DAY,
            "updatedAtMs": NOW - DAY, "schedule": {"kind": "every", "everyMs": 40_000},
            "sessionTarget": "isolated", "wakeMode": "now",
            "payload": {"kind": "agentTurn", "message": "Summarise"}, "state": {"lastRunAtMs": NOW - 2 * DAY}
        })
    };
    let list = serde_json::json!({"version": 1, "jobs": ids.iter().map(job).collect::<Vec<_>>()});
    serde_json::to_string_pretty(&list).unwrap()
}

/// A finished line of a run log.
pub fn finished(job: &str, session: Option<&str>, ts: i64, run_at: i64) -> String {
    let mut line =
        serde_json::json!({"ts": ts, "jobId": job, "action": "finished", "status": "ok", "runAtMs": run_at});
    if let Some(session) = session {
        line["sessionId"] = session.into();
        line["sessionKey"] = format!("agent:main:cron:{job}:run:{session}").into();
    }
    format!("{line}\n")
}

/// Key of the base of a job.
pub fn base(job: &str) -> String {
    format!("agent:main:cron:{job}")
}

/// Key of a run record.
pub fn run(job: &str, session: &str) -> String {
    format!("agent:main:cron:{job}:run:{session}")
}

/// Main, a direct conversation, a base that claims to run and its record; old records of the job; a record of a deleted job; a
/// sub-agent that runs; an interrupted group.
pub fn looping() -> Vec<Entry> {
    let running = [("status", "\"running\"")];
    let started = (NOW - 9 * HOUR).to_string();
    vec![
        entry("agent:main:main", "s-main", 5 * MINUTE, &[("status", "\"done\"")]),
        entry(base(JOB), "s-hung", 9 * HOUR, &[("startedAt", &started), running[0]]),
        entry(run(JOB, "s-hung"), "s-hung", 9 * HOUR, &[]),
        entry(run(JOB, "s-old"), "s-old", 3 * DAY, &[("status", "\"done\"")]),
        entry(run(JOB, "s-fresh"), "s-fresh", 3 * HOUR, &[("status", "\"done\"")]),
        entry("agent:main:telegram:direct:4711", "s-peer", 90 * DAY, &[("status", "\"done\"")]),
        entry(run(GONE, "s-lost"), "s-lost", 3 * DAY, &[]),
        entry("agent:main:subagent:abc", "s-sub", 40 * DAY, &running),
        entry("agent:main:telegram:group:77", "s-group", 40 * DAY, &running),
    ]
}

/// What [`looping`] loses with the gateway stopped.
pub fn looping_loses() -> Vec<String> {
    vec![run(JOB, "s-hung"), run(JOB, "s-old"), run(GONE, "s-lost")]
}

/// The entries of the first store of a report, by key.
pub fn changes(report: &Value) -> BTreeMap<String, Value> {
    let list = report["stores"][0]["changes"].as_array().unwrap_or_else(|| panic!("no changes: {report}"));
    list.iter().map(|change| (change["key"].as_str().unwrap().to_owned(), change.clone())).collect()
}

/// Whether the report holds a finding of that id.
pub fn finding<'a>(report: &'a Value, id: &str) -> Option<&'a Value> {
    report["findings"].as_array().unwrap().iter().find(|finding| finding["checkId"] == id)
}

/// Prints why a test proves nothing here; to the real stderr, past the capture of the harness.
pub fn skipped(test: &str, why: &str) {
    let _ = writeln!(std::io::stderr(), "skipped: {test} ({why})");
}
