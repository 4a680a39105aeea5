//! Every scanner, in windows of every size, says of any bytes what the portable one says of them as a whole.

#![no_main]

#[path = "../../support/scanners.rs"]
mod scanners;

use libfuzzer_sys::fuzz_target;
use scanners::{SCANNERS, difference};

fuzz_target!(|input: &[u8]| {
    let whole = SCANNERS[0].bytes(input, usize::MAX);
    for scanner in SCANNERS {
        for window in [usize::MAX, 1, 7, 64, 100, 128] {
            if let Some(what) = difference(&whole, &scanner.bytes(input, window)) {
                panic!("{} in windows of {window}: {what}", scanner.name);
            }
        }
    }
});
