//! The disk writer: one thread that gathers complete GOPs from all tails, appends them in large writes, syncs in groups,
//! and only then makes them findable.
//!
//! `loop { step = next(); apply(step) }`; every wait is in `next`.
//!
//! ```text
//!   Writing ── write or sync refused, or too little space ──> Full / Failing (tried again every second)
//!      ^                                                            │
//!      └──────────────── an append went through ────────────────────┘
//! ```
//!
//! While the disk refuses, the writer keeps what it has in hand (bounded) and takes no more; the rings run full, the oldest
//! GOPs fall off, and the next take begins with a `DiskOverload` gap.

mod lane;
mod segments;
mod stage;
mod step;

use std::{
    collections::VecDeque,
    io,
    sync::Arc,
    time::{Duration, Instant},
};

use sightline_model::Timestamp;

use crate::{
    disk::{Lock, is_full},
    metrics::Counters,
    shared::{Finished, Shared},
    tail::{Tail, chunk::Work},
};
use lane::{Job, OpenSegment, lane_of};
use step::Step;

/// Bytes that one write takes on.
const WRITE_BYTES: usize = 8 << 20;
/// Bytes that one gathering takes on: what is in hand while the disk refuses.
const GATHER_BYTES: usize = 64 << 20;
/// Ready bytes that wake the writer at once.
pub(crate) const EAGER_BYTES: usize = 4 << 20;
/// Bytes after which free space is looked at again.
const SPACE_CHECK_BYTES: u64 = 32 << 20;
/// How long shutdown tries before it says what it could not save.
const DRAIN_TIME: Duration = Duration::from_millis(4500);

/// See the module's words.
pub(crate) struct Writer {
    shared: Arc<Shared>,
    lanes: Vec<Option<OpenSegment>>,
    next_id: u64,
    /// Taken from the tails and not yet appended, in order.
    queue: VecDeque<Job>,
    unsynced_since: Option<Instant>,
    unsynced_bytes: u64,
    retry_at: Option<Instant>,
    /// The last flush that was answered.
    flushed: u64,
    space_checked: Option<Instant>,
    bytes_since_check: u64,
    _lock: Option<Lock>,
}

/// Tells those who wait for the end, even if the thread should die.
struct Farewell(Arc<Shared>);

impl Drop for Farewell {
    fn drop(&mut self) {
        self.0.finished.send_if_modified(|finished| {
            let unexpected = *finished == Finished::No;
            if unexpected {
                *finished =
                    Finished::Lost { gops: 0, detail: "the disk writer ended unexpectedly".to_owned() };
            }
            unexpected
        });
    }
}

impl Writer {
    pub(crate) fn new(shared: Arc<Shared>, next_id: u64, lock: Option<Lock>) -> Self {
        let lanes = (0..shared.config.lanes).map(|_| None).collect();
        Self {
            shared,
            lanes,
            next_id,
            queue: VecDeque::new(),
            unsynced_since: None,
            unsynced_bytes: 0,
            retry_at: None,
            flushed: 0,
            space_checked: None,
            bytes_since_check: 0,
            _lock: lock,
        }
    }

    /// Runs until told to stop, then drains.
    pub(crate) fn run(mut self) {
        let farewell = Farewell(Arc::clone(&self.shared));
        loop {
            let step = self.next();
            if matches!(step, Step::Stop) {
                break;
            }
            self.apply(step);
        }
        let finished = self.drain();
        drop(self);
        farewell.0.finished.send_replace(finished);
    }

    fn apply(&mut self, step: Step) {
        match step {
            Step::Gather { tails, since } => self.gather(tails, since),
            Step::Retry => self.retry(),
            Step::Sync => self.sync(),
            Step::Seal => self.seal_due(false),
            Step::Flushed(number) => self.answer_flush(number),
            Step::Stop => {}
        }
    }

    fn answer_flush(&mut self, number: u64) {
        self.flushed = number;
        self.shared.flushed.send_replace(number);
    }

    fn gather(&mut self, tails: Vec<Arc<Tail>>, since: Instant) {
        let mut budget = GATHER_BYTES;
        let mut left = Vec::new();
        for tail in tails {
            if budget == 0 || self.take(&tail, &mut budget) {
                left.push(tail);
            }
        }
        if !left.is_empty() {
            let mut signals = self.shared.registry.signals.lock();
            signals.ready.append(&mut left);
            signals.ready_since.get_or_insert(since);
        }
        self.unsynced_since.get_or_insert(since);
        self.append_queue(None);
    }

    /// Takes what a tail has; says whether more is there.
    fn take(&mut self, tail: &Arc<Tail>, budget: &mut usize) -> bool {
        let mut works = Vec::new();
        let more = tail.ring.lock().take(*budget, &mut works);
        for (no, work) in works {
            if let Work::Gap(gap) = &work
                && gap.reason == sightline_model::gap::GapReason::DiskOverload
            {
                tracing::warn!(stream = %tail.key, from = %gap.from, to = %gap.to, "footage was let go, the disk did not keep up");
            }
            let job = Job { tail: Arc::clone(tail), no, work };
            *budget = budget.saturating_sub(job.bytes());
            self.queue.push_back(job);
        }
        more
    }

    /// Appends everything in hand. What cannot be appended stays in hand, in order.
    fn append_queue(&mut self, deadline: Option<Instant>) {
        let mut lots: Vec<VecDeque<Job>> = self.lanes.iter().map(|_| VecDeque::new()).collect();
        let lanes = lots.len();
        for job in self.queue.drain(..) {
            if let Some(lot) = lots.get_mut(lane_of(job.tail.key, lanes)) {
                lot.push_back(job);
            }
        }
        let mut failure = None;
        for (lane, mut lot) in lots.into_iter().enumerate() {
            while !lot.is_empty() && deadline.is_none_or(|at| Instant::now() < at) {
                let mut batch = next_batch(&mut lot);
                if let Err(error) = self.append(lane, &mut batch) {
                    for job in batch.into_iter().rev() {
                        lot.push_front(job);
                    }
                    failure = Some((lane, error));
                    break;
                }
            }
            self.queue.extend(lot);
        }
        match failure {
            Some((lane, error)) => self.refused(lane, &error),
            None => self.accepted(),
        }
    }

    fn append(&mut self, lane: usize, jobs: &mut Vec<Job>) -> io::Result<()> {
        let gops = jobs.iter().filter(|job| job.is_gop()).count() as u64;
        let gaps = jobs.len() as u64 - gops;
        self.check_space(jobs.iter().map(|job| job.bytes() as u64).sum())?;
        self.open_lane(lane)?;
        let Some(Some(open)) = self.lanes.get_mut(lane) else { return Ok(()) };
        let bytes = open.append(jobs)?;
        self.unsynced_bytes += bytes;
        self.bytes_since_check += bytes;
        self.unsynced_since.get_or_insert_with(Instant::now);
        let counters = &self.shared.counters;
        Counters::add(&counters.gops_appended, gops);
        Counters::add(&counters.gaps_appended, gaps);
        Counters::add(&counters.bytes_appended, bytes);
        Counters::add(&counters.writes, 1);
        Ok(())
    }

    /// Refuses when `bytes` more would leave too little space. Looks at the disk now and then, not every time.
    fn check_space(&mut self, bytes: u64) -> io::Result<()> {
        let recent = self.space_checked.is_some_and(|at| at.elapsed() < Duration::from_secs(1));
        if recent && self.bytes_since_check < SPACE_CHECK_BYTES && self.retry_at.is_none() {
            return Ok(());
        }
        let free = self.shared.files.disk.free_bytes()?;
        self.space_checked = Some(Instant::now());
        self.bytes_since_check = 0;
        self.shared.counters.free_bytes.store(free, std::sync::atomic::Ordering::Relaxed);
        let needed = self.shared.config.min_free_bytes.saturating_add(bytes);
        if free < needed { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }

    fn refused(&mut self, lane: usize, error: &io::Error) {
        Counters::add(&self.shared.counters.write_errors, 1);
        let pause = self.shared.config.sync_interval.clamp(Duration::from_millis(5), Duration::from_secs(1));
        self.retry_at = Some(Instant::now() + pause);
        if !is_full(error) {
            self.abandon(lane);
        }
        self.shared.disk_refused(error);
    }

    fn accepted(&mut self) {
        self.retry_at = None;
        self.shared.disk_accepted();
    }

    fn retry(&mut self) {
        self.append_queue(None);
        if self.retry_at.is_some() {
            // Whoever waits for a flush learns from the disk's state that it did not go through.
            let asked = self.shared.registry.signals.lock().flushes;
            self.answer_flush(asked);
        }
    }

    /// Makes everything appended durable, then findable, then lets the rings forget it.
    fn sync(&mut self) {
        self.unsynced_since = None;
        self.unsynced_bytes = 0;
        for lane in 0..self.lanes.len() {
            if let Err(error) = self.sync_lane(lane) {
                self.refused(lane, &error);
                self.abandon(lane);
            }
        }
        self.seal_due(false);
    }

    /// The last step: everything that the tails hold goes to disk, open GOPs closed as parts.
    fn drain(&mut self) -> Finished {
        let deadline = Instant::now() + DRAIN_TIME;
        for tail in self.shared.registry.all() {
            let mut ring = tail.ring.lock();
            let effect = ring.close(Timestamp::now());
            Counters::add(&self.shared.registry.completed, effect.completed);
            drop(ring);
            tail.moved.notify_waiters();
            let mut budget = usize::MAX;
            self.take(&tail, &mut budget);
        }
        self.append_queue(Some(deadline));
        self.sync();
        let lost = self.queue.iter().filter(|job| job.is_gop()).count() as u64;
        self.seal_due(true);
        if lost == 0 {
            return Finished::Clean;
        }
        let detail = self.shared.disk_problem().unwrap_or_else(|| "the disk was too slow".to_owned());
        tracing::error!(lost_gops = lost, "footage could not be written before the end: {detail}");
        Finished::Lost { gops: lost, detail }
    }
}

/// Takes about [`WRITE_BYTES`] from the front.
fn next_batch(lot: &mut VecDeque<Job>) -> Vec<Job> {
    let mut bytes = 0;
    let mut batch = Vec::new();
    while let Some(job) = lot.front() {
        if !batch.is_empty() && bytes + job.bytes() > WRITE_BYTES {
            break;
        }
        bytes += job.bytes();
        batch.extend(lot.pop_front());
    }
    batch
}
