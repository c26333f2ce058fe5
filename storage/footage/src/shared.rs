//! What the handle, the queries and the disk writer have in common.

use std::{io, sync::Arc};

use parking_lot::{Mutex, RwLock};
use sightline_model::{
    Timestamp,
    media::{Gop, StreamKey},
};
use tokio::sync::watch;

use crate::{
    config::Config,
    disk::is_full,
    format::{block::Block, footer::Section},
    index::{Files, Index},
    lru::Lru,
    metrics::{Counters, DiskState},
    tail::{Registry, Tail},
};

/// How the disk writer ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Finished {
    /// It is running.
    No,
    /// Everything was written and synced.
    Clean,
    /// Something could not be.
    Lost { gops: u64, detail: String },
}

/// See the module's words.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) config: Config,
    pub(crate) registry: Arc<Registry>,
    pub(crate) files: Files,
    pub(crate) index: RwLock<Index>,
    pub(crate) counters: Counters,
    pub(crate) state: Mutex<DiskState>,
    /// The last flush that was answered.
    pub(crate) flushed: watch::Sender<u64>,
    pub(crate) finished: watch::Sender<Finished>,
    /// GOPs read lately, by segment and offset.
    pub(crate) gops: Mutex<Lru<(u64, u64), Arc<Gop>>>,
    /// Index blocks read lately, by segment and place.
    pub(crate) blocks: Mutex<Lru<(u64, Section), Arc<Block>>>,
}

impl Shared {
    pub(crate) fn tail(&self, key: StreamKey) -> Arc<Tail> {
        self.registry.get_or_create(key, || self.index.read().known_until(key))
    }

    /// Notes and logs, once, that the disk refuses.
    pub(crate) fn disk_refused(&self, error: &io::Error) {
        let mut state = self.state.lock();
        let path = self.files.disk.path();
        if is_full(error) {
            let free_bytes = self.files.disk.free_bytes().unwrap_or(0);
            let needed_bytes = self.config.min_free_bytes;
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
    pub(crate) fn disk_accepted(&self) {
        let mut state = self.state.lock();
        if *state != DiskState::Writing {
            tracing::info!(path = %self.files.disk.path().display(), "footage is being recorded again");
            *state = DiskState::Writing;
        }
    }

    /// What is wrong with the disk, in words.
    pub(crate) fn disk_problem(&self) -> Option<String> {
        match &*self.state.lock() {
            DiskState::Writing => None,
            DiskState::Full { free_bytes, needed_bytes, .. } => {
                Some(format!("the disk is full: {free_bytes} bytes free, {needed_bytes} must stay free"))
            }
            DiskState::Failing { detail, .. } => Some(detail.clone()),
        }
    }
}
