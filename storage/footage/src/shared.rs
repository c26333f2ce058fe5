//! What the handle, the queries and the disks' threads have in common.

use std::{
    collections::BTreeMap,
    sync::{Arc, atomic::AtomicU64},
    time::Duration,
};

use parking_lot::{Mutex, RwLock};
use sightline_model::media::{Gop, ParameterSets, StreamKey};
use tokio::sync::watch;

use crate::{
    Error, Seams,
    catalogue::{Catalogue, MemoryCatalogue},
    config::Config,
    crypt::KeyProvider,
    format::{block::Block, footer::Section},
    index::{Files, Index, rows::RowCache},
    lru::Lru,
    metrics::Counters,
    policy::keeper::Keeping,
    room::Room,
    tail::{Registry, Tail},
    tier::Link,
    writer::stage::EAGER_BYTES,
};

/// How long the end of the mover is waited for.
const MOVER_END: Duration = Duration::from_secs(5);

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
    /// GOPs read lately, by segment, offset and stream.
    pub(crate) gops: Mutex<Lru<(u64, u64, StreamKey), Arc<Gop>>>,
    /// How often `gops` was emptied; changed with it locked.
    pub(crate) forgotten: AtomicU64,
    /// Where sealed segments go in the end, if anywhere.
    pub(crate) tier: Option<Arc<Link>>,
    /// Index blocks read lately, by segment and place.
    pub(crate) blocks: Mutex<Lru<(u64, Section), Arc<Block>>>,
    /// Parameter sets read lately, by segment and place.
    pub(crate) params: Mutex<Lru<(u64, u32), Arc<ParameterSets>>>,
    /// The rows about sealed segments, and those that were looked up lately.
    pub(crate) catalogue: Arc<dyn Catalogue>,
    pub(crate) rows: Mutex<RowCache>,
    /// Held while rows are put in or taken out, together with what the index knows of them.
    pub(crate) filing: Mutex<()>,
    /// Whether the last sealed segment was filed, or could not be.
    pub(crate) filed: watch::Sender<bool>,
    /// Retention classes of streams that are not of class 0.
    pub(crate) classes: Mutex<BTreeMap<StreamKey, u8>>,
    /// What looks after the policies.
    pub(crate) keeping: Keeping,
}

/// Parameter sets kept in memory: those of about as many segments.
const PARAMS_CACHED: usize = 4096;

impl Shared {
    /// The keys for new footage, when it is encrypted.
    pub(crate) fn sealing_keys(&self) -> Option<&dyn KeyProvider> {
        self.keys.as_deref().filter(|keys| keys.encrypts())
    }

    /// What a store on `rooms` has in common; `next_segment` is the id that no segment has yet.
    pub(crate) fn new(
        config: Config,
        rooms: Vec<Arc<Room>>,
        index: Index,
        seams: Seams,
        tier: Option<Arc<Link>>,
        next_segment: u64,
    ) -> Result<Self, Error> {
        let (tail_bytes, commit) = (config.tail_bytes, config.commit_interval);
        Ok(Self {
            keeping: Keeping::new(&config.policies, &config.dir)?,
            files: Files::new(rooms.iter().map(|room| Arc::clone(&room.disk)).collect(), tier.clone()),
            tier,
            registry: Arc::new(Registry::new(tail_bytes, commit, EAGER_BYTES, rooms)),
            index: RwLock::new(index),
            counters: Counters::default(),
            next_segment: AtomicU64::new(next_segment),
            keys: seams.keys,
            forgotten: AtomicU64::new(0),
            gops: Mutex::new(Lru::new(config.read_cache_bytes)),
            blocks: Mutex::new(Lru::new(config.index_cache_bytes)),
            params: Mutex::new(Lru::new(PARAMS_CACHED)),
            classes: Mutex::default(),
            rows: Mutex::new(Lru::new(config.catalogue_cache_bytes)),
            catalogue: seams.catalogue.unwrap_or_else(|| Arc::<MemoryCatalogue>::default()),
            filing: Mutex::default(),
            filed: watch::Sender::new(false),
            config,
        })
    }

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

    /// Waits until the mover has let go of everything.
    pub(crate) async fn mover_ended(&self) {
        if let Some(tier) = &self.tier {
            // It looks many times a second whether it is to end; if not even that works, it holds nothing that matters.
            let _ = tokio::time::timeout(MOVER_END, tier.ended.subscribe().wait_for(|ended| *ended)).await;
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
