//! JSON text, letter for letter as `JSON.stringify(value, null, indent)` writes it.

/// A value; members keep their order.
#[derive(Clone, Debug)]
pub enum Json {
    /// `true` or `false`.
    Bool(bool),
    /// A whole number that a double holds.
    Int(i64),
    /// Millionths, written as the shortest decimal.
    Micros(u64),
    /// A string.
    Str(String),
    /// A string's text between its quotes, already escaped: the one way to say a lone surrogate.
    Escaped(&'static str),
    /// A list.
    List(Vec<Json>),
    /// An object.
    Object(Vec<(String, Json)>),
    /// Text rendered before, for this depth and indent.
    Rendered(String),
}

impl From<&str> for Json {
    fn from(text: &str) -> Self {
        Self::Str(text.to_owned())
    }
}

impl From<String> for Json {
    fn from(text: String) -> Self {
        Self::Str(text)
    }
}

impl From<i64> for Json {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl From<bool> for Json {
    fn from(truth: bool) -> Self {
        Self::Bool(truth)
    }
}

/// An object from its members.
pub fn object<const N: usize>(members: [(&str, Json); N]) -> Json {
    Json::Object(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

/// Writes values one after the other into a text.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    /// Blanks for each level; 0 for no white space at all.
    pub indent: usize,
}

impl Style {
    /// The text of a whole document.
    pub fn document(self, value: &Json) -> String {
        let mut out = String::new();
        self.value(&mut out, value, 0);
        out
    }

    /// Appends a value that stands `depth` levels deep.
    pub fn value(self, out: &mut String, value: &Json, depth: usize) {
        match value {
            Json::Bool(truth) => out.push_str(if *truth { "true" } else { "false" }),
            Json::Int(number) => out.push_str(&number.to_string()),
            Json::Micros(count) => micros(out, *count),
            Json::Str(text) => string(out, text),
            Json::Escaped(text) => {
                out.push('"');
                out.push_str(text);
                out.push('"');
            }
            Json::Rendered(text) => out.push_str(text),
            Json::List(values) if values.is_empty() => out.push_str("[]"),
            Json::List(values) => {
                out.push('[');
                for (at, value) in values.iter().enumerate() {
                    self.separate(out, at, depth + 1);
                    self.value(out, value, depth + 1);
                }
                self.line(out, depth);
                out.push(']');
            }
            Json::Object(members) if members.is_empty() => out.push_str("{}"),
            Json::Object(members) => {
                out.push('{');
                for (at, (name, value)) in members.iter().enumerate() {
                    self.separate(out, at, depth + 1);
                    self.name(out, name);
                    self.value(out, value, depth + 1);
                }
                self.line(out, depth);
                out.push('}');
            }
        }
    }

    /// Appends a member's name and colon.
    pub fn name(self, out: &mut String, name: &str) {
        string(out, name);
        out.push_str(if self.indent == 0 { ":" } else { ": " });
    }

    /// Appends what stands before the `at`-th member or item.
    pub fn separate(self, out: &mut String, at: usize, depth: usize) {
        if at > 0 {
            out.push(',');
        }
        self.line(out, depth);
    }

    /// Appends a line break and the blanks of `depth`; nothing in a compact text.
    pub fn line(self, out: &mut String, depth: usize) {
        if self.indent > 0 {
            out.push('\n');
            out.extend(std::iter::repeat_n(' ', self.indent * depth));
        }
    }
}

fn micros(out: &mut String, count: u64) {
    out.push_str(&(count / 1_000_000).to_string());
    let fraction = format!("{:06}", count % 1_000_000);
    let fraction = fraction.trim_end_matches('0');
    if !fraction.is_empty() {
        out.push('.');
        out.push_str(fraction);
    }
}

fn string(out: &mut String, text: &str) {
    out.push('"');
    for letter in text.chars() {
        match letter {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\u{c}' => out.push_str("\\f"),
            '\r' => out.push_str("\\r"),
            control if control < ' ' => out.push_str(&format!("\\u{:04x}", control as u32)),
            other => out.push(other),
        }
    }
    out.push('"');
}
