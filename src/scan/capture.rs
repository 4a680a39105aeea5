//! Text that is collected while a scan goes on, across windows and up to a limit.

/// At most so many bytes of a key or a wanted value are collected.
pub const CAPTURE: usize = 1 << 20;

/// Text that was collected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Captured<'a> {
    /// The raw bytes; of strings, what stands between the quotes.
    pub raw: &'a [u8],
    /// Whether there was more than [`CAPTURE`] bytes of it.
    pub cut: bool,
}

/// What is being collected: the part from earlier windows, and where it goes on in this one.
#[derive(Clone, Default)]
pub(super) struct Capture {
    buffer: Vec<u8>,
    from: Option<usize>,
    cut: bool,
    /// Depth of the container whose text is wanted, while inside it.
    pub(super) container: Option<u64>,
}

impl Capture {
    pub(super) fn is_on(&self) -> bool {
        self.from.is_some()
    }

    /// A new window begins: what is being collected goes on at its front.
    pub(super) fn go_on(&mut self) {
        if self.from.is_some() {
            self.from = Some(0);
        }
    }

    pub(super) fn begin(&mut self, at: usize) {
        self.clear();
        self.from = Some(at);
    }

    /// Saves what this window holds of it up to `end`.
    pub(super) fn keep(&mut self, window: &[u8], end: usize) {
        if let Some(from) = self.from {
            let part = window.get(from..end).unwrap_or_default();
            let room = CAPTURE - self.buffer.len();
            self.cut |= part.len() > room;
            self.buffer.extend_from_slice(&part[..part.len().min(room)]);
        }
    }

    /// The whole text, which ends before `end` of this window.
    pub(super) fn end<'a>(&'a mut self, window: &'a [u8], end: usize) -> Captured<'a> {
        let from = self.from.unwrap_or(end);
        if self.buffer.is_empty() && !self.cut && end.saturating_sub(from) <= CAPTURE {
            return Captured { raw: window.get(from..end).unwrap_or_default(), cut: false };
        }
        self.keep(window, end);
        Captured { raw: &self.buffer, cut: self.cut }
    }

    pub(super) fn clear(&mut self) {
        self.buffer.clear();
        self.from = None;
        self.cut = false;
        self.container = None;
    }
}
