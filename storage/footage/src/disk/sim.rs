//! A disk in memory that crashes, tears, fills up, fails, lies, rots and waits on demand.
//!
//! What is written is seen at once by readers and is durable only after a sync, of the file for its bytes and of the folder
//! for its name. A crash of the machine keeps what is durable and, of everything else, any part: see [`content`] for bytes and
//! [`folder`] for names. A kill of the process keeps everything but the end of the last write.
//!
//! Whatever is left to chance comes from the disk's seed.

mod content;
mod faults;
mod file;
mod folder;
mod gate;
mod moment;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    path::Path,
    sync::{Arc, Weak},
};

use parking_lot::Mutex;
use rand::{RngExt, SeedableRng, rngs::SmallRng};

use super::{Disk, DiskFile};
use content::Content;
pub(crate) use content::SECTOR_BYTES;
pub(crate) use faults::{EIO, ENOSPC, EROFS, Failure, Faults, Op};
use file::SimFile;
use gate::Bar;
pub(crate) use gate::Gate;
use moment::Image;
pub(crate) use moment::{Moment, Watch};

#[derive(Debug)]
struct State {
    next_file: u64,
    image: Image,
    open: BTreeMap<u64, Weak<()>>,
    faults: Faults,
    /// A failed sync that is to drop what was not written.
    drops_dirty: bool,
    gates: Vec<(Op, Arc<Bar>)>,
    rng: SmallRng,
    seed: u64,
    watch: Option<Watch>,
    promised: u64,
    moments: Vec<Moment>,
    crashed: Option<SimDisk>,
}

impl State {
    fn new(seed: u64) -> Self {
        Self {
            next_file: 0,
            image: Image::default(),
            open: BTreeMap::new(),
            faults: Faults::default(),
            drops_dirty: false,
            gates: Vec::new(),
            rng: SmallRng::seed_from_u64(seed),
            seed,
            watch: None,
            promised: 0,
            moments: Vec::new(),
            crashed: None,
        }
    }

    fn content(&self, file: u64) -> &Content {
        &self.image.files[&file]
    }

    fn content_mut(&mut self, file: u64) -> &mut Content {
        Arc::make_mut(self.image.files.get_mut(&file).unwrap())
    }

    fn add(&mut self, content: Content) -> u64 {
        let file = self.next_file;
        self.next_file += 1;
        self.image.files.insert(file, Arc::new(content));
        file
    }

    fn settle(&mut self, name: &str, bytes: Vec<u8>) {
        let file = self.add(Content::settled(bytes));
        self.image.folder.settle(name, file);
    }

    /// Bytes held by files that have a name or are open.
    fn used(&self) -> u64 {
        let named: BTreeSet<u64> = self.image.folder.names().values().copied().collect();
        let held = |file: &u64| {
            named.contains(file) || self.open.get(file).is_some_and(|open| open.strong_count() > 0)
        };
        let files = self.image.files.iter().filter(|(file, _)| held(file));
        files.map(|(_, content)| content.live().len() as u64).sum()
    }

    /// Bytes that may still be written.
    fn room(&self) -> u64 {
        let others = self.faults.others_bytes;
        self.faults.capacity.map_or(1 << 50, |capacity| capacity.saturating_sub(self.used() + others))
    }

    /// Others take and give back space.
    fn stir(&mut self) {
        if self.faults.restless_bytes > 0 {
            self.faults.others_bytes = self.rng.random_range(0..=self.faults.restless_bytes);
        }
    }

    fn note(&mut self, op: Op, done: bool) {
        if self.watch.is_some_and(|watch| watch.wants(op)) {
            let (promised, image) = (self.promised, self.image.clone());
            self.moments.push(Moment { op, done, promised, image });
        }
        if op.is_sync() && !done {
            self.count_sync();
        }
    }

    fn count_sync(&mut self) {
        match &mut self.faults.crash_in_syncs {
            Some(0) => {
                self.faults.crash_in_syncs = None;
                self.crashed = Some(self.image.crash(self.seed));
            }
            Some(left) => *left -= 1,
            None => {}
        }
    }
}

/// See the module's words. Clones are the same disk.
#[derive(Debug, Clone)]
pub(crate) struct SimDisk {
    state: Arc<Mutex<State>>,
}

impl Default for SimDisk {
    fn default() -> Self {
        Self::with_seed(0)
    }
}

impl SimDisk {
    pub(crate) fn with_seed(seed: u64) -> Self {
        Self { state: Arc::new(Mutex::new(State::new(seed))) }
    }

    pub(crate) fn faults(&self, change: impl FnOnce(&mut Faults)) {
        change(&mut self.state.lock().faults);
    }

    /// Adds a failure to come.
    pub(crate) fn fail(&self, failure: Failure) {
        self.faults(|faults| faults.failures.push(failure));
    }

    /// Ends all faults.
    pub(crate) fn heal(&self) {
        self.faults(|faults| *faults = Faults::default());
    }

    /// The disk as a crash of the machine at this moment leaves it.
    pub(crate) fn crash(&self, seed: u64) -> Self {
        let image = self.state.lock().image.clone();
        image.crash(seed)
    }

    /// The disk as a kill of the process at this moment leaves it.
    pub(crate) fn kill(&self, seed: u64) -> Self {
        let image = self.state.lock().image.clone();
        image.kill(seed)
    }

    /// The image of the crash that was asked for, once it has happened.
    pub(crate) fn image(&self) -> Option<Self> {
        self.state.lock().crashed.clone()
    }

    /// From here on, keeps every moment of the kind.
    pub(crate) fn watch(&self, watch: Watch) {
        self.state.lock().watch = Some(watch);
    }

    /// Marks the moments from here on: the test was told that what it calls `promised` is safe.
    pub(crate) fn promise(&self, promised: u64) {
        self.state.lock().promised = promised;
    }

    /// The moments kept so far, in order.
    pub(crate) fn moments(&self) -> Vec<Moment> {
        self.state.lock().moments.clone()
    }

    /// Makes operations of this kind wait until the gate lets them through.
    pub(crate) fn shut(&self, op: Op) -> Gate {
        let (gate, bar) = Gate::shut();
        self.state.lock().gates.push((op, bar));
        gate
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        let state = self.state.lock();
        state.content(state.image.folder.names()[name]).live().to_vec()
    }

    /// Puts a file there, durably.
    pub(crate) fn put(&self, name: &str, bytes: Vec<u8>) {
        self.state.lock().settle(name, bytes);
    }

    pub(crate) fn names(&self) -> Vec<String> {
        self.state.lock().image.folder.names().keys().cloned().collect()
    }

    /// Bytes held by files that have a name or are open.
    pub(crate) fn used(&self) -> u64 {
        self.state.lock().used()
    }

    /// Flips a bit of a file where it lies, unnoticed.
    pub(crate) fn rot(&self, name: &str, bit: usize) {
        self.damage(name, |content| content.rot(bit));
    }

    /// Cuts a file, unnoticed.
    pub(crate) fn cut(&self, name: &str, length: usize) {
        self.damage(name, |content| content.cut(length));
    }

    /// Makes the sector at `offset` of a file unreadable until it is written again.
    pub(crate) fn spoil(&self, name: &str, offset: usize) {
        self.damage(name, |content| content.spoil(offset));
    }

    /// What readers see from here on is what is durable, where nothing waits to be written.
    pub(crate) fn forget_clean_pages(&self) {
        for content in self.state.lock().image.files.values_mut() {
            Arc::make_mut(content).forget_clean_pages();
        }
    }

    fn damage(&self, name: &str, damage: impl FnOnce(&mut Content)) {
        let mut state = self.state.lock();
        let file = state.image.folder.names()[name];
        damage(state.content_mut(file));
    }

    /// One operation: waits at its gate, fails if it is to fail, and is a moment.
    fn run<T>(&self, op: Op, act: impl FnOnce(&mut State) -> io::Result<T>) -> io::Result<T> {
        self.run_told(op, |state, hit| hit.map_or_else(|| act(state), Err))
    }

    /// The same for an operation that does something although it fails.
    fn run_told<T>(&self, op: Op, act: impl FnOnce(&mut State, Option<io::Error>) -> T) -> T {
        let bar = {
            let mut state = self.state.lock();
            state.gates.retain(|(_, bar)| !bar.is_open());
            state.gates.iter().find(|(gated, _)| *gated == op).map(|(_, bar)| Arc::clone(bar))
        };
        if let Some(bar) = bar {
            bar.pass();
        }
        let mut state = self.state.lock();
        state.note(op, false);
        let hit = state.faults.hit(op);
        state.drops_dirty = hit.as_ref().is_some_and(|hit| hit.drops_dirty);
        let outcome = act(&mut state, hit.map(|hit| hit.error));
        if op.is_sync() {
            state.note(op, true);
        }
        outcome
    }

    fn sync_failed(&self, file: u64) {
        let mut state = self.state.lock();
        if std::mem::take(&mut state.drops_dirty) {
            let mut rng = SmallRng::seed_from_u64(state.rng.random());
            state.content_mut(file).sync_and_drop_dirty(&mut rng);
        }
    }

    fn handle(&self, state: &mut State, file: u64) -> Arc<dyn DiskFile> {
        let open = state.open.get(&file).and_then(Weak::upgrade).unwrap_or_default();
        state.open.insert(file, Arc::downgrade(&open));
        Arc::new(SimFile { disk: self.clone(), file, _open: open })
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
        self.run(Op::List, |state| Ok(state.image.folder.names().keys().cloned().collect()))
    }

    fn create(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        self.run(Op::Create, |state| {
            if state.room() == 0 {
                return Err(io::ErrorKind::StorageFull.into());
            }
            let file = match state.image.folder.file(name) {
                Some(file) => {
                    state.content_mut(file).set_length(0);
                    file
                }
                None => {
                    let file = state.add(Content::default());
                    state.image.folder.add(name, file);
                    file
                }
            };
            Ok(self.handle(state, file))
        })
    }

    fn open(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        self.run(Op::Open, |state| {
            let file = state.image.folder.file(name).ok_or_else(missing)?;
            Ok(self.handle(state, file))
        })
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.run(Op::Rename, |state| {
            let file = state.image.folder.file(from).ok_or_else(missing)?;
            state.image.folder.rename(from, to, file);
            Ok(())
        })
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.run(Op::Remove, |state| {
            state.image.folder.file(name).ok_or_else(missing)?;
            state.image.folder.remove(name);
            Ok(())
        })
    }

    fn sync_folder(&self) -> io::Result<()> {
        self.run(Op::SyncFolder, |state| {
            if !state.faults.lie_about_syncs {
                state.image.folder.sync();
            }
            Ok(())
        })
    }

    fn free_bytes(&self) -> io::Result<u64> {
        self.run(Op::FreeSpace, |state| {
            state.stir();
            Ok(state.room())
        })
    }
}
