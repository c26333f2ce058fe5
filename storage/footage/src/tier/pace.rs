//! How fast segments may be moved. Pure.

use std::time::{Duration, Instant};

/// Lets so many bytes through a second. A single taking may be larger than that: what comes after it waits for it.
#[derive(Debug)]
pub(crate) struct RateLimit {
    bytes_per_s: Option<u64>,
    /// When everything taken so far has been paid for.
    paid_at: Option<Instant>,
}

impl RateLimit {
    pub(crate) fn new(bytes_per_s: Option<u64>) -> Self {
        Self { bytes_per_s, paid_at: None }
    }

    /// Takes `bytes` and says how long to wait before moving them.
    pub(crate) fn take(&mut self, bytes: u64, now: Instant) -> Duration {
        let Some(rate) = self.bytes_per_s else { return Duration::ZERO };
        let from = self.paid_at.map_or(now, |paid| paid.max(now));
        let micros = u128::from(bytes) * 1_000_000 / u128::from(rate.max(1));
        let cost = Duration::from_micros(u64::try_from(micros).unwrap_or(u64::MAX));
        self.paid_at = from.checked_add(cost).or(self.paid_at);
        from.duration_since(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn over_any_stretch_no_more_than_the_rate_and_one_piece_goes_through() {
        let mut limit = RateLimit::new(Some(1000));
        let begin = Instant::now();
        let mut now = begin;
        let mut moved = 0;
        for bytes in [500, 2000, 1, 0, 999, 4000, 700] {
            now += limit.take(bytes, now);
            let allowed = now.duration_since(begin).as_millis() as u64;
            assert!(moved <= allowed, "{moved} bytes after {allowed} ms");
            moved += bytes;
        }
        assert_eq!(
            now.duration_since(begin).as_millis(),
            7500,
            "everything before the last piece was paid for"
        );
        now += Duration::from_secs(60);
        assert_eq!(limit.take(100, now), Duration::ZERO, "an idle minute");
        assert_eq!(limit.take(100, now), Duration::from_millis(100), "gives no credit");
    }

    #[test]
    fn without_a_limit_nothing_waits() {
        let mut limit = RateLimit::new(None);
        let now = Instant::now();
        assert_eq!((limit.take(u64::MAX, now), limit.take(u64::MAX, now)), (Duration::ZERO, Duration::ZERO));
    }
}
