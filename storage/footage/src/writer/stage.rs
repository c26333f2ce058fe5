//! The thread that takes complete GOPs from the tails of one disk's streams and makes batches of them, ahead of the
//! thread that writes. It waits for signals, and for the disk when that is behind: the rings hold what comes meanwhile.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::Ordering,
        mpsc::{Receiver, SyncSender},
    },
    time::{Duration, Instant},
};

use sightline_model::{Timestamp, gap::GapReason};

use super::{
    Job, LaneKey, Order,
    buffer::Buffer,
    lane::lane_of,
    prepare::{Batch, Unprepared, prepare},
};
use crate::{
    room::{Presence, Room},
    shared::Shared,
    tail::{Tail, chunk::Work},
};

/// Bytes that one write takes on.
const WRITE_BYTES: usize = 8 << 20;
/// Bytes that one gathering takes on.
const GATHER_BYTES: usize = 32 << 20;
/// Ready bytes that wake the thread at once.
pub(crate) const EAGER_BYTES: usize = 4 << 20;
/// The longest that GOPs are gathered for one write.
const GATHER_MAX: Duration = Duration::from_millis(250);
/// The longest sleep.
const IDLE: Duration = Duration::from_secs(30);
/// Pause before keys that could not be had are asked for again.
const KEY_PAUSE: Duration = Duration::from_millis(500);

/// One step of the thread.
#[derive(Debug)]
enum Step {
    /// Take from these tails, after what was adopted.
    Gather { adopted: Vec<Job>, tails: Vec<Arc<Tail>>, since: Instant },
    /// Everything that was ready before this flush is on its way.
    Flush(u64),
    /// The disk is being taken out: hand nothing more to it.
    Leave,
    /// Take everything that is left, and end.
    Stop,
}

/// See the module's words.
pub(super) struct Stage {
    pub(super) shared: Arc<Shared>,
    pub(super) room: Arc<Room>,
    pub(super) orders: SyncSender<Order>,
    /// Buffers that the disk has done with.
    pub(super) buffers: Receiver<Buffer>,
    /// The last flush that was passed on.
    pub(super) flushed: u64,
}

impl Stage {
    /// Runs until the store stops or the disk is taken out.
    pub(super) fn run(mut self) {
        loop {
            match self.next() {
                Step::Gather { adopted, tails, since } => self.gather(adopted, tails, since),
                Step::Flush(number) => {
                    self.flushed = number;
                    self.send(Order::Flush(number));
                }
                Step::Leave => break,
                Step::Stop => {
                    self.drain();
                    break;
                }
            }
        }
        // Dropping the sender tells the disk thread that nothing more comes.
    }

    fn next(&self) -> Step {
        let mut signals = self.room.signals.lock();
        loop {
            let now = Instant::now();
            if signals.presence != Presence::Working {
                return Step::Leave;
            }
            if signals.stop {
                return Step::Stop;
            }
            let flush = signals.flushes > self.flushed;
            let gather_at = signals.ready_since.map(|since| since + self.gather_time());
            let eager = signals.ready_bytes >= EAGER_BYTES || !signals.adopted.is_empty();
            if let Some(at) = gather_at.or(eager.then_some(now)).filter(|at| flush || eager || *at <= now) {
                let adopted = std::mem::take(&mut signals.adopted);
                let tails = std::mem::take(&mut signals.ready);
                let since = signals.ready_since.take().unwrap_or(at);
                signals.ready_bytes = 0;
                return Step::Gather { adopted, tails, since };
            }
            if flush {
                return Step::Flush(signals.flushes);
            }
            let until = gather_at.unwrap_or(now + IDLE).min(now + IDLE);
            self.room.signal.wait_until(&mut signals, until);
        }
    }

    fn gather_time(&self) -> Duration {
        (self.shared.config.sync_interval / 4).min(GATHER_MAX)
    }

    fn gather(&mut self, adopted: Vec<Job>, tails: Vec<Arc<Tail>>, since: Instant) {
        let mut budget = GATHER_BYTES;
        let mut jobs = adopted;
        let mut left = Vec::new();
        for tail in tails {
            if self.room.sheds(tail.class()) {
                tail.ring.lock().shed();
            } else if budget == 0 || take(&tail, &mut budget, &mut jobs) {
                left.push(tail);
            }
        }
        if !left.is_empty() {
            let mut signals = self.room.signals.lock();
            signals.ready.append(&mut left);
            signals.ready_since.get_or_insert(since);
        }
        self.make(jobs, since);
    }

    /// Makes batches of `jobs`, lane by lane, and passes them on.
    fn make(&mut self, jobs: Vec<Job>, since: Instant) {
        let mut lots: BTreeMap<LaneKey, Vec<Job>> = BTreeMap::new();
        for job in jobs {
            let lane = lane_of(job.tail.key, job.tail.class(), self.shared.config.lanes);
            lots.entry(lane).or_default().push(job);
        }
        for (lane, jobs) in lots {
            for jobs in batches(jobs) {
                let batch = self.prepare(lane, jobs);
                self.send(Order::Write { batch, since });
            }
        }
    }

    /// Makes one batch; while keys cannot be had it waits, as for a disk that refuses.
    fn prepare(&mut self, lane: LaneKey, mut jobs: Vec<Job>) -> Batch {
        loop {
            let buffer = self.buffers.try_recv().unwrap_or_default();
            match prepare(lane, jobs, buffer, self.shared.sealing_keys()) {
                Ok(batch) => return batch,
                Err(Unprepared { jobs: unprepared, error }) => {
                    self.room.refused(&std::io::Error::other(error));
                    if self.room.signals.lock().stop {
                        // The disk thread counts what it is not given: nothing may be written in the clear instead.
                        self.send(Order::Lost(unprepared));
                        return Batch { lane, records: Vec::new(), buffer: Buffer::default() };
                    }
                    jobs = unprepared;
                    self.pause();
                }
            }
        }
    }

    fn pause(&self) {
        let mut signals = self.room.signals.lock();
        if !signals.stop {
            self.room.signal.wait_for(&mut signals, KEY_PAUSE);
            // Whoever waits for a flush learns that it did not go through.
            let asked = signals.flushes;
            drop(signals);
            self.room.answer(asked, true);
        }
    }

    fn send(&self, order: Order) {
        // The disk thread ends only after this one has.
        let _ = self.orders.send(order);
    }

    /// The last step: everything that the tails hold, open GOPs closed as parts.
    fn drain(&mut self) {
        let mut jobs = std::mem::take(&mut self.room.signals.lock().adopted);
        for tail in self.shared.registry.all() {
            if tail.room() != self.room.no {
                continue;
            }
            let mut ring = tail.ring.lock();
            let effect = ring.close(Timestamp::now());
            self.shared.registry.completed.fetch_add(effect.completed, Ordering::AcqRel);
            drop(ring);
            tail.moved.notify_waiters();
            let mut all = usize::MAX;
            take(&tail, &mut all, &mut jobs);
        }
        self.make(jobs, Instant::now());
    }
}

/// Takes what a tail has; says whether more is there.
fn take(tail: &Arc<Tail>, budget: &mut usize, jobs: &mut Vec<Job>) -> bool {
    let mut works = Vec::new();
    let more = tail.ring.lock().take(*budget, &mut works);
    for (no, work) in works {
        if let Work::Gap(gap) = &work
            && gap.reason == GapReason::DiskOverload
        {
            tracing::warn!(stream = %tail.key, from = %gap.from, to = %gap.to, "footage was let go, the disk did not keep up");
        }
        let job = Job { tail: Arc::clone(tail), no, work };
        *budget = budget.saturating_sub(job.bytes());
        jobs.push(job);
    }
    more
}

/// Cuts jobs into lots of about [`WRITE_BYTES`].
pub(super) fn batches(jobs: Vec<Job>) -> Vec<Vec<Job>> {
    let mut lots: Vec<Vec<Job>> = Vec::new();
    let mut bytes = usize::MAX;
    for job in jobs {
        if bytes.saturating_add(job.bytes()) > WRITE_BYTES {
            lots.push(Vec::new());
            bytes = 0;
        }
        bytes += job.bytes();
        if let Some(lot) = lots.last_mut() {
            lot.push(job);
        }
    }
    lots
}
