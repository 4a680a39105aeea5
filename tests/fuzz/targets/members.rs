//! A second look at one object, valid or not: no panic, the same in every window, and every span inside the range and in order.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sessions_doctor::scan::members::{find, key, raw_key};
use sessions_doctor::scan::outline::outline;
use sessions_doctor::scan::source::MemorySource;

const NAMES: [&str; 5] = ["status", "updatedAt", "endedAt", "a", ""];

// The first two bytes choose the range; the rest is the text.
fuzz_target!(|input: &[u8]| {
    let [first, second, text @ ..] = input else { return };
    let len = text.len() as u64;
    let from = u64::from(*first) % (len + 1);
    let range = from..len - u64::from(*second) % (len - from + 1);
    let whole = look(text, range.clone(), usize::MAX);
    for window in [1, 7, 64] {
        assert_eq!(whole, look(text, range.clone(), window), "in windows of {window}");
    }
});

/// All that can be asked, as text.
fn look(text: &[u8], range: std::ops::Range<u64>, window: usize) -> String {
    let mut source = MemorySource::new(text, window);
    let found = find(&mut source, range.clone(), &NAMES).expect("memory is readable");
    let outline =
        outline(&mut source, range.clone(), &NAMES).expect("memory is readable").expect("few members");
    assert_eq!(found.len(), NAMES.len());
    assert_eq!(outline.spans.len(), outline.named.len());
    let mut at = range.start;
    for span in &outline.spans {
        assert!(at <= span.start && span.start < span.end && span.end <= range.end, "{span:?} in {range:?}");
        at = span.end;
    }
    for member in found.iter().flatten() {
        let place =
            outline.spans.iter().position(|span| *span == member.span).expect("a member of the outline");
        assert!(outline.named[place]);
        assert_eq!(member.first, place == 0);
        let before = place.checked_sub(1).map_or(range.start + 1, |before| outline.spans[before].end);
        assert!(member.after == before || member.first && member.after <= member.span.start, "{member:?}");
        assert!(member.span.start < member.value.start && member.value.start < member.value.end);
        assert_eq!(member.value.end, member.span.end);
        assert!(
            NAMES
                .iter()
                .any(|name| key(&mut source, member.span.start).is_ok_and(|key| key == name.as_bytes()))
        );
    }
    let key = raw_key(&mut source, range.start).ok();
    format!("{found:?} {outline:?} {key:?}")
}
