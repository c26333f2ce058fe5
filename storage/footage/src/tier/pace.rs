//! How fast and how soon again: a rate limit and the pauses of an outage. Pure.

use std::time::{Duration, Instant};

/// First pause after a failure, and the longest.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

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

/// The pauses of one outage: doubling, capped, with jitter.
#[derive(Debug, Default)]
pub(crate) struct Pauses {
    failures: u32,
}

impl Pauses {
    /// The next pause: between a half and the whole of the doubled one, so that many nodes do not come at once.
    pub(crate) fn next(&mut self, random: f64) -> Duration {
        let whole = FIRST_PAUSE.saturating_mul(1 << self.failures.min(16)).min(LONGEST_PAUSE);
        self.failures = self.failures.saturating_add(1);
        whole.mul_f64(0.5 + 0.5 * random.clamp(0.0, 1.0))
    }

    /// It worked.
    pub(crate) fn reset(&mut self) {
        self.failures = 0;
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

    #[test]
    fn pauses_double_up_to_the_longest_and_begin_anew() {
        let mut pauses = Pauses::default();
        let whole: Vec<_> = (0..11).map(|_| pauses.next(1.0).as_secs()).collect();
        assert_eq!(whole, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
        assert_eq!(pauses.next(0.0).as_secs(), 150);
        pauses.reset();
        assert_eq!(pauses.next(1.0).as_secs(), 1);
    }
}
