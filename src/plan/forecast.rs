//! What a store costs the gateway's heap: a range, and what it rests on.
//!
//! Measured with a 2026.3.28 gateway on Node 24: a store of 194 MB killed it with a heap of 1,024 MiB and
//! let it live with 2,048 MiB, and its resident memory rose by 13 bytes for a byte of store over 100 to
//! 300 MB without one.

use crate::report::model::Forecast;

/// Bytes of heap for a byte of store, times ten: at least, and at most.
const LOW_TENTHS: u64 = 55;
const HIGH_TENTHS: u64 = 130;
/// What a gateway takes without any store: at least, and at most.
const LOW_BASE: u64 = 50_000_000;
const HIGH_BASE: u64 = 300_000_000;

/// The forecast for a store of `bytes` under a heap limit of `limit` bytes.
pub fn forecast(bytes: u64, limit: Option<u64>) -> Forecast {
    let low = LOW_BASE + bytes / 10 * LOW_TENTHS;
    let high = HIGH_BASE + bytes / 10 * HIGH_TENTHS;
    let fits = limit.and_then(|limit| match () {
        () if high <= limit => Some(true),
        () if low > limit => Some(false),
        () => None,
    });
    Forecast {
        heap_bytes_low: low,
        heap_bytes_high: high,
        heap_limit_bytes: limit,
        fits,
        basis: "5.5 to 13 bytes of heap for a byte of store, over 50 to 300 MB without one; measured with \
                OpenClaw 2026.3.28 on Node 24"
            .to_owned(),
    }
}

/// The size at which the forecast leaves a factor of two; at least 1 MB, for there is no gain below.
pub fn comfortable_size(limit: u64) -> u64 {
    ((limit / 2).saturating_sub(HIGH_BASE) / HIGH_TENTHS * 10).max(1_000_000)
}

/// The sizes at which a store may, and at which it must, take more than the whole heap.
pub fn sizes_that_fill(limit: u64) -> (u64, u64) {
    let size = |base: u64, tenths: u64| limit.saturating_sub(base) / tenths * 10;
    (size(HIGH_BASE, HIGH_TENTHS), size(LOW_BASE, LOW_TENTHS))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    #[test]
    fn the_measured_gateways_come_out_right() {
        assert_eq!(forecast(194_000_000, Some(1024 * MIB)).fits, Some(false));
        assert_ne!(forecast(194_000_000, Some(2048 * MIB)).fits, Some(false));
        assert_eq!(forecast(400_000, Some(2048 * MIB)).fits, Some(true));
        assert_eq!(forecast(400_000, None).fits, None);
    }

    #[test]
    fn a_heap_is_full_where_the_forecast_says_so() {
        let (may, must) = sizes_that_fill(2048 * MIB);
        assert_eq!(forecast(may, Some(2048 * MIB)).fits, Some(true));
        assert_eq!(forecast(may + MIB, Some(2048 * MIB)).fits, None);
        assert_eq!(forecast(must - MIB, Some(2048 * MIB)).fits, None);
        assert_eq!(forecast(must + MIB, Some(2048 * MIB)).fits, Some(false));
    }

    #[test]
    fn a_comfortable_size_leaves_a_factor_of_two() {
        let size = comfortable_size(4096 * MIB);
        assert!(forecast(size, None).heap_bytes_high * 2 <= 4096 * MIB);
        assert_eq!(comfortable_size(100 * MIB), 1_000_000);
    }
}
