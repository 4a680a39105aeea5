//! White space between the tokens of JSON: counted, or taken out of bytes as they pass.
//!
//! Only for text that is known to be JSON: what is looked at here is where strings begin and end, and nothing else.

/// Where one is in a text that comes in pieces.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WhiteSpace {
    in_string: bool,
    /// The byte before was a backslash that escapes the next one.
    escaped: bool,
}

/// The four bytes that JSON knows as white space.
#[inline(always)]
fn is_white(byte: u8) -> bool {
    matches!(byte, b' ' | b'\n' | b'\r' | b'\t')
}

impl WhiteSpace {
    /// How many of these bytes are white space outside of strings.
    pub fn count(&mut self, bytes: &[u8]) -> u64 {
        let (mut at, mut white) = (0, 0);
        while at < bytes.len() {
            if self.in_string {
                at += self.string(&bytes[at..]);
                continue;
            }
            let rest = &bytes[at..];
            let between = memchr::memchr(b'"', rest).unwrap_or(rest.len());
            white += rest[..between].iter().filter(|byte| is_white(**byte)).count() as u64;
            self.in_string = between < rest.len();
            at += (between + 1).min(rest.len());
        }
        white
    }

    /// Moves everything else to the front, in order, and tells how much that is.
    pub fn squeeze(&mut self, bytes: &mut [u8]) -> usize {
        let (mut from, mut to) = (0, 0);
        while from < bytes.len() {
            if self.in_string {
                let len = self.string(&bytes[from..]);
                bytes.copy_within(from..from + len, to);
                (from, to) = (from + len, to + len);
                continue;
            }
            let byte = bytes[from];
            bytes[to] = byte;
            (from, to) = (from + 1, to + usize::from(!is_white(byte)));
            self.in_string = byte == b'"';
        }
        to
    }

    /// How many of the bytes belong to the string that one is in, its closing quote included.
    fn string(&mut self, bytes: &[u8]) -> usize {
        let mut at = usize::from(std::mem::take(&mut self.escaped));
        while let Some(found) = bytes.get(at..).and_then(|rest| memchr::memchr2(b'"', b'\\', rest)) {
            at += found;
            if bytes[at] == b'"' {
                self.in_string = false;
                return at + 1;
            }
            at += 2;
        }
        self.escaped = at > bytes.len();
        bytes.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn strings_keep_theirs_whatever_is_escaped_and_wherever_the_text_is_cut() {
        let text = b" {\r\n\t\"a b\" : [ \"\\\\\" , \"\\\" c \\\\\\\"\" , \" \\u0020\", 1 , true ],\n \"\" : {} } \n";
        let wanted = b"{\"a b\":[\"\\\\\",\"\\\" c \\\\\\\"\",\" \\u0020\",1,true],\"\":{}}";
        for step in 1..=text.len() {
            let (mut squeezing, mut counting) = (WhiteSpace::default(), WhiteSpace::default());
            let (mut out, mut white) = (Vec::new(), 0);
            for part in text.chunks(step) {
                let mut part = part.to_vec();
                white += counting.count(&part);
                let kept = squeezing.squeeze(&mut part);
                out.extend_from_slice(&part[..kept]);
            }
            assert_eq!(String::from_utf8_lossy(&out), String::from_utf8_lossy(wanted), "steps of {step}");
            assert_eq!(white as usize, text.len() - wanted.len(), "steps of {step}");
        }
    }

    fn json() -> impl Strategy<Value = serde_json::Value> {
        let text = || "[ \\\\\"\n\ta-b{}\\[\\]:,é]{0,8}";
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<i32>().prop_map(serde_json::Value::from),
            text().prop_map(serde_json::Value::from),
        ];
        leaf.prop_recursive(4, 40, 6, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(serde_json::Value::from),
                prop::collection::vec((text(), inner), 0..6)
                    .prop_map(|members| serde_json::Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_left_is_what_a_writer_without_white_space_writes(value in json()) {
            let mut pretty = serde_json::to_vec_pretty(&value).unwrap();
            let white = WhiteSpace::default().count(&pretty);
            let whole = pretty.len();
            let kept = WhiteSpace::default().squeeze(&mut pretty);
            pretty.truncate(kept);
            prop_assert_eq!(&pretty, &serde_json::to_vec(&value).unwrap());
            prop_assert_eq!(white as usize, whole - kept);
        }
    }
}
