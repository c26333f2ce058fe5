//! Counters of the pool.

use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

use crate::Error;

/// One counter per kind of error, in the order of the snapshot.
const ERRORS: [&str; 10] = [
    "no_key_frame",
    "too_large",
    "undecodable",
    "no_decoder",
    "busy",
    "timeout",
    "waited",
    "worker_died",
    "unavailable",
    "stopping",
];

/// What is counted while it happens.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    pub(crate) requests: AtomicU64,
    pub(crate) cache_hits: AtomicU64,
    pub(crate) joined: AtomicU64,
    pub(crate) restarts: AtomicU64,
    decoded: AtomicU64,
    decode_micros: AtomicU64,
    encode_micros: AtomicU64,
    errors: [AtomicU64; ERRORS.len()],
}

/// The counters at one moment. Times and counts since the start.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct MetricsSnapshot {
    /// Pictures asked for.
    pub requests: u64,
    /// Of these, answered from the cache.
    pub cache_hits: u64,
    /// Of these, answered together with an equal request that was already under way.
    pub joined: u64,
    /// Pictures made by a worker; also the count of the two sums of seconds.
    pub decoded: u64,
    /// Time spent on decoding and scaling, in the workers.
    pub decode_seconds: f64,
    /// Time spent on JPEG, in the workers.
    pub encode_seconds: f64,
    /// Workers started in place of a dead or hung one.
    pub restarts: u64,
    /// Refused or failed requests by [`Error::code`].
    pub errors: Vec<(&'static str, u64)>,
    /// Workers that are up now.
    pub workers_up: u64,
    /// Pictures waiting for a worker now.
    pub queued: u64,
    /// Pictures in the cache now.
    pub cache_entries: u64,
    /// Bytes in the cache now.
    pub cache_bytes: u64,
}

impl Metrics {
    pub(crate) fn decoded(&self, decode: Duration, encode: Duration) {
        let micros = |length: Duration| u64::try_from(length.as_micros()).unwrap_or(u64::MAX);
        self.decoded.fetch_add(1, Relaxed);
        self.decode_micros.fetch_add(micros(decode), Relaxed);
        self.encode_micros.fetch_add(micros(encode), Relaxed);
    }

    pub(crate) fn failed(&self, error: &Error) {
        let counter = ERRORS.iter().zip(&self.errors).find(|(code, _)| **code == error.code());
        if let Some((_, counter)) = counter {
            counter.fetch_add(1, Relaxed);
        }
    }

    /// Everything that is counted here; what is now, the pool fills in.
    pub(crate) fn snapshot(&self) -> MetricsSnapshot {
        #[expect(clippy::cast_precision_loss, reason = "exact for 285 years")]
        let seconds = |micros: &AtomicU64| micros.load(Relaxed) as f64 / 1e6;
        MetricsSnapshot {
            requests: self.requests.load(Relaxed),
            cache_hits: self.cache_hits.load(Relaxed),
            joined: self.joined.load(Relaxed),
            decoded: self.decoded.load(Relaxed),
            decode_seconds: seconds(&self.decode_micros),
            encode_seconds: seconds(&self.encode_micros),
            restarts: self.restarts.load(Relaxed),
            errors: ERRORS
                .iter()
                .zip(&self.errors)
                .map(|(code, count)| (*code, count.load(Relaxed)))
                .collect(),
            ..MetricsSnapshot::default()
        }
    }
}
