//! Whether bytes are well-formed UTF-8, asked of a good library, a few kilobytes at a time.

/// How many bytes are looked at together: they are needed in the first cache right after.
const CHUNK: usize = 4096;

/// How far the window is known to be well-formed UTF-8.
#[derive(Default)]
pub(super) struct Ahead {
    to: usize,
}

impl Ahead {
    /// Whether `window[at..end]` is whole, well-formed characters; `at` begins one.
    #[inline]
    pub(super) fn is_sound(&mut self, window: &[u8], at: usize, end: usize) -> bool {
        end <= self.to || self.go_on(window, at, end)
    }

    #[inline(never)]
    fn go_on(&mut self, window: &[u8], at: usize, end: usize) -> bool {
        let chunk = &window[at..window.len().min(at + CHUNK)];
        self.to = at
            + match simdutf8::compat::from_utf8(chunk) {
                Ok(_) => chunk.len(),
                Err(error) => error.valid_up_to(),
            };
        end <= self.to
    }
}
