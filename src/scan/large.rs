//! The large values of one object and of the objects in it, by a second look: what may stand in a store many times.

use std::io;
use std::ops::Range;

use super::automaton::{Captured, Kind, Visitor};
use super::drive::drive;
use super::source::Source;
use super::text;

/// Of an object with more large values than this, the first are told.
const MOST: usize = 256;

/// A value, by its place in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Large {
    /// The name of its member, and of the one that holds it where that is another: `skillsSnapshot.prompt`.
    pub name: String,
    /// Where it stands.
    pub value: Range<u64>,
}

/// Values of at least `at_least` bytes of the object at `object`, and one level further down.
pub fn large_values(source: &mut dyn Source, object: Range<u64>, at_least: u64) -> io::Result<Vec<Large>> {
    let mut finder =
        Finder { at_least, names: [String::new(), String::new()], starts: [0; 2], found: Vec::new() };
    drive(source, object, 2, &mut finder)?;
    Ok(finder.found)
}

struct Finder {
    at_least: u64,
    names: [String; 2],
    starts: [u64; 2],
    found: Vec<Large>,
}

/// The place of a level in a list; the object's own members are of level 1.
fn place(depth: u64) -> usize {
    usize::from(depth > 1)
}

impl Visitor for Finder {
    fn key(&mut self, depth: u64, _start: u64, key: Captured<'_>) {
        let name = &mut self.names[place(depth)];
        name.clear();
        name.push_str(&text::to_display(&text::decode(key.raw)));
    }

    fn value(&mut self, depth: u64, start: u64, _kind: Kind) -> bool {
        self.starts[place(depth)] = start;
        false
    }

    fn value_end(&mut self, depth: u64, end: u64, _text: Option<Captured<'_>>) {
        let start = self.starts[place(depth)];
        if end - start < self.at_least || self.found.len() == MOST {
            return;
        }
        let [outer, inner] = &self.names;
        let name = if depth == 1 { outer.clone() } else { format!("{outer}.{inner}") };
        self.found.push(Large { name, value: start..end });
    }
}

#[cfg(test)]
mod tests {
    use super::super::source::MemorySource;
    use super::*;

    #[test]
    fn values_are_told_with_their_place_whatever_the_window() {
        let text =
            br#"{"a": {"p": "xxxxxxxxxx", "q": [1], "r": {"s": "yyyyyyyyyyyy"}}, "b": "zzzzzzzzzz", "c": 1}"#;
        for window in [1, 5, 64] {
            let mut source = MemorySource::new(text, window);
            let found = large_values(&mut source, 0..text.len() as u64, 10).unwrap();
            let told = |large: &Large| {
                let range = large.value.start as usize..large.value.end as usize;
                (large.name.clone(), String::from_utf8_lossy(&text[range]).into_owned())
            };
            let told: Vec<(String, String)> = found.iter().map(told).collect();
            let names: Vec<&str> = told.iter().map(|(name, _)| &**name).collect();
            assert_eq!(names, ["a.p", "a.r", "a", "b"]);
            assert_eq!(told[0].1, "\"xxxxxxxxxx\"");
            assert!(told[2].1.starts_with("{\"p\"") && told[2].1.ends_with("}}"));
        }
    }
}
