//! What the disk writer does next: the one place where it waits.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use super::{EAGER_BYTES, Writer};
use crate::tail::Tail;

/// The longest sleep: after it, segments are looked at for their age.
const IDLE: Duration = Duration::from_secs(30);
/// The longest that GOPs are gathered for one write.
const GATHER_MAX: Duration = Duration::from_millis(250);

/// One step of the disk writer.
#[derive(Debug)]
pub(super) enum Step {
    /// Take from these tails and append.
    Gather { tails: Vec<Arc<Tail>>, since: Instant },
    /// Try again to append what is in hand.
    Retry,
    /// Make durable what is appended.
    Sync,
    /// Close segments that are large or old enough.
    Seal,
    /// Everything up to this flush is done.
    Flushed(u64),
    /// Drain and end.
    Stop,
}

impl Writer {
    pub(super) fn next(&self) -> Step {
        let registry = Arc::clone(&self.shared.registry);
        let mut signals = registry.signals.lock();
        loop {
            let now = Instant::now();
            let flush = signals.flushes > self.flushed;
            if signals.stop {
                return Step::Stop;
            }
            if let Some(at) = self.retry_at {
                if flush || at <= now {
                    return Step::Retry;
                }
                registry.signal.wait_until(&mut signals, at);
                continue;
            }
            let gather_at = signals.ready_since.map(|since| since + self.gather_time());
            let eager = signals.ready_bytes >= EAGER_BYTES;
            if let Some(at) = gather_at.filter(|at| flush || eager || *at <= now) {
                let tails = std::mem::take(&mut signals.ready);
                let since = signals.ready_since.take().unwrap_or(at);
                signals.ready_bytes = 0;
                return Step::Gather { tails, since };
            }
            if let Some(step) = self.due(now, flush) {
                return step;
            }
            if flush {
                return Step::Flushed(signals.flushes);
            }
            let next = gather_at.into_iter().chain(self.sync_at()).chain(self.seal_at()).min();
            registry.signal.wait_until(&mut signals, next.unwrap_or(now + IDLE).min(now + IDLE));
        }
    }

    fn due(&self, now: Instant, flush: bool) -> Option<Step> {
        let sync_due = self.sync_at().is_some_and(|at| flush || at <= now);
        if sync_due || self.unsynced_bytes >= self.shared.config.sync_bytes.max(1) {
            return Some(Step::Sync);
        }
        self.seal_at().is_some_and(|at| at <= now).then_some(Step::Seal)
    }

    fn gather_time(&self) -> Duration {
        (self.shared.config.sync_interval / 4).min(GATHER_MAX)
    }

    fn sync_at(&self) -> Option<Instant> {
        self.unsynced_since.map(|since| since + self.shared.config.sync_interval)
    }

    /// When the oldest open segment is due; segments with unsynced records wait for their sync.
    fn seal_at(&self) -> Option<Instant> {
        let open = self.lanes.iter().flatten().filter(|open| open.unsynced.jobs.is_empty());
        open.map(|open| open.begun + self.shared.config.segment_max_age).min()
    }
}
