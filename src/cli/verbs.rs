//! What single verbs take, read from what was typed.

use std::time::Duration;

use super::UsageError;
use super::args::{Cli, FormatArg, Generate, KindArg, RecoverArgs, SweepArgs, ValidateArgs, WriteArgs};
use super::values::{confidence_of, duration, usage};
use crate::evidence::named::FileKind;
use crate::model::Millis;
use crate::model::leftover::Way;
use crate::model::policy::Policy;
use crate::model::verdict::Confidence;
use crate::openclaw::versions::Version;

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

pub(super) fn generated(what: Generate) -> Result<Generate, UsageError> {
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

pub(super) fn recovery(args: RecoverArgs) -> Result<Recover, UsageError> {
    Ok(Recover {
        assigned: args.assign.iter().map(|text| assignment(text)).collect::<Result<_, _>>()?,
        write: args.write,
        output: args.output,
        include_pruned: args.include_pruned,
        confidence: args.confidence.map_or(Confidence::Certain, confidence_of),
    })
}

pub(super) fn validation(args: ValidateArgs, json: bool) -> Result<Validate, UsageError> {
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

pub(super) fn sweep(args: SweepArgs) -> Result<Sweep, UsageError> {
    let older_than = duration("--older-than", &args.older_than, None)?.unwrap_or(Policy::DAY);
    let way = match (args.archive, args.delete) {
        (true, _) => Way::Archive,
        (_, true) => Way::Delete,
        _ => Way::Aside,
    };
    Ok(Sweep { write: args.write, older_than, way })
}

/// The key may hold any character, and the name of a transcript holds no `=`.
pub(super) fn assignment(text: &str) -> Result<Assignment, UsageError> {
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
