//! A naive way to take members out of a store that `JSON.stringify(store, null, 2)` wrote: by its lines. It knows nothing of
//! JSON but where such a writer breaks lines, so it shares no mistake with the scanner.

#![allow(dead_code, reason = "every test binary that includes this uses a part of it")]

/// The store without the members called `names` of the entries that `wanted` picks by key.
///
/// # Panics
///
/// Where the text was not written that way.
pub fn without(text: &str, names: &[&str], wanted: impl Fn(&str) -> bool) -> String {
    let lines: Vec<&str> = text.split('\n').collect();
    let (mut out, mut at): (Vec<String>, usize) = (Vec::new(), 0);
    while at < lines.len() {
        let line = lines[at];
        let key = line.strip_prefix("  \"").and_then(|rest| rest.strip_suffix("\": {"));
        at += 1;
        let Some(key) =
            key.filter(|key| wanted(&serde_json::from_str::<String>(&format!("\"{key}\"")).unwrap()))
        else {
            out.push(line.to_owned());
            continue;
        };
        let _ = key;
        let members = members(&lines, &mut at);
        let kept = members.into_iter().filter(|(name, _)| !names.contains(&name.as_str()));
        let kept: Vec<String> = kept.map(|(_, text)| text).collect();
        let end = lines[at - 1].strip_prefix("  ").unwrap();
        if kept.is_empty() {
            let open = line.strip_suffix('{').unwrap();
            out.push(format!("{open}{{{end}"));
        } else {
            out.push(line.to_owned());
            out.push(kept.join(",\n"));
            out.push(format!("  {end}"));
        }
    }
    out.join("\n")
}

/// Names and texts of the members of the entry whose first line is `lines[*at]`, commas left out; behind it, `at` is past the
/// brace.
fn members(lines: &[&str], at: &mut usize) -> Vec<(String, String)> {
    let mut members: Vec<(String, String)> = Vec::new();
    while !lines[*at].starts_with("  }") {
        let line = lines[*at];
        if let Some(rest) = line.strip_prefix("    \"") {
            members.push((rest.split('"').next().unwrap().to_owned(), line.to_owned()));
        } else {
            let (_, text) = members.last_mut().unwrap();
            text.push('\n');
            text.push_str(line);
        }
        *at += 1;
    }
    *at += 1;
    let last = members.len().saturating_sub(1);
    for (number, (_, text)) in members.iter_mut().enumerate() {
        let whole = text.strip_suffix(',').map(str::to_owned);
        assert_eq!(whole.is_some(), number < last, "{text}");
        *text = whole.unwrap_or_else(|| text.clone());
    }
    members
}
