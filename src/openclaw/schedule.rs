//! How often a cron expression fires, by the same rules as OpenClaw's own library.

use chrono::NaiveDateTime;
use croner::Cron;

/// Occurrences that are looked at; what comes round later than that is rarer, not more frequent.
const LOOKED_AT: usize = 300;

/// Whether a cron expression makes sense.
pub fn is_expression(expr: &str) -> bool {
    expr.parse::<Cron>().is_ok()
}

/// The shortest time between two occurrences of a cron expression, in milliseconds; the look ends with the first that is
/// not longer than `enough`. `None` where the expression makes no sense, or fires only once.
pub fn shortest_interval_ms(expr: &str, enough: i64) -> Option<i64> {
    let cron: Cron = expr.parse().ok()?;
    // Any moment will do: time zones move occurrences, and hardly ever their distance.
    let mut shortest = None;
    let mut before: Option<NaiveDateTime> = None;
    for next in cron.iter_after(NaiveDateTime::default()).take(LOOKED_AT) {
        if let Some(before) = before {
            let gap = (next - before).num_milliseconds();
            shortest = Some(shortest.map_or(gap, |shortest: i64| shortest.min(gap)));
            if gap <= enough {
                break;
            }
        }
        before = Some(next);
    }
    shortest.filter(|&gap| gap > 0)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_shortest_interval_counts() {
        for (expr, minutes) in [
            ("* * * * *", 1),
            ("*/5 * * * *", 5),
            ("*/7 * * * *", 4),
            ("0 9,17 * * 1-5", 8 * 60),
            ("@daily", 24 * 60),
            ("0 9 * * MON", 7 * 24 * 60),
        ] {
            assert_eq!(shortest_interval_ms(expr, 0), Some(minutes * 60_000), "{expr}");
        }
        assert_eq!(shortest_interval_ms("*/10 * * * * *", 0), Some(10_000));
        for expr in ["", "soon", "0 0 30 2 *", "61 * * * *", "* * *", "ü * * * *"] {
            assert_eq!(shortest_interval_ms(expr, 0), None, "{expr}");
        }
    }
}
