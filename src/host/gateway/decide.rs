//! From facts to an answer; pure.

use super::{Belongs, Facts, Gateway, Life, Seen};
use crate::host::PortState;

/// Makes an answer of the facts.
pub fn decide(facts: &Facts) -> Gateway {
    let (seen, proofs) = seen_alive(facts);
    if !seen.is_empty() {
        return running(&seen, proofs);
    }
    let mut doubts = facts.place_doubts.clone();
    doubts.extend(lock_doubts(facts));
    doubts.extend(port_doubts(facts));
    doubts.extend(facts.process_doubts.iter().cloned());
    doubts.extend(process_doubts(facts));
    if !doubts.is_empty() {
        return Gateway { evidence: doubts, ..Gateway::default() };
    }
    Gateway { running: Some(false), established: true, evidence: all_clear(facts), ..Gateway::default() }
}

fn running(seen: &[Seen], evidence: Vec<String>) -> Gateway {
    let started_at = seen.iter().filter_map(|one| one.started_at).min();
    Gateway {
        running: Some(true),
        pid: seen.first().map(|one| one.pid),
        started_at,
        start_time_verified: started_at.is_some(),
        evidence,
        ..Gateway::default()
    }
}

/// Every proof of life of this gateway, locks first.
fn seen_alive(facts: &Facts) -> (Vec<Seen>, Vec<String>) {
    let locks = facts.locks.iter().filter(|lock| lock.ours).filter_map(|lock| match &lock.life {
        Life::Alive(seen) => Some((*seen, format!("process {} holds {}", seen.pid, lock.path.display()))),
        _ => None,
    });
    let processes = facts.processes.iter().filter(|process| process.belongs == Belongs::Ours);
    let processes = processes.map(|process| {
        (process.seen, format!("process {} is a gateway of this state directory", process.seen.pid))
    });
    locks.chain(processes).unzip()
}

fn lock_doubts(facts: &Facts) -> Vec<String> {
    let locks = facts.locks.iter().filter_map(|lock| match &lock.life {
        Life::Alive(seen) => {
            Some(format!("process {} holds another gateway lock, {}", seen.pid, lock.path.display()))
        }
        Life::Unknown(why) => Some(format!("{}: {why}", lock.path.display())),
        Life::Dead => None,
    });
    locks.chain(facts.unreadable_lock_dirs.iter().cloned()).collect()
}

fn process_doubts(facts: &Facts) -> Vec<String> {
    let unknown = facts.processes.iter().filter_map(|process| match &process.belongs {
        Belongs::Unknown(why) => {
            Some(format!("process {} is a gateway, but whose cannot be told: {why}", process.seen.pid))
        }
        Belongs::Ours | Belongs::Other(_) => None,
    });
    unknown.collect()
}

fn port_doubts(facts: &Facts) -> Vec<String> {
    let Some((port, answers)) = &facts.port else {
        return vec!["the port of the gateway is not known".to_owned()];
    };
    let mut doubts: Vec<String> = answers
        .iter()
        .filter_map(|(address, state)| match state {
            PortState::Refused => None,
            PortState::Unavailable if address.is_ipv6() => None,
            PortState::Accepting => Some(format!("somebody listens at port {port} of {address}")),
            PortState::Unavailable | PortState::Silent => {
                Some(format!("port {port} of {address} gives no answer"))
            }
        })
        .collect();
    if !answers.iter().any(|(address, _)| address.is_ipv4()) {
        doubts.push(format!("nobody knocked at port {port}"));
    }
    doubts
}

fn all_clear(facts: &Facts) -> Vec<String> {
    let mut evidence = vec![format!("no living owner in {} gateway locks", facts.locks.len())];
    if let Some((port, _)) = facts.port {
        evidence.push(format!("port {port} is refused"));
    }
    evidence
        .push("all processes of this host were seen, none is a gateway of this state directory".to_owned());
    let others = facts.processes.iter().filter_map(|process| match &process.belongs {
        Belongs::Other(dir) => {
            Some(format!("process {} is a gateway of {}", process.seen.pid, dir.display()))
        }
        _ => None,
    });
    evidence.extend(others);
    evidence
}
