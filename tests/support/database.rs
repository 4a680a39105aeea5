//! Databases of later versions below a [`World`], with the columns that those versions have.

#![allow(dead_code, reason = "every test binary that includes this uses a part of it")]

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use crate::world::World;

/// The state database, below the state directory.
pub const STATE_DATABASE: &str = "state/openclaw.sqlite";
/// The database of agent `main`.
pub const AGENT_DATABASE: &str = "agents/main/agent/openclaw-agent.sqlite";

/// The tables of an agent's database whose sessions live in it.
pub const SESSION_NODES: &str = "
    CREATE TABLE session_nodes (session_key TEXT PRIMARY KEY, current_session_id TEXT, entry_json TEXT NOT NULL,
        entry_valid INTEGER, updated_at INTEGER, status TEXT, created_via TEXT, parent_session_key TEXT,
        spawned_by TEXT, label TEXT);
    CREATE TABLE transcript_events (session_id TEXT, seq INTEGER, event_json TEXT, created_at INTEGER);
    INSERT INTO session_nodes (session_key, entry_json) VALUES ('agent:main:main', '{}');";

/// The tables of an agent's database of 2026.7.1, without sessions.
pub const CACHES: &str = "CREATE TABLE schema_meta (role TEXT, agent_id TEXT, app_version TEXT);
    CREATE TABLE session_nodes_cache (a);
    INSERT INTO schema_meta VALUES ('agent', 'main', 'CREATE TABLE session_nodes (');";

/// The tables of the state database that tell what was imported.
pub const MIGRATIONS: &str = "
    CREATE TABLE migration_runs (id TEXT PRIMARY KEY, started_at INTEGER, finished_at INTEGER, status TEXT,
        report_json TEXT);
    CREATE TABLE migration_sources (source_key TEXT PRIMARY KEY, migration_kind TEXT, source_path TEXT,
        target_table TEXT, source_sha256 TEXT, last_run_id TEXT, status TEXT, imported_at INTEGER,
        removed_source INTEGER, report_json TEXT);";

/// Makes a database, or adds to one; in write-ahead mode, as OpenClaw does. Closed, it leaves no log.
pub fn database(world: &World, below: &str, sql: &str) -> Connection {
    let path: PathBuf = world.state.join(below);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let connection = Connection::open(&path).unwrap();
    connection.execute_batch("PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0").unwrap();
    connection.execute_batch(sql).unwrap();
    connection
}

/// Adds a record of an import to the state database.
pub fn record(world: &World, source: &Path) {
    let connection = database(world, STATE_DATABASE, "");
    let sql = "INSERT INTO migration_sources (source_key, migration_kind, source_path, last_run_id, status, \
               report_json) VALUES ('k', 'sessions', ?1, 'r', 'imported', '{}')";
    connection.execute(sql, [source.to_str().unwrap()]).unwrap();
}

/// The tables of jobs, runs and sub-agents of 2026.6.1 to 7.1.
pub const JOBS: &str = "
    CREATE TABLE cron_jobs (store_key TEXT NOT NULL, job_id TEXT NOT NULL, name TEXT, enabled INTEGER, agent_id TEXT,
        session_key TEXT, session_target TEXT, payload_kind TEXT, payload_timeout_seconds REAL,
        running_at_ms INTEGER, last_run_at_ms INTEGER, job_json TEXT, state_json TEXT,
        PRIMARY KEY (store_key, job_id));
    CREATE TABLE cron_run_logs (store_key TEXT NOT NULL, job_id TEXT NOT NULL, seq INTEGER NOT NULL, ts INTEGER,
        status TEXT, error TEXT, session_id TEXT, session_key TEXT, run_at_ms INTEGER, duration_ms INTEGER,
        entry_json TEXT, PRIMARY KEY (store_key, job_id, seq));
    CREATE TABLE subagent_runs (run_id TEXT PRIMARY KEY, child_session_key TEXT, controller_session_key TEXT,
        requester_session_key TEXT, ended_at INTEGER, payload_json TEXT);";

/// Whether rows keep their JSON, or only the columns beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Both.
    Json,
    /// The columns alone.
    Columns,
}

fn read(path: &Path) -> serde_json::Value {
    fs::read(path).map_or(serde_json::Value::Null, |bytes| serde_json::from_slice(&bytes).unwrap())
}

/// Moves jobs, runs and sub-agents from their files to tables, as the update to 2026.6.1 does.
pub fn migrate(world: &World, form: Form) -> Connection {
    let connection = database(world, STATE_DATABASE, JOBS);
    let list = world.state.join("cron/jobs.json");
    let store_key = list.to_str().unwrap();
    let json = |value: &serde_json::Value| (form == Form::Json).then(|| value.to_string());
    for job in read(&list)["jobs"].as_array().into_iter().flatten() {
        let (mut bare, state) = (job.clone(), &job["state"]);
        bare["state"] = serde_json::json!({});
        let values: [&dyn rusqlite::ToSql; 13] = [
            &store_key,
            &job["id"].as_str(),
            &job["name"].as_str(),
            &job["enabled"].as_bool(),
            &job["agentId"].as_str(),
            &job["sessionKey"].as_str(),
            &job["sessionTarget"].as_str(),
            &job["payload"]["kind"].as_str(),
            &job["payload"]["timeoutSeconds"].as_f64(),
            &state["runningAtMs"].as_i64(),
            &state["lastRunAtMs"].as_i64(),
            &json(&bare),
            &json(state),
        ];
        let sql = "INSERT INTO cron_jobs VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)";
        connection.execute(sql, values.as_slice()).unwrap();
    }
    for log in fs::read_dir(world.state.join("cron/runs")).into_iter().flatten() {
        let text = fs::read_to_string(log.unwrap().path()).unwrap();
        for (seq, line) in text.lines().enumerate() {
            let run: serde_json::Value = serde_json::from_str(line).unwrap();
            let values: [&dyn rusqlite::ToSql; 11] = [
                &store_key,
                &run["jobId"].as_str(),
                &(seq as i64),
                &run["ts"].as_i64(),
                &run["status"].as_str(),
                &run["error"].as_str(),
                &run["sessionId"].as_str(),
                &run["sessionKey"].as_str(),
                &run["runAtMs"].as_i64(),
                &run["durationMs"].as_i64(),
                &(form == Form::Json).then_some(line),
            ];
            let sql = "INSERT INTO cron_run_logs VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
            connection.execute(sql, values.as_slice()).unwrap();
        }
    }
    let registry = world.state.join("subagents/runs.json");
    for (id, row) in read(&registry)["runs"].as_object().into_iter().flatten() {
        let values: [&dyn rusqlite::ToSql; 6] = [
            id,
            &row["childSessionKey"].as_str(),
            &row["controllerSessionKey"].as_str(),
            &row["requesterSessionKey"].as_str(),
            &row["endedAt"].as_i64(),
            &json(row),
        ];
        connection
            .execute("INSERT INTO subagent_runs VALUES (?1, ?2, ?3, ?4, ?5, ?6)", values.as_slice())
            .unwrap();
    }
    let _ = fs::rename(&list, world.state.join("cron/jobs.json.migrated"));
    let _ = fs::remove_dir_all(world.state.join("cron/runs"));
    let _ = fs::remove_file(&registry);
    connection
}

/// Moves the sessions of a store from its file to the table of its agent, as the update to 2026.8.1 does.
pub fn import(world: &World) -> Connection {
    let connection = database(world, AGENT_DATABASE, SESSION_NODES);
    connection.execute("DELETE FROM session_nodes", []).unwrap();
    let text = fs::read(world.store()).unwrap();
    let store: std::collections::BTreeMap<String, Box<serde_json::value::RawValue>> =
        serde_json::from_slice(&text).unwrap();
    for key in crate::world::keys(&text) {
        let sql = "INSERT INTO session_nodes (session_key, entry_json, entry_valid) VALUES (?1, ?2, 1)";
        connection.execute(sql, [&key, store[&key].get()]).unwrap();
    }
    fs::remove_file(world.store()).unwrap();
    connection
}
