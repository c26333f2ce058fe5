//! The handle to a store.

use std::{collections::BTreeSet, fmt, fs, path::Path, sync::Arc};

use parking_lot::{Mutex, RwLock};
use sightline_model::{
    TimeRange, Timestamp,
    media::{Gop, StreamKey},
};
use tokio::sync::watch;

use crate::{
    config::Config,
    disk::{Disk, Lock, RealDisk},
    error::Error,
    index::{Files, SegmentInfo},
    lru::Lru,
    metrics::{Counters, DiskState, MetricsSnapshot},
    query::{Miss, Query},
    recovery::{self, Recovery},
    shared::{Finished, Shared},
    tail::{LiveReader, Registry, TailWriter},
    types::{GopEntry, Keep, Timeline, Watermarks},
    writer::{EAGER_BYTES, Writer},
};

/// Where, inside the store's folder, segments lie.
pub(crate) const SEGMENTS_FOLDER: &str = "segments";

/// A footage store, open for writing and reading. Cheap to clone; the last clone to go stops the disk writer.
#[derive(Clone)]
pub struct Footage {
    handle: Arc<Handle>,
}

struct Handle {
    shared: Arc<Shared>,
}

impl Drop for Handle {
    fn drop(&mut self) {
        stop(&self.shared.registry);
    }
}

fn stop(registry: &Registry) {
    registry.signals.lock().stop = true;
    registry.signal.notify_all();
}

impl fmt::Debug for Footage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Footage({})", self.shared().config.dir.display())
    }
}

impl Footage {
    /// Opens the store in `config.dir`, which is created when missing: recovers what a crash left, then starts the disk
    /// writer. Blocks while it reads.
    ///
    /// # Errors
    /// When the configuration cannot work, the folder is in use, the disk is full, or the folder cannot be read.
    pub fn open(config: Config, now: Timestamp) -> Result<(Self, Recovery), Error> {
        config.check()?;
        let folder = config.dir.join(SEGMENTS_FOLDER);
        fs::create_dir_all(&folder).map_err(Error::io("create", &folder))?;
        let lock = Lock::take(&config.dir)?;
        sync_parents(&config.dir)?;
        Self::open_on(Arc::new(RealDisk::new(folder)), Some(lock), config, now)
    }

    /// Opens a store on any disk.
    pub(crate) fn open_on(
        disk: Arc<dyn Disk>,
        lock: Option<Lock>,
        config: Config,
        now: Timestamp,
    ) -> Result<(Self, Recovery), Error> {
        let free_bytes = disk.free_bytes().map_err(Error::io("ask for the free space of", disk.path()))?;
        if free_bytes < config.min_free_bytes {
            let needed_bytes = config.min_free_bytes;
            return Err(Error::DiskFull { path: config.dir, free_bytes, needed_bytes });
        }
        let (index, recovery) = recovery::open(&*disk, now)?;
        let (tail_bytes, commit) = (config.tail_bytes, config.commit_interval);
        let shared = Arc::new(Shared {
            registry: Arc::new(Registry::new(tail_bytes, commit, EAGER_BYTES)),
            files: Files::new(disk),
            index: RwLock::new(index),
            counters: Counters::default(),
            state: Mutex::default(),
            flushed: watch::Sender::new(0),
            finished: watch::Sender::new(Finished::No),
            gops: Mutex::new(Lru::new(config.read_cache_bytes)),
            blocks: Mutex::new(Lru::new(config.index_cache_bytes)),
            config,
        });
        shared.counters.free_bytes.store(free_bytes, std::sync::atomic::Ordering::Relaxed);
        let writer = Writer::new(Arc::clone(&shared), recovery.highest_id + 1, lock);
        std::thread::Builder::new()
            .name("footage-disk".to_owned())
            .spawn(|| writer.run())
            .map_err(Error::io("start the disk writer of", &shared.config.dir))?;
        Ok((Self { handle: Arc::new(Handle { shared }) }, recovery))
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.handle.shared
    }

    /// Starts feeding a stream. One writer at a time for each stream.
    ///
    /// # Errors
    /// When the stream has a writer already, or the store was shut down.
    pub fn writer(&self, key: StreamKey, keep: Keep) -> Result<TailWriter, Error> {
        if self.shared().registry.signals.lock().stop {
            return Err(Error::Stopped);
        }
        TailWriter::open(self.shared().tail(key), Arc::clone(&self.shared().registry), keep)
    }

    /// Watches a stream live. Counts as demand for it while the reader lives.
    #[must_use]
    pub fn live(&self, key: StreamKey) -> LiveReader {
        LiveReader::open(self.shared().tail(key), Arc::clone(&self.shared().registry))
    }

    /// The streams that have at least one live reader, kept up to date.
    #[must_use]
    pub fn demand(&self) -> watch::Receiver<Arc<BTreeSet<StreamKey>>> {
        self.shared().registry.subscribe()
    }

    /// Spans and gaps that tile `range`, from the first footage to `now`.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub async fn timeline(
        &self,
        key: StreamKey,
        range: TimeRange,
        now: Timestamp,
    ) -> Result<Timeline, Error> {
        self.ask(key, move |query| query.timeline(range, now)).await
    }

    /// GOPs and parts that overlap `range`, at most `limit`, by start and then by run.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub async fn entries(
        &self,
        key: StreamKey,
        range: TimeRange,
        limit: usize,
    ) -> Result<Vec<GopEntry>, Error> {
        self.ask(key, move |query| query.entries(range, limit)).await
    }

    /// The GOP with the key frame for `at`: the one that covers it, else the last one before it, else the first after.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub async fn nearest(&self, key: StreamKey, at: Timestamp) -> Result<Option<GopEntry>, Error> {
        self.ask(key, move |query| query.nearest(at)).await
    }

    /// The newest complete GOP that begins with a key frame, from the ring if it is there.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub async fn latest(&self, key: StreamKey) -> Result<Option<GopEntry>, Error> {
        self.ask(key, |query| query.latest()).await
    }

    /// The media of an entry, checksums verified.
    ///
    /// # Errors
    /// When it cannot be read, is damaged, or is no longer there.
    pub async fn read(&self, entry: &GopEntry) -> Result<Arc<Gop>, Error> {
        let entry = *entry;
        self.ask(entry.key, move |query| query.read(&entry)).await
    }

    /// Answers from memory if it can, and on a thread that may block if not.
    async fn ask<T: Send + 'static>(
        &self,
        key: StreamKey,
        question: impl Fn(&Query<'_>) -> Result<T, Miss> + Send + 'static,
    ) -> Result<T, Error> {
        match question(&Query { shared: self.shared(), key, io: false }) {
            Ok(answer) => return Ok(answer),
            Err(Miss::Error(error)) => return Err(error),
            Err(Miss::Io) => {}
        }
        let shared = Arc::clone(self.shared());
        let answer =
            tokio::task::spawn_blocking(move || question(&Query { shared: &shared, key, io: true })).await;
        match answer {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(Miss::Error(error))) => Err(error),
            // Cut off because the runtime is going down.
            Ok(Err(Miss::Io)) | Err(_) => Err(Error::Stopped),
        }
    }

    /// How far each stage has come.
    #[must_use]
    pub fn watermarks(&self) -> Watermarks {
        self.shared().counters.watermarks(&self.shared().registry.completed)
    }

    /// End of the stream's newest GOP that is safe on disk: the evidence for "recording".
    #[must_use]
    pub fn last_synced(&self, key: StreamKey) -> Option<Timestamp> {
        self.shared().index.read().streams.get(&key)?.last_gop_end
    }

    /// Waits until everything that is complete in the tails is synced and findable on disk.
    ///
    /// # Errors
    /// When the disk refuses, or the store was shut down.
    pub async fn flush(&self) -> Result<(), Error> {
        let shared = self.shared();
        let mut flushed = shared.flushed.subscribe();
        let mut finished = shared.finished.subscribe();
        let number = {
            let mut signals = shared.registry.signals.lock();
            signals.flushes += 1;
            signals.flushes
        };
        shared.registry.signal.notify_all();
        let done = tokio::select! {
            done = flushed.wait_for(|done| *done >= number) => done.is_ok(),
            _ = finished.wait_for(|finished| *finished != Finished::No) => false,
        };
        match shared.disk_problem() {
            _ if !done => Err(Error::Stopped),
            None => Ok(()),
            Some(detail) => Err(Error::NotWriting { path: shared.config.dir.clone(), detail }),
        }
    }

    /// Whether footage reaches the disk.
    #[must_use]
    pub fn disk_state(&self) -> DiskState {
        self.shared().state.lock().clone()
    }

    /// All segments, oldest first.
    #[must_use]
    pub fn list_segments(&self) -> Vec<SegmentInfo> {
        self.shared().index.read().list()
    }

    /// Takes no more footage, writes and syncs everything that the tails hold (an open GOP as far as it came), closes all
    /// segments and lets the folder go. Gives up after five seconds. Queries still work afterwards.
    ///
    /// # Errors
    /// When footage could not be written.
    pub async fn shutdown(&self) -> Result<(), Error> {
        let shared = self.shared();
        let mut finished = shared.finished.subscribe();
        stop(&shared.registry);
        let finished = finished.wait_for(|finished| *finished != Finished::No).await;
        let finished = finished.map(|finished| finished.clone()).unwrap_or(Finished::No);
        match finished {
            Finished::Clean => Ok(()),
            Finished::No => Err(Error::Stopped),
            Finished::Lost { gops, detail } => Err(Error::NotWriting {
                path: shared.config.dir.clone(),
                detail: format!("{gops} GOPs were lost at shutdown, {detail}"),
            }),
        }
    }

    /// The state of the store at this moment.
    #[must_use]
    pub fn metrics(&self) -> MetricsSnapshot {
        let shared = self.shared();
        MetricsSnapshot {
            segments: shared.index.read().segments.len() as u64,
            gops_dropped: shared.registry.dropped.load(std::sync::atomic::Ordering::Relaxed),
            live_readers: shared.registry.readers(),
            watermarks: self.watermarks(),
            disk: self.disk_state(),
            ..shared.counters.snapshot()
        }
    }
}

/// Makes the store's folder itself durable.
fn sync_parents(dir: &Path) -> Result<(), Error> {
    let sync = |folder: &Path| fs::File::open(folder)?.sync_all();
    sync(dir).map_err(Error::io("sync", dir))?;
    if let Some(parent) = dir.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        // Best effort: the parent may be a folder that this account cannot open, and then somebody else made `dir`.
        let _ = sync(parent);
    }
    Ok(())
}
