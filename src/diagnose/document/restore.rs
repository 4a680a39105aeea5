//! What undoing a run means for the document that it edited.

use std::fs::File;
use std::path::Path;

use super::super::restore::{RestoreError, checked_backup, is_untouched};
use super::{Document, Edit, print, without};
use crate::apply::changes;
use crate::apply::runs::Run;
use crate::model::plan::{ChangeRecord, PieceTable};
use crate::plan::document::{self, path_of};
use crate::plan::undo::BACKUP;

/// A document with a run undone, described.
pub struct Restoration {
    /// The document as it is.
    pub document: Document,
    /// The new one; source 1 is the original of the run.
    pub edit: Edit,
    /// Members that come back.
    pub restored: u64,
    backup: Document,
}

impl Restoration {
    /// Whether the document would be another.
    pub fn is_change(&self) -> bool {
        self.restored > 0
    }

    /// The files that the table indexes.
    pub fn sources(&self) -> std::io::Result<[File; 2]> {
        Ok([self.document.file()?, self.backup.file()?])
    }

    /// Whether the temporary file holds what was planned.
    pub fn verify(&self, temp: &Path) -> Result<(), String> {
        self.edit.verify(temp)
    }
}

/// Works out what has to come back. Nothing that was written since is touched.
pub fn plan(run: &Run) -> Result<Restoration, RestoreError> {
    if run.record.command == "undo" {
        return Err(RestoreError::WasUndo(run.id.to_string()));
    }
    let backup = Document::read(&checked_backup(run)?)?;
    let document = Document::read(&run.record.store)?;
    let records = changes::read(&run.dir)?.collect::<Result<Vec<ChangeRecord>, _>>()?;
    if records.len() as u64 != run.record.summary.removed + run.record.summary.healed {
        return Err(RestoreError::BadRecord(run.dir.clone()));
    }
    let edit = match is_untouched(run, &run.record.store)? {
        true => whole(&backup, records),
        false => merged(&document, &backup, &records)?,
    };
    Ok(Restoration { restored: edit.records.len() as u64, document, edit, backup })
}

/// Nobody wrote since: the original comes back to the byte.
fn whole(backup: &Document, records: Vec<ChangeRecord>) -> Edit {
    let mut table = PieceTable::new();
    table.copy(BACKUP, 0, backup.size());
    let records = records.into_iter().map(document::restored).collect();
    Edit { table, records, after: print(&backup.bytes) }
}

/// Somebody wrote since: only what is missing comes back.
fn merged(document: &Document, backup: &Document, records: &[ChangeRecord]) -> Result<Edit, RestoreError> {
    let edited = document::put_back(&document.text(), &backup.text(), records);
    let edited = edited.map_err(|why| document.unfit(why))?;
    let new = document.render(&edited);
    let paths: Vec<Vec<String>> = edited.records.iter().filter_map(|record| path_of(record).ok()).collect();
    document.check(&new, document.tree.clone(), |tree| paths.iter().for_each(|path| without(tree, path)))?;
    Ok(document.edit(edited, &new))
}
