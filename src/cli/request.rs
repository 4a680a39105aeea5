//! What was typed, made to mean something; every usage error that clap cannot see is found here.

use std::num::NonZeroU16;
use std::time::Duration;

use super::args::{
    CheckArgs, ClassArg, Cli, Command, CommonArgs, ConfidenceArg, CronArgs, EntriesArg, ExplainArgs,
    FormatArg, GatewayArg, Generate, GenerateArgs, GuardArgs, HookArgs, KindArg, PolicyArgs, PruneArgs,
    RecoverArgs, SlimArgs, SweepArgs, UndoArgs, ValidateArgs, WhenArg, WriteArgs,
};
use crate::evidence::discover::Whereabouts;
use crate::evidence::named::FileKind;
use crate::model::Millis;
use crate::model::caches::Caches;
use crate::model::leftover::Way;
use crate::model::policy::{Budget, Policy, Slimming};
use crate::model::verdict::{Class, Confidence};
use crate::openclaw::config::{Config, Retention};
use crate::openclaw::grammar::{DurationUnit, flexible_duration_ms, flexible_size};
use crate::openclaw::layout::Profile;
use crate::openclaw::time::parse_iso_ms;
use crate::openclaw::versions::Version;

/// A command line that makes no sense, and what would.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct UsageError(pub String);

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

/// What `check` alone takes.
#[derive(Debug, Clone, Default)]
pub struct Check {
    /// `--metrics`
    pub metrics: Option<std::path::PathBuf>,
    /// `--watch`
    pub watch: Option<Duration>,
}

/// What `recover` alone takes.
#[derive(Debug, Clone)]
pub struct Recover {
    /// Consent.
    pub write: WriteArgs,
    /// `--output`
    pub output: Option<std::path::PathBuf>,
    /// `--assign`
    pub assigned: Vec<Assignment>,
    /// `--include-pruned`
    pub include_pruned: bool,
    /// `--confidence`
    pub confidence: Confidence,
}

/// What `validate` alone takes.
#[derive(Debug, Clone)]
pub struct Validate {
    /// What was named.
    pub paths: Vec<std::path::PathBuf>,
    /// `--format`
    pub format: FormatArg,
    /// `--openclaw`
    pub version: Version,
    /// `--kind`
    pub kind: Option<FileKind>,
    /// `--deny warning`
    pub deny_warnings: bool,
    /// `--allow`
    pub allowed: Vec<String>,
}

/// What `sweep` alone takes.
#[derive(Debug, Clone)]
pub struct Sweep {
    /// Consent.
    pub write: WriteArgs,
    /// `--older-than`
    pub older_than: Millis,
    /// `--archive` or `--delete`
    pub way: Way,
}

/// What `guard` alone takes.
#[derive(Debug, Clone)]
pub struct Guard {
    /// `--time-budget`
    pub time_budget: Duration,
    /// `--strict`
    pub strict: bool,
    /// `--check-only`
    pub check_only: bool,
}

/// `--assign TRANSCRIPT=KEY`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// The name of a transcript, or its session id.
    pub transcript: String,
    /// The key that it is to have.
    pub key: String,
}

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

/// Limits as typed and checked; what was not typed comes from the configuration or the default.
#[derive(Debug, Clone, Default)]
pub struct Limits {
    grace: Option<Millis>,
    max_running: Option<Millis>,
    /// `Some(None)`: switched off.
    run_retention: Option<Option<Millis>>,
    prune_after: Option<Millis>,
    conversations: bool,
    budget: Option<Budget>,
    max_entries: Option<u64>,
    only: Vec<Class>,
    /// `--keep`
    pub keep: Vec<String>,
    confidence: Option<Confidence>,
    allow_removal: Option<f64>,
    slim: Slim,
    cron_only: bool,
}

/// What is slimmed, and how.
#[derive(Debug, Clone, Default)]
struct Slim {
    whose: Option<Slimming>,
    /// `--fields`
    caches: Option<Caches>,
    /// `--compact`
    compact: bool,
}

impl Limits {
    /// The policy under a configuration; `None` where that could not be resolved. It may say any retention
    /// then, so what was not typed has none.
    pub fn policy(&self, config: Option<&Config>) -> Policy {
        let default = Policy::default();
        let configured = match config.map(|config| config.cron.session_retention) {
            Some(Retention::Ms(ms)) => Some(ms),
            Some(Retention::Off) | None => None,
        };
        let prune_after = config.map_or(Millis::MAX, |config| config.session.maintenance.prune_after_ms);
        Policy {
            grace: self.grace.unwrap_or(default.grace),
            max_running: self.max_running.unwrap_or(default.max_running),
            run_retention: self.run_retention.unwrap_or(configured),
            prune_after: self.prune_after.unwrap_or(prune_after),
            conversations: self.conversations,
            budget: self.budget.unwrap_or(default.budget),
            max_entries: self.max_entries,
            only: self.only.clone(),
            confidence: self.confidence.unwrap_or(default.confidence),
            allow_removal: self.allow_removal.unwrap_or(default.allow_removal),
            slimming: self.slim.whose.unwrap_or(default.slimming),
            caches: self.slim.caches.unwrap_or(default.caches),
            compact: self.slim.compact,
            cron_only: self.cron_only,
        }
    }

    /// What was not typed is as strict as before a start that nobody watches, and only what a cron job left is reached.
    fn of_guard(self) -> Result<Self, UsageError> {
        let classes = [Class::Zombie, Class::Orphaned, Class::Stale, Class::Surplus];
        if let Some(class) = self.only.iter().find(|class| !classes.contains(class)) {
            return Err(usage(format!("--only {}: guard does not act on it", class.name())));
        }
        Ok(Limits {
            budget: self.budget.or(Some(Budget::Auto)),
            confidence: self.confidence.or(Some(Confidence::Certain)),
            only: if self.only.is_empty() { classes.to_vec() } else { self.only },
            cron_only: true,
            ..self
        })
    }

    fn read(args: &PolicyArgs) -> Result<Self, UsageError> {
        Ok(Limits {
            grace: duration("--grace", &args.grace, None)?,
            max_running: duration("--max-running", &args.max_running, None)?,
            run_retention: retention(&args.run_retention)?,
            prune_after: duration("--prune-after", &args.prune_after, Some(DurationUnit::Days))?,
            conversations: args.conversations,
            budget: args.budget.as_deref().map(budget).transpose()?,
            max_entries: args.max_entries,
            only: args.only.iter().map(|&class| class_of(class)).collect(),
            keep: args.keep.clone(),
            confidence: args.confidence.map(confidence_of),
            allow_removal: args.allow_removal.as_deref().map(percent).transpose()?,
            slim: Slim::default(),
            cron_only: false,
        })
    }
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
            Some(Command::Recover(recover)) => (Verb::Recover(recovery(recover)?), PolicyArgs::default()),
            Some(Command::Sweep(args)) => {
                typed_sweep = typed_sweep_of(&args);
                (Verb::Sweep(sweep(args)?), PolicyArgs::default())
            }
            Some(Command::Cron(CronArgs { write })) => (Verb::Cron(write), PolicyArgs::default()),
            Some(Command::Validate(args)) => {
                (Verb::Validate(validation(args, cli.common.json)?), PolicyArgs::default())
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
                (Verb::Generate(generated(what)?), PolicyArgs::default())
            }
        };
        let limits = Limits { slim, ..Limits::read(&policy)? };
        let limits = if let Verb::Guard(_) = verb { limits.of_guard()? } else { limits };
        let common = cli.common;
        let mut typed = Typed { places: typed_places(&common), limits: typed_limits(&policy) };
        if let Verb::Recover(recover) = &verb {
            typed.limits = typed_recovery(recover);
        }
        typed.limits.extend(limits.slim.typed());
        typed.limits.append(&mut typed_sweep);
        Ok(Request {
            verb,
            limits,
            whereabouts: whereabouts(&common)?,
            now: common.now.as_deref().map(time).transpose()?,
            gateway: common.gateway,
            map: !common.no_mmap,
            threads: common.threads,
            typed,
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

impl Slim {
    fn read(args: &SlimArgs) -> Result<Self, UsageError> {
        let caches = args.fields.as_deref().map(Caches::of_list).transpose().map_err(|name| {
            let known = Caches::names().join(", ");
            usage(format!(
                "--fields: '{name}' is nothing that OpenClaw is known to build again: name some of {known}"
            ))
        })?;
        Ok(Slim { whose: Some(Slimming::Alone), caches, compact: args.compact })
    }

    /// The words for it.
    fn typed(&self) -> Vec<String> {
        let mut words = Vec::new();
        if self.whose == Some(Slimming::OfKept) {
            words.push("--slim".to_owned());
        }
        if let Some(caches) = self.caches {
            let names: Vec<String> = caches.each().map(|cache| cache.name()).collect();
            words.extend(["--fields".to_owned(), names.join(",")]);
        }
        if self.compact {
            words.push("--compact".to_owned());
        }
        words
    }
}

/// What holds at this moment alone has no place in a unit.
fn lasting(common: &CommonArgs) -> Result<(), UsageError> {
    if common.now.is_some() || common.gateway != GatewayArg::Auto {
        return Err(usage("hook: --now and --gateway are of this moment, and a unit is for every start"));
    }
    Ok(())
}

fn generated(what: Generate) -> Result<Generate, UsageError> {
    match &what {
        Generate::Man { verb } if Cli::command_at(verb).is_none() => {
            let verbs = Cli::command_at(&[]).unwrap_or_default();
            let verbs: Vec<&str> = verbs.get_subcommands().map(|verb| verb.get_name()).collect();
            Err(usage(format!(
                "generate man {}: no such verb; name one of {}",
                verb.join(" "),
                verbs.join(", ")
            )))
        }
        _ => Ok(what),
    }
}

fn recovery(args: RecoverArgs) -> Result<Recover, UsageError> {
    Ok(Recover {
        assigned: args.assign.iter().map(|text| assignment(text)).collect::<Result<_, _>>()?,
        write: args.write,
        output: args.output,
        include_pruned: args.include_pruned,
        confidence: args.confidence.map_or(Confidence::Certain, confidence_of),
    })
}

fn validation(args: ValidateArgs, json: bool) -> Result<Validate, UsageError> {
    let format = match args.format {
        Some(format) if json && format != FormatArg::Json => {
            return Err(usage("--json and --format ask for two things at once"));
        }
        Some(format) => format,
        None if json => FormatArg::Json,
        None => FormatArg::Human,
    };
    let version = match &args.openclaw {
        None => Version::newest(),
        Some(name) => Version::named(name).ok_or_else(|| {
            let known = Version::names().join(", ");
            usage(format!("--openclaw {name}: of that version it is not known how it reads sessions.json; name one of {known}"))
        })?,
    };
    let (paths, deny_warnings, allowed) = (args.paths, args.deny.is_some(), args.allow);
    let kind = args.kind.map(|kind| match kind {
        KindArg::Store => FileKind::Store,
        KindArg::Jobs => FileKind::Jobs,
        KindArg::JobsState => FileKind::JobsState,
        KindArg::RunLog => FileKind::RunLog,
    });
    Ok(Validate { paths, format, version, kind, deny_warnings, allowed })
}

fn sweep(args: SweepArgs) -> Result<Sweep, UsageError> {
    let older_than = duration("--older-than", &args.older_than, None)?.unwrap_or(Policy::DAY);
    let way = match (args.archive, args.delete) {
        (true, _) => Way::Archive,
        (_, true) => Way::Delete,
        _ => Way::Aside,
    };
    Ok(Sweep { write: args.write, older_than, way })
}

fn typed_sweep_of(args: &SweepArgs) -> Vec<String> {
    let mut words = Vec::new();
    args.older_than.iter().for_each(|age| words.extend(["--older-than".to_owned(), age.clone()]));
    words.extend(args.archive.then(|| "--archive".to_owned()));
    words.extend(args.delete.then(|| "--delete".to_owned()));
    words
}

/// The key may hold any character, and the name of a transcript holds no `=`.
fn assignment(text: &str) -> Result<Assignment, UsageError> {
    let (transcript, key) = text
        .split_once('=')
        .filter(|(transcript, key)| !transcript.is_empty() && !key.is_empty())
        .ok_or_else(|| usage(format!("--assign '{text}': write the transcript's name, '=', and the key")))?;
    let is_key = crate::model::key::split_agent(key).is_some() || key == "global";
    if !is_key || key.chars().any(char::is_control) {
        return Err(usage(format!("--assign: '{key}' is no session key; one reads agent:<id>:<rest>")));
    }
    Ok(Assignment { transcript: transcript.to_owned(), key: key.to_owned() })
}

fn confidence_of(arg: ConfidenceArg) -> Confidence {
    match arg {
        ConfidenceArg::Certain => Confidence::Certain,
        ConfidenceArg::Likely => Confidence::Likely,
    }
}

fn typed_places(common: &CommonArgs) -> Vec<String> {
    let mut words = Vec::new();
    let mut add = |flag: &str, value: String| words.extend([flag.to_owned(), value]);
    let path = |path: &std::path::PathBuf| path.display().to_string();
    common.state_dir.iter().for_each(|dir| add("--state-dir", path(dir)));
    common.profile.iter().for_each(|name| add("--profile", name.clone()));
    common.store.iter().for_each(|file| add("--store", path(file)));
    common.cron_dir.iter().for_each(|dir| add("--cron-dir", path(dir)));
    common.agent.iter().for_each(|id| add("--agent", id.clone()));
    common.now.iter().for_each(|now| add("--now", now.clone()));
    if common.gateway == GatewayArg::Stopped {
        add("--gateway", "stopped".to_owned());
    }
    words
}

fn typed_recovery(recover: &Recover) -> Vec<String> {
    let assigned = |one: &Assignment| ["--assign".to_owned(), format!("{}={}", one.transcript, one.key)];
    let mut words: Vec<String> = recover.assigned.iter().flat_map(assigned).collect();
    if recover.include_pruned {
        words.push("--include-pruned".to_owned());
    }
    if recover.confidence == Confidence::Likely {
        words.extend(["--confidence", "likely"].map(str::to_owned));
    }
    words
}

fn typed_limits(args: &PolicyArgs) -> Vec<String> {
    let mut words = Vec::new();
    let mut add = |flag: &str, value: &str| words.extend([flag.to_owned(), value.to_owned()]);
    let texts = [
        ("--grace", &args.grace),
        ("--max-running", &args.max_running),
        ("--run-retention", &args.run_retention),
        ("--prune-after", &args.prune_after),
        ("--budget", &args.budget),
        ("--allow-removal", &args.allow_removal),
    ];
    texts.iter().for_each(|(flag, text)| text.iter().for_each(|text| add(flag, text)));
    args.max_entries.iter().for_each(|limit| add("--max-entries", &limit.to_string()));
    args.only.iter().for_each(|class| add("--only", class_of(*class).name()));
    args.keep.iter().for_each(|glob| add("--keep", glob));
    if args.confidence == Some(ConfidenceArg::Certain) {
        add("--confidence", "certain");
    }
    if args.conversations {
        words.push("--conversations".to_owned());
    }
    words
}

fn usage(message: impl Into<String>) -> UsageError {
    UsageError(message.into())
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

/// RFC 3339, or epoch milliseconds. Seconds would put every entry into the future.
fn time(text: &str) -> Result<Millis, UsageError> {
    let at = match text.parse::<Millis>() {
        Ok(ms) if ms >= 100_000_000_000 => Some(ms),
        Ok(_) => None,
        Err(_) => parse_iso_ms(text),
    };
    at.ok_or_else(|| {
        usage(format!("--now {text}: give RFC 3339 (2026-11-21T01:14:30Z) or epoch milliseconds (13 digits)"))
    })
}

/// A bare number has a meaning only where OpenClaw gives it a unit; a grace of 30 ms is nobody's wish.
fn duration(
    flag: &str,
    text: &Option<String>,
    unit: Option<DurationUnit>,
) -> Result<Option<Millis>, UsageError> {
    let Some(text) = text else { return Ok(None) };
    let bare = text.trim().parse::<f64>().is_ok_and(|number| number != 0.0);
    let read = flexible_duration_ms(text, unit.unwrap_or(DurationUnit::Millis));
    match read {
        Some(ms) if ms >= 0 && !(bare && unit.is_none()) => Ok(Some(ms)),
        _ => Err(usage(format!("{flag} {text}: give a duration with a unit, such as 90m, 2h or 1d12h"))),
    }
}

fn retention(text: &Option<String>) -> Result<Option<Option<Millis>>, UsageError> {
    match text.as_deref() {
        Some("false" | "off") => Ok(Some(None)),
        _ => Ok(duration("--run-retention", text, Some(DurationUnit::Hours))?.map(Some)),
    }
}

fn budget(text: &str) -> Result<Budget, UsageError> {
    match text {
        "off" => Ok(Budget::Off),
        "auto" => Ok(Budget::Auto),
        _ => match flexible_size(text) {
            Some(bytes) if bytes > 0 => Ok(Budget::Bytes(bytes)),
            _ => Err(usage(format!("--budget {text}: give a size such as 50MB or 64MiB, auto, or off"))),
        },
    }
}

fn percent(text: &str) -> Result<f64, UsageError> {
    let number = text.trim().trim_end_matches('%').trim().parse::<f64>();
    number
        .ok()
        .filter(|share| (0.0..=100.0).contains(share))
        .ok_or_else(|| usage(format!("--allow-removal {text}: give a percentage from 0 to 100")))
}

fn class_of(class: ClassArg) -> Class {
    match class {
        ClassArg::Zombie => Class::Zombie,
        ClassArg::Orphaned => Class::Orphaned,
        ClassArg::Stale => Class::Stale,
        ClassArg::Surplus => Class::Surplus,
        ClassArg::Malformed => Class::Malformed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
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
