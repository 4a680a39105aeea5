//! What happens on the way goes to stderr: warnings always, the rest with `-v`, nothing but errors with `-q`.

use log::{LevelFilter, Log, Metadata, Record};

use crate::report::escape::Shown;

struct Stderr;

impl Log for Stderr {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with(env!("CARGO_CRATE_NAME"))
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            eprintln!("sessions-doctor: {}", Shown::new(&record.args().to_string()));
        }
    }

    fn flush(&self) {}
}

/// Starts telling. A second call, as in tests, changes the level only.
pub fn init(quiet: bool, verbose: bool) {
    // Whoever set another logger first wants that one.
    let _ = log::set_logger(&Stderr);
    log::set_max_level(match (quiet, verbose) {
        (true, _) => LevelFilter::Error,
        (_, true) => LevelFilter::Info,
        _ => LevelFilter::Warn,
    });
}
