//! A tier over stores in memory that fail and lie, over a folder, and over a real SeaweedFS.

mod faulty;
mod list;
mod pbt;
mod read;
mod seaweed;
mod store;
mod upload;

use std::sync::Arc;

use object_store::{ObjectStore, path::Path};

use super::{
    inner::{Inner, Options},
    read::RemoteFile,
    source::Source,
};
use crate::{
    disk::{Disk, DiskFile, read_vec, sim::SimDisk},
    format::header::file_name,
    testkit::{config, gop_of, key, open, push, recorded},
};

/// A disk with one sealed segment, number 1, of about `bytes`.
pub(super) fn sealed(bytes: usize) -> SimDisk {
    let disk = SimDisk::default();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut config = config();
    config.node = "north".to_owned();
    config.lanes = 1;
    config.segment_bytes = 1 << 30;
    config.tail_bytes = 4 * bytes + (1 << 20);
    runtime.block_on(async {
        let footage = open(&disk, config);
        let mut writer = recorded(&footage, key("a"));
        for number in 0..8u32 {
            let run = sightline_model::media::RunId(1);
            push(&mut writer, &gop_of(i64::from(number) * 1000, 1000, run, number, 0, bytes / 24));
        }
        drop(writer);
        footage.flush().await.unwrap();
        footage.shutdown().await.unwrap();
    });
    disk
}

pub(super) fn source(disk: &SimDisk) -> Arc<Source> {
    let name = file_name(1);
    Arc::new(Source::open(disk.open(&name).unwrap(), disk.path().join(name)).unwrap())
}

/// All bytes of the segment.
pub(super) fn content(disk: &SimDisk) -> Vec<u8> {
    let file = disk.open(&file_name(1)).unwrap();
    read_vec(&*file, 0, usize::try_from(file.length().unwrap()).unwrap()).unwrap()
}

pub(super) fn options() -> Options {
    Options {
        node: "north".to_owned(),
        chunk_bytes: 64 << 10,
        page_bytes: 4 << 10,
        cache_bytes: 1 << 20,
        rate_bytes_per_s: None,
        attributes: true,
        folder: None,
    }
}

pub(super) fn tier(objects: Arc<dyn ObjectStore>, options: Options) -> Arc<Inner> {
    Inner::new(objects, Path::from("city"), "test://store".to_owned(), options).unwrap()
}

/// The segment as the tier has it.
pub(super) fn fetched(tier: &Arc<Inner>) -> Vec<u8> {
    let file = RemoteFile::open(tier, 1).unwrap();
    read_vec(&file, 0, usize::try_from(file.length().unwrap()).unwrap()).unwrap()
}
