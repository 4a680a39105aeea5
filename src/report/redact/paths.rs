//! Paths: `~/.openclaw/agents/<tag>/sessions/<tag>.jsonl`.

use super::{Redactor, vocabulary};

/// The path with every component that is no known name replaced by its tag, and the home directory by `~`.
pub(super) fn redact(redactor: &Redactor, path: &str) -> String {
    let below = redactor.home.as_deref().and_then(|home| path.strip_prefix(home));
    let (mut out, rest) = match below {
        Some(rest) if rest.is_empty() || rest.starts_with(['/', '\\']) => ("~".to_owned(), rest),
        _ => (String::new(), path),
    };
    for component in rest.split_inclusive(['/', '\\']) {
        let name = component.trim_end_matches(['/', '\\']);
        out.push_str(&redact_component(redactor, name));
        out.push_str(&component[name.len()..]);
    }
    out
}

fn redact_component(redactor: &Redactor, name: &str) -> String {
    let drive = name.len() == 2 && name.ends_with(':');
    if name.is_empty() || drive || vocabulary::is_path_name(name) || is_run_id(name) {
        return name.to_owned();
    }
    let (stem, ending) = split_ending(name);
    match stem {
        "" => ending.to_owned(),
        // Rotations and temporary files of the store: the digits are a time or random.
        _ if vocabulary::is_path_name(stem) => format!("{stem}{ending}"),
        _ => format!("{}{ending}", redactor.tag(stem)),
    }
}

/// Splits a file name into the part that names something and the endings that OpenClaw gives.
fn split_ending(name: &str) -> (&str, &str) {
    if let Some(rest) = name.strip_prefix("sessions.json.")
        && (is_digits(rest.strip_prefix("bak.").unwrap_or("")) || is_temporary(rest))
    {
        return name.split_at("sessions.json".len());
    }
    for ending in [".trajectory.jsonl", ".jsonl", ".json", ".sqlite", ".lock", ".tmp"] {
        if let Some(at) = name.rfind(ending)
            && is_known_tail(&name[at + ending.len()..])
        {
            return name.split_at(at);
        }
    }
    (name, "")
}

/// What may follow an ending: a lock, a migration mark, or the time stamp of an archive.
fn is_known_tail(tail: &str) -> bool {
    let stamp =
        |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_digit() || "TZ-.".contains(c));
    matches!(tail, "" | ".lock" | ".migrated" | ".bak")
        || [".deleted.", ".reset.", ".bak."].iter().any(|mark| tail.strip_prefix(mark).is_some_and(stamp))
}

/// `<uuid>.tmp` or `<pid>.<uuid>.tmp`.
fn is_temporary(rest: &str) -> bool {
    rest.strip_suffix(".tmp")
        .is_some_and(|middle| middle.chars().all(|c| c.is_ascii_hexdigit() || c == '-' || c == '.'))
}

/// `20261121T010914.743Z`, with whatever digits, letters `a-f` and hyphens make it unique.
fn is_run_id(name: &str) -> bool {
    let (stamp, suffix) = name.split_once('Z').unwrap_or((name, "!"));
    stamp.len() == 19
        && stamp.chars().enumerate().all(|(index, c)| match index {
            8 => c == 'T',
            15 => c == '.',
            _ => c.is_ascii_digit(),
        })
        && suffix.chars().all(|c| c.is_ascii_hexdigit() || c == '-')
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_digit())
}
