//! How long to wait after a failure: doubling, jittered, capped, and much longer after a refused password.
//!
//! Does not belong here: reading the clock, drawing random numbers. Invariant: `min / 2 <= wait <= max`,
//! and never less than 10 ms.

use std::time::Duration;

/// Whatever is configured, a failing camera does not keep a core busy.
const SHORTEST: Duration = Duration::from_millis(10);

/// Bounds of the wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bounds {
    pub(crate) min: Duration,
    pub(crate) max: Duration,
}

impl Bounds {
    /// The wait after the `failures`th failure in a row (from 1). `random` is uniform in `0.0..1.0`: half of the wait
    /// is jitter, so that a site that lost power does not come back in step.
    pub(crate) fn wait(self, failures: u32, random: f64) -> Duration {
        let doublings = failures.saturating_sub(1).min(31);
        let whole = self.min.saturating_mul(1 << doublings).min(self.max);
        whole.mul_f64(0.5 + 0.5 * random.clamp(0.0, 1.0)).max(SHORTEST)
    }
}

/// Failures in a row of one stream.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Backoff {
    failures: u32,
}

/// A stream that ran for this long has worked: its next failure is a first one. Below that it is flapping.
pub(crate) const WORKED: Duration = Duration::from_secs(20);

impl Backoff {
    /// Counts a failure after the stream delivered for `ran`, and gives the wait before the next try.
    pub(crate) fn failed(&mut self, ran: Duration, bounds: Bounds, random: f64) -> Duration {
        if ran >= WORKED {
            self.failures = 0;
        }
        self.failures = self.failures.saturating_add(1);
        bounds.wait(self.failures, random)
    }

    /// Failures since the last success.
    pub(crate) fn failures(self) -> u32 {
        self.failures
    }

    /// Forgets them: the address or the password is new.
    pub(crate) fn reset(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDS: Bounds = Bounds { min: Duration::from_millis(500), max: Duration::from_secs(12) };

    #[test]
    fn waits_double_up_to_the_cap() {
        let mut backoff = Backoff::default();
        let waits: Vec<_> = (0..7).map(|_| backoff.failed(Duration::ZERO, BOUNDS, 1.0).as_millis()).collect();
        assert_eq!(waits, [500, 1000, 2000, 4000, 8000, 12000, 12000]);
    }

    #[test]
    fn a_stream_that_worked_starts_over_and_a_flapping_one_does_not() {
        let mut backoff = Backoff::default();
        for _ in 0..5 {
            backoff.failed(Duration::from_secs(3), BOUNDS, 1.0);
        }
        assert_eq!(backoff.failures(), 5);
        assert_eq!(backoff.failed(WORKED, BOUNDS, 1.0), BOUNDS.min);
        assert_eq!(backoff.failures(), 1);
    }

    #[test]
    fn a_locked_account_is_out_of_reach_with_the_default_waits() {
        // Hikvision locks an account for 30 minutes after 5 to 7 refused logins, Dahua after 5: even with the shortest
        // jitter fewer than 5 tries fall into any half hour after the first quarter of one.
        let config = crate::Config::default();
        let bounds = Bounds { min: config.unauthorized_retry_min, max: config.unauthorized_retry_max };
        let mut backoff = Backoff::default();
        let mut tries = vec![Duration::ZERO];
        for _ in 0..40 {
            let wait = backoff.failed(Duration::ZERO, bounds, 0.0);
            tries.push(*tries.last().unwrap() + wait);
        }
        for (at, first) in tries.iter().enumerate() {
            let half_hour = tries[at..].iter().filter(|t| **t - *first < Duration::from_secs(1800)).count();
            assert!(half_hour < 5, "{half_hour} tries within half an hour after {first:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_wait_is_outside_its_bounds(failures in 0_u32.., random in 0.0..1.0_f64, min_ms in 20_u64..10_000, more_ms in 0_u64..1_000_000) {
            let bounds = Bounds { min: Duration::from_millis(min_ms), max: Duration::from_millis(min_ms + more_ms) };
            let wait = bounds.wait(failures, random);
            proptest::prop_assert!(wait >= bounds.min / 2 && wait <= bounds.max, "{wait:?}");
            proptest::prop_assert!(bounds.wait(failures.saturating_add(1), random) >= wait);
        }
    }
}
