//! The verbs: each takes the edge and a request, and returns an exit code.
//!
//! What you may touch here: nothing directly. A verb joins the stages and says what came of it.

pub mod check;
pub mod cron;
pub mod document;
pub mod explain;
pub mod generate;
pub mod guard;
pub mod hook;
pub mod prune;
pub mod recover;
pub mod slim;
pub mod speak;
pub mod sweep;
pub mod undo;
pub mod validate;
pub mod write;

use std::cell::RefCell;
use std::io::{BufWriter, IsTerminal, Write};

use crate::apply::liveness::ProcLiveness;
use crate::apply::{Cancel, Limits, RealDisk};
use crate::cli::args::WhenArg;
use crate::cli::request::{Request, Verb};
use crate::diagnose::run::{Edge, Writer};
use crate::exit::Exit;
use crate::host::Host;
use crate::progress::{Mode, Progress};

/// Does what is asked for, on this host.
pub fn run(request: &Request) -> anyhow::Result<Exit> {
    let writer = Writer { disk: &RealDisk, liveness: &ProcLiveness, limits: Limits::default() };
    let stdout = RefCell::new(BufWriter::with_capacity(1 << 16, std::io::stdout()));
    run_with(request, writer, &Cancel::on_signals()?, &stdout)
}

/// Does what is asked for, through a writer of the caller's; the report goes to `out`.
pub fn run_with(
    request: &Request,
    writer: Writer<'_>,
    cancel: &Cancel,
    out: &RefCell<dyn Write>,
) -> anyhow::Result<Exit> {
    let host = Host::current();
    let system = host.system();
    let mode = match request.output.progress {
        WhenArg::Auto => Mode::Auto,
        WhenArg::Always => Mode::Always,
        WhenArg::Never => Mode::Never,
    };
    let quiet_bar = request.output.quiet && mode == Mode::Auto;
    let progress =
        if quiet_bar { Progress::silent() } else { Progress::new(mode, std::io::stderr().is_terminal()) };
    let edge = Edge { host: &host, system: &system, request, progress: &progress, cancel, writer, out };
    match &request.verb {
        Verb::Check(wanted) => check::run(&edge, wanted),
        Verb::Prune { write, output: None } if write.apply => prune::apply(&edge, write),
        Verb::Prune { output: None, .. } => check::dry(&edge),
        Verb::Prune { output: Some(file), .. } => prune::output(&edge, file),
        Verb::Slim(write) => slim::run(&edge, write),
        Verb::Guard(wanted) => guard::run(&edge, wanted),
        Verb::Recover(wanted) => recover::run(&edge, wanted),
        Verb::Sweep(wanted) => sweep::run(&edge, wanted),
        Verb::Cron(write) => cron::run(&edge, write),
        Verb::Undo { run: None, .. } => undo::list(&edge),
        Verb::Undo { run: Some(run), to, write } => undo::undo(&edge, run, to.as_deref(), write),
        Verb::Validate(wanted) => validate::run(&edge, wanted),
        Verb::Explain(subject) => explain::run(&edge, subject),
        Verb::Hook(wanted) => hook::run(&edge, wanted),
        Verb::Generate(wanted) => generate::run(&edge, wanted),
    }
}
