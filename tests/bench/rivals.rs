//! Other people's parsers, each asked for as much of the job as it can do.

use std::borrow::Cow;
use std::fmt;
use std::fs::File;
use std::ops::Range;

use anyhow::{Context, Result};
use memmap2::Mmap;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use simd_json::{Buffers, INPUT_PADDING, Tape, fill_tape_padded};

use super::Input;

/// A parser that somebody might use instead.
pub struct Rival {
    /// What it is called in tables.
    pub name: &'static str,
    /// What of the job it leaves out.
    pub lacks: &'static str,
    /// Reads a store; the number of entries that it saw, where it can tell.
    pub run: fn(&Input) -> Result<Option<u64>>,
    /// Whether it takes a text for valid.
    pub accepts: fn(&[u8]) -> bool,
}

/// All of them; the others are set in proportion to the first.
pub const RIVALS: [Rival; 3] = [
    Rival {
        name: "serde_json `IgnoredAny`",
        lacks: "no spans, no facts, no UTF-8 check in what it skips",
        run: |input| {
            serde_json::from_slice::<IgnoredAny>(&map(input)?)?;
            Ok(None)
        },
        accepts: |text| serde_json::from_slice::<IgnoredAny>(text).is_ok(),
    },
    Rival {
        name: "serde_json `RawValue`",
        lacks: "spans of entries, but no facts",
        run: |input| Ok(Some(spans(&map(input)?)?.len() as u64)),
        accepts: |text| match text.trim_ascii_start().first() {
            Some(b'{') => spans(text).is_ok(),
            _ => serde_json::from_slice::<&RawValue>(text).is_ok(),
        },
    },
    Rival {
        name: "simd-json tape, entry by entry",
        lacks: "no spans: it is told where each entry stands; copies each; what stands between them is not read",
        run: |input| tapes(&map(input)?, &input.values).map(Some),
        accepts: |text| simd_json::to_tape(&mut text.to_vec()).is_ok(),
    },
];

/// A fresh map of the whole store, as a command would make it.
fn map(input: &Input) -> Result<Mmap> {
    let file = File::open(&input.path)?;
    // SAFETY: The map is only read, and nothing changes a store of the benchmark while it runs.
    #[allow(unsafe_code)]
    let map = unsafe { Mmap::map(&file)? };
    Ok(map)
}

/// Where the value of each entry stands.
fn spans(text: &[u8]) -> serde_json::Result<Vec<Range<usize>>> {
    let mut parser = serde_json::Deserializer::from_slice(text);
    let spans = parser.deserialize_map(Spans { start: text.as_ptr() as usize })?;
    parser.end()?;
    Ok(spans)
}

struct Spans {
    start: usize,
}

impl<'de> Visitor<'de> for Spans {
    type Value = Vec<Range<usize>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
        #[derive(serde::Deserialize)]
        struct Key<'a>(#[serde(borrow)] Cow<'a, str>);
        let mut spans = Vec::new();
        while let Some((key, value)) = map.next_entry::<Key<'de>, &'de RawValue>()? {
            std::hint::black_box(key.0);
            let from = value.get().as_ptr() as usize - self.start;
            spans.push(from..from + value.get().len());
        }
        Ok(spans)
    }
}

/// A tape for each entry; how many it accepts, which is one less than all for the lone surrogate of a generated store.
fn tapes(text: &[u8], values: &[Range<usize>]) -> Result<u64> {
    let mut scratch = Vec::new();
    let mut buffers = Buffers::default();
    let mut tape = Tape::null();
    let mut accepted = 0;
    for value in values {
        let entry = text.get(value.clone()).context("a span within the store")?;
        scratch.clear();
        scratch.extend_from_slice(entry);
        scratch.resize(entry.len() + INPUT_PADDING, 0);
        let mut nodes = tape.reset();
        accepted += u64::from(fill_tape_padded(&mut scratch, entry.len(), &mut buffers, &mut nodes).is_ok());
        tape = std::hint::black_box(nodes).reset();
    }
    Ok(accepted)
}
