//! `slim`: strips caches that OpenClaw builds again. It plans and writes as `prune` does; its policy asks for
//! nothing else.

use super::{check, prune};
use crate::cli::args::WriteArgs;
use crate::diagnose::run::Edge;
use crate::exit::Exit;

/// Plans, and writes where that is asked for.
pub fn run(edge: &Edge<'_>, write: &WriteArgs) -> anyhow::Result<Exit> {
    if write.apply { prune::apply(edge, write) } else { check::dry(edge) }
}
