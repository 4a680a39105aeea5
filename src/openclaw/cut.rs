//! JSON that ends too early: the head of a long line, or a line that a crash tore.
//!
//! What stands in front of the cut is often all that is wanted (who wrote, what the first words are). So the
//! open string and brackets are closed, and a reader of whole documents can be asked.

/// Levels of nesting that are closed; deeper text is given up.
const MAX_DEPTH: usize = 100;

/// The text made whole, with a string that was cut kept as far as it goes; for prose.
///
/// `None` where the nesting is too deep. What was no JSON before the cut stays none.
pub fn close(cut: &[u8]) -> Option<Vec<u8>> {
    let walk = Walk::over(cut)?;
    match walk.end_of_open_value(cut.len()) {
        None => close_whole_values(cut),
        Some(end) => {
            let closers = walk.open.iter().rev();
            Some(cut[..end].iter().chain(b"\"").chain(closers).copied().collect())
        }
    }
}

/// The text made whole, without the value that was cut; for names, of which half would be another name.
pub fn close_whole_values(cut: &[u8]) -> Option<Vec<u8>> {
    let kept = &cut[..Walk::over(cut)?.safe];
    let open = Walk::over(kept)?.open;
    Some(kept.iter().chain(open.iter().rev()).copied().collect())
}

/// What is open at the end of a text.
#[derive(Default)]
struct Walk {
    /// The brackets that would close what is open, outermost first.
    open: Vec<u8>,
    in_string: bool,
    /// Whether the string is a value, not a name.
    is_value: bool,
    /// Where the last escape of the string begins, and how much of it is still to come.
    escape: (usize, u8),
    /// Up to here the text may be cut and closed.
    safe: usize,
}

impl Walk {
    fn over(text: &[u8]) -> Option<Walk> {
        let mut walk = Walk::default();
        for (at, &byte) in text.iter().enumerate() {
            match walk.in_string {
                true => walk.within_string(at, byte),
                false => walk.between(at, byte),
            }
            if walk.open.len() > MAX_DEPTH {
                return None;
            }
        }
        Some(walk)
    }

    fn within_string(&mut self, at: usize, byte: u8) {
        match (self.escape.1, byte) {
            // The letter behind the backslash: of all escapes only `\u` goes on.
            (5, b'u') => self.escape.1 = 4,
            (5, _) => self.escape.1 = 0,
            (left @ 1.., _) => self.escape.1 = left - 1,
            (0, b'\\') => self.escape = (at, 5),
            (0, b'"') => self.in_string = false,
            (0, _) => {}
        }
    }

    fn between(&mut self, at: usize, byte: u8) {
        match byte {
            b'"' => {
                self.in_string = true;
                self.is_value |= self.open.last() == Some(&b']');
            }
            b'{' | b'[' => {
                self.open.push(byte + 2);
                self.is_value = false;
                self.safe = at + 1;
            }
            b'}' | b']' => {
                self.open.pop();
            }
            b',' => {
                self.is_value = false;
                self.safe = at;
            }
            b':' => self.is_value = true,
            _ => {}
        }
    }

    /// Where an open string that is a value may end: before an escape that is not complete.
    fn end_of_open_value(&self, len: usize) -> Option<usize> {
        let end = if self.escape.1 > 0 { self.escape.0 } else { len };
        (self.in_string && self.is_value).then_some(end)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn closed(text: &str) -> String {
        String::from_utf8(close(text.as_bytes()).unwrap()).unwrap()
    }

    #[test]
    fn what_is_open_is_closed_and_a_name_alone_is_dropped() {
        for (cut, whole) in [
            (r#"{"a":"x"#, r#"{"a":"x"}"#),
            (r#"{"a":["x","y"#, r#"{"a":["x","y"]}"#),
            (r#"{"a":"x\"#, r#"{"a":"x"}"#),
            (r#"{"a":"x\u00"#, r#"{"a":"x"}"#),
            (r#"{"a":"x\u00e9"#, r#"{"a":"x\u00e9"}"#),
            (r#"{"a":"x\\"#, r#"{"a":"x\\"}"#),
            (r#"{"a":1,"b"#, r#"{"a":1}"#),
            (r#"{"a":1,"b":"#, r#"{"a":1}"#),
            (r#"{"a":{"b":12"#, r#"{"a":{}}"#),
            (r#"{"a":{"b":1},"c":tr"#, r#"{"a":{"b":1}}"#),
            (r#"{"a"#, "{}"),
            ("", ""),
        ] {
            assert_eq!(closed(cut), whole, "{cut}");
        }
        assert_eq!(close(&[b'['; 1000]), None);
    }

    #[test]
    fn a_name_that_was_cut_is_no_name() {
        for (cut, whole) in [
            (r#"{"a":"x","b":"y"#, r#"{"a":"x"}"#),
            (r#"{"a":"x","b":"y""#, r#"{"a":"x"}"#),
            (r#"{"a":"x","b":"y","#, r#"{"a":"x","b":"y"}"#),
            (r#"{"a":"x","b":{"c":"#, r#"{"a":"x","b":{}}"#),
        ] {
            let closed = close_whole_values(cut.as_bytes()).unwrap();
            assert_eq!(String::from_utf8(closed).unwrap(), whole, "{cut}");
        }
    }

    proptest! {
        #[test]
        fn wherever_it_is_cut_it_becomes_json(cut in 1usize..70) {
            let text = r#"{"a":[{"b":"x\u00e9\"y"},2.5e3,true,"z"],"c":{"d":null,"":[[]]},"e":"f"}"#;
            let cut = &text.as_bytes()[..cut.min(text.len())];
            for whole in [close(cut).unwrap(), close_whole_values(cut).unwrap()] {
                let parsed = serde_json::from_slice::<serde_json::Value>(&whole);
                prop_assert!(parsed.is_ok(), "{:?}", String::from_utf8(whole));
            }
        }
    }
}
