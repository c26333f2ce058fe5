//! The parent's side: what the rest of Sightline sees of this crate.

use std::sync::{Arc, atomic::Ordering::Relaxed};

use bytes::Bytes;
use sightline_model::{
    Timestamp,
    media::{Gop, StreamKey},
};
use tokio::time::timeout;
use tokio_util::{
    sync::{CancellationToken, DropGuard},
    task::TaskTracker,
};

use crate::{
    Config, Error, MetricsSnapshot, Size,
    cache::{Key, Outcome},
    key_frame,
    pool::{self, Asked, Pool},
};

/// Makes pictures out of key frames. Cheap to clone; the workers end when the last clone is gone.
#[derive(Debug, Clone)]
pub struct Pictures {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    pool: Arc<Pool>,
    slots: TaskTracker,
    cancel: DropGuard,
}

impl Pictures {
    /// Starts the workers, inside a tokio runtime. Does not wait for them: what is asked meanwhile waits in the queue.
    ///
    /// # Errors
    /// When the configuration cannot work.
    pub fn start(config: Config) -> Result<Self, Error> {
        config.check()?;
        let pool = Arc::new(Pool::new(config));
        let (slots, cancel) = (TaskTracker::new(), CancellationToken::new());
        for number in 0..pool.config.workers {
            slots.spawn(pool::run(Arc::clone(&pool), number, cancel.clone()));
        }
        slots.close();
        Ok(Self { inner: Arc::new(Inner { pool, slots, cancel: cancel.drop_guard() }) })
    }

    /// The first picture of `gop`, a GOP of `stream`, as JPEG: full range, BT.601, square pixels, 4:2:0.
    ///
    /// Made once for all who ask for it at one time, and kept in memory for a while. May be dropped at any time.
    ///
    /// # Errors
    /// Says which of the ways it can fail it was; see [`Error`]. A key frame that failed is not tried again for half a
    /// minute.
    pub async fn still(&self, stream: StreamKey, gop: &Gop, size: Size) -> Result<Bytes, Error> {
        let metrics = &self.inner.pool.metrics;
        metrics.requests.fetch_add(1, Relaxed);
        let outcome = self.make(stream, gop, size).await;
        if let Err(error) = &outcome {
            metrics.failed(error);
        }
        outcome
    }

    async fn make(&self, stream: StreamKey, gop: &Gop, size: Size) -> Outcome {
        let pool = &self.inner.pool;
        let request = key_frame::request(gop, size)?;
        match pool.ask(Key { stream, at: gop.start.at, size }, request)? {
            Asked::Known(outcome) => outcome,
            Asked::Wait(outcome) => match timeout(pool.config.max_wait, outcome).await {
                Ok(Ok(outcome)) => outcome,
                Ok(Err(_)) => Err(Error::Stopping),
                Err(_) => Err(Error::Waited { after: pool.config.max_wait }),
            },
        }
    }

    /// The same picture if it was made lately: lets a caller spare reading the GOP that begins at `at`.
    #[must_use]
    pub fn cached(&self, stream: StreamKey, at: Timestamp, size: Size) -> Option<Bytes> {
        let picture = self.inner.pool.known(&Key { stream, at, size })?.ok()?;
        self.inner.pool.metrics.requests.fetch_add(1, Relaxed);
        self.inner.pool.metrics.cache_hits.fetch_add(1, Relaxed);
        Some(picture)
    }

    /// Takes nothing more, ends the workers and waits for them: at most two seconds each, side by side.
    pub async fn shutdown(&self) {
        self.inner.pool.stop();
        self.inner.cancel.token().cancel();
        self.inner.slots.wait().await;
    }

    /// The counters.
    #[must_use]
    pub fn metrics(&self) -> MetricsSnapshot {
        let now = self.inner.pool.now();
        let wide = |n| u64::try_from(n).unwrap_or(u64::MAX);
        MetricsSnapshot {
            workers_up: wide(now.workers_up),
            queued: wide(now.queued),
            cache_entries: wide(now.cache_entries),
            cache_bytes: wide(now.cache_bytes),
            ..self.inner.pool.metrics.snapshot()
        }
    }
}
