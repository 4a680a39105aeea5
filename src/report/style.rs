//! Colours, and how wide the page is: decided once by the caller, carried as a value.
//!
//! Colour only repeats what the words already say, so that a log, a pipe or a screen reader loses nothing.

use std::fmt::{self, Display, Formatter};

use anstyle::{AnsiColor, Style as Ansi};

/// What a stretch of text is, which decides its colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// All is well.
    Good,
    /// Worth acting on.
    Warn,
    /// Wrong.
    Bad,
    /// The name of a section or a store.
    Title,
    /// Beside the point.
    Dim,
    /// Something to type.
    Command,
}

impl Role {
    fn ansi(self) -> Ansi {
        match self {
            Role::Good => AnsiColor::Green.on_default(),
            Role::Warn => AnsiColor::Yellow.on_default(),
            Role::Bad => AnsiColor::Red.on_default().bold(),
            Role::Title => Ansi::new().bold(),
            Role::Dim => Ansi::new().dimmed(),
            Role::Command => AnsiColor::Cyan.on_default(),
        }
    }
}

/// Whether there is colour, and how many columns there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// Whether escape sequences are written. Terminal, `--color` and `NO_COLOR` are the caller's to weigh.
    pub color: bool,
    /// Columns that a line may take; 80 to 100 whatever is asked for.
    width: usize,
}

impl Style {
    /// The least width that tables are made for.
    pub const NARROW: usize = 80;
    /// The greatest: longer lines are hard to read.
    pub const WIDE: usize = 100;

    /// A style for a page of `columns` (`None`: no terminal, so the full width).
    pub fn new(color: bool, columns: Option<usize>) -> Self {
        Self { color, width: columns.unwrap_or(Self::WIDE).clamp(Self::NARROW, Self::WIDE) }
    }

    /// No colour, full width: for files, pipes and tests.
    pub fn plain() -> Self {
        Self::new(false, None)
    }

    /// Columns that a line may take.
    pub fn width(self) -> usize {
        self.width
    }

    /// `text` in the colour of `role`.
    pub fn paint<T: Display>(self, role: Role, text: T) -> Painted<T> {
        Painted { ansi: self.color.then(|| role.ansi()), text }
    }
}

/// Text with its colour, or without where there is none.
#[derive(Clone, Copy, Debug)]
pub struct Painted<T> {
    ansi: Option<Ansi>,
    text: T,
}

impl<T: Display> Display for Painted<T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.ansi {
            None => self.text.fmt(f),
            Some(ansi) => {
                write!(f, "{}", ansi.render())?;
                self.text.fmt(f)?;
                write!(f, "{}", ansi.render_reset())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colour_is_written_only_where_it_was_asked_for() {
        assert_eq!(Style::plain().paint(Role::Bad, "x").to_string(), "x");
        let painted = Style::new(true, None).paint(Role::Bad, format_args!("{:>3}", "x")).to_string();
        assert_eq!(painted, "\x1b[1m\x1b[31m  x\x1b[0m");
    }

    #[test]
    fn the_width_stays_between_eighty_and_a_hundred() {
        assert_eq!(Style::new(false, Some(40)).width(), 80);
        assert_eq!(Style::new(false, Some(93)).width(), 93);
        assert_eq!(Style::new(false, Some(300)).width(), 100);
    }
}
