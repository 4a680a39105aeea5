//! Edits of a small JSON document that is no store: members that are left out, and members that come back.
//!
//! A path leads through the names of members, and through lists by the `id` (of old, `jobId`) of an element. What stays
//! is copied byte for byte. Names that stand in an object more than once go together: the last would give way to the
//! one before it.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Range;

use super::pieces::{Members, Splice, copy_spliced};
use crate::model::entry::Entry;
use crate::model::plan::{ChangeRecord, EditRecord, PieceTable};
use crate::scan::members::{self, Member};
use crate::scan::outline::outline;
use crate::scan::source::MemorySource;
use crate::scan::text::decode;
use crate::scan::value::children;

/// Values up to this many bytes are told in the record as well as by their place in the original.
const TOLD: usize = 256;

/// A member that is to be left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cut {
    /// Where it stands.
    pub path: Vec<String>,
    /// The rule that asks for it.
    pub rule: &'static str,
    /// What kind of thing it belongs to, e.g. `cron-job`.
    pub family: &'static str,
}

/// A document that is JSON, read whole.
#[derive(Clone, Debug)]
pub struct Text<'a> {
    /// All of it.
    pub bytes: &'a [u8],
    /// Its value, without white space around it.
    pub root: Range<u64>,
}

/// What becomes of a document.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Edited {
    /// What is left out, and what is put in.
    pub splices: Vec<Splice>,
    /// The same, for people and for `undo`.
    pub records: Vec<ChangeRecord>,
}

impl Edited {
    /// The new document; `source` is the old one.
    pub fn table(&self, bytes: u64) -> PieceTable {
        let mut table = PieceTable::new();
        copy_spliced(&mut table, 0, 0..bytes, &self.splices);
        table
    }
}

/// Leaves members out. An error says why that cannot be done, and then nothing is.
pub fn cut(text: &Text<'_>, cuts: &[Cut]) -> Result<Edited, String> {
    let mut parents: BTreeMap<&[String], HashMap<&[u8], &Cut>> = BTreeMap::new();
    for cut in cuts {
        let (name, parent) = cut.path.split_last().ok_or("a member without a name")?;
        parents.entry(parent).or_default().insert(name.as_bytes(), cut);
    }
    let mut edited = Edited::default();
    for (parent, wanted) in &parents {
        let object = text.object_at(parent)?.ok_or_else(|| format!("there is no {}", shown(parent)))?;
        let found = text.members(&object)?;
        let names: HashSet<&[u8]> = found.iter().map(|member| member.name.as_slice()).collect();
        if let Some(name) = wanted.keys().find(|name| !names.contains(*name)) {
            return Err(format!("{} has no member {}", shown(parent), String::from_utf8_lossy(name)));
        }
        edited.leave_out(text, object, &found, wanted);
    }
    edited.splices.sort_by_key(|splice| splice.at.start);
    if edited.splices.windows(2).any(|pair| pair[1].at.start < pair[0].at.end) {
        return Err("a member is to go together with one inside it".to_owned());
    }
    Ok(edited)
}

/// Puts members of `then` back that a run left out, where `now` lacks them, or holds `null` in their place. What they
/// belonged to must still be there.
pub fn put_back(now: &Text<'_>, then: &Text<'_>, records: &[ChangeRecord]) -> Result<Edited, String> {
    let mut parents: BTreeMap<Vec<String>, Vec<&ChangeRecord>> = BTreeMap::new();
    for record in records.iter().filter(|record| record.action == "remove") {
        let mut path = path_of(record)?;
        path.pop();
        parents.entry(path).or_default().push(record);
    }
    let mut edited = Edited::default();
    for (parent, records) in &parents {
        if let (Some(object), Some(old)) = (now.object_at(parent)?, then.object_at(parent)?) {
            edited.bring_back(now, object, (then, old), records)?;
        }
    }
    edited.splices.sort_by_key(|splice| splice.at.start);
    Ok(edited)
}

/// The path that a record is of.
pub fn path_of(record: &ChangeRecord) -> Result<Vec<String>, String> {
    serde_json::from_str(&record.key).map_err(|error| format!("'{}' is no path: {error}", record.key))
}

/// The record of a member that comes back.
pub fn restored(record: ChangeRecord) -> ChangeRecord {
    ChangeRecord { action: "restore".to_owned(), rule: "recovered".to_owned(), ..record }
}

fn shown(path: &[String]) -> String {
    if path.is_empty() { "the document".to_owned() } else { path.join("/") }
}

/// A member of an object.
struct Named {
    name: Vec<u8>,
    span: Range<u64>,
}

impl<'a> Text<'a> {
    fn source(&self) -> MemorySource<'a> {
        MemorySource::new(self.bytes, self.bytes.len())
    }

    fn slice(&self, range: Range<u64>) -> &'a [u8] {
        &self.bytes[range.start as usize..range.end as usize]
    }

    /// The object that a path leads to; `None` where it leads nowhere, or to something else.
    fn object_at(&self, path: &[String]) -> Result<Option<Range<u64>>, String> {
        let mut at = self.root.clone();
        for step in path {
            let next = match self.slice(at.clone()).first() {
                Some(b'{') => self.member(at, step)?.map(|member| member.value),
                Some(b'[') => self.element(at, step)?,
                _ => None,
            };
            let Some(next) = next else { return Ok(None) };
            at = next;
        }
        Ok(self.slice(at.clone()).starts_with(b"{").then_some(at))
    }

    fn member(&self, object: Range<u64>, name: &str) -> Result<Option<Member>, String> {
        let found = members::find(&mut self.source(), object, &[name]).map_err(|error| error.to_string())?;
        Ok(found.into_iter().next().flatten())
    }

    /// The element of a list with that id. Of two OpenClaw would take one, and which is not for us to say.
    fn element(&self, list: Range<u64>, id: &str) -> Result<Option<Range<u64>>, String> {
        let mut found = None;
        for element in children(self.bytes, list.start) {
            if self.slice(element.clone()).starts_with(b"{") && self.id_of(element.clone())? == id.as_bytes()
            {
                if found.is_some() {
                    return Err(format!("two elements have the id {id}"));
                }
                found = Some(element);
            }
        }
        Ok(found)
    }

    fn id_of(&self, element: Range<u64>) -> Result<Vec<u8>, String> {
        for name in ["id", "jobId"] {
            let text = self.member(element.clone(), name)?.map(|member| self.slice(member.value));
            if let Some(inner) = text.and_then(|text| text.strip_prefix(b"\"")?.strip_suffix(b"\""))
                && !inner.is_empty()
            {
                return Ok(decode(inner).into_owned());
            }
        }
        Ok(Vec::new())
    }

    fn members(&self, object: &Range<u64>) -> Result<Vec<Named>, String> {
        let mut source = self.source();
        let told = |error: std::io::Error| error.to_string();
        let outline = outline(&mut source, object.clone(), &[]).map_err(told)?;
        let spans = outline.ok_or("an object has too many members to take apart")?.spans;
        let named = spans.into_iter().map(|span| {
            let raw = members::raw_key(&mut source, span.start).map_err(told)?;
            Ok(Named { name: decode(&raw[1..raw.len() - 1]).into_owned(), span })
        });
        named.collect()
    }

    fn raw_name(&self, member: &Named) -> String {
        let raw = members::raw_key(&mut self.source(), member.span.start).unwrap_or_default();
        String::from_utf8_lossy(&raw).into_owned()
    }

    fn value_of(&self, span: &Range<u64>) -> Result<Range<u64>, String> {
        let entry = Entry::new(span.start, span.end);
        members::value_span(&mut self.source(), &entry).map_err(|error| error.to_string())
    }

    /// The white space in front of `at`.
    fn blank_before(&self, at: u64) -> &'a [u8] {
        let front = &self.bytes[..at as usize];
        let blank = front.iter().rev().take_while(|byte| byte.is_ascii_whitespace()).count();
        &front[front.len() - blank..]
    }
}

impl Edited {
    fn leave_out(
        &mut self,
        text: &Text<'_>,
        object: Range<u64>,
        found: &[Named],
        wanted: &HashMap<&[u8], &Cut>,
    ) {
        let goes = |member: &Named| wanted.get(member.name.as_slice()).copied();
        let mut members = Members::of(object);
        let mut gone: Vec<Range<u64>> =
            found.iter().map(|member| members.next(member.span.clone(), goes(member).is_none())).collect();
        gone.push(members.end());
        let gone = gone.into_iter().filter(|gone| !gone.is_empty());
        self.splices.extend(gone.map(|at| Splice { at, bytes: Vec::new() }));
        let (mut before, mut unanswered) = (None, self.records.len());
        for member in found {
            let name = || text.raw_name(member);
            match goes(member) {
                Some(cut) => self.records.push(ChangeRecord {
                    key: serde_json::to_string(&cut.path).unwrap_or_default(),
                    action: "remove".to_owned(),
                    rule: cut.rule.to_owned(),
                    family: cut.family.to_owned(),
                    source: None,
                    before: before.clone(),
                    after: None,
                    start: member.span.start,
                    end: member.span.end,
                    edits: told(text, cut, member),
                }),
                None => {
                    self.records[unanswered..].iter_mut().for_each(|record| record.after = Some(name()));
                    (before, unanswered) = (Some(name()), self.records.len());
                }
            }
        }
    }

    fn bring_back(
        &mut self,
        now: &Text<'_>,
        object: Range<u64>,
        (then, old): (&Text<'_>, Range<u64>),
        records: &[&ChangeRecord],
    ) -> Result<(), String> {
        let found = now.members(&object)?;
        let places: HashMap<&[u8], usize> =
            found.iter().enumerate().map(|(at, member)| (member.name.as_slice(), at)).collect();
        let place = |name: &[u8]| places.get(name).copied();
        let of = |raw: &Option<String>| raw.as_ref().and_then(|raw| place(&decode(inside(raw).as_bytes())));
        let was = then.members(&old)?;
        let mut behind: Vec<Vec<&Named>> = (0..=found.len()).map(|_| Vec::new()).collect();
        let mut last = 0;
        for record in records {
            let lost = was.binary_search_by_key(&record.start, |member| member.span.start).map(|at| &was[at]);
            let lost = lost.map_err(|_| "the original does not hold what the run left out")?;
            match place(&lost.name).map(|at| now.value_of(&found[at].span)).transpose()? {
                Some(value) if now.slice(value.clone()) != b"null" => continue,
                Some(value) => {
                    let bytes = then.slice(then.value_of(&lost.span)?).to_vec();
                    self.splices.push(Splice { at: value, bytes });
                }
                None => {
                    last = match (of(&record.before), of(&record.after)) {
                        (Some(before), _) => before + 1,
                        (None, Some(after)) => after,
                        (None, None) if record.before.is_none() => 0,
                        (None, None) => last.max(usize::from(record.after.is_none()) * found.len()),
                    };
                    behind[last].push(lost);
                }
            }
            self.records.push(restored((*record).clone()));
        }
        self.insert(now, object, (then, old), &found, &behind);
        Ok(())
    }

    /// Puts members between those that are there, each with the white space that stood before it.
    fn insert(
        &mut self,
        now: &Text<'_>,
        object: Range<u64>,
        (then, old): (&Text<'_>, Range<u64>),
        found: &[Named],
        behind: &[Vec<&Named>],
    ) {
        let text = |member: &&Named| {
            [then.blank_before(member.span.start), then.slice(member.span.clone())].concat()
        };
        for (slot, lost) in behind.iter().enumerate().filter(|(_, lost)| !lost.is_empty()) {
            let texts: Vec<Vec<u8>> = lost.iter().map(text).collect();
            let joined = texts.join(&b","[..]);
            let (at, bytes) = match (slot, found.first()) {
                (_, None) => {
                    let inside = object.start + 1..object.end - 1;
                    (inside, [joined, then.blank_before(old.end - 1).to_vec()].concat())
                }
                (0, Some(first)) => {
                    // In front of the first, behind the white space that stands before it.
                    let blank = now.blank_before(first.span.start);
                    let front = first.span.start - blank.len() as u64;
                    (front..front, [joined, b",".to_vec()].concat())
                }
                (slot, Some(_)) => {
                    let end = found[slot - 1].span.end;
                    (end..end, [b",".to_vec(), joined].concat())
                }
            };
            self.splices.push(Splice { at, bytes });
        }
    }
}

/// A short value is told as it stood; a long one lies in the original.
fn told(text: &Text<'_>, cut: &Cut, member: &Named) -> Vec<EditRecord> {
    let value = text.value_of(&member.span).map(|value| text.slice(value)).unwrap_or_default();
    let old = (value.len() <= TOLD).then(|| String::from_utf8_lossy(value).into_owned());
    let field = cut.path.last().cloned().unwrap_or_default();
    old.map(|old| EditRecord { field, old: Some(old), new: None }).into_iter().collect()
}

fn inside(raw: &str) -> &str {
    raw.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(raw)
}

#[cfg(test)]
mod tests;
