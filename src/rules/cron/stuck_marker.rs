//! `cron-stuck-marker`: a job is marked as running, and the run is over or nobody can be running it.

use crate::model::Millis;
use crate::model::entry::Stamp;
use crate::model::evidence::Life;
use crate::model::runs::FinishedLine;
use crate::model::verdict::{Confidence, Reason, Rule};

/// While it is set, the job neither fires nor can be run by hand.
pub static RULE: Rule = Rule {
    id: "cron-stuck-marker",
    class: None,
    title: "a job is marked as running, and its run is over or has no owner",
};

/// After so long OpenClaw itself clears a marker, when it gets to look.
pub const STUCK_RUN: Millis = 2 * 3_600_000;

/// A living gateway clears markers at its ticks, at most a minute apart: so long it is left alone.
const SETTLING: Millis = 2 * 60_000;

/// A marker and what is known of the run behind it.
#[derive(Clone, Copy, Debug)]
pub struct MarkerCase {
    /// What it says; `None` for a number that no clock can show.
    pub marker: Option<Millis>,
    /// The clock.
    pub now: Millis,
    /// The gateway's life.
    pub gateway: Life,
    /// When this host booted, where that can say something of the gateway.
    pub booted: Option<Millis>,
    /// A finished line of the job whose run began at the marker or later.
    pub finished: Option<FinishedLine>,
    /// Last sign of life of the job's newest run: transcript, `updatedAt`, `startedAt`.
    pub last_sign: Option<Millis>,
    /// Whether a living process holds the transcript of such a run, or may.
    pub held: bool,
    /// Whether the list of jobs and their state were read whole.
    pub trusted: bool,
    /// Whether something that could tell of the run was not read.
    pub unread: bool,
    /// After how long OpenClaw gives up on a run; `None`: never.
    pub timeout: Option<Millis>,
}

/// What is to be held of a marker.
#[derive(Clone, Debug, PartialEq)]
pub enum Judgement {
    /// Nobody runs it.
    Stuck(Confidence, Vec<Reason>),
    /// Somebody may.
    MayRun(Vec<Reason>),
    /// It is no past time in milliseconds: told, and never acted on.
    Unusable,
}

/// Judges a marker. A run is over or has no owner only by what was seen.
pub fn judge(case: &MarkerCase) -> Judgement {
    let Some(marker) = case.marker.filter(|&at| Stamp::is_past_time(at, case.now)) else {
        return Judgement::Unusable;
    };
    if !case.trusted {
        return Judgement::MayRun(vec![Reason::Unread]);
    }
    let sign = marker.max(case.last_sign.unwrap_or(marker));
    if case.held || sign > case.now {
        return Judgement::MayRun(vec![Reason::InFlight]);
    }
    let mut found: Vec<(Confidence, Reason)> = Vec::new();
    if let Some(line) = case.finished.filter(|line| case.now - line.ts > SETTLING || stopped(case)) {
        found.push((Confidence::Certain, Reason::Finished(line.at, line.ts)));
    }
    found.extend(owner_gone(case, sign));
    found.extend(too_long(case, sign));
    let Some(sure) = found.iter().map(|(sure, _)| *sure).max() else {
        return Judgement::MayRun(vec![Reason::InFlight]);
    };
    Judgement::Stuck(sure, found.into_iter().map(|(_, reason)| reason).collect())
}

fn stopped(case: &MarkerCase) -> bool {
    case.gateway == Life::Stopped
}

/// Only a gateway runs jobs: one that is stopped, or that started since, does not run this one.
fn owner_gone(case: &MarkerCase, sign: Millis) -> Option<(Confidence, Reason)> {
    match case.gateway {
        Life::Stopped => Some((Confidence::Certain, Reason::GatewayStopped)),
        Life::Running { since: Some(since), verified } if since > sign && case.now - since > SETTLING => {
            let sure = if verified { Confidence::Certain } else { Confidence::Likely };
            Some((sure, Reason::GatewayStartedSince(since - sign)))
        }
        Life::Running { .. } => None,
        Life::Unknown => {
            let booted = case.booted.filter(|&booted| booted > sign)?;
            Some((Confidence::Likely, Reason::BootedSince(booted - sign)))
        }
    }
}

/// OpenClaw itself gives up after two hours; longer where the job may take longer, never where it has no limit.
fn too_long(case: &MarkerCase, sign: Millis) -> Option<(Confidence, Reason)> {
    let limit = case.timeout?.max(STUCK_RUN);
    let silent = case.now - sign;
    (silent > limit && !case.unread && !stopped(case)).then_some((Confidence::Likely, Reason::Silent(silent)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::entry::Status;
    use crate::model::verdict::LineRef;

    const NOW: Millis = 1_795_223_670_000;
    const HOUR: Millis = 3_600_000;
    const MINUTE: Millis = 60_000;

    fn case(gateway: Life) -> MarkerCase {
        MarkerCase {
            marker: Some(NOW - HOUR),
            now: NOW,
            gateway,
            booted: None,
            finished: None,
            last_sign: None,
            held: false,
            trusted: true,
            unread: false,
            timeout: Some(HOUR),
        }
    }

    fn line(ts: Millis) -> Option<FinishedLine> {
        let at = LineRef { file: 0, line: 3 };
        Some(FinishedLine { at, ts, run_at: Some(NOW - HOUR), status: Status::Done })
    }

    fn sure(case: MarkerCase) -> Option<Confidence> {
        match judge(&case) {
            Judgement::Stuck(sure, reasons) => {
                assert!(!reasons.is_empty());
                Some(sure)
            }
            _ => None,
        }
    }

    const SINCE: Life = Life::Running { since: Some(NOW - HOUR / 2), verified: true };
    const BEFORE: Life = Life::Running { since: Some(NOW - 5 * HOUR), verified: true };

    #[test]
    fn a_gateway_that_is_stopped_or_started_since_owns_no_run() {
        assert_eq!(sure(case(Life::Stopped)), Some(Confidence::Certain));
        assert_eq!(sure(case(SINCE)), Some(Confidence::Certain));
        let told = Life::Running { since: Some(NOW - HOUR / 2), verified: false };
        assert_eq!(sure(case(told)), Some(Confidence::Likely));
        let just = Life::Running { since: Some(NOW - MINUTE), verified: true };
        assert_eq!(sure(case(just)), None, "it clears markers itself when it starts");
        for gateway in [BEFORE, Life::Running { since: None, verified: false }, Life::Unknown] {
            assert_eq!(sure(case(gateway)), None, "{gateway:?}");
        }
    }

    #[test]
    fn a_sign_of_life_counts_as_the_marker_does() {
        let alive = MarkerCase { last_sign: Some(NOW - 10 * MINUTE), ..case(SINCE) };
        assert_eq!(sure(alive), None, "it lived under the gateway that runs now");
        assert_eq!(sure(MarkerCase { last_sign: Some(NOW + 1), ..case(Life::Stopped) }), None);
        assert_eq!(sure(MarkerCase { held: true, ..case(Life::Stopped) }), None);
        assert_eq!(sure(MarkerCase { trusted: false, ..case(Life::Stopped) }), None);
        assert_eq!(
            sure(MarkerCase { last_sign: Some(NOW - 9 * HOUR), ..case(SINCE) }),
            Some(Confidence::Certain)
        );
    }

    #[test]
    fn a_finished_line_ends_the_run_whoever_lives() {
        for gateway in [BEFORE, Life::Unknown] {
            let told = MarkerCase { finished: line(NOW - 10 * MINUTE), ..case(gateway) };
            assert_eq!(sure(told), Some(Confidence::Certain));
            let just = MarkerCase { finished: line(NOW - MINUTE), ..case(gateway) };
            assert_eq!(sure(just), None, "the gateway is about to clear it");
        }
    }

    #[test]
    fn silence_is_waited_for_as_openclaw_waits_and_as_the_job_may() {
        let after = |hours: i64, timeout: Option<Millis>| MarkerCase {
            marker: Some(NOW - hours * HOUR - 1),
            timeout,
            ..case(Life::Running { since: Some(NOW - 99 * HOUR), verified: true })
        };
        assert_eq!(sure(after(1, Some(MINUTE))), None);
        assert_eq!(sure(after(2, Some(MINUTE))), Some(Confidence::Likely));
        assert_eq!(sure(after(3, Some(4 * HOUR))), None);
        assert_eq!(sure(after(30, None)), None, "it may take for ever");
        assert_eq!(sure(MarkerCase { unread: true, ..after(30, Some(MINUTE)) }), None);
    }

    #[test]
    fn a_boot_since_tells_only_where_nothing_else_does() {
        let booted = MarkerCase { booted: Some(NOW - MINUTE), ..case(Life::Unknown) };
        assert_eq!(sure(booted), Some(Confidence::Likely));
        assert_eq!(sure(MarkerCase { booted: Some(NOW - 2 * HOUR), ..booted }), None);
        assert_eq!(sure(MarkerCase { gateway: BEFORE, ..booted }), None);
    }

    #[test]
    fn what_is_no_past_time_in_milliseconds_is_only_told() {
        for marker in [None, Some(NOW + 1), Some(NOW / 1000), Some(0), Some(-5)] {
            assert_eq!(judge(&MarkerCase { marker, ..case(Life::Stopped) }), Judgement::Unusable);
        }
    }
}
