//! The store's tie to its tier: opened when first needed, again and again if need be, because recording does not wait for it.

use std::{
    hash::{BuildHasher, Hasher, RandomState},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use parking_lot::{Condvar, Mutex};
use sightline_model::Timestamp;
use tokio::sync::watch;

use super::{
    Tier, TierMetrics, TierProblem, config::TierConfig, inner::Inner, mover::Ages, read::RemoteFile,
};
use crate::{Error, disk::DiskFile};

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

/// Sealed segments in one place alone.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) local_segments: u64,
    pub(crate) local_bytes: u64,
    pub(crate) tier_segments: u64,
    pub(crate) tier_bytes: u64,
}

/// See the module's words.
#[derive(Debug)]
pub(crate) struct Link {
    config: TierConfig,
    node: String,
    opened: Mutex<Option<Arc<Inner>>>,
    state: Mutex<TierState>,
    counts: Mutex<Counts>,
    /// Whether the mover has ended.
    pub(crate) ended: watch::Sender<bool>,
    pub(crate) stop: AtomicBool,
    /// Steps that worked since the store was opened.
    pub(crate) steps: AtomicU64,
    /// The oldest segment that was filed since the mover last looked; 0: it has to look at all of them.
    filed: Mutex<Option<u64>>,
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
            counts: Mutex::default(),
            ended: watch::Sender::new(false),
            stop: AtomicBool::new(false),
            steps: AtomicU64::new(0),
            filed: Mutex::new(Some(0)),
            bell: Default::default(),
        }
    }

    /// A link to a tier that is open already.
    pub(crate) fn to(tier: &Tier, config: &TierConfig) -> Self {
        let link = Self::new(config, &tier.inner.options.node);
        *link.opened.lock() = Some(Arc::clone(&tier.inner));
        link
    }

    /// Segment `id` came to the catalogue.
    pub(crate) fn filed(&self, id: u64) {
        let mut filed = self.filed.lock();
        *filed = Some(filed.map_or(id, |least| least.min(id)));
    }

    pub(crate) fn take_filed(&self) -> Option<u64> {
        self.filed.lock().take()
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

    /// A segment that is on no disk; `None` when it is not in the tier either.
    pub(crate) fn file(&self, segment: u64) -> Result<Option<Arc<dyn DiskFile>>, Error> {
        match RemoteFile::open(&self.inner()?, segment) {
            Ok(file) => Ok(Some(Arc::new(file))),
            Err(Error::Tier { problem: TierProblem::Missing, .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// What is where, as the mover sees it.
    pub(crate) fn note(&self, counts: Counts) {
        *self.counts.lock() = counts;
    }

    pub(crate) fn status(&self) -> TierStatus {
        let metrics = self.opened.lock().as_ref().map(|inner| inner.counters.snapshot()).unwrap_or_default();
        let Counts { local_segments, local_bytes, tier_segments, tier_bytes } = *self.counts.lock();
        let state = self.state.lock().clone();
        TierStatus { state, metrics, local_segments, local_bytes, tier_segments, tier_bytes }
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

    /// Sleeps so long, and is woken by the end alone.
    pub(crate) fn pause(&self, length: Duration) {
        let until = Instant::now() + length;
        let mut rung = self.bell.0.lock();
        while !self.is_stopping() && !self.bell.1.wait_until(&mut rung, until).timed_out() {}
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
