//! Rules for cron jobs: markers of runs that nobody runs any more, and jobs that run away.

pub mod runaway_job;
pub mod stuck_marker;
