//! Any text at all: no panic, the same in every window, and whatever comes back lies in the text, in order, apart
//! from the gaps, and is the member of an object.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sessions_doctor::model::entry::Flags;
use sessions_doctor::scan::entries::{KeyContext, scan};
use sessions_doctor::scan::salvage::{Salvage, salvage};
use sessions_doctor::scan::source::MemorySource;

const CONTEXT: KeyContext<'static> = KeyContext { main_key: "main", marks: &|_, _| Flags::NONE };

fuzz_target!(|text: &[u8]| {
    let whole = look(text, usize::MAX);
    for window in [1, 7, 64] {
        assert_eq!(format!("{whole:?}"), format!("{:?}", look(text, window)), "in windows of {window}");
    }
    let mut spans: Vec<_> = whole.entries.iter().map(|entry| entry.start()..entry.end()).collect();
    for span in &spans {
        let member = [b"{", &text[span.start as usize..span.end as usize], b"}"].concat();
        let scan = scan(&mut MemorySource::new(&member, usize::MAX), &CONTEXT, &mut |_| Ok(()));
        let scan = scan.expect("memory is readable");
        assert!(scan.outcome.fault.is_none() && scan.entries.len() == 1);
    }
    assert!(spans.windows(2).all(|pair| pair[0].end <= pair[1].start));
    assert!(whole.likely.windows(2).all(|pair| pair[0] < pair[1]));
    assert!(whole.likely.last().is_none_or(|&last| (last as usize) < spans.len()));
    spans.extend(whole.damage.iter().map(|gap| gap.range.clone()));
    spans.sort_by_key(|span| (span.start, span.end));
    assert!(spans.windows(2).all(|pair| pair[0].end <= pair[1].start));
    assert!(spans.last().is_none_or(|last| last.end <= text.len() as u64));
});

fn look(text: &[u8], window: usize) -> Salvage {
    salvage(&mut MemorySource::new(text, window), &CONTEXT, &mut |_, _| Ok(())).expect("memory is readable")
}
