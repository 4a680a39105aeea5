//! What a rule or an exit code means: sections of `docs/rules.md` and `docs/exit-codes.md`, held in the binary.
//!
//! The pages are the single source; a section is everything from its `### ` heading to the next heading.

/// The page of the rules.
const RULES: &str = include_str!("../../docs/rules.md");
/// The page of the exit codes.
const EXIT_CODES: &str = include_str!("../../docs/exit-codes.md");

/// The section of a rule, from its heading on, without white space at its end.
pub fn section(id: &str) -> Option<&'static str> {
    section_of(RULES, id)
}

/// The section of an exit code, given as typed: `4`.
pub fn exit_code_section(code: &str) -> Option<&'static str> {
    section_of(EXIT_CODES, code)
}

/// Ids of all rules that have a section, in the order of the page.
pub fn ids() -> impl Iterator<Item = &'static str> {
    headings(RULES)
}

/// Exit codes that have a section.
pub fn exit_codes() -> impl Iterator<Item = &'static str> {
    headings(EXIT_CODES)
}

/// The section of a rule or an exit code; else up to three rules that may have been meant, the nearest first.
///
/// # Errors
///
/// The suggestions, possibly none.
pub fn look_up(topic: &str) -> Result<&'static str, Vec<&'static str>> {
    section(topic).or_else(|| exit_code_section(topic)).ok_or_else(|| suggestions(topic))
}

/// Up to three ids near to `topic`: a few letters away, or with `topic` as one of their parts.
pub fn suggestions(topic: &str) -> Vec<&'static str> {
    let topic = topic.trim().to_lowercase().replace(['_', ' '], "-");
    if topic.is_empty() {
        return Vec::new();
    }
    let mut near: Vec<(usize, &'static str)> = ids()
        .filter_map(|id| {
            let part = topic.len() > 2 && id.contains(&topic);
            let distance = if part { 1 } else { edit_distance(&topic, id) };
            (distance <= 1 + id.len() / 4).then_some((distance, id))
        })
        .collect();
    near.sort_by_key(|(distance, _)| *distance);
    near.into_iter().take(3).map(|(_, id)| id).collect()
}

fn headings(page: &'static str) -> impl Iterator<Item = &'static str> {
    page.lines().filter_map(|line| line.strip_prefix("### ")).map(str::trim)
}

fn section_of(page: &'static str, id: &str) -> Option<&'static str> {
    let mut start = None;
    let mut offset = 0;
    for line in page.split_inclusive('\n') {
        match start {
            None if line.strip_prefix("### ").is_some_and(|title| title.trim() == id) => start = Some(offset),
            Some(start) if line.starts_with("## ") || line.starts_with("### ") => {
                return page.get(start..offset).map(str::trim_end);
            }
            _ => {}
        }
        offset += line.len();
    }
    page.get(start?..).map(str::trim_end)
}

/// Letters to insert, remove or replace to get from one word to the other (Levenshtein).
fn edit_distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (line, letter) in from.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = line + 1;
        for (column, other) in to.iter().enumerate() {
            let replaced = diagonal + usize::from(letter != *other);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_section_says_when_its_rule_holds() {
        // Which ids there are is held against the code by `tests/docs/pages.rs`.
        assert!(ids().count() > 90);
        for id in ids() {
            let text = section(id).expect(id);
            assert!(text.lines().count() >= 5, "{id} is thin:\n{text}");
            assert!(text.contains("- Holds when: "), "{id} does not say when it holds");
            assert!(!text[4..].contains("\n#"), "{id} runs into the next section");
        }
    }

    #[test]
    fn every_exit_code_has_a_section_with_a_next_step() {
        let codes: Vec<&str> = exit_codes().collect();
        assert_eq!(codes, ["0", "1", "2", "3", "4", "5", "6", "130", "143"]);
        for code in codes {
            let text = exit_code_section(code).expect(code);
            assert!(text.contains("- Typical cause: ") && text.contains("- Next step: "), "{text}");
        }
    }

    #[test]
    fn a_section_is_found_by_its_exact_id_alone() {
        assert!(section("stale-run").expect("a section").starts_with("### stale-run\n"));
        assert!(look_up("4").expect("a section").starts_with("### 4\n"));
        assert_eq!(section("stale"), None);
        assert_eq!(section(""), None);
    }

    #[test]
    fn a_near_miss_gets_suggestions_and_nonsense_none() {
        assert_eq!(suggestions("stale-rum")[0], "stale-run");
        assert_eq!(suggestions("Zombie_Finished")[0], "zombie-finished");
        assert_eq!(suggestions("in-use")[0], "protected-in-use");
        assert_eq!(look_up("qqqqqqqq"), Err(Vec::new()));
        assert_eq!(suggestions(""), Vec::<&str>::new());
    }

    #[test]
    fn the_distance_counts_single_letters() {
        assert_eq!(edit_distance("kitten", "sitting"), 3);
        assert_eq!(edit_distance("", "abc"), 3);
        assert_eq!(edit_distance("abc", "abc"), 0);
    }
}
