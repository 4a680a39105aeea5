//! What was typed, made to mean something; every usage error that clap cannot see is found here.

use std::num::NonZeroU16;
use std::time::Duration;

use super::UsageError;
use super::args::{
    CheckArgs, Cli, Command, CommonArgs, CronArgs, EntriesArg, ExplainArgs, GatewayArg, Generate,
    GenerateArgs, GuardArgs, HookArgs, PolicyArgs, PruneArgs, UndoArgs, WhenArg, WriteArgs,
};
use super::limits::{Limits, Slim};
use super::typed;
use super::values::{duration, time, usage};
use super::verbs::{self, Check, Guard, Recover, Sweep, Validate};
use crate::evidence::discover::Whereabouts;
use crate::model::Millis;
use crate::model::policy::Slimming;
use crate::openclaw::layout::Profile;

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Request {
    /// The verb.
    pub verb: Verb,
    /// Where to look.
    pub whereabouts: Whereabouts,
    /// Agents that are acted on; empty for all.
    pub agents: Vec<String>,
    /// The clock of every verdict; `None` for the real one.
    pub now: Option<Millis>,
    /// What to hold of the gateway's life.
    pub gateway: GatewayArg,
    /// Limits, as far as they were typed.
    pub limits: Limits,
    /// How to speak.
    pub output: Output,
    /// Whether files may be mapped.
    pub map: bool,
    /// How many threads may scan; `None` for one on each core.
    pub threads: Option<NonZeroU16>,
    /// What was typed, for the commands that are proposed.
    pub typed: Typed,
}

/// Words of the command line that a proposed command repeats.
#[derive(Debug, Clone, Default)]
pub struct Typed {
    /// Where to look, and what to believe.
    pub places: Vec<String>,
    /// Limits.
    pub limits: Vec<String>,
}

/// The verbs with what is theirs alone.
#[derive(Debug, Clone)]
pub enum Verb {
    /// `check`
    Check(Check),
    /// `prune`
    Prune {
        /// Consent.
        write: WriteArgs,
        /// `--output`
        output: Option<std::path::PathBuf>,
    },
    /// `slim`
    Slim(WriteArgs),
    /// `recover`
    Recover(Recover),
    /// `sweep`
    Sweep(Sweep),
    /// `cron`
    Cron(WriteArgs),
    /// `guard`
    Guard(Guard),
    /// `validate`
    Validate(Validate),
    /// `undo`
    Undo {
        /// RUN
        run: Option<String>,
        /// `--to`
        to: Option<std::path::PathBuf>,
        /// Consent.
        write: WriteArgs,
    },
    /// `explain`
    Explain(String),
    /// `hook`
    Hook(HookArgs),
    /// `generate`
    Generate(Generate),
}

/// Looks that come one after the other are at least so long apart.
const SHORTEST_WATCH: Duration = Duration::from_secs(1);

impl Verb {
    /// Whether it may change files of OpenClaw's, or beside them.
    pub fn writes(&self) -> bool {
        match self {
            Verb::Prune { write, output } => write.apply && output.is_none(),
            Verb::Slim(write) => write.apply,
            Verb::Recover(recover) => recover.write.apply && recover.output.is_none(),
            Verb::Sweep(sweep) => sweep.write.apply,
            Verb::Cron(write) => write.apply,
            Verb::Undo { run, to, .. } => run.is_some() && to.is_none(),
            Verb::Guard(guard) => !guard.check_only,
            Verb::Check(_) | Verb::Explain(_) | Verb::Hook(_) | Verb::Validate(_) | Verb::Generate(_) => {
                false
            }
        }
    }

    /// The name in reports.
    pub fn name(&self) -> &'static str {
        match self {
            Verb::Check(_) => "check",
            Verb::Prune { .. } => "prune",
            Verb::Slim(_) => "slim",
            Verb::Recover(_) => "recover",
            Verb::Sweep(_) => "sweep",
            Verb::Cron(_) => "cron",
            Verb::Guard(_) => "guard",
            Verb::Undo { .. } => "undo",
            Verb::Explain(_) => "explain",
            Verb::Validate(_) => "validate",
            Verb::Hook(_) => "hook",
            Verb::Generate(_) => "generate",
        }
    }
}

/// How to speak.
#[derive(Debug, Clone, Copy)]
pub struct Output {
    /// JSON instead of text.
    pub json: bool,
    /// Which entries JSON lists.
    pub entries: EntriesArg,
    /// `-q`
    pub quiet: bool,
    /// `-v`
    pub verbose: bool,
    /// `--color`
    pub color: WhenArg,
    /// `--progress`
    pub progress: WhenArg,
    /// `--redact`
    pub redact: bool,
}

impl Request {
    /// Makes sense of a command line.
    pub fn read(cli: Cli) -> Result<Self, UsageError> {
        if cli.command.is_some() && !cli.policy.is_empty() {
            return Err(usage("limits such as --grace go behind the command they are for"));
        }
        let (mut slim, mut typed_sweep) = (Slim::default(), Vec::new());
        let (verb, policy) = match cli.command {
            None => (Verb::Check(Check::default()), cli.policy),
            Some(Command::Check(CheckArgs { policy, metrics, watch })) => {
                let watch =
                    duration("--watch", &watch, None)?.map(i64::unsigned_abs).map(Duration::from_millis);
                if watch.is_some_and(|interval| interval < SHORTEST_WATCH) {
                    return Err(usage("--watch: a look takes its time; give at least 1s"));
                }
                (Verb::Check(Check { metrics, watch }), policy)
            }
            Some(Command::Prune(PruneArgs { policy, write, output, slim: kept })) => {
                slim.whose = kept.then_some(Slimming::OfKept);
                (Verb::Prune { write, output }, policy)
            }
            Some(Command::Slim(args)) => {
                slim = Slim::read(&args)?;
                (Verb::Slim(args.write), PolicyArgs::default())
            }
            Some(Command::Guard(GuardArgs { policy, time_budget, strict, check_only })) => {
                let budget = duration("--time-budget", &Some(time_budget), None)?;
                let time_budget = Duration::from_millis(budget.unwrap_or_default().unsigned_abs());
                (Verb::Guard(Guard { time_budget, strict, check_only }), policy)
            }
            Some(Command::Recover(recover)) => {
                (Verb::Recover(verbs::recovery(recover)?), PolicyArgs::default())
            }
            Some(Command::Sweep(args)) => {
                typed_sweep = typed::sweep(&args);
                (Verb::Sweep(verbs::sweep(args)?), PolicyArgs::default())
            }
            Some(Command::Cron(CronArgs { write })) => (Verb::Cron(write), PolicyArgs::default()),
            Some(Command::Validate(args)) => {
                (Verb::Validate(verbs::validation(args, cli.common.json)?), PolicyArgs::default())
            }
            Some(Command::Undo(UndoArgs { run, to, write })) => {
                (Verb::Undo { run, to, write }, PolicyArgs::default())
            }
            Some(Command::Explain(ExplainArgs { subject, policy })) => (Verb::Explain(subject), policy),
            Some(Command::Hook(hook)) => {
                lasting(&cli.common)?;
                (Verb::Hook(hook), PolicyArgs::default())
            }
            Some(Command::Generate(GenerateArgs { what })) => {
                (Verb::Generate(verbs::generated(what)?), PolicyArgs::default())
            }
        };
        let limits = Limits::read(&policy, slim)?;
        let limits = if let Verb::Guard(_) = verb { limits.of_guard()? } else { limits };
        let common = cli.common;
        let mut words = Typed { places: typed::places(&common), limits: typed::limits(&policy) };
        if let Verb::Recover(recover) = &verb {
            words.limits = typed::recovery(recover);
        }
        words.limits.extend(limits.slim.typed());
        words.limits.append(&mut typed_sweep);
        Ok(Request {
            verb,
            limits,
            whereabouts: whereabouts(&common)?,
            now: common.now.as_deref().map(time).transpose()?,
            gateway: common.gateway,
            map: !common.no_mmap,
            threads: common.threads,
            typed: words,
            agents: common.agent,
            output: Output {
                json: common.json,
                entries: common.entries,
                quiet: common.quiet,
                verbose: common.verbose,
                color: common.color,
                progress: common.progress,
                redact: common.redact,
            },
        })
    }
}

/// What holds at this moment alone has no place in a unit.
fn lasting(common: &CommonArgs) -> Result<(), UsageError> {
    if common.now.is_some() || common.gateway != GatewayArg::Auto {
        return Err(usage("hook: --now and --gateway are of this moment, and a unit is for every start"));
    }
    Ok(())
}

fn whereabouts(common: &CommonArgs) -> Result<Whereabouts, UsageError> {
    let profile = common.profile.as_deref().map(Profile::new).transpose();
    Ok(Whereabouts {
        state_dir: common.state_dir.clone(),
        profile: profile.map_err(|error| usage(format!("--profile: {error}")))?,
        stores: common.store.clone(),
        cron_dir: common.cron_dir.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::policy::Policy;
    use crate::openclaw::config::Config;
    use clap::Parser;

    fn read(args: &[&str]) -> Result<Request, UsageError> {
        Request::read(Cli::try_parse_from(std::iter::once(&"sessions-doctor").chain(args)).unwrap())
    }

    #[test]
    fn no_command_is_check_and_its_limits_count() {
        let request = read(&["--grace", "1h30m", "--json"]).unwrap();
        assert!(matches!(request.verb, Verb::Check(_)) && request.output.json);
        assert_eq!(request.limits.policy(Some(&Config::default())).grace, 5_400_000);
    }

    #[test]
    fn limits_that_would_remove_everything_by_mistake_are_usage_errors() {
        for args in [
            ["check", "--grace", "30"],
            ["check", "--budget", "0"],
            ["prune", "--allow-removal", "250"],
            ["prune", "--now", "1795223628"],
            ["check", "--prune-after", "soon"],
        ] {
            assert!(read(&args).is_err(), "{args:?}");
        }
        assert!(read(&["--grace", "1h", "prune"]).is_err());
    }

    #[test]
    fn a_configuration_that_cannot_be_resolved_may_say_any_retention() {
        let limits = read(&["check"]).unwrap().limits;
        let policy = limits.policy(None);
        assert_eq!((policy.run_retention, policy.prune_after), (None, Millis::MAX));
        let typed = read(&["check", "--run-retention", "24h", "--prune-after", "30d"]).unwrap().limits;
        assert_eq!(typed.policy(None), Policy::default());
    }

    #[test]
    fn a_retention_that_is_off_and_a_bare_number_of_hours_are_understood() {
        let policy = |text: &str| {
            read(&["check", "--run-retention", text])
                .unwrap()
                .limits
                .policy(Some(&Config::default()))
                .run_retention
        };
        assert_eq!((policy("false"), policy("12")), (None, Some(12 * 3_600_000)));
    }
}
