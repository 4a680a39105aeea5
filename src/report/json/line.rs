//! One change as a line of compact JSON, as `serde_json` would write it, in a fraction of the time: most of
//! what a change says are words of our own, and what is not seldom has to be escaped.

use std::io;

use crate::report::model::Change;

/// Appends `change`.
pub(super) fn write(line: &mut Vec<u8>, change: &Change) -> io::Result<()> {
    line.extend_from_slice(b"{\"key\":");
    text(line, &change.key)?;
    if let Some(bytes) = change.key_bytes {
        line.extend_from_slice(b",\"keyBytes\":");
        serde_json::to_writer(&mut *line, &bytes)?;
    }
    for (name, word) in [
        ("family", Some(change.family)),
        ("class", change.class),
        ("rule", Some(change.rule)),
        ("action", Some(change.action)),
        ("confidence", change.confidence),
        ("protectedBy", change.protected_by),
    ] {
        member(line, name);
        own_word(line, word);
    }
    line.extend_from_slice(b",\"reasons\":[");
    for (at, reason) in change.reasons.iter().enumerate() {
        line.extend_from_slice(if at == 0 { b"" } else { b"," });
        text(line, reason)?;
    }
    line.push(b']');
    member(line, "source");
    optional(line, change.source.as_deref())?;
    member(line, "start");
    serde_json::to_writer(&mut *line, &change.start)?;
    member(line, "end");
    serde_json::to_writer(&mut *line, &change.end)?;
    member(line, "edits");
    serde_json::to_writer(&mut *line, &change.edits)?;
    member(line, "sessionId");
    optional(line, change.session_id.as_deref())?;
    member(line, "updatedAt");
    serde_json::to_writer(&mut *line, &change.updated_at)?;
    member(line, "status");
    optional(line, change.status.as_deref())?;
    line.push(b'}');
    Ok(())
}

fn member(line: &mut Vec<u8>, name: &str) {
    line.extend_from_slice(b",\"");
    line.extend_from_slice(name.as_bytes());
    line.extend_from_slice(b"\":");
}

/// A word of our own, in which nothing has to be escaped.
fn own_word(line: &mut Vec<u8>, word: Option<&'static str>) {
    let Some(word) = word else { return line.extend_from_slice(b"null") };
    line.push(b'"');
    line.extend_from_slice(word.as_bytes());
    line.push(b'"');
}

fn optional(line: &mut Vec<u8>, word: Option<&str>) -> io::Result<()> {
    match word {
        Some(word) => text(line, word),
        None => {
            line.extend_from_slice(b"null");
            Ok(())
        }
    }
}

fn text(line: &mut Vec<u8>, text: &str) -> io::Result<()> {
    let special = |byte: u8| (byte < 0x20) | (byte == b'"') | (byte == b'\\');
    // Without an early end this looks at sixteen bytes at a time.
    if text.bytes().fold(false, |found, byte| found | special(byte)) {
        return Ok(serde_json::to_writer(line, text)?);
    }
    line.push(b'"');
    line.extend_from_slice(text.as_bytes());
    line.push(b'"');
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::model::Edit;
    use proptest::prelude::*;

    fn word() -> impl Strategy<Value = Option<&'static str>> {
        prop_oneof![Just(None), Just(Some("live")), Just(Some("protected-main"))]
    }

    prop_compose! {
        fn any_change()(
            (key, key_bytes) in (any::<String>(), any::<Option<u64>>()),
            words in prop::array::uniform3(word()),
            (reasons, source) in (prop::collection::vec(any::<String>(), 0..4), any::<Option<String>>()),
            (start, end) in any::<(u64, u64)>(),
            edits in prop::collection::vec(any::<(String, Option<i64>)>(), 0..3),
            (session_id, status) in any::<(Option<String>, Option<String>)>(),
            updated_at in any::<Option<i64>>(),
        ) -> Change {
            Change {
                key, key_bytes, family: "hook", class: words[0], rule: "stale-run", action: "keep",
                confidence: words[1], protected_by: words[2], reasons, source, start, end,
                edits: edits.into_iter().map(|(field, old)| Edit { field, old: old.into(), new: "x".into() }).collect(),
                session_id, updated_at, status,
            }
        }
    }

    proptest! {
        #[test]
        fn a_line_is_what_serde_json_would_write(change in any_change()) {
            let mut line = Vec::new();
            write(&mut line, &change).unwrap();
            prop_assert_eq!(String::from_utf8(line).unwrap(), serde_json::to_string(&change).unwrap());
        }
    }

    #[test]
    fn every_character_is_escaped_as_serde_json_would() {
        for char in (0..=0x100u32).filter_map(char::from_u32) {
            let mut line = Vec::new();
            text(&mut line, &format!("a{char}b")).unwrap();
            assert_eq!(line, serde_json::to_vec(&format!("a{char}b")).unwrap());
        }
    }
}
