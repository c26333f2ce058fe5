//! Footers as they are of segments of real size: 60 GOPs of 500 kB of each camera in a segment. The media is a hole in the
//! file, so that 2.5 TB of it fit on any disk; footers, index and search are the store's.

use std::{
    fs::File,
    path::{Path, PathBuf},
};

use sightline_footage::generate::{MadeGop, sealed_segment};
use sightline_model::{Timestamp, media::RunId};

use super::{Engine, footage};
use crate::{
    args::Shape,
    entry::{Entry, LANES},
};

/// A folder of segments: being made, or open.
#[derive(Debug)]
pub(crate) struct Footers {
    dir: PathBuf,
    gops_a_segment: u32,
    store: Option<footage::Store>,
    making: Vec<Vec<MadeGop>>,
    made: u64,
}

impl Footers {
    /// Opens what is there, or begins to make it.
    pub(crate) fn open(dir: &Path, shape: &Shape) -> Self {
        let store = dir.join("segments").exists().then(|| footage::Store::open(dir, 256 << 20));
        let making = (0..LANES).map(|_| Vec::new()).collect();
        Self { dir: dir.to_owned(), gops_a_segment: shape.gops_a_segment(), store, making, made: 0 }
    }

    fn store(&mut self) -> &mut footage::Store {
        self.store.as_mut().expect("segments are made first")
    }

    fn seal(&mut self) {
        for (lane, gops) in (0..).zip(&mut self.making).filter(|(_, gops)| !gops.is_empty()) {
            self.made += 1;
            sealed_segment(&self.dir, self.made, lane, gops).unwrap();
            gops.clear();
        }
    }
}

impl Engine for Footers {
    fn put(&mut self, batch: &[Entry]) {
        for entry in batch {
            let lane = usize::try_from(entry.camera % LANES).unwrap();
            self.making[lane].push(MadeGop {
                key: footage::key(entry.camera),
                start: Timestamp(entry.start_us),
                duration_90k: entry.duration_90k,
                run: RunId(entry.run),
                number: entry.number,
                units: entry.units,
                media_bytes: entry.length,
            });
        }
        if batch.first().is_some_and(|entry| (entry.number + 1).is_multiple_of(self.gops_a_segment)) {
            self.seal();
        }
    }

    fn seek(&mut self, camera: u32, at_us: i64) -> Option<Entry> {
        self.store().seek(camera, at_us).map(|found| footage::entry(camera, &found))
    }

    fn scan(&mut self, camera: u32, each: &mut dyn FnMut(Entry)) {
        for found in self.store().scan(camera) {
            each(footage::entry(camera, &found));
        }
    }

    /// Unlinks the segments that begin before a time (whole ones: the time is where segments end) and opens what is left.
    fn remove_before(&mut self, _cameras: u32, before_us: i64) {
        let store = self.store.take().expect("segments are made first");
        let old = |range: sightline_model::TimeRange| range.from.0 < before_us;
        let gone: Vec<u64> = store
            .footage
            .list_segments()
            .iter()
            .filter(|segment| segment.range.is_some_and(old))
            .map(|segment| segment.id)
            .collect();
        // The open store holds the directories of all footers in memory, so they go by closing it.
        store.close();
        let folder = self.dir.join("segments");
        for id in gone {
            std::fs::remove_file(folder.join(format!("{id:016x}.seg"))).unwrap();
        }
        File::open(&folder).unwrap().sync_all().unwrap();
        self.store = Some(footage::Store::open(&self.dir, 256 << 20));
    }

    /// There is nothing to compact.
    fn compact(&mut self) -> bool {
        false
    }

    fn close(mut self: Box<Self>) {
        self.seal();
        if let Some(store) = self.store {
            store.close();
        }
    }
}
