//! The keys of encrypted footage, in files: a data key for each camera-hour, wrapped by the key of its day, wrapped by the
//! master key.
//!
//! Belongs here: making, finding and destroying keys, and the entry in the audit log that goes before a destruction. Does not
//! belong here: what is encrypted with them (`sightline-footage`), and when footage has to go (its policies). `KEYS.md`
//! beside this crate's `Cargo.toml` has the bytes.
//!
//! Invariants: a key whose footage is safe on disk is safe on disk itself (footage is synced after its keys); a destroyed key
//! is in no file of the folder, and neither is a key that opens it; a key that must be kept is in a file at every moment.

mod audited;
mod cache;
mod config;
mod day;
mod destroy;
mod error;
mod folder;
pub mod format;
mod master;
mod naming;
mod provider;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    fs::{File, TryLockError},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use parking_lot::{Mutex, RwLock};
use sightline_footage::CameraHour;

pub use audited::{Destruction, What};
use cache::Cache;
pub use config::Config;
pub use day::DayKeys;
use day::{Access, Day};
pub use destroy::Destroyed;
pub use error::KeyFileError;
use folder::Folder;
use master::Masters;
pub use master::{MasterId, MasterKey};

/// Days whose index is in memory at once: the one that is recorded, the one that begins, and two that are looked at.
const LOADED_DAYS: usize = 4;
const LOCK: &str = "LOCK";

/// Keys in a folder of files, one a day. Calls read and write the disk: make them where blocking is allowed.
///
/// Lock order: `io` of a day, its `data`, then `days`, `masters` or `cache`. `data` is held over reads of the day's file,
/// and over the rewriting that a destruction is; never over the sync of new keys.
#[derive(Debug)]
pub struct FileKeys {
    folder: Folder,
    access: Access,
    /// Whether new footage is encrypted.
    encrypts: bool,
    masters: RwLock<Masters>,
    days: Mutex<Days>,
    cache: Mutex<Cache>,
    /// One master key is replaced at a time.
    rotation: Mutex<()>,
    counters: Counters,
    /// Held while the process lives.
    _lock: Option<File>,
}

#[derive(Debug, Default)]
struct Days {
    slots: BTreeMap<u32, Arc<Slot>>,
    /// Days in memory, the one used last at the end.
    loaded: VecDeque<u32>,
    /// Days whose file was set aside because it cannot be read.
    damaged: BTreeSet<u32>,
}

/// A day, in memory or not.
#[derive(Debug)]
struct Slot {
    day: u32,
    /// Held by whoever writes the day's file.
    io: Mutex<()>,
    data: Mutex<Option<Day>>,
    /// Whether keys of it are not yet in its file. Then it stays in memory.
    dirty: AtomicBool,
    /// Whether a replacement of the file failed half-way and could not be taken back: then the file may lie under another
    /// name, and that comes first.
    interrupted: AtomicBool,
}

impl Slot {
    fn new(day: u32) -> Self {
        Self {
            day,
            io: Mutex::default(),
            data: Mutex::default(),
            dirty: AtomicBool::new(false),
            interrupted: AtomicBool::new(false),
        }
    }

    /// Lets go of the day in memory, unless it is in use or keys of it are not in its file.
    fn forget(&self) -> bool {
        self.data.try_lock().is_some_and(|mut data| {
            let clean = !self.dirty.load(Ordering::Acquire);
            if clean {
                *data = None;
            }
            clean
        })
    }

    /// Finishes or takes back what failed half-way.
    fn mend(&self, folder: &Folder) -> Result<(), KeyFileError> {
        if self.interrupted.load(Ordering::Acquire) {
            folder.recover(&naming::file_name(self.day))?;
            self.interrupted.store(false, Ordering::Release);
        }
        Ok(())
    }
}

#[derive(Debug, Default)]
struct Counters {
    made: AtomicU64,
    opened: AtomicU64,
    destroyed: AtomicU64,
    failures: AtomicU64,
}

/// What was done with keys since the folder was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct KeysSnapshot {
    /// Keys made.
    pub made: u64,
    /// Keys read from a file and unwrapped.
    pub opened: u64,
    /// Keys destroyed.
    pub destroyed: u64,
    /// Keys that could not be had, made durable or destroyed because of an error of disk or files.
    pub failures: u64,
}

impl FileKeys {
    /// Opens the folder for the process that records. At the first start folder and master key are made. What a crash
    /// interrupted is finished or taken back.
    ///
    /// # Errors
    /// When another process has it, the master key is missing, wrong or open to others, or a file cannot be read.
    pub fn open(config: &Config) -> Result<Self, KeyFileError> {
        let folder = Folder::at(config.dir.clone())?;
        let lock = lock(&folder)?;
        let names: BTreeSet<_> = folder.list()?.into_iter().collect();
        let days = names.iter().filter_map(|name| naming::day_of(folder::interrupted(name).unwrap_or(name)));
        for day in days.collect::<BTreeSet<_>>() {
            folder.recover(&naming::file_name(day))?;
        }
        let keys = Self::over(config, folder, Access::Write, Some(lock))?;
        keys.finish_rotation()?;
        Ok(keys)
    }

    /// The same, but `None` when footage is neither encrypted nor ever was.
    ///
    /// # Errors
    /// As [`FileKeys::open`].
    pub fn open_if_used(config: &Config) -> Result<Option<Self>, KeyFileError> {
        let used = config.encryption || Folder::existing(config.dir.clone()).is_there()?;
        used.then(|| Self::open(config)).transpose()
    }

    /// Opens the folder beside the process that records, for reading alone.
    ///
    /// # Errors
    /// When there is no folder or no master key, or it is the wrong one.
    pub fn open_to_read(config: &Config) -> Result<Self, KeyFileError> {
        Self::over(config, Folder::existing(config.dir.clone()), Access::Read, None)
    }

    fn over(
        config: &Config,
        folder: Folder,
        access: Access,
        lock: Option<File>,
    ) -> Result<Self, KeyFileError> {
        let names = folder.list()?;
        let found: BTreeSet<_> = names.iter().filter_map(|name| naming::day_of(name)).collect();
        let aside = names.iter().filter_map(|name| naming::day_of(name.split_once(ASIDE)?.0));
        let mut days = Days { damaged: aside.collect(), ..Days::default() };
        let masters = Masters::open(&config.master_file, &folder, found.len(), access == Access::Write)?;
        for day in found {
            match day::read_header(&folder, day) {
                Ok((header, _)) => masters.check(&header, &folder.file(&naming::file_name(day)))?,
                Err(KeyFileError::Damaged { .. }) if access == Access::Write => {
                    set_aside(&folder, day)?;
                    days.damaged.insert(day);
                    continue;
                }
                Err(KeyFileError::Damaged { .. }) => {}
                Err(error) => return Err(error),
            }
            days.slots.insert(day, Arc::new(Slot::new(day)));
        }
        Ok(Self {
            folder,
            access,
            encrypts: config.encryption,
            masters: RwLock::new(masters),
            days: Mutex::new(days),
            cache: Mutex::new(Cache::new(config.cached_keys)),
            rotation: Mutex::default(),
            counters: Counters::default(),
            _lock: lock,
        })
    }

    /// The days that keys are there of, in order. Keys that no sync has made durable yet are not counted.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn days(&self) -> Result<Vec<DayKeys>, KeyFileError> {
        let slots: Vec<_> = self.days.lock().slots.values().cloned().collect();
        let mut days = Vec::with_capacity(slots.len());
        for slot in slots {
            // So that nobody is in the middle of replacing the file.
            let _io = slot.io.lock();
            slot.mend(&self.folder)?;
            if self.folder.has(&naming::file_name(slot.day))? {
                let (header, rows) = day::read_header(&self.folder, slot.day)?;
                days.push(DayKeys { day: slot.day, destroyed: header.destroyed, rows });
            }
        }
        Ok(days)
    }

    /// The camera-hours that a day (days since 1970, UTC) has keys for, in order; none when it has no file.
    ///
    /// # Errors
    /// When its file cannot be read.
    pub fn hours(&self, day: u32) -> Result<BTreeSet<CameraHour>, KeyFileError> {
        let slot = self.days.lock().slots.get(&day).cloned();
        let Some(slot) = slot else { return Ok(BTreeSet::new()) };
        let _io = slot.io.lock();
        slot.mend(&self.folder)?;
        if !self.folder.has(&naming::file_name(day))? {
            return Ok(BTreeSet::new());
        }
        day::read_hours(&self.folder, day)
    }

    /// The master key in use.
    #[must_use]
    pub fn master(&self) -> MasterId {
        self.masters.read().current.id()
    }

    /// The counters.
    #[must_use]
    pub fn metrics(&self) -> KeysSnapshot {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let Counters { made, opened, destroyed, failures } = &self.counters;
        KeysSnapshot {
            made: read(made),
            opened: read(opened),
            destroyed: read(destroyed),
            failures: read(failures),
        }
    }

    /// The slot of a day, if there is anything of that day.
    fn slot(&self, day: u32) -> Result<Option<Arc<Slot>>, KeyFileError> {
        if let Some(slot) = self.days.lock().slots.get(&day) {
            return Ok(Some(Arc::clone(slot)));
        }
        // The process that records may have begun the day since.
        let begun = self.access == Access::Read && self.folder.has(&naming::file_name(day))?;
        Ok(begun.then(|| self.slot_or_new(day)))
    }

    fn slot_or_new(&self, day: u32) -> Arc<Slot> {
        Arc::clone(self.days.lock().slots.entry(day).or_insert_with(|| Arc::new(Slot::new(day))))
    }

    /// Puts the day in memory unless it is there; `None` when it has no file.
    fn load<'a>(
        &self,
        slot: &Slot,
        data: &'a mut Option<Day>,
        with_hours: bool,
    ) -> Result<Option<&'a mut Day>, KeyFileError> {
        slot.mend(&self.folder)?;
        let enough = data.as_ref().is_some_and(|day| day.knows_hours() || !with_hours);
        if !enough && self.folder.has(&naming::file_name(slot.day))? {
            let masters = self.masters.read();
            *data = Some(Day::load(&self.folder, slot.day, &masters, self.access, with_hours)?);
        }
        self.used(slot.day);
        Ok(data.as_mut())
    }

    /// Notes that a day is in use, and forgets those that were not for the longest time.
    fn used(&self, day: u32) {
        let mut days = self.days.lock();
        if days.loaded.back() == Some(&day) {
            return;
        }
        let Days { slots, loaded, .. } = &mut *days;
        loaded.retain(|other| *other != day);
        let mut excess = (loaded.len() + 1).saturating_sub(LOADED_DAYS);
        loaded.retain(|day| {
            let forget = excess > 0 && slots.get(day).is_none_or(|slot| slot.forget());
            excess -= usize::from(forget);
            !forget
        });
        loaded.push_back(day);
    }

    fn count(counter: &AtomicU64, more: u64) {
        counter.fetch_add(more, Ordering::Relaxed);
    }
}

/// What the name of a file that was set aside goes on with.
const ASIDE: &str = ".damaged";

/// Takes a file that cannot be read out of the way: new footage of that day needs keys all the same.
fn set_aside(folder: &Folder, day: u32) -> Result<(), KeyFileError> {
    let name = naming::file_name(day);
    let mut number = 1;
    let mut aside = format!("{name}{ASIDE}");
    while folder.has(&aside)? {
        number += 1;
        aside = format!("{name}{ASIDE}-{number}");
    }
    let path = folder.file(&name);
    tracing::error!(
        path = %path.display(), %aside,
        "The key file {} is damaged and was renamed to {aside}; footage of that day cannot be read until the file is \
         restored from a backup.",
        path.display()
    );
    folder.rename(&name, &aside)
}

fn lock(folder: &Folder) -> Result<File, KeyFileError> {
    let file = folder.create(LOCK)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(KeyFileError::Locked { path: folder.path().to_owned() }),
        Err(TryLockError::Error(error)) => Err(KeyFileError::io("lock", &folder.file(LOCK))(error)),
    }
}
