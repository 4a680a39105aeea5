//! The six stores that every measurement of this project is made on, made once and kept.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::{Options, Shape, Transcripts, generate};

/// One of the six.
pub struct Store {
    /// `a` to `f`.
    pub name: &'static str,
    /// What it is.
    pub title: &'static str,
    entries: u64,
    entry_bytes: u64,
    indent: usize,
    non_ascii: f64,
    transcripts: Transcripts,
}

const A: Store = Store {
    name: "a",
    title: "185 MB, 6,539 entries of 28 KB, indented: the reported store",
    entries: 6_539,
    entry_bytes: 28_292,
    indent: 2,
    non_ascii: 0.0,
    transcripts: Transcripts::Some,
};

/// All of them.
pub const STORES: [Store; 6] = [
    A,
    Store {
        name: "b",
        title: "0.99 GB, 35,000 entries of 28 KB",
        entries: 35_000,
        transcripts: Transcripts::None,
        ..A
    },
    Store {
        name: "c",
        title: "3.96 GB, 140,000 entries of 28 KB",
        entries: 140_000,
        transcripts: Transcripts::None,
        ..A
    },
    Store {
        name: "d",
        title: "206 MB, 334,538 entries of 616 bytes",
        entries: 334_538,
        entry_bytes: 616,
        transcripts: Transcripts::None,
        ..A
    },
    Store {
        name: "e",
        title: "143 MB, a without white space",
        entry_bytes: 21_824,
        indent: 0,
        transcripts: Transcripts::None,
        ..A
    },
    Store {
        name: "f",
        title: "185 MB, a with 36 % of its bytes outside ASCII",
        non_ascii: 0.9,
        transcripts: Transcripts::None,
        ..A
    },
];

impl Store {
    /// The number of its entries.
    pub fn entries(&self) -> u64 {
        self.entries
    }

    /// The state directory below `directory`, made where it is missing.
    ///
    /// # Errors
    ///
    /// Where it cannot be written.
    pub fn state_in(&self, directory: &Path) -> io::Result<PathBuf> {
        let out = directory.join(self.name);
        if !out.join("summary.json").exists() {
            // What an interrupted run left has no sums yet.
            if out.exists() {
                fs::remove_dir_all(&out)?;
            }
            let options = Options {
                entries: Some(self.entries),
                entry_bytes: self.entry_bytes,
                indent: self.indent,
                non_ascii: self.non_ascii,
                transcripts: self.transcripts,
                ..Options::new(Shape::Issue61633)
            };
            generate(&out, &options)?;
        }
        Ok(out.join("state"))
    }

    /// The store file below `directory`, made where it is missing.
    ///
    /// # Errors
    ///
    /// Where it cannot be written.
    pub fn file_in(&self, directory: &Path) -> io::Result<PathBuf> {
        Ok(self.state_in(directory)?.join("agents/main/sessions/sessions.json"))
    }
}
