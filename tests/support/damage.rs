//! Small stores of every style, and what a salvage made of a damaged one, to be looked at as text.

use std::ops::Range;

use sessions_doctor::model::entry::Flags;
use sessions_doctor::scan::entries::KeyContext;
use sessions_doctor::scan::salvage::{Salvage, salvage};
use sessions_doctor::scan::source::MemorySource;

/// How a store is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Set {
    /// Behind an opening bracket and a comma, before each level's indentation; none: all on one line.
    pub line: &'static str,
    /// A level of indentation.
    pub unit: &'static str,
    /// Between a name and its value.
    pub colon: &'static str,
}

/// As `JSON.stringify(x, null, 2)` writes it.
pub const INDENTED: Set = Set { line: "\n", unit: "  ", colon: ": " };
/// As `JSON.stringify(x)` writes it.
pub const COMPACT: Set = Set { line: "", unit: "", colon: ":" };
/// All of them.
pub const SETS: [Set; 5] = [
    INDENTED,
    COMPACT,
    Set { line: "\r\n", unit: "  ", colon: ": " },
    Set { line: "\n", unit: "\t", colon: ": " },
    Set { line: "\n", unit: "    ", colon: ": " },
];

impl Set {
    fn before(self, level: usize) -> String {
        if self.line.is_empty() { String::new() } else { format!("{}{}", self.line, self.unit.repeat(level)) }
    }

    fn object(self, level: usize, members: &[(String, String)]) -> String {
        if members.is_empty() {
            return "{}".to_owned();
        }
        let members: Vec<String> = members
            .iter()
            .map(|(name, value)| format!("{}\"{name}\"{}{value}", self.before(level + 1), self.colon))
            .collect();
        format!("{{{}{}}}", members.join(","), self.before(level))
    }
}

/// A store, and where its entries stand.
#[derive(Clone, Debug)]
pub struct Store {
    /// Its bytes.
    pub text: Vec<u8>,
    /// From the quote of each key to the end of each value.
    pub spans: Vec<Range<usize>>,
}

/// Entry number `at`, in `version`.
fn entry(set: Set, at: usize, version: usize) -> (String, String) {
    let key = match at % 9 {
        0 => format!("agent:main:cron:job-{}:run:r{at}", at / 7),
        1 => format!("agent:main:telegram:group:-100{at}"),
        2 => format!("agent:work:subagent:s{at}"),
        3 => format!("agent:main:cron:job-{at}"),
        4 if at.is_multiple_of(2) => format!("telegram:group:{at}"),
        5 => format!("agent:main:direct:\u{e4}{at}"),
        _ => format!("agent:main:dashboard:d{at}"),
    };
    let text = |value: &str| format!("\"{value}\"");
    let name = |name: &str| name.to_owned();
    let mut members = vec![
        (name("sessionId"), text(&format!("id-{at}"))),
        (name("updatedAt"), (1_795_223_628_227 + (version * 1000 + at) as u64).to_string()),
    ];
    if at.is_multiple_of(3) {
        let origin =
            [(name("chatType"), text("group")), (name("from"), text(&format!("x{{{at}}}, [\\\"y\\\"]")))];
        members.push((name("origin"), set.object(2, &origin)));
    }
    if at.is_multiple_of(4) {
        let inner = set.object(3, &[(name("updatedAt"), name("1795223628000")), (name("via"), text("z"))]);
        let map =
            [(format!("agent:main:peer:{at}"), inner.clone()), (format!("agent:main:pier:{at}"), inner)];
        members.push((name("peers"), set.object(2, &map)));
    }
    if at.is_multiple_of(5) {
        let report = "{\\n  \\\"agent:main:quoted\\\": {\\n    \\\"updatedAt\\\": 1795223628227\\n  }\\n}";
        members.push((name("systemPromptReport"), text(report)));
    }
    members.push((name("label"), text(&format!("v{version} \u{20ac}\\u00e9 {}", "-".repeat(at * 7 % 40)))));
    (key, set.object(1, &members))
}

impl Store {
    /// So many entries.
    pub fn new(set: Set, entries: usize) -> Store {
        Store::version(set, entries, 0)
    }

    /// As it was at another time.
    pub fn version(set: Set, entries: usize, version: usize) -> Store {
        Store::of(set, &(0..entries).map(|at| entry(set, at, version)).collect::<Vec<_>>())
    }

    /// These entries.
    pub fn of(set: Set, entries: &[(String, String)]) -> Store {
        let mut text = String::from("{");
        let mut spans = Vec::new();
        for (at, (key, value)) in entries.iter().enumerate() {
            text += if at > 0 { "," } else { "" };
            text += &set.before(1);
            let start = text.len();
            text += &format!("\"{key}\"{}{value}", set.colon);
            spans.push(start..text.len());
        }
        text += &set.before(0);
        text += "}";
        Store { text: text.into_bytes(), spans }
    }

    /// The text of entry number `at`.
    pub fn member(&self, at: usize) -> &[u8] {
        &self.text[self.spans[at].clone()]
    }

    /// The text of all entries.
    pub fn members(&self) -> Vec<&[u8]> {
        (0..self.spans.len()).map(|at| self.member(at)).collect()
    }
}

/// What was had back of `text`, in windows of so many bytes.
pub fn salvaged(text: &[u8], window: usize) -> Salvage {
    let context = KeyContext { main_key: "main", marks: &|_, _| Flags::NONE };
    let mut seen = 0;
    let whole = salvage(&mut MemorySource::new(text, window), &context, &mut |at, bytes| {
        assert!(at == seen || seen == 0 && at == 3, "bytes are watched once and in order");
        seen = at + bytes.len() as u64;
        Ok(())
    });
    assert!(seen == text.len() as u64 || text.len() == 3);
    whole.unwrap()
}

/// The texts of the entries: those that are certain, and those that are likely.
pub fn texts<'a>(text: &'a [u8], salvage: &Salvage) -> (Vec<&'a [u8]>, Vec<&'a [u8]>) {
    let mut parts = (Vec::new(), Vec::new());
    for (at, entry) in salvage.entries.iter().enumerate() {
        let bytes = &text[entry.start() as usize..entry.end() as usize];
        let likely = salvage.likely.binary_search(&(at as u32)).is_ok();
        if likely { parts.1.push(bytes) } else { parts.0.push(bytes) }
    }
    parts
}
