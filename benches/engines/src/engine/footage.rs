//! The footage store of this repository, asked through its public functions.

use std::path::Path;

use sightline_footage::{Config, Footage, GopEntry, Seams};
use sightline_model::{TimeRange, Timestamp, media::StreamKey};
use tokio::runtime::{Builder, Runtime};

use super::CACHE_BYTES;
use crate::entry::{Entry, LANES};

/// An open store.
#[derive(Debug)]
pub(crate) struct Store {
    pub(crate) runtime: Runtime,
    pub(crate) footage: Footage,
    keys: Vec<StreamKey>,
}

impl Store {
    /// Opens or creates it.
    pub(crate) fn open(dir: &Path, segment_bytes: u64) -> Self {
        let config = Config {
            dir: dir.to_owned(),
            lanes: u8::try_from(LANES).unwrap(),
            segment_bytes,
            allocate_bytes: segment_bytes,
            min_free_bytes: 0,
            index_cache_bytes: CACHE_BYTES,
            ..Config::default()
        };
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let (footage, _) = Footage::open(config, Seams::default(), Timestamp::now()).unwrap();
        Self { runtime, footage, keys: Vec::new() }
    }

    /// The stream of a camera.
    pub(crate) fn key(&mut self, camera: u32) -> StreamKey {
        let wanted = usize::try_from(camera).unwrap();
        while self.keys.len() <= wanted {
            self.keys.push(key(u32::try_from(self.keys.len()).unwrap()));
        }
        self.keys[wanted]
    }

    /// The last GOP that begins at or before a time.
    pub(crate) fn seek(&mut self, camera: u32, at_us: i64) -> Option<GopEntry> {
        let key = self.key(camera);
        self.runtime.block_on(self.footage.nearest(key, Timestamp(at_us))).unwrap()
    }

    /// All GOPs of a camera, in order.
    pub(crate) fn scan(&mut self, camera: u32) -> Vec<GopEntry> {
        let key = self.key(camera);
        let all = TimeRange::new(Timestamp(0), Timestamp(i64::MAX / 2)).unwrap();
        self.runtime.block_on(self.footage.entries(key, all, usize::MAX)).unwrap()
    }

    /// Closes in good order.
    pub(crate) fn close(self) {
        self.runtime.block_on(self.footage.shutdown()).unwrap();
    }
}

/// The stream of a camera.
pub(crate) fn key(camera: u32) -> StreamKey {
    StreamKey::main(format!("camera-{camera:04}").parse().unwrap())
}

/// An answer, without what the store keeps to itself.
pub(crate) fn entry(camera: u32, found: &GopEntry) -> Entry {
    Entry {
        camera,
        start_us: found.start.0,
        duration_90k: found.duration_90k,
        segment: 0,
        offset: 0,
        length: u32::try_from(found.bytes).unwrap(),
        run: found.run.0,
        number: found.number,
        units: found.units,
    }
}
