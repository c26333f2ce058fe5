//! What a running session shows to the task that watches it, without a lock: when things were last seen, and what is
//! to be kept.

use std::{
    sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    time::{Duration, Instant},
};

use sightline_model::media::Policy;

use crate::health::Seen;

/// Signs of life of one stream. Times are microseconds since `base`; 0 is "not yet".
#[derive(Debug)]
pub(crate) struct Pulse {
    base: Instant,
    started: AtomicU64,
    playing: AtomicU64,
    frame: AtomicU64,
    key_frame: AtomicU64,
    keyframes_only: AtomicBool,
}

impl Pulse {
    pub(crate) fn new(base: Instant, policy: Policy) -> Self {
        let pulse = Self {
            base,
            started: AtomicU64::new(0),
            playing: AtomicU64::new(0),
            frame: AtomicU64::new(0),
            key_frame: AtomicU64::new(0),
            keyframes_only: AtomicBool::new(false),
        };
        pulse.set_policy(policy);
        pulse
    }

    /// A new session is tried.
    pub(crate) fn start(&self, now: Instant) {
        for seen in [&self.playing, &self.frame, &self.key_frame] {
            seen.store(0, Relaxed);
        }
        self.started.store(self.micros(now), Relaxed);
    }

    pub(crate) fn playing(&self, now: Instant) {
        self.playing.store(self.micros(now), Relaxed);
    }

    /// An access unit came; `usable_key` when a GOP began with it.
    pub(crate) fn frame(&self, received: Instant, usable_key: bool) {
        let micros = self.micros(received);
        self.frame.store(micros, Relaxed);
        if usable_key {
            self.key_frame.store(micros, Relaxed);
        }
    }

    pub(crate) fn set_policy(&self, policy: Policy) {
        self.keyframes_only.store(policy == Policy::Keyframes, Relaxed);
    }

    pub(crate) fn policy(&self) -> Policy {
        if self.keyframes_only.load(Relaxed) { Policy::Keyframes } else { Policy::Full }
    }

    pub(crate) fn seen(&self) -> Seen {
        let seen = |at: &AtomicU64| match at.load(Relaxed) {
            0 => None,
            micros => Some(Duration::from_micros(micros)),
        };
        Seen {
            started: seen(&self.started).unwrap_or_default(),
            playing: seen(&self.playing),
            frame: seen(&self.frame),
            key_frame: seen(&self.key_frame),
        }
    }

    /// How long the session delivered frames, until `now`.
    pub(crate) fn delivered_for(&self, now: Instant) -> Duration {
        match (self.seen().playing, self.seen().frame) {
            (Some(playing), Some(_)) => self.since_base(now).saturating_sub(playing),
            _ => Duration::ZERO,
        }
    }

    pub(crate) fn since_base(&self, at: Instant) -> Duration {
        at.saturating_duration_since(self.base)
    }

    pub(crate) fn instant(&self, since_base: Duration) -> Instant {
        self.base + since_base
    }

    fn micros(&self, at: Instant) -> u64 {
        u64::try_from(self.since_base(at).as_micros()).unwrap_or(u64::MAX).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_session_starts_without_signs_of_the_old() {
        let base = Instant::now();
        let pulse = Pulse::new(base, Policy::Full);
        let at = |ms: u64| base + Duration::from_millis(ms);
        pulse.start(at(10));
        pulse.playing(at(20));
        assert_eq!(pulse.delivered_for(at(90)), Duration::ZERO);
        pulse.frame(at(30), true);
        pulse.frame(at(70), false);
        let seen = pulse.seen();
        assert_eq!(
            (seen.frame, seen.key_frame),
            (Some(Duration::from_millis(70)), Some(Duration::from_millis(30)))
        );
        assert_eq!(pulse.delivered_for(at(90)), Duration::from_millis(70));
        pulse.start(at(100));
        assert_eq!(pulse.seen(), Seen { started: Duration::from_millis(100), ..Seen::default() });
    }
}
