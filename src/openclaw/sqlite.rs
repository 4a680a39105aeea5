//! The SQLite databases of later versions, as far as they can be known without opening one.
//!
//! From 2026.6.1 cron jobs, run logs and the registry of sub-agents live in `state/openclaw.sqlite`; from 2026.8.1
//! sessions live in one database per agent. That a file exists proves little, since 2026.7.1 makes agent databases
//! without sessions in them. What its schema names proves more, and the schema stands in the file as plain text.

use std::io;
use std::path::{Path, PathBuf};

use super::grammar::normalize_agent_id;

/// How every SQLite database begins.
pub const MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// The table that makes an agent database the home of its sessions.
pub const SESSION_NODES: &str = "session_nodes";

/// The table of cron jobs in the state database.
pub const CRON_JOBS: &str = "cron_jobs";

/// How much of a statement may lie on both sides of a chunk border.
const CARRY: usize = 1024;

/// Whether a file that begins with these bytes is an SQLite database.
pub fn is_sqlite(first_16_bytes: &[u8]) -> bool {
    first_16_bytes.starts_with(MAGIC)
}

/// The state database, `<state>/state/openclaw.sqlite`.
pub fn state_database(state_dir: &Path) -> PathBuf {
    state_dir.join("state").join("openclaw.sqlite")
}

/// The database of an agent, `<state>/agents/<id>/agent/openclaw-agent.sqlite`.
pub fn agent_database(state_dir: &Path, agent_id: &str) -> PathBuf {
    state_dir.join("agents").join(normalize_agent_id(agent_id)).join("agent").join("openclaw-agent.sqlite")
}

/// The write-ahead log beside a database; a schema may stand there alone.
pub fn write_ahead_log(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push("-wal");
    PathBuf::from(name)
}

/// Whether a `CREATE TABLE` statement for `table` stands anywhere in the bytes.
///
/// A cheap test: rows of `sqlite_schema` are plain text, whatever the chunks they come in. It may say yes of a table
/// that was dropped and not yet overwritten, and it does not see one in a write-ahead log that is not handed in.
pub fn mentions_table(chunks: impl Iterator<Item = io::Result<Vec<u8>>>, table: &str) -> io::Result<bool> {
    let mut window: Vec<u8> = Vec::new();
    for chunk in chunks {
        window.extend_from_slice(&chunk?);
        let settled = window.len().saturating_sub(CARRY);
        if names_table(&window, settled, table) {
            return Ok(true);
        }
        window.drain(..settled);
    }
    Ok(names_table(&window, window.len(), table))
}

/// Whether a statement for the table begins before `settled`.
fn names_table(window: &[u8], settled: usize, table: &str) -> bool {
    let starts = window.get(..settled).unwrap_or(window);
    let mut places = starts.iter().enumerate().filter(|(_, byte)| byte.eq_ignore_ascii_case(&b'c'));
    places.any(|(at, _)| window.get(at..).is_some_and(|text| is_statement(text, table)))
}

fn is_statement(text: &[u8], table: &str) -> bool {
    let head = word(text, "create").and_then(spaces).and_then(|rest| word(rest, "table")).and_then(spaces);
    let Some(rest) = head else { return false };
    let guarded = word(rest, "if").and_then(spaces).and_then(|rest| word(rest, "not")).and_then(spaces);
    let guarded = guarded.and_then(|rest| word(rest, "exists")).and_then(spaces);
    is_name(guarded.unwrap_or(rest), table)
}

/// The text after white space, of which there must be some unless a quoting character follows.
fn spaces(text: &[u8]) -> Option<&[u8]> {
    let rest = text.trim_ascii_start();
    (rest.len() < text.len() || rest.first().is_some_and(|byte| b"\"`[".contains(byte))).then_some(rest)
}

fn word<'a>(text: &'a [u8], word: &str) -> Option<&'a [u8]> {
    let (head, rest) = text.split_at_checked(word.len())?;
    head.eq_ignore_ascii_case(word.as_bytes()).then_some(rest)
}

fn is_name(text: &[u8], table: &str) -> bool {
    let close = match text.first() {
        Some(b'[') => Some(b']'),
        Some(&quote @ (b'"' | b'`')) => Some(quote),
        _ => None,
    };
    let name = if close.is_some() { text.get(1..).unwrap_or_default() } else { text };
    let Some(rest) = word(name, table) else { return false };
    match close {
        Some(close) => rest.first() == Some(&close),
        None => {
            !rest.first().is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_' || *byte == b'$')
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn mentions(text: &str, chunk: usize) -> bool {
        let bytes = text.as_bytes().to_vec();
        mentions_table(bytes.chunks(chunk).map(|part| Ok(part.to_vec())), SESSION_NODES).unwrap()
    }

    #[test]
    fn spellings_of_a_table() {
        for yes in [
            "CREATE TABLE session_nodes (",
            "x\u{0}create table\n\tSession_Nodes(",
            "CREATE TABLE IF NOT EXISTS session_nodes(a)",
            "CREATE TABLE \"session_nodes\" (",
            "CREATE TABLE`session_nodes`",
            "CREATE TABLE [session_nodes]",
            "ccreate table session_nodes",
        ] {
            let padded = format!("{}{yes}", "c".repeat(3000));
            for chunk in [1, 7, 64, 4096] {
                assert!(mentions(&padded, chunk), "{yes} in chunks of {chunk}");
            }
        }
        for no in [
            "CREATE TABLE session_nodes_old (",
            "CREATE TABLE old_session_nodes (",
            "CREATE INDEX session_nodes",
            "CREATETABLE session_nodes",
            "CREATE TABLE \"session_nodes x\"",
            "DROP TABLE session_nodes",
            "create table",
            "",
        ] {
            assert!(!mentions(no, 7), "{no}");
        }
    }

    #[test]
    fn errors_of_reading_come_through() {
        let chunks = [Ok(b"CREATE".to_vec()), Err(io::Error::other("gone"))];
        assert!(mentions_table(chunks.into_iter(), SESSION_NODES).is_err());
    }

    #[test]
    fn well_known_places() {
        assert!(is_sqlite(b"SQLite format 3\0") && !is_sqlite(b"SQLite"));
        assert_eq!(state_database(Path::new("/s")), Path::new("/s/state/openclaw.sqlite"));
        let agent = agent_database(Path::new("/s"), "Main");
        assert_eq!(agent, Path::new("/s/agents/main/agent/openclaw-agent.sqlite"));
        assert_eq!(write_ahead_log(&agent), Path::new("/s/agents/main/agent/openclaw-agent.sqlite-wal"));
    }
}
