//! All tails of a store, the list of those that have something for the disk, and who is watching what.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use parking_lot::{Condvar, Mutex, RwLock};
use sightline_model::{Timestamp, media::StreamKey};
use tokio::sync::watch;

use super::{Tail, chunk::Effect, ring::Ring};

/// What the disk writer waits for.
#[derive(Debug, Default)]
pub(crate) struct Signals {
    /// Tails with something to take.
    pub(crate) ready: Vec<Arc<Tail>>,
    pub(crate) ready_bytes: usize,
    /// Since when something is ready.
    pub(crate) ready_since: Option<Instant>,
    /// How many flushes were asked for so far.
    pub(crate) flushes: u64,
    pub(crate) stop: bool,
}

/// See the module's words.
#[derive(Debug)]
pub(crate) struct Registry {
    tail_bytes: usize,
    commit: Duration,
    /// Ready bytes from which on the disk writer is woken at once.
    eager_bytes: usize,
    tails: RwLock<HashMap<StreamKey, Arc<Tail>>>,
    pub(crate) signals: Mutex<Signals>,
    pub(crate) signal: Condvar,
    watched: Mutex<BTreeMap<StreamKey, usize>>,
    demand: watch::Sender<Arc<BTreeSet<StreamKey>>>,
    /// GOPs complete in the tails of recorded streams.
    pub(crate) completed: AtomicU64,
    /// GOPs that fell off before the disk could take them.
    pub(crate) dropped: AtomicU64,
}

impl Registry {
    pub(crate) fn new(tail_bytes: usize, commit: Duration, eager_bytes: usize) -> Self {
        Self {
            tail_bytes,
            commit,
            eager_bytes,
            tails: RwLock::default(),
            signals: Mutex::default(),
            signal: Condvar::new(),
            watched: Mutex::default(),
            demand: watch::Sender::new(Arc::default()),
            completed: AtomicU64::new(0),
            dropped: AtomicU64::new(0),
        }
    }

    pub(crate) fn get(&self, key: StreamKey) -> Option<Arc<Tail>> {
        self.tails.read().get(&key).cloned()
    }

    /// The tail of `key`; `known_until` is asked only when it has to be made.
    pub(crate) fn get_or_create(
        &self,
        key: StreamKey,
        known_until: impl FnOnce() -> Option<Timestamp>,
    ) -> Arc<Tail> {
        if let Some(tail) = self.get(key) {
            return tail;
        }
        let known_until = known_until();
        let make = || Arc::new(Tail::new(key, Ring::new(self.tail_bytes, self.commit, known_until)));
        Arc::clone(self.tails.write().entry(key).or_insert_with(make))
    }

    pub(crate) fn all(&self) -> Vec<Arc<Tail>> {
        self.tails.read().values().cloned().collect()
    }

    /// Passes on what a push did; called without the ring's lock.
    pub(crate) fn applied(&self, tail: &Arc<Tail>, effect: Effect) {
        tail.moved.notify_waiters();
        if effect.dropped > 0 {
            self.dropped.fetch_add(effect.dropped, Ordering::Relaxed);
        }
        if effect.ready_bytes == 0 {
            return;
        }
        let mut signals = self.signals.lock();
        signals.ready_bytes += effect.ready_bytes;
        if effect.enlist {
            signals.ready.push(Arc::clone(tail));
        }
        let first = signals.ready_since.is_none();
        signals.ready_since.get_or_insert_with(Instant::now);
        let wake = first || signals.ready_bytes >= self.eager_bytes;
        drop(signals);
        if wake {
            self.signal.notify_one();
        }
    }

    pub(crate) fn subscribe(&self) -> watch::Receiver<Arc<BTreeSet<StreamKey>>> {
        self.demand.subscribe()
    }

    pub(crate) fn readers(&self) -> u64 {
        self.watched.lock().values().map(|count| *count as u64).sum()
    }

    pub(crate) fn watch(&self, tail: &Tail) {
        tail.ring.lock().add_reader();
        let mut watched = self.watched.lock();
        *watched.entry(tail.key).or_default() += 1;
        self.tell_demand(&watched);
    }

    pub(crate) fn unwatch(&self, tail: &Tail) {
        tail.ring.lock().remove_reader();
        let mut watched = self.watched.lock();
        if let Some(count) = watched.get_mut(&tail.key) {
            *count -= 1;
            if *count == 0 {
                watched.remove(&tail.key);
            }
        }
        self.tell_demand(&watched);
    }

    /// Told under the lock of `watched`, so that the last word is the newest.
    fn tell_demand(&self, watched: &BTreeMap<StreamKey, usize>) {
        self.demand.send_if_modified(|told| {
            let same = told.len() == watched.len() && told.iter().eq(watched.keys());
            if !same {
                *told = Arc::new(watched.keys().copied().collect());
            }
            !same
        });
    }
}
