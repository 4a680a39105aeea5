//! Fails when a salvage of a damaged store gives back what was no entry of it, loses one that it need not lose,
//! or says another thing in other windows.

#[allow(dead_code)]
use crate::damage::{COMPACT, INDENTED, SETS, Store, salvaged, texts};
use crate::damages::{Damaged, Piece};
use crate::node::Node;
use crate::random_store::Random;
use sessions_doctor::model::entry::Flags;
use sessions_doctor::scan::entries::{KeyContext, scan};
use sessions_doctor::scan::salvage::{MOST_GAPS, Salvage, What};
use sessions_doctor::scan::source::MemorySource;

/// The salvage of `text`, the same in every window.
fn had(text: &[u8]) -> Salvage {
    let whole = salvaged(text, usize::MAX);
    for window in [1, 7, 64] {
        let other = salvaged(text, window);
        assert_eq!(format!("{other:?}"), format!("{whole:?}"), "in windows of {window}");
    }
    whole
}

/// Entries of `store` by number, certain and likely ones, of a salvage of `text`; `usize::MAX` for what is none
/// of them.
fn numbers(store: &Store, text: &[u8], every_window: bool) -> (Vec<usize>, Vec<usize>) {
    let salvage = if every_window { had(text) } else { salvaged(text, usize::MAX) };
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
            let (certain, likely) = numbers(&store, &store.text[..cut], cut % 19 == 0);
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
            let (certain, likely) = numbers(&store, &text, true);
            // The next one with a key of OpenClaw's grammar is certain; one without such a key is likely to be one,
            // where lines tell.
            let odd = if at == 3 { vec![4] } else { vec![] };
            let lost = [vec![at], odd.clone()].concat();
            let odd = if set == COMPACT { vec![] } else { odd };
            assert_eq!((certain, likely), (but(12, &lost), odd), "{set:?} {at}");
        }
    }
}

/// Whether the text parses as the member of an object.
fn is_member(bytes: &[u8]) -> bool {
    let text = [b"{", bytes, b"}"].concat();
    let context = KeyContext { main_key: "main", marks: &|_, _| Flags::NONE };
    let scan = scan(&mut MemorySource::new(&text, usize::MAX), &context, &mut |_| Ok(())).unwrap();
    scan.outcome.fault.is_none() && scan.entries.len() == 1
}

/// What a salvage of damage by chance has to hold to.
fn hold(stores: &[Store], damaged: &Damaged, how: &str, tally: &mut Tally) {
    let text = damaged.text(stores);
    let shown = || format!("{how}: {:?}\n{}", damaged.pieces, String::from_utf8_lossy(&text));
    let salvage = salvaged(&text, usize::MAX);
    assert_eq!(format!("{salvage:?}"), format!("{:?}", salvaged(&text, 7)), "in windows of 7: {}", shown());
    let placed = damaged.placed();
    let mut end = 0;
    for (at, entry) in salvage.entries.iter().enumerate() {
        let span = entry.start() as usize..entry.end() as usize;
        assert!(end <= span.start && span.end <= text.len(), "{}", shown());
        end = span.end;
        let bytes = &text[span.clone()];
        assert!(is_member(bytes), "{}\nis no member: {}", String::from_utf8_lossy(bytes), shown());
        let likely = salvage.likely.binary_search(&(at as u32)).is_ok();
        let home = placed.iter().find(|(place, _)| place.start <= span.start && span.end <= place.end);
        match home {
            // Sewn together of two pieces, and JSON by chance.
            None => tally.sewn += usize::from(!likely),
            Some((place, Piece::Of(store, range))) => {
                let own = span.start - place.start + range.start..span.end - place.start + range.start;
                let known = stores[*store].spans.contains(&own);
                tally.part += usize::from(likely && !known);
                assert!(known || likely, "{}\nis no entry: {}", String::from_utf8_lossy(bytes), shown());
            }
            Some((_, Piece::Other(_))) => panic!("made of nothing: {}", shown()),
        }
    }
    let mut gap_end = 0;
    for gap in &salvage.damage {
        assert!(
            gap_end <= gap.range.start && gap.range.start <= gap.range.end,
            "{:?}\n{}",
            salvage.damage,
            shown()
        );
        gap_end = gap.range.end;
        let meets = salvage
            .entries
            .iter()
            .any(|entry| (entry.start() as usize) < gap.range.end as usize && gap.range.start < entry.end());
        assert!(!meets && gap.range.end <= text.len() as u64, "{:?}\n{}", salvage.damage, shown());
    }
    if salvage.gaps == 0 {
        // Two damages that make up for each other: for Node it is a sound store, of other entries.
        return;
    }
    for (place, piece) in &placed {
        let Piece::Of(store, range) = piece else { continue };
        let spans = &stores[*store].spans;
        for at in 0..spans.len() {
            // From the end of the entry before to the brace of the entry behind.
            let front = at.checked_sub(1).map_or(0, |before| spans[before].end - 1);
            let behind = spans.get(at + 1).map(|next| next.start + 1);
            let back = behind.map_or(stores[*store].text.len(), |from| {
                from + memchr::memchr(b'{', &stores[*store].text[from..]).unwrap()
            });
            if range.start > front || back > range.end {
                continue;
            }
            let start = place.start + spans[at].start - range.start;
            tally.untouched += 1;
            match salvage.entries.starting_at(start as u64) {
                Some(number) if salvage.likely.binary_search(&(number as u32)).is_ok() => tally.likely += 1,
                Some(_) => {}
                None => {
                    tally.missed += 1;
                    let grammar = stores[*store].member(at).starts_with(b"\"agent:");
                    assert!(
                        text.len() < 1500 || !tally.strict || !grammar && tally.compact,
                        "{at} is lost: {salvage:?}\n{}",
                        shown()
                    );
                }
            }
        }
    }
}

/// What came of much damage.
#[derive(Clone, Debug, Default)]
struct Tally {
    strict: bool,
    compact: bool,
    /// Entries that the damage left alone, with what is around them.
    untouched: usize,
    /// Those that are only likely.
    likely: usize,
    /// Those that did not come back.
    missed: usize,
    /// Certain entries that were sewn together.
    sewn: usize,
    /// Parts of entries that are likely to be entries.
    part: usize,
}

#[test]
fn what_damage_leaves_alone_comes_back_and_nothing_else_does() {
    let count: usize = std::env::var("SESSIONS_DOCTOR_MUTANTS").map_or(1500, |count| count.parse().unwrap());
    let seed: u64 = std::env::var("SESSIONS_DOCTOR_SEED").map_or(1, |seed| seed.parse().unwrap());
    for (number, set) in SETS.into_iter().enumerate() {
        let stores = [Store::new(set, 14), Store::version(set, 17, 1)];
        for times in [1, 2, 4] {
            let mut random = Random::new(seed * 1000 + number as u64 * 10 + times);
            let mut tally =
                Tally { strict: set == INDENTED || times == 1, compact: set == COMPACT, ..Tally::default() };
            for _ in 0..count / 4 {
                let mut damaged = Damaged::whole(0, &stores[0]);
                let mut how = String::new();
                for _ in 0..times {
                    let (next, what) = damaged.damage(&mut random, &stores);
                    damaged = next;
                    how += what;
                    how += ", ";
                }
                hold(&stores, &damaged, &how, &mut tally);
            }
            eprintln!("{set:?} {times} times: {tally:?}");
            assert!(tally.missed * 50 < tally.untouched && tally.likely * 4 < tally.untouched, "{tally:?}");
        }
    }
}

/// `text` without what stands first at `what` in entry number `at`, or with something else there.
fn without(store: &Store, at: usize, what: &str, with: &str) -> Vec<u8> {
    let span = store.spans[at].clone();
    let found = span.start + memchr::memmem::find(&store.text[span], what.as_bytes()).unwrap();
    spliced(&store.text, found..found + what.len(), with.as_bytes())
}

#[test]
fn damage_inside_an_entry_costs_that_entry_alone() {
    for (what, with) in [
        ("sessionId\":", "sessionId\""),
        ("\"sessionId", "sessionId"),
        ("sessionId\"", "sessionId"),
        ("id-", "id\t-"),
        ("id-", "id\n-"),
        ("id-", "id\x01-"),
        ("id-6\"", "id-6"),
        ("\"id-6", "id-6"),
        ("\"id-6\"", "'id-6'"),
        ("\"id-6\"", "// id-6"),
        ("updatedAt", "\0\0\0\0\0\0\0\0\0"),
        ("\"updatedAt", ",\"updatedAt"),
        ("{", ""),
        ("1795", "\u{1}\u{2}[{{"),
    ] {
        for set in SETS {
            let store = Store::new(set, 12);
            let (certain, likely) = numbers(&store, &without(&store, 6, what, with), true);
            assert_eq!((certain, likely), (but(12, &[6]), vec![]), "{set:?} {what:?} {with:?}");
        }
    }
}

#[test]
fn damage_between_entries_costs_none() {
    for (with, what) in [
        ("", Some(What::MissingComma)),
        (",,", Some(What::SurplusComma)),
        ("/* mine */,", None),
        (", // mine\n", None),
        ("\0\0\0,", Some(What::Zeros)),
    ] {
        for set in SETS {
            let store = Store::new(set, 12);
            let end = store.spans[6].end;
            let text = spliced(&store.text, end..end + 1, with.as_bytes());
            let (certain, likely) = numbers(&store, &text, true);
            assert_eq!((certain, likely), (but(12, &[]), vec![]), "{set:?} {with:?}");
            let salvage = salvaged(&text, usize::MAX);
            assert_eq!(salvage.gaps, 1, "{set:?} {with:?} {:?}", salvage.damage);
            let gap = &salvage.damage[0];
            assert!(gap.range.start as usize >= end && gap.range.end as usize <= end + with.len());
            assert!(what.is_none_or(|what| gap.what == what), "{set:?} {with:?} {gap:?}");
        }
    }
}

#[test]
fn damage_around_the_store_costs_no_entry() {
    for set in SETS {
        let store = Store::new(set, 12);
        let (text, len) = (&store.text, store.text.len());
        let all = but(12, &[]);
        let with = |front: &[u8], back: &[u8]| [front, text, back].concat();
        for damaged in [
            with(b"\xef\xbb\xbf", b""),
            with(b"", &[0; 5000]),
            with(b"", b"\n}\n"),
            with(b"", b"x"),
            with(b"[", b"]"),
            with(b"garbage", b""),
            with(&[0; 300], b""),
            spliced(text, len - 1..len, b""),
            spliced(text, len - 1..len, b",}"),
        ] {
            let (certain, likely) = numbers(&store, &damaged, true);
            let shown = String::from_utf8_lossy(&damaged);
            let mut got = [certain, likely].concat();
            got.sort_unstable();
            assert_eq!(got, all, "{set:?} {shown}");
            assert!(salvaged(&damaged, usize::MAX).gaps > 0, "{set:?} {shown}");
        }
        for between in [&b""[..], b"\n", b"\0\0"] {
            let twice = [text, between, text].concat();
            let (certain, likely) = numbers(&store, &twice, true);
            assert_eq!((certain, likely), ([&all[..], &all[..]].concat(), vec![]), "{set:?} {between:?}");
        }
    }
}

#[test]
fn texts_without_entries_give_none() {
    for text in [
        &b""[..],
        b" ",
        b"\0\0\0\0",
        b"[]",
        b"null",
        b"{",
        b"[{\"sessionId\":\"x\",\"updatedAt\":1795223628227}]",
    ] {
        let salvage = had(text);
        assert!(salvage.entries.is_empty() && salvage.gaps > 0, "{text:?} {salvage:?}");
    }
}

#[test]
fn a_store_inside_of_a_string_never_is_certain() {
    let inner = String::from_utf8(Store::new(INDENTED, 3).text).unwrap();
    for set in SETS {
        let store = Store::new(set, 12);
        let text = without(&store, 6, "id-6", &format!("a{inner}b"));
        let (certain, _) = numbers(&store, &text, true);
        assert_eq!(certain, but(12, &[6]), "{set:?}");
    }
}

#[test]
fn two_strings_without_an_end_do_not_make_what_lies_between_them_doubtful() {
    let store = Store::new(INDENTED, 12);
    let at = |number: usize| {
        store.spans[number].start + 12 + store.member(number).iter().position(|&byte| byte == b'{').unwrap()
    };
    let mut text = store.text.clone();
    (text[at(3)], text[at(9)]) = (1, b'\n');
    let (certain, likely) = numbers(&store, &text, true);
    assert_eq!((certain, likely), (but(12, &[3, 4, 9]), vec![4]));
}

#[test]
fn what_comes_back_is_json_for_node() {
    let Some(mut node) = Node::or_skip("what_comes_back_is_json_for_node") else { return };
    let mut random = Random::new(5);
    for set in SETS {
        let stores = [Store::new(set, 14), Store::version(set, 17, 1)];
        for _ in 0..40 {
            let (damaged, how) = Damaged::whole(0, &stores[0]).damage(&mut random, &stores);
            let text = damaged.text(&stores);
            let salvage = salvaged(&text, usize::MAX);
            let whole = node.judge(&text);
            assert_eq!(salvage.gaps == 0, whole["valid"] == true, "{how} {}", String::from_utf8_lossy(&text));
            // All in one object: what is no member of its own would show.
            let (certain, likely) = texts(&text, &salvage);
            let all = [b"{", &[certain, likely].concat().join(&b',')[..], b"}"].concat();
            let judged = node.judge(&all);
            assert!(judged["valid"] == true && judged["kind"] == "object", "{how} {judged}");
        }
    }
}

#[test]
fn the_time_grows_with_the_size_alone() {
    for part in [
        "\n  \"agent:a:main\": {",
        "\"agent:a:main\":{",
        "\"agent:",
        "\"agent:\\",
        "{",
        "\0",
        "\n  \"agent:a:b\": {}x",
        "\"agent:a:b\":{\"agent:a:b\":{}},",
        "\n  \"odd\": {x",
        "{}{\"a\":{}}",
        "{\"agent:a:b\":{\"updatedAt\":1795223628227}},",
        "\"",
        "\n",
    ] {
        let text = part.repeat((1 << 20) / part.len());
        let began = std::time::Instant::now();
        let salvage = salvaged(text.as_bytes(), usize::MAX);
        assert!(salvage.damage.len() <= MOST_GAPS && salvage.gaps >= 1, "{part:?}");
        // A second is a hundred times what it takes; what grows with the square takes far more.
        assert!(began.elapsed().as_secs() < 10, "{part:?} took {:?}", began.elapsed());
    }
}
