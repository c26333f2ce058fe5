//! fjall with its defaults: LZ4, memtables of 64 MB, background compaction; every batch is synced to its journal.

use std::path::Path;

use fjall::{Database, Keyspace, KeyspaceCreateOptions, PersistMode};

use super::{CACHE_BYTES, CAMERAS_A_REMOVAL, Engine};
use crate::entry::{Entry, key};

/// One keyspace.
pub(crate) struct Fjall {
    db: Database,
    entries: Keyspace,
}

impl Fjall {
    /// Opens or creates it.
    pub(crate) fn open(dir: &Path) -> Self {
        let db = Database::builder(dir).cache_size(CACHE_BYTES as u64).open().unwrap();
        let entries = db.keyspace("entries", KeyspaceCreateOptions::default).unwrap();
        Self { db, entries }
    }
}

impl Engine for Fjall {
    fn put(&mut self, entries: &[Entry]) {
        let mut batch = self.db.batch().durability(Some(PersistMode::SyncAll));
        for entry in entries {
            batch.insert(&self.entries, entry.key(), entry.value());
        }
        batch.commit().unwrap();
    }

    fn seek(&mut self, camera: u32, at_us: i64) -> Option<Entry> {
        let found = self.entries.range(key(camera, 0)..=key(camera, at_us)).next_back()?;
        let (key, value) = found.into_inner().unwrap();
        Some(Entry::decode(&key, &value))
    }

    fn scan(&mut self, camera: u32, each: &mut dyn FnMut(Entry)) {
        for row in self.entries.range(key(camera, 0)..key(camera + 1, 0)) {
            let (key, value) = row.into_inner().unwrap();
            each(Entry::decode(&key, &value));
        }
    }

    fn remove_before(&mut self, cameras: u32, before_us: i64) {
        for first in (0..cameras).step_by(CAMERAS_A_REMOVAL as usize) {
            let mut batch = self.db.batch().durability(Some(PersistMode::SyncAll));
            for camera in first..cameras.min(first + CAMERAS_A_REMOVAL) {
                for old in self.entries.range(key(camera, 0)..key(camera, before_us)) {
                    batch.remove(&self.entries, old.key().unwrap());
                }
            }
            batch.commit().unwrap();
        }
    }

    fn compact(&mut self) -> bool {
        self.entries.rotate_memtable_and_wait().unwrap();
        self.entries.major_compact().unwrap();
        true
    }

    fn close(self: Box<Self>) {
        self.db.persist(PersistMode::SyncAll).unwrap();
    }
}
