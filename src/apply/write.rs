//! From a piece table to a file: bounded memory, positioned reads, one pass that also takes the fingerprint.

use std::fs::File;
use std::os::fd::AsRawFd;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::{fs, io};

use super::cancel::Cancel;
use super::disk::{DiskError, DiskFile, DiskResult};
use super::error::ApplyError;
use super::fingerprint::{Fingerprint, Fingerprinter};
use crate::model::plan::{Piece, PieceTable, SourceId};
use crate::model::white::WhiteSpace;

/// Bytes held at a time.
const BUFFER: usize = 1 << 20;

/// Bytes read at a time where a whole file is passed over.
const BLOCK: usize = 128 << 10;

/// Why pieces could not be written.
#[derive(Debug)]
pub enum WriteError {
    /// A source ended before the piece did: somebody cut it since it was scanned.
    Short(SourceId),
    /// Anything else.
    Other(ApplyError),
}

impl From<DiskError> for WriteError {
    fn from(error: DiskError) -> Self {
        WriteError::Other(error.into())
    }
}

impl From<ApplyError> for WriteError {
    fn from(error: ApplyError) -> Self {
        WriteError::Other(error)
    }
}

impl WriteError {
    /// As an error of input, for sources whose change nobody waits for.
    pub fn into_io(self, sources: &[File]) -> ApplyError {
        match self {
            WriteError::Short(id) => {
                let path = sources.get(usize::from(id)).map(path_of).unwrap_or_default();
                DiskError::new("read", &path, io::ErrorKind::UnexpectedEof.into()).into()
            }
            WriteError::Other(error) => error,
        }
    }
}

/// Writes what `pieces` describe; not yet durable. A signal is seen between two buffers.
pub fn write_pieces(
    file: &mut dyn DiskFile,
    sources: &[File],
    pieces: &PieceTable,
    cancel: &Cancel,
) -> Result<Fingerprint, WriteError> {
    // No more than the whole file needs.
    let room = usize::try_from(pieces.len()).unwrap_or(BUFFER).clamp(1, BUFFER);
    let mut out = Buffered {
        file,
        fingerprint: Fingerprinter::new(),
        buffer: vec![0; room],
        filled: 0,
        white: pieces.is_compact().then(WhiteSpace::default),
        cancel,
    };
    for piece in pieces.pieces() {
        match piece {
            Piece::Literal(bytes) => out.literal(&bytes)?,
            Piece::Copy { source, start, end } => {
                let from = sources.get(usize::from(source)).ok_or_else(|| no_such_source(source))?;
                out.copy(from, source, start, end)?;
            }
        }
    }
    out.flush()?;
    Ok(out.fingerprint.finish())
}

/// Many small pieces become few large writes.
struct Buffered<'a> {
    file: &'a mut dyn DiskFile,
    fingerprint: Fingerprinter,
    buffer: Vec<u8>,
    filled: usize,
    /// Follows the text where its white space is left out.
    white: Option<WhiteSpace>,
    cancel: &'a Cancel,
}

impl Buffered<'_> {
    fn literal(&mut self, mut bytes: &[u8]) -> Result<(), WriteError> {
        while !bytes.is_empty() {
            let room = &mut self.buffer[self.filled..];
            let taken = room.len().min(bytes.len());
            room[..taken].copy_from_slice(&bytes[..taken]);
            bytes = &bytes[taken..];
            self.took(taken)?;
        }
        Ok(())
    }

    fn copy(&mut self, from: &File, id: SourceId, start: u64, end: u64) -> Result<(), WriteError> {
        let mut at = start;
        while at < end {
            let room = &mut self.buffer[self.filled..];
            let want = usize::try_from(end - at).unwrap_or(usize::MAX).min(room.len());
            match from.read_at(&mut room[..want], at) {
                Ok(0) => return Err(WriteError::Short(id)),
                Ok(read) => {
                    at += read as u64;
                    self.took(read)?;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(cause) => return Err(DiskError::new("read", &path_of(from), cause).into()),
            }
        }
        Ok(())
    }

    fn took(&mut self, bytes: usize) -> Result<(), WriteError> {
        self.filled += match &mut self.white {
            None => bytes,
            Some(white) => white.squeeze(&mut self.buffer[self.filled..self.filled + bytes]),
        };
        if self.filled == self.buffer.len() { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), WriteError> {
        self.cancel.check()?;
        let bytes = &self.buffer[..self.filled];
        if !bytes.is_empty() {
            self.file.write_all(bytes)?;
            self.fingerprint.update(bytes);
            self.filled = 0;
        }
        Ok(())
    }
}

fn no_such_source(id: SourceId) -> WriteError {
    let cause = io::Error::new(io::ErrorKind::InvalidInput, "the plan names a source that was not given");
    DiskError::new("read", &PathBuf::from(format!("source {id}")), cause).into()
}

/// Where an open file lies now, for messages.
pub(super) fn path_of(file: &File) -> PathBuf {
    let link = format!("/proc/self/fd/{}", file.as_raw_fd());
    fs::read_link(link).unwrap_or_else(|_| PathBuf::from("an open file"))
}

/// The fingerprint of a whole open file, from its first byte whatever its offset.
pub(super) fn fingerprint_of(file: &File, cancel: &Cancel) -> Result<Fingerprint, ApplyError> {
    let mut fingerprint = Fingerprinter::new();
    for_each_block(file, cancel, |bytes| {
        fingerprint.update(bytes);
        Ok(())
    })?;
    Ok(fingerprint.finish())
}

/// Copies a whole open file; not yet durable.
pub(super) fn copy_whole(
    from: &File,
    to: &mut dyn DiskFile,
    cancel: &Cancel,
) -> Result<Fingerprint, ApplyError> {
    let mut fingerprint = Fingerprinter::new();
    for_each_block(from, cancel, |bytes| {
        fingerprint.update(bytes);
        to.write_all(bytes)
    })?;
    Ok(fingerprint.finish())
}

fn for_each_block(
    file: &File,
    cancel: &Cancel,
    mut each: impl FnMut(&[u8]) -> DiskResult<()>,
) -> Result<(), ApplyError> {
    let mut buffer = vec![0; BLOCK];
    let mut at = 0;
    loop {
        cancel.check()?;
        match file.read_at(&mut buffer, at) {
            Ok(0) => return Ok(()),
            Ok(read) => {
                each(&buffer[..read])?;
                at += read as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(cause) => return Err(DiskError::new("read", &path_of(file), cause).into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::disk::{Disk, RealDisk};
    use super::*;
    use crate::exit::Exit;

    fn source(dir: &std::path::Path, bytes: &[u8]) -> File {
        let path = dir.join("source");
        fs::write(&path, bytes).unwrap();
        File::open(path).unwrap()
    }

    #[test]
    fn pieces_of_every_size_around_the_buffer_arrive_in_order() {
        let dir = tempfile::tempdir().unwrap();
        let bytes: Vec<u8> = (0..3 * BUFFER as u32).map(|n| (n % 251) as u8).collect();
        let sources = [source(dir.path(), &bytes)];
        let mut table = PieceTable::new();
        let mut expected = Vec::new();
        for (start, end) in [(5, 9), (0, BUFFER - 1), (7, 2 * BUFFER + 8), (1, 2)] {
            table.copy(0, start as u64, end as u64);
            table.literal(b"<>");
            expected.extend_from_slice(&bytes[start..end]);
            expected.extend_from_slice(b"<>");
        }
        table.literal(&bytes[..BUFFER + 3]);
        expected.extend_from_slice(&bytes[..BUFFER + 3]);
        let path = dir.path().join("out");
        let mut file = RealDisk.create(&path, 0o600).unwrap();
        let print = write_pieces(file.as_mut(), &sources, &table, &Cancel::new()).unwrap();
        assert!(fs::read(&path).unwrap() == expected);
        assert_eq!(Some(print), Fingerprint::of_file(&path).unwrap());
    }

    #[test]
    fn white_space_stays_behind_wherever_the_buffer_ends() {
        let dir = tempfile::tempdir().unwrap();
        let row = "{ \"a  \\\" b\" : [ 1 ,\n  2 ] } , ";
        let text = format!("[ {row}{} 3 ]\n", row.repeat(2 * BUFFER / row.len()));
        let wanted =
            text.replace(" : ", ":").replace("[ ", "[").replace(" ,\n  ", ",").replace(" ] } , ", "]},");
        let wanted = wanted.replace("{ ", "{").replace(" 3 ]\n", "3]");
        let sources = [source(dir.path(), text.as_bytes())];
        let mut table = PieceTable::new();
        // A piece may end anywhere.
        for from in (0..text.len()).step_by(BUFFER / 7) {
            table.copy(0, from as u64, text.len().min(from + BUFFER / 7 - 1) as u64);
            table.literal(text.as_bytes().get(from + BUFFER / 7 - 1..from + BUFFER / 7).unwrap_or_default());
        }
        let table = table.without_white_space((text.len() - wanted.len()) as u64);
        let path = dir.path().join("out");
        let mut file = RealDisk.create(&path, 0o600).unwrap();
        let print = write_pieces(file.as_mut(), &sources, &table, &Cancel::new()).unwrap();
        assert!(fs::read(&path).unwrap() == wanted.as_bytes());
        assert_eq!((print.size, table.len()), (wanted.len() as u64, wanted.len() as u64));
    }

    #[test]
    fn a_source_that_was_cut_and_a_signal_end_the_write() {
        let dir = tempfile::tempdir().unwrap();
        let sources = [source(dir.path(), b"short")];
        let mut table = PieceTable::new();
        table.copy(0, 2, 6);
        let mut file = RealDisk.create(&dir.path().join("out"), 0o600).unwrap();
        let cancel = Cancel::new();
        let cut = write_pieces(file.as_mut(), &sources, &table, &cancel);
        assert!(matches!(cut, Err(WriteError::Short(0))));
        cancel.request(Exit::Interrupted);
        let stopped = write_pieces(file.as_mut(), &sources, &PieceTable::new(), &cancel);
        assert!(matches!(stopped, Err(WriteError::Other(ApplyError::Interrupted(_)))));
    }
}
