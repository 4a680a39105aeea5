//! Changes inside an entry that stays: healing a base, stripping caches.

use std::io;
use std::ops::Range;

use super::pieces::{Members, Splice};
use crate::model::plan::EditRecord;
use crate::model::verdict::Healing;
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

/// Strips the members called `names`. `None` where there is none, or too much to take apart.
pub fn strip(source: &mut dyn Source, object: Range<u64>, names: &[&str]) -> io::Result<Option<Edits>> {
    let Some(outline) = outline(source, object.clone(), names)? else { return Ok(None) };
    let mut members = Members::of(object);
    let pairs = outline.spans.iter().zip(&outline.named);
    let mut gone: Vec<Range<u64>> = pairs.map(|(span, named)| members.next(span.clone(), !named)).collect();
    gone.push(members.end());
    let gone = gone.into_iter().filter(|gone| !gone.is_empty());
    let splices = gone.map(|at| Splice { at, bytes: Vec::new() }).collect();
    let mut records = Vec::new();
    for (span, _) in outline.spans.iter().zip(&outline.named).filter(|(_, named)| **named) {
        let raw = members::raw_key(source, span.start)?;
        let field = String::from_utf8_lossy(&crate::scan::text::decode(&raw[1..raw.len() - 1])).into_owned();
        records.push(EditRecord { field, old: None, new: None });
    }
    Ok((!records.is_empty()).then_some(Edits { splices, records }))
}

impl Edits {
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

    #[test]
    fn caches_go_wherever_they_stand() {
        let text = r#"{"skillsSnapshot":{"a":1},"x":1,"systemPromptReport":{},"y":2}"#;
        let mut source = MemorySource::new(text.as_bytes(), 7);
        let edits = strip(&mut source, 0..text.len() as u64, &crate::scan::fields::CACHES).unwrap().unwrap();
        assert_eq!(render(text, &edits), r#"{"x":1,"y":2}"#);
        assert_eq!(edits.records.len(), 2);
        let text = r#"{"skillsSnapshot":1}"#;
        let mut source = MemorySource::new(text.as_bytes(), 7);
        let edits = strip(&mut source, 0..text.len() as u64, &crate::scan::fields::CACHES).unwrap().unwrap();
        assert_eq!(render(text, &edits), "{}");
    }
}
