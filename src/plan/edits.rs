//! Changes inside an entry that stays: healing a base, stripping caches.

use std::io;
use std::ops::Range;

use super::pieces::{Members, Splice};
use crate::model::caches::{Cache, Caches, SKILLS};
use crate::model::entry::{Entry, Flags};
use crate::model::plan::EditRecord;
use crate::model::verdict::Healing;
use crate::scan::automaton::Kind;
use crate::scan::members::{self, Member};
use crate::scan::outline::outline;
use crate::scan::source::{Source, read_range};

/// What is changed inside one entry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Edits {
    /// Bytes that are replaced, inserted or left out, in order.
    pub splices: Vec<Splice>,
    /// The same, for people and for `undo`.
    pub records: Vec<EditRecord>,
}

/// Sets `status` and `endedAt`. A missing `endedAt` is inserted after `status`, in the entry's own style.
/// `None` where the entry has no `status` to heal.
pub fn heal(source: &mut dyn Source, object: Range<u64>, healing: Healing) -> io::Result<Option<Edits>> {
    let found = members::find(source, object, &["status", "endedAt"])?;
    let Some(status) = &found[0] else { return Ok(None) };
    let new_status = format!("\"{}\"", healing.status);
    let ended_at = healing.ended_at.to_string();
    let mut edits = Edits::default();
    edits.replace(source, "status", &status.value, new_status)?;
    match &found[1] {
        Some(member) => edits.replace(source, "endedAt", &member.value, ended_at)?,
        None => edits.insert_after(source, status, "endedAt", ended_at)?,
    }
    edits.splices.sort_by_key(|splice| splice.at.start);
    Ok(Some(edits))
}

/// Strips caches of an entry. `None` where there is none, or too much to take apart.
pub fn strip(source: &mut dyn Source, entry: &Entry, caches: Caches) -> io::Result<Option<Edits>> {
    let object = members::value_span(source, entry)?;
    let whole: Vec<Cache> = held(entry, caches).filter(|cache| cache.inner.is_none()).collect();
    let names: Vec<&str> = whole.iter().map(|cache| cache.member).collect();
    let splices = leave_out(source, object.clone(), &names)?;
    let records = if splices.is_empty() { Vec::new() } else { whole.iter().map(gone).collect() };
    let mut edits = Edits { splices, records };
    for (cache, inner) in held(entry, caches).filter_map(|cache| Some((cache, cache.inner?))) {
        let found = members::find(source, object.clone(), &[cache.member])?.swap_remove(0);
        let Some(member) = found.filter(|member| member.kind == Kind::Object) else { continue };
        let splices = leave_out(source, member.value, &[inner])?;
        let records = if splices.is_empty() { Vec::new() } else { vec![gone(&cache)] };
        edits = edits.and(Edits { splices, records });
    }
    Ok((!edits.splices.is_empty()).then_some(edits))
}

/// The caches that an entry holds, as far as the scan tells.
fn held(entry: &Entry, caches: Caches) -> impl Iterator<Item = Cache> {
    let (skills, report) = (entry.is(Flags::SKILLS), entry.is(Flags::REPORT));
    caches.each().filter(move |cache| if cache.member == SKILLS { skills } else { report })
}

/// The value lies in the original.
fn gone(cache: &Cache) -> EditRecord {
    EditRecord { field: cache.name(), old: None, new: None }
}

/// What [`strip`] tells of an entry that it strips, where that is known without a look at it.
pub fn stripped(entry: &Entry, caches: Caches) -> Option<Vec<EditRecord>> {
    held(entry, caches).map(|cache| cache.inner.is_none().then(|| gone(&cache))).collect()
}

/// What leaves an object with the members called `names`; nothing where it has too many members to be taken apart.
fn leave_out(source: &mut dyn Source, object: Range<u64>, names: &[&str]) -> io::Result<Vec<Splice>> {
    let outline = if names.is_empty() { None } else { outline(source, object.clone(), names)? };
    let Some(outline) = outline else { return Ok(Vec::new()) };
    let mut members = Members::of(object);
    let pairs = outline.spans.into_iter().zip(outline.named);
    let mut gone: Vec<Range<u64>> = pairs.map(|(span, named)| members.next(span, !named)).collect();
    gone.push(members.end());
    let gone = gone.into_iter().filter(|gone| !gone.is_empty());
    Ok(gone.map(|at| Splice { at, bytes: Vec::new() }).collect())
}

impl Edits {
    /// These and the caches that go.
    pub fn and(mut self, stripped: Edits) -> Self {
        self.splices.extend(stripped.splices);
        self.records.extend(stripped.records);
        self.splices.sort_by_key(|splice| (splice.at.start, splice.at.end));
        self
    }

    fn replace(
        &mut self,
        source: &mut dyn Source,
        field: &str,
        value: &Range<u64>,
        new: String,
    ) -> io::Result<()> {
        let old = text_of(source, value.clone())?;
        self.records.push(EditRecord { field: field.to_owned(), old: Some(old), new: Some(new.clone()) });
        self.splices.push(Splice { at: value.clone(), bytes: new.into_bytes() });
        Ok(())
    }

    fn insert_after(
        &mut self,
        source: &mut dyn Source,
        neighbour: &Member,
        field: &str,
        value: String,
    ) -> io::Result<()> {
        let raw_key = members::raw_key(source, neighbour.span.start)?;
        let key_end = neighbour.span.start + raw_key.len() as u64;
        let before = text_of(source, neighbour.after..neighbour.span.start)?;
        let colon = text_of(source, key_end..neighbour.value.start)?;
        let blank = before.trim_start_matches([' ', '\t', '\r', '\n']).trim_start_matches(',');
        let lead = if neighbour.first { before.as_str() } else { blank };
        let bytes = format!(",{lead}\"{field}\"{colon}{value}").into_bytes();
        self.records.push(EditRecord { field: field.to_owned(), old: None, new: Some(value) });
        self.splices.push(Splice { at: neighbour.value.end..neighbour.value.end, bytes });
        Ok(())
    }
}

fn text_of(source: &mut dyn Source, range: Range<u64>) -> io::Result<String> {
    Ok(String::from_utf8_lossy(&read_range(source, range)?).into_owned())
}

#[cfg(test)]
mod tests {
    use super::super::pieces::copy_spliced;
    use super::*;
    use crate::model::plan::{Piece, PieceTable};
    use crate::scan::entries::{KeyContext, scan};
    use crate::scan::source::MemorySource;

    fn render(text: &str, edits: &Edits) -> String {
        let mut table = PieceTable::new();
        copy_spliced(&mut table, 0, 0..text.len() as u64, &edits.splices);
        let parts = table.pieces().map(|piece| match piece {
            Piece::Copy { start, end, .. } => text[start as usize..end as usize].to_owned(),
            Piece::Literal(bytes) => String::from_utf8(bytes.into_owned()).unwrap(),
        });
        parts.collect()
    }

    fn healed(text: &str) -> String {
        let mut source = MemorySource::new(text.as_bytes(), 5);
        let healing = Healing { status: "failed", ended_at: 17 };
        let edits = heal(&mut source, 0..text.len() as u64, healing).unwrap();
        render(text, &edits.unwrap())
    }

    #[test]
    fn healing_keeps_the_style_of_the_entry() {
        let cases = [
            (
                "{\n    \"a\": 1,\n    \"status\": \"running\",\n    \"b\": 2\n  }",
                "{\n    \"a\": 1,\n    \"status\": \"failed\",\n    \"endedAt\": 17,\n    \"b\": 2\n  }",
            ),
            ("{\"status\":\"running\"}", "{\"status\":\"failed\",\"endedAt\":17}"),
            ("{ \"status\" : \"running\" }", "{ \"status\" : \"failed\", \"endedAt\" : 17 }"),
            (
                "{\"endedAt\": 3, \"a\": {\"status\": 1},\r\n\t\"status\": \"running\"}",
                "{\"endedAt\": 17, \"a\": {\"status\": 1},\r\n\t\"status\": \"failed\"}",
            ),
            ("{\"a\":1 , \"status\":\"running\"}", "{\"a\":1 , \"status\":\"failed\", \"endedAt\":17}"),
        ];
        for (text, expected) in cases {
            assert_eq!(healed(text), expected);
        }
    }

    /// The one entry of a store as the scan sees it, and the store without the caches.
    fn slimmed(entry: &str, caches: Caches) -> (String, Vec<String>) {
        let text = format!("{{\n  \"k\": {entry}\n}}");
        let context = KeyContext { main_key: "main", marks: &|_, _| Flags::NONE };
        let mut source = MemorySource::new(text.as_bytes(), 7);
        let scan = scan(&mut source, &context, &mut |_| Ok(())).unwrap();
        let entry = scan.entries[0];
        let Some(edits) = strip(&mut source, &entry, caches).unwrap() else {
            return (String::new(), Vec::new());
        };
        let told = stripped(&entry, caches);
        assert!(told.is_none_or(|told| told == edits.records));
        let text = render(&text, &edits);
        let inner = text.strip_prefix("{\n  \"k\": ").and_then(|text| text.strip_suffix("\n}")).unwrap();
        (inner.to_owned(), edits.records.into_iter().map(|record| record.field).collect())
    }

    #[test]
    fn caches_go_wherever_they_stand() {
        let both = ["skillsSnapshot", "systemPromptReport"];
        let cases: [(&str, &str, &[&str]); 7] = [
            (r#"{"skillsSnapshot":{"a":1},"x":1,"systemPromptReport":{},"y":2}"#, r#"{"x":1,"y":2}"#, &both),
            (r#"{"skillsSnapshot":1}"#, "{}", &both[..1]),
            ("{ \"x\" : 1 , \"systemPromptReport\" : 1e999 }", "{ \"x\" : 1 }", &both[1..]),
            (
                "{\n    \"x\": 1,\n    \"skillsSnapshot\": {},\n    \"y\": 2\n  }",
                "{\n    \"x\": 1,\n    \"y\": 2\n  }",
                &both[..1],
            ),
            (r#"{"skillsSnapshot":1,"\u0073killsSnapshot":{"x":"}"},"a":[{}]}"#, r#"{"a":[{}]}"#, &both[..1]),
            (r#"{"a":{"skillsSnapshot":1}}"#, "", &[]),
            ("{\n  \"systemPromptReport\": 1,\n  \"skillsSnapshot\": 2\n}", "{}", &both),
        ];
        for (text, expected, names) in cases {
            let (slim, told) = slimmed(text, Caches::BOTH);
            assert_eq!(
                (slim.as_str(), told),
                (expected, names.iter().map(|&name| name.to_owned()).collect())
            );
        }
    }

    #[test]
    fn a_member_of_a_cache_goes_alone() {
        let caches = Caches::of_list("skillsSnapshot.resolvedSkills").unwrap();
        for (text, expected) in [
            (
                r#"{"skillsSnapshot":{"prompt":"p","resolvedSkills":[{}],"version":1},"systemPromptReport":2}"#,
                r#"{"skillsSnapshot":{"prompt":"p","version":1},"systemPromptReport":2}"#,
            ),
            (r#"{"skillsSnapshot":{"resolvedSkills":[{}]},"x":1}"#, r#"{"skillsSnapshot":{},"x":1}"#),
            (r#"{"skillsSnapshot":{"prompt":"resolvedSkills"},"x":1}"#, ""),
            (r#"{"skillsSnapshot":[{"resolvedSkills":1}]}"#, ""),
            (r#"{"resolvedSkills":1,"systemPromptReport":{"resolvedSkills":2}}"#, ""),
        ] {
            assert_eq!(slimmed(text, caches).0, expected);
        }
        let caches = Caches::of_list("systemPromptReport,skillsSnapshot.resolvedSkills").unwrap();
        let (slim, told) =
            slimmed(r#"{"systemPromptReport":1,"skillsSnapshot":{"resolvedSkills":2,"a":0}}"#, caches);
        assert_eq!(slim, r#"{"skillsSnapshot":{"a":0}}"#);
        assert_eq!(told, ["systemPromptReport", "skillsSnapshot.resolvedSkills"]);
    }
}
