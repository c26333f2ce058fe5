//! The source's end of a tail.

use std::sync::{Arc, atomic::Ordering};

use sightline_model::{media::StreamKey, tail::TailItem};

use super::{Registry, Tail, chunk::Effect};
use crate::{Error, types::Keep};

/// Feeds one stream's tail. There is one writer for each stream at a time; dropping it closes the open GOP.
#[derive(Debug)]
pub struct TailWriter {
    tail: Arc<Tail>,
    registry: Arc<Registry>,
}

impl TailWriter {
    pub(crate) fn open(tail: Arc<Tail>, registry: Arc<Registry>, keep: Keep) -> Result<Self, Error> {
        if !tail.claim() {
            return Err(Error::WriterBusy { key: tail.key });
        }
        tail.ring.lock().set_recorded(keep == Keep::Recorded);
        Ok(Self { tail, registry })
    }

    /// The stream it feeds.
    #[must_use]
    pub fn key(&self) -> StreamKey {
        self.tail.key
    }

    /// Appends an item. Never waits for a disk or a reader and never fails: what the disk cannot take in time is let go
    /// when the ring is full, and stands as a gap with the reason `disk_overload`.
    pub fn push(&mut self, item: TailItem) {
        let mut ring = self.tail.ring.lock();
        let effect = ring.push(item);
        // Counted under the ring's lock: the disk writer cannot take the GOP before it is counted.
        self.count(effect);
        drop(ring);
        self.registry.applied(&self.tail, effect);
    }

    fn count(&self, effect: Effect) {
        if effect.completed > 0 {
            self.registry.completed.fetch_add(effect.completed, Ordering::AcqRel);
        }
    }
}

impl Drop for TailWriter {
    fn drop(&mut self) {
        let mut ring = self.tail.ring.lock();
        let effect = ring.source_gone();
        self.count(effect);
        drop(ring);
        self.registry.applied(&self.tail, effect);
        self.tail.unclaim();
    }
}
