//! What all streams of a supervisor have in common.

use std::sync::Arc;

use parking_lot::Mutex;
use sightline_model::{Timestamp, camera::StreamState, media::StreamKey};
use tokio::sync::mpsc;

use crate::{Clock, Config, lockout::Lockout, metrics::Counters, pacing::Gate};

/// Settings and shared state of all streams.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) config: Config,
    pub(super) clock: Clock,
    pub(super) gate: Gate,
    pub(super) lockout: Mutex<Lockout>,
    pub(super) counters: Arc<Counters>,
}

/// A state that a stream has come into. `epoch` tells a stream from an earlier one with the same key.
#[derive(Debug)]
pub(super) struct Report {
    pub(super) key: StreamKey,
    pub(super) epoch: u64,
    pub(super) state: StreamState,
}

/// Tells the supervisor how one stream stands. A few reports a session, and sessions are spaced by the back-off.
#[derive(Debug, Clone)]
pub(crate) struct Reporter {
    pub(super) key: StreamKey,
    pub(super) epoch: u64,
    pub(super) reports: mpsc::UnboundedSender<Report>,
    pub(super) shared: Arc<Shared>,
}

impl Reporter {
    pub(crate) fn key(&self) -> StreamKey {
        self.key
    }

    pub(crate) fn set(&self, state: StreamState) {
        // A supervisor that is gone needs no reports.
        let _ = self.reports.send(Report { key: self.key, epoch: self.epoch, state });
    }

    /// The camera let us in and plays.
    pub(crate) fn playing(&self, now: Timestamp) {
        self.shared.lockout.lock().accepted(self.key.camera);
        self.set(StreamState::Connecting { since: now });
    }
}
