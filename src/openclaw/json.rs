//! JSON read leniently: in order, last duplicate wins, nesting limited, and only as far as it is wanted.
//!
//! OpenClaw reads with `JSON.parse` over a lossily decoded string, so a lone surrogate escape or a stray byte is no
//! reason to refuse a file. [`parse`] agrees with that; [`Lines`] is the fast path for many small documents.

use std::collections::HashMap;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

/// Levels of nesting that are followed; deeper values are an error where they are wanted.
const MAX_DEPTH: u32 = 100;

/// Largest integer that every JSON reader keeps exact; larger times are not believed.
const MAX_SAFE: f64 = 9_007_199_254_740_991.0;

/// A JSON value with its members in file order.
#[derive(Debug, Clone, PartialEq)]
pub enum Tree {
    /// `null`, and everything that was not wanted.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// Any number; JSON5 may give infinities and NaN.
    Number(f64),
    /// A string.
    Text(String),
    /// An array.
    List(Vec<Tree>),
    /// An object; a repeated key holds its last value, at its first place.
    Object(Vec<(String, Tree)>),
}

/// Which parts of a document are kept; what is not wanted becomes absent, or `Null` inside an array.
#[derive(Debug)]
pub enum Want {
    /// Everything below this point.
    All,
    /// Nothing: the value is only skipped.
    Skip,
    /// These members of an object; other kinds of values are kept as they are.
    Fields(&'static [(&'static str, Want)]),
    /// The same of every element of an array, or of every member of an object.
    Each(&'static Want),
}

/// Why and where a document does not parse.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}{}", self.place())]
pub struct Fault {
    /// Line, from 1, where the parser tells.
    pub line: Option<usize>,
    /// Column, from 1, where the parser tells.
    pub column: Option<usize>,
    /// The parser's words.
    pub reason: String,
}

impl Fault {
    /// Makes a fault without a place.
    pub fn new(reason: impl Into<String>) -> Self {
        Self { line: None, column: None, reason: reason.into() }
    }

    fn place(&self) -> String {
        match (self.line, self.column) {
            (Some(line), Some(column)) => format!(" at line {line} column {column}"),
            _ => String::new(),
        }
    }
}

impl Tree {
    /// The member of an object.
    pub fn get(&self, key: &str) -> Option<&Tree> {
        self.object()?.iter().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    /// The members, when this is an object.
    pub fn object(&self) -> Option<&[(String, Tree)]> {
        if let Tree::Object(members) = self { Some(members) } else { None }
    }

    /// The elements, when this is an array.
    pub fn list(&self) -> Option<&[Tree]> {
        if let Tree::List(items) = self { Some(items) } else { None }
    }

    /// The string, when this is one.
    pub fn text(&self) -> Option<&str> {
        if let Tree::Text(text) = self { Some(text) } else { None }
    }

    /// The truth value, when this is one.
    pub fn bool(&self) -> Option<bool> {
        if let Tree::Bool(value) = self { Some(*value) } else { None }
    }

    /// The number, when this is a finite one.
    pub fn number(&self) -> Option<f64> {
        if let Tree::Number(value) = self { value.is_finite().then_some(*value) } else { None }
    }

    /// The number cut to whole milliseconds (or any other count), when it is finite and exact.
    pub fn millis(&self) -> Option<i64> {
        self.number().filter(|n| n.abs() <= MAX_SAFE).map(|n| n as i64)
    }

    /// The non-empty string under a key.
    pub fn text_of(&self, key: &str) -> Option<String> {
        self.get(key)?.text().filter(|text| !text.is_empty()).map(str::to_owned)
    }

    /// The non-empty string under a key, which the tree then lacks.
    pub fn take_text(&mut self, key: &str) -> Option<String> {
        let Tree::Object(members) = self else { return None };
        let (_, value) = members.iter_mut().find(|(name, _)| name == key)?;
        match std::mem::replace(value, Tree::Null) {
            Tree::Text(text) => Some(text).filter(|text| !text.is_empty()),
            other => {
                *value = other;
                None
            }
        }
    }

    /// The whole number under a key.
    pub fn millis_of(&self, key: &str) -> Option<i64> {
        self.get(key)?.millis()
    }

    /// The same as JSON, whatever it was read from; a number that JSON has not is `null`.
    pub fn to_json(&self) -> String {
        self.to_value().to_string()
    }

    fn to_value(&self) -> serde_json::Value {
        match self {
            Tree::Null => serde_json::Value::Null,
            Tree::Bool(value) => (*value).into(),
            Tree::Number(value) => (*value).into(),
            Tree::Text(text) => text.as_str().into(),
            Tree::List(items) => items.iter().map(Tree::to_value).collect(),
            Tree::Object(members) => {
                members.iter().map(|(name, value)| (name.clone(), value.to_value())).collect()
            }
        }
    }
}

/// Parses a whole document as `JSON.parse` would after a lossy decoding. A byte order mark is an error.
pub fn parse(bytes: &[u8], want: &'static Want) -> Result<Tree, Fault> {
    strict(bytes, want).or_else(|fault| match as_javascript_reads(bytes) {
        Some(mended) => strict(&mended, want),
        None => Err(fault),
    })
}

/// Parses a whole JSON5 document; everything is kept.
pub fn parse_json5(bytes: &[u8]) -> Result<Tree, Fault> {
    let text = String::from_utf8_lossy(bytes);
    json5::from_str::<Whole>(&text).map(|whole| whole.0).map_err(|error| {
        let place = error.position();
        let reason = match error.code() {
            Some(code) => code.to_string(),
            None => error.to_string(),
        };
        Fault { line: place.map(|p| p.line + 1), column: place.map(|p| p.column + 1), reason }
    })
}

/// Whether the bytes are one JSON document, whatever is in it.
pub fn is_json(bytes: &[u8]) -> bool {
    serde_json::from_slice::<serde::de::IgnoredAny>(bytes).is_ok()
        || as_javascript_reads(bytes)
            .is_some_and(|b| serde_json::from_slice::<serde::de::IgnoredAny>(&b).is_ok())
}

fn strict(bytes: &[u8], want: &'static Want) -> Result<Tree, Fault> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let read = Seed { want, depth: 0 }.deserialize(&mut reader);
    read.and_then(|tree| reader.end().map(|()| tree)).map_err(|error| {
        let reason = error.to_string();
        let reason = reason.split(" at line ").next().unwrap_or_default().to_owned();
        Fault { line: Some(error.line()), column: Some(error.column()), reason }
    })
}

/// The document with invalid UTF-8 and lone surrogate escapes replaced by U+FFFD; `None` when it has neither.
fn as_javascript_reads(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut text = String::from_utf8_lossy(bytes).into_owned().into_bytes();
    let mut changed = text != bytes;
    let mut at = 0;
    while let Some(step) = text.get(at..).and_then(|rest| rest.iter().position(|&b| b == b'\\')) {
        at += step;
        at += match surrogate_at(&text, at) {
            None => 2,
            Some(true) if surrogate_at(&text, at + 6) == Some(false) => 12,
            Some(_) => {
                text[at + 2..at + 6].copy_from_slice(b"fffd");
                changed = true;
                6
            }
        };
    }
    changed.then_some(text)
}

/// Whether an escaped surrogate begins here, and whether it is a high one.
fn surrogate_at(text: &[u8], at: usize) -> Option<bool> {
    let hex = std::str::from_utf8(text.get(at..at + 6)?.strip_prefix(b"\\u")?).ok()?;
    match u16::from_str_radix(hex, 16).ok()? {
        0xD800..=0xDBFF => Some(true),
        0xDC00..=0xDFFF => Some(false),
        _ => None,
    }
}

/// A reader of many small documents that reuses its buffers: simd-json first, `serde_json` where that refuses.
#[derive(Default)]
pub struct Lines {
    scratch: Vec<u8>,
    buffers: simd_json::Buffers,
}

impl Lines {
    /// Parses one line; `None` when it is no JSON, or when a wanted value cannot be held.
    pub fn parse(&mut self, line: &[u8], want: &'static Want) -> Option<Tree> {
        self.fast(line, want).or_else(|| parse(line, want).ok())
    }

    fn fast(&mut self, line: &[u8], want: &'static Want) -> Option<Tree> {
        self.scratch.clear();
        self.scratch.extend_from_slice(line);
        let mut reader =
            simd_json::Deserializer::from_slice_with_buffers(&mut self.scratch, &mut self.buffers).ok()?;
        Seed { want, depth: 0 }.deserialize(&mut reader).ok()
    }
}

impl fmt::Debug for Lines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lines").field("scratch", &self.scratch.len()).finish_non_exhaustive()
    }
}

struct Whole(Tree);

impl<'de> serde::Deserialize<'de> for Whole {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Seed { want: &Want::All, depth: 0 }.deserialize(deserializer).map(Whole)
    }
}

#[derive(Clone, Copy)]
struct Seed {
    want: &'static Want,
    depth: u32,
}

impl Seed {
    fn below<E: serde::de::Error>(self, want: &'static Want) -> Result<Self, E> {
        if self.depth >= MAX_DEPTH {
            return Err(E::custom("nested too deeply"));
        }
        Ok(Self { want, depth: self.depth + 1 })
    }

    fn member(self, key: &str) -> &'static Want {
        match self.want {
            Want::All => &Want::All,
            Want::Skip => &Want::Skip,
            Want::Each(inner) => inner,
            Want::Fields(fields) => fields.iter().find(|(n, _)| *n == key).map_or(&Want::Skip, |(_, w)| w),
        }
    }

    fn element(self) -> &'static Want {
        match self.want {
            Want::All => &Want::All,
            Want::Each(inner) => inner,
            Want::Skip | Want::Fields(_) => &Want::Skip,
        }
    }
}

impl<'de> DeserializeSeed<'de> for Seed {
    type Value = Tree;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Tree, D::Error> {
        match self.want {
            Want::Skip => deserializer.deserialize_ignored_any(self),
            _ => deserializer.deserialize_any(self),
        }
    }
}

impl<'de> Visitor<'de> for Seed {
    type Value = Tree;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Tree, E> {
        Ok(Tree::Null)
    }

    fn visit_none<E>(self) -> Result<Tree, E> {
        Ok(Tree::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Tree, D::Error> {
        self.below::<D::Error>(self.want)?.deserialize(deserializer)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Tree, E> {
        Ok(Tree::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Tree, E> {
        Ok(Tree::Number(value as f64))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Tree, E> {
        Ok(Tree::Number(value as f64))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Tree, E> {
        Ok(Tree::Number(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Tree, E> {
        Ok(if matches!(self.want, Want::Skip) { Tree::Null } else { Tree::Text(value.to_owned()) })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Tree, A::Error> {
        let seed = self.below::<A::Error>(self.element())?;
        let mut items = Vec::new();
        while let Some(item) = seq.next_element_seed(seed)? {
            if !matches!(self.want, Want::Skip | Want::Fields(_)) {
                items.push(item);
            }
        }
        Ok(Tree::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Tree, A::Error> {
        let mut members = Members::default();
        while let Some((want, key)) = map.next_key_seed(Name(self))? {
            let value = map.next_value_seed(self.below::<A::Error>(want)?)?;
            if let Some(key) = key {
                members.put(key, value);
            }
        }
        Ok(Tree::Object(members.list))
    }
}

/// The name of a member: what is wanted of it, and the name itself where that is anything.
struct Name(Seed);

impl<'de> DeserializeSeed<'de> for Name {
    type Value = (&'static Want, Option<String>);

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Name {
    type Value = (&'static Want, Option<String>);

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        let want = self.0.member(name);
        Ok((want, (!matches!(want, Want::Skip)).then(|| name.to_owned())))
    }
}

/// Members of objects with more than this many are found by a map.
const FEW: usize = 16;

/// The members of an object in the making.
#[derive(Default)]
struct Members {
    list: Vec<(String, Tree)>,
    /// Places by name, once there are more than a few.
    places: HashMap<String, usize>,
}

impl Members {
    fn put(&mut self, name: String, value: Tree) {
        if self.list.len() == FEW && self.places.is_empty() {
            self.places = self.list.iter().map(|(name, _)| name.clone()).zip(0..).collect();
        }
        let known = match self.list.len() {
            0..FEW => self.list.iter().position(|(known, _)| *known == name),
            _ => self.places.get(&name).copied(),
        };
        match known.and_then(|at| self.list.get_mut(at)) {
            Some(member) => member.1 = value,
            None => {
                if self.list.len() >= FEW {
                    self.places.insert(name.clone(), self.list.len());
                }
                self.list.push((name, value));
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    static NAMES: Want =
        Want::Fields(&[("a", Want::All), ("b", Want::Each(&Want::Fields(&[("n", Want::All)])))]);

    #[test]
    fn keeps_order_and_only_what_is_wanted() {
        let tree = parse(br#"{"z":1,"b":{"y":{"n":2,"m":3},"x":{"n":4}},"a":5}"#, &NAMES).unwrap();
        let b = tree.get("b").unwrap();
        assert_eq!(b.object().unwrap()[0].0, "y");
        assert_eq!(b.get("y").unwrap().get("m"), None);
        assert_eq!(b.get("x").unwrap().millis_of("n"), Some(4));
        assert_eq!(tree.get("z"), None);
    }

    #[test]
    fn the_last_duplicate_wins_at_the_first_place() {
        let tree = parse(br#"{"a":1,"c":2,"a":3}"#, &Want::All).unwrap();
        assert_eq!(
            tree,
            Tree::Object(vec![("a".into(), Tree::Number(3.0)), ("c".into(), Tree::Number(2.0))])
        );
    }

    #[test]
    fn of_many_members_the_last_duplicate_wins_as_well() {
        let names =
            (0..40).map(|at| format!("\"m{at}\":{at}")).chain((0..40).map(|at| format!("\"m{at}\":-{at}")));
        let text = format!("{{{}}}", names.collect::<Vec<_>>().join(","));
        let tree = parse(text.as_bytes(), &Want::All).unwrap();
        assert_eq!(tree.object().unwrap().len(), 40);
        for at in 0..40 {
            assert_eq!(tree.millis_of(&format!("m{at}")), Some(-at));
        }
    }

    #[test]
    fn lone_surrogates_and_stray_bytes_are_read_as_replacement_characters() {
        let tree = parse(br#"{"a":"x\ud83d","\udc00":1}"#, &Want::All).unwrap();
        assert_eq!(tree.text_of("a").unwrap(), "x\u{fffd}");
        assert_eq!(parse(b"\"a\xffb\"", &Want::All).unwrap(), Tree::Text("a\u{fffd}b".into()));
        assert_eq!(parse(br#""\ud83d\ude00\\ud83d""#, &Want::All).unwrap(), Tree::Text("😀\\ud83d".into()));
    }

    #[test]
    fn faults_tell_their_place_and_a_mark_is_one() {
        let fault = parse(b"{\n  \"a\": x\n}", &Want::All).unwrap_err();
        assert_eq!(fault.line, Some(2));
        assert!(parse(b"\xef\xbb\xbf{}", &Want::All).is_err());
        assert!(parse(b"{} {}", &Want::All).is_err());
        assert_eq!(parse_json5(b"{a: 1,\n b: }").unwrap_err().line, Some(2));
    }

    #[test]
    fn nesting_is_limited_without_overflow() {
        let deep = "[".repeat(2_000_000);
        assert!(parse(deep.as_bytes(), &Want::All).is_err());
        assert!(parse_json5(deep.as_bytes()).is_err());
        let skipped = format!("{{\"q\":{}{},\"a\":1}}", "[".repeat(5000), "]".repeat(5000));
        assert_eq!(parse(skipped.as_bytes(), &NAMES).unwrap().millis_of("a"), Some(1));
        assert_eq!(Lines::default().parse(skipped.as_bytes(), &NAMES).unwrap().millis_of("a"), Some(1));
    }

    #[test]
    fn lines_fall_back_where_the_fast_reader_refuses() {
        let mut lines = Lines::default();
        assert_eq!(lines.parse(br#"{"a":7}"#, &NAMES).unwrap().millis_of("a"), Some(7));
        assert_eq!(
            lines.parse(br#"{"q":1e999,"w":"\ud800","a":8}"#, &NAMES).unwrap().millis_of("a"),
            Some(8)
        );
        assert_eq!(lines.parse(br#"{"a":8"#, &NAMES), None);
        assert!(is_json(br#"{"a":1e999}"#));
    }
}
