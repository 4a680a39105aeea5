//! A progress bar on stderr for work that takes longer than a second; nothing before, nothing after.
//!
//! Where stderr is no terminal nothing is drawn, so logs and journals stay quiet; with `always` such a
//! stream gets a plain line now and then instead of a moving bar. [`Task::advance`] is an addition and a
//! look at the clock: cheap enough to be called once per window of the scan, from any thread.

use std::fmt;
use std::io::{self, Write};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use crate::report::format::{Share, Size};

/// How long work may take before anything is drawn.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often a stream that is no terminal gets a line.
const LINE_EVERY: Duration = Duration::from_secs(5);

/// A bar whose end is known.
const KNOWN: &str = "{prefix}  {wide_bar:.cyan/dim}  {done} of {all}  {rate}";
/// A bar whose end is not.
const UNKNOWN: &str = "{prefix}  {spinner}  {done}  {rate}";

/// What `--progress` says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// A bar where stderr is a terminal.
    #[default]
    Auto,
    /// A bar there, and plain lines elsewhere.
    Always,
    /// Nothing.
    Never,
}

/// How progress is shown, settled once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Look {
    Nothing,
    Bar,
    Lines,
}

/// Shows how far the work of a run has come.
#[derive(Clone, Debug)]
pub struct Progress {
    look: Look,
    began: Instant,
}

impl Progress {
    /// Settles how progress is shown; `is_terminal` is about stderr.
    pub fn new(mode: Mode, is_terminal: bool) -> Self {
        let look = match (mode, is_terminal) {
            (Mode::Never, _) | (Mode::Auto, false) => Look::Nothing,
            (Mode::Auto | Mode::Always, true) => Look::Bar,
            (Mode::Always, false) => Look::Lines,
        };
        Self { look, began: Instant::now() }
    }

    /// Progress that shows nothing.
    pub fn silent() -> Self {
        Self::new(Mode::Never, false)
    }

    /// Starts a phase of `total` bytes; 0 where that is not known. It ends when the task is dropped.
    #[must_use = "the phase ends when the task is dropped"]
    pub fn start(&self, phase: &str, total: u64) -> Task {
        Task {
            look: self.look,
            began: Instant::now(),
            due: self.began + PATIENCE,
            phase: phase.to_owned(),
            total,
            done: AtomicU64::new(0),
            bar: OnceLock::new(),
            lines: AtomicU64::new(0),
        }
    }
}

/// One phase under way.
#[derive(Debug)]
pub struct Task {
    look: Look,
    began: Instant,
    due: Instant,
    phase: String,
    total: u64,
    done: AtomicU64,
    bar: OnceLock<ProgressBar>,
    lines: AtomicU64,
}

impl Task {
    /// Says that `bytes` more are done.
    pub fn advance(&self, bytes: u64) {
        if self.look == Look::Nothing {
            return;
        }
        let done = self.done.fetch_add(bytes, Ordering::Relaxed) + bytes;
        let Some(late) = Instant::now().checked_duration_since(self.due) else { return };
        match self.look {
            Look::Bar => self.bar.get_or_init(|| self.new_bar()).set_position(done),
            _ => self.line(late, done, &mut io::stderr()),
        }
    }

    /// How many bytes were said to be done.
    pub fn done(&self) -> u64 {
        self.done.load(Ordering::Relaxed)
    }

    fn new_bar(&self) -> ProgressBar {
        let target = ProgressDrawTarget::stderr_with_hz(10);
        let bar = ProgressBar::with_draw_target((self.total > 0).then_some(self.total), target);
        bar.set_style(bar_style(if self.total > 0 { KNOWN } else { UNKNOWN }));
        bar.set_prefix(self.phase.clone());
        bar.with_elapsed(self.began.elapsed())
    }

    /// A plain line, the first when the patience is over and one more every few seconds.
    fn line(&self, late: Duration, done: u64, out: &mut dyn Write) {
        let slot = late.as_secs() / LINE_EVERY.as_secs() + 1;
        if self.lines.fetch_max(slot, Ordering::Relaxed) >= slot {
            return;
        }
        // Progress is a courtesy: a closed stderr must not stop the work.
        let _ = match self.total {
            0 => writeln!(out, "{}: {}", self.phase, Size(done)),
            total => {
                writeln!(out, "{}: {} of {} ({})", self.phase, Size(done), Size(total), Share(done, total))
            }
        };
    }
}

/// Sizes as everywhere in this tool, and the rate of the whole phase: the bar comes late, so that the rate
/// since its first drawing would be far too high.
fn bar_style(template: &str) -> ProgressStyle {
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    style
        .with_key("done", |state: &ProgressState, out: &mut dyn fmt::Write| {
            let _ = write!(out, "{}", Size(state.pos()));
        })
        .with_key("all", |state: &ProgressState, out: &mut dyn fmt::Write| {
            let _ = write!(out, "{}", Size(state.len().unwrap_or(0)));
        })
        .with_key("rate", |state: &ProgressState, out: &mut dyn fmt::Write| {
            let _ = write!(
                out,
                "{}/s",
                Size((state.pos() as f64 / state.elapsed().as_secs_f64().max(0.001)) as u64)
            );
        })
}

impl Drop for Task {
    fn drop(&mut self) {
        if let Some(bar) = self.bar.get() {
            bar.finish_and_clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_look_follows_mode_and_terminal() {
        let look = |mode, terminal| Progress::new(mode, terminal).look;
        assert_eq!(look(Mode::Auto, true), Look::Bar);
        assert_eq!(look(Mode::Auto, false), Look::Nothing);
        assert_eq!(look(Mode::Always, false), Look::Lines);
        assert_eq!(look(Mode::Never, true), Look::Nothing);
    }

    #[test]
    fn the_templates_are_well_formed() {
        assert!(ProgressStyle::with_template(KNOWN).is_ok() && ProgressStyle::with_template(UNKNOWN).is_ok());
    }

    #[test]
    fn nothing_is_drawn_in_the_first_second() {
        let progress = Progress::new(Mode::Always, true);
        let task = progress.start("Reading", 100);
        task.advance(40);
        task.advance(10);
        assert_eq!(task.done(), 50);
        assert!(task.bar.get().is_none());
    }

    #[test]
    fn after_a_second_there_is_a_bar_with_the_whole_position() {
        let mut progress = Progress::new(Mode::Auto, true);
        progress.began -= PATIENCE * 2;
        let task = progress.start("Reading", 100);
        task.advance(40);
        task.advance(20);
        let bar = task.bar.get().expect("a bar");
        assert_eq!((bar.position(), bar.length()), (60, Some(100)));
    }

    #[test]
    fn lines_come_seldom_and_say_how_far() {
        let task = Progress::new(Mode::Always, false).start("Reading", 200_000_000);
        let mut out = Vec::new();
        for (seconds, done) in [(0, 1_000_000), (1, 2_000_000), (5, 100_000_000), (6, 120_000_000)] {
            task.line(Duration::from_secs(seconds), done, &mut out);
        }
        let text = String::from_utf8(out).expect("text");
        assert_eq!(text, "Reading: 1.00 MB of 200 MB (<1 %)\nReading: 100 MB of 200 MB (50 %)\n");
    }
}
