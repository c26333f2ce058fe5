//! The handle to a store.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt, fs, io,
    path::Path,
    sync::Arc,
};

use sightline_model::{Timestamp, media::StreamKey};
use tokio::sync::watch;

use crate::{
    catalogue::{Catalogue, MemoryCatalogue, filing},
    config::Config,
    crypt::KeyProvider,
    disk::{Disk, Lock, RealDisk},
    error::Error,
    index::SegmentInfo,
    metrics::{DiskInfo, DiskState, MetricsSnapshot},
    policy::keeper,
    recovery::{Opening, Recovery},
    room::{Finished, Flushed, Presence, Room},
    shared::Shared,
    tail::{LiveReader, TailWriter},
    tier::{self, Tier, mover},
    types::{Keep, Watermarks},
    writer,
};

/// Where, inside the store's folder, segments lie.
pub(crate) const SEGMENTS_FOLDER: &str = "segments";

/// A footage store, open for writing and reading. Cheap to clone; the last clone to go stops the disks' writers.
#[derive(Clone)]
pub struct Footage {
    handle: Arc<Handle>,
}

struct Handle {
    shared: Arc<Shared>,
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.shared.rooms().iter().for_each(|room| room.stop());
        self.shared.keeping.stop();
        self.shared.end_mover();
    }
}

impl fmt::Debug for Footage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Footage({})", self.shared().config.dir.display())
    }
}

/// What a store may be given beside its configuration.
#[derive(Debug, Clone, Default)]
pub struct Seams {
    /// Keeps the keys. Without it, footage is stored in the clear, and what is encrypted cannot be read.
    pub keys: Option<Arc<dyn KeyProvider>>,
    /// A tier that is open already, in place of the one that the configuration names.
    pub tier: Option<Tier>,
    /// Keeps the rows about sealed segments. Without it they are kept in memory, and every footer is read at the start.
    pub catalogue: Option<Arc<dyn Catalogue>>,
}

impl Footage {
    /// Opens the store in `config.dir` and `config.more_dirs`, which are created when missing: recovers what a crash left,
    /// then starts the disks' writers. Blocks while it reads. Of several disks, one that cannot be used is taken out.
    ///
    /// # Errors
    /// When the configuration cannot work, a folder is in use, the disks are full, or no folder can be read.
    pub fn open(config: Config, seams: Seams, now: Timestamp) -> Result<(Self, Recovery), Error> {
        config.check()?;
        let disks = claim_all(&config)?;
        Self::open_on(disks, config, seams, now)
    }

    /// Opens a store on any disks.
    pub(crate) fn open_on(
        disks: Vec<NewDisk>,
        config: Config,
        seams: Seams,
        now: Timestamp,
    ) -> Result<(Self, Recovery), Error> {
        let rooms = rooms(&disks, &config)?;
        let catalogue = seams.catalogue.unwrap_or_else(|| Arc::<MemoryCatalogue>::default());
        let (index, recovery) = Opening::new(&rooms, &*catalogue, now, &mut |_, _| ()).run()?;
        let seams = Seams { catalogue: Some(catalogue), ..seams };
        let tier = tier::link(&config, seams.tier.as_ref());
        let next_segment = tier::first_segment(recovery.highest_id, tier.is_some(), now);
        let shared = Arc::new(Shared::new(config, rooms, index, seams, tier, next_segment)?);
        let seal = filing::start(&shared).map_err(Error::io("start the filing of", &shared.config.dir))?;
        for (room, disk) in shared.rooms().iter().zip(disks) {
            if disk.out.is_none() {
                writer::start(&shared, room, disk.lock, seal.clone())
                    .map_err(Error::io("start the writer of", room.disk.path()))?;
            }
        }
        keeper::start(&shared).map_err(Error::io("start the keeper of", &shared.config.dir))?;
        mover::start(&shared).map_err(Error::io("start the mover of", &shared.config.dir))?;
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
        if self.shared().rooms().iter().all(|room| room.signals.lock().stop) {
            return Err(Error::Stopped);
        }
        TailWriter::open(self.shared().tail(key), Arc::clone(&self.shared().registry), keep)
    }

    /// Sets the retention class of what is recorded of a stream from now on.
    pub fn set_class(&self, key: StreamKey, class: u8) {
        let shared = self.shared();
        shared.classes.lock().insert(key, class);
        if let Some(tail) = shared.registry.get(key) {
            tail.set_class(class);
        }
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
        // A disk that leaves meanwhile refuses, for what it had goes to those that may have answered already.
        let rooms: Vec<_> = self.shared().rooms().iter().filter(|room| !room.has_left()).collect();
        let asked: Vec<u64> = rooms
            .iter()
            .map(|room| {
                let mut signals = room.signals.lock();
                signals.flushes += 1;
                room.signal.notify_all();
                signals.flushes
            })
            .collect();
        for (room, number) in rooms.into_iter().zip(asked) {
            let mut flushed = room.flushed.subscribe();
            let mut finished = room.finished.subscribe();
            let answer = tokio::select! {
                answer = flushed.wait_for(|answer| answer.number >= number) => answer.ok().map(|answer| *answer),
                _ = finished.wait_for(|finished| *finished != Finished::No) => None,
            };
            match answer {
                Some(Flushed { refused: false, .. }) => {}
                Some(_) => {
                    let detail = room.state().problem();
                    let detail = detail.unwrap_or_else(|| "the disk does not keep up".to_owned());
                    return Err(Error::NotWriting { path: room.disk.path().to_owned(), detail });
                }
                None if room.has_left() => {}
                None => return Err(Error::Stopped),
            }
        }
        Ok(())
    }

    /// Whether footage reaches the disks: the state of the worst of them.
    #[must_use]
    pub fn disk_state(&self) -> DiskState {
        let rank = |state: &DiskState| match state {
            DiskState::Writing => 0,
            DiskState::Out { .. } => 1,
            DiskState::Failing { .. } => 2,
            DiskState::Full { .. } => 3,
        };
        self.shared().rooms().iter().map(|room| room.state()).max_by_key(rank).unwrap_or_default()
    }

    /// Every disk, in the order of the configuration.
    #[must_use]
    pub fn disks(&self) -> Vec<DiskInfo> {
        let info = |room: &Arc<Room>| DiskInfo {
            path: room.disk.path().to_owned(),
            state: room.state(),
            free_bytes: room.free_bytes(),
        };
        self.shared().rooms().iter().map(info).collect()
    }

    /// All segments, oldest first. Blocks while it asks the catalogue.
    ///
    /// # Errors
    /// When the catalogue cannot be read.
    pub fn list_segments(&self) -> Result<Vec<SegmentInfo>, Error> {
        // The index first: a segment on its way from there to the catalogue is seen at least once.
        let held = self.shared().index.read().list();
        let mut all: BTreeMap<u64, SegmentInfo> = held.into_iter().map(|info| (info.id, info)).collect();
        let node = &self.shared().config.node;
        for segment in self.shared().catalogue.segments(None, usize::MAX)? {
            all.insert(segment.id, SegmentInfo::of(&segment, node));
        }
        Ok(all.into_values().collect())
    }

    /// Takes no more footage, writes and syncs everything that the tails hold (an open GOP as far as it came), closes all
    /// segments and lets the folder go. Gives up after five seconds. Queries still work afterwards.
    ///
    /// # Errors
    /// When footage could not be written.
    pub async fn shutdown(&self) -> Result<(), Error> {
        let rooms = self.shared().rooms();
        rooms.iter().for_each(|room| room.stop());
        self.shared().keeping.stop();
        self.shared().keeping.ended().await;
        self.shared().end_mover();
        let mut failed = Ok(());
        for room in rooms {
            let mut finished = room.finished.subscribe();
            let finished = finished.wait_for(|finished| *finished != Finished::No).await;
            let finished = finished.map(|finished| finished.clone());
            match finished.unwrap_or(Finished::No) {
                Finished::Clean => {}
                Finished::No => failed = Err(Error::Stopped),
                Finished::Lost { gops, detail } => {
                    let path = room.disk.path().to_owned();
                    let detail = format!("{gops} GOPs were lost at shutdown, {detail}");
                    failed = Err(Error::NotWriting { path, detail });
                }
            }
        }
        self.shared().mover_ended().await;
        // The rings and segments are safe; what is not filed now, the next start files.
        let _ = self.shared().filed.subscribe().wait_for(|filed| *filed).await;
        failed
    }

    /// The state of the store at this moment.
    #[must_use]
    pub fn metrics(&self) -> MetricsSnapshot {
        let shared = self.shared();
        let segments = {
            let index = shared.index.read();
            index.segments.len() as u64 + index.stored_segments
        };
        MetricsSnapshot {
            segments,
            gops_dropped: shared.registry.dropped.load(std::sync::atomic::Ordering::Relaxed),
            live_readers: shared.registry.readers(),
            watermarks: self.watermarks(),
            disk: self.disk_state(),
            disks_out: shared.rooms().iter().filter(|room| room.has_left()).count() as u64,
            free_bytes: shared.rooms().iter().map(|room| room.free_bytes()).sum(),
            ..shared.counters.snapshot()
        }
    }
}

/// A disk to open a store on.
#[derive(Debug)]
pub(crate) struct NewDisk {
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) lock: Option<Lock>,
    /// Why it cannot be used.
    pub(crate) out: Option<String>,
}

/// Takes every disk of a configuration for this process.
pub(crate) fn claim_all(config: &Config) -> Result<Vec<NewDisk>, Error> {
    let mut disks = Vec::new();
    for dir in config.dirs() {
        let disk = RealDisk::new(dir.join(SEGMENTS_FOLDER), config.direct_io);
        match claim(dir) {
            Ok(lock) => disks.push(NewDisk { disk: Arc::new(disk), lock: Some(lock), out: None }),
            Err(Error::Io { source, action, path }) if !config.more_dirs.is_empty() => {
                let detail = format!("could not {action} {}: {source}", path.display());
                disks.push(NewDisk { disk: Arc::new(disk), lock: None, out: Some(detail) });
            }
            Err(error) => return Err(error),
        }
    }
    Ok(disks)
}

/// Makes rooms of disks. One that cannot even be looked at is out from the start, as long as another can be.
pub(crate) fn rooms(disks: &[NewDisk], config: &Config) -> Result<Vec<Arc<Room>>, Error> {
    let mut rooms = Vec::new();
    let mut full = None;
    for (no, new) in disks.iter().enumerate() {
        let room =
            Room::new(u8::try_from(no).unwrap_or(u8::MAX), Arc::clone(&new.disk), config.min_free_bytes);
        let path = || new.disk.path().to_owned();
        if let Some(detail) = &new.out {
            room.refused(&io::Error::other(detail.clone()));
            room.taken_out();
            room.signals.lock().presence = Presence::Left;
            room.finished.send_replace(Finished::Clean);
        } else if !room.has_space(0).map_err(Error::io("ask for the free space of", path()))? {
            let (free_bytes, needed_bytes) = (room.free_bytes(), config.min_free_bytes);
            full = Some(Error::DiskFull { path: path(), free_bytes, needed_bytes });
        }
        rooms.push(Arc::new(room));
    }
    let usable = |room: &Arc<Room>| !room.has_left() && room.has_space(0).unwrap_or(false);
    match full {
        Some(full) if !rooms.iter().any(usable) => Err(full),
        _ if rooms.iter().all(|room| room.has_left()) => Err(Error::NotWriting {
            path: config.dir.clone(),
            detail: disks.iter().filter_map(|disk| disk.out.clone()).collect::<Vec<_>>().join("; "),
        }),
        _ => Ok(rooms),
    }
}

/// Makes a store's folder, and takes it for this process.
fn claim(dir: &Path) -> Result<Lock, Error> {
    let folder = dir.join(SEGMENTS_FOLDER);
    fs::create_dir_all(&folder).map_err(Error::io("create", &folder))?;
    let lock = Lock::take(dir)?;
    sync_parents(dir)?;
    Ok(lock)
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
