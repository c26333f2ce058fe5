//! Counters, for the binary to publish. Streams count for themselves and add up once a GOP.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use sightline_model::gap::GapReason;

/// Counters of all streams together since the start.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) units: AtomicU64,
    pub(crate) units_skipped: AtomicU64,
    pub(crate) bytes: AtomicU64,
    pub(crate) gops: AtomicU64,
    pub(crate) packets_lost: AtomicU64,
    pub(crate) packets_bad: AtomicU64,
    pub(crate) clock_jumps: AtomicU64,
    pub(crate) connects: AtomicU64,
    pub(crate) sender_reports: AtomicU64,
    pub(crate) failures: [AtomicU64; GapReason::ALL.len()],
}

impl Counters {
    pub(crate) fn failed(&self, reason: GapReason) {
        if let Some(counter) = self.failures.get(usize::from(reason.code())) {
            counter.fetch_add(1, Relaxed);
        }
    }

    pub(crate) fn snapshot(&self) -> MetricsSnapshot {
        let failures = GapReason::ALL
            .iter()
            .zip(&self.failures)
            .map(|(reason, counter)| (*reason, counter.load(Relaxed)))
            .collect();
        MetricsSnapshot {
            units: self.units.load(Relaxed),
            units_skipped: self.units_skipped.load(Relaxed),
            bytes: self.bytes.load(Relaxed),
            gops: self.gops.load(Relaxed),
            packets_lost: self.packets_lost.load(Relaxed),
            packets_bad: self.packets_bad.load(Relaxed),
            clock_jumps: self.clock_jumps.load(Relaxed),
            connects: self.connects.load(Relaxed),
            sender_reports: self.sender_reports.load(Relaxed),
            failures,
            ..MetricsSnapshot::default()
        }
    }
}

/// What ingest has done and how its streams stand. Counts since the start unless said otherwise.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MetricsSnapshot {
    /// Streams being connected, or connected without a complete GOP yet (now).
    pub connecting: u64,
    /// Streams with GOPs coming in (now).
    pub streaming: u64,
    /// Streams that failed and will be tried again (now), by reason.
    pub waiting: Vec<(GapReason, u64)>,
    /// Access units kept.
    pub units: u64,
    /// Access units received and not kept: by the `keyframes` policy, or without a key frame before them.
    pub units_skipped: u64,
    /// Media bytes kept.
    pub bytes: u64,
    /// GOPs completed; a long one counts once for each part.
    pub gops: u64,
    /// RTP packets that never came.
    pub packets_lost: u64,
    /// RTP packets that could not be understood.
    pub packets_bad: u64,
    /// Runs that ended because a clock jumped: the receiver's or the camera's media clock.
    pub clock_jumps: u64,
    /// Connections that reached PLAY; more than the streams are reconnects.
    pub connects: u64,
    /// RTCP sender reports used.
    pub sender_reports: u64,
    /// Failures by reason; each is followed by a new try. Stalls are those with [`GapReason::Stalled`].
    pub failures: Vec<(GapReason, u64)>,
}
