//! Limits that were typed, and the policy that they make under a configuration.

use super::UsageError;
use super::args::{PolicyArgs, SlimArgs};
use super::values::{budget, class_of, confidence_of, duration, percent, retention, usage};
use crate::model::Millis;
use crate::model::caches::Caches;
use crate::model::policy::{Budget, Policy, Slimming};
use crate::model::verdict::{Class, Confidence};
use crate::openclaw::config::{Config, Retention};
use crate::openclaw::grammar::DurationUnit;

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
    pub(super) slim: Slim,
    cron_only: bool,
}

/// What is slimmed, and how.
#[derive(Debug, Clone, Default)]
pub(super) struct Slim {
    pub(super) whose: Option<Slimming>,
    /// `--fields`
    pub(super) caches: Option<Caches>,
    /// `--compact`
    pub(super) compact: bool,
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
    pub(super) fn of_guard(self) -> Result<Self, UsageError> {
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

    pub(super) fn read(args: &PolicyArgs, slim: Slim) -> Result<Self, UsageError> {
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
            slim,
            cron_only: false,
        })
    }
}

impl Slim {
    pub(super) fn read(args: &SlimArgs) -> Result<Self, UsageError> {
        let caches = args.fields.as_deref().map(Caches::of_list).transpose().map_err(|name| {
            let known = Caches::names().join(", ");
            usage(format!(
                "--fields: '{name}' is nothing that OpenClaw is known to build again: name some of {known}"
            ))
        })?;
        Ok(Slim { whose: Some(Slimming::Alone), caches, compact: args.compact })
    }

    /// The words for it.
    pub(super) fn typed(&self) -> Vec<String> {
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
