//! The source of the crate as data: comments and the insides of strings blanked, test code left out.

#![allow(dead_code, reason = "every test binary that includes this uses a part of it")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// A file of `src/` without comments, texts and test code.
pub struct SourceFile {
    /// From `src/` on, with slashes: `scan/source.rs`.
    pub path: String,
    /// As it was written.
    pub written: String,
    /// Blanked; every line is where it was.
    pub code: String,
}

impl SourceFile {
    /// The room: the directory right below `src/`, or the file's own name.
    pub fn room(&self) -> &str {
        self.path.split('/').next().unwrap_or_default().trim_end_matches(".rs")
    }

    /// `src/file.rs:12: the line` of every line of code that has one of `needles`.
    pub fn hits(&self, needles: &[&str]) -> Vec<String> {
        let lines = self.code.lines().zip(self.written.lines()).enumerate();
        lines
            .filter(|(_, (code, _))| needles.iter().any(|needle| has_word(code, needle)))
            .map(|(at, (_, written))| format!("src/{}:{}: {}", self.path, at + 1, written.trim()))
            .collect()
    }
}

/// Whether `needle` stands in `code` without a letter right before it, so `fs::` is not found in `dfs::`.
fn has_word(code: &str, needle: &str) -> bool {
    code.match_indices(needle).any(|(at, _)| {
        let before = code[..at].chars().next_back();
        !before.is_some_and(|char| char.is_alphanumeric() || char == '_')
    })
}

/// All files of `src/` that are not test code alone, by path.
pub fn sources() -> Vec<SourceFile> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = Vec::new();
    collect(&root, &mut paths);
    let mut files = Vec::new();
    let mut tests = BTreeSet::new();
    for path in paths {
        let written = fs::read_to_string(&path).expect("a source file");
        let (code, modules) = without_tests(&blank(&written));
        let own = path.with_extension("");
        let dir = if matches!(path.file_name().and_then(|name| name.to_str()), Some("mod.rs" | "lib.rs")) {
            path.parent().expect("a directory").to_owned()
        } else {
            own
        };
        tests.extend(modules.iter().map(|module| dir.join(format!("{module}.rs"))));
        files.push((path, written, code));
    }
    let mut sources: Vec<SourceFile> = files
        .into_iter()
        .filter(|(path, ..)| !tests.contains(path))
        .map(|(path, written, code)| {
            let path = path.strip_prefix(&root).expect("below src").to_string_lossy().replace('\\', "/");
            SourceFile { path, written, code }
        })
        .collect();
    sources.sort_by(|a, b| a.path.cmp(&b.path));
    assert!(sources.len() > 80, "only {} source files were found", sources.len());
    sources
}

fn collect(dir: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).expect("a directory of sources") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            collect(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            into.push(path);
        }
    }
}

/// Blanks comments and the insides of strings and characters; line feeds stay.
pub fn blank(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < chars.len() {
        let end = match (chars[at], chars.get(at + 1)) {
            ('/', Some('/')) => line_comment(&chars, at),
            ('/', Some('*')) => block_comment(&chars, at),
            ('r', Some('"' | '#')) if !is_inside_word(&chars, at) => raw_string(&chars, at),
            ('"', _) => string(&chars, at),
            ('\'', _) => character(&chars, at),
            _ => at,
        };
        if end == at {
            out.push(chars[at]);
            at += 1;
        } else {
            out.extend(chars[at..end].iter().map(|&char| if char == '\n' { '\n' } else { ' ' }));
            at = end;
        }
    }
    out
}

fn is_inside_word(chars: &[char], at: usize) -> bool {
    let before = at.checked_sub(1).map(|before| chars[before]);
    before.is_some_and(|char| char.is_alphanumeric() && char != 'b' || char == '_')
}

fn line_comment(chars: &[char], at: usize) -> usize {
    (at..chars.len()).find(|&at| chars[at] == '\n').unwrap_or(chars.len())
}

fn block_comment(chars: &[char], at: usize) -> usize {
    let mut depth = 0;
    let mut at = at;
    while at < chars.len() {
        match (chars[at], chars.get(at + 1)) {
            ('/', Some('*')) => (depth, at) = (depth + 1, at + 1),
            ('*', Some('/')) if depth == 1 => return at + 2,
            ('*', Some('/')) => (depth, at) = (depth - 1, at + 1),
            _ => {}
        }
        at += 1;
    }
    at
}

fn raw_string(chars: &[char], start: usize) -> usize {
    let hashes = chars[start + 1..].iter().take_while(|&&char| char == '#').count();
    if chars.get(start + 1 + hashes) != Some(&'"') {
        return start;
    }
    let closes = |at: usize| {
        chars[at] == '"' && chars[at + 1..].iter().take(hashes).filter(|&&char| char == '#').count() == hashes
    };
    let open = start + 2 + hashes;
    (open..chars.len()).find(|&at| closes(at)).map_or(chars.len(), |at| at + 1 + hashes)
}

fn string(chars: &[char], start: usize) -> usize {
    let mut at = start + 1;
    while at < chars.len() {
        match chars[at] {
            '\\' => at += 1,
            '"' => return at + 1,
            _ => {}
        }
        at += 1;
    }
    at
}

/// A character, or nothing where the apostrophe begins a lifetime.
fn character(chars: &[char], at: usize) -> usize {
    match (chars.get(at + 1), chars.get(at + 2)) {
        (Some('\\'), _) => {
            (at + 3..chars.len()).find(|&at| chars[at] == '\'').map_or(chars.len(), |at| at + 1)
        }
        (Some(_), Some('\'')) => at + 3,
        _ => at,
    }
}

/// Blanks items under `#[cfg(test)]`; returns the names of whole modules that are test code in another file.
fn without_tests(code: &str) -> (String, Vec<String>) {
    const MARK: &str = "#[cfg(test)]";
    let mut out = code.to_owned();
    let mut modules = Vec::new();
    while let Some(start) = out.find(MARK) {
        let body = start + MARK.len();
        let stop = out[body..].find(['{', ';']).map_or(out.len(), |at| body + at);
        let end = if out[stop..].starts_with('{') { closing(&out, stop) } else { (stop + 1).min(out.len()) };
        if out[stop..].starts_with(';') {
            let name = out[body..stop].rsplit("mod ").next().unwrap_or_default();
            modules.push(name.trim().to_owned());
        }
        let blanked: String =
            out[start..end].chars().map(|char| if char == '\n' { '\n' } else { ' ' }).collect();
        out.replace_range(start..end, &blanked);
    }
    (out, modules)
}

fn closing(code: &str, open: usize) -> usize {
    let mut depth = 0;
    for (at, char) in code[open..].char_indices() {
        match char {
            '{' => depth += 1,
            '}' if depth == 1 => return open + at + 1,
            '}' => depth -= 1,
            _ => {}
        }
    }
    code.len()
}
