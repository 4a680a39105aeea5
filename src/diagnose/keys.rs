//! Keys of many entries, read again in the order of the file: a small read for each where entries are large, one
//! for hundreds of them where they are small.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::os::unix::fs::FileExt;
use std::sync::mpsc;
use std::{mem, panic, thread};

/// Bytes of a read behind a jump: nearly every key is shorter.
const LEAST: usize = 128;

/// Bytes of a read where one read leads to the next.
const MOST: usize = 64 << 10;

/// Reads keys. Whether the file changed meanwhile nobody asks here: that is for
/// [`Source::unchanged`](crate::scan::source::Source::unchanged), before a key is relied on.
#[derive(Default)]
pub struct Keys {
    /// Where `buffer` begins in the file.
    start: u64,
    buffer: Vec<u8>,
    /// How many bytes are read next.
    step: usize,
}

impl Keys {
    /// The raw text of the key whose opening quote stands at `start`, quotes included.
    pub fn raw(&mut self, file: &File, start: u64) -> io::Result<&[u8]> {
        if self.held(start).is_none() {
            self.hold(file, start)?;
        }
        let mut from = self.held(start).unwrap_or_default();
        let mut end = from + 1;
        loop {
            match memchr::memchr2(b'"', b'\\', self.buffer.get(end..).unwrap_or_default()) {
                // Only for a key that begins the buffer is it made longer, or it would grow with every key.
                None if from > 0 => {
                    self.hold(file, start)?;
                    (from, end) = (0, end - from);
                }
                None => self.more(file)?,
                Some(quote) if self.buffer[end + quote] == b'"' => {
                    return Ok(&self.buffer[from..=end + quote]);
                }
                // Whatever is escaped is part of the key.
                Some(backslash) => end += backslash + 2,
            }
        }
    }

    /// The decoded key (WTF-8) whose opening quote stands at `start`.
    pub fn decoded(&mut self, file: &File, start: u64) -> io::Result<std::borrow::Cow<'_, [u8]>> {
        let raw = self.raw(file, start)?;
        Ok(crate::scan::text::decode(&raw[1..raw.len() - 1]))
    }

    /// Where `at` lies in the buffer.
    fn held(&self, at: u64) -> Option<usize> {
        let at = usize::try_from(at.checked_sub(self.start)?).ok()?;
        (at < self.buffer.len()).then_some(at)
    }

    /// Begins anew at `at`, with more where that is near behind what was held.
    fn hold(&mut self, file: &File, at: u64) -> io::Result<()> {
        let end = self.start + self.buffer.len() as u64;
        let near = self.start <= at && at.saturating_sub(end) < NEAR;
        self.step = if near { (2 * self.step).clamp(LEAST, MOST) } else { LEAST };
        self.start = at;
        self.buffer.clear();
        self.more(file)
    }

    /// Reads on behind what is held.
    fn more(&mut self, file: &File) -> io::Result<()> {
        let held = self.buffer.len();
        self.buffer.resize(held + self.step.max(held), 0);
        let read = loop {
            match file.read_at(&mut self.buffer[held..], self.start + held as u64) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                other => break other,
            }
        };
        self.buffer.truncate(held + *read.as_ref().unwrap_or(&0));
        match read {
            Ok(0) => {
                Err(io::Error::new(ErrorKind::UnexpectedEof, "the file became shorter while it was read"))
            }
            other => other.map(drop),
        }
    }
}

/// So many bytes are rather read than jumped over.
const NEAR: u64 = 1024;

/// Keys are handed over in pieces of about so many bytes.
const HANDFUL: usize = 32 << 10;

/// Shows the raw keys that begin at `starts`, one after the other. With `aside` another thread reads ahead, a few
/// handfuls at most.
pub fn for_each(
    file: &File,
    starts: impl Iterator<Item = u64> + Send,
    aside: bool,
    show: &mut dyn FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<()> {
    let mut keys = Keys::default();
    if !aside {
        return { starts }.try_for_each(|start| show(keys.raw(file, start)?));
    }
    thread::scope(|scope| {
        let (send, receive) = mpsc::sync_channel::<Handful>(2);
        let reader = move || -> io::Result<()> {
            let mut handful = Handful::default();
            for start in starts {
                handful.push(keys.raw(file, start)?);
                if handful.text.len() >= HANDFUL && send.send(mem::take(&mut handful)).is_err() {
                    // Nobody wants more.
                    return Ok(());
                }
            }
            let _ = send.send(handful);
            Ok(())
        };
        let reader = thread::Builder::new().stack_size(STACK).spawn_scoped(scope, reader)?;
        let shown = receive.iter().try_for_each(|handful| handful.keys().try_for_each(&mut *show));
        drop(receive);
        let read = reader.join().unwrap_or_else(|panic| panic::resume_unwind(panic));
        shown.and(read)
    })
}

/// What a thread needs: nothing here recurses.
const STACK: usize = 128 << 10;

/// Some keys, one behind the other.
#[derive(Default)]
struct Handful {
    text: Vec<u8>,
    ends: Vec<usize>,
}

impl Handful {
    fn push(&mut self, key: &[u8]) {
        self.text.extend_from_slice(key);
        self.ends.push(self.text.len());
    }

    fn keys(&self) -> impl Iterator<Item = &[u8]> {
        let starts = [0].into_iter().chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, &end)| &self.text[start..end])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_any_length_and_distance_are_read_whole() {
        let lengths = [1, 3, 100, LEAST - 1, LEAST, 3 * LEAST, MOST + 7, 2, 2, 2, 300];
        for gap in [1, LEAST / 2, LEAST + 9, 3 * MOST] {
            let (mut text, mut places) = (Vec::new(), Vec::new());
            for _ in 0..20 {
                for length in lengths {
                    let key = format!("\"{}\\\"\\\\{}\"", "k".repeat(length), "\\\"".repeat(length));
                    places.push((text.len() as u64, key.clone()));
                    text.extend_from_slice(key.as_bytes());
                    text.resize(text.len() + gap, b'"');
                }
            }
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("store");
            std::fs::write(&path, &text).unwrap();
            let (file, mut keys) = (File::open(&path).unwrap(), Keys::default());
            let back = places.iter().rev().take(9);
            for (at, key) in places.iter().chain(back) {
                assert!(keys.raw(&file, *at).unwrap() == key.as_bytes(), "{at} of {gap}");
            }
            places.iter().for_each(|(at, _)| drop(keys.raw(&file, *at)));
            assert!(keys.buffer.capacity() <= 8 * MOST, "{}", keys.buffer.capacity());
            for aside in [false, true] {
                let mut shown = Vec::new();
                let starts = places.iter().map(|(at, _)| *at);
                for_each(&file, starts, aside, &mut |key| {
                    shown.push(key.to_owned());
                    Ok(())
                })
                .unwrap();
                assert!(shown.iter().eq(places.iter().map(|(_, key)| key.as_bytes())), "{gap}");
                let starts = places.iter().map(|(at, _)| *at);
                let enough = || Err(ErrorKind::StorageFull.into());
                let stopped = for_each(&file, starts, aside, &mut |_| enough()).unwrap_err();
                assert_eq!(stopped.kind(), ErrorKind::StorageFull);
            }
            let cut = text.len() as u64 - gap as u64 - 2;
            File::options().write(true).open(&path).unwrap().set_len(cut).unwrap();
            let last = places.last().unwrap().0;
            assert_eq!(Keys::default().raw(&file, last).unwrap_err().kind(), ErrorKind::UnexpectedEof);
            assert_eq!(Keys::default().raw(&file, cut + 1).unwrap_err().kind(), ErrorKind::UnexpectedEof);
        }
    }
}
