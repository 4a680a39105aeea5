//! Ctrl-C and SIGTERM as a flag that is looked at where stopping is safe: between two buffers of the
//! temporary file and while waiting for a lock. Not once the rename has begun. A time that has run out counts as well.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use signal_hook::consts::{SIGINT, SIGTERM};

use super::error::ApplyError;
use crate::exit::Exit;

/// How often a sleeper looks at the flag.
const SLICE: Duration = Duration::from_millis(50);

/// Whether, and by which signal, the process was asked to stop. Clones share the flag.
#[derive(Clone, Debug, Default)]
pub struct Cancel {
    signal: Arc<AtomicUsize>,
    deadline: Option<Instant>,
}

impl Cancel {
    /// A flag that nobody has set.
    pub fn new() -> Self {
        Self::default()
    }

    /// A flag that SIGINT and SIGTERM set from now on, instead of ending the process.
    pub fn on_signals() -> io::Result<Self> {
        let cancel = Cancel::new();
        for signal in [SIGINT, SIGTERM] {
            signal_hook::flag::register_usize(signal, Arc::clone(&cancel.signal), signal as usize)?;
        }
        Ok(cancel)
    }

    /// Sets the flag as a signal would; `exit` is [`Exit::Interrupted`] or [`Exit::Terminated`].
    pub fn request(&self, exit: Exit) {
        let signal = if exit == Exit::Terminated { SIGTERM } else { SIGINT };
        self.signal.store(signal as usize, Ordering::SeqCst);
    }

    /// The same flag, which from `deadline` on counts as set.
    pub fn until(&self, deadline: Instant) -> Self {
        Cancel { signal: Arc::clone(&self.signal), deadline: Some(deadline) }
    }

    /// Whether the time has run out.
    pub fn is_late(&self) -> bool {
        self.deadline.is_some_and(|deadline| Instant::now() >= deadline)
    }

    /// The exit code of the signal that came, if one did; [`Exit::Busy`] where the time has run out.
    pub fn requested(&self) -> Option<Exit> {
        match self.signal.load(Ordering::SeqCst) as i32 {
            0 => self.is_late().then_some(Exit::Busy),
            SIGTERM => Some(Exit::Terminated),
            _ => Some(Exit::Interrupted),
        }
    }

    /// An error once a signal came.
    pub fn check(&self) -> Result<(), ApplyError> {
        self.requested().map_or(Ok(()), |exit| Err(ApplyError::Interrupted(exit)))
    }

    /// Sleeps, but not on after a signal.
    pub fn sleep(&self, span: Duration) -> Result<(), ApplyError> {
        let until = Instant::now() + span;
        loop {
            self.check()?;
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            std::thread::sleep(left.min(SLICE));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clone_sees_the_signal_and_a_sleeper_wakes() {
        let cancel = Cancel::new();
        let sleeper = cancel.clone();
        let slept = std::thread::spawn(move || sleeper.sleep(Duration::from_secs(60)));
        cancel.request(Exit::Terminated);
        assert!(matches!(slept.join().unwrap(), Err(ApplyError::Interrupted(Exit::Terminated))));
        assert_eq!(cancel.requested(), Some(Exit::Terminated));
    }

    #[test]
    fn time_that_runs_out_stops_as_a_signal_does_and_a_signal_outranks_it() {
        let cancel = Cancel::new();
        let limited = cancel.until(Instant::now() + Duration::from_millis(60));
        assert_eq!((limited.requested(), limited.is_late()), (None, false));
        assert!(matches!(limited.sleep(Duration::from_secs(60)), Err(ApplyError::Interrupted(Exit::Busy))));
        assert!(limited.is_late() && cancel.requested().is_none());
        cancel.request(Exit::Interrupted);
        assert_eq!(limited.requested(), Some(Exit::Interrupted));
    }
}
