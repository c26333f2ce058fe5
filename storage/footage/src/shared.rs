//! What the handle, the queries and the disks' threads have in common.

use std::{
    collections::BTreeMap,
    sync::{Arc, atomic::AtomicU64},
};

use parking_lot::{Mutex, RwLock};
use sightline_model::media::{Gop, ParameterSets, StreamKey};

use crate::{
    config::Config,
    crypt::KeyProvider,
    format::{block::Block, footer::Section},
    index::{Files, Index},
    lru::Lru,
    metrics::Counters,
    room::Room,
    tail::{Registry, Tail},
    tier::Link,
};

/// See the module's words.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) config: Config,
    pub(crate) registry: Arc<Registry>,
    pub(crate) files: Files,
    pub(crate) index: RwLock<Index>,
    pub(crate) counters: Counters,
    /// Id of the next segment, on whichever disk.
    pub(crate) next_segment: AtomicU64,
    /// Without one, footage is stored in the clear.
    pub(crate) keys: Option<Arc<dyn KeyProvider>>,
    /// Where sealed segments go in the end, if anywhere.
    pub(crate) tier: Option<Arc<Link>>,
    /// GOPs read lately, by segment and offset.
    pub(crate) gops: Mutex<Lru<(u64, u64), Arc<Gop>>>,
    /// Index blocks read lately, by segment and place.
    pub(crate) blocks: Mutex<Lru<(u64, Section), Arc<Block>>>,
    /// Parameter sets read lately, by segment and place.
    pub(crate) params: Mutex<Lru<(u64, u32), Arc<ParameterSets>>>,
    /// Retention classes of streams that are not of class 0.
    pub(crate) classes: Mutex<BTreeMap<StreamKey, u8>>,
}

impl Shared {
    pub(crate) fn rooms(&self) -> &[Arc<Room>] {
        self.registry.rooms()
    }

    /// Tells the mover that there is a new sealed segment.
    pub(crate) fn wake_mover(&self) {
        if let Some(tier) = &self.tier {
            tier.wake();
        }
    }

    /// Ends the mover as soon as it looks.
    pub(crate) fn end_mover(&self) {
        if let Some(tier) = &self.tier {
            tier.end();
        }
    }

    pub(crate) fn tail(&self, key: StreamKey) -> Arc<Tail> {
        let tail = self.registry.get_or_create(key, || self.index.read().known_until(key));
        if let Some(class) = self.classes.lock().get(&key) {
            tail.set_class(*class);
        }
        tail
    }
}
