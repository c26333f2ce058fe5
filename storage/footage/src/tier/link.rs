//! The store's tie to its tier: opened when first needed, again and again if need be, because recording does not wait for it.

use std::{
    hash::{BuildHasher, Hasher, RandomState},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use parking_lot::{Condvar, Mutex};
use sightline_model::Timestamp;

use super::{
    Tier, TierMetrics, Whereabouts, config::TierConfig, inner::Inner, mover::Ages, read::RemoteFile,
};
use crate::{Error, disk::DiskFile, index::Index};

/// How a tier does.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum TierState {
    /// All is well, as far as anybody has looked.
    #[default]
    Working,
    /// It refuses or does not answer: segments stay on the local disk meanwhile.
    Failing {
        /// Since when.
        since: Timestamp,
        /// What is wrong, and the way out.
        detail: String,
    },
}

/// The tier of a store at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TierStatus {
    /// Whether it takes segments.
    pub state: TierState,
    /// What it has done since the store was opened.
    pub metrics: TierMetrics,
    /// Sealed segments that only this machine has.
    pub local_segments: u64,
    /// Bytes of them.
    pub local_bytes: u64,
    /// Segments that only the tier has.
    pub tier_segments: u64,
    /// Bytes of them.
    pub tier_bytes: u64,
}

/// See the module's words.
#[derive(Debug)]
pub(crate) struct Link {
    config: TierConfig,
    node: String,
    opened: Mutex<Option<Arc<Inner>>>,
    state: Mutex<TierState>,
    pub(crate) stop: AtomicBool,
    /// Steps that worked since the store was opened.
    pub(crate) steps: AtomicU64,
    /// Whether the mover is to look again at once.
    bell: (Mutex<bool>, Condvar),
}

impl Link {
    pub(crate) fn new(config: &TierConfig, node: &str) -> Self {
        Self {
            config: config.clone(),
            node: node.to_owned(),
            opened: Mutex::default(),
            state: Mutex::default(),
            stop: AtomicBool::new(false),
            steps: AtomicU64::new(0),
            bell: Default::default(),
        }
    }

    /// A link to a tier that is open already.
    pub(crate) fn to(tier: &Tier, config: &TierConfig) -> Self {
        let link = Self::new(config, &tier.inner.options.node);
        *link.opened.lock() = Some(Arc::clone(&tier.inner));
        link
    }

    pub(crate) fn ages(&self) -> Ages {
        Ages { after: self.config.after, keep_local: self.config.keep_local }
    }

    /// The tier, opened if it is not; reads a file or two.
    pub(crate) fn inner(&self) -> Result<Arc<Inner>, Error> {
        let mut opened = self.opened.lock();
        if let Some(inner) = &*opened {
            return Ok(Arc::clone(inner));
        }
        let inner = Tier::open(&self.config, &self.node)?.inner;
        *opened = Some(Arc::clone(&inner));
        Ok(inner)
    }

    /// A segment that is on no disk.
    pub(crate) fn file(&self, segment: u64) -> Result<Arc<dyn DiskFile>, Error> {
        Ok(Arc::new(RemoteFile::open(&self.inner()?, segment)?))
    }

    pub(crate) fn status(&self, index: &Index) -> TierStatus {
        let state = self.state.lock().clone();
        let metrics = self.opened.lock().as_ref().map(|inner| inner.counters.snapshot()).unwrap_or_default();
        let mut status = TierStatus { state, metrics, ..TierStatus::default() };
        for segment in index.segments.values().filter(|segment| segment.is_sealed()) {
            let bytes = segment.bytes.load(Ordering::Acquire);
            match segment.whereabouts() {
                Whereabouts::Local => {
                    status.local_segments += 1;
                    status.local_bytes += bytes;
                }
                Whereabouts::Tier => {
                    status.tier_segments += 1;
                    status.tier_bytes += bytes;
                }
                Whereabouts::Both => {}
            }
        }
        status
    }

    /// Notes and logs, once, that the tier refuses.
    pub(crate) fn refused(&self, error: &Error) {
        let mut state = self.state.lock();
        if *state == TierState::Working {
            tracing::error!(tier = %self.config.url, "segments cannot be moved to the tier: {error}");
            *state = TierState::Failing { since: Timestamp::now(), detail: error.to_string() };
        }
    }

    /// Notes and logs, once, that it works again.
    pub(crate) fn accepted(&self) {
        let mut state = self.state.lock();
        if *state != TierState::Working {
            tracing::info!(tier = %self.config.url, "segments are moved to the tier again");
            *state = TierState::Working;
        }
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.stop.load(Ordering::Acquire)
    }

    /// Ends the mover as soon as it looks; an upload on its way is cut off and gone on with another time.
    pub(crate) fn end(&self) {
        self.stop.store(true, Ordering::Release);
        self.wake();
    }

    /// Lets the mover look again now.
    pub(crate) fn wake(&self) {
        *self.bell.0.lock() = true;
        self.bell.1.notify_all();
    }

    pub(crate) fn sleep(&self, at_most: Duration) {
        let mut rung = self.bell.0.lock();
        if !*rung {
            self.bell.1.wait_for(&mut rung, at_most);
        }
        *rung = false;
    }
}

/// From 0 to 1, another one at every call.
pub(crate) fn random() -> f64 {
    let bits = RandomState::new().build_hasher().finish() >> 32;
    f64::from(u32::try_from(bits).unwrap_or(0)) / f64::from(u32::MAX)
}
