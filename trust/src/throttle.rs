//! Slows down guessing of passwords: after a few failures a name must wait, longer each time. A pure state machine.

use std::{collections::HashMap, time::Duration};

use sightline_model::Timestamp;

/// Failures that cost nothing: people mistype.
const FREE_FAILURES: u32 = 4;
/// First wait; doubles with each further failure.
const FIRST_WAIT: Duration = Duration::from_secs(2);
/// Longest wait.
const LONGEST_WAIT: Duration = Duration::from_secs(300);
/// A name that has not failed for this long starts anew.
const FORGET_AFTER: Duration = Duration::from_secs(3600);
/// Names remembered at once; beyond that the longest unused go first, so that memory is bounded under a flood of names.
const MAX_NAMES: usize = 10_000;

#[derive(Debug, Clone, Copy)]
struct Failures {
    count: u32,
    last: Timestamp,
}

/// Failures by name.
#[derive(Debug, Default)]
pub(crate) struct Throttle {
    names: HashMap<String, Failures>,
}

impl Throttle {
    /// How long `name` still has to wait; `None` when it may try.
    pub(crate) fn wait(&self, name: &str, now: Timestamp) -> Option<Duration> {
        let failures = self.names.get(name)?;
        let beyond = failures.count.checked_sub(FREE_FAILURES + 1)?;
        let wait = FIRST_WAIT.saturating_mul(2_u32.saturating_pow(beyond)).min(LONGEST_WAIT);
        let left = wait.saturating_sub(now.duration_since(failures.last));
        (!left.is_zero()).then_some(left)
    }

    /// `name` failed to sign in.
    pub(crate) fn failed(&mut self, name: &str, now: Timestamp) {
        self.names.retain(|_, failures| now.duration_since(failures.last) < FORGET_AFTER);
        if self.names.len() >= MAX_NAMES && !self.names.contains_key(name) {
            let oldest =
                self.names.iter().min_by_key(|(_, failures)| failures.last).map(|(name, _)| name.clone());
            oldest.and_then(|oldest| self.names.remove(&oldest));
        }
        let failures = self.names.entry(name.to_owned()).or_insert(Failures { count: 0, last: now });
        *failures = Failures { count: failures.count.saturating_add(1), last: now };
    }

    /// `name` signed in.
    pub(crate) fn succeeded(&mut self, name: &str) {
        self.names.remove(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_000_000_000);

    #[test]
    fn waits_grow_and_end() {
        let mut throttle = Throttle::default();
        for _ in 0..FREE_FAILURES {
            throttle.failed("li", NOW);
            assert_eq!(throttle.wait("li", NOW), None);
        }
        for seconds in [2, 4, 8] {
            throttle.failed("li", NOW);
            assert_eq!(throttle.wait("li", NOW), Some(Duration::from_secs(seconds)));
            assert_eq!(throttle.wait("li", NOW + Duration::from_secs(seconds)), None);
        }
        for _ in 0..60 {
            throttle.failed("li", NOW);
        }
        assert_eq!(throttle.wait("li", NOW), Some(LONGEST_WAIT));
        assert_eq!(throttle.wait("wang", NOW), None, "others are not affected");
        throttle.succeeded("li");
        assert_eq!(throttle.wait("li", NOW), None);
    }

    #[test]
    fn a_flood_of_names_stays_bounded() {
        let mut throttle = Throttle::default();
        for n in 0..MAX_NAMES + 50 {
            throttle.failed(&n.to_string(), Timestamp(NOW.0 + i64::try_from(n).unwrap()));
        }
        assert_eq!(throttle.names.len(), MAX_NAMES);
        throttle.failed("later", NOW + FORGET_AFTER * 2);
        assert_eq!(throttle.names.len(), 1, "old failures are forgotten");
    }
}
