//! The parent's side: a pool of workers behind a cache.

use bytes::Bytes;
use sightline_model::{
    Timestamp,
    media::{Gop, StreamKey},
};

use crate::{Config, Error, MetricsSnapshot, Size};

/// Makes pictures out of key frames. Cheap to clone; the workers end when the last clone is gone.
#[derive(Debug, Clone)]
pub struct Pictures {}

impl Pictures {
    /// Starts the workers, inside a tokio runtime.
    ///
    /// # Errors
    /// When the configuration cannot work.
    pub fn start(config: Config) -> Result<Self, Error> {
        config.check()?;
        Ok(Self {})
    }

    /// The first picture of `gop`, a GOP of `key`, as JPEG.
    ///
    /// # Errors
    /// Says which of the ways it can fail it was; see [`Error`].
    pub async fn still(&self, _key: StreamKey, gop: &Gop, _size: Size) -> Result<Bytes, Error> {
        Err(Error::NoKeyFrame { part: gop.start.part })
    }

    /// The same picture if it was made lately: lets a caller spare reading the GOP.
    #[must_use]
    pub fn cached(&self, _key: StreamKey, _at: Timestamp, _size: Size) -> Option<Bytes> {
        None
    }

    /// Takes nothing more, ends the workers and waits for them.
    pub async fn shutdown(&self) {}

    /// The counters.
    #[must_use]
    pub fn metrics(&self) -> MetricsSnapshot {
        MetricsSnapshot::default()
    }
}
