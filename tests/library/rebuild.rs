//! Prevents: a real state directory whose store is gone, and a key that comes back with somebody else's session, or
//! does not come back though its evidence lies beside it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use sessions_doctor::evidence::conversations::{
    self, Conversations, Sources, ToldBy, Why, job_list, keys_named,
};
use sessions_doctor::model::entry::{Status, hash};
use sessions_doctor::model::key::Shape;
use sessions_doctor::model::verdict::Confidence;

const NOW: i64 = 1_795_224_800_000;
const DIGEST: &str = "agent:main:cron:68e64d7e-e03e-4d96-85ae-7b66a435c70b";
const SPAWNER: &str = "agent:main:cron:841743ad-67cf-4801-9ef0-d5f4d6ff2994";

/// A copy of a sample that may be spoiled.
struct Copy(tempfile::TempDir);

impl Copy {
    fn of(sample: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata").join(sample), dir.path());
        Copy(dir)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn sessions(&self) -> PathBuf {
        self.path("agents/main/sessions")
    }

    /// What is told when the entries with these sessions are there.
    fn read(&self, known: &[&str]) -> Conversations {
        let mut troubles = Vec::new();
        let jobs = job_list(&self.path("cron/jobs.json"), &mut troubles);
        let sources = Sources {
            sessions_dir: &self.sessions(),
            store_name: "sessions.json",
            agents: &["main".to_owned()],
            main_key: "main",
            run_logs: &self.path("cron/runs"),
            registry: &self.path("subagents/runs.json"),
            jobs: &jobs,
            now: NOW,
        };
        let found = conversations::read(&sources, &|session, _| known.contains(&session));
        assert!(troubles.is_empty() && found.troubles.is_empty(), "{troubles:?} {:?}", found.troubles);
        found
    }

    /// The store as it was: key to session.
    fn store(&self) -> BTreeMap<String, String> {
        let text = fs::read(self.sessions().join("sessions.json")).unwrap();
        let store: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(&text).unwrap();
        let session = |entry: &serde_json::Value| entry["sessionId"].as_str().map(str::to_owned);
        store.iter().filter_map(|(key, entry)| Some((key.clone(), session(entry)?))).collect()
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &to.join(entry.file_name())),
            false => drop(fs::copy(entry.path(), to.join(entry.file_name())).unwrap()),
        }
    }
}

fn named(found: &Conversations) -> BTreeMap<&str, &str> {
    found.named.iter().map(|one| (one.key.as_str(), one.session.as_str())).collect()
}

#[test]
fn of_2026_3_28_every_run_with_a_transcript_comes_back_and_every_base() {
    let sample = Copy::of("openclaw-2026.3.28/normal-then-crash");
    let store = sample.store();
    let found = sample.read(&[]);
    let named = named(&found);
    // Nine runs of one job, of which the sample holds no records any more, one of the other, and two bases.
    let records = found.named.iter().filter(|one| one.shape == Shape::RunRecord).count();
    assert_eq!((records, named.len()), (9, 11));
    assert!(
        named
            .iter()
            .all(|(key, session)| key.ends_with(&format!(":run:{session}")) || !key.contains(":run:"))
    );
    assert_eq!(named[DIGEST], "5581bc53-2c8e-45ce-a7e0-7abb6550006f");
    assert_eq!(named[SPAWNER], store[SPAWNER]);
    assert!(found.named.iter().all(|one| matches!(one.told_by, ToldBy::RunLog { .. })
        && one.confidence == Confidence::Certain
        && one.run.is_some_and(|run| run.status == Status::Done)));
    // The main session and the sub-agent: nobody tells, and nobody guesses.
    let unnamed: Vec<(&str, &str, &Why)> = found
        .unnamed
        .iter()
        .map(|one| (one.session.as_str(), one.first_words.as_deref().unwrap(), &one.why))
        .collect();
    let child = "[Sat 2026-11-21 01:13 UTC] [Subagent Context] You are running as a subagent (de…";
    let expected = [
        (store["agent:main:subagent:e9596cd2-978c-4aa9-b7bd-b678eb35c57e"].as_str(), child, &Why::Silence),
        (store["agent:main:main"].as_str(), "[Sat 2026-11-21 01:11 UTC] hello there", &Why::Silence),
    ];
    assert_eq!(unnamed, expected);
    let names: Vec<&str> = found.keys_without_transcript.iter().map(|one| one.key.as_str()).collect();
    assert_eq!(names, ["agent:main:subagent:e9596cd2-978c-4aa9-b7bd-b678eb35c57e"]);
}

#[test]
fn times_are_those_of_the_transcript_and_the_line() {
    let sample = Copy::of("openclaw-2026.3.28/normal-then-crash");
    let found = sample.read(&[]);
    let base = found.named.iter().find(|one| one.key == SPAWNER).unwrap();
    assert_eq!(base.transcript, "6e162cb1-6b06-4c3e-89c5-bebf7fb8bfbf.jsonl");
    assert_eq!((base.first, base.last), (Some(1_795_223_613_261), Some(1_795_223_613_859)));
    let run = base.run.unwrap();
    assert_eq!((run.started_at, run.ended_at), (Some(1_795_223_613_086), 1_795_223_613_620));
}

#[test]
fn of_2026_5_12_the_runs_come_back_and_the_main_session_by_its_trajectory_only() {
    let sample = Copy::of("openclaw-2026.5.12/normal-then-crash");
    let main = sample.store()["agent:main:main"].clone();
    let base = "agent:main:cron:c510b3b1-7e81-4beb-91cb-a9d49f6dce72";
    let newest = "4a6e1ba0-a471-42c9-a095-992c361224d3";
    let found = sample.read(&[]);
    assert_eq!((named(&found).len(), named(&found)[base]), (3, newest));
    assert_eq!(found.unnamed.iter().map(|one| &one.session).collect::<Vec<_>>(), [&main]);
    // The sample lies without its trajectories; this is the line that one begins with.
    let event = format!(
        r#"{{"traceSchema":"openclaw-trajectory","schemaVersion":1,"traceId":"{main}","source":"runtime","type":"session.started","ts":"2026-11-21T01:30:23.350Z","seq":1,"sourceSeq":1,"sessionId":"{main}","sessionKey":"agent:main:main"}}"#
    );
    fs::write(sample.sessions().join(format!("{main}.trajectory.jsonl")), event).unwrap();
    let found = sample.read(&[]);
    assert_eq!(named(&found)["agent:main:main"], main);
    assert_eq!((found.unnamed.len(), named(&found).len()), (0, 4));
}

#[test]
fn without_run_logs_the_first_message_tells_the_base() {
    for (sample, base, newest) in [
        ("openclaw-2026.3.28/normal-then-crash", DIGEST, "5581bc53-2c8e-45ce-a7e0-7abb6550006f"),
        (
            "openclaw-2026.5.12/normal-then-crash",
            "agent:main:cron:c510b3b1-7e81-4beb-91cb-a9d49f6dce72",
            "4a6e1ba0-a471-42c9-a095-992c361224d3",
        ),
    ] {
        let sample = Copy::of(sample);
        fs::remove_dir_all(sample.path("cron/runs")).unwrap();
        let found = sample.read(&[]);
        assert_eq!(named(&found)[base], newest);
        assert!(found.named.iter().all(|one| one.confidence == Confidence::Certain && one.run.is_none()));
        fs::remove_file(sample.path("cron/jobs.json")).unwrap();
        let found = sample.read(&[]);
        assert_eq!(named(&found)[base], newest);
        assert!(found.named.iter().all(|one| one.confidence == Confidence::Likely));
    }
}

#[test]
fn a_run_that_failed_before_its_first_turn_has_nothing_to_come_back_with() {
    let sample = Copy::of("openclaw-2026.3.28/cron-model-failure");
    let found = sample.read(&[]);
    assert!(found.named.is_empty() && found.unnamed.is_empty());
}

#[test]
fn sessions_with_an_entry_stay_out_and_an_archived_one_is_told_as_such() {
    let sample = Copy::of("openclaw-2026.3.28/normal-then-crash");
    let known: Vec<String> = sample.store().into_values().collect();
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    let id = "5581bc53-2c8e-45ce-a7e0-7abb6550006f";
    let transcript = sample.sessions().join(format!("{id}.jsonl"));
    let archive = sample.sessions().join(format!("{id}.jsonl.deleted.2026-11-21T01-20-00.000Z"));
    fs::rename(transcript, archive).unwrap();
    let found = sample.read(&known);
    // Eight runs without their records; the base would get the newest of those that are left.
    assert_eq!(found.named.iter().filter(|one| one.shape == Shape::RunRecord).count(), 7);
    assert!(found.unnamed.is_empty());
    assert_eq!(named(&found)[DIGEST], "25f07afb-3ee0-4fe5-9868-423a361d71e5");
    let archived: Vec<_> = found.archived.iter().map(|(session, at)| (*session, *at)).collect();
    assert_eq!(archived, [(hash(id.as_bytes()), 1_795_224_000_000)]);
}

#[test]
fn names_of_2026_3_28_are_those_of_jobs_that_ran() {
    let sample = Copy::of("openclaw-2026.3.28/normal-then-crash");
    let found =
        keys_named(&sample.path("cron/runs"), &|_| true, &sample.path("subagents/runs.json"), "main", 0);
    let keys: Vec<(&str, i64)> = found.keys.iter().map(|one| (one.key.as_str(), one.when.unwrap())).collect();
    assert_eq!(keys, [(DIGEST, 1_795_223_588_319), (SPAWNER, 1_795_223_613_682)]);
}
