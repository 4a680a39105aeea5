//! How numbers are spelled for people: counts, sizes, durations, shares and times, as `Display` wrappers.
//!
//! Sizes are decimal (1 kB = 1,000 B), as OpenClaw's users speak of them, with three significant digits.

use std::fmt::{self, Display, Formatter};
use std::time::{Duration, UNIX_EPOCH};

use crate::model::Millis;

/// A number with thousands separators: `6,539`.
#[derive(Clone, Copy, Debug)]
pub struct Count(pub u64);

impl Display for Count {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let digits = self.0.to_string();
        let mut text = String::with_capacity(digits.len() + digits.len() / 3);
        for (index, digit) in digits.chars().enumerate() {
            if index > 0 && (digits.len() - index).is_multiple_of(3) {
                text.push(',');
            }
            text.push(digit);
        }
        f.pad(&text)
    }
}

/// A count and its noun: `1 entry`, `6,539 entries`.
#[derive(Clone, Copy, Debug)]
pub struct Counted(pub u64, pub &'static str, pub &'static str);

impl Counted {
    /// So many entries.
    pub fn entries(count: u64) -> Self {
        Self(count, "entry", "entries")
    }
}

impl Display for Counted {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let noun = if self.0 == 1 { self.1 } else { self.2 };
        f.pad(&format!("{} {noun}", Count(self.0)))
    }
}

/// A size: `0 B`, `412 kB`, `9.31 MB`, `185 MB`.
#[derive(Clone, Copy, Debug)]
pub struct Size(pub u64);

impl Display for Size {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.0 < 1000 {
            return f.pad(&format!("{} B", self.0));
        }
        let mut value = self.0 as f64;
        let mut units = ["kB", "MB", "GB", "TB", "PB", "EB"].into_iter();
        let mut unit = "B";
        // 999.5 would be spelled 1000 with three digits, so it belongs to the next unit.
        while value >= 999.5 {
            let Some(next) = units.next() else { break };
            unit = next;
            value /= 1000.0;
        }
        let text = match value {
            v if v < 9.995 => format!("{v:.2} {unit}"),
            v if v < 99.95 => format!("{v:.1} {unit}"),
            v => format!("{v:.0} {unit}"),
        };
        f.pad(&text)
    }
}

/// A length of time in milliseconds: `350 ms`, `41 s`, `25 min`, `2 d 3 h`. A negative one is zero.
#[derive(Clone, Copy, Debug)]
pub struct Span(pub Millis);

impl Display for Span {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let ms = self.0.max(0);
        if ms < 1000 {
            return f.pad(&format!("{ms} ms"));
        }
        f.pad(&long_span((ms + 500) / 1000))
    }
}

/// The two largest units of so many seconds; the smaller one is left out where it is zero.
fn long_span(seconds: i64) -> String {
    const UNITS: [(i64, &str); 4] = [(86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")];
    let first = UNITS.iter().position(|(size, _)| seconds >= *size).unwrap_or(UNITS.len() - 1);
    let (size, unit) = UNITS[first];
    let mut text = format!("{} {unit}", seconds / size);
    // Seconds beside minutes are noise from ten minutes on.
    if let Some((lesser, lesser_unit)) = UNITS.get(first + 1)
        && seconds % size / lesser > 0
        && !(*lesser == 1 && seconds >= 600)
    {
        text.push_str(&format!(" {} {lesser_unit}", seconds % size / lesser));
    }
    text
}

/// A part of a whole in percent: `62 %`, `<1 %`, `99.8 %`; 100 and 0 only where they are exact.
#[derive(Clone, Copy, Debug)]
pub struct Share(pub u64, pub u64);

impl Display for Share {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Share(part, whole) = *self;
        if whole == 0 || part == 0 {
            return f.pad("0 %");
        }
        if part >= whole {
            return f.pad("100 %");
        }
        let percent = part as f64 * 100.0 / whole as f64;
        let text = match percent {
            p if p < 1.0 => "<1 %".to_owned(),
            p if p >= 99.95 => ">99.9 %".to_owned(),
            p if p >= 99.0 => format!("{p:.1} %"),
            p => format!("{:.0} %", p.min(99.0)),
        };
        f.pad(&text)
    }
}

/// A moment in UTC to the minute: `2026-11-21 01:09 UTC`; the bare number where it is no date.
#[derive(Clone, Copy, Debug)]
pub struct Moment(pub Millis);

impl Display for Moment {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        const LAST: Millis = 253_402_300_799_000; // the end of the year 9999, where RFC 3339 ends
        let Some(ms) = u64::try_from(self.0).ok().filter(|_| self.0 <= LAST) else {
            return f.pad(&format!("{} ms", self.0));
        };
        let text = humantime::format_rfc3339_seconds(UNIX_EPOCH + Duration::from_millis(ms)).to_string();
        let date = text.get(..10).unwrap_or(&text);
        let minute = text.get(11..16).unwrap_or("");
        f.pad(&format!("{date} {minute} UTC"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_get_separators_and_their_noun_a_number() {
        assert_eq!(Count(0).to_string(), "0");
        assert_eq!(Count(999).to_string(), "999");
        assert_eq!(Count(6539).to_string(), "6,539");
        assert_eq!(Count(u64::MAX).to_string(), "18,446,744,073,709,551,615");
        assert_eq!(format!("{:>7}", Count(6539)), "  6,539");
        assert_eq!(Counted::entries(1).to_string(), "1 entry");
        assert_eq!(Counted::entries(6539).to_string(), "6,539 entries");
    }

    #[test]
    fn sizes_keep_three_digits_and_never_spell_a_thousand() {
        let cases = [
            (0, "0 B"),
            (999, "999 B"),
            (1000, "1.00 kB"),
            (9_994, "9.99 kB"),
            (9_996, "10.0 kB"),
            (99_960, "100 kB"),
            (412_345, "412 kB"),
            (999_499, "999 kB"),
            (999_500, "1.00 MB"),
            (185_234_567, "185 MB"),
            (1_400_000_000, "1.40 GB"),
            (u64::MAX, "18.4 EB"),
        ];
        for (bytes, text) in cases {
            assert_eq!(Size(bytes).to_string(), text);
        }
    }

    #[test]
    fn durations_have_two_units_at_most() {
        let cases = [
            (-5, "0 ms"),
            (350, "350 ms"),
            (41_000, "41 s"),
            (90_000, "1 min 30 s"),
            (1_500_000, "25 min"),
            (1_503_000, "25 min"),
            (4_800_000, "1 h 20 min"),
            (86_400_000, "1 d"),
            (183_600_000, "2 d 3 h"),
            (86_460_000, "1 d"),
        ];
        for (ms, text) in cases {
            assert_eq!(Span(ms).to_string(), text);
        }
    }

    #[test]
    fn shares_say_all_and_nothing_only_where_it_is_so() {
        assert_eq!(Share(0, 5).to_string(), "0 %");
        assert_eq!(Share(1, 6539).to_string(), "<1 %");
        assert_eq!(Share(62, 100).to_string(), "62 %");
        assert_eq!(Share(9_899, 10_000).to_string(), "99 %");
        assert_eq!(Share(998, 1000).to_string(), "99.8 %");
        assert_eq!(Share(999_999, 1_000_000).to_string(), ">99.9 %");
        assert_eq!(Share(7, 7).to_string(), "100 %");
        assert_eq!(Share(1, 0).to_string(), "0 %");
    }

    #[test]
    fn moments_are_utc_and_survive_nonsense() {
        assert_eq!(Moment(1_795_223_354_743).to_string(), "2026-11-21 01:09 UTC");
        assert_eq!(Moment(-1).to_string(), "-1 ms");
        assert_eq!(Moment(i64::MAX).to_string(), "9223372036854775807 ms");
    }
}
