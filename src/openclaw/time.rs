//! Times as OpenClaw spells them: epoch milliseconds, or ISO 8601 in UTC with milliseconds.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Reads an ISO time such as `2026-11-21T01:13:39.208Z` as epoch milliseconds; `None` for anything else and before 1970.
pub fn parse_iso_ms(text: &str) -> Option<i64> {
    humantime::parse_rfc3339_weak(text.trim()).ok().and_then(to_ms)
}

/// Writes epoch milliseconds as JavaScript's `toISOString` does; negative times are written as 1970.
pub fn format_iso_ms(ms: i64) -> String {
    let at = UNIX_EPOCH.checked_add(Duration::from_millis(ms.clamp(0, LAST_MS).unsigned_abs()));
    humantime::format_rfc3339_millis(at.unwrap_or(UNIX_EPOCH)).to_string()
}

/// The end of the year 9999, the last that RFC 3339 can spell.
const LAST_MS: i64 = 253_402_300_799_999;

/// Reads an archive stamp, the ISO time with `-` for `:` (`2026-11-21T01-09-14.743Z`; milliseconds may be missing).
pub fn parse_stamp_ms(stamp: &str) -> Option<i64> {
    let (date, clock) = stamp.split_once('T')?;
    let clock = clock.strip_suffix('Z')?;
    let shaped = |text: &str, pattern: &str| {
        text.len() == pattern.len()
            && text
                .bytes()
                .zip(pattern.bytes())
                .all(|(b, p)| if p == b'0' { b.is_ascii_digit() } else { b == p })
    };
    let clock_fits = shaped(clock, "00-00-00") || shaped(clock, "00-00-00.000");
    if !shaped(date, "0000-00-00") || !clock_fits {
        return None;
    }
    parse_iso_ms(&format!("{date}T{}Z", clock.replace('-', ":")))
}

fn to_ms(at: SystemTime) -> Option<i64> {
    i64::try_from(at.duration_since(UNIX_EPOCH).ok()?.as_millis()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn iso_times_go_both_ways() {
        assert_eq!(parse_iso_ms("2026-11-21T01:13:39.208Z"), Some(1_795_223_619_208));
        assert_eq!(format_iso_ms(1_795_223_619_208), "2026-11-21T01:13:39.208Z");
        assert_eq!(format_iso_ms(-5), "1970-01-01T00:00:00.000Z");
        assert_eq!(format_iso_ms(i64::MAX), "9999-12-31T23:59:59.999Z");
        assert_eq!(parse_iso_ms("yesterday"), None);
    }

    #[test]
    fn stamps_may_lack_milliseconds() {
        assert_eq!(parse_stamp_ms("2026-11-21T01-13-39.208Z"), Some(1_795_223_619_208));
        assert_eq!(parse_stamp_ms("2026-11-21T01-13-39Z"), Some(1_795_223_619_000));
        assert_eq!(parse_stamp_ms("2026-11-21T01:13:39.208Z"), None);
        assert_eq!(parse_stamp_ms("1795223619208"), None);
    }
}
