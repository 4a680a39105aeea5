//! Values of a small text that is JSON for certain, with their places: lists of jobs, lines of logs.
//!
//! Nothing is checked here, and nothing is remembered: a value is looked at one level at a time, so that no nesting is too deep.

use std::ops::Range;

use super::automaton::Kind;
use super::text;

/// Bytes of a value that are shown.
const SHOWN: usize = 60;

/// A value, and where it stands.
#[derive(Clone, Debug)]
pub struct Value<'a> {
    text: &'a [u8],
    base: u64,
}

/// A member of an object.
#[derive(Clone, Debug)]
pub struct Named<'a> {
    /// Its name; lone surrogates are U+FFFD.
    pub name: String,
    /// Where its name begins.
    pub at: u64,
    /// What it holds.
    pub value: Value<'a>,
}

impl<'a> Value<'a> {
    /// The value that `text` holds; `base` is the place of its first byte.
    pub fn new(text: &'a [u8], base: u64) -> Self {
        let blank = text.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        Value { text: text[blank..].trim_ascii_end(), base: base + blank as u64 }
    }

    /// Where it begins.
    pub fn offset(&self) -> u64 {
        self.base
    }

    /// What kind of value it is.
    pub fn kind(&self) -> Kind {
        match self.text.first() {
            Some(b'{') => Kind::Object,
            Some(b'[') => Kind::Array,
            Some(b'"') => Kind::String,
            Some(b't' | b'f') => Kind::Bool,
            Some(b'n') | None => Kind::Null,
            Some(_) => Kind::Number,
        }
    }

    /// The elements of an array; of anything else none.
    pub fn elements(&self) -> Vec<Value<'a>> {
        self.children(Kind::Array).map(|(part, base)| Value::new(part, base)).collect()
    }

    /// The members of an object, in order, as often as they stand there; of anything else none.
    pub fn members(&self) -> Vec<Named<'a>> {
        let named = |(part, base): (&'a [u8], u64)| {
            let name_end = string_end(part);
            let colon = part[name_end..].iter().position(|&byte| byte == b':').unwrap_or_default();
            let value = name_end + colon + 1;
            let name = text::decode(&part[1..name_end - 1]);
            Named {
                name: text::to_display(&name),
                at: base,
                value: Value::new(&part[value..], base + value as u64),
            }
        };
        self.children(Kind::Object).map(named).collect()
    }

    /// What a string says.
    pub fn string(&self) -> Option<String> {
        let raw = self.text.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
        Some(text::to_display(&text::decode(raw)))
    }

    /// A number; one beyond all bounds is infinite, as in JavaScript.
    pub fn number(&self) -> Option<f64> {
        (self.kind() == Kind::Number).then(|| std::str::from_utf8(self.text).ok()?.parse().ok()).flatten()
    }

    /// The front of it, as it stands there.
    pub fn shown(&self) -> String {
        match self.kind() {
            Kind::Object => "an object".to_owned(),
            Kind::Array => "a list".to_owned(),
            _ => shorten(&String::from_utf8_lossy(&self.text[..self.text.len().min(4 * SHOWN)])),
        }
    }

    fn children(&self, kind: Kind) -> impl Iterator<Item = (&'a [u8], u64)> + use<'a> {
        let (text, base) = (self.text, self.base);
        let parts = if self.kind() == kind { children(text, 0) } else { Vec::new() };
        parts.into_iter().map(move |at| (&text[at.start as usize..at.end as usize], base + at.start))
    }
}

/// The last member of that name, which is the one that counts.
pub fn last<'m, 'a>(members: &'m [Named<'a>], name: &str) -> Option<&'m Named<'a>> {
    members.iter().rev().find(|member| member.name == name)
}

/// What can be shown of a value on one line.
pub fn shorten(value: &str) -> String {
    if value.chars().count() <= SHOWN {
        return value.to_owned();
    }
    value.chars().take(SHOWN).chain(['…']).collect()
}

/// Where the elements of the array, or the members of the object, that begins at `start` stand, in order.
pub fn children(text: &[u8], start: u64) -> Vec<Range<u64>> {
    let mut found = Vec::new();
    let (mut depth, mut in_string, mut first) = (0_u32, false, None);
    let mut at = usize::try_from(start).unwrap_or(usize::MAX);
    while let Some(&byte) = text.get(at) {
        let ends = depth == 1 && !in_string && matches!(byte, b',' | b']' | b'}');
        if let (true, Some(from)) = (ends, first) {
            found.push(trimmed(text, from, at));
            first = None;
        } else if depth == 1 && first.is_none() && !ends && !byte.is_ascii_whitespace() {
            first = Some(at);
        }
        match byte {
            b'\\' if in_string => at += 1,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => depth += 1,
            b'}' | b']' if !in_string => depth -= 1,
            _ => {}
        }
        at += 1;
        if depth == 0 {
            break;
        }
    }
    found
}

fn trimmed(text: &[u8], from: usize, to: usize) -> Range<u64> {
    let blank = text[from..to].iter().rev().take_while(|byte| byte.is_ascii_whitespace()).count();
    from as u64..(to - blank) as u64
}

/// One past the closing quote of the string that begins here.
fn string_end(text: &[u8]) -> usize {
    let mut at = 1;
    while let Some(&byte) = text.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Vec<&str> {
        let start = text.find('[').unwrap() as u64;
        let at = |range: Range<u64>| &text[range.start as usize..range.end as usize];
        children(text.as_bytes(), start).into_iter().map(at).collect()
    }

    #[test]
    fn elements_of_every_kind_end_where_they_end() {
        assert_eq!(of("[]"), [""; 0]);
        assert_eq!(of(" [ \n ] "), [""; 0]);
        assert_eq!(
            of(r#"{"jobs": [ {"a,]": [1, 2]} ,"x\",]", 7
                , [[], {}],null ] , "b": [9]}"#),
            [r#"{"a,]": [1, 2]}"#, r#""x\",]""#, "7", "[[], {}]", "null"]
        );
    }

    #[test]
    fn members_have_names_places_and_values() {
        let text = r#" {"a\u0062" : "x:\"}", "n": -1e999 ,"o": {"a": [1]}, "n": 2.50}"#;
        let members = Value::new(text.as_bytes(), 100).members();
        let names: Vec<&str> = members.iter().map(|member| member.name.as_str()).collect();
        assert_eq!(names, ["ab", "n", "o", "n"]);
        assert_eq!(members[0].value.string().as_deref(), Some("x:\"}"));
        assert_eq!(members[1].value.number(), Some(f64::NEG_INFINITY));
        let last = last(&members, "n").unwrap();
        assert_eq!((last.value.number(), last.value.shown().as_str()), (Some(2.5), "2.50"));
        assert_eq!(&text[(last.at - 100) as usize..][..3], "\"n\"");
        assert_eq!(&text[(last.value.offset() - 100) as usize..], "2.50}");
        assert_eq!(members[2].value.kind(), Kind::Object);
        assert_eq!((members[2].value.elements().len(), members[2].value.members().len()), (0, 1));
    }

    #[test]
    fn no_nesting_is_too_deep() {
        let deep = format!("[{}{}]", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(Value::new(deep.as_bytes(), 0).elements().len(), 1);
        let long = format!("\"{}\"", "ä".repeat(100));
        assert_eq!(Value::new(long.as_bytes(), 0).shown().chars().count(), 61);
    }
}
