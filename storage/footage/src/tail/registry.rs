//! All tails of a store, the disks they are recorded to, and who is watching what.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use parking_lot::{Mutex, RwLock};
use sightline_model::{Timestamp, media::StreamKey};
use tokio::sync::watch;

use super::{Tail, chunk::Effect, ring::Ring};
use crate::room::{Room, place};

/// See the module's words.
#[derive(Debug)]
pub(crate) struct Registry {
    tail_bytes: usize,
    commit: Duration,
    /// Ready bytes from which on the disk writer is woken at once.
    eager_bytes: usize,
    tails: RwLock<HashMap<StreamKey, Arc<Tail>>>,
    rooms: Vec<Arc<Room>>,
    watched: Mutex<BTreeMap<StreamKey, usize>>,
    demand: watch::Sender<Arc<BTreeSet<StreamKey>>>,
    /// GOPs complete in the tails of recorded streams.
    pub(crate) completed: AtomicU64,
    /// GOPs that fell off before the disk could take them.
    pub(crate) dropped: AtomicU64,
}

impl Registry {
    /// `rooms` holds at least one, each at the place of its number.
    pub(crate) fn new(
        tail_bytes: usize,
        commit: Duration,
        eager_bytes: usize,
        rooms: Vec<Arc<Room>>,
    ) -> Self {
        Self {
            tail_bytes,
            commit,
            eager_bytes,
            tails: RwLock::default(),
            rooms,
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
        let room = self.room_for(key);
        let make = || Arc::new(Tail::new(key, Ring::new(self.tail_bytes, self.commit, known_until), room));
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
        if effect.ready_bytes > 0 {
            self.enlist(tail, effect.ready_bytes, effect.enlist);
        }
    }

    /// Tells the stream's disk that it has something, moving the stream when the disk has left.
    pub(crate) fn enlist(&self, tail: &Arc<Tail>, bytes: usize, enlist: bool) {
        let mut listed = enlist;
        while !self.room(tail).enlist(listed.then_some(tail), bytes, self.eager_bytes) {
            self.place(tail);
            // Its place on the old list is gone.
            listed = true;
        }
    }

    pub(crate) fn rooms(&self) -> &[Arc<Room>] {
        &self.rooms
    }

    /// The disk that a stream is recorded to.
    pub(crate) fn room(&self, tail: &Tail) -> &Arc<Room> {
        // There is a room for every number that is given out, and always a first one.
        #[expect(clippy::indexing_slicing)]
        self.rooms.get(usize::from(tail.room())).unwrap_or(&self.rooms[0])
    }

    /// Finds a stream a disk, best one that works.
    pub(crate) fn place(&self, tail: &Tail) {
        tail.room.store(self.room_for(tail.key), Ordering::Release);
    }

    fn room_for(&self, key: StreamKey) -> u8 {
        let count = u8::try_from(self.rooms.len()).unwrap_or(u8::MAX);
        let room = |no: u8| self.rooms.get(usize::from(no));
        let works = |no: u8| room(no).is_some_and(|room| room.takes_streams());
        let stays = |no: u8| room(no).is_some_and(|room| !room.has_left());
        place(key, count, works).or_else(|| place(key, count, stays)).unwrap_or(0)
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
