//! sled 0.34.7 with its defaults: no compression, and a thread of its own that syncs every 500 ms.

use std::path::Path;

use super::{CACHE_BYTES, CAMERAS_A_REMOVAL, Engine};
use crate::entry::{Entry, key};

/// The default tree of a database.
#[derive(Debug)]
pub(crate) struct Sled034 {
    db: sled::Db,
}

impl Sled034 {
    /// Opens or creates it.
    pub(crate) fn open(dir: &Path) -> Self {
        let db = sled::Config::new().path(dir).cache_capacity(CACHE_BYTES as u64).open().unwrap();
        Self { db }
    }
}

impl Engine for Sled034 {
    fn put(&mut self, entries: &[Entry]) {
        let mut batch = sled::Batch::default();
        for entry in entries {
            batch.insert(&entry.key(), entry.value().as_slice());
        }
        self.db.apply_batch(batch).unwrap();
        self.db.flush().unwrap();
    }

    fn seek(&mut self, camera: u32, at_us: i64) -> Option<Entry> {
        let found = self.db.range(key(camera, 0)..=key(camera, at_us)).next_back()?;
        let (key, value) = found.unwrap();
        Some(Entry::decode(&key, &value))
    }

    fn scan(&mut self, camera: u32, each: &mut dyn FnMut(Entry)) {
        for row in self.db.range(key(camera, 0)..key(camera + 1, 0)) {
            let (key, value) = row.unwrap();
            each(Entry::decode(&key, &value));
        }
    }

    fn remove_before(&mut self, cameras: u32, before_us: i64) {
        for first in (0..cameras).step_by(CAMERAS_A_REMOVAL as usize) {
            let mut batch = sled::Batch::default();
            for camera in first..cameras.min(first + CAMERAS_A_REMOVAL) {
                for old in self.db.range(key(camera, 0)..key(camera, before_us)).keys() {
                    batch.remove(old.unwrap());
                }
            }
            self.db.apply_batch(batch).unwrap();
            self.db.flush().unwrap();
        }
    }

    /// There is none to call: its background thread moves what is left of sparse segments.
    fn compact(&mut self) -> bool {
        false
    }

    fn close(self: Box<Self>) {
        self.db.flush().unwrap();
    }
}
