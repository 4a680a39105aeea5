//! The registry of sub-agents, `subagents/runs.json` (to 2026.5.28; later in SQLite).

use super::json::{self, Fault, Tree, Want};

/// The registry. A missing file is an empty registry; one that cannot be read protects, which is the caller's to say.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Registry {
    /// Its rows, in file order.
    pub rows: Vec<Row>,
    /// How many rows are no objects; OpenClaw passes over them.
    pub malformed: usize,
}

/// One run of a sub-agent.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The name that the row has in the registry.
    pub key: String,
    /// Its id, the key of the row where the row itself has none.
    pub run_id: String,
    /// The session of the sub-agent.
    pub child_session_key: Option<String>,
    /// The session that asked for it.
    pub requester_session_key: Option<String>,
    /// The session that controls it.
    pub controller_session_key: Option<String>,
    /// When it was made.
    pub created_at: Option<i64>,
    /// When it started.
    pub started_at: Option<i64>,
    /// When it ended; without a finite number it has not.
    pub ended_at: Option<i64>,
    /// `outcome.status`: `ok`, `error`, `timeout` or `unknown`.
    pub outcome: Option<String>,
    /// `delete` or `keep`.
    pub cleanup: Option<String>,
    /// `run` or `session`.
    pub spawn_mode: Option<String>,
}

/// Why a registry is not read.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum RegistryError {
    /// Not JSON.
    #[error("it does not parse: {0}")]
    Syntax(Fault),
    /// Not an object with an object of runs.
    #[error("it holds no object of runs")]
    Shape,
    /// A version other than 1 and 2, or none.
    #[error("its version is neither 1 nor 2")]
    UnknownVersion(Option<f64>),
}

static WANT: Want = Want::Fields(&[("version", Want::All), ("runs", Want::Each(&ROW))]);

static ROW: Want = Want::Fields(&[
    ("runId", Want::All),
    ("childSessionKey", Want::All),
    ("requesterSessionKey", Want::All),
    ("controllerSessionKey", Want::All),
    ("createdAt", Want::All),
    ("startedAt", Want::All),
    ("endedAt", Want::All),
    ("outcome", Want::Fields(&[("status", Want::All)])),
    ("cleanup", Want::All),
    ("spawnMode", Want::All),
]);

/// Reads a registry of version 1 or 2.
pub fn parse(bytes: &[u8]) -> Result<Registry, RegistryError> {
    let tree = json::parse(bytes, &WANT).map_err(RegistryError::Syntax)?;
    tree.object().ok_or(RegistryError::Shape)?;
    let version = tree.get("version").and_then(Tree::number);
    if version != Some(1.0) && version != Some(2.0) {
        return Err(RegistryError::UnknownVersion(version));
    }
    let runs = tree.get("runs").and_then(Tree::object).ok_or(RegistryError::Shape)?;
    let rows: Vec<Row> = runs.iter().filter_map(|(key, tree)| row(key, tree)).collect();
    Ok(Registry { malformed: runs.len() - rows.len(), rows })
}

/// Reads one row that stands alone.
pub fn parse_row(key: &str, bytes: &[u8]) -> Result<Row, RegistryError> {
    let tree = json::parse(bytes, &ROW).map_err(RegistryError::Syntax)?;
    row(key, &tree).ok_or(RegistryError::Shape)
}

/// The row with these members; `None` where they are no object.
pub fn row(key: &str, tree: &Tree) -> Option<Row> {
    tree.object()?;
    Some(Row {
        key: key.to_owned(),
        run_id: tree.text_of("runId").unwrap_or_else(|| key.to_owned()),
        child_session_key: tree.text_of("childSessionKey"),
        requester_session_key: tree.text_of("requesterSessionKey"),
        controller_session_key: tree.text_of("controllerSessionKey"),
        created_at: tree.millis_of("createdAt"),
        started_at: tree.millis_of("startedAt"),
        ended_at: tree.millis_of("endedAt"),
        outcome: tree.get("outcome").and_then(|outcome| outcome.text_of("status")),
        cleanup: tree.text_of("cleanup"),
        spawn_mode: tree.text_of("spawnMode"),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn reads_both_versions() {
        let text = r#"{"version":2,"runs":{"4f38":{"runId":"4f38","childSessionKey":"agent:main:subagent:e9",
            "controllerSessionKey":"agent:main:cron:84","requesterSessionKey":"agent:main:cron:84","task":"x",
            "cleanup":"keep","spawnMode":"run","createdAt":1795223613506,"startedAt":1795223613674,
            "endedAt":1795223613682,"outcome":{"status":"ok"}},"b":{"endedAt":"soon"},"c":null}}"#;
        for version in ["1", "2"] {
            let text = text.replacen('2', version, 1);
            let registry = parse(text.as_bytes()).unwrap();
            assert_eq!((registry.rows.len(), registry.malformed), (2, 1));
            let row = &registry.rows[0];
            assert_eq!(row.child_session_key.as_deref(), Some("agent:main:subagent:e9"));
            assert_eq!((row.ended_at, row.outcome.as_deref()), (Some(1_795_223_613_682), Some("ok")));
            assert_eq!((registry.rows[1].run_id.as_str(), registry.rows[1].ended_at), ("b", None));
        }
    }

    #[test]
    fn what_cannot_be_read_is_an_error() {
        assert_eq!(parse(br#"{"version":3,"runs":{}}"#), Err(RegistryError::UnknownVersion(Some(3.0))));
        assert_eq!(parse(br#"{"runs":{}}"#), Err(RegistryError::UnknownVersion(None)));
        assert_eq!(parse(br#"{"version":2,"runs":[]}"#), Err(RegistryError::Shape));
        assert_eq!(parse(b"[]"), Err(RegistryError::Shape));
        assert!(matches!(parse(b"{"), Err(RegistryError::Syntax(_))));
    }
}
