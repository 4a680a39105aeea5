//! What is known of files that may be leftovers, and why one stays.

use super::Millis;

/// The files of one session in the sessions directories: transcripts and what lies beside them. They stay or go as one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SessionFiles {
    /// A transcript is among them.
    pub transcript: bool,
    /// Something mentions the session.
    pub mentioned: bool,
    /// A lock lies beside one of them.
    pub locked: bool,
    /// One is no plain file of one name: a link, a directory, a pipe, a hard link.
    pub odd: bool,
    /// One could not be read.
    pub unreadable: bool,
    /// One does not look like what its name says.
    pub foreign: bool,
    /// OpenClaw put a transcript of the session aside.
    pub archived: bool,
    /// The registry knows the key that the run had.
    pub resumable: bool,
    /// One lies where nothing is acted on.
    pub elsewhere: bool,
    /// The last sign of life that may condemn.
    pub proven: Option<Millis>,
    /// The last one of all; 0 for none.
    pub last: Millis,
}

/// A copy of a store or another document: a rotation, or what an interrupted write left.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Copy {
    /// It is no plain file of one name.
    pub odd: bool,
    /// It lies where nothing is acted on.
    pub elsewhere: bool,
    /// Whoever wrote it may still be at it.
    pub writer_may_live: bool,
    /// It is the newest of its kind, which always stays.
    pub newest: bool,
    /// It could not be read.
    pub unreadable: bool,
    /// It is no copy of anything that is known.
    pub foreign: bool,
    /// It holds what the document itself lacks.
    pub richer: bool,
    /// When it was written, where that may condemn.
    pub at: Option<Millis>,
}

/// A row of the registry of sub-agents.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SubAgentRow {
    /// When it ended.
    pub ended_at: Option<Millis>,
    /// Whether a store has its session.
    pub in_a_store: bool,
    /// Whether an entry or another row names it as a parent.
    pub is_parent: bool,
}

/// What is done with what may go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Way {
    /// Into the directory of the run.
    #[default]
    Aside,
    /// Transcripts under the name that OpenClaw gives to deleted ones; everything else as [`Way::Aside`].
    Archive,
    /// Deleted.
    Delete,
}

/// Why a file stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kept {
    /// Something mentions it.
    Mentioned,
    /// It is too young.
    Young,
    /// Nothing tells its age.
    NoTime,
    /// It is locked.
    Locked,
    /// It is no plain file of one name.
    Odd,
    /// It could not be read.
    Unreadable,
    /// It is not what its name says.
    Foreign,
    /// Its transcript lies in an archive.
    Archived,
    /// It lies where nothing is acted on.
    Elsewhere,
    /// Whoever wrote it may still be at it.
    Writer,
    /// It is the newest of its kind.
    Newest,
    /// It holds what the store lacks.
    Richer,
}

impl Kept {
    /// For people.
    pub fn words(self) -> &'static str {
        match self {
            Kept::Mentioned => "something refers to them",
            Kept::Young => "they are too young (--older-than)",
            Kept::NoTime => "nothing tells how old they are",
            Kept::Locked => "a lock lies beside them",
            Kept::Odd => "they are links, or no plain files",
            Kept::Unreadable => "they could not be read",
            Kept::Foreign => "they are not what their names say",
            Kept::Archived => "their transcript lies in an archive of OpenClaw",
            Kept::Elsewhere => "they lie where nothing is acted on",
            Kept::Writer => "their writer may still be at work",
            Kept::Newest => "they are the newest of their kind",
            Kept::Richer => "they hold what the store lacks: `sessions-doctor recover` can use them",
        }
    }
}
