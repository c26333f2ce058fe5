//! Segments as the store writes them, GOP for GOP: header, checksums, hashes and group sync included. The media of a GOP is
//! its entry's 40 bytes, so that the index is what costs. What is on disk and written is more than the index, therefore:
//! the record headers, which stand there for the media in any case and serve the index as its journal.

use std::{path::Path, sync::Arc};

use bytes::Bytes;
use sightline_footage::{Keep, TailWriter};
use sightline_model::{
    Timestamp,
    media::{AccessUnit, Codec, GopStart, ParameterSets, Policy, RunId},
    tail::TailItem,
};

use super::{Engine, footage};
use crate::{
    args::Shape,
    entry::{Entry, LANES},
};

/// About the length of a record of 40 bytes of media.
const RECORD_BYTES: u64 = 208;

/// A store and a writer for every camera.
#[derive(Debug)]
pub(crate) struct Segments {
    store: footage::Store,
    writers: Vec<TailWriter>,
    params: Arc<ParameterSets>,
}

impl Segments {
    /// Opens or creates it, with segments for as many GOPs of a camera as are aimed at.
    pub(crate) fn open(dir: &Path, shape: &Shape) -> Self {
        let gops = u64::from(shape.gops_a_segment()) * u64::from(shape.cameras.div_ceil(LANES));
        let params = ParameterSets {
            codec: Codec::H264,
            width: 1920,
            height: 1080,
            rfc6381: "avc1.64001F".into(),
            decoder_config: Bytes::from_static(&[1, 100, 0, 31, 255]),
        };
        let store = footage::Store::open(dir, (gops * RECORD_BYTES).max(64 << 10));
        Self { store, writers: Vec::new(), params: Arc::new(params) }
    }
}

impl Engine for Segments {
    fn put(&mut self, batch: &[Entry]) {
        for entry in batch {
            let camera = usize::try_from(entry.camera).unwrap();
            if self.writers.len() <= camera {
                let key = self.store.key(entry.camera);
                self.writers.push(self.store.footage.writer(key, Keep::Recorded).unwrap());
            }
            let writer = &mut self.writers[camera];
            writer.push(TailItem::Begin(GopStart {
                run: RunId(entry.run),
                number: entry.number,
                part: 0,
                at: Timestamp(entry.start_us),
                camera_clock: None,
                media_90k: i64::from(entry.number) * 180_000,
                policy: Policy::Full,
                params: Arc::clone(&self.params),
            }));
            let data = Bytes::copy_from_slice(&entry.value());
            writer.push(TailItem::Unit(AccessUnit { pts_90k: 0, key: true, data }));
            writer.push(TailItem::End { duration_90k: entry.duration_90k });
        }
        self.store.runtime.block_on(self.store.footage.flush()).unwrap();
    }

    fn seek(&mut self, camera: u32, at_us: i64) -> Option<Entry> {
        self.store.seek(camera, at_us).map(|found| Entry { length: 0, ..footage::entry(camera, &found) })
    }

    fn scan(&mut self, camera: u32, each: &mut dyn FnMut(Entry)) {
        for found in self.store.scan(camera) {
            each(Entry { length: 0, ..footage::entry(camera, &found) });
        }
    }

    fn remove_before(&mut self, _cameras: u32, _before_us: i64) {}

    fn compact(&mut self) -> bool {
        false
    }

    fn close(self: Box<Self>) {
        drop(self.writers);
        self.store.close();
    }
}
