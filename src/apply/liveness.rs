//! Whether the process that wrote a lock still lives: its pid, and the time it started.
//!
//! A pid alone proves nothing, the kernel gives it out again. What cannot be seen counts as alive.

use std::fs;
use std::io;

/// What can be said of a pid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Life {
    /// No such process, or a zombie that only waits to be reaped.
    Dead,
    /// It exists.
    Alive {
        /// Clock ticks between boot and its start; `None` where the system hides them.
        start_ticks: Option<u64>,
    },
}

/// Looks a pid up; replaced in tests.
pub trait Liveness {
    /// What can be said of `pid`.
    fn look(&self, pid: u32) -> Life;
}

/// Linux: field 22 of `/proc/<pid>/stat`.
#[derive(Clone, Copy, Debug, Default)]
pub struct ProcLiveness;

impl Liveness for ProcLiveness {
    fn look(&self, pid: u32) -> Life {
        match fs::read(format!("/proc/{pid}/stat")) {
            Ok(stat) => life_in_stat(&stat).unwrap_or(Life::Alive { start_ticks: None }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => ask_the_kernel(pid),
            Err(_) => Life::Alive { start_ticks: None },
        }
    }
}

/// The command name in parentheses may itself hold blanks and parentheses, so the fields are counted from
/// the last one. `None` when the line is not as expected.
fn life_in_stat(stat: &[u8]) -> Option<Life> {
    let close = stat.iter().rposition(|&byte| byte == b')')?;
    let rest = std::str::from_utf8(&stat[close + 1..]).ok()?;
    let mut fields = rest.split_ascii_whitespace();
    if matches!(fields.next()?, "Z" | "X") {
        return Some(Life::Dead);
    }
    // The state was field 3, so field 22 is the 19th after it.
    let start_ticks = fields.nth(18)?.parse().ok()?;
    Some(Life::Alive { start_ticks: Some(start_ticks) })
}

/// With `hidepid`, or without `/proc`, a process may live that has no directory there.
fn ask_the_kernel(pid: u32) -> Life {
    let known = i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw);
    match known.map(rustix::process::test_kill_process) {
        None | Some(Err(rustix::io::Errno::SRCH)) => Life::Dead,
        Some(_) => Life::Alive { start_ticks: None },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_counted_from_the_last_parenthesis() {
        let tail = "1 1 1 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 4711 22 33";
        let stat = format!("42 (a) R (b) S {tail}");
        assert_eq!(life_in_stat(stat.as_bytes()), Some(Life::Alive { start_ticks: Some(4711) }));
        let zombie = format!("42 (x) Z {tail}");
        assert_eq!(life_in_stat(zombie.as_bytes()), Some(Life::Dead));
        assert_eq!(life_in_stat(b"42 (x) S 1 2"), None);
    }

    #[test]
    fn this_process_lives_and_an_impossible_pid_does_not() {
        assert!(matches!(ProcLiveness.look(std::process::id()), Life::Alive { start_ticks: Some(_) }));
        assert_eq!(ProcLiveness.look(u32::MAX), Life::Dead);
        assert_eq!(ProcLiveness.look(4_194_305), Life::Dead);
    }
}
