#![allow(clippy::unwrap_used)]

use std::os::unix::process::CommandExt;
use std::process::{Child, Command};

use super::fake::{Fake, host};
use super::*;
use crate::host::FileFacts;
use crate::openclaw::layout::gateway_lock_name;

const CONFIG: &str = "/h/.openclaw/openclaw.json";
const HOME: &[(&str, &str)] = &[("HOME", "/h")];
const LAUNCH: [&str; 3] = ["/usr/bin/node", "/lib/openclaw/dist/index.js", "gateway"];

fn query() -> GatewayQuery {
    GatewayQuery { state_dir: "/h/.openclaw".into(), config_paths: vec![CONFIG.into()], port: Some(18789) }
}

fn ask(fake: &Fake) -> Gateway {
    look(&query(), &host(), fake)
}

/// Asserts that the answer is unknown, for a reason that has these words.
fn unknown(gateway: &Gateway, words: &str) {
    assert_eq!((gateway.running, gateway.established), (None, false), "{gateway:?}");
    assert!(gateway.evidence.iter().any(|sentence| sentence.contains(words)), "{gateway:?}");
}

fn own_lock() -> String {
    format!("/tmp/openclaw-7/{}", gateway_lock_name(CONFIG))
}

#[test]
fn a_quiet_host_establishes_stopped() {
    let gateway = ask(&Fake::default());
    assert_eq!((gateway.running, gateway.established, gateway.pid), (Some(false), true, None));
    assert_eq!(gateway.evidence.len(), 3);
}

#[test]
fn our_lock_with_its_living_owner_is_seen_alive() {
    let mut fake = Fake { v4: PortState::Accepting, ..Fake::default() };
    fake.add(42, &["anything"], Some(&[]));
    fake.file(&own_lock(), r#"{"pid":42,"startTime":420,"configPath":"x"}"#, 0);
    let gateway = ask(&fake);
    assert_eq!((gateway.running, gateway.established, gateway.pid), (Some(true), false, Some(42)));
    assert_eq!((gateway.started_at, gateway.start_time_verified), (Some(42_000), true));
}

#[test]
fn a_lock_is_ours_by_the_configuration_it_names_or_by_its_place() {
    for (path, config) in
        [("/tmp/openclaw-7/gateway.0.lock", CONFIG), ("/h/.openclaw/tmp/openclaw-7/gateway.state.lock", "x")]
    {
        let mut fake = Fake::default();
        fake.add(42, &["x"], Some(&[]));
        fake.file(path, &format!(r#"{{"pid":42,"startTime":420,"configPath":"{config}"}}"#), 0);
        assert_eq!(ask(&fake).running, Some(true), "{path}");
    }
}

#[test]
fn a_recycled_or_dead_owner_is_no_obstacle() {
    let mut fake = Fake::default();
    fake.add(42, &["x"], Some(&[]));
    fake.file(&own_lock(), r#"{"pid":42,"startTime":421}"#, 0);
    fake.file("/tmp/openclaw-7/gateway.1.lock", r#"{"pid":43,"startTime":1}"#, 0);
    assert_eq!(ask(&fake).running, Some(false));
}

#[test]
fn a_lock_without_start_time_needs_a_process_that_looks_like_a_gateway() {
    let mut fake = Fake::default();
    fake.file(&own_lock(), r#"{"pid":42}"#, 0);
    fake.add(42, &["bash"], Some(&[]));
    assert_eq!(ask(&fake).running, Some(false));
    fake.list.processes.clear();
    fake.add(42, &["openclaw-gateway"], Some(&[("OPENCLAW_STATE_DIR", "/h/.openclaw-other")]));
    assert_eq!(ask(&fake).running, Some(true));
}

#[test]
fn the_living_owner_of_another_lock_is_a_doubt() {
    let mut fake = Fake::default();
    fake.add(42, &["x"], Some(&[]));
    fake.file("/tmp/openclaw-7/gateway.1.lock", r#"{"pid":42,"startTime":420,"configPath":"/other"}"#, 0);
    unknown(&ask(&fake), "another gateway lock");
}

#[test]
fn unreadable_locks_and_directories_are_doubts() {
    let mut fake = Fake::default();
    fake.file(&own_lock(), "{", 0);
    unknown(&ask(&fake), "does not tell its owner");
    fake.file(&own_lock(), "", 9_999_000);
    unknown(&ask(&fake), "does not tell its owner");
    fake.file(&own_lock(), "", 0);
    assert_eq!(ask(&fake).running, Some(false));
    fake.denied = vec![own_lock().into()];
    unknown(&ask(&fake), "cannot be read");
    fake.denied = vec!["/tmp/openclaw-7".into()];
    unknown(&ask(&fake), "cannot be listed");
}

#[test]
fn a_gateway_process_of_this_state_directory_is_seen_alive() {
    for (args, env) in [
        (&["openclaw-gateway"][..], HOME),
        (&["openclaw-gateway"], &[("OPENCLAW_STATE_DIR", "~/.openclaw"), ("HOME", "/h")]),
        (&LAUNCH, &[("OPENCLAW_HOME", "/h"), ("HOME", "/x")]),
    ] {
        let mut fake = Fake::default();
        fake.add(42, args, Some(env));
        let gateway = ask(&fake);
        assert_eq!((gateway.running, gateway.pid), (Some(true), Some(42)), "{args:?}");
        assert!(gateway.start_time_verified);
    }
}

#[test]
fn a_gateway_of_another_state_directory_is_no_obstacle() {
    let profile = ["node", "/lib/openclaw/dist/index.js", "--profile", "other", "gateway"];
    for (args, env) in
        [(&profile[..], HOME), (&["openclaw-gateway"], &[("OPENCLAW_STATE_DIR", "/h/.openclaw-other")])]
    {
        let mut fake = Fake::default();
        fake.add(42, args, Some(env));
        let gateway = ask(&fake);
        assert_eq!((gateway.running, gateway.established), (Some(false), true), "{args:?} {gateway:?}");
        assert!(gateway.evidence.iter().any(|sentence| sentence.contains(".openclaw-other")));
    }
}

#[test]
fn a_gateway_that_cannot_be_assigned_is_a_doubt() {
    let mut fake = Fake::default();
    fake.add(42, &["openclaw-gateway"], None);
    unknown(&ask(&fake), "environment cannot be read");
    let mut fake = Fake::default();
    fake.add(42, &["openclaw-gateway"], Some(&[("HOME", "/elsewhere")]));
    unknown(&ask(&fake), "overwritten");
    fake.add(41, &LAUNCH, Some(&[("HOME", "/elsewhere")]));
    fake.list.processes[0].parent = 41;
    assert_eq!(ask(&fake).running, Some(false));
}

#[test]
fn a_container_is_compared_by_what_its_path_names() {
    let mut fake = Fake { other_mounts: vec![42], ..Fake::default() };
    fake.add(42, &["openclaw-gateway"], Some(&[("OPENCLAW_STATE_DIR", "/home/node/.openclaw")]));
    unknown(&ask(&fake), "cannot be looked at");
    let ours = fake.facts[Path::new("/h/.openclaw")];
    fake.facts.insert("/inside/home/node/.openclaw".into(), ours);
    assert_eq!(ask(&fake).running, Some(true));
    fake.facts.insert("/inside/home/node/.openclaw".into(), FileFacts { inode: 99, ..ours });
    assert_eq!(ask(&fake).running, Some(false));
}

#[test]
fn ports_must_be_refused() {
    let with = |v4, v6| ask(&Fake { v4, v6, ..Fake::default() });
    unknown(&with(PortState::Accepting, PortState::Refused), "listens");
    unknown(&with(PortState::Refused, PortState::Accepting), "listens");
    unknown(&with(PortState::Silent, PortState::Refused), "no answer");
    unknown(&with(PortState::Refused, PortState::Silent), "no answer");
    unknown(&with(PortState::Unavailable, PortState::Refused), "no answer");
    assert_eq!(with(PortState::Refused, PortState::Unavailable).running, Some(false));
    let unresolved = GatewayQuery { port: None, ..query() };
    unknown(&look(&unresolved, &host(), &Fake::default()), "not known");
}

#[test]
fn an_incomplete_list_of_processes_is_a_doubt() {
    let mut fake = Fake::default();
    fake.list.complete = false;
    unknown(&ask(&fake), "not complete");
    fake.list.doubts = vec!["hidden by hidepid".into()];
    unknown(&ask(&fake), "hidepid");
}

#[test]
fn a_state_directory_elsewhere_is_a_doubt() {
    let foreign = FileSystem::Foreign("NFS".into());
    unknown(&ask(&Fake { file_system: foreign, ..Fake::default() }), "NFS");
    let mut fake = Fake::default();
    fake.facts.get_mut(Path::new("/h/.openclaw")).unwrap().uid = 8;
    unknown(&ask(&fake), "belongs to user 8");
    fake.facts.clear();
    unknown(&ask(&fake), "cannot be looked at");
}

#[test]
fn versions_are_proven_by_files_older_than_the_process() {
    let install = |time: i64| {
        let mut fake = Fake::default();
        fake.add(41, &LAUNCH, Some(HOME));
        fake.add(42, &["openclaw-gateway"], Some(&[("HOME", "/h"), ("OPENCLAW_SERVICE_VERSION", "1.0")]))
            .parent = 41;
        fake.file(&own_lock(), r#"{"pid":42,"startTime":420}"#, 0);
        fake.file("/lib/openclaw/package.json", r#"{"name":"openclaw","version":"2026.4.24"}"#, time);
        fake.file("/lib/openclaw/dist/index.js", "", 0);
        for dir in ["/lib", "/lib/openclaw", "/lib/openclaw/dist"] {
            fake.facts.insert(dir.into(), FileFacts::default());
        }
        fake
    };
    let version = |fake: &Fake| {
        let gateway = ask(fake);
        (gateway.version.unwrap_or_default(), gateway.version_proven)
    };
    assert_eq!(version(&install(30_000)), ("2026.4.24".to_owned(), true));
    assert_eq!(version(&install(40_000)), ("2026.4.24".to_owned(), false));
    assert_eq!(version(&install(50_000)), ("2026.4.24".to_owned(), false));
    let linked = |link_ms: i64| {
        let mut fake = install(30_000);
        let moved: Vec<_> = fake.facts.iter().filter(|(path, _)| path.starts_with("/lib/openclaw")).collect();
        let moved: Vec<_> =
            moved.into_iter().map(|(path, facts)| (Path::new("/opt").join(under(path)), *facts)).collect();
        fake.facts.extend(moved);
        fake.facts.insert("/opt".into(), FileFacts::default());
        let package = fake.files[Path::new("/lib/openclaw/package.json")].clone();
        fake.files.insert("/opt/package.json".into(), package);
        fake.links.insert("/lib/openclaw".into(), "../opt".into());
        let link = FileFacts { is_link: true, ctime_ms: link_ms, ..FileFacts::default() };
        fake.facts.insert("/lib/openclaw".into(), link);
        fake
    };
    assert_eq!(version(&linked(30_000)), ("2026.4.24".to_owned(), true));
    assert_eq!(version(&linked(60_000)), ("2026.4.24".to_owned(), false));
    let mut gone = install(30_000);
    gone.files.remove(Path::new("/lib/openclaw/package.json"));
    assert_eq!(version(&gone), ("1.0".to_owned(), false));
}

fn under(path: &Path) -> &Path {
    path.strip_prefix("/lib/openclaw").unwrap()
}

/// A real process that ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_real_process_is_seen_alive() {
    let dir = tempfile::tempdir().unwrap();
    let spawn = Command::new("sleep")
        .arg0("openclaw-gateway")
        .arg("60")
        .env("OPENCLAW_STATE_DIR", dir.path())
        .spawn();
    let child = Running(spawn.unwrap());
    // Between fork and exec a child still is what its parent was.
    let titled = || {
        let args = std::fs::read(format!("/proc/{}/cmdline", child.0.id())).unwrap();
        args.starts_with(b"openclaw-gateway")
    };
    while !titled() {
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    let host = Host::current();
    let query = GatewayQuery {
        state_dir: dir.path().to_owned(),
        config_paths: vec![dir.path().join("openclaw.json")],
        port: None,
    };
    let seen = look(&query, &host, &host.system());
    assert_eq!((seen.running, seen.pid), (Some(true), Some(child.0.id())), "{seen:?}");
    assert!(seen.start_time_verified);
    drop(child);
    let gone = look(&query, &host, &host.system());
    assert_eq!(gone.running, None);
    assert!(gone.evidence.contains(&"the port of the gateway is not known".to_owned()));
}
