//! A disk of the store: what waits for it, how it does, and the two threads that serve it.
//!
//! ```text
//!   Working ── refuses for long, and another disk works ──> Leaving ── its work is with the others ──> Left
//! ```
//!
//! One thread makes records (`writer::stage`), one writes them (`writer`). A disk that stands still holds up nobody
//! but the streams that are on it.

mod placement;

use std::{
    collections::BTreeSet,
    io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use parking_lot::{Condvar, Mutex};
use sightline_model::Timestamp;
use tokio::sync::watch;

use crate::{
    disk::{Disk, is_full},
    metrics::DiskState,
    tail::Tail,
    writer::Job,
};
pub(crate) use placement::place;

/// How the disk's threads ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Finished {
    /// They are running.
    No,
    /// Everything was written and synced.
    Clean,
    /// Something could not be.
    Lost { gops: u64, detail: String },
}

/// The answer to everybody who asked for a flush, up to a number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Flushed {
    pub(crate) number: u64,
    /// Something of what was asked for is not safe yet. Said here and not by the disk's state, which somebody else may have
    /// changed by the time that the answer is read.
    pub(crate) refused: bool,
}

/// See the module's words.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Presence {
    #[default]
    Working,
    Leaving,
    Left,
}

/// What the disk's threads wait for.
#[derive(Debug, Default)]
pub(crate) struct Signals {
    /// Streams with something to take.
    pub(crate) ready: Vec<Arc<Tail>>,
    pub(crate) ready_bytes: usize,
    /// Since when something is ready.
    pub(crate) ready_since: Option<Instant>,
    /// Work that a disk which was taken out had in hand: goes before anything that is ready.
    pub(crate) adopted: Vec<Job>,
    /// How many flushes were asked for so far.
    pub(crate) flushes: u64,
    pub(crate) stop: bool,
    pub(crate) presence: Presence,
}

/// See the module's words.
#[derive(Debug)]
pub(crate) struct Room {
    pub(crate) no: u8,
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) signals: Mutex<Signals>,
    pub(crate) signal: Condvar,
    state: Mutex<DiskState>,
    /// The answer to the last flush that was answered.
    pub(crate) flushed: watch::Sender<Flushed>,
    pub(crate) finished: watch::Sender<Finished>,
    free_bytes: AtomicU64,
    needed_bytes: u64,
    /// Retention classes that are not recorded while the disk is full.
    shed: Mutex<BTreeSet<u8>>,
}

impl Room {
    pub(crate) fn new(no: u8, disk: Arc<dyn Disk>, needed_bytes: u64) -> Self {
        let free_bytes = disk.free_bytes().unwrap_or(0);
        Self {
            no,
            disk,
            signals: Mutex::default(),
            signal: Condvar::new(),
            state: Mutex::default(),
            flushed: watch::Sender::default(),
            finished: watch::Sender::new(Finished::No),
            free_bytes: AtomicU64::new(free_bytes),
            needed_bytes,
            shed: Mutex::default(),
        }
    }

    /// Whether a retention class is not recorded for now.
    pub(crate) fn sheds(&self, class: u8) -> bool {
        self.shed.lock().contains(&class)
    }

    /// The retention classes that are not recorded for now.
    pub(crate) fn shed(&self) -> BTreeSet<u8> {
        self.shed.lock().clone()
    }

    /// Gives a class up, or takes it up again.
    pub(crate) fn set_shed(&self, class: u8, shed: bool) {
        let mut classes = self.shed.lock();
        if shed {
            classes.insert(class);
        } else {
            classes.remove(&class);
        }
    }

    /// Free space when last looked, in bytes.
    pub(crate) fn free_bytes(&self) -> u64 {
        self.free_bytes.load(Ordering::Relaxed)
    }

    /// Looks at the free space; says whether `bytes` more leave what must stay free.
    pub(crate) fn has_space(&self, bytes: u64) -> io::Result<bool> {
        let free = self.disk.free_bytes()?;
        self.free_bytes.store(free, Ordering::Relaxed);
        Ok(free >= self.needed_bytes.saturating_add(bytes))
    }

    pub(crate) fn stop(&self) {
        self.signals.lock().stop = true;
        self.signal.notify_all();
    }

    /// Whether streams may be given to it.
    pub(crate) fn takes_streams(&self) -> bool {
        self.signals.lock().presence == Presence::Working && *self.state.lock() == DiskState::Writing
    }

    pub(crate) fn has_left(&self) -> bool {
        self.signals.lock().presence == Presence::Left
    }

    /// Counts bytes that became ready, and puts their stream on the list if it is not on it; `false` when the disk has left.
    pub(crate) fn enlist(&self, tail: Option<&Arc<Tail>>, bytes: usize, eager_bytes: usize) -> bool {
        let mut signals = self.signals.lock();
        if signals.presence == Presence::Left {
            return false;
        }
        signals.ready_bytes += bytes;
        signals.ready.extend(tail.cloned());
        let first = signals.ready_since.is_none();
        signals.ready_since.get_or_insert_with(Instant::now);
        let wake = first || signals.ready_bytes >= eager_bytes;
        drop(signals);
        if wake {
            self.signal.notify_all();
        }
        true
    }

    /// Answers all flushes up to `number`.
    pub(crate) fn answer(&self, number: u64, refused: bool) {
        self.flushed.send_modify(|last| {
            if number >= last.number {
                *last = Flushed { number, refused };
            }
        });
    }

    pub(crate) fn state(&self) -> DiskState {
        self.state.lock().clone()
    }

    /// Notes and logs, once, that the disk refuses.
    pub(crate) fn refused(&self, error: &io::Error) {
        let mut state = self.state.lock();
        let path = self.disk.path();
        if is_full(error) {
            let free_bytes = self.disk.free_bytes().unwrap_or(0);
            let needed_bytes = self.needed_bytes;
            if !matches!(*state, DiskState::Full { .. }) {
                tracing::error!(path = %path.display(), free_bytes, needed_bytes, "the disk is full, footage is not being recorded");
                *state = DiskState::Full { free_bytes, needed_bytes, since: Timestamp::now() };
            }
        } else if !matches!(*state, DiskState::Failing { .. }) {
            tracing::error!(path = %path.display(), "footage cannot be written: {error}");
            *state = DiskState::Failing { since: Timestamp::now(), detail: error.to_string() };
        }
    }

    /// Notes and logs, once, that the disk takes footage again.
    pub(crate) fn accepted(&self) {
        let mut state = self.state.lock();
        if *state != DiskState::Writing {
            tracing::info!(path = %self.disk.path().display(), "footage is being recorded again");
            *state = DiskState::Writing;
        }
    }

    /// Notes and logs that the disk was taken out.
    pub(crate) fn taken_out(&self) {
        let mut state = self.state.lock();
        let detail = state.problem().unwrap_or_default();
        tracing::error!(path = %self.disk.path().display(), "this disk was taken out, its cameras record to the others: {detail}");
        *state = DiskState::Out { since: Timestamp::now(), detail };
    }
}
