//! The page that is written to: indentation, gaps, wrapped text and tables of a given width.

use std::fmt::{Display, Write as _};
use std::io::{self, Write};

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use unicode_width::UnicodeWidthStr;

use crate::report::style::{Role, Style};

/// A page of text under construction.
pub(super) struct Page<'a> {
    out: &'a mut dyn Write,
    style: Style,
    /// Whether anything stands on the page yet.
    begun: bool,
    /// Whether an empty line is due before the next one.
    gap: bool,
}

impl<'a> Page<'a> {
    pub(super) fn new(out: &'a mut dyn Write, style: Style) -> Self {
        Self { out, style, begun: false, gap: false }
    }

    pub(super) fn style(&self) -> Style {
        self.style
    }

    /// One line. Blanks at its end are cut.
    pub(super) fn line(&mut self, indent: usize, text: impl Display) -> io::Result<()> {
        if std::mem::take(&mut self.gap) && self.begun {
            writeln!(self.out)?;
        }
        self.begun = true;
        let text = text.to_string();
        writeln!(self.out, "{:indent$}{}", "", text.trim_end())
    }

    /// A line that names what follows.
    pub(super) fn title(&mut self, indent: usize, text: impl Display) -> io::Result<()> {
        let text = self.style.paint(Role::Title, text.to_string()).to_string();
        self.line(indent, text)
    }

    /// An empty line before the next one; never the first, the last or a second one.
    pub(super) fn gap(&mut self) {
        self.gap = true;
    }

    /// Text of any length after a label; further lines stand below the first word.
    pub(super) fn wrapped(
        &mut self,
        indent: usize,
        label: &str,
        role: Option<Role>,
        text: &dyn Display,
    ) -> io::Result<()> {
        let hang = label.width();
        let room = self.style.width().saturating_sub(indent + hang).max(20);
        for (index, line) in wrap(&text.to_string(), room).into_iter().enumerate() {
            let mut whole = if index == 0 { label.to_owned() } else { " ".repeat(hang) };
            let _ = match role {
                Some(role) => write!(whole, "{}", self.style.paint(role, line)),
                None => write!(whole, "{line}"),
            };
            self.line(indent, whole)?;
        }
        Ok(())
    }

    /// A table whose columns named in `right` hold numbers. Cells are wrapped where the page is too narrow.
    pub(super) fn table(
        &mut self,
        indent: usize,
        header: &[&str],
        rows: Vec<Vec<String>>,
        right: &[usize],
    ) -> io::Result<()> {
        let mut table = Table::new();
        table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
        table.force_no_tty().set_header(header.to_vec()).add_rows(rows);
        let width = self.style.width().saturating_sub(indent) + 2; // the last column's padding may stand out
        table.set_width(u16::try_from(width).unwrap_or(u16::MAX));
        for (index, column) in table.column_iter_mut().enumerate() {
            column.set_padding((0, 2));
            if right.contains(&index) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        for (index, line) in table.lines().enumerate() {
            let line = line.trim_end();
            match index {
                0 => self.line(indent, self.style.paint(Role::Dim, line))?,
                _ => self.line(indent, line)?,
            }
        }
        Ok(())
    }

    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Breaks text at blanks into lines of at most `room` columns; a longer word keeps a line of its own.
fn wrap(text: &str, room: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split(' ') {
        if !line.is_empty() && line.width() + 1 + word.width() > room {
            let rest = if is_unit(word) { number_at_end(&mut line) } else { String::new() };
            lines.push(std::mem::replace(&mut line, rest));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines.push(line);
    lines
}

/// Whether a word belongs to the number before it.
fn is_unit(word: &str) -> bool {
    let word = word.trim_end_matches([',', '.', ';', ':', ')']);
    matches!(word, "%" | "B" | "kB" | "MB" | "GB" | "TB" | "ms" | "s" | "min" | "h" | "d")
}

/// Cuts the last word off a line where it is a number and not all of the line.
fn number_at_end(line: &mut String) -> String {
    match line.rsplit_once(' ') {
        Some((before, last)) if last.ends_with(|c: char| c.is_ascii_digit()) => {
            let (cut, last) = (before.len(), last.to_owned());
            line.truncate(cut);
            last
        }
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_and_its_unit_stay_together() {
        assert_eq!(wrap("left in 412 kB, 99.8 % less", 12), ["left in", "412 kB,", "99.8 % less"]);
        assert_eq!(wrap("412 kB", 4), ["412", "kB"]);
    }

    #[test]
    fn text_is_broken_at_blanks_and_long_words_stay_whole() {
        assert_eq!(wrap("a bb ccc dddd", 6), ["a bb", "ccc", "dddd"]);
        assert_eq!(wrap("aaaaaaaaaa b", 4), ["aaaaaaaaaa", "b"]);
        assert_eq!(wrap("", 4), [""]);
    }

    #[test]
    fn a_gap_is_never_first_last_or_double() {
        let mut out = Vec::new();
        let mut page = Page::new(&mut out, Style::plain());
        page.gap();
        page.line(2, "x  ").expect("a line");
        page.gap();
        page.gap();
        page.line(0, "y").expect("a line");
        page.gap();
        assert_eq!(out, b"  x\n\ny\n");
    }
}
