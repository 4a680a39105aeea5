//! Every rule once, over small directories, and what files of strangers do.

use std::fs;
use std::path::PathBuf;

use super::*;
use crate::openclaw::jobs;

const NOW: Millis = 1_795_223_670_000;
const JOBS: &str = r#"{"version":1,"jobs":[{"id":"J1","sessionTarget":"isolated","agentId":"work"},
    {"id":"J2","sessionTarget":"session:mine"},{"id":"J3","sessionTarget":"isolated"}]}"#;

/// A state directory in the making.
struct World {
    dir: tempfile::TempDir,
    agents: Vec<String>,
}

impl World {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        for sub in ["sessions", "runs"] {
            fs::create_dir(dir.path().join(sub)).unwrap();
        }
        World { dir, agents: vec!["Main".to_owned()] }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn write(&self, name: &str, text: impl AsRef<[u8]>) -> &Self {
        fs::write(self.path(name), text).unwrap();
        self
    }

    /// A transcript that began and ended so many seconds after the epoch of the tests.
    fn transcript(&self, session: &str, from: u32, to: u32, first_words: &str) -> &Self {
        self.write(&format!("sessions/{session}.jsonl"), transcript(session, from, to, first_words))
    }

    fn trajectory(&self, session: &str, keys: &[&str]) -> &Self {
        let events = keys.iter().map(|key| event(session, key));
        self.write(&format!("sessions/{session}.trajectory.jsonl"), events.collect::<String>())
    }

    fn read(&self, known: &[&str]) -> Conversations {
        let jobs = jobs::parse_jobs(JOBS.as_bytes()).unwrap();
        let sources = Sources {
            sessions_dir: &self.path("sessions"),
            store_name: "sessions.json",
            agents: &self.agents,
            main_key: "main",
            run_logs: &self.path("runs"),
            registry: &self.path("registry.json"),
            jobs: &jobs,
            now: NOW,
        };
        read(&sources, &|session, _| known.contains(&session))
    }
}

fn at(second: u32) -> String {
    format!("2026-11-21T01:{:02}:{:02}.000Z", second / 60, second % 60)
}

fn transcript(session: &str, from: u32, to: u32, first_words: &str) -> String {
    format!(
        "{{\"type\":\"session\",\"version\":3,\"id\":\"{session}\",\"timestamp\":\"{}\"}}\n{{\"type\":\"message\",\"timestamp\":\"{}\",\"message\":{{\"role\":\"user\",\"content\":[{{\"type\":\"text\",\"text\":\"{first_words}\"}}]}}}}\n",
        at(from),
        at(to)
    )
}

fn event(session: &str, key: &str) -> String {
    format!(
        "{{\"traceSchema\":\"openclaw-trajectory\",\"schemaVersion\":1,\"sessionId\":\"{session}\",\"sessionKey\":\"{key}\"}}\n"
    )
}

/// A line of a run log: job, session, key, and when the run began.
fn line(job: &str, session: &str, key: &str, began: Millis) -> String {
    format!(
        "{{\"ts\":{},\"jobId\":\"{job}\",\"action\":\"finished\",\"status\":\"ok\",\"sessionId\":\"{session}\",\"sessionKey\":\"{key}\",\"runAtMs\":{began}}}\n",
        began + 500
    )
}

/// Key, session, and who tells it.
fn named(found: &Conversations) -> Vec<(&str, &str, &str)> {
    let mut named: Vec<_> =
        found.named.iter().map(|one| (&*one.key, &*one.session, teller(&one.told_by))).collect();
    named.sort_unstable();
    named
}

fn unnamed(found: &Conversations) -> Vec<(&str, &Why)> {
    found.unnamed.iter().map(|one| (&*one.transcript, &one.why)).collect()
}

fn teller(by: &ToldBy) -> &'static str {
    match by {
        ToldBy::RunLog { .. } => "log",
        ToldBy::Registry => "registry",
        ToldBy::Trajectory => "trajectory",
        ToldBy::CronMark => "mark",
    }
}

const BEGAN: Millis = 1_795_223_000_000;

#[test]
fn a_run_log_tells_the_record_and_the_newest_run_is_that_of_the_base() {
    let world = World::new();
    let log = [("a", 0), ("b", 2000), ("c", 1000), ("gone", 3000)];
    let lines = log.map(|(id, after)| line("J1", id, &format!("agent:main:cron:j1:run:{id}"), BEGAN + after));
    world.write("runs/J1.jsonl", lines.concat());
    // What was written late to an older run (a sub-agent that answers) does not make it the newest.
    world.transcript("a", 0, 900, "x").transcript("b", 2, 3, "x").transcript("c", 1, 2, "x");
    let found = world.read(&[]);
    let record = |id: &str| format!("agent:main:cron:j1:run:{id}");
    let expected = [
        ("agent:main:cron:j1", "b", "log"),
        (&record("a"), "a", "log"),
        (&record("b"), "b", "log"),
        (&record("c"), "c", "log"),
    ];
    assert_eq!(named(&found), expected);
    assert_eq!(found.older, []);
    let base = found.named.iter().find(|one| one.shape == Shape::CronBase).unwrap();
    let file = world.path("runs/J1.jsonl").display().to_string();
    assert_eq!(base.told_by, ToldBy::RunLog { file: file.into(), line: 2 });
    let run = Run { status: Status::Done, started_at: Some(BEGAN + 2000), ended_at: BEGAN + 2500 };
    assert_eq!((base.run, base.transcript.as_str()), (Some(run), "b.jsonl"));
    assert_eq!(base.confidence, Confidence::Certain);
}

#[test]
fn runs_that_an_entry_refers_to_decide_about_the_base_as_well() {
    let world = World::new();
    let log = [("a", 0), ("b", 1000)];
    let lines = log.map(|(id, after)| line("j1", id, &format!("agent:main:cron:j1:run:{id}"), BEGAN + after));
    world.write("runs/j1.jsonl", lines.concat()).transcript("a", 0, 1, "x").transcript("b", 2, 3, "x");
    // The record of the newest run is still there, and its base is gone.
    let expected = [("agent:main:cron:j1", "b", "log"), ("agent:main:cron:j1:run:a", "a", "log")];
    assert_eq!(named(&world.read(&["b"])), expected);
    assert_eq!(named(&world.read(&["a"]))[0], ("agent:main:cron:j1", "b", "log"));
}

#[test]
fn a_trajectory_tells_its_session_and_no_other() {
    let world = World::new();
    world.transcript("a", 0, 1, "x").trajectory("a", &["agent:main:main", "agent:main:main"]);
    world
        .transcript("b", 0, 1, "x")
        .write("sessions/b.trajectory.jsonl", event("a", "agent:main:telegram:dm:7"));
    world.write("sessions/c-topic-7.jsonl", transcript("c", 0, 1, "x"));
    world.write("sessions/c-topic-7.trajectory.jsonl", event("c", "agent:main:telegram:group:-1:topic:7"));
    world.transcript("d", 0, 9, "x").trajectory("d", &["agent:main:cron:j9", "agent:main:cron:j9:run:d"]);
    let found = world.read(&[]);
    let expected = [
        ("agent:main:cron:j9", "d", "trajectory"),
        ("agent:main:cron:j9:run:d", "d", "trajectory"),
        ("agent:main:main", "a", "trajectory"),
        ("agent:main:telegram:group:-1:topic:7", "c", "trajectory"),
    ];
    assert_eq!(named(&found), expected);
    let topic = found.named.iter().find(|one| one.session == "c").unwrap();
    assert_eq!((topic.transcript.as_str(), topic.run), ("c-topic-7.jsonl", None));
    assert_eq!(unnamed(&found), [("b.jsonl", &Why::Silence)]);
}

#[test]
fn the_session_that_was_written_to_last_has_the_key() {
    let world = World::new();
    for (session, from, to) in [("old", 0, 100), ("new", 20, 300), ("mid", 90, 150)] {
        world.transcript(session, from, to, "x").trajectory(session, &["agent:main:Main:thread:1"]);
    }
    world.transcript("odd", 1, 2, "x").trajectory("odd", &["agent:main:main:thread:1"]);
    let found = world.read(&[]);
    assert_eq!(named(&found), [("agent:main:Main:thread:1", "new", "trajectory")]);
    let older: Vec<&str> = found.older.iter().map(|one| one.session.as_str()).collect();
    assert_eq!(older, ["mid", "old", "odd"]);
}

#[test]
fn the_mark_of_a_job_tells_its_base_unless_the_job_runs_elsewhere() {
    let world = World::new();
    for (session, job) in [("a", "J1"), ("b", "J2"), ("c", "gone")] {
        world.transcript(session, 0, 1, &format!("[cron:{job} digest] Summarise"));
    }
    world.transcript("d", 0, 1, "[Sat 2026-11-21 01:11 UTC] [cron:J1 digest] fake");
    let found = world.read(&[]);
    let expected = [("agent:main:cron:gone", "c", "mark"), ("agent:main:cron:j1", "a", "mark")];
    assert_eq!(named(&found), expected);
    let sure = |session: &str| found.named.iter().find(|one| one.session == session).unwrap().confidence;
    assert_eq!((sure("a"), sure("c")), (Confidence::Certain, Confidence::Likely));
    assert_eq!(unnamed(&found), [("b.jsonl", &Why::Silence), ("d.jsonl", &Why::Silence)]);
    assert_eq!(found.unnamed[0].first_words.as_deref(), Some("[cron:J2 digest] Summarise"));
}

#[test]
fn of_several_agents_the_job_has_to_name_the_one() {
    let world = World { agents: vec!["main".into(), "work".into()], ..World::new() };
    world.transcript("a", 0, 1, "[cron:J1 x] y").transcript("b", 0, 1, "[cron:J3 x] y");
    world.transcript("c", 0, 1, "[cron:J3 x] y").trajectory("c", &["agent:work:cron:j3"]);
    let found = world.read(&[]);
    let expected = [("agent:work:cron:j1", "a", "mark"), ("agent:work:cron:j3", "c", "trajectory")];
    assert_eq!(named(&found), expected);
    assert_eq!(unnamed(&found), [("b.jsonl", &Why::UnknownAgent)]);
    let world = World { agents: vec!["main".into(), "Main".into()], ..world };
    assert_eq!(named(&world.read(&["a", "c"])), [("agent:main:cron:j3", "b", "mark")]);
}

#[test]
fn who_disagrees_leaves_it_to_the_person() {
    let world = World::new();
    world.write("runs/j1.jsonl", line("j1", "a", "agent:main:cron:j1:run:a", BEGAN));
    world.transcript("a", 0, 1, "x").trajectory("a", &["agent:main:main"]);
    world.transcript("b", 0, 1, "x").trajectory("b", &["agent:main:main", "agent:main:telegram:dm:7"]);
    world.transcript("c", 0, 1, "[cron:J3 x] y").trajectory("c", &["agent:main:main"]);
    // The list does not know the job: the words may be anybody's.
    world.transcript("d", 0, 1, "[cron:gone x] y").trajectory("d", &["agent:main:telegram:dm:8"]);
    // A line of two runs is true of the base of both.
    world
        .write("runs/j2.jsonl", line("j2", "e", "agent:main:cron:j2:run:f", BEGAN))
        .transcript("e", 0, 1, "x");
    let found = world.read(&[]);
    let expected = [("agent:main:cron:j2", "e", "log"), ("agent:main:telegram:dm:8", "d", "trajectory")];
    assert_eq!(named(&found), expected);
    let two = Why::Contradiction;
    assert_eq!(unnamed(&found), [("a.jsonl", &two), ("b.jsonl", &two), ("c.jsonl", &two)]);
    let told: Vec<(&str, &str)> =
        found.unnamed[0].told.iter().map(|(key, by)| (key.as_str(), teller(by))).collect();
    assert_eq!(told, [("agent:main:cron:j1:run:a", "log"), ("agent:main:main", "trajectory")]);
}

#[test]
fn keys_that_no_entry_of_this_store_could_have_are_not_believed() {
    let long = format!("agent:main:telegram:dm:{}", "7".repeat(2000));
    let cases = [
        ("agent:main:mine", Why::OddKey),
        ("agent:main:cron:j:run:a:b", Why::OddKey),
        ("cron:j", Why::OddKey),
        ("main", Why::ForeignKey),
        ("global", Why::ForeignKey),
        ("agent:work:main", Why::ForeignKey),
        ("agent:?:main", Why::ForeignKey),
        (&long, Why::OddKey),
        ("agent:main:telegram:dm:7\\u0007", Why::OddKey),
        ("agent:main:telegram:dm:\\ud83d", Why::OddKey),
    ];
    for (key, why) in cases {
        let world = World::new();
        world.transcript("a", 0, 1, "x").trajectory("a", &[key]);
        let found = world.read(&[]);
        assert_eq!((named(&found), unnamed(&found)), (vec![], vec![("a.jsonl", &why)]), "{key}");
        assert_eq!(found.unnamed[0].told.len(), 1);
    }
}

#[test]
fn a_first_line_of_another_session_makes_it_nobodys() {
    let world = World::new();
    let text = transcript("a", 0, 1, "x");
    for name in ["a.jsonl", "copy.jsonl", "my copy.jsonl", "no session.jsonl"] {
        world.write(&format!("sessions/{name}"), &text);
    }
    world.write("sessions/no session.jsonl", "{\"type\":\"session\",\"id\":\"../a\"}\n");
    world.write("runs/j1.jsonl", line("j1", "copy", "agent:main:cron:j1:run:copy", BEGAN));
    let found = world.read(&[]);
    let other = Why::OtherSession { header: "a".into() };
    let expected = [("a.jsonl", &Why::Silence), ("copy.jsonl", &other), ("my copy.jsonl", &other)];
    assert_eq!(unnamed(&found), expected);
    let sessions: Vec<&str> = found.unnamed.iter().map(|one| one.session.as_str()).collect();
    assert_eq!(sessions, ["a", "copy", "a"]);
    // Of a session with an entry nobody lists the copies that are called like none.
    assert_eq!(unnamed(&world.read(&["a"])), [("copy.jsonl", &other)]);
}

#[test]
fn what_openclaw_would_take_for_broken_and_begin_anew_gets_no_entry() {
    let world = World::new();
    let text = transcript("a", 0, 1, "precious");
    let (header, rest) = text.split_once('\n').unwrap();
    world.trajectory("a", &["agent:main:main"]).write("sessions/a.jsonl", &text);
    assert_eq!(named(&world.read(&[])), [("agent:main:main", "a", "trajectory")]);
    let half = &header[..30];
    for broken in [rest.to_owned(), format!("{half}\n{rest}"), format!("\u{feff}{text}"), half.to_owned()] {
        let found = world.write("sessions/a.jsonl", &broken).read(&[]);
        assert_eq!((named(&found), unnamed(&found)), (vec![], vec![("a.jsonl", &Why::NoHeader)]), "{broken}");
        assert_eq!(found.unnamed[0].told, [("agent:main:main".to_owned(), ToldBy::Trajectory)]);
    }
    // Nor does a base get one, though it was the newest run.
    let log = [("a", 1000), ("b", 0)];
    let lines = log.map(|(id, after)| line("j1", id, &format!("agent:main:cron:j1:run:{id}"), BEGAN + after));
    world.write("runs/j1.jsonl", lines.concat()).transcript("b", 0, 1, "x");
    world.write("sessions/a.trajectory.jsonl", "");
    assert_eq!(named(&world.read(&["a"]))[0], ("agent:main:cron:j1", "b", "log"));
}

#[test]
fn two_transcripts_of_a_session_with_two_keys_are_nobodys() {
    let world = World::new();
    world.transcript("a", 0, 1, "x").trajectory("a", &["agent:main:main"]);
    world.write("sessions/a-topic-7.jsonl", transcript("a", 0, 1, "x"));
    world.trajectory("a-topic-7", &[]);
    let thread = "agent:main:telegram:group:-1:topic:7";
    world.write("sessions/a-topic-7.trajectory.jsonl", event("a", thread));
    let two = &Why::Contradiction;
    let found = world.read(&[]);
    assert_eq!((named(&found), unnamed(&found)), (vec![], vec![("a-topic-7.jsonl", two), ("a.jsonl", two)]));
    world.write("sessions/a-topic-7.trajectory.jsonl", event("a", "agent:main:MAIN:thread:1"));
    world.trajectory("a", &["agent:main:main:thread:1"]);
    assert!(world.read(&[]).unnamed.is_empty());
    // What a run log says is true of the transcript that is called after the session, and of no other.
    world.trajectory("a", &[]).trajectory("a-topic-7", &[]);
    world.write("runs/j1.jsonl", line("j1", "a", "agent:main:cron:j1:run:a", BEGAN));
    let found = world.read(&[]);
    assert!(found.named.iter().all(|one| one.transcript == "a.jsonl") && found.named.len() == 2);
    assert_eq!(unnamed(&found), [("a-topic-7.jsonl", &Why::Silence)]);
}

#[test]
fn lines_of_another_job_name_nothing() {
    let world = World::new();
    world.transcript("a", 0, 1, "x").transcript("b", 0, 1, "x");
    let foreign = line("j2", "a", "agent:main:cron:j2:run:a", BEGAN);
    let mixed = line("j1", "b", "agent:main:cron:j2:run:b", BEGAN);
    let named_otherwise = line("j2", "b", "agent:main:telegram:dm:7", BEGAN);
    world.write("runs/j1.jsonl", foreign + &mixed + &named_otherwise);
    assert_eq!(named(&world.read(&[])), []);
}

#[test]
fn of_several_lines_of_a_session_the_latest_ends_it_and_two_keys_contradict() {
    let world = World::new();
    let at = |after: Millis| line("j1", "a", "agent:main:cron:j1:run:a", BEGAN + after);
    world.transcript("a", 0, 1, "x").write("runs/j1.jsonl", at(0) + &at(2000) + &at(1000));
    let key = |peer: u8| line("j2", "b", &format!("agent:main:telegram:dm:{peer}"), BEGAN);
    world.transcript("b", 0, 1, "x").write("runs/j2.jsonl", key(1) + &key(2));
    // A line without a session names it in its key.
    let line = line("j3", "c", "agent:main:cron:j3:run:c", BEGAN).replace(r#""sessionId":"c","#, "");
    world.transcript("c", 0, 1, "x").write("runs/j3.jsonl", line);
    let found = world.read(&[]);
    let bases: Vec<_> = named(&found).into_iter().filter(|(key, ..)| !key.contains(":run:")).collect();
    assert_eq!(bases, [("agent:main:cron:j1", "a", "log"), ("agent:main:cron:j3", "c", "log")]);
    let ended = |one: &Named| one.session == "a" && one.run.is_some_and(|run| run.ended_at == BEGAN + 2500);
    assert_eq!(found.named.iter().filter(|one| ended(one)).count(), 2);
    assert_eq!(unnamed(&found), [("b.jsonl", &Why::Contradiction)]);
}

#[test]
fn a_line_of_the_future_names_a_key_and_proves_no_end() {
    let world = World::new();
    world.transcript("a", 0, 1, "x");
    world.write("runs/j1.jsonl", line("j1", "a", "agent:main:cron:j1:run:a", NOW));
    let found = world.read(&[]);
    assert_eq!(found.named.len(), 2);
    assert!(found.named.iter().all(|one| one.run.is_none()));
}

#[test]
fn files_of_strangers_hold_nobody_up() {
    let world = World::new();
    let pipe = |name: &str| {
        rustix::fs::mkfifoat(rustix::fs::CWD, world.path(name), rustix::fs::Mode::RUSR).unwrap();
    };
    let link = |to: &str, name: &str| std::os::unix::fs::symlink(to, world.path(name)).unwrap();
    for name in ["pipe", "dir", "dead", "zero", "nul", "long", "bytes", "empty", "good"] {
        let key = format!("agent:main:cron:j1:run:{name}");
        world.write(&format!("runs/{name}.jsonl"), line(name, name, &key.replace("j1", name), BEGAN));
    }
    pipe("sessions/pipe.jsonl");
    pipe("sessions/good.trajectory.jsonl");
    pipe("runs/pipe2.jsonl");
    pipe("registry.json");
    fs::create_dir(world.path("sessions/dir.jsonl")).unwrap();
    link("/nonexistent", "sessions/dead.jsonl");
    link("/dev/zero", "sessions/zero.jsonl");
    world.write("sessions/nul.jsonl", vec![0; 300_000]).write("sessions/long.jsonl", vec![b'x'; 300_000]);
    world
        .write("sessions/bytes.jsonl", b"{\"type\":\"session\",\"id\":\"\xff\xfe\"}\n")
        .write("sessions/empty.jsonl", "");
    world.transcript("good", 0, 1, "x").write("sessions/nul.trajectory.jsonl", vec![0; 300_000]);
    world.write("runs/torn.jsonl", vec![0xff; 100_000]);
    let found = world.read(&[]);
    let mut records: Vec<&str> =
        found.named.iter().filter(|one| one.shape == Shape::RunRecord).map(|one| &*one.session).collect();
    records.sort_unstable();
    assert_eq!(records, ["good"]);
    // U+FFFD twice is what the first line names.
    let other = Why::OtherSession { header: "\u{fffd}\u{fffd}".to_owned() };
    let headless = &Why::NoHeader;
    let expected = [
        ("bytes.jsonl", &other),
        ("empty.jsonl", headless),
        ("long.jsonl", headless),
        ("nul.jsonl", headless),
    ];
    assert_eq!(unnamed(&found), expected);
    let mut troubles: Vec<&str> =
        found.troubles.iter().map(|trouble| trouble.evidence.path.rsplit('/').next().unwrap()).collect();
    troubles.sort_unstable();
    let expected = [
        "dead.jsonl",
        "dir.jsonl",
        "good.trajectory.jsonl",
        "pipe.jsonl",
        "pipe2.jsonl",
        "registry.json",
        "zero.jsonl",
    ];
    assert_eq!(troubles, expected);
}

#[test]
fn no_directory_is_no_trouble() {
    let world = World::new();
    fs::remove_dir(world.path("sessions")).unwrap();
    fs::remove_dir(world.path("runs")).unwrap();
    let found = world.read(&[]);
    assert!(found.troubles.is_empty() && found.named.is_empty() && found.unnamed.is_empty());
    world.write("sessions", "").write("runs", "");
    assert_eq!(world.read(&[]).troubles.len(), 2);
}

#[test]
fn children_that_nothing_ties_to_a_transcript_are_names_only() {
    let world = World::new();
    let row = |key: &str, at: Millis| {
        format!(
            r#""{at}":{{"childSessionKey":"{key}","createdAt":{at},"requesterSessionKey":"agent:main:cron:j1:run:r","controllerSessionKey":"agent:main:main"}}"#
        )
    };
    let rows = [
        row("agent:main:subagent:a", BEGAN),
        row("agent:main:subagent:a", BEGAN + 1),
        row("agent:work:subagent:b", BEGAN),
    ];
    let rows = rows.join(",").replacen(&BEGAN.to_string(), "first", 1);
    world.write("registry.json", format!(r#"{{"version":2,"runs":{{{rows}}}}}"#));
    let child = KeyNamed {
        key: "agent:main:subagent:a".into(),
        session: None,
        when: Some(BEGAN + 1),
        told_by: ToldBy::Registry,
    };
    assert_eq!(world.read(&[]).keys_without_transcript, [child]);
    world.transcript("s", 0, 1, "x").trajectory("s", &["agent:main:subagent:A"]);
    assert_eq!(world.read(&[]).keys_without_transcript, []);
}

#[test]
fn names_are_those_of_what_lasts_and_not_older_than_asked() {
    let world = World::new();
    let lines = [
        line("j1", "a", "agent:main:cron:j1:run:a", BEGAN),
        line("j1", "b", "agent:main:cron:J1:run:b", BEGAN + 1000),
        line("j1", "c", "agent:main:hook:x", BEGAN),
        line("j1", "d", "agent:main:mine", BEGAN),
        line("j1", "e", "global", BEGAN),
        line("j1", "f", "agent:work:telegram:dm:1", BEGAN - 10_000),
    ];
    world.write("runs/j1.jsonl", lines.concat());
    let row = format!(
        r#"{{"version":2,"runs":{{"r":{{"childSessionKey":"agent:main:subagent:a","createdAt":{BEGAN},"endedAt":{},"requesterSessionKey":"agent:main:cron:j2:run:r","controllerSessionKey":"agent:main:main"}}}}}}"#,
        BEGAN + 7
    );
    world.write("registry.json", row);
    let keys = |since: Millis| {
        let found = keys_named(&world.path("runs"), &|_| true, &world.path("registry.json"), "main", since);
        assert!(found.troubles.is_empty());
        found
            .keys
            .into_iter()
            .map(|one| (one.key, one.when.unwrap() - BEGAN, teller(&one.told_by)))
            .collect::<Vec<_>>()
    };
    let of = |key: &str, when: Millis, by| (key.to_owned(), when, by);
    let job = of("agent:main:cron:J1", 1500, "log");
    let expected = [
        job.clone(),
        of("agent:main:cron:j2", 7, "registry"),
        of("agent:main:main", 7, "registry"),
        of("agent:work:telegram:dm:1", -9500, "log"),
    ];
    assert_eq!(keys(0), expected);
    assert_eq!(keys(BEGAN + 8), [job]);
}
