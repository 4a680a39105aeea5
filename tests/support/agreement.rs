//! Whether a scan says what Node says: does the text load, where does it break, which keys does it hold, what do the entries say.

use sessions_doctor::model::entry::{Entry, Flags, Stamp, Status, hash};
use sessions_doctor::model::key::{Shape, fold_run_key};
use sessions_doctor::scan::automaton::Kind;
use sessions_doctor::scan::entries::Scan;
use sessions_doctor::scan::members;
use sessions_doctor::scan::source::MemorySource;

use super::recorded::{Facts, Judgment};

/// Where the entries of a scan stand: key, value, end.
pub fn spans(input: &[u8], scan: &Scan) -> Vec<[u32; 3]> {
    let mut source = MemorySource::new(input, 64);
    let number = |offset: u64| u32::try_from(offset).expect("a text below 4 GiB");
    let span = |entry: &Entry| {
        let value = members::value_span(&mut source, entry).expect("memory is readable");
        [number(entry.start()), number(value.start), number(entry.end())]
    };
    scan.entries.iter().map(span).collect()
}

/// The first thing in which a scan of `input` and the judgment differ.
pub fn disagreement(input: &[u8], told: &Judgment, scan: &Scan) -> Option<String> {
    let fault = scan.outcome.fault.as_ref();
    let valid = fault.is_none() && !scan.bom;
    if told.valid != valid {
        return Some(format!("valid: node {}, scanner {fault:?}, byte order mark {}", told.valid, scan.bom));
    }
    if !valid {
        // Node objects to a byte order mark before it can object to anything else.
        let position = if scan.bom { 0 } else { fault.map_or(0, |fault| fault.position) };
        return (told.position != Some(position))
            .then(|| format!("position: node {:?}, scanner {position} of {fault:?}", told.position));
    }
    let kind = scan.outcome.root.map(|kind| match kind {
        Kind::Object => "object",
        Kind::Array => "array",
        Kind::String => "string",
        Kind::Number => "number",
        Kind::Bool => "boolean",
        Kind::Null => "null",
    });
    if told.kind.as_deref() != kind {
        return Some(format!("kind: node {:?}, scanner {kind:?}", told.kind));
    }
    if told.utf16_length != scan.outcome.units {
        return Some(format!("length: node {}, scanner {}", told.utf16_length, scan.outcome.units));
    }
    let live = scan.live().count() as u64;
    if told.keys.is_some_and(|keys| keys != live) {
        return Some(format!("keys: node {:?}, scanner {live}", told.keys));
    }
    let facts = told.facts.as_ref()?;
    let mut source = MemorySource::new(input, 64);
    let mut key_of = |entry: &Entry| members::key(&mut source, entry.start()).expect("memory is readable");
    let live: Vec<(Vec<u8>, &Entry)> = scan.live().map(|entry| (key_of(entry), entry)).collect();
    facts.iter().find_map(|facts| {
        let key = wtf8(&facts.key);
        match live.iter().find(|(known, _)| *known == key) {
            None => Some(format!("no entry {:?}", String::from_utf8_lossy(&key))),
            Some((_, entry)) => {
                fact_differs(facts, entry).map(|what| format!("{what} of {facts:?}: {entry:?}"))
            }
        }
    })
}

fn fact_differs(facts: &Facts, entry: &Entry) -> Option<&'static str> {
    if facts.object == entry.is(Flags::NOT_OBJECT) {
        return Some("object");
    }
    if !facts.object {
        return None;
    }
    let text = |units: &Option<Vec<u16>>| units.as_deref().map(wtf8);
    if entry.session != text(&facts.session_id).map_or(0, |id| hash(&id)) {
        return Some("sessionId");
    }
    let status = text(&facts.status).map_or(Status::Absent, |text| Status::from_text(&text));
    if entry.status != status && !(status == Status::Absent && entry.status == Status::Other) {
        return Some("status");
    }
    let chat = match text(&facts.chat_type).as_deref() {
        Some(b"group" | b"room") => Flags::CHAT_GROUP,
        Some(b"channel") => Flags::CHAT_CHANNEL,
        Some(b"thread" | b"topic") => Flags::CHAT_THREAD,
        Some(b"direct" | b"dm") => Flags::CHAT_DIRECT,
        _ => Flags::NONE,
    };
    if !entry.flags.has(chat) {
        return Some("chatType");
    }
    let parent = text(&facts.spawned_by)
        .and_then(|parent| String::from_utf8(parent).ok())
        .filter(|key| !key.is_empty());
    if entry.shape == Shape::SubAgent
        && entry.kin != parent.map_or(0, |key| hash(fold_run_key(&key.to_lowercase()).as_bytes()))
    {
        return Some("spawnedBy");
    }
    let times = [
        ("updatedAt", &facts.updated_at, entry.updated_at),
        ("startedAt", &facts.started_at, entry.started_at),
        ("endedAt", &facts.ended_at, entry.ended_at),
    ];
    times.into_iter().find_map(|(name, told, stamp)| {
        let expected = match told {
            None if stamp.is_absent() => Stamp::absent(),
            None => Stamp::unusable(),
            Some(number) => number.parse().map_or(Stamp::unusable(), Stamp::from_number),
        };
        (stamp != expected).then_some(name)
    })
}

/// UTF-16 units to WTF-8, by the decoder of the standard library where it can, by hand for surrogates.
fn wtf8(units: &[u16]) -> Vec<u8> {
    let mut text = Vec::new();
    for unit in char::decode_utf16(units.iter().copied()) {
        match unit {
            Ok(char) => text.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes()),
            Err(lone) => {
                let unit = lone.unpaired_surrogate();
                text.extend([
                    0xe0 | (unit >> 12) as u8,
                    0x80 | (unit >> 6 & 63) as u8,
                    0x80 | (unit & 63) as u8,
                ]);
            }
        }
    }
    text
}
