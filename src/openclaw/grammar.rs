//! OpenClaw's small grammars: durations, sizes and agent ids, and the wider ones that the command line takes.

/// Largest value handed out; JavaScript counts exactly up to here.
const MAX_SAFE: f64 = 9_007_199_254_740_991.0;

/// The units of OpenClaw's durations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DurationUnit {
    /// `ms`
    Millis,
    /// `s`
    Seconds,
    /// `m`
    Minutes,
    /// `h`
    Hours,
    /// `d`
    Days,
}

impl DurationUnit {
    fn millis(self) -> f64 {
        match self {
            Self::Millis => 1.0,
            Self::Seconds => 1_000.0,
            Self::Minutes => 60_000.0,
            Self::Hours => 3_600_000.0,
            Self::Days => 86_400_000.0,
        }
    }

    /// Splits the longest unit off the front, as OpenClaw's `ms|s|m|h|d` does.
    fn split(text: &str) -> Option<(Self, &str)> {
        const UNITS: [(&str, DurationUnit); 5] = [
            ("ms", DurationUnit::Millis),
            ("s", DurationUnit::Seconds),
            ("m", DurationUnit::Minutes),
            ("h", DurationUnit::Hours),
            ("d", DurationUnit::Days),
        ];
        UNITS.iter().find_map(|(name, unit)| text.strip_prefix(name).map(|rest| (*unit, rest)))
    }
}

/// The units of OpenClaw's sizes, powers of 1024.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SizeUnit {
    /// `b`
    Bytes,
    /// `k`, `kb`
    Kilo,
    /// `m`, `mb`
    Mega,
    /// `g`, `gb`
    Giga,
    /// `t`, `tb`
    Tera,
}

impl SizeUnit {
    fn bytes(self) -> f64 {
        1024f64.powi(self as i32)
    }

    fn named(name: &str) -> Option<Self> {
        match name {
            "b" => Some(Self::Bytes),
            "k" | "kb" => Some(Self::Kilo),
            "m" | "mb" => Some(Self::Mega),
            "g" | "gb" => Some(Self::Giga),
            "t" | "tb" => Some(Self::Tera),
            _ => None,
        }
    }
}

/// Parses a duration in OpenClaw's grammar as milliseconds.
///
/// One decimal number with an optional unit, or number and unit pairs without gaps (`1h30m`). Zero is allowed, a sign,
/// a week or an exponent is not. A number without a unit takes the caller's.
pub fn parse_duration_ms(text: &str, default_unit: DurationUnit) -> Option<i64> {
    let text = text.trim().to_ascii_lowercase();
    let (value, rest) = split_number(&text)?;
    if rest.is_empty() {
        return rounded(value * default_unit.millis());
    }
    let (mut total, mut rest) = (0.0, text.as_str());
    while !rest.is_empty() {
        let (value, after) = split_number(rest)?;
        let (unit, after) = DurationUnit::split(after)?;
        total += value * unit.millis();
        rest = after;
    }
    rounded(total)
}

/// Parses a size in OpenClaw's grammar as bytes: a decimal number and optional letters, without a space.
pub fn parse_size(text: &str, default_unit: SizeUnit) -> Option<u64> {
    let text = text.trim().to_ascii_lowercase();
    let (value, letters) = split_number(&text)?;
    let unit = if letters.is_empty() { default_unit } else { SizeUnit::named(letters)? };
    rounded(value * unit.bytes()).map(i64::unsigned_abs)
}

/// Parses a duration of the command line: OpenClaw's grammar, else humantime's (`1h 30m`, `2days`).
///
/// Where both can read it OpenClaw's wins: `12M` is twelve minutes, not a year.
pub fn flexible_duration_ms(text: &str, default_unit: DurationUnit) -> Option<i64> {
    parse_duration_ms(text, default_unit)
        .or_else(|| i64::try_from(humantime::parse_duration(text.trim()).ok()?.as_millis()).ok())
}

/// Parses a size of the command line: OpenClaw's grammar, else with a space or an IEC unit (`100MiB`, `1.5 GB`).
///
/// `GB` and `GiB` mean the same here, as everywhere in OpenClaw.
pub fn flexible_size(text: &str) -> Option<u64> {
    let text = text.trim().to_ascii_lowercase();
    let (_, letters) = split_number(&text)?;
    let number = text.get(..text.len() - letters.len())?;
    let letters = letters.trim_start();
    let unit = match letters.strip_suffix("ib") {
        Some(prefix) if prefix.len() == 1 => prefix,
        _ => letters,
    };
    parse_size(&format!("{number}{unit}"), SizeUnit::Bytes)
}

/// The form in which OpenClaw keys and directories spell an agent id; an empty one is `main`.
pub fn normalize_agent_id(id: &str) -> String {
    let id = id.trim().to_lowercase();
    let legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-';
    if id.len() <= 64 && id.starts_with(|c: char| c.is_ascii_alphanumeric()) && id.chars().all(legal) {
        return id;
    }
    let mut folded = String::new();
    for c in id.chars() {
        match legal(c) {
            true => folded.push(c),
            false if !folded.ends_with('\u{0}') => folded.push('\u{0}'),
            false => {}
        }
    }
    let folded = folded.replace('\u{0}', "-");
    let cut: String = folded.trim_matches('-').chars().take(64).collect();
    if cut.is_empty() { "main".to_owned() } else { cut }
}

/// Splits `\d+(\.\d+)?` off the front.
fn split_number(text: &str) -> Option<(f64, &str)> {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let whole = digits(text);
    let rest = text.get(whole..)?;
    let fraction = rest.strip_prefix('.').map_or(0, digits);
    let end = if fraction > 0 { whole + 1 + fraction } else { whole };
    if whole == 0 {
        return None;
    }
    Some((text.get(..end)?.parse().ok()?, text.get(end..)?))
}

fn rounded(value: f64) -> Option<i64> {
    value.is_finite().then(|| value.round().min(MAX_SAFE) as i64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use DurationUnit::{Days, Hours, Millis};

    #[test]
    fn durations() {
        assert_eq!(parse_duration_ms("30", Days), Some(30 * 86_400_000));
        assert_eq!(parse_duration_ms(" 1.5H ", Millis), Some(5_400_000));
        assert_eq!(parse_duration_ms("1h30m", Days), Some(5_400_000));
        assert_eq!(parse_duration_ms("1m5ms", Days), Some(60_005));
        assert_eq!(parse_duration_ms("0", Hours), Some(0));
        for bad in ["", "-1h", "1w", "1h 30m", "h", "1h30", "1.h", ".5h", "1e3", "1hh", "ü"] {
            assert_eq!(parse_duration_ms(bad, Days), None, "{bad}");
        }
        assert_eq!(parse_duration_ms(&"9".repeat(400), Days), None);
    }

    #[test]
    fn sizes() {
        assert_eq!(parse_size("10mb", SizeUnit::Bytes), Some(10 << 20));
        assert_eq!(parse_size("1.5K", SizeUnit::Bytes), Some(1536));
        assert_eq!(parse_size("7", SizeUnit::Mega), Some(7 << 20));
        for bad in ["", "1 mb", "1mib", "mb", "1x", "-1"] {
            assert_eq!(parse_size(bad, SizeUnit::Bytes), None, "{bad}");
        }
    }

    #[test]
    fn the_command_line_takes_more() {
        assert_eq!(flexible_duration_ms("1h 30m", Days), Some(5_400_000));
        assert_eq!(flexible_duration_ms("2days", Days), Some(172_800_000));
        assert_eq!(flexible_duration_ms("1week", Days), Some(604_800_000));
        assert_eq!(flexible_duration_ms("2", Hours), Some(7_200_000));
        assert_eq!(flexible_duration_ms("soon", Hours), None);
        assert_eq!(flexible_size("100MiB"), Some(100 << 20));
        assert_eq!(flexible_size("1.5 GB"), Some(3 << 29));
        assert_eq!(flexible_size("12"), Some(12));
        for bad in ["1 5 GB", "ib", "1ib", "1kkib", "MiB", ""] {
            assert_eq!(flexible_size(bad), None, "{bad}");
        }
    }

    #[test]
    fn agent_ids() {
        assert_eq!(normalize_agent_id("  Main "), "main");
        assert_eq!(normalize_agent_id(""), "main");
        assert_eq!(normalize_agent_id("My Agent!!x"), "my-agent-x");
        assert_eq!(normalize_agent_id("--a--"), "a");
        assert_eq!(normalize_agent_id("a-- b"), "a---b");
        assert_eq!(normalize_agent_id(&"x".repeat(80)).len(), 64);
        assert_eq!(normalize_agent_id("日本"), "main");
    }
}
