//! Moments at which a simulated disk could have crashed.
//!
//! A disk that is watched keeps the state of every such moment. Files are shared between states until they change, so that
//! a history of a few hundred moments costs little.

use std::{collections::BTreeMap, sync::Arc};

use rand::{RngExt, SeedableRng, rngs::SmallRng};

use super::{Op, SimDisk, content::Content, folder::Folder};

/// Which moments a disk keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Watch {
    /// Just before and just after every sync, of files and of the folder.
    Syncs,
    /// Just before every operation that changes something, and just after every sync.
    Changes,
}

impl Watch {
    pub(super) fn wants(self, op: Op) -> bool {
        match self {
            Self::Syncs => op.is_sync(),
            Self::Changes => op.changes(),
        }
    }
}

/// All that a crash can leave something of.
#[derive(Debug, Clone, Default)]
pub(super) struct Image {
    pub(super) files: BTreeMap<u64, Arc<Content>>,
    pub(super) folder: Folder,
}

impl Image {
    pub(super) fn crash(&self, seed: u64) -> SimDisk {
        let mut rng = SmallRng::seed_from_u64(seed);
        let names = self.folder.crash(&mut rng);
        let others: Vec<&Arc<Content>> = self.files.values().collect();
        let disk = SimDisk::with_seed(seed);
        let mut state = disk.state.lock();
        for (name, file) in names {
            let stale = others.get(rng.random_range(0..others.len().max(1)));
            let stale = stale.map(|content| content.live()).unwrap_or_default();
            let bytes =
                self.files.get(&file).map(|content| content.crash(&mut rng, stale)).unwrap_or_default();
            state.settle(&name, bytes);
        }
        drop(state);
        disk
    }

    pub(super) fn kill(&self, seed: u64) -> SimDisk {
        let mut rng = SmallRng::seed_from_u64(seed);
        let mut image = self.clone();
        if !image.files.is_empty() {
            let torn = rng.random_range(0..image.files.len());
            if let Some(content) = image.files.values_mut().nth(torn) {
                Arc::make_mut(content).cut_last_write(&mut rng);
            }
        }
        let disk = SimDisk::with_seed(seed);
        let mut state = disk.state.lock();
        state.next_file = image.files.keys().last().map_or(0, |last| last + 1);
        state.image = image;
        drop(state);
        disk
    }
}

/// A moment at which the disk could have crashed.
#[derive(Debug, Clone)]
pub(crate) struct Moment {
    pub(super) op: Op,
    pub(super) done: bool,
    pub(super) promised: u64,
    pub(super) image: Image,
}

impl Moment {
    /// What the test had been promised by then, see [`SimDisk::promise`].
    pub(crate) fn promised(&self) -> u64 {
        self.promised
    }

    /// For messages: before or after which operation.
    pub(crate) fn name(&self) -> String {
        format!("{} {:?}", if self.done { "after" } else { "before" }, self.op)
    }

    /// The disk as a crash of the machine at this moment leaves it.
    pub(crate) fn crash(&self, seed: u64) -> SimDisk {
        self.image.crash(seed)
    }

    /// The disk as a kill of the process at this moment leaves it.
    pub(crate) fn kill(&self, seed: u64) -> SimDisk {
        self.image.kill(seed)
    }
}
