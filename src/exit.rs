//! The exit codes: a public contract, described for users in `docs/exit-codes.md`.

use std::process::ExitCode;

/// What the process tells its caller. 78 is never used: OpenClaw's units do not restart after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Exit {
    /// Nothing to do, or everything that was planned is done.
    Healthy = 0,
    /// There is something to change, or an error or a warning stands.
    Findings = 1,
    /// The command line makes no sense.
    Usage = 2,
    /// A store is damaged or gone while its traces remain.
    Damaged = 3,
    /// A lock is held, a gateway runs or may run, or the file changed meanwhile.
    Busy = 4,
    /// The brakes left nothing, or the directory was migrated.
    Refused = 5,
    /// Input or output failed.
    Io = 6,
    /// SIGINT.
    Interrupted = 130,
    /// SIGTERM.
    Terminated = 143,
}

impl Exit {
    /// The number the shell sees.
    pub fn code(self) -> u8 {
        self as u8
    }

    /// Of several stores, the worst: in the order 6, 5, 4, 3, 1, 0; usage and signals outrank all.
    #[must_use]
    pub fn worst(self, other: Exit) -> Exit {
        let rank = |exit: Exit| match exit {
            Exit::Healthy => 0,
            Exit::Findings => 1,
            Exit::Damaged => 2,
            Exit::Busy => 3,
            Exit::Refused => 4,
            Exit::Io => 5,
            Exit::Usage => 6,
            Exit::Interrupted | Exit::Terminated => 7,
        };
        if rank(other) > rank(self) { other } else { self }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn input_output_outranks_refusal_and_busy_and_damage() {
        let order = [Exit::Healthy, Exit::Findings, Exit::Damaged, Exit::Busy, Exit::Refused, Exit::Io];
        for pair in order.windows(2) {
            assert_eq!(pair[0].worst(pair[1]), pair[1]);
            assert_eq!(pair[1].worst(pair[0]), pair[1]);
        }
    }
}
