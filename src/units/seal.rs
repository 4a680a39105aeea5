//! The first line of every file that `hook` writes: whose it is, and a hash that breaks when somebody edits the rest.

use xxhash_rust::xxh3::xxh3_64;

const MARK: &str = "# Written by sessions-doctor hook (";
const REST: &str = "); a file that was edited is neither replaced nor removed.";

/// Who wrote what a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Author {
    /// This program, and nobody touched it since.
    Us,
    /// This program, and somebody edited it.
    Edited,
    /// Somebody else.
    Other,
}

/// Puts the first line before the rest.
pub(super) fn seal(body: &str) -> String {
    format!("{MARK}{:016x}{REST}\n{body}", xxh3_64(body.as_bytes()))
}

/// Tells who wrote the content of a file.
pub fn author(content: &[u8]) -> Author {
    let Ok(text) = std::str::from_utf8(content) else { return Author::Other };
    let Some(rest) = text.strip_prefix(MARK) else { return Author::Other };
    match rest.split_once('\n') {
        Some((_, body)) if seal(body) == text => Author::Us,
        _ => Author::Edited,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edit_breaks_the_seal() {
        let sealed = seal("[Service]\nNice=5\n");
        assert_eq!(author(sealed.as_bytes()), Author::Us);
        for edited in
            [sealed.replace("Nice=5", "Nice=6"), sealed.replace("); a", ") a"), format!("{sealed}\n")]
        {
            assert_eq!(author(edited.as_bytes()), Author::Edited, "{edited}");
        }
        for other in [&b""[..], b"[Service]\n", b"\xff", &sealed.as_bytes()[2..]] {
            assert_eq!(author(other), Author::Other);
        }
    }
}
