//! Slows down guessing of passwords: after a few failures a name (or a network address) must wait, longer each time. A
//! pure state machine.
//!
//! An attempt counts as a failure when it begins and is taken back when it succeeds, so that many attempts at once do not
//! all slip through. The longest wait of a name is short: whoever guesses at a colleague's name must not be able to lock
//! the colleague out for long. An address that guesses waits longer.

use std::{collections::HashMap, time::Duration};

use sightline_model::Timestamp;

/// A key that has not failed for this long starts anew.
const FORGET_AFTER: Duration = Duration::from_secs(3600);
/// Keys remembered at once; beyond that the longest unused go first, so that memory is bounded under a flood.
const MAX_KEYS: usize = 10_000;

#[derive(Debug, Clone, Copy)]
struct Failures {
    count: u32,
    last: Timestamp,
}

/// Failures by name or address.
#[derive(Debug)]
pub(crate) struct Throttle {
    /// Failures that cost nothing: people mistype.
    free: u32,
    /// First wait; doubles with each further failure.
    first: Duration,
    longest: Duration,
    keys: HashMap<String, Failures>,
}

impl Throttle {
    /// For sign-in names.
    pub(crate) fn for_names() -> Self {
        let (first, longest) = (Duration::from_secs(2), Duration::from_secs(60));
        Self { free: 4, first, longest, keys: HashMap::new() }
    }

    /// For network addresses, behind which a whole office may sit.
    pub(crate) fn for_addresses() -> Self {
        let (first, longest) = (Duration::from_secs(2), Duration::from_secs(900));
        Self { free: 30, first, longest, keys: HashMap::new() }
    }

    /// `key` wants to try: how long it still has to wait, or `None` when it may; then the attempt counts as failed until
    /// it succeeds.
    pub(crate) fn attempt(&mut self, key: &str, now: Timestamp) -> Option<Duration> {
        if let Some(left) = self.wait(key, now) {
            return Some(left);
        }
        if self.keys.len() >= MAX_KEYS && !self.keys.contains_key(key) {
            self.make_room(now);
        }
        let failures = self.keys.entry(key.to_owned()).or_insert(Failures { count: 0, last: now });
        if is_stale(failures, now) {
            failures.count = 0;
        }
        *failures = Failures { count: failures.count.saturating_add(1), last: now };
        None
    }

    fn wait(&self, key: &str, now: Timestamp) -> Option<Duration> {
        let failures = self.keys.get(key).filter(|failures| !is_stale(failures, now))?;
        let beyond = failures.count.checked_sub(self.free + 1)?;
        let wait = self.first.saturating_mul(2_u32.saturating_pow(beyond)).min(self.longest);
        let left = wait.saturating_sub(now.duration_since(failures.last));
        (!left.is_zero()).then_some(left)
    }

    /// `key` signed in: its failures are forgotten.
    pub(crate) fn forgive(&mut self, key: &str) {
        self.keys.remove(key);
    }

    /// The last attempt of `key` succeeded; the ones before count on.
    pub(crate) fn take_back(&mut self, key: &str) {
        if let Some(failures) = self.keys.get_mut(key) {
            failures.count = failures.count.saturating_sub(1);
        }
    }

    fn make_room(&mut self, now: Timestamp) {
        self.keys.retain(|_, failures| !is_stale(failures, now));
        if self.keys.len() >= MAX_KEYS {
            let oldest =
                self.keys.iter().min_by_key(|(_, failures)| failures.last).map(|(key, _)| key.clone());
            oldest.and_then(|oldest| self.keys.remove(&oldest));
        }
    }
}

fn is_stale(failures: &Failures, now: Timestamp) -> bool {
    now.duration_since(failures.last) >= FORGET_AFTER
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_000_000_000);

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn waits_grow_and_end() {
        let mut throttle = Throttle::for_names();
        let mut now = NOW;
        for _ in 0..5 {
            assert_eq!(throttle.attempt("li", now), None);
        }
        for wait in [2, 4, 8, 16, 32, 60, 60] {
            assert_eq!(throttle.attempt("li", now), Some(seconds(wait)));
            assert_eq!(
                throttle.attempt("li", now + seconds(1)),
                Some(seconds(wait - 1)),
                "waiting is not failing"
            );
            now = now + seconds(wait);
            assert_eq!(throttle.attempt("li", now), None);
        }
        assert_eq!(throttle.attempt("wang", now), None, "others are not affected");
        throttle.forgive("li");
        assert_eq!(throttle.attempt("li", now), None);
    }

    #[test]
    fn an_address_keeps_its_failures_when_somebody_behind_it_signs_in() {
        let mut throttle = Throttle::for_addresses();
        for _ in 0..31 {
            assert_eq!(throttle.attempt("192.0.2.7", NOW), None);
        }
        assert!(throttle.attempt("192.0.2.7", NOW).is_some());
        throttle.take_back("192.0.2.7");
        assert_eq!(throttle.attempt("192.0.2.7", NOW), None);
        assert!(throttle.attempt("192.0.2.7", NOW).is_some());
        assert_eq!(throttle.attempt("192.0.2.7", NOW + FORGET_AFTER), None);
        assert_eq!(throttle.attempt("192.0.2.7", NOW + FORGET_AFTER), None, "an hour later it starts anew");
    }

    #[test]
    fn a_flood_of_names_stays_bounded() {
        let mut throttle = Throttle::for_names();
        for n in 0..MAX_KEYS + 50 {
            throttle.attempt(&n.to_string(), Timestamp(NOW.0 + i64::try_from(n).unwrap()));
        }
        assert_eq!(throttle.keys.len(), MAX_KEYS);
        throttle.attempt("later", NOW + FORGET_AFTER * 2);
        assert_eq!(throttle.keys.len(), 1, "old failures are forgotten");
    }
}
