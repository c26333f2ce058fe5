//! The writing of one disk: a thread that makes batches of records (`stage`) and a thread that appends them in large
//! writes, syncs in groups, and only then makes them findable (this one).
//!
//! `loop { step = next(); apply(step) }`; every wait is in `next`.
//!
//! ```text
//!   Writing ── write or sync refused, or too little space ──> Full / Failing (tried again every second)
//!      ^                                                         │        │
//!      └─────────────── a write went through ────────────────────┘        └── for long, others work ──> Out
//! ```
//!
//! While the disk refuses, the thread keeps what it has in hand (bounded) and takes no more; the stage waits, the rings
//! run full, the oldest GOPs fall off, and the next take begins with a `DiskOverload` gap.

mod buffer;
mod head;
mod lane;
mod leave;
mod prepare;
mod segments;
pub(crate) mod stage;
mod start;
mod step;

use std::{
    collections::{BTreeMap, VecDeque},
    io,
    sync::{
        Arc,
        mpsc::{Receiver, Sender},
    },
    time::{Duration, Instant},
};

use crate::{
    catalogue::Sealed,
    disk::{Lock, is_full},
    metrics::Counters,
    room::{Finished, Room},
    shared::Shared,
};
use buffer::Buffer;
pub(crate) use lane::Job;
use lane::{LaneKey, OpenSegment};
use prepare::{Batch, Unprepared, prepare};
pub(crate) use start::start;
use step::Step;

/// Bytes after which free space is looked at again.
const SPACE_CHECK_BYTES: u64 = 32 << 20;
/// How long shutdown tries before it says what it could not save.
const DRAIN_TIME: Duration = Duration::from_millis(4500);

/// What the stage asks of the disk.
#[derive(Debug)]
enum Order {
    /// Append these records; the oldest became complete at `since`.
    Write { batch: Batch, since: Instant },
    /// These could not be prepared, and there is no more time.
    Lost(Vec<Job>),
    /// Everything before this is to be made durable.
    Flush(u64),
}

/// See the module's words.
struct Writer {
    shared: Arc<Shared>,
    room: Arc<Room>,
    orders: Receiver<Order>,
    /// Buffers go back to the stage.
    buffers: Sender<Buffer>,
    /// To be brought to the catalogue.
    sealed: Sender<Sealed>,
    lanes: BTreeMap<LaneKey, OpenSegment>,
    /// Given up with their segment; go before what is held.
    again: Vec<Job>,
    /// Not written yet because the disk refuses, in order.
    held: VecDeque<Batch>,
    unsynced_since: Option<Instant>,
    unsynced_bytes: u64,
    retry_at: Option<Instant>,
    /// Since when the disk has refused otherwise than for want of space.
    failing_since: Option<Instant>,
    /// Since when it is the only disk that does.
    alone_since: Option<Instant>,
    /// Keys could not be made durable at the last sync.
    keys_refused: bool,
    /// The last flush that was answered.
    flushed: u64,
    space_checked: Option<Instant>,
    bytes_since_check: u64,
    /// Until when a stop waits for the disk.
    deadline: Option<Instant>,
    lost: u64,
    _lock: Option<Lock>,
}

impl Writer {
    /// Runs until the stage has ended and everything it gave is on disk, or the disk is taken out.
    fn run(mut self) -> Finished {
        loop {
            let step = self.next();
            match step {
                Step::End => return self.end(),
                Step::Leave => return self.leave(),
                step => self.apply(step),
            }
        }
    }

    fn apply(&mut self, step: Step) {
        match step {
            Step::Obey(Order::Write { batch, since }) => {
                self.unsynced_since.get_or_insert(since);
                self.write(batch);
            }
            Step::Obey(Order::Lost(jobs)) => self.lose(&jobs),
            Step::Obey(Order::Flush(number)) => {
                self.sync();
                self.answer_flush(number);
            }
            Step::Retry => self.retry(),
            Step::GiveUp => self.give_up(),
            Step::Sync => self.sync(),
            Step::Seal => self.seal_due(false),
            Step::Leave | Step::End => {}
        }
    }

    fn lose(&mut self, jobs: &[Job]) {
        self.lost += jobs.iter().filter(|job| job.is_gop()).count() as u64;
    }

    fn answer_flush(&mut self, number: u64) {
        self.flushed = self.flushed.max(number);
        self.room.answer(number, !self.all_safe());
    }

    /// Whether everything that was given to the disk is synced.
    fn all_safe(&self) -> bool {
        self.held.is_empty()
            && self.again.is_empty()
            && self.lanes.values().all(|open| open.unsynced.jobs.is_empty())
    }

    /// Writes a batch, or keeps it until the disk takes it.
    fn write(&mut self, mut batch: Batch) {
        if batch.records.is_empty() {
            return;
        }
        match self.append(&mut batch) {
            Ok(()) => {
                let _ = self.buffers.send(std::mem::take(&mut batch.buffer));
                self.accepted();
            }
            Err(error) => {
                let lane = batch.lane;
                self.held.push_back(batch);
                self.refused(lane, &error);
            }
        }
    }

    fn append(&mut self, batch: &mut Batch) -> io::Result<()> {
        let (gops, records) = (batch.gops(), batch.records.len() as u64);
        self.check_space(batch.buffer.len() as u64)?;
        self.open_lane(batch.lane)?;
        let Some(open) = self.lanes.get_mut(&batch.lane) else { return Ok(()) };
        let bytes = open.append(batch, self.shared.config.allocate_bytes)?;
        self.unsynced_bytes += bytes;
        self.bytes_since_check += bytes;
        self.unsynced_since.get_or_insert_with(Instant::now);
        let counters = &self.shared.counters;
        Counters::add(&counters.gops_appended, gops);
        Counters::add(&counters.gaps_appended, records - gops);
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
        let fits = self.room.has_space(bytes)?;
        self.space_checked = Some(Instant::now());
        self.bytes_since_check = 0;
        if fits { Ok(()) } else { Err(io::ErrorKind::StorageFull.into()) }
    }

    fn refused(&mut self, lane: LaneKey, error: &io::Error) {
        Counters::add(&self.shared.counters.write_errors, 1);
        self.retry_at = Some(Instant::now() + self.pause());
        if is_full(error) {
            self.failing_since = None;
        } else {
            self.failing_since.get_or_insert_with(Instant::now);
            self.abandon(lane);
        }
        self.room.refused(error);
    }

    fn pause(&self) -> Duration {
        self.shared.config.sync_interval.clamp(Duration::from_millis(5), Duration::from_secs(1))
    }

    fn accepted(&mut self) {
        if self.held.is_empty() && self.again.is_empty() {
            self.retry_at = None;
            self.failing_since = None;
            self.room.accepted();
        }
    }

    fn retry(&mut self) {
        self.retry_at = Some(Instant::now() + self.pause());
        if self.prepare_again() {
            let mut held = std::mem::take(&mut self.held);
            while let Some(batch) = held.pop_front() {
                self.write(batch);
                if !self.held.is_empty() || !self.again.is_empty() {
                    break;
                }
            }
            // What was refused stands before what was not tried.
            self.held.append(&mut held);
        }
        self.accepted();
        if self.retry_at.is_some() {
            // Whoever waits for a flush learns that it did not go through.
            let asked = self.room.signals.lock().flushes;
            self.answer_flush(asked);
        }
    }

    /// Makes batches of what was given up with its segment, in front of everything held.
    fn prepare_again(&mut self) -> bool {
        let mut lots: BTreeMap<LaneKey, Vec<Job>> = BTreeMap::new();
        for job in std::mem::take(&mut self.again) {
            let lane = lane::lane_of(job.tail.key, job.tail.class(), self.shared.config.lanes);
            lots.entry(lane).or_default().push(job);
        }
        let lots = lots
            .into_iter()
            .flat_map(|(lane, jobs)| stage::batches(jobs).into_iter().map(move |jobs| (lane, jobs)));
        let mut batches = Vec::new();
        for (lane, jobs) in lots {
            match prepare(lane, jobs, Buffer::default(), self.shared.sealing_keys()) {
                Ok(batch) => batches.push(batch),
                Err(Unprepared { jobs, error }) => {
                    self.room.refused(&io::Error::other(error));
                    self.again.extend(jobs);
                }
            }
        }
        for batch in batches.into_iter().rev() {
            self.held.push_front(batch);
        }
        self.again.is_empty()
    }

    /// Makes everything appended durable, then findable, then lets the rings forget it.
    fn sync(&mut self) {
        self.unsynced_since = None;
        self.unsynced_bytes = 0;
        if let Err(error) = self.shared.keys.as_ref().map_or(Ok(()), |keys| keys.sync()) {
            // Without its key footage is not safe. Nothing is lost: it is appended, and the next sync tries again.
            self.room.refused(&io::Error::other(error));
            self.keys_refused = true;
            self.unsynced_since = Some(Instant::now());
            return;
        }
        if std::mem::take(&mut self.keys_refused) {
            // No write may come that would say so.
            self.accepted();
        }
        for lane in self.lanes.keys().copied().collect::<Vec<_>>() {
            if let Err(error) = self.sync_lane(lane) {
                self.refused(lane, &error);
                self.abandon(lane);
            }
        }
        self.seal_due(false);
    }

    /// There is no more time: what is in hand is lost, and counted.
    fn give_up(&mut self) {
        let again = std::mem::take(&mut self.again);
        self.lose(&again);
        for batch in std::mem::take(&mut self.held) {
            self.lost += batch.gops();
        }
        self.retry_at = None;
    }

    /// The stage has ended: the last sync, and all segments closed.
    fn end(&mut self) -> Finished {
        self.sync();
        while self.retry_at.is_some() {
            let step = self.next_retry();
            self.apply(step);
            self.sync();
        }
        for lane in self.lanes.keys().copied().collect::<Vec<_>>() {
            // Only when its keys could not be made durable.
            if self.lanes.get(&lane).is_some_and(|open| !open.unsynced.jobs.is_empty()) {
                self.abandon(lane);
            }
        }
        self.give_up();
        self.seal_due(true);
        if self.lost == 0 {
            return Finished::Clean;
        }
        let detail = self.room.state().problem().unwrap_or_else(|| "the disk was too slow".to_owned());
        tracing::error!(lost_gops = self.lost, "footage could not be written before the end: {detail}");
        Finished::Lost { gops: self.lost, detail }
    }
}
