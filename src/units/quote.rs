//! Words of a command line as systemd reads them.
//!
//! Three readers go over such a line: the one of words takes quotes and backslashes, the one of specifiers takes `%`,
//! and the one of variables takes `$`. The name of the program is special: it may hold no quote and no backslash
//! however they are written, and no variable is looked for in it.

/// A word that no unit file can hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} holds a control character: no unit of systemd can name it")]
pub struct Unwritable(pub String);

/// A command line: the program, words of ours, words of others.
pub(super) fn command(program: &str, ours: &[&str], others: &[String]) -> Result<String, Unwritable> {
    let mut line = the_program(program)?;
    line.extend(ours.iter().map(|word| (*word).to_owned()));
    for other in others {
        line.push(word(other)?);
    }
    Ok(line.join(" "))
}

/// A program whose name systemd would not take is called by a shell, which gets the name as a word like any other.
fn the_program(path: &str) -> Result<Vec<String>, Unwritable> {
    if path.contains(['"', '\'', '\\', '$']) {
        return Ok(vec!["/bin/sh".into(), "-c".into(), word(r#"exec "$0" "$@""#)?, word(path)?]);
    }
    Ok(vec![word(path)?])
}

/// A word of a command line.
fn word(text: &str) -> Result<String, Unwritable> {
    Ok(quoted(&checked(text)?.replace('%', "%%").replace('$', "$$")))
}

/// A variable for `Environment=`, in which `$` means nothing.
pub(super) fn assignment(name: &str, value: &str) -> Result<String, Unwritable> {
    Ok(quoted(&checked(&format!("{name}={value}"))?.replace('%', "%%")))
}

/// A value that is read to the end of its line.
pub(super) fn plain(text: &str) -> Result<String, Unwritable> {
    Ok(checked(text)?.replace('%', "%%"))
}

fn checked(text: &str) -> Result<&str, Unwritable> {
    if text.chars().any(char::is_control) { Err(Unwritable(text.to_owned())) } else { Ok(text) }
}

fn quoted(text: &str) -> String {
    let tame = |c: char| c.is_ascii_alphanumeric() || "/._+@:,=%-$".contains(c);
    if !text.is_empty() && text.chars().all(tame) {
        return text.to_owned();
    }
    format!("\"{}\"", text.replace('\\', r"\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_escaped_for_all_three_readers() {
        for (text, written) in [
            ("/usr/bin/x-1.0_y", "/usr/bin/x-1.0_y"),
            ("", r#""""#),
            ("a b", r#""a b""#),
            ("100%", "100%%"),
            ("$HOME", "$$HOME"),
            (r#"say "it's" \o/"#, r#""say \"it's\" \\o/""#),
            (";", r#"";""#),
            ("#x", "\"#x\""),
        ] {
            assert_eq!(word(text).unwrap(), written);
        }
        for bad in ["a\nb", "a\rb", "\u{7f}", "\u{85}"] {
            assert!(word(bad).is_err() && plain(bad).is_err() && assignment("A", bad).is_err());
        }
    }

    #[test]
    fn a_program_that_systemd_would_refuse_is_called_by_a_shell() {
        assert_eq!(command("/a b/%x", &["guard"], &[]).unwrap(), r#""/a b/%%x" guard"#);
        let line = command("/it's", &["guard"], &["--agent".into(), "$x".into()]).unwrap();
        assert_eq!(line, r#"/bin/sh -c "exec \"$$0\" \"$$@\"" "/it's" guard --agent $$x"#);
        assert_eq!(assignment("A", "b $c%").unwrap(), r#""A=b $c%%""#);
    }
}
