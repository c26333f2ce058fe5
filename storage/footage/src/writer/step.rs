//! What the disk writer does next: the one place where it waits.

use std::{
    sync::mpsc::RecvTimeoutError,
    time::{Duration, Instant},
};

use super::{DRAIN_TIME, Order, Writer};

/// The longest sleep: after it, segments are looked at for their age.
const IDLE: Duration = Duration::from_secs(30);
/// Refusals for this many pauses take a disk out, if another one works.
const LEAVE_AFTER_PAUSES: u32 = 10;

/// One step of the disk writer.
#[derive(Debug)]
pub(super) enum Step {
    /// Do what the stage asks.
    Obey(Order),
    /// Try again to append what is in hand.
    Retry,
    /// Stopping, and the disk still refuses.
    GiveUp,
    /// Make durable what is appended.
    Sync,
    /// Close segments that are large or old enough.
    Seal,
    /// The disk has refused for long: hand everything to the others.
    Leave,
    /// The stage has ended.
    End,
}

impl Writer {
    pub(super) fn next(&mut self) -> Step {
        loop {
            if self.retry_at.is_some() {
                return self.next_retry();
            }
            let now = Instant::now();
            if let Some(step) = self.due(now) {
                return step;
            }
            let next = self.sync_at().into_iter().chain(self.seal_at()).min();
            let timeout = next.map_or(IDLE, |at| at.saturating_duration_since(now).min(IDLE));
            match self.orders.recv_timeout(timeout) {
                Ok(order) => return self.in_time(order),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Step::End,
            }
        }
    }

    /// A write that comes when a stop has waited long enough is counted as lost.
    fn in_time(&mut self, order: Order) -> Step {
        self.note_stop();
        match order {
            Order::Write { batch, .. } if self.deadline.is_some_and(|at| at <= Instant::now()) => {
                Step::Obey(Order::Lost(batch.into_jobs().collect()))
            }
            order => Step::Obey(order),
        }
    }

    fn note_stop(&mut self) {
        if self.deadline.is_none() && self.room.signals.lock().stop {
            self.deadline = Some(Instant::now() + DRAIN_TIME);
        }
    }

    /// Waits for the next try, for somebody who wants to know now, or for the end of all patience.
    pub(super) fn next_retry(&mut self) -> Step {
        loop {
            self.note_stop();
            let now = Instant::now();
            if self.deadline.is_some_and(|at| at <= now) {
                return Step::GiveUp;
            }
            if self.may_leave() {
                return Step::Leave;
            }
            let Some(at) = self.retry_at else { return Step::Retry };
            let mut signals = self.room.signals.lock();
            if at <= now || signals.flushes > self.flushed {
                return Step::Retry;
            }
            self.room.signal.wait_until(&mut signals, at.min(self.deadline.unwrap_or(at)));
        }
    }

    /// Whether the disk has failed for long while another one worked: when all fail at once, it is not the disk.
    fn may_leave(&mut self) -> bool {
        let others = self.shared.rooms().iter().filter(|room| room.no != self.room.no);
        if self.failing_since.is_none() || !others.into_iter().any(|room| room.takes_streams()) {
            self.alone_since = None;
            return false;
        }
        let since = *self.alone_since.get_or_insert_with(Instant::now);
        self.deadline.is_none() && since.elapsed() >= self.pause() * LEAVE_AFTER_PAUSES
    }

    fn due(&self, now: Instant) -> Option<Step> {
        let sync_due = self.sync_at().is_some_and(|at| at <= now);
        if sync_due || self.unsynced_bytes >= self.shared.config.sync_bytes.max(1) {
            return Some(Step::Sync);
        }
        self.seal_at().is_some_and(|at| at <= now).then_some(Step::Seal)
    }

    fn sync_at(&self) -> Option<Instant> {
        self.unsynced_since.map(|since| since + self.shared.config.sync_interval)
    }

    /// When the oldest open segment is due; segments with unsynced records wait for their sync.
    fn seal_at(&self) -> Option<Instant> {
        let open = self.lanes.values().filter(|open| open.unsynced.jobs.is_empty());
        open.map(|open| open.begun + self.shared.config.segment_max_age).min()
    }
}
