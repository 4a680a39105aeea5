//! `undo`.
use crate::cli::args::WriteArgs;
use crate::diagnose::run::Edge;
use crate::exit::Exit;
/// x
pub fn list(_edge: &Edge<'_>) -> anyhow::Result<Exit> {
    anyhow::bail!("x")
}
/// x
pub fn undo(
    _edge: &Edge<'_>,
    _run: &str,
    _to: Option<&std::path::Path>,
    _write: &WriteArgs,
) -> anyhow::Result<Exit> {
    anyhow::bail!("x")
}
