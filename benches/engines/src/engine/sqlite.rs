//! SQLite as it is best for this: a write-ahead log that is synced at every commit, rows in the primary key's tree,
//! prepared statements, and a checkpoint every 64 MB (with the default of 4 MB every batch would bring one about).

use std::path::Path;

use rusqlite::{Connection, Row, params};

use super::{CACHE_BYTES, CAMERAS_A_REMOVAL, Engine};
use crate::entry::Entry;

const OPEN: &str = "
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA wal_autocheckpoint = 16384;
    CREATE TABLE IF NOT EXISTS entries (
        camera INTEGER NOT NULL, start_us INTEGER NOT NULL, duration_90k INTEGER NOT NULL,
        segment INTEGER NOT NULL, at INTEGER NOT NULL, length INTEGER NOT NULL,
        run INTEGER NOT NULL, number INTEGER NOT NULL, units INTEGER NOT NULL,
        PRIMARY KEY (camera, start_us)
    ) WITHOUT ROWID, STRICT;";
const INSERT: &str = "INSERT OR REPLACE INTO entries VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
const SEEK: &str =
    "SELECT * FROM entries WHERE camera = ?1 AND start_us <= ?2 ORDER BY start_us DESC LIMIT 1";
const SCAN: &str = "SELECT * FROM entries WHERE camera = ?1 ORDER BY start_us";
const REMOVE: &str = "DELETE FROM entries WHERE camera = ?1 AND start_us < ?2";

/// One table.
#[derive(Debug)]
pub(crate) struct Sqlite {
    db: Connection,
}

impl Sqlite {
    /// Opens or creates it.
    pub(crate) fn open(dir: &Path) -> Self {
        let db = Connection::open(dir.join("entries.sqlite")).unwrap();
        db.execute_batch(OPEN).unwrap();
        db.pragma_update(None, "cache_size", format!("-{}", CACHE_BYTES >> 10)).unwrap();
        Self { db }
    }
}

fn entry(row: &Row<'_>) -> rusqlite::Result<Entry> {
    Ok(Entry {
        camera: row.get(0)?,
        start_us: row.get(1)?,
        duration_90k: row.get(2)?,
        segment: row.get::<_, i64>(3)?.cast_unsigned(),
        offset: row.get::<_, i64>(4)?.cast_unsigned(),
        length: row.get(5)?,
        run: row.get::<_, i64>(6)?.cast_unsigned(),
        number: row.get(7)?,
        units: row.get(8)?,
    })
}

impl Engine for Sqlite {
    fn put(&mut self, batch: &[Entry]) {
        let commit = self.db.transaction().unwrap();
        let mut insert = commit.prepare_cached(INSERT).unwrap();
        for entry in batch {
            let (segment, offset, run) =
                (entry.segment.cast_signed(), entry.offset.cast_signed(), entry.run.cast_signed());
            let row = params![
                entry.camera,
                entry.start_us,
                entry.duration_90k,
                segment,
                offset,
                entry.length,
                run,
                entry.number,
                entry.units
            ];
            insert.execute(row).unwrap();
        }
        drop(insert);
        commit.commit().unwrap();
    }

    fn seek(&mut self, camera: u32, at_us: i64) -> Option<Entry> {
        let mut seek = self.db.prepare_cached(SEEK).unwrap();
        let mut rows = seek.query(params![camera, at_us]).unwrap();
        rows.next().unwrap().map(|row| entry(row).unwrap())
    }

    fn scan(&mut self, camera: u32, each: &mut dyn FnMut(Entry)) {
        let mut scan = self.db.prepare_cached(SCAN).unwrap();
        let mut rows = scan.query(params![camera]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            each(entry(row).unwrap());
        }
    }

    fn remove_before(&mut self, cameras: u32, before_us: i64) {
        for first in (0..cameras).step_by(CAMERAS_A_REMOVAL as usize) {
            let commit = self.db.transaction().unwrap();
            let mut remove = commit.prepare_cached(REMOVE).unwrap();
            for camera in first..cameras.min(first + CAMERAS_A_REMOVAL) {
                remove.execute(params![camera, before_us]).unwrap();
            }
            drop(remove);
            commit.commit().unwrap();
        }
    }

    fn compact(&mut self) -> bool {
        self.db.execute_batch("VACUUM; PRAGMA wal_checkpoint(TRUNCATE);").unwrap();
        true
    }

    fn close(self: Box<Self>) {
        self.db.close().unwrap();
    }
}
