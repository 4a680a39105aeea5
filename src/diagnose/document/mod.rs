//! A small document of OpenClaw's that is no store, such as `cron/jobs.json`: read whole, edited, and made whole again.
//!
//! What is written must be JSON by the strict reader, and hold exactly what the old document held but for the members
//! that were to go. What only JSON5 reads is never written, for a splice may mean something else there.

pub mod restore;

use std::fs::File;
use std::io::{self, Read};
use std::ops::Range;
use std::path::{Path, PathBuf};

use crate::apply::{ApplyError, DiskError, Fingerprint, Fingerprinter, Identity};
use crate::exit::Exit;
use crate::host::files;
use crate::model::plan::{ChangeRecord, PieceTable};
use crate::openclaw::json::{self, Fault, Tree, Want};
pub use crate::plan::document::Cut;
use crate::plan::document::{self, Edited, Text};
use crate::plan::pieces::Splice;

/// A larger one is not edited: it is held in memory.
pub const MAX_DOCUMENT: u64 = 32 << 20;

/// Why a document is not edited.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    /// It is gone.
    #[error("{0}: there is no such file any more")]
    Gone(PathBuf),
    /// Larger than `MAX_DOCUMENT`.
    #[error("{0}: {1} bytes are more than are ever edited in such a file (32 MiB)")]
    TooLarge(PathBuf, u64),
    /// OpenClaw reads it, and nobody can tell what its bytes mean without a reader of JSON5.
    #[error("{0}: it is JSON5 and not JSON ({1}): edit it by hand, or let OpenClaw write it once")]
    Json5(PathBuf, Fault),
    /// Neither JSON nor JSON5.
    #[error("{0}: it does not parse: {1}")]
    Damaged(PathBuf, Fault),
    /// Something in it is not as it must be for the edit.
    #[error("{0}: {1}")]
    Unfit(PathBuf, String),
    /// It was written to while it was read.
    #[error("{0}: it was written to while it was read")]
    Changed(PathBuf),
    /// Reading failed.
    #[error("{0}: {1}")]
    Io(PathBuf, io::Error),
}

impl DocumentError {
    /// The exit code for it.
    pub fn exit(&self) -> Exit {
        match self {
            DocumentError::Changed(_) | DocumentError::Gone(_) => Exit::Busy,
            DocumentError::Io(..) => Exit::Io,
            _ => Exit::Refused,
        }
    }
}

impl From<DocumentError> for ApplyError {
    fn from(error: DocumentError) -> Self {
        match error {
            DocumentError::Changed(path) => {
                ApplyError::Changed { path, what: "it was written to while it was read".to_owned() }
            }
            DocumentError::Gone(path) => ApplyError::Changed { path, what: "it is gone".to_owned() },
            DocumentError::Io(path, error) => ApplyError::Io(DiskError::new("read", &path, error)),
            other => ApplyError::Refused(other.to_string()),
        }
    }
}

/// A document that is JSON, and what it was when it was read.
pub struct Document {
    /// As it was named.
    pub path: PathBuf,
    /// Of the file that was read.
    pub identity: Identity,
    file: File,
    bytes: Vec<u8>,
    tree: Tree,
}

/// What becomes of a document.
pub struct Edit {
    /// The new one; source 0 is the old one.
    pub table: PieceTable,
    /// For the record.
    pub records: Vec<ChangeRecord>,
    after: Fingerprint,
}

impl Edit {
    /// Whether the temporary file holds what was planned.
    pub fn verify(&self, temp: &Path) -> Result<(), String> {
        match Fingerprint::of_file(temp) {
            Ok(Some(found)) if found == self.after => Ok(()),
            Ok(_) => Err("its bytes are not those that were planned".to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }
}

impl Document {
    /// Reads one. Whatever is odd about it is an error: it is only read to be written.
    pub fn read(path: &Path) -> Result<Self, DocumentError> {
        let told = |error: io::Error| match error.kind() {
            io::ErrorKind::NotFound => DocumentError::Gone(path.to_owned()),
            _ => DocumentError::Io(path.to_owned(), error),
        };
        let file = files::open_regular(path).map_err(told)?;
        let identity = Identity::of(&file.metadata().map_err(told)?);
        if identity.size > MAX_DOCUMENT {
            return Err(DocumentError::TooLarge(path.to_owned(), identity.size));
        }
        let mut bytes = Vec::new();
        (&file).take(MAX_DOCUMENT + 1).read_to_end(&mut bytes).map_err(told)?;
        if Identity::of(&file.metadata().map_err(told)?) != identity || bytes.len() as u64 != identity.size {
            return Err(DocumentError::Changed(path.to_owned()));
        }
        let tree = parse(&bytes, path)?;
        Ok(Document { path: path.to_owned(), identity, file, bytes, tree })
    }

    /// Size in bytes.
    pub fn size(&self) -> u64 {
        self.bytes.len() as u64
    }

    /// The open file.
    pub fn file(&self) -> io::Result<File> {
        self.file.try_clone()
    }

    /// Leaves members out.
    pub fn cut(&self, cuts: &[Cut]) -> Result<Edit, DocumentError> {
        let edited = document::cut(&self.text(), cuts).map_err(|why| self.unfit(why))?;
        let new = self.render(&edited);
        let mut expected = self.tree.clone();
        cuts.iter().for_each(|cut| without(&mut expected, &cut.path));
        self.check(&new, expected, |_| {})?;
        Ok(self.edit(edited, &new))
    }

    fn text(&self) -> Text<'_> {
        let blank = |byte: &&u8| b" \t\r\n".contains(byte);
        let start = self.bytes.iter().take_while(blank).count() as u64;
        let end = self.size() - self.bytes.iter().rev().take_while(blank).count() as u64;
        Text { bytes: &self.bytes, root: start..end }
    }

    fn render(&self, edited: &Edited) -> Vec<u8> {
        let (mut new, mut at) = (Vec::with_capacity(self.bytes.len()), 0);
        for Splice { at: gone, bytes } in &edited.splices {
            new.extend_from_slice(slice(&self.bytes, at..gone.start));
            new.extend_from_slice(bytes);
            at = gone.end;
        }
        new.extend_from_slice(slice(&self.bytes, at..self.size()));
        new
    }

    /// Fails unless `new` holds what was `expected`, both after `less` took something away.
    fn check(&self, new: &[u8], mut expected: Tree, less: impl Fn(&mut Tree)) -> Result<(), DocumentError> {
        let mut found = parse(new, &self.path)?;
        less(&mut found);
        less(&mut expected);
        if found == expected {
            return Ok(());
        }
        Err(self.unfit("the edited document would hold something else than was planned".to_owned()))
    }

    fn edit(&self, edited: Edited, new: &[u8]) -> Edit {
        Edit { table: edited.table(self.size()), records: edited.records, after: print(new) }
    }

    fn unfit(&self, why: String) -> DocumentError {
        DocumentError::Unfit(self.path.clone(), why)
    }
}

fn print(bytes: &[u8]) -> Fingerprint {
    let mut print = Fingerprinter::new();
    print.update(bytes);
    print.finish()
}

fn slice(bytes: &[u8], range: Range<u64>) -> &[u8] {
    &bytes[range.start as usize..range.end as usize]
}

fn parse(bytes: &[u8], path: &Path) -> Result<Tree, DocumentError> {
    json::parse(bytes, &Want::All).map_err(|fault| {
        let bom = bytes.starts_with(b"\xef\xbb\xbf");
        match json::parse_json5(bytes) {
            _ if bom => {
                DocumentError::Damaged(path.to_owned(), Fault::new("it begins with a byte order mark"))
            }
            Ok(_) => DocumentError::Json5(path.to_owned(), fault),
            Err(_) => DocumentError::Damaged(path.to_owned(), fault),
        }
    })
}

/// Takes a member away, where it is.
fn without(tree: &mut Tree, path: &[String]) {
    let Some((step, rest)) = path.split_first() else { return };
    let is_meant = |tree: &Tree| tree.text_of("id").or_else(|| tree.text_of("jobId")).as_ref() == Some(step);
    match tree {
        Tree::Object(members) if rest.is_empty() => members.retain(|(name, _)| name != step),
        Tree::Object(members) => {
            members.iter_mut().filter(|(name, _)| name == step).for_each(|(_, value)| without(value, rest));
        }
        Tree::List(items) => {
            items.iter_mut().filter(|item| is_meant(item)).for_each(|item| without(item, rest));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn read(text: &[u8]) -> Result<Document, DocumentError> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("jobs.json");
        fs::write(&path, text).unwrap();
        Document::read(&path)
    }

    #[test]
    fn only_json_is_edited() {
        assert!(matches!(read(b"{jobs: [],}"), Err(DocumentError::Json5(..))));
        assert!(matches!(read(b"\xef\xbb\xbf{}"), Err(DocumentError::Damaged(..))));
        assert!(matches!(read(b"{}\0\0"), Err(DocumentError::Damaged(..))));
        assert!(matches!(read(b"{\"a\":"), Err(DocumentError::Damaged(..))));
        assert!(matches!(read(b""), Err(DocumentError::Damaged(..))));
        assert!(read(b" {\"a\": \"\xff \\ud800\"}\n").is_ok());
    }

    #[test]
    fn a_large_one_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("jobs.json");
        File::create(&path).unwrap().set_len(MAX_DOCUMENT + 1).unwrap();
        assert!(matches!(Document::read(&path), Err(DocumentError::TooLarge(..))));
        assert!(matches!(Document::read(&dir.path().join("none")), Err(DocumentError::Gone(_))));
    }

    #[test]
    fn what_would_mean_something_else_is_not_written() {
        // Of two objects called `state` the reader sees one, so the bytes of the other are left alone.
        let path = ["jobs", "a", "state", "x"].map(str::to_owned).to_vec();
        let cut = Cut { path, rule: "rule", family: "cron-job" };
        let twice = read(br#"{"jobs":{"a":{"state":{"x":1},"state":{"x":2,"y":3}}}}"#).unwrap();
        let edit = twice.cut(std::slice::from_ref(&cut)).unwrap();
        let edited = document::cut(&twice.text(), &[cut]).unwrap();
        let new = twice.render(&edited);
        assert_eq!(new, br#"{"jobs":{"a":{"state":{"x":1},"state":{"y":3}}}}"#);
        assert_eq!((edit.after, edit.table.len()), (print(&new), new.len() as u64));
        assert!(twice.check(b"{}", twice.tree.clone(), |_| {}).is_err());
    }
}
