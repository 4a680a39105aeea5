//! Size and hash of a file's bytes: how a run record knows the old store from the new one.
//!
//! The hash is a tree, so that several threads can each take a part of a file: XXH3 with 128 bits of every
//! aligned chunk of 1 MiB (the last may be shorter), and over those digests, in order and big-endian, followed
//! by the size as eight bytes, XXH3 with 128 bits again. It tells versions apart, as fast as memory can be
//! read; nobody is kept from forging it.

use std::io::{self, Read};
use std::ops::Range;
use std::path::Path;

use serde::{Deserialize, Deserializer, Serialize};
use xxhash_rust::xxh3::{Xxh3Default, xxh3_128};

use super::disk::{DiskError, DiskResult};

/// Buffer of a pass over a file.
const BUFFER: usize = 128 << 10;

/// Bytes of a chunk.
const CHUNK: u64 = 1 << 20;

/// What a hash of this kind begins with.
const PREFIX: &str = "xxh3-128-1m:";

/// What a file held.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Fingerprint {
    /// Bytes.
    pub size: u64,
    /// `xxh3-128-1m:` and 32 hex digits.
    #[serde(deserialize_with = "known_hash")]
    pub hash: String,
}

/// A hash of another kind is no change of the file, it cannot be compared at all.
fn known_hash<'de, D: Deserializer<'de>>(input: D) -> Result<String, D::Error> {
    let hash = String::deserialize(input)?;
    let digits = hash.strip_prefix(PREFIX).filter(|digits| digits.len() == 32);
    let is_known =
        digits.is_some_and(|digits| digits.bytes().all(|digit| b"0123456789abcdef".contains(&digit)));
    let unknown = || format!("this program does not know fingerprints such as '{hash}', only '{PREFIX}…'");
    if is_known { Ok(hash) } else { Err(serde::de::Error::custom(unknown())) }
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

/// A fingerprint in the making, or a part of one, for whoever passes over the bytes anyway.
#[derive(Clone)]
pub struct Fingerprinter {
    start: u64,
    /// What comes next.
    at: u64,
    end: u64,
    /// Of the chunk that `at` lies in.
    chunk: Xxh3Default,
    digests: Vec<u128>,
}

impl Default for Fingerprinter {
    fn default() -> Self {
        Self::part(0..u64::MAX)
    }
}

impl Fingerprinter {
    /// Of no bytes yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The part of a fingerprint that belongs to `range`: all chunks that begin in it.
    pub fn part(range: Range<u64>) -> Self {
        let chunk_from = |offset: u64| offset.checked_next_multiple_of(CHUNK).unwrap_or(u64::MAX);
        let start = chunk_from(range.start);
        let end = chunk_from(range.end);
        Fingerprinter { start, at: start, end, chunk: Xxh3Default::new(), digests: Vec::new() }
    }

    /// Takes in the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.update_at(self.at, bytes);
    }

    /// Takes in what belongs to it, and comes next, of bytes that stand at `at` in the file.
    pub fn update_at(&mut self, at: u64, bytes: &[u8]) {
        // Bytes behind a gap are never taken, and so [`Fingerprinter::merge`] finds the gap.
        let skip = self.at.checked_sub(at).and_then(|skip| usize::try_from(skip).ok());
        let mut rest = skip.and_then(|skip| bytes.get(skip..)).unwrap_or_default();
        while !rest.is_empty() && self.at < self.end {
            let room = CHUNK - self.at % CHUNK;
            let take = usize::try_from(room).unwrap_or(rest.len()).min(rest.len());
            let (now, later) = rest.split_at(take);
            if take as u64 == CHUNK {
                self.digests.push(xxh3_128(now));
            } else {
                self.chunk.update(now);
                if take as u64 == room {
                    self.digests.push(self.chunk.digest128());
                    self.chunk.reset();
                }
            }
            self.at += take as u64;
            rest = later;
        }
    }

    /// Where the bytes stand that it still wants, unless the file ends before: those of its last chunk lie
    /// behind the range of the part.
    pub fn missing(&self) -> Range<u64> {
        self.at..self.end
    }

    /// The fingerprint of all bytes taken in.
    pub fn finish(self) -> Fingerprint {
        let mut whole = Xxh3Default::new();
        let open = (!self.at.is_multiple_of(CHUNK)).then(|| self.chunk.digest128());
        for digest in self.digests.into_iter().chain(open) {
            whole.update(&digest.to_be_bytes());
        }
        whole.update(&self.at.to_be_bytes());
        Fingerprint { size: self.at, hash: format!("{PREFIX}{:032x}", whole.digest128()) }
    }

    /// The fingerprint of a file from its parts in order; `None` where one does not go on where the one before
    /// it ended.
    pub fn merge(parts: impl IntoIterator<Item = Fingerprinter>) -> Option<Fingerprint> {
        let mut whole = Fingerprinter::new();
        // In a part without bytes no chunk begins.
        for part in parts.into_iter().filter(|part| part.at > part.start) {
            if part.start != whole.at {
                return None;
            }
            whole.digests.extend(part.digests);
            (whole.at, whole.chunk) = (part.at, part.chunk);
        }
        Some(whole.finish())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(len: usize) -> Vec<u8> {
        (0..len).map(|at| (at * 31 % 251) as u8).collect()
    }

    #[test]
    fn the_hash_is_the_documented_tree() {
        let bytes = bytes(CHUNK as usize * 2 + 5);
        let mut tree = Vec::new();
        for chunk in bytes.chunks(1 << 20) {
            tree.extend_from_slice(&xxh3_128(chunk).to_be_bytes());
        }
        tree.extend_from_slice(&2_097_157_u64.to_be_bytes());
        let print = Fingerprint::of_reader(&bytes[..]).unwrap();
        assert_eq!(print.size, 2_097_157);
        assert_eq!(print.hash, format!("xxh3-128-1m:{:032x}", xxh3_128(&tree)));
        assert_eq!(Fingerprint::of_file(Path::new("/nonexistent/store")).unwrap(), None);
    }

    #[test]
    fn pieces_of_any_size_give_the_same_and_every_byte_counts() {
        for len in [0, 1, CHUNK as usize - 1, CHUNK as usize, CHUNK as usize + 1, 3 * CHUNK as usize] {
            let mut bytes = bytes(len);
            let whole = Fingerprint::of_reader(&bytes[..]).unwrap();
            for piece in [4_099, CHUNK as usize - 1, CHUNK as usize, usize::MAX] {
                let mut pieces = Fingerprinter::new();
                bytes.chunks(piece).for_each(|piece| pieces.update(piece));
                assert_eq!(pieces.finish(), whole, "{len} in pieces of {piece}");
            }
            for at in [0, len / 2, len.saturating_sub(1)].into_iter().filter(|&at| at < len) {
                bytes[at] ^= 1;
                assert_ne!(Fingerprint::of_reader(&bytes[..]).unwrap(), whole, "{len}, byte {at}");
                bytes[at] ^= 1;
            }
        }
    }

    /// What threads do that each scan from one cut to the next in windows: the windows of a part, and then
    /// what is missing.
    fn by_parts(bytes: &[u8], cuts: &[usize], window: usize) -> Vec<Fingerprinter> {
        let ends = cuts.iter().copied().chain([bytes.len()]);
        let ranges = [0].into_iter().chain(cuts.iter().copied()).zip(ends);
        let print = |(start, end): (usize, usize)| {
            let mut part = Fingerprinter::part(start as u64..end as u64);
            for at in (start..end).step_by(window) {
                part.update_at(at as u64, &bytes[at..end.min(at + window)]);
            }
            let missing = part.missing();
            let [from, to] = [missing.start, missing.end].map(|at| bytes.len().min(at as usize));
            part.update_at(missing.start, &bytes[from..to]);
            part
        };
        ranges.map(print).collect()
    }

    #[test]
    fn parts_cut_anywhere_merge_to_the_fingerprint_of_the_whole() {
        let chunk = CHUNK as usize;
        for len in [0, 10, chunk, 3 * chunk, 3 * chunk + 10] {
            let bytes = bytes(len);
            let whole = Fingerprint::of_reader(&bytes[..]).unwrap();
            let within =
                [&[][..], &[3], &[chunk], &[5, 6, 7], &[chunk + 1, 2 * chunk - 1], &[1, 3 * chunk + 1]];
            for cuts in within.into_iter().filter(|cuts| cuts.iter().all(|&cut| cut <= len)) {
                for window in [65_537, chunk, usize::MAX / 2] {
                    let parts = by_parts(&bytes, cuts, window);
                    assert_eq!(Fingerprinter::merge(parts), Some(whole.clone()), "{len} at {cuts:?}");
                }
            }
        }
    }

    #[test]
    fn parts_that_do_not_meet_are_no_fingerprint() {
        let bytes = bytes(3 * CHUNK as usize);
        let parts = by_parts(&bytes, &[CHUNK as usize, 2 * CHUNK as usize], 1 << 20);
        assert_eq!(Fingerprinter::merge([parts[0].clone(), parts[2].clone()]), None);
        assert_eq!(Fingerprinter::merge([parts[1].clone(), parts[0].clone(), parts[2].clone()]), None);
        let mut gap = Fingerprinter::part(0..CHUNK);
        gap.update_at(0, &bytes[..10]);
        gap.update_at(11, &bytes[11..CHUNK as usize]);
        assert_eq!(Fingerprinter::merge([gap, parts[1].clone(), parts[2].clone()]), None);
    }

    #[test]
    fn a_hash_of_another_kind_is_an_error_and_no_difference() {
        let read =
            |hash: &str| serde_json::from_str::<Fingerprint>(&format!(r#"{{"size":1,"hash":"{hash}"}}"#));
        let own = Fingerprint::of_reader(&b"x"[..]).unwrap();
        assert_eq!(read(&own.hash).unwrap(), own);
        let digits = "99aa06d3014798d86001c324468d497f";
        for other in ["", "xxh3-128:", "sha256:", "xxh3-128-1m", "xxh3-128-1m:0", "xxh3-128-1m:é"] {
            let error = read(&format!("{other}{digits}")).unwrap_err().to_string();
            assert!(error.contains("does not know"), "{other}: {error}");
        }
        assert!(read("xxh3-128-1m:99aa06d3014798d86001c324468d497").is_err());
    }
}
