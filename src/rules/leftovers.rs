//! Rules for files of the state directory that nothing needs any more: what holds a file back, and what lets it go.
//!
//! Whatever is not known holds a file back. None of these looks at anything: what there is to know comes as values.

use crate::model::Millis;
use crate::model::leftover::{Copy, Kept, SessionFiles, SubAgentRow};
use crate::model::verdict::Rule;

/// A transcript, with what belongs to it, that nothing refers to.
pub static TRANSCRIPT_ORPHAN: Rule =
    Rule { id: "transcript-orphan", class: None, title: "transcripts that nothing refers to" };

/// What an interrupted write left.
pub static LEFTOVER_TEMP: Rule =
    Rule { id: "leftover-temp", class: None, title: "temporary files of writes that were interrupted" };

/// A rotation that holds nothing which the store lacks.
pub static LEFTOVER_BACKUP: Rule =
    Rule { id: "leftover-backup", class: None, title: "rotations that hold nothing which the store lacks" };

/// A row of the registry of a sub-agent that ended long ago.
pub static SUBAGENT_STALE: Rule =
    Rule { id: "subagent-stale", class: None, title: "rows of sub-agents that ended long ago" };

/// Rules of this file, in the order of reports.
pub static ALL: [&Rule; 4] = [&TRANSCRIPT_ORPHAN, &LEFTOVER_TEMP, &LEFTOVER_BACKUP, &SUBAGENT_STALE];

/// Whether a time lies at least `age` back; one in the future never does.
fn is_past(at: Millis, now: Millis, age: Millis) -> bool {
    at <= now && now.saturating_sub(at) >= age
}

/// What holds the files of a session back; `None` where they may go.
pub fn session_files(files: &SessionFiles, now: Millis, older_than: Millis) -> Option<Kept> {
    let held = [
        (files.elsewhere, Kept::Elsewhere),
        (files.mentioned, Kept::Mentioned),
        (files.locked, Kept::Locked),
        (files.odd, Kept::Odd),
        (files.unreadable, Kept::Unreadable),
        (files.foreign, Kept::Foreign),
        (files.archived && !files.transcript, Kept::Archived),
        (files.resumable, Kept::Mentioned),
    ];
    let held = held.into_iter().find_map(|(holds, why)| holds.then_some(why));
    held.or_else(|| match files.proven {
        None => Some(Kept::NoTime),
        Some(proven) => (!is_past(proven.max(files.last), now, older_than)).then_some(Kept::Young),
    })
}

/// What holds a temporary file back. `at` is when it was written last, where that may condemn.
pub fn temporary(copy: &Copy, now: Millis, older_than: Millis) -> Option<Kept> {
    let writer = (copy.writer_may_live, Kept::Writer);
    copy_held(copy, [writer, (copy.newest, Kept::Newest)], now, older_than)
}

/// What holds a rotation back.
pub fn rotation(copy: &Copy, now: Millis, older_than: Millis) -> Option<Kept> {
    copy_held(copy, [(copy.newest, Kept::Newest), (copy.writer_may_live, Kept::Writer)], now, older_than)
}

fn copy_held(copy: &Copy, own: [(bool, Kept); 2], now: Millis, older_than: Millis) -> Option<Kept> {
    let held = [
        (copy.elsewhere, Kept::Elsewhere),
        (copy.odd, Kept::Odd),
        own[0],
        own[1],
        (copy.unreadable, Kept::Unreadable),
        (copy.foreign, Kept::Foreign),
        (copy.richer, Kept::Richer),
    ];
    let held = held.into_iter().find_map(|(holds, why)| holds.then_some(why));
    held.or_else(|| match copy.at {
        None => Some(Kept::NoTime),
        Some(at) => (!is_past(at, now, older_than)).then_some(Kept::Young),
    })
}

/// Whether a row of the registry may go: it ended long ago, its session is in no store, and nobody names it as a parent.
pub fn row_may_go(row: &SubAgentRow, now: Millis, prune_after: Millis) -> bool {
    !row.in_a_store && !row.is_parent && row.ended_at.is_some_and(|at| is_past(at, now, prune_after))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const DAY: Millis = 24 * 3_600_000;
    const NOW: Millis = 1_000 * DAY;

    fn old() -> SessionFiles {
        SessionFiles { transcript: true, proven: Some(NOW - 2 * DAY), ..SessionFiles::default() }
    }

    fn held(change: fn(&mut SessionFiles)) -> Option<Kept> {
        let mut files = old();
        change(&mut files);
        session_files(&files, NOW, DAY)
    }

    #[test]
    fn only_files_that_nothing_holds_back_may_go() {
        assert_eq!(held(|_| ()), None);
        for (change, why) in [
            ((|files| files.elsewhere = true) as fn(&mut SessionFiles), Kept::Elsewhere),
            (|files| files.mentioned = true, Kept::Mentioned),
            (|files| files.locked = true, Kept::Locked),
            (|files| files.odd = true, Kept::Odd),
            (|files| files.unreadable = true, Kept::Unreadable),
            (|files| files.foreign = true, Kept::Foreign),
            (|files| files.resumable = true, Kept::Mentioned),
            (|files| files.proven = None, Kept::NoTime),
            (|files| files.proven = Some(NOW - DAY + 1), Kept::Young),
            (|files| files.proven = Some(NOW + 1), Kept::Young),
            (|files| files.proven = Some(Millis::MAX), Kept::Young),
            (|files| files.last = NOW - DAY + 1, Kept::Young),
        ] {
            assert_eq!(held(change), Some(why));
        }
    }

    #[test]
    fn a_sidecar_stays_while_its_transcript_lies_in_an_archive() {
        assert_eq!(held(|files| files.archived = true), None, "the transcript is there again");
        assert_eq!(held(|files| (files.archived, files.transcript) = (true, false)), Some(Kept::Archived));
        assert_eq!(held(|files| files.transcript = false), None);
    }

    #[test]
    fn a_copy_that_is_richer_or_that_nobody_knows_stays() {
        let old = Copy { at: Some(NOW - 2 * DAY), ..Copy::default() };
        assert_eq!((temporary(&old, NOW, DAY), rotation(&old, NOW, DAY)), (None, None));
        for (change, why) in [
            ((|copy| copy.elsewhere = true) as fn(&mut Copy), Kept::Elsewhere),
            (|copy| copy.odd = true, Kept::Odd),
            (|copy| copy.writer_may_live = true, Kept::Writer),
            (|copy| copy.newest = true, Kept::Newest),
            (|copy| copy.unreadable = true, Kept::Unreadable),
            (|copy| copy.foreign = true, Kept::Foreign),
            (|copy| copy.richer = true, Kept::Richer),
            (|copy| copy.at = None, Kept::NoTime),
            (|copy| copy.at = Some(NOW - DAY + 1), Kept::Young),
            (|copy| copy.at = Some(NOW + 1), Kept::Young),
        ] {
            let mut copy = Copy { at: Some(NOW - 2 * DAY), ..Copy::default() };
            change(&mut copy);
            assert_eq!(temporary(&copy, NOW, DAY), Some(why));
            assert_eq!(rotation(&copy, NOW, DAY), Some(why));
        }
    }

    #[test]
    fn a_row_goes_once_it_ended_long_ago_and_nobody_needs_it() {
        let row = SubAgentRow { ended_at: Some(NOW - 31 * DAY), ..SubAgentRow::default() };
        assert!(row_may_go(&row, NOW, 30 * DAY));
        for other in [
            SubAgentRow { ended_at: None, ..row },
            SubAgentRow { ended_at: Some(NOW - 29 * DAY), ..row },
            SubAgentRow { ended_at: Some(NOW + 31 * DAY), ..row },
            SubAgentRow { in_a_store: true, ..row },
            SubAgentRow { is_parent: true, ..row },
        ] {
            assert!(!row_may_go(&other, NOW, 30 * DAY), "{other:?}");
        }
        assert!(!row_may_go(&row, NOW, Millis::MAX), "a configuration that is not resolved");
    }
}
