//! redb with its defaults: one-phase commits, each synced.

use std::path::Path;

use redb::{Database, ReadableDatabase, TableDefinition};

use super::{CACHE_BYTES, CAMERAS_A_REMOVAL, Engine};
use crate::entry::{Entry, KEY_BYTES, VALUE_BYTES, key};

/// Keys and values of fixed length: redb stores no lengths for them.
const ENTRIES: TableDefinition<'_, &[u8; KEY_BYTES], &[u8; VALUE_BYTES]> = TableDefinition::new("entries");

/// One table in one file.
#[derive(Debug)]
pub(crate) struct Redb {
    db: Database,
}

impl Redb {
    /// Opens or creates it.
    pub(crate) fn open(dir: &Path) -> Self {
        let db = Database::builder().set_cache_size(CACHE_BYTES).create(dir.join("entries.redb")).unwrap();
        let write = db.begin_write().unwrap();
        write.open_table(ENTRIES).unwrap();
        write.commit().unwrap();
        Self { db }
    }
}

impl Engine for Redb {
    fn put(&mut self, batch: &[Entry]) {
        let write = self.db.begin_write().unwrap();
        let mut table = write.open_table(ENTRIES).unwrap();
        for entry in batch {
            table.insert(&entry.key(), &entry.value()).unwrap();
        }
        drop(table);
        write.commit().unwrap();
    }

    fn seek(&mut self, camera: u32, at_us: i64) -> Option<Entry> {
        let table = self.db.begin_read().unwrap().open_table(ENTRIES).unwrap();
        let found =
            table.range::<&[u8; KEY_BYTES]>(&key(camera, 0)..=&key(camera, at_us)).unwrap().next_back()?;
        let (key, value) = found.unwrap();
        Some(Entry::decode(key.value(), value.value()))
    }

    fn scan(&mut self, camera: u32, each: &mut dyn FnMut(Entry)) {
        let table = self.db.begin_read().unwrap().open_table(ENTRIES).unwrap();
        for row in table.range::<&[u8; KEY_BYTES]>(&key(camera, 0)..&key(camera + 1, 0)).unwrap() {
            let (key, value) = row.unwrap();
            each(Entry::decode(key.value(), value.value()));
        }
    }

    fn remove_before(&mut self, cameras: u32, before_us: i64) {
        for first in (0..cameras).step_by(CAMERAS_A_REMOVAL as usize) {
            let write = self.db.begin_write().unwrap();
            let mut table = write.open_table(ENTRIES).unwrap();
            for camera in first..cameras.min(first + CAMERAS_A_REMOVAL) {
                let old = &key(camera, 0)..&key(camera, before_us);
                table.retain_in::<&[u8; KEY_BYTES], _>(old, |_, _| false).unwrap();
            }
            drop(table);
            write.commit().unwrap();
        }
    }

    fn compact(&mut self) -> bool {
        self.db.compact().unwrap();
        true
    }

    fn close(self: Box<Self>) {
        self.db.close().unwrap();
    }
}
