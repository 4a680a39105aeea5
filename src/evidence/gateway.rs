//! The gateway's life, as far as verdicts and writes may rest on it.

use super::discover::Situation;
use crate::cli::args::GatewayArg;
use crate::host::{Gateway, GatewayQuery, Host, System, gateway};
use crate::model::Millis;
use crate::model::evidence::Life;
use crate::openclaw::config::DEFAULT_PORT;
use crate::report::model::GatewayReport;

/// A clock further away than this from the real one is somebody's what-if: the host's processes may then
/// protect, and never condemn.
const NEAR: Millis = 60_000;

/// Whether verdicts are made by the real clock, or near enough.
pub fn is_real_clock(now: Millis, host: &Host) -> bool {
    (now - host.now_ms).abs() <= NEAR
}

/// What is held of the gateway.
#[derive(Clone, Debug)]
pub struct GatewayEvidence {
    /// For verdicts.
    pub life: Life,
    /// What the look found.
    pub seen: Gateway,
    /// Whether a gateway of this directory was seen alive: believed against every option.
    pub seen_alive: bool,
    /// Whether a write may rest on its being stopped.
    pub stopped: bool,
    /// What the option says, in place of the look.
    said: Option<bool>,
    /// What was typed.
    arg: GatewayArg,
}

/// Looks, and weighs what was found against what `--gateway` says.
pub fn weigh(
    situation: &Situation,
    host: &Host,
    system: &dyn System,
    arg: GatewayArg,
    now: Millis,
) -> GatewayEvidence {
    let seen = look(situation, host, system);
    let seen_alive = seen.running == Some(true);
    let real = is_real_clock(now, host);
    let looked_stopped = seen.running == Some(false) && seen.established && real;
    let said = match arg {
        GatewayArg::Running => Some(true),
        GatewayArg::Stopped => Some(false),
        GatewayArg::Auto | GatewayArg::Unknown => None,
    };
    let life = match arg {
        _ if seen_alive => Life::Running {
            since: seen.started_at.filter(|_| real),
            verified: seen.start_time_verified && real,
        },
        GatewayArg::Stopped => Life::Stopped,
        GatewayArg::Running => Life::Running { since: None, verified: false },
        GatewayArg::Auto if looked_stopped => Life::Stopped,
        GatewayArg::Auto | GatewayArg::Unknown => Life::Unknown,
    };
    GatewayEvidence { stopped: life == Life::Stopped, life, seen, seen_alive, said, arg }
}

/// One look for a gateway of this state directory.
pub fn look(situation: &Situation, host: &Host, system: &dyn System) -> Gateway {
    let configured = situation.config.gateway_port.unwrap_or(DEFAULT_PORT);
    let from_env = host.var("OPENCLAW_GATEWAY_PORT").and_then(|port| port.trim().parse().ok());
    let query = GatewayQuery {
        state_dir: situation.state_dir.clone(),
        config_paths: situation.config_candidates.clone(),
        port: if situation.config_error.is_some() { None } else { Some(from_env.unwrap_or(configured)) },
    };
    gateway::look(&query, host, system)
}

impl GatewayEvidence {
    /// For the report.
    pub fn report(&self) -> GatewayReport {
        let running = match self.life {
            Life::Stopped => Some(false),
            Life::Running { .. } => Some(true),
            Life::Unknown => None,
        };
        let mut evidence = Vec::new();
        if let (Some(said), false) = (self.said, self.seen_alive) {
            let word = if said { "running" } else { "stopped" };
            evidence.push(format!("--gateway {word} was given"));
        }
        if self.arg == GatewayArg::Unknown {
            evidence.push("--gateway unknown was given".to_owned());
        }
        evidence.extend(self.seen.evidence.iter().cloned());
        GatewayReport {
            running,
            pid: self.seen.pid,
            started_at: self.seen.started_at,
            version: self.seen.version.clone(),
            evidence,
        }
    }
}
