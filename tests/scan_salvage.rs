//! Fails when a salvage of a damaged store gives back what was no entry of it, loses one that it need not lose,
//! or says another thing in other windows.

#![allow(clippy::unwrap_used)]

#[path = "support/damage.rs"]
mod damage;

use damage::{COMPACT, SETS, Store, salvaged, texts};
use sessions_doctor::scan::salvage::Salvage;

/// The salvage of `text`, the same in every window.
fn had(text: &[u8]) -> Salvage {
    let whole = salvaged(text, usize::MAX);
    for window in [1, 7, 64] {
        let other = salvaged(text, window);
        assert_eq!(format!("{other:?}"), format!("{whole:?}"), "in windows of {window}");
    }
    whole
}

/// Entries of `store` by number, all certain, of a salvage of `text`; `usize::MAX` for what is none of them.
fn numbers(store: &Store, text: &[u8]) -> (Vec<usize>, Vec<usize>) {
    let salvage = had(text);
    let (certain, likely) = texts(text, &salvage);
    let members = store.members();
    let number = |bytes: &[u8]| members.iter().position(|member| *member == bytes).unwrap_or(usize::MAX);
    (certain.into_iter().map(number).collect(), likely.into_iter().map(number).collect())
}

#[test]
fn a_sound_store_comes_back_as_it_is_scanned() {
    for set in SETS {
        for count in [0, 1, 2, 40] {
            let store = Store::new(set, count);
            let salvage = had(&store.text);
            assert_eq!(texts(&store.text, &salvage).0, store.members(), "{set:?}");
            assert_eq!((salvage.gaps, salvage.root_end), (0, Some(store.text.len() as u64)));
        }
    }
}

#[test]
fn a_store_that_is_cut_keeps_every_entry_before_the_cut() {
    for set in SETS {
        let store = Store::new(set, 12);
        for cut in 0..store.text.len() {
            let (certain, likely) = numbers(&store, &store.text[..cut]);
            let whole = store.spans.iter().filter(|span| span.end <= cut).count();
            assert_eq!(certain, (0..whole).collect::<Vec<_>>(), "{set:?} {cut}");
            // Where an object inside of the last entry ends, it could as well be the store that does.
            assert!(
                likely.is_empty() || set == COMPACT && store.text[..cut].ends_with(b"}}"),
                "{set:?} {cut}"
            );
        }
    }
}

/// `text` with what stands at `at..to` replaced.
fn spliced(text: &[u8], range: std::ops::Range<usize>, with: &[u8]) -> Vec<u8> {
    [&text[..range.start], with, &text[range.end..]].concat()
}

fn but(count: usize, lost: &[usize]) -> Vec<usize> {
    (0..count).filter(|at| !lost.contains(at)).collect()
}

#[test]
fn an_entry_that_lost_its_end_is_lost_alone() {
    for set in SETS {
        let store = Store::new(set, 12);
        for at in 0..11 {
            let end = store.spans[at].end;
            let text = spliced(&store.text, end - 1..end, b"");
            let (certain, likely) = numbers(&store, &text);
            // The next one with a key of OpenClaw's grammar is certain; one without such a key is likely to be one,
            // where lines tell.
            let odd = if at == 3 { vec![4] } else { vec![] };
            let lost = [vec![at], odd.clone()].concat();
            let odd = if set == COMPACT { vec![] } else { odd };
            assert_eq!((certain, likely), (but(12, &lost), odd), "{set:?} {at}");
        }
    }
}
