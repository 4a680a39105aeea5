//! The problems as one JSON object: the frame, `files` with one problem a line, and what is known at the end.

use std::io::{self, Write};

use super::model::{Closing, FileRow, Frame, Problems, Speaker};

/// Writes the object bit by bit.
#[derive(Debug, Default)]
pub struct Json {
    files: u64,
}

impl Speaker for Json {
    fn begin(&mut self, out: &mut dyn Write, frame: &Frame) -> io::Result<()> {
        out.write_all(open(frame)?.as_bytes())?;
        out.write_all(b",\n  \"files\": [")
    }

    fn file(&mut self, out: &mut dyn Write, row: &FileRow, problems: &mut dyn Problems) -> io::Result<()> {
        let text = open(row)?.replace('\n', "\n    ");
        out.write_all(if self.files == 0 { b"\n    " } else { b",\n    " })?;
        self.files += 1;
        write!(out, "{text},\n      \"problems\": [")?;
        let mut any = false;
        problems.for_each(&mut |problem| {
            out.write_all(if any { b",\n        " } else { b"\n        " })?;
            any = true;
            Ok(serde_json::to_writer(&mut *out, problem)?)
        })?;
        out.write_all(if any { b"\n      ]\n    }" } else { b"]\n    }" })
    }

    fn end(&mut self, out: &mut dyn Write, closing: &Closing) -> io::Result<()> {
        out.write_all(if self.files == 0 { b"]" } else { b"\n  ]" })?;
        let text = serde_json::to_string_pretty(closing)?;
        writeln!(out, ",{}", text.trim_start_matches('{'))
    }
}

/// A pretty object without its closing brace. A raw line feed is always layout: inside a string it is escaped.
fn open(value: &impl serde::Serialize) -> io::Result<String> {
    let text = serde_json::to_string_pretty(value)?;
    Ok(text.strip_suffix("\n}").unwrap_or(&text).to_owned())
}
