//! Session keys: `agent:main:cron:<tag>:run:<tag>`.

use super::{Redactor, vocabulary};

/// The key with every segment that is no word of the grammar replaced by its tag.
///
/// Words stay wherever they stand: a peer that is called `group` is not given away by it. A segment with an
/// own prefix (`node-…`) keeps the prefix.
pub(super) fn redact(redactor: &Redactor, key: &str) -> String {
    let segments: Vec<String> = key.split(':').map(|segment| redact_segment(redactor, segment)).collect();
    segments.join(":")
}

fn redact_segment(redactor: &Redactor, segment: &str) -> String {
    if segment.is_empty() || vocabulary::is_key_word(segment) {
        return segment.to_owned();
    }
    match vocabulary::key_prefix(segment) {
        Some((prefix, "")) => prefix.to_owned(),
        Some((prefix, rest)) => format!("{prefix}{}", redactor.tag(rest)),
        None => redactor.tag(segment),
    }
}

/// The segments of a key that become tags: what a sentence about the entry may name.
pub(super) fn private_segments(key: &str) -> impl Iterator<Item = &str> {
    key.split(':').filter(|segment| !segment.is_empty() && !vocabulary::is_key_word(segment))
}
