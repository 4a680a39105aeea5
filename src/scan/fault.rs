//! The first place where a text stops being JSON.

use std::fmt;

/// Where, and what was expected there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Byte offset; the size of the text where it ended too early.
    pub offset: u64,
    /// Counted from 1.
    pub line: u64,
    /// Counted from 1, in UTF-16 units as editors and Node count.
    pub column: u64,
    /// UTF-16 units before it: Node's "position".
    pub position: u64,
    /// What was expected.
    pub expected: Expected,
    /// The byte that stands there; `None` at the end.
    pub found: Option<u8>,
}

impl Fault {
    /// Whether the text just ended too early.
    pub fn is_end(&self) -> bool {
        self.found.is_none()
    }
}

/// What the grammar allowed at the fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// A value.
    Value,
    /// A value or `]`.
    ValueOrClose,
    /// A key in double quotes.
    Key,
    /// A key in double quotes or `}`.
    KeyOrClose,
    /// `:`.
    Colon,
    /// `,` or `}`.
    CommaOrBrace,
    /// `,` or `]`.
    CommaOrBracket,
    /// The rest of `true`, `false` or `null`.
    Literal,
    /// A digit.
    Digit,
    /// A character of a string, or its closing quote.
    StringEnd,
    /// A control character inside a string would have to be escaped.
    Escaped,
    /// One of the escapes of JSON.
    Escape,
    /// A hexadecimal digit.
    Hex,
    /// Nothing more.
    End,
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Expected::Value => "a value",
            Expected::ValueOrClose => "a value or `]`",
            Expected::Key => "a key in double quotes",
            Expected::KeyOrClose => "a key in double quotes or `}`",
            Expected::Colon => "`:`",
            Expected::CommaOrBrace => "`,` or `}`",
            Expected::CommaOrBracket => "`,` or `]`",
            Expected::Literal => "`true`, `false` or `null`",
            Expected::Digit => "a digit",
            Expected::StringEnd => "the end of a string",
            Expected::Escaped => "an escape (a raw control character cannot stand in a string)",
            Expected::Escape => "an escape such as `\\n` or `\\u0041`",
            Expected::Hex => "a hexadecimal digit",
            Expected::End => "the end of the file",
        })
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected {}, found ", self.expected)?;
        match self.found {
            None => f.write_str("the end of the file"),
            Some(byte @ 0x21..=0x7e) => write!(f, "`{}`", byte as char),
            Some(b' ') => f.write_str("a blank"),
            Some(b'\n') => f.write_str("a line feed"),
            Some(byte) => write!(f, "byte 0x{byte:02x}"),
        }
    }
}
