//! A disk in memory that crashes, tears, fills up and fails on demand.
//!
//! What is written is seen at once by readers and is durable only after a sync, of the file for its bytes and of the folder
//! for its name. A crash keeps what is durable and, of everything else, any part: unsynced writes arrive or not in
//! any order, cut anywhere.

use std::{
    collections::BTreeMap,
    io::{self, IoSlice},
    path::Path,
    sync::Arc,
};

use parking_lot::Mutex;
use rand::{RngExt, SeedableRng, rngs::SmallRng};

use super::{Disk, DiskFile};

#[derive(Debug, Clone)]
enum Change {
    Write { offset: usize, bytes: Vec<u8> },
    Length(usize),
}

#[derive(Debug, Clone, Default)]
struct Content {
    live: Vec<u8>,
    durable: Vec<u8>,
    pending: Vec<Change>,
}

impl Content {
    fn apply(bytes: &mut Vec<u8>, change: &Change) {
        match change {
            Change::Write { offset, bytes: written } => {
                let end = offset + written.len();
                if bytes.len() < end {
                    bytes.resize(end, 0);
                }
                bytes[*offset..end].copy_from_slice(written);
            }
            Change::Length(length) => bytes.resize(*length, 0),
        }
    }

    fn change(&mut self, change: Change) {
        Self::apply(&mut self.live, &change);
        self.pending.push(change);
    }

    fn crash(&self, rng: &mut SmallRng) -> Vec<u8> {
        let mut bytes = self.durable.clone();
        for change in &self.pending {
            match (change, rng.random_range(0..3)) {
                (_, 0) => {}
                (Change::Write { offset, bytes: written }, 1) => {
                    let cut = rng.random_range(0..=written.len());
                    let torn = Change::Write { offset: *offset, bytes: written[..cut].to_vec() };
                    Self::apply(&mut bytes, &torn);
                }
                (change, _) => Self::apply(&mut bytes, change),
            }
        }
        bytes
    }
}

/// What goes wrong.
#[derive(Debug, Clone, Default)]
pub(crate) struct Faults {
    /// Bytes the disk holds; `None`: no end.
    pub(crate) capacity: Option<u64>,
    /// Writes fail like a broken disk.
    pub(crate) refuse_writes: bool,
    /// Syncs fail like a broken disk.
    pub(crate) refuse_syncs: bool,
    /// The image of a crash is taken just before this many more syncs have happened.
    pub(crate) crash_in_syncs: Option<u64>,
}

#[derive(Debug, Default)]
struct State {
    next_file: u64,
    files: BTreeMap<u64, Content>,
    names: BTreeMap<String, u64>,
    durable_names: BTreeMap<String, u64>,
    faults: Faults,
    seed: u64,
    image: Option<SimDisk>,
}

impl State {
    fn crash(&self, seed: u64) -> SimDisk {
        let mut rng = SmallRng::seed_from_u64(seed);
        let mut names = self.durable_names.clone();
        for (name, file) in &self.names {
            // A name that is not durable arrives or not.
            if !names.contains_key(name) && rng.random::<bool>() {
                names.insert(name.clone(), *file);
            }
        }
        let disk = SimDisk::default();
        let mut state = disk.0.lock();
        for (name, file) in names {
            let bytes = self.files.get(&file).map(|content| content.crash(&mut rng)).unwrap_or_default();
            state.put(&name, bytes);
        }
        drop(state);
        disk
    }

    fn put(&mut self, name: &str, bytes: Vec<u8>) {
        let file = self.next_file;
        self.next_file += 1;
        self.files.insert(file, Content { live: bytes.clone(), durable: bytes, pending: Vec::new() });
        self.names.insert(name.to_owned(), file);
        self.durable_names.insert(name.to_owned(), file);
    }

    fn used(&self) -> u64 {
        self.names.values().filter_map(|file| self.files.get(file)).map(|c| c.live.len() as u64).sum()
    }

    fn count_sync(&mut self) -> io::Result<()> {
        if let Some(left) = &mut self.faults.crash_in_syncs {
            if *left == 0 {
                self.faults.crash_in_syncs = None;
                self.image = Some(self.crash(self.seed));
            } else {
                *left -= 1;
            }
        }
        if self.faults.refuse_syncs { Err(io::Error::other("simulated sync failure")) } else { Ok(()) }
    }
}

/// See the module's words. Clones are the same disk.
#[derive(Debug, Clone, Default)]
pub(crate) struct SimDisk(Arc<Mutex<State>>);

impl SimDisk {
    pub(crate) fn with_seed(seed: u64) -> Self {
        let disk = Self::default();
        disk.0.lock().seed = seed;
        disk
    }

    pub(crate) fn faults(&self, change: impl FnOnce(&mut Faults)) {
        change(&mut self.0.lock().faults);
    }

    /// The disk as a crash at this moment leaves it.
    pub(crate) fn crash(&self, seed: u64) -> Self {
        self.0.lock().crash(seed)
    }

    /// The image of the crash that was asked for, once it has happened.
    pub(crate) fn image(&self) -> Option<Self> {
        self.0.lock().image.clone()
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        let state = self.0.lock();
        state.files[&state.names[name]].live.clone()
    }

    /// Puts a file there, durably.
    pub(crate) fn put(&self, name: &str, bytes: Vec<u8>) {
        self.0.lock().put(name, bytes);
    }

    /// Bytes in use.
    pub(crate) fn used(&self) -> u64 {
        self.0.lock().used()
    }

    pub(crate) fn names(&self) -> Vec<String> {
        self.0.lock().names.keys().cloned().collect()
    }
}

fn missing() -> io::Error {
    io::ErrorKind::NotFound.into()
}

impl Disk for SimDisk {
    fn path(&self) -> &Path {
        Path::new("/simulated")
    }

    fn list(&self) -> io::Result<Vec<String>> {
        Ok(self.names())
    }

    fn create(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        let mut state = self.0.lock();
        if state.faults.capacity.is_some_and(|capacity| state.used() >= capacity) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let file = state.next_file;
        state.next_file += 1;
        state.files.insert(file, Content::default());
        state.names.insert(name.to_owned(), file);
        Ok(Arc::new(SimFile { disk: self.clone(), file }))
    }

    fn open(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        let file = *self.0.lock().names.get(name).ok_or_else(missing)?;
        Ok(Arc::new(SimFile { disk: self.clone(), file }))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut state = self.0.lock();
        let file = state.names.remove(from).ok_or_else(missing)?;
        state.names.insert(to.to_owned(), file);
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.0.lock().names.remove(name).map(|_| ()).ok_or_else(missing)
    }

    fn sync_folder(&self) -> io::Result<()> {
        let mut state = self.0.lock();
        state.count_sync()?;
        state.durable_names = state.names.clone();
        Ok(())
    }

    fn free_bytes(&self) -> io::Result<u64> {
        let state = self.0.lock();
        Ok(state.faults.capacity.map_or(u64::MAX / 2, |capacity| capacity.saturating_sub(state.used())))
    }
}

#[derive(Debug)]
struct SimFile {
    disk: SimDisk,
    file: u64,
}

impl SimFile {
    fn with<T>(&self, use_it: impl FnOnce(&mut Content) -> T) -> T {
        use_it(self.disk.0.lock().files.get_mut(&self.file).unwrap())
    }
}

impl DiskFile for SimFile {
    fn length(&self) -> io::Result<u64> {
        Ok(self.with(|content| content.live.len() as u64))
    }

    fn write_at(&self, offset: u64, slices: &mut [IoSlice<'_>]) -> io::Result<()> {
        let mut bytes: Vec<u8> = slices.iter().flat_map(|slice| slice.iter().copied()).collect();
        let (refuse, room) = {
            let state = self.disk.0.lock();
            let room = state.faults.capacity.map(|capacity| capacity.saturating_sub(state.used()));
            (state.faults.refuse_writes, room)
        };
        if refuse {
            return Err(io::Error::other("simulated write failure"));
        }
        // A full disk takes what fits and then says so.
        let room = room.map_or(usize::MAX, |room| usize::try_from(room).unwrap());
        let full = bytes.len() > room;
        bytes.truncate(room);
        let offset = usize::try_from(offset).unwrap();
        self.with(|content| content.change(Change::Write { offset, bytes }));
        if full { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        let offset = usize::try_from(offset).unwrap();
        self.with(|content| {
            let bytes =
                content.live.get(offset..offset + buffer.len()).ok_or(io::ErrorKind::UnexpectedEof)?;
            buffer.copy_from_slice(bytes);
            Ok(())
        })
    }

    fn set_length(&self, length: u64) -> io::Result<()> {
        self.with(|content| content.change(Change::Length(usize::try_from(length).unwrap())));
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        self.disk.0.lock().count_sync()?;
        self.with(|content| {
            content.durable = content.live.clone();
            content.pending.clear();
        });
        Ok(())
    }
}

#[test]
fn a_crash_keeps_what_was_synced_and_only_that_for_sure() {
    for seed in 0..50 {
        let disk = SimDisk::default();
        let file = disk.create("a").unwrap();
        file.write_at(0, &mut [IoSlice::new(b"safe")]).unwrap();
        file.sync().unwrap();
        disk.sync_folder().unwrap();
        file.write_at(4, &mut [IoSlice::new(b" maybe")]).unwrap();
        assert_eq!(disk.read("a"), b"safe maybe");
        assert!(disk.crash(seed).read("a").starts_with(b"safe"), "seed {seed}");
    }
}
