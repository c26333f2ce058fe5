//! How long to wait before the next attempt: doubling, capped, with jitter. Pure.

use std::time::Duration;

/// Pause after the first failure.
const FIRST: Duration = Duration::from_millis(200);

/// The pauses of one outage.
#[derive(Debug, Clone)]
pub(crate) struct Backoff {
    most: Duration,
    failures: u32,
}

impl Backoff {
    pub(crate) fn new(most: Duration) -> Self {
        Self { most, failures: 0 }
    }

    /// The next pause: between a half and the whole of the doubled one, so that many nodes do not come at once.
    pub(crate) fn next(&mut self, random: f64) -> Duration {
        let whole = FIRST.saturating_mul(1 << self.failures.min(16)).min(self.most);
        self.failures = self.failures.saturating_add(1);
        whole.mul_f64(0.5 + 0.5 * random.clamp(0.0, 1.0))
    }

    /// The connection stood.
    pub(crate) fn reset(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_cap_and_begin_anew() {
        let mut backoff = Backoff::new(Duration::from_secs(1));
        let whole: Vec<_> = (0..5).map(|_| backoff.next(1.0).as_millis()).collect();
        assert_eq!(whole, [200, 400, 800, 1000, 1000]);
        assert_eq!(backoff.next(0.0).as_millis(), 500);
        backoff.reset();
        assert_eq!(backoff.next(1.0).as_millis(), 200);
        (0..100).for_each(|_| assert!(backoff.next(0.3) <= Duration::from_secs(1)));
    }
}
