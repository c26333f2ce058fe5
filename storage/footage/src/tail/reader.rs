//! A viewer's end of a tail.

use std::sync::Arc;

use sightline_model::media::StreamKey;

use super::{Registry, Tail, pull::Position};
use crate::types::LiveItem;

/// Pulls a stream live, from the newest key frame on. Counts as demand for the stream while it lives.
#[derive(Debug)]
pub struct LiveReader {
    tail: Arc<Tail>,
    registry: Arc<Registry>,
    position: Position,
}

impl LiveReader {
    pub(crate) fn open(tail: Arc<Tail>, registry: Arc<Registry>) -> Self {
        registry.watch(&tail);
        Self { tail, registry, position: Position::Newest }
    }

    /// The stream it reads.
    #[must_use]
    pub fn key(&self) -> StreamKey {
        self.tail.key
    }

    /// The next item, as soon as there is one. Cancel-safe: an item is either returned or still to come.
    ///
    /// A reader that falls behind further than the ring reaches gets [`LiveItem::Lagged`] and goes on at the newest
    /// key frame.
    pub async fn next(&mut self) -> LiveItem {
        if let Some(item) = self.try_next() {
            return item;
        }
        let tail = Arc::clone(&self.tail);
        loop {
            let mut moved = std::pin::pin!(tail.moved.notified());
            // Listen first, then look: a push between the two is not missed.
            moved.as_mut().enable();
            if let Some(item) = self.try_next() {
                return item;
            }
            moved.await;
        }
    }

    /// The next item, if it is there already.
    pub fn try_next(&mut self) -> Option<LiveItem> {
        self.tail.ring.lock().pull(&mut self.position)
    }
}

impl Drop for LiveReader {
    fn drop(&mut self) {
        self.registry.unwatch(&self.tail);
    }
}
