//! Plain values, passed from stage to stage. Nothing here opens a file, reads a clock or prints.

pub mod caches;
pub mod cron;
pub mod entries;
pub mod entry;
pub mod evidence;
pub mod hashes;
pub mod key;
pub mod leftover;
pub mod pieces;
pub mod plan;
pub mod policy;
pub mod problem;
pub mod runs;
pub mod slots;
pub mod store;
pub mod style;
pub mod texts;
pub mod verdict;
pub mod white;

/// Milliseconds since the Unix epoch, as OpenClaw writes them.
pub type Millis = i64;

/// A span of time in its two largest units: `2 d 3 h`, `25 min`, `41 s`. Negative spans count as none.
pub fn span_text(ms: Millis) -> String {
    let seconds = ms.max(0) / 1000;
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{} s", seconds),
        (0, 0, _) => format!("{minutes} min"),
        (0, _, 0) => format!("{hours} h"),
        (0, _, _) => format!("{hours} h {minutes} min"),
        (_, 0, _) => format!("{days} d"),
        _ => format!("{days} d {hours} h"),
    }
}
