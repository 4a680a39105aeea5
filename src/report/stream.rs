//! Changes on their way to an output, with the failures of the two ends kept apart.

use std::io;

use super::model::{Change, Changes};
use crate::exit::Exit;

/// What became of a report that was written whole.
#[derive(Debug)]
#[must_use]
pub struct Written {
    /// What the report says that the process exits with.
    pub exit_code: u8,
    /// The first late failure of the source of changes; the report then says that it is incomplete.
    pub source_failure: Option<io::Error>,
}

/// What a report exits with at least after a late failure: a store that is written to is busy, and anything else
/// is a failure of input.
pub(super) fn floor(source_failure: Option<&io::Error>) -> u8 {
    match source_failure.map(io::Error::kind) {
        None => Exit::Healthy,
        Some(io::ErrorKind::UnexpectedEof) => Exit::Busy,
        Some(_) => Exit::Io,
    }
    .code()
}

/// Gives every change of a store to `write`.
///
/// `Ok(Some(_))` is a failure of the source, after which the report can still be ended properly.
///
/// # Errors
///
/// Those of `write`, that is, of the output: nothing more can be said then.
pub(super) fn pour(
    changes: &mut dyn Changes,
    store: usize,
    write: &mut dyn FnMut(&Change) -> io::Result<()>,
) -> io::Result<Option<io::Error>> {
    let mut broken: Option<io::Error> = None;
    let ended = changes.for_each(store, &mut |change| {
        // A source that goes on after a failure of the output must not write past the gap.
        if let Some(error) = &broken {
            return Err(error.kind().into());
        }
        write(change).map_err(|error| {
            let told = error.kind().into();
            broken = Some(error);
            told
        })
    });
    match broken {
        Some(error) => Err(error),
        None => Ok(ended.err()),
    }
}
