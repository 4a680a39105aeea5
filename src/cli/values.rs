//! Words of the command line as values, each with what to write instead.

use super::UsageError;
use super::args::{ClassArg, ConfidenceArg};
use crate::model::Millis;
use crate::model::policy::Budget;
use crate::model::verdict::{Class, Confidence};
use crate::openclaw::grammar::{DurationUnit, flexible_duration_ms, flexible_size};
use crate::openclaw::time::parse_iso_ms;

pub(super) fn usage(message: impl Into<String>) -> UsageError {
    UsageError(message.into())
}

/// RFC 3339, or epoch milliseconds. Seconds would put every entry into the future.
pub(super) fn time(text: &str) -> Result<Millis, UsageError> {
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
pub(super) fn duration(
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

pub(super) fn retention(text: &Option<String>) -> Result<Option<Option<Millis>>, UsageError> {
    match text.as_deref() {
        Some("false" | "off") => Ok(Some(None)),
        _ => Ok(duration("--run-retention", text, Some(DurationUnit::Hours))?.map(Some)),
    }
}

pub(super) fn budget(text: &str) -> Result<Budget, UsageError> {
    match text {
        "off" => Ok(Budget::Off),
        "auto" => Ok(Budget::Auto),
        _ => match flexible_size(text) {
            Some(bytes) if bytes > 0 => Ok(Budget::Bytes(bytes)),
            _ => Err(usage(format!("--budget {text}: give a size such as 50MB or 64MiB, auto, or off"))),
        },
    }
}

pub(super) fn percent(text: &str) -> Result<f64, UsageError> {
    let number = text.trim().trim_end_matches('%').trim().parse::<f64>();
    number
        .ok()
        .filter(|share| (0.0..=100.0).contains(share))
        .ok_or_else(|| usage(format!("--allow-removal {text}: give a percentage from 0 to 100")))
}

pub(super) fn class_of(class: ClassArg) -> Class {
    match class {
        ClassArg::Zombie => Class::Zombie,
        ClassArg::Orphaned => Class::Orphaned,
        ClassArg::Stale => Class::Stale,
        ClassArg::Surplus => Class::Surplus,
        ClassArg::Malformed => Class::Malformed,
    }
}

pub(super) fn confidence_of(arg: ConfidenceArg) -> Confidence {
    match arg {
        ConfidenceArg::Certain => Confidence::Certain,
        ConfidenceArg::Likely => Confidence::Likely,
    }
}
