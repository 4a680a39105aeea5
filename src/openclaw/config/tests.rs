#![allow(clippy::unwrap_used)]

use std::collections::HashMap;

use super::*;

/// Resolves `/c/openclaw.json` out of files given as pairs.
fn load(files: &[(&str, &str)], vars: &[(&str, &str)]) -> Result<Config, Box<ConfigError>> {
    let files: HashMap<PathBuf, Vec<u8>> =
        files.iter().map(|(name, text)| (Path::new("/c").join(name), text.as_bytes().to_vec())).collect();
    let vars: HashMap<String, String> = vars.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect();
    resolve(
        Path::new("/c/openclaw.json"),
        &mut |path| files.get(path).cloned().ok_or_else(|| io::ErrorKind::NotFound.into()),
        &|name| vars.get(name).cloned(),
    )
}

fn root(text: &str) -> Config {
    load(&[("openclaw.json", text)], &[]).unwrap()
}

#[test]
fn no_file_means_the_defaults() {
    let config = load(&[], &[]).unwrap();
    assert_eq!(config, Config::default());
    assert_eq!(config.default_agent(), "main");
    assert_eq!(config.session.maintenance.prune_after_ms, 30 * 86_400_000);
    assert_eq!(config.session.maintenance.rotate_bytes, 10_485_760);
    assert_eq!(config.cron.session_retention, Retention::Ms(86_400_000));
    assert!(config.cron.enabled);
}

#[test]
fn reads_json5_and_picks_the_settings() {
    let config = root(
        "{ // a comment
          agents: {list: [{id: 'Home Bot'}, {id: 'ops', default: true}, {name: 'x'}]},
          session: {store: '~/st/{agentId}/s.json', mainKey: ' Work ', scope: 'global',
            maintenance: {mode: 'enforce', pruneAfter: 7, maxEntries: 12, rotateBytes: '1mb', maxDiskBytes: 500}},
          cron: {enabled: false, store: '~/jobs.json', sessionRetention: '1h30m'},
          gateway: {port: 19001},
        }",
    );
    assert_eq!(config.agents.iter().map(|a| a.id.as_str()).collect::<Vec<_>>(), ["home-bot", "ops"]);
    assert_eq!(config.default_agent(), "ops");
    assert_eq!(config.session.store.as_deref(), Some("~/st/{agentId}/s.json"));
    assert_eq!((config.session.main_key.as_str(), config.session.scope), ("work", Scope::Global));
    let maintenance = &config.session.maintenance;
    assert_eq!(maintenance.mode, Some(MaintenanceMode::Enforce));
    assert_eq!(maintenance.prune_after_ms, 7 * 86_400_000);
    assert_eq!((maintenance.max_entries, maintenance.rotate_bytes), (Some(12), 1 << 20));
    assert_eq!(maintenance.max_disk_bytes, Some(500));
    assert_eq!(config.cron.session_retention, Retention::Ms(5_400_000));
    assert!(!config.cron.enabled);
    assert_eq!(config.gateway_port, Some(19001));
}

#[test]
fn bad_values_mean_the_defaults() {
    let config = root(
        "{session: {store: 5, scope: 'x', maintenance: {mode: 'on', pruneAfter: '3 weeks', maxEntries: -1}},
          cron: {sessionRetention: 'soon', enabled: 'no'}, gateway: {port: 99999}, agents: {list: 'x'}}",
    );
    assert_eq!(config, Config { files: config.files.clone(), ..Config::default() });
    assert_eq!(root("{cron: {sessionRetention: false}}").cron.session_retention, Retention::Off);
    assert_eq!(root("{cron: {sessionRetention: true}}").cron.session_retention, Retention::Ms(86_400_000));
}

#[test]
fn prune_days_counts_only_without_prune_after() {
    let days = |text: &str| root(text).session.maintenance.prune_after_ms / 86_400_000;
    assert_eq!(days("{session: {maintenance: {pruneDays: 5}}}"), 5);
    assert_eq!(days("{session: {maintenance: {pruneDays: 5, pruneAfter: '2d'}}}"), 2);
    assert_eq!(days("{session: {maintenance: {pruneDays: 5, pruneAfter: 'bad'}}}"), 30);
}

#[test]
fn entries_of_9_keep_their_order() {
    let config = root("{agents: {entries: {zeta: {}, alpha: {default: false}}}}");
    assert_eq!(config.default_agent(), "zeta");
    assert_eq!(config.agents.len(), 2);
}

#[test]
fn includes_replace_merge_and_are_overridden_by_siblings() {
    let config = load(
        &[
            ("openclaw.json", "{agents: {$include: './a/agents.json5'}, $include: ['one.json', 'two.json'], cron: {store: 'mine'}}"),
            ("a/agents.json5", "{list: [{id: 'x'}], $include: 'more.json5'}"),
            ("a/more.json5", "{list: [{id: 'w'}]}"),
            ("one.json", "{cron: {enabled: false, store: 'one'}, gateway: {port: 1}}"),
            ("two.json", "{gateway: {port: 2}}"),
        ],
        &[],
    )
    .unwrap();
    assert_eq!(config.agents.iter().map(|a| a.id.as_str()).collect::<Vec<_>>(), ["w", "x"]);
    assert_eq!(config.cron.store.as_deref(), Some("mine"));
    assert!(!config.cron.enabled);
    assert_eq!(config.gateway_port, Some(2));
    assert_eq!(config.files.len(), 5);
}

#[test]
fn an_include_that_fails_leaves_the_rest_as_partial() {
    let error =
        load(&[("openclaw.json", "{gateway: {port: 7}, agents: {$include: 'gone.json'}}")], &[]).unwrap_err();
    assert_eq!(error.setting.as_deref(), Some("agents"));
    assert!(error.reason.contains("/c/gone.json"), "{error}");
    assert_eq!(error.partial.unwrap().gateway_port, Some(7));
    let error = load(&[("openclaw.json", "{$include: 'b'}"), ("b", "{\n x: [1,,]}")], &[]).unwrap_err();
    assert_eq!((error.file.to_str(), error.line), (Some("/c/b"), Some(2)));
    assert!(
        load(&[("openclaw.json", "{$include: '../etc/x'}")], &[]).unwrap_err().reason.contains("outside")
    );
    assert!(load(&[("openclaw.json", "{$include: 5}")], &[]).is_err());
}

#[test]
fn cycles_and_depth_are_errors() {
    let cycle = load(&[("openclaw.json", "{$include: 'b'}"), ("b", "{$include: 'openclaw.json'}")], &[]);
    assert!(cycle.unwrap_err().reason.contains("itself"));
    let chain = |length: usize| {
        let mut files = vec![("openclaw.json".to_owned(), "{$include: 'f1'}".to_owned())];
        files.extend((1..length).map(|i| (format!("f{i}"), format!("{{$include: 'f{}'}}", i + 1))));
        files.push((format!("f{length}"), "{gateway: {port: 3}}".to_owned()));
        let files: Vec<(&str, &str)> = files.iter().map(|(n, t)| (n.as_str(), t.as_str())).collect();
        load(&files, &[])
    };
    assert_eq!(chain(10).unwrap().gateway_port, Some(3));
    assert!(chain(11).is_err());
}

#[test]
fn variables_are_filled_escaped_or_missed() {
    let text = "{session: {store: '${DIR}/$${DIR}/${lower}/$5/s.json'}, env: {vars: {OWN: 'o'}, DIRECT: 'd'}, cron: {store: '${OWN}${DIRECT}'}}";
    let config = load(&[("openclaw.json", text)], &[("DIR", "/d"), ("OWN", " ")]).unwrap();
    assert_eq!(config.session.store.as_deref(), Some("/d/${DIR}/${lower}/$5/s.json"));
    assert_eq!(config.cron.store.as_deref(), Some("od"));
    let error =
        load(&[("openclaw.json", "{channels: {x: [{token: 'a${TOKEN}'}]}, gateway: {port: 4}}")], &[])
            .unwrap_err();
    assert_eq!(error.setting.as_deref(), Some("channels.x.0.token"));
    assert!(error.to_string().contains("TOKEN"));
    assert_eq!(error.partial.unwrap().gateway_port, Some(4));
}

#[test]
fn an_unparsable_root_tells_its_place() {
    let error = load(&[("openclaw.json", "{\n  a: 1,\n  b }")], &[]).unwrap_err();
    assert_eq!((error.line, error.partial.is_none()), (Some(3), true));
    assert!(error.to_string().starts_with("/c/openclaw.json:3:"), "{error}");
    assert!(load(&[("openclaw.json", "[1]")], &[]).is_err());
    assert!(load(&[("openclaw.json", "")], &[]).is_err());
}
