//! The alpha of sled 1.0 with its defaults: zstd level 3, leaves of 1,024, and a thread that flushes every 200 ms.

use std::path::Path;

use sled1::InlineArray;

use super::{CACHE_BYTES, CAMERAS_A_REMOVAL, Engine};
use crate::entry::{Entry, key};

/// The default tree of a database.
#[derive(Debug)]
pub(crate) struct Sled1 {
    db: sled1::Db<1024>,
}

impl Sled1 {
    /// Opens or creates it.
    pub(crate) fn open(dir: &Path) -> Self {
        let db = sled1::Config::new().path(dir).cache_capacity_bytes(CACHE_BYTES).open().unwrap();
        Self { db }
    }

    /// The rows of a camera that begin before a time. Its ranges know no end: asked for one, they read on to the end of
    /// the tree and drop what they read. So the end is looked for here.
    fn rows(&self, camera: u32, before_us: i64) -> impl Iterator<Item = (InlineArray, InlineArray)> {
        let end = key(camera, before_us);
        self.db
            .range(key(camera, 0)..)
            .map(Result::unwrap)
            .take_while(move |(key, _)| key.as_ref() < end.as_slice())
    }
}

impl Engine for Sled1 {
    fn put(&mut self, entries: &[Entry]) {
        let mut batch = sled1::Batch::default();
        for entry in entries {
            batch.insert(entry.key(), entry.value());
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
        for (key, value) in self.rows(camera, i64::MAX) {
            each(Entry::decode(&key, &value));
        }
    }

    fn remove_before(&mut self, cameras: u32, before_us: i64) {
        for first in (0..cameras).step_by(CAMERAS_A_REMOVAL as usize) {
            let mut batch = sled1::Batch::default();
            for camera in first..cameras.min(first + CAMERAS_A_REMOVAL) {
                for (old, _) in self.rows(camera, before_us) {
                    batch.remove(old);
                }
            }
            self.db.apply_batch(batch).unwrap();
            self.db.flush().unwrap();
        }
    }

    /// There is none to call: it writes what is left of sparse slabs anew as it goes.
    fn compact(&mut self) -> bool {
        false
    }

    fn close(self: Box<Self>) {
        self.db.flush().unwrap();
    }
}
