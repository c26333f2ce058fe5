//! Keeps the streams that are wanted running.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use sightline_model::{camera::StreamState, media::StreamKey};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::{Config, MetricsSnapshot, Sink, Target, metrics::Counters};

/// How each wanted stream stands. A stream that is not in it is not wanted now: removed, switched off, or on demand
/// without a reader.
pub type States = Arc<BTreeMap<StreamKey, StreamState>>;

/// Keeps the streams that are wanted running, and says how each stands.
pub struct Supervisor {
    states: watch::Receiver<States>,
    counters: Arc<Counters>,
}

impl Supervisor {
    /// Starts with no targets. Needs a tokio runtime.
    #[must_use]
    pub fn start(_config: Config, _sink: Arc<dyn Sink>, _cancel: CancellationToken) -> Self {
        let (_, states) = watch::channel(States::default());
        Self { states, counters: Arc::default() }
    }

    /// Says what is wanted from now on; only what changed is touched.
    pub fn set_targets(&self, _targets: Vec<Target>) {}

    /// Says which streams have readers: on-demand ones run for these.
    pub fn set_demand(&self, _streams: Arc<BTreeSet<StreamKey>>) {}

    /// How each wanted stream stands; changes arrive at most ten times a second.
    #[must_use]
    pub fn states(&self) -> watch::Receiver<States> {
        self.states.clone()
    }

    /// Counters and the number of streams in each state.
    #[must_use]
    pub fn metrics(&self) -> MetricsSnapshot {
        self.counters.snapshot()
    }

    /// Ends every stream with its GOP complete and the sessions closed; after `deadline` the rest is dropped.
    pub async fn drain(self, _deadline: Duration) {}
}
