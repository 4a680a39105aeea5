//! Size and hash of a file's bytes: how a run record knows the old store from the new one.
//!
//! XXH3 with 128 bits: it tells versions apart, as fast as memory can be read; nobody is kept from forging it.

use std::io::{self, Read};
use std::path::Path;

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::Xxh3Default;

use super::disk::{DiskError, DiskResult};

/// Buffer of a pass over a file.
const BUFFER: usize = 128 << 10;

/// What a file held.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Fingerprint {
    /// Bytes.
    pub size: u64,
    /// `xxh3-128:` and 32 hex digits.
    pub hash: String,
}

impl Fingerprint {
    /// Of all that `reader` still gives.
    pub fn of_reader(mut reader: impl Read) -> io::Result<Self> {
        let mut fingerprinter = Fingerprinter::new();
        let mut buffer = vec![0; BUFFER];
        loop {
            match reader.read(&mut buffer) {
                Ok(0) => return Ok(fingerprinter.finish()),
                Ok(read) => fingerprinter.update(&buffer[..read]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Of the whole file at `path`; `None` when nothing is there.
    pub fn of_file(path: &Path) -> DiskResult<Option<Self>> {
        let file = match crate::host::files::open_regular(path) {
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(None),
            other => other.map_err(|cause| DiskError::new("open", path, cause))?,
        };
        let print = Fingerprint::of_reader(file).map_err(|cause| DiskError::new("read", path, cause))?;
        Ok(Some(print))
    }
}

/// A fingerprint in the making, for whoever passes over the bytes anyway.
#[derive(Clone, Default)]
pub struct Fingerprinter {
    state: Xxh3Default,
    size: u64,
}

impl Fingerprinter {
    /// Of no bytes yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes in the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.state.update(bytes);
        self.size += bytes.len() as u64;
    }

    /// Bytes taken in so far.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The fingerprint of all bytes taken in.
    pub fn finish(&self) -> Fingerprint {
        Fingerprint { size: self.size, hash: format!("xxh3-128:{:032x}", self.state.digest128()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_and_the_whole_give_the_same_in_the_documented_form() {
        let mut pieces = Fingerprinter::new();
        pieces.update(b"hello ");
        pieces.update(b"world");
        let whole = Fingerprint::of_reader(&b"hello world"[..]).unwrap();
        assert_eq!(pieces.finish(), whole);
        assert_eq!((whole.size, whole.hash.len()), (11, "xxh3-128:".len() + 32));
        // The published XXH3-128 of the empty input.
        assert_eq!(Fingerprinter::new().finish().hash, "xxh3-128:99aa06d3014798d86001c324468d497f");
        assert_eq!(Fingerprint::of_file(Path::new("/nonexistent/store")).unwrap(), None);
    }
}
