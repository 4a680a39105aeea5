//! The scanners and serde_json take the same texts for valid, and find the same keys and values at the same places.
//!
//! serde_json's `IgnoredAny` does not recurse, does not decode and does not look at UTF-8, so it takes exactly what `JSON.parse` takes.
//! With keys and raw values it is stricter in one thing, and no other is allowed here: it refuses a key with a lone surrogate.

#![no_main]

#[path = "../../support/scanners.rs"]
mod scanners;

use std::borrow::Cow;
use std::fmt;

use libfuzzer_sys::fuzz_target;
use scanners::{SCANNERS, Scanner};
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use sessions_doctor::scan::automaton::Kind;
use sessions_doctor::scan::members;
use sessions_doctor::scan::source::MemorySource;

fuzz_target!(|input: &[u8]| {
    // With replacement characters as Node has them; offsets are then those of the text that both read.
    let text = String::from_utf8_lossy(input);
    for scanner in SCANNERS {
        compare(scanner, &text);
        assert_eq!(is_valid(scanner, input), is_valid(scanner, text.as_bytes()), "{}", scanner.name);
    }
});

fn is_valid(scanner: &Scanner, text: &[u8]) -> bool {
    let scan = scanner.bytes(text, usize::MAX);
    scan.outcome.fault.is_none() && !scan.bom
}

fn compare(scanner: &Scanner, text: &str) {
    let valid = is_valid(scanner, text.as_bytes());
    assert_eq!(valid, serde_json::from_str::<IgnoredAny>(text).is_ok(), "{}", scanner.name);
    let scan = scanner.bytes(text.as_bytes(), usize::MAX);
    let mut source = MemorySource::new(text.as_bytes(), 64);
    let ours = scan.entries.iter().map(|entry| {
        let key = members::key(&mut source, entry.start()).expect("memory is readable");
        let value = members::value_span(&mut source, entry).expect("memory is readable");
        (key, value.start as usize..value.end as usize)
    });
    let ours: Vec<_> = ours.collect();
    let object = valid && scan.outcome.root == Some(Kind::Object);
    let spelled = ours.iter().all(|(key, _)| std::str::from_utf8(key).is_ok());
    match read(text) {
        Err(error) => assert!(!object || !spelled, "{}: {error}", scanner.name),
        Ok(theirs) => assert_eq!((object, spelled, ours), (true, true, theirs), "{}", scanner.name),
    }
}

type Member = (Vec<u8>, std::ops::Range<usize>);

/// Keys, and where their values stand, as serde_json reads them.
fn read(text: &str) -> serde_json::Result<Vec<Member>> {
    let mut parser = serde_json::Deserializer::from_str(text);
    let members = parser.deserialize_map(Members { start: text.as_ptr() as usize })?;
    parser.end()?;
    Ok(members)
}

struct Members {
    start: usize,
}

impl<'de> Visitor<'de> for Members {
    type Value = Vec<Member>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
        let mut members = Vec::new();
        while let Some((key, value)) = map.next_entry::<Cow<'de, str>, &'de RawValue>()? {
            let from = value.get().as_ptr() as usize - self.start;
            members.push((key.as_bytes().to_vec(), from..from + value.get().len()));
        }
        Ok(members)
    }
}
