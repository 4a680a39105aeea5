//! `<state>/.env`: variables that the gateway adds to its environment, without overriding what is set there.

use std::collections::HashMap;

/// Reads `KEY=VALUE` lines as the usual `.env` readers do; a later line wins, and what is no such line is passed over.
///
/// `export` may stand before a key, quotes around a value; within double quotes `\n` is a line feed. Without quotes a
/// `#` begins a comment. A value that spans several lines is not followed.
pub fn parse(bytes: &[u8]) -> HashMap<String, String> {
    let text = String::from_utf8_lossy(bytes);
    text.lines().filter_map(pair).collect()
}

fn pair(line: &str) -> Option<(String, String)> {
    let line = line.trim().trim_start_matches('\u{feff}');
    let line = line.strip_prefix("export ").unwrap_or(line);
    let (key, value) = line.split_once('=')?;
    let key = key.trim();
    let legal = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
    (!key.is_empty() && key.chars().all(legal)).then(|| (key.to_owned(), unquoted(value.trim())))
}

fn unquoted(value: &str) -> String {
    let quoted = value.chars().next().filter(|first| "\"'`".contains(*first));
    let inner = quoted.and_then(|quote| value.strip_prefix(quote)?.split_once(quote)).map(|(inner, _)| inner);
    match (quoted, inner) {
        (Some('"'), Some(inner)) => inner.replace("\\n", "\n").replace("\\r", "\r"),
        (_, Some(inner)) => inner.to_owned(),
        _ => value.split('#').next().unwrap_or_default().trim_end().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_usual_lines() {
        let text =
            "# note\nA=1\nexport B = 'x # y' # z\nC=\"a\\nb\"\nD=v # w\nE=\nno line\n1 2=3\nA=2\r\nF='open\n";
        let env = parse(text.as_bytes());
        let get = |key: &str| env.get(key).map(String::as_str);
        assert_eq!((get("A"), get("B"), get("C")), (Some("2"), Some("x # y"), Some("a\nb")));
        assert_eq!((get("D"), get("E"), get("F")), (Some("v"), Some(""), Some("'open")));
        assert_eq!(env.len(), 6);
    }
}
