//! `--redact`: text that comes from user data becomes a tag, so that a report can go into an issue.
//!
//! A tag is the first ten hex digits of HMAC-SHA256 over the text, under a key of the installation: same text,
//! same tag, and without the key nobody can try phone numbers until one fits. Who reads or makes the key is
//! the caller's business (`docs/redaction.md`). Redacting twice tags the tags, so it is done once, at the end.

mod keys;
mod paths;
mod prose;
mod report;
mod values;
mod vocabulary;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

pub use report::{Redacted, redact_change, redact_report};

/// Hex digits of a tag.
const DIGITS: usize = 10;

/// Replaces user data by tags, or does nothing where there is no key.
#[derive(Clone)]
pub struct Redactor {
    mac: Option<Hmac<Sha256>>,
    home: Option<String>,
}

impl Redactor {
    /// A redactor under `key` (any length, 32 random bytes are right); `None` leaves everything as it is.
    pub fn new(key: Option<&[u8]>) -> Self {
        // HMAC takes keys of every length, so this is `None` only without a key.
        let mac = key.and_then(|key| Hmac::new_from_slice(key).ok());
        Self { mac, home: None }
    }

    /// Paths below `home` then start with `~`.
    #[must_use]
    pub fn with_home(mut self, home: &str) -> Self {
        let home = home.trim_end_matches(['/', '\\']);
        self.home = (!home.is_empty()).then(|| home.to_owned());
        self
    }

    /// Whether anything is replaced.
    pub fn is_on(&self) -> bool {
        self.mac.is_some()
    }

    /// A session key: the words of its grammar stay, every other part becomes a tag.
    pub fn key(&self, key: &str) -> String {
        self.apply(key, || keys::redact(self, key))
    }

    /// An id: of a session, run, job or agent. `main` stays, and so does `other`, the rest of a long list.
    pub fn id(&self, id: &str) -> String {
        self.apply(id, || match id {
            "main" | "other" => id.to_owned(),
            _ => self.tag(id),
        })
    }

    /// Free text: a label, a job's name, an error.
    pub fn text(&self, text: &str) -> String {
        self.apply(text, || self.tag(text))
    }

    /// A path: names that OpenClaw or the system gives stay, every other component becomes a tag.
    pub fn path(&self, path: &str) -> String {
        self.apply(path, || paths::redact(self, path))
    }

    /// A sentence of ours that may hold user text: paths, UUIDs, session keys, addresses, phone numbers and
    /// quoted strings in it become tags, and so does every string of `known`.
    pub fn prose(&self, sentence: &str, known: &[&str]) -> String {
        self.apply(sentence, || prose::redact(self, sentence, known))
    }

    fn apply(&self, text: &str, redacted: impl FnOnce() -> String) -> String {
        if self.mac.is_none() || text.is_empty() { text.to_owned() } else { redacted() }
    }

    /// The tag of a text that is not empty; the text itself without a key.
    fn tag(&self, text: &str) -> String {
        let Some(mac) = &self.mac else { return text.to_owned() };
        let digest = mac.clone().chain_update(text.as_bytes()).finalize().into_bytes();
        let mut tag: String =
            digest.iter().take(DIGITS.div_ceil(2)).map(|byte| format!("{byte:02x}")).collect();
        tag.truncate(DIGITS);
        tag
    }
}

impl std::fmt::Debug for Redactor {
    /// Says whether it is on, never the key.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Redactor").field("on", &self.is_on()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
