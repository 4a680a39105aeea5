//! Where the elements of an array stand, in a small text that is JSON for certain.

use std::ops::Range;

/// The elements of the array that begins at `start`, in order. The text has been read as JSON before: nothing is
/// checked here.
pub fn elements(text: &[u8], start: u64) -> Vec<Range<u64>> {
    let mut found = Vec::new();
    let (mut depth, mut in_string, mut first) = (0_u32, false, None);
    let mut at = usize::try_from(start).unwrap_or(usize::MAX);
    while let Some(&byte) = text.get(at) {
        let ends = depth == 1 && !in_string && matches!(byte, b',' | b']');
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

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Vec<&str> {
        let start = text.find('[').unwrap() as u64;
        let at = |range: Range<u64>| &text[range.start as usize..range.end as usize];
        elements(text.as_bytes(), start).into_iter().map(at).collect()
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
}
