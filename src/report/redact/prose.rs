//! Sentences of ours with user text in them: what looks private is found word by word.
//!
//! This is a net, not a proof: a bare name that nothing marks as one gets through unless the caller knows it.
//! So whoever writes a sentence puts user text into quotation marks.

use super::{Redactor, vocabulary};

/// Bytes beyond which a sentence is none: it becomes one tag.
const LONGEST: usize = 8192;

/// The sentence with everything private replaced.
pub(super) fn redact(redactor: &Redactor, sentence: &str, known: &[&str]) -> String {
    if sentence.len() > LONGEST {
        return redactor.text(sentence);
    }
    let mut out = String::with_capacity(sentence.len());
    let mut rest = sentence;
    while let Some(found) = next_quoted(rest) {
        out.push_str(&redact_words(redactor, found.before, known));
        out.push(found.open);
        out.push_str(&redact_quoted(redactor, found.inner, known));
        out.push(found.close);
        rest = found.after;
    }
    out.push_str(&redact_words(redactor, rest, known));
    out
}

/// A quoted stretch and what stands around it.
struct Quoted<'a> {
    before: &'a str,
    open: char,
    inner: &'a str,
    close: char,
    after: &'a str,
}

/// The first quoted stretch. An apostrophe opens only at the start of a word and closes only at its end.
fn next_quoted(text: &str) -> Option<Quoted<'_>> {
    for (at, open) in text.char_indices() {
        let close = match open {
            '"' | '`' => open,
            '\'' if !text[..at].ends_with(char::is_alphanumeric) => open,
            '“' => '”',
            '‘' => '’',
            '«' => '»',
            _ => continue,
        };
        let inner_start = at + open.len_utf8();
        if let Some(length) = closing(&text[inner_start..], close) {
            let end = inner_start + length;
            return Some(Quoted {
                before: &text[..at],
                open,
                inner: &text[inner_start..end],
                close,
                after: &text[end + close.len_utf8()..],
            });
        }
    }
    None
}

/// Where the quotation ends: an escaped mark inside does not end it.
fn closing(text: &str, close: char) -> Option<usize> {
    text.char_indices().find_map(|(at, c)| {
        let escaped = close == '"' && text[..at].ends_with('\\');
        let inside = close == '\'' && text[at + c.len_utf8()..].starts_with(char::is_alphanumeric);
        (c == close && !escaped && !inside).then_some(at)
    })
}

/// Commands and known words stay readable; keys and paths keep their shape; all else becomes one tag.
fn redact_quoted(redactor: &Redactor, inner: &str, known: &[&str]) -> String {
    let command = ["sessions-doctor ", "openclaw ", "systemctl "].iter().any(|tool| inner.starts_with(tool));
    if command {
        return redact_words(redactor, inner, known);
    }
    if vocabulary::is_harmless(inner) || is_option(inner) {
        return inner.to_owned();
    }
    if is_key(inner) {
        return redactor.key(inner);
    }
    if is_path(inner) { redactor.path(inner) } else { redactor.text(inner) }
}

/// Text outside quotation marks: known strings first, then word by word.
fn redact_words(redactor: &Redactor, text: &str, known: &[&str]) -> String {
    let known: Vec<&str> = known
        .iter()
        .copied()
        .filter(|name| name.chars().nth(2).is_some() && !vocabulary::is_harmless(name))
        .collect();
    let word_by_word = |text: &str| -> String {
        text.split_inclusive(char::is_whitespace).map(|word| redact_word(redactor, word)).collect()
    };
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((at, name)) = first_known(rest, &known) {
        // The words around it must not be torn: a known name inside a path is a matter of the path.
        let start = rest[..at].trim_end_matches(|c: char| !c.is_whitespace()).len();
        let end = at + name.len();
        let end = rest[end..].find(char::is_whitespace).map_or(rest.len(), |space| end + space);
        out.push_str(&word_by_word(&rest[..start]));
        out.push_str(&redact_known(redactor, &rest[start..end], name));
        rest = &rest[end..];
    }
    out.push_str(&word_by_word(rest));
    out
}

/// The known string that stands first; of several at one place the longest.
fn first_known<'a>(text: &str, known: &[&'a str]) -> Option<(usize, &'a str)> {
    known
        .iter()
        .filter_map(|name| find_word(text, name).map(|at| (at, *name)))
        .min_by_key(|(at, name)| (*at, std::cmp::Reverse(name.len())))
}

/// A stretch of words that holds the known `name`.
fn redact_known(redactor: &Redactor, whole: &str, name: &str) -> String {
    if is_path(name) {
        // What follows belongs to the path: a known directory does not make the names below it harmless.
        let (head, path) = whole.find(name).map_or(("", whole), |at| whole.split_at(at));
        return if path[name.len()..].starts_with(['/', '\\']) {
            format!("{head}{}", redact_word(redactor, path))
        } else {
            whole.replace(name, &redactor.path(name))
        };
    }
    if whole.contains(['/', '\\', ':']) && !name.contains(char::is_whitespace) {
        // `ops:` is no key: where the word as such says nothing, the name in it still does.
        return redact_word(redactor, whole).replace(name, &redactor.text(name));
    }
    whole.replace(name, &redactor.text(name))
}

/// Where `name` stands in `text` as a word of its own.
fn find_word(text: &str, name: &str) -> Option<usize> {
    let free = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric());
    text.match_indices(name)
        .map(|(at, _)| at)
        .find(|at| free(text[..*at].chars().next_back()) && free(text[at + name.len()..].chars().next()))
}

/// One word with the white space after it.
fn redact_word(redactor: &Redactor, word: &str) -> String {
    const AROUND: &[char] = &['(', ')', '[', ']', '{', '}', '<', '>', ',', ';', '.', ':', '!', '?', '…', '='];
    let bare = word.trim_end();
    let core = bare.trim_end_matches(AROUND);
    let core = core.trim_start_matches(|c| c != '.' && c != '…' && AROUND.contains(&c));
    if core.is_empty() {
        return word.to_owned();
    }
    let start = core.as_ptr() as usize - word.as_ptr() as usize;
    format!("{}{}{}", &word[..start], redact_core(redactor, core), &word[start + core.len()..])
}

fn redact_core(redactor: &Redactor, core: &str) -> String {
    if let Some((name, value)) = core.split_once('=')
        && !name.is_empty()
    {
        return format!("{name}={}", redact_core(redactor, value));
    }
    if is_time(core) || vocabulary::is_harmless(core) || is_option(core) {
        return core.to_owned();
    }
    if is_path(core) {
        let (path, place) = split_place(core);
        return format!("{}{place}", redactor.path(path));
    }
    if is_key(core) {
        return redactor.key(core);
    }
    if is_file_name(core) {
        let (name, place) = split_place(core);
        return format!("{}{place}", redactor.path(name));
    }
    if is_private_word(core) { redactor.text(core) } else { core.to_owned() }
}

/// Splits `file:12:5` into the file and the place in it.
fn split_place(core: &str) -> (&str, &str) {
    let path = core.trim_end_matches(|c: char| c.is_ascii_digit() || c == ':');
    if core[path.len()..].starts_with(':') { core.split_at(path.len()) } else { (core, "") }
}

/// A backslash alone is an escape more often than a path, so it counts only after a drive or a server.
fn is_path(core: &str) -> bool {
    let drive = core.get(1..3) == Some(":\\") || core.starts_with("\\\\");
    (core.contains('/') || drive) && core.chars().any(char::is_alphanumeric)
}

fn is_file_name(core: &str) -> bool {
    [".jsonl", ".json", ".sqlite", ".tmp", ".lock"].iter().any(|ending| core.contains(ending))
}

/// A session key: several segments, the first of which is a word of the grammar.
fn is_key(core: &str) -> bool {
    core.split_once(':').is_some_and(|(first, rest)| !rest.is_empty() && vocabulary::is_key_word(first))
}

/// `--gateway`, `-v`.
fn is_option(core: &str) -> bool {
    core.strip_prefix('-')
        .is_some_and(|name| name.trim_start_matches('-').chars().all(|c| c.is_ascii_lowercase() || c == '-'))
}

/// A date, a time, a number with separators.
fn is_time(core: &str) -> bool {
    core.starts_with(|c: char| c.is_ascii_digit())
        && core.chars().all(|c| c.is_ascii_digit() || matches!(c, ':' | '.' | ',' | '-' | 'T' | 'Z'))
}

/// An address, a phone number, a group's negative number, a UUID, or anything else with segments.
fn is_private_word(core: &str) -> bool {
    let digits = core.chars().filter(char::is_ascii_digit).count();
    let phone = core.starts_with(['+', '-']) && digits >= 5;
    core.contains(['@', ':', '\\']) || phone || contains_uuid(core)
}

/// Whether 8-4-4-4-12 hex digits stand somewhere in the word.
fn contains_uuid(core: &str) -> bool {
    core.as_bytes().windows(36).any(|window| {
        window.iter().enumerate().all(|(index, byte)| match index {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
    })
}
