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
